// What NDJSON and JSON do to records that otherwise keep the server's bytes: separators as escapes, and numbers in
// quotes that are beyond 2^53.

import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonEncoder } from '../../src/encode/json.js'
import { ndjsonEncoder } from '../../src/encode/ndjson.js'
import type { RecordTextOptions } from '../../src/encode/settle.js'
import type { ResourceSchema } from '../../src/schema/resource.js'
import { batchOf, batchWith } from '../helpers/batch.js'
import { query } from '../helpers/duckdb.js'
import { encodeAll } from '../helpers/sink.js'

const numRuns = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 5000 : 300

const schema: ResourceSchema = {
  resource: 'test/small',
  version: 1,
  fields: [
    { name: 'phone', type: { kind: 'string' } },
    { name: 'n', type: { kind: 'int64' } },
    { name: 'any', type: { kind: 'json' } },
  ],
}

async function ndjson(texts: readonly string[], options: RecordTextOptions, isLines = true) {
  const encoder = ndjsonEncoder({ schema, ...options })
  const bytes = await encodeAll(encoder, [batchWith(texts, { isLines }), batchOf(), batchOf(...texts)])
  return { text: bytes.toString(), bytes, warnings: encoder.warnings() }
}

describe('U+2028 and U+2029', () => {
  const separators = fc.string({
    unit: fc.constantFrom('\u2028', '\u2029', '\u2027', '\u202a', 'a', '"', '\\', '€', '😀', '\u0080'),
  })

  test('are escapes where that is asked for, and mean the same', async () => {
    const record = fc.dictionary(separators, fc.oneof(separators, fc.array(separators)))
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 5 }), fc.boolean(), async (records, isLines) => {
        const texts = records.map((one) => JSON.stringify(one))
        const { text } = await ndjson(texts, { ndjsonEscape: 'separators' }, isLines)
        const wanted = texts.map((one) => one.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029'))
        expect(text).toBe([...wanted, ...wanted].map((line) => `${line}\n`).join(''))
        expect(
          text
            .split(/[\n\u2028\u2029]/)
            .slice(0, -1)
            .map((line) => JSON.parse(line)),
        ).toEqual([...records, ...records])
        const json = jsonEncoder({ schema, ndjsonEscape: 'separators' })
        expect((await encodeAll(json, [batchOf(...texts)])).toString()).toBe(`[\n${wanted.join(',\n')}\n]\n`)
      }),
      { numRuns },
    )
  })

  test('are escapes in keys too', async () => {
    const batch = batchWith(['{"a":"\u2028"}'], { keys: ['k\u2029'] })
    const options = { ndjsonEscape: 'separators' } as const
    expect((await encodeAll(ndjsonEncoder(options), [batch])).toString()).toBe('{"k\\u2029":{"a":"\\u2028"}}\n')
    expect((await encodeAll(jsonEncoder({ ...options, hasKey: true }), [batch])).toString()).toBe(
      '{\n"k\\u2029":{"a":"\\u2028"}\n}\n',
    )
  })

  test('stay by default, in the bytes of the batch', async () => {
    const batch = batchOf('{"a":"\u2028"}')
    const written: Uint8Array[] = []
    const encoder = ndjsonEncoder({ schema })
    await encoder.begin({ write: async (bytes) => void written.push(bytes) })
    await encoder.encode(batch)
    expect(written.map(({ buffer }) => buffer === batch.bytes.buffer)).toEqual([true])
  })

  test('are read by DuckDB as they were', async () => {
    const { bytes } = await ndjson(['{"id":"a\u2028b\u2029"}'], { ndjsonEscape: 'separators' })
    expect(bytes.includes('\u2028')).toBe(false)
    const rows = await query('from read_json({file})', bytes, '.ndjson')
    expect(rows).toEqual([{ id: 'a\u2028b\u2029' }, { id: 'a\u2028b\u2029' }])
  })
})

describe('numbers beyond 2^53 where text is meant', () => {
  test('are counted by field, and kept by default', async () => {
    const texts = [
      '{"id":9007199254740992,"phone":-18446744073709551617,"n":9007199254740993}',
      '{"id":9007199254740991}',
    ]
    const { text, warnings } = await ndjson(texts, {})
    expect(text).toBe([...texts, ...texts].map((line) => `${line}\n`).join(''))
    expect(warnings).toMatchObject([{ code: 'big-numbers', count: 4, fields: { id: 2, phone: 2 } }])
    expect(warnings[0]!.message).toMatch(/--big-numbers string/)
  })

  test('kept ones are counted from the first batch on that begins with one, quoted ones everywhere', async () => {
    const big = '{"id":99999999999999999}'
    const late = batchOf(...Array.from({ length: 16 }, () => '{"id":1}'), big)
    const early = batchOf(big, ...Array.from({ length: 16 }, () => '{"id":1}'), big)
    for (const [bigNumbers, count] of [
      ['keep', 3],
      ['string', 4],
    ] as const) {
      const encoder = ndjsonEncoder({ bigNumbers })
      await encodeAll(encoder, [late, early, late])
      expect(encoder.warnings()).toMatchObject([{ code: 'big-numbers', count }])
    }
  })

  test('are in quotes where that is asked for, and DuckDB reads all of their digits', async () => {
    const texts = ['{"phone":4915112345678901234567,"id":12345678901234567890123}', '{"id":"x","n":1}']
    const { text, bytes, warnings } = await ndjson(texts, { bigNumbers: 'string' })
    const lines = ['{"phone":"4915112345678901234567","id":"12345678901234567890123"}', texts[1]]
    expect(text).toBe([...lines, ...lines].map((line) => `${line}\n`).join(''))
    expect(warnings).toMatchObject([{ count: 4, fields: { phone: 2, id: 2 } }])
    const rows = await query(
      "select id from read_json({file}, columns = {'id': 'VARCHAR'}, format = 'newline_delimited')",
      bytes,
      '.ndjson',
    )
    expect(rows.map(({ id }) => id)).toEqual(['12345678901234567890123', 'x', '12345678901234567890123', 'x'])
  })

  test.each([
    '{"id":1.2345678901234567890}',
    '{"id":1e300}',
    '{"id":-9007199254740991}',
    '{"id":0.00000000000000000001}',
    '{"any":{"id":99999999999999999999},"n":99999999999999999999}',
    '{"id":"99999999999999999999","phone":"id: 99999999999999999999"}',
    '{"phone":["99999999999999999999",99999999999999999999]}',
  ])('%s is none', async (text) => {
    const { text: found, warnings } = await ndjson([text], { bigNumbers: 'string' })
    expect(found).toBe(`${text}\n${text}\n`)
    expect(warnings).toEqual([])
  })

  test('are all found, wherever in a record they stand', async () => {
    const digits = fc
      .bigInt({ min: -(10n ** 40n), max: 10n ** 40n })
      .chain((n) => fc.integer({ min: 0, max: 40 }).map((by) => n / 10n ** BigInt(by)))
    const value = fc.oneof(
      digits.map(String),
      digits.map((n) => `"${n}"`),
      fc
        .string({ unit: fc.constantFrom('1', '7', ':', ' ', '-', '"'), maxLength: 60 })
        .map((text) => JSON.stringify(text)),
      fc.constantFrom('null', '[1234567890123456789]', '{"id":1234567890123456789}', '12345678901234567.5'),
    )
    const name = fc.constantFrom('id', 'phone', 'n', 'other', 'i\\u0064')
    const gap = fc.constantFrom('', ' ', '  ')
    const member = fc.tuple(name, value, gap)
    const isBig = (name: string, text: string): boolean => {
      const whole = /^-?\d+/.exec(text)?.[0]
      if (whole === undefined || !['id', 'phone', 'i\\u0064'].includes(name)) return false
      const size = BigInt(whole.replace('-', ''))
      return size > 2n ** 53n - 1n
    }
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(member, { maxLength: 6 }), { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        async (records, isLines) => {
          const write = (quotes: boolean): string[] =>
            records.map((members) => {
              const texts = members.map(
                ([name, text, gap]) => `"${name}":${gap}${quotes && isBig(name, text) ? `"${text}"` : text}${gap}`,
              )
              return `{${texts.join(',')}}`
            })
          const [given, wanted] = [write(false), write(true)]
          const { text, warnings } = await ndjson(given, { bigNumbers: 'string', ndjsonEscape: 'separators' }, isLines)
          expect(text).toBe([...wanted, ...wanted].map((line) => `${line}\n`).join(''))
          const count = 2 * records.flat().filter(([name, text]) => isBig(name, text)).length
          expect(warnings.reduce((sum, one) => sum + one.count, 0)).toBe(count)
          const json = jsonEncoder({ schema, bigNumbers: 'string' })
          expect((await encodeAll(json, [batchOf(...given)])).toString()).toBe(`[\n${wanted.join(',\n')}\n]\n`)
        },
      ),
      { numRuns },
    )
  })
})

test("Node's readline gives a line for each record", async () => {
  const { createInterface } = await import('node:readline')
  const { bytes } = await ndjson(['{"id":"a\u2028b"}', '{"id":"c"}'], { ndjsonEscape: 'separators' })
  const lines: string[] = []
  for await (const line of createInterface({ input: Readable.from([bytes]) })) lines.push(line)
  expect(lines.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(['a\u2028b', 'c', 'a\u2028b', 'c'])
})
