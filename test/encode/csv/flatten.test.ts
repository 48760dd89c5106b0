// Columns of what is in the first element of a list.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { csvEncoder } from '../../../src/encode/csv.js'
import { ConfigError } from '../../../src/errors.js'
import { columnSchema, layoutFor } from '../../../src/export/edits.js'
import { resolveOptions } from '../../../src/options/resolve.js'
import { dialectOf } from '../../../src/readers/facts.js'
import { statementOf } from '../../../src/readers/statement.js'
import { memberSchema } from '../../../src/schema/member.js'
import type { FieldType, ResourceSchema } from '../../../src/schema/resource.js'
import { batchOf } from '../../helpers/batch.js'
import { query } from '../../helpers/duckdb.js'
import { encodeAll } from '../../helpers/sink.js'

const numRuns = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 2000 : 80

const string: FieldType = { kind: 'string' }
const schema: ResourceSchema = {
  resource: 'test/lists',
  version: 1,
  fields: [
    { name: 'id', type: string },
    {
      name: 'emails',
      type: {
        kind: 'list',
        element: {
          kind: 'struct',
          fields: [
            { name: 'email', type: string },
            { name: 'main', type: { kind: 'boolean' } },
            { name: 'n', type: { kind: 'int64' } },
            { name: 'd', type: { kind: 'double' } },
            { name: 'at', type: { kind: 'timestamp' } },
            { name: 'by', type: { kind: 'struct', fields: [{ name: 'a.b', type: string }] } },
          ],
        },
      },
    },
    { name: 'tags', type: { kind: 'list', element: string } },
  ],
}
const flatten = ['email', 'main', 'n', 'd', 'at', 'by.a\\.b'].map((path) => `emails=first:${path}`)

async function csv(texts: readonly string[], of: readonly string[] = flatten): Promise<string> {
  return (await encodeAll(csvEncoder({ schema, flatten: of }), [batchOf(...texts)])).toString()
}

test('stand beside the column of the list, in the order in which they are asked for', async () => {
  const texts = [
    '{"id":"1","emails":[{"email":"a@x","n":7},{"email":"b@x"}]}',
    '{"emails":[]}',
    '{"emails":[null,{"email":"c@x"}]}',
    '{}',
  ]
  expect(await csv(texts, ['emails=first:n', 'emails=first:email'])).toBe(
    [
      'id,emails,n,email,tags,extra',
      '"1","[{""email"":""a@x"",""n"":7},{""email"":""b@x""}]",7,"a@x",,',
      ',"[]",,,,',
      ',"[null,{""email"":""c@x""}]",,,,',
      ',,,,,',
      '',
    ].join('\n'),
  )
})

test('hold what their type can hold, with all digits, and the last of equal keys', async () => {
  const row = async (element: string) => (await csv([`{"emails":[${element}]}`])).split('\n')[1]!.split(']",')[1]
  expect(await row('{"email":"a","email":"b","main":false,"n":-12,"d":1.50,"by":{"a.b":"x"}}')).toBe(
    '"b",false,-12,1.50,,"x",,',
  )
  expect(await row('{"email":7,"main":"x","n":1.5,"d":"1","at":"yesterday","by":"x"}')).toBe(',,,,,,,')
  expect(await row('{"at":"2024-01-01T00:00:00.123456789+01:00","d":12345678901234567890,"n":1e3}')).toBe(
    ',,,12345678901234567890,"2024-01-01T00:00:00.123456789+01:00",,,',
  )
  expect(await row('"text"')).toBe(',,,,,,,')
  // as in a column of its own
  expect(await row('{"at":"2024-02-30T00:00:00Z"}')).toBe(',,,,,,,')
})

test('are read by DuckDB as they were', async () => {
  const email = fc.option(fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')))
  const element = fc.option(fc.record({ email, n: fc.option(fc.integer()) }))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(fc.array(element, { maxLength: 3 })), { minLength: 1, maxLength: 6 }),
      async (lists) => {
        const text = await csv(
          lists.map((emails) => JSON.stringify({ emails })),
          ['emails=first:email', 'emails=first:n'],
        )
        const { columns } = layoutFor(schema, {
          format: 'csv',
          keyBy: null,
          csvNested: 'json',
          csvFlattenSlots: 1,
          csvFlatten: ['emails=first:email', 'emails=first:n'],
          unknownFields: 'extra',
          onTypeMismatch: 'extra',
        })
        const statement = statementOf('duckdb', {
          format: 'csv',
          compression: 'none',
          dialect: dialectOf({}),
          columns,
          paths: ['{file}'],
          isKeyed: false,
          instantUnit: 'text',
          jsonType: 'string',
        })
        const rows = await query(statement.replace("'{file}'", '{file}').replace(/;\n$/, ''), Buffer.from(text), '.csv')
        const wanted = lists.map((emails) => {
          const n = emails?.[0]?.n ?? null
          return { email: emails?.[0]?.email ?? null, n: n === null ? null : BigInt(n) }
        })
        expect(rows.map(({ email, n }) => ({ email, n }))).toEqual(wanted)
      },
    ),
    { numRuns },
  )
})

describe('what is refused', () => {
  test.each([
    ['emails=first:emial', /did you mean emails=first:email\?/],
    ['email=first:email', /did you mean emails=first:email\?/],
    ['emails=last:email', /did you mean emails=first:email\?/],
    ['tags=first:x', /no column can be made of tags=first:x/],
    ['emails', /no column can be made of emails/],
  ])('%s', (text, message) => {
    expect(() => csvEncoder({ schema, flatten: [text] })).toThrow(ConfigError)
    expect(() => csvEncoder({ schema, flatten: [text] })).toThrow(message)
  })

  test('a column of a name that there is, and columns beside flattened ones', () => {
    expect(() => csvEncoder({ schema, flatten: ['emails=first:email', 'emails=first:email'] })).toThrow(
      /would both be the column email/,
    )
    expect(() => csvEncoder({ schema, flatten: ['emails=first:email'], nested: 'flatten' })).toThrow(
      /nested values in JSON text/,
    )
  })

  test('before the first request, with exit code 2', () => {
    const given = { resource: 'instant-messaging/members', token: 'x', out: 'm.csv' }
    const columns = (csvFlatten: string[]) =>
      columnSchema(memberSchema, resolveOptions({ ...given, csvFlatten }, { env: {} }))
    expect(() => columns(['emails=first:mail'])).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION_INVALID', exitCode: 2 }),
    )
    expect(columns(['emails=first:email'])).toEqual(memberSchema)
  })
})
