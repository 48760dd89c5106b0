// Data pages of version 1 and dictionary pages: how a column is cut into pages, what stands in the body of each, and
// the header before it.

import { crc32 } from 'node:zlib'
import type { LeafColumn, PageBody } from '../columns/leaf.js'
import { hybridBound, widthOf, writeHybrid } from './levels.js'
import { ThriftWriter } from './thrift.js'

/** parquet.thrift Encoding. */
export const encodingId = { plain: 0, rle: 3, rleDictionary: 8 } as const
/** parquet.thrift PageType. */
export const pageTypeId = { data: 0, dictionary: 2 } as const

/** Ids of the fields of parquet.thrift PageHeader, DataPageHeader and DictionaryPageHeader. */
const headerId = { type: 1, size: 2, compressedSize: 3, crc: 4, data: 5, dictionary: 7 } as const
const dataId = { entries: 1, encoding: 2, definitionEncoding: 3, repetitionEncoding: 4 } as const
const dictionaryId = { count: 1, encoding: 2 } as const

/** Whether the column's values are written as indices into a dictionary page. Without a value there is nothing to look
 *  up. */
export function hasDictionary({ values, count }: LeafColumn): boolean {
  return values.kind === 'dictionary' && count > 0
}

/**
 * The bodies of the data pages of a column, of `pageBytes` or a little more. A page ends before the first row that
 * begins once the levels and values in it take `pageBytes`, as the column holds them: a byte for each level, two for
 * each index, values as they are. A body is the repetition levels if there are any, the definition levels, both with
 * their length before them, and the values; indices have a byte with their width before them.
 */
export function* pageBodies(column: LeafColumn, pageBytes: number): Generator<PageBody, void, undefined> {
  const page = new Page(column)
  for (const { entry, value } of pageEnds(column, pageBytes)) yield page.next(entry, value)
}

/** Where a page ends: one past its last entry, value and byte of values. */
interface PageEnd {
  readonly entry: number
  readonly value: number
}

function* pageEnds(column: LeafColumn, pageBytes: number): Generator<PageEnd, void, undefined> {
  const { entries, count, definitions, repetitions, leaf } = column
  const levelBytes = repetitions === null ? 1 : 2
  const sizeOf = valueSizes(column)
  if (entries * levelBytes + sizeOf.all > pageBytes) {
    let value = 0
    let size = 0
    for (let entry = 0; entry < entries; entry++) {
      if (size >= pageBytes && (repetitions === null || repetitions[entry] === 0)) {
        yield { entry, value }
        size = 0
      }
      size += levelBytes
      if (definitions[entry] === leaf.maxDefinition) size += sizeOf.next(value++)
    }
  }
  yield { entry: entries, value: count }
}

/** Bytes of the values of a column, as it holds them: of all of them, and of each when they are asked for in order. */
function valueSizes({ values, leaf, count }: LeafColumn): { all: number; next: (value: number) => number } {
  if (values.kind === 'dictionary') return { all: 2 * count, next: () => 2 }
  const { bytes } = values
  if (isText(leaf.kind)) {
    let at = 0
    const next = (): number => {
      const size = 4 + lengthAt(bytes, at)
      at += size
      return size
    }
    return { all: bytes.length, next }
  }
  const size = fixedSize(leaf.kind)
  return { all: bytes.length, next: () => size }
}

/** Makes the bodies of a column, one after the other, in a buffer that it uses again. */
class Page {
  readonly #column: LeafColumn
  #bytes = new Uint8Array(0)
  #entry = 0
  #value = 0
  /** Where the values that are not in a page yet begin in the bytes of a plain column. */
  #valueByte = 0

  constructor(column: LeafColumn) {
    this.#column = column
  }

  next(entry: number, value: number): PageBody {
    const { leaf, repetitions, definitions } = this.#column
    const entries = entry - this.#entry
    this.#reserve(entries, value)
    let at = 0
    if (repetitions !== null) at = this.#levels(repetitions, leaf.maxRepetition, entry, at)
    at = this.#levels(definitions, leaf.maxDefinition, entry, at)
    at = this.#values(value, at)
    this.#entry = entry
    this.#value = value
    return { entries, bytes: this.#bytes.subarray(0, at) }
  }

  #levels(levels: Uint8Array, max: number, to: number, at: number): number {
    const bytes = this.#bytes
    const end = writeHybrid(levels, this.#entry, to, widthOf(max), bytes, at + 4)
    new DataView(bytes.buffer).setUint32(at, end - at - 4, true)
    return end
  }

  #values(to: number, at: number): number {
    const { values, leaf, count } = this.#column
    const from = this.#value
    if (values.kind === 'dictionary') {
      if (count === 0) return at
      const width = indexWidth(values.count)
      this.#bytes[at] = width
      return writeHybrid(values.indices, from, to, width, this.#bytes, at + 1)
    }
    if (leaf.kind === 'boolean') return this.#booleans(values.bytes, from, to, at)
    const start = this.#valueByte
    const end = this.#valueEnd(to)
    this.#bytes.set(values.bytes.subarray(start, end), at)
    this.#valueByte = end
    return at + end - start
  }

  /** PLAIN has the first value in the lowest bit. */
  #booleans(values: Uint8Array, from: number, to: number, at: number): number {
    const bytes = this.#bytes
    let bits = 0
    for (let value = from; value < to; value++) {
      const bit = (value - from) & 7
      bits |= values[value]! << bit
      if (bit === 7 || value === to - 1) {
        bytes[at++] = bits
        bits = 0
      }
    }
    return at
  }

  /** One past the last byte of the values before `to` in a plain column. */
  #valueEnd(to: number): number {
    const { values, leaf, count } = this.#column
    if (to === count) return values.bytes.length
    if (!isText(leaf.kind)) return to * fixedSize(leaf.kind)
    let at = this.#valueByte
    for (let value = this.#value; value < to; value++) at += 4 + lengthAt(values.bytes, at)
    return at
  }

  #reserve(entries: number, to: number): void {
    const { values, leaf } = this.#column
    const count = to - this.#value
    const levels =
      2 * 4 + hybridBound(entries, widthOf(leaf.maxRepetition)) + hybridBound(entries, widthOf(leaf.maxDefinition))
    const size =
      values.kind === 'dictionary'
        ? 1 + hybridBound(count, indexWidth(values.count))
        : this.#valueEnd(to) - this.#valueByte
    if (levels + size > this.#bytes.length) this.#bytes = new Uint8Array(levels + size)
  }
}

/** Bits of an index. At least one, although none would tell one value from none. */
function indexWidth(count: number): number {
  return Math.max(1, widthOf(count - 1))
}

function isText(kind: string): boolean {
  return kind === 'string' || kind === 'json'
}

function fixedSize(kind: string): number {
  return kind === 'boolean' ? 1 : 8
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

export interface PageInit {
  /** Of the body. */
  readonly size: number
  /** The body as it stands in the file. */
  readonly stored: Uint8Array
  /** Values and nulls of a data page, values of a dictionary page. */
  readonly entries: number
}

const thrift = new ThriftWriter()

/** The header of a data page. */
export function dataPageHeader(init: PageInit, encoding: number): Buffer {
  return pageHeader(pageTypeId.data, init, () =>
    thrift.struct(headerId.data, () => {
      thrift.i32(dataId.entries, init.entries)
      thrift.i32(dataId.encoding, encoding)
      thrift.i32(dataId.definitionEncoding, encodingId.rle)
      thrift.i32(dataId.repetitionEncoding, encodingId.rle)
    }),
  )
}

/** The header of a dictionary page, whose values are PLAIN. */
export function dictionaryPageHeader(init: PageInit): Buffer {
  return pageHeader(pageTypeId.dictionary, init, () =>
    thrift.struct(headerId.dictionary, () => {
      thrift.i32(dictionaryId.count, init.entries)
      thrift.i32(dictionaryId.encoding, encodingId.plain)
    }),
  )
}

function pageHeader(type: number, { size, stored }: PageInit, write: () => void): Buffer {
  thrift.element(() => {
    thrift.i32(headerId.type, type)
    thrift.i32(headerId.size, size)
    thrift.i32(headerId.compressedSize, stored.length)
    thrift.i32(headerId.crc, crc32(stored) | 0) // of the stored bytes, by the polynomial of gzip
    write()
  })
  return thrift.take()
}
