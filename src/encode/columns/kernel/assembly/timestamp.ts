// Date-times as columns hold them. Only what is plain is read here; all else is left to the caller, who has the whole rules: timestamp.ts two folders up.

/** The date-time that was read last, and where its string ended. */
export let timestamp: i64 = 0
export let timestampEnd: usize = 0

/** Reads the RFC 3339 date-time in the string whose text begins at `at`, as `parseTimestamp` does, in units of which a second has `scale`. The end is
 *  that of its string. */
export function readTimestamp(at: usize, scale: i64): bool {
  return readUsual(at, scale) || readAny(at, scale)
}

/** As `readTimestamp`, for usual ones in UTC whose seconds have no fraction or one of three digits. */
function readUsual(at: usize, scale: i64): bool {
  const digits = digitsOf(at)
  const numbers = numbersOf(digits)
  if (!isUsual(digits, numbers)) return false
  const secondTens = u32(load<u8>(at, 17)) - 0x30
  const secondOnes = u32(load<u8>(at, 18)) - 0x30
  if (load<u8>(at, 16) != 0x3a || secondTens > 5 || secondOnes > 9) return false
  at += 19
  let thousandths: u32 = 0
  if (load<u8>(at) == 0x2e) {
    const hundreds = u32(load<u8>(at, 1)) - 0x30
    const tens = u32(load<u8>(at, 2)) - 0x30
    const ones = u32(load<u8>(at, 3)) - 0x30
    if (hundreds > 9 || tens > 9 || ones > 9) return false
    thousandths = hundreds * 100 + tens * 10 + ones
    at += 4
  }
  if (load<u16>(at) != 0x225a) return false // Z and the closing quote
  const year = u32(i8x16.extract_lane_u(numbers, 0)) * 100 + u32(i8x16.extract_lane_u(numbers, 1))
  const days = daysSinceEpoch(year, u32(i8x16.extract_lane_u(numbers, 2)), u32(i8x16.extract_lane_u(numbers, 3)))
  const minutes = u32(i8x16.extract_lane_u(numbers, 4)) * 60 + u32(i8x16.extract_lane_u(numbers, 5))
  const seconds = days * 86400 + i64(minutes * 60 + secondTens * 10 + secondOnes)
  timestamp = (seconds * 1000 + i64(thousandths)) * (scale / 1000)
  timestampEnd = at + 2
  return true
}

/** Each of the 16 bytes at `at` as far as it is above that of 0000-00-00T00:00. */
// @ts-ignore: decorator
@inline
function digitsOf(at: usize): v128 {
  return i8x16.sub(v128.load(at), i8x16(48, 48, 48, 48, 45, 48, 48, 45, 48, 48, 84, 48, 48, 58, 48, 48))
}

/** Century, year of it, month, day, hour and minute; the century again where there is nothing more. */
// @ts-ignore: decorator
@inline
function numbersOf(digits: v128): v128 {
  const tens = i8x16.shuffle(digits, digits, 0, 2, 5, 8, 11, 14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
  const ones = i8x16.shuffle(digits, digits, 1, 3, 6, 9, 12, 15, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
  const twice = i8x16.add(tens, tens)
  const fourfold = i8x16.add(twice, twice)
  const eightfold = i8x16.add(fourfold, fourfold)
  return i8x16.add(i8x16.add(twice, eightfold), ones)
}

/** Whether what they come from is a date and time of the years 1900 to 9899 with a day that every month has, as far as the minute. */
// @ts-ignore: decorator
@inline
function isUsual(digits: v128, numbers: v128): bool {
  const strange = i8x16.gt_u(digits, i8x16(9, 9, 9, 9, 0, 9, 9, 0, 9, 9, 0, 9, 9, 0, 9, 9))
  const above = i8x16.sub(numbers, i8x16(19, 0, 1, 1, 0, 0, 19, 19, 19, 19, 19, 19, 19, 19, 19, 19))
  const most = i8x16(79, 99, 11, 27, 23, 59, 79, 79, 79, 79, 79, 79, 79, 79, 79, 79)
  return !v128.any_true(v128.or(strange, i8x16.gt_u(above, most)))
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
  if (load<u8>(at, 4) != 0x2d || load<u8>(at, 7) != 0x2d || (load<u8>(at, 10) | 0x20) != 0x74) return false
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
      } else if (digit != 0) return false
      at++
    }
    if (at == start) return false
  }
  let offset: i64 = 0
  const sign = load<u8>(at++)
  if ((sign | 0x20) != 0x7a) {
    if (sign != 0x2b && sign != 0x2d) return false
    const hours = twoDigits(at)
    const minutes = twoDigits(at + 3)
    if (hours > 23 || minutes > 59 || load<u8>(at, 2) != 0x3a) return false
    offset = i64(hours * 3600 + minutes * 60)
    if (sign == 0x2d) offset = -offset
    at += 5
  }
  if (load<u8>(at) != 0x22) return false
  const seconds = daysSinceEpoch(year, month, day) * 86400 + i64(hour * 3600 + minute * 60 + second) - offset
  if (seconds < -62135596800 || seconds > 253402300799) return false
  timestamp = seconds * scale + fraction
  timestampEnd = at + 1
  return true
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
  const y = month <= 2 ? year - 1 : year
  const dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
  return i64(365 * y + y / 4 - y / 100 + y / 400 + dayOfYear) - 719468
}
