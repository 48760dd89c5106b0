// Counts the records of an output by reading it as what it is: NDJSON and JSON through the slicer, which proves that they are whole, CSV row by row, compressed
// or not. Memory is bounded by the largest record.

import { MiB } from '../bytes/units.js'
import type { Manifest } from '../checkpoint/manifest.js'
import { DataError } from '../errors.js'
import { type CancellableBody, decodeBody } from '../http/decode.js'
import { slicerFactory } from '../json/engines.js'
import type { Slicer, SlicerFactory } from '../json/slicer.js'
import { CsvRowCounter } from './csv-rows.js'

/** The highest that an export may be told, and a level for a key around a record. */
const limits = { maxDepth: 1001, maxRecordBytes: 512 * MiB, maxCursorBytes: 64 * MiB }

/** Whether records under this compression can be counted. Before 24.22.1 and 26.10, Node.js stops after the first frame of zstd, and takes one that is cut for
 *  whole. */
export function isCountable({ compression }: Manifest): boolean {
  return compression !== 'zstd'
}

/**
 * Not for Parquet, whose footer tells.
 * @param body the bytes of the file
 * @param slicers for one file after the other; to make them costs more than to read a small file
 * @throws DataError, UpstreamError where they are not whole or not what `manifest` says
 */
export async function countRecords(
  body: CancellableBody,
  manifest: Manifest,
  slicers: () => Promise<SlicerFactory> = () => slicerFactory('simd'),
): Promise<number> {
  const { format, compression, options } = manifest
  const bytes = compression === 'gzip' ? decodeBody(body, ['gzip']) : body
  if (format === 'csv') {
    const quote = options['csvQuote']
    return countRows(
      bytes,
      new CsvRowCounter({ quote: typeof quote === 'string' ? quote : '"', hasHeader: options['csvHeader'] !== false }),
    )
  }
  const factory = await slicers()
  if (format === 'ndjson') return sliced(bytes, factory({ page: 1, ...limits, isNdjson: true }))
  const isKeyed = typeof options['keyBy'] === 'string'
  return sliced(bytes, factory({ page: 1, ...limits, isKeyed }), isKeyed ? 'keyed' : 'array')
}

async function countRows(bytes: AsyncIterable<Uint8Array>, rows: CsvRowCounter): Promise<number> {
  for await (const chunk of bytes) rows.add(chunk)
  return rows.end()
}

async function sliced(bytes: AsyncIterable<Uint8Array>, slicer: Slicer, framing?: 'array' | 'keyed'): Promise<number> {
  let records = 0
  let lastByte = 0x0a
  for await (const chunk of bytes) {
    for (const batch of slicer.push(chunk)) records += batch.count
    lastByte = chunk.at(-1) ?? lastByte
  }
  for (const batch of slicer.end()) records += batch.count
  if (lastByte !== 0x0a) throw new DataError('ERR_JSON_SYNTAX', 'the last line has no end')
  if (framing !== undefined && slicer.facts.framing !== framing) {
    throw new DataError(
      'ERR_SCHEMA',
      `the document is no ${framing === 'array' ? 'array of records' : 'object of keyed records'}`,
    )
  }
  return records
}
