import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findInvalidUtf8, firstInvalidUtf8, incompleteTail } from '../../src/json/utf8.js'

const numRuns = 300 * (process.env['TRUTO_EXPORT_SOAK'] === '1' ? 1000 : 1)

// Bytes at the edges of the ranges of RFC 3629 §4, and whole characters of every length.
const bytes = fc
  .array(
    fc.oneof(
      fc
        .constantFrom(0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed)
        .map((byte) => [byte]),
      fc.constantFrom(0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff).map((byte) => [byte]),
      fc.constantFrom('a', 'é', '漢', '😀', '\uffff', '\u{10ffff}').map((text) => [...Buffer.from(text)]),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.from(parts.flat()))

/** Whether some valid text begins with `prefix`: every way to complete a character is tried. */
function canBegin(prefix: Buffer): boolean {
  const ends = [[], [0x80], [0x80, 0x80], [0x80, 0x80, 0x80], [0xa0], [0xa0, 0x80], [0x90, 0x80], [0x90, 0x80, 0x80]]
  return ends.some((end) => isUtf8(Buffer.concat([prefix, Buffer.from(end)])))
}

test('the first wrong byte is the first that no valid text can have there', () => {
  fc.assert(
    fc.property(bytes, (body) => {
      let expected = body.length
      for (let length = 1; length <= body.length && expected === body.length; length++)
        if (!canBegin(body.subarray(0, length))) expected = length - 1
      expect(firstInvalidUtf8(body, 0, body.length)).toBe(expected)
      expect(findInvalidUtf8(body, 0, body.length)).toBe(expected)
    }),
    { numRuns },
  )
})

test('the incomplete tail of the beginning of a text is what its last whole character leaves', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'é', '漢', '😀'), { maxLength: 8 }),
      fc.nat({ max: 32 }),
      (characters, cut) => {
        const body = Buffer.from(characters.join(''))
        const length = Math.min(cut, body.length)
        const tail = incompleteTail(body, 0, length)
        expect(tail).toBeLessThanOrEqual(3)
        expect(isUtf8(body.subarray(0, length - tail))).toBe(true)
        for (let shorter = 0; shorter < tail; shorter++) expect(isUtf8(body.subarray(0, length - shorter))).toBe(false)
      },
    ),
    { numRuns },
  )
})

test('a range that begins behind the lead byte does not look before its start', () => {
  const body = Buffer.from('漢')
  expect(incompleteTail(body, 1, 3)).toBe(0)
  expect(firstInvalidUtf8(body, 1, 3)).toBe(1)
})
