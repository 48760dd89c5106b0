import fc from 'fast-check'
import { expect, test } from 'vitest'
import { withBothZeros } from '../../../src/encode/columns/leaf.js'
import { boundsOf, maxBoundBytes } from '../../../src/encode/parquet/statistics.js'

const bounds = (min: string, max = min) => {
  const found = boundsOf('string', Buffer.from(min), Buffer.from(max))
  return found && { ...found, min: Buffer.from(found.min).toString(), max: Buffer.from(found.max).toString() }
}

test('short bounds are the values themselves', () => {
  expect(bounds('a', 'b')).toEqual({ min: 'a', max: 'b', isMinExact: true, isMaxExact: true })
  expect(bounds('', 'é'.repeat(32))).toMatchObject({ max: 'é'.repeat(32), isMaxExact: true })
})

test('long bounds are cut between characters, and the greatest is rounded up', () => {
  expect(bounds('a'.repeat(65))).toEqual({
    min: 'a'.repeat(64),
    max: `${'a'.repeat(63)}b`,
    isMinExact: false,
    isMaxExact: false,
  })
  expect(bounds(`${'a'.repeat(63)}éa`)).toMatchObject({ min: 'a'.repeat(63), max: `${'a'.repeat(62)}b` })
  expect(bounds('a', `${'\ud7ff'.repeat(40)}`)!.max).toBe(`${'\ud7ff'.repeat(20)}\ue000`)
  expect(bounds('a', `${'a'.repeat(60)}\u{10ffff}tail`)!.max).toBe(`${'a'.repeat(59)}b`)
})

test('where nothing is greater, there are no bounds', () => {
  expect(bounds('a', '\u{10ffff}'.repeat(17))).toBeNull()
  expect(boundsOf('string', null, null)).toBeNull()
})

test('a zero stands for both zeros', () => {
  const double = (value: number): Buffer => {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(value)
    return bytes
  }
  for (const zero of [0, -0]) {
    expect(withBothZeros(double(zero), -0).equals(double(-0))).toBe(true)
    expect(withBothZeros(double(zero), 0).equals(double(0))).toBe(true)
  }
  expect(withBothZeros(double(-1.5), 0).equals(double(-1.5))).toBe(true)
  expect(boundsOf('double', double(-1.5), double(2))).toMatchObject({ min: double(-1.5), max: double(2) })
})

test('bounds hold for any text, are text, and no longer than they may be', () => {
  const borders = [0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff]
  const character = fc.constantFrom(...borders).map((codePoint) => String.fromCodePoint(codePoint))
  const text = fc.array(character, { maxLength: 40 }).map((characters) => characters.join(''))
  fc.assert(
    fc.property(text, (value) => {
      const bytes = Buffer.from(value)
      const found = boundsOf('string', bytes, bytes)
      if (found === null) return
      expect(Buffer.compare(found.min, bytes)).toBe(found.isMinExact ? 0 : -1)
      expect(Buffer.compare(found.max, bytes)).toBe(found.isMaxExact ? 0 : 1)
      for (const bound of [found.min, found.max]) {
        expect(bound.length).toBeLessThanOrEqual(maxBoundBytes + 3)
        expect(() => new TextDecoder('utf-8', { fatal: true }).decode(bound)).not.toThrow()
      }
    }),
    { numRuns: 200 },
  )
})
