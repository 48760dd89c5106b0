import { describe, expect, test } from 'vitest'
import { decodeManifest, encodeManifest, isManifest, type Manifest } from '../../src/checkpoint/manifest.js'
import { someManifest } from '../helpers/manifest.js'

const bytes = encodeManifest(someManifest)
const decode = (given: Uint8Array): Manifest => decodeManifest(given, 'x.manifest.json')

test('is read as it was written, with nulls where there may be some', () => {
  expect(decode(bytes)).toEqual(someManifest)
  const bare: Manifest = {
    ...someManifest,
    sha256: null,
    complete: 'unproven',
    fingerprint: null,
    source: { ...someManifest.source, apiUrl: null, account: null, lastCursorSha256: null, fallback: null },
    schema: { ...someManifest.schema, columns: null },
    run: { ...someManifest.run, resumedFrom: null, duplicates: null },
  }
  expect(decode(encodeManifest(bare))).toEqual(bare)
})

test('is JSON for people and tools, which says what it is in its first member', () => {
  const text = bytes.toString()
  expect(text.split('\n', 3)).toEqual(['{', '  "kind": "truto-export manifest",', '  "manifestVersion": 1,'])
  expect(text.endsWith('}\n')).toBe(true)
})

test('may have members that are not known', () => {
  expect(decode(Buffer.from(JSON.stringify({ kind: 'truto-export manifest', ...someManifest, later: 1 })))).toEqual(
    someManifest,
  )
})

describe('is refused, never guessed at', () => {
  const corrupt = { code: 'ERR_MANIFEST_CORRUPT', exitCode: 8 }
  const refuse = (given: Uint8Array): unknown => {
    try {
      return decode(given)
    } catch (error) {
      return error
    }
  }

  test('where it is empty, or cut at any byte but the last line end', () => {
    for (let length = 0; length < bytes.length - 1; length++)
      expect(refuse(bytes.subarray(0, length))).toMatchObject(corrupt)
  })

  const wrong: [name: string, change: object][] = [
    ['another kind', { kind: 'manifest' }],
    ['another version', { manifestVersion: 2 }],
    ['no version', { manifestVersion: undefined }],
    ['an unknown format', { format: 'xml' }],
    ['a negative count', { records: -1 }],
    ['bytes that are no number', { bytes: '30' }],
    ['a digest that is none', { sha256: 'abc' }],
    ['a digest that is absent', { sha256: undefined }],
    ['a complete that is false', { complete: false }],
    ['a framing that is unknown', { source: { ...someManifest.source, framing: 'odd' } }],
    ['columns without a name', { schema: { ...someManifest.schema, columns: [{ type: 'string' }] } }],
    ['no run', { run: null }],
  ]
  test.each(wrong)('where it has %s', (_, change) => {
    const given = Buffer.from(JSON.stringify({ kind: 'truto-export manifest', ...someManifest, ...change }))
    expect(refuse(given)).toMatchObject(corrupt)
  })

  test('where it is not UTF-8', () => {
    const damaged = Buffer.from(bytes)
    damaged[damaged.indexOf('some')] = 0xff
    expect(refuse(damaged)).toMatchObject(corrupt)
  })
})

test('is told from other files of its name, whatever its version', () => {
  expect(isManifest(bytes)).toBe(true)
  expect(isManifest(Buffer.from('{"kind":"truto-export manifest","manifestVersion":9}'))).toBe(true)
  for (const text of ['', '{}', '[]', 'null', '{"kind":"web app manifest"}', '{"kind":'])
    expect(isManifest(Buffer.from(text))).toBe(false)
})
