import { join } from 'node:path'
import { parquetReadObjects } from 'hyparquet'
import { describe, expect, test } from 'vitest'
import { memoryDestination } from '../../src/destination/memory.js'
import { jsonEncoder } from '../../src/encode/json.js'
import { ndjsonEncoder } from '../../src/encode/ndjson.js'
import { type ExportOptions, exportRecords } from '../../src/export/export.js'
import { identityOf } from '../../src/export/identity.js'
import { resolveOptions } from '../../src/options/resolve.js'
import { emulate, requestOf, temporaryDirectory } from '../faults/harness.js'
import { batchWith } from '../helpers/batch.js'
import { readManifest } from '../helpers/manifest.js'
import { encodeAll } from '../helpers/sink.js'

type Given = Partial<ExportOptions>
const engines = ['simd', 'js', 'stream-json', 'streamparser'] as const
const lines = [
  String.raw`{"id":"1","bio":"cut \ud83d"}`,
  String.raw`{"id":"2","bio":"\ude00 whole \ud83d\ude00 \\ud83d \\\ud83d"}`,
  String.raw`{"id":"3","key \udfff":{"in \uDABC":["\ud83d\ud83d\ude00"]}}`,
  String.raw`{"id":"4","bio":"\u00e9 \ud7ff \ue000"}`,
]
/** Halves in these lines. */
const halves = 6
const input = Buffer.from(`${lines.join('\n')}\n`)
const replaced = (text: string): string =>
  text.replace(/\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)/gu, (all, half?: string) =>
    half ? '\\ufffd' : all,
  )

async function out(options: Given) {
  const destination = memoryDestination()
  const report = await exportRecords({ input, inputFormat: 'ndjson', ...options, destination })
  return { report, bytes: Buffer.from(destination.bytes()), text: Buffer.from(destination.bytes()).toString() }
}
const counted = (count: number) => [expect.objectContaining({ code: 'lone-surrogates', count })]

describe.each(engines)('with the engine %s', (parser) => {
  const isExact = parser === 'simd' || parser === 'js'

  test('halves in NDJSON and JSON stay and are counted', async () => {
    const ndjson = await out({ parser })
    const json = await out({ parser, format: 'json' })
    if (isExact) {
      expect(ndjson.text).toBe(input.toString())
      expect(json.text).toBe(`[\n${lines.join(',\n')}\n]\n`)
    }
    expect(JSON.parse(json.text)).toEqual(lines.map((line) => JSON.parse(line)))
    for (const { report } of [ndjson, json]) expect(report.warnings).toEqual(counted(halves))
  })

  test('halves in NDJSON and JSON are replaced where that is asked for, and nothing else is', async () => {
    const ndjson = await out({ parser, surrogates: 'replace' })
    const json = await out({ parser, surrogates: 'replace', format: 'json' })
    if (isExact) {
      expect(ndjson.text).toBe(`${lines.map(replaced).join('\n')}\n`)
      expect(json.text).toBe(`[\n${lines.map(replaced).join(',\n')}\n]\n`)
    }
    expect(JSON.parse(json.text)).toEqual(lines.map((line) => JSON.parse(replaced(line))))
    for (const { report } of [ndjson, json]) expect(report.warnings).toEqual(counted(halves))
  })

  test.each(['ndjson', 'json', 'csv', 'parquet'] as const)('a half is an error in %s under strict', async (format) => {
    for (const surrogates of ['keep', 'replace'] as const) {
      await expect(out({ parser, format, surrogates, strict: true })).rejects.toMatchObject({
        code: 'ERR_VALUE_INEXACT',
        exitCode: 6,
        recordIndex: 0,
      })
    }
    const good = await out({ parser, format, strict: true, input: Buffer.from(`${lines[3]}\n`) })
    expect(good.report.warnings).toEqual([])
  })

  test('keys with halves are counted, replaced, or errors', async () => {
    const keyed = { parser, keyBy: 'k', input: Buffer.from(`${String.raw`{"k":"a\ud83d"}`}\n`) }
    for (const format of ['ndjson', 'json'] as const) {
      const kept = await out({ ...keyed, format })
      expect(kept.text).toContain(String.raw`{"k":"a\ud83d"}`)
      expect(kept.text).toContain(String.raw`"a\ud83d":`)
      expect(kept.report.warnings).toEqual(counted(2))
      const other = await out({ ...keyed, format, surrogates: 'replace' })
      expect(other.text).toContain('"a\ufffd":')
      expect(other.text).toContain(String.raw`{"k":"a\ufffd"}`)
      expect(other.report.warnings).toEqual(counted(2))
      await expect(out({ ...keyed, format, strict: true })).rejects.toMatchObject({ code: 'ERR_VALUE_INEXACT' })
    }
  })

  test('what edits take away counts no more, what they bring counts', async () => {
    const edits = { parser, unmetFields: 'ignore' } as const
    const gone = await out({ ...edits, exclude: ['bio', 'key \udfff'] })
    expect(gone.report.warnings).toEqual([])
    const selected = await out({ ...edits, select: ['id', 'key \udfff.x'] })
    expect(selected.report.warnings).toEqual(counted(1))
    const hidden = await out({ ...edits, redact: ['bio=mask', 'key \udfff=drop'] })
    expect(hidden.report.warnings).toEqual([])
    const renamed = await out({ ...edits, input: Buffer.from('{"id":"1","a":1}\n'), rename: ['id=x\ud800'] })
    expect(renamed.report.warnings).toEqual(counted(1))
    const mapped = await out({ ...edits, input: Buffer.from('{"x":"1"}\n'), transform: () => ({ a: '\ud800' }) })
    expect(mapped.report.warnings).toEqual(counted(1))
  })
})

test('halves in records that are the values of an object, and bare ids, are counted', async () => {
  const body = (text: string): Given => ({ input: Buffer.from(text), inputFormat: 'page' })
  for (const parser of engines) {
    const keyed = body(String.raw`{"result":{"\ud800":{"a":"\udc00"}},"next_cursor":null}`)
    expect((await out({ ...keyed, parser })).report.warnings).toEqual(counted(1))
    expect((await out({ ...keyed, parser, keyBy: '@key' })).report.warnings).toEqual(counted(2))
    const bare = body(String.raw`{"ok":true,"members":["\ud800"],"response_metadata":{"next_cursor":""}}`)
    expect((await out({ ...bare, parser })).report.warnings).toContainEqual(counted(1)[0])
  }
})

test('encoders count for themselves where nobody said what a batch has', async () => {
  const batch = batchWith([lines[0]!, lines[3]!], { keys: ['a', '\ud800'] })
  for (const open of [ndjsonEncoder, (options: object) => jsonEncoder({ ...options, hasKey: true })]) {
    const encoder = open({})
    await encodeAll(encoder, [batch, batch])
    expect(encoder.warnings()).toEqual(counted(4))
    const before = Buffer.from(batch.bytes)
    const text = (await encodeAll(open({ surrogates: 'replace' }), [batch])).toString()
    expect(text).not.toMatch(/\\ud83d/)
    expect(batch.bytes.equals(before)).toBe(true)
  }
})

test('a batch that is known to have none is not looked at', async () => {
  const batch = batchWith([lines[0]!], { isWellFormed: true })
  const encoder = ndjsonEncoder({ strict: true })
  expect((await encodeAll(encoder, [batch])).toString()).toBe(`${lines[0]}\n`)
})

test('halves of an interrupted export are all counted, and what is done to them is part of what it is', async () => {
  const server = await emulate({})
  const out = join(temporaryDirectory(), 'out.ndjson')
  // the name of a field is in every record
  const options = { ...requestOf(server), out, surrogates: 'replace', rename: ['id=x\ud800'] } as const
  server.setFaults([{ kind: 'status', status: 401, page: 2 }])
  await exportRecords(options).catch(() => {})
  server.setFaults([])
  await expect(exportRecords({ ...options, surrogates: 'keep' })).rejects.toMatchObject({
    code: 'ERR_STATE_MISMATCH',
    message: expect.stringContaining('--surrogates'),
  })
  const report = await exportRecords(options)
  expect(report).toMatchObject({ records: 6, resumedFrom: { records: 3 } })
  expect(report.warnings).toEqual(counted(6))
  expect(readManifest(options.out).options).toMatchObject({ surrogates: 'replace', strict: false })

  const identity = (more: Given): string =>
    identityOf({
      resolved: resolveOptions({ resource: 'a/b', token: 't', ...more }),
      transform: undefined,
      hasInput: false,
    })
  expect(identity({ surrogates: 'keep' })).toBe(identity({}))
  expect(new Set([{}, { surrogates: 'replace' }, { strict: true }].map((more) => identity(more as Given))).size).toBe(3)
  // columns have U+FFFD whatever is said of text
  expect(identity({ format: 'csv', surrogates: 'replace' })).toBe(identity({ format: 'csv' }))
})

test.each(engines)('records with a key twice are counted in CSV and Parquet, with the engine %s', async (parser) => {
  const texts = [
    '{"id":"1","name":"a","id":"2"}',
    '{"id":"3","id":"4"}',
    String.raw`{"id":"5","\u0069d":"6","name":"b"}`,
    '{"id":"7","x":1,"y":2,"x":3}',
    '{"id":"8","x":{"a":1,"a":2}}',
    '{"name":"c","id":"9"}',
    '{"id":"10","in":{"a":1,"a":2}}',
  ]
  const properties = {
    id: { type: 'string' },
    name: { type: 'string' },
    in: { type: 'object', properties: { a: { type: 'integer' } } },
  }
  const options = {
    parser,
    input: Buffer.from(`${texts.join('\n')}\n`),
    schema: { type: 'object', properties },
  } as const
  const twice = (count: number) => [expect.objectContaining({ code: 'repeated-keys', count })]
  const csv = await out({ ...options, format: 'csv' })
  expect(csv.report.warnings).toEqual(twice(4))
  expect(csv.text.split('\n').slice(1, 4)).toEqual(['"2","a",,', '"4",,,', '"6","b",,'])
  expect((await out({ ...options, format: 'csv', csvNested: 'flatten' })).report.warnings).toEqual(twice(5))
  for (const parquetWriter of ['builtin', 'parquetjs-lite'] as const) {
    const { bytes, report } = await out({ ...options, format: 'parquet', parquetWriter })
    expect(report.warnings).toEqual(twice(5))
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
    const rows = (await parquetReadObjects({ file })) as { id: string }[]
    expect(rows.map(({ id }) => id)).toEqual(['2', '4', '6', '7', '8', '9', '10'])
  }
  expect((await out({ ...options, format: 'ndjson' })).report.warnings).toEqual([])
})
