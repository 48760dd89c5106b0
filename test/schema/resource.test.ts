import { expect, test } from 'vitest'
import { memberSchema } from '../../src/schema/member.js'
import { schemaOf, unmappedSchema } from '../../src/schema/resource.js'

test('members have their own schema, any other resource has an id', () => {
  expect(schemaOf('instant-messaging/members')).toBe(memberSchema)
  expect(schemaOf('instant-messaging/messages')).toBe(unmappedSchema)
  expect(schemaOf('__proto__')).toBe(unmappedSchema)
})
