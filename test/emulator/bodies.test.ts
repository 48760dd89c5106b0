import zlib from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Body,
  bufferBody,
  collect,
  encodeBody,
  joinBodies,
  rechunk,
  spliceBody,
} from '../../src/emulator/bodies.js'
import { keyedRun, RecordPool, type RecordView, renderedRun, textAt } from '../../src/emulator/runs.js'

const numRuns = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 20_000 : 300
const parts = fc.array(fc.uint8Array({ maxLength: 12 }), { maxLength: 6 })
const bodyOf = (list: Uint8Array[]): Body => joinBodies(list.map((part) => bufferBody(part)))

test('pieces have the sizes asked for and the same bytes', async () => {
  await fc.assert(
    fc.asyncProperty(parts, fc.integer({ min: 1, max: 9 }), async (list, size) => {
      const pieces: Buffer[] = []
      for await (const piece of rechunk(bodyOf(list).chunks(), () => size)) pieces.push(piece)
      expect(Buffer.concat(pieces)).toEqual(Buffer.concat(list))
      expect(pieces.slice(0, -1).every((piece) => piece.length === size)).toBe(true)
      if (pieces.length > 0) expect(pieces.at(-1)!.length).toBeGreaterThan(0)
    }),
    { numRuns },
  )
})

test('inserting and replacing work on offsets, wherever the chunks end', async () => {
  await fc.assert(
    fc.asyncProperty(
      parts,
      fc.nat(40),
      fc.nat(10),
      fc.uint8Array({ maxLength: 5 }),
      async (list, at, remove, insert) => {
        const whole = Buffer.concat(list)
        const place = Math.min(at, whole.length)
        const expected = Buffer.concat([whole.subarray(0, place), insert, whole.subarray(place + remove)])
        const body = spliceBody(bodyOf(list), at, remove, Buffer.from(insert))
        expect(await collect(body)).toEqual(expected)
        expect(body.byteLength).toBe(expected.length)
        const unmeasured = spliceBody(
          { byteLength: undefined, chunks: () => bodyOf(list).chunks() },
          at,
          remove,
          Buffer.from(insert),
        )
        expect(await collect(unmeasured)).toEqual(expected)
      },
    ),
    { numRuns },
  )
})

test.each([
  ['gzip', zlib.gunzipSync],
  ['deflate', zlib.inflateSync],
  ['br', zlib.brotliDecompressSync],
] as const)('%s can be undone, and twice gives the same bytes', async (encoding, decode) => {
  const body = encodeBody(bufferBody('{"result":[]}'.repeat(1000)), encoding)
  const bytes = await collect(body)
  expect(decode(bytes).toString()).toBe('{"result":[]}'.repeat(1000))
  expect(await collect(body)).toEqual(bytes)
})

const view = (pool: number): RecordView => ({
  key: 'test',
  isPretty: false,
  pool,
  record: (index) => ({ id: pool === 0 ? index : index % pool, text: 'é'.repeat(index % 4) }),
})

test('a run of a pool is byte for byte the run of the records rendered one by one', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 7 }),
      fc.nat(30),
      fc.nat(30),
      fc.constantFrom(',', ',\n', '\n'),
      fc.boolean(),
      async (size, start, count, separator, isTerminated) => {
        const texts = (index: number): string => textAt(view(size), start + index)
        const rendered = renderedRun((index) => textAt(view(size), (start + index) % size), count, {
          separator,
          isTerminated,
        })
        expect(Array.from({ length: size }, (_, index) => texts(index)).length).toBe(size)
        const pooled = new RecordPool(view(size), separator).run(start, count, isTerminated)
        const bytes = Buffer.concat([...pooled.chunks()])
        expect(bytes).toEqual(Buffer.concat([...rendered.chunks()]))
        expect(pooled.byteLength).toBe(bytes.length)
        for (let index = 0; index <= count; index++) expect(pooled.offsetOf(index)).toBe(rendered.offsetOf(index))
        const fewer = Math.floor(count / 2)
        expect(Buffer.concat([...pooled.first(fewer).chunks()])).toEqual(
          Buffer.concat([...rendered.first(fewer).chunks()]),
        )
      },
    ),
    { numRuns },
  )
})

test('keyed records collapse where keys repeat: the last one stays', () => {
  const keyed = keyedRun(view(3), 0, 5, 'id', ',')
  expect(keyed.count).toBe(3)
  const text = Buffer.concat([...keyed.chunks()]).toString()
  expect(JSON.parse(`{${text}}`)).toEqual({
    0: { id: 0, text: 'ééé' },
    1: { id: 1, text: '' },
    2: { id: 2, text: 'éé' },
  })
})
