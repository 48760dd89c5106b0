// JSON objects and arrays, 32 bytes at a time: which bytes are inside strings, which brackets are not, and where the
// outermost one closes. Branches depend on escapes and on the end only.

import { maskOf, skipEscape } from './text'

/** One past the object or array that begins at `at`; 0 where a string or key in it has a lone surrogate escape. Up to
 *  31 bytes after it are read. */
export function skipContainer(at: usize): usize {
  beginContainer()
  while (true) {
    const low = v128.load(at)
    const high = v128.load(at, 16)
    const length = endIn(at, low, high, byteMask(low, high, 0x22))
    if (length != 0) return length > 0 ? at + usize(length) : 0
    at += 32
  }
}

/** Open containers before the next 32 bytes. */
let depth: i32 = 0
/** All bits where the byte before them is inside a string. */
let carried: u32 = 0
/** Bytes that a backslash before them escapes, and whether the next byte is one. */
let escaped: u32 = 0
let escapedNext: u32 = 0
/** One past the escape that was read last. */
let escapeEnd: usize = 0

/** Before the first `endIn` of an object or array. */
// @ts-ignore: decorator
@inline
export function beginContainer(): void {
  depth = 0
  carried = 0
  escapedNext = 0
  escapeEnd = 0
}

/** Those of 32 bytes that are `byte`. */
// @ts-ignore: decorator
@inline
export function byteMask(low: v128, high: v128, byte: u8): u32 {
  const bytes = i8x16.splat(byte)
  return maskOf(i8x16.eq(low, bytes), i8x16.eq(high, bytes))
}

/** Takes the next 32 bytes, which are at `at` and of which `quotes` are ". @returns how many of them belong to the
 *  object or array where they have its end; 0 where they do not; -1 where there is a lone surrogate escape */
// @ts-ignore: decorator
@inline
export function endIn(at: usize, low: v128, high: v128, quotes: u32): i32 {
  const backslashes = byteMask(low, high, 0x5c)
  if ((backslashes | escapedNext) != 0) {
    if (!readEscapes(at, backslashes)) return -1
    quotes &= ~escaped
  }
  // inside strings, opening quotes included: each bit is the parity of the quotes up to it
  let inside = quotes ^ (quotes << 1)
  inside ^= inside << 2
  inside ^= inside << 4
  inside ^= inside << 8
  inside ^= inside << 16
  inside ^= carried
  carried = u32(i32(inside) >> 31)
  // [ and {, ] and } differ in the bit of a space only
  const spaces = i8x16.splat(0x20)
  const lowFolded = v128.or(low, spaces)
  const highFolded = v128.or(high, spaces)
  const opened = byteMask(lowFolded, highFolded, 0x7b) & ~inside
  const closed = byteMask(lowFolded, highFolded, 0x7d) & ~inside
  if (depth <= i32(popcnt(closed))) {
    const length = lengthTo(opened, closed)
    if (length != 0) return length
  }
  depth += i32(popcnt(opened)) - i32(popcnt(closed))
  return 0
}

/** Finds which of 32 bytes are escaped by `backslashes`. False where there is a lone surrogate. */
function readEscapes(from: usize, backslashes: u32): bool {
  escaped = escapedNext
  backslashes &= ~escaped
  escapedNext = 0
  while (backslashes != 0) {
    const at = ctz(backslashes)
    // the second half of a surrogate pair was read with the first
    if (from + usize(at) >= escapeEnd) {
      escapeEnd = skipEscape(from + usize(at))
      if (escapeEnd == 0) return false
    }
    escaped |= 2 << at
    escapedNext = u32(at == 31)
    backslashes &= ~(3 << at)
  }
  return true
}

/** Number of bytes up to the bracket that closes the outermost container; 0 where none does. */
function lengthTo(opened: u32, closed: u32): i32 {
  let open = depth
  let both = opened | closed
  while (both != 0) {
    const at = i32(ctz(both))
    open += ((opened >> at) & 1) != 0 ? 1 : -1
    if (open == 0) return at + 1
    both &= both - 1
  }
  return 0
}
