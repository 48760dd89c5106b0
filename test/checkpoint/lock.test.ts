import { spawn, spawnSync } from 'node:child_process'
import {
  constants,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { minute, second } from '../../src/bytes/units.js'
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
const { bootId, pidNamespace } = systemProcesses
const holder = (change: object = {}): string =>
  `${JSON.stringify({ pid: 1, host: hostname(), bootId, pidNamespace, start: systemProcesses.startOf(1) ?? null, nonce: 'n', ...change })}\n`
/** As if the lock had been written to so long ago. */
const silence = (ms: number, at = path): void => utimesSync(at, new Date(), new Date(Date.now() - ms))
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
  test('that lives is respected, however long it was silent', async () => {
    const child = spawn('sleep', ['60'])
    try {
      const { pid } = child
      const found = holder({ pid, start: systemProcesses.startOf(pid!) })
      writeFileSync(path, found)
      silence(24 * 60 * minute)
      await expect(acquire()).rejects.toMatchObject({ code: 'ERR_STATE_LOCKED' })
      expect(readFileSync(path, 'utf8')).toBe(found)
    } finally {
      child.kill('SIGKILL')
    }
  })

  test.each([
    ['that is gone', () => holder({ pid: deadPid() })],
    ['whose id another process has now', () => holder({ start: 'long ago' })],
    ['of another host name with our kernel and process ids', () => holder({ host: 'elsewhere', pid: deadPid() })],
  ])('%s is taken over at once', async (_, found) => {
    writeFileSync(path, found())
    const lock = await acquire()
    expect([await lock.isHeld(), lock.mayHavePredecessor]).toEqual([true, false])
    await lock.release()
    expect(readdirSync(directory)).toEqual([])
  })

  // a container that was killed has another name when it starts again; two may have one name, and process 1 each
  test.each([
    ['of another boot', () => holder({ bootId: 'another', pid: deadPid() })],
    ['of other process ids', () => holder({ pidNamespace: 'pid:[1]', pid: process.pid })],
    ['of another thread', () => holder({ pid: process.pid, start: systemProcesses.startOf(process.pid), thread: 7 })],
    ['that does not say what it is of', () => holder({ bootId: undefined, pidNamespace: undefined })],
    ['whose process has no known start', () => holder({ start: null })],
  ])('%s is respected until it was silent for long enough', async (_, make) => {
    const found = make()
    writeFileSync(path, found)
    const refused = await acquire().catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'ERR_STATE_LOCKED', hint: expect.stringContaining('none for 2m') })
    expect((refused as Error).message).toMatch(/\d+ms ago by its last sign of life/)
    silence(100 * second)
    await expect(acquire()).rejects.toMatchObject({ code: 'ERR_STATE_LOCKED' })
    expect(readFileSync(path, 'utf8')).toBe(found)
    silence(121 * second)
    const lock = await acquire()
    expect([await lock.isHeld(), lock.mayHavePredecessor]).toEqual([true, true])
    await lock.release()
    expect(readdirSync(directory)).toEqual([])
  })

  test('that may have had one before it that lives still hands that on', async () => {
    writeFileSync(path, holder({ pid: deadPid(), mayHavePredecessor: true }))
    const lock = await acquire()
    expect(lock.mayHavePredecessor).toBe(true)
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ mayHavePredecessor: true })
    await lock.release()
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
  const aside = (index: number): string => `${path}.0c7d3a5${index}`
  writeFileSync(aside(1), holder({ pid: deadPid() }))
  writeFileSync(aside(2), '') // it was killed before it had written anything
  const others = [aside(3), aside(4), `${path}.txt`, `${path}x`, join(directory, '_other.lock.0c7d3a51')]
  writeFileSync(others[0]!, holder({ pid: process.ppid, start: null }))
  writeFileSync(others[1]!, holder({ bootId: 'another', pid: deadPid() }))
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
  rmSync(path)
  writeFileSync(path, holder({ host: 'elsewhere', pid: 12, thread: 3 }))
  expect(await lock.isHeld()).toBe(false)
  await expect(lock.check()).rejects.toMatchObject({
    code: 'ERR_STATE_LOCKED',
    message: 'the lock of out was taken over by process 12 (thread 3) on elsewhere',
  })
  await lock.release()
  expect(readdirSync(directory)).toEqual(['_out.lock'])
})

test('without /proc, the name of the host says where a process is', async () => {
  const processes: Processes = {
    host: 'here',
    pid: process.pid,
    thread: 0,
    bootId: null,
    pidNamespace: null,
    startOf: (pid) => (pid === 7 ? null : undefined),
  }
  const bare = { host: 'here', bootId: null, pidNamespace: null, start: null }
  writeFileSync(path, holder({ ...bare, pid: 7 }))
  await expect(acquire({ processes })).rejects.toMatchObject({ code: 'ERR_STATE_LOCKED' })
  writeFileSync(path, holder({ ...bare, host: 'elsewhere', pid: 8 }))
  await expect(acquire({ processes })).rejects.toMatchObject({ code: 'ERR_STATE_LOCKED' })
  writeFileSync(path, holder({ ...bare, pid: 8 }))
  await (await acquire({ processes })).release()
})

test('a lock that is held is written to again and again, and reads the same', async () => {
  const lock = await acquire({ maxAgeMs: 200 })
  const text = readFileSync(path, 'utf8')
  for (let beats = 0; beats < 3; beats++) {
    silence(minute)
    const before = statSync(path).mtimeMs
    while (statSync(path).mtimeMs === before) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(readFileSync(path, 'utf8')).toBe(text)
  }
  await lock.release()
})

test('a holder that was taken over gives no more signs of life for the other', async () => {
  const lock = await acquire({ maxAgeMs: 160 })
  rmSync(path)
  writeFileSync(path, holder({ bootId: 'another' }))
  silence(minute)
  const before = statSync(path).mtimeMs
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(statSync(path).mtimeMs).toBe(before)
  await lock.release()
})

test('a lock that another thread of this process holds is respected', async () => {
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads')
     import(workerData.module).then(async ({ fileDestination }) => {
       const place = await (await fileDestination(workerData.out).resumable()).claim()
       parentPort.postMessage('held')
       parentPort.once('message', () => place.release().then(() => parentPort.postMessage('released')))
     })`,
    {
      eval: true,
      workerData: {
        module: pathToFileURL(join(import.meta.dirname, '../../dist/index.js')).href,
        out: join(directory, 'out'),
      },
    },
  )
  const next = (): Promise<unknown> =>
    new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  expect(await next()).toBe('held')
  await expect(acquire()).rejects.toMatchObject({
    code: 'ERR_STATE_LOCKED',
    message: expect.stringContaining('(thread '),
  })
  const released = next()
  worker.postMessage('release')
  await released
  await worker.terminate()
  await (await acquire()).release()
})

test('a second copy of this module knows what the first one holds, however long that was silent', async () => {
  const copy = (await import('../../src/checkpoint/lock.js?copy')) as { FileLock: typeof FileLock }
  expect(copy.FileLock).not.toBe(FileLock)
  const lock = await acquire({ maxAgeMs: 24 * 60 * minute })
  silence(48 * 60 * minute)
  await expect(copy.FileLock.acquire(path, { files: systemFiles, name: 'out' })).rejects.toMatchObject({
    code: 'ERR_STATE_LOCKED',
  })
  await lock.release()
})

describe('what somebody put in its place', () => {
  test.each([
    ['a link to nowhere', () => symlinkSync('/nowhere/at/all', path), 'a symbolic link'],
    ['a link to a file', () => symlinkSync(join(directory, 'precious'), path), 'a symbolic link'],
    ['a FIFO', () => spawnSync('mkfifo', [path]), 'no file'],
    ['a directory', () => mkdirSync(path), 'no file'],
  ])('%s is an error at once, and stays', async (_, put, what) => {
    writeFileSync(join(directory, 'precious'), holder({ pid: deadPid() }))
    put()
    const { ino } = lstatSync(path)
    await expect(acquire()).rejects.toMatchObject({
      code: 'ERR_OUTPUT_ACCESS',
      exitCode: 7,
      message: `${path} is ${what}`,
    })
    expect(lstatSync(path).ino).toBe(ino)
    expect(readdirSync(directory).sort()).toEqual(['_out.lock', 'precious'])
  })
})

test('what a silence is measured with is a file of its own: whatever has a name like the lock stays as it is, and is not waited for', async () => {
  const theirs = join(directory, 'theirs')
  writeFileSync(theirs, 'keep')
  writeFileSync(path, holder({ bootId: 'another', start: '1' }))
  linkSync(theirs, `${path}.now`)
  const made: number[] = []
  const files: FileSystem = {
    ...systemFiles,
    open: (at, flags, mode) => {
      if ((flags & constants.O_CREAT) !== 0) made.push(flags & constants.O_EXCL)
      return systemFiles.open(at, flags, mode)
    },
  }
  await expect(acquire({ files })).rejects.toMatchObject({ code: 'ERR_STATE_LOCKED' })
  silence(3 * minute)
  await (await acquire({ files })).release()
  expect(made).toEqual(made.map(() => constants.O_EXCL))
  expect([readFileSync(theirs, 'utf8'), readdirSync(directory).sort()]).toEqual(['keep', ['_out.lock.now', 'theirs']])
})
