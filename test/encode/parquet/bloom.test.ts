import { parquetMetadata } from 'hyparquet'
import { expect, test } from 'vitest'
import { parquetEncoder } from '../../../src/encode/parquet/parquet.js'
import { xxHash64 } from '../../../src/encode/parquet/xxhash64.js'
import { memberSchema } from '../../../src/schema/member.js'
import { batchOf } from '../../helpers/batch.js'
import { query } from '../../helpers/duckdb.js'
import { edgeTexts } from '../../helpers/edge-texts.js'
import { encodeAll } from '../../helpers/sink.js'

test('XXH64 gives the values that its own tests have', () => {
  const hash = (text: string): string => {
    const bytes = Buffer.from(`--${text}`)
    return xxHash64(bytes, 2, bytes.length).toString(16).padStart(16, '0')
  }
  expect(hash('')).toBe('ef46db3751d8e999')
  expect(hash('a')).toBe('d24ec4f1a98c6e5b')
  expect(hash('abc')).toBe('44bc2cf5ad770999')
})

test('no id is missed by the filter, and nearly every other is known not to be there', async () => {
  const ids = [
    ...edgeTexts.filter((id) => id !== ''),
    ...Array.from({ length: 3000 }, (_, i) => `U${i}${'x'.repeat(i % 70)}`),
  ]
  const texts = ids.map((id) => JSON.stringify({ id, name: 'a' }))
  const encoder = parquetEncoder({ schema: memberSchema, bloom: true, rowGroupRows: 1000 })
  const bytes = await encodeAll(encoder, [batchOf(...texts)])
  const groups = async (id: string): Promise<number[]> => {
    const found = await query(
      `select row_group_id g from parquet_bloom_probe({file}, 'id', '${id.replaceAll("'", "''")}') where not bloom_filter_excludes`,
      bytes,
      '.parquet',
    )
    return found.map(({ g }) => Number(g))
  }
  for (const [index, id] of [...ids.entries()].filter(([index]) => index % 151 === 0)) {
    if (!id.includes('\0')) expect(await groups(id)).toContain(Math.floor(index / 1000))
  }
  let seeming = 0
  for (let i = 0; i < 20; i++) seeming += (await groups(`other ${i}`)).length
  expect(seeming).toBeLessThan(8)
  const rows = await query(`select id from {file} where id = 'U2999${'x'.repeat(2999 % 70)}'`, bytes, '.parquet')
  expect(rows).toHaveLength(1)
})

test('only the column of ids has one, and only where it is wanted', async () => {
  const filters = async (bloom: boolean): Promise<string[]> => {
    const bytes = await encodeAll(parquetEncoder({ schema: memberSchema, bloom }), [
      batchOf('{"id":"a","name":"b"}', '{}'),
    ])
    const { row_groups } = parquetMetadata(new Uint8Array(bytes).buffer)
    return row_groups[0]!.columns.flatMap(({ meta_data: meta }) =>
      meta!.bloom_filter_offset === undefined ? [] : [`${meta!.path_in_schema} ${meta!.bloom_filter_length}`],
    )
  }
  expect(await filters(true)).toEqual(['id 47'])
  expect(await filters(false)).toEqual([])
})
