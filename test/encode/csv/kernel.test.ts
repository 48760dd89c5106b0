import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CsvEncoder, type CsvOptions, csvEncoder, stringifyingCsvEncoder } from '../../../src/encode/csv.js'
import { memberSchema } from '../../../src/schema/member.js'
import { type Field, type FieldType, unmappedSchema } from '../../../src/schema/resource.js'
import { batchOf, batchWith } from '../../helpers/batch.js'
import { edgeTexts } from '../../helpers/edge-texts.js'
import { anyFields, anyText, recordSample } from '../../helpers/member-records.js'
import { encodeAll, MemorySink } from '../../helpers/sink.js'
import { wideFields, wideRecords } from '../../helpers/wide-records.js'

const runs = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 20_000 : 60

const field = (name: string, type: FieldType): Field => ({ name, type })
const string: FieldType = { kind: 'string' }

function optionsOf(fields: readonly Field[], options: Partial<CsvOptions> = {}): CsvOptions {
  return { schema: { resource: 'test/any', version: 1, fields }, ...options }
}

interface Records {
  texts: readonly string[]
  keys?: readonly string[]
  /** Where batches end. */
  cuts?: readonly number[]
}

/** Writes the same batches with the kernel and without, and expects the same bytes and warnings. Returns the rows that
 *  the kernel wrote. */
async function expectSame(options: CsvOptions, { texts, keys, cuts = [] }: Records): Promise<number> {
  const ends = [...new Set([...cuts.map((cut) => cut % (texts.length + 1)), texts.length])].sort((a, b) => a - b)
  const kernel = csvEncoder(options) as CsvEncoder
  const reference = stringifyingCsvEncoder(options) as CsvEncoder
  const [own, expected] = await Promise.all(
    [kernel, reference].map((encoder) => {
      const batches = ends.map((end, i) => {
        const from = ends[i - 1] ?? 0
        return batchWith(texts.slice(from, end), keys === undefined ? {} : { keys: keys.slice(from, end) })
      })
      return encodeAll(encoder, batches)
    }),
  )
  expect(own!.toString()).toBe(expected!.toString())
  expect(own!.equals(expected!)).toBe(true)
  expect(kernel.warnings()).toEqual(reference.warnings())
  expect(reference.kernelRows).toBe(0)
  return kernel.kernelRows
}

/** Dialects and policies that the kernel knows. */
const usual: fc.Arbitrary<Partial<CsvOptions>> = fc
  .record({
    delimiter: fc.constantFrom(',', ',', ';', '\t', '|', ' ', '\0', '{', '"'),
    quote: fc.constantFrom('"', '"', '"', "'", '`', ' ', '\u0001', '}'),
    lineEnd: fc.constantFrom('lf', 'crlf'),
    bom: fc.boolean(),
    header: fc.boolean(),
    formulas: fc.constantFrom('keep', 'keep', 'escape'),
    unknownFields: fc.constantFrom('extra', 'extra', 'drop'),
    onTypeMismatch: fc.constantFrom('extra', 'extra', 'null'),
  })
  .filter(({ delimiter, quote }) => delimiter !== quote) as fc.Arbitrary<Partial<CsvOptions>>

/** Dialects that are csv-stringify's alone. */
const unusual: fc.Arbitrary<Partial<CsvOptions>> = fc.oneof(
  fc.constantFrom('e', '0', '-', ':', '.', '+', '\\', 'é', '_').map((delimiter) => ({ delimiter })),
  fc.constantFrom('T', '1', 'a', ':', '\\', '～').map((quote) => ({ quote })),
  fc.constant({ nested: 'flatten' as const }),
  fc.constant({ formulas: 'escape' as const, quote: "'" }),
)

describe('rows of the kernel are those of csv-stringify', () => {
  const keys = fc.option(
    fc.array(fc.oneof(anyText, fc.constant('\ud800'), fc.constant('+1')), { minLength: 12, maxLength: 12 }),
    {
      nil: undefined,
    },
  )

  test.each([
    ['as declared', true, usual],
    ['of any kind', false, usual],
    ['of any kind, in unusual dialects', false, unusual],
  ])('for random records of random schemas, %s', async (_name, isClean, dialects) => {
    const samples = anyFields().chain((fields) =>
      fc.tuple(
        fc.constant(fields),
        fc.array(
          recordSample(fields, { isClean }).map(({ text }) => text),
          { maxLength: 12 },
        ),
        fc.array(fc.nat(12), { maxLength: 4 }),
        dialects,
        keys,
      ),
    )
    await fc.assert(
      fc.asyncProperty(samples, async ([fields, texts, cuts, options, keys]) => {
        const records: Records = { texts, cuts, ...(keys !== undefined && { keys }) }
        const rows = await expectSame(optionsOf(fields, { ...options, hasKey: keys !== undefined }), records)
        if (dialects === unusual) expect(rows).toBe(0)
      }),
      { numRuns: runs },
    )
  })

  test('for records of more fields than are looked for one by one, in any order', async () => {
    await fc.assert(
      fc.asyncProperty(wideRecords, usual, async (texts, options) => {
        await expectSame(optionsOf(wideFields, options), { texts })
      }),
      { numRuns: runs },
    )
  })

  test('for random members', async () => {
    const texts = fc.array(
      fc.boolean().chain((isClean) => recordSample(memberSchema.fields, { isClean })),
      { maxLength: 20 },
    )
    await fc.assert(
      fc.asyncProperty(texts, usual, async (records, options) => {
        await expectSame({ ...options, schema: memberSchema }, { texts: records.map(({ text }) => text) })
      }),
      { numRuns: runs / 3 },
    )
  })

  test.each(['"', "'", ' '])(
    'for edge texts with quote %j, plain and escaped, as text, as JSON and in extra',
    async (quote) => {
      const fields = [field('a', string), field('j', { kind: 'json' }), field('l', { kind: 'list', element: string })]
      const texts = edgeTexts.flatMap((text) => {
        const plain = JSON.stringify(text)
        const hex = (unit: number): string => `\\u${unit.toString(16).padStart(4, '0')}`
        const escaped = `"${Array.from({ length: text.length }, (_, i) => hex(text.charCodeAt(i))).join('')}"`
        return [plain, escaped].map((json) => `{"a":${json},"j":{"t":${json}},"l":[${json}],"x":${json}}`)
      })
      expect(await expectSame(optionsOf(fields, { quote }), { texts })).toBeGreaterThan(texts.length - 10)
    },
  )

  test('for quotes at every place in text of every length', async () => {
    const fields = [field('j', { kind: 'json' }), field('a', string)]
    const texts: string[] = []
    for (let length = 0; length < 40; length++) {
      for (let at = 0; at <= length; at++) {
        const text = JSON.stringify(`${'x'.repeat(at)}"${'y'.repeat(length - at)}`)
        const apostrophe = `"${'é'.repeat(at)}'${"'y".repeat(length - at)}"`
        texts.push(`{"j":[${text}],"a":${text}}`, `{"j":${apostrophe},"a":${apostrophe}}`)
      }
    }
    for (const quote of ['"', "'", '`'])
      expect(await expectSame(optionsOf(fields, { quote }), { texts })).toBe(texts.length)
  })

  test('for escapes and brackets at every place of nested JSON', async () => {
    const fields = [field('j', { kind: 'json' }), field('l', { kind: 'list', element: string })]
    const pieces = ['\\\\', '\\\\\\"', '\\"]', '}', '[', '\\u005c', '\\ud83d\\ude00', '\\uD83D\\uDE00x', 'é', '']
    const odd = ['\\ud83d', '\\ude00', '\\ud83d\\ud83d\\ude00']
    const texts = (piece: string): string[] =>
      Array.from({ length: 20 }, (_, i) => {
        const pad = 'x'.repeat(i)
        return `{"j":{"${pad}":["${pad}${piece}",[{"}${piece}":"]${pad}"}],{}, "${piece}"]},"l":["${pad}",[[${i}]],"${piece}"]}`
      })
    for (const quote of ['"', '}']) {
      const options = optionsOf(fields, { quote })
      expect(await expectSame(options, { texts: pieces.flatMap(texts) })).toBe(20 * pieces.length)
      expect(await expectSame(options, { texts: odd.flatMap(texts) })).toBe(0)
    }
  })

  test('for white space wherever it may be', async () => {
    const fields = [field('a', { kind: 'list', element: string }), field('b', string), field('n', { kind: 'double' })]
    const texts = [
      '{ "a" : [ "x" , [ ] ] , "b" : "y" , "n" : 1.0 , "x" : { "y" : [ ] } }',
      '{\t"b"\t:\t"z"\t,\t"a"\t:\t[\t]\t}',
      '{ "n" : -0 }',
      '{ }',
    ]
    for (const quote of ['"', '\t'])
      expect(await expectSame(optionsOf(fields, { quote }), { texts })).toBe(texts.length)
  })

  test('for names that only an escape can spell, and for long ones', async () => {
    const names = ['a":1,"b', '\\', '\n', '\ud800', 'é', 'x'.repeat(15), 'x'.repeat(16), 'x'.repeat(17), 'x'.repeat(40)]
    const texts = names.flatMap((name) => [name, `${name}z`].map((key) => `{${JSON.stringify(key)}:"v"}`))
    const options = optionsOf(names.map((name) => field(name, string)))
    await expectSame(options, { texts: [...texts, '{"a":1,"b":2}'] })
  })

  test('for numbers and date-times at every edge', async () => {
    const numbers = [
      ...['0', '-0', '-0.0', '1.0', '1E2', '-1.5e-3', '999999999999999999', '9223372036854775807', '1e400'],
      ...['-9223372036854775808', '9223372036854775808', '123456789012345', '1234567890123456', '0.1', '-7'],
      ...['0.'.padEnd(400, '3'), '"1"', 'true', 'null', '[]', '{}'],
    ]
    const dates = [
      ...['2024-02-29T12:34:56Z', '2023-02-29T12:34:56Z', '2024-01-01t00:00:00z', '0001-01-01T00:00:00Z'],
      ...['0001-01-01T00:00:00+00:01', '9999-12-31T23:59:59.999999999Z', '9999-12-31T23:59:59-00:01'],
      ...[
        '2024-01-01T00:00:00.Z',
        '2024-01-01T00:00:00.123456789012345678901Z',
        '2024-01-01 00:00:00Z',
        '2016-12-31T23:59:60Z',
      ],
      ...[
        '2024-01-01T00:00:00+23:59',
        '2024-01-01T00:00:00+24:00',
        '2024-01-01T00:00:00',
        '',
        'x',
        '\\u0032024-01-01T00:00:00Z',
      ],
    ].map((text) => `"${text}"`)
    const fields = [
      field('i', { kind: 'int64' }),
      field('d', { kind: 'double' }),
      field('t', { kind: 'timestamp' }),
      field('b', { kind: 'boolean' }),
      field('s', { kind: 'struct', fields: [] }),
      field('l', { kind: 'list', element: string }),
    ]
    const texts = [...numbers, ...dates].flatMap((value) => fields.map(({ name }) => `{"${name}":${value}}`))
    expect(await expectSame(optionsOf(fields), { texts })).toBeGreaterThan(30)
  })

  test('for date-times with any byte changed', async () => {
    const fields = [field('t', { kind: 'timestamp' })]
    const right = '2024-03-28T17:08:09.5Z'
    const around = ['/', '0', '1', '2', '3', '5', '6', '9', ':', '-', 'T', 'u', '.', 'Z', ' ', 'é']
    const changed = [...right].flatMap((_, at) => around.map((c) => right.slice(0, at) + c + right.slice(at + 1)))
    const cut = [...right].map((_, at) => right.slice(at))
    const texts = [...changed, ...cut].map((text) => `{"t":"${text}"}`)
    expect(await expectSame(optionsOf(fields, { onTypeMismatch: 'null' }), { texts })).toBeGreaterThan(90)
  })

  test('for formulas, wherever white space hides them', async () => {
    const starts = [
      '',
      ' ',
      '\t',
      '\r',
      '\n',
      '\u00a0',
      '\u1680',
      '\u2003',
      '\u3000',
      '\ufeff',
      '\u2028',
      'é',
      '漢',
      "'",
      '0',
    ]
    const signs = ['=', '+', '-', '@', '＝', '＋', '－', '＠', 'x', '']
    const all = starts.flatMap((start) => signs.map((sign) => `${start}${sign}1"`))
    const texts = all.map((text) => `{"id":${JSON.stringify(text)},"j":${JSON.stringify(text)}}`)
    const options = optionsOf([field('id', string), field('j', { kind: 'json' })], { formulas: 'escape', hasKey: true })
    expect(await expectSame(options, { texts, keys: ['', ...all.slice(1)] })).toBeGreaterThan(30)
  })
})

describe('the kernel writes', () => {
  const members = optionsOf(memberSchema.fields)
  const ordinary = Array.from({ length: 500 }, (_, i) => {
    return `{"id":"U${i}","bio":"line\\n\\"${i}\\" \\u00e9","emails":[{"email":"u${i}@x.org","is_primary":true}],"is_email_verified":false,"remote_data":{"n":${i}},"updated_at":"2024-05-06T07:08:09.${i}Z","new_field":${i}}`
  })

  test('every ordinary record, in the order of columns or not', async () => {
    expect(await expectSame(members, { texts: ordinary, cuts: [1, 100, 101] })).toBe(500)
    const turned = ordinary.map((text) => {
      const record = JSON.parse(text) as { [field: string]: unknown }
      return JSON.stringify(Object.fromEntries(Object.entries(record).reverse()))
    })
    const mixed = ordinary.flatMap((text, i) => [text, turned[i]!])
    expect(await expectSame(members, { texts: mixed })).toBe(1000)
  })

  test('all but the records that are not: those between them are left to csv-stringify', async () => {
    const odd = [
      '{"id":1}',
      '{"id":"a","id":"b"}',
      '{"i\\u0064":"c"}',
      '{"id":"\\ud800"}',
      '{"remote_data":["\\udc00"]}',
      '{"x":1,"x":2}',
    ]
    const texts = ordinary.flatMap((text, i) => [text, odd[i % odd.length]!])
    expect(await expectSame(members, { texts, cuts: [7, 333] })).toBe(500)
  })

  test('records that are all in extra', async () => {
    const texts = Array.from(
      { length: 50 },
      (_, i) => `{"a":${i},"id":"${i}","b":["\\"",{}],"c":"${i}","extra":1,"_key":2}`,
    )
    expect(await expectSame({ schema: unmappedSchema }, { texts })).toBe(50)
  })

  test('no fields at all', async () => {
    const texts = ['{}', '{"a":1}']
    const none: Partial<CsvOptions> = { unknownFields: 'drop', onTypeMismatch: 'null' }
    expect(await expectSame(optionsOf([], none), { texts })).toBe(2)
    expect(await expectSame(optionsOf([]), { texts })).toBe(2)
  })

  test('more keys than it has room for', async () => {
    const texts = Array.from({ length: 10 }, (_, i) => `{"id":"${i}"}`)
    const keys = texts.map((_, i) => `"${'k'.repeat(i === 5 ? 70_000 : 20_000)}`)
    expect(await expectSame({ schema: unmappedSchema, hasKey: true }, { texts, keys })).toBe(9)
  })
})

describe('long records', () => {
  test('are written too: at the edge of what the window takes, and beyond it', async () => {
    const fields = [field('j', { kind: 'json' }), field('a', string)]
    const texts = [-2, -1, 0, 1, 300_000].flatMap((more) => {
      const rest = 512 * 1024 - 128 + more - '{"j":"","x":1}'.length
      return [`{"j":"${'\\"'.repeat(rest / 2)}${rest % 2 === 0 ? '' : 'x'}","x":1}`, '{"a":"b"}']
    })
    expect(await expectSame(optionsOf(fields), { texts, cuts: [3] })).toBe(10)
  })

  test('one after the other, longer and shorter, between short ones, unusual ones and keys', async () => {
    const fields = [field('id', string), field('j', { kind: 'json' })]
    const long = (bytes: number, id = '"a"'): string => `{"id":${id},"j":["${'x,\\n'.repeat(bytes / 5)}"],"more":1}`
    const texts = [
      long(600_000),
      '{"id":"b"}',
      long(3_000_000),
      long(700_000, '1'), // another type
      long(700_000, '"\\ud800"'),
      '{"id":"c"}',
      long(700_000, '"=1"'),
      '{"id":"d"}',
    ]
    const keys = ['a', 'b', 'c', 'd', 'e', '=f', '=g', '\ud800']
    for (const cuts of [[], [1, 2, 3, 4, 5, 6, 7]]) {
      const options = optionsOf(fields, { formulas: 'escape' })
      expect(await expectSame(options, { texts, cuts })).toBe(6)
      expect(await expectSame({ ...options, hasKey: true }, { texts, cuts, keys })).toBe(5)
    }
  })

  test('have short rows where most of them is left out', async () => {
    const texts = ['{"id":"a"}', `{"id":"b","x":"${'x'.repeat(600_000)}"}`, '{"id":"c"}', '{"id":"d"}']
    const options = optionsOf([field('id', string)], { unknownFields: 'drop' })
    for (const cuts of [[], [1], [2]]) expect(await expectSame(options, { texts, cuts })).toBe(4)
  })

  test('rows are handed on in pieces, the last at the end of the batch', async () => {
    const sink = new MemorySink()
    const encoder = new CsvEncoder(optionsOf([field('id', string)]), true)
    await encoder.begin(sink)
    await encoder.encode(batchOf(...Array.from({ length: 1000 }, () => `{"id":"${'x'.repeat(996)}"}`)))
    expect(encoder.kernelRows).toBe(1000)
    expect(sink.chunks.map((chunk) => chunk.length)).toEqual([9, 426_000, 426_000, 148_000])
  })
})

describe('policies that make errors', () => {
  test.each([
    [{ unknownFields: 'error' }, '{"x":1}'],
    [{ onTypeMismatch: 'error' }, '{"a":1}'],
    [{ strict: true }, '{"a":"\\ud800"}'],
  ] as const)('%j: the same error at the same place', async (options, text) => {
    const errors = await Promise.all(
      [csvEncoder, stringifyingCsvEncoder].map((open) =>
        encodeAll(open(optionsOf([field('a', string)], options)), [batchOf('{"a":"b"}', text)]).catch((error) => error),
      ),
    )
    expect(errors[0]).toMatchObject({ recordIndex: 1 })
    expect(errors[0]).toEqual(errors[1])
  })
})
