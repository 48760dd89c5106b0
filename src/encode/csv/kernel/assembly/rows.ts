// Writes records as rows, as long as they are as their schema says. Members that come in the order of the columns are
// written as they are read; where they come otherwise, their cells are put in order after that. Whatever is unusual (a
// key with an escape or twice, another type, a lone surrogate escape, an undeclared field where that is an error) is
// left to the caller, and nothing of the record is written.

import { beginExtra, clearExtra, endExtra, extraText, takeUnknown, unknowns } from '../../../columns/kernel/assembly/extra'
import { beginHashes } from '../../../columns/kernel/assembly/hash'
import { resultAt } from '../../../columns/kernel/assembly/memory'
import { nodeKind } from '../../../columns/kernel/assembly/node'
import { beginTimestamps } from '../../../columns/kernel/assembly/timestamp'
import { fieldBytes, fieldNode, fieldOf, fieldSeen, keyBytes, skipComma, skipSpace } from '../../../columns/kernel/assembly/walk'
import { beginAt, copyCell, endCell, guarded, out, writeCell, writeKey, writeText } from './cells'

/** In a field: its cell in the room for cells. */
const fieldCell: usize = 36
const fieldCellEnd: usize = 40

let fieldsFrom: usize = 0
let fieldsEnd: usize = 0
let cellRoom: usize = 0
let hasKey: bool = false
let hasExtra: bool = false
let lineEnd: u16 = 0
let lineEndBytes: usize = 0

/** Whether members came in the order of the columns the last time. */
let isInOrder: bool = true
/** Tells a record, and each try at it, from all before. */
let stamp: u32 = 0

/** @param from fields in the order of their columns, to `end`; @param mode what becomes of unknown fields, 2 for left
 *  to the caller; @param room for the text of `extra`; @param cells for the cells of a record */
export function beginRows(from: usize, end: usize, key: bool, extra: bool, mode: u32, crlf: bool, room: usize, cells: usize): void {
  fieldsFrom = from
  fieldsEnd = end
  cellRoom = cells
  hasKey = key
  hasExtra = extra
  lineEnd = crlf ? 0x0a0d : 0x0a
  lineEndBytes = crlf ? 2 : 1
  beginExtra(mode, room)
  beginHashes()
  beginTimestamps()
}

/**
 * Writes records [from, to), whose bounds are pairs of u32 at `bounds`, counted from `base`, to `at` and on, until
 * `limit` is reached; their keys are between the u32 at `keys` and the next one.
 * @returns the record after the last one written; told are where its row ends, unknown fields left out, texts that got
 * a ', and rows without a character. Where there are records left and room, too, the next one is left to the caller
 */
export function writeRows(from: u32, to: u32, bounds: usize, base: usize, keys: usize, at: usize, limit: usize): u32 {
  let dropped: u32 = 0
  let escaped: u32 = 0
  let blank: u32 = 0
  let record = from
  for (; record < to && at < limit; record++) {
    beginAt(at, 0)
    if (hasKey) {
      const key = keys + (usize(record) << 2)
      if (!writeKey(usize(load<u32>(key)), usize(load<u32>(key, 4)))) break
    }
    if (!writeRecord(base + usize(load<u32>(bounds + (usize(record) << 3))))) break
    if (hasExtra) {
      const length = endExtra()
      if (length != 0) writeText(extraText, extraText + usize(length))
      else endCell()
    }
    // the last delimiter gives way to the end of the line
    const start = at
    at = hasKey || hasExtra || fieldsFrom != fieldsEnd ? out - 1 : out
    blank += u32(at == start)
    store<u16>(at, lineEnd)
    at += lineEndBytes
    dropped += unknowns
    escaped += guarded
  }
  store<u32>(resultAt, u32(at))
  store<u32>(resultAt, dropped, 4)
  store<u32>(resultAt, escaped, 8)
  store<u32>(resultAt, blank, 12)
  return record
}

function writeRecord(at: usize): bool {
  if (isInOrder) {
    const start = out
    const count = guarded
    if (writeInOrder(at)) return true
    if (isInOrder) return false
    beginAt(start, count)
  }
  return writeReordered(at)
}

/** False where the record is left to the caller or, then `isInOrder` is false, to `writeReordered`. */
function writeInOrder(at: usize): bool {
  const own = ++stamp
  clearExtra()
  let next = fieldsFrom
  let last: usize = 0
  at = skipSpace(at + 1)
  if (load<u8>(at) != 0x7d) {
    while (true) {
      const field = fieldOf(++at, fieldsFrom, fieldsEnd, last)
      if (field != 0) {
        last = field
        if (field < next) {
          isInOrder = false
          return false
        }
        for (; next != field; next += fieldBytes) endCell()
        next += fieldBytes
        at = writeCell(kindOf(field), skipSpace(skipSpace(at + keyBytes(field)) + 1))
      } else at = takeUnknown(at, own)
      if (at == 0) return false
      at = skipComma(at)
      if (load<u8>(at) == 0x7d) break
    }
  }
  for (; next != fieldsEnd; next += fieldBytes) endCell()
  return true
}

/** Writes cells as their members come and then puts them in order. */
function writeReordered(at: usize): bool {
  const own = ++stamp
  clearExtra()
  const start = out
  beginAt(cellRoom, guarded)
  let last: usize = 0
  let next = fieldsFrom
  isInOrder = true
  at = skipSpace(at + 1)
  if (load<u8>(at) != 0x7d) {
    while (true) {
      const field = fieldOf(++at, fieldsFrom, fieldsEnd, last)
      if (field != 0) {
        if (load<u32>(field, fieldSeen) == own) return false
        if (field < next) isInOrder = false
        store<u32>(field, own, fieldSeen)
        last = next = field
        store<u32>(field, u32(out), fieldCell)
        at = writeCell(kindOf(field), skipSpace(skipSpace(at + keyBytes(field)) + 1))
        store<u32>(field, u32(out), fieldCellEnd)
      } else at = takeUnknown(at, own)
      if (at == 0) return false
      at = skipComma(at)
      if (load<u8>(at) == 0x7d) break
    }
  }
  beginAt(start, guarded)
  for (let field = fieldsFrom; field != fieldsEnd; field += fieldBytes) {
    if (load<u32>(field, fieldSeen) != own) endCell()
    else copyCell(usize(load<u32>(field, fieldCell)), usize(load<u32>(field, fieldCellEnd)))
  }
  return true
}

// @ts-ignore: decorator
@inline
function kindOf(field: usize): u32 {
  return load<u32>(usize(load<u32>(field, fieldNode)), nodeKind)
}
