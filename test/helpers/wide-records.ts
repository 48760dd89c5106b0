// Schemas of more fields than are looked for one by one, and records of them in any order: with other names beside
// them, names twice, and names that only an escape spells.

import fc from 'fast-check'
import type { Field, FieldType } from '../../src/schema/resource.js'

const names: readonly string[] = [
  ...Array.from({ length: 60 }, (_, i) => `column_${i}`),
  ...Array.from({ length: 20 }, (_, i) => 'x'.repeat(i + 1)),
  ...Array.from({ length: 10 }, (_, i) => `a name of more than sixteen bytes ${i}`),
  ...['é', '😀', '__proto__', 'constructor', 'a":1,"b', '\\', '\n'],
]
const others = [...Array.from({ length: 80 }, (_, i) => `other_${i}`), 'column_', 'column_600', 'x'.repeat(21), '', '"']

export const wideFields: readonly Field[] = [
  ...names.map((name, i): Field => ({ name, type: i % 3 === 0 ? { kind: 'int64' } : { kind: 'string' } })),
  {
    name: 'inside',
    type: { kind: 'struct', fields: names.map((name) => ({ name, type: { kind: 'string' } as FieldType })) },
  },
  {
    name: 'list',
    type: {
      kind: 'list',
      element: {
        kind: 'struct',
        fields: names.slice(3).map((name) => ({ name, type: { kind: 'int64' } as FieldType })),
      },
    },
  },
]

const value = fc.constantFrom('1', '"text"', 'null', '[1]')
const key = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...names, ...others).map((name) => JSON.stringify(name)) },
  fc
    .constantFrom(...names)
    .map((name) => `"\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${JSON.stringify(name.slice(1)).slice(1)}`),
)
const object = (keys: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .array(fc.tuple(keys, value), { maxLength: 30 })
    .map((members) => `{${members.map(([name, text]) => `${name}:${text}`).join(',')}}`)

/** Records as texts. */
export const wideRecords: fc.Arbitrary<string[]> = fc.array(
  fc
    .tuple(object(key), fc.option(object(key)), fc.option(object(key)), fc.boolean())
    .map(([own, inside, element, isEnd]) => {
      const more = [
        ...(inside === null ? [] : [`"inside":${inside}`]),
        ...(element === null ? [] : [`"list":[${element},null,${element}]`]),
      ]
      const members = [own.slice(1, -1), ...more].filter(Boolean)
      return `{${(isEnd ? members.reverse() : members).join(',')}}`
    }),
  { maxLength: 12 },
)
