// An encoder that goes on where another stopped: the bytes of both are those of one that never stopped.

import { expect, test } from 'vitest'
import { type CsvOptions, csvEncoder } from '../../src/encode/csv.js'
import type { Encoder } from '../../src/encode/encoder.js'
import { jsonEncoder } from '../../src/encode/json.js'
import { ndjsonEncoder } from '../../src/encode/ndjson.js'
import { parquetEncoder } from '../../src/encode/parquet/parquet.js'
import { memberSchema } from '../../src/schema/member.js'
import { batchOf, batchWith } from '../helpers/batch.js'
import { encodeAll, MemorySink } from '../helpers/sink.js'

const texts = ['{"id":"1","name":"a,b"}', '{"id":"2","extra":[1]}', '{"id":"3","phones":[{"number":"1"}]}']
const csv = (options: Partial<CsvOptions> = {}) => csvEncoder({ schema: memberSchema, ...options })

const encoders: [name: string, make: () => Encoder, hasKey: boolean][] = [
  ['NDJSON', ndjsonEncoder, false],
  ['NDJSON with keys', ndjsonEncoder, true],
  ['JSON', jsonEncoder, false],
  ['JSON with keys', () => jsonEncoder({ hasKey: true }), true],
  ['CSV', csv, false],
  ['CSV with keys', () => csv({ hasKey: true }), true],
  ['CSV without header, with BOM', () => csv({ header: false, bom: true }), false],
]

test.each(encoders)('%s goes on behind any record', async (_, make, hasKey) => {
  const batches = texts.map((text, index) => (hasKey ? batchWith([text], { keys: [`key ${index}`] }) : batchOf(text)))
  const whole = await encodeAll(make(), batches)
  for (let stop = 0; stop <= batches.length; stop++) {
    const sink = new MemorySink()
    const first = make()
    await first.begin(sink)
    for (const batch of batches.slice(0, stop)) await first.encode(batch)
    const saved = JSON.parse(JSON.stringify(first.save!())) as true
    const second = make()
    await second.begin(sink, saved)
    for (const batch of batches.slice(stop)) await second.encode(batch)
    await second.end()
    expect(sink.bytes.equals(whole)).toBe(true)
  }
})

test('Parquet goes on between row groups, and says where that is', async () => {
  const make = () => parquetEncoder({ schema: memberSchema, rowGroupRows: 2 })
  const batches = Array.from({ length: 7 }, (_, index) => batchOf(`{"id":"${index}","name":"name ${index}"}`))
  const whole = await encodeAll(make(), batches)
  for (let stop = 0; stop <= batches.length; stop++) {
    const sink = new MemorySink()
    const first = make()
    await first.begin(sink)
    for (const batch of batches.slice(0, stop)) await first.encode(batch)
    const saved = first.save!()
    expect(saved !== undefined).toBe(stop % 2 === 0)
    if (saved === undefined) continue
    const second = make()
    await second.begin(sink, JSON.parse(JSON.stringify(saved)) as true)
    for (const batch of batches.slice(stop)) await second.encode(batch)
    await second.end()
    expect(sink.bytes.equals(whole)).toBe(true)
  }
  expect(parquetEncoder({ schema: memberSchema, writer: 'parquetjs-lite' }).save).toBeUndefined()
})
