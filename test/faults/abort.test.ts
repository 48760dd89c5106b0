// A stop by AbortSignal, in every phase of an export: the promise rejects with the reason, the connection is closed,
// and what stays is what another run goes on from.

import { execFileSync } from 'node:child_process'
import { getEventListeners } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { createServer, connect as dial, type Socket } from 'node:net'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import type { Destination } from '../../src/destination/destination.js'
import type { EmulatorOptions } from '../../src/emulator/emulator.js'
import { type ExportOptions, exportRecords, records } from '../../src/export/export.js'
import { sideNames } from '../../src/files/side-names.js'
import type { ExportEvent } from '../../src/report.js'
import { bodySource } from '../../src/source/body-source.js'
import { verifyExport } from '../../src/verify.js'
import { FakeClock } from '../helpers/clock.js'
import { emulate, requestOf, temporaryDirectory, until } from './harness.js'

/** What a phase can wait for, to be sure that the export is in it. */
interface Scene {
  readonly requests: () => number
  readonly bodyBytes: () => number
  readonly events: readonly ExportEvent[]
  readonly partial: () => boolean
}

interface Phase {
  readonly name: string
  readonly emulator?: EmulatorOptions
  readonly options?: Partial<ExportOptions>
  readonly isThere: (scene: Scene) => boolean
}

let isHanging = false
const hang = (): Promise<never> => {
  isHanging = true
  return new Promise(() => {})
}

const closedDestination: Destination = { name: 'closed', open: hang }

const stuckDestination: Destination = {
  name: 'stuck',
  open: async () => ({ bytesWritten: 0, left: '', write: hang, commit: async () => {}, abort: async () => {} }),
}

const phases: readonly Phase[] = [
  {
    name: 'before the head',
    emulator: { faults: [{ kind: 'stall', at: 'head' }] },
    isThere: ({ requests }) => requests() === 1,
  },
  {
    name: 'before the first record',
    emulator: { faults: [{ kind: 'stall', at: 12 }] },
    isThere: ({ bodyBytes }) => bodyBytes() === 12,
  },
  {
    name: 'between the records of a later page',
    emulator: { faults: [{ kind: 'stall', at: { record: 2 }, page: 2 }] },
    isThere: ({ requests, partial }) => requests() === 2 && partial(),
  },
  {
    name: 'in a body that is compressed',
    emulator: { encoding: 'gzip', faults: [{ kind: 'stall', at: 20, page: 2 }] },
    isThere: ({ requests }) => requests() === 2,
  },
  {
    name: 'in the body of an error',
    emulator: {
      faults: [
        { kind: 'status', status: 500, body: 'x'.repeat(1000) },
        { kind: 'stall', at: 10 },
      ],
    },
    isThere: ({ requests }) => requests() === 1,
  },
  {
    name: 'in a stream without an end',
    emulator: { faults: [{ kind: 'bomb', of: 'records', bytes: Number.POSITIVE_INFINITY }] },
    isThere: ({ bodyBytes }) => bodyBytes() > 1 << 20,
  },
  {
    name: 'while it waits for a rate limit',
    emulator: { faults: [{ kind: 'status', status: 429, retryAfter: 60, page: 2 }] },
    isThere: ({ events }) => events.some(({ kind }) => kind === 'wait'),
  },
  {
    name: 'while the destination does not open',
    options: { destination: closedDestination },
    isThere: () => isHanging,
  },
  {
    name: 'while a write to the destination hangs',
    options: { destination: stuckDestination },
    isThere: () => isHanging,
  },
  {
    name: 'while a write behind the compressor hangs',
    options: { destination: stuckDestination, compress: 'gzip' },
    isThere: () => isHanging,
  },
  {
    name: 'while a write of Parquet hangs',
    options: { destination: stuckDestination, format: 'parquet' },
    isThere: () => isHanging,
  },
  {
    name: "in a user's function that never resolves",
    options: { transform: hang },
    isThere: () => isHanging,
  },
  {
    name: "in a user's Transform that never calls back",
    options: { transform: new Transform({ objectMode: true, transform: () => void hang() }) },
    isThere: () => isHanging,
  },
]

/** A way to `port` that knows how many connections are open. */
async function counted(port: number): Promise<{ port: number; open: () => number }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const upstream = dial(port, '127.0.0.1')
    sockets.add(socket)
    socket.on('close', () => {
      sockets.delete(socket)
      upstream.destroy()
    })
    socket.on('error', () => {})
    upstream.on('error', () => {})
    upstream.on('close', () => socket.destroy())
    socket.pipe(upstream).pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as { port: number }).port, open: () => sockets.size }
}

test.each(phases)('an abort $name ends the export with its reason', async ({ emulator, options, isThere }) => {
  isHanging = false
  const server = await emulate(emulator ?? {})
  const way = await counted(server.port)
  const directory = temporaryDirectory()
  const out = join(directory, 'out.ndjson')
  const controller = new AbortController()
  const reason = new Error('stopped by the test')
  const events: ExportEvent[] = []
  const progress = { records: 0, pages: 0, bodyBytes: 0, outputBytes: 0, requests: 0, wait: null }
  const settled = exportRecords({
    ...requestOf(server),
    apiUrl: `http://127.0.0.1:${way.port}`,
    out,
    signal: controller.signal,
    progress,
    onEvent: (event) => events.push(event),
    // time stands still, so nothing but the abort can end a wait
    clock: new FakeClock(),
    ...options,
  }).then(
    () => 'finished',
    (error: unknown) => error,
  )
  const scene: Scene = {
    requests: () => server.requests,
    bodyBytes: () => progress.bodyBytes,
    events,
    partial: () => existsSync(sideNames(out).partial),
  }
  await until(() => isThere(scene))
  // one of them may still be on its way to the server
  const sent = progress.requests
  controller.abort(reason)
  expect(await settled).toBe(reason)
  // nothing, or what another run goes on from
  const isKept = events.some(({ kind }) => kind === 'commit')
  expect(readdirSync(directory).sort()).toEqual(isKept ? ['_out.ndjson.checkpoint', '_out.ndjson.partial'] : [])
  await until(() => way.open() === 0)
  expect(server.requests).toBeLessThanOrEqual(sent)
})

test('a signal that was aborted before the start sends nothing and touches nothing', async () => {
  const server = await emulate({})
  const directory = temporaryDirectory()
  const reason = new Error('too late')
  const run = exportRecords({ ...requestOf(server), out: join(directory, 'out'), signal: AbortSignal.abort(reason) })
  await expect(run).rejects.toBe(reason)
  expect([server.requests, readdirSync(directory)]).toEqual([0, []])
})

test('an abort while a FIFO has no reader yet ends the export', async () => {
  const server = await emulate({})
  const directory = temporaryDirectory()
  const fifo = join(directory, 'fifo')
  execFileSync('mkfifo', [fifo])
  const controller = new AbortController()
  const reason = new Error('nobody came')
  const run = exportRecords({ ...requestOf(server), out: fifo, signal: controller.signal })
  const settled = run.catch((error: unknown) => error)
  setTimeout(() => controller.abort(reason), 30)
  expect(await settled).toBe(reason)
  expect(server.requests).toBe(0)
})

test('a destination that opens after the abort is given back', async () => {
  const server = await emulate({})
  const controller = new AbortController()
  const reason = new Error('too slow')
  let isOpened: (() => void) | undefined
  let onAbort: () => void
  const aborted = new Promise<void>((resolve) => {
    onAbort = resolve
  })
  const destination: Destination = {
    name: 'slow',
    async open() {
      await new Promise<void>((resolve) => {
        isOpened = resolve
      })
      return { bytesWritten: 0, left: '', write: hang, commit: hang, abort: async () => onAbort() }
    },
  }
  const run = exportRecords({ ...requestOf(server), destination, signal: controller.signal })
  const settled = run.catch((error: unknown) => error)
  await until(() => isOpened !== undefined)
  controller.abort(reason)
  expect(await settled).toBe(reason)
  isOpened!()
  await aborted
})

test('an abort that comes while the file is being completed is too late: the export resolves', async () => {
  const server = await emulate({})
  for (const format of ['ndjson', 'json', 'parquet'] as const) {
    const out = join(temporaryDirectory(), 'out')
    const controller = new AbortController()
    let isRead = false
    const clock = new FakeClock()
    const wallNow = clock.wallNow.bind(clock)
    // asked for the end of the run, for the manifest, when the file is about to get its name
    clock.wallNow = () => {
      if (isRead) controller.abort(new Error('too late'))
      return wallNow()
    }
    const report = await exportRecords({
      ...requestOf(server),
      out,
      format,
      signal: controller.signal,
      clock,
      onEvent: (event) => {
        isRead ||= event.kind === 'page' && event.page === 2
      },
    })
    expect([report.complete, existsSync(out), controller.signal.aborted]).toEqual([true, true, true])
  }
})

test('a signal that many exports share has one listener of theirs, and none after them', async () => {
  const server = await emulate({ members: 2, pageSize: 2 })
  const directory = temporaryDirectory()
  const { signal } = new AbortController()
  const warnings: Error[] = []
  const onWarning = (warning: Error): void => void warnings.push(warning)
  process.on('warning', onWarning)
  onTestFinished(() => void process.off('warning', onWarning))
  let most = 0
  const count = (): void => {
    most = Math.max(most, getEventListeners(signal, 'abort').length)
  }
  const request = { ...requestOf(server), signal, accountRequests: 0, tokenRequests: 0, onEvent: count }
  const kinds = [
    (n: number) => exportRecords({ ...request, out: join(directory, `${n}.ndjson.gz`) }),
    (n: number) => exportRecords({ ...request, out: join(directory, `${n}.csv`), transform: async (record) => record }),
    async () => {
      for await (const _ of records(request)) count()
    },
    async () => {
      for await (const _ of bodySource(Buffer.from('{"id":"1"}\n'), { isNdjson: true, signal })) count()
    },
    () => verifyExport(join(directory, 'first.ndjson'), { signal }).then(count),
  ]
  await exportRecords({ ...request, out: join(directory, 'first.ndjson') })
  await Promise.all(Array.from({ length: 200 }, (_, n) => kinds[n % kinds.length]!(n)))
  await new Promise(setImmediate)
  expect([most, getEventListeners(signal, 'abort').length, warnings]).toEqual([1, 0, []])
})
