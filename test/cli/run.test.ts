import { EventEmitter } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Io } from '../../src/cli/io.js'
import type { TextOutput } from '../../src/cli/progress.js'
import { run } from '../../src/cli/run.js'
import {
  AuthError,
  DataError,
  InternalError,
  OutputError,
  ReaderGone,
  RequestError,
  UpstreamError,
} from '../../src/errors.js'
import type { ExportOptions } from '../../src/export/export.js'
import type { ExportReport } from '../../src/report.js'
import { version } from '../../src/version.js'
import { FakeClock } from '../helpers/clock.js'

const list = 'instant-messaging/members'
const report: ExportReport = {
  complete: true,
  resource: list,
  records: 2,
  recordsRead: 2,
  pages: 1,
  requests: 1,
  retries: 0,
  waitMs: 0,
  bodyBytes: 50,
  outputBytes: 40,
  elapsedMs: 1000,
  peakRssBytes: 1e6,
  output: 'x',
  format: 'ndjson',
  compression: 'none',
  parser: 'simd',
  parquetWriter: null,
  requestedResponseFormat: 'auto',
  responseFormat: 'stream',
  framing: 'envelope',
  fallback: null,
  resumedFrom: null,
  emptyPages: 0,
  partialPages: 0,
  countMismatches: 0,
  duplicates: null,
  manifest: null,
  digest: null,
  warnings: [],
}

class Process extends EventEmitter {
  readonly exits: number[] = []
  readonly clock = new FakeClock()
  exit(code: number): void {
    this.exits.push(code)
  }
}

interface Given {
  env?: NodeJS.ProcessEnv
  stdin?: string | ((process: Process) => Readable)
  isTTY?: boolean
  isStdoutClosed?: boolean
  export?: (options: ExportOptions, process: Process) => Promise<ExportReport>
}

/** Runs the command line with a library that only takes note of its options. */
async function cli(argv: string[], given: Given = {}) {
  const out = { stdout: '', stderr: '' }
  const process = new Process()
  let options: ExportOptions | undefined
  const output = (name: 'stdout' | 'stderr'): TextOutput => ({
    isTTY: given.isTTY ?? false,
    write: (text: string) => {
      out[name] += text
    },
  })
  const io: Io = {
    stdin: typeof given.stdin === 'function' ? given.stdin(process) : Readable.from([given.stdin ?? '']),
    stdout: output('stdout'),
    stderr: output('stderr'),
    env: given.env ?? { TRUTO_API_TOKEN: 'secret-of-env' },
    clock: process.clock,
    signals: process,
    isStdoutClosed: async () => given.isStdoutClosed ?? false,
    loadExport: async () => ({
      exportRecords: async (asked) => {
        options = asked
        return given.export === undefined ? report : given.export(asked, process)
      },
    }),
  }
  const exitCode = await run(argv, io)
  // signals are caught for as long as the export runs; once there was one, until the process ends
  const isStopped = options?.signal?.aborted === true || exitCode > 128
  if (!isStopped) expect(process.eventNames()).toEqual([])
  return { ...out, exitCode, options }
}

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'truto-export-run-'))
})
afterAll(() => rm(directory, { recursive: true }))

describe('what the library is asked for', () => {
  test('flags are its options', async () => {
    const { options, exitCode } = await cli([
      ...[list, '-a', 'acc', '--channel', 'C1', '-q', 'remote_query[types]=im', '-o', 'csv', '--key-by', 'id'],
      ...['--idle-timeout', '5s', '--exclude', 'bio,emails.type'],
    ])
    expect(exitCode).toBe(0)
    expect(options).toMatchObject({
      resource: list,
      account: 'acc',
      channel: 'C1',
      query: { remote_query: { types: 'im' } },
      format: 'csv',
      keyBy: 'id',
      idleTimeoutMs: 5000,
      exclude: ['bio', 'emails.type'],
      token: 'secret-of-env',
      out: '-',
    })
    expect(options).not.toHaveProperty('input')
    expect(options).not.toHaveProperty('quiet')
  })

  test('-q with several pairs is split where it came once', async () => {
    const once = await cli([list, '-q', 'a=1,b=2'])
    expect(once.options?.query).toEqual({ a: '1', b: '2' })
    const twice = await cli([list, '-q', 'a=1,b=2', '-q', 'c=3'])
    expect(twice.options?.query).toEqual({ a: '1,b=2', c: '3' })
  })

  test('convert reads a path or stdin, and needs no token', async () => {
    const file = await cli(['convert', 'page.json', '--out', 'x.parquet', '--resource', list], { env: {} })
    expect(file.options).toMatchObject({ input: 'page.json', resource: list, format: 'parquet' })
    const stdin = await cli(['convert', '-'], { env: {}, stdin: '{"id":"1"}' })
    const chunks: Uint8Array[] = []
    for await (const chunk of stdin.options!.input as AsyncIterable<Uint8Array>) chunks.push(chunk)
    expect(Buffer.concat(chunks).toString()).toBe('{"id":"1"}')
  })

  test('the token comes from a file, from stdin or from its flag, which warns', async () => {
    const path = join(directory, 'token')
    await writeFile(path, 'secret-of-file\n')
    expect((await cli([list, '--token-file', path])).options?.token).toBe('secret-of-file')
    expect((await cli([list, '--token-stdin'], { stdin: 'secret-of-stdin\n' })).options?.token).toBe('secret-of-stdin')
    const flag = await cli([list, '--token', 'secret-of-flag'])
    expect(flag.options?.token).toBe('secret-of-flag')
    expect(flag.stderr).toContain('warning: --token can be seen in the list of processes')
    expect(flag.stderr).not.toContain('secret-of-flag')
  })

  test('the key of --redact-key-file is read without its line end, the variable holds the key itself', async () => {
    const path = join(directory, 'key')
    await writeFile(path, 'a key of sixteen\n')
    const env = { TRUTO_API_TOKEN: 't', TRUTO_EXPORT_REDACT_KEY: 'another of sixteen' }
    const { options } = await cli([list, '--redact-key-file', path], { env })
    expect(Buffer.from(options!.redactKey as Uint8Array).toString()).toBe('a key of sixteen')
    expect((await cli([list], { env })).options?.redactKey).toBe('another of sixteen')
  })

  test('--ca is read, the library gets its text', async () => {
    const path = join(directory, 'ca.pem')
    await writeFile(path, 'PEM')
    expect((await cli([list, '--ca', path])).options?.ca).toBe('PEM')
    const missing = await cli([list, '--ca', join(directory, 'none')])
    expect(missing).toMatchObject({ exitCode: 2, options: undefined })
    expect(missing.stderr).toContain('for --ca: ENOENT')
  })
})

describe('what is printed where', () => {
  test('without --json stdout belongs to the data', async () => {
    const { stdout, stderr } = await cli([list, '--out', 'x'])
    expect(stdout).toBe('')
    expect(stderr).toContain('truto-export: 2 records in 1 page to x')
  })

  test('--json prints the report on stdout where --out is a file, else on stderr', async () => {
    const file = await cli([list, '--out', 'x', '--json', '--quiet'])
    expect(JSON.parse(file.stdout)).toEqual(report)
    expect(file.stderr).toBe('')
    const stdout = await cli([list, '--json', '--quiet'])
    expect(stdout.stdout).toBe('')
    expect(JSON.parse(stdout.stderr)).toEqual(report)
  })

  test('--quiet leaves errors only', async () => {
    expect((await cli([list, '--quiet'])).stderr).toBe('')
    const failed = await cli([list, '--quiet'], { export: () => Promise.reject(new DataError('ERR_SCHEMA', 'no')) })
    expect(failed.stderr).toMatch(/^truto-export: ERR_SCHEMA: no.*\n$/)
  })

  test('--verbose shows the details that the library tells', async () => {
    const tell = async ({ onEvent }: ExportOptions) => {
      onEvent!({ kind: 'detail', message: 'GET x 200' })
      return report
    }
    expect((await cli([list, '-v'], { export: tell })).stderr).toContain('truto-export: GET x 200\n')
    expect((await cli([list], { export: tell })).stderr).not.toContain('GET x')
  })

  test('help and version are on stdout', async () => {
    expect(await cli(['--version'])).toMatchObject({ exitCode: 0, stdout: `${version}\n`, stderr: '' })
    expect(await cli(['--help'])).toMatchObject({ exitCode: 0, stderr: '' })
  })

  test('Parquet and compressed bytes are not written to a terminal', async () => {
    for (const flags of [
      ['-o', 'parquet'],
      ['--compress', 'gzip'],
    ]) {
      const refused = await cli([list, ...flags], { isTTY: true })
      expect(refused).toMatchObject({ exitCode: 2, options: undefined })
      expect(refused.stderr).toContain('is not written to a terminal')
      expect((await cli([list, ...flags])).exitCode).toBe(0)
      expect((await cli([list, ...flags, '--out', 'x'], { isTTY: true })).exitCode).toBe(0)
    }
    expect((await cli([list], { isTTY: true })).exitCode).toBe(0)
  })

  test('colour is for terminals that want it', async () => {
    const warning = { code: 'w', message: 'm', count: 1 }
    const warn = async () => ({ ...report, warnings: [warning] })
    const stderr = async (env: NodeJS.ProcessEnv, isTTY = true) =>
      (await cli([list, '--out', 'x'], { env: { TRUTO_API_TOKEN: 'abc', ...env }, isTTY, export: warn })).stderr
    expect(await stderr({})).toContain('\u001b[33mwarning: m')
    expect(await stderr({ NO_COLOR: '1' })).not.toContain('\u001b[33m')
    expect(await stderr({ TERM: 'dumb' })).not.toContain('\u001b')
    expect(await stderr({}, false)).not.toContain('\u001b')
  })
})

/** The lines of a log, each an object with its members in order. */
function logOf(stderr: string): { level: string; event: string; message: string; fields: Record<string, unknown> }[] {
  return stderr
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const parsed = JSON.parse(line) as {
        level: string
        event: string
        message: string
        fields: Record<string, unknown>
      }
      expect(Object.keys(parsed)).toEqual(['time', 'level', 'event', 'message', 'fields'])
      return parsed
    })
}

describe('--log json', () => {
  test('every line is an object: events, warnings, the summary', async () => {
    const tell = async ({ onEvent }: ExportOptions) => {
      onEvent!({ kind: 'wait', page: 2, reason: 'a limit; waiting 3s', ms: 3000 })
      onEvent!({ kind: 'retry', page: 2, attempt: 2, error: new UpstreamError('ERR_SERVER', 'broke\u009b') })
      onEvent!({ kind: 'page', page: 2, records: 5, bytes: 7, framing: 'envelope' })
      return { ...report, warnings: [{ code: 'w', message: 'odd', count: 3 }] }
    }
    const flags = [list, '--log', 'json', '-v', '--token', 'abc', '--out', 'x.csv', '-o', 'ndjson', '--channel', 'A,B']
    const { stderr, exitCode } = await cli(flags, { export: tell, env: {} })
    expect(exitCode).toBe(0)
    const lines = logOf(stderr)
    expect(lines.map(({ level, event }) => `${level} ${event}`)).toEqual([
      ...['warn warning', 'warn warning', 'warn warning', 'info wait', 'warn retry', 'debug page', 'info summary'],
      'warn warning',
    ])
    expect(lines[3]!.fields).toEqual({ page: 2, reason: 'a limit; waiting 3s', ms: 3000 })
    expect(lines[4]!.fields).toMatchObject({ error: { code: 'ERR_SERVER', message: 'broke\\u{9b}' } })
    expect(lines[6]!.fields).toMatchObject({ records: 2, complete: true })
    expect(lines[7]).toMatchObject({ message: 'odd', fields: { code: 'w', count: 3 } })
    expect(stderr).not.toMatch(/\u001b|\u009b|abc/)
  })

  test('an error is one line, with its stack where that is wanted', async () => {
    const error = new DataError('ERR_SCHEMA', 'bad\nthing', { page: 3, recordIndex: 4, byteOffset: 5, left: 'gone' })
    const fail = () => Promise.reject(error)
    const [line, ...others] = logOf((await cli([list, '--log=json'], { export: fail })).stderr)
    expect(others).toEqual([])
    expect(line).toMatchObject({ level: 'error', event: 'error', message: error.toLine() })
    expect(line!.fields).toMatchObject({ code: 'ERR_SCHEMA', exit: 6, page: 3, record: 4, byte: 5, left: 'gone' })
    expect(line!.fields).not.toHaveProperty('stack')
    const [debugged] = logOf((await cli([list, '--log', 'json', '--debug'], { export: fail })).stderr)
    expect(debugged!.fields['stack']).toContain('DataError')
    // also where not even the arguments can be read, and under --quiet
    expect(logOf((await cli([list, '--nope', '--log', 'json'])).stderr)).toMatchObject([{ fields: { exit: 2 } }])
    expect(logOf((await cli([list, '--quiet', '--log', 'json'], { export: fail })).stderr)).toHaveLength(1)
  })

  test('a report that belongs on stderr is the summary, and no other line', async () => {
    expect(logOf((await cli([list, '--json', '--log', 'json'])).stderr).map(({ event }) => event)).toEqual(['summary'])
    const failed = await cli([list, '--json', '--log', 'json'], { export: () => Promise.reject(new Error('x')) })
    expect(logOf(failed.stderr)).toHaveLength(1)
  })

  test('progress is an object, too', async () => {
    const slow = async ({ progress }: ExportOptions, process: Process) => {
      progress!.records = 1234
      process.clock.advance(10_000)
      return report
    }
    const lines = logOf((await cli([list, '--log', 'json'], { export: slow, isTTY: true })).stderr)
    expect(lines.map(({ event }) => event)).toEqual(['progress', 'summary'])
    expect(lines[0]!.fields).toMatchObject({ records: 1234 })
  })
})

describe('--json of what failed', () => {
  const error = new UpstreamError('ERR_TIMEOUT', 'late', { page: 3, recordIndex: 4, byteOffset: 5, left: 'something' })
  const failing = async ({ onEvent }: ExportOptions): Promise<never> => {
    onEvent!({ kind: 'commit', records: 5, bytes: 100, partial: '_x.partial' })
    throw error
  }

  test('tells what the line tells, and the command that resumes it', async () => {
    const flags = ['--out', 'a file.ndjson', '--json', '--token', 'secret-of-flag', '--exclude', "it's"]
    const { stdout, stderr, exitCode } = await cli([list, ...flags], { export: failing })
    expect(exitCode).toBe(5)
    expect(stderr).toContain(`truto-export: ${error.toLine()}\n`)
    expect(stdout.endsWith('\n')).toBe(true)
    expect(JSON.parse(stdout)).toEqual({
      complete: false,
      code: 'ERR_TIMEOUT',
      exit: 5,
      class: 'UpstreamError',
      message: 'late',
      hint: error.hint,
      input: null,
      page: 3,
      record: 4,
      byte: 5,
      status: null,
      left: 'something',
      resume: `truto-export ${list} --out 'a file.ndjson' --json --token TOKEN --exclude 'it'\\''s'`,
    })
    expect(stdout + stderr).not.toContain('secret-of-flag')
  })

  test('where nothing is kept, or the cursor is gone, there is no command', async () => {
    const fresh = await cli([list, '--out', 'x', '--json'], { export: () => Promise.reject(error) })
    expect(JSON.parse(fresh.stdout)).toMatchObject({ resume: null })
    const expired = async (options: ExportOptions): Promise<never> => {
      await failing(options).catch(() => {})
      throw new DataError('ERR_CURSOR_EXPIRED', 'm')
    }
    const gone = await cli([list, '--out', 'x', '--json'], { export: expired })
    expect(JSON.parse(gone.stdout)).toMatchObject({ code: 'ERR_CURSOR_EXPIRED', resume: null })
  })

  test.each([
    [['--out', 'x', '--limit', '0'], 'stdout'],
    [['--limit', '0'], 'stderr'],
    [['--out=x', '--nope'], 'stdout'],
  ] as const)('%j says what is wrong on %s', async (flags, where) => {
    const refused = await cli([list, '--json', ...flags])
    const lines = refused[where].split('\n').filter((line) => line.startsWith('{'))
    expect(JSON.parse(lines[0]!)).toMatchObject({ exit: 2, class: 'ConfigError' })
    if (where === 'stderr') expect(refused.stdout).toBe('')
  })

  test('an export that was stopped says so, and how to resume it', async () => {
    const stopped = async (options: ExportOptions, process: Process): Promise<never> => {
      options.onEvent!({ kind: 'commit', records: 5, bytes: 100, partial: '_x.partial' })
      process.emit('SIGTERM')
      throw options.signal!.reason
    }
    const { stdout, exitCode } = await cli([list, '--out', 'x', '--json'], { export: stopped })
    expect(exitCode).toBe(143)
    expect(JSON.parse(stdout)).toMatchObject({
      code: 'SIGTERM',
      exit: 143,
      class: 'Stopped',
      left: expect.stringContaining('5 records are kept'),
      resume: `truto-export ${list} --out x --json`,
    })
  })

  test('what nobody expected, and a control character, are safe to print', async () => {
    const { stdout } = await cli([list, '--out', 'x', '--json'], {
      export: () => Promise.reject(new Error('\u009b31m')),
    })
    expect(stdout).not.toContain('\u009b')
    expect(JSON.parse(stdout)).toMatchObject({ code: 'ERR_INTERNAL', exit: 1 })
  })
})

describe('habits of other programs', () => {
  test('-o FILE is told what -o is', async () => {
    const { stderr, exitCode } = await cli([list, '-o', 'out.csv'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('-o is the format, and the path is --out "out.csv"')
  })

  test('a format or compression that the name denies is warned of, one that it does not say is not', async () => {
    expect((await cli([list, '-o', 'csv', '--out', 'x.json'])).stderr).toMatch(
      /warning: x\.json will hold csv, .*not json/,
    )
    expect((await cli([list, '--compress', 'none', '--out', 'x.csv.gz'])).stderr).toMatch(
      /warning: .* not be compressed/,
    )
    for (const flags of [
      ['-o', 'csv', '--out', 'x.csv'],
      ['-o', 'csv', '--out', 'x'],
      ['--out', 'x.csv.gz'],
    ]) {
      expect((await cli([list, ...flags])).stderr).not.toContain('warning')
    }
  })

  test('several ids in one, and one flag twice', async () => {
    expect((await cli([list, '--channel', 'A,B'])).stderr).toContain('warning: --channel takes one id')
    const twice = await cli([list, '--channel', 'A', '--channel', 'B'])
    expect(twice).toMatchObject({ exitCode: 2, options: undefined })
    expect(twice.stderr).toContain('--channel was given "A" and "B"')
  })

  test('several files, and stdin between them once', async () => {
    const several = await cli(['convert', 'a.json', 'b.json'])
    expect(several.options!.input).toEqual(['a.json', 'b.json'])
    const mixed = (await cli(['convert', 'a.json', '/dev/stdin'], { stdin: 'x' })).options!.input as unknown[]
    expect([mixed[0], typeof mixed[1]]).toEqual(['a.json', 'object'])
    const twice = await cli(['convert', '-', '/dev/stdin'])
    expect(twice).toMatchObject({ exitCode: 2, options: undefined })
  })
})

describe('how a run ends', () => {
  test.each([
    [new InternalError('ERR_INTERNAL', 'm'), 1],
    [new AuthError('ERR_UNAUTHORIZED', 'm'), 3],
    [new RequestError('ERR_NOT_FOUND', 'm'), 4],
    [new UpstreamError('ERR_CONNECT', 'm'), 5],
    [new DataError('ERR_SCHEMA', 'm'), 6],
    [new OutputError('ERR_OUTPUT_SPACE', 'm'), 7],
  ])('%o ends with %i', async (error, exitCode) => {
    expect(await cli([list], { export: () => Promise.reject(error) })).toMatchObject({ exitCode })
  })

  test('an error is one line: code, message, position, what is left, hint', async () => {
    const error = new DataError('ERR_SCHEMA', 'bad\nthing', { page: 3, recordIndex: 4, byteOffset: 5, left: 'gone' })
    const { stderr } = await cli([list], { export: () => Promise.reject(error) })
    expect(stderr).toBe(
      'truto-export: ERR_SCHEMA: bad\\u{a}thing [page 3, record 4, byte 5]; gone; the body is not a list that truto-export knows\n',
    )
  })

  test('--debug adds stacks and causes', async () => {
    const error = new DataError('ERR_SCHEMA', 'm', { cause: new Error('the cause') })
    const { stderr } = await cli([list, '--debug'], { export: () => Promise.reject(error) })
    expect(stderr).toMatch(/^truto-export: .*\n {2}DataError: m\n {6}at /)
    expect(stderr).toContain('  caused by Error: the cause\n')
  })

  test('a report without a stdout to print it on is refused before anything is asked for', async () => {
    const refused = await cli([list, '--out', 'x', '--json'], { isStdoutClosed: true })
    expect(refused).toMatchObject({ exitCode: 7, options: undefined })
    expect(refused.stderr).toMatch(/^truto-export: ERR_OUTPUT_ACCESS: stdout is closed.*\n$/)
    expect((await cli([list, '--out', 'x'], { isStdoutClosed: true })).exitCode).toBe(0)
  })

  test('what nobody expected is exit 1 with its stack', async () => {
    const { stderr, exitCode } = await cli([list], { export: () => Promise.reject(new TypeError('oops')) })
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/^truto-export: ERR_INTERNAL: TypeError: oops\n {2}TypeError: oops\n {6}at /)
  })

  test('a module that cannot be loaded for want of file descriptors is a lack of resources', async () => {
    const emfile = Object.assign(new Error("EMFILE: too many open files, open 'x.js'"), { code: 'EMFILE' })
    const { stderr, exitCode } = await cli([list], { export: () => Promise.reject(emfile) })
    expect(exitCode).toBe(7)
    expect(stderr).toMatch(/^truto-export: ERR_OUTPUT_RESOURCES: [^\n]*too many open files; [^\n]*\n$/)
  })

  test('a reader of stdout that leaves is a silent 141', async () => {
    const gone = await cli([list], { export: () => Promise.reject(new ReaderGone()) })
    expect(gone).toMatchObject({ exitCode: 141, stderr: '' })
  })

  test('bad options end with 2 before the library is asked', async () => {
    for (const argv of [[list, '--limit', '0'], [list, '--nope'], ['members']]) {
      const refused = await cli(argv)
      expect(refused).toMatchObject({ exitCode: 2, options: undefined, stdout: '' })
      expect(refused.stderr).toMatch(/^truto-export: ERR_OPTION_[A-Z]+: .*\n$/)
    }
  })

  test('where nothing is asked for, a short usage says what can be', async () => {
    const { stderr, stdout, exitCode } = await cli([])
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^Usage: truto-export/)
    expect(stderr).toContain('truto-export --help')
    expect(stderr.split('\n').length).toBeLessThan(20)
    expect(stderr).not.toContain('ERR_')
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ])('%s aborts the export and ends with %i, saying what is left', async (signal, exitCode) => {
    const hang = ({ signal: abort, progress }: ExportOptions, process: Process) =>
      new Promise<never>((_, reject) => {
        abort!.addEventListener('abort', () => reject(abort!.reason))
        progress!.records = 7
        process.emit(signal)
      })
    const twice = async (options: ExportOptions, process: Process): Promise<never> => {
      options.onEvent!({ kind: 'commit', records: 5, bytes: 100, partial: '_x.partial' })
      options.progress!.records = 7
      process.emit(signal)
      process.emit('SIGTERM') // a runner's own, on top of the terminal's
      expect(process.exits).toEqual([])
      process.clock.advance(301)
      process.emit('SIGTERM')
      expect(process.exits).toEqual([143])
      throw options.signal!.reason
    }
    // one line, and only the forced one: nothing of ours runs behind a real exit
    expect((await cli([list, '--out', 'x'], { export: twice })).stderr).toBe(
      'truto-export: stopped at once by SIGTERM; 5 records are kept in _x.partial; to resume, run the same command again\n',
    )
    const committed = (options: ExportOptions, process: Process) => {
      options.onEvent!({ kind: 'commit', records: 5, bytes: 100, partial: '_x.partial' })
      return hang(options, process)
    }
    expect((await cli([list, '--out', 'x'], { export: committed })).stderr).toBe(
      `truto-export: stopped by ${signal}; 5 records are kept in _x.partial; to resume, run the same command again\n`,
    )
    const file = await cli([list, '--out', 'x'], { export: hang })
    expect(file).toMatchObject({
      exitCode,
      stdout: '',
      stderr: `truto-export: stopped by ${signal}; nothing was published as x\n`,
    })
    expect((await cli([list], { export: hang })).stderr).toBe(
      `truto-export: stopped by ${signal}; 7 records were written\n`,
    )
  })

  test('a token command gives the token, and another one when it is asked again', async () => {
    const given: unknown[] = []
    const twice = async ({ token, refreshToken }: ExportOptions) => {
      given.push(token, await refreshToken!({ signal: new AbortController().signal }))
      return report
    }
    const { exitCode } = await cli([list, '--token-command', 'echo of-the-command'], { env: {}, export: twice })
    expect([exitCode, given]).toEqual([0, ['of-the-command', 'of-the-command']])
    const { options } = await cli([list])
    expect(options!.refreshToken).toBeUndefined()
  })

  test('a token that does not come from stdin does not hold up a signal', async () => {
    let stdin: Readable | undefined
    const stopped = await cli([list, '--out', 'x', '--token-stdin'], {
      stdin: (process) => {
        stdin = new Readable({ read: () => void setImmediate(() => process.emit('SIGTERM')) })
        return stdin
      },
    })
    expect(stopped).toMatchObject({
      exitCode: 143,
      stderr: 'truto-export: stopped by SIGTERM; nothing was published as x\n',
      options: undefined,
    })
    // nor the process, which would wait for it
    expect(stdin!.destroyed).toBe(true)
  })

  test('an export that was whole before the signal is a success', async () => {
    const late = async (_: ExportOptions, process: Process) => {
      process.emit('SIGINT')
      return report
    }
    expect(await cli([list], { export: late })).toMatchObject({ exitCode: 0 })
  })
})
