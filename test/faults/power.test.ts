// Power loss: the file system under an export is shut down at its n-th call, or while the program runs, and mounted
// again. What was told to be committed is there, a published file is whole, and the same export goes on to the same
// bytes. Controls: where fsync is a lie, the same checks fail.

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { decodeCheckpoint } from '../../src/checkpoint/checkpoint.js'
import { fileDestination } from '../../src/destination/file.js'
import type { Emulator } from '../../src/emulator/emulator.js'
import { exportRecords } from '../../src/export/export.js'
import { sideNames } from '../../src/files/side-names.js'
import { faultyFiles } from '../destination/faulty-files.js'
import { type Disk, type FileSystemName, makeDisk, obstacleToDisks } from './disk.js'
import { emulate, requestOf } from './harness.js'
import { expectGoesOn, start, undisturbed } from './program.js'

const isSoak = process.env['TRUTO_EXPORT_SOAK'] === '1'

const list = { members: 20, pageSize: 5, chunkBytes: 2000 } as const
const flushesOf = ['all', 'directories', 'nothing'] as const
type Flushes = (typeof flushesOf)[number]

interface Attempt {
  readonly error: unknown
  /** Calls of the file system. */
  readonly calls: number
  /** Whether it was done before the power went. */
  readonly isDone: boolean
  /** Records that a checkpoint was said to hold before the power went, 0 where none was saved. */
  readonly committed: number
}

/** Exports to `path`, whose power `cut` takes at call number `cutAt`. */
async function attempt(
  server: Emulator,
  path: string,
  { flushes = 'all', cutAt = 0, cut = () => {} }: { flushes?: Flushes; cutAt?: number; cut?: () => void } = {},
): Promise<Attempt> {
  // nobody hears what is said after that: xfs answers to an fsync of a directory that it was done
  let isCut = false
  const onCall = (count: number): void => {
    if (count !== cutAt) return
    isCut = true
    cut()
  }
  const files = faultyFiles({ flushes, maxWrite: 3000, onCall })
  let committed = 0
  let error: unknown
  const extension = /\.(ndjson|json|csv|parquet)/.exec(path)![1] as 'ndjson'
  try {
    await exportRecords({
      ...requestOf(server),
      destination: fileDestination(path, { files }),
      format: extension,
      compress: path.endsWith('.gz') ? 'gzip' : 'none',
      commitBytes: 7000,
      rowGroupRows: 4,
      onEvent: (event) => {
        if (event.kind === 'commit' && !isCut) committed = event.records
      },
    })
  } catch (caught) {
    error = caught
  }
  return { error, calls: files.calls.length, isDone: error === undefined && !isCut, committed }
}

/** What is wrong with what a power loss left; null where nothing is. */
function faultIn(path: string, whole: Buffer, { isDone, committed }: Attempt): string | null {
  if (existsSync(path)) return readFileSync(path).equals(whole) ? null : 'a published file is not whole'
  if (isDone) return 'an export that was done has left no file'
  if (!existsSync(sideNames(path).checkpoint)) return committed === 0 ? null : 'a checkpoint that was saved is gone'
  let bytes: number
  let records: number
  try {
    const { state } = decodeCheckpoint(readFileSync(sideNames(path).checkpoint), 'it')
    bytes = state.bytes
    records = state.records
  } catch {
    return 'the checkpoint is torn'
  }
  if (records < committed) return 'an older checkpoint is there than the one that was saved last'
  const partial = existsSync(sideNames(path).partial) ? readFileSync(sideNames(path).partial) : Buffer.alloc(0)
  if (partial.length < bytes) return 'the checkpoint tells of more bytes than there are'
  return partial.subarray(0, bytes).equals(whole.subarray(0, bytes)) ? null : 'bytes before the checkpoint are others'
}

interface Sweep {
  readonly points: number
  readonly faults: readonly string[]
}

/** Cuts the power of `disk` at every `stride`-th call of an export. */
async function sweep(server: Emulator, disk: Disk, file: string, flushes: Flushes, stride: number): Promise<Sweep> {
  const path = join(disk.path, file)
  const { error, calls } = await attempt(server, path)
  if (error !== undefined) throw error
  const whole = readFileSync(path)
  const faults: string[] = []
  let points = 0
  for (let cutAt = 1; cutAt <= calls; cutAt += stride) {
    for (const left of readdirSync(disk.path).filter((name) => name.startsWith(file))) rmSync(join(disk.path, left))
    disk.restart()
    const cut = await attempt(server, path, { flushes, cutAt, cut: disk.cutPower })
    if (cut.error !== undefined) expect(cut.error).toMatchObject({ exitCode: 7 })
    disk.restart()
    points++
    const fault = faultIn(path, whole, cut)
    if (fault !== null) faults.push(fault)
    if (flushes !== 'all') continue
    expect([cutAt, fault]).toEqual([cutAt, null])
    if (existsSync(path) && !existsSync(sideNames(path).checkpoint)) continue
    const again = await attempt(server, path)
    if (again.error !== undefined) throw again.error
    expect(readFileSync(path).equals(whole)).toBe(true)
    expect(existsSync(sideNames(path).checkpoint) || existsSync(sideNames(path).partial)).toBe(false)
  }
  return { points, faults }
}

const all = ['out.ndjson', 'out.json', 'out.csv', 'out.ndjson.gz', 'out.csv.gz', 'out.parquet']
const cases: readonly [name: FileSystemName, file: string, stride: number][] = isSoak
  ? (['xfs', 'ext4'] as const).flatMap((name) => all.map((file) => [name, file, 1] as const))
  : [['xfs', 'out.ndjson', 61]]

describe.each(cases)('on %s, %s', (name, file, stride) => {
  test('goes on to the same bytes after a power loss at a call of the file system', async ({ skip }) => {
    skip(obstacleToDisks(name) !== null, obstacleToDisks(name) ?? '')
    const { points, faults } = await sweep(await emulate(list), makeDisk(name), file, 'all', stride)
    if (isSoak) console.log(`${name}, ${file}: ${points} points of power loss, ${faults.length} failures`)
    expect(points).toBeGreaterThan(isSoak ? 60 : 2)
    expect(faults).toEqual([])
  })
})

describe.each(['directories', 'nothing'] as const)('where fsync flushes %s', (flushes) => {
  test('the checks of a power loss fail', async ({ skip }) => {
    skip(obstacleToDisks('xfs') !== null, obstacleToDisks('xfs') ?? '')
    const { points, faults } = await sweep(await emulate(list), makeDisk('xfs'), 'out.ndjson', flushes, isSoak ? 1 : 83)
    if (isSoak) console.log(`fsync of ${flushes}: ${faults.length} of ${points} points fail, as ${faultCounts(faults)}`)
    expect(faults.length).toBeGreaterThan(isSoak ? points / 2 : 0)
  })
})

function faultCounts(faults: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const fault of faults) counts.set(fault, (counts.get(fault) ?? 0) + 1)
  return JSON.stringify(Object.fromEntries(counts))
}

test.runIf(isSoak)('the program goes on after a power loss at any time', async ({ skip }) => {
  skip(obstacleToDisks('xfs') !== null, obstacleToDisks('xfs') ?? '')
  const server = await emulate({ members: 400, pageSize: 20, pool: 400 })
  const options = { flags: ['--commit-bytes', '60KiB', '--quiet'] }
  const { digest, ms } = await undisturbed(server, 'out.ndjson', options)
  const disk = makeDisk('xfs')
  let cuts = 0
  for (let round = 0; round < 60; round++) {
    const path = join(disk.path, 'out.ndjson')
    const { ended } = start(server, path, options)
    await new Promise((resolve) => setTimeout(resolve, ms * (0.4 + 0.7 * Math.random())))
    disk.cutPower()
    const { code, stderr } = await ended
    if (code !== 0) {
      cuts++
      expect(stderr).toMatch(/^truto-export: ERR_OUTPUT_/)
      expect([code, stderr.split('\n').length]).toEqual([7, 2])
    }
    disk.restart()
    await expectGoesOn(server, path, digest, options)
    for (const left of readdirSync(disk.path)) rmSync(join(disk.path, left))
    disk.restart()
  }
  console.log(`the program went on after ${cuts} power losses at random times`)
  expect(cuts).toBeGreaterThan(20)
})
