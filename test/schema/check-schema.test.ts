import { expect, test } from 'vitest'
import { checkSchema } from '../../src/schema/check-schema.js'
import { maxDepth } from '../../src/schema/json-schema.js'
import { memberSchema } from '../../src/schema/member.js'
import { type FieldType, unmappedSchema } from '../../src/schema/resource.js'

const withFields = (fields: unknown): object => ({ resource: 'crm/contacts', version: 1, fields })
const withType = (type: unknown): object => withFields([{ name: 'a', type }])

test('the declared schemas are schemas', () => {
  expect(checkSchema(memberSchema)).toBe(memberSchema)
  expect(checkSchema(unmappedSchema)).toBe(unmappedSchema)
})

test.each([
  ['a resource that is no string', { version: 1, fields: [] }, 'schema.resource is no string'],
  ['no version', { resource: '*', fields: [] }, 'schema.version is no number and no string'],
  ['fields by name', withFields({ id: 'string' }), 'schema.fields is no array'],
  ['a field that is a name', withFields(['id']), 'schema.fields[0] is no object with a name and a type'],
  [
    'an empty name',
    withFields([{ name: '', type: { kind: 'json' } }]),
    'schema.fields[0].name is no name that UTF-8 can write',
  ],
  [
    'half a character',
    withFields([{ name: '\ud800', type: { kind: 'json' } }]),
    'schema.fields[0].name is no name that UTF-8 can write',
  ],
  [
    'the same name twice',
    withFields([
      { name: 'id', type: { kind: 'string' } },
      { name: 'id', type: { kind: 'json' } },
    ]),
    'schema.fields[1].name is id once more',
  ],
  ['a type that is a word', withType('string'), 'schema.fields[0].type is no object with a kind'],
  [
    'a kind that is not known',
    withType({ kind: 'int32' }),
    'schema.fields[0].type.kind is none of string, boolean, timestamp, int64, double, json, list, struct',
  ],
  ['a list of nothing', withType({ kind: 'list' }), 'schema.fields[0].type.element is no object with a kind'],
  [
    'a struct without fields',
    withType({ kind: 'struct', fields: [] }),
    'schema.fields[0].type.fields is empty, and a struct has a field',
  ],
  [
    'a fault inside a list of structs',
    withType({ kind: 'list', element: { kind: 'struct', fields: [{ name: 'b', type: null }] } }),
    'schema.fields[0].type.element.fields[0].type is no object with a kind',
  ],
])('%s is an error with its place', (_, schema, message) => {
  expect(() => checkSchema(schema)).toThrow(expect.objectContaining({ code: 'ERR_OPTION_INVALID', message }))
})

test('types are nested as deep as in a JSON Schema document', () => {
  const nested = (depth: number): FieldType =>
    depth === 0 ? { kind: 'string' } : { kind: 'list', element: nested(depth - 1) }
  expect(() => checkSchema(withType(nested(maxDepth)))).not.toThrow()
  expect(() => checkSchema(withType(nested(maxDepth + 1)))).toThrow('is nested deeper than 32 levels')
})
