// The kernel of snappy, read back by the decoder of hyparquet.

import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { snappyUncompress } from 'hyparquet'
import { expect, test, vi } from 'vitest'
import { memberAt } from '../../../src/emulator/members.js'
import { snappyCompressor } from '../../../src/encode/parquet/snappy/kernel.js'

const runs = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 20_000 : 500
const compress = snappyCompressor()

/** Whether the decoder makes the text of what either way of compressing it gives. */
function isReadBack(text: Uint8Array): boolean {
  return [false, true].every((isJson) => {
    const out = Buffer.alloc(text.length)
    snappyUncompress(Buffer.from(compress(text, isJson)), out)
    return out.equals(text)
  })
}

/** Texts that have something to copy: some of few letters, some of pieces of themselves. */
const texts = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }),
  fc.uint8Array({ maxLength: 3000, max: 1 }),
  fc
    .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 90 }), fc.integer({ min: 1, max: 60 })), { maxLength: 30 })
    .map((pieces) => Buffer.concat(pieces.flatMap(([piece, times]) => Array.from({ length: times }, () => piece)))),
)

test('what was compressed is read back', () => {
  fc.assert(
    fc.property(texts, (text) => {
      expect(isReadBack(text)).toBe(true)
    }),
    { numRuns: runs },
  )
})

const noise = randomBytes(200_000)

test.each([
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.from('a')],
  ['the shortest text in which a match is looked for', Buffer.alloc(17, 'a')],
  ['literals of 60 and of 61 bytes', Buffer.concat([noise.subarray(0, 60), noise.subarray(0, 61)])],
  [
    'literals of 256 and of 257 bytes',
    Buffer.concat([noise.subarray(0, 256), Buffer.alloc(40), noise.subarray(300, 557)]),
  ],
  ['a literal longer than 64 KiB', noise],
  ['one byte a million times', Buffer.alloc(1_000_000, 'x')],
  ['a match as far back as a copy can go', Buffer.concat([noise.subarray(0, 65_535), noise.subarray(0, 1000)])],
  ['a match one byte farther', Buffer.concat([noise.subarray(0, 65_536), noise.subarray(0, 1000)])],
  ['matches that overlap what they make', Buffer.from(`${'ab'.repeat(500)}${'xyz'.repeat(500)}`)],
])('%s is read back', (_, text) => {
  expect(isReadBack(text)).toBe(true)
})

test('short matches are passed over behind 64 KiB that hardly got smaller, and only there', () => {
  const pieces = Buffer.concat(
    Array.from({ length: 20_000 }, (_, i) => Buffer.concat([noise.subarray(4 * i, 4 * i + 4), Buffer.from('same')])),
  )
  expect(compress(pieces).length).toBeLessThan(0.95 * pieces.length)
  const behindNoise = Buffer.concat([noise.subarray(0, 65_536), pieces])
  expect(compress(behindNoise).length).toBeGreaterThan(0.99 * behindNoise.length)
  expect(isReadBack(behindNoise)).toBe(true)
  // long ones are found, also those that begin on the other side of the border
  for (const before of [65_500, 65_530, 65_536, 65_540]) {
    const again = noise.subarray(100_000, 120_000)
    const text = Buffer.concat([noise.subarray(0, before), again, again])
    expect(isReadBack(text)).toBe(true)
    expect(compress(text).length).toBeLessThan(text.length - 5000)
  }
})

test('noise grows by less than one in a thousand, members shrink to less than a fifth', () => {
  expect(compress(noise).length).toBeLessThan(200_200)
  const members = Buffer.from(Array.from({ length: 1000 }, (_, index) => JSON.stringify(memberAt(index))).join('\n'))
  const short = compress(members).length
  expect(short).toBeLessThan(members.length / 5)
  expect(compress(members, true).length).toBeLessThan(short)
})

test('what comes out depends on nothing that was compressed before', () => {
  const text = Buffer.from('the same text, the same bytes, '.repeat(3000))
  const first = Buffer.from(snappyCompressor()(text))
  for (const before of [noise, Buffer.alloc(500_000), Buffer.from('the same'), text]) {
    const used = snappyCompressor()
    used(before)
    expect(first.equals(used(text))).toBe(true)
  }
})

test('without address space for its memory, there is an error that says what helps', () => {
  const Failing = class {
    constructor() {
      throw new RangeError('WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory for new instance')
    }
  }
  const instances = vi.spyOn(WebAssembly, 'Instance').mockImplementation(Failing as never)
  try {
    expect(() => snappyCompressor()).toThrow(
      expect.objectContaining({ code: 'ERR_RUNTIME_MISSING', hint: expect.stringContaining('gzip') }),
    )
  } finally {
    instances.mockRestore()
  }
})
