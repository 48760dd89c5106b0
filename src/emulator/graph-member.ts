// A Microsoft Teams member as Graph's "List members of a team" gives it: an `aadUserConversationMember`, whose keys
// hold `@` and `.`. For Microsoft 365 the same shape is served: what Truto asks Graph for there is not documented.

import type { JsonRecord } from '../record.js'
import type { Person } from './people.js'
import { Dice } from './random.js'

/** The Entra tenant that all members of a seed are in. */
export function graphTenantId(seed: number): string {
  return guid(new Dice(seed, 0, 8), 0)
}

/** A GUID (version 4 in form) whose last 12 digits are `index`, so that a member can be found by its id. */
export function guid(dice: Dice, index: number): string {
  return `${dice.hex(8)}-${dice.hex(4)}-4${dice.hex(3)}-a${dice.hex(3)}-${index.toString(16).padStart(12, '0')}`
}

/** The Graph conversation member of `person`, about 480 bytes of JSON. */
export function graphMember(seed: number, index: number, userId: string, person: Person): JsonRecord {
  const dice = new Dice(seed, index, 3)
  const tenantId = graphTenantId(seed)
  const membership = `0##2##${tenantId}##19:${new Dice(seed, 0, 7).hex(32)}@thread.tacv2##${userId}`
  return {
    '@odata.type': '#microsoft.graph.aadUserConversationMember',
    id: Buffer.from(membership).toString('base64'),
    roles: dice.oneIn(20) ? ['owner'] : dice.oneIn(15) ? ['guest'] : [],
    displayName: person.displayName,
    visibleHistoryStartDateTime: dice.oneIn(4) ? '2021-06-30T08:00:00Z' : '0001-01-01T00:00:00Z',
    userId,
    email: dice.oneIn(50) ? null : person.email,
    tenantId,
  }
}
