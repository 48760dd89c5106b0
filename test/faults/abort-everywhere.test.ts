// An abort at every turn that a call takes. Between any two of its awaits user code may run and abort: so the k-th
// continuation of a call, of promises, timers, sockets and files alike, aborts it, for k = 1, 2, 3… until a call ends
// untouched. Each time the call rejects with the reason or has come to its end, whole; no promise is left without
// somebody to take its error; the signal has no listener left.

import { AsyncResource, createHook, executionAsyncId } from 'node:async_hooks'
import { getEventListeners } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex, PassThrough, Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import {
  bodySource,
  destinationStream,
  type Emulator,
  type ExportOptions,
  encoderStream,
  excludeFields,
  exportRecords,
  fileDestination,
  inferSchema,
  type JsonRecord,
  memoryDestination,
  ndjsonEncoder,
  RecordBatch,
  records,
  startEmulator,
  stdoutDestination,
  trutoSource,
  verifyExport,
} from '../../src/index.js'
import { requestOf, token, usual } from './harness.js'

const isSoak = process.env['TRUTO_EXPORT_SOAK'] === '1'

/** Aborts in the k-th continuation of a promise that `act` led to. Says how many there were. */
async function struck<T>(k: number, controller: AbortController, reason: unknown, act: () => Promise<T>) {
  const own = new Set<number>()
  const promises = new Set<number>()
  let count = 0
  const hook = createHook({
    init(id, type) {
      if (!own.has(executionAsyncId())) return
      own.add(id)
      if (type === 'PROMISE') promises.add(id)
    },
    before(id) {
      // in a callback of a socket, Node is in the middle of reading
      if (promises.has(id) && ++count === k) controller.abort(reason)
    },
  })
  const root = new AsyncResource('struck')
  own.add(root.asyncId())
  hook.enable()
  try {
    const outcome = await root.runInAsyncScope(act).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )
    return { outcome, count }
  } finally {
    hook.disable()
  }
}

interface Shape {
  readonly name: string
  /** Runs the call to its end. Rejects with what it rejects with. */
  run(signal: AbortSignal, folder: string): Promise<unknown>
  /** Whether what the call was to make is there. */
  isThere?(folder: string): boolean
}

const ndjson = Buffer.from(Array.from({ length: 3 }, (_, n) => `{"id":"${n}","n":${n}}\n`).join(''))
const page = Buffer.from('{"result":[{"id":"0","n":0},{"id":"1","n":1},{"id":"2","n":2}],"next_cursor":null}')

let emulator: Emulator
let zipped: Emulator
/** Inputs of calls that read files. */
let kept: string
beforeAll(async () => {
  emulator = await startEmulator({ token, ...usual })
  zipped = await startEmulator({ token, ...usual, encoding: 'gzip' })
  kept = mkdtempSync(join(tmpdir(), 'truto-export-aborts-'))
  writeFileSync(join(kept, 'in.ndjson'), ndjson)
  await exportRecords({ ...http(), out: join(kept, 'out.csv.gz') })
  await exportRecords({ ...http(), out: join(kept, 'out'), format: 'csv', partRows: 2 })
})
afterAll(async () => {
  await emulator.close()
  await zipped.close()
  rmSync(kept, { recursive: true })
})

const http = (options: Partial<ExportOptions> = {}): ExportOptions => ({ ...requestOf(emulator), ...options })
const saved = (options: Partial<ExportOptions> = {}) => ({ input: ndjson, inputFormat: 'ndjson' as const, ...options })
const same = (record: JsonRecord): JsonRecord => record
const later = async (record: JsonRecord): Promise<JsonRecord> => {
  await setImmediate()
  return record
}
const passing = (): Transform => new PassThrough({ objectMode: true })

async function all(steps: AsyncIterable<unknown>): Promise<unknown[]> {
  const seen: unknown[] = []
  for await (const step of steps) seen.push(step instanceof RecordBatch ? [...step.records()] : step)
  return seen
}

const read = (name: string, options: () => ExportOptions & { fields?: string[] }): Shape => ({
  name: `records() of ${name}`,
  run: (signal) => all(records<JsonRecord>({ ...options(), signal })),
})
const toFile = (name: string, file: string, options: () => Partial<ExportOptions>): Shape => ({
  name: `exportRecords() ${name}`,
  run: (signal, folder) => exportRecords({ ...options(), out: join(folder, file), signal } as ExportOptions),
  isThere: (folder) => existsSync(join(folder, file)),
})

/** Chunks that come one by one, the last with the end. */
async function* trickle(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < ndjson.length; at += 16) {
    await setImmediate()
    yield ndjson.subarray(at, at + 16)
  }
}

const shapes: Shape[] = [
  read('bytes', () => saved()),
  read('a page', () => ({ input: page })),
  read('bytes with fields', () => saved({ fields: ['id'] } as object)),
  read('bytes with a function', () => saved({ transform: same })),
  read('bytes with a function that waits', () => saved({ transform: later })),
  read('bytes with a Transform', () => saved({ transform: passing() })),
  read('bytes with a Transform of ours', () => saved({ transform: excludeFields(['n']) })),
  read('bytes with a generator as Duplex', () =>
    saved({
      transform: Duplex.from(async function* (batches: AsyncIterable<unknown>) {
        yield* batches
      }),
    }),
  ),
  read('bytes with key-by and a function', () => saved({ keyBy: 'id', keyByDuplicate: 'error', transform: later })),
  read('a generator', () => saved({ input: trickle() })),
  read('a Readable', () => saved({ input: Readable.from(trickle()) })),
  read('a Web stream', () => saved({ input: Readable.toWeb(Readable.from(trickle())) as ReadableStream<Uint8Array> })),
  read('a list over HTTP', () => http()),
  read('a list over HTTP, compressed', () => ({ ...requestOf(zipped) })),
  read('a list over HTTP with fields and a function', () => http({ fields: ['id'], transform: later } as object)),
  read('a list over HTTP with a Transform', () => http({ transform: passing() })),
  toFile('to NDJSON', 'out.ndjson', () => http()),
  toFile('to NDJSON with a function', 'out.ndjson', () => http({ transform: same })),
  toFile('of a compressed body with a function that waits', 'out.ndjson', () => ({
    ...requestOf(zipped),
    transform: later,
  })),
  toFile('with a Transform', 'out.ndjson', () => http({ transform: passing() })),
  toFile('to JSON by key', 'out.json', () => http({ keyBy: 'id' })),
  toFile('to CSV under gzip', 'out.csv.gz', () => http({ commitBytes: 4096 })),
  toFile('to Parquet', 'out.parquet', () => http({ parquetCompression: 'gzip', rowGroupRows: 2 })),
  toFile('to parts', 'out', () => http({ format: 'csv', partRows: 2 })),
  toFile('of bytes', 'out.ndjson', () => saved({ input: trickle() })),
  {
    name: 'exportRecords() to memory',
    run: async (signal) => {
      const destination = memoryDestination()
      await exportRecords({ ...http(), destination, signal }).finally(() => {
        isCommitted = destination.isCommitted
      })
    },
    isThere: () => isCommitted,
  },
  {
    name: 'exportRecords() to memory under gzip',
    run: async (signal) => {
      const destination = memoryDestination()
      await exportRecords({ ...http({ transform: later }), compress: 'gzip', destination, signal }).finally(() => {
        isCommitted = destination.isCommitted
      })
    },
    isThere: () => isCommitted,
  },
  {
    name: 'exportRecords() to a stream',
    run: (signal) => {
      const stream = new PassThrough()
      stream.resume()
      return exportRecords({ ...http(), destination: stdoutDestination(stream), signal })
    },
  },
  {
    name: 'trutoSource() in a pipeline',
    run: (signal, folder) =>
      pipeline(
        trutoSource({ ...http(), signal }),
        excludeFields(['remote_data']),
        encoderStream(ndjsonEncoder()),
        destinationStream(fileDestination(join(folder, 'out.ndjson'))),
      ),
    isThere: (folder) => existsSync(join(folder, 'out.ndjson')),
  },
  { name: 'trutoSource()', run: (signal) => all(trutoSource({ ...http(), signal })) },
  { name: 'bodySource() of a generator', run: (signal) => all(bodySource(trickle(), { isNdjson: true, signal })) },
  {
    name: 'bodySource() of a file',
    run: (signal) => all(bodySource(join(kept, 'in.ndjson'), { signal }).read()),
  },
  { name: 'inferSchema()', run: (signal) => inferSchema(bodySource(trickle(), { isNdjson: true, signal })) },
  {
    name: 'inferSchema() of a sample',
    run: (signal) => inferSchema(trutoSource({ ...http(), signal }), { sampleRecords: 2 }),
  },
  { name: 'verifyExport()', run: (signal) => verifyExport(join(kept, 'out.csv.gz'), { signal }) },
  { name: 'verifyExport() of parts', run: (signal) => verifyExport(join(kept, 'out'), { signal }) },
]
let isCommitted = false

const dropped: unknown[] = []
const onDropped = (error: unknown): void => void dropped.push(error)

test.each(shapes)('$name: an abort at any turn ends it with the reason', async ({ run, isThere }) => {
  dropped.length = 0
  process.on('unhandledRejection', onDropped)
  onTestFinished(() => void process.off('unhandledRejection', onDropped))
  const folder = mkdtempSync(join(tmpdir(), 'truto-export-aborts-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  let stopped = 0
  for (let k = 1; ; k = next(k)) {
    const controller = new AbortController()
    const { signal } = controller
    const reason = new Error(`stopped at ${k}`)
    // what a pipeline gave up is removed after its promise has settled
    const place = join(folder, String(k))
    mkdirSync(place)
    const { outcome, count } = await struck(k, controller, reason, () => run(signal, place))
    await setImmediate()
    expect([k, dropped]).toEqual([k, []])
    if ('error' in outcome) expect(outcome.error).toBe(reason)
    if (isThere !== undefined) expect([k, isThere(place)]).toEqual([k, 'value' in outcome])
    expect([k, getEventListeners(signal, 'abort')]).toEqual([k, []])
    if ('error' in outcome) stopped++
    if (count < k) {
      expect(outcome).toHaveProperty('value')
      break
    }
  }
  expect(stopped).toBeGreaterThan(5)
})

/** One after the other; in the short form some of those that come late, which an export to a file alone has. */
function next(k: number): number {
  return isSoak || k < 128 ? k + 1 : k + (k >> 4)
}
