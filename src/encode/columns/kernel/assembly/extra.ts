// What a record has that its schema does not name, and values that its columns cannot hold: kept as the text of
// `extra`, counted, or left to the caller.

import { hashOf } from './hash'
import { keptAt, keptBytes, maxKept, unknownKeysAt, unknownKeysBits } from './memory'
import { quoteOrBackslash } from './text'
import { keyBytes, keyText, skipSpace, skipValue } from './walk'

/** What becomes of a field that the schema does not name. */
const unknownToExtra: u32 = 0
const unknownDropped: u32 = 1

let unknownMode: u32 = unknownToExtra
/** Where the text of `extra` is made. */
export let extraText: usize = 0
let extraEnd: usize = 0
let keptEnd: usize = 0
/** Unknown fields of the record that were left out. */
export let unknowns: u32 = 0

/** @param mode what becomes of unknown fields, 2 for left to the caller; @param room as long as the longest record, and
 *  some bytes */
export function beginExtra(mode: u32, room: usize): void {
  unknownMode = mode
  makeExtraAt(room)
}

/** Where the text of `extra` is made from now on: room as for `beginExtra`. */
export function makeExtraAt(room: usize): void {
  extraText = room
}

/** Begins a record. */
// @ts-ignore: decorator
@inline
export function clearExtra(): void {
  extraEnd = extraText
  keptEnd = keptAt
  unknowns = 0
}

/** Whether unknown fields are left to the caller. */
export function isUnknownLeft(): bool {
  return unknownMode > unknownDropped
}

/** Whether unknown fields are kept. */
export function isUnknownKept(): bool {
  return unknownMode == unknownToExtra
}

/** Counts an unknown field that was left out. */
export function countUnknown(): void {
  unknowns++
}

/** Keeps the value [start, end) of a declared field; false where there are too many of them. */
export function keepField(field: usize, start: usize, end: usize): bool {
  if (keptEnd == keptAt + usize(maxKept) * keptBytes) return false
  // records keep the order of the schema as a rule, but not always
  let at = keptEnd
  for (; at != keptAt && usize(load<u32>(at - keptBytes)) > field; at -= keptBytes) {
    memory.copy(at, at - keptBytes, keptBytes)
  }
  store<u32>(at, u32(field))
  store<u32>(at, u32(start), 4)
  store<u32>(at, u32(end), 8)
  keptEnd += keptBytes
  return true
}

/** Keeps the member whose key begins at `at` for `extra`, or counts it. @param own tells the record from all before it
 *  @returns one past the member; 0 where it is left to the caller */
export function takeUnknown(at: usize, own: u32): usize {
  if (unknownMode > unknownDropped) return 0
  const keyEnd = quoteOrBackslash(at)
  if (load<u8>(keyEnd) == 0x5c) return 0
  const end = skipValue(skipSpace(skipSpace(keyEnd + 1) + 1))
  if (end == 0) return 0
  if (unknownMode == unknownDropped) {
    unknowns++
    return end
  }
  if (!isNewKey(hashOf(at, u32(keyEnd - at)), own)) return 0
  store<u8>(extraEnd, extraEnd == extraText ? 0x7b : 0x2c)
  const length = end - at + 1
  memory.copy(extraEnd + 1, at - 1, length)
  extraEnd += length + 1
  return end
}

/** Notes the hash of an unknown key; false where the record has had it already, or too many others. */
function isNewKey(hash: u32, own: u32): bool {
  let slot = hash >> (32 - unknownKeysBits)
  for (let tries = 0; tries < 64; tries++) {
    const place = unknownKeysAt + (usize(slot) << 3)
    if (load<u32>(place) != own) {
      store<u32>(place, own)
      store<u32>(place, hash, 4)
      return true
    }
    if (load<u32>(place, 4) == hash) return false
    slot = (slot + 1) & ((1 << unknownKeysBits) - 1)
  }
  return false
}

/** Ends the text of `extra`, in which kept fields come last and in the order of the schema, and returns its length; 0
 *  where the record has none. */
export function endExtra(): u32 {
  for (let at = keptAt; at != keptEnd; at += keptBytes) {
    const field = usize(load<u32>(at))
    const start = usize(load<u32>(at, 4))
    const length = usize(load<u32>(at, 8)) - start
    store<u16>(extraEnd, extraEnd == extraText ? 0x227b : 0x222c) // {" or ,"
    memory.copy(extraEnd + 2, keyText(field), keyBytes(field))
    extraEnd += 2 + keyBytes(field)
    store<u8>(extraEnd, 0x3a)
    memory.copy(extraEnd + 1, start, length)
    extraEnd += 1 + length
  }
  if (extraEnd == extraText) return 0
  store<u8>(extraEnd, 0x7d)
  return u32(extraEnd - extraText) + 1
}
