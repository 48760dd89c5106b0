// Shreds records into leaves. What the schema does not name or that has another type goes to `extra` or is counted, as
// the policies say; whatever is more unusual (a key with an escape or twice, a lone surrogate escape, a number or an
// escaped date-time, which this does not read, and whatever is an error) is left to the caller: the record is taken
// back whole.

import { addBoolean, addNull, addNumber, addText, endRecord, restoreLeaves, saveLeaves } from './leaf'
import {
  beginExtra,
  clearExtra,
  countUnknown,
  endExtra,
  extraText,
  isUnknownKept,
  isUnknownLeft,
  keepField,
  makeExtraAt,
  takeUnknown,
  unknowns,
} from './extra'
import { flawedAt, maxFlawed, resultAt } from './memory'
import {
  nodeDefinition,
  nodeElement,
  nodeFields,
  nodeFieldsEnd,
  nodeKind,
  nodeLeaf,
  nodeLeafEnd,
  nodeRepetition,
} from './node'
import { doubleValue, int64Value, numberEnd, readDouble, readInt64 } from './number'
import {
  kindBoolean,
  kindDouble,
  kindInt64,
  kindJson,
  kindList,
  kindString,
  kindStruct,
  kindTimestamp,
  leafBytes,
} from './state'
import { quoteOrBackslash, textEnd, unescape } from './text'
import {
  isBeyond,
  isCut,
  isDateLike,
  isReformed,
  readTimestamp,
  setTimestampRules,
  timeOfNumber,
  timestamp,
  timestampEnd,
} from './timestamp'
import {
  fieldBytes,
  fieldMismatches,
  fieldNode,
  fieldOf,
  fieldSeen,
  keyBytes,
  skipComma,
  skipSpace,
  skipValue,
} from './walk'

/** What becomes of a value of another type. */
const mismatchToExtra: u32 = 0
const mismatchCounted: u32 = 1

/** What is wrong inside a value: another type somewhere, a field that is not declared. */
const hasMismatch: u32 = 1
const hasUnknown: u32 = 2

let root: usize = 0
let extraLeaf: usize = 0
let mismatchMode: u32 = 0
let timestampScale: i64 = 1
let takesForms: bool = false
/** Room for a text without its escapes. */
let scratch: usize = 0

/** Tells an object from all before it. */
let stamp: u32 = 0
/** Fields with a value of another type. */
let flawed: u32 = 0
/** What is wrong in the field in hand. */
let flaws: u32 = 0
/** Date-times that lost digits, and those that are no RFC 3339. */
let cuts: u32 = 0
let reforms: u32 = 0

/** @param tree node of the record; @param extra leaf of `extra`, 0 where there is none; @param unknown and @param
 *  mismatch what becomes of unknown fields and of other types, 2 for left to the caller; @param scale units of a
 *  second; @param areCut and @param areFormsTaken as in timestamp.ts; @param room two regions of `roomBytes` */
export function beginShredder(
  tree: usize,
  extra: usize,
  unknown: u32,
  mismatch: u32,
  scale: i64,
  areCut: bool,
  areFormsTaken: bool,
  room: usize,
  roomBytes: usize,
): void {
  root = tree
  extraLeaf = extra
  beginExtra(unknown, room + roomBytes)
  mismatchMode = mismatch
  timestampScale = scale
  takesForms = areFormsTaken
  setTimestampRules(areCut, areFormsTaken)
  scratch = room
  stamp = 0
}

/** Goes on in other regions of room. */
export function moveRoom(room: usize, roomBytes: usize): void {
  scratch = room
  makeExtraAt(room + roomBytes)
}

/**
 * Appends records [from, to), whose bounds are pairs of u32 at `bounds`, counted from `base`.
 * @returns the record that is left to the caller, `to` if there is none; told are the number of unknown fields that
 * were dropped, that of values of another type, which their fields have counted, of date-times that lost digits, and of
 * those that are no RFC 3339
 */
export function shred(from: u32, to: u32, bounds: usize, base: usize): u32 {
  let dropped: u32 = 0
  let mismatches: u32 = 0
  let cut: u32 = 0
  let reformed: u32 = 0
  let record = from
  /** The first record that is not among what was saved. */
  let next = from
  saveLeaves()
  for (; record < to; record++) {
    if (!shredRecord(base + startOf(bounds, record))) {
      restoreLeaves()
      for (; next < record; next++) {
        shredRecord(base + startOf(bounds, next))
        endRecord()
      }
      break
    }
    dropped += unknowns
    cut += cuts
    reformed += reforms
    if (flawed != 0) {
      mismatches += flawed
      countMismatches()
    }
    if (endRecord()) {
      saveLeaves()
      next = record + 1
    }
  }
  store<u32>(resultAt, dropped)
  store<u32>(resultAt, mismatches, 4)
  store<u32>(resultAt, cut, 8)
  store<u32>(resultAt, reformed, 12)
  return record
}

// @ts-ignore: decorator
@inline
function startOf(bounds: usize, record: u32): usize {
  return usize(load<u32>(bounds + (usize(record) << 3)))
}

function shredRecord(at: usize): bool {
  clearExtra()
  flawed = 0
  flaws = 0
  cuts = 0
  reforms = 0
  const from = usize(load<u32>(root, nodeFields))
  const end = usize(load<u32>(root, nodeFieldsEnd))
  const own = ++stamp
  let last: usize = 0
  let missing = i32(end - from)
  at = skipSpace(at + 1)
  if (load<u8>(at) != 0x7d) {
    while (true) {
      const field = fieldOf(++at, from, end, last)
      if (field != 0) {
        if (load<u32>(field, fieldSeen) == own) return false
        store<u32>(field, own, fieldSeen)
        missing -= i32(fieldBytes)
        last = field
        const start = skipSpace(skipSpace(at + keyBytes(field)) + 1)
        at = shredValue(usize(load<u32>(field, fieldNode)), start, 0)
        if (at == 0 || (flaws != 0 && !settle(field, start, at))) return false
      } else {
        at = takeUnknown(at, own)
        if (at == 0) return false
      }
      at = skipComma(at)
      if (load<u8>(at) == 0x7d) break
    }
  }
  if (missing != 0) addMissing(from, end, own, 0, 0)
  return extraLeaf == 0 || addExtra()
}

/** Adds the value at `at`. @returns one past it; 0 where it is left to the caller */
function shredValue(node: usize, at: usize, repetition: u32): usize {
  const byte = load<u8>(at)
  if (byte == 0x6e) {
    addNulls(node, repetition, load<u32>(node, nodeDefinition) - 1)
    return at + 4
  }
  const leaf = usize(load<u32>(node, nodeLeaf))
  switch (load<u32>(node, nodeKind)) {
    case kindString:
      if (byte == 0x22) return shredString(leaf, at + 1, repetition)
      break
    case kindJson: {
      const end = skipValue(at)
      return end != 0 && addText(leaf, repetition, at, u32(end - at)) ? end : 0
    }
    case kindBoolean:
      if (byte == 0x74) {
        addBoolean(leaf, repetition, 1)
        return at + 4
      }
      if (byte == 0x66) {
        addBoolean(leaf, repetition, 0)
        return at + 5
      }
      break
    case kindTimestamp:
      if (byte == 0x22) {
        if (readTimestamp(at + 1, timestampScale)) return addTimestamp(leaf, repetition, timestampEnd)
        if (load<u8>(quoteOrBackslash(at + 1)) == 0x5c) return 0
        // a form that only the caller knows, unless it is for its digits that it is none
        if (takesForms && !isBeyond && isDateLike(at + 1)) return 0
      } else if (takesForms && isNumber(byte)) {
        if (!readInt64(at)) return 0
        if (timeOfNumber(int64Value, timestampScale)) return addTimestamp(leaf, repetition, numberEnd)
      }
      break
    case kindInt64:
      if (isNumber(byte)) return readInt64(at) && addNumber(leaf, repetition, u64(int64Value)) ? numberEnd : 0
      break
    case kindDouble:
      if (isNumber(byte)) {
        return readDouble(at) && addNumber(leaf, repetition, reinterpret<u64>(doubleValue)) ? numberEnd : 0
      }
      break
    case kindStruct:
      if (byte == 0x7b) return shredStruct(node, at, repetition)
      break
    default:
      if (byte == 0x5b) return shredList(node, at, repetition)
  }
  return takeMismatch(node, at, repetition)
}

function addTimestamp(leaf: usize, repetition: u32, end: usize): usize {
  cuts += u32(isCut)
  reforms += u32(isReformed)
  return addNumber(leaf, repetition, u64(timestamp)) ? end : 0
}

// @ts-ignore: decorator
@inline
function isNumber(byte: u8): bool {
  return byte == 0x2d || u32(byte) - 0x30 <= 9
}

/** Null in the place of a value of another type than declared. */
function takeMismatch(node: usize, at: usize, repetition: u32): usize {
  if (mismatchMode > mismatchCounted) return 0
  flaws |= hasMismatch
  addNulls(node, repetition, load<u32>(node, nodeDefinition) - 1)
  return skipValue(at)
}

/** Passes over the member whose key begins at `at`, in an object inside the record. */
function passUnknown(at: usize): usize {
  if (isUnknownLeft()) return 0
  flaws |= hasUnknown
  const keyEnd = quoteOrBackslash(at)
  return load<u8>(keyEnd) == 0x5c ? 0 : skipValue(skipSpace(skipSpace(keyEnd + 1) + 1))
}

/** Counts what is wrong in the value [start, end) of `field`, and keeps the value for `extra` where the policies say
 *  so. */
function settle(field: usize, start: usize, end: usize): bool {
  let isKept = false
  if ((flaws & hasMismatch) != 0) {
    if (flawed == maxFlawed) return false
    store<u32>(flawedAt + (usize(flawed++) << 2), u32(field))
    isKept = mismatchMode == mismatchToExtra
  }
  if ((flaws & hasUnknown) != 0) {
    if (isUnknownKept()) isKept = true
    else countUnknown()
  }
  flaws = 0
  return !isKept || keepField(field, start, end)
}

function countMismatches(): void {
  for (let i: u32 = 0; i < flawed; i++) {
    const field = usize(load<u32>(flawedAt + (usize(i) << 2)))
    store<u32>(field, load<u32>(field, fieldMismatches) + 1, fieldMismatches)
  }
}

// @ts-ignore: decorator
@inline
function shredString(leaf: usize, at: usize, repetition: u32): usize {
  const end = quoteOrBackslash(at)
  if (load<u8>(end) == 0x22) return addText(leaf, repetition, at, u32(end - at)) ? end + 1 : 0
  return shredEscaped(leaf, at, repetition)
}

function shredEscaped(leaf: usize, at: usize, repetition: u32): usize {
  const end = unescape(at, scratch)
  return end != 0 && addText(leaf, repetition, scratch, u32(end - scratch)) ? textEnd + 1 : 0
}

function shredStruct(node: usize, at: usize, repetition: u32): usize {
  const from = usize(load<u32>(node, nodeFields))
  const end = usize(load<u32>(node, nodeFieldsEnd))
  const own = ++stamp
  let last: usize = 0
  let missing = i32(end - from)
  at = skipSpace(at + 1)
  if (load<u8>(at) != 0x7d) {
    while (true) {
      const field = fieldOf(++at, from, end, last)
      if (field != 0) {
        if (load<u32>(field, fieldSeen) == own) return 0
        store<u32>(field, own, fieldSeen)
        missing -= i32(fieldBytes)
        last = field
        at = skipSpace(skipSpace(at + keyBytes(field)) + 1)
        at = shredValue(usize(load<u32>(field, fieldNode)), at, repetition)
      } else at = passUnknown(at)
      if (at == 0) return 0
      at = skipComma(at)
      if (load<u8>(at) == 0x7d) break
    }
  }
  if (missing != 0) addMissing(from, end, own, repetition, load<u32>(node, nodeDefinition))
  return at + 1
}

function shredList(node: usize, at: usize, repetition: u32): usize {
  at = skipSpace(at + 1)
  if (load<u8>(at) == 0x5d) {
    addNulls(node, repetition, load<u32>(node, nodeDefinition))
    return at + 1
  }
  const element = usize(load<u32>(node, nodeElement))
  while (true) {
    at = shredValue(element, at, repetition)
    if (at == 0) return 0
    at = skipSpace(at)
    if (load<u8>(at) != 0x2c) return at + 1
    at = skipSpace(at + 1)
    repetition = load<u32>(node, nodeRepetition)
  }
}

function addNulls(node: usize, repetition: u32, definition: u32): void {
  const end = usize(load<u32>(node, nodeLeafEnd))
  for (let leaf = usize(load<u32>(node, nodeLeaf)); leaf != end; leaf += leafBytes) addNull(leaf, repetition, definition)
}

/** Adds nulls for the fields that the object of stamp `own` did not have. */
function addMissing(from: usize, end: usize, own: u32, repetition: u32, definition: u32): void {
  for (let field = from; field != end; field += fieldBytes) {
    if (load<u32>(field, fieldSeen) != own) addNulls(usize(load<u32>(field, fieldNode)), repetition, definition)
  }
}

function addExtra(): bool {
  const length = endExtra()
  if (length != 0) return addText(extraLeaf, 0, extraText, length)
  addNull(extraLeaf, 0, 0)
  return true
}
