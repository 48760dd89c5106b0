import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MiB } from '../../src/bytes/units.js'
import { ConfigError, type ExportError } from '../../src/errors.js'
import type { GivenOptions } from '../../src/options/given-options.js'
import { resolveExportFlags, resolveFlags, resolveOptions } from '../../src/options/resolve.js'
import { emulatorTable } from '../../src/options/schema.js'

const resource = 'instant-messaging/members'
const code = (given: GivenOptions, env: NodeJS.ProcessEnv = {}) =>
  resolveOptions({ resource, token: 'secret-token', ...given }, { env })
const flags = (texts: Record<string, unknown>, env: NodeJS.ProcessEnv = {}) =>
  resolveExportFlags('export', { resource, ...texts }, env)

function lineOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as ExportError).exitCode).toBe(2)
    return (error as ExportError).toLine()
  }
  throw new Error('nothing was thrown')
}

describe('where a value comes from', () => {
  test('a flag goes before the environment, the environment before the default', () => {
    const env = { TRUTO_API_BASE_URL: 'https://env.example' }
    expect(flags({ apiUrl: 'https://flag.example' }, env).options.apiUrl).toBe('https://flag.example')
    expect(flags({}, env).options.apiUrl).toBe('https://env.example')
    expect(flags({}).options.apiUrl).toBe('https://api.truto.one')
  })

  test('code goes before the environment, and null in code is as good as absent', () => {
    const env = { TRUTO_API_TOKEN: 'from-env' }
    expect(code({}, env).token).toBe('secret-token')
    expect(code({ token: null }, env).token).toBe('from-env')
    expect(code({ token: undefined }, env).token).toBe('from-env')
  })

  test('an empty variable is as good as none', () => {
    expect(flags({}, { TRUTO_API_BASE_URL: '' }).options.apiUrl).toBe('https://api.truto.one')
  })

  test('a bad value of the environment is named by its variable', () => {
    expect(lineOf(() => flags({}, { TRUTO_API_BASE_URL: 'truto' }))).toContain(
      'TRUTO_API_BASE_URL does not accept "truto"; it takes an https URL',
    )
  })
})

describe('texts of the command line', () => {
  test.each([
    ['maxRecordBytes', '2MiB', 2 * 1024 * 1024],
    ['maxRecordBytes', '1000000', 1_000_000],
    ['idleTimeoutMs', '1.5s', 1500],
    ['maxWaitMs', '0', 0],
    ['limit', '200', 200],
    ['csvDelimiter', '\\t', '\t'],
    ['csvDelimiter', ';', ';'],
  ])('%s reads %j', (name, text, value) => {
    expect(flags({ [name]: text }).options).toMatchObject({ [name]: value })
  })

  test.each([
    ['a,b', ['a', 'b']],
    [
      ['a,b', 'c'],
      ['a', 'b', 'c'],
    ],
    ['emails.type, phones', ['emails.type', 'phones']],
    ['a\\.b,c', ['a\\.b', 'c']],
    ['a\\,b,c', ['a,b', 'c']],
    ['a\\\\,b', ['a\\\\', 'b']],
    [',,', []],
  ])('--exclude %j gives its names and leaves the escapes of dots to who reads the paths', (text, names) => {
    expect(flags({ exclude: text }).options.exclude).toEqual(names)
  })

  test.each([
    [
      'maxRecordBytes',
      '1TiB',
      '--max-record-bytes does not accept "1TiB"; it takes a size from 1KiB to 512MiB, such as 16MiB',
    ],
    [
      'idleTimeoutMs',
      '30',
      '--idle-timeout does not accept "30"; it takes a time from 1ms to 24h, such as 500ms, 30s or 10m',
    ],
    ['limit', '0', '--limit does not accept 0; it takes a whole number from 1'],
    ['limit', '1e3', '--limit does not accept "1e3"'],
    ['limit', '-1', '--limit does not accept -1'],
    ['maxDepth', '1001', '--max-depth does not accept 1001; it takes a whole number from 1 to 1000'],
    ['format', 'xml', '--output does not accept "xml"; it takes one of ndjson, json, csv, parquet'],
    ['csvDelimiter', ';;', '--csv-delimiter does not accept ";;"; it takes one character'],
    ['csvQuote', '\n', '--csv-quote does not accept'],
    ['out', '', '--out does not accept ""; it takes text that is not empty'],
    ['out', 'a\0b', '--out does not accept'],
    ['apiUrl', 'ftp://x', '--api-url does not accept "ftp://x"; it takes an https URL'],
    ['resource', 'members', '"members" is no resource; write model/resource'],
    ['resource', 'a/b/c', '"a/b/c" is no resource'],
  ])('%s refuses %j and says what it takes', (name, text, line) => {
    expect(lineOf(() => flags({ [name]: text }))).toContain(`ERR_OPTION_INVALID: ${line}`)
  })

  test('a message shows control characters as escapes and long values shortened', () => {
    const line = lineOf(() => flags({ format: `\u001b[31m${'x'.repeat(200)}` }))
    expect(line).not.toContain('\u001b')
    expect(line).toContain('...')
    expect(line.length).toBeLessThan(220)
  })

  test('the password of a URL is in no message', () => {
    expect(lineOf(() => flags({ apiUrl: 'htp://user:hunter2@host' }))).not.toContain('hunter2')
  })
})

describe('values in code', () => {
  test('are taken as they are, and messages name the property', () => {
    expect(code({ maxRecordBytes: 4096 }).maxRecordBytes).toBe(4096)
    expect(lineOf(() => code({ maxRecordBytes: '4096' as never }))).toContain(
      'maxRecordBytes does not accept "4096"; it takes a whole number of bytes from 1KiB to 512MiB',
    )
    expect(lineOf(() => code({ strict: 'yes' as never }))).toContain(
      'strict does not accept "yes"; it takes true or false',
    )
    expect(lineOf(() => code({ limit: 1.5 }))).toContain('limit does not accept 1.5')
    expect(lineOf(() => code({ limit: Number.NaN }))).toContain('limit does not accept NaN')
    expect(lineOf(() => code({ exclude: 'a,b' as never }))).toContain(
      'exclude does not accept "a,b"; it takes an array of names',
    )
    expect(lineOf(() => code({ query: new Map() as never }))).toContain('query does not accept this object')
    expect(lineOf(() => code({ account: Object.create(null) }))).toContain('account does not accept this object')
  })

  test('an object is a channel or a workspace in bracket form', () => {
    expect(code({ channel: { id: 'C1', type: 'im' } }).channel).toEqual({ id: 'C1', type: 'im' })
    expect(code({ workspace: 'T1' }).workspace).toBe('T1')
  })

  test.each([
    ['maxRecordByte', 'maxRecordBytes'],
    ['fromat', 'format'],
    ['apiURL', 'apiUrl'],
    ['progressMode', undefined],
    ['frobnicate', undefined],
  ])('an unknown property %s is an error that names the nearest', (name, nearest) => {
    const line = lineOf(() => code({ [name]: 1 }))
    expect(line).toContain(`ERR_OPTION_UNKNOWN: there is no option "${name}"`)
    expect(/did you mean (\w+)\?/.exec(line)?.[1]).toBe(nearest)
  })

  test('names of the prototype are no options', () => {
    expect(lineOf(() => code(JSON.parse('{"__proto__":1}')))).toContain('ERR_OPTION_UNKNOWN')
    expect(lineOf(() => code({ constructor: 1 } as never))).toContain('ERR_OPTION_UNKNOWN')
  })

  test('the result and its lists are frozen, and the given list is not touched', () => {
    const exclude = ['a']
    const resolved = code({ exclude })
    expect(Object.isFrozen(resolved) && Object.isFrozen(resolved.exclude)).toBe(true)
    exclude.push('b')
    expect(resolved.exclude).toEqual(['a'])
  })
})

describe('what is required', () => {
  test('a resource and a token, unless records come from a file', () => {
    expect(lineOf(() => resolveOptions({ token: 't' }, { env: {} }))).toContain(
      'ERR_OPTION_MISSING: resource is missing',
    )
    expect(lineOf(() => resolveOptions({ resource }, { env: {} }))).toContain('ERR_TOKEN_MISSING')
    expect(resolveOptions({}, { env: {}, hasInput: true })).toMatchObject({ resource: null, token: null })
    expect(lineOf(() => resolveExportFlags('export', {}, {}))).toContain('MODEL/RESOURCE is missing')
    expect(resolveExportFlags('convert', { input: 'x.json' }, {}).cli.input).toBe('x.json')
  })

  test.each(['tok\n', 'tok\r\n', '\r\ntok\n\n'])('the token %j has no line ends around it', (token) => {
    expect(code({ token: null }, { TRUTO_API_TOKEN: token }).token).toBe('tok')
    expect(code({ token }).token).toBe('tok')
    expect(resolveExportFlags('export', { resource }, { TRUTO_API_TOKEN: token }).options.token).toBe('tok')
  })

  test.each(['a b', 'a\r\nx: y', 'tökén', '', '\n'])('the token %j is refused without being shown', (token) => {
    const line = lineOf(() => code({ token }))
    expect(line).toMatch(/ERR_TOKEN_INVALID|token does not accept the given value/)
    if (token) expect(line).not.toContain(token)
  })
})

describe('format and compression', () => {
  test.each([
    ['-', 'ndjson', 'none'],
    ['x', 'ndjson', 'none'],
    ['dir.csv/x', 'ndjson', 'none'],
    ['x.ndjson', 'ndjson', 'none'],
    ['x.jsonl.gz', 'ndjson', 'gzip'],
    ['x.json', 'json', 'none'],
    ['a.b.CSV', 'csv', 'none'],
    ['x.csv.gz', 'csv', 'gzip'],
    ['x.csv.zst', 'csv', 'zstd'],
    ['x.parquet', 'parquet', 'none'],
    ['x.gz', 'ndjson', 'gzip'],
    ['x.constructor', 'ndjson', 'none'],
  ])('--out %s is %s, compressed with %s', (out, format, compress) => {
    expect(flags({ out }).options).toMatchObject({ format, compress })
  })

  test.each([
    ['x.ndjson', 64 * MiB],
    ['x.ndjson.gz', 64 * MiB],
    ['x.ndjson.zst', 256 * MiB],
  ])('the distance between commits of %s is %d bytes, where none is given', (out, commitBytes) => {
    expect(flags({ out }).options.commitBytes).toBe(commitBytes)
    expect(flags({ out, commitBytes: '1MiB' }).options.commitBytes).toBe(MiB)
  })

  test('what is asked for goes before the extension', () => {
    expect(flags({ out: 'x.csv.gz', format: 'ndjson', compress: 'none' }).options).toMatchObject({
      format: 'ndjson',
      compress: 'none',
    })
  })

  test('Parquet is not compressed as a whole', () => {
    expect(lineOf(() => flags({ out: 'x.parquet.gz' }))).toContain('use --parquet-compression')
    expect(lineOf(() => code({ format: 'parquet', compress: 'zstd' }))).toContain('use parquetCompression')
  })
})

describe('options that belong together', () => {
  test.each([
    [{}, 'keep'],
    [{ format: 'csv' }, 'keep'],
    [{ format: 'json' }, 'error'],
    [{ format: 'json', keyByDuplicate: 'first' }, 'first'],
  ] as const)('of %j a repeated key means %s', (given, policy) => {
    expect(code(given).keyByDuplicate).toBe(policy)
  })

  test.each([
    [{ csvNull: 'a,b' }, '--csv-null "a,b" has the delimiter in it'],
    [{ csvNull: '7' }, '--csv-null "7" is a value that a cell may have'],
    [{ csvEscape: 'backslash', csvQuote: '\\' }, '--csv-quote and --csv-escape are both a backslash'],
    [{ csvDelimiter: '"' }, '--csv-delimiter and --csv-quote are the same'],
    [{ backoffBaseMs: '2s', backoffMaxMs: '1s' }, '--backoff-max 1s is less than --backoff-base 2s'],
    [{ maxRecordBytes: '512MiB' }, '4 records of --max-record-bytes 512MiB do not fit into --max-memory 256MiB'],
    [
      { maxRecordBytes: '26MiB', format: 'parquet' },
      '10 records of --max-record-bytes 26MiB do not fit into --max-memory 256MiB',
    ],
  ])('%j is refused', (texts, line) => {
    expect(lineOf(() => flags(texts))).toContain(line)
  })
})

test('options of the emulator have no influence on those of an export', () => {
  expect(resolveFlags(emulatorTable, 'emulator', { members: '5', remoteData: false }, {})).toMatchObject({
    members: 5,
    remoteData: false,
    pageSize: 200,
  })
})

test('what was resolved resolves to itself', () => {
  const given = fc.record(
    {
      out: fc.constantFrom('-', 'x.csv', 'x.csv.gz', 'x.json', 'x.parquet', 'x'),
      format: fc.constantFrom('ndjson', 'json', 'csv', null),
      keyByDuplicate: fc.constantFrom('keep', 'first', null),
      limit: fc.option(fc.integer({ min: 1 })),
      maxWaitMs: fc.integer({ min: 0, max: 86_400_000 }),
      exclude: fc.array(fc.string({ minLength: 1 })),
      query: fc.option(fc.dictionary(fc.string({ minLength: 1 }), fc.string())),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(given, (options) => {
      const once = code(options as GivenOptions)
      expect(resolveOptions(once, { env: {} })).toEqual(once)
    }),
    { numRuns: process.env['TRUTO_EXPORT_SOAK'] === '1' ? 20_000 : 300 },
  )
})

test('columns of Parquet take a share of the memory, those of other formats none', () => {
  const columns = (given: GivenOptions): number =>
    resolveOptions({ resource: 'a/b', token: 't', ...given }, { env: {} }).maxColumns
  const MiB = 1024 * 1024
  expect(columns({})).toBe(10_000)
  expect(columns({ format: 'parquet' })).toBe(10_000)
  expect(columns({ format: 'parquet', maxMemoryBytes: 64 * MiB })).toBe(2520)
  expect(columns({ format: 'csv', maxMemoryBytes: 64 * MiB })).toBe(10_000)
  expect(columns({ format: 'parquet', maxColumns: 20_000, maxMemoryBytes: 600 * MiB })).toBe(20_000)
  expect(() => columns({ format: 'parquet', maxColumns: 20_000 })).toThrow(
    expect.objectContaining({
      code: 'ERR_OPTION_INVALID',
      message: expect.stringContaining('20000 columns of Parquet'),
    }),
  )
  expect(columns({ format: 'csv', maxColumns: 20_000 })).toBe(20_000)
})
