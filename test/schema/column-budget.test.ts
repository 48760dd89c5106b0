import { describe, expect, test } from 'vitest'
import { layoutOf } from '../../src/encode/columns/layout.js'
import { parseDouble, parseInt64 } from '../../src/encode/columns/number.js'
import { checkSchema } from '../../src/schema/check-schema.js'
import { type JsonSchema, schemaFromJson, schemaToJson } from '../../src/schema/json-schema.js'
import { SchemaLearner } from '../../src/schema/learner.js'
import type { Field, FieldType } from '../../src/schema/resource.js'
import { batchOf } from '../helpers/batch.js'

const limit = (message: RegExp) =>
  expect.objectContaining({
    code: 'ERR_LIMIT',
    exitCode: 6,
    message: expect.stringMatching(message),
    hint: expect.stringContaining('--max-columns'),
  })
const tests = {
  isTimestamp: () => false,
  isInt64: (bytes: Buffer, start: number, end: number) => parseInt64(bytes, start, end) !== undefined,
  isDouble: (bytes: Buffer, start: number, end: number) => parseDouble(bytes, start, end) !== undefined,
}

/** `levels` definitions of `width` properties, each of them the next definition: width ** levels columns in a
 *  kilobyte. */
function nested(levels: number, width: number, name = 'p', last: object = { type: 'string' }): JsonSchema {
  const $defs: Record<string, object> = { [`d${levels}`]: last }
  for (let level = 0; level < levels; level++) {
    const properties = Object.fromEntries(
      Array.from({ length: width }, (_, i) => [`${name}${i}`, { $ref: `#/$defs/d${level + 1}` }]),
    )
    $defs[`d${level}`] = { type: 'object', properties }
  }
  return { type: 'object', properties: { root: { $ref: '#/$defs/d0' } }, $defs }
}

describe('a JSON Schema of more columns than there may be is a limit', () => {
  test('however few lines it has', () => {
    expect(() => schemaFromJson(nested(14, 4))).toThrow(limit(/more than 10000 columns/))
    expect(() => schemaFromJson(nested(3, 3), { maxColumns: 26 })).toThrow(limit(/more than 26 columns/))
    expect(schemaFromJson(nested(3, 3), { maxColumns: 27 }).fields).toHaveLength(1)
    expect(() => schemaFromJson(nested(14, 2))).toThrow(limit(/columns/))
    expect(schemaFromJson(nested(13, 2)).fields).toHaveLength(1)
  })

  test('also where its names are long, or what is referred to takes long to read', () => {
    expect(() => schemaFromJson(nested(5, 4, 'x'.repeat(10_000)))).toThrow(
      limit(/names have more than 2000000 characters/),
    )
    const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`x-${i}`, i]))
    const types = Array<string>(100_000).fill('null')
    for (const last of [{ type: 'string', ...many }, { type: ['string', ...types] }]) {
      expect(schemaFromJson(nested(6, 4, 'p', last)).fields).toHaveLength(1)
    }
  })
})

test('a schema in code counts what it refers to as often as it does', () => {
  let type: FieldType = { kind: 'string' }
  for (let level = 0; level < 20; level++)
    type = { kind: 'struct', fields: ['a', 'b'].map((name): Field => ({ name, type })) }
  const schema = { resource: '*', version: 1, fields: [{ name: 'a', type }] }
  expect(() => checkSchema(schema)).toThrow(limit(/more than 10000 columns/))
  const options = { hasKey: false, flattenSlots: 1, unknownFields: 'extra', onTypeMismatch: 'extra' } as const
  for (const nested of ['values', 'flatten'] as const) {
    expect(() => layoutOf({ schema, nested, ...options })).toThrow(limit(/columns/))
  }
  expect(layoutOf({ schema, nested: 'text', ...options }).columns).toHaveLength(2)
})

test('slots of lists in lists are columns', () => {
  let type: FieldType = { kind: 'string' }
  for (let level = 0; level < 5; level++) type = { kind: 'list', element: type }
  const schema = { resource: '*', version: 1, fields: [{ name: 'a', type }] }
  const flat = (flattenSlots: number, maxColumns?: number) =>
    layoutOf({
      schema,
      nested: 'flatten',
      flattenSlots,
      hasKey: false,
      unknownFields: 'extra',
      onTypeMismatch: 'extra',
      maxColumns,
    })
  expect(() => flat(30)).toThrow(limit(/more than 10000 columns/))
  expect(() => flat(100)).toThrow(limit(/columns/))
  expect(flat(6).columns).toHaveLength(6 ** 5 + 1)
  expect(() => flat(6, 7775)).toThrow(limit(/more than 7775 columns/))
})

describe('a list is learned from within bounds', () => {
  const learn = (maxColumns: number | undefined, ...texts: string[]) => {
    const learner = new SchemaLearner(tests, maxColumns)
    for (const text of texts) learner.add(batchOf(text))
    return learner.schema('*')
  }
  const object = (count: number, value: string, name = 'n'): string =>
    `{${Array.from({ length: count }, (_, i) => `"${name}${i}":${value}`).join(',')}}`

  test('of ever new names in objects of objects', () => {
    const hostile = (i: number) => object(30, object(30, object(30, '1', `${i}c`), `${i}b`), `${i}a`)
    expect(() => learn(undefined, ...Array.from({ length: 10 }, (_, i) => hostile(i)))).toThrow(
      limit(/more than 100000 names of fields/),
    )
    expect(() => learn(undefined, object(500, object(999, '1')))).toThrow(limit(/names of fields/))
    expect(() =>
      learn(
        undefined,
        ...Array.from({ length: 20 }, (_, i) =>
          object(900, '1', `${i}${'x'.repeat(1000)}`)
            .replace(/^/, '{"a":')
            .concat('}'),
        ),
      ),
    ).not.toThrow()
  })

  test('of long names', () => {
    const long = (i: number) => `{"k${i}":{"${'x'.repeat(3_000_000)}${i}":1}}`
    expect(() => learn(undefined, ...Array.from({ length: 5 }, (_, i) => long(i)))).toThrow(limit(/names/))
  })

  test('of more columns than there may be, by what it is told to take', () => {
    const wide = object(20, object(20, object(30, '1')))
    expect(() => learn(undefined, wide)).toThrow(limit(/more than 10000 columns/))
    expect(learn(12_000, wide).fields).toHaveLength(20)
    expect(() => learn(10, object(11, '1'))).toThrow(limit(/more than 10 columns/))
  })

  test('and names of maps are given back when they turn out to be one', () => {
    // 1,200 keys in each of 200 maps, with values of their own: far more names than are held at once
    const maps = Array.from({ length: 200 }, (_, i) => `{"m${i}":${object(1200, '{"a":1,"b":2}')}}`)
    const { fields } = learn(undefined, ...maps)
    expect(fields).toHaveLength(200)
    expect(new Set(fields.map(({ type }) => type.kind))).toEqual(new Set(['json']))
  })

  test('so that what is learned can be read again', () => {
    const { fields } = learn(undefined, object(99, object(100, '1')))
    const text = JSON.stringify(schemaToJson({ resource: '*', version: 1, fields }), null, 2)
    expect(text.length).toBeLessThan(4 * 1024 * 1024)
    expect(schemaFromJson(text).fields).toEqual(fields)
  })
})
