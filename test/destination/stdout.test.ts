import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { DirectWriter } from '../../src/destination/direct.js'
import { descriptorFile, isReopenedNull, stdoutDestination } from '../../src/destination/stdout.js'
import { ReaderGone } from '../../src/errors.js'
import { destinationConformance, writeReused } from './conformance.js'
import { systemError } from './faulty-files.js'

const root = mkdtempSync(join(tmpdir(), 'truto-export-stdout-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

destinationConformance(
  'a stream',
  async () => {
    const chunks: Buffer[] = []
    const stream = new Writable({
      write(chunk, _encoding, done) {
        chunks.push(chunk) // kept as it is: a view that is overwritten later shows
        done()
      },
    })
    return {
      destination: stdoutDestination(stream),
      visible: async () => Buffer.concat(chunks),
      leftovers: async () => (stream.writableEnded || stream.destroyed ? ['an ended stream'] : []),
      async [Symbol.asyncDispose]() {},
    }
  },
  { isAtomic: false },
)

destinationConformance(
  'the descriptor of a file',
  async () => {
    const path = join(root, 'out')
    const fd = openSync(path, 'w')
    return {
      destination: { name: 'stdout', open: async () => new DirectWriter(descriptorFile(fd), 'stdout') },
      visible: async () => readFileSync(path),
      leftovers: async () => [],
      async [Symbol.asyncDispose]() {
        closeSync(fd) // still open: it is not ours to close
      },
    }
  },
  { isAtomic: false },
)

test('a slow reader holds the writer back, and gets every byte as it was written', async () => {
  const reader = spawn('sh', ['-c', 'sleep 0.05; cat'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const writer = await stdoutDestination(reader.stdin).open()
  const pieces = Array.from({ length: 40 }, (_, n) => Buffer.alloc(50_000, `${n};`))
  const seen = buffer(reader.stdout)
  await writeReused(writer, pieces)
  await writer.commit()
  expect(reader.stdin.writableEnded).toBe(false)
  reader.stdin.end()
  expect((await seen).equals(Buffer.concat(pieces))).toBe(true)
})

test('a write does not resolve before the stream has taken the bytes', async () => {
  let release = (): void => {}
  const stream = new Writable({
    write(_chunk, _encoding, done) {
      release = done
    },
  })
  const writer = await stdoutDestination(stream).open()
  let isResolved = false
  const writing = writer.write(Buffer.from('x')).then(() => {
    isResolved = true
  })
  for (let turn = 0; turn < 5; turn++) await setImmediate()
  expect(isResolved).toBe(false)
  release()
  await writing
})

test('a stream that keeps its bytes gets copies', async () => {
  const stream = new PassThrough({ highWaterMark: 1 << 20 })
  const writer = await stdoutDestination(stream).open()
  await writeReused(writer, [Buffer.from('one '), Buffer.from('two')])
  await writer.commit()
  stream.end()
  expect((await buffer(stream)).toString()).toBe('one two')
})

describe('a reader that goes away', () => {
  test('ends the export quietly, and not by an uncaught exception', async () => {
    const reader = spawn('head', ['-c', '10'], { stdio: ['pipe', 'pipe', 'inherit'] })
    const writer = await stdoutDestination(reader.stdin).open()
    const failure = (async () => {
      for (;;) await writer.write(Buffer.alloc(64 * 1024, 'x'))
    })()
    await expect(failure).rejects.toBeInstanceOf(ReaderGone)
    await writer.abort()
    expect(writer.left).toContain('stays there')
    for (let turn = 0; turn < 5; turn++) await setImmediate()
    await expect(writer.write(Buffer.from('x'))).rejects.toBeInstanceOf(ReaderGone)
  })

  test('between two writes is found out by the next one and by the commit', async () => {
    const stream = new PassThrough()
    stream.resume()
    const writer = await stdoutDestination(stream).open()
    await writer.write(Buffer.from('x'))
    stream.destroy(systemError('EPIPE', 'write'))
    while (!stream.closed) await setImmediate()
    await expect(writer.write(Buffer.from('x'))).rejects.toBeInstanceOf(ReaderGone)
    await expect(writer.commit()).rejects.toBeInstanceOf(ReaderGone)
  })
})

test.each([
  ['ENOSPC', 'ERR_OUTPUT_SPACE'],
  ['EIO', 'ERR_OUTPUT_IO'],
])('%s is %s', async (errno, code) => {
  const stream = new Writable({ write: (_chunk, _encoding, done) => done(systemError(errno, 'write')) })
  const writer = await stdoutDestination(stream).open()
  await expect(writer.write(Buffer.from('x'))).rejects.toMatchObject({ code })
  await writer.abort()
})

test('no space behind the descriptor of stdout is told', async () => {
  const fd = openSync('/dev/full', 'w')
  const writer = new DirectWriter(descriptorFile(fd), 'stdout')
  await writer.write(Buffer.from('x'))
  await expect(writer.commit()).rejects.toMatchObject({ code: 'ERR_OUTPUT_SPACE' })
  closeSync(fd)
})

test('a stream that is closed at the start is an error before anything is written', async () => {
  const ended = new PassThrough()
  ended.end()
  await expect(stdoutDestination(ended).open()).rejects.toMatchObject({ code: 'ERR_OUTPUT_ACCESS', exitCode: 7 })
  const destroyed = new PassThrough()
  destroyed.destroy()
  await expect(stdoutDestination(destroyed).open()).rejects.toMatchObject({ code: 'ERR_OUTPUT_ACCESS' })
})

test('/dev/null that Node opened in place of a closed stdout is told from one that a user opened', () => {
  const verdicts = (['r+', 'w', 'r'] as const).map((flags) => {
    const fd = openSync('/dev/null', flags)
    const verdict = isReopenedNull(fd)
    closeSync(fd)
    return verdict
  })
  const file = openSync(join(root, 'file'), 'w+')
  expect([...verdicts, isReopenedNull(file), isReopenedNull(9999)]).toEqual([
    process.platform === 'linux',
    false,
    false,
    false,
    false,
  ])
  closeSync(file)
})

test('the listeners of the stream are gone after a commit and after an abort', async () => {
  const stream = new PassThrough()
  await (await stdoutDestination(stream).open()).commit()
  await (await stdoutDestination(stream).open()).abort()
  expect(stream.listenerCount('error')).toBe(0)
})
