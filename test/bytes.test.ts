import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DigestSet } from '../src/bytes/hash-set.js'
import { ElementWalker, MemberWalker } from '../src/bytes/members.js'
import { formatBytesExact, formatDuration, MiB, parseBytes, parseDuration } from '../src/bytes/units.js'

test('quantities are read with their unit and refused without sense', () => {
  expect(parseBytes('8MiB')).toBe(8 * MiB)
  expect(parseBytes('64 kB')).toBe(64_000)
  expect(parseBytes('1000')).toBe(1000)
  expect(parseDuration('30s')).toBe(30_000)
  expect(parseDuration('250ms')).toBe(250)
  expect(parseDuration('0')).toBe(0)
  for (const text of ['', '8 furlongs', '-1', '1e3', 'MiB', '30', '99999999999999999h'])
    expect(parseDuration(text)).toBeUndefined()
  for (const text of ['', '8 furlongs', '-1', '9e99', 'MiB']) expect(parseBytes(text)).toBeUndefined()
})

test('quantities that are printed read back as themselves', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 40), (value) => {
      expect(parseBytes(formatBytesExact(value))).toBe(value)
    }),
  )
  for (const ms of [0, 1, 250, 999, 1000, 1500, 60_000, 90_000, 3_600_000])
    expect(parseDuration(formatDuration(ms))).toBe(ms)
})

test('a digest set knows what was added, and says its price', () => {
  const tuple = fc.tuple(
    ...([0, 1, 2, 3].map(() => fc.nat(5)) as [
      fc.Arbitrary<number>,
      fc.Arbitrary<number>,
      fc.Arbitrary<number>,
      fc.Arbitrary<number>,
    ]),
  )
  fc.assert(
    fc.property(
      fc.array(
        tuple.filter((words) => words.some((word) => word !== 0)),
        { maxLength: 400 },
      ),
      (digests) => {
        const set = new DigestSet()
        const model = new Set<string>()
        for (const words of digests) {
          expect(set.add(...words)).toBe(!model.has(words.join()))
          model.add(words.join())
        }
        expect(set.size).toBe(model.size)
        expect(set.byteLength).toBeGreaterThanOrEqual(16 * set.size)
      },
    ),
  )
})

test('members and elements are walked as JSON.parse sees them, white space and escapes included', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), fc.nat(3), (object, indent) => {
      const bytes = Buffer.from(`x${JSON.stringify(object, null, indent)}y`)
      const walker = new MemberWalker().begin(bytes, 1)
      const seen: Array<[string, unknown]> = []
      while (walker.next()) {
        const key = walker.key()
        expect(walker.isKey(key, Buffer.from(key))).toBe(true)
        expect(walker.isKey(`${key}x`, Buffer.from(`${key}x`))).toBe(false)
        seen.push([key, JSON.parse(bytes.toString('utf8', walker.valueStart, walker.valueEnd))])
      }
      expect(seen).toEqual(Object.entries(JSON.parse(JSON.stringify(object))))
    }),
  )
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.nat(3), (array, indent) => {
      const bytes = Buffer.from(JSON.stringify(array, null, indent))
      const walker = new ElementWalker().begin(bytes, 0)
      const seen: unknown[] = []
      while (walker.next()) seen.push(JSON.parse(bytes.toString('utf8', walker.valueStart, walker.valueEnd)))
      expect(seen).toEqual(JSON.parse(JSON.stringify(array)))
    }),
  )
})
