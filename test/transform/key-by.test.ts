import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConfigError, DataError, type ErrorCode, type ExportError } from '../../src/errors.js'
import type { RecordBatch } from '../../src/record.js'
import { type KeyByOptions, keyByStage } from '../../src/transform/key-by.js'
import { batchOf, batchWith } from '../helpers/batch.js'
import { withFields } from '../helpers/record-fields.js'
import { documents, looselyPlaced, names, numRuns, print } from './records.js'

const keysOf = (field: string, ...texts: string[]): readonly string[] =>
  keyByStage({ field }).apply(batchOf(...texts)).keys!
const textsOf = (batch: RecordBatch): string[] => Array.from({ length: batch.count }, (_, index) => batch.text(index))
function failureOf(act: () => unknown): ExportError {
  try {
    act()
  } catch (error) {
    return error as ExportError
  }
  throw new Error('nothing was thrown')
}

describe('the key is the text of a string or the digits of a number', () => {
  test.each([
    ['string', 'id', '{"id":"U1"}', 'U1'],
    ['empty string', 'id', '{"id":""}', ''],
    ['string beyond ASCII', 'id', '{"id":"Jürgen 😀"}', 'Jürgen 😀'],
    ['string with escapes', 'id', String.raw`{"id":"a\u00fc\"\\\n"}`, 'aü"\\\n'],
    ['string with a lone surrogate', 'id', String.raw`{"id":"\ud800"}`, '\ud800'],
    ['number', 'id', '{"id":12}', '12'],
    ['number beyond a double', 'id', '{"id":9007199254740993}', '9007199254740993'],
    ['number with a fraction and spaces around', 'id', '{"id" : 1.50 }', '1.50'],
    ['last copy of a repeated member', 'id', '{"id":"a","x":{"id":"b"},"id":"c","y":0}', 'c'],
    ['member spelled with escapes', 'id', String.raw`{"\u0069d":"a"}`, 'a'],
    ['nested member', 'a.b', '{"a":{"b":"x"},"b":"y"}', 'x'],
    ['nested member of the last copy', 'a.b', '{"a":{"b":"x"},"a":{"b":"y"}}', 'y'],
    ['name with a dot', 'a\\.b', '{"a.b":"x","a":{"b":"y"}}', 'x'],
    ['name with an at sign', '\\@key', '{"@key":"x"}', 'x'],
    ['__proto__', '__proto__', '{"__proto__":"x"}', 'x'],
  ])('%s', (_name, field, text, key) => {
    expect(keysOf(field, '{"id":"0","a":{"b":"0"},"a.b":"0","@key":"0","__proto__":"0"}', text)).toEqual(['0', key])
  })
})

describe('a record without a usable key', () => {
  test.each<[string, string, string, ErrorCode]>([
    ['absent', 'id', '{"x":1}', 'ERR_KEY_MISSING'],
    ['null', 'id', '{"id":null}', 'ERR_KEY_MISSING'],
    ['null in the last copy', 'id', '{"id":1,"id":null}', 'ERR_KEY_MISSING'],
    ['parent absent', 'a.b', '{"b":1}', 'ERR_KEY_MISSING'],
    ['parent a text', 'a.b', '{"a":"b"}', 'ERR_KEY_MISSING'],
    ['parent an array', 'a.b', '{"a":[{"b":1}]}', 'ERR_KEY_MISSING'],
    ['true', 'id', '{"id":true}', 'ERR_KEY_TYPE'],
    ['false', 'id', '{"id":false}', 'ERR_KEY_TYPE'],
    ['object', 'id', '{"id":{}}', 'ERR_KEY_TYPE'],
    ['array', 'id', '{"id":["a"]}', 'ERR_KEY_TYPE'],
  ])('%s: the error names the record', (_name, field, text, code) => {
    const batch = batchWith(['{"id":1,"a":{"b":1}}', text], { page: 3, firstRecordIndex: 10, byteOffset: 1000 })
    const error = failureOf(() => keyByStage({ field }).apply(batch))
    expect(error).toBeInstanceOf(DataError)
    expect(error).toMatchObject({ code, page: 3, recordIndex: 11, byteOffset: 1021 })
  })

  test('is left out and counted under skip, and the others keep their keys and positions', () => {
    const stage = keyByStage({ field: 'id', missing: 'skip' })
    const out = stage.apply(
      batchWith(['{"x":1}', '{"id":"b"}', '{"id":null}', '{"id":"d"}'], {
        firstRecordIndex: 5,
        byteOffset: 100,
        pageKeys: ['p', 'q', 'r', 's'],
      }),
    )
    expect(out.keys).toEqual(['b', 'd'])
    expect(out.pageKeys).toEqual(['q', 's'])
    expect(textsOf(out)).toEqual(['{"id":"b"}', '{"id":"d"}'])
    expect(out.isLines).toBe(false)
    expect([out.positionOf(0), out.positionOf(1)]).toEqual([
      { page: 1, recordIndex: 6, byteOffset: 108 },
      { page: 1, recordIndex: 8, byteOffset: 131 },
    ])
    expect(out.own().positionOf(1)).toEqual({ page: 1, recordIndex: 8, byteOffset: 131 })
    expect(stage.warnings()).toEqual([
      { code: 'key-missing', message: 'records without the key id were left out', count: 2 },
    ])
  })

  test('of a wrong type is an error under skip, too', () => {
    const stage = keyByStage({ field: 'id', missing: 'skip' })
    expect(failureOf(() => stage.apply(batchOf('{"id":true}'))).code).toBe('ERR_KEY_TYPE')
  })
})

describe('a repeated key', () => {
  const first = ['{"id":"a","n":1}', '{"id":"b","n":2}']
  const second = ['{"id":"a","n":3}', '{"id":"c","n":4}']

  test('is kept by default', () => {
    const stage = keyByStage({ field: 'id' })
    stage.apply(batchOf(...first))
    expect(stage.apply(batchOf(...second)).keys).toEqual(['a', 'c'])
    expect(stage.warnings()).toEqual([])
  })

  test('keeps the first record under first, over the borders of batches, and counts the others', () => {
    const stage = keyByStage({ field: 'id', duplicate: 'first' })
    expect(stage.apply(batchOf(...first)).keys).toEqual(['a', 'b'])
    const out = stage.apply(batchOf(...second))
    expect(out.keys).toEqual(['c'])
    expect(textsOf(out)).toEqual(['{"id":"c","n":4}'])
    expect(stage.apply(batchOf(...second)).count).toBe(0)
    expect(stage.warnings()).toEqual([
      { code: 'key-duplicate', message: 'records that repeat a key (id) were left out', count: 3 },
    ])
  })

  test('is an error under error, which names the record, and the key where data may be shown', () => {
    const stage = keyByStage({ field: 'id', duplicate: 'error' })
    stage.apply(batchOf(...first))
    const error = failureOf(() => stage.apply(batchWith(second, { page: 2 })))
    expect(error).toMatchObject({ code: 'ERR_KEY_DUPLICATE', page: 2, recordIndex: 0 })
    expect(error.message).toBe('two records have the same key (id)')
    error.showData(({ text }) => JSON.stringify(text))
    expect(error.message).toBe('two records have the same key (id): "a"')
    error.showData(({ text }) => JSON.stringify(text))
    expect(error.message).toBe('two records have the same key (id): "a"')
  })

  test('may be a number that equals a text', () => {
    const stage = keyByStage({ field: 'id', duplicate: 'error' })
    expect(failureOf(() => stage.apply(batchOf('{"id":1}', '{"id":"1"}'))).code).toBe('ERR_KEY_DUPLICATE')
  })

  test('more different keys than the budget holds are a limit, which names the budget', () => {
    const stage = keyByStage({ field: 'id', duplicate: 'first', maxKeyBytes: 16 * 1024 })
    const texts = Array.from({ length: 1000 }, (_, id) => `{"id":${id}}`)
    const error = failureOf(() => stage.apply(batchOf(...texts)))
    expect(error.code).toBe('ERR_LIMIT')
    expect(error.message).toContain('768 keys fill maxKeyBytes (16384 bytes)')
    expect(error.recordIndex).toBe(768)
    expect(keyByStage({ field: 'id', maxKeyBytes: 16 * 1024 }).apply(batchOf(...texts)).count).toBe(1000)
  })
})

describe('@key', () => {
  test("is the server's own key", () => {
    const stage = keyByStage({ field: '@key', duplicate: 'first' })
    const out = stage.apply(batchWith(['{}', '{"id":1}', '{}'], { pageKeys: ['x', '__proto__', 'x'] }))
    expect(out.keys).toEqual(['x', '__proto__'])
  })

  test('is an error where the page gave none, even under skip', () => {
    const stage = keyByStage({ field: '@key', missing: 'skip' })
    expect(failureOf(() => stage.apply(batchOf('{"@key":1}'))).code).toBe('ERR_KEY_MISSING')
  })

  test('is the only name of its kind', () => {
    expect(() => keyByStage({ field: '@id' })).toThrow(ConfigError)
  })
})

test('a batch without records gets no keys and stays empty', () => {
  expect(keyByStage({ field: 'id' }).apply(batchOf())).toMatchObject({ count: 0, keys: [] })
})

test('any records get the keys that parsed records have, under every policy', () => {
  fc.assert(
    fc.property(
      fc.array(documents, { maxLength: 8 }),
      fc.array(names, { minLength: 1, maxLength: 2 }),
      fc.constantFrom('error' as const, 'skip' as const),
      fc.constantFrom('keep' as const, 'first' as const, 'error' as const),
      fc.boolean(),
      fc.boolean(),
      (records, path, missing, duplicate, isLoose, hasFields) => {
        const texts = records.map(print)
        const placed = isLoose ? looselyPlaced(texts) : batchOf(...texts)
        const batch = hasFields ? withFields(placed) : placed
        const field = path.map((name) => name.replace(/[\\.]/g, '\\$&')).join('.')
        const expected = model(texts, path, { field, missing, duplicate })
        const stage = keyByStage({ field, missing, duplicate })
        if (typeof expected === 'string') {
          expect(failureOf(() => stage.apply(batch)).code).toBe(expected)
        } else {
          const out = stage.apply(batch)
          expect(out.keys).toEqual(expected.map(([key]) => key))
          expect(textsOf(out)).toEqual(expected.map(([, index]) => texts[index]))
          expect(expected.map((_, at) => out.positionOf(at).recordIndex)).toEqual(expected.map(([, index]) => index))
        }
      },
    ),
    { numRuns: numRuns(1000) },
  )
})

/** Keys and record indexes by parsed records, or the code of the first error. JSON.parse would round digits, so numbers
 *  are made marked strings first. */
function model(texts: string[], path: string[], policy: KeyByOptions): [string, number][] | ErrorCode {
  const kept: [string, number][] = []
  const seen = new Set<string>()
  for (const [index, text] of texts.entries()) {
    const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) =>
      token[0] === '"' ? token : `"\\u0000number:${token}"`,
    )
    let value: unknown = JSON.parse(marked)
    for (const name of path)
      value =
        typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, name)
          ? (value as Record<string, unknown>)[name]
          : undefined
    if (value === undefined || value === null) {
      if (policy.missing === 'error') return 'ERR_KEY_MISSING'
      continue
    }
    if (typeof value !== 'string') return 'ERR_KEY_TYPE'
    const key = value.replace(/^\0number:/, '')
    if (policy.duplicate !== 'keep' && seen.has(key)) {
      if (policy.duplicate === 'error') return 'ERR_KEY_DUPLICATE'
      continue
    }
    seen.add(key)
    kept.push([key, index])
  }
  return kept
}
