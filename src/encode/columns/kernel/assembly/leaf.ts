// The builder of one leaf: streams of levels and values, a dictionary for as long as it pays, and bounds. What changes
// with each value stands together and is copied now and then, so that a record can be taken back together with those
// since, which are then added again: see `saveLeaves`.

import { clearBounds, setBounds } from './bounds'
import {
  distinctOf,
  dropDictionary,
  findOrAddNumber,
  findOrAddText,
  forgetFrom,
  hasDictionary,
  resetDictionary,
} from './dictionary'
import {
  coldOf,
  countAt,
  definitionHead,
  definitions,
  dictionaryBytesAt,
  dictionaryHead,
  entriesAt,
  entryStream,
  isJudgeDue,
  isText,
  kindBoolean,
  kindOf,
  leafBytes,
  leavesAt,
  leavesEnd,
  levelsAt,
  maxDictionaryBytes,
  maxDistinct,
  nextTrial,
  noteJudged,
  repetitionHead,
  repetitions,
  savedOf,
  trialDistinct,
  valueHead,
  values,
} from './state'
import {
  beginStream,
  chunkHead,
  chunkRoom,
  cutStream,
  emptyStream,
  freeChunks,
  pushByte,
  pushText,
  pushU16,
  pushU64,
} from './stream'

/** Begins the leaf at `leaf`, whose kind and levels are there. */
export function beginLeaf(leaf: usize): void {
  const cold = coldOf(leaf)
  store<u32>(cold, u32(beginStream(leaf + repetitions)), repetitionHead)
  store<u32>(cold, u32(beginStream(leaf + definitions)), definitionHead)
  store<u32>(cold, u32(beginStream(leaf + values)), valueHead)
  store<u32>(cold, u32(beginStream(leaf + entryStream)), dictionaryHead)
  clear(leaf)
}

function clear(leaf: usize): void {
  store<u32>(leaf, 0, countAt)
  clearBounds(leaf)
  resetDictionary(leaf, kindOf(leaf) != kindBoolean)
}

/** Empties a leaf for the next row group. */
export function resetLeaf(leaf: usize): void {
  const cold = coldOf(leaf)
  emptyStream(leaf + repetitions, usize(load<u32>(cold, repetitionHead)))
  emptyStream(leaf + definitions, usize(load<u32>(cold, definitionHead)))
  emptyStream(leaf + values, usize(load<u32>(cold, valueHead)))
  emptyStream(leaf + entryStream, usize(load<u32>(cold, dictionaryHead)))
  clear(leaf)
}

/** Copies the state of all leaves, to which `restoreLeaves` goes back. */
// @ts-ignore: decorator
@inline
export function saveLeaves(): void {
  const end = leavesEnd
  for (let leaf = leavesAt; leaf < end; leaf += leafBytes) {
    const saved = savedOf(leaf)
    v128.store(saved, v128.load(leaf))
    v128.store(saved, v128.load(leaf, 16), 16)
    v128.store(saved, v128.load(leaf, 32), 32)
    v128.store(saved, v128.load(leaf, 48), 48)
    v128.store(saved, v128.load(leaf, 64), 64)
    v128.store(saved, v128.load(leaf, 80), 80)
  }
}

/** Takes back what was added since `saveLeaves`. */
export function restoreLeaves(): void {
  for (let leaf = leavesAt; leaf < leavesEnd; leaf += leafBytes) {
    const saved = savedOf(leaf)
    if (hasDictionary(leaf)) forgetFrom(leaf, distinctOf(saved))
    cutStream(leaf + repetitions, saved + repetitions)
    cutStream(leaf + definitions, saved + definitions)
    cutStream(leaf + values, saved + values)
    cutStream(leaf + entryStream, saved + entryStream)
    memory.copy(leaf, saved, leafBytes)
  }
}

// @ts-ignore: decorator
@inline
export function addNull(leaf: usize, repetition: u32, definition: u32): void {
  if (load<u8>(leaf, levelsAt) != 0) pushByte(leaf + repetitions, repetition)
  pushByte(leaf + definitions, definition)
}

/** Adds text; false, and nothing is added, where the dictionary has no room for it. 32 bytes after it can be read. */
// @ts-ignore: decorator
@inline
export function addText(leaf: usize, repetition: u32, at: usize, length: u32): bool {
  if (hasDictionary(leaf)) {
    const index = findOrAddText(leaf, at, length)
    if (index < 0) return false
    pushU16(leaf + values, u32(index))
  } else {
    setBounds(leaf, at, length)
    pushText(leaf + values, at, length)
  }
  endValue(leaf, repetition)
  return true
}

export function addBoolean(leaf: usize, repetition: u32, value: u32): void {
  store<u64>(scratch8, u64(value))
  setBounds(leaf, scratch8, 8)
  pushByte(leaf + values, value)
  endValue(leaf, repetition)
}

/** Where a value of 8 bytes stands while it is added. */
const scratch8: usize = 96

/** Adds an int64, a timestamp or the bits of a double. */
export function addNumber(leaf: usize, repetition: u32, value: u64): bool {
  store<u64>(scratch8, value)
  if (hasDictionary(leaf)) {
    const index = findOrAddNumber(leaf, scratch8)
    if (index < 0) return false
    pushU16(leaf + values, u32(index))
  } else {
    setBounds(leaf, scratch8, 8)
    pushU64(leaf + values, value)
  }
  endValue(leaf, repetition)
  return true
}

// @ts-ignore: decorator
@inline
function endValue(leaf: usize, repetition: u32): void {
  addNull(leaf, repetition, u32(load<u8>(leaf, levelsAt + 1)))
  store<u32>(leaf, load<u32>(leaf, countAt) + 1, countAt)
}

/** Ends a record: dictionaries that have grown are judged. The rule is that of dictionary-rule.ts. @returns whether
 *  they were */
// @ts-ignore: decorator
@inline
export function endRecord(): bool {
  if (!isJudgeDue) return false
  judgeAll()
  return true
}

function judgeAll(): void {
  for (let leaf = leavesAt; leaf < leavesEnd; leaf += leafBytes) judge(leaf)
  noteJudged()
}

export function judge(leaf: usize): void {
  if (!hasDictionary(leaf)) return
  const distinct = distinctOf(leaf)
  const cold = coldOf(leaf)
  const isTried = distinct >= load<u32>(cold, nextTrial)
  if (
    distinct > maxDistinct ||
    load<u32>(leaf, dictionaryBytesAt) > maxDictionaryBytes ||
    (isTried && !paysOff(leaf))
  ) {
    giveUp(leaf)
  } else if (isTried) store<u32>(cold, (distinct / trialDistinct + 1) * trialDistinct, nextTrial)
}

/** Judges the dictionary of a leaf at the end of a row group. */
export function judgeFinally(leaf: usize): void {
  if (hasDictionary(leaf) && !paysOff(leaf)) giveUp(leaf)
}

function paysOff(leaf: usize): bool {
  const distinct = distinctOf(leaf)
  return distinct > 0 && 3 * u64(load<u32>(leaf, countAt)) >= 4 * u64(distinct)
}

/** Writes all values as they are, in the place of their indices. */
export function giveUp(leaf: usize): void {
  const cold = coldOf(leaf)
  const entries = usize(load<u32>(cold, entriesAt))
  const head = usize(load<u32>(cold, valueHead))
  let left = load<u32>(leaf, countAt)
  store<u32>(cold, u32(beginStream(leaf + values)), valueHead)
  const hasLengths = isText(leaf)
  for (let chunk = head; chunk != 0; chunk = usize(load<u32>(chunk))) {
    const indices = min(left, u32(chunkRoom >> 1))
    for (let i: u32 = 0; i < indices; i++) {
      const index = usize(load<u16>(chunk + chunkHead + (usize(i) << 1)))
      const entry = usize(load<u32>(entries + (index << 2)))
      if (hasLengths) pushText(leaf + values, entry + 4, load<u32>(entry))
      else pushU64(leaf + values, load<u64>(entry))
    }
    left -= indices
  }
  freeChunks(head)
  dropDictionary(leaf)
  emptyStream(leaf + entryStream, usize(load<u32>(cold, dictionaryHead)))
}
