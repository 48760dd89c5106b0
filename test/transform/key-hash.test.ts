import { expect, test } from 'vitest'
import { halfSipHash, KeyHash } from '../../src/transform/key-hash.js'

// vectors_hsip64 of github.com/veorq/SipHash, vectors.h: input 00 01 02 … of the given length, key 00 01 … 07
test.each([
  [0, '218d1f59b9b83cc8'],
  [2, '064f39ef7c50eb57'],
  [4, 'd5e78a175be52ea1'],
  [6, 'ce3e91358aa2bc25'],
  [8, 'edfee820bce4858c'],
  [10, '95b0469f06a6f2ee'],
  [12, '7bc71f9faef5c799'],
])('the hash of %i bytes is that of the reference implementation', (length, expected) => {
  const text = Buffer.from(Array.from({ length }, (_, at) => at)).toString('utf16le')
  const words = new Uint32Array(2)
  halfSipHash(text, 0x03020100, 0x07060504, words, 0)
  expect(Buffer.from(words.buffer).toString('hex')).toBe(expected)
})

test('texts that differ in one code unit or in length have different hashes in both halves', () => {
  const hash = new KeyHash()
  const texts = ['', '\0', '\0\0', 'a', 'b', 'ab', 'ba', 'abc', 'abd', 'é', 'e\u0301', '😀', '😁', '\ud800', '\udc00']
  const halves = texts.map((text) => [...hash.update(text)].join())
  expect(new Set(halves.map((half) => half.split(',').slice(0, 2).join())).size).toBe(texts.length)
  expect(new Set(halves.map((half) => half.split(',').slice(2).join())).size).toBe(texts.length)
})

test('every hasher has its own secret, and one secret always the same hashes', () => {
  const first = [...new KeyHash().update('U0123')]
  expect([...new KeyHash().update('U0123')]).not.toEqual(first)
  const secret = Uint32Array.of(1, 2, 3, 4)
  expect([...new KeyHash(secret).update('U0123')]).toEqual([...new KeyHash(secret).update('U0123')])
})
