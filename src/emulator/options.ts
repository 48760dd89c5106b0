// The emulator's options and their defaults: a plain Slack workspace of 1,000 members behind a Truto that behaves as
// documented.

import { KiB, MiB, minute } from '../bytes/units.js'
import type { Clock } from '../clock.js'
import { systemClock } from '../clock.js'
import { ConfigError } from '../errors.js'
import { type Integration, integrations } from '../schema/integrations.js'
import type { Fault } from './faults.js'
import type { MemberOptions } from './members.js'
import { checkPaging, cursorStyles, type PagingOptions } from './paging.js'
import type { RateLimitOptions } from './rate-limits.js'

/** How `truto_response_format=stream` answers. What the real one does is not documented. `envelope` (H2) and
 *  `envelope-cursor-first`: the unified envelope, its cursor after or before the records; `slack`, `graph` (H1): the
 *  provider's own body; `array`, `ndjson` (H3): records without an envelope; `ignored` (H4): exactly as `unified`. */
export const streamFramings = [
  'envelope',
  'envelope-cursor-first',
  'slack',
  'graph',
  'array',
  'ndjson',
  'ignored',
] as const
/** One of `streamFramings`. */
export type StreamFraming = (typeof streamFramings)[number]

/** How the end of a body is marked: chunked, by Content-Length, or by closing the connection. */
export type Transfer = 'chunked' | 'length' | 'close'
/** How a body is compressed. */
export type ContentEncoding = 'identity' | 'gzip' | 'br' | 'deflate'

/** An integrated account: a connected workspace. */
export interface EmulatedAccount {
  readonly id: string
  readonly integration: Integration
}

/** So many accounts of an integration: the first has the usual id, the others one after the other. */
export function accountsOf(count: number, integration: Integration): EmulatedAccount[] {
  const [head, tail] = [defaultAccountId.slice(0, -12), Number.parseInt(defaultAccountId.slice(-12), 16)]
  return Array.from({ length: count }, (_, index) => ({
    id: head + (tail + index).toString(16).padStart(12, '0'),
    integration,
  }))
}

/** Id of the account that the emulator has unless `accounts` says otherwise: the one of Truto's reference page. */
export const defaultAccountId = '62f44730-dd91-461e-bd6a-aedd9e0ad79d'
/** Token that the emulator accepts unless `token` says otherwise. */
export const defaultToken = 'truto-emulator-token'

/** Options of `startEmulator`; every one has a default. */
export interface EmulatorOptions extends MemberOptions {
  /** Members of the workspace, any number. Default 1,000. */
  members?: number | undefined

  /** Address to listen on. Default `127.0.0.1`. */
  host?: string | undefined
  /** Port to listen on; 0, the default, takes a free one. */
  port?: number | undefined
  /** Time for rate limits, expiry, stalls and the Date header. Default the system's. */
  clock?: Clock | undefined
  /** Requests kept in the log. Default 10,000. */
  logSize?: number | undefined
  /** Bytes of rendered pages kept for the next request of the same page. Default 64 MiB; 0 keeps none. */
  cacheBytes?: number | undefined

  /** The API token. */
  token?: string | undefined
  /** False accepts requests without a token. Default true. */
  requireToken?: boolean | undefined
  /** The token belongs to one account (the first): its id is implied, other routes answer 403, and it expires. Default
   *  false. */
  accountToken?: boolean | { readonly ttlMs: number } | undefined
  /** Default one account of `integration`, whose id is the one of Truto's reference page. `any` takes every id for such
   *  an account. */
  accounts?: readonly EmulatedAccount[] | 'any' | undefined
  /** The provider rejects the account's credentials: 401 with `truto_is_remote_error`. Default false; the fault
   *  `reauth` flips it mid-run. */
  needsReauth?: boolean | undefined
  /** Truto blocked the account: 503. Default false. */
  blocked?: boolean | undefined

  /** Channels of a Slack account, workspaces of a Microsoft one. The first holds all members, each other half of them.
   *  Default 3. */
  parents?: number | undefined
  /** Whether a missing `channel` or `workspace` is a 400, as the reference page has it. Default true. */
  requireParents?: boolean | undefined
  /** Whether an unknown channel or workspace is an error; else it holds all members. Default false. */
  strictParents?: boolean | undefined
  /** Whether an unknown resource is an error; else it holds the members. Default false. */
  strictResources?: boolean | undefined

  /** Records in a page where the request has no `limit` or `truto_ignore_limit=true`. Infinity puts all into one page.
   *  Default 200. */
  pageSize?: number | undefined
  /** Largest `limit` honoured. Default 1,000, or `pageSize` where that is larger. */
  maxLimit?: number | undefined
  paging?: PagingOptions | undefined

  /** Default `envelope`. */
  framing?: StreamFraming | undefined
  /** A stream holds all records from its cursor on, and has no further one. Default true for `array` and `ndjson`,
   *  which have no place for a cursor. */
  streamAllPages?: boolean | undefined
  /** `truto_exclude_fields`, `truto_ignore_remote_data` and `truto_key_by` have no effect on a stream. Default true for
   *  `slack` and `graph`, whose body is not mapped. */
  streamIgnoresParameters?: boolean | undefined
  /** Whether the provider's own cursor is taken as `next_cursor`. Not documented. Default true. */
  acceptsUpstreamCursor?: boolean | undefined

  /** Default `result`; one page of Truto's documentation says `results` for its platform lists. */
  resultKey?: 'result' | 'results' | undefined
  /** Default true. */
  resultCount?: boolean | undefined
  /** Default true. */
  prevCursor?: boolean | undefined
  /** Names of the envelope's members in the order wanted; those not named follow in the usual order. */
  envelopeOrder?: readonly string[] | undefined
  /** Indented JSON. Default false. */
  prettyPrint?: boolean | undefined
  /** The envelope's keys are spelled with escapes, such as `"next_\u0063ursor"`. Default false. */
  escapeKeys?: boolean | undefined

  /** Compression, where the request's Accept-Encoding takes it. Default `identity`. */
  encoding?: ContentEncoding | undefined
  /** Default `chunked` for streams, `length` for all else. */
  transfer?: Transfer | undefined
  /** Size of each chunk, and of each write. Under `chunked` the receiver sees exactly these; sockets may join the
   *  writes of the others. Default 256 KiB. */
  chunkBytes?: number | undefined
  /** Content-Type of lists; null sends none. Default what the framing has. */
  contentType?: string | null | undefined

  /** Default false. */
  rateLimits?: boolean | RateLimitOptions | undefined
  faults?: readonly Fault[] | undefined
}

/** Options with their defaults filled in. */
export interface Settings {
  readonly members: number
  readonly member: MemberOptions & { readonly seed: number; readonly integration: Integration }
  readonly host: string
  readonly port: number
  readonly clock: Clock
  readonly logSize: number
  readonly cacheBytes: number
  readonly token: string
  readonly requireToken: boolean
  readonly accountTokenTtlMs: number | undefined
  readonly accounts: readonly EmulatedAccount[]
  readonly takesAnyAccount: boolean
  readonly needsReauth: boolean
  readonly blocked: boolean
  readonly parents: number
  readonly requireParents: boolean
  readonly strictParents: boolean
  readonly strictResources: boolean
  readonly pageSize: number
  readonly maxLimit: number
  readonly paging: PagingOptions
  readonly framing: StreamFraming
  readonly streamAllPages: boolean
  readonly streamIgnoresParameters: boolean
  readonly acceptsUpstreamCursor: boolean
  readonly resultKey: 'result' | 'results'
  readonly resultCount: boolean
  readonly prevCursor: boolean
  readonly envelopeOrder: readonly string[]
  readonly prettyPrint: boolean
  readonly escapeKeys: boolean
  readonly encoding: ContentEncoding
  readonly transfer: Transfer | undefined
  readonly chunkBytes: number
  readonly contentType: string | null | undefined
  readonly rateLimits: RateLimitOptions | undefined
  readonly faults: readonly Fault[]
}

/** Fills in the defaults.
 *  @throws ConfigError ERR_OPTION_INVALID */
export function settingsOf(options: EmulatorOptions): Settings {
  const framing = options.framing ?? 'envelope'
  const integration = options.integration ?? (framing === 'graph' ? 'msteams' : 'slack')
  const pageSize = options.pageSize ?? 200
  const { accountToken, rateLimits } = options
  const settings: Settings = {
    members: options.members ?? 1000,
    member: {
      seed: options.seed ?? 1,
      integration,
      remoteData: options.remoteData ?? true,
      slackPartial: options.slackPartial ?? false,
      pool: options.pool ?? 0,
      oddities: options.oddities ?? false,
      heavyTail: options.heavyTail ?? false,
    },
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    clock: options.clock ?? systemClock,
    logSize: options.logSize ?? 10_000,
    cacheBytes: options.cacheBytes ?? 64 * MiB,
    token: options.token ?? defaultToken,
    requireToken: options.requireToken ?? true,
    // An account token lives for 15 minutes (Truto docs, authentication).
    accountTokenTtlMs: accountToken ? (accountToken === true ? 15 * minute : accountToken.ttlMs) : undefined,
    accounts: Array.isArray(options.accounts) ? options.accounts : [{ id: defaultAccountId, integration }],
    takesAnyAccount: options.accounts === 'any',
    needsReauth: options.needsReauth ?? false,
    blocked: options.blocked ?? false,
    parents: options.parents ?? 3,
    requireParents: options.requireParents ?? true,
    strictParents: options.strictParents ?? false,
    strictResources: options.strictResources ?? false,
    pageSize,
    maxLimit: options.maxLimit ?? Math.max(1000, pageSize),
    paging: options.paging ?? {},
    framing,
    streamAllPages: options.streamAllPages ?? (framing === 'array' || framing === 'ndjson'),
    streamIgnoresParameters: options.streamIgnoresParameters ?? (framing === 'slack' || framing === 'graph'),
    acceptsUpstreamCursor: options.acceptsUpstreamCursor ?? true,
    resultKey: options.resultKey ?? 'result',
    resultCount: options.resultCount ?? true,
    prevCursor: options.prevCursor ?? true,
    envelopeOrder: options.envelopeOrder ?? [],
    prettyPrint: options.prettyPrint ?? false,
    escapeKeys: options.escapeKeys ?? false,
    encoding: options.encoding ?? 'identity',
    transfer: options.transfer,
    chunkBytes: options.chunkBytes ?? 256 * KiB,
    contentType: options.contentType,
    rateLimits: rateLimits === true ? {} : rateLimits === false ? undefined : rateLimits,
    faults: options.faults ?? [],
  }
  check(settings)
  return settings
}

function check(settings: Settings): void {
  const { framing, member } = settings
  const whole = (name: string, value: number, least: number): void => {
    if (!(Number.isSafeInteger(value) && value >= least)) fail(`${name} is a whole number from ${least}, not ${value}`)
  }
  whole('members', settings.members, 0)
  whole('seed', member.seed, 0)
  whole('pool', member.pool ?? 0, 0)
  whole('logSize', settings.logSize, 1)
  whole('cacheBytes', settings.cacheBytes, 0)
  whole('chunkBytes', settings.chunkBytes, 1)
  whole('parents', settings.parents, 1)
  if (settings.pageSize !== Infinity) whole('pageSize', settings.pageSize, 1)
  if (settings.maxLimit !== Infinity) whole('maxLimit', settings.maxLimit, 1)
  if (settings.accounts.length === 0) fail('accounts is empty')
  oneOf('framing', framing, streamFramings)
  oneOf('integration', member.integration, integrations)
  oneOf('paging.cursor', settings.paging.cursor ?? 'number', cursorStyles)
  const isSlack = member.integration === 'slack'
  if ((framing === 'slack' && !isSlack) || (framing === 'graph' && isSlack)) {
    fail(`framing ${framing} is not what ${member.integration} sends`)
  }
  checkPaging(settings.paging)
}

function oneOf(name: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) fail(`${name} is one of ${allowed.join(', ')}, not ${value}`)
}

function fail(message: string): never {
  throw new ConfigError('ERR_OPTION_INVALID', `starting the emulator: ${message}`)
}
