// What engines say of halves of surrogate pairs: that a batch has none is never said of one that has.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonValue, RecordBatch } from '../../src/record.js'
import { factories, factoryNames } from './factories.js'
import { type Cuts, chunksOf, defaultOptions } from './slicing.js'

const isSoak = process.env['TRUTO_EXPORT_SOAK'] === '1'

function isWellFormed(value: JsonValue): boolean {
  if (typeof value === 'string') return !/\p{Surrogate}/u.test(value)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([key, member]) => isWellFormed(key) && isWellFormed(member))
}

/** The batches of a body: what each says, and what is so. */
function saidAndSo(engine: string, body: string, cuts: Cuts, isNdjson = false): { said: boolean; so: boolean }[] {
  const slicer = factories[engine]!({ ...defaultOptions, isNdjson })
  const all: { said: boolean; so: boolean }[] = []
  const take = (batch: RecordBatch): void => {
    const so = [...batch.records()].every(isWellFormed) && (batch.pageKeys ?? []).every(isWellFormed)
    all.push({ said: batch.isWellFormed, so })
  }
  for (const chunk of chunksOf(Buffer.from(body), cuts)) for (const batch of slicer.push(chunk)) take(batch)
  for (const batch of slicer.end()) take(batch)
  return all
}

const pieces = fc.constantFrom(
  '\\ud83d\\ude00',
  '\\uD83D\\uDE00',
  '\\udbff\\udfff',
  '\\ud83d',
  '\\uDE00',
  '\\ud7ff',
  '\\ue000',
  '\\udabc',
  '\\u0041',
  '\\\\ud83d',
  '\\\\',
  '\\"',
  '\\/',
  'ud83d',
  'x',
  '😀',
  'x'.repeat(30),
  'x'.repeat(61),
)
const texts = fc.array(pieces, { maxLength: 12 }).map((all) => `"${all.join('')}"`)
const record = fc
  .array(
    fc.tuple(
      texts,
      fc.oneof(
        texts,
        texts.map((text) => `[{${text}:1}]`),
      ),
    ),
    { maxLength: 4 },
  )
  .map((members) => `{${members.map(([key, value]) => `${key}:${value}`).join(',')}}`)
const plain = fc.array(record, { minLength: 1, maxLength: 8 })
const cuts = fc.oneof(
  fc.constantFrom<Cuts>('whole', 1, 7, 64),
  fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
)

describe.each(factoryNames)('%s', (engine) => {
  test('no batch is said to be well-formed that is not, in any layout, cut anywhere', () => {
    let found = 0
    fc.assert(
      fc.property(plain, cuts, fc.integer({ min: 0, max: 4 }), (records, cut, layout) => {
        const body = [
          `{"result":[${records.join(',')}],"next_cursor":null}`,
          `[${records.join(' , ')}]`,
          `${records.join('\n')}\n`,
          `{"result":{${records.map((text, i) => `"\\ud8${i}0":${text}`).join(',')}}}`,
          `{"ok":true,"members":["\\ud800",${records.join(',')}]}`,
        ][layout]!
        for (const { said, so } of saidAndSo(engine, body, cut, layout === 2)) {
          if (!so) found++
          if (said && !so) throw new Error('it has half of a pair')
        }
      }),
      { numRuns: isSoak ? 20_000 : 400 },
    )
    expect(found).toBeGreaterThan(50)
  })
})

test.each(['simd', 'js', 'simd, eager', 'js, eager'])(
  '%s knows pairs from halves, so that nothing is looked at a second time',
  (engine) => {
    const pair = String.raw`{"a":"\ud83d\ude00 \u00e9\ud7ff","b\uD83D\uDE00":["\\ud83d"],"c":"x"}`
    const many = (text: string, count = 400): string =>
      `{"result":[${Array(count).fill(text).join(',')}],"next_cursor":null}`
    expect(saidAndSo(engine, many(pair), 'whole').every(({ said }) => said)).toBe(true)
    for (let shift = 0; shift < 70; shift++) {
      const moved = pair.replace('{', `{"p":"${'x'.repeat(shift)}",`)
      const all = saidAndSo(engine, `[${moved},${moved},{"z":1}]`, 'whole')
      if (engine.endsWith('eager')) expect(all.at(0)).toEqual({ said: true, so: true })
      const broken = `[${moved},${moved.replace('\\ude00', '')}]`
      expect(saidAndSo(engine, broken, 'whole').some(({ said }) => !said)).toBe(true)
    }
  },
)

test.each(['simd', 'js'])('%s says it again once halves are past', (engine) => {
  const half = String.raw`{"a":"\ud83d"}`
  const rest = Array<string>(40_000).fill('{"a":"a name of some length","b":1234567890}')
  const all = saidAndSo(engine, `[${[half, ...rest].join(',')}]`, 64 * 1024)
  expect(all[0]).toEqual({ said: false, so: false })
  expect(all.slice(2).every(({ said }) => said)).toBe(true)
  expect(all.length).toBeGreaterThan(10)
})
