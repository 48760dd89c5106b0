// The distinct values of a leaf, in the order in which they were first seen, and a hash table over their bytes.

import { setBounds } from './bounds'
import { hashOf, hashOfLong, hashOfShort } from './hash'
import { allocate, release } from './memory'
import {
  coldOf,
  dictionaryBytesAt,
  dictionaryFlag,
  distinctAt,
  dueJudge,
  entriesAt,
  entryStream,
  isText,
  lastEntryAt,
  lastIndexAt,
  maxDictionaryBytes,
  maxDistinct,
  maxEntryBytes,
  nextTrial,
  slotsAt,
  tableAt,
  trialDistinct,
} from './state'
import { copyText, reserveWhole } from './stream'

const firstSlots: u32 = 128
/** In a slot, after the address of the value. */
const slotIndex: usize = 4
const slotHash: usize = 6
/** Indices have two bytes. */
const mostEntries: u32 = 65536

// @ts-ignore: decorator
@inline
export function hasDictionary(leaf: usize): bool {
  return load<u8>(leaf, dictionaryFlag) != 0
}

// @ts-ignore: decorator
@inline
export function distinctOf(leaf: usize): u32 {
  return load<u32>(leaf, distinctAt)
}

/** Empties the dictionary, whose entries' stream is empty. */
export function resetDictionary(leaf: usize, isWanted: bool): void {
  const cold = coldOf(leaf)
  store<u32>(leaf, 0, distinctAt)
  store<u32>(leaf, 0, dictionaryBytesAt)
  store<u32>(leaf, 0, lastEntryAt)
  store<u8>(leaf, u8(isWanted), dictionaryFlag)
  store<u32>(cold, trialDistinct, nextTrial)
  if (!isWanted) return
  if (load<u32>(cold, tableAt) == 0) makeTable(cold, firstSlots)
  else memory.fill(usize(load<u32>(cold, tableAt)), 0, usize(load<u32>(cold, slotsAt)) << 3)
}

/** Ends the dictionary for this row group. */
export function dropDictionary(leaf: usize): void {
  store<u8>(leaf, 0, dictionaryFlag)
  store<u32>(leaf, 0, distinctAt)
  store<u32>(leaf, 0, dictionaryBytesAt)
}

function makeTable(cold: usize, slots: u32): void {
  const table = allocate(usize(slots) << 3)
  memory.fill(table, 0, usize(slots) << 3)
  store<u32>(cold, u32(table), tableAt)
  store<u32>(cold, slots, slotsAt)
  store<u32>(cold, u32(allocate(usize(slots) << 1)), entriesAt)
}

/** Index of the text at [at, at + length), which is new or not; -1 where there is no room for it. Up to 16 bytes after
 *  it are read. */
// @ts-ignore: decorator
@inline
export function findOrAddText(leaf: usize, at: usize, length: u32): i32 {
  if (length <= 16) return isLast(leaf, at, length, 4, true) ? lastIndexOf(leaf) : searchShort(leaf, at, length)
  return isLast(leaf, at, length, 4, false) ? lastIndexOf(leaf) : searchLong(leaf, at, length)
}

/** As `findOrAddText` for a value of 8 bytes. */
// @ts-ignore: decorator
@inline
export function findOrAddNumber(leaf: usize, at: usize): i32 {
  return isLast(leaf, at, 8, 0, true) ? lastIndexOf(leaf) : searchNumber(leaf, at)
}

/** Whether the value that came before is the same: the first guess.
 *  @param head bytes before the value in the dictionary: 4 for the length of a text, none for a number, whose 8 bytes
 *  are the value */
// @ts-ignore: decorator
@inline
function isLast(leaf: usize, at: usize, length: u32, head: usize, isShort: bool): bool {
  const last = usize(load<u32>(leaf, lastEntryAt))
  return last != 0 && isEntry(last, at, length, head, isShort)
}

// @ts-ignore: decorator
@inline
function lastIndexOf(leaf: usize): i32 {
  return i32(load<u32>(leaf, lastIndexAt))
}

function searchShort(leaf: usize, at: usize, length: u32): i32 {
  return searchOrAdd(leaf, at, length, 4, true)
}

function searchLong(leaf: usize, at: usize, length: u32): i32 {
  return searchOrAdd(leaf, at, length, 4, false)
}

function searchNumber(leaf: usize, at: usize): i32 {
  return searchOrAdd(leaf, at, 8, 0, true)
}

// @ts-ignore: decorator
@inline
function searchOrAdd(leaf: usize, at: usize, length: u32, head: usize, isShort: bool): i32 {
  const cold = coldOf(leaf)
  const table = usize(load<u32>(cold, tableAt))
  const slots = load<u32>(cold, slotsAt)
  const hash = isShort ? hashOfShort(at, length) : hashOfLong(at, length)
  let slot = slotOf(hash, slots)
  while (true) {
    const place = table + (usize(slot) << 3)
    const entry = usize(load<u32>(place))
    if (entry == 0) return add(leaf, cold, at, length, hash, place, head)
    if (load<u16>(place, slotHash) == u16(hash) && isEntry(entry, at, length, head, isShort)) {
      const index = u32(load<u16>(place, slotIndex))
      noteLast(leaf, entry, index)
      return i32(index)
    }
    slot = (slot + 1) & (slots - 1)
  }
}

/** Whether `entry` has the value at [at, at + length). @param isShort whether that is 16 bytes or less */
// @ts-ignore: decorator
@inline
function isEntry(entry: usize, at: usize, length: u32, head: usize, isShort: bool): bool {
  if (head == 0) return load<u64>(entry) == load<u64>(at)
  if (load<u32>(entry) != length) return false
  if (!isShort) return isSameText(entry + 4, at, length)
  const wanted = ((<u32>1) << length) - 1
  return (sameBytes(entry + 4, at) & wanted) == wanted
}

/** Whether texts of more than 16 bytes are the same. */
// @ts-ignore: decorator
@inline
function isSameText(a: usize, b: usize, length: u32): bool {
  const last = usize(length) - 16
  for (let at: usize = 0; at < last; at += 16) if (sameBytes(a + at, b + at) != 0xffff) return false
  return sameBytes(a + last, b + last) == 0xffff
}

/** Which of 16 bytes are the same. */
// @ts-ignore: decorator
@inline
function sameBytes(a: usize, b: usize): u32 {
  return u32(i8x16.bitmask(i8x16.eq(v128.load(a), v128.load(b))))
}

/** Where a hash is looked for first, among a power of two of slots. */
// @ts-ignore: decorator
@inline
function slotOf(hash: u32, slots: u32): u32 {
  return hash >> (clz<u32>(slots) + 1)
}

// @ts-ignore: decorator
@inline
function fillSlot(place: usize, entry: usize, index: u32, hash: u32): void {
  store<u32>(place, u32(entry))
  store<u16>(place, u16(index), slotIndex)
  store<u16>(place, u16(hash), slotHash)
}

// @ts-ignore: decorator
@inline
function noteLast(leaf: usize, entry: usize, index: u32): void {
  store<u32>(leaf, u32(entry), lastEntryAt)
  store<u32>(leaf, index, lastIndexAt)
}

function add(leaf: usize, cold: usize, at: usize, length: u32, hash: u32, place: usize, head: usize): i32 {
  const distinct = load<u32>(leaf, distinctAt)
  if (length > maxEntryBytes || distinct == mostEntries) return -1
  setBounds(leaf, at, length)
  const size = head + usize(length)
  const entry = reserveWhole(leaf + entryStream, size)
  if (head != 0) store<u32>(entry, length)
  copyText(entry + head, at, length)
  fillSlot(place, entry, distinct, hash)
  store<u32>(usize(load<u32>(cold, entriesAt)) + (usize(distinct) << 2), u32(entry))
  const bytes = load<u32>(leaf, dictionaryBytesAt) + u32(size)
  store<u32>(leaf, bytes, dictionaryBytesAt)
  store<u32>(leaf, distinct + 1, distinctAt)
  noteLast(leaf, entry, distinct)
  if (distinct + 1 >= load<u32>(cold, nextTrial) || distinct >= maxDistinct || bytes > maxDictionaryBytes) dueJudge()
  if ((distinct + 1) << 1 > load<u32>(cold, slotsAt) - 2) grow(leaf, cold, head)
  return i32(distinct)
}

/** Doubles the table. */
function grow(leaf: usize, cold: usize, head: usize): void {
  const slots = load<u32>(cold, slotsAt)
  const oldTable = usize(load<u32>(cold, tableAt))
  const oldEntries = usize(load<u32>(cold, entriesAt))
  const distinct = load<u32>(leaf, distinctAt)
  makeTable(cold, 2 * slots)
  const entries = usize(load<u32>(cold, entriesAt))
  memory.copy(entries, oldEntries, usize(distinct) << 2)
  const table = usize(load<u32>(cold, tableAt))
  const mask = 2 * slots - 1
  // in the order of their indices, so that the last can be taken out again without a gap before another
  for (let index: u32 = 0; index < distinct; index++) {
    const entry = usize(load<u32>(entries + (usize(index) << 2)))
    const hash = hashOfEntry(entry, head)
    let slot = slotOf(hash, 2 * slots)
    while (load<u32>(table + (usize(slot) << 3)) != 0) slot = (slot + 1) & mask
    fillSlot(table + (usize(slot) << 3), entry, index, hash)
  }
  release(oldTable, usize(slots) << 3)
  release(oldEntries, usize(slots) << 1)
}

/** Takes out the values from index `from` on. */
export function forgetFrom(leaf: usize, from: u32): void {
  const cold = coldOf(leaf)
  const table = usize(load<u32>(cold, tableAt))
  const slots = load<u32>(cold, slotsAt)
  const entries = usize(load<u32>(cold, entriesAt))
  const head: usize = isText(leaf) ? 4 : 0
  for (let index = load<u32>(leaf, distinctAt); index > from; index--) {
    const entry = usize(load<u32>(entries + (usize(index - 1) << 2)))
    let slot = slotOf(hashOfEntry(entry, head), slots)
    while (load<u32>(table + (usize(slot) << 3)) != u32(entry)) slot = (slot + 1) & (slots - 1)
    store<u64>(table + (usize(slot) << 3), 0)
  }
}

function hashOfEntry(entry: usize, head: usize): u32 {
  return hashOf(entry + head, head == 0 ? 8 : load<u32>(entry))
}
