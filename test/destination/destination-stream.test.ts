import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { compressed } from '../../src/destination/compress.js'
import type { Destination } from '../../src/destination/destination.js'
import { destinationStream } from '../../src/destination/destination-stream.js'
import { fileDestination } from '../../src/destination/file.js'
import { memoryDestination } from '../../src/destination/memory.js'
import { encoderStream } from '../../src/encode/encoder-stream.js'
import { ndjsonEncoder } from '../../src/encode/ndjson.js'
import { OutputError } from '../../src/errors.js'
import { excludeFields } from '../../src/transform/record-transform.js'
import { batchOf } from '../helpers/batch.js'

const root = mkdtempSync(join(tmpdir(), 'truto-export-stream-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** A destination that writes down what is done to it. */
function logged(failing?: string): { destination: Destination; log: string[] } {
  const log: string[] = []
  const step = async (name: string): Promise<void> => {
    log.push(name)
    await setImmediate()
    if (name === failing) throw new OutputError('ERR_OUTPUT_SPACE', `no space to ${name}`)
    log.push(`${name} done`)
  }
  return {
    log,
    destination: {
      name: 'log',
      async open() {
        await step('open')
        return {
          bytesWritten: 0,
          left: '',
          write: () => step('write'),
          commit: () => step('commit'),
          abort: () => step('abort'),
        }
      },
    },
  }
}

test('the end of the stream commits, and finish means published', async () => {
  const { destination, log } = logged()
  await pipeline(Readable.from([Buffer.from('a'), Buffer.from('b')]), destinationStream(destination))
  expect(log).toEqual(
    ['open', 'write', 'commit'].flatMap((step) =>
      step === 'write' ? [step, 'write done', step, 'write done'] : [step, `${step} done`],
    ),
  )
})

describe('whole or absent', () => {
  test('a pipeline that ends well leaves the whole file', async () => {
    const path = join(root, 'whole')
    await pipeline(
      Readable.from([batchOf('{"a":1,"b":2}'), batchOf('{"a":3}')]),
      excludeFields(['a']),
      encoderStream(ndjsonEncoder()),
      destinationStream(fileDestination(path)),
    )
    expect(readFileSync(path, 'utf8')).toBe('{"b":2}\n{}\n')
  })

  test('a source that fails leaves nothing', async () => {
    const source = async function* () {
      yield batchOf('{"a":1}')
      await setImmediate()
      throw new Error('cut')
    }
    const path = join(root, 'absent')
    await expect(
      pipeline(source, encoderStream(ndjsonEncoder()), destinationStream(fileDestination(path))),
    ).rejects.toThrow('cut')
    expect(readdirSync(root).filter((name) => name.startsWith('absent'))).toEqual([])
  })

  test('an abort signal leaves nothing', async () => {
    const abort = new AbortController()
    const source = async function* () {
      for (;;) {
        yield Buffer.alloc(100_000)
        await setImmediate()
      }
    }
    const path = join(root, 'aborted')
    const running = pipeline(source, destinationStream(fileDestination(path)), { signal: abort.signal })
    for (let turn = 0; turn < 10; turn++) await setImmediate()
    abort.abort()
    await expect(running).rejects.toThrow('aborted')
    expect(readdirSync(root).filter((name) => name.startsWith('aborted'))).toEqual([])
  })
})

test('a destroyed stream aborts after the write in hand', async () => {
  const { destination, log } = logged()
  const stream = destinationStream(destination)
  stream.write('x')
  while (!log.includes('write')) await setImmediate()
  stream.destroy()
  while (!stream.closed) await setImmediate()
  expect(log).toEqual(['open', 'open done', 'write', 'write done', 'abort', 'abort done'])
})

test('a stream that is destroyed while it opens aborts what was opened', async () => {
  const { destination, log } = logged()
  destinationStream(destination).destroy()
  while (!log.includes('abort done')) await setImmediate()
  expect(log).toEqual(['open', 'open done', 'abort', 'abort done'])
})

test.each([
  ['open', ['open']],
  ['write', ['open', 'open done', 'write', 'abort', 'abort done']],
  ['commit', ['open', 'open done', 'write', 'write done', 'commit']],
])('a failure to %s comes out of the pipeline', async (failing, expected) => {
  const { destination, log } = logged(failing)
  await expect(pipeline(Readable.from([Buffer.from('x')]), destinationStream(destination))).rejects.toMatchObject({
    code: 'ERR_OUTPUT_SPACE',
  })
  for (let turn = 0; turn < 5; turn++) await setImmediate()
  expect(log).toEqual(expected)
})

test('the open place can be wrapped', async () => {
  const memory = memoryDestination()
  await pipeline(
    Readable.from(['one ', 'two']),
    destinationStream(memory, (writer) => compressed(writer, 'gzip')),
  )
  expect(gunzipSync(memory.bytes()).toString()).toBe('one two')
})

test('it is a Web stream, too', async () => {
  const memory = memoryDestination()
  const bytes = ReadableStream.from(['one ', 'two'].map((text) => new TextEncoder().encode(text)))
  await bytes.pipeTo(Writable.toWeb(destinationStream(memory)))
  expect(memory.bytes().toString()).toBe('one two')
})

test('an aborted Web stream leaves nothing', async () => {
  const { destination, log } = logged()
  const failing = new ReadableStream({
    start: (controller) => controller.enqueue(new Uint8Array(1)),
    pull: (controller) => controller.error(new Error('cut')),
  })
  await expect(failing.pipeTo(Writable.toWeb(destinationStream(destination)))).rejects.toThrow('cut')
  while (!log.includes('abort done')) await setImmediate()
  expect(log).not.toContain('commit')
})
