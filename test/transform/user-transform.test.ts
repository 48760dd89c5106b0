// A Transform of the user: used once, named where it is to blame, and no reason to wait for ever.

import { Duplex, PassThrough, Readable, Transform, type TransformCallback } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { expect, test } from 'vitest'
import {
  type ExportOptions,
  excludeFields,
  exportRecords,
  type JsonRecord,
  mapRecords,
  memoryDestination,
  records,
} from '../../src/index.js'

/** Three records in three batches. */
async function* chunks(): AsyncGenerator<Uint8Array> {
  for (const id of ['0', '1', '2']) yield Buffer.from(`{"id":"${id}"}\n`)
}
const texts = '{"id":"0"}\n{"id":"1"}\n{"id":"2"}\n'

const options = (transform: unknown): ExportOptions => ({
  input: chunks(),
  inputFormat: 'ndjson',
  transform: transform as Transform,
})

/** What an export through it comes to, and what reading its records does. */
async function outcomesOf(open: () => unknown): Promise<unknown[]> {
  const destination = memoryDestination()
  const exported = exportRecords({ ...options(open()), destination }).then(
    () => destination.bytes().toString(),
    (error: unknown) => error,
  )
  const read = (async () => {
    let text = ''
    for await (const record of records<JsonRecord>(options(open()))) text += `${JSON.stringify(record)}\n`
    return text
  })().catch((error: unknown) => error)
  return [await exported, await read]
}

const transforming = (transform: (this: Transform, batch: unknown, done: TransformCallback) => void, more = {}) =>
  new Transform({
    objectMode: true,
    transform(batch, _encoding, done) {
      transform.call(this, batch, done)
    },
    ...more,
  })

test.each<[string, () => unknown]>([
  ['that passes on', () => new PassThrough({ objectMode: true })],
  ['of ours', () => excludeFields(['nothing'])],
  ['that takes its time', () => transforming((batch, done) => setImmediate(done, null, batch))],
  [
    'that holds all back until its flush',
    () => {
      const held: unknown[] = []
      return transforming((batch, done) => void (held.push(batch) && done()), {
        flush(this: Transform, done: TransformCallback) {
          for (const batch of held) this.push(batch)
          done()
        },
      })
    },
  ],
  [
    'made of a generator',
    () =>
      Duplex.from(async function* (batches: AsyncIterable<unknown>) {
        yield* batches
      }),
  ],
  ['with a large buffer', () => new PassThrough({ objectMode: true, highWaterMark: 100 })],
  ['that is read by somebody else, too', () => new PassThrough({ objectMode: true }).on('data', () => {})],
])('a Transform %s is a step like any other', async (_name, open) => {
  expect(await outcomesOf(open)).toEqual([texts, texts])
})

test('one that was left finished or whole is told so', async () => {
  const transform = new PassThrough({ objectMode: true })
  const ends = finished(transform)
  await exportRecords({ ...options(transform), destination: memoryDestination() })
  await ends // its own listeners see an orderly end
})

async function usedElsewhere(): Promise<Transform> {
  const transform = new PassThrough({ objectMode: true })
  await pipeline(Readable.from([{}]), transform, async (rest) => {
    for await (const _ of rest);
  })
  return transform
}
const broken = (): Transform => {
  const transform = new PassThrough({ objectMode: true }).on('error', () => {})
  return transform.destroy(new Error('before'))
}
const piped = (): Transform => {
  const transform = new PassThrough({ objectMode: true })
  new PassThrough({ objectMode: true }).pipe(transform)
  return transform
}
const written = (): Transform => {
  const transform = new PassThrough({ objectMode: true })
  transform.write({})
  return transform
}

test.each<[string, () => unknown]>([
  ['that was used elsewhere', usedElsewhere],
  ['that is destroyed', () => new PassThrough({ objectMode: true }).destroy()],
  ['that has failed', broken],
  ['that was ended', () => new PassThrough({ objectMode: true }).end()],
  ['that something is piped into', piped],
  ['that something was written to', written],
  ['that is not in object mode', () => new PassThrough()],
  ['that is a Web stream', () => new TransformStream()],
  ['that is only a Readable', () => Readable.from([])],
  ['that is no stream', () => ({})],
  ['that is text', () => 'drop'],
])('a Transform %s is an error at once, before anything is read', async (_name, open) => {
  const transform = await open()
  const input = new PassThrough()
  const call = { ...options(transform), input }
  const refused = expect.objectContaining({ name: 'ConfigError', code: 'ERR_OPTION_INVALID' })
  expect(() => records(call)).toThrow(refused)
  await expect(exportRecords({ ...call, destination: memoryDestination() })).rejects.toEqual(refused)
  expect(input.readableFlowing).toBe(null)
})

test('one options object is not for two calls where there is a Transform in it', async () => {
  const used = /given transform has been used/
  const list = [Buffer.from(texts)]
  const twice = { ...options(mapRecords((record) => record)), input: list, destination: memoryDestination() }
  const first = exportRecords(twice)
  await expect(exportRecords(twice)).rejects.toThrow(used) // at once
  await first
  await expect(exportRecords(twice)).rejects.toThrow(used) // and after it
  expect(() => records(twice)).toThrow(used)
  const read = { ...options(mapRecords((record) => record)), input: list }
  const steps = records(read)
  expect(() => records(read)).toThrow(used)
  expect(await steps.next()).toEqual({ done: false, value: { id: '0' } })
})

test('a call that nothing went through gives its Transform back', async () => {
  const transform = new PassThrough({ objectMode: true })
  const wrong = { ...options(transform), schema: '{', format: 'csv' as const, destination: memoryDestination() }
  await expect(exportRecords(wrong)).rejects.toThrow()
  const early = { ...options(transform), signal: AbortSignal.abort(new Error('early')) }
  await expect(exportRecords({ ...early, destination: memoryDestination() })).rejects.toThrow('early')
  await expect(records(early).next()).rejects.toThrow('early')
  await exportRecords({ ...options(transform), destination: memoryDestination() })
})

const failed = (message: string) => expect.objectContaining({ code: 'ERR_INTERNAL', message })
const boom = (): Error => new Error('boom')

test.each<[string, unknown, () => Transform | Duplex]>([
  [
    'ends early',
    'the given transform ended before the records did',
    () =>
      transforming(function (batch, done) {
        this.push(batch)
        this.push(null)
        done()
      }),
  ],
  [
    'ends early and takes no more',
    'the given transform ended before the records did',
    () =>
      transforming(function (batch) {
        this.push(batch)
        this.push(null)
      }),
  ],
  [
    'is a generator that leaves its loop',
    'the given transform ended before the records did',
    () =>
      Duplex.from(async function* (batches: AsyncIterable<unknown>) {
        for await (const batch of batches) {
          yield batch
          return
        }
      }),
  ],
  ['fails', 'the given transform failed: boom', () => transforming((_batch, done) => done(boom()))],
  ['fails later', 'the given transform failed: boom', () => transforming((_batch, done) => setImmediate(done, boom()))],
  [
    'fails at its end',
    'the given transform failed: boom',
    () => new PassThrough({ objectMode: true, flush: (done) => done(boom()) }),
  ],
  [
    'throws',
    'the given transform failed: boom',
    () =>
      transforming(() => {
        throw boom()
      }),
  ],
  [
    'throws when it is behind',
    'the given transform failed: boom',
    () => {
      let count = 0
      return transforming((batch, done) => {
        if (++count === 2) throw boom()
        setImmediate(done, null, batch)
      })
    },
  ],
  [
    'is destroyed',
    'the given transform was destroyed before the records ended',
    () =>
      transforming(function () {
        this.destroy()
      }),
  ],
  [
    'is destroyed with an error',
    'the given transform failed: boom',
    () =>
      transforming(function (_batch, done) {
        done()
        this.destroy(boom())
      }),
  ],
  [
    'says that it was aborted',
    'the given transform failed: over',
    () => transforming((_batch, done) => done(new DOMException('over', 'AbortError'))),
  ],
  [
    'gives something else',
    'the given transform gave number, not a RecordBatch',
    () => transforming((_batch, done) => done(null, 1)),
  ],
])('a Transform that %s is named', async (_name, message, open) => {
  expect(await outcomesOf(open)).toEqual([failed(message as string), failed(message as string)])
})

test('an error of the input is not blamed on the Transform', async () => {
  const failure = new Error('cut')
  const input = async function* () {
    yield Buffer.from('{"id":"0"}\n')
    throw failure
  }
  const steps = records({ ...options(new PassThrough({ objectMode: true })), input: input() })
  const read = async (): Promise<void> => {
    for await (const _ of steps);
  }
  await expect(read()).rejects.toBe(failure)
})

const stuck = (): Promise<never> => new Promise(() => {})

test.each<[string, () => Transform]>([
  ['never calls back', () => transforming(() => void stuck())],
  ['never ends', () => new PassThrough({ objectMode: true, flush: () => void stuck() })],
  ['cannot be destroyed', () => transforming(() => void stuck(), { destroy: () => void stuck() })],
  [
    'fails when it is aborted',
    () =>
      transforming(() => void stuck(), {
        destroy: (_error: unknown, done: (error: Error) => void) => done(boom()),
      }),
  ],
])('an abort ends the run of a Transform that %s', async (_name, open) => {
  for (const start of ['export', 'read'] as const) {
    const controller = new AbortController()
    const reason = new Error('enough')
    const transform = open()
    let isReached = false
    const reached = new Promise<void>((resolve) => {
      const { write, end } = transform
      transform.write = ((...args: unknown[]) => {
        const result = write.apply(transform, args as Parameters<typeof write>)
        if (!isReached && transform.writableLength > 0) resolve()
        isReached = true
        return result
      }) as typeof write
      transform.end = ((...args: unknown[]) => {
        const result = end.apply(transform, args as Parameters<typeof end>)
        resolve()
        return result
      }) as typeof end
    })
    const call = { ...options(transform), signal: controller.signal }
    const run = async (): Promise<unknown> => {
      if (start === 'export') return exportRecords({ ...call, destination: memoryDestination() })
      for await (const _ of records(call));
      return 'ended'
    }
    const settled = run().catch((error: unknown) => error)
    await reached
    controller.abort(reason)
    expect(await settled).toBe(reason)
  }
})

test('a function that is aborted by nobody but itself is named, too', async () => {
  const signal = AbortSignal.abort()
  const transform = async (): Promise<never> => {
    throw signal.reason
  }
  const message = 'transforming a record: This operation was aborted'
  expect(await outcomesOf(() => transform)).toEqual([failed(message), failed(message)])
  for (const generator of [function* () {}, async function* () {}]) {
    const refused = expect.objectContaining({ name: 'ConfigError' })
    expect(await outcomesOf(() => generator)).toEqual([refused, refused])
  }
})
