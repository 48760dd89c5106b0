// RFC 3339 date-times in bytes, as the integers that timestamp columns hold. Nothing is guessed and nothing is rounded: a text is one exact
// instant, or it is no timestamp.

/** What one step of a timestamp column is. */
export type TimestampUnit = 'micros' | 'millis'

const zero = 0x30
const dash = 0x2d
const colon = 0x3a

/** First and last second of the years 0001 to 9999 in UTC: what Python, Java and SQL engines can all show. */
const firstSecond = -62135596800
const lastSecond = 253402300799

/**
 * The instant of `bytes[start..end)` since 1970-01-01T00:00:00Z in `unit`, or undefined where the text is no date-time of RFC 3339 §5.6 (its
 * grammar has `T`, no space), where its instant lies outside the years 0001 to 9999 in UTC, where its second is a leap second (no column can
 * hold one), or where a digit beyond the unit is not zero.
 */
export function parseTimestamp(bytes: Uint8Array, start: number, end: number, unit: TimestampUnit): bigint | undefined {
  const seconds = parseSeconds(bytes, start, end)
  if (seconds === undefined) return undefined
  const digits = unit === 'micros' ? 6 : 3
  let fraction = 0
  let seen = 0
  if (bytes[start + 19] === 0x2e) {
    for (let at = start + 20; isDigit(bytes[at]!); at++) {
      const digit = bytes[at]! - zero
      if (seen < digits) {
        fraction = fraction * 10 + digit
        seen++
      } else if (digit !== 0) return undefined
    }
  }
  for (; seen < digits; seen++) fraction *= 10
  const scale = unit === 'micros' ? 1e6 : 1e3
  const instant = seconds * scale + fraction
  // a double holds the microseconds of the years 1684 to 2255; beyond them it takes a BigInt to be exact
  return Number.isSafeInteger(instant) ? BigInt(instant) : BigInt(seconds) * BigInt(scale) + BigInt(fraction)
}

/** Whether `bytes[start..end)` is a date-time by the rules of `parseTimestamp`, with any number of fractional digits. */
export function isTimestamp(bytes: Uint8Array, start: number, end: number): boolean {
  return parseSeconds(bytes, start, end) !== undefined
}

/** Whole seconds since the epoch, rounded down, or undefined. */
function parseSeconds(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end - start < 20) return undefined // 2024-02-29T12:34:56Z
  const century = twoDigits(bytes, start)
  const yearOfCentury = twoDigits(bytes, start + 2)
  const month = twoDigits(bytes, start + 5)
  const day = twoDigits(bytes, start + 8)
  const hour = twoDigits(bytes, start + 11)
  const minute = twoDigits(bytes, start + 14)
  const second = twoDigits(bytes, start + 17)
  if (century < 0 || yearOfCentury < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59) return undefined
  if (second < 0 || second > 59) return undefined
  if (bytes[start + 4] !== dash || bytes[start + 7] !== dash) return undefined
  if ((bytes[start + 10]! | 0x20) !== 0x74) return undefined // T or t
  if (bytes[start + 13] !== colon || bytes[start + 16] !== colon) return undefined
  const year = century * 100 + yearOfCentury
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysOfMonth(year, month)) return undefined

  let at = start + 19
  if (bytes[at] === 0x2e) {
    const first = ++at
    while (at < end && isDigit(bytes[at]!)) at++
    if (at === first) return undefined
  }
  const offset = parseOffset(bytes, at, end)
  if (offset === undefined) return undefined
  const seconds = daysSinceEpoch(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset
  return seconds >= firstSecond && seconds <= lastSecond ? seconds : undefined
}

/** `Z`, `+hh:mm` or `-hh:mm` up to `end`, in seconds east of UTC. */
function parseOffset(bytes: Uint8Array, at: number, end: number): number | undefined {
  const sign = bytes[at]!
  if ((sign | 0x20) === 0x7a) return at + 1 === end ? 0 : undefined
  if ((sign !== 0x2b && sign !== dash) || at + 6 !== end || bytes[at + 3] !== colon) return undefined
  const hours = twoDigits(bytes, at + 1)
  const minutes = twoDigits(bytes, at + 4)
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return undefined
  const seconds = hours * 3600 + minutes * 60
  return sign === dash ? -seconds : seconds
}

function isDigit(byte: number): boolean {
  return byte >= zero && byte <= 0x39
}

/** The number that two digits write, or -1. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]!
  const ones = bytes[at + 1]!
  return isDigit(tens) && isDigit(ones) ? (tens - zero) * 10 + ones - zero : -1
}

function daysOfMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Days from 1970-01-01 in the proleptic Gregorian calendar. A year begins in March here, so that the leap day is its last. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  return 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - 719468
}
