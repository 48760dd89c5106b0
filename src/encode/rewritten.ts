// Batches in whose records something is put in place of bytes that are found.

import { RecordBatch } from '../record.js'

/** What stands in place of `length` bytes of a batch from `at` on. */
export interface Replacement {
  readonly at: number
  readonly length: number
  /** ASCII, at least as long as what it replaces. */
  readonly text: string
}

/** The records with the replacements, which come in the order of their places and inside of records: a batch with bytes
 *  of its own, which has at least one record. */
export function rewritten(batch: RecordBatch, replacements: readonly Replacement[]): RecordBatch {
  const { count, isLines } = batch
  const first = batch.start(0)
  const last = batch.end(count - 1) + (isLines ? 1 : 0)
  const growth = replacements.reduce((sum, { length, text }) => sum + text.length - length, 0)
  const bytes = Buffer.allocUnsafe(last - first + growth)
  const bounds = new Uint32Array(2 * count)
  let from = first
  /** From a place in the batch to the same in the new bytes. */
  let shift = -first
  let bound = 0
  for (const { at, length, text } of replacements) {
    for (; bound < bounds.length && batch.bounds[bound]! <= at; bound++) bounds[bound] = batch.bounds[bound]! + shift
    batch.bytes.copy(bytes, from + shift, from, at)
    bytes.write(text, at + shift, 'latin1')
    from = at + length
    shift += text.length - length
  }
  batch.bytes.copy(bytes, from + shift, from, last)
  for (; bound < bounds.length; bound++) bounds[bound] = batch.bounds[bound]! + shift
  // positions in the page are no longer those of these bytes
  return new RecordBatch({ ...batch, bytes, bounds, byteOffset: undefined, fields: undefined })
}
