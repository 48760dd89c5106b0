import { expect, test } from 'vitest'
import { layoutOf } from '../../../src/encode/columns/layout.js'
import { footer, magic } from '../../../src/encode/parquet/footer.js'
import { parquetColumns } from '../../../src/encode/parquet/read-columns.js'
import { edgeSchema } from '../../helpers/edge-corpus.js'

function fileWith(columns: Parameters<typeof footer>[0]['columns'], timestampUnit: 'micros' | 'millis'): Buffer {
  const init = {
    columns,
    timestampUnit,
    jsonType: 'json' as const,
    leafCount: 0,
    rows: 0,
    rowGroups: [],
    metadata: {},
    createdBy: 'test',
  }
  return Buffer.concat([magic, ...footer(init)])
}

const read = (file: Buffer) => parquetColumns(file.length, async (from, to) => file.subarray(from, to))

test.each(['micros', 'millis'] as const)(
  'the columns of a footer are those that it was written for: %s',
  async (unit) => {
    const { columns } = layoutOf({
      schema: { ...edgeSchema, fields: [...edgeSchema.fields, { name: 'a"é', type: { kind: 'string' } }] },
      hasKey: true,
      nested: 'values',
      flattenSlots: 1,
      unknownFields: 'extra',
      onTypeMismatch: 'extra',
    })
    expect(await read(fileWith(columns, unit))).toEqual({ columns, timestampUnit: unit, hasJsonType: true })
  },
)

test('a file without timestamps and JSON has neither unit nor type', async () => {
  const columns = [{ name: 'id', type: { kind: 'string' } }] as const
  expect(await read(fileWith(columns, 'micros'))).toEqual({ columns, timestampUnit: null, hasJsonType: false })
})

test('a footer that is cut or changed at any byte is an error or other columns, and nothing else', async () => {
  const file = fileWith([{ name: 'tags', type: { kind: 'list', element: { kind: 'timestamp' } } }], 'micros')
  for (let at = 4; at < file.length - 8; at++) {
    for (const value of [0x00, 0x7f, 0xff]) {
      const changed = Buffer.from(file)
      changed[at] = value
      const outcome = await read(changed).catch((error: { code?: string }) => error.code)
      expect(outcome === 'ERR_SCHEMA' || typeof outcome === 'object').toBe(true)
    }
  }
})
