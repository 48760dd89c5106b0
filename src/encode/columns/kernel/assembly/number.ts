// Numbers and date-times as columns hold them. Only what is plain is read here; all else is left to the caller, who has the whole rules: number.ts and
// timestamp.ts two folders up.

import { powersAt } from './memory'

/** Where the number ended that was read last. */
export let numberEnd: usize = 0
export let int64Value: i64 = 0
export let doubleValue: f64 = 0

/** Call once. */
export function beginNumbers(): void {
  let power: f64 = 1
  for (let i: usize = 0; i <= 22; i++) {
    store<f64>(powersAt + (i << 3), power)
    power *= 10
  }
}

// @ts-ignore: decorator
@inline
function endsNumber(byte: u8): bool {
  return byte <= 0x20 || byte == 0x2c || (byte | 0x20) == 0x7d
}

/** Reads a whole number of up to 18 digits. */
export function readInt64(at: usize): bool {
  const isNegative = load<u8>(at) == 0x2d
  if (isNegative) at++
  const start = at
  let value: i64 = 0
  while (true) {
    const digit = u32(load<u8>(at)) - 0x30
    if (digit > 9) break
    value = value * 10 + i64(digit)
    at++
  }
  if (at == start || at - start > 18 || !endsNumber(load<u8>(at))) return false
  int64Value = isNegative ? -value : value
  numberEnd = at
  return true
}

/** Reads a number of up to 15 digits whose power of ten is exact: one operation then rounds it rightly, and its digits survive. */
export function readDouble(at: usize): bool {
  const isNegative = load<u8>(at) == 0x2d
  if (isNegative) at++
  let mantissa: i64 = 0
  let digits: u32 = 0
  let exponent: i32 = 0
  let byte = load<u8>(at)
  if (u32(byte) - 0x30 > 9) return false
  while (u32(byte) - 0x30 <= 9) {
    mantissa = mantissa * 10 + i64(byte - 0x30)
    if (mantissa != 0) digits++
    byte = load<u8>(++at)
  }
  if (byte == 0x2e) {
    byte = load<u8>(++at)
    while (u32(byte) - 0x30 <= 9) {
      mantissa = mantissa * 10 + i64(byte - 0x30)
      if (mantissa != 0) digits++
      exponent--
      byte = load<u8>(++at)
    }
  }
  if (digits > 15 || exponent < -22) return false
  if ((byte | 0x20) == 0x65) {
    byte = load<u8>(++at)
    const isSmall = byte == 0x2d
    if (isSmall || byte == 0x2b) byte = load<u8>(++at)
    let power: i32 = 0
    while (u32(byte) - 0x30 <= 9) {
      if (power < 10000) power = power * 10 + i32(byte - 0x30)
      byte = load<u8>(++at)
    }
    exponent += isSmall ? -power : power
    if (exponent < -22 || exponent > 22) return false
  }
  const magnitude = f64(mantissa)
  const value =
    exponent < 0
      ? magnitude / load<f64>(powersAt + (usize(-exponent) << 3))
      : magnitude * load<f64>(powersAt + (usize(exponent) << 3))
  doubleValue = isNegative ? -value : value
  numberEnd = at
  return true
}

/** Reads the RFC 3339 date-time in the string whose text begins at `at`, as `parseTimestamp` does, in units of which a second has `scale`. The end is
 *  that of its string. */
export function readTimestamp(at: usize, scale: i64): bool {
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
  int64Value = seconds * scale + fraction
  numberEnd = at + 1
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
