// What the kernel does for its driver, kernel.ts one folder up: every export of the module.

import { beginHashes } from './hash'
import { addNumber, addText, beginLeaf, giveUp, resetLeaf } from './leaf'
import { beginNumbers } from './number'
import { leafBytes, leavesAt, leavesEnd, noteJudged, placeLeaves } from './state'
import { beginTimestamps } from './timestamp'

export { allocate, release, restart, resultAt } from './memory'
export { addNull, addBoolean, endRecord } from './leaf'
export { beginShredder, moveRoom, shred } from './shred'
export { beginPages, describe, gather, nextPage } from './pages'
export {
  greatestAt,
  greatestBuffers,
  greatestTextAt,
  leastAt,
  leastBuffers,
  leastTextAt,
} from './state'
export { fieldMismatches, indexFields } from './walk'
export * from './image'
export { boundText } from './bounds'
export { judge } from './leaf'

/** Begins with `count` leaves at `at`, where there is room for three times as many; their levels and kinds are written
 *  there. */
export function begin(at: usize, count: u32): void {
  placeLeaves(at, count)
  noteJudged()
  beginHashes()
  beginNumbers()
  beginTimestamps()
  for (let leaf = leavesAt; leaf < leavesEnd; leaf += leafBytes) beginLeaf(leaf)
}

/** Empties all leaves for the next row group. */
export function reset(): void {
  for (let leaf = leavesAt; leaf < leavesEnd; leaf += leafBytes) resetLeaf(leaf)
}

/** Adds text without regard to whether the dictionary has room for it: it is given up if it has none. */
export function putText(leaf: usize, repetition: u32, at: usize, length: u32): void {
  if (addText(leaf, repetition, at, length)) return
  giveUp(leaf)
  addText(leaf, repetition, at, length)
}

/** As `putText` for an int64, a timestamp or the bits of a double. */
export function putNumber(leaf: usize, repetition: u32, value: u64): void {
  if (addNumber(leaf, repetition, value)) return
  giveUp(leaf)
  addNumber(leaf, repetition, value)
}

export function putDouble(leaf: usize, repetition: u32, value: f64): void {
  putNumber(leaf, repetition, reinterpret<u64>(value))
}
