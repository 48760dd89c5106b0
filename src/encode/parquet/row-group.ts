// One row group: the pages of each column, handed on one by one, and the facts that the footer has of it. They are
// counted from its own first byte, since a row group does not know where in a file it will stand.

import { KiB, MiB } from '../../bytes/units.js'
import type { LeafColumn, LeafColumns, PageBody } from '../columns/leaf.js'
import type { ByteSink } from '../encoder.js'
import { bloomFilter } from './bloom.js'
import type { Compress } from './compression.js'
import { dataPageHeader, dictionaryPageHeader, encodingId, hasDictionary, pageBodies } from './pages.js'
import { type Statistics, statisticsOf } from './statistics.js'
import type { Turn } from './turn.js'

/** Bytes of a data page before compression, levels counted a byte each: readers hold a page at a time. */
const pageBytes = MiB

/** A page of as many bytes, compressed, is not copied for the sake of one write less. */
const copiedBytes = 64 * KiB

export interface RowGroupInit {
  readonly columns: LeafColumns
  readonly leafCount: number
  /** Takes the bytes of the row group. */
  readonly out: ByteSink
  /** Null for none. */
  readonly compress: Compress | null
  readonly turn: Turn
  /** Whether the column of ids gets a Bloom filter. */
  readonly hasBloomFilter: boolean
}

/** What is known of a row group: plain data that shares no bytes with its columns. */
export interface RowGroup {
  readonly rows: number
  /** Bytes that were written. */
  readonly length: number
  /** One for each leaf. */
  readonly chunks: readonly ColumnChunk[]
}

/** What is known of the pages of one column. Places are counted from the first byte of the row group. */
export interface ColumnChunk extends Pages {
  /** Values and nulls. */
  readonly entries: number
  readonly statistics: Statistics | null
  readonly bloom: { readonly at: number; readonly length: number } | null
}

interface Pages {
  readonly dictionaryAt: number | null
  readonly dataAt: number
  /** Bytes of the pages before compression, headers included. */
  readonly size: number
  /** As they were written. */
  readonly compressedSize: number
  readonly dataPages: number
}

/** Writes a row group of at least one row. */
export async function writeRowGroup(init: RowGroupInit): Promise<RowGroup> {
  const { columns, leafCount } = init
  const chunks: ColumnChunk[] = []
  let length = 0
  for (let leaf = 0; leaf < leafCount; leaf++) {
    const chunk = await writeChunk(columns.column(leaf), length, init)
    length += chunk.compressedSize + (chunk.bloom?.length ?? 0)
    chunks.push(chunk)
  }
  return { rows: columns.rows, length, chunks }
}

/** @param at where the chunk begins in the row group */
async function writeChunk(column: LeafColumn, at: number, init: RowGroupInit): Promise<ColumnChunk> {
  const pages = await writePages(column, at, init)
  // after the pages of its own column, since what a column holds is known no longer than that
  const filter = init.hasBloomFilter && isOfIds(column) ? await bloomFilter(column, init.turn) : null
  if (filter !== null) await init.out.write(filter)
  return {
    ...pages,
    entries: column.entries,
    statistics: statisticsOf(column),
    bloom: filter && { at: at + pages.compressedSize, length: filter.length },
  }
}

function isOfIds({ leaf }: LeafColumn): boolean {
  return leaf.kind === 'string' && leaf.path.length === 1 && leaf.path[0] === 'id'
}

async function writePages(column: LeafColumn, at: number, init: RowGroupInit): Promise<Pages> {
  const { out, compress, turn } = init
  const isJson = column.leaf.kind === 'json'
  const isIndexed = hasDictionary(column)
  const encoding = isIndexed ? encodingId.rleDictionary : encodingId.plain
  let size = 0
  let compressedSize = 0
  let dataPages = 0
  let dataAt = at
  for (const { entries, bytes, isDictionary } of pagesOf(column, isIndexed)) {
    const compressed = compress === null ? bytes : compress(bytes, isJson)
    const stored = compressed instanceof Uint8Array ? compressed : await compressed
    const page = { size: bytes.length, stored, entries }
    const header = isDictionary ? dictionaryPageHeader(page) : dataPageHeader(page, encoding)
    size += header.length + bytes.length
    compressedSize += header.length + stored.length
    if (isDictionary) dataAt = at + compressedSize
    else dataPages++
    await writePage(out, header, stored)
    if (turn.isOver) await turn.take()
  }
  return { dictionaryAt: isIndexed ? at : null, dataAt, size, compressedSize, dataPages }
}

async function writePage(out: ByteSink, header: Buffer, stored: Uint8Array): Promise<void> {
  if (stored.length < copiedBytes) return out.write(Buffer.concat([header, stored]))
  await out.write(header)
  await out.write(stored)
}

interface Page extends PageBody {
  readonly isDictionary: boolean
}

/** The bodies of a column's pages, each valid until the next one is asked for: the dictionary, where its values are
 *  `isIndexed`, then the data. */
function* pagesOf(column: LeafColumn, isIndexed: boolean): Generator<Page, void, undefined> {
  const { values } = column
  if (isIndexed && values.kind === 'dictionary')
    yield { isDictionary: true, entries: values.count, bytes: values.bytes }
  for (const { entries, bytes } of column.pages?.(pageBytes) ?? pageBodies(column, pageBytes))
    yield { isDictionary: false, entries, bytes }
}
