// Random members as JSON texts, each with what the declared schema makes of it. The expectation is made together with
// the text, not by reading it, so it shares no code with the reader under test.

import fc from 'fast-check'
import { memberSchema } from '../../src/schema/member.js'
import { foldedName } from '../../src/schema/names.js'
import type { Field, FieldType } from '../../src/schema/resource.js'

export type Expected = string | boolean | bigint | number | null | Expected[] | { [field: string]: Expected }

/** A JSON text and the value that a column of its declared type has for it. */
export interface Sample {
  text: string
  value: Expected
  /** Whether some part of the text has the wrong type or a field that is not declared, so that the text is also kept in
   *  `extra`. */
  isKept: boolean
  /** Whether the text is an object or a list as declared, or a scalar of the declared type. */
  isDeclaredKind: boolean
}

export interface MemberSample {
  text: string
  /** What was sent for each declared field that was there, last one of duplicates. */
  fields: Map<string, Sample>
  /** JSON texts of the members of `extra`, by key. */
  extra: Map<string, string>
}

/** Well-formed text of any characters, with a taste for those that break encoders. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom(
    '',
    ' ',
    '"',
    '""',
    ',',
    '\n',
    '\r\n',
    '\r',
    '\0',
    '\ufeff',
    'null',
    'NULL',
    '=1+1',
    "'",
    '\\',
    '～',
    '😀',
    '\u2028',
    'a,b',
  ),
)

/** A JSON string of `text`, escaped as little or as much as JSON allows. */
function stringText(text: string): fc.Arbitrary<string> {
  const escaped = [...text]
    .map((c) => [...Array(c.length).keys()].map((i) => hexEscape(c.charCodeAt(i))).join(''))
    .join('')
  return fc.constantFrom(JSON.stringify(text), `"${escaped}"`)
}

function hexEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}

/** Texts of JSON values, with numbers that a double cannot hold. */
export const anyJsonText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.jsonValue({ maxDepth: 3, noUnicodeString: false }).map((value) => JSON.stringify(value)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '123456789012345678901234567890',
      '1e400',
      '-0',
      '1.0',
      '{"a" : [ 1E2 ]}',
      '[]',
      '{}',
      '"\\u0000\\ud83d\\ude00"',
    ),
  },
)

const wrongText = fc.constantFrom(
  '0',
  '-1.5e3',
  'true',
  '"text"',
  '[]',
  '[1,[2]]',
  '{}',
  '{"id":7}',
  '"2024-13-01T00:00:00Z"',
)

const firstMicros = -62135596800000000n
const lastMicros = 253402300799999999n

/** A date-time of a random instant, at a random offset where the year allows it, with a fraction of 0 to 9 digits. */
const timestampSample = fc
  .record({
    micros: fc.oneof(fc.bigInt(firstMicros, lastMicros), fc.bigInt(0n, 2_000_000_000_000_000n)),
    offset: fc.oneof(fc.constant(0), fc.integer({ min: -1439, max: 1439 })),
    isMillis: fc.boolean(),
    zulu: fc.constantFrom('Z', 'z', '+00:00', '-00:00'),
  })
  .map(({ micros, offset, isMillis, zulu }) => {
    const value = isMillis ? micros - (((micros % 1000n) + 1000n) % 1000n) : micros
    const millis = Number((value - (((value % 1000n) + 1000n) % 1000n)) / 1000n)
    const local = new Date(millis + offset * 60_000)
    const isInRange = local.getUTCFullYear() >= 1 && local.getUTCFullYear() <= 9999
    const date = isInRange ? local : new Date(millis)
    const rest = String(((value % 1000n) + 1000n) % 1000n).padStart(3, '0')
    const zone = offset === 0 || !isInRange ? zulu : zoneText(offset)
    const text = `${date.toISOString().slice(0, -1)}${rest}`.replace(/\.?0+$/, (zeros) =>
      zeros.length > 3 ? '' : zeros,
    )
    return { value, text: JSON.stringify(text + zone) }
  })

function zoneText(offset: number): string {
  const minutes = Math.abs(offset)
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

function sampleOf(type: FieldType, wrongWeight: number): fc.Arbitrary<Sample> {
  const exact = (text: string, value: Expected): Sample => ({ text, value, isKept: false, isDeclaredKind: true })
  const arbitraries: fc.WeightedArbitrary<Sample>[] = [{ weight: 2, arbitrary: fc.constant(exact('null', null)) }]
  if (wrongWeight > 0 && type.kind !== 'json') {
    const wrong = wrongText
      .filter((text) => !fits(type, text))
      .map((text) => ({ text, value: null, isKept: true, isDeclaredKind: false }))
    arbitraries.push({ weight: wrongWeight, arbitrary: wrong })
  }
  arbitraries.push({ weight: 12, arbitrary: rightSample(type, wrongWeight) })
  return fc.oneof(...arbitraries)
}

/** Whether one of the wrong texts happens to be right for `type`, or right on its outside. */
function fits({ kind }: FieldType, text: string): boolean {
  if (kind === 'string') return text.startsWith('"')
  if (kind === 'boolean') return text === 'true'
  if (kind === 'int64' || kind === 'double') return /^[-\d]/.test(text)
  if (kind === 'list') return text.startsWith('[')
  return kind === 'struct' && text.startsWith('{')
}

function rightSample(type: FieldType, wrongWeight: number): fc.Arbitrary<Sample> {
  const exact = (text: string, value: Expected): Sample => ({ text, value, isKept: false, isDeclaredKind: true })
  switch (type.kind) {
    case 'string':
      return anyText.chain((value) => stringText(value).map((text) => exact(text, value)))
    case 'boolean':
      return fc.boolean().map((value) => exact(String(value), value))
    case 'int64':
      return fc
        .oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.bigInt(-99n, 99n))
        .map((value) => exact(`${value}`, value))
    case 'double':
      return fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => exact(numberText(value), value))
    case 'timestamp':
      return timestampSample.map(({ text, value }) => exact(text, value))
    case 'json':
      return anyJsonText.map((text) => exact(text, text === 'null' ? null : text))
    case 'list':
      return fc.array(sampleOf(type.element, wrongWeight), { maxLength: 3 }).map((elements) => ({
        text: `[${elements.map(({ text }) => text).join(',')}]`,
        value: elements.map(({ value }) => value),
        isKept: elements.some(({ isKept }) => isKept),
        isDeclaredKind: true,
      }))
    case 'struct':
      return membersOf(type.fields, wrongWeight).map(({ members, fields, unknown }) => ({
        text: `{${members.join(',')}}`,
        value: Object.fromEntries(type.fields.map(({ name }) => [name, fields.get(name)?.value ?? null])),
        isKept: unknown.size > 0 || [...fields.values()].some(({ isKept }) => isKept),
        isDeclaredKind: true,
      }))
  }
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : JSON.stringify(value)
}

interface Members {
  members: string[]
  fields: Map<string, Sample>
  unknown: Map<string, string>
}

/** Members in random order: some of `fields`, now and then one twice or with an escape in its key, now and then one
 *  that is not declared. */
function membersOf(fields: readonly Field[], wrongWeight: number): fc.Arbitrary<Members> {
  const known = fc.subarray([...fields]).chain((chosen) =>
    fc.tuple(
      ...chosen.map(({ name, type }) =>
        fc.record({
          name: fc.constant(name),
          key: fc
            .boolean()
            .map((isEscaped) =>
              isEscaped && name !== ''
                ? `"${hexEscape(name.charCodeAt(0))}${JSON.stringify(name.slice(1)).slice(1)}`
                : JSON.stringify(name),
            ),
          sample: sampleOf(type, wrongWeight),
          earlier: fc.option(anyJsonText, { freq: 8 }),
        }),
      ),
    ),
  )
  const names = new Set(fields.map(({ name }) => name))
  const unknownKey = fc
    .oneof(anyText, fc.constantFrom('__proto__', 'constructor', 'extra', '_key', 'a.b', 'Id', 'id '))
    .filter((key) => !names.has(key))
  const unknown = fc.array(fc.tuple(unknownKey, anyJsonText), { maxLength: wrongWeight > 0 ? 2 : 0 })
  return fc.tuple(known, unknown, fc.nat(100)).map(([chosen, others, rotation]) => {
    const late = chosen.map(({ key, sample }) => `${key}:${sample.text}`)
    const early = chosen.flatMap(({ key, earlier }) => (earlier === null ? [] : [`${key}:${earlier}`]))
    const rotated =
      late.length === 0 ? [] : [...late.slice(rotation % late.length), ...late.slice(0, rotation % late.length)]
    return {
      members: [...early, ...others.map(([key, text]) => `${JSON.stringify(key)}:${text}`), ...rotated],
      fields: new Map(chosen.map(({ name, sample }) => [name, sample])),
      unknown: new Map(others),
    }
  })
}

/** Random members; with `isClean`, all of them as the schema declares. */
export function memberSample(options?: { isClean?: boolean }): fc.Arbitrary<MemberSample> {
  return recordSample(memberSchema.fields, options)
}

/** As `memberSample`, records with `fields`. */
export function recordSample(fields: readonly Field[], { isClean = false } = {}): fc.Arbitrary<MemberSample> {
  return membersOf(fields, isClean ? 0 : 1).map(({ members, fields, unknown }) => {
    const extra = new Map(unknown)
    for (const [name, sample] of fields) if (sample.isKept) extra.set(name, sample.text)
    return { text: `{${members.join(',')}}`, fields, extra }
  })
}

/** Random fields of every type, nested up to `depth`, with names of their own. */
export function anyFields(depth = 2): fc.Arbitrary<Field[]> {
  return fc
    .uniqueArray(
      fc.oneof(fc.constantFrom('id', 'name', 'a', 'email', 'n', 'é', 'x'.repeat(40), '__proto__'), anyText),
      {
        minLength: 1,
        maxLength: 5,
        // columns that differ in case alone are refused
        selector: foldedName,
      },
    )
    .chain((names) => fc.tuple(...names.map((name) => anyType(depth).map((type): Field => ({ name, type })))))
}

function anyType(depth: number): fc.Arbitrary<FieldType> {
  const scalar = fc.constantFrom('string', 'string', 'boolean', 'timestamp', 'int64', 'double', 'json')
  const scalars = scalar.map((kind): FieldType => ({ kind }) as FieldType)
  if (depth === 0) return scalars
  return fc.oneof(
    { weight: 3, arbitrary: scalars },
    { weight: 1, arbitrary: anyFields(depth - 1).map((fields): FieldType => ({ kind: 'struct', fields })) },
    { weight: 1, arbitrary: anyType(depth - 1).map((element): FieldType => ({ kind: 'list', element })) },
  )
}
