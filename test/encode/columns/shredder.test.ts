import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { columnShredder } from '../../../src/encode/columns/column-shredder.js'
import { type Shredder, type ShredderOptions, typescriptShredder } from '../../../src/encode/columns/shredder.js'
import type { RecordBatch } from '../../../src/record.js'
import type { FieldType, ResourceSchema } from '../../../src/schema/resource.js'
import { batchOf, batchWith } from '../../helpers/batch.js'
import { edgeTexts } from '../../helpers/edge-texts.js'
import { rowsOf } from '../../helpers/leaf-rows.js'
import { anyFields, type Expected, recordSample } from '../../helpers/member-records.js'

const runs = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 10_000 : 300

const string: FieldType = { kind: 'string' }
const list = (element: FieldType): FieldType => ({ kind: 'list', element })

function optionsOf(types: { [name: string]: FieldType }, options: Partial<ShredderOptions> = {}): ShredderOptions {
  const fields = Object.entries(types).map(([name, type]) => ({ name, type }))
  const schema: ResourceSchema = { resource: 'test/any', version: 1, fields }
  return {
    schema,
    hasKey: false,
    unknownFields: 'extra',
    onTypeMismatch: 'extra',
    timestampUnit: 'micros',
    timestampExcess: 'extra',
    timestampForms: 'rfc3339',
    strict: false,
    ...options,
  }
}

function shred(shredder: Shredder, batch: RecordBatch): Shredder {
  shredder.append(batch, 0, batch.count)
  return shredder
}

describe.each([
  ['in TypeScript', typescriptShredder],
  ['in WebAssembly', columnShredder],
])('%s', (_name, open) => {
  /** Levels and values of the only leaf, of records with the field `a`. */
  function leafOf(type: FieldType, ...values: string[]): { r: number[] | null; d: number[]; values: Expected[] } {
    const shredder = open(optionsOf({ a: type }, { unknownFields: 'drop', onTypeMismatch: 'null' }))
    shred(shredder, batchOf(...values.map((value) => (value === '' ? '{}' : `{"a":${value}}`))))
    const { repetitions, definitions } = shredder.group.column(0)
    const rows = rowsOf(shredder.group, shredder.columns).map(([value]) => value!)
    return { r: repetitions && [...repetitions], d: [...definitions], values: rows }
  }

  describe('levels', () => {
    test('of a scalar tell null from a value', () => {
      expect(leafOf(string, '"x"', 'null', '', '7')).toEqual({
        r: null,
        d: [1, 0, 0, 0],
        values: ['x', null, null, null],
      })
    })
    test('of a list tell null, empty, a null element and a value apart', () => {
      expect(leafOf(list(string), 'null', '[]', '[null]', '["x",null,"y"]')).toEqual({
        r: [0, 0, 0, 0, 1, 1],
        d: [0, 1, 2, 3, 2, 3],
        values: [null, [], [null], ['x', null, 'y']],
      })
    })
    test('of a list in a list tell where each begins', () => {
      expect(leafOf(list(list(string)), '[["a","b"],[],null,["c"]]', '[["d"]]')).toEqual({
        r: [0, 2, 1, 1, 1, 0],
        d: [5, 5, 3, 2, 5, 5],
        values: [[['a', 'b'], [], null, ['c']], [['d']]],
      })
    })
    test('of a struct tell null from one without values', () => {
      const struct: FieldType = { kind: 'struct', fields: [{ name: 'b', type: string }] }
      expect(leafOf(struct, 'null', '{}', '{"b":"x"}').d).toEqual([0, 1, 2])
      expect(leafOf(list(struct), '[{},null,{"b":"x"}]').d).toEqual([3, 2, 4])
    })
  })

  describe('values', () => {
    const columnOf = (type: FieldType, values: readonly string[]) =>
      shred(open(optionsOf({ a: type })), batchOf(...values.map((value) => `{"a":${value}}`))).group.column(0)

    test('that come again are told by their index', () => {
      const { values, count } = columnOf(string, ['"b"', '"a"', '"b"', '"\\u0062"'])
      expect(values).toMatchObject({ kind: 'dictionary', count: 2 })
      expect(Buffer.from(values.bytes).toString()).toBe('\x01\0\0\0b\x01\0\0\0a')
      expect(values.kind === 'dictionary' && [...values.indices]).toEqual([0, 1, 0, 0])
      expect(count).toBe(4)
    })
    test('that are distinct stand as they are', () => {
      expect(columnOf(string, ['"b"', '"a"', '"c"', '"d"']).values.kind).toBe('plain')
      expect(columnOf({ kind: 'int64' }, ['1', '2', '3']).values.kind).toBe('plain')
      expect(columnOf({ kind: 'int64' }, ['1', '2', '1', '2']).values.kind).toBe('dictionary')
    })
    test('stand as they are, all of them, where the dictionary has grown too large', () => {
      const texts = (distinct: number, count: number) => Array.from({ length: count }, (_, i) => `"${i % distinct}"`)
      expect(columnOf(string, texts(16_384, 32_768)).values.kind).toBe('plain') // given up early: all new
      const twice = (distinct: number) => texts(distinct, distinct).flatMap((text) => [text, text])
      expect(columnOf(string, twice(16_384)).values).toMatchObject({ kind: 'dictionary', count: 16_384 })
      const { values, count } = columnOf(string, twice(16_385))
      expect(values.kind).toBe('plain')
      expect(count).toBe(32_770)
      expect(Buffer.from(values.bytes).toString('latin1', 0, 15)).toBe('\x01\0\0\x000\x01\0\0\x000\x01\0\0\x001')
      const long = (distinct: number) => twice(distinct).map((text) => `${text.slice(0, -1).padEnd(8189, 'x')}"`)
      expect(columnOf(string, long(128)).values).toMatchObject({ kind: 'dictionary', bytes: { length: 2 ** 20 } })
      expect(columnOf(string, long(129)).values.kind).toBe('plain')
      const short = ['"a"', '"a"', '"a"', '"a"']
      expect(columnOf(string, [...short, `"${'x'.repeat(8192)}"`]).values.kind).toBe('dictionary')
      expect(columnOf(string, [...short, `"${'x'.repeat(8193)}"`]).values.kind).toBe('plain')
    })
    test('of doubles keep the sign of zero', () => {
      const { values, min, max } = columnOf({ kind: 'double' }, ['0', '-0', '0', '-0'])
      expect(values).toMatchObject({ kind: 'dictionary', count: 2 })
      expect([Buffer.from(min!).readDoubleLE(), Buffer.from(max!).readDoubleLE()]).toEqual([-0, 0])
    })
    test.each([
      ['string', ['"b"', '"\uff5e"', '"\u{1f600}"', '"a"'], 'a', '\u{1f600}'],
      ['string', ['"x"', '""'], '', 'x'],
      ['boolean', ['true', 'true'], '\x01', '\x01'],
    ] as const)('have bounds in the order of their bytes: %s %j', (kind, texts, min, max) => {
      const column = columnOf({ kind }, texts)
      expect([Buffer.from(column.min!).toString(), Buffer.from(column.max!).toString()]).toEqual([min, max])
    })
    test('of numbers have bounds in their own order, JSON and nothing have none', () => {
      const { min, max } = columnOf({ kind: 'int64' }, ['5', '-9223372036854775808', '-1'])
      expect([Buffer.from(min!).readBigInt64LE(), Buffer.from(max!).readBigInt64LE()]).toEqual([-(2n ** 63n), 5n])
      const doubles = columnOf({ kind: 'double' }, ['0.5', '-3', '-1e300'])
      expect([Buffer.from(doubles.min!).readDoubleLE(), Buffer.from(doubles.max!).readDoubleLE()]).toEqual([
        -1e300, 0.5,
      ])
      expect(columnOf({ kind: 'json' }, ['1'])).toMatchObject({ min: null, max: null })
      expect(columnOf(string, ['null'])).toMatchObject({ min: null, max: null, count: 0, values: { kind: 'plain' } })
    })
    test('of edge texts are exact', () => {
      const texts = edgeTexts.map((text) => JSON.stringify(text))
      const shredder = shred(open(optionsOf({ a: string })), batchOf(...texts.map((text) => `{"a":${text}}`)))
      expect(rowsOf(shredder.group, shredder.columns).map(([text]) => text)).toEqual(edgeTexts)
    })
  })

  test('the key is the first leaf, extra the last', () => {
    const shredder = open(optionsOf({ a: string }, { hasKey: true }))
    shred(shredder, batchWith(['{"x":1}', '{"a":"b"}'], { keys: ['k', 'l'] }))
    expect(shredder.leaves.map(({ path }) => path.join('.'))).toEqual(['_key', 'a', 'extra'])
    expect(rowsOf(shredder.group, shredder.columns)).toEqual([
      ['k', null, '{"x":1}'],
      ['l', 'b', null],
    ])
  })

  test('a row group knows nothing of the one before', () => {
    const shredder = open(optionsOf({ a: string, n: { kind: 'int64' } }))
    const batch = batchOf('{"a":"z","n":1}', '{"a":"z"}', '{"a":"b","n":2}')
    const fresh = open(optionsOf({ a: string, n: { kind: 'int64' } }))
    fresh.append(batch, 2, 3)
    shredder.append(batch, 0, 2)
    shredder.group.reset()
    expect(shredder.group).toMatchObject({ rows: 0 })
    shredder.append(batch, 2, 3)
    expect(shredder.leaves.map((_, leaf) => shredder.group.column(leaf))).toEqual(
      fresh.leaves.map((_, leaf) => fresh.group.column(leaf)),
    )
  })

  test('random records of random schemas can be put together again', () => {
    const samples = anyFields().chain((fields) =>
      fc.tuple(fc.constant(fields), fc.array(recordSample(fields), { maxLength: 5 })),
    )
    fc.assert(
      fc.property(samples, ([fields, records]) => {
        const schema: ResourceSchema = { resource: 'test/any', version: 1, fields }
        const shredder = open(optionsOf({}, { schema }))
        shred(shredder, batchOf(...records.map(({ text }) => text)))
        const rows = rowsOf(shredder.group, shredder.columns)
        expect(rows.map((row) => row.slice(0, -1))).toEqual(
          records.map((record) => fields.map(({ name }) => record.fields.get(name)?.value ?? null)),
        )
        expect(rows.map((row) => row.at(-1) !== null)).toEqual(records.map(({ extra }) => extra.size > 0))
      }),
      { numRuns: runs },
    )
  })
})
