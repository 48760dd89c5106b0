import { expect, test } from 'vitest'
import { DataError, printable, printableJson } from '../src/errors.js'

const invisible = [
  ...['\u0000', '\u0007', '\u001b', '\u007f', '\u0085', '\u009b', '\n', '\r', '\t'],
  ...['\u00ad', '\u034f', '\u061c', '\u115f', '\u180e', '\u200b', '\u200d', '\u200e', '\u2028', '\u202e', '\u2060'],
  ...['\u2066', '\u3164', '\ufeff', '\uffa0', '\ufff9', '\ufffb', '\u{e0001}', '\u{e0041}', '\u{e007f}', '\u{e0100}'],
]

test.each(invisible)('%j is escaped in text and in JSON, where it stays the same value', (character) => {
  const text = `a${character}b`
  expect(printable(text)).toBe(`a\\u{${character.codePointAt(0)!.toString(16)}}b`)
  const json = printableJson({ [text]: [text] }, 2)
  expect(JSON.parse(json)).toEqual({ [text]: [text] })
  expect(json.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u)
})

test('halves of surrogate pairs are escaped, whole ones and other letters stay', () => {
  expect(printable('\ud83d x \ude00')).toBe('\\u{d83d} x \\u{de00}')
  for (const text of ['😀', 'é漢ß', 'العربية', 'हिन्दी', '"\\']) expect(printable(text)).toBe(text)
  expect(printableJson({ a: '😀é', n: null }, 2)).toBe('{\n  "a": "😀é",\n  "n": null\n}')
})

test('the line of an error names the input, where it is one of several', () => {
  const error = new DataError('ERR_SCHEMA', 'm', { page: 2, byteOffset: 7 }).locate({ input: 'b.json', hint: 'h' })
  expect(error.toLine()).toBe('ERR_SCHEMA: m [b.json, page 2, byte 7]; h')
})
