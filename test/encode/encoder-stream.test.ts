import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { ByteSink, Encoder } from '../../src/encode/encoder.js'
import { encoderStream } from '../../src/encode/encoder-stream.js'
import { jsonEncoder } from '../../src/encode/json.js'
import { ndjsonEncoder } from '../../src/encode/ndjson.js'
import { batchOf } from '../helpers/batch.js'

/** An encoder that writes what each call of `encode` says. */
function scripted(encode: (out: ByteSink) => Promise<void>): Encoder {
  let out: ByteSink
  return {
    format: 'ndjson',
    mediaType: 'text/plain',
    extension: '.txt',
    async begin(sink) {
      out = sink
    },
    encode: () => encode(out),
    async end() {},
    warnings: () => [],
  }
}

test('batches go in, the bytes of the format come out', async () => {
  const bytes = await buffer(
    Readable.from([batchOf('{"a":1}'), batchOf('{}', '{}')]).pipe(encoderStream(jsonEncoder())),
  )
  expect(bytes.toString()).toBe('[\n{"a":1},\n{},\n{}\n]\n')
})

test('without batches the output is still whole', async () => {
  expect((await buffer(Readable.from([]).pipe(encoderStream(jsonEncoder())))).toString()).toBe('[]\n')
})

test('the bytes are copies: what the encoder reuses does not change them', async () => {
  const view = Buffer.from('0')
  let n = 0
  const stream = encoderStream(
    scripted(async (out) => {
      for (let i = 0; i < 10; i++) {
        view[0] = 0x30 + n++
        await out.write(view)
      }
    }),
  )
  stream.end(batchOf('{}'))
  await setImmediate()
  expect((await buffer(stream)).toString()).toBe('0123456789')
})

test('the encoder stands still while the reader is behind', async () => {
  let writes = 0
  const stream = encoderStream(
    scripted(async (out) => {
      for (; writes < 100; writes++) await out.write(Buffer.alloc(64 * 1024))
    }),
  )
  stream.end(batchOf('{}'))
  for (let turn = 0; turn < 50; turn++) await setImmediate()
  const whileStopped = writes
  expect(whileStopped).toBeLessThan(3)
  for (let turn = 0; turn < 50; turn++) await setImmediate()
  expect(writes).toBe(whileStopped)
  expect((await buffer(stream)).length).toBe(100 * 64 * 1024)
})

test('at most two batches are taken while the reader is behind', async () => {
  let pulled = 0
  const line = `{"x":"${'x'.repeat(100_000)}"}`
  const source = Readable.from(
    (function* () {
      for (; pulled < 20; pulled++) yield batchOf(line)
    })(),
    { highWaterMark: 1 },
  )
  const stream = source.pipe(encoderStream(ndjsonEncoder()))
  for (let turn = 0; turn < 50; turn++) await setImmediate()
  expect(pulled).toBeLessThan(5)
  expect((await buffer(stream)).length).toBe(20 * (line.length + 1))
})

test('destroying the stream ends a write that waits', async () => {
  let outcome = ''
  const stream = encoderStream(
    scripted(async (out) => {
      try {
        for (;;) await out.write(Buffer.alloc(64 * 1024))
      } catch (error) {
        outcome = (error as Error).message
        throw error
      }
    }),
  )
  stream.write(batchOf('{}'))
  for (let turn = 0; turn < 10; turn++) await setImmediate()
  stream.destroy()
  for (let turn = 0; turn < 10; turn++) await setImmediate()
  expect(outcome).toBe('the stream was destroyed')
})

test.each([
  ['in encode', () => scripted(async () => Promise.reject(new TypeError('broken'))), 'encoding a batch: broken'],
  ['by a chunk that is no batch', ndjsonEncoder, 'an encoder of record batches was given object'],
])('a failure %s comes out as an InternalError', async (_name, encoder, message) => {
  const stream = encoderStream(encoder())
  stream.end(message.includes('object') ? { id: 1 } : batchOf('{}'))
  await expect(buffer(stream)).rejects.toMatchObject({ code: 'ERR_INTERNAL', message })
})
