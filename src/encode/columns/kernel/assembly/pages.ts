// The bodies of a leaf's data pages, as parquet/pages.ts makes them from arrays: where a page ends, and its levels and
// values.

import { hasDictionary, distinctOf } from './dictionary'
import { hybridBound, packBytes, widthOf, writeIndices, writeLevels } from './hybrid'
import { judgeFinally } from './leaf'
import { allocate, blockBytes, release, resultAt } from './memory'
import {
  coldOf,
  countAt,
  definitionHead,
  definitions,
  dictionaryHead,
  entryStream,
  isText,
  kindBoolean,
  kindOf,
  levelsAt,
  repetitionHead,
  repetitions,
  valueHead,
  values,
} from './state'
import { beginCursor, endAt, passText, posAt, readAll, readBytes, streamBytes, textBytes } from './stream'

/** Cursors over the values: what is not in a page yet, and what has not been measured. */
const copyCursor: usize = 336
const sizeCursor: usize = 352

/** Levels and indices in one piece each, and the body of a page: address and size of each region. */
const levelRegion: usize = 384
const indexRegion: usize = 392
const bodyRegion: usize = 400

let pageLeaf: usize = 0
let pageBytes: usize = 0
let entries: usize = 0
/** Entries, values and bytes of values that are in pages already. */
let entriesDone: usize = 0
let valuesDone: usize = 0
let bytesDone: usize = 0
let repetitionsAt: usize = 0
let definitionsAt: usize = 0

/** Makes room for `size` bytes, and 64 more, in the region that is told at `region`. */
function reserve(region: usize, size: usize): usize {
  size += 64
  const held = usize(load<u32>(region, 4))
  if (held < size) {
    if (held != 0) release(usize(load<u32>(region)), held)
    store<u32>(region, u32(allocate(size)))
    store<u32>(region, u32(blockBytes(size)), 4)
  }
  return usize(load<u32>(region))
}

/** Closes a leaf and tells of it, u32 each: entries, values, whether they are indices, distinct values, bytes of the
 *  values (the distinct ones). */
export function describe(leaf: usize): void {
  judgeFinally(leaf)
  const cold = coldOf(leaf)
  const isIndexed = hasDictionary(leaf)
  const bytes = isIndexed
    ? streamBytes(leaf + entryStream, usize(load<u32>(cold, dictionaryHead)))
    : streamBytes(leaf + values, usize(load<u32>(cold, valueHead)))
  store<u32>(resultAt, u32(streamBytes(leaf + definitions, usize(load<u32>(cold, definitionHead)))))
  store<u32>(resultAt, load<u32>(leaf, countAt), 4)
  store<u32>(resultAt, u32(isIndexed), 8)
  store<u32>(resultAt, distinctOf(leaf), 12)
  store<u32>(resultAt, u32(bytes), 16)
}

/** Copies what `part` tells (repetition levels, definition levels, values or their indices, distinct values) into one
 *  piece. @returns its address */
export function gather(leaf: usize, part: u32): usize {
  const cold = coldOf(leaf)
  // the streams and their first chunks stand in one order
  const stream = leaf + repetitions + usize(part) * (definitions - repetitions)
  const head = usize(load<u32>(cold + repetitionHead + (usize(part) << 2)))
  const at = reserve(bodyRegion, streamBytes(stream, head))
  readAll(stream, head, at)
  return at
}

/** Begins the pages of a leaf that was described. */
export function beginPages(leaf: usize, size: usize): void {
  const cold = coldOf(leaf)
  pageLeaf = leaf
  pageBytes = size
  entriesDone = valuesDone = bytesDone = 0
  entries = streamBytes(leaf + definitions, usize(load<u32>(cold, definitionHead)))
  definitionsAt = reserve(levelRegion, (entries << 1) + 64)
  readAll(leaf + definitions, usize(load<u32>(cold, definitionHead)), definitionsAt)
  repetitionsAt = 0
  if (load<u8>(leaf, levelsAt) != 0) {
    repetitionsAt = definitionsAt + entries + 64
    readAll(leaf + repetitions, usize(load<u32>(cold, repetitionHead)), repetitionsAt)
  }
  const head = usize(load<u32>(cold, valueHead))
  if (hasDictionary(leaf)) {
    readAll(leaf + values, head, reserve(indexRegion, usize(load<u32>(leaf, countAt)) << 1))
  } else {
    beginCursor(copyCursor, leaf + values, head)
    beginCursor(sizeCursor, leaf + values, head)
  }
}

/** Makes the next page. @returns its entries, 0 after the last; its address and length are told */
export function nextPage(): u32 {
  if (entriesDone == entries) return 0
  const leaf = pageLeaf
  let entryEnd = entries
  let valueEnd = usize(load<u32>(leaf, countAt))
  const cold = coldOf(leaf)
  const allBytes = streamBytes(leaf + values, usize(load<u32>(cold, valueHead)))
  let byteEnd = allBytes
  const entryBytes: usize = repetitionsAt == 0 ? 1 : 2
  if (entries * entryBytes + allBytes > pageBytes) {
    const greatest = load<u8>(leaf, levelsAt + 1)
    const size = hasDictionary(leaf) ? 2 : isText(leaf) ? 0 : kindOf(leaf) == kindBoolean ? 1 : 8
    let held: usize = 0
    let entry = entriesDone
    let value = valuesDone
    let bytes = bytesDone
    let pos = usize(load<u32>(sizeCursor, posAt))
    let posEnd = usize(load<u32>(sizeCursor, endAt))
    for (; entry < entries; entry++) {
      if (held >= pageBytes && (repetitionsAt == 0 || load<u8>(repetitionsAt + entry) == 0)) break
      held += entryBytes
      if (load<u8>(definitionsAt + entry) != greatest) continue
      let valueBytes = usize(size)
      if (size == 0) {
        valueBytes = textBytes(pos, posEnd)
        if (valueBytes != 0) pos += valueBytes
        else {
          store<u32>(sizeCursor, u32(pos), posAt)
          valueBytes = passText(sizeCursor, leaf + values)
          pos = usize(load<u32>(sizeCursor, posAt))
          posEnd = usize(load<u32>(sizeCursor, endAt))
        }
      }
      held += valueBytes
      bytes += valueBytes
      value++
    }
    store<u32>(sizeCursor, u32(pos), posAt)
    entryEnd = entry
    valueEnd = value
    byteEnd = bytes
  }
  const count = entryEnd - entriesDone
  makeBody(leaf, entryEnd, valueEnd, byteEnd)
  entriesDone = entryEnd
  valuesDone = valueEnd
  bytesDone = byteEnd
  return u32(count)
}

function makeBody(leaf: usize, entryEnd: usize, valueEnd: usize, byteEnd: usize): void {
  const count = entryEnd - entriesDone
  const valueCount = valueEnd - valuesDone
  const valueBytes = byteEnd - bytesDone
  const repetitionWidth = widthOf(u32(load<u8>(leaf, levelsAt)))
  const definitionWidth = widthOf(u32(load<u8>(leaf, levelsAt + 1)))
  const isIndexed = hasDictionary(leaf)
  const indexWidth = isIndexed ? max<u32>(1, widthOf(distinctOf(leaf) - 1)) : 0
  const bound = hybridBound(count, repetitionWidth) + hybridBound(count, definitionWidth)
  const body = reserve(bodyRegion, bound + (isIndexed ? hybridBound(valueCount, indexWidth) : valueBytes))
  let out = body
  if (repetitionsAt != 0) out = writeLevelRun(repetitionsAt, entryEnd, repetitionWidth, out)
  out = writeLevelRun(definitionsAt, entryEnd, definitionWidth, out)
  if (isIndexed) {
    const indices = usize(load<u32>(indexRegion))
    store<u8>(out++, u8(indexWidth))
    out = writeIndices(indices + (valuesDone << 1), indices + (valueEnd << 1), indexWidth, out)
  } else if (kindOf(leaf) == kindBoolean) {

    const bytes = reserve(indexRegion, valueCount)
    readBytes(copyCursor, leaf + values, bytes, valueCount)
    packBytes(bytes, bytes + valueCount, 1, out)
    out += (valueCount + 7) >> 3
  } else {
    readBytes(copyCursor, leaf + values, out, valueBytes)
    out += valueBytes
  }
  store<u32>(resultAt, u32(body))
  store<u32>(resultAt, u32(out - body), 4)
}

/** Levels with their length before them. */
function writeLevelRun(levels: usize, entryEnd: usize, width: u32, out: usize): usize {
  const end = writeLevels(levels + entriesDone, levels + entryEnd, width, out + 4)
  store<u32>(out, u32(end - out - 4))
  return end
}
