// Records that readers get wrong where anything is left to them, and what every column has for each.

import { schemaFromJson } from '../../src/schema/json-schema.js'

const text = { type: ['string', 'null'] }

export const schemaDocument = {
  type: 'object',
  properties: {
    id: text,
    phone: text,
    note: text,
    at: { type: ['string', 'null'], format: 'date-time' },
    n: { type: ['integer', 'null'] },
    share: { type: ['number', 'null'] },
    ok: { type: ['boolean', 'null'] },
    tags: { type: ['array', 'null'], items: text },
    emails: {
      type: ['array', 'null'],
      items: { type: 'object', properties: { email: text, is_primary: { type: ['boolean', 'null'] } } },
    },
    place: { type: ['object', 'null'], properties: { city: text, zip: text } },
    remote_data: {},
    late: text,
  },
} as const

export const schema = schemaFromJson(schemaDocument)

/** Lines of NDJSON. */
export const lines: readonly string[] = [
  '{"id":"00042","phone":"0049123","note":null,"at":"2024-02-29T12:34:56Z","n":1,"share":0.1,"ok":true,"tags":[],"emails":[{"email":"a@x","is_primary":true}],"place":{"city":"Ulm","zip":"00042"},"remote_data":{"a":[1,null,{"b":"x"}]}}',
  '{"id":"2","phone":"","note":"","at":"2024-02-29T12:34:56.678Z","n":9007199254740993,"share":-1.5e300,"ok":false,"tags":["","00042",null],"emails":null,"place":null,"remote_data":[]}',
  '{"id":"3","phone":"+15551234567","note":"a \\"quoted\\" one, it\'s","at":"2024-02-29T12:34:56.123456+05:30","n":-9223372036854775808,"share":5e-324,"tags":["é","😀"],"emails":[],"place":{"city":null},"remote_data":null}',
  '{"id":"4","note":"line\\nfeed\\r\\nand \\u2028\\u2029 end","at":"1999-12-31T23:59:59-08:00","n":9223372036854775807,"remote_data":{"text":"a\\"b","u":"\\u2028"}}',
  '{"id":"5","note":"null","at":null,"n":null,"tags":["NULL","\\\\N"],"emails":[{"email":"","is_primary":null},{"email":"ü,;"}],"remote_data":"text"}',
  '{"id":"6","note":"\\\\N back\\\\slash \\\\\\"","at":"1901-01-01T00:00:00.5Z","place":{"city":"","zip":""}}',
  '{"id":"7","note":"=1+1","late":"here","remote_data":12345}',
  '{"id":"  8  ","phone":"NULL","note":"\\\\N","late":"true","remote_data":true}',
  '{"id":"9","phone":"NaN","note":"\'","at":"2024-02-29T12:34:56.123456Z","remote_data":{}}',
  '{"id":"10","note":"#no comment","phone":"\\t","late":""}',
]

/** What a column has, in one form for all readers: whole numbers as their digits, instants as microseconds since the
 *  epoch, nested values and JSON without members that are null. */
export type Expected = string | number | boolean | null | { readonly json: unknown }
export type Row = { readonly [column: string]: Expected }

export const rows: readonly Row[] = lines.map((line) => {
  const record = JSON.parse(line) as Record<string, unknown>
  return Object.fromEntries(
    schema.fields.map(({ name, type }) => {
      const value = record[name] ?? null
      if (value === null) return [name, null]
      if (type.kind === 'int64') return [name, /"n":(-?\d+)/.exec(line)![1]!]
      if (type.kind === 'timestamp') return [name, microsOf(value as string)]
      if (type.kind === 'json' || type.kind === 'list' || type.kind === 'struct') return [name, { json: pruned(value) }]
      return [name, value as Expected]
    }),
  )
})

/** Microseconds, as digits. */
export function microsOf(instant: string): string {
  const [, fraction = ''] = /\.(\d+)/.exec(instant) ?? []
  const whole = BigInt(Date.parse(instant.replace(/\.\d+/, '')))
  return String(whole * 1000n + BigInt(fraction.padEnd(6, '0').slice(0, 6)))
}

/** Without members that are null: a reader of declared columns has them for those that are absent. */
export function pruned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pruned)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).filter(([, member]) => member !== null)
  return Object.fromEntries(members.map(([name, member]) => [name, pruned(member)]))
}

/** A value as a reader gave it. A text of JSON may have lost the quotes around it. */
export function settled(name: string, value: unknown): Expected {
  if (value === null || value === undefined) return null
  const kind = schema.fields.find((field) => field.name === name)?.type.kind ?? 'json'
  if (kind === 'int64' || kind === 'timestamp') return String(value)
  if (kind === 'double') return Number(value)
  if (kind === 'boolean') return value === 1 || value === '1' || value === 't' || value === 'true' || value === true
  if (kind === 'string') return value as string
  return { json: pruned(typeof value === 'string' ? parsed(value) : value) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
