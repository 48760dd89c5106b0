// Any schema and any records, to a file and back by DuckDB.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parquetEncoder } from '../../../src/encode/parquet/parquet.js'
import type { Field, FieldType } from '../../../src/schema/resource.js'
import { batchOf } from '../../helpers/batch.js'
import { query, type ReadValue } from '../../helpers/duckdb.js'
import { anyFields, type Expected, recordSample } from '../../helpers/member-records.js'
import { encodeAll } from '../../helpers/sink.js'

const runs = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 1000 : 15

/** Names as DuckDB can show them: it has no empty ones and no NUL in them, and its letters have no case. */
function hasReadableNames(fields: readonly Field[]): boolean {
  const names = fields.map(({ name }) => name.toLowerCase())
  return (
    new Set(names).size === names.length &&
    names.every((name) => name !== '' && !name.includes('\0') && name !== '__proto__') &&
    fields.every(({ type }) => typeHasReadableNames(type))
  )
}

function typeHasReadableNames(type: FieldType): boolean {
  if (type.kind === 'list') return typeHasReadableNames(type.element)
  return type.kind !== 'struct' || hasReadableNames(type.fields)
}

const cases = anyFields(3)
  .filter(hasReadableNames)
  .chain((fields) =>
    fc.record({
      fields: fc.constant(fields),
      samples: fc.array(recordSample(fields), { minLength: 1, maxLength: 20 }),
      rowGroupRows: fc.integer({ min: 1, max: 21 }),
      compression: fc.constantFrom('snappy', 'gzip', 'none'),
    }),
  )

test('records of any schema come back as the schema says', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ fields, samples, rowGroupRows, compression }) => {
      const schema = { resource: 'test/random', version: 1, fields }
      const encoder = parquetEncoder({ schema, rowGroupRows, compression: compression as 'snappy' })
      const bytes = await encodeAll(encoder, [batchOf(...samples.map(({ text }) => text))])
      const rows = await query('from {file}', bytes, '.parquet')
      expect(rows).toHaveLength(samples.length)
      for (const [index, sample] of samples.entries()) {
        // DuckDB gives a column of a name that it has already another one, so that they are told by their place
        const values = Object.values(rows[index]!)
        fields.forEach(({ name }, column) => {
          expect(values[column]).toEqual((sample.fields.get(name)?.value ?? null) satisfies Expected as ReadValue)
        })
      }
    }),
    { numRuns: runs },
  )
})
