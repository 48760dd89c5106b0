import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FileLock, type LockOptions } from '../../src/checkpoint/lock.js'
import { type Processes, systemProcesses } from '../../src/checkpoint/processes.js'
import { type FileSystem, systemFiles } from '../../src/files/file-system.js'
import { FakeClock } from '../helpers/clock.js'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'truto-export-lock-'))
  path = join(directory, '_out.lock')
})
afterEach(() => rmSync(directory, { recursive: true }))

const acquire = (options: Partial<LockOptions> = {}): Promise<FileLock> =>
  FileLock.acquire(path, { files: systemFiles, name: 'out', ...options })
const holder = (change: object = {}): string =>
  `${JSON.stringify({ pid: 1, host: hostname(), start: systemProcesses.startOf(1) ?? null, nonce: 'n', ...change })}\n`
/** Of a process that is not there: its id was given back. */
const deadPid = (): number => spawnSync('true').pid

test('a lock names its holder, only the owner can read it, and it is gone when it is released', async () => {
  const lock = await acquire()
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid, host: hostname() })
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(await lock.isHeld()).toBe(true)
  await lock.release()
  expect(readdirSync(directory)).toEqual([])
  expect(await lock.isHeld()).toBe(false)
})

test('a second export of the same process is kept out, and told whom by', async () => {
  const lock = await acquire()
  const refused = await acquire().catch((error: unknown) => error)
  expect(refused).toMatchObject({ code: 'ERR_STATE_LOCKED', exitCode: 8 })
  expect(String(refused)).toContain(`process ${process.pid} on ${hostname()}`)
  expect(await lock.isHeld()).toBe(true)
  await lock.release()
  await (await acquire()).release()
})

describe('the lock of another process', () => {
  test('that lives is respected, one of another host always', async () => {
    const child = spawn('sleep', ['60'])
    try {
      const { pid } = child
      for (const found of [
        holder({ pid, start: systemProcesses.startOf(pid!) }),
        holder({ pid, start: null }),
        holder({ host: 'elsewhere', pid: deadPid() }),
      ]) {
        writeFileSync(path, found)
        await expect(acquire()).rejects.toMatchObject({ code: 'ERR_STATE_LOCKED' })
        expect(readFileSync(path, 'utf8')).toBe(found)
      }
      await expect(acquire()).rejects.toMatchObject({ hint: expect.stringContaining(`remove ${path}`) })
    } finally {
      child.kill('SIGKILL')
    }
  })

  test.each([
    ['that is gone', () => holder({ pid: deadPid() })],
    ['whose id another process has now', () => holder({ start: 'long ago' })],
    ['that had our id', () => holder({ pid: process.pid, start: systemProcesses.startOf(process.pid) })],
  ])('%s is taken over', async (_, found) => {
    writeFileSync(path, found())
    const lock = await acquire()
    expect(await lock.isHeld()).toBe(true)
    await lock.release()
    expect(readdirSync(directory)).toEqual([])
  })

  test.each(['', 'x', '{"pid":1', '{"pid":"1","host":"h","nonce":"n"}'])(
    'that wrote %j and no more is taken over after a moment',
    async (found) => {
      writeFileSync(path, found)
      const clock = new FakeClock()
      clock.isImpatient = true
      const lock = await acquire({ clock })
      expect(clock.waits.length).toBeGreaterThan(5)
      await lock.release()
    },
  )

  test('that was made by a process that died by a signal and was not waited for is taken over', async () => {
    // a shell that does not wait: its child is a zombie for as long as it sleeps
    const parent = spawn('sh', ['-c', 'sh -c "echo \\$\\$; exec sleep 0.01" & exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    try {
      const pid = Number(
        await new Promise<string>((resolve) => parent.stdout.once('data', (data) => resolve(String(data)))),
      )
      while (process.platform === 'linux' && systemProcesses.startOf(pid) !== undefined)
        await new Promise((resolve) => setTimeout(resolve, 5))
      writeFileSync(path, holder({ pid, start: 'any' }))
      await (await acquire()).release()
    } finally {
      parent.kill('SIGKILL')
    }
  })
})

test('of many that find a dead lock at once, one gets it', async () => {
  for (let round = 0; round < 20; round++) {
    writeFileSync(path, holder({ pid: deadPid() }))
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => acquire()))
    const locks = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const held = await Promise.all(locks.map((lock) => lock.isHeld()))
    expect(held.filter(Boolean)).toHaveLength(1)
    for (const lock of locks) await lock.release()
    expect(readdirSync(directory)).toEqual([])
  }
})

test('a dead lock that a killed process had moved away goes with the next lock, and nothing else does', async () => {
  const aside = (index: number): string => `${path}.0c7d3a5e-2f6b-4b0e-9d51-00000000000${index}`
  writeFileSync(aside(1), holder({ pid: deadPid() }))
  writeFileSync(aside(2), '') // it was killed before it had written anything
  const others = [
    aside(3),
    aside(4),
    `${path}.txt`,
    `${path}x`,
    join(directory, 'other.lock.0c7d3a5e-2f6b-4b0e-9d51-000000000001'),
  ]
  writeFileSync(others[0]!, holder({ pid: process.ppid, start: null }))
  writeFileSync(others[1]!, holder({ host: 'elsewhere', pid: deadPid() }))
  for (const other of others.slice(2)) writeFileSync(other, holder({ pid: deadPid() }))
  const lock = await acquire()
  expect(
    readdirSync(directory)
      .map((name) => join(directory, name))
      .sort(),
  ).toEqual([path, ...others].sort())
  await lock.release()
})

test('a lock that was made while another looked at the dead one before it is put back', async () => {
  writeFileSync(path, holder({ pid: deadPid() }))
  let other: FileLock | undefined
  const files: FileSystem = {
    ...systemFiles,
    open: (...given) => systemFiles.open(...given),
    async rename(from, to) {
      if (other === undefined && from === path) {
        rmSync(path)
        other = await FileLock.acquire(path, { files: systemFiles, name: 'out' })
      }
      return systemFiles.rename(from, to)
    },
  }
  await expect(acquire({ files })).rejects.toMatchObject({ code: 'ERR_STATE_LOCKED' })
  expect(await other!.isHeld()).toBe(true)
  await other!.release()
  expect(readdirSync(directory)).toEqual([])
})

test('a lock that somebody took over is not removed by the one who had it', async () => {
  const lock = await acquire()
  writeFileSync(path, holder({ host: 'elsewhere' }))
  expect(await lock.isHeld()).toBe(false)
  await lock.release()
  expect(readdirSync(directory)).toEqual(['_out.lock'])
})

test('where it cannot be known when a process began, one that is there is taken for the holder', async () => {
  const processes: Processes = { host: hostname(), pid: process.pid, startOf: (pid) => (pid === 7 ? null : 'x') }
  writeFileSync(path, holder({ pid: 7, start: 'y' }))
  await expect(acquire({ processes })).rejects.toMatchObject({ code: 'ERR_STATE_LOCKED' })
})
