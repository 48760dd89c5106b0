import fc from 'fast-check'
import { parquetMetadata } from 'hyparquet'
import { describe, expect, test } from 'vitest'
import { memoryDestination } from '../../src/destination/memory.js'
import { memberAt } from '../../src/emulator/members.js'
import { exportRecords } from '../../src/export/export.js'
import { inferSchema } from '../../src/export/infer-schema.js'
import type { JsonRecord, JsonValue } from '../../src/record.js'
import { schemaFromJson } from '../../src/schema/json-schema.js'
import { memberSchema } from '../../src/schema/member.js'
import type { FieldType } from '../../src/schema/resource.js'
import { bodySource } from '../../src/source/body-source.js'
import { batchOf } from '../helpers/batch.js'

async function* batchesOf(...texts: string[]) {
  for (let at = 0; at < texts.length; at += 2) yield batchOf(...texts.slice(at, at + 2))
}
const learned = async (...texts: string[]) => (await inferSchema(batchesOf(...texts))).schema.fields
const typeOf = async (...values: string[]): Promise<FieldType> =>
  (await learned(...values.map((value) => `{"a":${value}}`)))[0]!.type

describe('a field has the narrowest type that holds all values', () => {
  const rows: [string, string[], FieldType['kind']][] = [
    ['texts', ['"a"', 'null', '""'], 'string'],
    ['date-times', ['"2024-02-29T12:34:56Z"', '"2024-01-01T00:00:00.123456+01:00"', 'null'], 'timestamp'],
    ['date-times and a text', ['"2024-02-29T12:34:56Z"', '"soon"', '"2024-02-29T12:34:56Z"'], 'string'],
    ['date-times finer than a column', ['"2024-02-29T12:34:56.1234567Z"'], 'string'],
    ['days', ['"2024-02-29"'], 'string'],
    ['booleans', ['true', 'false', 'null'], 'boolean'],
    ['whole numbers', ['1', '-20', '9223372036854775807'], 'int64'],
    ['numbers', ['1', '1.5', '1e300'], 'double'],
    ['whole numbers written as others', ['1.0', '2.0'], 'double'],
    ['a zero with a sign', ['-0'], 'double'],
    ['whole numbers that a double cannot hold beside a fraction', ['9007199254740993', '1.5'], 'json'],
    ['digits beyond a double', ['0.1234567890123456789012'], 'json'],
    ['whole numbers beyond 64 bits', ['12345678901234567890123'], 'json'],
    ['a number too large', ['1e400'], 'json'],
    ['nothing but null', ['null', 'null'], 'json'],
    ['a number and a text', ['1', '"1"'], 'json'],
    ['an object and a list', ['{"b":1}', '[1]'], 'json'],
    ['empty objects', ['{}', '{}'], 'json'],
    ['empty lists', ['[]', '[]'], 'json'],
    ['lists that differ', ['[1]', '["a"]'], 'json'],
    ['lists', ['[1,2]', '[]', 'null', '[null]'], 'list'],
    ['objects', ['{"b":1}', '{}', 'null'], 'struct'],
  ]
  test.each(rows)('%s', async (_name, values, kind) => {
    expect((await typeOf(...values)).kind).toBe(kind)
    expect((await typeOf(...values.reverse())).kind).toBe(kind)
  })

  test('inside of lists and objects, too, with the id first and the others by name', async () => {
    expect(await typeOf('[{"n":1,"id":"x"},{"b":[true]}]', '[{"n":null}]')).toEqual({
      kind: 'list',
      element: {
        kind: 'struct',
        fields: [
          { name: 'id', type: { kind: 'string' } },
          { name: 'b', type: { kind: 'list', element: { kind: 'boolean' } } },
          { name: 'n', type: { kind: 'int64' } },
        ],
      },
    })
  })

  test('an object that is a map from any key is JSON, one that has its fields often is not', async () => {
    const maps = Array.from({ length: 30 }, (_, i) => `{"key${i}":1}`)
    expect((await typeOf(...maps)).kind).toBe('json')
    expect((await typeOf(`{${Array.from({ length: 1001 }, (_, i) => `"k${i}":1`)}}`)).kind).toBe('json')
    const objects = Array.from({ length: 30 }, (_, i) => `{"key${i}":1,"key${(i + 1) % 30}":1,"key${(i + 2) % 30}":1}`)
    expect((await typeOf(...objects)).kind).toBe('struct')
  })

  test('below eight levels it is JSON', async () => {
    const deep = (levels: number): string => `${'{"x":'.repeat(levels)}1${'}'.repeat(levels)}`
    const depthOf = (type: FieldType): number => (type.kind === 'struct' ? 1 + depthOf(type.fields[0]!.type) : 0)
    expect(depthOf(await typeOf(deep(7)))).toBe(7)
    expect(depthOf(await typeOf(deep(9)))).toBe(7)
  })

  test('remote_data is JSON; columns of ours, and names that no column can have, are left out', async () => {
    const fields = await learned('{"remote_data":{"a":1},"extra":1,"_key":2,"":3,"\\ud800":4,"__proto__":5,"a":6}')
    expect(fields.map(({ name }) => name)).toEqual(['__proto__', 'a', 'remote_data'])
    expect(fields.at(-1)!.type.kind).toBe('json')
  })
})

test('only the sample is looked at, and reading stops there', async () => {
  let read = 0
  async function* batches() {
    for (const text of ['{"a":1}', '{"a":"x"}', '{"a":"y"}']) {
      read++
      yield batchOf('{"a":1}', text)
    }
  }
  expect(await inferSchema(batches(), { sampleRecords: 3, resource: 'crm/contacts' })).toMatchObject({
    records: 3,
    schema: {
      resource: 'crm/contacts',
      version: expect.stringMatching(/^sha256:/),
      fields: [{ type: { kind: 'int64' } }],
    },
  })
  expect(read).toBe(2)
})

test('there is nothing to learn from no records', async () => {
  await expect(inferSchema(batchesOf())).rejects.toMatchObject({ code: 'ERR_SCHEMA' })
})

test('of members it learns what is declared, as far as they have the fields', async () => {
  const body = Buffer.from(Array.from({ length: 500 }, (_, i) => JSON.stringify(memberAt(i))).join('\n'))
  const { schema } = await inferSchema(bodySource(body, { isNdjson: true }))
  const scalars = schema.fields.filter(({ type }) => !['json', 'list'].includes(type.kind))
  expect(memberSchema.fields).toEqual(expect.arrayContaining(scalars))
  expect(scalars.length).toBeGreaterThan(10)
})

test('any records fit into the schema that was learned from them, in whatever order they came', async () => {
  const name = fc.constantFrom('a', 'b', 'id', 'ü', 'a.b', '__proto__')
  const { record } = fc.letrec<{ value: JsonValue; record: JsonRecord }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.constantFrom<JsonValue>(null, true, 1, -5, 1.5, 2 ** 60, 'x', '', '2024-02-29T12:34:56Z'),
      fc.array(tie('value'), { maxLength: 3 }),
      tie('record'),
    ),
    record: fc.array(fc.tuple(name, tie('value')), { maxLength: 4 }).map((members) => Object.fromEntries(members)),
  }))
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 6 }), async (records) => {
      const texts = records.map((record) => JSON.stringify(record))
      const { schema } = await inferSchema(batchesOf(...texts))
      expect((await inferSchema(batchesOf(...texts.reverse()))).schema).toEqual(schema)
      for (const format of ['csv', 'parquet'] as const) {
        await exportRecords({
          input: Buffer.from(texts.join('\n')),
          inputFormat: 'ndjson',
          schema,
          format,
          destination: memoryDestination(),
          unknownFields: 'error',
          onTypeMismatch: 'extra',
        }).then(({ warnings }) => {
          // where there is no column but extra, empty records are blank lines
          const others = warnings.filter(({ code }) => code !== 'id-only' && code !== 'blank-rows')
          expect(others).toEqual([])
        })
      }
    }),
    { numRuns: 60 },
  )
})

describe('an export with a schema keeps to it', () => {
  const schema = {
    type: 'object',
    properties: {
      n: { type: 'integer' },
      at: { type: 'string', format: 'date-time' },
      tags: { type: 'array', items: {} },
      o: { type: 'object', properties: { x: { type: 'number' } } },
    },
  }
  const input = Buffer.from(
    '{"n":1,"at":"2024-02-29T12:34:56Z","tags":[1,"a"],"o":{"x":0.5}}\n{"n":"two","o":{"y":1},"z":3}\n',
  )
  const csv = async (more: object): Promise<string[]> => {
    const destination = memoryDestination()
    await exportRecords({ input, inputFormat: 'ndjson', format: 'csv', schema, destination, ...more })
    return Buffer.from(destination.bytes()).toString().trimEnd().split('\n')
  }

  test('whatever the records hold, and what does not fit goes where it was told', async () => {
    const first = '1,"2024-02-29T12:34:56Z","[1,""a""]","{""x"":0.5}"'
    expect(await csv({})).toEqual(['n,at,tags,o,extra', `${first},`, ',,,"{""y"":1}","{""z"":3,""n"":""two""}"'])
    expect(await csv({ unknownFields: 'drop', onTypeMismatch: 'null' })).toEqual([
      'n,at,tags,o',
      first,
      ',,,"{""y"":1}"',
    ])
    await expect(csv({ unknownFields: 'error' })).rejects.toMatchObject({ code: 'ERR_FIELD_UNKNOWN', recordIndex: 1 })
    await expect(csv({ onTypeMismatch: 'error' })).rejects.toMatchObject({ code: 'ERR_TYPE_MISMATCH', recordIndex: 1 })
    expect((await csv({ schema: JSON.stringify(schema), select: ['o', 'n'], rename: ['n=m'] }))[0]).toBe('o,m,extra')
  })

  test('its version, a digest of the columns, is in the metadata of Parquet', async () => {
    const destination = memoryDestination()
    await exportRecords({ input, inputFormat: 'ndjson', format: 'parquet', schema, destination })
    const bytes = Buffer.from(destination.bytes())
    const metadata = parquetMetadata(
      bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
    )
    expect(metadata.key_value_metadata).toContainEqual({
      key: 'truto-export.schema-version',
      value: schemaFromJson(schema).version,
    })
  })

  test.each([
    ['no schema', { schema: { type: 'array' } }],
    ['no JSON', { schema: '{' }],
    ['a column of ours', { schema: { type: 'object', properties: { extra: {} } } }],
  ])('%s is an error before anything is read', async (_name, more) => {
    await expect(csv({ input: '/nowhere/to/be/found', ...more })).rejects.toMatchObject({
      code: 'ERR_OPTION_INVALID',
      message: expect.stringMatching(/schema|extra/),
    })
  })
})
