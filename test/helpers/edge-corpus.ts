// A corpus of records that break encoders and readers, any number of them, with what the declared schema makes of each.
// As with `memberSample`, the expectation is made together with the text; made by a small random generator, since
// fast-check takes a second for a thousand of them.

import { memberSchema } from '../../src/schema/member.js'
import type { Field, FieldType, ResourceSchema } from '../../src/schema/resource.js'
import { edgeTexts } from './edge-texts.js'
import type { Expected } from './member-records.js'

/** Members with numbers, which they do not have. */
export const edgeSchema: ResourceSchema = {
  ...memberSchema,
  fields: [
    ...memberSchema.fields,
    { name: 'count', type: { kind: 'int64' } },
    { name: 'share', type: { kind: 'double' } },
    { name: 'ratios', type: { kind: 'list', element: { kind: 'double' } } },
  ],
}

export interface EdgeRecord {
  readonly text: string
  /** The value of each column, `extra` among them. */
  readonly row: { readonly [column: string]: Expected }
}

/** A JSON text and what a column of its declared type has for it; `isKept` where the text is also kept in `extra`. */
interface Part {
  readonly text: string
  readonly value: Expected
  readonly isKept: boolean
}

const part = (text: string, value: Expected, isKept = false): Part => ({ text, value, isKept })
const wrong = (...texts: string[]): Part[] => texts.map((text) => part(text, null, true))
const micros = (instant: string, rest = 0n): bigint => BigInt(Date.parse(instant)) * 1000n + rest

const shortTexts = edgeTexts.filter(({ length }) => length < 1000)
const longTexts = edgeTexts.filter(({ length }) => length >= 1000)
const escaped = (text: string): string =>
  `"${Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`

const parts: Record<Exclude<FieldType['kind'], 'struct' | 'list'>, Part[]> = {
  string: [
    ...shortTexts.flatMap((text) => [part(JSON.stringify(text), text), part(escaped(text), text)]),
    ...wrong('5', '-0.5e3', 'true', '[]', '{}', '["a"]'),
  ],
  boolean: [part('true', true), part('false', false), ...wrong('0', '1', '"true"', '""', '[]')],
  timestamp: [
    part('"0001-01-01T00:00:00Z"', micros('0001-01-01T00:00:00Z')),
    part('"1969-12-31T23:59:59.999999Z"', micros('1969-12-31T23:59:59.999Z', 999n)),
    part('"1970-01-01T00:00:00Z"', 0n),
    part('"2024-02-29T12:00:00.123456+05:30"', micros('2024-02-29T06:30:00.123Z', 456n)),
    part('"9999-12-31T23:59:59.999999Z"', micros('9999-12-31T23:59:59.999Z', 999n)),
    part('"2024\\u002d01-01T00:00:00Z"', micros('2024-01-01T00:00:00Z')),
    ...wrong('"2023-02-29T00:00:00Z"', '"2024-13-01T00:00:00Z"', '"2024-01-01"', '""', '"Invalid Date"', '1e9'),
    part('"2024-01-01T00:00:00.1234567Z"', micros('2024-01-01T00:00:00.123Z', 456n)),
    part('"2024-01-01 00:00:00"', micros('2024-01-01T00:00:00Z')),
    part('1700000000', 1_700_000_000_000_000n),
    part('1700000000123', 1_700_000_000_123_000n),
    ...wrong('"0000-12-31T23:59:59Z"', '{}'),
  ],
  int64: [
    ...[0n, 1n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)].map((value) => part(String(value), value)),
    ...wrong('"5"', '9223372036854775808', '0.5', 'true', '[]'),
  ],
  double: [
    ...[0, 0.1, -1.5e300, 5e-324, 1e21].map((value) => part(JSON.stringify(value), value)),
    ...wrong('"0.5"', '1e400', '"NaN"', 'true', '{}'),
  ],
  json: [
    '{}',
    '[]',
    '[null]',
    '"text"',
    'true',
    '-0',
    '1.0',
    '123456789012345678901234567890',
    '{"n":0.1000000000000000055511151231257827,"e":1e400}',
    '{"a" : "\\u0000\\/\\ud83d\\ude00","a":"twice"}',
    `${'['.repeat(500)}1${']'.repeat(500)}`,
    `${'{"a":'.repeat(100)}{}${'}'.repeat(100)}`,
    JSON.stringify({ long: 'payload '.repeat(100) }),
    ...shortTexts.map((text) => JSON.stringify({ [text]: text })),
  ].map((text) => part(text, text)),
}

/** The first `count` records of the corpus. */
export function edgeCorpus(count: number): EdgeRecord[] {
  const random = new Random(20_000)
  return Array.from({ length: count }, (_, index) => edgeRecord(index, random))
}

function edgeRecord(index: number, random: Random): EdgeRecord {
  const { fields } = edgeSchema
  const none = Object.fromEntries([...fields.map(({ name }) => name), 'extra'].map((name) => [name, null]))
  if (index % 97 === 0) return { text: '{}', row: none }
  if (index % 97 === 1) return { text: `{${fields.map(({ name }) => `"${name}":null`).join(',')}}`, row: none }
  const { members, values, kept } = membersOf(fields, random, index)
  const unknown =
    random.below(10) === 0 ? [`${JSON.stringify(random.of(shortTexts))}:${random.of(parts.json).text}`] : []
  const extra = [...unknown, ...kept].join(',')
  return {
    text: `{${[...unknown, ...members].join(',')}}`,
    row: { ...none, ...values, extra: extra === '' ? null : `{${extra}}` },
  }
}

interface Members {
  readonly members: readonly string[]
  readonly values: { readonly [field: string]: Expected }
  /** Those for `extra`, in the order of the schema. */
  readonly kept: readonly string[]
}

function membersOf(fields: readonly Field[], random: Random, index: number): Members {
  const members: string[] = []
  const values: { [field: string]: Expected } = {}
  const kept: string[] = []
  for (const { name, type } of fields) {
    values[name] = null
    if (random.below(6) === 0) continue
    const isLong = index % 1999 === 0 && name === 'bio'
    const long = longTexts[index % longTexts.length]!
    const { text, value, isKept } = isLong ? part(JSON.stringify(long), long) : partOf(type, random, index)
    values[name] = value
    // of a repeated key the last one counts
    if (random.below(40) === 0) members.push(`"${name}":${random.of(parts.json).text}`)
    members.push(`${random.below(20) === 0 ? escaped(name) : `"${name}"`}:${text}`)
    if (isKept) kept.push(`"${name}":${text}`)
  }
  return { members, values, kept }
}

function partOf(type: FieldType, random: Random, index: number): Part {
  if (random.below(12) === 0) return part('null', null)
  if (type.kind === 'list') {
    if (random.below(20) === 0) return random.of(wrong('{}', '"[]"', '0'))
    const elements = Array.from({ length: random.below(4) }, () => partOf(type.element, random, index))
    return part(
      `[${elements.map(({ text }) => text).join(random.of([',', ' , ']))}]`,
      elements.map(({ value }) => value),
      elements.some(({ isKept }) => isKept),
    )
  }
  if (type.kind === 'struct') {
    if (random.below(20) === 0) return random.of(wrong('[]', '"{}"', '7'))
    const { members, values, kept } = membersOf(type.fields, random, 1)
    return part(`{${members.join(',')}}`, values, kept.length > 0)
  }
  return random.of(parts[type.kind])
}

/** mulberry32: public domain, by Tommy Ettinger. */
class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % count
  }

  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }
}
