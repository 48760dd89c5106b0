// Exports that are interrupted and gone on with, however and wherever: the bytes are those of an export that nothing has happened to.

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { decodeCheckpoint } from '../../src/checkpoint/checkpoint.js'
import { memoryCheckpoints } from '../../src/checkpoint/store.js'
import { fileDestination } from '../../src/destination/file.js'
import type { Emulator, EmulatorOptions } from '../../src/emulator/emulator.js'
import { ExportError } from '../../src/errors.js'
import { type ExportOptions, exportRecords } from '../../src/export.js'
import type { ExportEvent, ExportReport } from '../../src/report.js'
import { faultyFiles } from '../destination/faulty-files.js'
import { emulate, everythingIn, FaultClock, membersText, requestOf, temporaryDirectory, token } from './harness.js'

const isSoak = process.env['TRUTO_EXPORT_SOAK'] === '1'

/** Small pages of some records, in small chunks, and a commit every two or three records. */
const list = { members: 24, pageSize: 5, chunkBytes: 2000 } as const
const commitBytes = 7000

interface Shape {
  readonly file: string
  readonly options?: Partial<ExportOptions>
}

const shapes: readonly Shape[] = [
  { file: 'out.ndjson' },
  { file: 'out.json' },
  { file: 'out.csv' },
  { file: 'out.ndjson.gz' },
  { file: 'out.json.gz' },
  { file: 'out.csv.gz' },
  { file: 'keyed.ndjson', options: { keyBy: 'id', exclude: ['phones'] } },
  { file: 'keyed.json.gz', options: { keyBy: 'id', keyByDuplicate: 'keep' } },
  { file: 'mapped.ndjson', options: { transform: (record) => (String(record['id']).endsWith('3') ? null : record) } },
]

interface Attempt {
  readonly report: ExportReport | undefined
  readonly error: unknown
  readonly events: readonly ExportEvent[]
}

/** One list and one place, to which it is exported in any number of attempts. */
class Scene {
  readonly server: Emulator
  readonly clock: FaultClock
  readonly directory = temporaryDirectory()
  readonly path: string
  readonly #shape: Shape

  constructor(server: Emulator, clock: FaultClock, shape: Shape) {
    this.server = server
    this.clock = clock
    this.#shape = shape
    this.path = join(this.directory, shape.file)
  }

  static async open(shape: Shape, options: EmulatorOptions = {}): Promise<Scene> {
    const clock = new FaultClock()
    return new Scene(await emulate({ ...list, clock, ...options }), clock, shape)
  }

  /** The format and compression are those of the file's name also where a test gives the destination. */
  async attempt(options: Partial<ExportOptions> = {}): Promise<Attempt> {
    const events: ExportEvent[] = []
    const extension = /\.(ndjson|json|csv)/.exec(this.#shape.file)![1] as 'ndjson'
    try {
      const report = await exportRecords({
        ...requestOf(this.server),
        out: this.path,
        format: extension,
        compress: this.#shape.file.endsWith('.gz') ? 'gzip' : 'none',
        commitBytes,
        clock: this.clock,
        ...this.#shape.options,
        ...options,
        onEvent: (event) => {
          events.push(event)
          if (event.kind === 'wait') this.clock.announce(event.ms)
          options.onEvent?.(event)
        },
      })
      return { report, error: undefined, events }
    } catch (error) {
      if (error instanceof ExportError) expect(error.toLine()).not.toContain(token)
      return { report: undefined, error, events }
    }
  }

  get output(): Buffer {
    return readFileSync(this.path)
  }

  get files(): string[] {
    return readdirSync(this.directory).sort()
  }

  get checkpoint() {
    return decodeCheckpoint(readFileSync(`${this.path}.checkpoint`), 'it')
  }

  /** What is owed after the last attempt. */
  expectWhole({ report, error }: Attempt, whole: Whole): void {
    if (error !== undefined) throw error
    expect(this.output.equals(whole.bytes)).toBe(true)
    expect(this.files).toEqual([this.#shape.file])
    expect(report).toMatchObject({
      complete: true,
      records: whole.report.records,
      recordsRead: list.members,
      pages: whole.report.pages,
      outputBytes: whole.bytes.length,
      digest: { hex: createHash('sha256').update(whole.bytes).digest('hex') },
    })
  }
}

interface Whole {
  readonly bytes: Buffer
  readonly report: ExportReport
}

/** What an undisturbed export gives. */
async function wholeOf(shape: Shape, options: EmulatorOptions = {}): Promise<Whole> {
  const scene = await Scene.open(shape, options)
  const { report, error } = await scene.attempt()
  if (error !== undefined) throw error
  return { bytes: scene.output, report: report! }
}

test('how often a checkpoint is saved, and whether, is in no byte of a plain output', async () => {
  for (const file of ['out.ndjson', 'out.json', 'out.csv']) {
    const { bytes } = await wholeOf({ file })
    for (const options of [{ checkpoint: false }, { commitBytes: 1 << 26 }]) {
      expect((await wholeOf({ file, options })).bytes.equals(bytes)).toBe(true)
    }
  }
  expect((await wholeOf({ file: 'out.ndjson' })).bytes.toString()).toBe(membersText(list))
})

test('gzip has a member for each commit, at records that the data determines', async () => {
  const text = membersText(list)
  const { bytes } = await wholeOf({ file: 'out.ndjson.gz' })
  expect(gunzipSync(bytes).toString()).toBe(text)
  const members = bytes.toString('latin1').split('\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff').length - 1
  expect(members).toBeGreaterThan(text.length / 12_000)
  // neither pages, nor chunks, nor the wish for a checkpoint
  for (const options of [{ pageSize: 24 }, { pageSize: 1 }, { chunkBytes: 100 }]) {
    expect((await wholeOf({ file: 'out.ndjson.gz' }, options)).bytes.equals(bytes)).toBe(true)
  }
  expect((await wholeOf({ file: 'out.ndjson.gz', options: { checkpoint: false } })).bytes.equals(bytes)).toBe(true)
})

describe('the server refuses or fails, at every place of the list', () => {
  test.each(shapes)('to $file', async (shape) => {
    const whole = await wholeOf(shape)
    const scene = await Scene.open(shape)
    for (let page = 2; page <= 5; page++) {
      scene.server.reset()
      scene.server.setFaults([{ kind: 'status', status: 401, page }])
      const { error } = await scene.attempt()
      expect(error).toMatchObject({ code: 'ERR_UNAUTHORIZED', exitCode: 3, page })
      expect(existsSync(scene.path)).toBe(false)
      scene.server.setFaults([])
      scene.expectWhole(await scene.attempt(), whole)
      unlinkSync(scene.path)
    }
    for (let record = 0; record <= 4; record++) {
      scene.server.reset()
      // so that every attempt gets a little further, and comes to its end in a page's middle
      scene.server.setFaults([1, 2, 3, 4].map((page) => ({ kind: 'cut', at: { record }, page, transfer: 'length' })))
      let attempts = 0
      for (;;) {
        const attempt = await scene.attempt({ tries: 1 })
        attempts++
        if (attempt.error === undefined) {
          scene.expectWhole(attempt, whole)
          break
        }
        expect(attempt.error).toMatchObject({ exitCode: 5 })
        expect(attempts).toBeLessThan(10)
      }
      expect(attempts).toBe(5)
      unlinkSync(scene.path)
    }
  })
})

describe('a stop at every call of the file system', () => {
  test.each(shapes)('to $file', async (shape) => {
    const whole = await wholeOf(shape)
    const scene = await Scene.open(shape)
    for (let stopAt = 1; ; stopAt += isSoak ? 1 : 29) {
      const controller = new AbortController()
      const reason = new Error('stopped')
      let isReached = false
      const files = faultyFiles({
        maxWrite: 700,
        onCall: (count) => {
          if (count !== stopAt) return
          isReached = true
          controller.abort(reason)
        },
      })
      const stopped = await scene.attempt({
        destination: fileDestination(scene.path, { files }),
        signal: controller.signal,
      })
      if (stopped.error === undefined) {
        scene.expectWhole(stopped, whole)
        if (!isReached) break
      } else {
        expect(stopped.error).toBe(reason)
        expect(scene.files.filter((name) => name.endsWith('.lock') || name.endsWith('.tmp'))).toEqual([])
        scene.expectWhole(await scene.attempt(), whole)
      }
      unlinkSync(scene.path)
    }
  })
})

describe('the n-th call of the file system fails, for every n, and what is left is gone on with', () => {
  const faults: readonly [name: string, init: { code: string; isCrash?: boolean }][] = [
    ['ENOSPC', { code: 'ENOSPC' }],
    ['EIO', { code: 'EIO' }],
    ['all calls after it fail too, as after a kill', { code: 'EIO', isCrash: true }],
  ]
  for (const [name, init] of faults) {
    test.each(shapes)(`${name}: to $file`, async (shape) => {
      const whole = await wholeOf(shape)
      const scene = await Scene.open(shape)
      const stride = isSoak ? 1 : 23
      for (let failAt = 1; ; failAt += stride) {
        const files = faultyFiles({ ...init, failAt, maxWrite: 700 })
        const failed = await scene.attempt({ destination: fileDestination(scene.path, { files }) })
        if (files.hit === null) {
          scene.expectWhole(failed, whole)
          expect(failAt).toBeGreaterThan(60)
          break
        }
        if (failed.error !== undefined) expect(failed.error).toMatchObject({ exitCode: 7 })
        // never a part under the final name
        if (existsSync(scene.path)) expect(scene.output.equals(whole.bytes)).toBe(true)
        const isPublished = existsSync(scene.path)
        const hasCheckpoint = existsSync(`${scene.path}.checkpoint`)
        if (!isPublished || hasCheckpoint) scene.expectWhole(await scene.attempt(), whole)
        for (const left of scene.files) rmSync(join(scene.directory, left))
      }
    })
  }
})
