import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex, PassThrough, Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { gunzipSync } from 'node:zlib'
import { parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { sideNames } from '../src/files/side-names.js'
import {
  bodySource,
  csvEncoder,
  destinationStream,
  type Emulator,
  type EmulatorOptions,
  type ExportEvent,
  type ExportOptions,
  encoderStream,
  excludeFields,
  exportRecords,
  fileDestination,
  type JsonRecord,
  keyBy,
  mapRecords,
  memberAt,
  memberSchema,
  memoryDestination,
  ndjsonEncoder,
  type Progress,
  type RecordBatch,
  records,
  startEmulator,
  trutoSource,
} from '../src/index.js'
import { query } from './helpers/duckdb.js'

const folder = mkdtempSync(join(tmpdir(), 'truto-export-test-'))
const path = (name: string): string => join(folder, name)
let emulator: Emulator
const members = 450
const resource = 'instant-messaging/members'

beforeAll(async () => {
  emulator = await startEmulator({ members })
})
beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(path(name), { recursive: true })
})
afterAll(async () => {
  await emulator.close()
  rmSync(folder, { recursive: true })
})

function to(server: Emulator, more: Partial<ExportOptions<typeof resource>> = {}): ExportOptions<typeof resource> {
  return {
    resource,
    account: server.accountId,
    channel: server.parentIds[0]!,
    apiUrl: server.url,
    token: server.token,
    backoffBaseMs: 1,
    backoffMaxMs: 2,
    ...more,
  }
}

async function withEmulator<T>(options: EmulatorOptions, use: (server: Emulator) => Promise<T>): Promise<T> {
  const server = await startEmulator(options)
  try {
    return await use(server)
  } finally {
    await server.close()
  }
}

const all = Array.from({ length: members }, (_, i) => memberAt(i))
const lines = (bytes: string | Buffer): JsonRecord[] =>
  bytes
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JsonRecord)

test('NDJSON holds every member in order, in the bytes that the server sent', async () => {
  const report = await exportRecords(to(emulator, { out: path('a.ndjson') }))
  const bytes = readFileSync(path('a.ndjson'))
  expect(bytes.toString()).toBe(all.map((member) => `${JSON.stringify(member)}\n`).join(''))
  expect(report).toMatchObject({
    complete: true,
    records: members,
    recordsRead: members,
    pages: 3,
    requests: 3,
    retries: 0,
    outputBytes: bytes.length,
    format: 'ndjson',
    compression: 'none',
    parser: 'simd',
    parquetWriter: null,
    requestedResponseFormat: 'auto',
    responseFormat: 'stream',
    framing: 'envelope',
    fallback: null,
    warnings: [],
    digest: { algorithm: 'sha256', hex: createHash('sha256').update(bytes).digest('hex') },
    manifest: sideNames(path('a.ndjson')).manifest,
  })
  expect(readdirSync(folder)).toEqual(['_a.ndjson.manifest.json', 'a.ndjson'])
})

test('the format and compression follow the extension, gzip has no trace of time', async () => {
  await exportRecords(to(emulator, { out: path('a.ndjson') }))
  for (const name of ['a.ndjson.gz', 'b.jsonl.gz']) {
    const report = await exportRecords(to(emulator, { out: path(name) }))
    expect(report).toMatchObject({ format: 'ndjson', compression: 'gzip' })
    expect(gunzipSync(readFileSync(path(name))).equals(readFileSync(path('a.ndjson')))).toBe(true)
  }
  expect(readFileSync(path('a.ndjson.gz')).equals(readFileSync(path('b.jsonl.gz')))).toBe(true)
})

test('JSON is one array, and one object under key-by', async () => {
  await exportRecords(to(emulator, { out: path('a.json') }))
  expect(JSON.parse(readFileSync(path('a.json'), 'utf8'))).toEqual(all)
  await exportRecords(to(emulator, { out: path('b.json'), keyBy: 'id' }))
  const keyed = JSON.parse(readFileSync(path('b.json'), 'utf8')) as JsonRecord
  expect(Object.values(keyed)).toEqual(all)
  expect(Object.keys(keyed)).toEqual(all.map((member) => member['id']))
})

test('CSV read back by DuckDB has the members, null and empty text apart', async () => {
  await exportRecords(to(emulator, { out: path('a.csv') }))
  const bytes = readFileSync(path('a.csv'))
  const header = bytes.toString().slice(0, bytes.indexOf('\n'))
  const names = [...memberSchema.fields.map((field) => field.name), 'extra']
  expect(header.replaceAll('"', '')).toBe(names.join(','))
  const rows = await query(
    'select * from read_csv({file}, all_varchar=true, header=true, allow_quoted_nulls=false)',
    bytes,
    '.csv',
  )
  const text = (value: unknown): string | null =>
    value === undefined || value === null ? null : typeof value === 'string' ? value : JSON.stringify(value)
  expect(rows).toEqual(all.map((member) => Object.fromEntries(names.map((name) => [name, text(member[name])]))))
})

for (const parquetWriter of ['builtin', 'parquetjs-lite'] as const) {
  test(`Parquet of ${parquetWriter} read back by hyparquet has the members`, async () => {
    const options = { out: path('a.parquet'), parquetWriter, parquetJson: 'json', rowGroupRows: 100 } as const
    const report = await exportRecords(to(emulator, options))
    expect(report).toMatchObject({ format: 'parquet', parquetWriter, records: members })
    const bytes = readFileSync(path('a.parquet'))
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
    const rows = await parquetReadObjects({ file })
    const expected = all.map((member) =>
      Object.fromEntries(
        memberSchema.fields.map(({ name, type }) => {
          const value = member[name] ?? null
          return [name, value !== null && type.kind === 'timestamp' ? new Date(value as string) : value]
        }),
      ),
    )
    expect(
      rows.map(({ extra, ...row }) => {
        // hyparquet gives undefined for a list that is null
        for (const name in row) row[name] ??= null
        return extra === null ? row : { ...row, extra }
      }),
    ).toEqual(expected)
  })
}

test('exclusion is asked of the server and done here, so an unmapped stream gives the same output', async () => {
  const exclude = ['phones', 'emails.type']
  const expected = all.map((member) => {
    const { phones: _phones, remote_data: _remote, ...rest } = structuredClone(member)
    for (const email of (rest['emails'] as JsonRecord[]) ?? []) delete email['type']
    return rest
  })
  for (const options of [{}, { streamIgnoresParameters: true }] as const) {
    await withEmulator({ members, ...options }, async (server) => {
      await exportRecords(to(server, { out: path('a.ndjson'), exclude, ignoreRemoteData: true, overwrite: true }))
      expect(lines(readFileSync(path('a.ndjson')))).toEqual(expected)
      const asked = new URLSearchParams(server.log[0]!.path.split('?')[1] ?? '')
      expect([...server.log].length).toBe(3)
      expect(asked.getAll('truto_exclude_fields[]').includes('emails.type')).toBe(false)
    })
  }
})

test('a field that key-by or a transform still reads is not pushed to the server', async () => {
  const keyed = await withEmulator({ members: 3 }, async (server) => {
    const destination = memoryDestination()
    await exportRecords(to(server, { destination, keyBy: 'name', exclude: ['name', 'bio'], ignoreRemoteData: true }))
    return { query: server.log[0]!.query, text: Buffer.from(destination.bytes()).toString() }
  })
  expect(JSON.stringify(keyed.query)).not.toContain('"name"')
  expect(JSON.stringify(keyed.query)).toContain('bio')
  expect(lines(keyed.text).map((line) => Object.keys(line)[0])).toEqual(all.slice(0, 3).map((member) => member['name']))
  const mapped = await withEmulator({ members: 3 }, async (server) => {
    const destination = memoryDestination()
    const seen: unknown[] = []
    const transform = (record: JsonRecord): JsonRecord => {
      seen.push(record['bio'], record['remote_data'])
      return record
    }
    await exportRecords(to(server, { destination, transform, exclude: ['bio'], ignoreRemoteData: true }))
    return { seen, text: Buffer.from(destination.bytes()).toString(), query: server.log[0]!.query }
  })
  expect(mapped.seen).toEqual(all.slice(0, 3).flatMap((member) => [member['bio'], member['remote_data']]))
  expect(Object.keys(lines(mapped.text)[0]!)).not.toContain('bio')
  expect(JSON.stringify(mapped.query)).not.toContain('truto_exclude_fields')
})

test("a user's function changes, drops and keeps records; a Transform over batches fits in the same place", async () => {
  const change = (record: JsonRecord): JsonRecord | null =>
    String(record['id']).charCodeAt(5) % 2 === 0
      ? { id: record['id']!, upper: String(record['name']).toUpperCase() }
      : null
  const expected = all.map(change).filter((record) => record !== null)
  const destination = memoryDestination()
  const report = await exportRecords(to(emulator, { destination, transform: change }))
  expect(lines(Buffer.from(destination.bytes()))).toEqual(expected)
  expect(report).toMatchObject({ records: expected.length, recordsRead: members })
  const other = memoryDestination()
  await exportRecords(to(emulator, { destination: other, transform: mapRecords(change) }))
  expect(Buffer.from(other.bytes()).equals(destination.bytes())).toBe(true)
})

test("an error of a user's code ends the export with its cause, and leaves nothing", async () => {
  const boom = new Error('boom')
  const throwing = new Transform({ objectMode: true, transform: (_batch, _encoding, done) => done(boom) })
  const cases: Array<NonNullable<ExportOptions['transform']>> = [
    throwing,
    (record) => {
      if (record['id'] === all[300]!['id']) throw boom
      return record
    },
  ]
  for (const transform of cases) {
    const error = await exportRecords(to(emulator, { out: path('a.ndjson'), transform })).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({ code: 'ERR_INTERNAL', exitCode: 1, cause: boom })
    expect(readdirSync(folder)).toEqual([])
  }
  const strings = new Transform({ objectMode: true, transform: (_batch, _encoding, done) => done(null, 'text') })
  await expect(exportRecords(to(emulator, { out: path('a.ndjson'), transform: strings }))).rejects.toMatchObject({
    code: 'ERR_INTERNAL',
  })
})

test('an abort stops the export in every phase, with the reason, and removes what was not published', async () => {
  const reason = new Error('enough')
  const hanging = {
    write: () => new Promise<void>(() => {}),
    commit: async () => {},
    abort: async () => {},
    bytesWritten: 0,
    left: '',
  }
  const cases: Array<[string, EmulatorOptions, Partial<ExportOptions<typeof resource>>]> = [
    ['before the head', { faults: [{ kind: 'stall', at: 'head' } as never] }, { out: path('a.ndjson') }],
    ['between chunks', { members: 100_000, chunkBytes: 1000, pageSize: 100_000, pool: 100 }, { out: path('a.ndjson') }],
    ['in a write', {}, { destination: { name: 'hanging', open: async () => hanging } }],
    ['in a transform', {}, { out: path('a.ndjson'), transform: () => new Promise<null>(() => {}) }],
    ['in a stream', {}, { out: path('a.ndjson'), transform: new Transform({ objectMode: true, transform() {} }) }],
  ]
  for (const [name, options, more] of cases) {
    await withEmulator(options, async (server) => {
      const controller = new AbortController()
      const run = exportRecords(to(server, { ...more, checkpoint: false, signal: controller.signal })).catch(
        (thrown: unknown) => thrown,
      )
      while (server.requests === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      await new Promise((resolve) => setTimeout(resolve, 30))
      controller.abort(reason)
      const error = await run
      expect(error, name).toBe(reason)
      expect(readdirSync(folder), name).toEqual([])
    })
  }
})

test('records() gives typed members one by one, and leaving early ends the request', async () => {
  const names: Array<string | null | undefined> = []
  for await (const member of records(to(emulator))) {
    names.push(member.name)
    if (names.length === 250) break
  }
  expect(names).toEqual(all.slice(0, 250).map((member) => member['name']))
  const picked: unknown[] = []
  for await (const record of records<{ id: string; n: number }>(
    to(emulator, { transform: (record) => ({ id: record['id']!, n: 1 }) }),
  )) {
    picked.push(record)
  }
  expect(picked).toHaveLength(members)
  expect(picked[0]).toEqual({ id: all[0]!['id'], n: 1 })
})

test('the parts compose with pipeline, the file whole or absent', async () => {
  const source = trutoSource(to(emulator))
  const stream = destinationStream(fileDestination(path('a.ndjson')))
  await pipeline(source, excludeFields(['remote_data']), keyBy('id'), encoderStream(ndjsonEncoder()), stream)
  const expected = all.map(({ remote_data: _, ...rest }) => ({ [String(rest['id'])]: rest }))
  expect(lines(readFileSync(path('a.ndjson')))).toEqual(expected)
  expect(source.outcome).toMatchObject({ complete: true, records: members, framing: 'envelope' })

  const failing = new PassThrough({ objectMode: true })
  setTimeout(() => failing.destroy(new Error('downstream')), 5)
  await expect(
    pipeline(
      trutoSource(to(emulator)),
      failing,
      encoderStream(ndjsonEncoder()),
      destinationStream(fileDestination(path('b.ndjson'))),
    ),
  ).rejects.toThrow('downstream')
  expect(existsSync(path('b.ndjson'))).toBe(false)
})

test('the parts compose with Web streams and with for await', async () => {
  const web = Readable.toWeb(Readable.from(trutoSource(to(emulator)))) as unknown as ReadableStream<RecordBatch>
  const csv = web
    .pipeThrough(Duplex.toWeb(excludeFields(['remote_data'])) as unknown as TransformStream<RecordBatch, RecordBatch>)
    .pipeThrough(
      Duplex.toWeb(encoderStream(csvEncoder({ schema: memberSchema }))) as unknown as TransformStream<
        RecordBatch,
        Uint8Array
      >,
    )
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of csv as unknown as AsyncIterable<Uint8Array>) text += decoder.decode(chunk, { stream: true })
  expect(
    (await query('select count(*) n from read_csv({file}, header=true)', Buffer.from(text), '.csv'))[0]!['n'],
  ).toBe(BigInt(members))

  const kept: RecordBatch[] = []
  for await (const batch of trutoSource(to(emulator))) kept.push(batch) // they own their bytes
  expect(kept.flatMap((batch) => [...batch.records()])).toEqual(all)
})

test('a saved page, an NDJSON file and bytes in memory convert like an export', async () => {
  const page = JSON.stringify({ result: all, next_cursor: null }, null, 2)
  writeFileSync(path('page.json'), page)
  writeFileSync(path('in.ndjson'), all.map((member) => `${JSON.stringify(member)}\n`).join(''))
  for (const input of [path('page.json'), path('in.ndjson'), Buffer.from(page), Readable.from([Buffer.from(page)])]) {
    const report = await exportRecords({ input, out: path('a.json'), overwrite: true })
    expect(report).toMatchObject({ records: members, requests: 0, resource: '*' })
    expect(JSON.parse(readFileSync(path('a.json'), 'utf8'))).toEqual(all)
  }
  const batches: RecordBatch[] = []
  for await (const batch of bodySource(path('in.ndjson'))) batches.push(batch)
  expect(batches.reduce((sum, batch) => sum + batch.count, 0)).toBe(members)
  const csv = memoryDestination()
  await exportRecords({
    input: path('in.ndjson'),
    resource: 'instant-messaging/members',
    format: 'csv',
    destination: csv,
  })
  expect(Buffer.from(csv.bytes()).toString()).toMatch(/^"?id"?,"?activated_at/)
  const unmapped = memoryDestination()
  await exportRecords({ input: path('in.ndjson'), format: 'csv', destination: unmapped })
  expect(Buffer.from(unmapped.bytes()).toString()).toMatch(/^"?id"?,"?extra"?\n/)
  await expect(exportRecords({ input: path('absent.json'), out: path('x.json') })).rejects.toMatchObject({
    exitCode: 2,
  })
})

test('members that were passed through unmapped have the columns id and extra', async () => {
  await withEmulator({ members: 3, framing: 'slack' }, async (server) => {
    const destination = memoryDestination()
    const report = await exportRecords(to(server, { destination, format: 'csv', responseFormat: 'stream' }))
    expect(report.framing).toBe('slack')
    const text = Buffer.from(destination.bytes()).toString()
    expect(text.split('\n')[0]!.replaceAll('"', '')).toBe('id,extra')
    expect(text.split('\n')).toHaveLength(5)
  })
})

test('every framing of a stream ends in the same members, and the report says how', async () => {
  for (const framing of [
    'envelope',
    'envelope-cursor-first',
    'slack',
    'graph',
    'array',
    'ndjson',
    'ignored',
  ] as const) {
    const integration = framing === 'graph' ? 'msteams' : 'slack'
    await withEmulator({ members: 250, framing, integration }, async (server) => {
      const destination = memoryDestination()
      const parent = integration === 'slack' ? {} : { channel: null, workspace: server.parentIds[0]! }
      const report = await exportRecords(to(server, { destination, ...parent }))
      const expected = Array.from({ length: 250 }, (_, i) => memberAt(i, { integration }))
      expect(lines(Buffer.from(destination.bytes()))).toEqual(expected)
      const isUnified = framing === 'envelope' || framing === 'envelope-cursor-first' || framing === 'ignored'
      expect(report).toMatchObject({
        complete: true,
        framing: 'envelope',
        responseFormat: isUnified ? 'stream' : 'unified',
      })
      expect(report.fallback === null).toBe(isUnified)
    })
  }
})

test('engines give the same records, and the report names the engine', async () => {
  const outputs = new Set<string>()
  for (const parser of ['simd', 'js', 'stream-json', 'streamparser'] as const) {
    const destination = memoryDestination()
    const report = await exportRecords(to(emulator, { destination, parser }))
    expect(report.parser).toBe(parser)
    outputs.add(JSON.stringify(lines(Buffer.from(destination.bytes()))))
  }
  expect([...outputs]).toEqual([JSON.stringify(all)])
})

test('a list without records is a valid file of every format', async () => {
  await withEmulator({ members: 0 }, async (server) => {
    for (const name of ['a.ndjson', 'a.json', 'a.csv', 'a.parquet']) {
      const report = await exportRecords(to(server, { out: path(name) }))
      expect(report).toMatchObject({ records: 0, complete: true })
    }
  })
  expect(readFileSync(path('a.ndjson'), 'utf8')).toBe('')
  expect(JSON.parse(readFileSync(path('a.json'), 'utf8'))).toEqual([])
  expect(readFileSync(path('a.csv'), 'utf8').split('\n')).toHaveLength(2)
  const rows = await query('select count(*) n from read_parquet({file})', readFileSync(path('a.parquet')), '.parquet')
  expect(rows).toEqual([{ n: 0n }])
})

test('progress and events tell what happens while it happens', async () => {
  const progress: Progress = { records: 0, pages: 0, bodyBytes: 0, outputBytes: 0, requests: 0, wait: null }
  const events: ExportEvent[] = []
  const faults = [{ kind: 'status', page: 2, status: 500 } as never]
  await withEmulator({ members, faults }, async (server) => {
    const report = await exportRecords(
      to(server, { destination: memoryDestination(), progress, onEvent: (event) => events.push(event) }),
    )
    expect(report).toMatchObject({ retries: 1, requests: 4, records: members })
    expect(progress).toMatchObject({
      records: members,
      pages: 3,
      requests: 4,
      outputBytes: report.outputBytes,
      wait: null,
    })
    expect(events.filter((event) => event.kind === 'page').map((event) => event.records)).toEqual([200, 200, 50])
    expect(events.some((event) => event.kind === 'retry' && event.page === 2)).toBe(true)
    expect(JSON.stringify(events)).not.toContain(server.token)
  })
})

test('the report counts its own export, whatever the counters showed before', async () => {
  const progress: Progress = { records: 7, pages: 7, bodyBytes: 7, outputBytes: 7, requests: 7, wait: null }
  const report = await exportRecords(to(emulator, { destination: memoryDestination(), progress }))
  expect(report).toMatchObject({ records: members, pages: 3, requests: 3 })
})

test('bad options fail before a request is sent and before a file is touched', async () => {
  const cases: Array<[Partial<ExportOptions<typeof resource>>, string]> = [
    [{ resource: null as never }, 'ERR_OPTION_MISSING'],
    [{ token: '' }, 'ERR_OPTION_INVALID'],
    [{ integration: 'slack', channel: null }, 'ERR_OPTION_MISSING'],
    [{ apiUrl: 'http://example.com' }, 'ERR_INSECURE_URL'],
    [{ exclude: ['a..b'] }, 'ERR_OPTION_INVALID'],
    [{ maxDepth: 5000 }, 'ERR_OPTION_INVALID'],
    [{ nonsense: 1 } as object, 'ERR_OPTION_UNKNOWN'],
  ]
  const before = emulator.requests
  for (const [more, code] of cases) {
    const error = await exportRecords(to(emulator, { out: path('a.ndjson'), ...more })).catch(
      (thrown: unknown) => thrown,
    )
    expect(error, code).toMatchObject({ code, exitCode: 2 })
    expect(readdirSync(folder)).toEqual([])
  }
  expect(emulator.requests).toBe(before)
})

test('an existing file is kept unless it may be replaced, and then until the export is whole', async () => {
  writeFileSync(path('a.ndjson'), 'old')
  await expect(exportRecords(to(emulator, { out: path('a.ndjson') }))).rejects.toMatchObject({
    code: 'ERR_OUTPUT_EXISTS',
    exitCode: 2,
  })
  await withEmulator({ members, faults: [{ kind: 'status', page: 2, status: 404 } as never] }, async (server) => {
    const options = { out: path('a.ndjson'), overwrite: true, checkpoint: false }
    const error = await exportRecords(to(server, options)).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'ERR_CURSOR_EXPIRED',
      exitCode: 6,
      page: 2,
      left: expect.stringMatching(/as it was/),
    })
  })
  expect(readFileSync(path('a.ndjson'), 'utf8')).toBe('old')
  expect(readdirSync(folder)).toEqual(['a.ndjson'])
  await exportRecords(to(emulator, { out: path('a.ndjson'), overwrite: true }))
  expect(lines(readFileSync(path('a.ndjson')))).toHaveLength(members)
})
