// The state of the leaves: where its parts are. Each leaf has a block of what changes with each value, at the same
// distance a copy of it, and at the same distance again what changes seldom.

export const kindString: u32 = 0
export const kindJson: u32 = 1
export const kindBoolean: u32 = 2
export const kindTimestamp: u32 = 3
export const kindInt64: u32 = 4
export const kindDouble: u32 = 5
export const kindStruct: u32 = 6
export const kindList: u32 = 7

// What changes with each value.
/** Streams: see stream.ts. */
export const repetitions: usize = 0
export const definitions: usize = 12
/** Indices of two bytes, or values in PLAIN encoding, a byte for a boolean. */
export const values: usize = 24
/** Distinct values in PLAIN encoding, each of them in one piece. */
export const entryStream: usize = 36
/** Values that are not null. */
export const countAt: usize = 48
export const distinctAt: usize = 52
/** Bytes of the distinct values. */
export const dictionaryBytesAt: usize = 56
/** A byte each: greatest repetition level, greatest definition level, kind. They do not change. */
export const levelsAt: usize = 60
/** A byte: whether there is a dictionary in this row group. It changes when a record has ended only. */
export const dictionaryFlag: usize = 63
/** Bounds: a number, or of text the first 8 bytes, and then its length and in the highest bit which of two buffers has
 *  it. */
export const leastAt: usize = 64
export const greatestAt: usize = 72
export const leastTextAt: usize = 80
export const greatestTextAt: usize = 84
/** Address of the dictionary's entry that was found last, 0 for none, and its index. */
export const lastEntryAt: usize = 88
export const lastIndexAt: usize = 92
export const leafBytes: usize = 96
/** Each leaf is there so often: what changes with each value, a copy of it, and what seldom changes. */
export const leafCopies: usize = 3

// What changes seldom.
/** First chunks of the streams. */
export const repetitionHead: usize = 0
export const definitionHead: usize = 4
export const valueHead: usize = 8
export const dictionaryHead: usize = 12
/** Hash table of the dictionary: for each slot u32 address of the value, 0 is empty, u16 index and u16 of the hash; and
 *  its slots. */
export const tableAt: usize = 16
export const slotsAt: usize = 20
/** Addresses of the distinct values, half as many as there are slots. */
export const entriesAt: usize = 24
/** Distinct values at which the dictionary is judged next. */
export const nextTrial: usize = 32
/** Two buffers for the least text and two for the greatest: address and size of each. */
export const leastBuffers: usize = 40
export const greatestBuffers: usize = 56

/** leaf.ts */
export const keptBoundBytes: u32 = 65

// dictionary-rule.ts
export const maxDistinct: u32 = 16384
export const maxDictionaryBytes: u32 = 1048576
export const trialDistinct: u32 = 2048
export const maxEntryBytes: u32 = 8192

export let leavesAt: usize = 0
export let leavesEnd: usize = 0
let savedDistance: usize = 0

/** @param at room for three times `count` leaves */
export function placeLeaves(at: usize, count: u32): void {
  leavesAt = at
  savedDistance = usize(count) * leafBytes
  leavesEnd = at + savedDistance
}

// @ts-ignore: decorator
@inline
export function savedOf(leaf: usize): usize {
  return leaf + savedDistance
}

// @ts-ignore: decorator
@inline
export function coldOf(leaf: usize): usize {
  return leaf + savedDistance + savedDistance
}

// @ts-ignore: decorator
@inline
export function kindOf(leaf: usize): u32 {
  return u32(load<u8>(leaf, levelsAt + 2))
}

// @ts-ignore: decorator
@inline
export function isText(leaf: usize): bool {
  return kindOf(leaf) <= kindJson
}

/** Whether a dictionary has grown so far that it is to be judged when the record ends. */
export let isJudgeDue: bool = false

export function dueJudge(): void {
  isJudgeDue = true
}

export function noteJudged(): void {
  isJudgeDue = false
}
