// Counts the records of an output by reading it as what it is: NDJSON and JSON through the slicer, which proves that
// they are whole, CSV row by row, compressed or not. Memory is bounded by the largest record.

import { MiB } from '../bytes/units.js'
import type { Manifest } from '../checkpoint/manifest.js'
import type { Format } from '../encode/formats.js'
import { DataError } from '../errors.js'
import { type CancellableBody, decodeBody } from '../http/decode.js'
import { slicerFactory } from '../json/engines.js'
import type { Slicer, SlicerFactory } from '../json/slicer.js'
import { dialectOf } from '../readers/facts.js'
import { hasZstd, unpackedZstd } from '../source/packed.js'
import { CsvRowCounter } from './csv-rows.js'
import { parquetRows, type ReadRange } from './parquet-rows.js'

/** The highest that an export may be told, and a level for a key around a record. */
const limits = { maxDepth: 1001, maxRecordBytes: 512 * MiB, maxCursorBytes: 64 * MiB }

/** A file whose records are counted. */
export interface CountedFile<B = CancellableBody> {
  /** All of its bytes. */
  bytes(): B
  /** What `count` finds by reading parts of it. */
  ranges(count: (size: number, read: ReadRange) => Promise<number>): Promise<number>
}

/** Counts the records of one file. Rejects with DataError or UpstreamError where they are not whole, or not what the
 *  manifest says. */
export type RecordCounter = (file: CountedFile) => Promise<number>

/** Counts the records of the files of an output, one after the other; null where this Node.js has no zstd, and they are
 *  under that. */
export function recordCounter({ format, compression, options }: Manifest): RecordCounter | null {
  const count = counters[format](options)
  if (compression === 'none') return count
  if (compression === 'gzip') return (file) => count({ ...file, bytes: () => decodeBody(file.bytes(), ['gzip']) })
  return hasZstd ? (file) => count({ ...file, bytes: () => unpackedZstd(file.bytes(), 'the file') }) : null
}

/** How records are counted, by format. */
const counters = {
  ndjson: () => {
    const slicers = slicersOnDemand()
    return async (file) => sliced(file.bytes(), (await slicers())({ page: 1, ...limits, isNdjson: true }))
  },
  json: ({ keyBy }) => {
    const slicers = slicersOnDemand()
    const isKeyed = typeof keyBy === 'string'
    return async (file) =>
      sliced(file.bytes(), (await slicers())({ page: 1, ...limits, isKeyed }), isKeyed ? 'keyed' : 'array')
  },
  csv: (options) => (file) => countRows(file.bytes(), new CsvRowCounter(dialectOf(options))),
  parquet: () => (file) => file.ranges(parquetRows), // the footer tells
} satisfies Record<
  Format,
  (options: Manifest['options']) => (file: CountedFile<AsyncIterable<Uint8Array>>) => Promise<number>
>

/** Slicers for one file after the other: to make them costs more than to read a small file. */
function slicersOnDemand(): () => Promise<SlicerFactory> {
  let slicers: Promise<SlicerFactory> | undefined
  return () => {
    slicers ??= slicerFactory('simd')
    return slicers
  }
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
