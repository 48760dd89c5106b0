// Text with every quote doubled, 8 bytes at a time: which of them are quotes is the number of a shuffle that writes those twice. No branch depends on the
// text.

import { skipEscape } from '../../../columns/kernel/assembly/text'

/** Shuffles for the lower and for the upper 8 of 16 bytes: 16 bytes for each set of quotes among them. */
let lowShuffles: usize = 0
let highShuffles: usize = 0

export const shufflesBytes: usize = 8192

/** @param room for `shufflesBytes` */
export function beginDoubled(room: usize): void {
  lowShuffles = room
  highShuffles = room + 4096
  for (let quotes: u32 = 0; quotes < 256; quotes++) {
    let at = lowShuffles + (usize(quotes) << 4)
    for (let i: u32 = 0; i < 8; i++) {
      for (let copies = 1 + ((quotes >> i) & 1); copies > 0; copies--) {
        store<u8>(at, u8(i))
        store<u8>(at + 4096, u8(i + 8))
        at++
      }
    }
  }
}

/** Copies [from, end) to `to`, each `quote` twice, and returns one past it there. Up to 15 bytes behind `end` are read, and 31 behind the copy are written
 *  over. */
export function copyDoubled(from: usize, end: usize, to: usize, quote: u8): usize {
  const quotes = i8x16.splat(quote)
  while (true) {
    const bytes = v128.load(from)
    const found = u32(i8x16.bitmask(i8x16.eq(bytes, quotes)))
    const left = end - from
    if (left <= 16) {
      const here = found & ((1 << u32(left)) - 1)
      doubleSixteen(bytes, here, to)
      return to + left + usize(popcnt(here))
    }
    if (found == 0) v128.store(to, bytes)
    else doubleSixteen(bytes, found, to)
    to += 16 + usize(popcnt(found))
    from += 16
  }
}

/** Where the copy ended that `copyContainer` made last. */
export let copyEnd: usize = 0

/** Copies the JSON object or array at `from` as `copyDoubled` does. Which bytes are inside strings is computed 16 at a time: each bit of `inside` is the parity
 *  of the quotes up to it. @returns one past it; 0 where a string or key in it has a lone surrogate escape */
export function copyContainer(from: usize, to: usize, quote: u8): usize {
  const ends = i8x16.splat(0x22)
  const backslashes = i8x16.splat(0x5c)
  const spaces = i8x16.splat(0x20)
  const opens = i8x16.splat(0x7b)
  const closes = i8x16.splat(0x7d)
  const quotes = i8x16.splat(quote)
  let depth: i32 = 0
  /** All bits where the byte before is inside a string. */
  let carried: u32 = 0
  let isEscaped: u32 = 0
  /** One past the escape that was read last. */
  let read: usize = 0
  while (true) {
    const bytes = v128.load(from)
    let strings = u32(i8x16.bitmask(i8x16.eq(bytes, ends)))
    let escapes = u32(i8x16.bitmask(i8x16.eq(bytes, backslashes)))
    if ((escapes | isEscaped) != 0) {
      strings &= ~isEscaped
      escapes &= ~isEscaped
      isEscaped = 0
      while (escapes != 0) {
        const at = ctz(escapes)
        if (from + usize(at) >= read) {
          read = skipEscape(from + usize(at))
          if (read == 0) return 0
        }
        strings &= ~(2 << at)
        escapes &= ~(3 << at)
        isEscaped = u32(at == 15)
      }
    }
    let inside = strings ^ (strings << 1)
    inside ^= inside << 2
    inside ^= inside << 4
    inside ^= inside << 8
    inside ^= carried
    carried = 0 - ((inside >> 15) & 1)
    // [ and {, ] and } differ in the bit of a space only
    const folded = v128.or(bytes, spaces)
    const opened = u32(i8x16.bitmask(i8x16.eq(folded, opens))) & ~inside
    const closed = u32(i8x16.bitmask(i8x16.eq(folded, closes))) & ~inside
    const doubled = u32(i8x16.bitmask(i8x16.eq(bytes, quotes)))
    if (depth <= i32(popcnt(closed))) {
      const length = endIn(opened, closed, depth)
      if (length != 0) {
        const here = doubled & ((1 << length) - 1)
        doubleSixteen(bytes, here, to)
        copyEnd = to + usize(length + popcnt(here))
        return from + usize(length)
      }
    }
    depth += i32(popcnt(opened)) - i32(popcnt(closed))
    doubleSixteen(bytes, doubled, to)
    to += 16 + usize(popcnt(doubled))
    from += 16
  }
}

/** Number of bytes up to the bracket that brings `depth` to 0; 0 where none does. */
function endIn(opened: u32, closed: u32, depth: i32): u32 {
  let both = opened | closed
  while (both != 0) {
    const at = ctz(both)
    depth += ((opened >> at) & 1) != 0 ? 1 : -1
    if (depth == 0) return at + 1
    both &= both - 1
  }
  return 0
}

// @ts-ignore: decorator
@inline
function doubleSixteen(bytes: v128, quotes: u32, to: usize): void {
  const low = quotes & 0xff
  v128.store(to, i8x16.swizzle(bytes, v128.load(lowShuffles + (usize(low) << 4))))
  const high = to + 8 + usize(popcnt(low))
  v128.store(high, i8x16.swizzle(bytes, v128.load(highShuffles + (usize(quotes >> 8) << 4))))
}
