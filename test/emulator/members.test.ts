import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memberAt, memberIdAt, memberIndexOf, upstreamMemberAt } from '../../src/emulator/members.js'
import type { JsonValue } from '../../src/record.js'
import { integrations } from '../../src/schema/integrations.js'
import { memberSchema } from '../../src/schema/member.js'

const numRuns = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 5000 : 300
const bytesOf = (value: JsonValue): number => Buffer.byteLength(JSON.stringify(value))
const integration = fc.constantFrom(...integrations)

test('a member is a function of seed and index, whatever was asked before', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(1e9), integration, (seed, index, integration) => {
      const options = { seed, integration, oddities: true, heavyTail: true }
      const once = memberAt(index, options)
      memberAt(index + 1, options)
      expect(memberAt(index, options)).toEqual(once)
      expect(JSON.parse(JSON.stringify(once))).toEqual(once)
    }),
    { numRuns },
  )
})

test('other seeds give other members', () => {
  expect(memberAt(5, { seed: 1 })).not.toEqual(memberAt(5, { seed: 2 }))
})

test('an id leads back to its index, and no other text does', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(2 ** 31), integration, (seed, index, integration) => {
      const id = memberIdAt(index, { seed, integration })
      expect(memberIndexOf(id, { seed, integration })).toBe(index)
      expect(memberIndexOf(`${id}0`, { seed, integration })).toBeUndefined()
      expect(memberIndexOf(id.toLowerCase().replace('u', 'x'), { seed, integration: 'slack' })).toBeUndefined()
    }),
    { numRuns },
  )
})

test.each(integrations)('%s fills the fields that the reference page marks, and no others', (integration) => {
  const microsoft = ['emails', 'first_name', 'id', 'last_name', 'name', 'remote_data', 'type']
  const slack = [
    'avatar',
    'bio',
    'is_email_verified',
    'phones',
    'status',
    'timezone',
    'title',
    'updated_at',
    'username',
  ]
  const expected = integration === 'slack' ? [...microsoft, ...slack] : microsoft
  for (let index = 0; index < 200; index++) {
    expect(Object.keys(memberAt(index, { integration })).sort()).toEqual(expected.sort())
  }
  const declared = new Set(memberSchema.fields.map(({ name }) => name))
  expect(expected.filter((name) => !declared.has(name))).toEqual([])
})

test('remote_data is what the provider sent', () => {
  for (const integration of integrations) {
    expect(memberAt(7, { integration })['remote_data']).toEqual(upstreamMemberAt(7, { integration }))
    expect(memberAt(7, { integration, remoteData: false })).not.toHaveProperty('remote_data')
  }
})

describe('sizes are near those estimated for real records', () => {
  const rows = [
    ['slack', 'unified', 450, 620],
    ['slack', 'remote', 1850, 2250],
    ['slack', 'both', 2350, 2850],
    ['msteams', 'unified', 190, 260],
    ['msteams', 'remote', 440, 530],
    ['msteams', 'both', 650, 790],
  ] as const
  test.each(rows)('%s %s has a mean of %i to %i bytes', (integration, part, least, most) => {
    let sum = 0
    const count = 2000
    for (let index = 0; index < count; index++) {
      const at = index * 7919
      if (part === 'remote') sum += bytesOf(upstreamMemberAt(at, { integration }))
      else sum += bytesOf(memberAt(at, { integration, remoteData: part === 'both' }))
    }
    expect(sum / count).toBeGreaterThan(least)
    expect(sum / count).toBeLessThan(most)
  })
})

test('a partial Slack member is its id alone', () => {
  const options = { slackPartial: true }
  const id = memberIdAt(3)
  expect(memberAt(3, { ...options, remoteData: false })).toEqual({ id })
  expect(memberAt(3, options)).toEqual({ id, remote_data: id })
  expect(upstreamMemberAt(3, options)).toBe(id)
})

test('a pool repeats its members, ids included', () => {
  expect(memberAt(1007, { pool: 100 })).toEqual(memberAt(7))
  expect(memberAt(99, { pool: 100 })).not.toEqual(memberAt(100, { pool: 1000 }))
})

test('texts hold what breaks careless writers: quotes, line breaks, backslashes, emoji, other scripts', () => {
  const text = Array.from({ length: 500 }, (_, index) => memberAt(index))
    .map((member) => `${member['bio']} ${member['title']} ${member['name']}`)
    .join(' ')
  for (const piece of ['"', '\n', '\r\n', '\\', '\t', '🎄', '=SUM', '\u2028', 'é', '佐藤', 'محمد', ',']) {
    expect(text).toContain(piece)
  }
})

test('oddities are null, absent, additional and retyped fields and raw status words', () => {
  const members = Array.from({ length: 500 }, (_, index) => memberAt(index, { oddities: true }))
  expect(members.some((member) => member['title'] === null)).toBe(true)
  expect(members.some((member) => !('name' in member))).toBe(true)
  expect(members.some((member) => 'custom_badge' in member)).toBe(true)
  expect(members.some((member) => typeof member['updated_at'] === 'number')).toBe(true)
  expect(members.some((member) => member['status'] === 'Do Not Disturb')).toBe(true)
  expect(members.every((member) => typeof member['id'] === 'string')).toBe(true)
})

test('a heavy tail has some records of 10 to 30 KB and few above 256 KB', () => {
  const sizes = Array.from({ length: 20_000 }, (_, index) => bytesOf(memberAt(index, { heavyTail: true })))
  const large = sizes.filter((size) => size > 8_000 && size < 40_000).length
  expect(large).toBeGreaterThan(100)
  expect(large).toBeLessThan(400)
  const huge = sizes.filter((size) => size > 256_000)
  expect(huge.length).toBeGreaterThan(0)
  expect(huge.length).toBeLessThan(20)
  expect(Math.max(...huge)).toBeLessThan(1_500_000)
})
