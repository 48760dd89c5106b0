// The program itself, killed: at random times, and by strace at its calls of the file system. Whatever was going on, running the same command again comes to
// the same bytes.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Emulator } from '../../src/emulator/emulator.js'
import { emulate, temporaryDirectory, token } from './harness.js'

const isSoak = process.env['TRUTO_EXPORT_SOAK'] === '1'
const main = resolve(import.meta.dirname, '../../dist/cli/main.js')
const hasStrace = spawnSync('strace', ['-V']).status === 0

/** Twenty pages, and a checkpoint every few of them. */
const list = { members: 400, pageSize: 20 } as const
const names = isSoak
  ? ['out.ndjson', 'out.json', 'out.csv', 'out.ndjson.gz', 'out.csv.gz']
  : ['out.ndjson', 'out.csv.gz']

interface Run {
  readonly child: ChildProcess
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stderr: string }>
}

function start(server: Emulator, path: string, before: readonly string[] = []): Run {
  const request = ['instant-messaging/members', '-a', server.accountId, '--channel', server.parentIds[0]!]
  const flags = ['--api-url', server.url, '--out', path, '--commit-bytes', '60KiB', '--quiet']
  const [command, ...rest] = [...before, process.execPath, main, ...request, ...flags]
  const child = spawn(command!, rest, {
    env: { ...process.env, TRUTO_API_TOKEN: token },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr!.on('data', (data) => {
    stderr += String(data)
  })
  const ended = new Promise<Awaited<Run['ended']>>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stderr }))
  })
  return { child, ended }
}

const digestOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')

/** Digest of what an undisturbed export gives, and how long that takes. */
async function undisturbed(server: Emulator, name: string): Promise<{ digest: string; ms: number }> {
  const path = join(temporaryDirectory(), name)
  const startedAt = performance.now()
  const { code, stderr } = await start(server, path).ended
  expect([code, stderr]).toEqual([0, ''])
  return { digest: digestOf(path), ms: performance.now() - startedAt }
}

/** After a kill: the same command is run again, undisturbed. */
async function expectGoesOn(server: Emulator, path: string, digest: string): Promise<void> {
  if (existsSync(path)) {
    // it was killed between the rename and its own end, or once all was done
    expect(digestOf(path)).toBe(digest)
    if (!existsSync(`${path}.checkpoint`)) return
  }
  const { code, stderr } = await start(server, path).ended
  expect([code, stderr]).toEqual([0, ''])
  expect(digestOf(path)).toBe(digest)
  const others = readdirSync(join(path, '..')).filter((name) => path !== join(path, '..', name))
  expect(others).toEqual([])
}

describe.each(names)('%s', (name) => {
  test('goes on after SIGKILL at random times', async () => {
    const server = await emulate(list)
    const { digest, ms } = await undisturbed(server, name)
    const directory = temporaryDirectory()
    const path = join(directory, name)
    const rounds = isSoak ? 200 : 2
    let killed = 0
    for (let round = 0; round < rounds; round++) {
      // up to three kills of one export
      for (let kills = 1 + (round % 3); kills > 0; kills--) {
        const { child, ended } = start(server, path)
        const timer = setTimeout(() => child.kill('SIGKILL'), ms * (0.3 + 0.8 * Math.random()))
        const { signal } = await ended
        clearTimeout(timer)
        if (signal === null) break
        killed++
      }
      await expectGoesOn(server, path, digest)
      for (const left of readdirSync(directory)) rmSync(join(directory, left))
    }
    if (isSoak) expect(killed).toBeGreaterThan(rounds / 4)
  })

  // why it is left out: only strace can stop a process at a given system call, and it is not everywhere
  test.runIf(hasStrace)('goes on after SIGKILL at a call of the file system', async () => {
    const server = await emulate(list)
    const { digest } = await undisturbed(server, name)
    const directory = temporaryDirectory()
    const path = join(directory, name)
    // by default one place of each kind that matters most, in the soak every place there is
    const calls = isSoak ? ['openat', 'write', 'fsync', 'rename', 'unlink', 'ftruncate', 'close'] : ['fsync', 'rename']
    let met = 0
    for (const call of calls) {
      for (let when = isSoak ? 1 : 3, isMet = true; isMet && when < (isSoak ? 1000 : 4); when++) {
        const only = ['', '.partial', '.checkpoint', '.checkpoint.tmp', '.lock'].flatMap((end) => [
          '-P',
          `${path}${end}`,
        ])
        const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:signal=SIGKILL:when=${when}`]
        const { signal, code } = await start(server, path, [
          'strace',
          '-f',
          '-qq',
          '-o',
          '/dev/null',
          ...only,
          ...inject,
        ]).ended
        isMet = signal === 'SIGKILL' || code === 137
        if (isMet) met++
        await expectGoesOn(server, path, digest)
        for (const left of readdirSync(directory)) rmSync(join(directory, left))
      }
    }
    expect(met).toBeGreaterThanOrEqual(calls.length)
  })
})

test('SIGTERM keeps every record that was written, and says so', async () => {
  const server = await emulate({ ...list, faults: [{ kind: 'stall', at: { record: 10 }, page: 7 }] })
  const directory = temporaryDirectory()
  const path = join(directory, 'out.ndjson')
  const { child, ended } = start(server, path)
  while (server.requests < 7) await new Promise((resolve) => setTimeout(resolve, 5))
  // the records in front of the stall are on their way
  while (!existsSync(`${path}.checkpoint`)) await new Promise((resolve) => setTimeout(resolve, 5))
  child.kill('SIGTERM')
  const { code, stderr } = await ended
  expect(code).toBe(143)
  const [, records] = /stopped by SIGTERM; (\d+) records are kept in .*out\.ndjson\.partial; to go on/.exec(stderr)!
  expect(readFileSync(`${path}.partial`, 'utf8').split('\n').length - 1).toBe(Number(records))
  expect(Number(records)).toBeGreaterThanOrEqual(120)
  server.setFaults([])
  const undisturbedServer = await emulate(list)
  await expectGoesOn(server, path, (await undisturbed(undisturbedServer, 'out.ndjson')).digest)
})
