import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type JsonSchema, schemaFromJson, schemaToJson } from '../../src/schema/json-schema.js'
import { memberSchema } from '../../src/schema/member.js'
import type { Field, FieldType } from '../../src/schema/resource.js'

const typeOf = (property: unknown, more: JsonSchema = {}): FieldType =>
  schemaFromJson({ type: 'object', properties: { a: property }, ...more }).fields[0]!.type
const struct = (...fields: [string, FieldType][]): FieldType => ({
  kind: 'struct',
  fields: fields.map(([name, type]) => ({ name, type })),
})
const string: FieldType = { kind: 'string' }

describe('a property becomes a column', () => {
  const rows: [string, unknown, FieldType][] = [
    ['string', { type: 'string' }, string],
    ['string or null', { type: ['string', 'null'] }, string],
    ['null or string', { type: ['null', 'string'] }, string],
    ['date-time', { type: ['string', 'null'], format: 'date-time' }, { kind: 'timestamp' }],
    ['any other format', { type: 'string', format: 'email' }, string],
    ['boolean', { type: 'boolean' }, { kind: 'boolean' }],
    ['integer', { type: 'integer', format: 'int32' }, { kind: 'int64' }],
    ['number', { type: 'number' }, { kind: 'double' }],
    ['nothing said', {}, { kind: 'json' }],
    ['true', true, { kind: 'json' }],
    ['list', { type: 'array', items: { type: 'string' } }, { kind: 'list', element: string }],
    ['list of anything', { type: 'array' }, { kind: 'json' }],
    ['object', { type: 'object', properties: { b: { type: 'string' } } }, struct(['b', string])],
    ['object of anything', { type: 'object' }, { kind: 'json' }],
    ['object without fields', { type: 'object', properties: {} }, { kind: 'json' }],
    ['annotations', { type: 'string', title: 't', description: 'd', enum: ['x'], 'x-y': 1, nullable: true }, string],
    [
      'required and additionalProperties',
      { type: 'object', properties: { b: { type: 'string' } }, required: ['b'], additionalProperties: false },
      struct(['b', string]),
    ],
  ]
  test.each(rows)('%s', (_name, property, expected) => {
    expect(typeOf(property)).toEqual(expected)
  })

  test('through references inside the document', () => {
    const $defs = { name: { type: 'string' }, 'a/b~c': { $ref: '#/$defs/name' } }
    expect(typeOf({ $ref: '#/$defs/a~1b~0c', description: 'beside' }, { $defs })).toEqual(string)
    expect(typeOf({ type: 'array', items: { $ref: '#/$defs/name' } }, { $defs })).toEqual({
      kind: 'list',
      element: string,
    })
    expect(
      schemaFromJson({ $ref: '#/$defs/r', $defs: { r: { type: 'object', properties: { b: {} } } } }).fields,
    ).toHaveLength(1)
  })

  test('in the order of the document, whatever it is called', () => {
    const { fields } = schemaFromJson(
      '\ufeff{"type":"object","properties":{"b":{},"__proto__":{"type":"string"},"a.b":{}}}',
    )
    expect(fields.map(({ name }) => name)).toEqual(['b', '__proto__', 'a.b'])
  })
})

describe('anything else is an error that says where', () => {
  const deep = (levels: number): unknown => (levels === 0 ? {} : { type: 'array', items: deep(levels - 1) })
  const rows: [string, unknown, string][] = [
    ['unknown keyword', { type: 'string', pattern: 'x' }, '/properties/a/pattern'],
    ['oneOf', { oneOf: [] }, '/properties/a/oneOf'],
    ['two types', { type: ['string', 'integer'] }, '/properties/a/type'],
    ['null alone', { type: 'null' }, '/properties/a/type'],
    ['unknown type', { type: 'date' }, '/properties/a/type'],
    ['false', false, '/properties/a'],
    ['list as a schema', [], '/properties/a'],
    ['items of a string', { type: 'string', items: {} }, '/properties/a/items'],
    ['format of an object', { type: 'object', format: 'x' }, '/properties/a/format'],
    ['properties without a type', { properties: {} }, '/properties/a/properties'],
    ['tuple', { type: 'array', items: [{}] }, '/properties/a/items'],
    ['map', { type: 'object', additionalProperties: { type: 'string' } }, '/properties/a/additionalProperties'],
    [
      'nested',
      { type: 'array', items: { type: 'object', properties: { 'x/~': { not: {} } } } },
      '/properties/a/items/properties/x~1~0/not',
    ],
    ['empty name', { type: 'object', properties: { '': {} } }, '/properties/a/properties/'],
    ['half a character', { type: 'object', properties: { '\ud800': {} } }, '/properties/a/properties/'],
    ['reference elsewhere', { $ref: 'https://example.com/x' }, '/properties/a/$ref'],
    ['reference to nothing', { $ref: '#/$defs/toString' }, '/properties/a/$ref'],
    ['reference to itself', { $ref: '#/properties/a' }, '/properties/a/$ref'],
    ['reference that says more', { $ref: '#/$defs/x', type: 'string' }, '/properties/a/type'],
    ['broken escape', { $ref: '#/%zz' }, '/properties/a/$ref'],
    ['depth', deep(40), '/properties/a/items'],
  ]
  test.each(rows)('%s', (_name, property, pointer) => {
    expect(() => typeOf(property, { $defs: { x: {} } })).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION_INVALID', message: expect.stringContaining(pointer) }),
    )
  })

  test.each([
    ['{'],
    ['[]'],
    ['{"type":"array"}'],
    ['{"type":"object"}'],
    ['null'],
    ['{"type":"object","properties":{}}'],
  ])('a document %s', (text) => {
    expect(() => schemaFromJson(text)).toThrow(expect.objectContaining({ code: 'ERR_OPTION_INVALID' }))
  })
})

test('the declared members are read as they are printed', () => {
  const text = JSON.stringify(schemaToJson(memberSchema))
  expect(schemaFromJson(text, { resource: memberSchema.resource })).toEqual({
    ...memberSchema,
    version: expect.stringMatching(/^sha256:[0-9a-f]{16}$/),
  })
})

test('any schema is read as it is printed, and its version is that of its columns', () => {
  const scalar = fc.constantFrom<FieldType>(
    string,
    { kind: 'boolean' },
    { kind: 'timestamp' },
    { kind: 'int64' },
    { kind: 'double' },
    { kind: 'json' },
  )
  const { fields } = fc.letrec<{ fields: Field[]; type: FieldType }>((tie) => ({
    // names that are indexes of arrays would be the first of an object
    fields: fc.uniqueArray(
      fc.record({ name: fc.string({ minLength: 1, unit: 'grapheme' }).map((name) => `-${name}`), type: tie('type') }),
      { selector: ({ name }) => name, minLength: 1, maxLength: 4 },
    ),
    type: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      scalar,
      tie('fields').map((fields): FieldType => ({ kind: 'struct', fields })),
      tie('type').map((element): FieldType => ({ kind: 'list', element })),
    ),
  }))
  fc.assert(
    fc.property(fields, (fields) => {
      const read = schemaFromJson(JSON.stringify(schemaToJson({ resource: '*', version: 1, fields })))
      expect(read.fields).toEqual(fields)
      const longer = [...fields, { name: 'one more', type: string }]
      const other = schemaFromJson(schemaToJson({ resource: '*', version: 1, fields: longer }))
      expect(other.version).not.toBe(read.version)
    }),
    { numRuns: 100 },
  )
})
