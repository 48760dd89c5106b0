// The lists that the emulated account has, and their records as a request wants them: which resource, mapped or not,
// without excluded fields.

import type { JsonRecord, JsonValue } from '../record.js'
import type { Integration } from '../schema/integrations.js'
import { type MemberOptions, memberAt, memberIdAt, upstreamMemberAt } from './members.js'
import { Dice } from './random.js'
import type { RecordView } from './runs.js'

/** A contiguous part of all records: those of one channel or workspace. */
export interface Window {
  readonly start: number
  readonly count: number
}

/** What decides the text of the records. */
export interface ViewOptions {
  readonly resource: string
  readonly member: MemberOptions & { readonly seed: number; readonly integration: Integration }
  /** Whether the records are the provider's own. */
  readonly isUpstream: boolean
  readonly exclude: readonly string[]
  readonly ignoreRemoteData: boolean
  readonly isPretty: boolean
}

/** Records of a list as one request wants them. */
export function recordView(options: ViewOptions): RecordView {
  const { resource, member, isUpstream, exclude, isPretty } = options
  const dropped = options.ignoreRemoteData ? [...exclude, 'remote_data'] : exclude
  // Not making remote_data at all is quicker than dropping it.
  const made = dropped.includes('remote_data') ? { ...member, remoteData: false } : member
  const recordAt = recordMaker(resource, made, isUpstream)
  return {
    key: JSON.stringify([resource, member.integration, isUpstream, dropped, isPretty]),
    isPretty,
    pool: member.pool ?? 0,
    record(index) {
      const record = recordAt(index)
      if (typeof record === 'object' && record !== null && !Array.isArray(record))
        for (const name of dropped) delete record[name]
      return record
    },
  }
}

function recordMaker(
  resource: string,
  member: MemberOptions & { readonly seed: number; readonly integration: Integration },
  isUpstream: boolean,
): (index: number) => JsonValue {
  switch (resource) {
    case 'instant-messaging/members':
      return isUpstream ? (index) => upstreamMemberAt(index, member) : (index) => memberAt(index, member)
    case 'instant-messaging/channels':
      return (index) => channelAt(index, member.seed, member.integration)
    case 'instant-messaging/workspaces':
      return (index) => workspaceAt(index, member.seed)
    default:
      return (index) => genericAt(index, member)
  }
}

/** Channel `index` of a Slack account; of a Microsoft one likewise, with other ids. */
export function channelAt(index: number, seed: number, integration: Integration): JsonRecord {
  return {
    id: parentIdAt(index, seed, integration),
    name: index === 0 ? 'general' : `team-${index}`,
    description: index === 0 ? 'Everybody' : `Team ${index}`,
    is_private: false,
    type: 'channel',
    created_at: '2020-01-02T03:04:05.000Z',
  }
}

/** Workspace `index` of a Microsoft account: a team. */
export function workspaceAt(index: number, seed: number): JsonRecord {
  return { id: parentIdAt(index, seed, 'msteams'), name: index === 0 ? 'All Company' : `Team ${index}` }
}

/** Id of the channel (Slack) or the workspace (Microsoft) number `index`. */
export function parentIdAt(index: number, seed: number, integration: Integration): string {
  const dice = new Dice(seed, index, 30)
  if (integration === 'slack')
    return `C0${dice.hex(7).toUpperCase()}${index.toString(36).toUpperCase().padStart(2, '0')}`
  return `${dice.hex(8)}-${dice.hex(4)}-4${dice.hex(3)}-a${dice.hex(3)}-${index.toString(16).padStart(12, '0')}`
}

/** Which members are in parent `index` of `parents`: all in the first, in each other a half that overlaps its
 *  neighbours. */
export function parentWindow(index: number, parents: number, members: number): Window {
  if (index === 0) return { start: 0, count: members }
  const count = Math.ceil(members / 2)
  return { start: Math.floor(((index - 1) * (members - count)) / Math.max(1, parents - 2)), count }
}

/** A record of a resource that the emulator knows nothing about. */
function genericAt(index: number, member: MemberOptions): JsonRecord {
  const dice = new Dice(member.seed ?? 1, index, 31)
  const record: JsonRecord = {
    id: memberIdAt(index, { ...member, integration: 'msteams' }),
    name: `Record ${index}`,
    amount: dice.below(100_000) / 100,
    tags: [`t${dice.below(10)}`],
    created_at: new Date(1_600_000_000_000 + dice.below(150_000_000) * 1000).toISOString(),
  }
  if (member.remoteData ?? true) record['remote_data'] = { key: index, note: 'generic "record"' }
  return record
}
