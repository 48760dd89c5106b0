// Text with every quote doubled, 8 bytes at a time: which of them are quotes is the number of a shuffle that writes
// those twice. No branch depends on the text.

import { beginContainer, byteMask, endIn } from '../../../columns/kernel/assembly/container'

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

/** Copies [from, end) to `to`, each `quote` twice, and returns one past it there. Up to 15 bytes after `end` are read,
 *  and 31 after the copy are written over. */
export function copyDoubled(from: usize, end: usize, to: usize, quote: u8): usize {
  const quotes = i8x16.splat(quote)
  while (true) {
    const bytes = v128.load(from)
    const found = u32(i8x16.bitmask(i8x16.eq(bytes, quotes)))
    const left = end - from
    doubleSixteen(bytes, found, to)
    if (left <= 16) return to + left + usize(popcnt(found & ((1 << u32(left)) - 1)))
    to += 16 + usize(popcnt(found))
    from += 16
  }
}

/** Where the copy ended that `copyContainer` made last. */
export let copyEnd: usize = 0

/** Copies the JSON object or array at `from` as `copyDoubled` does. Up to 31 bytes after it are read, and 63 after the
 *  copy are written over.
 *  @returns one past it; 0 where a string or key in it has a lone surrogate escape */
export function copyContainer(from: usize, to: usize, quote: u8): usize {
  beginContainer()
  while (true) {
    const low = v128.load(from)
    const high = v128.load(from, 16)
    const ends = byteMask(low, high, 0x22)
    const doubled = quote == 0x22 ? ends : byteMask(low, high, quote)
    const length = endIn(from, low, high, ends)
    if (length < 0) return 0
    doubleSixteen(low, doubled & 0xffff, to)
    doubleSixteen(high, doubled >> 16, to + 16 + usize(popcnt(doubled & 0xffff)))
    if (length != 0) {
      copyEnd = to + usize(length + popcnt(doubled & u32((<u64>1 << u64(length)) - 1)))
      return from + usize(length)
    }
    to += 32 + usize(popcnt(doubled))
    from += 32
  }
}

// @ts-ignore: decorator
@inline
function doubleSixteen(bytes: v128, quotes: u32, to: usize): void {
  const low = quotes & 0xff
  v128.store(to, i8x16.swizzle(bytes, v128.load(lowShuffles + (usize(low) << 4))))
  const high = to + 8 + usize(popcnt(low))
  v128.store(high, i8x16.swizzle(bytes, v128.load(highShuffles + (usize(quotes >> 8) << 4))))
}
