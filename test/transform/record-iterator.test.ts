import { expect, test } from 'vitest'
import type { JsonRecord, RecordBatch } from '../../src/record.js'
import { RecordIterator } from '../../src/transform/record-iterator.js'
import { wholeRecords } from '../../src/transform/record-reader.js'
import { batchOf } from '../helpers/batch.js'

/** Batches that tell how often they were asked for and whether they were closed. */
function source(...batches: RecordBatch[]) {
  const state = { given: 0, isClosed: false }
  async function* read(): AsyncGenerator<RecordBatch, void, undefined> {
    try {
      for (const batch of batches) {
        await new Promise(setImmediate)
        state.given++
        yield batch
      }
    } finally {
      state.isClosed = true
    }
  }
  return { state, iterator: new RecordIterator<JsonRecord>(read(), wholeRecords()) }
}
const twoBatches = () => source(batchOf('{"n":0}', '{"n":1}'), batchOf(), batchOf('{"n":2}'))

test('gives every record of every batch, then ends and stays ended', async () => {
  const { iterator, state } = twoBatches()
  const seen: unknown[] = []
  for await (const { n } of iterator) seen.push(n)
  expect(seen).toEqual([0, 1, 2])
  expect(state).toEqual({ given: 3, isClosed: true })
  expect(await iterator.next()).toEqual({ done: true, value: undefined })
  expect(await source().iterator.next()).toEqual({ done: true, value: undefined })
})

test('asks for a batch only when a record of it is asked for', async () => {
  const { iterator, state } = twoBatches()
  expect(state.given).toBe(0)
  await iterator.next()
  await iterator.next()
  expect(state.given).toBe(1)
  expect(await iterator.next()).toEqual({ done: false, value: { n: 2 } })
  expect(state.given).toBe(3)
})

test('calls that do not wait for each other are answered in order', async () => {
  const { iterator } = twoBatches()
  const steps = await Promise.all([1, 2, 3, 4, 5].map(() => iterator.next()))
  expect(steps.map(({ value }) => value?.['n'])).toEqual([0, 1, 2, undefined, undefined])
  const other = twoBatches()
  const mixed = await Promise.all([other.iterator.next(), other.iterator.return(), other.iterator.next()])
  expect(mixed.map(({ done }) => done)).toEqual([false, true, true])
  expect(other.state).toEqual({ given: 1, isClosed: true })
})

test('a call made when the first is answered does not overtake those that wait', async () => {
  const { iterator } = source(batchOf('{"n":0}', '{"n":1}', '{"n":2}'))
  const first = iterator.next()
  const second = iterator.next()
  const third = first.then(() => iterator.next())
  const steps = await Promise.all([first, second, third])
  expect(steps.map(({ value }) => value?.['n'])).toEqual([0, 1, 2])
})

test('leaving the loop closes the batches, in the middle of one and at its end', async () => {
  for (const last of [0, 1]) {
    const { iterator, state } = twoBatches()
    for await (const { n } of iterator) if (n === last) break
    expect(state).toEqual({ given: 1, isClosed: true })
    expect((await iterator.next()).done).toBe(true)
  }
})

test('can be disposed of, and stopped before it has begun', async () => {
  const { iterator, state } = twoBatches()
  await iterator.next()
  await iterator[Symbol.asyncDispose]()
  expect(state.isClosed).toBe(true)
  const early = twoBatches()
  expect(await early.iterator.return()).toEqual({ done: true, value: undefined })
  expect((await early.iterator.next()).done).toBe(true)
  expect(early.state).toEqual({ given: 0, isClosed: false }) // what was never opened need not be closed
})

test('an error of the batches is thrown once, then it has ended', async () => {
  const failure = new Error('cut')
  async function* failing(): AsyncGenerator<RecordBatch, void, undefined> {
    yield batchOf('{"n":0}')
    throw failure
  }
  const iterator = new RecordIterator<JsonRecord>(failing(), wholeRecords())
  expect((await iterator.next()).done).toBe(false)
  await expect(iterator.next()).rejects.toBe(failure)
  expect((await iterator.next()).done).toBe(true)
})

test.each([0, 1, 2])(
  'an error of the reader at record %i closes the batches and is the one that is thrown',
  async (bad) => {
    const failure = new Error('too long')
    const whole = wholeRecords()
    const state = { isClosed: false }
    async function* batches(): AsyncGenerator<RecordBatch, void, undefined> {
      try {
        yield batchOf('{"n":0}', '{"n":1}')
        yield batchOf('{"n":2}')
      } catch {
        state.isClosed = true
        throw new Error('closing failed, too')
      }
    }
    const iterator = new RecordIterator<JsonRecord>(batches(), {
      begin: whole.begin,
      read(index) {
        const record = whole.read(index)
        if (record['n'] === bad) throw failure
        return record
      },
    })
    for (let n = 0; n < bad; n++) await iterator.next()
    await expect(iterator.next()).rejects.toBe(failure)
    expect(state.isClosed).toBe(true)
    expect((await iterator.next()).done).toBe(true)
  },
)

test('an error thrown into it closes the batches and comes out again', async () => {
  const { iterator, state } = twoBatches()
  await iterator.next()
  const failure = new Error('stop')
  await expect(iterator.throw(failure)).rejects.toBe(failure)
  expect(state).toEqual({ given: 1, isClosed: true })
  expect((await iterator.next()).done).toBe(true)
})
