import { expect, test } from 'vitest'
import { type Member, memberSchema } from '../../src/schema/member.js'
import type { FieldType } from '../../src/schema/resource.js'

/** The fields that a type names itself, without its index signature. */
type Named<T> = { [K in keyof T as string extends K ? never : number extends K ? never : K]: T[K] }

/** A declared type as data: its kind, a list as a tuple of its element, a struct as an object. A date-time is a string
 *  to TypeScript. */
type Shape<T> = [number] extends [T]
  ? 'json'
  : [T] extends [boolean]
    ? 'boolean'
    : [T] extends [string]
      ? 'string' | 'timestamp'
      : [T] extends [(infer Element)[]]
        ? [Shape<NonNullable<Element>>]
        : { [K in keyof Named<T>]-?: Shape<NonNullable<T[K & keyof T]>> }

// tsc holds this table to the type, the test below holds it to the schema
const shape: Shape<Member> = {
  id: 'string',
  activated_at: 'timestamp',
  avatar: 'string',
  bio: 'string',
  created_at: 'timestamp',
  emails: [{ email: 'string', is_primary: 'boolean', type: 'string' }],
  first_name: 'string',
  groups: [
    {
      id: 'string',
      name: 'string',
      organization: { id: 'string', name: 'string' },
      type: 'string',
      workspace: { id: 'string', name: 'string' },
    },
  ],
  is_email_verified: 'boolean',
  languages: ['string'],
  last_active_at: 'timestamp',
  last_login_at: 'timestamp',
  last_name: 'string',
  name: 'string',
  organizations: [{ id: 'string', name: 'string' }],
  phones: [{ extension: 'string', number: 'string', type: 'string' }],
  remote_data: 'json',
  status: 'string',
  status_changed_at: 'timestamp',
  timezone: 'string',
  title: 'string',
  type: 'string',
  updated_at: 'timestamp',
  urls: [{ type: 'string', url: 'string' }],
  username: 'string',
  workspaces: [{ id: 'string', name: 'string' }],
}

function shapeOf(type: FieldType): unknown {
  if (type.kind === 'list') return [shapeOf(type.element)]
  if (type.kind !== 'struct') return type.kind
  return Object.fromEntries(type.fields.map((field) => [field.name, shapeOf(field.type)]))
}

test('the member schema declares the fields of Member, with the same types and nesting', () => {
  expect(shapeOf({ kind: 'struct', fields: memberSchema.fields })).toEqual(shape)
})

test('its columns begin with the id and go on in alphabetical order, as the reference page lists them', () => {
  const [first, ...rest] = memberSchema.fields.map(({ name }) => name)
  expect(first).toBe('id')
  expect(rest).toEqual([...rest].sort())
})

test('a field that the reference page does not name is still part of a Member', () => {
  const member: Member = { id: 'U1', unheard_of: { nested: [1, null] } }
  expect(member['unheard_of']).toEqual({ nested: [1, null] })
})
