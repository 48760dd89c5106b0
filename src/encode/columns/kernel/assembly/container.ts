// JSON objects and arrays, 32 bytes at a time: which bytes are inside strings, which brackets are not, and where the outermost one closes. Branches depend on
// escapes and on the end only.

import { maskOf, skipEscape } from './text'

/** One past the object or array that begins at `at`; 0 where a string or key in it has a lone surrogate escape. Up to 31 bytes behind it are read. */
export function skipContainer(at: usize): usize {
  const ends = i8x16.splat(0x22)
  const backslashes = i8x16.splat(0x5c)
  const spaces = i8x16.splat(0x20)
  const opens = i8x16.splat(0x7b)
  const closes = i8x16.splat(0x7d)
  let depth: i32 = 0
  let carried: u32 = 0
  beginEscapes()
  while (true) {
    const low = v128.load(at)
    const high = v128.load(at, 16)
    let strings = maskOf(i8x16.eq(low, ends), i8x16.eq(high, ends))
    const lowEscapes = i8x16.eq(low, backslashes)
    const highEscapes = i8x16.eq(high, backslashes)
    if (v128.any_true(v128.or(lowEscapes, highEscapes)) || escapedNext != 0) {
      if (!readEscapes(at, maskOf(lowEscapes, highEscapes))) return 0
      strings &= ~escaped
    }
    const inside = insideOf(strings, carried)
    carried = u32(i32(inside) >> 31)
    // [ and {, ] and } differ in the bit of a space only
    const lowFolded = v128.or(low, spaces)
    const highFolded = v128.or(high, spaces)
    const opened = maskOf(i8x16.eq(lowFolded, opens), i8x16.eq(highFolded, opens)) & ~inside
    const closed = maskOf(i8x16.eq(lowFolded, closes), i8x16.eq(highFolded, closes)) & ~inside
    if (depth <= i32(popcnt(closed))) {
      const length = endIn(opened, closed, depth)
      if (length != 0) return at + usize(length)
    }
    depth += i32(popcnt(opened)) - i32(popcnt(closed))
    at += 32
  }
}

/** Bytes inside strings, opening quotes included: each bit is the parity of the quotes up to it. @param carried all bits where the byte before is inside */
// @ts-ignore: decorator
@inline
export function insideOf(quotes: u32, carried: u32): u32 {
  let inside = quotes ^ (quotes << 1)
  inside ^= inside << 2
  inside ^= inside << 4
  inside ^= inside << 8
  inside ^= inside << 16
  return inside ^ carried
}

/** Bytes that a backslash before them escapes, and whether the next byte is one. */
export let escaped: u32 = 0
export let escapedNext: u32 = 0
/** One past the escape that was read last. */
let escapeEnd: usize = 0

/** Before the first `readEscapes` of a container. */
// @ts-ignore: decorator
@inline
export function beginEscapes(): void {
  escapedNext = 0
  escapeEnd = 0
}

/** Finds which of 32 bytes are escaped by `backslashes`. False where there is a lone surrogate. */
export function readEscapes(from: usize, backslashes: u32): bool {
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

/** Number of bytes up to the bracket that brings `depth` to 0; 0 where none does. */
export function endIn(opened: u32, closed: u32, depth: i32): u32 {
  let both = opened | closed
  while (both != 0) {
    const at = ctz(both)
    depth += ((opened >> at) & 1) != 0 ? 1 : -1
    if (depth == 0) return at + 1
    both &= both - 1
  }
  return 0
}
