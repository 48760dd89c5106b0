import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonEncoder } from '../../src/encode/json.js'
import { batchOf, batchWith } from '../helpers/batch.js'
import { encodeAll, MemorySink } from '../helpers/sink.js'

const numRuns = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 20_000 : 300
const encode = async (hasKey: boolean, ...batches: ReturnType<typeof batchOf>[]): Promise<string> =>
  (await encodeAll(jsonEncoder({ hasKey }), batches)).toString()

test('records become one array, with their own bytes, one on each line', async () => {
  expect(await encode(false, batchOf('{"a":1.0}', '{ "b":2 }'), batchOf(), batchOf('{}'))).toBe(
    '[\n{"a":1.0},\n{ "b":2 },\n{}\n]\n',
  )
})

test('records with keys become one object', async () => {
  expect(await encode(true, batchWith(['{"a":1}'], { keys: ['x"'] }), batchWith(['{}'], { keys: ['\udc00'] }))).toBe(
    '{\n"x\\"":{"a":1},\n"\\udc00":{}\n}\n',
  )
})

test('without records the document is empty and valid', async () => {
  expect(await encode(false)).toBe('[]\n')
  expect(await encode(true, batchOf())).toBe('{}\n')
})

test.each([
  ['with', batchOf('{}'), true],
  ['without', batchWith(['{}'], { keys: ['a'] }), false],
])('a batch that does not fit an encoder for records %s keys is refused', async (word, batch, hasKey) => {
  await expect(encode(hasKey, batch)).rejects.toThrow(`records ${word} keys`)
})

test('records larger than the buffer come out whole', async () => {
  const texts = [200_000, 3, 131_072, 131_073, 100_000].map((size) => `{"x":"${'ü'.repeat(size / 2)}"}`)
  expect((await encode(false, batchOf(...texts))) === `[\n${texts.join(',\n')}\n]\n`).toBe(true)
})

test('any records and keys are one valid document with the bytes of the records', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.dictionary(fc.string(), fc.jsonValue())))),
      fc.boolean(),
      async (batches, hasKey) => {
        const text = await encode(
          hasKey,
          ...batches.map((records) =>
            batchWith(
              records.map(([, record]) => JSON.stringify(record)),
              hasKey ? { keys: records.map(([key]) => key) } : {},
            ),
          ),
        )
        const members = batches
          .flat()
          .map(([key, record]) => (hasKey ? `${JSON.stringify(key)}:` : '') + JSON.stringify(record))
        const [open, close] = hasKey ? ['{', '}'] : ['[', ']']
        expect(text).toBe(members.length === 0 ? `${open}${close}\n` : `${open}\n${members.join(',\n')}\n${close}\n`)
        JSON.parse(text)
      },
    ),
    { numRuns },
  )
})

test('nothing is kept back between batches', async () => {
  const sink = new MemorySink()
  const encoder = jsonEncoder()
  await encoder.begin(sink)
  await encoder.encode(batchOf('{"a":1}'))
  expect(sink.bytes.toString()).toBe('[\n{"a":1}')
})
