import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stringText } from '../../src/bytes/string-text.js'
import { edgeTexts } from '../helpers/edge-texts.js'

const numRuns = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 100_000 : 1000

/** The JSON text of `text`, plain or with every character escaped, in the middle of other bytes. */
function read(text: string, isEscaped: boolean): string {
  const json = isEscaped
    ? `"${Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
    : JSON.stringify(text)
  const bytes = Buffer.from(`ü"\\${json}"ü`)
  return stringText(bytes, 4, 4 + Buffer.byteLength(json))
}

test('any string is read as JSON.parse reads it, however long it is and however it is spelled', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 100 }),
    fc.string({ unit: 'grapheme', maxLength: 100 }),
    fc.string({ unit: 'grapheme-ascii', maxLength: 100 }),
    fc.constantFrom(...edgeTexts),
  )
  fc.assert(
    fc.property(texts, fc.boolean(), (text, isEscaped) => {
      expect(read(text, isEscaped)).toBe(text)
    }),
    { numRuns },
  )
})

test('every length around the border between short and long is right', () => {
  for (let length = 0; length < 200; length++) {
    for (const character of ['a', 'é', '\n'])
      expect(read(character.repeat(length), false)).toBe(character.repeat(length))
  }
})
