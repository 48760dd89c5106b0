// The edge corpus, value for value, by two readers; and filters against full scans.

import { parquetReadObjects } from 'hyparquet'
import { beforeAll, describe, expect, test } from 'vitest'
import { typescriptShredder } from '../../../src/encode/columns/shredder.js'
import { ParquetFile } from '../../../src/encode/parquet/file.js'
import { parquetEncoder } from '../../../src/encode/parquet/parquet.js'
import type { FieldType } from '../../../src/schema/resource.js'
import { batchOf } from '../../helpers/batch.js'
import { query } from '../../helpers/duckdb.js'
import { edgeCorpus, edgeSchema } from '../../helpers/edge-corpus.js'
import type { Expected } from '../../helpers/member-records.js'
import { encodeAll, MemorySink } from '../../helpers/sink.js'

const corpus = edgeCorpus(process.env['TRUTO_EXPORT_SOAK'] === '1' ? 20_000 : 4000)

async function write(): Promise<Buffer> {
  const encoder = parquetEncoder({ schema: edgeSchema, rowGroupRows: 1500 })
  const batches = Array.from({ length: corpus.length / 500 }, (_, i) =>
    batchOf(...corpus.slice(500 * i, 500 * i + 500).map(({ text }) => text)),
  )
  return encodeAll(encoder, batches)
}

let bytes: Buffer
beforeAll(async () => {
  bytes = await write()
})

test('DuckDB reads every value of the edge corpus as it was sent', async () => {
  const rows = await query('from {file}', bytes, '.parquet')
  expect(rows).toHaveLength(corpus.length)
  for (const [index, { row }] of corpus.entries()) if (!isSame(rows[index]!, row)) expect(rows[index]).toEqual(row)
})

test('hyparquet reads every value, but for a byte order mark at the beginning of a string', async () => {
  const rows = await parquetReadObjects({ file: new Uint8Array(bytes).buffer })
  expect(rows).toHaveLength(corpus.length)
  for (const [index, { row }] of corpus.entries()) {
    for (const { name, type } of [...edgeSchema.fields, { name: 'extra', type: { kind: 'json' } as FieldType }]) {
      const expected = asHyparquet(type, row[name]!)
      const found = rows[index]![name]
      if (!isSame(found, expected)) expect(found, `${index} ${name}`).toEqual(expected)
    }
  }
})

test('the file is the same, byte for byte, where there is no WebAssembly SIMD', async () => {
  const options = {
    schema: edgeSchema,
    hasKey: false,
    unknownFields: 'extra',
    onTypeMismatch: 'extra',
    strict: false,
  } as const
  const shredder = typescriptShredder({
    ...options,
    timestampUnit: 'micros',
    timestampExcess: 'truncate',
    timestampForms: 'any',
  })
  const { columns, leaves, group } = shredder
  const sink = new MemorySink()
  const metadata = {
    'truto-export.resource': edgeSchema.resource,
    'truto-export.schema-version': '1',
    'truto-export.json-type': 'string',
    'truto-export.json-columns': '["remote_data","extra"]',
  }
  const file = await ParquetFile.open(
    { columns, leaves, compression: 'snappy', timestampUnit: 'micros', jsonType: 'string', metadata },
    sink,
  )
  for (let from = 0; from < corpus.length; from += 1500) {
    const texts = corpus.slice(from, from + 1500).map(({ text }) => text)
    shredder.append(batchOf(...texts), 0, texts.length)
    await file.writeRowGroup(group)
    group.reset()
  }
  await file.finish()
  expect(sink.bytes.equals(bytes)).toBe(true)
})

describe('a filter gives the rows that a full scan gives', () => {
  const filters = [
    ...['～', '😀', '', '\0', 'null', '\u{10ffff}', 'x'.repeat(200_000)].map(
      (text) => [`bio = ${sql(text)}`, ({ bio }: Row) => bio === text] as const,
    ),
    ['bio > chr(65374)', ({ bio }: Row) => typeof bio === 'string' && order(bio, '～') > 0] as const,
    ['bio < chr(65374)', ({ bio }: Row) => typeof bio === 'string' && order(bio, '～') < 0] as const,
    ['bio is null', ({ bio }: Row) => bio === null] as const,
    ["created_at < '1970-01-01'", ({ created_at: at }: Row) => at !== null && (at as bigint) < 0n] as const,
    ["created_at >= '9999-01-01'", ({ created_at: at }: Row) => at !== null && (at as bigint) > 10n ** 17n] as const,
    ['count = 9223372036854775807', ({ count }: Row) => count === 2n ** 63n - 1n] as const,
    ['count < -9223372036854775807', ({ count }: Row) => count === -(2n ** 63n)] as const,
    ['share < 0', ({ share }: Row) => share !== null && (share as number) < 0] as const,
    ['is_email_verified', ({ is_email_verified: is }: Row) => is === true] as const,
  ]

  test.each(filters)('%#', async (filter, isIn) => {
    const [found] = await query(`select count(*) n from {file} where ${filter}`, bytes, '.parquet')
    expect(found).toEqual({ n: BigInt(corpus.filter(({ row }) => isIn(row)).length) })
  })

  test('also where a row group holds nothing of it', async () => {
    const names = ['a', '～', '😀', 'z'.repeat(100), `${'z'.repeat(99)}y`]
    const texts = names.flatMap((name) => Array.from({ length: 100 }, () => JSON.stringify({ name })))
    const encoder = parquetEncoder({ schema: edgeSchema, rowGroupRows: 100 })
    const sorted = await encodeAll(encoder, [batchOf(...texts)])
    for (const name of names) {
      const rows = await query(`select count(*) n from {file} where name = ${sql(name)}`, sorted, '.parquet')
      expect(rows).toEqual([{ n: 100n }])
    }
  })
})

type Row = { readonly [column: string]: Expected }

function sql(text: string): string {
  return text === '\0' ? 'chr(0)' : `'${text}'`
}

function order(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** A quicker toEqual, for the case that all is well; undefined is null. */
function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a ?? null, b ?? null)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (a instanceof Date) return b instanceof Date && a.getTime() === b.getTime()
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every((key) => isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
}

/** What hyparquet gives for `value`: it has dates for timestamps, and drops a leading U+FEFF of a string. */
function asHyparquet(type: FieldType, value: Expected): unknown {
  if (value === null) return null
  switch (type.kind) {
    case 'timestamp':
      return new Date(Number((value as bigint) / 1000n))
    case 'string':
      return (value as string).replace(/^\ufeff/, '')
    case 'list':
      return (value as Expected[]).map((element) => asHyparquet(type.element, element))
    case 'struct': {
      const struct = value as { [field: string]: Expected }
      return Object.fromEntries(type.fields.map(({ name, type }) => [name, asHyparquet(type, struct[name]!)]))
    }
    default:
      return value
  }
}
