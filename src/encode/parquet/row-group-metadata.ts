// What the footer has of a row group: the facts that its encoder gave, counted from its first byte, with the places
// that they have in the file.

import type { Leaf } from '../columns/leaf.js'
import type { ParquetCompression } from './choices.js'
import { codecId } from './compression.js'
import { encodingId, pageTypeId } from './pages.js'
import type { ColumnChunk, RowGroup } from './row-group.js'
import { physicalType } from './schema.js'
import { writeStatistics } from './statistics.js'
import { ThriftWriter, thriftBinary, thriftI32, thriftStruct } from './thrift.js'

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

export interface RowGroupPlace {
  /** Where the row group begins in the file. */
  readonly offset: number
  /** Leaves of the file, one for each chunk. */
  readonly leaves: readonly Leaf[]
  /** That of all pages. */
  readonly compression: ParquetCompression
}

/** A RowGroup of parquet.thrift. */
export function rowGroupMetadata({ rows, chunks }: RowGroup, place: RowGroupPlace): Buffer {
  const thrift = new ThriftWriter()
  const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0)
  thrift.element(() => {
    const placed = chunks.map((chunk, index) => ({ chunk, leaf: place.leaves[index]! }))
    thrift.list(groupId.columns, thriftStruct, placed, ({ chunk, leaf }) => writeChunk(thrift, chunk, leaf, place))
    thrift.i64(groupId.size, sum(chunks.map(({ size }) => size)))
    thrift.i64(groupId.rows, rows)
    thrift.i64(groupId.offset, place.offset)
    thrift.i64(groupId.compressedSize, sum(chunks.map(({ compressedSize }) => compressedSize)))
  })
  return thrift.take()
}

function writeChunk(thrift: ThriftWriter, chunk: ColumnChunk, leaf: Leaf, place: RowGroupPlace): void {
  thrift.element(() => {
    thrift.i64(chunkId.offset, 0) // that of metadata outside of the footer, of which there is none
    thrift.struct(chunkId.metadata, () => writeMetadata(thrift, chunk, leaf, place))
  })
}

function writeMetadata(thrift: ThriftWriter, chunk: ColumnChunk, leaf: Leaf, place: RowGroupPlace): void {
  const { plain, rle, rleDictionary } = encodingId
  const { dictionaryAt, statistics, bloom } = chunk
  const encodings = dictionaryAt === null ? [plain, rle] : [plain, rle, rleDictionary]
  thrift.i32(metadataId.type, physicalType[leaf.kind])
  thrift.list(metadataId.encodings, thriftI32, encodings, (encoding) => thrift.i32Element(encoding))
  thrift.list(metadataId.path, thriftBinary, leaf.path, (name) => thrift.textElement(name))
  thrift.i32(metadataId.codec, codecId[place.compression])
  thrift.i64(metadataId.entries, chunk.entries)
  thrift.i64(metadataId.size, chunk.size)
  thrift.i64(metadataId.compressedSize, chunk.compressedSize)
  thrift.i64(metadataId.dataOffset, place.offset + chunk.dataAt)
  if (dictionaryAt !== null) thrift.i64(metadataId.dictionaryOffset, place.offset + dictionaryAt)
  if (statistics !== null) writeStatistics(thrift, metadataId.statistics, statistics)
  writeEncodingStats(thrift, chunk)
  if (bloom === null) return
  thrift.i64(metadataId.bloomOffset, place.offset + bloom.at)
  thrift.i32(metadataId.bloomLength, bloom.length)
}

/** By these a reader knows that no page fell back to PLAIN, so that the dictionary has every value of the chunk. */
function writeEncodingStats(thrift: ThriftWriter, { dictionaryAt, dataPages }: ColumnChunk): void {
  const { plain, rleDictionary } = encodingId
  const isIndexed = dictionaryAt !== null
  const data = { pageType: pageTypeId.data, encoding: isIndexed ? rleDictionary : plain, count: dataPages }
  const dictionary = { pageType: pageTypeId.dictionary, encoding: plain, count: 1 }
  thrift.list(metadataId.encodingStats, thriftStruct, isIndexed ? [dictionary, data] : [data], (stats) =>
    thrift.element(() => {
      thrift.i32(pageStatsId.pageType, stats.pageType)
      thrift.i32(pageStatsId.encoding, stats.encoding)
      thrift.i32(pageStatsId.count, stats.count)
    }),
  )
}
