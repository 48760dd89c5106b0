// Exports that are interrupted and gone on with, however and wherever: the bytes are those of an export that nothing
// has happened to.

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parquetMetadata } from 'hyparquet'
import { describe, expect, test } from 'vitest'
import { decodeCheckpoint } from '../../src/checkpoint/checkpoint.js'
import type { Manifest } from '../../src/checkpoint/manifest.js'
import { memoryCheckpoints } from '../../src/checkpoint/store.js'
import type { Destination } from '../../src/destination/destination.js'
import { directoryDestination } from '../../src/destination/directory.js'
import { fileDestination } from '../../src/destination/file.js'
import type { Emulator, EmulatorOptions } from '../../src/emulator/emulator.js'
import { ExportError } from '../../src/errors.js'
import { type ExportOptions, exportRecords } from '../../src/export/export.js'
import type { FileSystem } from '../../src/files/file-system.js'
import { sideNames } from '../../src/files/side-names.js'
import type { ExportEvent, ExportReport } from '../../src/report.js'
import { faultyFiles } from '../destination/faulty-files.js'
import { onlyMember } from '../helpers/gzip.js'
import { expectManifest, expectNoLie, readManifest, writeManifest } from '../helpers/manifest.js'
import { emulate, FaultClock, membersText, requestOf, temporaryDirectory, token } from './harness.js'

const isSoak = process.env['TRUTO_EXPORT_SOAK'] === '1'

/** Small pages of some records, in small chunks, and a commit every two or three records. */
const list = { members: 24, pageSize: 5, chunkBytes: 2000 } as const
const commitBytes = 7000

interface Shape {
  readonly file: string
  readonly options?: Partial<ExportOptions>
}

const allShapes: readonly Shape[] = [
  { file: 'out.ndjson' },
  { file: 'out.json' },
  { file: 'out.csv' },
  { file: 'out.ndjson.gz' },
  { file: 'out.json.gz' },
  { file: 'out.csv.gz' },
  { file: 'keyed.ndjson', options: { keyBy: 'id', exclude: ['phones'] } },
  { file: 'keyed.json.gz', options: { keyBy: 'id', keyByDuplicate: 'keep' } },
  { file: 'parts.ndjson', options: { partRows: 7 } },
  { file: 'parts.csv', options: { partRows: 10, partBytes: 9000 } },
  { file: 'parts.json.gz', options: { partRows: 9 } },
  { file: 'out.parquet', options: { rowGroupRows: 3 } },
  { file: 'keyed.parquet', options: { rowGroupRows: 4, keyBy: 'id', exclude: ['phones'], parquetCompression: 'gzip' } },
  { file: 'parts.parquet', options: { partRows: 7, rowGroupRows: 3 } },
  { file: 'mapped.ndjson', options: { transform: (record) => (String(record['id']).endsWith('3') ? null : record) } },
]

const named = (...files: readonly string[]): readonly Shape[] => allShapes.filter(({ file }) => files.includes(file))
/** By default one of each way to go on; the long run has all of them. */
const shapes = isSoak
  ? allShapes
  : named('out.ndjson', 'out.json', 'out.csv.gz', 'keyed.ndjson', 'parts.csv', 'out.parquet', 'mapped.ndjson')
/** Those that are swept through every call of the file system. */
const swept = isSoak ? allShapes : named('parts.csv', 'out.parquet')

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
    const extension = /\.(ndjson|json|csv|parquet)/.exec(this.#shape.file)![1] as 'ndjson'
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

  /** The files of the output: one, or the parts of a directory. */
  get outputFiles(): Array<[path: string, bytes: Buffer]> {
    const paths = statSync(this.path).isDirectory() ? readdirSync(this.path).sort() : ['']
    return paths.map((name) => [name, readFileSync(join(this.path, name))])
  }

  get output(): Buffer {
    return Buffer.concat(this.outputFiles.map(([, bytes]) => bytes))
  }

  /** The place over another file system. */
  placeOver(files: FileSystem, overwrite = false): Destination {
    if (this.#shape.options?.partRows === undefined) return fileDestination(this.path, { files, overwrite })
    const extension = this.#shape.file.slice(this.#shape.file.indexOf('.'))
    return directoryDestination(this.path, { files, overwrite, extension })
  }

  get files(): string[] {
    return readdirSync(this.directory).sort()
  }

  get checkpoint() {
    return decodeCheckpoint(readFileSync(sideNames(this.path).checkpoint), 'it')
  }

  /** What is owed after the last attempt. */
  expectWhole({ report, error }: Attempt, whole: Whole): void {
    if (error !== undefined) throw error
    expect(this.output.equals(whole.bytes)).toBe(true)
    expect(this.outputFiles.map(([path]) => path)).toEqual(whole.files.map(([path]) => path))
    expect(this.files).toEqual([sideNames(this.#shape.file).manifest, this.#shape.file])
    this.#expectManifest(report!, whole.manifest)
    expect(report).toMatchObject({
      complete: true,
      records: whole.report.records,
      recordsRead: list.members,
      pages: whole.report.pages,
      outputBytes: whole.bytes.length,
      digest: { hex: createHash('sha256').update(whole.bytes).digest('hex') },
    })
  }

  /** Nothing in it but what tells of the run, and where the server was, depends on what happened. */
  #expectManifest(report: ExportReport, undisturbed: Manifest): void {
    expectManifest(this.path, report)
    const { run: _, ...manifest } = readManifest(this.path)
    const { run: __, ...expected } = undisturbed
    const { apiUrl } = manifest.source
    expect(manifest).toEqual({ ...expected, source: { ...expected.source, apiUrl }, fingerprint: manifest.fingerprint })
  }
}

interface Whole {
  readonly bytes: Buffer
  readonly files: Scene['outputFiles']
  readonly manifest: Manifest
  readonly report: ExportReport
}

/** What an undisturbed export gives; with `server` one of that server, whose address a Parquet file names. */
async function wholeOf(shape: Shape, options: EmulatorOptions = {}, server?: Emulator): Promise<Whole> {
  const scene = server ? new Scene(server, new FaultClock(), shape) : await Scene.open(shape, options)
  const { report, error } = await scene.attempt()
  if (error !== undefined) throw error
  const { path, output, outputFiles } = scene
  return { bytes: output, files: outputFiles, manifest: readManifest(path), report: report! }
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

test('gzip is one member, flushed for each commit at records that the data determines', async () => {
  const text = membersText(list)
  const { bytes } = await wholeOf({ file: 'out.ndjson.gz' })
  expect(onlyMember(bytes).toString()).toBe(text)
  // an empty stored block, to a whole byte
  const flushes = bytes.toString('latin1').split('\x00\x00\xff\xff').length - 1
  expect(flushes).toBeGreaterThan(text.length / 12_000)
  // neither pages, nor chunks, nor the wish for a checkpoint
  for (const options of [{ pageSize: 24 }, { pageSize: 1 }, { chunkBytes: 100 }]) {
    expect((await wholeOf({ file: 'out.ndjson.gz' }, options)).bytes.equals(bytes)).toBe(true)
  }
  expect((await wholeOf({ file: 'out.ndjson.gz', options: { checkpoint: false } })).bytes.equals(bytes)).toBe(true)
})

describe('the server refuses or fails, at every place of the list', () => {
  test.each(shapes)('to $file', async (shape) => {
    const scene = await Scene.open(shape)
    const whole = await wholeOf(shape, {}, scene.server)
    for (let page = 2; page <= 5; page++) {
      scene.server.reset()
      scene.server.setFaults([{ kind: 'status', status: 401, page }])
      const { error } = await scene.attempt()
      expect(error).toMatchObject({ code: 'ERR_UNAUTHORIZED', exitCode: 3, page })
      expect(existsSync(scene.path)).toBe(false)
      scene.server.setFaults([])
      scene.expectWhole(await scene.attempt(), whole)
      rmSync(scene.path, { recursive: true })
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
      rmSync(scene.path, { recursive: true })
    }
  })
})

describe('a stop at every call of the file system', () => {
  test.each(swept)('to $file', async (shape) => {
    const scene = await Scene.open(shape)
    const whole = await wholeOf(shape, {}, scene.server)
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
        destination: scene.placeOver(files),
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
      rmSync(scene.path, { recursive: true })
    }
  })
})

describe('the n-th call of the file system fails, for every n, and what is left is gone on with', () => {
  const kinds: readonly [name: string, init: { code: string; isCrash?: boolean }][] = [
    ['ENOSPC', { code: 'ENOSPC' }],
    ['EIO', { code: 'EIO' }],
    ['all calls after it fail too, as after a kill', { code: 'EIO', isCrash: true }],
    ['EDQUOT', { code: 'EDQUOT' }],
  ]
  const faults = isSoak ? kinds : kinds.slice(0, 3)
  for (const [name, init] of faults) {
    test.each(swept)(`${name}: to $file`, async (shape) => {
      const scene = await Scene.open(shape)
      const whole = await wholeOf(shape, {}, scene.server)
      const stride = isSoak ? 1 : 23
      for (let failAt = 1; ; failAt += stride) {
        const files = faultyFiles({ ...init, failAt, maxWrite: 700 })
        const failed = await scene.attempt({ destination: scene.placeOver(files) })
        if (files.hit === null) {
          scene.expectWhole(failed, whole)
          expect(failAt).toBeGreaterThan(60)
          break
        }
        if (failed.error !== undefined) expect(failed.error).toMatchObject({ exitCode: 7 })
        // never a part under the final name
        if (existsSync(scene.path)) expect(scene.output.equals(whole.bytes)).toBe(true)
        expectNoLie(scene.path)
        const isPublished = existsSync(scene.path)
        const hasCheckpoint = existsSync(sideNames(scene.path).checkpoint)
        if (!isPublished || hasCheckpoint) scene.expectWhole(await scene.attempt(), whole)
        for (const left of scene.files) rmSync(join(scene.directory, left), { recursive: true })
      }
    })
  }
})

/** An export that ended in the middle of page 3, and what is left of it. */
async function interruptedScene(shape: Shape = { file: 'out.ndjson' }): Promise<Scene> {
  const scene = await Scene.open(shape)
  scene.server.setFaults([{ kind: 'cut', at: { record: 3 }, page: 3, transfer: 'length' }])
  const { error } = await scene.attempt({ tries: 1 })
  expect(error).toMatchObject({ exitCode: 5 })
  expect((error as ExportError).toLine()).toMatch(
    /\d+ records are kept in .*\.partial, the same command goes on from there/,
  )
  expect(scene.files).toEqual([sideNames(shape.file).checkpoint, sideNames(shape.file).partial])
  scene.server.setFaults([])
  return scene
}

describe('what is left of an interrupted export', () => {
  test('holds all whole records, is private, and has no token', async () => {
    const scene = await interruptedScene()
    const partial = readFileSync(sideNames(scene.path).partial)
    const { state, pageStart } = scene.checkpoint
    expect(partial.toString()).toBe(membersText(list, 0, 13))
    expect(state).toMatchObject({ records: 13, bytes: partial.length, source: { page: 3, taken: { records: 3 } } })
    expect(pageStart).toMatchObject({ records: 10, bytes: Buffer.byteLength(membersText(list, 0, 10)) })
    expect(statSync(sideNames(scene.path).checkpoint).mode & 0o777).toBe(0o600)
    expect(readFileSync(sideNames(scene.path).checkpoint, 'utf8')).not.toContain(token)
  })

  test('is gone on with behind what was written: nothing before it is asked for or written again', async () => {
    const scene = await interruptedScene()
    const whole = await wholeOf({ file: 'out.ndjson' })
    const requests = scene.server.requests
    const files = faultyFiles({})
    const attempt = await scene.attempt({ destination: scene.placeOver(files) })
    scene.expectWhole(attempt, whole)
    expect(scene.server.requests - requests).toBe(3)
    expect(attempt.events.find(({ kind }) => kind === 'resume')).toMatchObject({ page: 3, records: 13 })
    expect(attempt.report).toMatchObject({ resumedFrom: { page: 3, records: 13 }, requests: requests + 3 })
    expect(whole.report.resumedFrom).toBeNull()
  })

  test('is gone on with by another token, and by other limits and deadlines', async () => {
    const scene = await interruptedScene()
    const others = { tries: 3, maxRecords: 1000, digest: 'none', headTimeoutMs: 5000, commitBytes: 1 << 20 } as const
    const attempt = await scene.attempt({ ...others, parser: 'js' })
    expect(attempt.error).toBeUndefined()
    expect(scene.output.toString()).toBe(membersText(list))
    expect(attempt.report!.digest).toBeNull()
  })

  test.each([false, true])('goes on without a digest, and with one that is wanted only now: %s', async (isLater) => {
    const scene = await Scene.open({ file: 'out.ndjson' })
    scene.server.setFaults([{ kind: 'status', status: 401, page: 3 }])
    await scene.attempt({ digest: 'none' })
    scene.server.setFaults([])
    expect(scene.checkpoint.kept).toMatchObject({ sha256: null })
    const { report } = await scene.attempt({ digest: isLater ? 'sha256' : 'none' })
    expect(scene.output.toString()).toBe(membersText(list))
    const hex = createHash('sha256').update(scene.output).digest('hex')
    expect(report!.digest).toEqual(isLater ? { algorithm: 'sha256', hex } : null)
  })

  const others: [name: string, options: Partial<ExportOptions>, differing: string][] = [
    ['another page size', { limit: 3 }, '--limit'],
    ['another channel', { channel: 'C2' }, '--channel'],
    ['another account', { account: 'other' }, '--account'],
    ['another server', { apiUrl: 'http://127.0.0.1:9' }, '--api-url'],
    ['another format', { format: 'csv' }, '--output'],
    ['another compression', { compress: 'gzip' }, '--compress, --commit-bytes'],
    ['another exclusion', { exclude: ['phones'] }, '--exclude'],
    ['a key', { keyBy: 'id' }, '--key-by'],
    ['a transform', { transform: (record) => record }, 'the transform'],
    ['a parser that prints records anew', { parser: 'stream-json' }, '--parser'],
    ['a query', { query: { a: 1 } }, '--query'],
    ['no wish for a checkpoint', { checkpoint: false }, ''],
    ['a format that cannot be gone on with', { format: 'parquet', parquetWriter: 'parquetjs-lite' }, '--output'],
  ]
  test.each(others)('is not that of an export with %s', async (_, options, differing) => {
    const scene = await interruptedScene()
    const before = [readFileSync(sideNames(scene.path).partial), readFileSync(sideNames(scene.path).checkpoint)]
    const requests = scene.server.requests
    const { error } = await scene.attempt(options)
    expect(error).toMatchObject({ code: 'ERR_STATE_MISMATCH', exitCode: 8 })
    expect((error as ExportError).toLine()).toContain('--restart')
    const named = / is that of [^;]*(?:; what differs: ([^;]*))?$/.exec((error as ExportError).message)!
    expect(named[1] ?? '').toBe(differing)
    expect(scene.server.requests).toBe(requests)
    expect([readFileSync(sideNames(scene.path).partial), readFileSync(sideNames(scene.path).checkpoint)]).toEqual(
      before,
    )
    expect(scene.files).toEqual(['_out.ndjson.checkpoint', '_out.ndjson.partial'])
  })

  test('is dropped by --restart, also where it is of another export', async () => {
    const scene = await interruptedScene()
    const requests = scene.server.requests
    const { report } = await scene.attempt({ restart: true, exclude: ['name'] })
    expect(report!.resumedFrom).toBeNull()
    expect(scene.server.requests - requests).toBe(5)
    expect(scene.files).toEqual(['_out.ndjson.manifest.json', 'out.ndjson'])
  })

  test('is wanted by --resume, which has nothing to do without it', async () => {
    const scene = await interruptedScene()
    scene.expectWhole(await scene.attempt({ resume: true }), await wholeOf({ file: 'out.ndjson' }))
    for (const name of scene.files) rmSync(join(scene.directory, name), { recursive: true })
    const { error } = await scene.attempt({ resume: true })
    expect(error).toMatchObject({ code: 'ERR_STATE_MISSING', exitCode: 8 })
    const impossible = await scene.attempt({ resume: true, format: 'parquet', parquetWriter: 'parquetjs-lite' })
    expect(impossible.error).toMatchObject({ code: 'ERR_OPTION_INVALID', exitCode: 2 })
    const both = await scene.attempt({ resume: true, restart: true })
    expect(both.error).toMatchObject({ code: 'ERR_OPTION_INVALID', exitCode: 2 })
    expect(scene.files).toEqual([])
  })

  const damages: [name: string, code: string, damage: (path: string) => void][] = [
    ['an empty checkpoint', 'ERR_STATE_CORRUPT', (path) => writeFileSync(sideNames(path).checkpoint, '')],
    [
      'a checkpoint that is cut',
      'ERR_STATE_CORRUPT',
      (path) => writeFileSync(sideNames(path).checkpoint, readFileSync(sideNames(path).checkpoint).subarray(0, 100)),
    ],
    ['no partial file', 'ERR_STATE_OUTPUT', (path) => unlinkSync(sideNames(path).partial)],
    [
      'a partial file that is shorter',
      'ERR_STATE_OUTPUT',
      (path) => writeFileSync(sideNames(path).partial, readFileSync(sideNames(path).partial).subarray(0, -1)),
    ],
    [
      'a partial file with another byte at its start',
      'ERR_STATE_OUTPUT',
      (path) => writeFileSync(sideNames(path).partial, readFileSync(sideNames(path).partial).fill('x', 0, 1)),
    ],
    [
      'a partial file with another byte at its end',
      'ERR_STATE_OUTPUT',
      (path) =>
        writeFileSync(sideNames(path).partial, `${readFileSync(sideNames(path).partial, 'utf8').slice(0, -3)}]}\n`),
    ],
  ]
  test.each(damages)('is refused with %s, and nothing is touched or asked for', async (_, code, damage) => {
    const scene = await interruptedScene()
    damage(scene.path)
    const requests = scene.server.requests
    const before = scene.files.map((name) => readFileSync(join(scene.directory, name)).toString())
    const { error } = await scene.attempt()
    expect(error).toMatchObject({ code, exitCode: 8 })
    expect((error as ExportError).toLine()).toContain('--restart')
    expect(scene.server.requests).toBe(requests)
    expect(scene.files.map((name) => readFileSync(join(scene.directory, name)).toString())).toEqual(before)
    scene.expectWhole(await scene.attempt({ restart: true }), await wholeOf({ file: 'out.ndjson' }))
  })

  test('may have more bytes than the checkpoint tells of: they are cut off', async () => {
    const scene = await interruptedScene()
    writeFileSync(sideNames(scene.path).partial, 'a torn rec', { flag: 'a' })
    scene.expectWhole(await scene.attempt(), await wholeOf({ file: 'out.ndjson' }))
  })

  test('is nothing, where no record was written or no checkpoint is wanted', async () => {
    const scene = await Scene.open({ file: 'out.ndjson' })
    scene.server.setFaults([{ kind: 'status', status: 403, page: 1 }])
    await scene.attempt()
    expect(scene.files).toEqual([])
    scene.server.setFaults([{ kind: 'status', status: 403, page: 4 }])
    const { error } = await scene.attempt({ checkpoint: false })
    expect([error instanceof ExportError && error.left, scene.files]).toEqual([
      'the partial file was removed, nothing was published',
      [],
    ])
  })

  test('can have its checkpoint in another store', async () => {
    const scene = await Scene.open({ file: 'out.ndjson' })
    const checkpoints = memoryCheckpoints()
    scene.server.setFaults([{ kind: 'status', status: 401, page: 4 }])
    await scene.attempt({ checkpoints })
    expect(scene.files).toEqual(['_out.ndjson.partial'])
    expect(checkpoints.bytes).not.toBeNull()
    scene.server.setFaults([])
    scene.expectWhole(await scene.attempt({ checkpoints }), await wholeOf({ file: 'out.ndjson' }))
    expect(checkpoints.bytes).toBeNull()
    // what was saved never tells of fewer records than what was saved before
    const counts = checkpoints.saved.map((bytes) => decodeCheckpoint(bytes, 'x').state.records)
    expect(counts).toEqual([...counts].sort((a, b) => a - b))
    expect(counts.length).toBeGreaterThan(3)
  })
})

test('an output whose export died just before or after it got its name is complete the next time, without a request, or replaced by a new one', async () => {
  for (const overwrite of [false, true]) {
    const scene = await Scene.open({ file: 'out.ndjson' })
    const whole = await wholeOf({ file: 'out.ndjson' })
    let seen = 0
    // it is at the end that an output gets its name: by default only the last calls are swept
    const undisturbed = faultyFiles({})
    await scene.attempt({ destination: scene.placeOver(undisturbed, false) })
    for (const left of scene.files) rmSync(join(scene.directory, left), { recursive: true })
    const first = isSoak ? 1 : undisturbed.calls.length - 28
    const states = new Set<string>()
    for (let failAt = first; ; failAt++) {
      if (overwrite) {
        writeFileSync(scene.path, 'old')
        writeManifest(scene.path)
      }
      const files = faultyFiles({ failAt, isCrash: true })
      await scene.attempt({ destination: scene.placeOver(files, overwrite), overwrite })
      if (files.hit === null) break
      if (!files.calls.includes('rename')) continue
      states.add(`${existsSync(scene.path) ? scene.output.length : 0} ${expectNoLie(scene.path)}`)
      const isDone = existsSync(sideNames(scene.path).checkpoint) && scene.checkpoint.report !== null
      if (isDone) {
        seen++
        const requests = scene.server.requests
        const attempt = await scene.attempt({ overwrite })
        // whoever asks to replace what is there gets a new export, and is told that there was another
        expect(scene.server.requests - requests).toBe(overwrite ? 5 : 0)
        const [finished] = attempt.events
        expect(finished).toMatchObject({ kind: 'finish', records: list.members, isReplaced: overwrite })
        expect(attempt.report!.resumedFrom).toBeNull()
        scene.expectWhole(attempt, whole)
      }
      for (const left of scene.files) rmSync(join(scene.directory, left), { recursive: true })
    }
    expect(seen).toBeGreaterThan(overwrite ? 13 : 11)
    // not yet, without what told of the old one, with the new name alone, and with all of it
    const size = whole.bytes.length
    const before = overwrite ? ['3 true', '3 false'] : ['0 false']
    expect([...states]).toEqual([...before, `${size} false`, `${size} true`])
  }
})

describe('a page that has changed when it is read again', () => {
  /** The page fails in its middle, and is another one from its second request on. */
  const changes: EmulatorOptions['faults'] = [
    { kind: 'cut', at: { record: 3 }, page: 2, transfer: 'length' },
    ...[2, 3, 4].map((attempt) => ({ kind: 'shift', by: 1, page: 2, attempt }) as const),
  ]
  const shifted = (options: EmulatorOptions): string =>
    membersText(options, 0, 5) + membersText(options, 6, 11) + membersText(options, 10, list.members)

  test('is begun anew in a plain file, in the same run and in a later one', async () => {
    for (const tries of [6, 1]) {
      const scene = await Scene.open({ file: 'out.ndjson' })
      scene.server.setFaults(changes)
      let attempt = await scene.attempt({ tries })
      if (tries === 1) {
        expect(attempt.error).toMatchObject({ code: 'ERR_BODY_TRUNCATED' })
        attempt = await scene.attempt({ tries })
      }
      expect(attempt.error).toBeUndefined()
      expect(attempt.events.find(({ kind }) => kind === 'rewind')).toMatchObject({ page: 2, records: 5 })
      expect(scene.output.toString()).toBe(shifted(list))
      const hex = createHash('sha256').update(scene.output).digest('hex')
      expect(attempt.report).toMatchObject({ records: 24, digest: { hex }, requests: scene.server.requests })
      expect(scene.files).toEqual(['_out.ndjson.manifest.json', 'out.ndjson'])
    }
  })

  test.each(['out.json', 'out.csv'])('is begun anew in %s', async (file) => {
    const scene = await Scene.open({ file })
    scene.server.setFaults(changes)
    const { error } = await scene.attempt()
    expect(error).toBeUndefined()
    const undisturbed = await Scene.open({ file })
    undisturbed.server.setFaults([{ kind: 'shift', by: 1, page: 2 }])
    await undisturbed.attempt()
    expect(scene.output.equals(undisturbed.output)).toBe(true)
  })

  test.each(['out.ndjson.gz', 'out.json.gz'])('ends an export to %s, whose checkpoint stays', async (file) => {
    const scene = await Scene.open({ file })
    scene.server.setFaults(changes)
    const { error } = await scene.attempt()
    expect(error).toMatchObject({ code: 'ERR_PAGE_CHANGED', exitCode: 6, page: 2 })
    expect((error as ExportError).toLine()).toMatch(/records are kept in [^,]*partial; --restart begins anew/)
    expect(scene.files).toEqual([sideNames(file).checkpoint, sideNames(file).partial])
    scene.server.setFaults([])
    // the page is what it was again
    scene.expectWhole(await scene.attempt(), await wholeOf({ file }))
  })

  test('ends an export that has no checkpoint, or nothing but a stream', async () => {
    const scene = await Scene.open({ file: 'out.ndjson' })
    const written: string[] = []
    const destination = {
      name: 'stream',
      open: async () => ({
        bytesWritten: 0,
        left: '',
        write: async (bytes: Uint8Array) => void written.push(Buffer.from(bytes).toString()),
        commit: async () => {},
        abort: async () => {},
      }),
    }
    scene.server.setFaults(changes)
    const { error } = await scene.attempt({ destination })
    expect(error).toMatchObject({ code: 'ERR_PAGE_CHANGED', exitCode: 6, page: 2 })
    expect(written.join('')).toBe(membersText(list, 0, 8))
  })

  test('every time is not begun anew for ever', async () => {
    const scene = await Scene.open({ file: 'out.ndjson' })
    const faults: NonNullable<EmulatorOptions['faults']>[number][] = []
    for (let attempt = 1; attempt < 40; attempt++) {
      faults.push({ kind: 'shift', by: attempt % 3, page: 2, attempt })
      faults.push({ kind: 'cut', at: { record: 3 }, page: 2, transfer: 'length', attempt })
    }
    scene.server.setFaults(faults)
    const { error, events } = await scene.attempt()
    expect(error).toMatchObject({ code: 'ERR_PAGE_CHANGED', exitCode: 6 })
    expect(events.filter(({ kind }) => kind === 'rewind')).toHaveLength(3)
  })
})

test('one page that is the whole list is gone on with in its middle, and no byte of it is written twice', async () => {
  const options = { members: 2000, pageSize: 2000, chunkBytes: 20_000 }
  for (const file of ['out.ndjson', 'out.ndjson.gz']) {
    const scene = await Scene.open({ file }, options)
    const whole = await wholeOf({ file }, options)
    scene.server.setFaults([{ kind: 'cut', at: { record: 1800 }, transfer: 'length' }])
    expect((await scene.attempt({ tries: 1, commitBytes: 100_000 })).error).toMatchObject({ exitCode: 5 })
    const { state } = scene.checkpoint
    expect(state.source).toMatchObject({ page: 1, cursor: null })
    expect(state.source.taken.records).toBeGreaterThan(1700)
    let written = 0
    const files = faultyFiles({})
    const counted = {
      ...files,
      async open(...given: Parameters<typeof files.open>) {
        const open = await files.open(...given)
        const isPartial = given[0].endsWith('.partial')
        return {
          ...open,
          async write(bytes: Uint8Array, offset: number, length: number) {
            if (isPartial) written += length
            return open.write(bytes, offset, length)
          },
        }
      },
    }
    const { error } = await scene.attempt({
      commitBytes: 100_000,
      destination: scene.placeOver(counted),
    })
    expect(error).toBeUndefined()
    expect(written).toBe(scene.output.length - state.bytes)
    const text = file.endsWith('.gz') ? gunzipSync(scene.output) : scene.output
    expect(text.toString()).toBe(membersText(options))
    expect(whole.report.records).toBe(2000)
  }
})

describe('Parquet', () => {
  const shape = { file: 'out.parquet', options: { rowGroupRows: 4 } } as const

  test('row groups end where the records say, whatever pages, chunks and commits there are', async () => {
    const scene = await Scene.open(shape)
    const { bytes } = await wholeOf(shape, {}, scene.server)
    expect(rowGroupsOf(bytes)).toEqual([4, 4, 4, 4, 4, 4])
    for (const options of [{ limit: 24 }, { limit: 1 }, { checkpoint: false }, { commitBytes: 1 << 26 }] as const) {
      const { report } = await scene.attempt(options)
      expect(rowGroupsOf(scene.output)).toEqual([4, 4, 4, 4, 4, 4])
      // another page size is another export, as its footer says
      if (!('limit' in options)) expect(scene.output.equals(bytes)).toBe(true)
      expect(report).toMatchObject({ complete: true, records: 24 })
      rmSync(scene.path, { recursive: true })
    }
  })

  test('is gone on with behind the last whole row group, which the checkpoint holds the metadata of', async () => {
    const scene = await Scene.open(shape)
    const whole = await wholeOf(shape, {}, scene.server)
    scene.server.setFaults([{ kind: 'cut', at: { record: 4 }, page: 3, transfer: 'length' }])
    const { error } = await scene.attempt({ tries: 1 })
    expect(error).toMatchObject({ exitCode: 5 })
    expect((error as ExportError).left).toMatch(/12 records are kept in /)
    const { state } = scene.checkpoint
    expect(state).toMatchObject({ records: 12, source: { page: 3, taken: { records: 2 }, sinceCut: { records: 0 } } })
    expect(readFileSync(sideNames(scene.path).partial).length).toBe(state.bytes)
    expect(state.encoder).toMatchObject({ rows: 12, length: state.bytes, rowGroups: { length: 3 } })
    expect(statSync(sideNames(scene.path).checkpoint).size).toBeLessThan(30_000)
    scene.server.setFaults([])
    const attempt = await scene.attempt({ resume: true })
    scene.expectWhole(attempt, whole)
    expect(attempt.report).toMatchObject({ resumedFrom: { page: 3, records: 12 } })
  })

  test.each([
    { rowGroupRows: 5 },
    { rowGroupBytes: 1 << 20 },
    { parquetCompression: 'gzip' },
    { timestampUnit: 'millis' },
    { strict: true },
  ] as const)('is another export with %j', async (options) => {
    const scene = await interruptedScene(shape)
    expect((await scene.attempt(options)).error).toMatchObject({ code: 'ERR_STATE_MISMATCH', exitCode: 8 })
  })

  test('of a page that changed under it is an error, and nothing is lost', async () => {
    const scene = await interruptedScene(shape)
    scene.server.setFaults([{ kind: 'shift', by: 1, page: 3 }])
    expect((await scene.attempt()).error).toMatchObject({ code: 'ERR_PAGE_CHANGED', exitCode: 6 })
    expect(scene.checkpoint.state.records).toBe(12)
    scene.server.setFaults([])
    scene.expectWhole(await scene.attempt({ restart: true }), await wholeOf(shape, {}, scene.server))
  })
})

function rowGroupsOf(bytes: Buffer): number[] {
  const { row_groups } = parquetMetadata(new Uint8Array(bytes).buffer)
  return row_groups.map(({ num_rows }) => Number(num_rows))
}

test('a second export to the same file is refused, and neither loses a byte', async () => {
  const scene = await Scene.open({ file: 'out.ndjson' })
  let second: Promise<Attempt> | undefined
  const first = await scene.attempt({
    onEvent: ({ kind }) => {
      if (kind === 'page') second ??= scene.attempt()
    },
  })
  expect((await second!).error).toMatchObject({ code: 'ERR_STATE_LOCKED', exitCode: 8 })
  scene.expectWhole(first, await wholeOf({ file: 'out.ndjson' }))
})

test.each([400, 404, 410, 422])(
  'a cursor of an earlier run that is answered with %i is no longer taken, and what is kept stays',
  async (status) => {
    const scene = await interruptedScene({ file: 'out.ndjson' })
    const { records } = scene.checkpoint.state
    scene.server.setFaults([{ kind: 'status', status, page: 3, attempt: 'every' }])
    const { error } = await scene.attempt()
    expect(error).toMatchObject({ code: 'ERR_CURSOR_EXPIRED', exitCode: 6, page: 3, statusCode: status })
    expect((error as ExportError).toLine()).toMatch(/records are kept in [^;]*\.partial; [^;]*; --restart/)
    expect(scene.checkpoint.state.records).toBe(records)
    scene.server.setFaults([])
    scene.expectWhole(await scene.attempt(), await wholeOf({ file: 'out.ndjson' }))
  },
)

test('a token that expires is refreshed by itself where there is a way', async () => {
  const scene = await Scene.open({ file: 'out.ndjson' })
  scene.server.setFaults([{ kind: 'status', status: 401, page: 3 }])
  let refreshed = 0
  const attempt = await scene.attempt({
    refreshToken: async () => {
      refreshed++
      return token
    },
  })
  scene.expectWhole(attempt, await wholeOf({ file: 'out.ndjson' }))
  expect(refreshed).toBe(1)
})

describe('a hook for a new token', () => {
  /** Refused in the third page, with ten records before it. */
  const refusing = async (): Promise<Scene> => {
    const scene = await Scene.open({ file: 'out.ndjson' })
    scene.server.setFaults([{ kind: 'status', status: 401, page: 3 }])
    return scene
  }
  const expectKept = async (scene: Scene): Promise<void> => {
    expect(scene.checkpoint.state.records).toBe(10)
    scene.server.setFaults([])
    const attempt = await scene.attempt()
    expect(attempt.report?.resumedFrom).toMatchObject({ records: 10 })
    scene.expectWhole(attempt, await wholeOf({ file: 'out.ndjson' }))
  }

  test.each<[string, ExportOptions['refreshToken'], RegExp]>([
    ['hangs', () => new Promise(() => {}), /there was none within 2m/],
    ['throws', () => Promise.reject(new Error('vault is sealed')), /vault is sealed/],
    ['gives nothing', (async () => undefined) as never, /no text but undefined/],
    ['gives what is no token', async () => 'two words', /characters that a token cannot have/],
  ])('that %s ends the export, and what was whole is kept', async (_, refreshToken, why) => {
    const scene = await refusing()
    const { error, events } = await scene.attempt({ refreshToken: refreshToken! })
    expect(error).toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE', exitCode: 3, message: expect.stringMatching(why) })
    expect((error as ExportError).left).toMatch(/10 records are kept in .*, the same command goes on from there/)
    expect(events).toContainEqual({
      kind: 'wait',
      page: 3,
      reason: 'the token was refused, and a new one is asked for; waiting up to 2m',
      ms: 120_000,
    })
    await expectKept(scene)
  })

  test('that hangs does not hold up an abort, and what was whole is kept', async () => {
    const scene = await refusing()
    const reason = new Error('enough')
    const controller = new AbortController()
    let told: AbortSignal | undefined
    const { error } = await scene.attempt({
      tokenTimeoutMs: 60_001,
      signal: controller.signal,
      refreshToken: ({ signal }) => {
        told = signal
        setImmediate(() => controller.abort(reason))
        return new Promise(() => {})
      },
    })
    expect(error).toBe(reason)
    expect(told!.aborted).toBe(true)
    await expectKept(scene)
  })
})

test('what was counted before an interruption is in the report of the run that went on', async () => {
  const shape = { file: 'out.csv', options: { csvFormulas: 'escape', exclude: ['name'] } } as const
  const options = { slackPartial: true }
  const whole = await wholeOf(shape, options)
  const scene = await Scene.open(shape, options)
  scene.server.setFaults([{ kind: 'cut', at: { record: 3 }, page: 3, transfer: 'length' }])
  await scene.attempt({ tries: 1 })
  scene.server.setFaults([])
  const { report } = await scene.attempt()
  expect(whole.report.warnings.length).toBeGreaterThan(0)
  expect(report!.warnings).toEqual(whole.report.warnings)
})
