import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RecordsTally } from '../../src/checkpoint/digest.js'
import { RecordBatch } from '../../src/record.js'
import { batchWith } from '../helpers/batch.js'

const texts = ['{}', '{"a":1}', '{"a":"ü"}', '{"b":[]}', '{"c":null}']

/** The same records with other bytes between them. */
function spread(batch: RecordBatch): RecordBatch {
  const bounds = new Uint32Array(2 * batch.count)
  const parts: Buffer[] = []
  let at = 0
  for (let index = 0; index < batch.count; index++) {
    const slice = batch.slice(index)
    parts.push(Buffer.from(' ,\n'), slice)
    bounds[2 * index] = at + 3
    at += 3 + slice.length
    bounds[2 * index + 1] = at
  }
  return new RecordBatch({ ...batch, bytes: Buffer.concat(parts), bounds, isLines: false })
}

for (const keyed of [false, true]) {
  test(`a tally of records${keyed ? ' with keys of the page' : ''} is the same however they came in batches`, () => {
    const whole = batchWith(texts, keyed ? { pageKeys: texts.map((_, index) => `k${index}`) } : {})
    const expected = new RecordsTally()
    expected.add(whole)
    expect(expected.snapshot()).toMatchObject({
      records: texts.length,
      bytes: Buffer.byteLength(`${texts.join('\n')}\n`),
    })
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 3 }), fc.boolean()), { maxLength: 6 }), (cuts) => {
        let tally = new RecordsTally()
        let from = 0
        for (const [count, isSpread] of [...cuts, [texts.length, false] as const]) {
          const piece = whole.range(from, Math.min(texts.length, from + count))
          tally.add(isSpread ? spread(piece) : piece)
          from = Math.min(texts.length, from + count)
          // saved and gone on with
          tally = new RecordsTally(JSON.parse(JSON.stringify(tally.snapshot())) as RecordsTally)
        }
        expect(tally.equals(expected)).toBe(true)
      }),
    )
  })
}

test('a tally tells records apart from others, from other orders and from fewer', () => {
  const tallies = [texts, texts.slice(1), [...texts].reverse(), ['{} ', ...texts.slice(1)], []].map((records) => {
    const tally = new RecordsTally()
    tally.add(batchWith(records))
    return JSON.stringify(tally.snapshot())
  })
  expect(new Set(tallies).size).toBe(tallies.length)
})
