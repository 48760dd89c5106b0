// The program itself as a process of its own, as a shell would start it: what the sweeps kill, starve and pull the disk
// from under.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { expect } from 'vitest'
import type { Emulator } from '../../src/emulator/emulator.js'
import { sideNames } from '../../src/files/side-names.js'
import { expectNoLie } from '../helpers/manifest.js'
import { temporaryDirectory, token } from './harness.js'

export const main = resolve(import.meta.dirname, '../../dist/cli/main.js')

/** Only strace can stop a process at a given call of the system, and it is not everywhere. */
export const hasStrace = spawnSync('strace', ['-V']).status === 0

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface StartOptions {
  /** What the program is started by: `['strace', …]`. */
  readonly before?: readonly string[]
  /** Options of Node.js. */
  readonly node?: readonly string[]
  readonly flags?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly stdio?: Parameters<typeof spawn>[2]['stdio']
}

/** Exports the members of `server` to `path`. stdout and stderr are kept to their last megabyte. */
export function start(server: Emulator, path: string, options: StartOptions = {}): Started {
  const request = ['instant-messaging/members', '-a', server.accountId, '--channel', server.parentIds[0]!]
  const args = [...request, '--api-url', server.url, '--out', path, ...(options.flags ?? ['--quiet'])]
  const [command, ...rest] = [...(options.before ?? []), process.execPath, ...(options.node ?? []), main, ...args]
  const child = spawn(command!, rest, {
    env: { ...process.env, TRUTO_API_TOKEN: token, ...options.env },
    stdio: options.stdio ?? ['ignore', 'pipe', 'pipe'],
  })
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      texts[name] = (texts[name] + text).slice(-1_000_000)
    })
  }
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, ...texts }))
  })
  return { child, ended }
}

/** SHA-256 of a file. */
export const digestOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')

/** What an export that nothing happens to gives. */
export async function undisturbed(
  server: Emulator,
  name: string,
  options: StartOptions = {},
): Promise<{ digest: string; ms: number }> {
  const path = join(temporaryDirectory(), name)
  const startedAt = performance.now()
  const { code, stderr } = await start(server, path, options).ended
  expect([code, stderr]).toEqual([0, ''])
  return { digest: digestOf(path), ms: performance.now() - startedAt }
}

/** After an interruption: the final name is whole or absent, and the same command, undisturbed, comes to the same bytes
 *  and leaves nothing else. */
export async function expectGoesOn(
  server: Emulator,
  path: string,
  digest: string,
  options: StartOptions = {},
): Promise<void> {
  if (existsSync(path)) {
    // it ended between the rename and its own end, or once all was done
    expect(digestOf(path)).toBe(digest)
    expectNoLie(path)
    if (!existsSync(sideNames(path).checkpoint)) return
  }
  const { code, stderr } = await start(server, path, options).ended
  expect([code, stderr]).toEqual([0, ''])
  expect(digestOf(path)).toBe(digest)
  expect(readdirSync(dirname(path)).sort()).toEqual([sideNames(basename(path)).manifest, basename(path)])
  expect(expectNoLie(path)).toBe(true)
}

/** Removes what an export left in its directory. */
export function clear(path: string): void {
  for (const left of readdirSync(dirname(path))) rmSync(join(dirname(path), left))
}

/** The calls of the file system that change something or hand out a descriptor. */
const fileCalls = [
  'openat',
  'write',
  'writev',
  'pwrite64',
  'pwritev',
  'fsync',
  'fdatasync',
  'ftruncate',
  'rename',
  'renameat2',
  'unlink',
  'close',
]

/** One thread does all of an export's calls of the file system, so that "the n-th call" means the same in each run. */
const oneThread = { UV_THREADPOOL_SIZE: '1' }

/** Looks only at the files beside `path` and at their directory. */
const only = (path: string): string[] => {
  const { partial, checkpoint, lock, manifest } = sideNames(path)
  return [
    dirname(path),
    path,
    ...[partial, checkpoint, `${checkpoint}.tmp`, lock, manifest, `${manifest}.tmp`],
  ].flatMap((name) => ['-P', name])
}

/** Options that start the program under strace, which does `what` at the n-th `call`. */
export function injecting(path: string, call: string, when: number, what: string, options: StartOptions): StartOptions {
  const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:${what}:when=${when}`]
  // makes the program stop at these calls alone; strace 6.1 then sends no signal, though
  const filter = what.startsWith('signal=') ? [] : ['--seccomp-bpf']
  return {
    ...options,
    before: ['strace', '-f', '-qq', ...filter, '-o', '/dev/null', ...only(path), ...inject],
    env: { ...options.env, ...oneThread },
  }
}

/** Every call of the file system that an undisturbed export makes: its name, and its number among those of the name. */
export async function callsOf(
  server: Emulator,
  name: string,
  options: StartOptions = {},
): Promise<{ call: string; when: number }[]> {
  const path = join(temporaryDirectory(), name)
  const log = join(temporaryDirectory(), 'calls')
  const trace = ['-e', `trace=${fileCalls.join(',')}`]
  const { code } = await start(server, path, {
    ...options,
    before: ['strace', '-f', '-qq', '--seccomp-bpf', '-o', log, ...only(path), ...trace],
    env: { ...options.env, ...oneThread },
  }).ended
  expect(code).toBe(0)
  const counts = new Map<string, number>()
  const names = [...readFileSync(log, 'latin1').matchAll(/^\d+ +(\w+)\(/gm)].map((match) => match[1]!)
  return names.map((call) => {
    counts.set(call, (counts.get(call) ?? 0) + 1)
    return { call, when: counts.get(call)! }
  })
}
