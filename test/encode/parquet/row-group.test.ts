// Row groups that are encoded apart from any file, and where a file puts them.

import { expect, test } from 'vitest'
import type { Column } from '../../../src/encode/columns/layout.js'
import { compressorOf } from '../../../src/encode/parquet/compression.js'
import { createdBy } from '../../../src/encode/parquet/created-by.js'
import { ParquetFile } from '../../../src/encode/parquet/file.js'
import { footer, magic } from '../../../src/encode/parquet/footer.js'
import { type RowGroup, writeRowGroup } from '../../../src/encode/parquet/row-group.js'
import { rowGroupMetadata } from '../../../src/encode/parquet/row-group-metadata.js'
import { Turn } from '../../../src/encode/parquet/turn.js'
import { leafColumns, type Value } from '../../helpers/leaf-columns.js'
import { MemorySink } from '../../helpers/sink.js'

const columns: readonly Column[] = [
  { name: 'flag', type: { kind: 'boolean' } },
  { name: 'id', type: { kind: 'string' } },
  { name: 'raw', type: { kind: 'json' } },
  { name: 'counts', type: { kind: 'list', element: { kind: 'int64' } } },
]

type Row = { [column: string]: Value }

function rowsFrom(start: number, count: number): Row[] {
  return Array.from({ length: count }, (_, i) => ({
    flag: i % 3 === 0 ? null : i % 2 === 0,
    id: `id ${start + i} ${'x'.repeat(start % 100)}`,
    raw: JSON.stringify({ start, i }),
    counts: i % 2 === 0 ? [] : [BigInt(start), null, BigInt(i)],
  }))
}

async function encode(rows: readonly Row[], compression: 'snappy' | 'gzip' | 'none', hasBloomFilter = true) {
  const out = new MemorySink()
  const found = leafColumns(columns, rows, true)
  const compress = await compressorOf(compression)
  const turn = new Turn()
  const { leaves } = found
  const facts = await writeRowGroup({ columns: found, leafCount: leaves.length, out, compress, turn, hasBloomFilter })
  return { facts, bytes: out.bytes, leaves }
}

test.each(['snappy', 'gzip', 'none'] as const)(
  'row groups of %s that are encoded in any order, each apart, make the same file as one after the other',
  async (compression) => {
    const groups = [rowsFrom(0, 10), rowsFrom(1000, 300), rowsFrom(77, 1)]
    const last = await encode(groups[2]!, compression)
    const first = await encode(groups[0]!, compression)
    const middle = await encode(groups[1]!, compression)
    const { leaves } = first
    const pieces: Uint8Array[] = [magic]
    const rowGroups: Uint8Array[] = []
    let offset = magic.length
    for (const { facts, bytes } of [first, middle, last]) {
      pieces.push(bytes)
      const sent: RowGroup = structuredClone(facts) // as from another thread
      rowGroups.push(rowGroupMetadata(sent, { offset, leaves, compression }))
      offset += sent.length
    }
    const init = { columns, timestampUnit: 'micros', jsonType: 'json', metadata: {} } as const
    pieces.push(...footer({ ...init, leafCount: leaves.length, rows: 311, rowGroups, createdBy }))

    const sink = new MemorySink()
    const file = await ParquetFile.open({ ...init, leaves, compression, hasBloomFilter: true }, sink)
    for (const rows of groups) await file.writeRowGroup(leafColumns(columns, rows, true))
    await file.finish()
    expect(Buffer.concat(pieces).equals(sink.bytes)).toBe(true)
  },
)

test('places are counted from the first byte of the row group, one chunk after the other', async () => {
  const { facts, bytes } = await encode(rowsFrom(5, 100), 'none')
  let at = 0
  for (const { dictionaryAt, dataAt, compressedSize, bloom } of facts.chunks) {
    expect(dictionaryAt ?? dataAt).toBe(at)
    if (dictionaryAt !== null) expect(dataAt).toBeGreaterThan(dictionaryAt)
    at += compressedSize
    if (bloom === null) continue
    expect(bloom.at).toBe(at)
    at += bloom.length
  }
  expect([facts.length, bytes.length, facts.rows]).toEqual([at, at, 100])
  expect(facts.chunks.map(({ bloom }) => bloom !== null)).toEqual([false, true, false, false])
  expect(facts.chunks.map(({ entries }) => entries)).toEqual([100, 100, 100, 200])
  expect(facts.chunks.map(({ statistics }) => statistics?.nullCount)).toEqual([34, 0, undefined, 100])
  const plain = await encode(rowsFrom(5, 100), 'none', false)
  expect(plain.facts.chunks.every(({ bloom }) => bloom === null)).toBe(true)
})
