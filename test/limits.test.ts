// Every limit of the option table: where it is hit, its error names it, and raising it lets the same list through. A
// limit without a row here fails.

import net from 'node:net'
import tls from 'node:tls'
import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { EmulatorOptions } from '../src/emulator/emulator.js'
import type { Fault } from '../src/emulator/faults.js'
import { type ErrorCode, ExportError } from '../src/errors.js'
import { type ExportOptions, exportRecords } from '../src/export/export.js'
import { exportTable, type OptionTable } from '../src/options/schema.js'
import { emulate, type Outcome, requestOf, run, temporaryDirectory, token } from './faults/harness.js'
import { rootCertificate, serverCertificate, serverKey } from './http/certificates.js'

type Name = keyof typeof exportTable

interface Limit {
  readonly name: Name
  /** A value that the list does not fit in, and one that it does. */
  readonly low: number
  readonly high: number
  readonly code: ErrorCode
  readonly exit: number
  /** What the error line says. Default: the flag. */
  readonly says?: RegExp
  readonly emulator?: EmulatorOptions
  readonly options?: Partial<ExportOptions>
  /** The clock moves on in such steps while a request that was struck is in flight. */
  readonly stepMs?: number
  /** In place of an export from the emulator. */
  readonly exports?: (options: Partial<ExportOptions>) => Promise<Pick<Outcome, 'error' | 'report'>>
}

const list = (records: string): string => `{"result":[${records}],"next_cursor":null}`
const body = (text: string | Uint8Array, headers: Record<string, string> = {}): EmulatorOptions => ({
  faults: [{ kind: 'body', body: text, headers, attempt: 'every' }],
})
const every = (...faults: Fault[]): EmulatorOptions => ({
  faults: faults.map((fault) => ({ ...fault, attempt: 'every' })),
})
const nested = (depth: number): string => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`
const data = { exit: 6, options: { responseFormat: 'unified' } } as const
const away = { exit: 5, options: { tries: 1 } } as const

const limits: readonly Limit[] = [
  { name: 'maxDepth', ...data, low: 12, high: 30, code: 'ERR_DEPTH', emulator: body(list(nested(20))) },
  {
    name: 'maxRecordBytes',
    ...data,
    low: 1024,
    high: 4096,
    code: 'ERR_RECORD_TOO_LARGE',
    emulator: body(list(`{"id":"${'a'.repeat(3000)}"}`)),
  },
  {
    name: 'maxMemoryBytes',
    ...data,
    low: 64 << 20,
    high: 128 << 20,
    code: 'ERR_RECORD_TOO_LARGE',
    // a record may take an eighth of the memory
    says: /8388608.*--max-record-bytes/,
    emulator: body(list(`{"id":"${'a'.repeat(9 << 20)}"}`)),
  },
  {
    name: 'maxCursorBytes',
    ...data,
    low: 1000,
    high: 10_000,
    code: 'ERR_CURSOR',
    emulator: { paging: { cursor: 'long' } },
  },
  {
    name: 'maxDecodedRatio',
    ...data,
    low: 100,
    high: 2000,
    code: 'ERR_LIMIT',
    emulator: body(gzipSync(list(' '.repeat(2 << 20))), { 'content-encoding': 'gzip' }),
  },
  {
    name: 'maxEmptyPages',
    ...data,
    low: 2,
    high: 3,
    code: 'ERR_CURSOR',
    emulator: { members: 12, paging: { emptyPages: [2, 3] } },
  },
  { name: 'maxPages', ...data, low: 1, high: 2, code: 'ERR_LIMIT' },
  { name: 'maxRecords', ...data, low: 5, high: 6, code: 'ERR_LIMIT' },
  { name: 'maxBytes', ...data, low: 3000, high: 100_000, code: 'ERR_LIMIT' },
  {
    name: 'maxKeyBytes',
    exit: 6,
    options: { keyBy: 'id', keyByDuplicate: 'error', exclude: ['remote_data'] },
    low: 64 << 10,
    high: 1 << 20,
    code: 'ERR_LIMIT',
    emulator: { members: 5000, pageSize: 5000 },
  },
  {
    name: 'maxColumns',
    exit: 6,
    options: { format: 'csv', csvNested: 'flatten', csvFlattenSlots: 10 },
    low: 100,
    high: 500,
    code: 'ERR_LIMIT',
  },
  {
    name: 'headTimeoutMs',
    ...away,
    low: 5_000,
    high: 60_000,
    code: 'ERR_TIMEOUT',
    says: /within 5s/,
    emulator: every({ kind: 'stall', at: 'head', ms: 20_000 }),
    stepMs: 1_000,
  },
  {
    name: 'idleTimeoutMs',
    ...away,
    low: 5_000,
    high: 60_000,
    code: 'ERR_TIMEOUT',
    says: /nothing for 5s/,
    emulator: every({ kind: 'stall', at: 12, ms: 20_000 }),
    stepMs: 1_000,
  },
  {
    name: 'pageTimeoutMs',
    ...away,
    low: 20_000,
    high: 300_000,
    code: 'ERR_TIMEOUT',
    says: /no record was finished in 20000 ms/,
    emulator: {
      members: 3,
      ...every(
        { kind: 'body', body: list(`${' '.repeat(10_000)}{"id":"1"}`) },
        { kind: 'drip', bytes: 200, everyMs: 1_000 },
      ),
    },
    stepMs: 1_000,
  },
  {
    name: 'maxWaitMs',
    exit: 5,
    low: 30_000,
    high: 90_000,
    code: 'ERR_RATE_LIMITED',
    says: /a wait of 1m, more than 30s/,
    emulator: { faults: [{ kind: 'status', status: 429, retryAfter: 60 }] },
  },
  {
    name: 'connectTimeoutMs',
    exit: 5,
    low: 20,
    high: 10_000,
    code: 'ERR_CONNECT',
    says: /within 20ms/,
    exports: exportOverSlowTls,
  },
  {
    name: 'tokenTimeoutMs',
    exit: 3,
    low: 20,
    high: 10_000,
    code: 'ERR_TOKEN_UNAVAILABLE',
    exports: exportWithSlowHook,
  },
]

describe('the limit', () => {
  const rows = limits.map((limit) => [(exportTable as OptionTable)[limit.name]!.flag!, limit] as const)

  test.each(rows)('%s', async (flag, limit) => {
    const { name, low, high, code, exit, says = new RegExp(flag), emulator, options, stepMs, exports } = limit
    const exportWith = (value: number): Promise<Pick<Outcome, 'error' | 'report'>> => {
      const given = { ...options, [name]: value }
      if (exports !== undefined) return exports(given)
      return run({ emulator: emulator ?? {}, options: given, ...(stepMs === undefined ? {} : { stepMs }) })
    }
    const hit = await exportWith(low)
    expect(hit.error).toBeInstanceOf(ExportError)
    const { code: hitCode, exitCode } = hit.error as ExportError
    expect([hitCode, exitCode]).toEqual([code, exit])
    expect((hit.error as ExportError).toLine()).toMatch(says)
    const passed = await exportWith(high)
    expect([passed.error, passed.report?.complete]).toEqual([undefined, true])
  })

  test('has a row here, whichever it is', () => {
    const isLimit = ([name, { group, kind }]: [string, OptionTable[string]]): boolean =>
      /^max|TimeoutMs$/.test(name) || (group === 'Parsing and limits' && kind !== 'enum')
    const names = Object.entries(exportTable as OptionTable)
      .filter(isLimit)
      .map(([name]) => name)
    expect(limits.map(({ name }) => name as string).sort()).toEqual(names.sort())
  })

  test.each(rows)('%s has a default that real lists fit in', async (_, { name }) => {
    const { error } = await run({ options: { [name]: (exportTable as OptionTable)[name]!.default as number } })
    expect(error).toBeUndefined()
  })
})

/** An export whose token is refused once, with a hook that takes a while. */
async function exportWithSlowHook(options: Partial<ExportOptions>): Promise<Pick<Outcome, 'error' | 'report'>> {
  const server = await emulate({ faults: [{ kind: 'status', status: 401, page: 2 }] })
  const refreshToken = () => new Promise<string>((resolve) => setTimeout(() => resolve(token), 200))
  const out = `${temporaryDirectory()}/out.ndjson`
  try {
    const report = await exportRecords({ ...requestOf(server), out, refreshToken, ...options } as ExportOptions)
    return { report, error: undefined }
  } catch (error) {
    return { report: undefined, error }
  }
}

/** An export from a server that takes a connection at once and begins TLS on it a while later. */
async function exportOverSlowTls(options: Partial<ExportOptions>): Promise<Pick<Outcome, 'error' | 'report'>> {
  const page = list('{"id":"1","name":"n"}')
  const secure = tls.createServer({ key: serverKey, cert: serverCertificate }, (socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.end(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${page.length}\r\n\r\n${page}`)
    })
  })
  secure.on('tlsClientError', () => {})
  const sockets: net.Socket[] = []
  const server = net.createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    setTimeout(() => secure.emit('connection', socket), 200)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  try {
    const report = await exportRecords({
      resource: 'instant-messaging/members',
      token,
      apiUrl: `https://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
      ca: rootCertificate,
      out: `${temporaryDirectory()}/out.ndjson`,
      responseFormat: 'unified',
      tries: 1,
      ...options,
    })
    return { report, error: undefined }
  } catch (error) {
    return { report: undefined, error }
  }
}
