import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ColumnReader,
  type ColumnReaderOptions,
  type ColumnValue,
  NumberText,
} from '../../../src/encode/columns/reader.js'
import { DataError } from '../../../src/errors.js'
import type { RecordBatch } from '../../../src/record.js'
import { memberSchema } from '../../../src/schema/member.js'
import { type ResourceSchema, unmappedSchema } from '../../../src/schema/resource.js'
import { batchOf, batchWith } from '../../helpers/batch.js'
import { type Expected, memberSample } from '../../helpers/member-records.js'
import { wideFields, wideRecords } from '../../helpers/wide-records.js'

const runs = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 20_000 : 500

const small: ResourceSchema = {
  resource: 'test/small',
  version: 1,
  fields: [
    { name: 'id', type: { kind: 'string' } },
    { name: 'on', type: { kind: 'boolean' } },
    { name: 'at', type: { kind: 'timestamp' } },
    { name: 'any', type: { kind: 'json' } },
    { name: 'n', type: { kind: 'int64' } },
    { name: 'd', type: { kind: 'double' } },
    { name: 'tags', type: { kind: 'list', element: { kind: 'string' } } },
    {
      name: 'place',
      type: {
        kind: 'struct',
        fields: [
          { name: 'id', type: { kind: 'string' } },
          { name: 'since', type: { kind: 'timestamp' } },
        ],
      },
    },
  ],
}

const texts = { unit: 'text', excess: 'truncate', forms: 'rfc3339' } as const

const defaults: ColumnReaderOptions = {
  schema: small,
  hasKey: false,
  nested: 'values',
  flattenSlots: 1,
  unknownFields: 'extra',
  onTypeMismatch: 'extra',
  timestamps: { unit: 'micros', excess: 'extra', forms: 'rfc3339' },
  strict: false,
}

function readAll(reader: ColumnReader, batch: RecordBatch): { [column: string]: ColumnValue }[] {
  const row = new Array<ColumnValue>(reader.columns.length).fill(null)
  return Array.from({ length: batch.count }, (_, index) => {
    reader.read(batch, index, row)
    return Object.fromEntries(reader.columns.map(({ name }, column) => [name, row[column]!]))
  })
}

/** The columns of one record that are not null. */
function read(text: string, options: Partial<ColumnReaderOptions> = {}): { [column: string]: ColumnValue } {
  const row = readAll(new ColumnReader({ ...defaults, ...options }), batchOf(text))[0]!
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null))
}

function failure(text: string, options: Partial<ColumnReaderOptions>): DataError {
  const reader = new ColumnReader({ ...defaults, ...options })
  const batch = batchWith(['{}', text], { page: 3, firstRecordIndex: 10, byteOffset: 1000 })
  try {
    readAll(reader, batch)
  } catch (error) {
    if (error instanceof DataError) return error
  }
  throw new Error('no DataError')
}

describe('columns', () => {
  const names = (options: Partial<ColumnReaderOptions>) =>
    new ColumnReader({ ...defaults, ...options }).columns.map(({ name }) => name)

  test('stand in the order of the schema, extra last', () => {
    expect(names({})).toEqual(['id', 'on', 'at', 'any', 'n', 'd', 'tags', 'place', 'extra'])
  })
  test('begin with _key under key-by', () => {
    expect(names({ hasKey: true })[0]).toBe('_key')
  })
  test.each([
    ['drop', 'extra', true],
    ['error', 'extra', true],
    ['extra', 'null', true],
    ['drop', 'null', false],
    ['error', 'error', false],
  ] as const)(
    'unknownFields %s and onTypeMismatch %s: extra is there: %s',
    (unknownFields, onTypeMismatch, isThere) => {
      expect(names({ unknownFields, onTypeMismatch }).includes('extra')).toBe(isThere)
    },
  )
  test('are one for each leaf when flattened, and extra takes what has no slot', () => {
    const flat = { nested: 'flatten', flattenSlots: 2, unknownFields: 'error', onTypeMismatch: 'error' } as const
    expect(names(flat)).toEqual([
      'id',
      'on',
      'at',
      'any',
      'n',
      'd',
      'tags.0',
      'tags.1',
      'place.id',
      'place.since',
      'extra',
    ])
    expect(names({ ...flat, unknownFields: 'drop' })).not.toContain('extra')
  })
  test('of the member schema, flattened, have the well-known names', () => {
    const flat = names({ schema: memberSchema, nested: 'flatten' })
    expect(flat).toEqual(
      expect.arrayContaining(['emails.0.email', 'phones.0.number', 'groups.0.organization.id', 'languages.0']),
    )
  })
})

describe('values', () => {
  test('absent and null are null', () => {
    expect(read('{}')).toEqual({})
    expect(read('{"id":null,"on":null,"at":null,"any":null,"tags":null,"place":null}')).toEqual({})
  })
  test('an empty list, a list of null and an empty struct are none of them null', () => {
    expect(read('{"tags":[]}')).toEqual({ tags: [] })
    expect(read('{"tags":[null]}')).toEqual({ tags: [null] })
    expect(read('{"place":{}}')).toEqual({ place: { id: null, since: null } })
  })
  test('the last of equal keys counts, at the top and inside, also when an earlier one has the wrong type', () => {
    expect(read('{"id":1,"id":"a"}')).toEqual({ id: 'a' })
    expect(read('{"id":"a","id":null}')).toEqual({})
    expect(read('{"place":{"id":7,"id":"a"}}')).toEqual({ place: { id: 'a', since: null } })
    expect(read('{"x":1,"y":2,"x":3}')).toEqual({ extra: '{"x":3,"y":2}' })
  })
  test('a key may be spelled with escapes', () => {
    expect(read('{"\\u0069d":"a","place":{"\\u0069d":"b"}}')).toEqual({ id: 'a', place: { id: 'b', since: null } })
    expect(read('{"\\u0078":1,"x":2}')).toEqual({ extra: '{"x":2}' })
  })
  test('JSON stays its own text, with its digits, escapes and white space', () => {
    const text = '{"n" : 123456789012345678901234567890, "f":1e400,"z":-0, "s":"\\u0041\\/"}'
    expect(read(`{"any":${text}}`)).toEqual({ any: text })
    expect(read('{"any":-1.50}')).toEqual({ any: '-1.50' })
    expect(read('{"any":"null"}')).toEqual({ any: '"null"' })
  })
  test('escapes and characters of every width are decoded', () => {
    expect(read('{"id":"\\u0041\\n\\"\\\\\\/\\ud83d\\ude00é😀"}')).toEqual({ id: 'A\n"\\/😀é😀' })
    expect(read('{"id":"ÿ"}')).toEqual({ id: 'ÿ' })
    expect(read('{"id":"\\u0000\\ufeff"}')).toEqual({ id: '\0\ufeff' })
  })
  test('a timestamp may be spelled with escapes', () => {
    expect(read('{"at":"\\u0031970-01-01T00:00:00Z"}')).toEqual({ at: 0n })
    expect(read('{"at":"\\u0031970-01-01T00:00:00Z"}', { timestamps: texts })).toEqual({ at: '1970-01-01T00:00:00Z' })
  })
  test('numbers are exact', () => {
    expect(read('{"n":9223372036854775807,"d":0.1}')).toEqual({ n: 9223372036854775807n, d: 0.1 })
    expect(read('{"n":-0,"d":-0}')).toEqual({ n: 0n, d: -0 })
    expect(read('{"n":1E2,"d":1E2}')).toEqual({ n: 100n, d: 100 })
  })
  test('the number of a double column can stay as it is written, with all its digits', () => {
    expect(read('{"n":1.0,"d":9007199254740993.50}', { timestamps: texts })).toEqual({
      n: 1n,
      d: new NumberText('9007199254740993.50'),
    })
    expect(read('{"d":"7"}', { timestamps: texts })).toEqual({ extra: '{"d":"7"}' })
  })
  test('white space between tokens does not matter', () => {
    expect(read('{ "id" : "a" ,\t"tags" : [ "b" , null ] , "place" : { } }')).toEqual({
      id: 'a',
      tags: ['b', null],
      place: { id: null, since: null },
    })
  })
  test('names of Object.prototype are data', () => {
    const text = '{"__proto__":{"polluted":1},"constructor":2,"hasOwnProperty":3}'
    expect(read(text)).toEqual({ extra: text })
    expect(read('{"place":{"__proto__":{"polluted":1}}}')).toEqual({
      place: { id: null, since: null },
      extra: '{"place":{"__proto__":{"polluted":1}}}',
    })
    expect('polluted' in {}).toBe(false)
  })
})

test('fields that are too many to be looked for one by one are read as few are', () => {
  fc.assert(
    fc.property(wideRecords, (texts) => {
      const wide = new ColumnReader({ ...defaults, schema: { resource: '*', version: 1, fields: wideFields } })
      for (const text of texts) {
        const parsed = JSON.parse(text) as Record<string, unknown>
        const row = readAll(wide, batchOf(text))[0]!
        for (const { name, type } of wideFields) {
          if (type.kind !== 'string' || !Object.hasOwn(parsed, name)) continue
          expect(row[name]).toBe(typeof parsed[name] === 'string' ? parsed[name] : null)
        }
        const unknown = Object.keys(parsed).filter((name) => !wideFields.some((field) => field.name === name))
        const extra = row['extra'] === null ? {} : (JSON.parse(row['extra'] as string) as object)
        for (const name of unknown) expect(Object.hasOwn(extra, name)).toBe(true)
      }
    }),
    { numRuns: 100 },
  )
})

describe('what no column holds', () => {
  test.each([
    ['a number in a string column', '{"id":7.0}', {}],
    ['a string in a boolean column', '{"on":"true"}', {}],
    ['a string in a list column', '{"tags":"a"}', {}],
    ['an object in a list column', '{"tags":{"0":"a"}}', {}],
    ['a list in a struct column', '{"place":[]}', {}],
    ['a date without a time', '{"at":"2024-01-01"}', {}],
    ['a number of seconds', '{"at":1700000000}', {}],
    ['nanoseconds', '{"at":"2024-01-01T00:00:00.123456789Z"}', {}],
    ['half a number in an int64 column', '{"n":0.5}', {}],
    ['a string in an int64 column', '{"n":"5"}', {}],
    ['a whole number beyond int64', '{"n":9223372036854775808}', {}],
    ['a string in a double column', '{"d":"0.5"}', {}],
    ['digits that a double would lose', '{"d":9007199254740993}', {}],
    ['a number beyond doubles', '{"d":1e400}', {}],
    ['a wrong element', '{"tags":["a",1]}', { tags: ['a', null] }],
    ['a wrong field inside', '{"place":{"id":"a","since":"soon"}}', { place: { id: 'a', since: null } }],
    ['an unknown field inside', '{"place":{"id":"a","x":1}}', { place: { id: 'a', since: null } }],
  ])('%s is kept raw in extra', (_name, text, columns) => {
    expect(read(text)).toEqual({ ...columns, extra: text })
  })
  test('unknown fields stand in extra in their order, before declared ones', () => {
    expect(read('{"b":1,"id":7,"a":{"deep":[1, 2]}}')).toEqual({ extra: '{"b":1,"a":{"deep":[1, 2]},"id":7}' })
  })
  test('fields named like our own columns go to extra', () => {
    expect(read('{"extra":1,"_key":2}')).toEqual({ extra: '{"extra":1,"_key":2}' })
  })
  test('everything but the id of an unmapped record is in extra', () => {
    const text = '{"id":"U1","profile":{"x":1.0}}'
    expect(read(text, { schema: unmappedSchema })).toEqual({ id: 'U1', extra: '{"profile":{"x":1.0}}' })
  })
  test('mismatches are counted for each field', () => {
    const reader = new ColumnReader(defaults)
    readAll(reader, batchOf('{"id":1}', '{"id":2,"tags":[1,2,3]}', '{"id":"a"}'))
    expect(reader.warnings()).toEqual([
      { code: 'type-mismatch', count: 3, message: expect.any(String), fields: { id: 2, tags: 1 } },
    ])
  })
  test('a mismatch can be lost on purpose', () => {
    expect(read('{"id":1,"x":2}', { onTypeMismatch: 'null' })).toEqual({ extra: '{"x":2}' })
  })
  test('unknown fields can be dropped, and are counted', () => {
    const reader = new ColumnReader({ ...defaults, unknownFields: 'drop' })
    expect(readAll(reader, batchOf('{"x":1,"y":2,"place":{"z":1}}'))[0]).toMatchObject({ extra: null })
    expect(reader.warnings()).toMatchObject([{ code: 'unknown-fields-dropped', count: 3 }])
  })
  test('a mismatch is an error with its position', () => {
    const error = failure('{"id":"a","at":"soon"}', { onTypeMismatch: 'error' })
    // '{}\n' is 3 bytes, the value begins 15 bytes into the second record
    expect(error).toMatchObject({ code: 'ERR_TYPE_MISMATCH', page: 3, recordIndex: 11, byteOffset: 1018 })
    expect(error.message).toContain('"at"')
  })
  test('a mismatch that a later duplicate replaces is none', () => {
    expect(read('{"id":1,"id":"a","place":{"id":1,"id":"b"}}', { onTypeMismatch: 'error' })).toMatchObject({ id: 'a' })
  })
  test.each([
    ['{"x":1}', 1004],
    ['{"place":{"id":"a","x":1}}', 1022],
    ['{"place":{"id":"a","\\u0078":1}}', 1022],
  ])('an unknown field is an error with its position: %s', (text, byteOffset) => {
    const error = failure(text, { unknownFields: 'error' })
    expect(error).toMatchObject({ code: 'ERR_FIELD_UNKNOWN', page: 3, recordIndex: 11, byteOffset })
    expect(error.message).toContain('"x"')
  })
})

describe('lone surrogates', () => {
  test('become U+FFFD and are counted; pairs stay', () => {
    const reader = new ColumnReader(defaults)
    const rows = readAll(reader, batchOf('{"id":"a\\ud800b","tags":["\\udc00","\\ud83d\\ude00"]}'))
    expect(rows[0]).toMatchObject({ id: 'a\ufffdb', tags: ['\ufffd', '😀'], extra: null })
    expect(reader.warnings()).toMatchObject([{ code: 'lone-surrogates', count: 2 }])
  })
  test('become U+FFFD escapes in JSON text, of values and of keys, and the rest of it stays', () => {
    const reader = new ColumnReader(defaults)
    const any = '{"a" : "\\uD800\\/\\u0041\\\\ud800\\ud83d\\ude00\\ud83d😀\\udc00\\udc00", "\\udfff":1.0}'
    const rows = readAll(reader, batchOf(`{"any":${any},"\\ud800":"\\n\\ud800\\ud800"}`))
    expect(rows[0]).toMatchObject({
      any: '{"a" : "\\ufffd\\/\\u0041\\\\ud800\\ud83d\\ude00\\ufffd😀\\ufffd\\ufffd", "\\ufffd":1.0}',
      extra: '{"\\ufffd":"\\n\\ufffd\\ufffd"}',
    })
    expect(reader.warnings()).toMatchObject([{ code: 'lone-surrogates', count: 8 }])
  })
  test.each(['{"id":"\\ud800"}', '{"any":{"a":"\\ud800"}}', '{"x":"\\ud800"}', '{"tags":["\\udc00"]}'])(
    'are an error when strict: %s',
    (text) => {
      expect(failure(text, { strict: true })).toMatchObject({ code: 'ERR_VALUE_INEXACT', page: 3, recordIndex: 11 })
      expect(read(text.replace(/\\ud[8c]00/, '\\ud83d\\ude00'), { strict: true })).not.toEqual({})
    },
  )
})

describe('keys', () => {
  test('are the first column', () => {
    const reader = new ColumnReader({ ...defaults, hasKey: true })
    const batch = batchWith(['{"id":"a"}', '{}'], { keys: ['k1', 'k\ud8002'] })
    expect(readAll(reader, batch).map((row) => row['_key'])).toEqual(['k1', 'k\ufffd2'])
  })
  test('must be there', () => {
    const reader = new ColumnReader({ ...defaults, hasKey: true })
    expect(() => readAll(reader, batchOf('{}'))).toThrow('without keys')
  })
})

describe('flattened values', () => {
  const flat = (text: string, flattenSlots = 1) => read(text, { nested: 'flatten', flattenSlots })

  test('stand in the columns of their leaves', () => {
    expect(flat('{"tags":["a"],"place":{"since":"1970-01-01T00:00:00Z"}}')).toEqual({
      'tags.0': 'a',
      'place.since': 0n,
    })
    expect(flat('{"tags":["a","b"]}', 2)).toEqual({ 'tags.0': 'a', 'tags.1': 'b' })
  })
  test.each([
    ['more elements than slots', '{"tags":["a","b"]}', { 'tags.0': 'a' }],
    ['an empty list', '{"tags":[]}', {}],
    ['a null element', '{"tags":[null]}', {}],
    ['an empty struct', '{"place":{}}', {}],
    ['a struct of nulls', '{"place":{"id":null}}', {}],
    ['a wrong leaf', '{"place":{"id":1,"since":"1970-01-01T00:00:00Z"}}', { 'place.since': 0n }],
    ['an unknown leaf', '{"place":{"id":"a","x":1}}', { 'place.id': 'a' }],
    ['another type', '{"place":7}', {}],
  ])('that their columns do not tell whole are kept in extra: %s', (_name, text, columns) => {
    expect(flat(text)).toEqual({ ...columns, extra: text })
  })
  test('are counted where extra is not there to keep them', () => {
    const reader = new ColumnReader({ ...defaults, nested: 'flatten', unknownFields: 'drop', onTypeMismatch: 'null' })
    readAll(reader, batchOf('{"tags":["a","b"]}', '{"tags":["a"]}'))
    expect(reader.warnings()).toMatchObject([{ code: 'flattened-values-cut', count: 1 }])
  })
  test('leave nothing of the record before', () => {
    const reader = new ColumnReader({ ...defaults, nested: 'flatten', flattenSlots: 2 })
    const full = '{"id":"x","on":true,"tags":["a","b"],"place":{"id":"p"},"any":1,"x":1}'
    const [, second] = readAll(reader, batchOf(full, '{"tags":["c"]}'))
    expect(Object.entries(second!).filter(([, value]) => value !== null)).toEqual([['tags.0', 'c']])
  })
})

test('random members read as the schema says, and what does not fit is in extra', () => {
  fc.assert(
    fc.property(fc.array(memberSample(), { maxLength: 3 }), (samples) => {
      const reader = new ColumnReader({ ...defaults, schema: memberSchema })
      const rows = readAll(reader, batchOf(...samples.map(({ text }) => text)))
      samples.forEach(({ fields, extra }, index) => {
        const { extra: extraText, ...columns } = rows[index]!
        const expected = Object.fromEntries(
          memberSchema.fields.map(({ name }): [string, Expected] => [name, fields.get(name)?.value ?? null]),
        )
        expect(columns).toEqual(expected)
        expect(extraText === null ? [] : entriesOf(extraText as string)).toEqual(sortedEntries(extra))
      })
    }),
    { numRuns: runs },
  )
})

test('flattened random members can be put together again', () => {
  fc.assert(
    fc.property(memberSample(), fc.integer({ min: 1, max: 3 }), ({ text, fields }, flattenSlots) => {
      const row = read(text, { schema: memberSchema, nested: 'flatten', flattenSlots })
      const extra =
        row['extra'] === undefined ? {} : (JSON.parse(row['extra'] as string) as { [name: string]: unknown })
      for (const { name } of memberSchema.fields) {
        const sample = fields.get(name)
        if (Object.hasOwn(extra, name)) expect(extra[name]).toEqual(JSON.parse(sample!.text))
        else expect(unflatten(name, row)).toEqual(withoutNulls(sample?.value ?? null))
      }
    }),
    { numRuns: runs },
  )
})

/** Members of a JSON object as [key, value] pairs; `__proto__` is a key like any other. */
function entriesOf(text: string): [string, unknown][] {
  return Object.entries(JSON.parse(text) as object).sort(byKey)
}

function sortedEntries(texts: Map<string, string>): [string, unknown][] {
  return [...texts].map(([key, text]): [string, unknown] => [key, JSON.parse(text)]).sort(byKey)
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1
}

/** The value that columns `name`, `name.0`, `name.id`, … tell. */
function unflatten(name: string, row: { [column: string]: ColumnValue }): unknown {
  if (Object.hasOwn(row, name)) return row[name]
  const children = new Set<string>()
  for (const column of Object.keys(row)) {
    if (column.startsWith(`${name}.`)) children.add(column.slice(name.length + 1).split('.')[0]!)
  }
  if (children.size === 0) return undefined
  const entries = [...children].map((child): [string, unknown] => [child, unflatten(`${name}.${child}`, row)])
  return children.has('0') ? entries.map(([, value]) => value) : Object.fromEntries(entries)
}

function withoutNulls(value: Expected): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (value === null || typeof value !== 'object') return value ?? undefined
  const entries = Object.entries(value).map(([name, child]): [string, unknown] => [name, withoutNulls(child)])
  return Object.fromEntries(entries.filter(([, child]) => child !== undefined))
}
