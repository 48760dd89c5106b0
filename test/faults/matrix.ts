// The cases of the fault matrix as data: what goes wrong between a server and an output, and what is owed then.
// `rows.ts` says to which row each belongs; the number in front of an id is that of the row's group.

import { brotliCompressSync, gzipSync } from 'node:zlib'
import type { EmulatorOptions } from '../../src/emulator/emulator.js'
import type { Fault } from '../../src/emulator/faults.js'
import type { ErrorCode } from '../../src/errors.js'
import type { ExportOptions } from '../../src/export/export.js'
import type { JsonValue } from '../../src/record.js'
import { membersText, type Outcome, token, usual } from './harness.js'

/** A complete output. */
export interface OwedOutput {
  /** Default: all members as the emulator renders them. */
  readonly output?: string
  readonly requests: number
  /** Default 0. */
  readonly retries?: number
  /** Codes of the warnings, all of them. Default none. */
  readonly warnings?: readonly string[]
  /** Default true. */
  readonly complete?: true | 'unproven'
  /** The one wait, from and to, in ms. */
  readonly wait?: readonly [number, number]
}

/** An error and nothing under the final name. */
export interface OwedError {
  readonly code: ErrorCode
  readonly exit: number
  readonly requests: number
  /** Number of the page, null where the error has none. Default 1. */
  readonly page?: number | null
  readonly record?: number
  readonly byte?: number
  /** What the one line has to say. */
  readonly says?: RegExp
}

export interface FaultCase {
  readonly id: string
  /** Members and page size are `usual` unless said otherwise. */
  readonly emulator?: EmulatorOptions
  readonly options?: Partial<ExportOptions>
  /** Name of the output. Default `out.ndjson`. */
  readonly file?: string
  /** The clock moves on in such steps while a request that was struck is in flight. */
  readonly stepMs?: number
  /** With every event of the export the wall clock jumps by so much, back and forth in turn. */
  readonly wallJumpMs?: number
  readonly owed: OwedOutput | OwedError
  /** What else has to hold; throws where it does not. */
  readonly also?: (outcome: Outcome) => void
}

const unified: Partial<ExportOptions> = { responseFormat: 'unified' }
const list = (records: string, rest = ',"next_cursor":null'): string => `{"result":[${records}]${rest}}`
/** The only page of the list, each time it is asked for. */
const body = (text: string | Uint8Array, more: Partial<Extract<Fault, { kind: 'body' }>> = {}): Fault => ({
  kind: 'body',
  body: text,
  attempt: 'every',
  ...more,
})
const allFail = (fault: Fault): Partial<FaultCase> => ({ emulator: { faults: [{ ...fault, attempt: 'every' }] } })
const firstFails = (fault: Fault): Partial<FaultCase> => ({ emulator: { faults: [{ page: 1, ...fault }] } })

function requestsAsked(outcome: Outcome, ...cursors: (string | undefined)[]): void {
  const asked = outcome.emulator.log.map((entry) => entry.query['next_cursor'])
  if (JSON.stringify(asked) !== JSON.stringify(cursors)) throw new Error(`cursors asked for: ${JSON.stringify(asked)}`)
}

// 5.1

const statuses: FaultCase[] = [
  ...([400, 422, 410, 451] as const).map((status) => ({
    id: `5.1-${status}`,
    ...allFail({ kind: 'status', status, message: 'limit is wrong' }),
    owed: { code: 'ERR_REQUEST_REJECTED', exit: 4, requests: 1, says: /from Truto: limit is wrong/ } as const,
  })),
  {
    id: '5.1-404-remote',
    ...allFail({ kind: 'status', status: 404, message: 'channel_not_found', isRemote: true }),
    owed: { code: 'ERR_NOT_FOUND', exit: 4, requests: 1, says: /the provider behind Truto: channel_not_found/ },
  },
  {
    id: '5.1-400-huge-body',
    ...allFail({ kind: 'status', status: 400, body: 'x'.repeat(8 << 20) }),
    owed: { code: 'ERR_REQUEST_REJECTED', exit: 4, requests: 1 },
  },
  // page 1 was taken, and the cursor alone is different
  ...([400, 404, 410, 422] as const).flatMap((status) =>
    [false, true].map(
      (isRemote): FaultCase => ({
        id: `5.1-${status}-second-page${isRemote ? '-remote' : ''}`,
        ...allFail({ kind: 'status', status, page: 2, message: 'whatever the words', isRemote }),
        owed: {
          code: 'ERR_CURSOR_EXPIRED',
          exit: 6,
          requests: 2,
          page: 2,
          says: /the cursor of page 2 was refused: .*whatever the words.*3 records are kept in .*\.partial;.*--restart/,
        },
      }),
    ),
  ),
  ...([401, 403, 451] as const).map(
    (status): FaultCase => ({
      id: `5.1-${status}-second-page`,
      ...allFail({ kind: 'status', status, page: 2 }),
      owed: {
        code: status === 401 ? 'ERR_UNAUTHORIZED' : status === 403 ? 'ERR_FORBIDDEN' : 'ERR_REQUEST_REJECTED',
        exit: status === 451 ? 4 : 3,
        requests: 2,
        page: 2,
        says: /the same command goes on/,
      },
    }),
  ),
  // what page 1 was taken as is something else
  {
    id: '5.1-400-second-page-as-unified',
    emulator: {
      faults: [
        { kind: 'body', body: '[{"id":"1"}]', page: 2 },
        { kind: 'status', status: 400, page: 2, attempt: 2 },
      ],
    },
    owed: { code: 'ERR_REQUEST_REJECTED', exit: 4, requests: 3, page: 2 },
  },
  {
    id: '5.1-400-own-cursor',
    emulator: { paging: { cursor: 'number' }, faults: [{ kind: 'status', status: 400, attempt: 'every' }] },
    options: { cursor: '2' },
    owed: { code: 'ERR_REQUEST_REJECTED', exit: 4, requests: 1, page: 1 },
  },
  ...['Invalid pageToken', 'Skiptoken is null or not valid', 'The page token value has expired'].map(
    (message, n): FaultCase => ({
      id: `5.1-400-own-cursor-said-so-${n}`,
      emulator: {
        paging: { cursor: 'number' },
        faults: [{ kind: 'status', status: 400, message, isRemote: true, attempt: 'every' }],
      },
      options: { cursor: '2' },
      owed: {
        code: 'ERR_CURSOR_EXPIRED',
        exit: 6,
        requests: 1,
        says: /token.*leave out --cursor to begin with the first page/i,
      },
    }),
  ),
  {
    id: '5.1-invalid-cursor',
    ...allFail({ kind: 'status', status: 400, page: 2, message: 'invalid_cursor', isRemote: true }),
    owed: {
      code: 'ERR_CURSOR_EXPIRED',
      exit: 6,
      requests: 2,
      page: 2,
      says: /3 records are kept in .*\.partial;.*--restart begins anew/,
    },
  },
  {
    id: '5.1-expired-cursor',
    emulator: {
      paging: { cursorTtlMs: 1000 },
      faults: [{ kind: 'status', status: 429, retryAfter: 60, page: 2 }],
    },
    owed: { code: 'ERR_CURSOR_EXPIRED', exit: 6, requests: 3, page: 2 },
  },
  { id: '5.1-401', options: { token: 'another-token' }, owed: { code: 'ERR_UNAUTHORIZED', exit: 3, requests: 1 } },
  {
    id: '5.1-401-mid-export',
    emulator: { faults: [{ kind: 'reauth', page: 2 }] },
    owed: { code: 'ERR_UNAUTHORIZED', exit: 3, requests: 2, page: 2, says: /connected anew/ },
  },
  {
    id: '5.1-403',
    ...allFail({ kind: 'status', status: 403, message: 'missing scope' }),
    owed: { code: 'ERR_FORBIDDEN', exit: 3, requests: 1, says: /missing scope/ },
  },
  ...[408, 425, 500, 502, 504, 520, 525, 530].flatMap((status): FaultCase[] => [
    {
      id: `5.1-${status}-once`,
      ...firstFails({ kind: 'status', status, page: 2 }),
      owed: { requests: 3, retries: 1 },
    },
    {
      id: `5.1-${status}-for-ever`,
      ...allFail({ kind: 'status', status, page: 2 }),
      owed: { code: 'ERR_SERVER', exit: 5, requests: 7, page: 2, says: /6 tries/ },
    },
  ]),
  {
    id: '5.1-502-html',
    ...allFail({ kind: 'status', status: 502, body: '<html>nginx</html>', headers: { 'content-type': 'text/html' } }),
    owed: { code: 'ERR_SERVER', exit: 5, requests: 6, says: /an HTML page/ },
  },
  {
    id: '5.1-503-gateway',
    ...firstFails({ kind: 'status', status: 503, body: 'upstream connect error', retryAfter: 3 }),
    owed: { requests: 3, retries: 1, wait: [3000, 3500] },
  },
  {
    id: '5.1-503-blocked',
    emulator: { blocked: true },
    owed: { code: 'ERR_ACCOUNT_BLOCKED', exit: 5, requests: 2, says: /blocked account/ },
  },
  {
    id: '5.1-409-once',
    ...firstFails({ kind: 'status', status: 409 }),
    owed: { requests: 3, retries: 1 },
  },
  {
    id: '5.1-409-for-ever',
    ...allFail({ kind: 'status', status: 409 }),
    owed: { code: 'ERR_CONFLICT', exit: 4, requests: 2 },
  },
]

/** A server that says what it was told. The harness looks for the token in everything. */
const echoes: FaultCase[] = [
  {
    id: '5.1-token-in-an-error',
    ...allFail({ kind: 'status', status: 400, message: `no such token: ${token}` }),
    owed: { code: 'ERR_REQUEST_REJECTED', exit: 4, requests: 1, says: /no such token: \[redacted\]/ },
  },
  {
    id: '5.1-token-in-a-raw-response',
    ...allFail({ kind: 'status', status: 500, message: token, isRemote: true }),
    options: { debugBodies: true },
    owed: { code: 'ERR_SERVER', exit: 5, requests: 6 },
  },
  {
    id: '5.1-token-in-a-redirect',
    ...allFail({ kind: 'redirect', to: `http://${token}.example/?token=${token}` }),
    owed: { code: 'ERR_REDIRECT', exit: 4, requests: 1 },
  },
  ...(['unified', 'auto'] as const).flatMap((responseFormat): FaultCase[] => [
    {
      id: `5.1-token-in-an-error-in-200-${responseFormat}`,
      ...allFail(
        body(
          JSON.stringify({ statusCode: 400, error: token, message: token, truto_error_insight: { a: { b: token } } }),
        ),
      ),
      options: { responseFormat },
      owed: { code: 'ERR_UPSTREAM_IN_BODY', exit: 6, requests: 1 },
    },
    {
      id: `5.1-token-in-a-key-${responseFormat}`,
      ...allFail(body(`{"${token}":1}`)),
      options: { responseFormat },
      owed: { code: 'ERR_SCHEMA', exit: 6, requests: responseFormat === 'auto' ? 2 : 1 },
    },
    {
      id: `5.1-token-in-bad-text-${responseFormat}`,
      ...allFail(body(`{"result":[{"id":"${token}"x}]}`)),
      options: { responseFormat, debugBodies: true },
      owed: { code: 'ERR_JSON_SYNTAX', exit: 6, requests: 2, says: /, near ".*\[redacted\]/ },
    },
  ]),
]

const rateLimits: FaultCase[] = [
  {
    id: '5.1-429-retry-after',
    ...firstFails({ kind: 'status', status: 429, retryAfter: 2, page: 2 }),
    owed: { requests: 3, retries: 1, wait: [2000, 2500] },
  },
  {
    id: '5.1-429-date',
    ...firstFails({ kind: 'status', status: 429, retryAfter: { inMs: 5000 } }),
    owed: { requests: 3, retries: 1, wait: [5000, 5500] },
  },
  {
    id: '5.1-429-past-date',
    ...firstFails({ kind: 'status', status: 429, retryAfter: { inMs: -60_000 } }),
    owed: { requests: 3, retries: 1, wait: [0, 500] },
  },
  {
    id: '5.1-429-garbage',
    ...firstFails({ kind: 'status', status: 429, retryAfter: 'soon' }),
    owed: { requests: 3, retries: 1, wait: [0, 500] },
  },
  {
    id: '5.1-429-ratelimit-reset',
    ...firstFails({ kind: 'status', status: 429, headers: { 'ratelimit-reset': '7' } }),
    owed: { requests: 3, retries: 1, wait: [7000, 7500] },
  },
  {
    id: '5.1-429-longest',
    ...firstFails({ kind: 'status', status: 429, headers: { 'ratelimit-reset': '3;w=10, 9;w=60' } }),
    owed: { requests: 3, retries: 1, wait: [9000, 9500] },
  },
  // Truto's documentation gives the order: Retry-After, then ratelimit-reset.
  {
    id: '5.1-429-both',
    ...firstFails({ kind: 'status', status: 429, retryAfter: 4, headers: { 'ratelimit-reset': '9' } }),
    owed: { requests: 3, retries: 1, wait: [4000, 4500] },
  },
  {
    id: '5.1-429-too-long',
    ...allFail({ kind: 'status', status: 429, retryAfter: 3600 }),
    owed: { code: 'ERR_RATE_LIMITED', exit: 5, requests: 1, says: /wait of 1h.*come back at 2026-01-01T01:00/ },
  },
  {
    id: '5.1-429-for-ever',
    ...allFail({ kind: 'status', status: 429, retryAfter: 1 }),
    owed: { code: 'ERR_RATE_LIMITED', exit: 5, requests: 6 },
  },
  {
    id: '5.1-rate-limits',
    emulator: { members: 120, pageSize: 1, rateLimits: true },
    owed: { requests: 120 },
  },
]

const answers: FaultCase[] = [
  {
    id: '5.1-html-200',
    ...allFail(body('<html>log in</html>', { contentType: 'text/html' })),
    options: unified,
    owed: { code: 'ERR_SCHEMA', exit: 6, requests: 1, says: /text\/html/ },
  },
  {
    id: '5.1-204',
    ...allFail({ kind: 'status', status: 204 }),
    options: unified,
    owed: { code: 'ERR_SCHEMA', exit: 6, requests: 1 },
  },
  {
    id: '5.1-206',
    ...allFail({ kind: 'status', status: 206 }),
    owed: { code: 'ERR_STATUS_UNEXPECTED', exit: 4, requests: 1 },
  },
  {
    id: '5.1-304',
    ...allFail({ kind: 'status', status: 304 }),
    owed: { code: 'ERR_STATUS_UNEXPECTED', exit: 4, requests: 1 },
  },
  {
    id: '5.1-interim',
    ...allFail({ kind: 'informational', count: 200 }),
    owed: { requests: 2 },
  },
  {
    id: '5.1-interim-100',
    ...allFail({ kind: 'informational', count: 3, status: 100 }),
    owed: { requests: 2 },
  },
  {
    id: '5.1-interim-storm',
    ...allFail({ kind: 'informational', count: 10_000_000 }),
    options: { tries: 1 },
    stepMs: 60_000,
    owed: { code: 'ERR_TIMEOUT', exit: 5, requests: 1 },
  },
  {
    id: '5.1-long-headers',
    ...allFail({ kind: 'headers', bytes: 20_000 }),
    owed: { code: 'ERR_PROTOCOL', exit: 5, requests: 1, says: /more than 16KiB of headers.*max-http-header-size/ },
  },
  // The parser drops the reason phrase piece by piece, whatever its length: nothing is held, so nothing has to be
  // refused.
  {
    id: '5.1-long-status-line',
    ...allFail({ kind: 'headers', bytes: 20_000, place: 'status-line' }),
    owed: { requests: 2 },
  },
  {
    id: '5.1-header-injection-account',
    emulator: { accounts: 'any' },
    options: { account: 'a\r\nX-Evil: 1\r\n\r\nGET /evil' },
    owed: { requests: 2 },
    also({ emulator }) {
      for (const { path, query, headers } of emulator.log) {
        if (path !== '/unified/instant-messaging/members' || 'x-evil' in headers)
          throw new Error('a header got through')
        if (query['integrated_account_id'] !== 'a\r\nX-Evil: 1\r\n\r\nGET /evil') throw new Error('the account changed')
      }
    },
  },
  {
    id: '5.1-header-injection-token',
    options: { token: 'a\r\nX-Evil: 1' },
    owed: { code: 'ERR_TOKEN_INVALID', exit: 2, requests: 0, page: null },
  },
  {
    id: '5.1-http-with-token',
    options: { apiUrl: 'http://192.0.2.1:1' },
    owed: { code: 'ERR_INSECURE_URL', exit: 2, requests: 0, page: null },
  },
]

// 5.2

const cutBeforeRecords: readonly { readonly name: string; readonly fault: Fault }[] = [
  { name: 'no-answer', fault: { kind: 'cut', at: 'head' } },
  { name: 'no-answer-rst', fault: { kind: 'cut', at: 'head', how: 'rst' } },
  { name: 'in-head', fault: { kind: 'cut', at: 'in-head' } },
  { name: 'chunked-fin', fault: { kind: 'cut', at: 12, transfer: 'chunked', connection: 'close' } },
  { name: 'chunked-rst', fault: { kind: 'cut', at: 12, transfer: 'chunked', how: 'rst' } },
  { name: 'chunk-head', fault: { kind: 'cut', at: 12, transfer: 'chunked', where: 'chunk-head' } },
  { name: 'boundary', fault: { kind: 'cut', at: 12, transfer: 'chunked', where: 'boundary', connection: 'close' } },
  { name: 'length-fin', fault: { kind: 'cut', at: 12, transfer: 'length' } },
  { name: 'length-rst', fault: { kind: 'cut', at: 12, transfer: 'length', how: 'rst' } },
  { name: 'close-delimited', fault: { kind: 'cut', at: 12, transfer: 'close' } },
  { name: 'close-delimited-rst', fault: { kind: 'cut', at: 12, transfer: 'close', how: 'rst' } },
  { name: 'in-record-0', fault: { kind: 'cut', at: 100, transfer: 'close' } },
  { name: 'early-end-gzip', fault: { kind: 'gzip', damage: 'cut', at: 30 } },
]

const transport: FaultCase[] = [
  ...cutBeforeRecords.flatMap(({ name, fault }): FaultCase[] => [
    { id: `5.2-${name}`, ...firstFails({ ...fault, page: 2 }), owed: { requests: 3, retries: 1 } },
    {
      id: `5.2-${name}-for-ever`,
      ...allFail(fault),
      owed: {
        code: /head|answer/.test(name) && name !== 'chunk-head' ? 'ERR_CONNECT' : 'ERR_BODY_TRUNCATED',
        exit: 5,
        requests: 6,
        says: /6 tries/,
      },
    },
  ]),
  ...(
    [
      ['chunked', { kind: 'cut', at: { record: 2 }, transfer: 'chunked', connection: 'close' }],
      ['chunked-rst', { kind: 'cut', at: { record: 2 }, transfer: 'chunked', how: 'rst' }],
      ['last-crlf', { kind: 'cut', transfer: 'chunked', where: 'last-crlf', connection: 'close' }],
      ['length', { kind: 'cut', at: { record: 2 }, transfer: 'length' }],
      ['close-delimited', { kind: 'cut', at: { record: 2 }, transfer: 'close' }],
      ['close-delimited-rst', { kind: 'cut', at: { record: 2 }, transfer: 'close', how: 'rst' }],
      // all of it has arrived: what follows on a document is no proof
      ['close-delimited-rst-at-the-end', { kind: 'cut', at: 'end', transfer: 'close', how: 'rst' }],
      ['content-length-too-big', { kind: 'content-length', by: 10 }],
      ['content-length-too-small', { kind: 'content-length', by: -10, connection: 'close' }],
    ] as const
  ).map(
    ([name, fault]): FaultCase => ({
      id: `5.2-${name}-after-records`,
      ...firstFails({ ...fault, page: 2 }),
      owed: { requests: 3, retries: 1 },
    }),
  ),
  // lines are whole wherever they are cut between two of them
  {
    id: '5.2-close-delimited-rst-between-lines',
    emulator: {
      framing: 'ndjson',
      faults: [{ kind: 'cut', at: { record: 3 }, transfer: 'close', how: 'rst' }],
    },
    options: { responseFormat: 'stream' },
    owed: { requests: 2, retries: 1, complete: 'unproven', warnings: ['unproven-end'] },
  },
  {
    id: '5.2-close-delimited-rst-between-lines-for-ever',
    emulator: {
      framing: 'ndjson',
      faults: [{ kind: 'cut', at: { record: 3 }, transfer: 'close', how: 'rst', attempt: 'every' }],
    },
    options: { responseFormat: 'stream' },
    owed: { code: 'ERR_BODY_TRUNCATED', exit: 5, requests: 6, says: /the connection was lost/ },
  },
  {
    id: '5.2-close-delimited-fin-between-lines',
    emulator: { framing: 'ndjson', faults: [{ kind: 'cut', at: { record: 3 }, transfer: 'close' }] },
    options: { responseFormat: 'stream' },
    owed: { output: membersText(usual, 0, 3), requests: 1, complete: 'unproven', warnings: ['unproven-end'] },
  },
  {
    id: '5.2-smuggling',
    ...allFail({ kind: 'content-length', by: 0, alsoChunked: true }),
    owed: { code: 'ERR_PROTOCOL', exit: 5, requests: 6 },
  },
  ...(['crc', 'length', 'garbage-after', 'header', 'not-gzip'] as const).flatMap((damage): FaultCase[] => [
    {
      id: `5.2-gzip-${damage}`,
      ...allFail({ kind: 'gzip', damage }),
      owed: { code: 'ERR_BODY_CORRUPT', exit: 5, requests: 6 },
    },
    {
      id: `5.2-gzip-${damage}-once`,
      ...firstFails({ kind: 'gzip', damage, page: 2 }),
      owed: { requests: 3, retries: 1 },
    },
  ]),
  // zlib itself says nothing about a zero byte behind a member, or anything behind the end of brotli
  ...(
    [
      ['gzip', gzipSync(list('{"id":"1"}'))],
      ['br', brotliCompressSync(list('{"id":"1"}'))],
    ] as const
  ).map(
    ([coding, whole]): FaultCase => ({
      id: `5.2-${coding}-zeros-after`,
      ...allFail(body(Buffer.concat([whole, Buffer.alloc(3)]), { headers: { 'content-encoding': coding } })),
      owed: { code: 'ERR_BODY_CORRUPT', exit: 5, requests: 6, says: /3 bytes behind its end.*6 tries failed/ },
    }),
  ),
  { id: '5.2-gzip-two-members', ...allFail({ kind: 'gzip', damage: 'two-members' }), owed: { requests: 2 } },
  {
    id: '5.2-gzip-double',
    ...allFail({ kind: 'gzip', damage: 'double' }),
    owed: { code: 'ERR_JSON_SYNTAX', exit: 6, requests: 2, byte: 0 },
  },
  ...(['br', 'deflate', 'gzip'] as const).map((coding) => ({
    id: `5.2-${coding}-unasked`,
    ...allFail({ kind: 'encoding', encodings: [coding] }),
    owed: { requests: 2 },
  })),
  { id: '5.2-two-layers', ...allFail({ kind: 'encoding', encodings: ['gzip', 'gzip'] }), owed: { requests: 2 } },
  {
    id: '5.2-three-layers',
    ...allFail({ kind: 'encoding', encodings: ['gzip', 'gzip', 'gzip'] }),
    owed: { code: 'ERR_ENCODING_UNSUPPORTED', exit: 4, requests: 1 },
  },
  ...(['none', 'utf-8', 'identity'] as const).map((label) => ({
    id: `5.2-${label}-plain`,
    ...allFail({ kind: 'encoding', encodings: [], label }),
    owed: { requests: 2 },
  })),
  {
    id: '5.2-zstd',
    ...allFail({ kind: 'encoding', encodings: [], label: 'zstd' }),
    owed: { code: 'ERR_ENCODING_UNSUPPORTED', exit: 4, requests: 1, says: /zstd/ },
  },
  ...(['gzip', 'br'] as const).map(
    (encoding): FaultCase => ({
      id: `5.2-${encoding}-bomb`,
      ...allFail({ kind: 'bomb', of: 'string', bytes: 256 << 20, encoding }),
      owed: { code: 'ERR_LIMIT', exit: 6, requests: 1, says: /more than 200 times.*--max-decoded-ratio/ },
    }),
  ),
  {
    id: '5.2-bomb-string',
    ...allFail({ kind: 'bomb', of: 'string', bytes: Number.POSITIVE_INFINITY }),
    owed: { code: 'ERR_RECORD_TOO_LARGE', exit: 6, requests: 1, record: 0, says: /--max-record-bytes/ },
  },
  {
    id: '5.2-bomb-brackets',
    ...allFail({ kind: 'bomb', of: 'brackets', bytes: Number.POSITIVE_INFINITY }),
    owed: { code: 'ERR_DEPTH', exit: 6, requests: 1, record: 0, says: /--max-depth/ },
  },
  {
    id: '5.2-bomb-keys',
    ...allFail({ kind: 'bomb', of: 'keys', bytes: Number.POSITIVE_INFINITY }),
    owed: { code: 'ERR_RECORD_TOO_LARGE', exit: 6, requests: 1, record: 0 },
  },
  {
    id: '5.2-bomb-records',
    ...allFail({ kind: 'bomb', of: 'records', bytes: Number.POSITIVE_INFINITY }),
    options: { maxRecords: 100_000 },
    owed: { code: 'ERR_LIMIT', exit: 6, requests: 1, says: /100000 records.*--max-records/ },
  },
  {
    id: '5.2-bomb-bytes',
    ...allFail({ kind: 'bomb', of: 'records', bytes: Number.POSITIVE_INFINITY }),
    options: { maxBytes: 1 << 20 },
    owed: { code: 'ERR_LIMIT', exit: 6, requests: 1, says: /--max-bytes/ },
  },
  {
    id: '5.2-white-space',
    ...allFail({ kind: 'bomb', of: 'whitespace', bytes: 32 << 20 }),
    owed: { output: '', requests: 1 },
  },
  {
    id: '5.2-white-space-for-ever',
    ...allFail({ kind: 'bomb', of: 'whitespace', bytes: Number.POSITIVE_INFINITY }),
    options: { tries: 1 },
    stepMs: 20_000,
    owed: { code: 'ERR_TIMEOUT', exit: 5, requests: 1, says: /no record was finished/ },
  },
  ...(['head', 0, 12] as const).flatMap((at): FaultCase[] => [
    {
      id: `5.2-stall-${at}`,
      ...firstFails({ kind: 'stall', at, page: 2 }),
      stepMs: 5000,
      owed: { requests: 3, retries: 1 },
    },
    {
      id: `5.2-stall-${at}-for-ever`,
      ...allFail({ kind: 'stall', at }),
      stepMs: 5000,
      owed: { code: 'ERR_TIMEOUT', exit: 5, requests: 6 },
    },
  ]),
  {
    id: '5.2-stall-after-records',
    ...allFail({ kind: 'stall', at: { record: 2 }, page: 2 }),
    stepMs: 5000,
    owed: { code: 'ERR_TIMEOUT', exit: 5, requests: 7, page: 2, says: /6 tries failed; 5 records are kept in/ },
  },
  {
    id: '5.2-stall-at-the-end',
    ...allFail({ kind: 'stall', at: 'end', page: 2 }),
    stepMs: 5000,
    owed: { code: 'ERR_TIMEOUT', exit: 5, requests: 7, page: 2 },
  },
  {
    id: '5.2-drip-too-slow',
    ...allFail({ kind: 'drip', bytes: 1, everyMs: 100 }),
    options: { tries: 2 },
    stepMs: 100,
    owed: { code: 'ERR_TIMEOUT', exit: 5, requests: 2, says: /100 bytes a second/ },
  },
  {
    id: '5.2-drip-fast-enough',
    emulator: { pageSize: 6, faults: [{ kind: 'drip', bytes: 200, everyMs: 1000 }] },
    stepMs: 1000,
    owed: { requests: 1 },
  },
  {
    id: '5.2-error-head-then-reset',
    ...allFail({ kind: 'early-close', status: 403, at: 5 }),
    owed: { code: 'ERR_FORBIDDEN', exit: 3, requests: 1 },
  },
  {
    id: '5.2-error-head-then-reset-retried',
    ...firstFails({ kind: 'early-close', status: 502 }),
    owed: { requests: 3, retries: 1 },
  },
  {
    id: '5.2-error-body-drips',
    emulator: {
      faults: [
        { kind: 'status', status: 500, body: 'x'.repeat(10_000), attempt: 'every' },
        { kind: 'drip', bytes: 1, everyMs: 30_000, attempt: 'every' },
      ],
    },
    options: { tries: 2 },
    stepMs: 10_000,
    owed: { code: 'ERR_SERVER', exit: 5, requests: 2 },
  },
  {
    id: '5.2-lost-connection-no-wait',
    ...firstFails({ kind: 'cut', at: 'head', how: 'rst', page: 2 }),
    owed: { requests: 3, retries: 1 },
    also({ waits }) {
      if (waits.length > 0) throw new Error('it waited')
    },
  },
]

// 5.3

const paging: FaultCase[] = [
  ...(['null', 'absent', 'empty'] as const).flatMap((end): FaultCase[] =>
    [['result', 'next_cursor'] as const, ['next_cursor', 'result'] as const].map((envelopeOrder) => ({
      id: `5.3-end-${end}-${envelopeOrder[0]}-first`,
      emulator: { paging: { end }, envelopeOrder },
      options: unified,
      owed: { requests: 2 },
    })),
  ),
  {
    id: '5.3-end-absent-in-a-stream',
    emulator: { paging: { end: 'absent' } },
    owed: { requests: 2, complete: 'unproven', warnings: ['unproven-end'] },
  },
  ...(['base64', 'url', 'odd', 'long', 'number'] as const).map((cursor) => ({
    id: `5.3-cursor-${cursor}`,
    emulator: { paging: { cursor } },
    options: { query: { remote_query: { 'a b': 'c&d=e' } } },
    owed: { requests: 2 },
    also({ emulator }: Outcome) {
      for (const { query } of emulator.log) {
        if (JSON.stringify(query['remote_query']) !== '{"a b":"c&d=e"}') throw new Error('a parameter changed')
      }
    },
  })),
  {
    id: '5.3-cursor-digits',
    ...firstFails(body(list('{"id":"1"}', ',"next_cursor":12345678901234567890123'), { page: 1, attempt: 1 })),
    owed: { code: 'ERR_CURSOR_EXPIRED', exit: 6, requests: 2, page: 2 },
    also: (outcome) => requestsAsked(outcome, undefined, '12345678901234567890123'),
  },
  ...([{ a: 1 }, [1], true, false, 'x'.repeat(70_000)] as JsonValue[]).map(
    (value): FaultCase => ({
      id: `5.3-cursor-${Array.isArray(value) ? 'array' : typeof value}${value === false ? '-false' : ''}`,
      ...allFail({ kind: 'cursor', value }),
      owed: { code: 'ERR_CURSOR', exit: 6, requests: 1 },
    }),
  ),
  {
    id: '5.3-cursor-long-allowed',
    ...firstFails({ kind: 'cursor', value: 'x'.repeat(60_000) }),
    owed: { code: 'ERR_CURSOR_EXPIRED', exit: 6, requests: 2, page: 2 },
  },
  { id: '5.3-escaped-keys', emulator: { escapeKeys: true }, owed: { requests: 2 } },
  {
    id: '5.3-pretty-printed',
    emulator: { escapeKeys: true, prettyPrint: true, envelopeOrder: ['next_cursor'] },
    owed: {
      requests: 2,
      output: membersText(usual, 0, usual.members, (record) => JSON.stringify(record, null, 2).replaceAll('\n', ' ')),
    },
  },
  ...(
    [
      [1, 1, 2],
      [2, 2, 2],
      [3, 2, 3],
      [5, 1, 6],
    ] as const
  ).map(
    ([from, to, page]): FaultCase => ({
      id: `5.3-loop-${from}-${to}`,
      emulator: { members: 10, pageSize: 1, paging: { loop: { from, to } } },
      owed: { code: 'ERR_CURSOR', exit: 6, requests: page, page },
    }),
  ),
  {
    id: '5.3-empty-pages',
    emulator: { paging: { emptyPages: [1, 3, 4], trailingEmptyPage: true } },
    owed: { requests: 6 },
  },
  {
    id: '5.3-endless-empty-pages',
    emulator: { members: 1, pageSize: 1, paging: { emptyPages: Array.from({ length: 1100 }, (_, n) => n + 1) } },
    owed: { code: 'ERR_CURSOR', exit: 6, requests: 1000, page: 1000 },
  },
  {
    id: '5.3-short-pages',
    emulator: { members: 40, pageSize: 7, paging: { shortPages: true } },
    owed: { requests: 11 },
  },
  {
    id: '5.3-same-page-after-retry',
    ...firstFails({ kind: 'status', status: 502, page: 2 }),
    owed: { requests: 3, retries: 1 },
  },
  {
    id: '5.3-page-changed-on-retry',
    emulator: {
      members: 7,
      faults: [
        { kind: 'cut', at: 20, transfer: 'length', page: 1 },
        { kind: 'shift', by: 1, page: 1, attempt: 2 },
      ],
    },
    owed: {
      requests: 4,
      retries: 1,
      output: membersText(usual, 1, 4) + membersText(usual, 3, 7),
    },
  },
  {
    id: '5.3-overlap',
    emulator: { paging: { overlap: 2 } },
    owed: { requests: 2, output: membersText(usual, 0, 3) + membersText(usual, 1, 6) },
  },
]

// 5.4

const bad = (
  id: string,
  text: string | Uint8Array,
  owed: Omit<OwedError, 'exit' | 'requests'> & { exit?: number; requests?: number },
): FaultCase => ({
  id: `5.4-${id}`,
  emulator: { faults: [body(text)] },
  options: unified,
  owed: { exit: 6, requests: owed.code === 'ERR_JSON_SYNTAX' || owed.code === 'ERR_UTF8' ? 2 : 1, ...owed },
})
const good = (id: string, text: string | Uint8Array, output: string, more: Partial<OwedOutput> = {}): FaultCase => ({
  id: `5.4-${id}`,
  emulator: { faults: [body(text)] },
  options: unified,
  owed: { output, requests: 1, ...more },
})
const bytes = (...parts: (string | number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)))
const elements = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 5_000_000 : 500_000
const nested = (depth: number, tail = ''): string => `{"id":"1","v":${'['.repeat(depth)}${tail}`

const json: FaultCase[] = [
  bad('result-missing', '{"data":[],"next_cursor":null}', { code: 'ERR_SCHEMA', says: /its keys are: \\?"data\\?", / }),
  bad('result-null', '{"result":null,"rows":[]}', { code: 'ERR_SCHEMA', says: /"result" is null/ }),
  good('result-null-of-a-page', '{"result":null,"next_cursor":null}', ''),
  bad('result-string', '{"result":"x","next_cursor":null}', { code: 'ERR_SCHEMA', says: /"result" is a string/ }),
  bad('result-number', '{"result":7,"next_cursor":null}', { code: 'ERR_SCHEMA', says: /"result" is a number/ }),
  good(
    'result-object',
    '{"result":{"b":{"id":"1"},"__proto__":{"id":"2"},"a":{"id":"3"}},"next_cursor":null}',
    '{"id":"1"}\n{"id":"2"}\n{"id":"3"}\n',
    { warnings: ['id-only'] },
  ),
  bad('result-twice', '{"result":[{"id":"1"}],"result":[{"id":"2"}],"next_cursor":null}', { code: 'ERR_SCHEMA' }),
  bad('cursor-twice', '{"next_cursor":null,"result":[],"next_cursor":"x"}', { code: 'ERR_SCHEMA' }),
  good(
    'decoys',
    '{"Result":[{"id":"0"}],"meta":{"result":[{"id":"0"}],"next_cursor":"no"},"result":[{"id":"1","result":[{"next_cursor":"no"}]}],"next_cursor":null}',
    '{"id":"1","result":[{"next_cursor":"no"}]}\n',
  ),
  {
    id: '5.4-error-in-200-remote-once',
    ...firstFails({ kind: 'error-in-body', where: 'alone', page: 2 }),
    owed: { requests: 3, retries: 1 },
  },
  {
    id: '5.4-error-in-200-remote-for-ever',
    ...allFail({ kind: 'error-in-body', where: 'alone', page: 2 }),
    owed: { code: 'ERR_SERVER', exit: 5, requests: 7, page: 2 },
  },
  ...(
    [
      [400, 'ERR_REQUEST_REJECTED', 4],
      [401, 'ERR_UNAUTHORIZED', 3],
      [403, 'ERR_FORBIDDEN', 3],
      [404, 'ERR_NOT_FOUND', 4],
    ] as const
  ).flatMap(([status, code, exit]): FaultCase[] => [
    {
      id: `5.4-error-in-200-remote-${status}`,
      ...allFail({ kind: 'error-in-body', where: 'alone', status }),
      owed: { code, exit, requests: 1 },
    },
    ...(exit === 3
      ? []
      : [
          {
            id: `5.4-error-in-200-remote-${status}-second-page`,
            ...allFail({ kind: 'error-in-body', where: 'alone', status, page: 2 }),
            owed: { code: 'ERR_CURSOR_EXPIRED', exit: 6, requests: 2, page: 2 },
          } as const,
        ]),
  ]),
  ...(
    [
      ['invalid_auth', 'ERR_UNAUTHORIZED', 3, /connected anew/],
      ['not_authed', 'ERR_UNAUTHORIZED', 3, /connected anew/],
      ['token_expired', 'ERR_UNAUTHORIZED', 3, /connected anew/],
      ['token_revoked', 'ERR_UNAUTHORIZED', 3, /connected anew/],
      ['account_inactive', 'ERR_UNAUTHORIZED', 3, /connected anew/],
      ['missing_scope', 'ERR_FORBIDDEN', 3, /scopes/],
      ['no_permission', 'ERR_FORBIDDEN', 3, /scopes/],
      ['channel_not_found', 'ERR_NOT_FOUND', 4, /channel_not_found/],
      ['invalid_limit', 'ERR_REQUEST_REJECTED', 4, /invalid_limit/],
      ['missing_argument', 'ERR_REQUEST_REJECTED', 4, /missing_argument/],
      ['limit_required', 'ERR_REQUEST_REJECTED', 4, /limit_required/],
      ['method_not_supported_for_channel_type', 'ERR_REQUEST_REJECTED', 4, /channel_type/],
    ] as const
  ).flatMap(([error, code, exit, says]) =>
    // Slack's answer as it is, in Truto's envelope of an error, and in a text in there
    [
      { ok: false, error },
      { statusCode: 200, error: 'Error', message: '', truto_is_remote_error: true, raw_response: { ok: false, error } },
      { message: error, truto_is_remote_error: true, raw_response: JSON.stringify({ ok: false, error }) },
    ].map(
      (answer, n): FaultCase => ({
        id: `5.4-slack-${error}-${n}`,
        ...allFail(body(JSON.stringify(answer), { page: 1 })),
        options: n === 0 ? { responseFormat: 'stream' } : {},
        owed: { code, exit, requests: 1, says: n === 1 ? /./ : says },
      }),
    ),
  ),
  {
    id: '5.4-slack-invalid-cursor',
    ...allFail(body('{"ok":false,"error":"invalid_cursor"}', { page: 2 })),
    owed: { code: 'ERR_CURSOR_EXPIRED', exit: 6, requests: 2, page: 2, says: /3 records are kept in .*--restart/ },
  },
  {
    id: '5.4-slack-ratelimited',
    ...firstFails(body('{"ok":false,"error":"ratelimited"}', { attempt: 1, headers: { 'retry-after': '30' } })),
    owed: { requests: 3, retries: 1, wait: [30_000, 30_500] },
  },
  {
    id: '5.4-slack-ratelimited-too-long',
    ...allFail(body('{"ok":false,"error":"ratelimited"}', { headers: { 'retry-after': '3600' } })),
    owed: { code: 'ERR_RATE_LIMITED', exit: 5, requests: 1, says: /wait of 1h.*come back at/ },
  },
  ...['internal_error', 'fatal_error', 'service_unavailable', 'something_new'].map(
    (error): FaultCase => ({
      id: `5.4-slack-${error}`,
      ...allFail(body(JSON.stringify({ ok: false, error }))),
      owed: { code: 'ERR_SERVER', exit: 5, requests: 6 },
    }),
  ),
  {
    id: '5.4-error-in-200-own',
    ...allFail({ kind: 'error-in-body', where: 'alone', page: 2, isRemote: false }),
    owed: { code: 'ERR_UPSTREAM_IN_BODY', exit: 6, requests: 2, page: 2 },
  },
  ...(['before', 'after'] as const).map(
    (where): FaultCase => ({
      id: `5.4-error-${where}-result`,
      ...allFail({ kind: 'error-in-body', where, page: 2 }),
      owed: { code: 'ERR_SERVER', exit: 5, requests: 7, page: 2 },
    }),
  ),
  ...(['before', 'in-array', 'after'] as const).map(
    (where): FaultCase => ({
      id: `5.4-error-line-${where}`,
      emulator: {
        framing: 'ndjson',
        faults: [{ kind: 'error-in-body', where, attempt: 'every' }],
      },
      options: { responseFormat: 'stream' },
      owed: { code: 'ERR_SERVER', exit: 5, requests: 6 },
    }),
  ),
  {
    id: '5.4-error-line-once',
    emulator: { framing: 'ndjson', faults: [{ kind: 'error-in-body', where: 'after' }] },
    options: { responseFormat: 'stream' },
    owed: { complete: 'unproven', requests: 2, retries: 1, warnings: ['unproven-end'] },
  },
  {
    id: '5.4-envelope-as-ndjson',
    emulator: { contentType: 'application/x-ndjson' },
    owed: { requests: 2 },
  },
  {
    id: '5.4-error-in-open-array',
    ...allFail({ kind: 'error-in-body', where: 'in-array', record: 0 }),
    owed: { code: 'ERR_BODY_TRUNCATED', exit: 5, requests: 6 },
  },
  bad('html-appended', `{"result":[{"id":"1"}<html>`, { code: 'ERR_JSON_SYNTAX', byte: 21, record: 1 }),
  {
    id: '5.4-top-level-array',
    emulator: { framing: 'array', streamAllPages: false },
    owed: { requests: 3 },
    also({ report }) {
      if (report?.fallback?.framing !== 'array') throw new Error('the framing is not named')
    },
  },
  ...(['slack', 'ndjson'] as const).map((framing) => ({
    id: `5.4-body-of-${framing}`,
    emulator: { framing },
    owed: { requests: 3 },
    also({ report }: Outcome) {
      if (report?.fallback?.framing !== framing) throw new Error('the framing is not named')
    },
  })),
  {
    id: '5.4-body-of-graph',
    emulator: { framing: 'graph', integration: 'msteams' },
    owed: { requests: 3 },
  },
  {
    id: '5.4-ndjson-by-name',
    emulator: { framing: 'ndjson' },
    options: { responseFormat: 'stream' },
    owed: { requests: 1, complete: 'unproven', warnings: ['unproven-end'] },
  },
  {
    id: '5.4-object-without-records',
    ...allFail(body('{"users":[{"id":"1"}]}')),
    owed: { code: 'ERR_SCHEMA', exit: 6, requests: 2, says: /its keys are: \\?"users\\?"/ },
  },
  bad('text-after-the-end', `${list('{"id":"1"}')} x`, { code: 'ERR_JSON_SYNTAX', byte: 43 }),
  bad('second-document', `${list('')}{}`, { code: 'ERR_JSON_SYNTAX', byte: 32 }),
  good('white-space-after-the-end', `${list('{"id":"1","a":1}')} \r\n\t `, '{"id":"1","a":1}\n'),
  good('bom', `\ufeff${list('{"id":"1","a":1}')}`, '{"id":"1","a":1}\n'),
  bad('utf-16', Buffer.from(list('{"id":"1"}'), 'utf16le'), { code: 'ERR_JSON_SYNTAX', byte: 1 }),
  bad('empty-body', '', { code: 'ERR_BODY_TRUNCATED', exit: 5, requests: 6 }),
  bad('invalid-at-byte', list('{"id":"1"},{"id":\u001b[2J}'), { code: 'ERR_JSON_SYNTAX', byte: 28, record: 1 }),
  ...['null', '7', '"U1"', '[1]', 'true'].map((element) =>
    bad(`element-${element.replace(/\W/g, '')}`, list(`{"id":"1"},${element}`), {
      code: 'ERR_SCHEMA',
      record: 1,
      byte: 22,
    }),
  ),
  {
    id: '5.4-bare-ids',
    emulator: { framing: 'slack', slackPartial: true },
    options: { responseFormat: 'stream' },
    owed: {
      output: membersText({ slackPartial: true, remoteData: false }),
      requests: 2,
      warnings: ['bare-ids'],
    },
  },
  ...(
    [
      ['overlong', [0xc0, 0xaf]],
      ['surrogate', [0xed, 0xa0, 0x80]],
      ['above-10ffff', [0xf4, 0x90, 0x80, 0x80]],
      ['lone-continuation', [0x80]],
      ['cut-sequence', [0xe2, 0x82]],
    ] as const
  ).flatMap(([name, sequence]) => [
    bad(`utf8-${name}-in-value`, bytes('{"result":[{"id":"', [...sequence], '"}],"next_cursor":null}'), {
      code: 'ERR_UTF8',
    }),
    bad(`utf8-${name}-in-key`, bytes('{"result":[{"', [...sequence], '":1}],"next_cursor":null}'), {
      code: 'ERR_UTF8',
    }),
  ]),
  {
    ...bad('utf8-cut-sequence-in-chunks-of-1', bytes('{"result":[{"id":"', [0xe2, 0x82], '"}],"next_cursor":null}'), {
      code: 'ERR_UTF8',
    }),
    emulator: {
      chunkBytes: 1,
      faults: [body(bytes('{"result":[{"id":"', [0xe2, 0x82], '"}],"next_cursor":null}'))],
    },
  },
  ...[1, 2, 7].map(
    (chunkBytes): FaultCase => ({
      id: `5.4-multi-byte-in-chunks-of-${chunkBytes}`,
      emulator: { chunkBytes, oddities: true, members: 12, pageSize: 6 },
      owed: { requests: 2 },
    }),
  ),
  good('lone-surrogates', list('{"id":"\\ud800","a":1}'), '{"id":"\\ud800","a":1}\n', {
    warnings: ['lone-surrogates'],
  }),
  {
    ...good('lone-surrogates-replaced', list('{"\\udc00":"\\ud800","a":1}'), '{"\\ufffd":"\\ufffd","a":1}\n', {
      warnings: ['lone-surrogates'],
    }),
    options: { ...unified, surrogates: 'replace' },
  },
  {
    ...good('lone-surrogates-csv', list('{"id":"\\ud800"}'), 'id,extra\n"\ufffd",\n', {
      warnings: ['id-only', 'lone-surrogates'],
    }),
    file: 'out.csv',
    options: { ...unified, resource: 'some-model/things' },
  },
  ...['csv', 'parquet', 'ndjson', 'json'].map(
    (extension): FaultCase => ({
      ...bad(`lone-surrogates-strict-${extension}`, list('{"id":"\\ud800"}'), { code: 'ERR_VALUE_INEXACT', record: 0 }),
      file: `out.${extension}`,
      options: { ...unified, strict: true },
    }),
  ),
  good(
    'odd-characters',
    list('{"id":"\\u0000\u2028\u2029\u007f\uffff\u202e\u200d\\/\\u0041\\ud83d\\ude00"}'),
    '{"id":"\\u0000\u2028\u2029\u007f\uffff\u202e\u200d\\/\\u0041\\ud83d\\ude00"}\n',
    { warnings: ['id-only'] },
  ),
  good('nesting-500', list(`${nested(500)}${']'.repeat(500)}}`), `${nested(500)}${']'.repeat(500)}}\n`),
  bad('nesting-100000', list(nested(100_000)), { code: 'ERR_DEPTH', record: 0 }),
  bad('nesting-1000000', list(nested(1_000_000)), { code: 'ERR_DEPTH', record: 0 }),
  bad('record-17-MiB', list(`{"id":"${'a'.repeat(17 << 20)}"}`), { code: 'ERR_RECORD_TOO_LARGE', record: 0 }),
  good(
    'array-of-many-elements',
    list(`{"id":"1","v":[${'1,'.repeat(elements)}1]}`),
    `{"id":"1","v":[${'1,'.repeat(elements)}1]}\n`,
  ),
  good('duplicate-keys', list('{"id":"1","a":1,"a":2}'), '{"id":"1","a":1,"a":2}\n'),
  {
    ...good('duplicate-keys-csv', list('{"id":"1","id":"2"},{"id":"3","a":1}'), 'id,extra\n"2",\n"3","{""a"":1}"\n', {
      warnings: ['repeated-keys'],
    }),
    file: 'out.csv',
    options: { ...unified, resource: 'some-model/things' },
  },
  {
    ...good('excluded-in-all-copies', list('{"id":"1","a":1,"\\u0061":2,"b":3,"a":4}'), '{"id":"1","b":3}\n'),
    options: { ...unified, exclude: ['a'] },
  },
  {
    ...good(
      'prototype-names',
      list('{"id":"1","__proto__":{"polluted":1},"constructor":2,"hasOwnProperty":3,"a":4}'),
      '{"id":"1","__proto__":{"polluted":1},"constructor":2,"hasOwnProperty":3}\n',
    ),
    options: { ...unified, exclude: ['a'] },
    also() {
      if ('polluted' in {}) throw new Error('Object.prototype was polluted')
    },
  },
  {
    ...good('prototype-excluded', list('{"id":"1","__proto__":{"polluted":1},"a":4}'), '{"id":"1","a":4}\n'),
    options: { ...unified, exclude: ['__proto__'] },
  },
  good(
    'numbers',
    list('{"id":9007199254740993,"a":1e400,"b":-0,"c":123456789012345678901234567890,"d":1.10,"e":1E2}'),
    '{"id":9007199254740993,"a":1e400,"b":-0,"c":123456789012345678901234567890,"d":1.10,"e":1E2}\n',
    { warnings: ['big-numbers'] },
  ),
]

// 5.5

const keyed = (text: string, options: Partial<ExportOptions>): Pick<FaultCase, 'emulator' | 'options'> => ({
  emulator: { faults: [body(text)] },
  options: { ...unified, ...options },
})

const transforms: FaultCase[] = [
  {
    id: '5.5-exclude-unknown',
    options: { exclude: ['no_such_field'] },
    owed: {
      code: 'ERR_FIELD_UNMET',
      exit: 6,
      requests: 2,
      page: null,
      says: /exclude .*no_such_field.*--unmet-fields/,
    },
  },
  {
    id: '5.5-exclude-unknown-all-the-same',
    options: { exclude: ['no_such_field'], unmetFields: 'warn' },
    owed: { requests: 2, warnings: ['exclude-unused'] },
  },
  {
    id: '5.5-exclude-misspelled',
    options: { exclude: ['emials'] },
    owed: { code: 'ERR_OPTION_INVALID', exit: 2, requests: 0, page: null, says: /emials.*did you mean emails/ },
  },
  {
    id: '5.5-select-unknown',
    options: { select: ['id', 'no_such_field'], exclude: [] },
    owed: {
      requests: 2,
      output: membersText({}).replace(/^\{("id":"[^"]*")[^\n]*/gm, '{$1}'),
      warnings: ['select-unused'],
    },
  },
  {
    id: '5.5-exclude-all',
    emulator: { slackPartial: true, remoteData: false },
    options: { exclude: ['id'] },
    owed: { requests: 2, output: '{}\n'.repeat(6), warnings: ['partial-response'] },
    also({ report }) {
      if (report?.records !== 6) throw new Error('records without fields are not counted')
    },
  },
  {
    id: '5.5-exclude-nested',
    ...keyed(list('{"id":"1","a":{"b":1,"c":2},"a.b":3}'), { exclude: ['a.b'] }),
    owed: { requests: 1, output: '{"id":"1","a":{"c":2},"a.b":3}\n' },
  },
  ...[false, true].map(
    (streamIgnoresParameters): FaultCase => ({
      id: `5.5-server-${streamIgnoresParameters ? 'ignores' : 'applies'}-parameters`,
      emulator: { streamIgnoresParameters },
      options: { exclude: ['bio', 'emails', 'title'], ignoreRemoteData: true },
      owed: {
        requests: 2,
        output: membersText({ remoteData: false })
          .replace(/"(bio|title)":"(?:[^"\\]|\\.)*",/g, '')
          .replace(/"emails":\[\{[^}]*\}\],/g, ''),
      },
    }),
  ),
  ...['{"a":1}', '{"id":null}'].map(
    (record, index): FaultCase => ({
      id: `5.5-key-${index === 0 ? 'missing' : 'null'}`,
      ...keyed(list(`{"id":"1"},${record}`), { keyBy: 'id' }),
      owed: { code: 'ERR_KEY_MISSING', exit: 6, requests: 1, record: 1, says: /--key-by-missing skip/ },
    }),
  ),
  {
    id: '5.5-key-missing-skip',
    ...keyed(list('{"id":"1","x":1},{"a":1}'), { keyBy: 'id', keyByMissing: 'skip' }),
    owed: { requests: 1, output: '{"1":{"id":"1","x":1}}\n', warnings: ['key-missing'] },
  },
  {
    id: '5.5-key-duplicate-json',
    ...keyed(list('{"id":"1"},{"id":"1"}'), { keyBy: 'id' }),
    file: 'out.json',
    owed: { code: 'ERR_KEY_DUPLICATE', exit: 6, requests: 1, record: 1, says: /--key-by-duplicate/ },
  },
  {
    id: '5.5-key-duplicate-ndjson',
    ...keyed(list('{"id":"1","x":1},{"id":"1","x":2}'), { keyBy: 'id' }),
    owed: { requests: 1, output: '{"1":{"id":"1","x":1}}\n{"1":{"id":"1","x":2}}\n' },
  },
  {
    id: '5.5-key-number',
    ...keyed(list('{"id":17,"x":1}'), { keyBy: 'id' }),
    file: 'out.json',
    owed: { requests: 1, output: '{\n"17":{"id":17,"x":1}\n}\n' },
  },
  ...['true', '{"a":1}', '[1]'].map(
    (value): FaultCase => ({
      id: `5.5-key-${value.replace(/\W/g, '') || 'value'}`,
      ...keyed(list(`{"id":${value}}`), { keyBy: 'id' }),
      owed: { code: 'ERR_KEY_TYPE', exit: 6, requests: 1, record: 0 },
    }),
  ),
  {
    id: '5.5-key-then-excluded',
    ...keyed(list('{"id":"k","x":1}'), { keyBy: 'id', exclude: ['id'] }),
    owed: { requests: 1, output: '{"k":{"x":1}}\n' },
  },
  ...['drop', 'mask'].map(
    (how): FaultCase => ({
      id: `5.5-redact-whole-${how}`,
      ...keyed(list('{"id":"1","emails":"a@b.c"},{"id":"2","emails":["a@b.c",{"email":"a@b.c","type":"t"}]}'), {
        redact: [`emails.email=${how}`],
        ignoreRemoteData: true,
      }),
      owed: {
        requests: 1,
        output:
          how === 'drop'
            ? '{"id":"1"}\n{"id":"2","emails":[{"type":"t"}]}\n'
            : '{"id":"1","emails":"***"}\n{"id":"2","emails":["***",{"email":"***","type":"t"}]}\n',
        warnings: ['redacted-whole'],
      },
    }),
  ),
  ...['csv', 'parquet'].map(
    (extension): FaultCase => ({
      id: `5.5-twins-${extension}`,
      options: { rename: ['title=NAME'] },
      file: `out.${extension}`,
      owed: {
        code: 'ERR_OPTION_INVALID',
        exit: 2,
        requests: 0,
        page: null,
        says: /columns name and NAME differ in case/,
      },
    }),
  ),
  {
    id: '5.5-key-shows-redacted',
    options: { keyBy: 'name.first', redact: ['name=drop'] },
    owed: { code: 'ERR_OPTION_INVALID', exit: 2, requests: 0, page: null, says: /would show what is redacted: name/ },
  },
  {
    id: '5.5-transform-throws',
    options: {
      transform: () => {
        throw new TypeError('mine')
      },
    },
    owed: { code: 'ERR_INTERNAL', exit: 1, requests: 1, record: 0, says: /mine/ },
    also({ error }) {
      if (!((error as Error).cause instanceof TypeError)) throw new Error('the cause is lost')
    },
  },
]

// 5.6: what the file itself does is in sinks.test.ts. Here: no format publishes anything where the server fails after
// records went out.

const files = [
  'out.ndjson',
  'out.json',
  'out.csv',
  'out.parquet',
  'out.ndjson.gz',
  'out.csv.gz',
  'out.json.gz',
] as const
const sinks: FaultCase[] = files.flatMap((file): FaultCase[] => [
  {
    id: `5.6-${file}-cut-on-page-2`,
    file,
    ...allFail({ kind: 'cut', at: { record: 2 }, page: 2, transfer: 'length' }),
    owed: { code: 'ERR_BODY_TRUNCATED', exit: 5, requests: 7, page: 2 },
  },
  {
    id: `5.6-${file}-401-on-page-2`,
    file,
    ...allFail({ kind: 'status', status: 401, page: 2 }),
    owed: { code: 'ERR_UNAUTHORIZED', exit: 3, requests: 2, page: 2 },
  },
])

// 5.7

const day = 24 * 60 * 60 * 1000
const clocks: FaultCase[] = [10, -10].flatMap((days): FaultCase[] => [
  {
    id: `5.7-clock-${days > 0 ? 'forth' : 'back'}-seconds`,
    ...firstFails({ kind: 'status', status: 429, retryAfter: 4, page: 2 }),
    wallJumpMs: days * day,
    owed: { requests: 3, retries: 1, wait: [4000, 4500] },
  },
  {
    id: `5.7-clock-${days > 0 ? 'forth' : 'back'}-date`,
    ...firstFails({ kind: 'status', status: 429, retryAfter: { inMs: 5000 }, page: 2 }),
    wallJumpMs: days * day,
    owed: { requests: 3, retries: 1, wait: [5000, 5500] },
  },
])

export const matrix: readonly FaultCase[] = [
  ...statuses,
  ...echoes,
  ...rateLimits,
  ...answers,
  ...transport,
  ...paging,
  ...json,
  ...transforms,
  ...sinks,
  ...clocks,
]
