import { readFileSync } from 'node:fs'
import * as zlib from 'node:zlib'
import fc from 'fast-check'
import { type FileMetaData, parquetMetadata, parquetReadObjects } from 'hyparquet'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { parquetWriterNames } from '../../src/encode/parquet/choices.js'
import { type ParquetOptions, parquetEncoder } from '../../src/encode/parquet/parquet.js'
import { ConfigError, OutputError } from '../../src/errors.js'
import type { RecordBatch } from '../../src/record.js'
import { memberSchema } from '../../src/schema/member.js'
import { type FieldType, type ResourceSchema, unmappedSchema } from '../../src/schema/resource.js'
import { batchOf, batchWith } from '../helpers/batch.js'
import { query, type ReadValue } from '../helpers/duckdb.js'
import { edgeTexts } from '../helpers/edge-texts.js'
import { type Expected, memberSample } from '../helpers/member-records.js'
import { encodeAll, MemorySink } from '../helpers/sink.js'

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

const runs = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 1000 : 40

type Row = { [column: string]: ReadValue }

async function parquet(texts: readonly string[], options: Partial<ParquetOptions> = {}): Promise<Buffer> {
  return encodeAll(parquetEncoder({ schema: memberSchema, ...options }), [batchOf(...texts)])
}

async function readBack(bytes: Uint8Array): Promise<Row[]> {
  return query('from {file}', bytes, '.parquet')
}

/** The columns of each record that are not null. */
async function roundTrip(texts: readonly string[], options: Partial<ParquetOptions> = {}): Promise<Row[]> {
  const rows = await readBack(await parquet(texts, options))
  return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)))
}

function metadataOf(bytes: Buffer): FileMetaData {
  return parquetMetadata(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer)
}

function rowGroups(bytes: Buffer): number[] {
  return metadataOf(bytes).row_groups.map(({ num_rows }) => Number(num_rows))
}

const micros = (text: string) => BigInt(Date.parse(text)) * 1000n

describe.each(parquetWriterNames)('%s', (writer) => {
  test('columns have the types of the schema', async () => {
    const bytes = await parquet([], { writer })
    const rows = await query('select column_name, column_type from (describe from {file})', bytes, '.parquet')
    const types = Object.fromEntries(rows.map((row) => [row['column_name'], row['column_type']]))
    const timestamp = writer === 'parquetjs-lite' ? 'TIMESTAMP' : 'TIMESTAMP WITH TIME ZONE'
    const reference = 'STRUCT(id VARCHAR, "name" VARCHAR)'
    expect(Object.keys(types)).toEqual([...memberSchema.fields.map(({ name }) => name), 'extra'])
    expect(types).toMatchObject({
      id: 'VARCHAR',
      created_at: timestamp,
      is_email_verified: 'BOOLEAN',
      languages: 'VARCHAR[]',
      emails: 'STRUCT(email VARCHAR, is_primary BOOLEAN, "type" VARCHAR)[]',
      groups: `STRUCT(id VARCHAR, "name" VARCHAR, organization ${reference}, "type" VARCHAR, workspace ${reference})[]`,
      remote_data: 'VARCHAR',
      extra: 'VARCHAR',
    })
    const asJson = await parquet([], { writer, json: 'json' })
    const json = await query(
      "select column_name from (describe from {file}) where column_type = 'JSON'",
      asJson,
      '.parquet',
    )
    expect(json).toEqual([{ column_name: 'remote_data' }, { column_name: 'extra' }])
  })

  test('a file without records is valid', async () => {
    const bytes = await parquet([], { writer })
    expect(await readBack(bytes)).toEqual([])
    expect(metadataOf(bytes).row_groups).toEqual([])
  })

  test.each(['snappy', 'gzip', 'none'] as const)(
    '%s files are read, also where every value is null',
    async (compression) => {
      const texts = Array.from(
        { length: 50 },
        (_, i) => `{"id":"${i}","name":"${'long name '.repeat(20)}","languages":["de"]}`,
      )
      const rows = await roundTrip([...texts, '{}'], { writer, compression, rowGroupRows: 50 })
      expect(rows).toHaveLength(51)
      expect(rows[49]).toEqual({ id: '49', name: 'long name '.repeat(20), languages: ['de'] })
      expect(rows[50]).toEqual({})
    },
  )

  test('null, absent, empty and null inside are told apart as far as Parquet does', async () => {
    const texts = [
      '{}',
      '{"emails":null,"languages":null}',
      '{"emails":[],"languages":[]}',
      '{"emails":[null],"languages":[null,"de",null]}',
      '{"emails":[{}],"languages":[""]}',
      '{"groups":[{"organization":null,"workspace":{}}]}',
    ]
    const none = { email: null, is_primary: null, type: null }
    expect(await roundTrip(texts, { writer })).toEqual([
      {},
      {},
      { emails: [], languages: [] },
      { emails: [null], languages: [null, 'de', null] },
      { emails: [none], languages: [''] },
      { groups: [{ id: null, name: null, organization: null, type: null, workspace: { id: null, name: null } }] },
    ])
  })

  test('every edge text comes back as it was, at the top, in lists and in JSON', async () => {
    const texts = edgeTexts.map((text) => JSON.stringify({ id: text, languages: [text], remote_data: { text } }))
    const rows = await readBack(await parquet(texts, { writer }))
    expect(rows.map(({ id }) => id)).toEqual(edgeTexts)
    expect(rows.map(({ languages }) => languages)).toEqual(edgeTexts.map((text) => [text]))
    expect(rows.map(({ remote_data }) => remote_data)).toEqual(edgeTexts.map((text) => JSON.stringify({ text })))
  })

  test('JSON is the text that was sent, of any type and with all its digits', async () => {
    const deep = `${'['.repeat(990)}1${']'.repeat(990)}`
    const jsons = [
      '[1]',
      '[]',
      '[1,2]',
      '{}',
      '"text"',
      'true',
      '-0',
      '1.0',
      '{"n":123456789012345678901234567890,"f":0.1000000000000000055511151231257827,"e":1e400}',
      '{"a" : "\\u0000\\/\\u0041\\ud83d\\ude00"}',
      deep,
    ]
    const texts = jsons.map((json) => `{"remote_data":${json},"unknown":${json}}`)
    expect(await roundTrip(texts, { writer })).toEqual(
      jsons.map((json) => ({ remote_data: json, extra: `{"unknown":${json}}` })),
    )
  })

  test('a lone surrogate does not make the file unreadable', async () => {
    const text = '{"id":"a\\ud800","remote_data":{"name":"b\\ud800"},"unknown":"c\\ud800"}'
    expect(await roundTrip([text], { writer })).toEqual([
      { id: 'a\ufffd', remote_data: '{"name":"b\\ufffd"}', extra: '{"unknown":"c\\ufffd"}' },
    ])
  })

  test('a filter on a string column finds every row, whatever the order of UTF-16', async () => {
    // in UTF-16 an emoji sorts before U+FF5E, in UTF-8 after it: bounds by the wrong order make readers skip the row
    // group
    const texts = Array.from({ length: 200 }, (_, i) => `{"id":"${i}","name":"${i % 2 === 0 ? '～' : '😀'}"}`)
    const bytes = await parquet(texts, { writer })
    expect(await query(`select count(*) n from {file} where name = '😀'`, bytes, '.parquet')).toEqual([{ n: 100n }])
    expect(await query(`select count(*) n from {file} where name = '～'`, bytes, '.parquet')).toEqual([{ n: 100n }])
    expect(await query(`select count(*) n from {file} where name > '～'`, bytes, '.parquet')).toEqual([{ n: 100n }])
  })

  test('a filter on long strings finds them, whose bounds are cut', async () => {
    const names = ['a'.repeat(40), '\u{10ffff}'.repeat(20), '\u00ff'.repeat(40), '😀'.repeat(30)]
    const bytes = await parquet(
      names.map((name) => JSON.stringify({ name })),
      { writer },
    )
    for (const name of names) {
      expect(await query(`select name from {file} where name = '${name}'`, bytes, '.parquet')).toEqual([{ name }])
    }
  })

  test('timestamps are exact from the year 1 to 9999, and filters find them', async () => {
    const instants = [
      '0001-01-01T00:00:00.000Z',
      '1969-12-31T23:59:59.999Z',
      '1970-01-01T00:00:00.000Z',
      '9999-12-31T23:59:59.999Z',
    ]
    const bytes = await parquet(
      instants.map((at) => JSON.stringify({ created_at: at })),
      { writer },
    )
    expect((await readBack(bytes)).map(({ created_at }) => created_at)).toEqual(instants.map(micros))
    const before = await query(`select count(*) n from {file} where created_at < '1970-01-01'`, bytes, '.parquet')
    expect(before).toEqual([{ n: 2n }])
  })

  test('milliseconds cut a finer instant, or refuse it: then it stays in extra', async () => {
    const texts = ['{"created_at":"2024-01-01T00:00:00.123Z"}', '{"created_at":"2024-01-01T00:00:00.123456Z"}']
    const whole = { created_at: micros('2024-01-01T00:00:00.123Z') }
    const millis = { writer, timestampUnit: 'millis' } as const
    expect(await roundTrip(texts, millis)).toEqual([whole, whole])
    expect(await roundTrip(texts, { ...millis, timestampExcess: 'extra' })).toEqual([whole, { extra: texts[1] }])
    const encoder = parquetEncoder({ schema: memberSchema, ...millis })
    await encodeAll(encoder, [batchOf(...texts)])
    expect(encoder.warnings()).toMatchObject([{ code: 'timestamps-truncated', count: 1 }])
  })

  test('other forms of date-times are read and counted, or refused', async () => {
    const texts = ['{"created_at":"2024-01-01 00:00:00+0000"}', '{"created_at":1704067200}']
    const value = { created_at: micros('2024-01-01T00:00:00Z') }
    expect(await roundTrip(texts, { writer })).toEqual([value, value])
    expect(await roundTrip(texts, { writer, timestampForms: 'rfc3339' })).toEqual(texts.map((extra) => ({ extra })))
    const encoder = parquetEncoder({ schema: memberSchema, writer })
    await encodeAll(encoder, [batchOf(...texts)])
    expect(encoder.warnings()).toMatchObject([{ code: 'timestamps-reformed', count: 2 }])
  })

  test('row groups end at a number of rows', async () => {
    const texts = Array.from({ length: 25 }, (_, i) => `{"id":"${i}"}`)
    expect(rowGroups(await parquet(texts, { writer, rowGroupRows: 10 }))).toEqual([10, 10, 5])
    expect(rowGroups(await parquet(texts.slice(0, 20), { writer, rowGroupRows: 10 }))).toEqual([10, 10])
    expect((await readBack(await parquet(texts, { writer, rowGroupRows: 10 }))).map(({ id }) => Number(id))).toEqual([
      ...texts.keys(),
    ])
  })

  test('row groups end with the record that makes a number of bytes', async () => {
    const texts = ['{"id":"a"}', '{"id":"b"}', '{"id":"c"}', JSON.stringify({ id: 'x'.repeat(100) }), '{"id":"d"}']
    expect(rowGroups(await parquet(texts, { writer, rowGroupBytes: 22 }))).toEqual([2, 2, 1])
    expect(rowGroups(await parquet(texts, { writer, rowGroupBytes: 23 }))).toEqual([3, 1, 1])
  })

  test('a row group ends where it is cut, but is never empty', async () => {
    const sink = new MemorySink()
    const encoder = parquetEncoder({ schema: memberSchema, writer, rowGroupRows: 2 })
    await encoder.begin(sink)
    await encoder.cut!()
    await encoder.encode(batchOf('{"id":"1"}'))
    await encoder.cut!()
    await encoder.encode(batchOf('{"id":"2"}', '{"id":"3"}'))
    await encoder.cut!()
    await encoder.encode(batchOf('{"id":"4"}'))
    await encoder.end()
    expect(rowGroups(sink.bytes)).toEqual([1, 2, 1])
  })

  test('bytes depend on the records alone, not on batches or runs', async () => {
    const texts = Array.from(
      { length: 120 },
      (_, i) => `{"id":"${i}","emails":[{"email":"${i}@x","is_primary":true}],"remote_data":{"i":${i}}}`,
    )
    const encoder = () => parquetEncoder({ schema: memberSchema, writer, rowGroupRows: 50 })
    const whole = await encodeAll(encoder(), [batchOf(...texts)])
    const single = await encodeAll(encoder(), [batchOf(), ...texts.map((text) => batchOf(text))])
    expect(single.equals(whole)).toBe(true)
  })

  test('a row group is handed on when it closes, and one write is awaited before the next', async () => {
    const sink = new MemorySink()
    const encoder = parquetEncoder({ schema: memberSchema, writer, rowGroupRows: 2 })
    await encoder.begin(sink)
    expect(sink.bytes.toString()).toBe('PAR1')
    await encoder.encode(batchOf('{"id":"1"}'))
    expect(sink.bytes.length).toBe(4)
    await encoder.encode(batchOf('{"id":"2"}'))
    const firstGroup = sink.bytes.length
    expect(firstGroup).toBeGreaterThan(100)
    await encoder.encode(batchOf('{"id":"3"}', '{"id":"4"}', '{"id":"5"}'))
    expect(sink.bytes.length).toBeGreaterThan(firstGroup + 100)
    await encoder.end()
    expect((await readBack(sink.bytes)).map(({ id }) => id)).toEqual(['1', '2', '3', '4', '5'])
  })

  test.each([1, 2, 3])('a sink that fails at write %i fails the export with its own error', async (failing) => {
    const broken = new OutputError('ERR_OUTPUT_SPACE', 'no space left')
    let writes = 0
    const sink = { write: async () => void (++writes === failing && (await Promise.reject(broken))) }
    const encoder = parquetEncoder({ schema: memberSchema, writer, rowGroupRows: 1 })
    const run = async () => {
      await encoder.begin(sink)
      await encoder.encode(batchOf('{"id":"1"}'))
      await encoder.end()
    }
    await expect(run()).rejects.toBe(broken)
  })

  test('no text from the records gets into the schema', async () => {
    const names = ['__proto__', 'a.b', '"', 'extra', '_key', 'id ', 'Id', '', '\0', 'list', 'constructor']
    const text = `{${names.map((name, i) => `${JSON.stringify(name)}:${i}`).join(',')}}`
    const [row] = await readBack(await parquet([text], { writer }))
    expect(Object.keys(row!)).toEqual([...memberSchema.fields.map(({ name }) => name), 'extra'])
    expect(row!['extra']).toBe(text)
  })

  test('keys are the first column', async () => {
    const encoder = parquetEncoder({ schema: unmappedSchema, writer, hasKey: true })
    const bytes = await encodeAll(encoder, [batchWith(['{"id":"a","x":1}', '{}'], { keys: ['k1', ''] })])
    expect(await readBack(bytes)).toEqual([
      { _key: 'k1', id: 'a', extra: '{"x":1}' },
      { _key: '', id: null, extra: null },
    ])
  })

  test('the footer says what the records are, and holds none of their JSON', async () => {
    const secret = 'payload'.repeat(100)
    const bytes = await parquet([JSON.stringify({ remote_data: { secret }, unknown: secret })], {
      writer,
      compression: 'none',
    })
    const footer = bytes.subarray(bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8))
    expect(footer.includes('payload')).toBe(false)
    const { key_value_metadata, created_by } = metadataOf(bytes)
    expect(key_value_metadata).toEqual([
      { key: 'truto-export.resource', value: 'instant-messaging/members' },
      { key: 'truto-export.schema-version', value: '1' },
      { key: 'truto-export.json-type', value: 'string' },
      { key: 'truto-export.json-columns', value: '["remote_data","extra"]' },
    ])
    // the form that parquet-mr's VersionParser reads
    const ours = `truto-export version ${manifest.version} (build builtin)`
    expect(created_by).toBe(writer === 'builtin' ? ours : 'parquet.js')
  })

  test('lists, structs and JSON may nest in any way', async () => {
    const schema: ResourceSchema = {
      resource: 'test/nested',
      version: 1,
      fields: [
        { name: 'matrix', type: { kind: 'list', element: { kind: 'list', element: { kind: 'boolean' } } } },
        { name: 'jsons', type: { kind: 'list', element: { kind: 'json' } } },
        {
          name: 'outer',
          type: {
            kind: 'struct',
            fields: [
              { name: 'inner', type: { kind: 'struct', fields: [{ name: 'at', type: { kind: 'timestamp' } }] } },
            ],
          },
        },
      ],
    }
    const texts = [
      '{"matrix":[[true,null],[],null],"jsons":[{"n":1.0},[],null,"a"],"outer":{"inner":{"at":"1970-01-01T00:00:01Z"}}}',
      '{"matrix":[[]],"outer":{"inner":null}}',
      '{"matrix":[],"outer":{}}',
    ]
    expect(await readBack(await parquet(texts, { writer, schema }))).toEqual([
      {
        matrix: [[true, null], [], null],
        jsons: ['{"n":1.0}', '[]', null, '"a"'],
        outer: { inner: { at: 1_000_000n } },
        extra: null,
      },
      { matrix: [[]], jsons: null, outer: { inner: null }, extra: null },
      { matrix: [], jsons: null, outer: { inner: null }, extra: null },
    ])
  })

  test('random members come back as the schema says, read by DuckDB and by hyparquet', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(memberSample(), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 13 }),
        async (samples, rowGroupRows) => {
          const batch: RecordBatch = batchOf(...samples.map(({ text }) => text))
          const asTold = { timestampExcess: 'extra', timestampForms: 'rfc3339', json: 'json' } as const
          const encoder = parquetEncoder({ schema: memberSchema, writer, rowGroupRows, ...asTold })
          const bytes = await encodeAll(encoder, [batch])
          const rows = await readBack(bytes)
          const objects = await readWithHyparquet(bytes)
          expect([rows.length, objects.length]).toEqual([samples.length, samples.length])
          samples.forEach(({ fields }, index) => {
            for (const { name, type } of memberSchema.fields) {
              let value = fields.get(name)?.value ?? null
              // parquetjs-lite has milliseconds only
              if (writer === 'parquetjs-lite' && typeof value === 'bigint' && value % 1000n !== 0n) value = null
              expect(rows[index]![name]).toEqual(value)
              expect(withNulls(objects[index]![name])).toEqual(asHyparquet(type, value))
            }
          })
        },
      ),
      { numRuns: runs },
    )
  })
})

describe('options', () => {
  test.each([{ rowGroupRows: 0 }, { rowGroupRows: 1.5 }, { rowGroupBytes: 0 }, { rowGroupBytes: Number.NaN }])(
    '%j are refused',
    (options) => {
      expect(() => parquetEncoder({ schema: memberSchema, ...options })).toThrow(ConfigError)
    },
  )
  test('zstd is refused where there is none', () => {
    const hasZstd = 'zstdCompressSync' in zlib
    const make = (writer: (typeof parquetWriterNames)[number]) => () =>
      parquetEncoder({ schema: memberSchema, writer, compression: 'zstd' })
    if (hasZstd) expect(make('builtin')).not.toThrow()
    else expect(make('builtin')).toThrow(expect.objectContaining({ code: 'ERR_RUNTIME_MISSING' }))
    expect(make('parquetjs-lite')).toThrow(ConfigError)
  })
  test('a file needs a column', () => {
    const schema = { ...memberSchema, fields: [] }
    expect(() => parquetEncoder({ schema, unknownFields: 'drop', onTypeMismatch: 'null' })).toThrow(ConfigError)
  })

  test('the columns have names of their own, and a schema is one', () => {
    const withField = (name: string, type: FieldType): ResourceSchema => ({
      ...unmappedSchema,
      fields: [{ name, type }],
    })
    const open =
      (schema: ResourceSchema, options: Partial<ParquetOptions> = {}): (() => unknown) =>
      () =>
        parquetEncoder({ schema, ...options })
    const string: FieldType = { kind: 'string' }
    expect(open(withField('extra', string))).toThrow('the column extra is one that truto-export makes itself')
    expect(open(withField('_key', string), { hasKey: true })).toThrow(ConfigError)
    expect(open(withField('s', { kind: 'struct', fields: [] }))).toThrow('a struct has a field')
    const noExtra = { unknownFields: 'drop', onTypeMismatch: 'null' } as const
    expect(open(withField('extra', string), noExtra)).not.toThrow()
    expect(open(withField('_key', string))).not.toThrow()
  })
  test('policies reach the reader', async () => {
    await expect(parquet(['{"id":1}'], { onTypeMismatch: 'error' })).rejects.toMatchObject({
      code: 'ERR_TYPE_MISMATCH',
    })
    await expect(parquet(['{"x":1}'], { unknownFields: 'error' })).rejects.toMatchObject({ code: 'ERR_FIELD_UNKNOWN' })
    await expect(parquet(['{"id":"\\ud800"}'], { strict: true })).rejects.toMatchObject({ code: 'ERR_VALUE_INEXACT' })
    const encoder = parquetEncoder({ schema: memberSchema })
    await encodeAll(encoder, [batchOf('{"id":"\\ud800"}')])
    expect(encoder.warnings()).toMatchObject([{ code: 'lone-surrogates', count: 1 }])
  })
})

test('files have bounds on strings and timestamps and none on JSON, and plain booleans', async () => {
  const texts = Array.from(
    { length: 100 },
    (_, i) => `{"id":"${i}","is_email_verified":true,"created_at":"2024-01-01T00:00:00Z","remote_data":{}}`,
  )
  const { row_groups } = metadataOf(await parquet(texts))
  const columns = new Map(
    row_groups[0]!.columns.map(({ meta_data }) => [meta_data!.path_in_schema.join('.'), meta_data!]),
  )
  expect(columns.get('id')!.statistics).toMatchObject({ min_value: '0', max_value: '99' })
  expect(columns.get('created_at')!.statistics!.min_value).toEqual(new Date('2024-01-01T00:00:00Z'))
  expect(columns.get('remote_data')!.statistics).toBeUndefined()
  expect(columns.get('is_email_verified')!.encodings).toEqual(['PLAIN', 'RLE'])
  expect(columns.get('emails.list.element.is_primary')!.encodings).toEqual(['PLAIN', 'RLE'])
  expect(row_groups[0]!.columns.every(({ offset_index_offset }) => offset_index_offset === undefined)).toBe(true)
})

test.each(parquetWriterNames)('the event loop turns while %s computes', async (writer) => {
  let now = 0
  // each look at the clock takes as long as others may have to wait
  vi.spyOn(performance, 'now').mockImplementation(() => (now += 20))
  onTestFinished(() => void vi.restoreAllMocks())
  let turns = 0
  const immediate = () => {
    turns++
    if (isRunning) setImmediate(immediate)
  }
  let isRunning = true
  setImmediate(immediate)
  const encoder = parquetEncoder({ schema: unmappedSchema, writer })
  await encoder.begin({ write: async () => {} })
  turns = 0
  const note = 'a long note '.repeat(100)
  await encoder.encode(batchOf(...Array.from({ length: 5000 }, (_, i) => `{"id":"${i}","note":"${note}${i}"}`)))
  await encoder.end()
  isRunning = false
  // 6 MB, looked at by the 256 KiB
  expect(turns).toBeGreaterThanOrEqual(20)
})

async function readWithHyparquet(bytes: Buffer): Promise<{ [column: string]: unknown }[]> {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
  return parquetReadObjects({ file })
}

/** What hyparquet gives for `value`: it parses JSON, has dates for timestamps, and drops a leading U+FEFF of a
 *  string. */
function asHyparquet(type: FieldType, value: Expected): unknown {
  if (value === null) return null
  if (type.kind === 'json') return JSON.parse(value as string)
  if (type.kind === 'timestamp') return new Date(Number((value as bigint) / 1000n))
  if (type.kind === 'string') return (value as string).replace(/^\ufeff/, '')
  if (type.kind === 'list') return (value as Expected[]).map((element) => asHyparquet(type.element, element))
  if (type.kind !== 'struct') return value
  const struct = value as { [field: string]: Expected }
  return Object.fromEntries(type.fields.map((field) => [field.name, asHyparquet(field.type, struct[field.name]!)]))
}

/** hyparquet has undefined for null in some places. */
function withNulls(value: unknown): unknown {
  if (value === undefined) return null
  if (Array.isArray(value)) return value.map(withNulls)
  if (value === null || typeof value !== 'object' || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, withNulls(child)]))
}
