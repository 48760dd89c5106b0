import { Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { encoderStream } from '../../src/encode/encoder-stream.js'
import { ndjsonEncoder } from '../../src/encode/ndjson.js'
import { InternalError } from '../../src/errors.js'
import type { RecordBatch } from '../../src/record.js'
import { excludeFieldsStage } from '../../src/transform/exclude-fields.js'
import { keyByStage } from '../../src/transform/key-by.js'
import { mapRecordsStage } from '../../src/transform/map-records.js'
import { excludeFields, keyBy, mapRecords, recordTransform } from '../../src/transform/record-transform.js'
import { batchOf } from '../helpers/batch.js'

const batches = (): RecordBatch[] => [
  batchOf('{"id":"a","x":1,"n":1}', '{"id":"b","x":2,"n":2}'),
  batchOf('{"id":"c","x":3,"n":3}'),
]
const source = (): Readable => Readable.from(batches(), { highWaterMark: 1 })
const drain = (): Writable => new Writable({ objectMode: true, write: (_chunk, _encoding, done) => done() })
const textsOf = (batch: RecordBatch): string[] => Array.from({ length: batch.count }, (_, index) => batch.text(index))

describe('transforms compose', () => {
  const expected = '{"b":{"id":"b","n":4}}\n{"c":{"id":"c","n":6}}\n'
  const parts = (): Transform[] => [
    keyBy({ field: 'id' }),
    excludeFields(['x']),
    mapRecords((record) => (record['n'] === 1 ? null : { ...record, n: 2 * (record['n'] as number) })),
    encoderStream(ndjsonEncoder()),
  ]

  test('with stream.pipeline', async () => {
    let text = ''
    const sink = new Writable({
      write(chunk, _encoding, done) {
        text += chunk
        done()
      },
    })
    await pipeline([source(), ...parts(), sink])
    expect(text).toBe(expected)
  })

  test('with for await', async () => {
    let text = ''
    let stream: Readable = source()
    for (const part of parts()) stream = stream.pipe(part)
    for await (const chunk of stream) text += chunk
    expect(text).toBe(expected)
  })

  test('with Web streams', async () => {
    let stream = ReadableStream.from(batches()) as ReadableStream<unknown>
    for (const part of parts())
      stream = stream.pipeThrough(Transform.toWeb(part) as { readable: ReadableStream; writable: WritableStream })
    const decoder = new TextDecoder()
    let text = ''
    for await (const chunk of stream) text += decoder.decode(chunk as Uint8Array, { stream: true })
    expect(text).toBe(expected)
  })

  test('as stages of one transform', async () => {
    const stages = recordTransform([
      keyByStage({ field: 'id' }),
      excludeFieldsStage(['x']),
      mapRecordsStage((record) => (record['n'] === 1 ? null : { ...record, n: 2 * (record['n'] as number) })),
    ])
    let text = ''
    for await (const chunk of source().pipe(stages).pipe(encoderStream(ndjsonEncoder()))) text += chunk
    expect(text).toBe(expected)
  })
})

test('records can be read as objects anywhere', async () => {
  const ids: unknown[] = []
  for await (const batch of source().pipe(excludeFields(['x'])) as AsyncIterable<RecordBatch>)
    for (const record of batch.records()) ids.push(record)
  expect(ids).toEqual([
    { id: 'a', n: 1 },
    { id: 'b', n: 2 },
    { id: 'c', n: 3 },
  ])
})

test('a batch that lost all its records is not passed on', async () => {
  const out: RecordBatch[] = []
  for await (const batch of source().pipe(mapRecords((record) => (record['id'] === 'c' ? record : null))))
    out.push(batch)
  expect(out.map(textsOf)).toEqual([['{"id":"c","x":3,"n":3}']])
})

test('batches keep their own bytes while later ones are worked on', async () => {
  const out: RecordBatch[] = []
  for await (const batch of source().pipe(excludeFields(['x']))) out.push(batch)
  expect(out.map(textsOf)).toEqual([['{"id":"a","n":1}', '{"id":"b","n":2}'], ['{"id":"c","n":3}']])
})

test('what was left out is told by warnings()', async () => {
  const transform = keyBy({ field: 'missing', missing: 'skip' })
  for await (const _ of source().pipe(transform)) throw new Error('nothing should come')
  expect(transform.warnings()).toEqual([expect.objectContaining({ code: 'key-missing', count: 3 })])
  expect(excludeFields(['x']).warnings()).toEqual([])
})

test('few batches are taken while the reader is behind', async () => {
  let pulled = 0
  const endless = Readable.from(
    (function* () {
      for (;;) {
        pulled++
        yield batchOf('{"a":1}')
      }
    })(),
    { highWaterMark: 1 },
  )
  const stream = endless.pipe(excludeFields(['a'])).pipe(mapRecords((record) => record))
  for (let turn = 0; turn < 100; turn++) await setImmediate()
  expect(pulled).toBeLessThan(10)
  stream.destroy()
  endless.destroy()
})

describe('an error', () => {
  test('of a stage destroys the streams and keeps its class', async () => {
    const transform = keyBy('x.y')
    const input = source()
    await expect(pipeline(input, transform, drain())).rejects.toMatchObject({
      code: 'ERR_KEY_MISSING',
    })
    expect([input.destroyed, transform.destroyed]).toEqual([true, true])
  })

  test('that is not ours comes out as InternalError with its cause', async () => {
    const cause = new RangeError('odd')
    const transform = recordTransform({
      apply() {
        throw cause
      },
    })
    const failure = pipeline(source(), transform, drain())
    await expect(failure).rejects.toBeInstanceOf(InternalError)
    await expect(failure).rejects.toMatchObject({ cause })
  })

  test('of a user function comes with the record', async () => {
    const transform = mapRecords((record) => {
      if (record['id'] === 'b') throw new Error('no')
      return record
    })
    await expect(pipeline(source(), transform, drain())).rejects.toMatchObject({
      code: 'ERR_INTERNAL',
      recordIndex: 1,
    })
  })

  test('is what a chunk gives that is no batch', async () => {
    await expect(pipeline([{ id: 1 }], excludeFields(['x']), drain())).rejects.toMatchObject({
      code: 'ERR_INTERNAL',
      message: 'a transform over record batches was given object',
    })
  })
})

test('a user function that never answers does not keep the stream from being destroyed', async () => {
  const abort = new AbortController()
  let calls = 0
  const stuck = mapRecords(() => {
    calls++
    return new Promise(() => {})
  })
  const running = pipeline(source(), stuck, drain(), { signal: abort.signal })
  await setImmediate()
  abort.abort()
  await expect(running).rejects.toThrow('aborted')
  expect(calls).toBe(1)
})

test('a destroyed stream calls the user function no more', async () => {
  let calls = 0
  const transform = mapRecords(async (record) => {
    calls++
    await setImmediate()
    return record
  })
  transform.write(batchOf('{}', '{}', '{}'))
  transform.destroy()
  for (let turn = 0; turn < 10; turn++) await setImmediate()
  expect(calls).toBe(1)
})
