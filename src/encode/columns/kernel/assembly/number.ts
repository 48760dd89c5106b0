// Numbers as columns hold them. Only what is plain is read here; all else is left to the caller, who has the whole
// rules: number.ts two folders up.

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

/** Reads a number of up to 15 digits whose power of ten is exact: one operation then rounds it rightly, and its digits
 *  survive. */
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
