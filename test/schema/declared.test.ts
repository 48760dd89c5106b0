import { expect, test } from 'vitest'
import { declaredSchema, declaredSchemas } from '../../src/schema/declared.js'
import { memberSchema } from '../../src/schema/member.js'
import { unmappedSchema } from '../../src/schema/resource.js'

test('members have their own schema, any other resource has an id', () => {
  expect(declaredSchema('instant-messaging/members')).toBe(memberSchema)
  expect(declaredSchema('instant-messaging/messages')).toBe(unmappedSchema)
  expect(declaredSchema('__proto__')).toBe(unmappedSchema)
})

test('a declared schema says itself of which resource it is', () => {
  for (const [resource, schema] of Object.entries(declaredSchemas)) expect(schema.resource).toBe(resource)
})
