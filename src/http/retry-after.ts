// How long a server asks us to wait, read from the headers that Truto documents. Pure: the wall clock comes as a
// number, and only where the answer carries no Date of its own.

import { second } from '../bytes/units.js'

/** Response headers by lowercase name; a header that came several times is an array. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * The wait asked for in ms, at least 0; undefined where none is asked for in a form we can read, so that the caller
 * backs off by itself.
 *
 * `Retry-After` stands before `ratelimit-reset` (the order that Truto's documentation gives), and both before
 * `RateLimit`. `Retry-After` is whole seconds or an HTTP-date (RFC 9110 §10.2.3); a date counts from the answer's own
 * `Date`, so that a wrong clock on either side does no harm, and one that has passed is 0. `ratelimit-reset` is seconds
 * until the reset (Truto, "rate limits"). In either, what would be decades is the point in time that other APIs put
 * there. Of several values the longest counts.
 */
export function retryAfterMs(headers: ResponseHeaders, wallNowMs: number): number | undefined {
  const serverNowMs = serverNowOf(headers, wallNowMs)
  const retryAfter = valuesOf(headers, 'retry-after').map((text) => parseRetryAfter(text, serverNowMs))
  const limits = rateLimitsOf(headers)
  const usedUp = limits.filter(({ remaining }) => remaining !== undefined && remaining <= 0)
  return (
    longest(retryAfter) ??
    resetMs(headers, serverNowMs) ??
    // a limit that is not used up is not the one that refused
    longest((usedUp.length > 0 ? usedUp : limits).map((limit) => limit.resetMs ?? limit.windowMs))
  )
}

/**
 * The wait in ms before the next request that an answer tells of which is good itself: `ratelimit-remaining` is 0, and
 * the limit's window ends at `ratelimit-reset` or, where that is missing, is over after the `w` of `ratelimit-limit` at
 * the latest; or `RateLimit` says so in its own way. Undefined where requests remain, or nothing is said.
 */
export function usedUpMs(headers: ResponseHeaders, wallNowMs: number): number | undefined {
  const limits = rateLimitsOf(headers).filter(({ remaining }) => remaining !== undefined && remaining <= 0)
  const ofLimits = limits.map((limit) => limit.resetMs ?? limit.windowMs)
  const remaining = valuesOf(headers, 'ratelimit-remaining').flatMap((text) => text.split(',').map(parseCount))
  if (!remaining.some((count) => count !== undefined && count <= 0)) return longest(ofLimits)
  const windows = valuesOf(headers, 'ratelimit-limit').flatMap((text) => [...text.matchAll(/;\s*w=(\d+)/gi)])
  const ofTrio =
    resetMs(headers, serverNowOf(headers, wallNowMs)) ?? longest(windows.map(([, value]) => parseSeconds(value!)))
  return longest([ofTrio, ...ofLimits])
}

interface RateLimit {
  remaining: number | undefined
  resetMs: number | undefined
  /** Of the policy with the same name, or of the only one. */
  windowMs: number | undefined
}

/**
 * The limits that `RateLimit` tells of, in the forms that it has had: `"default";r=0;t=30` with a window in
 * `RateLimit-Policy: "default";q=100;w=60` (draft-ietf-httpapi-ratelimit-headers-08 and later), and `limit=100,
 * remaining=0, reset=30` (before).
 */
function rateLimitsOf(headers: ResponseHeaders): RateLimit[] {
  const members = valuesOf(headers, 'ratelimit').flatMap(structuredList)
  if (members.length === 0) return []
  const policies = valuesOf(headers, 'ratelimit-policy').flatMap(structuredList)
  const windowOf = (name: string): number | undefined => {
    const policy = policies.find((other) => other.name === name) ?? (policies.length === 1 ? policies[0] : undefined)
    return parseSeconds(policy?.parameters.get('w') ?? '')
  }
  const named = new Map(members.map(({ name, value }) => [name, value]))
  if (named.has('remaining')) {
    const [remaining, reset] = [named.get('remaining') ?? '', named.get('reset') ?? '']
    return [{ remaining: parseCount(remaining), resetMs: parseSeconds(reset), windowMs: windowOf('') }]
  }
  return members.map(({ name, parameters }) => ({
    remaining: parseCount(parameters.get('r') ?? ''),
    resetMs: parseSeconds(parameters.get('t') ?? ''),
    windowMs: windowOf(name),
  }))
}

interface Structured {
  /** An item's own text without its quotes, or a dictionary's key. */
  name: string
  /** What the key stands for; empty for an item. */
  value: string
  parameters: ReadonlyMap<string, string>
}

/** The members of a list or dictionary of structured fields (RFC 9651), read leniently: what cannot be read has no name
 *  that anybody looks for. */
function structuredList(text: string): Structured[] {
  const members = text.match(/(?:"(?:\\.|[^"\\])*"|[^",])+/g) ?? []
  return members.map((member) => {
    const [head = '', ...rest] = member.match(/(?:"(?:\\.|[^"\\])*"|[^";])+/g) ?? []
    const [name, value] = pair(head)
    return { name, value, parameters: new Map(rest.map(pair)) }
  })
}

/** `r=0` → `['r', '0']`, `"default"` → `['default', '']` */
function pair(text: string): [string, string] {
  const at = text.startsWith('"') ? -1 : text.indexOf('=')
  const [name, value] = at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
  return [unquoted(name).toLowerCase(), unquoted(value)]
}

function unquoted(text: string): string {
  return text.trim().replace(/^"(.*)"$/s, '$1')
}

function serverNowOf(headers: ResponseHeaders, wallNowMs: number): number {
  return longest(valuesOf(headers, 'date').map(parseHttpDate)) ?? wallNowMs
}

function resetMs(headers: ResponseHeaders, serverNowMs: number): number | undefined {
  return longest(valuesOf(headers, 'ratelimit-reset').flatMap((text) => parseReset(text, serverNowMs)))
}

/** Several values are fields that something on the way has folded into one, as RFC 9110 §5.3 lets it; one that cannot
 *  be read spoils the others. */
function parseRetryAfter(text: string, serverNowMs: number): number | undefined {
  // the comma of a date has its day after it
  const waits = text.split(/,(?! *\d\d[ -][A-Z])/).map((value) => {
    const date = parseHttpDate(withoutParameters(value))
    return date === undefined ? parseWait(value, serverNowMs) : Math.max(0, date - serverNowMs)
  })
  return waits.includes(undefined) ? undefined : longest(waits)
}

/** `10`, `10;w=60`, `10, 60` */
function parseReset(text: string, serverNowMs: number): (number | undefined)[] {
  return text.split(',').map((value) => parseWait(value, serverNowMs))
}

/** Seconds, or a point in time: in seconds or in milliseconds since 1970. */
function parseWait(text: string, serverNowMs: number): number | undefined {
  const number = withoutParameters(text)
  const ms = parseSeconds(number)
  if (ms === undefined || ms < earliestEpochMs) return ms
  const atMs = ms < earliestEpochMs * 100 ? ms : Math.ceil(Number(number))
  return Math.max(0, atMs - serverNowMs)
}

/** 1e9 seconds: nobody asks for a wait of 31 years, and as a point in time it is September 2001. A hundred times as
 *  many are in the year 5138, and as milliseconds in 1973. */
const earliestEpochMs = 1e12

/** `10;w=60` → `10`: what follows describes the window and is no wait. */
function withoutParameters(text: string): string {
  return text.split(';', 1)[0]!
}

function parseCount(text: string): number | undefined {
  const value = withoutParameters(text).trim()
  return /^-?\d{1,15}$/.test(value) ? Number(value) : undefined
}

function parseSeconds(text: string): number | undefined {
  const trimmed = text.trim()
  // Seconds with a fraction are not in the RFC, but their meaning is plain.
  return /^\d{1,14}(?:\.\d{1,9})?$/.test(trimmed) ? Math.ceil(Number(trimmed) * second) : undefined
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** The three forms of RFC 9110 §5.6.7, in ms since 1970. Stricter than Date.parse, which reads `-5` and `12 apples` as
 *  dates. */
function parseHttpDate(text: string): number | undefined {
  const trimmed = text.trim()
  const imf = /^\w{3}, (\d{2}) (\w{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/.exec(trimmed)
  if (imf) return utc(Number(imf[3]), imf[2]!, imf[1]!, imf.slice(4))
  const rfc850 = /^\w{6,9}, (\d{2})-(\w{3})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT$/.exec(trimmed)
  // Two digits mean this century: no server sends a date of the last one to make us wait.
  if (rfc850) return utc(2000 + Number(rfc850[3]), rfc850[2]!, rfc850[1]!, rfc850.slice(4))
  const asctime = /^\w{3} (\w{3}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/.exec(trimmed)
  if (asctime) return utc(Number(asctime[6]), asctime[1]!, asctime[2]!, asctime.slice(3, 6))
  return undefined
}

function utc(year: number, monthName: string, day: string, time: string[]): number | undefined {
  const month = months.indexOf(monthName)
  const [hours, minutes, seconds] = time.map(Number)
  const ms = Date.UTC(year, month, Number(day), hours, minutes, seconds)
  // Date.UTC rolls 31 February over into March; a leap second rolls over too, and that is right.
  return month < 0 || new Date(ms).getUTCMonth() !== month ? undefined : ms
}

function valuesOf(headers: ResponseHeaders, name: string): readonly string[] {
  const value = headers[name]
  return value === undefined ? [] : typeof value === 'string' ? [value] : value
}

function longest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}
