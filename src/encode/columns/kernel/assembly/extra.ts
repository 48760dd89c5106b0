// What a record has that its schema does not name: kept as the text of `extra`, counted, or left to the caller.

import { hashOf } from './dictionary'
import { unknownKeysAt, unknownKeysMask } from './memory'
import { quoteOrBackslash } from './text'
import { skipSpace, skipValue } from './walk'

/** What becomes of a field that the schema does not name. */
const unknownToExtra: u32 = 0
const unknownDropped: u32 = 1

let unknownMode: u32 = unknownToExtra
/** Where the text of `extra` is made. */
export let extraText: usize = 0
let extraEnd: usize = 0
/** Unknown fields of the record that were left out. */
export let unknowns: u32 = 0

/** @param mode what becomes of unknown fields, 2 for left to the caller; @param room as long as the longest record, and some bytes */
export function beginExtra(mode: u32, room: usize): void {
  unknownMode = mode
  extraText = room
}

/** Begins a record. */
// @ts-ignore: decorator
@inline
export function clearExtra(): void {
  extraEnd = extraText
  unknowns = 0
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
  let slot = hash & unknownKeysMask
  for (let tries = 0; tries < 64; tries++) {
    const place = unknownKeysAt + (usize(slot) << 3)
    if (load<u32>(place) != own) {
      store<u32>(place, own)
      store<u32>(place, hash, 4)
      return true
    }
    if (load<u32>(place, 4) == hash) return false
    slot = (slot + 1) & unknownKeysMask
  }
  return false
}

/** Ends the text of `extra` and returns its length; 0 where the record has none. */
// @ts-ignore: decorator
@inline
export function endExtra(): u32 {
  if (extraEnd == extraText) return 0
  store<u8>(extraEnd, 0x7d)
  return u32(extraEnd - extraText) + 1
}
