// The program in surroundings that are short of something: space, time, memory, addresses, a home. It says so with the
// exit code that is owed, or runs as ever; and where it was stopped, the same command goes on to the same bytes.

import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import type { Emulator } from '../../src/emulator/emulator.js'
import { sideNames } from '../../src/files/side-names.js'
import { expectNoLie } from '../helpers/manifest.js'
import { emulate, membersText, temporaryDirectory } from './harness.js'
import { digestOf, expectGoesOn, type StartOptions, start } from './program.js'

const isSoak = process.env['TRUTO_EXPORT_SOAK'] === '1'

const list = { members: 400, pageSize: 20, pool: 400 } as const
const whole = membersText(list)
const digest = createHash('sha256').update(whole).digest('hex')
const flags = ['--commit-bytes', '60KiB', '--quiet']

const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
const isRoot = process.getuid?.() === 0

/** A server and a place for its members. */
async function scene(): Promise<{ server: Emulator; path: string }> {
  return { server: await emulate(list), path: join(temporaryDirectory(), 'out.ndjson') }
}

test('a file system that is full is exit 7, and the export goes on once there is space', async ({ skip }) => {
  skip(process.platform !== 'linux' || !isRoot, 'mounting needs root on Linux')
  const server = await emulate(list)
  const mount = join(temporaryDirectory(), 'mount')
  mkdirSync(mount)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', mount])
  onTestFinished(() => {
    execFileSync('umount', [mount])
    rmdirSync(mount)
  })
  const path = join(mount, 'out.ndjson')
  const { code, stderr } = await start(server, path, { flags }).ended
  expect(stderr).toMatch(/^truto-export: ERR_OUTPUT_SPACE: .*ENOSPC.* records are kept in [^\n]*\n$/)
  expect([code, existsSync(path), existsSync(sideNames(path).checkpoint)]).toEqual([7, false, true])
  execFileSync('mount', ['-o', 'remount,size=8m', mount])
  await expectGoesOn(server, path, digest, { flags })
})

test('a program that was stopped until another one took its place over touches nothing of that', async ({ skip }) => {
  const apart = ['unshare', '--pid', '--fork', '--mount-proc']
  skip(
    !isRoot || spawnSync(apart[0]!, [...apart.slice(1), 'true']).status !== 0,
    'process ids of its own need root on Linux',
  )
  for (const more of [[], ['--part-rows', '60']]) {
    const server = await emulate({ ...list, faults: [{ kind: 'stall', at: { record: 10 }, page: 8 }] })
    const path = join(temporaryDirectory(), more.length === 0 ? 'out.ndjson' : 'out')
    const options = { flags: [...flags, ...more, '--lock-max-age', '1s'] }
    const first = start(server, path, { ...options, before: apart })
    onTestFinished(() => void first.child.kill('SIGKILL'))
    while (server.requests < 8 || !existsSync(sideNames(path).checkpoint)) await sleep(5)
    const { pid } = first.child
    const inner = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'))
    process.kill(inner, 'SIGSTOP')
    server.setFaults([])
    for (let isTaken = false; !isTaken; ) {
      const { code, stderr } = await start(server, path, options).ended
      isTaken = code === 0
      if (!isTaken)
        expect([code, stderr]).toEqual([
          8,
          expect.stringMatching(/is being written by process 1 on .* by its last sign of life/),
        ])
    }
    process.kill(inner, 'SIGCONT')
    const { code, stderr } = await first.ended
    expect([code, stderr]).toEqual([
      8,
      expect.stringMatching(
        /^truto-export: ERR_STATE_LOCKED: the lock of .* was removed; nothing of what is at .* now was touched/,
      ),
    ])
    const whole = more.length === 0 ? [path] : readdirSync(path).map((name) => join(path, name))
    const hash = createHash('sha256')
    for (const part of whole) hash.update(readFileSync(part))
    expect(hash.digest('hex')).toBe(digest)
    expect(expectNoLie(path)).toBe(true)
    expect(readdirSync(join(path, '..')).sort()).toEqual([`_${basename(path)}.manifest.json`, basename(path)])
  }
})

test('a program that was stopped and continued asks again at most once', async () => {
  const server = await emulate({ ...list, faults: [{ kind: 'drip', bytes: 2000, everyMs: 20, page: 4 }] })
  const path = join(temporaryDirectory(), 'out.ndjson')
  // longer than a busy machine lets a process wait, and shorter than it stands still
  const deadlines = ['--idle-timeout', '4s', '--head-timeout', '4s', '--connect-timeout', '4s']
  const { child, ended } = start(server, path, { flags: [...flags, ...deadlines] })
  while (server.requests < 4) await sleep(5)
  child.kill('SIGSTOP')
  await sleep(4500)
  child.kill('SIGCONT')
  expect(await ended).toMatchObject({ code: 0, stderr: '' })
  expect(digestOf(path)).toBe(digest)
  expect(server.requests).toBeLessThanOrEqual(21)
})

/** What happens in the process once the export has a checkpoint, as a module that Node.js loads first. */
const ends: readonly [name: string, what: string, code: number | null][] = [
  ['an uncaught exception', "throw new Error('boom')", 1],
  ['a heap that is full', 'for (const held = []; ; ) held.push(new Array(1e5).fill(0.5))', null],
  ['an unhandled rejection', "void Promise.reject(new Error('boom'))", 1],
]

test.each(isSoak ? ends : ends.slice(0, 2))(
  'what ends the process from within leaves what can be gone on with: %s',
  async (_, what, code) => {
    const { server, path } = await scene()
    server.setFaults([{ kind: 'stall', at: { record: 10 }, page: 9 }])
    const module = join(temporaryDirectory(), 'end.mjs')
    const poll = `if (existsSync(${JSON.stringify(sideNames(path).checkpoint)})) { clearInterval(timer); ${what} }`
    writeFileSync(module, `import { existsSync } from 'node:fs'\nconst timer = setInterval(() => { ${poll} }, 2)\n`)
    const before = ['sh', '-c', 'ulimit -c 0; exec "$@"', 'sh']
    const node = ['--max-old-space-size=32', '--import', module]
    const ended = await start(server, path, { flags, before, node }).ended
    if (code === null) expect(ended.code === 134 || ended.signal === 'SIGABRT').toBe(true)
    else expect(ended.code).toBe(code)
    expect(existsSync(path)).toBe(false)
    server.setFaults([])
    await expectGoesOn(server, path, digest, { flags })
  },
)

/** Starts a program in a memory cgroup of 256 MiB, of whichever version there is; null where none can be made. */
function memoryGroup(): readonly string[] | null {
  if (!isRoot) return null
  for (const [root, limit] of [
    ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes'],
    ['/sys/fs/cgroup', 'memory.max'],
  ] as const) {
    const group = join(root, `truto-export-test-${process.pid}`)
    try {
      mkdirSync(group)
      onTestFinished(() => rmdirSync(group))
      writeFileSync(join(group, limit), String(256 << 20))
      return ['sh', '-c', `echo $$ > ${group}/cgroup.procs; exec "$@"`, 'sh']
    } catch {} // not this version, or not ours to make
  }
  return null
}

const noAddresses = ['sh', '-c', 'ulimit -v 3000000; exec "$@"', 'sh']
const places: readonly [name: string, options: () => StartOptions][] = [
  [
    'on one CPU without TMPDIR and HOME, in another locale and time zone',
    () => ({
      before: has('taskset') ? ['taskset', '-c', '0'] : [],
      env: { TMPDIR: '/does/not/exist', HOME: '/does/not/exist', LC_ALL: 'C', LANG: 'C', TZ: 'Pacific/Apia' },
    }),
  ],
  // where no cgroup can be made, nothing is limited
  ['with 256 MiB of memory', () => ({ before: memoryGroup() ?? [] })],
  ['with 3 GB of addresses', () => ({ before: noAddresses, env: { NODE_OPTIONS: '--disable-wasm-trap-handler' } })],
]

test.each(places)('runs %s, to the same bytes', async (_, options) => {
  const { server, path } = await scene()
  const { code, stderr } = await start(server, path, { flags, ...options() }).ended
  expect([code, stderr, digestOf(path)]).toEqual([0, '', digest])
})
