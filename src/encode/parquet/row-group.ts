// One row group: the pages of each column, handed on one by one, and the metadata that the footer has of it.

import { KiB, MiB } from '../../bytes/units.js'
import type { LeafColumn, LeafColumns, PageBody } from '../columns/leaf.js'
import type { ByteSink } from '../encoder.js'
import { bloomFilter } from './bloom.js'
import type { ParquetCompression } from './choices.js'
import { type Compress, codecId } from './compression.js'
import { dataPageHeader, dictionaryPageHeader, encodingId, hasDictionary, pageBodies, pageTypeId } from './pages.js'
import { physicalType } from './schema.js'
import { writeStatistics } from './statistics.js'
import { ThriftWriter, thriftBinary, thriftI32, thriftStruct } from './thrift.js'
import type { Turn } from './turn.js'

/** Bytes of a data page before compression, levels counted a byte each: readers hold a page at a time. */
export const pageBytes = MiB

/** A page of as many bytes, compressed, is not copied for the sake of one write less. */
const copiedBytes = 64 * KiB

/** Ids of the fields of parquet.thrift RowGroup, ColumnChunk, ColumnMetaData and PageEncodingStats. */
const groupId = { columns: 1, size: 2, rows: 3, offset: 5, compressedSize: 6 } as const
const chunkId = { offset: 2, metadata: 3 } as const
const metadataId = {
  type: 1,
  encodings: 2,
  path: 3,
  codec: 4,
  entries: 5,
  size: 6,
  compressedSize: 7,
  dataOffset: 9,
  dictionaryOffset: 11,
  statistics: 12,
  encodingStats: 13,
  bloomOffset: 14,
  bloomLength: 15,
} as const
const pageStatsId = { pageType: 1, encoding: 2, count: 3 } as const

export interface RowGroupInit {
  readonly columns: LeafColumns
  readonly leafCount: number
  /** Where the row group begins in the file. */
  readonly offset: number
  readonly out: ByteSink
  readonly compression: ParquetCompression
  /** Of that compression; null for none. */
  readonly compress: Compress | null
  readonly turn: Turn
  /** Whether the column of ids gets a Bloom filter. */
  readonly hasBloomFilter: boolean
}

export interface RowGroup {
  /** A RowGroup of parquet.thrift. */
  readonly metadata: Buffer
  /** Bytes that were written. */
  readonly length: number
}

/** Writes a row group of at least one row. */
export async function writeRowGroup(init: RowGroupInit): Promise<RowGroup> {
  const { columns, leafCount, compression } = init
  const chunks = new ThriftWriter()
  const encoded: Buffer[] = []
  let offset = init.offset
  let size = 0
  let compressedSize = 0
  for (let leaf = 0; leaf < leafCount; leaf++) {
    const column = columns.column(leaf)
    const chunk = await writeChunk(column, offset, init)
    offset += chunk.compressedSize
    size += chunk.size
    compressedSize += chunk.compressedSize
    // after the pages of its own column, since what a column holds is known no longer than that
    const bloom = init.hasBloomFilter && isOfIds(column) ? await bloomFilter(column, init.turn) : null
    const bloomOffset = offset
    if (bloom !== null) {
      await init.out.write(bloom)
      offset += bloom.length
    }
    chunks.element(() => {
      chunks.i64(chunkId.offset, 0) // that of metadata outside of the footer, of which there is none
      chunks.struct(chunkId.metadata, () => {
        writeMetadata(chunks, column, chunk, compression)
        if (bloom === null) return
        chunks.i64(metadataId.bloomOffset, bloomOffset)
        chunks.i32(metadataId.bloomLength, bloom.length)
      })
    })
    encoded.push(chunks.take())
  }
  const group = new ThriftWriter()
  group.element(() => {
    group.list(groupId.columns, thriftStruct, encoded, (chunk) => group.raw(chunk))
    group.i64(groupId.size, size)
    group.i64(groupId.rows, columns.rows)
    group.i64(groupId.offset, init.offset)
    group.i64(groupId.compressedSize, compressedSize)
  })
  return { metadata: group.take(), length: offset - init.offset }
}

function isOfIds({ leaf }: LeafColumn): boolean {
  return leaf.kind === 'string' && leaf.path.length === 1 && leaf.path[0] === 'id'
}

/** Where the pages of a column are and what they take, headers included. */
interface Chunk {
  readonly dictionaryOffset: number | null
  readonly dataOffset: number
  /** Before compression. */
  readonly size: number
  readonly compressedSize: number
  readonly dataPages: number
}

async function writeChunk(column: LeafColumn, offset: number, init: RowGroupInit): Promise<Chunk> {
  const { out, compress, turn } = init
  const isJson = column.leaf.kind === 'json'
  const isIndexed = hasDictionary(column)
  const encoding = isIndexed ? encodingId.rleDictionary : encodingId.plain
  let size = 0
  let compressedSize = 0
  let dataPages = 0
  let dataOffset = offset
  for (const { entries, bytes, isDictionary } of pagesOf(column, isIndexed)) {
    const compressed = compress === null ? bytes : compress(bytes, isJson)
    const stored = compressed instanceof Uint8Array ? compressed : await compressed
    const page = { size: bytes.length, stored, entries }
    const header = isDictionary ? dictionaryPageHeader(page) : dataPageHeader(page, encoding)
    size += header.length + bytes.length
    compressedSize += header.length + stored.length
    if (isDictionary) dataOffset = offset + compressedSize
    else dataPages++
    if (stored.length < copiedBytes) await out.write(Buffer.concat([header, stored]))
    else {
      await out.write(header)
      await out.write(stored)
    }
    if (turn.isOver) await turn.take()
  }
  return { dictionaryOffset: isIndexed ? offset : null, dataOffset, size, compressedSize, dataPages }
}

interface Page extends PageBody {
  readonly isDictionary: boolean
}

/** The bodies of a column's pages, each valid until the next one is asked for: the dictionary, where its values are `isIndexed`, then the data. */
function* pagesOf(column: LeafColumn, isIndexed: boolean): Generator<Page, void, undefined> {
  const { values } = column
  if (isIndexed && values.kind === 'dictionary')
    yield { isDictionary: true, entries: values.count, bytes: values.bytes }
  for (const { entries, bytes } of column.pages?.(pageBytes) ?? pageBodies(column, pageBytes))
    yield { isDictionary: false, entries, bytes }
}

function writeMetadata(thrift: ThriftWriter, column: LeafColumn, chunk: Chunk, compression: ParquetCompression): void {
  const { leaf, entries } = column
  const { plain, rle, rleDictionary } = encodingId
  const isIndexed = chunk.dictionaryOffset !== null
  thrift.i32(metadataId.type, physicalType[leaf.kind])
  const encodings = isIndexed ? [plain, rle, rleDictionary] : [plain, rle]
  thrift.list(metadataId.encodings, thriftI32, encodings, (encoding) => thrift.i32Element(encoding))
  thrift.list(metadataId.path, thriftBinary, leaf.path, (name) => thrift.textElement(name))
  thrift.i32(metadataId.codec, codecId[compression])
  thrift.i64(metadataId.entries, entries)
  thrift.i64(metadataId.size, chunk.size)
  thrift.i64(metadataId.compressedSize, chunk.compressedSize)
  thrift.i64(metadataId.dataOffset, chunk.dataOffset)
  if (chunk.dictionaryOffset !== null) thrift.i64(metadataId.dictionaryOffset, chunk.dictionaryOffset)
  writeStatistics(thrift, metadataId.statistics, column)
  // by these a reader knows that no page fell back to PLAIN, so that the dictionary has every value of the chunk
  const data = { pageType: pageTypeId.data, encoding: isIndexed ? rleDictionary : plain, count: chunk.dataPages }
  const dictionary = { pageType: pageTypeId.dictionary, encoding: plain, count: 1 }
  thrift.list(metadataId.encodingStats, thriftStruct, isIndexed ? [dictionary, data] : [data], (stats) =>
    thrift.element(() => {
      thrift.i32(pageStatsId.pageType, stats.pageType)
      thrift.i32(pageStatsId.encoding, stats.encoding)
      thrift.i32(pageStatsId.count, stats.count)
    }),
  )
}
