import { expect, test } from 'vitest'
import { memberSchema } from '../../src/schema/member.js'
import { schemaOf, unmappedSchema, withoutFields } from '../../src/schema/resource.js'

test('members have their own schema, any other resource has an id', () => {
  expect(schemaOf('instant-messaging/members')).toBe(memberSchema)
  expect(schemaOf('instant-messaging/messages')).toBe(unmappedSchema)
  expect(schemaOf('__proto__')).toBe(unmappedSchema)
})

test('excluded fields leave the schema, the others keep their order', () => {
  const { fields, resource } = withoutFields(memberSchema, ['remote_data', 'id', 'unknown'])
  expect(resource).toBe(memberSchema.resource)
  expect(fields).toEqual(memberSchema.fields.filter(({ name }) => name !== 'remote_data' && name !== 'id'))
  expect(memberSchema.fields.map(({ name }) => name)).toContain('remote_data')
})
