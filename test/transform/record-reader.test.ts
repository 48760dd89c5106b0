import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ConfigError } from '../../src/errors.js'
import type { JsonRecord, RecordBatch } from '../../src/record.js'
import {
  checkFields,
  fieldsAfter,
  projectedRecords,
  type RecordReader,
  wholeRecords,
} from '../../src/transform/record-reader.js'
import { batchOf } from '../helpers/batch.js'
import { withFields } from '../helpers/record-fields.js'
import { documents, looselyPlaced, names, numRuns, print } from './records.js'

function readAll(reader: RecordReader, batch: RecordBatch): JsonRecord[] {
  reader.begin(batch)
  return Array.from({ length: batch.count }, (_, index) => reader.read(index))
}
const project = (fields: string[], ...texts: string[]): JsonRecord[] =>
  readAll(projectedRecords(fields), batchOf(...texts))

/** The model: pick own members of parsed records. */
function pick(record: JsonRecord, fields: readonly string[]): JsonRecord {
  const picked: JsonRecord = {}
  for (const name of fields)
    if (Object.hasOwn(record, name))
      Object.defineProperty(picked, name, {
        value: record[name],
        writable: true,
        enumerable: true,
        configurable: true,
      })
  return picked
}

/** Equal values, prototypes, order of properties and zeros. Not by toStrictEqual, which takes a field `constructor` for
 *  the type. */
function expectSame(actual: JsonRecord[], expected: JsonRecord[]): void {
  expect(JSON.stringify(actual)).toBe(JSON.stringify(expected))
  expect(isDeepStrictEqual(actual, expected)).toBe(true)
}

const values: [string, string][] = [
  ['a string', '"Jürgen"'],
  ['an ASCII string', '"U1"'],
  ['an empty string', '""'],
  ['a string with escapes', String.raw`"a\"\\\u00e9\n"`],
  ['a long string', `"${'x'.repeat(500)}ü"`],
  ['half of a surrogate pair', String.raw`"\ud800"`],
  ['null', 'null'],
  ['true', 'true'],
  ['false', 'false'],
  ['an integer', '12'],
  ['a negative zero', '-0'],
  ['a fraction with an exponent', '-1.50e-3'],
  ['a number beyond a double', '1e400'],
  ['digits beyond a double', '12345678901234567890123'],
  ['an array', '[1, {"b": "]"}]'],
  ['an object', '{"a": {"__proto__": 1}, "a": 2}'],
]
test.each(values)('%s is read as JSON.parse reads it', (_name, text) => {
  expect(project(['a'], `{"a":${text}}`, `{ "b" : 0 , "a" : ${text} }`)).toEqual([
    { a: JSON.parse(text) },
    { a: JSON.parse(text) },
  ])
  expect(Object.is(project(['a'], `{"a":${text}}`)[0]!['a'], JSON.parse('-0'))).toBe(text === '-0')
})

test('properties stand in the order that was asked for, absent ones and those not asked for are absent', () => {
  const [first, second] = project(['c', 'a', 'x', 'c'], '{"a":1,"b":2,"c":3}', '{"b":{"a":1}}')
  expect(Object.entries(first!)).toEqual([
    ['c', 3],
    ['a', 1],
  ])
  expect(Object.keys(second!)).toEqual([])
  expect(project([], '{"a":1}')).toEqual([{}])
})

test('names are those of own members of the record, not paths', () => {
  expect(project(['a.b'], '{"a":{"b":1}}', '{"a.b":2}')).toEqual([{}, { 'a.b': 2 }])
  expect(project(['toString', 'constructor'], '{"a":1}')).toEqual([{}])
})

test('__proto__ is a property like any other', () => {
  const [record] = project(['__proto__', 'a'], '{"__proto__":{"polluted":1},"a":2}')
  expect(Object.entries(record!)).toEqual([
    ['__proto__', { polluted: 1 }],
    ['a', 2],
  ])
  expect(Object.getPrototypeOf(record)).toBe(Object.prototype)
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

test('what was read shares nothing with the batch', () => {
  const batch = batchOf(`{"a":"U1","b":"${'é'.repeat(100)}","c":["d"]}`)
  const [record] = readAll(projectedRecords(['a', 'b', 'c']), batch)
  batch.bytes.fill(0x20)
  expect(record).toEqual({ a: 'U1', b: 'é'.repeat(100), c: ['d'] })
})

test('any fields of any records are those of the parsed records, with and without the help of an engine', () => {
  fc.assert(
    fc.property(
      fc.array(documents, { maxLength: 5 }),
      fc.array(names, { maxLength: 5 }),
      fc.boolean(),
      fc.boolean(),
      (records, fields, isLoose, hasFields) => {
        const texts = records.map(print)
        const placed = isLoose ? looselyPlaced(texts) : batchOf(...texts)
        const batch = hasFields ? withFields(placed) : placed
        const parsed = texts.map((text) => JSON.parse(text) as JsonRecord)
        const picked = parsed.map((record) => pick(record, fields))
        expectSame(readAll(projectedRecords(fields), batch), picked)
        expectSame(readAll(wholeRecords(), batch), parsed)
      },
    ),
    { numRuns: numRuns(1000) },
  )
})

test('an exclusion and a selection take fields away, and only their paths into the others are left to do', () => {
  const fields = ['id', 'emails', 'a.b', 'phones']
  const exclude = ['phones', 'emails.type', 'remote_data', 'bio.x', 'a\\.b', 'phones.type']
  expect(fieldsAfter(fields, { exclude })).toEqual({
    fields: ['id', 'emails'],
    edits: { select: undefined, exclude: ['emails.type'] },
  })
  expect(fieldsAfter(fields, {})).toEqual({ fields, edits: { select: undefined, exclude: [] } })
  expect(fieldsAfter(fields, { select: ['phones', 'id', 'x.y'], exclude: ['id'] })).toEqual({
    fields: ['phones'],
    edits: { select: undefined, exclude: [] },
  })
  expect(fieldsAfter(fields, { select: ['phones.number', 'id', 'x'], exclude: ['emails'] })).toEqual({
    fields: ['id', 'phones'],
    edits: { select: ['phones.number', 'id'], exclude: [] },
  })
})

test('all edits are left to do where values or names change', () => {
  const edits = { rename: [['name', 'x'] as const] }
  expect(fieldsAfter(['x', 'id'], edits)).toEqual({ fields: ['x', 'id'], edits })
})

test.each([['id'], [null], [{}], [['id', 1]]])('%j is no list of fields', (fields) => {
  expect(() => checkFields(fields)).toThrow(ConfigError)
})
