// Steps through valid JSON: white space, whole values, the members of an object and which of a schema's fields they
// are. Nothing is validated, since the slicer has done that; up to 31 bytes after a value are read.

import { skipContainer } from './container'
import { hashOf } from './hash'
import { quoteOrBackslash, skipText } from './text'

/** First byte at or after `at` that is not white space. */
// @ts-ignore: decorator
@inline
export function skipSpace(at: usize): usize {
  while (load<u8>(at) <= 0x20) at++
  return at
}

/** What stands after the value of a member that ends at `at`: the next member's key, or the end of the object. */
// @ts-ignore: decorator
@inline
export function skipComma(at: usize): usize {
  if (load<u16>(at) == 0x222c) return at + 1 // ,"
  at = skipSpace(at)
  return load<u8>(at) == 0x2c ? skipSpace(at + 1) : at
}

/** One past the value that begins at `at`; 0 where a string or key in it has a lone surrogate escape. */
export function skipValue(at: usize): usize {
  const first = load<u8>(at)
  if (first == 0x22) return skipText(at + 1)
  return (first | 0x20) == 0x7b ? skipContainer(at) : skipScalar(at)
}

/** One past the number or literal that begins at `at`. */
// @ts-ignore: decorator
@inline
export function skipScalar(at: usize): usize {
  while (true) {
    const byte = load<u8>(++at)
    if (byte <= 0x20 || byte == 0x2c || (byte | 0x20) == 0x7d) return at
  }
}

// A field of an object: what a key is compared with. Written by the driver.

/** First 16 bytes of the name and its closing quote. */
export const fieldHead: usize = 0
/** Bits of those bytes that are of the name or the quote; one that they do not have where no bytes can spell the
 *  name. */
export const fieldMask: usize = 16
/** Bytes of the name and the quote. */
export const fieldLength: usize = 20
/** Their address. */
export const fieldName: usize = 24
/** Address of the field's node. */
export const fieldNode: usize = 28
/** Stamp of the object in which the field was seen last. */
export const fieldSeen: usize = 32
/** Values of a field of the record that held another type than declared, since the driver looked last. */
export const fieldMismatches: usize = 36
/** Field whose key came after this one's the last time. */
export const fieldBehindIt: usize = 44
export const fieldBytes: usize = 48

// Before the fields of an object, written by the driver: where they are many, a table by which a key is found that is
// not the one that was guessed.

/** Address of its slots, u32 addresses of fields, 0 for none; 0 where the fields are few. */
export const tableAt: usize = 16
/** Number of slots as a power of two. */
export const tableBits: usize = 12

/** Fills the table of the fields [from, end). */
export function indexFields(from: usize, end: usize): void {
  const table = usize(load<u32>(from - tableAt))
  const bits = load<u32>(from - tableBits)
  for (let field = from; field != end; field += fieldBytes) {
    let slot = hashOf(keyText(field), load<u32>(field, fieldLength) - 1) >> (32 - bits)
    while (load<u32>(table + (usize(slot) << 2)) != 0) slot = (slot + 1) & ((1 << bits) - 1)
    store<u32>(table + (usize(slot) << 2), u32(field))
  }
}

/** Whether the key whose text begins at `at` is the one of `field`. A key that is spelled with an escape is none's. */
// @ts-ignore: decorator
@inline
export function isKeyOf(field: usize, at: usize): bool {
  const mask = load<u32>(field, fieldMask)
  const same = u32(i8x16.bitmask(i8x16.eq(v128.load(at), v128.load(field, fieldHead))))
  return (same & mask) == mask && (mask != 0xffff || isRestOf(field, at))
}

function isRestOf(field: usize, at: usize): bool {
  const length = usize(load<u32>(field, fieldLength))
  const name = keyText(field)
  for (let i: usize = 16; i < length; i++) if (load<u8>(at + i) != load<u8>(name + i)) return false
  return true
}

/** The field among [from, end) whose key begins at `at`, 0 for none. The first guess is the one that came after `last`
 *  before, since records of a source are alike; where `last` is 0, for the first key of an object, it is the first
 *  field. */
// @ts-ignore: decorator
@inline
export function fieldOf(at: usize, from: usize, end: usize, last: usize): usize {
  const guess = last == 0 ? from : usize(load<u32>(last, fieldBehindIt))
  if (guess != end && isKeyOf(guess, at)) return guess
  return searchField(at, from, end, last)
}

function searchField(at: usize, from: usize, end: usize, last: usize): usize {
  if (load<u32>(from - tableAt) != 0) return searchTable(at, from, last)
  for (let field = from; field != end; field += fieldBytes) {
    if (!isKeyOf(field, at)) continue
    if (last != 0) store<u32>(last, u32(field), fieldBehindIt)
    return field
  }
  return 0
}

function searchTable(at: usize, from: usize, last: usize): usize {
  const keyEnd = quoteOrBackslash(at)
  if (load<u8>(keyEnd) == 0x5c) return 0
  const table = usize(load<u32>(from - tableAt))
  const bits = load<u32>(from - tableBits)
  let slot = hashOf(at, u32(keyEnd - at)) >> (32 - bits)
  while (true) {
    const field = usize(load<u32>(table + (usize(slot) << 2)))
    if (field == 0) return 0
    if (isKeyOf(field, at)) {
      if (last != 0) store<u32>(last, u32(field), fieldBehindIt)
      return field
    }
    slot = (slot + 1) & ((1 << bits) - 1)
  }
}

/** Bytes of the key that `field` has, its closing quote included. */
// @ts-ignore: decorator
@inline
export function keyBytes(field: usize): usize {
  return usize(load<u32>(field, fieldLength))
}

/** Address of those bytes. */
export function keyText(field: usize): usize {
  return usize(load<u32>(field, fieldName))
}
