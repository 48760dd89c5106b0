// Dialects beyond delimiter and quote: what stands for null, before a quote and in place of line feeds, as DuckDB reads
// it by the statement for such a file.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CsvEncoder, type CsvOptions, csvEncoder } from '../../../src/encode/csv.js'
import { ConfigError } from '../../../src/errors.js'
import { dialectOf } from '../../../src/readers/facts.js'
import { statementOf } from '../../../src/readers/statement.js'
import type { ResourceSchema } from '../../../src/schema/resource.js'
import { CsvRowCounter } from '../../../src/verify/csv-rows.js'
import { batchOf, batchWith } from '../../helpers/batch.js'
import { query } from '../../helpers/duckdb.js'
import { edgeTexts } from '../../helpers/edge-texts.js'
import { encodeAll } from '../../helpers/sink.js'

const numRuns = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 2000 : 80

const schema: ResourceSchema = {
  resource: 'test/small',
  version: 1,
  fields: [
    { name: 'id', type: { kind: 'string' } },
    { name: 'on', type: { kind: 'boolean' } },
    { name: 'n', type: { kind: 'int64' } },
    { name: 'any', type: { kind: 'json' } },
    { name: 'last', type: { kind: 'string' } },
  ],
}

type Given = Partial<CsvOptions>

async function csv(texts: readonly string[], options: Given): Promise<Buffer> {
  return encodeAll(csvEncoder({ schema, ...options }), [batchOf(...texts)])
}

/** Rows as DuckDB reads them by the statement that `schema --reader duckdb` prints. */
async function read(bytes: Uint8Array, options: Given) {
  const statement = statementOf('duckdb', {
    format: 'csv',
    compression: 'none',
    dialect: dialectOf({
      csvDelimiter: options.delimiter,
      csvQuote: options.quote,
      csvHeader: options.header,
      csvLineEnd: options.lineEnd,
      csvNull: options.null,
      csvEscape: options.escape,
      csvLineFeeds: options.lineFeeds,
    }),
    columns: [...schema.fields, { name: 'extra', type: { kind: 'json' } }],
    paths: ['{file}'],
    isKeyed: false,
    instantUnit: 'text',
    jsonType: 'string',
  })
  return query(statement.replace("'{file}'", '{file}').replace(/;\n$/, ''), bytes, '.csv')
}

function rowsIn(
  bytes: Uint8Array,
  { quote = '"', escape: escaping = 'quote', header = true }: Given,
  step = bytes.length,
): number {
  const counter = new CsvRowCounter({ quote, escape: escaping, hasHeader: header })
  for (let at = 0; at < bytes.length; at += step) counter.add(bytes.subarray(at, at + step))
  return counter.end()
}

const nulls = ['', 'NULL', '\\N', 'n/a', 'é €', ' ', '-', "it's"]
const dialect = fc
  .record({
    delimiter: fc.constantFrom(',', ';', '\t', '|'),
    quote: fc.constantFrom('"', "'"),
    lineEnd: fc.constantFrom('lf' as const, 'crlf' as const),
    header: fc.boolean(),
    null: fc.constantFrom(...nulls),
    escape: fc.constantFrom('quote' as const, 'backslash' as const),
    lineFeeds: fc.constantFrom('keep' as const, 'space' as const, 'escape' as const),
  })
  .filter(({ null: text, quote }) => !text.includes(quote))
  // which DuckDB refuses
  .filter(({ null: text, escape: escaping }) => escaping === 'quote' || !text.includes('\\'))

const pieces = ['a', 'é', '\\', '"', "'", '\n', '\r', '\r\n', ',', ';', '\t', 'n', 'NULL', '\\N', '\\n', ' ', '|']
const text = fc.oneof(
  fc.constantFrom(...nulls),
  fc.string({ unit: fc.constantFrom(...pieces), maxLength: 6 }),
  fc.constantFrom(...edgeTexts),
)

function expected(value: string, lineFeeds: CsvOptions['lineFeeds']): string {
  if (lineFeeds === 'space') return value.split('\r\n').join(' ').split('\n').join(' ').split('\r').join(' ')
  if (lineFeeds !== 'escape') return value
  return value.split('\\').join('\\\\').split('\n').join('\\n').split('\r').join('\\r')
}

test('every text, null and JSON value come back in every dialect, and rows are counted rightly', async () => {
  const record = fc.record({
    id: fc.option(text),
    on: fc.option(fc.boolean()),
    n: fc.option(fc.integer()),
    any: fc.option(fc.record({ t: text })),
    last: fc.option(text),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { minLength: 1, maxLength: 8 }),
      dialect,
      fc.integer({ min: 1, max: 9 }),
      async (records, options, step) => {
        const bytes = await csv(
          records.map((one) => JSON.stringify(one)),
          options,
        )
        expect(rowsIn(bytes, options)).toBe(records.length)
        expect(rowsIn(bytes, options, step)).toBe(records.length)
        const wanted = records.map(({ id, on, n, any, last }) => ({
          id: id && expected(id, options.lineFeeds),
          on,
          n: n === null ? null : BigInt(n),
          any: any && JSON.stringify(any),
          last: last && expected(last, options.lineFeeds),
          extra: null,
        }))
        expect(await read(bytes, options)).toEqual(wanted)
      },
    ),
    { numRuns },
  )
})

test('a null with a backslash stands beside escapes by backslash, which DuckDB does not read', async () => {
  const options = { null: '\\N', escape: 'backslash' } as const
  const bytes = await csv(['{"id":"\\\\N"}'], { ...options, header: false })
  expect(bytes.toString()).toBe('"\\\\N",\\N,\\N,\\N,\\N,\\N\n')
  await expect(read(bytes, options)).rejects.toThrow('DuckDB does not read CSV with backslashes before quotes')
})

test('escaped line feeds can be taken back, and differ from a backslash and a letter', async () => {
  await fc.assert(
    fc.asyncProperty(text, async (value) => {
      const options = { lineFeeds: 'escape', delimiter: ';' } as const
      const [row] = await read(await csv([JSON.stringify({ id: value })], options), options)
      const back = (row!['id'] as string).replace(/\\(.)/g, (_, at: string) =>
        at === 'n' ? '\n' : at === 'r' ? '\r' : at,
      )
      expect(back).toBe(value)
    }),
    { numRuns },
  )
})

describe('bytes', () => {
  const one = '{"id":"a\\"b\\\\c\\r\\nd\\ne","any":{"t":"\\n\\\\"},"last":""}'
  test.each<[Given, string]>([
    [{ null: 'NULL' }, '"a""b\\c\r\nd\ne",NULL,NULL,"{""t"":""\\n\\\\""}","",NULL\n'],
    [{ escape: 'backslash' }, '"a\\"b\\\\c\r\nd\ne",,,"{\\"t\\":\\"\\\\n\\\\\\\\\\"}","",\n'],
    [{ lineFeeds: 'space' }, '"a""b\\c d e",,,"{""t"":""\\n\\\\""}","",\n'],
    [{ lineFeeds: 'escape' }, '"a""b\\\\c\\r\\nd\\ne",,,"{""t"":""\\n\\\\""}","",\n'],
    [
      { lineFeeds: 'escape', escape: 'backslash' },
      '"a\\"b\\\\\\\\c\\\\r\\\\nd\\\\ne",,,"{\\"t\\":\\"\\\\n\\\\\\\\\\"}","",\n',
    ],
  ])('%j', async (options, line) => {
    expect((await csv([one], { ...options, header: false })).toString()).toBe(line)
  })

  test('a name that looks like null or has a backslash is in quotes, and one with a line feed stays on its line', async () => {
    const named: ResourceSchema = {
      ...schema,
      fields: ['NULL', 'a\\b', 'c\r\nd'].map((name) => ({ name, type: { kind: 'string' } })),
    }
    const header = async (options: Given) => (await csv([], { schema: named, ...options })).toString()
    expect(await header({ null: 'NULL' })).toBe('"NULL",a\\b,"c\r\nd",extra\n')
    expect(await header({ escape: 'backslash' })).toBe('NULL,"a\\\\b","c\r\nd",extra\n')
    expect(await header({ lineFeeds: 'space' })).toBe('NULL,a\\b,c d,extra\n')
    expect(await header({ lineFeeds: 'escape' })).toBe('NULL,a\\\\b,c\\r\\nd,extra\n')
  })

  test('the dialects by name are those by default', async () => {
    const texts = [one, '{}']
    const plain = await csv(texts, {})
    const options = { null: '', escape: 'quote', lineFeeds: 'keep' } as const
    expect((await csv(texts, options)).equals(plain)).toBe(true)
    const encoder = csvEncoder({ schema, ...options }) as CsvEncoder
    await encodeAll(encoder, [batchOf(...texts)])
    expect(encoder.kernelRows).toBe(2)
  })
})

test('texts that change are counted, keys are texts, and a row of null alone is no blank line', async () => {
  const only = {
    schema: { ...schema, fields: [] },
    hasKey: true,
    unknownFields: 'drop',
    onTypeMismatch: 'null',
  } as const
  const keyed = csvEncoder({ ...only, lineFeeds: 'space' })
  const bytes = await encodeAll(keyed, [batchWith(['{}', '{}'], { keys: ['a\nb', 'c'] })])
  expect(bytes.toString()).toBe('_key\n"a b"\n"c"\n')
  expect(keyed.warnings()).toMatchObject([{ code: 'line-feeds-changed', count: 1 }])

  const alone = csvEncoder({
    ...only,
    schema: { ...schema, fields: schema.fields.slice(0, 1) },
    hasKey: false,
    null: 'NULL',
  })
  expect((await encodeAll(alone, [batchOf('{}')])).toString()).toBe('id\nNULL\n')
  expect(alone.warnings()).toEqual([])
})

test.each<[Given, RegExp]>([
  [{ null: 'a,b' }, /delimiter/],
  [{ null: 'a"b' }, /quote/],
  [{ null: 'a\nb' }, /no text/],
  [{ null: '\r' }, /no text/],
  [{ null: '0' }, /value that a cell may have/],
  [{ null: '-1.5e3' }, /value that a cell may have/],
  [{ null: 'true' }, /value that a cell may have/],
  [{ escape: 'backslash', quote: '\\' }, /backslash/],
  [{ escape: 'backslash', delimiter: '\\' }, /backslash/],
])('%j is refused', (options, message) => {
  expect(() => csvEncoder({ schema, ...options })).toThrow(ConfigError)
  expect(() => csvEncoder({ schema, ...options })).toThrow(message)
})
