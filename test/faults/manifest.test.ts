// The manifest beside an output: what it tells, what it never tells, and where there is none.

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, test } from 'vitest'
import type { Manifest } from '../../src/checkpoint/manifest.js'
import { destinationStream } from '../../src/destination/destination-stream.js'
import { fileDestination } from '../../src/destination/file.js'
import type { Emulator } from '../../src/emulator/emulator.js'
import { type ExportOptions, exportRecords } from '../../src/export/export.js'
import { sideNames } from '../../src/files/side-names.js'
import { expectManifest, expectNoLie, readManifest, writeManifest } from '../helpers/manifest.js'
import { emulate, FaultClock, requestOf, run, temporaryDirectory, token } from './harness.js'

interface Place {
  readonly server: Emulator
  readonly directory: string
  readonly path: string
  readonly options: ExportOptions
}

async function place(name = 'out.ndjson'): Promise<Place> {
  const clock = new FaultClock()
  const server = await emulate({ clock })
  const directory = temporaryDirectory()
  const path = join(directory, name)
  return { server, directory, path, options: { ...requestOf(server), clock, out: path } }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

describe('tells', () => {
  test('what was asked, what came, and what the file is', async () => {
    const { options, path, server } = await place('out.csv')
    const report = await exportRecords({ ...options, limit: 2, exclude: ['remote_data', 'emails.type'], keyBy: 'id' })
    expectManifest(path, report)
    const { run: _, versions, fingerprint, ...manifest } = readManifest(path)
    expect(fingerprint).toMatch(/^[0-9a-f]{64}$/)
    expect(versions).toEqual({
      trutoExport: '0.1.0',
      node: process.versions.node,
      engine: 'simd',
      parquetWriter: null,
    })
    expect(manifest).toMatchObject({
      format: 'csv',
      compression: 'none',
      records: 6,
      complete: true,
      source: {
        resource: 'instant-messaging/members',
        apiUrl: `${server.url}/`,
        account: server.accountId,
        channel: server.parentIds[0],
        query: [],
        recordsRead: 6,
        pages: 3,
        emptyPages: 0,
        firstCursorSha256: null,
        requestedResponseFormat: 'auto',
        responseFormat: 'stream',
        framing: 'envelope',
        fallback: null,
      },
      options: {
        limit: 2,
        exclude: ['remote_data', 'emails.type'],
        keyBy: 'id',
        csvDelimiter: ',',
        unknownFields: 'extra',
      },
    })
    const header = readFileSync(path, 'utf8').split('\n', 1)[0]!
    const columns = manifest.schema.columns!
    expect(columns.map(({ name }) => name).join(',')).toBe(header)
    expect(columns.find(({ name }) => name === 'emails')).toEqual({ name: 'emails', type: 'json' })
    expect(columns.find(({ name }) => name === 'updated_at')).toEqual({ name: 'updated_at', type: 'timestamp' })
    // only what shaped this format
    expect(Object.keys(manifest.options).filter((name) => /parquet|token|timeout|max|ca$/i.test(name))).toEqual([
      'maxKeyBytes',
    ])
  })

  test('the columns of Parquet with their nesting, and no columns where the format has none', async () => {
    const { options, path } = await place('out.parquet')
    await exportRecords(options)
    const { schema, versions } = readManifest(path)
    expect(schema.columns!.find(({ name }) => name === 'organizations')!.type).toBe(
      'list<struct<id: string, name: string>>',
    )
    expect(versions.parquetWriter).not.toBeNull()
    await exportRecords({ ...options, format: 'json', overwrite: true })
    expect(readManifest(path).schema).toEqual({ resource: 'instant-messaging/members', version: 1, columns: null })
  })

  test('empty pages, partial pages and counts that differ', async () => {
    const { report, output } = await run({
      emulator: { paging: { emptyPages: [1, 3], trailingEmptyPage: true }, slackPartial: true },
    })
    expect(output).toBeDefined()
    expect(report).toMatchObject({ emptyPages: 3, partialPages: report!.pages, countMismatches: 0 })
    const { path, options, server } = await place()
    const body = '{"result":[{"id":"a","name":"b"}],"result_count":2,"next_cursor":null}'
    server.setFaults([{ kind: 'body', body, page: 2 }])
    const mismatched = await exportRecords(options)
    const { source, warnings } = readManifest(path)
    expect([source.countMismatches, mismatched.countMismatches]).toEqual([1, 1])
    expect(warnings).toEqual([expect.objectContaining({ code: 'result-count', count: 1 })])
  })

  test('nothing that differs between two exports of the same list, but for the run', async () => {
    const { options, path } = await place()
    const manifests: Partial<Manifest>[] = []
    for (let i = 0; i < 2; i++) {
      await exportRecords({ ...options, overwrite: true })
      const { run: _, ...others } = readManifest(path)
      manifests.push(others)
    }
    expect(manifests[0]).toEqual(manifests[1])
    await exportRecords({ ...options, overwrite: true, query: { a: 1 } })
    expect(readManifest(path).fingerprint).not.toBe(manifests[0]!.fingerprint)
  })

  test('no digest where none is wanted', async () => {
    const { options, path } = await place()
    await exportRecords({ ...options, digest: 'none' })
    expect(readManifest(path).sha256).toBeNull()
  })

  test('of a converted body no request, and of a Transform no fingerprint', async () => {
    const { options, path } = await place()
    const identity = new Transform({ objectMode: true, transform: (batch, _, done) => done(null, batch) })
    await exportRecords({ ...options, transform: identity })
    expect(readManifest(path).fingerprint).toBeNull()
    const again = new Transform({ objectMode: true, transform: (batch, _, done) => done(null, batch) })
    const parquet = `${path}.parquet`
    await exportRecords({ ...options, out: parquet, transform: again })
    expect(readFileSync(parquet, 'latin1')).not.toContain('export-id')
    await exportRecords({ ...options, out: parquet, overwrite: true })
    expect(readFileSync(parquet, 'latin1')).toContain(readManifest(parquet).fingerprint)
    const copy = `${path}.copy.json`
    await exportRecords({ input: path, out: copy, resource: 'instant-messaging/members' })
    expect(readManifest(copy)).toMatchObject({
      fingerprint: null,
      records: 6,
      source: { apiUrl: null, account: null, channel: null, lastCursorSha256: null },
    })
  })
})

test('holds no token, no cursor and no value of a query', async () => {
  const { options, path } = await place()
  const cursors: string[] = []
  await exportRecords({
    ...options,
    query: { remote_query: { key: 'query-secret' } },
    queryRaw: 'raw=raw-secret',
    redact: ['name=hash'],
    redactKey: 'redact-secret-of-some-length',
    channel: { id: options.channel as string, name: 'reference-secret' },
    onEvent: (event) => {
      if (event.kind === 'detail')
        cursors.push(...[...event.message.matchAll(/next_cursor=([^&\s]+)/g)].map(([, value]) => value!))
    },
  })
  const text = readFileSync(sideNames(path).manifest, 'utf8')
  for (const secret of [token, 'query-secret', 'raw-secret', 'reference-secret', 'redact-secret', ...cursors])
    expect(text).not.toContain(secret)
  const { source, options: told } = readManifest(path)
  expect(told).toMatchObject({ redact: ['name=hash'] })
  expect(source.query).toEqual(['raw', 'remote_query'])
  expect(source.channel).toEqual(['id', 'name'])
})

test('has the digests of the cursors that the first and the last page were asked for with', async () => {
  const { options, path, server } = await place()
  const first = new Map<number, string>()
  const answer = await fetch(
    `${server.url}/unified/instant-messaging/members?integrated_account_id=${server.accountId}&channel[id]=${server.parentIds[0]}&truto_response_format=unified`,
    { headers: { authorization: `Bearer ${token}` } },
  )
  const { next_cursor: cursor } = (await answer.json()) as { next_cursor: string }
  first.set(2, cursor)
  await exportRecords(options)
  expect(readManifest(path).source).toMatchObject({
    firstCursorSha256: null,
    lastCursorSha256: sha256(cursor),
    pages: 2,
  })
  await exportRecords({ ...options, cursor, overwrite: true })
  expect(readManifest(path).source).toMatchObject({
    firstCursorSha256: sha256(cursor),
    lastCursorSha256: sha256(cursor),
    pages: 1,
  })
})

describe('is not there', () => {
  test('where none is wanted, and then none of an older file either', async () => {
    const { options, path, directory } = await place()
    writeFileSync(path, 'old')
    writeManifest(path)
    const report = await exportRecords({ ...options, manifest: 'none', overwrite: true })
    expect(report.manifest).toBeNull()
    expect(readdirSync(directory)).toEqual(['out.ndjson'])
  })

  test('where another file of its name is and none is wanted: that stays', async () => {
    const { options, path } = await place()
    writeFileSync(sideNames(path).manifest, '{"name":"a web app"}')
    await exportRecords({ ...options, manifest: 'none' })
    expect(readFileSync(sideNames(path).manifest, 'utf8')).toBe('{"name":"a web app"}')
  })

  test('where the output is not published, such as a device', async () => {
    const { options } = await place()
    const report = await exportRecords({ ...options, out: '/dev/null' })
    expect(report.manifest).toBeNull()
    expect(readdirSync('/dev').filter((name) => name.includes('manifest'))).toEqual([])
  })

  test('beside a file that something else than an export wrote over it', async () => {
    const { path, directory } = await place()
    writeFileSync(path, 'old')
    writeManifest(path)
    const writing = destinationStream(fileDestination(path, { overwrite: true }))
    await pipeline(Readable.from([Buffer.from('new')]), writing)
    expect(readdirSync(directory)).toEqual(['out.ndjson'])
  })
})

test('stands beside a file whose name is as long as one can be', async () => {
  const { options, directory } = await place()
  const path = join(directory, 'x'.repeat(255))
  const report = await exportRecords({ ...options, out: path })
  expect(readdirSync(directory)).toEqual([basename(report.manifest!), basename(path)])
  expect(expectNoLie(path)).toBe(true)
})

test('stands beside the file that a link leads to', async () => {
  const { options, path, directory } = await place()
  mkdirSync(join(directory, 'real'))
  symlinkSync('real/data.ndjson', path)
  const report = await exportRecords(options)
  expect(report.manifest).toBe(sideNames(join(directory, 'real/data.ndjson')).manifest)
  expect(readdirSync(directory).sort()).toEqual(['out.ndjson', 'real'])
  expect(expectNoLie(join(directory, 'real/data.ndjson'))).toBe(true)
})

test('that cannot have its name is known before the first request', async () => {
  const { options, path, server, directory } = await place()
  mkdirSync(sideNames(path).manifest)
  const error = await exportRecords(options).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ code: 'ERR_OUTPUT_ACCESS', exitCode: 7 })
  expect([server.requests, readdirSync(directory)]).toEqual([0, ['_out.ndjson.manifest.json']])
})

test.each(['simd', 'js'] as const)(
  'of an interrupted export warns of fields that neither run met, with the engine %s',
  async (parser) => {
    const { options, path, server } = await place()
    const body = {
      kind: 'body',
      page: 2,
      body: '{"result":[{"id":"a","late":1,"last":2,"also_late":3}],"next_cursor":null}',
    } as const
    const redact = ['phones=drop', 'name=mask', 'late=drop', 'last=mask', 'nmae=mask', 'phnoes=drop']
    const exclude = ['later', 'also_late', 'remote_data.x']
    const rest = {
      select: ['id', 'title', 'naem', 'phones', 'name', 'late', 'last', 'nmae', 'phnoes', 'also_late', 'later'],
    }
    const edits = { ...rest, redact, exclude, unmetFields: 'warn', rename: ['titel=title_of', 'id=key'] } as const
    const whole = { ...options, parser, ...edits, ignoreRemoteData: true, overwrite: true }
    server.setFaults([body])
    const { warnings: undisturbed } = await exportRecords(whole)
    expect(undisturbed).toMatchObject([
      { code: 'exclude-unused', count: 4, fields: { later: 4 } },
      { code: 'redact-unused', count: 8, fields: { nmae: 4, phnoes: 4 } },
      { code: 'select-unused', count: 16, fields: { later: 4, naem: 4, nmae: 4, phnoes: 4 } },
    ])
    server.setFaults([{ kind: 'status', status: 401, page: 2 }])
    await exportRecords(whole).catch(() => {})
    server.setFaults([body])
    const { warnings, resumedFrom } = await exportRecords(whole)
    expect(resumedFrom).toMatchObject({ records: 3 })
    expect(warnings).toEqual(undisturbed)
    expect(readManifest(path).warnings).toEqual(undisturbed)
  },
)

test.each<[string, Partial<ExportOptions>]>([
  ['a file', {}],
  ['a file that may be replaced', { overwrite: true }],
  ['a directory of parts', { partRows: 2 }],
])('does not take the place of a file that is no manifest, beside %s', async (_, more) => {
  const { options, path, server, directory } = await place()
  const theirs = '{"name":"a web app"}'
  writeFileSync(sideNames(path).manifest, theirs)
  await expect(exportRecords({ ...options, ...more })).rejects.toMatchObject({
    code: 'ERR_OUTPUT_EXISTS',
    exitCode: 2,
    hint: expect.stringContaining('--manifest none'),
  })
  expect([server.requests, readdirSync(directory)]).toEqual([0, ['_out.ndjson.manifest.json']])
  await exportRecords({ ...options, ...more, manifest: 'none' })
  expect(readFileSync(sideNames(path).manifest, 'utf8')).toBe(theirs)
})

test('of an interrupted export that is complete the next time is what it would have been', async () => {
  const { options, path, server } = await place()
  server.setFaults([{ kind: 'status', status: 401, page: 2 }])
  await exportRecords(options).catch(() => {})
  server.setFaults([])
  const report = await exportRecords(options)
  expectManifest(path, report)
  expect(readManifest(path).run.resumedFrom).toEqual(report.resumedFrom)
  expect(report.resumedFrom).not.toBeNull()
})

test('of an interrupted export tells what one without an interruption tells, but for the run', async () => {
  const { options, path, server } = await place('out.csv')
  // in the first page and in the second, values of each field do not fit
  const schema = { type: 'object', properties: { id: { type: 'integer' }, name: { type: 'boolean' } } }
  await exportRecords({ ...options, schema })
  const { run: _, ...undisturbed } = readManifest(path)
  server.setFaults([{ kind: 'status', status: 401, page: 2 }])
  await exportRecords({ ...options, schema, overwrite: true }).catch(() => {})
  server.setFaults([])
  await exportRecords({ ...options, schema, overwrite: true })
  const { run, ...interrupted } = readManifest(path)
  expect(run.resumedFrom).toMatchObject({ records: 3 })
  expect(interrupted).toEqual(undisturbed)
  expect(interrupted.warnings).toMatchObject([{ code: 'type-mismatch', count: 12, fields: { id: 6, name: 6 } }])
})
