// How long a server asks us to wait, read from the headers that Truto documents. Pure: the wall clock comes as a number, and only where the
// answer carries no Date of its own.

import { second } from '../bytes/units.js'

/** Response headers by lowercase name; a header that came several times is an array. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * The wait asked for in ms, at least 0; undefined where none is asked for in a form we can read, so that the caller backs off by itself.
 *
 * `Retry-After` stands before `ratelimit-reset` (the order that Truto's documentation gives). `Retry-After` is whole seconds or an HTTP-date
 * (RFC 9110 §10.2.3); a date counts from the answer's own `Date`, so that a wrong clock on either side does no harm, and one that has passed is 0.
 * `ratelimit-reset` is seconds until the reset (Truto, "rate limits"); what would be decades is the point in time that other APIs put there. Of several
 * values the longest counts.
 */
export function retryAfterMs(headers: ResponseHeaders, wallNowMs: number): number | undefined {
  const serverNowMs = serverNowOf(headers, wallNowMs)
  const retryAfter = valuesOf(headers, 'retry-after').map((text) => parseRetryAfter(text, serverNowMs))
  return longest(retryAfter) ?? resetMs(headers, serverNowMs)
}

/**
 * The wait in ms before the next request that an answer tells of which is good itself: `ratelimit-remaining` is 0, and the limit's window ends at
 * `ratelimit-reset` or, where that is missing, is over after the `w` of `ratelimit-limit` at the latest. Undefined where requests remain, or nothing is said.
 */
export function usedUpMs(headers: ResponseHeaders, wallNowMs: number): number | undefined {
  const remaining = valuesOf(headers, 'ratelimit-remaining').flatMap((text) => text.split(',').map(parseCount))
  if (!remaining.some((count) => count !== undefined && count <= 0)) return undefined
  const windows = valuesOf(headers, 'ratelimit-limit').flatMap((text) => [...text.matchAll(/;\s*w=(\d+)/gi)])
  return resetMs(headers, serverNowOf(headers, wallNowMs)) ?? longest(windows.map(([, value]) => parseSeconds(value!)))
}

function serverNowOf(headers: ResponseHeaders, wallNowMs: number): number {
  return longest(valuesOf(headers, 'date').map(parseHttpDate)) ?? wallNowMs
}

function resetMs(headers: ResponseHeaders, serverNowMs: number): number | undefined {
  return longest(valuesOf(headers, 'ratelimit-reset').flatMap((text) => parseReset(text, serverNowMs)))
}

function parseRetryAfter(text: string, serverNowMs: number): number | undefined {
  const delta = parseSeconds(text)
  if (delta !== undefined) return delta
  const date = parseHttpDate(text)
  if (date !== undefined) return Math.max(0, date - serverNowMs)
  // Two fields that something on the way has folded into one, as RFC 9110 §5.3 lets it. The comma of a date has its day behind it.
  const parts = text.split(/,(?! *\d\d[ -])/)
  const waits = parts.map((part) => (parts.length > 1 ? parseRetryAfter(part, serverNowMs) : undefined))
  return waits.includes(undefined) ? undefined : longest(waits)
}

/** `10`, `10;w=60`, `10, 60`: parameters after a semicolon describe the window and are no wait. */
function parseReset(text: string, serverNowMs: number): (number | undefined)[] {
  return text.split(',').map((value) => {
    const ms = parseSeconds(value.split(';', 1)[0]!)
    return ms === undefined || ms < earliestEpochMs ? ms : Math.max(0, ms - serverNowMs)
  })
}

/** 1e9 seconds: nobody asks for a wait of 31 years, and as a point in time it is September 2001. */
const earliestEpochMs = 1e12

function parseCount(text: string): number | undefined {
  const value = text.split(';', 1)[0]!.trim()
  return /^-?\d{1,15}$/.test(value) ? Number(value) : undefined
}

function parseSeconds(text: string): number | undefined {
  const trimmed = text.trim()
  // Seconds with a fraction are not in the RFC, but their meaning is plain.
  return /^\d{1,12}(?:\.\d{1,9})?$/.test(trimmed) ? Math.ceil(Number(trimmed) * second) : undefined
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** The three forms of RFC 9110 §5.6.7, in ms since 1970. Stricter than Date.parse, which reads `-5` and `12 apples` as dates. */
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
