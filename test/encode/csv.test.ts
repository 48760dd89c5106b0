import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CsvOptions, csvEncoder, stringifyingCsvEncoder } from '../../src/encode/csv.js'
import { ConfigError, DataError } from '../../src/errors.js'
import type { RecordBatch } from '../../src/record.js'
import { memberSchema } from '../../src/schema/member.js'
import { type Field, type FieldType, type ResourceSchema, unmappedSchema } from '../../src/schema/resource.js'
import { CsvRowCounter } from '../../src/verify/csv-rows.js'
import { batchOf, batchWith } from '../helpers/batch.js'
import { query, type ReadValue } from '../helpers/duckdb.js'
import { edgeTexts } from '../helpers/edge-texts.js'
import { memberSample } from '../helpers/member-records.js'
import { encodeAll, MemorySink } from '../helpers/sink.js'

const runs = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 2000 : 60

const small: ResourceSchema = {
  resource: 'test/small',
  version: 1,
  fields: [
    { name: 'id', type: { kind: 'string' } },
    { name: 'on', type: { kind: 'boolean' } },
    { name: 'at', type: { kind: 'timestamp' } },
    { name: 'any', type: { kind: 'json' } },
    { name: 'tags', type: { kind: 'list', element: { kind: 'string' } } },
  ],
}

async function csv(texts: readonly string[], options: Partial<CsvOptions> = {}): Promise<string> {
  return (await encodeAll(csvEncoder({ schema: small, ...options }), [batchOf(...texts)])).toString()
}

/** All cells as DuckDB reads them, null where a cell is empty and unquoted. */
async function readBack(
  bytes: Uint8Array,
  columns: readonly string[],
  { delimiter = ',', quote = '"', lineEnd = 'lf', header = true }: Partial<CsvOptions> = {},
): Promise<{ [column: string]: ReadValue }[]> {
  const types = columns.map((name) => `${literal(name)}: 'VARCHAR'`).join(', ')
  const dialect = `delim=${literal(delimiter)}, quote=${literal(quote)}, escape=${literal(quote)}, new_line='${lineEnd === 'crlf' ? '\\r\\n' : '\\n'}'`
  const sql = `from read_csv({file}, auto_detect=false, header=${header}, allow_quoted_nulls=false, parallel=false, ${dialect}, columns={${types}})`
  return query(sql, bytes, '.csv')
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

describe('bytes', () => {
  test('a header, then a line for each record: strings quoted, null empty, booleans and JSON as text', async () => {
    const texts = [
      '{"id":"a\\"b","on":true,"at":"2024-01-01T00:00:00.123456789+01:00","any":{"n":1.0},"tags":["x"]}',
      '{"id":"","on":false,"unknown":[1]}',
      '{}',
    ]
    expect(await csv(texts)).toBe(
      [
        'id,on,at,any,tags,extra',
        '"a""b",true,"2024-01-01T00:00:00.123456789+01:00","{""n"":1.0}","[""x""]",',
        '"",false,,,,"{""unknown"":[1]}"',
        ',,,,,',
        '',
      ].join('\n'),
    )
  })
  test('numbers are not quoted; those of a double column stay as the server wrote them', async () => {
    const schema: ResourceSchema = {
      resource: 'test/numbers',
      version: 1,
      fields: [
        { name: 'n', type: { kind: 'int64' } },
        { name: 'd', type: { kind: 'double' } },
      ],
    }
    const texts = ['{"n":-7,"d":1.50}', '{"n":1E2,"d":9007199254740993}', '{"n":0.5,"d":"x"}']
    expect(await csv(texts, { schema })).toBe(
      'n,d,extra\n-7,1.50,\n100,9007199254740993,\n,,"{""n"":0.5,""d"":""x""}"\n',
    )
  })
  test('without records there is a header', async () => {
    expect(await csv([])).toBe('id,on,at,any,tags,extra\n')
  })
  test('the header can be left out', async () => {
    expect(await csv(['{"id":"a"}'], { header: false })).toBe('"a",,,,,\n')
    expect(await csv([], { header: false })).toBe('')
  })
  test('a byte order mark comes first, once', async () => {
    expect(await csv(['{"id":"a"}'], { bom: true })).toBe('\ufeffid,on,at,any,tags,extra\n"a",,,,,\n')
    expect(await csv([], { bom: true, header: false })).toBe('\ufeff')
  })
  test('delimiter, quote and line-end are as asked, and doubled or quoted in cells', async () => {
    const text = await csv(['{"id":"it\'s; \\r\\n"}'], { delimiter: ';', quote: "'", lineEnd: 'crlf' })
    expect(text).toBe("id;on;at;any;tags;extra\r\n'it''s; \r\n';;;;;\r\n")
  })
  test('the key is the first column', async () => {
    const encoder = csvEncoder({ schema: unmappedSchema, hasKey: true })
    const bytes = await encodeAll(encoder, [batchWith(['{"id":"a"}'], { keys: ['k,1'] })])
    expect(bytes.toString()).toBe('_key,id,extra\n"k,1","a",\n')
  })
  test('are the same however the records come in batches', async () => {
    const texts = Array.from({ length: 230 }, (_, i) => `{"id":"${i}","any":${i}}`)
    const whole = await encodeAll(csvEncoder({ schema: small }), [batchOf(...texts)])
    const single = await encodeAll(
      csvEncoder({ schema: small }),
      texts.map((text) => batchOf(text)),
    )
    const empty = await encodeAll(csvEncoder({ schema: small }), [batchOf(), batchOf(...texts), batchOf()])
    expect(single.equals(whole)).toBe(true)
    expect(empty.equals(whole)).toBe(true)
  })
  test('long records are not gathered', async () => {
    const sink = new MemorySink()
    const encoder = csvEncoder({ schema: small })
    await encoder.begin(sink)
    await encoder.encode(batchOf(...Array.from({ length: 6 }, () => `{"id":"${'x'.repeat(430_000)}"}`)))
    expect(sink.chunks.map((chunk) => chunk.length)).toEqual([24, ...Array<number>(6).fill(430_008)])
  })
})

describe('names in the header are cells', () => {
  const names = [
    'plain',
    'a b',
    'line\nfeed',
    'lone\rreturn',
    'both\r\n',
    'com,ma',
    'quo"te',
    "it's",
    '\ufeffid',
    '=cmd|x',
    '@a',
    '\tt',
    'é',
  ]
  const schema = (of: readonly string[]): ResourceSchema => ({
    resource: 'test/names',
    version: 1,
    fields: of.map((name) => ({ name, type: { kind: 'string' } })),
  })
  const drop = { unknownFields: 'drop', onTypeMismatch: 'null' } as const
  const dialects: Partial<CsvOptions>[] = [
    {},
    { lineEnd: 'crlf' },
    { delimiter: ';', quote: "'" },
    { delimiter: ' ', formulas: 'escape' },
    { quote: 'a', delimiter: 'i' },
    { nested: 'flatten', lineEnd: 'crlf', formulas: 'escape' },
  ]

  test.each(dialects)('that every reader takes back, in the dialect %j', async (dialect) => {
    for (const of of [names, ...names.map((name) => [name, 'x'])]) {
      const options = { schema: schema(of), ...drop, ...dialect }
      const bytes = await encodeAll(csvEncoder(options), [batchOf('{"x":"1"}', '{}')])
      const expected = dialect.formulas === 'escape' ? of.map((name) => (/^[=@\t]/.test(name) ? `'${name}` : name)) : of
      const rows = await readBack(
        bytes,
        of.map((_, index) => `c${index}`),
        { ...dialect, header: false },
      )
      expect(Object.values(rows[0]!)).toEqual(expected)
      expect(rows).toHaveLength(3)
      const { quote = '"' } = dialect
      const counter = new CsvRowCounter({ quote, hasHeader: true })
      counter.add(bytes)
      expect(counter.end()).toBe(2)
    }
  })

  test('and are quoted only where they have to be', async () => {
    const header = (more: Partial<CsvOptions>): Promise<string> => csv([], { schema: schema(names), ...drop, ...more })
    expect(await header({})).toBe(
      'plain,a b,"line\nfeed","lone\rreturn","both\r\n","com,ma","quo""te",it\'s,"\ufeffid",=cmd|x,@a,\tt,é\n',
    )
    const escaped = csvEncoder({ schema: schema(names), ...drop, formulas: 'escape' })
    expect((await encodeAll(escaped, [])).toString()).toContain(",'=cmd|x,'@a,'\tt,é\n")
    expect(escaped.warnings()).toMatchObject([{ code: 'formulas-escaped', count: 3 }])
  })

  test('are those of csv-stringify where they have no line end', async () => {
    const { stringify } = await import('csv-stringify/sync')
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(
          fc.string({ minLength: 1, unit: fc.constantFrom('a', ',', '"', "'", ' ', ';', '=', 'é', '\\', '.') }),
          { minLength: 1, selector: (name) => name.toLowerCase() },
        ),
        fc.constantFrom<Partial<CsvOptions>>(
          {},
          { delimiter: ';' },
          { quote: "'", lineEnd: 'crlf' },
          { delimiter: '.', quote: 'a' },
        ),
        async (of, dialect) => {
          const { delimiter = ',', quote = '"' } = dialect
          const expected = stringify([of], {
            delimiter,
            quote,
            escape: quote,
            record_delimiter: dialect.lineEnd === 'crlf' ? '\r\n' : '\n',
          })
          expect(await csv([], { schema: schema(of), ...drop, ...dialect })).toBe(expected)
        },
      ),
      { numRuns: runs },
    )
  })
})

describe('a row whose only cell is null is a blank line, which is counted', () => {
  const only = (type: FieldType): ResourceSchema => ({
    resource: 'test/one',
    version: 1,
    fields: [{ name: 'title', type }],
  })
  const drop = { unknownFields: 'drop', onTypeMismatch: 'null' } as const
  const texts = [
    '{"title":"a"}',
    '{"title":null}',
    '{}',
    '{"title":""}',
    String.raw`{"t\u0069tle":null}`,
    '{"title":1}',
  ]
  const string: FieldType = { kind: 'string' }

  test.each<[string, Partial<CsvOptions>]>([
    ['as it is', {}],
    ['with CRLF and without a header', { lineEnd: 'crlf', header: false }],
    ['flattened', { schema: only({ kind: 'list', element: string }), nested: 'flatten' }],
    ['as JSON text', { schema: only({ kind: 'struct', fields: [{ name: 'a', type: string }] }) }],
    ['in a dialect of csv-stringify', { delimiter: '0' }],
  ])('%s', async (_case, options) => {
    const isNested = options.schema !== undefined
    const given = isNested ? ['{"title":null}', '{}', '{"title":1}'] : texts
    for (const open of [csvEncoder, stringifyingCsvEncoder]) {
      const encoder = open({ schema: only(string), ...drop, ...options })
      const bytes = await encodeAll(encoder, [batchOf(...given), batchOf(...given)])
      const count = isNested ? 6 : 8
      expect(encoder.warnings()).toContainEqual(
        expect.objectContaining({ code: 'blank-rows', count, message: expect.stringMatching(/pandas and pyarrow/) }),
      )
      const counter = new CsvRowCounter({ quote: '"', hasHeader: options.header !== false })
      counter.add(bytes)
      expect(counter.end()).toBe(2 * given.length)
    }
  })

  test('and no row of more columns, or with a key, is', async () => {
    for (const open of [csvEncoder, stringifyingCsvEncoder]) {
      const more = open({ schema: only(string) })
      await encodeAll(more, [batchOf('{}', '{}')])
      const keyed = open({ schema: { ...only(string), fields: [] }, hasKey: true, ...drop })
      await encodeAll(keyed, [batchWith(['{}'], { keys: [''] })])
      for (const encoder of [more, keyed])
        expect(encoder.warnings().map(({ code }) => code)).not.toContain('blank-rows')
    }
  })
})

describe('flattened', () => {
  test('well-known shapes have a column for each leaf, and what has no column is in extra', async () => {
    const schema = {
      ...memberSchema,
      fields: memberSchema.fields.filter(({ name }) => ['id', 'emails', 'languages'].includes(name)),
    }
    const texts = [
      '{"id":"1","emails":[{"email":"a@x","is_primary":true,"type":"work"}],"languages":["de"]}',
      '{"id":"2","emails":[{"email":"a@x"},{"email":"b@x"}],"languages":[]}',
      '{"id":"3"}',
    ]
    expect(await csv(texts, { schema, nested: 'flatten' })).toBe(
      [
        'id,emails.0.email,emails.0.is_primary,emails.0.type,languages.0,extra',
        '"1","a@x",true,"work","de",',
        '"2","a@x",,,,"{""emails"":[{""email"":""a@x""},{""email"":""b@x""}],""languages"":[]}"',
        '"3",,,,,',
        '',
      ].join('\n'),
    )
  })
  test('more slots are more columns', async () => {
    const schema = { ...memberSchema, fields: memberSchema.fields.filter(({ name }) => name === 'languages') }
    const text = await csv(['{"languages":["de","en"]}'], { schema, nested: 'flatten', flattenSlots: 3 })
    expect(text).toBe('languages.0,languages.1,languages.2,extra\n"de","en",,\n')
  })
})

describe('formulas', () => {
  const dangerous = [
    '=1+1',
    '+49151',
    '-1',
    '@sum',
    '\ttab',
    '\rcr',
    ' =1',
    '\n=1',
    '\u00a0=1',
    '＝1',
    '＋1',
    '－1',
    '＠1',
  ]
  const harmless = ['', 'a=1', "'=1", '1-1', ' a', '\n', '(=1)']

  test('are kept as they are by default', async () => {
    const encoder = csvEncoder({ schema: small })
    const bytes = await encodeAll(encoder, [batchOf(...dangerous.map((id) => JSON.stringify({ id })))])
    const rows = await readBack(bytes, ['id', 'on', 'at', 'any', 'tags', 'extra'])
    expect(rows.map(({ id }) => id)).toEqual(dangerous)
    expect(encoder.warnings()).toEqual([])
  })
  test("get a ' before them where that is asked for, and are counted; numbers in JSON text do not", async () => {
    const encoder = csvEncoder({ schema: small, formulas: 'escape' })
    const texts = [...dangerous, ...harmless].map((id) => JSON.stringify({ id, any: -1 }))
    const bytes = await encodeAll(encoder, [batchOf(...texts)])
    const rows = await readBack(bytes, ['id', 'on', 'at', 'any', 'tags', 'extra'])
    expect(rows.map(({ id }) => id)).toEqual([...dangerous.map((text) => `'${text}`), ...harmless])
    expect(rows.every(({ any }) => any === '-1')).toBe(true)
    expect(encoder.warnings()).toMatchObject([{ code: 'formulas-escaped', count: dangerous.length }])
  })
  test('are escaped in keys too', async () => {
    const encoder = csvEncoder({ schema: unmappedSchema, hasKey: true, formulas: 'escape' })
    const bytes = await encodeAll(encoder, [batchWith(['{"id":"a"}'], { keys: ['=k'] })])
    expect(bytes.toString()).toContain('"\'=k","a",')
  })
})

describe('policies', () => {
  test('a type mismatch, an unknown field and a lone surrogate can each be an error', async () => {
    await expect(csv(['{"id":1}'], { onTypeMismatch: 'error' })).rejects.toMatchObject({ code: 'ERR_TYPE_MISMATCH' })
    await expect(csv(['{"x":1}'], { unknownFields: 'error' })).rejects.toMatchObject({ code: 'ERR_FIELD_UNKNOWN' })
    await expect(csv(['{"id":"\\udfff"}'], { strict: true })).rejects.toThrow(DataError)
  })
  test('a nested value of another kind than declared is a mismatch, its fields are nobody’s business', async () => {
    expect(await csv(['{"tags":{"a":1}}', '{"tags":[1]}'])).toBe(
      'id,on,at,any,tags,extra\n,,,,,"{""tags"":{""a"":1}}"\n,,,,"[1]",\n',
    )
  })
  test('text that is no date-time is no date-time in CSV either', async () => {
    expect(await csv(['{"at":"yesterday"}'])).toContain('\n,,,,,"{""at"":""yesterday""}"\n')
  })
  test.each([
    { delimiter: '' },
    { delimiter: ';;' },
    { delimiter: '"' },
    { delimiter: '\n' },
    { quote: '' },
    { quote: '\r' },
    { flattenSlots: 0 },
    { flattenSlots: 1.5 },
  ])('options that make no CSV are refused: %j', (options) => {
    expect(() => csvEncoder({ schema: small, ...options })).toThrow(ConfigError)
  })
  test('two columns of one name are refused, whatever makes the second', () => {
    const withFields = (...fields: Field[]): ResourceSchema => ({ resource: 'test/any', version: 1, fields })
    const string: FieldType = { kind: 'string' }
    const list: FieldType = { kind: 'list', element: string }
    const message = (name: string): string => `the column ${name} is one that truto-export makes itself`
    expect(() => csvEncoder({ schema: withFields({ name: 'extra', type: string }) })).toThrow(message('extra'))
    const keyed = withFields({ name: '_key', type: string })
    expect(() => csvEncoder({ schema: keyed, hasKey: true })).toThrow(message('_key'))
    expect(() => csvEncoder({ schema: keyed })).not.toThrow()
    const flat = withFields({ name: 'a', type: list }, { name: 'a.0', type: string })
    expect(() => csvEncoder({ schema: flat, nested: 'flatten' })).toThrow(
      'the fields a.0 and a\\.0 would both be the column a.0',
    )
    expect(() => csvEncoder({ schema: flat })).not.toThrow()
  })
})

describe('read back by DuckDB', () => {
  const names = [...memberSchema.fields.map(({ name }) => name), 'extra']
  const dialects: Partial<CsvOptions>[] = [{}, { lineEnd: 'crlf' }, { delimiter: '\t', quote: "'" }]

  test.each(dialects)('every edge text comes back as it was, and "" is not null: %j', async (dialect) => {
    const texts = edgeTexts.map((text) => JSON.stringify({ id: text, remote_data: { text }, bio: null, name: '' }))
    const bytes = await encodeAll(csvEncoder({ schema: memberSchema, ...dialect }), [batchOf(...texts)])
    const rows = await readBack(bytes, names, dialect)
    expect(rows.map(({ id }) => id)).toEqual(edgeTexts)
    expect(rows.map(({ remote_data }) => remote_data)).toEqual(edgeTexts.map((text) => JSON.stringify({ text })))
    expect(rows.every(({ bio, name }) => bio === null && name === '')).toBe(true)
  })

  test('random members come back as they were', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(memberSample(), { minLength: 1, maxLength: 8 }),
        fc.constantFrom(...dialects),
        async (samples, dialect) => {
          const batch: RecordBatch = batchOf(...samples.map(({ text }) => text))
          const rows = await readBack(
            await encodeAll(csvEncoder({ schema: memberSchema, timestampForms: 'rfc3339', ...dialect }), [batch]),
            names,
            dialect,
          )
          expect(rows.length).toBe(samples.length)
          samples.forEach(({ fields }, index) => {
            for (const { name, type } of memberSchema.fields) {
              const sample = fields.get(name)
              const cell = rows[index]![name]
              if (sample === undefined || sample.value === null || !sample.isDeclaredKind) expect(cell).toBe(null)
              else if (type.kind === 'string') expect(cell).toBe(sample.value)
              else if (type.kind === 'timestamp') expect(cell).toBe(JSON.parse(sample.text))
              else expect(cell).toBe(sample.text)
            }
          })
        },
      ),
      { numRuns: runs },
    )
  })
})
