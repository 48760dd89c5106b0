// The built program as a process: signals, pipes, closed and full places, limits of the system. What ends it is said in
// one line and an exit code, nothing half is published, and the same command goes on to the same bytes.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Emulator } from '../../src/emulator/emulator.js'
import { sideNames } from '../../src/files/side-names.js'
import type { ExportReport } from '../../src/report.js'
import { emulate, membersText, temporaryDirectory, token } from '../faults/harness.js'

const main = resolve(import.meta.dirname, '../../dist/cli/main.js')
const isSoak = process.env['TRUTO_EXPORT_SOAK'] === '1'
const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0

/** Some hundred kilobytes in ten pages, with a checkpoint every few of them. */
const list = { members: 200, pageSize: 20 } as const
const whole = membersText(list)

interface Ended {
  /** As a shell sees it: 128 and its number for a signal. */
  readonly code: number
  readonly stdout: Buffer
  readonly stderr: string
}

interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

/** The arguments of an export of the server's list. */
function request(server: Emulator, ...flags: string[]): string[] {
  const list = ['instant-messaging/members', '-a', server.accountId, '--channel', server.parentIds[0]!]
  return [...list, '--api-url', server.url, '--commit-bytes', '60KiB', '--quiet', ...flags]
}

/** Runs the program by way of a shell, in which it is `"$@"`. */
function start(args: readonly string[], script = 'exec "$@"', { reads = true } = {}): Started {
  const child = spawn('bash', ['-c', script, 'bash', process.execPath, main, ...args], {
    env: { ...process.env, TRUTO_API_TOKEN: token },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const stdout: Buffer[] = []
  let stderr = ''
  if (reads) child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += String(chunk)
  })
  const numbers: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }
  const ended = new Promise<Ended>((resolve) => {
    child.once(reads ? 'close' : 'exit', (code: number | null, signal: NodeJS.Signals | null) => {
      resolve({ code: code ?? 128 + (numbers[signal!] ?? 0), stdout: Buffer.concat(stdout), stderr })
    })
  })
  return { child, ended }
}

const run = (args: readonly string[], script?: string): Promise<Ended> => start(args, script).ended
const digestOf = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex')

async function until(check: () => boolean): Promise<void> {
  while (!check()) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** Until the export waits for its reader, who took nothing but what the pipe holds, so that nothing moves any more. */
async function untilHeldBack(server: Emulator): Promise<void> {
  await until(() => server.log.length > 0)
  let seen = 0
  for (let still = 0; still < 10; still = seen > 0 && seen === server.log[0]!.bytes ? still + 1 : 0) {
    seen = server.log[0]!.bytes
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** The same command, undisturbed: it goes on, and ends with the bytes of an export that nothing happened to. */
async function expectGoesOn(server: Emulator, path: string, flags: readonly string[] = []): Promise<void> {
  const { code, stdout, stderr } = await run(request(server, '--out', path, '--json', ...flags))
  expect([code, stderr]).toEqual([0, ''])
  expect((JSON.parse(stdout.toString()) as ExportReport).resumedFrom?.records).toBeGreaterThan(0)
  const other = `${path}.undisturbed.${path.split('.').slice(1).join('.')}`
  if (path.endsWith('.ndjson')) expect(digestOf(readFileSync(path))).toBe(digestOf(whole))
  else {
    expect((await run(request(server, '--out', other, ...flags))).code).toBe(0)
    expect(digestOf(readFileSync(path))).toBe(digestOf(readFileSync(other)))
  }
  const left = readdirSync(join(path, '..')).map((name) => join(path, '..', name))
  const own = [path, other, sideNames(path).manifest, sideNames(other).manifest]
  expect(left.filter((name) => !own.includes(name))).toEqual([])
}

describe('a signal', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s keeps what is whole, says how to go on, and ends with %i', async (signal, code) => {
    const server = await emulate({ ...list, faults: [{ kind: 'stall', at: { record: 10 }, page: 7 }] })
    const path = join(temporaryDirectory(), 'out.ndjson')
    const { child, ended } = start(request(server, '--out', path))
    await until(() => server.requests === 7 && existsSync(sideNames(path).checkpoint))
    child.kill(signal)
    const stopped = await ended
    expect(stopped.code).toBe(code)
    const said =
      /^truto-export: stopped by (SIG\w+); (\d+) records are kept in (.*); to resume, run the same command again\n$/
    const [, by, records, kept] = said.exec(stopped.stderr)!
    expect([by, kept]).toEqual([signal, sideNames(path).partial])
    // nothing that the file holds is uncommitted, and nothing that is committed is missing
    expect(digestOf(readFileSync(sideNames(path).partial))).toBe(digestOf(membersText(list, 0, Number(records))))
    expect(Number(records)).toBeGreaterThanOrEqual(120)
    if (!isSoak && signal !== 'SIGINT') return
    server.setFaults([])
    await expectGoesOn(server, path)
  })

  test('that is a second one ends it at once, even where a reader of stdout stands still', async () => {
    const server = await emulate({ members: 20_000, pageSize: 5_000, pool: 100 })
    const { child, ended } = start(request(server), undefined, { reads: false })
    let stderr = ''
    child.stderr!.on('data', (chunk) => {
      stderr += String(chunk)
    })
    await untilHeldBack(server)
    child.kill('SIGINT')
    await until(() => stderr.includes('\n'))
    expect(stderr).toMatch(/^truto-export: stopped by SIGINT; \d+ records were written\n$/)
    // the first one leaves it time to hand on what it has: nothing but the second ends it now
    expect(child.exitCode).toBeNull()
    // within 300 ms it would be the same one
    await until(() => !child.kill('SIGTERM') || child.exitCode !== null)
    expect((await ended).code).toBe(143)
    expect(stderr.split('\n')).toHaveLength(2)
  })

  test.each(['convert', 'schema'])('ends %s while stdin stands still, without being given up on', async (command) => {
    const path = join(temporaryDirectory(), 'out.ndjson')
    const out = command === 'convert' ? ['--out', path] : []
    const child = spawn(process.execPath, [main, command, '-', '--input-format', 'ndjson', ...out])
    onTestFinished(() => void child.kill('SIGKILL'))
    let stderr = ''
    child.stderr.on('data', (chunk) => {
      stderr += String(chunk)
    })
    child.stdin.write('{"id":"1"}\n')
    // listening comes before reading
    if (command === 'convert') await until(() => existsSync(sideNames(path).partial))
    else await new Promise((resolve) => child.stdin.write('\n'.repeat(1 << 20), resolve))
    child.kill('SIGINT')
    const code = await new Promise((resolve) => child.once('close', resolve))
    expect([code, stderr]).toEqual([130, expect.stringMatching(/^truto-export: stopped by SIGINT/)])
  })

  test.runIf(isSoak)('is given up on after five seconds where a reader of stdout stands still', async () => {
    const server = await emulate({ members: 20_000, pageSize: 5_000, pool: 100 })
    const { child, ended } = start(request(server), undefined, { reads: false })
    await untilHeldBack(server)
    child.kill('SIGINT')
    expect((await ended).code).toBe(130)
  })

  test('that stops and continues it leaves the bytes as they are', async () => {
    const server = await emulate(list)
    const path = join(temporaryDirectory(), 'out.ndjson')
    const { child, ended } = start(request(server, '--out', path, '--account-requests', '4', '--rate-window', '200ms'))
    await until(() => server.requests >= 3)
    child.kill('SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, 300))
    child.kill('SIGCONT')
    expect(await ended).toMatchObject({ code: 0, stderr: '' })
    expect(digestOf(readFileSync(path))).toBe(digestOf(whole))
  })
})

interface Place {
  readonly name: string
  /** `"$@"` is the program. */
  readonly script: string
  /** With `OUT` for a path in a directory of its own. */
  readonly flags?: readonly string[]
  readonly code: number
  readonly stderr?: RegExp
  /** What arrives at the end of the script, by its digest or text. */
  readonly stdout?: string
  /** Whether the file `OUT` is there and whole. Default: as the exit code says. */
  readonly isPublished?: boolean
  /** Most requests that may have been sent. */
  readonly requests?: number
}

const oneLine = (code: string): RegExp => new RegExp(`^truto-export: ${code}: [^\\n]*\\n$`)
/** The exit code of the program, not that of its reader: the first element of the array. */
const statusOfFirst = 'exit $PIPESTATUS'

const places: readonly Place[] = [
  { name: 'a pipe', script: '"$@" | cat', code: 0, stdout: digestOf(whole) },
  { name: 'a slow pipe', script: '"$@" | (sleep 0.3; cat)', code: 0, stdout: digestOf(whole) },
  {
    name: 'a pipe whose reader leaves',
    script: `"$@" | head -c 100 >&2; ${statusOfFirst}`,
    code: 141,
    stderr: /^[^\n]{100}$/,
  },
  { name: 'a pipe without a reader', script: `"$@" | true; ${statusOfFirst}`, code: 141 },
  { name: '/dev/full', script: '"$@" > /dev/full', code: 7, stderr: oneLine('ERR_OUTPUT_SPACE') },
  { name: 'a closed stdout', script: '"$@" >&-', code: 7, stderr: oneLine('ERR_OUTPUT_ACCESS'), requests: 0 },
  { name: 'a file, without stdin', script: '"$@" <&-', flags: ['--out', 'OUT'], code: 0 },
  { name: 'a file, without stdout and stderr', script: '"$@" >&- 2>&-', flags: ['--out', 'OUT'], code: 0 },
  { name: 'a file, with a full stderr', script: '"$@" 2> /dev/full', flags: ['--out', 'OUT', '--verbose'], code: 0 },
  {
    name: 'a file, its report to a closed stdout',
    script: '"$@" >&-',
    flags: ['--out', 'OUT', '--json'],
    code: 7,
    stderr: oneLine('ERR_OUTPUT_ACCESS'),
    requests: 0,
  },
  {
    name: 'a file, its report to /dev/full',
    script: '"$@" > /dev/full',
    flags: ['--out', 'OUT', '--json'],
    code: 7,
    stderr: oneLine('ERR_OUTPUT_SPACE'),
    isPublished: true,
  },
  {
    name: 'a file, its report to a pipe without a reader',
    script: `"$@" | true; ${statusOfFirst}`,
    flags: ['--out', 'OUT', '--json'],
    code: 141,
    isPublished: true,
  },
]

test.each(places)('$name: exit $code', async (place) => {
  const { script, flags = [], code, stderr = /^$/, stdout } = place
  const server = await emulate(list)
  const path = join(temporaryDirectory(), 'out.ndjson')
  const ended = await run(request(server, ...flags.map((flag) => (flag === 'OUT' ? path : flag))), script)
  expect(ended.stderr).toMatch(stderr)
  expect(ended.code).toBe(code)
  if (stdout !== undefined) expect(digestOf(ended.stdout)).toBe(stdout)
  if (flags.includes('OUT')) {
    const isPublished = place.isPublished ?? code === 0
    expect(readdirSync(join(path, '..'))).toEqual(isPublished ? ['_out.ndjson.manifest.json', 'out.ndjson'] : [])
    if (isPublished) expect(digestOf(readFileSync(path))).toBe(digestOf(whole))
  }
  if (place.requests !== undefined) expect(server.requests).toBeLessThanOrEqual(place.requests)
})

test('a pipe whose reader leaves ends the request with it', async () => {
  const server = await emulate({ members: 1e7, pageSize: 1e7, pool: 100 })
  const { code } = await run(request(server), `"$@" | head -n 1; ${statusOfFirst}`)
  expect(code).toBe(141)
  await until(() => server.log[0]!.isComplete || server.log[0]!.bytes > 0)
  expect([server.requests, server.log[0]!.isComplete]).toEqual([1, false])
})

test('a help that cannot be printed is an error of one line', async () => {
  const full = await run(['--help'], '"$@" > /dev/full')
  expect([full.code, full.stdout.length]).toEqual([7, 0])
  expect(full.stderr).toMatch(oneLine('ERR_OUTPUT_SPACE'))
  expect(await run(['--help'], `"$@" | true; ${statusOfFirst}`)).toMatchObject({ code: 141, stderr: '' })
})

describe('a token command that hangs', () => {
  /** Prints a token the first time. Then it starts a process that sleeps, of which it tells, and waits for it. */
  const command = (directory: string, ignoring = '') =>
    `cd ${directory}; if [ -e asked ]; then ${ignoring} sleep 1000 & echo $! > pid; wait; sleep 1000; fi; touch asked; echo ${token}`
  const isRunning = (pid: number): boolean => {
    try {
      // what has ended and was not waited for is there still, as a zombie
      return process.kill(pid, 0) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
    } catch {
      return false
    }
  }
  const pidIn = async (directory: string): Promise<number> => {
    const path = join(directory, 'pid')
    await until(() => existsSync(path) && readFileSync(path, 'utf8').endsWith('\n'))
    return Number(readFileSync(path, 'utf8'))
  }

  test.runIf(process.platform === 'linux').each([
    ['as it is refreshed', ''],
    ['and what ignores SIGTERM', "trap '' TERM;"],
  ])('%s, is ended by a signal with all that it started, and what was whole is kept', async (_, ignoring) => {
    const server = await emulate({ ...list, faults: [{ kind: 'status', status: 401, page: 3 }] })
    const directory = temporaryDirectory()
    const out = join(temporaryDirectory(), 'out.ndjson')
    const { child, ended } = start(request(server, '--out', out, '--token-command', command(directory, ignoring)))
    const pid = await pidIn(directory)
    expect(isRunning(pid)).toBe(true)
    child.kill('SIGTERM')
    const { code, stderr } = await ended
    expect([code, stderr]).toEqual([
      143,
      expect.stringMatching(/^truto-export: stopped by SIGTERM; 40 records are kept in [^\n]*\n$/),
    ])
    await until(() => !isRunning(pid))
    await expectGoesOn(server, out)
  })

  test.runIf(process.platform === 'linux')('is ended by --token-timeout, at the start and later on', async () => {
    const server = await emulate({ ...list, faults: [{ kind: 'status', status: 401, page: 3 }] })
    const directory = temporaryDirectory()
    const out = join(temporaryDirectory(), 'out.ndjson')
    const flags = ['--out', out, '--token-command', command(directory), '--token-timeout', '300ms']
    const later = await run(request(server, ...flags))
    expect(later.code).toBe(3)
    expect(later.stderr).toMatch(
      /ERR_TOKEN_UNAVAILABLE: getting a new token: there was none within 300ms .*40 records are kept/,
    )
    const first = await pidIn(directory)
    await until(() => !isRunning(first))
    unlinkSync(join(directory, 'pid'))
    const atStart = await run(request(server, ...flags))
    expect(atStart.code).toBe(3)
    expect(atStart.stderr).toMatch(/ERR_TOKEN_UNAVAILABLE: --token-command gave no token within 300ms; /)
    const second = await pidIn(directory)
    await until(() => !isRunning(second))
    await expectGoesOn(server, out)
  })

  test.runIf(process.platform === 'linux')('at the start is ended by a signal', async () => {
    const server = await emulate(list)
    const directory = temporaryDirectory()
    const out = join(temporaryDirectory(), 'out.ndjson')
    writeFileSync(join(directory, 'asked'), '')
    const { child, ended } = start(request(server, '--out', out, '--token-command', command(directory)))
    const pid = await pidIn(directory)
    child.kill('SIGINT')
    expect(await ended).toMatchObject({
      code: 130,
      stderr: `truto-export: stopped by SIGINT; nothing was published as ${out}\n`,
    })
    await until(() => !isRunning(pid))
    expect(server.requests).toBe(0)
  })
})

test('a wait for a limit is said on stderr, once', async () => {
  const server = await emulate({ members: 3, pageSize: 1 })
  const flags = ['--out', join(temporaryDirectory(), 'out.ndjson'), '--account-requests', '2', '--rate-window', '3s']
  const args = request(server, ...flags).filter((flag) => flag !== '--quiet')
  const { code, stderr } = await run(args)
  expect(code).toBe(0)
  const waits = stderr.match(
    /^truto-export: page 3: our own limit of 2 requests in 3s for the account is used up; waiting [\d.]+m?s$/gm,
  )
  expect(waits).toHaveLength(1)
  expect(stderr).toMatch(/^truto-export: [\d.]+m?s of waiting$/m)
})

// V8 takes 30 MB to optimise undici's parser, once it has been called some fifty times
test.runIf(process.platform === 'linux' && process.version.startsWith('v20.'))(
  'a long export takes 90 MB of memory at most',
  async () => {
    const server = await emulate({ members: 30_000, pageSize: 30_000, pool: 1000 })
    const out = join(temporaryDirectory(), 'members.ndjson')
    const { code, stdout } = await start(request(server, '--out', out, '--json')).ended
    expect(code).toBe(0)
    const report = JSON.parse(stdout.toString()) as ExportReport
    expect(report.outputBytes).toBeGreaterThan(60e6)
    expect(report.peakRssBytes).toBeLessThan(90e6)
  },
)

// why it is left out: prlimit is a program of Linux
describe.runIf(hasPrlimit)('a limit of the system', () => {
  test.each(
    isSoak ? ['out.ndjson', 'out.csv', 'out.csv.gz', 'out.ndjson.gz', 'out.json'] : ['out.ndjson', 'out.csv.gz'],
  )('on the size of a file is exit 7, and %s goes on behind it', async (name) => {
    const server = await emulate(list)
    const path = join(temporaryDirectory(), name)
    const { code, stderr } = await run(
      request(server, '--out', path),
      `prlimit --fsize=${name.endsWith('.gz') ? 30_000 : 200_000} "$@"`,
    )
    expect(stderr).toMatch(
      /^truto-export: ERR_OUTPUT_SPACE: .*EFBIG.*; \d+ records are kept in .*the same command goes on from there.*\n$/,
    )
    expect([code, existsSync(path)]).toEqual([7, false])
    await expectGoesOn(server, path)
  })

  test('on the size of stdout is exit 7', async () => {
    const server = await emulate(list)
    const path = join(temporaryDirectory(), 'out')
    const { code, stderr } = await run(request(server), `prlimit --fsize=100000 "$@" > '${path}'`)
    expect(stderr).toMatch(oneLine('ERR_OUTPUT_SPACE'))
    expect([code, digestOf(readFileSync(path))]).toEqual([7, digestOf(Buffer.from(whole).subarray(0, 100_000))])
  })

  // below 24 Node itself does not start
  test.each(isSoak ? Array.from({ length: 40 }, (_, n) => 24 + n) : [28])(
    'on open files: with %i it is exit 7 or all is well',
    async (files) => {
      const server = await emulate(list)
      const path = join(temporaryDirectory(), 'out.csv')
      const { code, stderr } = await run(request(server, '--out', path), `prlimit --nofile=${files} "$@"`)
      if (code === 0) return
      expect([code, existsSync(path)]).toEqual([7, false])
      expect(stderr).toMatch(oneLine('ERR_OUTPUT_RESOURCES'))
    },
  )

  test('on open files that comes in the middle is exit 7, and the same command goes on', async () => {
    const server = await emulate(list)
    const path = join(temporaryDirectory(), 'out.ndjson')
    const paced = ['--account-requests', '2', '--rate-window', '500ms']
    const { child, ended } = start(request(server, '--out', path, ...paced))
    await until(() => existsSync(sideNames(path).checkpoint))
    // what is open stays open
    spawnSync('prlimit', ['--pid', String(child.pid), '--nofile=3'])
    const { code, stderr } = await ended
    expect(stderr).toMatch(oneLine('ERR_OUTPUT_RESOURCES'))
    expect([code, existsSync(path)]).toEqual([7, false])
    await expectGoesOn(server, path)
  })
})
