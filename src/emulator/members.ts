// The members of the emulated workspace: record `index` is a pure function of the options, so a test knows exactly what
// has to arrive and the server keeps nothing. A member is first made as its provider would send it, then mapped as
// Truto's reference page lists the fields per provider.

import type { JsonRecord, JsonValue } from '../record.js'
import type { Integration } from '../schema/integrations.js'
import { graphMember, guid } from './graph-member.js'
import { type Person, personAt } from './people.js'
import { Dice } from './random.js'
import { slackUser } from './slack-user.js'

/** What decides a member's content. */
export interface MemberOptions {
  /** Same seed, same members. Default 1. */
  seed?: number | undefined
  /** Default `slack`. */
  integration?: Integration | undefined
  /** Whether unified records carry `remote_data`. Default true. */
  remoteData?: boolean | undefined
  /** Slack only: records are `{id}` alone, as the reference page's "partial response" may mean. Default false. */
  slackPartial?: boolean | undefined
  /** Number of different members; after them they repeat, with the same ids. 0, the default, means that all differ. */
  pool?: number | undefined
  /** Some records with null, absent, additional and retyped fields and with a provider's own status words. Truto does
   *  not validate records against its published schema, so all of these are legal. Default false. */
  oddities?: boolean | undefined
  /** Slack only: 1 % of the records at 10 to 30 KB, 1 in 5,000 above 256 KB. Default false. */
  heavyTail?: boolean | undefined
}

/** Member `index` as `truto_response_format=unified` gives it, before `truto_exclude_fields` and the like. A new object
 *  at each call.
 *  @param index `0 <= index < members` */
export function memberAt(index: number, options: MemberOptions = {}): JsonRecord {
  const { seed, integration, remoteData, slackPartial, oddities } = withDefaults(options)
  const at = poolIndex(index, options)
  const id = memberIdAt(at, options)
  if (integration === 'slack' && slackPartial) return remoteData ? { id, remote_data: id } : { id }

  const person = personAt(seed, at)
  const remote = fullUpstreamMember(at, id, person, options)
  const member = integration === 'slack' ? fromSlack(id, person, remote) : fromGraph(id, person, remote)
  if (oddities) makeOdd(member, new Dice(seed, at, 4))
  if (remoteData) member['remote_data'] = remote
  return member
}

/** Member `index` as the provider sends it to Truto: a Slack user, its bare id where Slack is partial, or a Graph
 *  conversation member. */
export function upstreamMemberAt(index: number, options: MemberOptions = {}): JsonValue {
  const { seed, integration, slackPartial } = withDefaults(options)
  const at = poolIndex(index, options)
  const id = memberIdAt(at, options)
  if (integration === 'slack' && slackPartial) return id
  return fullUpstreamMember(at, id, personAt(seed, at), options)
}

/** The id of member `index`: 11 characters like a Slack user's, or a GUID. Unique within a seed. */
export function memberIdAt(index: number, options: MemberOptions = {}): string {
  const { seed, integration } = withDefaults(options)
  const at = poolIndex(index, options)
  if (integration === 'slack') return `U${seedLetters(seed)}${at.toString(36).toUpperCase().padStart(8, '0')}`
  return guid(new Dice(seed, at, 5), at)
}

/** The index of the member with this id, or undefined where `id` is of no member of this seed. */
export function memberIndexOf(id: string, options: MemberOptions = {}): number | undefined {
  const { integration } = withDefaults(options)
  const index = integration === 'slack' ? parseInt(id.slice(3), 36) : parseInt(id.slice(24), 16)
  return Number.isSafeInteger(index) && index >= 0 && memberIdAt(index, options) === id ? index : undefined
}

function withDefaults(options: MemberOptions) {
  return {
    seed: options.seed ?? 1,
    integration: options.integration ?? 'slack',
    remoteData: options.remoteData ?? true,
    slackPartial: options.slackPartial ?? false,
    oddities: options.oddities ?? false,
  }
}

function poolIndex(index: number, options: MemberOptions): number {
  return options.pool ? index % options.pool : index
}

function seedLetters(seed: number): string {
  return new Dice(seed, 0, 6)
    .below(36 * 36)
    .toString(36)
    .toUpperCase()
    .padStart(2, '0')
}

function fullUpstreamMember(index: number, id: string, person: Person, options: MemberOptions): JsonRecord {
  const seed = options.seed ?? 1
  if ((options.integration ?? 'slack') !== 'slack') return graphMember(seed, index, id, person)
  return slackUser(seed, index, id, person, options.heavyTail ?? false)
}

/** The 15 fields that the reference page marks for Slack. Fields it marks for no provider are absent: JSONata drops
 *  what it does not find. */
function fromSlack(id: string, person: Person, user: JsonRecord): JsonRecord {
  const profile = user['profile'] as JsonRecord
  return {
    id,
    avatar: profile['image_192']!,
    bio: person.statusText,
    emails: [{ email: person.email, is_primary: true, type: 'work' }],
    first_name: person.firstName,
    is_email_verified: user['is_email_confirmed']!,
    last_name: person.lastName,
    name: person.displayName,
    phones: person.phone ? [{ extension: null, number: person.phone, type: 'work' }] : [],
    status: user['deleted'] ? 'deleted' : 'active',
    timezone: person.timezone.name,
    title: person.title,
    type: user['is_bot'] ? 'bot' : 'user',
    updated_at: new Date((user['updated'] as number) * 1000).toISOString(),
    username: person.handle,
  }
}

/** The 6 fields that the reference page marks for Microsoft 365 and Teams. */
function fromGraph(id: string, person: Person, member: JsonRecord): JsonRecord {
  const email = member['email'] ?? null
  return {
    id,
    emails: email === null ? [] : [{ email, is_primary: true, type: 'work' }],
    first_name: person.firstName,
    last_name: person.lastName,
    name: person.displayName,
    type: (member['roles'] as string[])[0] ?? 'member',
  }
}

/** One record in two gets one oddity. */
function makeOdd(member: JsonRecord, dice: Dice): void {
  switch (dice.below(12)) {
    case 0:
      for (const field of ['title', 'bio', 'first_name', 'emails']) if (field in member) member[field] = null
      break
    case 1:
      for (const field of ['name', 'timezone', 'phones']) delete member[field]
      break
    case 2:
      member['custom_badge'] = {
        level: dice.below(9),
        'dotted.key': ['a', null, { deep: true }],
        __proto_like: '__proto__',
      }
      break
    case 3:
      // a date-time as epoch seconds, a boolean as text, a string as number
      Object.assign(member, {
        updated_at: 1_700_000_000 + dice.below(1000),
        is_email_verified: 'true',
        username: dice.below(1e6),
      })
      break
    case 4:
      member['status'] = dice.pick(['snoozed', 'Do Not Disturb', 'ACTIVE', ''])
      break
    case 5:
      Object.assign(member, {
        groups: [{ id: 'S1', name: 'on-call', organization: { id: 'E1', name: null }, type: 'usergroup' }],
        languages: ['de', 'en-GB'],
        workspaces: [],
        created_at: '2019-02-28T23:59:59.999999+05:30',
        last_active_at: '2024-12-24 18:00:00',
      })
      break
  }
}
