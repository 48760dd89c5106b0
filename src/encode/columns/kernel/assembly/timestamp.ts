// Date-times as columns hold them. Only what is plain is read here; all else is left to the caller, who has the whole
// rules: timestamp.ts two folders up.

import { timestampsAt } from './memory'

/** The date-time that was read last, and where its string ended. */
export let timestamp: i64 = 0
export let timestampEnd: usize = 0

/** What was read last: whether digits beyond the unit were cut off, one of which was not zero; whether it was no RFC
 *  3339. */
export let isCut: bool = false
export let isReformed: bool = false
/** Whether nothing was read last for digits beyond the unit. */
export let isBeyond: bool = false

/** Whether digits beyond the unit are cut off, and other forms than RFC 3339 are read. */
let cuts: bool = false
let takesForms: bool = false

/** Without it, neither is so. */
export function setTimestampRules(areCut: bool, areFormsTaken: bool): void {
  cuts = areCut
  takesForms = areFormsTaken
}

/** Reads the date-time in the string whose text begins at `at`, as `TimestampReader` does, in units of which a second
 *  has `scale`. The end is that of its string. Of other forms than RFC 3339 it knows a space for the T, and a zone that
 *  is absent or without its colon or minutes. */
export function readTimestamp(at: usize, scale: i64): bool {
  isCut = false
  isReformed = false
  isBeyond = false
  return readUsual(at, scale) || readAny(at, scale)
}

/** Whether a text begins as date-times do. */
export function isDateLike(at: usize): bool {
  return twoDigits(at) <= 99 && load<u8>(at, 4) == 0x2d
}

/** Numbers below it are seconds, others milliseconds. */
const leastMillis: i64 = 100_000_000_000

/** Makes a timestamp of a number that counts seconds or milliseconds since the epoch. False where no column holds
 *  it. */
export function timeOfNumber(value: i64, scale: i64): bool {
  isCut = false
  isReformed = true
  if (!takesForms) return false
  const isMillis = value >= leastMillis || value <= -leastMillis
  const seconds = isMillis ? floorOf(value, 1000) : value
  if (seconds < firstSecond || seconds > lastSecond) return false
  return put(seconds, (value - seconds * (isMillis ? 1000 : 1)) * (isMillis ? scale / 1000 : 0), scale)
}

const firstSecond: i64 = -62135596800
const lastSecond: i64 = 253402300799

/** Takes the sum as the timestamp, if 64 bits hold it. */
// @ts-ignore: decorator
@inline
function put(seconds: i64, fraction: i64, scale: i64): bool {
  if (scale == nanosOfSecond && !holdsNanos(seconds)) return false
  timestamp = seconds * scale + fraction
  return true
}

const nanosOfSecond: i64 = 1_000_000_000

/** Whether all of a second is within 64 bits of nanoseconds. */
// @ts-ignore: decorator
@inline
function holdsNanos(seconds: i64): bool {
  return seconds >= -9223372036 && seconds < 9223372036
}

function floorOf(value: i64, by: i64): i64 {
  const rest = value % by
  return rest < 0 ? (value - rest) / by - 1 : (value - rest) / by
}

// Constants of `readUsual`, which would take four instructions each if they stood in its code.

/** The bytes of 0000-00-00T00:00, and how far above them each may be. */
const zeroAt: usize = timestampsAt
const digitsAt: usize = timestampsAt + 16
/** Where the tens and the ones of its six numbers are: century, year of it, month, day, hour and minute. */
const tensAt: usize = timestampsAt + 32
const onesAt: usize = timestampsAt + 48
/** The least of each number, and how far above it each may be: years 1900 to 9899, days that every month has. */
const leastAt: usize = timestampsAt + 64
const spansAt: usize = timestampsAt + 80
/** What each number counts in the year, in nothing, and in minutes of the day; and each digit of seconds in
 *  milliseconds. */
const numberWeightsAt: usize = timestampsAt + 96
const secondWeightsAt: usize = timestampsAt + 112
/** Days before each month, i16, in a year that begins with March, less one. */
const monthsAt: usize = timestampsAt + 128

/** Call once. */
export function beginTimestamps(): void {
  v128.store(zeroAt, i8x16(48, 48, 48, 48, 45, 48, 48, 45, 48, 48, 84, 48, 48, 58, 48, 48))
  v128.store(digitsAt, i8x16(9, 9, 9, 9, 0, 9, 9, 0, 9, 9, 0, 9, 9, 0, 9, 9))
  v128.store(tensAt, i8x16(0, 2, 5, 8, 11, 14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
  v128.store(onesAt, i8x16(1, 3, 6, 9, 12, 15, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1))
  v128.store(leastAt, i8x16(19, 0, 1, 1, 0, 0, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19))
  v128.store(spansAt, i8x16(79, 99, 11, 27, 23, 59, 79, 79, 79, 79, 79, 79, 79, 79, 79, 79))
  v128.store(numberWeightsAt, i16x8(100, 1, 0, 0, 60, 1, 0, 0))
  v128.store(secondWeightsAt, i16x8(0, 10000, 1000, 0, 100, 10, 1, 0))
  for (let month: u32 = 1; month <= 12; month++) {
    store<i16>(monthsAt + (usize(month) << 1), i16(daysBefore(month) - 1))
  }
}

/** As `readTimestamp`, for usual ones in UTC whose seconds have no fraction or one of three digits. */
function readUsual(at: usize, scale: i64): bool {
  const digits = i8x16.sub(v128.load(at), v128.load(zeroAt))
  const tens = i8x16.swizzle(digits, v128.load(tensAt))
  const twice = i8x16.add(tens, tens)
  const tenfold = i8x16.add(i8x16.shl(twice, 2), twice)
  const numbers = i8x16.add(tenfold, i8x16.swizzle(digits, v128.load(onesAt)))
  const above = i8x16.sub(numbers, v128.load(leastAt))
  if (!isWithin(digits, digitsAt) || !isWithin(above, spansAt)) return false
  // a byte each: what follows the minute, as far as it is above :00.000Z or :00Z"; a byte that is not within its span
  // has its highest bit set in one or other
  const rest = load<u64>(at, 16)
  let seconds = rest - 0x5a3030302e30303a
  if (((seconds | (seconds + 0x7f7676767f767a7f)) & 0x8080808080808080) == 0) {
    if (load<u8>(at, 24) != 0x22) return false
    timestampEnd = at + 25
  } else {
    seconds = (rest & 0xffffffffff) - 0x225a30303a
    if (((seconds | (seconds + 0x7f7f767a7f)) & 0x8080808080) != 0) return false
    timestampEnd = at + 21
  }
  const millis = dotOf(i64x2.splat(seconds), secondWeightsAt)
  const date = dotOf(numbers, numberWeightsAt)
  const year = u32(i64x2.extract_lane(date, 0))
  const minutes = i64x2.extract_lane(date, 1)
  const month = u32(i8x16.extract_lane_u(numbers, 2))
  const day = i32(i8x16.extract_lane_u(numbers, 3))
  const days = daysOfYears(year - u32(month <= 2)) + load<i16>(monthsAt + (usize(month) << 1)) + day
  // nanoseconds have less room than years
  if (scale == nanosOfSecond && (year < 1678 || year > 2261)) return false
  const pairs = i64x2.extract_lane(millis, 0) + i64x2.extract_lane(millis, 1)
  timestamp = (i64(days) * 86400000 + minutes * 60000 + (pairs & 0xffffffff) + (pairs >> 32)) * (scale / 1000)
  return true
}

/** Whether no byte is greater than the one in `spans`. */
// @ts-ignore: decorator
@inline
function isWithin(bytes: v128, spans: usize): bool {
  return i8x16.bitmask(i8x16.eq(i8x16.max_u(bytes, v128.load(spans)), v128.load(spans))) == 0xffff
}

/** The first eight bytes times their weights, summed by pairs. */
// @ts-ignore: decorator
@inline
function dotOf(bytes: v128, weights: usize): v128 {
  return i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(bytes), v128.load(weights))
}

/** Days from the epoch to the first of March of a year up to 9999. */
// @ts-ignore: decorator
@inline
function daysOfYears(year: u32): i32 {
  const centuries = (year * 5243) >> 19
  return i32(365 * year + (year >> 2) - centuries + (centuries >> 2)) - 719468
}

/** Days before a month in a year that begins with March. */
// @ts-ignore: decorator
@inline
function daysBefore(month: u32): u32 {
  return (153 * ((month + 9) % 12) + 2) / 5
}

function readAny(at: usize, scale: i64): bool {
  const century = twoDigits(at)
  const yearOfCentury = twoDigits(at + 2)
  const month = twoDigits(at + 5)
  const day = twoDigits(at + 8)
  const hour = twoDigits(at + 11)
  const minute = twoDigits(at + 14)
  const second = twoDigits(at + 17)
  // what is no digit gives a great number
  if (century > 99 || yearOfCentury > 99 || hour > 23 || minute > 59 || second > 59) return false
  if (load<u8>(at, 4) != 0x2d || load<u8>(at, 7) != 0x2d) return false
  if ((load<u8>(at, 10) | 0x20) != 0x74) {
    if (!takesForms || load<u8>(at, 10) != 0x20) return false
    isReformed = true
  }
  if (load<u8>(at, 13) != 0x3a || load<u8>(at, 16) != 0x3a) return false
  const year = century * 100 + yearOfCentury
  if (year < 1 || month - 1 > 11 || day - 1 >= daysOfMonth(year, month)) return false
  at += 19
  let fraction: i64 = 0
  if (load<u8>(at) == 0x2e) {
    let rest = scale
    const start = ++at
    while (true) {
      const digit = u32(load<u8>(at)) - 0x30
      if (digit > 9) break
      if (rest > 1) {
        rest /= 10
        fraction += i64(digit) * rest
      } else if (digit != 0) {
        isBeyond = !cuts
        if (isBeyond) return false
        isCut = true
      }
      at++
    }
    if (at == start) return false
  }
  let offset: i64 = 0
  const sign = load<u8>(at++)
  if (sign == 0x22 && takesForms) {
    isReformed = true
    at--
  } else if ((sign | 0x20) != 0x7a) {
    if (sign != 0x2b && sign != 0x2d) return false
    const hours = twoDigits(at)
    if (hours > 23) return false
    let minutes: u32 = 0
    at += 2
    if (load<u8>(at) == 0x3a) {
      minutes = twoDigits(at + 1)
      at += 3
    } else {
      if (!takesForms) return false
      isReformed = true
      if (load<u8>(at) != 0x22) {
        minutes = twoDigits(at)
        at += 2
      }
    }
    if (minutes > 59) return false
    offset = i64(hours * 3600 + minutes * 60)
    if (sign == 0x2d) offset = -offset
  }
  if (load<u8>(at) != 0x22) return false
  const seconds = daysSinceEpoch(year, month, day) * 86400 + i64(hour * 3600 + minute * 60 + second) - offset
  if (seconds < firstSecond || seconds > lastSecond) return false
  timestampEnd = at + 1
  return put(seconds, fraction, scale)
}

// @ts-ignore: decorator
@inline
function twoDigits(at: usize): u32 {
  const tens = u32(load<u8>(at)) - 0x30
  const ones = u32(load<u8>(at, 1)) - 0x30
  return tens > 9 || ones > 9 ? 1000 : tens * 10 + ones
}

// @ts-ignore: decorator
@inline
function daysOfMonth(year: u32, month: u32): u32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
  return 30 + ((month ^ (month >> 3)) & 1)
}

// @ts-ignore: decorator
@inline
function daysSinceEpoch(year: u32, month: u32, day: u32): i64 {
  return i64(daysOfYears(year - u32(month <= 2)) + i32(daysBefore(month) + day - 1))
}
