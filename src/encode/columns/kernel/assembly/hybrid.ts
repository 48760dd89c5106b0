// The RLE and bit-packing hybrid (Encodings.md of parquet-format, RLE = 3) of levels, a byte each, and indices, two
// bytes each; byte for byte as parquet/levels.ts writes it.

/** A repetition from which on a run is written. */
const minRun: usize = 8

/** Bits that hold the numbers 0 to `greatest`. */
export function widthOf(greatest: u32): u32 {
  return 32 - clz<u32>(greatest)
}

/** Bytes that `count` values of `width` bits take at most. */
export function hybridBound(count: usize, width: u32): usize {
  return ((count >> 3) + 2) * usize(width + 5) + 64
}

/** Writes bytes [from, to), each of `width` bits, to `out`. 17 bytes after `to` can be read. @returns one past what was
 *  written */
export function writeLevels(from: usize, to: usize, width: u32, out: usize): usize {
  let packed = from // what is not written yet begins here
  let at = from
  while (at < to) {
    const repeated = u32(i8x16.bitmask(i8x16.eq(v128.load(at), v128.load(at, 1))))
    let sevens = repeated & (repeated >> 1)
    sevens &= sevens >> 2
    sevens &= sevens >> 3
    if (sevens == 0) {
      // no eight values are the same from here on, nor from any up to the last of the next sixteen that is followed by
      // another
      at += usize(32 - clz<u32>(~repeated & 0xffff))
      continue
    }
    const value = load<u8>(at)
    const end = endOfByteRun(at, to, value)
    // packed values come in eights: up to seven of the repetition fill the group before it
    const start = at + ((8 - ((at - packed) & 7)) & 7)
    if (end >= start + minRun) {
      out = packLevels(packed, start, width, out)
      out = writeVarint(u32(end - start) << 1, out)
      store<u8>(out++, value)
      packed = end
    }
    at = end
  }
  return packLevels(packed, to, width, out)
}

// @ts-ignore: decorator
@inline
function endOfByteRun(at: usize, to: usize, value: u8): usize {
  const same = i8x16.splat(value)
  for (; at < to; at += 16) {
    const others = ~u32(i8x16.bitmask(i8x16.eq(v128.load(at), same))) & 0xffff
    if (others != 0) return min(to, at + usize(ctz(others)))
  }
  return to
}

/** One packed run of levels, filled up with zeros to a whole group. */
function packLevels(from: usize, to: usize, width: u32, out: usize): usize {
  if (from == to) return out
  const groups = (to - from + 7) >> 3
  out = writeVarint((u32(groups) << 1) | 1, out)
  packBytes(from, to, width, out)
  return out + groups * usize(width)
}

/** Packs bytes [from, to) of up to `width` bits, the first in the lowest bits. */
export function packBytes(from: usize, to: usize, width: u32, out: usize): void {
  if (width == 1) {
    for (; from + 16 <= to; from += 16) {
      store<u16>(out, u16(i8x16.bitmask(i8x16.shl(v128.load(from), 7))))
      out += 2
    }
  }
  for (; from < to; from += 8) {
    let bits: u64 = 0
    const count = min<usize>(8, to - from)
    for (let i: usize = 0; i < count; i++) bits |= u64(load<u8>(from + i)) << u64(u32(i) * width)
    // a group of up to 8 bits each is `width` bytes
    store<u64>(out, bits)
    out += usize(width)
  }
}

/** As `writeLevels` for values of two bytes, of up to 14 bits. 18 bytes after `to` can be read. */
export function writeIndices(from: usize, to: usize, width: u32, out: usize): usize {
  let packed = from
  let at = from
  while (at < to) {
    const repeated = u32(i16x8.bitmask(i16x8.eq(v128.load(at), v128.load(at, 2))))
    if ((repeated & 0x7f) != 0x7f) {
      // no eight values from here on are the same, nor from any up to the last of the next eight that is followed by
      // another
      at += usize(32 - clz<u32>(~repeated & 0xff)) << 1
      continue
    }
    const value = load<u16>(at)
    let end = at + 2
    while (end < to && load<u16>(end) == value) end += 2
    const start = at + ((8 - (((at - packed) >> 1) & 7)) & 7) * 2
    if (end >= start + 2 * minRun) {
      out = packIndices(packed, start, width, out)
      out = writeVarint(u32(end - start), out)
      store<u16>(out, value)
      out += width > 8 ? 2 : 1
      packed = end
    }
    at = end
  }
  return packIndices(packed, to, width, out)
}

function packIndices(from: usize, to: usize, width: u32, out: usize): usize {
  if (from == to) return out
  const groups = (((to - from) >> 1) + 7) >> 3
  out = writeVarint((u32(groups) << 1) | 1, out)
  const end = out + groups * usize(width)
  // eight at a time fill `width` bytes
  for (; from + 16 <= to; from += 16) {
    const low = packFour(load<u64>(from), width)
    const high = packFour(load<u64>(from, 8), width)
    store<u64>(out, low | (high << u64(width << 2)))
    store<u64>(out, high >> u64(64 - (width << 2)), 8)
    out += usize(width)
  }
  let bits: u64 = 0
  let held: u32 = 0
  for (; from < to; from += 2) {
    bits |= u64(load<u16>(from)) << u64(held)
    held += width
    if (held >= 32) {
      store<u32>(out, u32(bits))
      out += 4
      bits >>= 32
      held -= 32
    }
  }
  // what is held, and the zeros of the last group: less than 5 and up to 14 bytes
  store<u64>(out, bits)
  if (out + 8 < end) memory.fill(out + 8, 0, end - out - 8)
  return end
}

/** Four values of 16 bits, in `width` bits each. */
// @ts-ignore: decorator
@inline
function packFour(values: u64, width: u32): u64 {
  const pairs = (values & 0x0000ffff0000ffff) | ((values & 0xffff0000ffff0000) >> u64(16 - width))
  return (pairs & 0xffffffff) | ((pairs >> 32) << u64(width << 1))
}

// @ts-ignore: decorator
@inline
function writeVarint(value: u32, out: usize): usize {
  while (value >= 0x80) {
    store<u8>(out++, u8(value | 0x80))
    value >>= 7
  }
  store<u8>(out++, u8(value))
  return out
}
