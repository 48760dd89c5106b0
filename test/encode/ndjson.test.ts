import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ndjsonEncoder } from '../../src/encode/ndjson.js'
import { batchOf, batchWith } from '../helpers/batch.js'
import { encodeAll, MemorySink } from '../helpers/sink.js'

const numRuns = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 20_000 : 300

test('records keep their bytes, and each ends with a line feed', async () => {
  const texts = [String.raw`{ "b":1.50,"a":"\u0041\/" }`, '{"name":"Jürgen 😀\u2028"}']
  expect((await encodeAll(ndjsonEncoder(), [batchOf(...texts), batchOf(), batchOf('{}')])).toString()).toBe(
    `${texts[0]}\n${texts[1]}\n{}\n`,
  )
})

test('a batch of lines is written as one view of its own bytes', async () => {
  const batch = batchOf('{"a":1}', '{"b":2}')
  const written: Uint8Array[] = []
  const encoder = ndjsonEncoder()
  await encoder.begin({ write: async (bytes) => void written.push(bytes) })
  await encoder.encode(batch)
  expect(written.map((bytes) => [bytes.buffer === batch.bytes.buffer, bytes.length])).toEqual([
    [true, batch.bytes.length],
  ])
})

test('records that do not stand as lines are compacted', async () => {
  const batch = batchWith(['{"a":1}', '{"b":2}', '{"c":3}'], {
    bounds: Uint32Array.of(0, 7, 16, 23),
    count: 2,
    isLines: false,
  })
  expect((await encodeAll(ndjsonEncoder(), [batch])).toString()).toBe('{"a":1}\n{"c":3}\n')
})

test('records with keys are wrapped, and any key is well-formed JSON', async () => {
  const batch = batchWith(['{"a":1}', '{}', '{}', '{}'], { keys: ['k', 'quote " and \\', '\ud800', ''] })
  expect((await encodeAll(ndjsonEncoder(), [batch])).toString()).toBe(
    String.raw`{"k":{"a":1}}
{"quote \" and \\":{}}
{"\ud800":{}}
{"":{}}
`,
  )
})

test('records around the size of the buffer come out whole and in order', async () => {
  const sizes = [1, 131_050, 131_060, 131_070, 131_072, 131_073, 400_000, 5, 70_000, 70_000]
  const texts = sizes.map((size, index) => `{"${index}":"${'x'.repeat(size)}"}`)
  const keys = sizes.map((size) => `ü${'k'.repeat(size % 7)}`)
  for (const batch of [batchWith(texts, { isLines: false }), batchWith(texts, { keys })]) {
    const expected = texts.map((text, index) => (batch.keys ? `{"${keys[index]}":${text}}\n` : `${text}\n`)).join('')
    expect((await encodeAll(ndjsonEncoder(), [batch, batch])).toString() === expected + expected).toBe(true)
  }
})

test('without records there are no bytes', async () => {
  expect((await encodeAll(ndjsonEncoder(), [])).length).toBe(0)
})

test('any records and keys are lines of valid JSON with the bytes of the records', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.dictionary(fc.string(), fc.jsonValue())))),
      fc.boolean(),
      fc.boolean(),
      async (batches, hasKey, isLines) => {
        const bytes = await encodeAll(
          ndjsonEncoder(),
          batches.map((records) =>
            batchWith(
              records.map(([, record]) => JSON.stringify(record)),
              { isLines, keys: hasKey ? records.map(([key]) => key) : undefined },
            ),
          ),
        )
        const expected = batches.flat().map(([key, record]) => {
          const text = JSON.stringify(record)
          return hasKey ? `{${JSON.stringify(key)}:${text}}` : text
        })
        expect(bytes.toString()).toBe(expected.map((text) => `${text}\n`).join(''))
        for (const line of bytes.toString().split('\n').slice(0, -1)) JSON.parse(line)
      },
    ),
    { numRuns },
  )
})

test('nothing is kept back between batches', async () => {
  const sink = new MemorySink()
  const encoder = ndjsonEncoder()
  await encoder.begin(sink)
  await encoder.encode(batchWith(['{}'], { keys: ['a'] }))
  expect(sink.bytes.toString()).toBe('{"a":{}}\n')
})
