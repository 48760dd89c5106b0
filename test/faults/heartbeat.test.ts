// Bodies that go on for ever and come to nothing: whatever arrives on the wire, progress is records, so each of them
// has a deadline. A reader that takes its time has none.

import net from 'node:net'
import { constants, createGzip, gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { MiB } from '../../src/bytes/units.js'
import { exportRecords, trutoSource } from '../../src/export/export.js'
import { FakeClock } from '../helpers/clock.js'
import { temporaryDirectory, token, until } from './harness.js'

/** What a body begins with, and what is sent again and again after it. */
interface Beat {
  readonly encoding: string
  readonly start: Buffer
  readonly beat: Buffer
}

const gzipHeader = Buffer.from('1f8b0800000000000003', 'hex')
/** What Z_SYNC_FLUSH sends where there is nothing to flush (RFC 1951 §3.2.4). */
const emptyBlock = Buffer.from('000000ffff', 'hex')

/** `text` as the beginning of a gzip body, all of which can be decoded. */
async function flushed(text: string): Promise<Buffer> {
  const gzip = createGzip()
  const chunks: Buffer[] = []
  gzip.on('data', (chunk: Buffer) => chunks.push(chunk))
  gzip.write(text)
  await new Promise<void>((resolve) => gzip.flush(constants.Z_SYNC_FLUSH, resolve))
  return Buffer.concat(chunks)
}

const beats: Record<string, Beat | Promise<Beat>> = {
  'empty blocks of gzip': { encoding: 'gzip', start: gzipHeader, beat: emptyBlock },
  'empty blocks of deflate': { encoding: 'deflate', start: Buffer.from('789c', 'hex'), beat: emptyBlock },
  'a file name in gzip': {
    encoding: 'gzip',
    start: Buffer.from('1f8b0808000000000003', 'hex'),
    beat: Buffer.from('name'),
  },
  'empty members of gzip': { encoding: 'gzip', start: Buffer.alloc(0), beat: gzipSync('') },
  // meta-blocks of metadata without a byte (RFC 7932 §9.2)
  'metadata of brotli': { encoding: 'br', start: Buffer.from('0c', 'hex'), beat: Buffer.from('06', 'hex') },
  'two layers of gzip': { encoding: 'gzip, gzip', start: gzipHeader, beat: emptyBlock },
  'white space': { encoding: 'identity', start: Buffer.from('{"result":['), beat: Buffer.from(' ') },
  'empty blocks after a record': flushed('{"result":[{"id":"1"},').then((start) => ({
    encoding: 'gzip',
    start,
    beat: emptyBlock,
  })),
  'empty blocks after the document': flushed('{"result":[{"id":"1"}],"next_cursor":null}').then((start) => ({
    encoding: 'gzip',
    start,
    beat: emptyBlock,
  })),
}

interface Heart {
  readonly origin: string
  requests: number
  bytes: number
}

/** A server that sends one beat a millisecond, or as many as the socket takes. */
async function heart({ encoding, start, beat }: Beat, isFast: boolean): Promise<Heart> {
  const heart = { origin: '', requests: 0, bytes: 0 }
  const block = Buffer.concat(Array.from({ length: isFast ? 10_000 : 1 }, () => beat))
  const server = net.createServer((socket) => {
    let timer: NodeJS.Timeout
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => {})
    socket.on('close', () => clearInterval(timer))
    socket.on('data', () => {
      heart.requests++
      socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: ${encoding}\r\n\r\n`)
      socket.write(start)
      const more = (): void => {
        while (!socket.destroyed) {
          heart.bytes += block.length
          if (!socket.write(block) || !isFast) break
        }
      }
      if (isFast) socket.on('drain', more)
      else timer = setInterval(more, 1)
      more()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  heart.origin = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`
  return heart
}

const requestOf = ({ origin }: Heart) =>
  ({ resource: 'a/b', apiUrl: origin, token, responseFormat: 'unified' }) as const

describe.each(Object.entries(beats))('%s', (_, given) => {
  test.each([
    ['slowly', false],
    ['as fast as it goes', true],
  ])('sent %s ends with the deadline of a page', async (_, isFast) => {
    const server = await heart(await given, isFast)
    const failure = exportRecords({
      ...requestOf(server),
      out: `${temporaryDirectory()}/out.ndjson`,
      pageTimeoutMs: 300,
      tries: 2,
      backoffBaseMs: 1,
    })
    await expect(failure).rejects.toMatchObject({
      code: 'ERR_TIMEOUT',
      exitCode: 5,
      page: 1,
      message: 'no record was finished in 300 ms of waiting for bytes',
    })
    expect(server.requests).toBe(2)
  })
})

test('what unfolds to less than 100 bytes a second for a minute is too slow, however much arrives', async () => {
  const server = await heart(await beats['empty blocks of gzip']!, false)
  const clock = new FakeClock()
  const failure = exportRecords({ ...requestOf(server), out: `${temporaryDirectory()}/out.ndjson`, clock, tries: 1 })
  let isOver = false
  failure.catch(() => {}).finally(() => (isOver = true))
  const startedAt = clock.now()
  // between two steps of the clock bytes arrive, so that no idle deadline is passed
  for (let bytes = 0; !isOver; clock.advance(1000)) {
    bytes = server.bytes
    await until(() => isOver || server.bytes > bytes + 20)
  }
  await expect(failure).rejects.toMatchObject({
    code: 'ERR_TIMEOUT',
    message: 'the body came at less than 100 bytes a second',
  })
  expect(clock.now() - startedAt).toBeLessThan(70_000)
})

test('time that the consumer takes does not count, whatever arrives meanwhile', async () => {
  let resume = (): void => {}
  const server = net.createServer((socket) => {
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n`)
      const gzip = createGzip()
      gzip.pipe(socket)
      gzip.write(`{"result":[{"id":"1"},{"id":"${'2'.repeat(100_000)}"},`)
      gzip.flush(constants.Z_SYNC_FLUSH, () => {
        for (let i = 0; i < 1000; i++) socket.write(emptyBlock)
      })
      resume = () => void gzip.end('{"id":"3"}],"next_cursor":null}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as net.AddressInfo
  const clock = new FakeClock()
  const origin = `http://127.0.0.1:${port}`
  const source = trutoSource({ ...requestOf({ origin, requests: 0, bytes: 0 }), clock, tries: 1 })
  let records = 0
  for await (const batch of source) {
    records += batch.count
    clock.advance(3_600_000)
    await new Promise((resolve) => setTimeout(resolve, 5))
    clock.advance(3_600_000)
    if (records === 2) resume()
  }
  expect(records).toBe(3)
})

test('a reader that leaves in the middle of a body leaves no timer, which would keep the process', async () => {
  const server = net.createServer((socket) => {
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => {})
    socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\n\r\n{"result":[${'{"id":"1"},'.repeat(100_000)}`))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const origin = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`
  const clock = new FakeClock()
  for await (const _batch of trutoSource({ ...requestOf({ origin, requests: 0, bytes: 0 }), clock })) break
  expect(clock.waits.length).toBeGreaterThan(0)
  expect(clock.pending).toBe(0)
})

test('nothing of it is kept: memory stays flat', async () => {
  const server = await heart(await beats['empty blocks of gzip']!, true)
  const controller = new AbortController()
  const failure = exportRecords({
    ...requestOf(server),
    out: `${temporaryDirectory()}/out.ndjson`,
    signal: controller.signal,
  }).catch((error: unknown) => error)
  await until(() => server.bytes > 20 * MiB)
  const before = process.memoryUsage()
  await until(() => server.bytes > 220 * MiB)
  const after = process.memoryUsage()
  controller.abort(new Error('enough'))
  expect(await failure).toEqual(new Error('enough'))
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(16 * MiB)
  expect(after.rss - before.rss).toBeLessThan(48 * MiB)
})
