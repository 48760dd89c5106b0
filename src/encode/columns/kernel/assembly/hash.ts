// Hashes of texts and of numbers as bytes, for tables in memory.

import { masksAt } from './memory'

/** Call once. */
export function beginHashes(): void {
  v128.store(masksAt, i8x16.splat(-1))
  v128.store(masksAt, i8x16.splat(0), 16)
}

/** All bits of the first `length` bytes of 16. */
// @ts-ignore: decorator
@inline
export function firstBytes(length: u32): v128 {
  return v128.load(masksAt + 16 - usize(length))
}

// The highest bits of a hash are its best ones.

/** Up to 16 bytes after the value are read. */
// @ts-ignore: decorator
@inline
export function hashOf(at: usize, length: u32): u32 {
  return length <= 16 ? hashOfShort(at, length) : hashOfLong(at, length)
}

/** Of up to 16 bytes. */
// @ts-ignore: decorator
@inline
export function hashOfShort(at: usize, length: u32): u32 {
  return lastOf(mix(seedOf(length), v128.and(v128.load(at), firstBytes(length))))
}

/** Of at least 16 bytes. */
export function hashOfLong(at: usize, length: u32): u32 {
  let hash = seedOf(length)
  const last = at + usize(length) - 16
  for (; at < last; at += 16) hash = mix(hash, v128.load(at))
  return lastOf(mix(hash, v128.load(last)))
}

// @ts-ignore: decorator
@inline
function seedOf(length: u32): u64 {
  return u64(length) * 0x9e3779b97f4a7c15
}

// @ts-ignore: decorator
@inline
function mix(hash: u64, bytes: v128): u64 {
  const low = (i64x2.extract_lane(bytes, 0) ^ hash) * 0x9fb21c651e98df25
  const high = i64x2.extract_lane(bytes, 1) * 0xd6e8feb86659fd93
  return low ^ rotr(high, 29) ^ (low >> 29)
}

/** Without it texts that differ in two places alone may have one hash. */
// @ts-ignore: decorator
@inline
function lastOf(hash: u64): u32 {
  return u32((hash * 0xd6e8feb86659fd93) >> 32)
}
