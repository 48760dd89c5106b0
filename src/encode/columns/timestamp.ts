// Date-times in bytes, as the integers that timestamp columns hold. A text is one exact instant, or it is no timestamp;
// digits that a unit has no room for are cut off, never rounded, and only where that is asked for.

export const timestampUnits = ['micros', 'millis', 'nanos'] as const
/** What one step of a timestamp column is. */
export type TimestampUnit = (typeof timestampUnits)[number]

export const timestampExcesses = ['truncate', 'extra'] as const
/** What becomes of digits beyond the unit, where one of them is not zero: they are cut off, or the value is none of the
 *  column. */
export type TimestampExcess = (typeof timestampExcesses)[number]

export const timestampForms = ['any', 'rfc3339'] as const
/** What is read as a date-time: RFC 3339 alone, or also the other forms of `rfc3339Of`. */
export type TimestampForms = (typeof timestampForms)[number]

const zero = 0x30
const dash = 0x2d
const colon = 0x3a

/** First and last second of the years 0001 to 9999 in UTC: what Python, Java and SQL engines can all show. */
const firstSecond = -62135596800
const lastSecond = 253402300799
/** First and last second that are whole within 64 bits of nanoseconds. */
const firstNanosSecond = -9223372036
const lastNanosSecond = 9223372035

/** Decimal digits of a second in each unit. */
const unitDigits = { millis: 3, micros: 6, nanos: 9 } as const satisfies Record<TimestampUnit, number>

export interface TimestampRules {
  /** `text` keeps a date-time as RFC 3339 text with all its digits. */
  readonly unit: TimestampUnit | 'text'
  readonly excess: TimestampExcess
  readonly forms: TimestampForms
}

/** Reads the values of timestamp columns, and counts those that are not what they were. */
export class TimestampReader {
  readonly #rules: TimestampRules
  /** Values whose digits beyond the unit were cut off, one of which was not zero. */
  truncated = 0
  /** Values in another form than RFC 3339. */
  reformed = 0

  constructor(rules: TimestampRules) {
    this.#rules = rules
  }

  /** The instant in the text of a JSON string, without its quotes and escapes, or of a JSON number: since
   *  1970-01-01T00:00:00Z in the unit, or as text. Undefined where there is none that the column can hold. The text is
   *  as the server wrote it where it is RFC 3339. */
  read(bytes: Buffer, isString: boolean): bigint | string | undefined {
    if (isString && isTimestamp(bytes, 0, bytes.length)) return this.#exact(bytes)
    if (this.#rules.forms === 'rfc3339') return undefined
    const text = isString ? rfc3339Of(bytes) : rfc3339OfEpoch(bytes)
    if (text === undefined) return undefined
    const other = Buffer.from(text, 'latin1')
    const value = isTimestamp(other, 0, other.length) ? this.#exact(other) : undefined
    if (value !== undefined) this.reformed++
    return value
  }

  /** @param bytes one that `isTimestamp` */
  #exact(bytes: Buffer): bigint | string | undefined {
    const { unit, excess } = this.#rules
    if (unit === 'text') return bytes.toString('latin1')
    const value = parseTimestamp(bytes, 0, bytes.length, unit)
    if (value !== undefined || excess === 'extra') return value
    const cut = parseTimestamp(bytes, 0, bytes.length, unit, true)
    if (cut !== undefined) this.truncated++
    return cut
  }
}

/** A form that people and databases write: a space for the T, and a zone that is `UTC`, has no colon or no minutes, or
 *  is absent, which is UTC. */
const otherForm = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d(?:\.\d+)?)(?: ?(?:(Z|z|UTC)|([+-]\d\d)(?::?(\d\d))?))?$/

/** RFC 3339 text of `bytes` where they are a date-time in another form. Whether it is one that there is (a 30th of
 *  February) is not asked. */
export function rfc3339Of(bytes: Buffer): string | undefined {
  // the longest has a fraction, whose digits nobody counts: but a text of megabytes is no date
  if (bytes.length > longestForm) return undefined
  const [, date, time, zone, hours, minutes = '00'] = otherForm.exec(bytes.toString('latin1')) ?? []
  if (date === undefined) return undefined
  return `${date}T${time}${zone === undefined && hours !== undefined ? `${hours}:${minutes}` : 'Z'}`
}

const longestForm = 100
/** Numbers below it are seconds, others milliseconds: as seconds it is the year 5138, as milliseconds March of 1973. */
const leastMillis = 1e11
const epochForm = /^-?(\d+)(?:\.(\d+))?$/

/** RFC 3339 text of a JSON number that counts seconds or milliseconds since the epoch, with all its digits. Numbers
 *  with an exponent are none. */
export function rfc3339OfEpoch(bytes: Buffer): string | undefined {
  if (bytes.length > longestForm) return undefined
  const [text, whole, decimals = ''] = epochForm.exec(bytes.toString('latin1')) ?? []
  if (text === undefined || whole === undefined || whole.length > 15) return undefined
  const isMillis = Number(whole) >= leastMillis
  // from here on in units so small that the number is whole
  const scale = 10n ** BigInt(decimals.length + (isMillis ? 3 : 0))
  const units = BigInt(`${text.startsWith('-') ? '-' : ''}${whole}${decimals}`)
  const rest = ((units % scale) + scale) % scale
  const date = new Date(Number((units - rest) / scale) * 1000)
  const year = date.getUTCFullYear()
  if (Number.isNaN(year) || year < 1 || year > 9999) return undefined
  const fraction = scale === 1n ? '' : `.${rest.toString().padStart(scale.toString().length - 1, '0')}`
  return `${date.toISOString().slice(0, 19)}${fraction}Z`
}

/**
 * The instant of `bytes[start..end)` since 1970-01-01T00:00:00Z in `unit`, or undefined where the text is no date-time
 * of RFC 3339 §5.6 (its grammar has `T`, no space), where its instant lies outside the years 0001 to 9999 in UTC, or
 * for nanoseconds outside of the seconds that 64 bits hold (1677 to 2262), where its second is a leap second (no column
 * can hold one), or where a digit beyond the unit is not zero.
 * @param cuts whether such a digit is cut off instead
 */
export function parseTimestamp(
  bytes: Uint8Array,
  start: number,
  end: number,
  unit: TimestampUnit,
  cuts = false,
): bigint | undefined {
  const seconds = parseSeconds(bytes, start, end)
  if (seconds === undefined || (unit === 'nanos' && (seconds < firstNanosSecond || seconds > lastNanosSecond)))
    return undefined
  const digits = unitDigits[unit]
  let fraction = 0
  let seen = 0
  if (bytes[start + 19] === 0x2e) {
    for (let at = start + 20; isDigit(bytes[at]!); at++) {
      const digit = bytes[at]! - zero
      if (seen < digits) {
        fraction = fraction * 10 + digit
        seen++
      } else if (digit !== 0 && !cuts) return undefined
    }
  }
  for (; seen < digits; seen++) fraction *= 10
  const scale = 10 ** digits
  const instant = seconds * scale + fraction
  // a double holds the microseconds of the years 1684 to 2255; beyond them it takes a BigInt to be exact
  if (Number.isSafeInteger(instant)) return BigInt(instant)
  return BigInt(seconds) * BigInt(scale) + BigInt(fraction)
}

/** Whether `bytes[start..end)` is a date-time by the rules of `parseTimestamp`, with any number of fractional
 *  digits. */
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

/** Days from 1970-01-01 in the proleptic Gregorian calendar. A year begins in March here, so that the leap day is its
 *  last. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  return 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - 719468
}
