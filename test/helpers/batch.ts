// Batches for tests, made from JSON texts the way a slicer would give them.

import { RecordBatch, type RecordBatchInit } from '../../src/record.js'

/** A batch whose records are `texts`, one per line, as the first records of page 1. */
export function batchOf(...texts: string[]): RecordBatch {
  return batchWith(texts)
}

/** A batch whose records are `texts`, one per line; `init` replaces what `batchOf` sets (page, keys, offsets, …). */
export function batchWith(texts: readonly string[], init: Partial<RecordBatchInit> = {}): RecordBatch {
  const bounds = new Uint32Array(2 * texts.length)
  const lines: Buffer[] = []
  let at = 0
  texts.forEach((text, index) => {
    const line = Buffer.from(`${text}\n`)
    bounds[2 * index] = at
    at += line.length
    bounds[2 * index + 1] = at - 1
    lines.push(line)
  })
  return new RecordBatch({
    bytes: Buffer.concat(lines),
    bounds,
    count: texts.length,
    page: 1,
    firstRecordIndex: 0,
    byteOffset: 0,
    isLines: true,
    ...init,
  })
}
