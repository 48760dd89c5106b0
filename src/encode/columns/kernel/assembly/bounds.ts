// The least and the greatest value of a leaf. Of two buffers for a text, one holds what was true before the record in
// hand, for when that is taken back.

import { firstBytes } from './hash'
import { allocate, blockBytes, release } from './memory'
import {
  coldOf,
  countAt,
  greatestAt,
  greatestBuffers,
  greatestTextAt,
  keptBoundBytes,
  kindDouble,
  kindJson,
  kindOf,
  kindString,
  leastAt,
  leastBuffers,
  leastTextAt,
  savedOf,
} from './state'

/** Forgets the bounds of texts; those of numbers are set by the first one. */
export function clearBounds(leaf: usize): void {
  store<u64>(leaf, u64.MAX_VALUE, leastAt)
  store<u64>(leaf, 0, greatestAt)
}

const secondBuffer: u32 = 0x80000000
const lengthMask: u32 = 0x7fffffff

/** Takes in a value that may be the first of its kind: text, or 8 bytes. Call before it is counted. */
// @ts-ignore: decorator
@inline
export function setBounds(leaf: usize, at: usize, length: u32): void {
  const kind = kindOf(leaf)
  if (kind == kindString) {
    const prefix = prefixOf(at, length)
    // equal prefixes are compared whole; those of no text are passed by every one
    if (u32(prefix <= load<u64>(leaf, leastAt)) | u32(prefix >= load<u64>(leaf, greatestAt))) {
      setTextBounds(leaf, at, min(length, keptBoundBytes), prefix, load<u32>(leaf, countAt) == 0)
    }
  } else if (kind != kindJson) setNumberBounds(leaf, at, kind, load<u32>(leaf, countAt) == 0)
}

function setNumberBounds(leaf: usize, at: usize, kind: u32, isFirst: bool): void {
  if (kind == kindDouble) {
    const value = load<f64>(at)
    if (isFirst || value < load<f64>(leaf, leastAt)) store<f64>(leaf, value, leastAt)
    if (isFirst || value > load<f64>(leaf, greatestAt)) store<f64>(leaf, value, greatestAt)
  } else {
    const value = load<i64>(at)
    if (isFirst || value < load<i64>(leaf, leastAt)) store<i64>(leaf, value, leastAt)
    if (isFirst || value > load<i64>(leaf, greatestAt)) store<i64>(leaf, value, greatestAt)
  }
}

/** The first 8 bytes as a number that is ordered as they are. */
// @ts-ignore: decorator
@inline
function prefixOf(at: usize, length: u32): u64 {
  const bytes = v128.and(v128.load64_zero(at), firstBytes(min<u32>(length, 16)))
  return i64x2.extract_lane(i8x16.shuffle(bytes, bytes, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0)
}

function setTextBounds(leaf: usize, at: usize, length: u32, prefix: u64, isFirst: bool): void {
  if (isFirst || isLess(at, length, prefix, leaf, leastAt, leastTextAt, leastBuffers)) {
    store<u64>(leaf, prefix, leastAt)
    keep(leaf, at, length, leastTextAt, leastBuffers)
  }
  if (isFirst || isGreater(at, length, prefix, leaf)) {
    store<u64>(leaf, prefix, greatestAt)
    keep(leaf, at, length, greatestTextAt, greatestBuffers)
  }
}

function isLess(at: usize, length: u32, prefix: u64, leaf: usize, prefixAt: usize, textAt: usize, buffers: usize): bool {
  const bound = load<u64>(leaf + prefixAt)
  return prefix < bound || (prefix == bound && compareWith(leaf, at, length, textAt, buffers) < 0)
}

function isGreater(at: usize, length: u32, prefix: u64, leaf: usize): bool {
  const bound = load<u64>(leaf, greatestAt)
  return prefix > bound || (prefix == bound && compareWith(leaf, at, length, greatestTextAt, greatestBuffers) > 0)
}

function compareWith(leaf: usize, at: usize, length: u32, textAt: usize, buffers: usize): i32 {
  const text = load<u32>(leaf + textAt)
  const bound = boundText(leaf, text, buffers)
  const boundLength = text & lengthMask
  const order = orderOf(at, bound, usize(min(length, boundLength)))
  if (order != 0) return order
  return length < boundLength ? -1 : i32(length > boundLength)
}

/** Negative, 0 or positive as the bytes at `a` are less than, the same as or greater than those at `b`. Up to 15 bytes
 *  after them are read: there is always so much room after the text of a bound, since no block is as small. */
function orderOf(a: usize, b: usize, length: usize): i32 {
  for (let from: usize = 0; from < length; from += 16) {
    const same = u32(i8x16.bitmask(i8x16.eq(v128.load(a + from), v128.load(b + from))))
    if (same == 0xffff) continue
    const at = from + usize(ctz(~same))
    return at < length ? i32(load<u8>(a + at)) - i32(load<u8>(b + at)) : 0
  }
  return 0
}

/** Address of the text that `text` in the leaf's state tells. */
export function boundText(leaf: usize, text: u32, buffers: usize): usize {
  return usize(load<u32>(coldOf(leaf) + buffers + (usize(text >> 31) << 3)))
}

function keep(leaf: usize, at: usize, length: u32, textAt: usize, buffers: usize): void {
  const which = load<u32>(leaf + textAt) & secondBuffer
  const savedWhich = load<u32>(savedOf(leaf) + textAt) & secondBuffer
  const next = which == savedWhich ? which ^ secondBuffer : which
  const slot = coldOf(leaf) + buffers + (usize(next >> 31) << 3)
  let buffer = usize(load<u32>(slot))
  const size = load<u32>(slot, 4)
  if (size < length || buffer == 0) {
    if (buffer != 0) release(buffer, usize(size))
    buffer = allocate(usize(length))
    store<u32>(slot, u32(buffer))
    store<u32>(slot, u32(blockBytes(usize(length))), 4)
  }
  memory.copy(buffer, at, usize(length))
  store<u32>(leaf + textAt, next | length)
}
