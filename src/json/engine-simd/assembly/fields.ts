// Finds, keeps and drops records' own members by name, from the positions that a scan has noted: for each record the
// opening brace, then a colon and a separator for each member, the last of them the closing brace. Nothing of a record
// is read but its keys, none of which is spelled with an escape.

import { boundsAt, eventsAt, metAt, nameBytesAt, namesAt, rowsAt, rowsBytes, tableAt, tableMask } from './memory'

let names: u32 = 0
/** Bit n is set where a name of n bytes, or for 63 of that many or more, is in the set: most other keys are told by
 *  that. */
let lengths: u64 = 0

/** Begins a set of names. Its bytes come to the address that is returned. */
export function beginNames(): usize {
  memory.fill(tableAt, 0, (usize(tableMask) + 1) << 1)
  names = 0
  lengths = 0
  lengths = 0
  return nameBytesAt
}

/** Adds the name whose bytes are at [at, at + length), distinct from all before it; with a length of 0xffffffff one
 *  that no bytes can spell. */
export function addName(at: usize, length: u32): void {
  const entry = namesAt + (usize(names) << 3)
  store<u32>(entry, u32(at))
  store<u32>(entry, length, 4)
  names++
  if (length == 0xffffffff) return
  lengths |= (<u64>1) << u64(min(length, 63))
  let slot = hashOf(at, length) & tableMask
  while (load<u16>(tableAt + (usize(slot) << 1)) != 0) slot = (slot + 1) & tableMask
  store<u16>(tableAt + (usize(slot) << 1), u16(names))
}

/** Index of the name at [at, at + length), -1 where it is none of the set. */
// @ts-ignore: decorator
@inline
function indexOf(at: usize, length: u32): i32 {
  if (((lengths >> u64(min(length, 63))) & 1) == 0) return -1
  let slot = hashOf(at, length) & tableMask
  let index = i32(load<u16>(tableAt + (usize(slot) << 1))) - 1
  while (index >= 0) {
    const entry = namesAt + (usize(index) << 3)
    if (load<u32>(entry, 4) == length && isEqual(usize(load<u32>(entry)), at, length)) break
    slot = (slot + 1) & tableMask
    index = i32(load<u16>(tableAt + (usize(slot) << 1))) - 1
  }
  return index
}

// @ts-ignore: decorator
@inline
function hashOf(at: usize, length: u32): u32 {
  const first = load<u64>(at) & (length >= 8 ? ~(<u64>0) : ((<u64>1) << (length << 3)) - 1)
  return u32(((first + u64(length)) * 0x9e3779b97f4a7c15) >> 44)
}

// @ts-ignore: decorator
@inline
function isEqual(a: usize, b: usize, length: u32): bool {
  let at: u32 = 0
  for (; at + 8 <= length; at += 8) if (load<u64>(a + at) != load<u64>(b + at)) return false
  for (; at < length; at++) if (load<u8>(a + at) != load<u8>(b + at)) return false
  return true
}

/** First byte of the key after the separator at `separator`: after its quote. */
// @ts-ignore: decorator
@inline
function keyStart(separator: usize): usize {
  let at = separator + 1
  while (load<u8>(at) != 0x22) at++
  return at + 1
}

/** The closing quote of the key before the colon at `colon`. */
// @ts-ignore: decorator
@inline
function keyEnd(colon: usize): usize {
  let at = colon - 1
  while (load<u8>(at) != 0x22) at--
  return at
}

// @ts-ignore: decorator
@inline
function isWhite(byte: u8): bool {
  return byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
}

/**
 * Writes rows of value ranges for records [from, to), as many as there is room for: see `RecordFields.locate`.
 * @param event index of the record's first event
 * @returns the number of rows; `lastEvent` then tells where the next record's events begin
 */
export function locate(from: u32, to: u32, event: u32, base: usize): u32 {
  const rowBytes = names << 3
  let room = rowsBytes
  let row = rowsAt
  let next = eventsAt + (usize(event) << 2)
  let record = from
  for (; record < to && room >= rowBytes; record++) {
    memory.fill(row, 0, usize(rowBytes))
    const last = load<u32>(boundsAt + (usize(record) << 3), 4) - 1
    let separator = load<u32>(next)
    next += 4
    while (separator != last) {
      const colon = load<u32>(next)
      next += 4
      if (colon == last) break // no members
      const end = load<u32>(next)
      next += 4
      const start = keyStart(base + separator)
      const stop = keyEnd(base + colon)
      const index = indexOf(start, u32(stop - start))
      if (index >= 0) {
        let valueStart = base + colon + 1
        let valueEnd = base + end
        while (isWhite(load<u8>(valueStart))) valueStart++
        while (isWhite(load<u8>(valueEnd - 1))) valueEnd--
        store<u32>(row + (usize(index) << 3), u32(valueStart - base))
        store<u32>(row + (usize(index) << 3), u32(valueEnd - base), 4)
      }
      separator = end
    }
    row += rowBytes
    room -= rowBytes
  }
  lastEvent = u32(next - eventsAt) >> 2
  return record - from
}

/** Index after the last event that `locate` has read. */
export let lastEvent: u32 = 0

/**
 * Writes records [0, count) without the members of the set to `out`, a line each, their bounds where `locate` has its
 * rows, and which names of the set they have.
 * @returns the bytes written
 */
export function exclude(count: u32, base: usize, out: usize): u32 {
  return write(count, base, out, false)
}

/** The same with no other members than those of the set. */
export function select(count: u32, base: usize, out: usize): u32 {
  return write(count, base, out, true)
}

// @ts-ignore: decorator
@inline
function write(count: u32, base: usize, out: usize, keepsNamed: bool): u32 {
  memory.fill(metAt, 0, usize(names))
  let next = eventsAt
  let to = out
  for (let record: u32 = 0; record < count; record++) {
    const first = load<u32>(boundsAt + (usize(record) << 3))
    const last = load<u32>(boundsAt + (usize(record) << 3), 4) - 1
    const start = to
    let separator = load<u32>(next)
    next += 4
    /** First separator of the run of kept members in hand. */
    let run = first
    let hasRun = load<u32>(next) == last
    while (separator != last) {
      const colon = load<u32>(next)
      next += 4
      if (colon == last) break // no members
      const end = load<u32>(next)
      next += 4
      const keyFrom = keyStart(base + separator)
      const keyTo = keyEnd(base + colon)
      const index = indexOf(keyFrom, u32(keyTo - keyFrom))
      if (index >= 0) store<u8>(metAt + usize(index), 1)
      if (index >= 0 == keepsNamed) {
        if (!hasRun) run = separator
        hasRun = true
      } else if (hasRun) {
        to = copy(to, base + run, separator - run)
        hasRun = false
      }
      separator = end
    }
    if (hasRun) to = copy(to, base + run, last - run)
    if (to == start) to++
    store<u8>(start, 0x7b) // over the separator of the first member that is kept
    store<u16>(to, 0x0a7d) // } and a line feed
    store<u32>(rowsAt + (usize(record) << 3), u32(start - out))
    store<u32>(rowsAt + (usize(record) << 3), u32(to + 1 - out), 4)
    to += 2
  }
  return u32(to - out)
}

/** Copies, and writes up to 15 bytes more. */
// @ts-ignore: decorator
@inline
function copy(to: usize, from: usize, length: u32): usize {
  if (length > 512) memory.copy(to, from, usize(length))
  else for (let at: u32 = 0; at < length; at += 16) v128.store(to + at, v128.load(from + at))
  return to + length
}
