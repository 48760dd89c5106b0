// The pages, row groups and footers of files made of hand-made columns, read by DuckDB and hyparquet.

import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { type FileMetaData, parquetMetadata, parquetReadObjects } from 'hyparquet'
import { describe, expect, test } from 'vitest'
import { memberAt } from '../../../src/emulator/members.js'
import type { Column } from '../../../src/encode/columns/layout.js'
import { ParquetFile, type ParquetFileInit } from '../../../src/encode/parquet/file.js'
import { pageBodies } from '../../../src/encode/parquet/pages.js'
import type { FieldType } from '../../../src/schema/resource.js'
import { query } from '../../helpers/duckdb.js'
import { leafColumns, type Value } from '../../helpers/leaf-columns.js'
import { MemorySink } from '../../helpers/sink.js'

const runs = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 300 : 8

type Row = { [column: string]: Value }

const text: FieldType = { kind: 'string' }
const columns: readonly Column[] = [
  { name: 'id', type: text },
  { name: 'flag', type: { kind: 'boolean' } },
  { name: 'count', type: { kind: 'int64' } },
  { name: 'share', type: { kind: 'double' } },
  { name: 'at', type: { kind: 'timestamp' } },
  { name: 'raw', type: { kind: 'json' } },
  { name: 'tags', type: { kind: 'list', element: text } },
  {
    name: 'groups',
    type: {
      kind: 'list',
      element: {
        kind: 'struct',
        fields: [
          { name: 'name', type: text },
          { name: 'flags', type: { kind: 'list', element: { kind: 'boolean' } } },
        ],
      },
    },
  },
]

interface WriteOptions extends Partial<Omit<ParquetFileInit, 'leaves'>> {
  isDictionary?: boolean
  rowGroupRows?: number
}

async function write(rows: readonly Row[], options: WriteOptions = {}): Promise<Buffer> {
  const { isDictionary = true, rowGroupRows = Infinity, ...init } = options
  const sink = new MemorySink()
  const all = init.columns ?? columns
  const { leaves } = leafColumns(all, [], isDictionary)
  const base = { columns: all, compression: 'snappy', timestampUnit: 'micros', jsonType: 'json', metadata: {} } as const
  const file = await ParquetFile.open({ ...base, ...init, leaves }, sink)
  for (let from = 0; from < rows.length; from += rowGroupRows) {
    await file.writeRowGroup(leafColumns(all, rows.slice(from, from + rowGroupRows), isDictionary))
  }
  await file.finish()
  return sink.bytes
}

const read = (bytes: Uint8Array) => query('from {file}', bytes, '.parquet')

function metadataOf(bytes: Buffer): FileMetaData {
  return parquetMetadata(new Uint8Array(bytes).buffer)
}

/** Rows with every kind of absence, and more of them than fit a page of the given bytes. */
function sample(count: number): Row[] {
  return Array.from({ length: count }, (_, i) => ({
    id: i % 7 === 0 ? null : `id ${i % 1000}`,
    flag: [true, false, null][i % 3]!,
    count: i % 5 === 0 ? null : BigInt(i) * 1_000_000_007n - 5_000_000_000n,
    share: i % 4 === 0 ? null : i / 7 - 100,
    at: BigInt(i - 500) * 86_400_000_000n,
    raw: i % 6 === 0 ? null : JSON.stringify({ i }),
    tags: [null, [], [null], ['a', null, `tag ${i}`]][i % 4]!,
    groups: [
      null,
      [],
      [null, { name: null, flags: null }],
      [{ name: 'x', flags: [] }],
      [
        { name: `g ${i}`, flags: [true, null, false] },
        { name: 'y', flags: [null] },
      ],
    ][i % 5]!,
  }))
}

describe.each([true, false])('with a dictionary: %s', (isDictionary) => {
  test.each(['snappy', 'gzip', 'none'] as const)('values come back from %s pages', async (compression) => {
    const rows = sample(1500)
    const bytes = await write(rows, { isDictionary, compression, rowGroupRows: 600 })
    expect(await read(bytes)).toEqual(rows)
    expect(metadataOf(bytes).row_groups.map(({ num_rows }) => num_rows)).toEqual([600n, 600n, 300n])
  })

  test('values come back from columns of many pages', async () => {
    const name = 'n'.repeat(1000)
    const rows = Array.from({ length: 2500 }, (_, i) => ({
      ...sample(1)[0]!,
      id: `${name}${i}`,
      tags: [`${name}${i}`, null, name],
      groups: [{ name: `${name}${i}`, flags: [true] }],
    }))
    const bytes = await write(rows, { isDictionary })
    const pages = pagesOf(bytes)
    expect(pages.filter(({ path }) => path === 'id').length).toBe(isDictionary ? 2 : 3)
    expect(await read(bytes)).toEqual(rows)
    for (const page of pages) expect(page.size).toBeLessThan(isDictionary ? 1 << 22 : 1.01 * (1 << 20))
  })

  test('random rows come back, in row groups of any size', async () => {
    const anyOf = (type: FieldType): fc.Arbitrary<Value> => {
      const none = fc.constant<Value>(null)
      switch (type.kind) {
        case 'boolean':
          return fc.oneof(fc.boolean(), none)
        case 'int64':
          return fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), none)
        case 'timestamp':
          return fc.oneof(fc.bigInt(-62135596800000000n, 253402300799999999n), none)
        case 'double':
          return fc.oneof(fc.double({ noNaN: true }), none)
        case 'struct':
          return fc.oneof(fc.record(Object.fromEntries(type.fields.map(({ name, type }) => [name, anyOf(type)]))), none)
        case 'list':
          return fc.oneof(fc.array(anyOf(type.element), { maxLength: 4 }), none)
        case 'json':
          return fc.oneof(fc.json(), none)
        case 'string':
          return fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), none)
      }
    }
    const row = fc.record(Object.fromEntries(columns.map(({ name, type }) => [name, anyOf(type)])))
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 31 }),
        async (rows, size) => {
          const bytes = await write(rows, { isDictionary, rowGroupRows: size, compression: 'none' })
          expect(await read(bytes)).toEqual(rows)
          const objects = await parquetReadObjects({ file: new Uint8Array(bytes).buffer })
          expect(objects.map(({ count, flag }) => [count ?? null, flag ?? null])).toEqual(
            rows.map(({ count, flag }) => [count, flag]),
          )
        },
      ),
      { numRuns: runs },
    )
  })
})

test('a page begins at a row, and is no larger than it has to be', () => {
  const { column, leaves } = leafColumns(columns, sample(200), false)
  for (const [index, { maxRepetition }] of leaves.entries()) {
    const found = column(index)
    let entry = 0
    for (const { entries, bytes } of pageBodies(found, 50)) {
      if (maxRepetition > 0) expect(found.repetitions![entry]).toBe(0)
      expect(bytes.length).toBeLessThan(150)
      entry += entries
    }
    expect(entry).toBe(found.entries)
  }
})

test('a file of no rows, and one of nothing but nulls', async () => {
  expect(await read(await write([]))).toEqual([])
  const nothing = Object.fromEntries(columns.map(({ name }) => [name, null]))
  const rows = new Array<Row>(100).fill(nothing)
  expect(await read(await write(rows))).toEqual(rows)
})

test('a column has either all pages of indices or none, its sizes are those of the pages, and every page its checksum', async () => {
  const rows = sample(2000)
  for (const isDictionary of [true, false]) {
    const bytes = await write(rows, { isDictionary, rowGroupRows: 700 })
    const pages = pagesOf(bytes)
    const { row_groups } = metadataOf(bytes)
    for (const [
      group,
      { columns: chunks, total_byte_size, total_compressed_size, file_offset },
    ] of row_groups.entries()) {
      let offset = Number(file_offset)
      let size = 0n
      for (const { meta_data } of chunks) {
        const path = meta_data!.path_in_schema.join('.')
        const own = pages.filter((page) => page.group === group && page.path === path)
        const isIndexed = isDictionary && meta_data!.type !== 'BOOLEAN'
        expect(meta_data!.encodings).toEqual(isIndexed ? ['PLAIN', 'RLE', 'RLE_DICTIONARY'] : ['PLAIN', 'RLE'])
        expect(own.map(({ type }) => type)).toEqual(isIndexed ? ['DICTIONARY_PAGE', 'DATA_PAGE'] : ['DATA_PAGE'])
        expect(own[0]!.offset).toBe(offset)
        expect(meta_data!.dictionary_page_offset).toBe(isIndexed ? BigInt(offset) : undefined)
        expect(meta_data!.data_page_offset).toBe(BigInt(own.at(-1)!.offset))
        expect(meta_data!.total_uncompressed_size).toBe(BigInt(sum(own.map((page) => page.headerSize + page.size))))
        expect(meta_data!.total_compressed_size).toBe(BigInt(sum(own.map((page) => page.headerSize + page.storedSize))))
        expect(own.every(({ hasItsChecksum }) => hasItsChecksum)).toBe(true)
        offset += Number(meta_data!.total_compressed_size)
        size += meta_data!.total_uncompressed_size
      }
      expect(total_byte_size).toBe(size)
      expect(total_compressed_size).toBe(BigInt(offset) - file_offset!)
    }
  }
})

test('the footer has types in both ways, bounds in the order of bytes, and says who wrote', async () => {
  const long = 'long '.repeat(100)
  const rows = sample(100).map((row, i) => ({
    ...row,
    id: i === 50 ? '😀' : i === 51 ? '～' : row['id']!,
    tags: [long],
  }))
  const bytes = await write(rows, { timestampUnit: 'millis', metadata: { 'a key': 'a välue' } })
  const { schema, row_groups, created_by, key_value_metadata, num_rows, version } = metadataOf(bytes)
  expect([version, num_rows]).toEqual([2, 100n])
  expect(key_value_metadata).toEqual([{ key: 'a key', value: 'a välue' }])
  expect(created_by).toMatch(/^truto-export version \d+\.\d+\.\d+ \(build builtin\)$/)
  const types = schema.map(({ name, type, converted_type, logical_type, repetition_type, num_children }) => [
    name,
    type ?? num_children,
    repetition_type,
    converted_type,
    logical_type?.type,
  ])
  expect(types.slice(0, 10)).toEqual([
    ['schema', 8, undefined, undefined, undefined],
    ['id', 'BYTE_ARRAY', 'OPTIONAL', 'UTF8', 'STRING'],
    ['flag', 'BOOLEAN', 'OPTIONAL', undefined, undefined],
    ['count', 'INT64', 'OPTIONAL', undefined, undefined],
    ['share', 'DOUBLE', 'OPTIONAL', undefined, undefined],
    ['at', 'INT64', 'OPTIONAL', 'TIMESTAMP_MILLIS', 'TIMESTAMP'],
    ['raw', 'BYTE_ARRAY', 'OPTIONAL', 'JSON', 'JSON'],
    ['tags', 1, 'OPTIONAL', 'LIST', 'LIST'],
    ['list', 1, 'REPEATED', undefined, undefined],
    ['element', 'BYTE_ARRAY', 'OPTIONAL', 'UTF8', 'STRING'],
  ])
  expect(schema[5]!.logical_type).toEqual({ type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' })
  const chunks = new Map(
    row_groups[0]!.columns.map(({ meta_data }) => [meta_data!.path_in_schema.join('.'), meta_data!]),
  )
  expect(chunks.get('id')!.statistics).toEqual({
    null_count: 15n,
    min_value: 'id 1',
    max_value: '😀',
    is_max_value_exact: true,
    is_min_value_exact: true,
  })
  expect(chunks.get('tags.list.element')!.statistics).toMatchObject({
    min_value: long.slice(0, 64),
    max_value: `${long.slice(0, 63)}h`,
    is_max_value_exact: false,
    is_min_value_exact: false,
  })
  expect(chunks.get('flag')!.statistics).toMatchObject({ min_value: false, max_value: true, null_count: 33n })
  expect(chunks.get('count')!.statistics).toMatchObject({ min_value: -3999999993n })
  expect(chunks.get('raw')!.statistics).toBeUndefined()
  expect(row_groups[0]!.columns.every(({ offset_index_offset }) => offset_index_offset === undefined)).toBe(true)
  // column_orders, the last field: of each of the nine leaves TYPE_ORDER, an empty struct
  const orders = [0x19, 0x9c, ...new Array<number[]>(9).fill([0x1c, 0, 0]).flat(), 0]
  expect([...bytes.subarray(-8 - orders.length, -8)]).toEqual(orders)
})

test('the order of the bounds is stated, so that DuckDB uses them', async () => {
  const bytes = await write(sample(100))
  const [stats] = await query(
    `select stats_min_value a, stats_max_value b, stats_null_count n from parquet_metadata({file}) where path_in_schema = 'id'`,
    bytes,
    '.parquet',
  )
  expect(stats).toEqual({ a: 'id 1', b: 'id 99', n: 15n })
})

test('a file that is cut anywhere is refused', async () => {
  const bytes = await write(sample(50))
  for (let length = 0; length < bytes.length; length += length < bytes.length - 30 ? 137 : 1) {
    await expect(read(bytes.subarray(0, length))).rejects.toThrow()
  }
})

test('a file is gone on with between any two row groups, to the same bytes', async () => {
  const rows = sample(500)
  const whole = await write(rows, { rowGroupRows: 100 })
  const { leaves } = leafColumns(columns, [], true)
  const init = {
    columns,
    leaves,
    compression: 'snappy',
    timestampUnit: 'micros',
    jsonType: 'json',
    metadata: {},
  } as const
  for (let stop = 0; stop <= 5; stop++) {
    const sink = new MemorySink()
    let file = await ParquetFile.open(init, sink)
    for (let group = 0; group < 5; group++) {
      if (group === stop) file = await ParquetFile.open(init, sink, JSON.parse(JSON.stringify(file.save())))
      await file.writeRowGroup(leafColumns(columns, rows.slice(100 * group, 100 * group + 100), true))
    }
    if (stop === 5) file = await ParquetFile.open(init, sink, JSON.parse(JSON.stringify(file.save())))
    await file.finish()
    expect(sink.bytes.equals(whole)).toBe(true)
  }
  await expect(ParquetFile.open(init, new MemorySink(), true)).rejects.toMatchObject({ code: 'ERR_STATE_CORRUPT' })
})

test('what is saved of a row group is small', async () => {
  const rows = sample(200)
  const { leaves } = leafColumns(columns, [], true)
  const init = {
    columns,
    leaves,
    compression: 'snappy',
    timestampUnit: 'micros',
    jsonType: 'json',
    metadata: {},
  } as const
  const file = await ParquetFile.open(init, new MemorySink())
  for (let group = 0; group < 10; group++) await file.writeRowGroup(leafColumns(columns, rows, true))
  expect(JSON.stringify(file.save()).length).toBeLessThan(10 * 100 * leaves.length)
})

interface FoundPage {
  readonly group: number
  readonly path: string
  readonly type: string
  readonly offset: number
  readonly headerSize: number
  readonly size: number
  readonly storedSize: number
  readonly hasItsChecksum: boolean
}

/** Every page of a file, found by walking from header to header. */
function pagesOf(bytes: Buffer): FoundPage[] {
  const pages: FoundPage[] = []
  for (const [group, { columns: chunks }] of metadataOf(bytes).row_groups.entries()) {
    for (const { meta_data } of chunks) {
      const path = meta_data!.path_in_schema.join('.')
      let offset = Number(meta_data!.dictionary_page_offset ?? meta_data!.data_page_offset)
      const end = offset + Number(meta_data!.total_compressed_size)
      while (offset < end) {
        const header = readHeader(bytes, offset)
        const body = bytes.subarray(offset + header.length, offset + header.length + header.storedSize)
        pages.push({
          group,
          path,
          type: header.type === 0 ? 'DATA_PAGE' : 'DICTIONARY_PAGE',
          offset,
          headerSize: header.length,
          size: header.size,
          storedSize: header.storedSize,
          hasItsChecksum: (crc32(body) | 0) === header.crc,
        })
        offset += header.length + header.storedSize
      }
      expect(offset).toBe(end)
    }
  }
  return pages
}

/** The fields 1 to 4 of a PageHeader, and its length with the one struct after them. */
function readHeader(bytes: Buffer, from: number) {
  let at = from
  const number = (): number => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(bytes[at++]!)
      value |= (byte & 0x7fn) << shift
      if (byte < 0x80n) return Number((value >> 1n) ^ -(value & 1n))
    }
  }
  const field = (head: number): number => {
    expect(bytes[at++]).toBe(head)
    return number()
  }
  const [type, size, storedSize, crc] = [field(0x15), field(0x15), field(0x15), field(0x15)]
  at++ // the head of the struct
  while (bytes[at] !== 0) field(0x15)
  return { type, size, storedSize, crc, length: at + 2 - from }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

test('the bytes of a row group do not depend on those before it, so that a file which is gone on with is the same', async () => {
  const columns: readonly Column[] = [{ name: 'id', type: text }]
  const members = Array.from({ length: 400 }, (_, index) => JSON.stringify(memberAt(index))).join('\n')
  const lengths = [50, 200, 500, 2000, 5000, 17_000]
  const rows = Array.from({ length: 600 }, (_, i) => {
    const at = (i * 7919) % (members.length - 20_000)
    return { id: members.slice(at, at + lengths[i % lengths.length]! + ((i * 37) % 100)) }
  })
  const options = { columns, isDictionary: false, compression: 'snappy' } as const
  const together = await write(rows, { ...options, rowGroupRows: 1 })
  let at = 4
  for (const row of rows) {
    const alone = await write([row], options)
    const length = Number(metadataOf(alone).row_groups[0]!.total_compressed_size)
    expect(together.subarray(at, at + length).equals(alone.subarray(4, 4 + length))).toBe(true)
    at += length
  }
})

test('gzip compresses a page in another thread, so that one long text does not hold the event loop', async () => {
  const columns: readonly Column[] = [{ name: 'raw', type: { kind: 'json' } }]
  const group = leafColumns(
    columns,
    [{ raw: JSON.stringify(Array.from({ length: 50_000 }, (_, i) => i * 7919)) }],
    true,
  )
  const events: string[] = []
  const sink = { write: async ({ length }: Uint8Array) => void events.push(length > 1000 ? 'page' : 'header') }
  const init = {
    columns,
    leaves: group.leaves,
    compression: 'gzip',
    timestampUnit: 'micros',
    jsonType: 'json',
    metadata: {},
  } as const
  const file = await ParquetFile.open(init, sink)
  setImmediate(() => events.push('another turn'))
  await file.writeRowGroup(group)
  expect(events.slice(0, 2)).toEqual(['header', 'another turn'])
  expect(events).toContain('page')
})
