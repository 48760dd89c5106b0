import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Checkpoint,
  decodeCheckpoint,
  type ExportState,
  encodeCheckpoint,
  type SourceState,
} from '../../src/checkpoint/checkpoint.js'
import { fingerprintOf } from '../../src/checkpoint/fingerprint.js'

const numRuns = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 20_000 : 300

const source: SourceState = {
  page: 3,
  cursor: 'é\n"\\\ud800 next',
  taken: { records: 2, bytes: 100, crc32: 0xffffffff },
  asking: 'unified',
  sinceCut: { records: 1, bytes: 7 },
  sincePart: { records: 11, bytes: 700 },
  framing: 'envelope',
  isUnified: true,
  responseFormat: 'stream',
  fallback: { page: 1, framing: 'unknown', reason: 'r' },
  pages: 2,
  records: 12,
  requests: 4,
  retries: 1,
  waitMs: 12.5,
  bodyBytes: 1e12,
  emptyPagesInARow: 0,
  emptyPages: 0,
  partialPages: 0,
  bareIds: 0,
  idOnlyRecords: 3,
  countMismatches: 0,
}
const state: ExportState = {
  source,
  encoder: 'open',
  compression: { ended: 3, member: { bytes: 5_000_000_000, crc32: 0xffffffff } },
  records: 11,
  bytes: 123,
  warnings: [{ code: 'a', message: 'b', count: 2 }],
}
const checkpoint: Checkpoint = {
  fingerprint: 'f'.repeat(64),
  savedAt: '2026-01-02T03:04:05.678Z',
  state,
  kept: { bytes: 123, crc32: 5, sha256: null },
  pageStart: {
    ...state,
    compression: null,
    source: { ...source, framing: null, cursor: null, fallback: null, responseFormat: null },
  },
  report: null,
  manifest: null,
}
const decode = (bytes: Uint8Array) => decodeCheckpoint(bytes, 'x.checkpoint')
const bytes = encodeCheckpoint(checkpoint)

test('a checkpoint comes back as it was saved', () => {
  expect(decode(bytes)).toEqual(checkpoint)
  const done = { ...checkpoint, pageStart: null, kept: { anything: [1] }, report: { records: 1 } }
  expect(decode(encodeCheckpoint(done))).toEqual(done)
})

describe('is refused, never guessed at', () => {
  const corrupt = { code: 'ERR_STATE_CORRUPT', exitCode: 8, hint: expect.stringContaining('--restart') }
  const refuse = (given: Uint8Array): unknown => {
    try {
      return decode(given)
    } catch (error) {
      return error
    }
  }

  test('where it is empty, or cut at any byte', () => {
    for (let length = 0; length < bytes.length; length++)
      expect(refuse(bytes.subarray(0, length))).toMatchObject(corrupt)
    expect(refuse(Buffer.alloc(0))).toMatchObject({ message: expect.stringContaining('is empty') })
  })

  test('where any bit of it is another', () => {
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 7 }), (at, bit) => {
        const damaged = Buffer.from(bytes)
        damaged[at]! ^= 1 << bit
        expect(refuse(damaged)).toMatchObject(corrupt)
      }),
      { numRuns },
    )
  })

  test('where something follows it', () => {
    expect(refuse(Buffer.concat([bytes, Buffer.from('x')]))).toMatchObject(corrupt)
    expect(refuse(Buffer.concat([bytes, bytes]))).toMatchObject(corrupt)
  })

  test('where its version is another, which the message names', () => {
    const newer = Buffer.from(bytes.toString('latin1').replace('checkpoint 5 ', 'checkpoint 6 '), 'latin1')
    expect(refuse(newer)).toMatchObject({ ...corrupt, message: expect.stringContaining('version 6') })
  })

  const wrong: [name: string, change: object][] = [
    ['no fingerprint', { fingerprint: undefined }],
    ['a negative count', { state: { ...state, bytes: -1 } }],
    ['a count that is no number', { state: { ...state, source: { ...source, page: '3' } } }],
    ['an unknown framing', { state: { ...state, source: { ...source, framing: 'odd' } } }],
    ['no word of compression', { state: { ...state, compression: undefined } }],
    ...[
      { ended: -1, member: null },
      { ended: 0.5, member: null },
      { ended: 0 },
      { ended: 0, member: { bytes: 1.5, crc32: 0 } },
      { ended: 0, member: { bytes: 2 ** 53, crc32: 0 } },
      { ended: 0, member: { bytes: 1, crc32: 2 ** 32 } },
      { ended: 0, member: { bytes: 1, crc32: -1 } },
      { ended: 0, member: { bytes: 1, crc32: '7' } },
      { ended: 0, member: { bytes: 1 } },
    ].map((compression): [string, object] => [
      `compression ${JSON.stringify(compression)}`,
      { state: { ...state, compression } },
    ]),
    ['warnings that are no list', { state: { ...state, warnings: {} } }],
    ['no token of what is kept', { kept: null }],
    ['digests of options that are no text', { options: { limit: 3 } }],
  ]
  test.each(wrong)('where it is whole and has %s', (_, change) => {
    expect(refuse(encodeCheckpoint({ ...checkpoint, ...change } as Checkpoint))).toMatchObject(corrupt)
  })
})

describe('a fingerprint', () => {
  test('does not depend on the order of names, nor on what is undefined', () => {
    expect(fingerprintOf({ a: 1, b: { c: [1, 2], d: null }, e: undefined })).toBe(
      fingerprintOf({ b: { d: null, c: [1, 2] }, a: 1 }),
    )
  })

  test('tells values, lists, objects and absence apart', () => {
    const facts = [{ a: 1 }, { a: '1' }, { a: [1] }, { a: { 0: 1 } }, { a: null }, {}, { b: 1 }, { a: [['0', 1]] }]
    const fingerprints = facts.map(fingerprintOf)
    expect(new Set(fingerprints).size).toBe(facts.length)
  })
})
