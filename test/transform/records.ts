// Random records as texts: repeated keys, keys spelled with escapes, names that mean something to objects, white space.
// Shared by the property tests of the transforms.

import fc from 'fast-check'
import { RecordBatch } from '../../src/record.js'

/** `base` runs, or many more in a soak. */
export const numRuns = (base: number): number => (process.env['TRUTO_EXPORT_SOAK'] === '1' ? base * 100 : base)

/** Few names, so that paths and keys meet. None of them is a lone backslash: once JSON.parse of V8 12.8 to 14.6
 *  (Node.js 24 and 26) has seen that as a key, it takes a later key that is spelled with an escape for a backslash, too
 *  (github.com/nodejs/node/issues/63785), and the models parse with it. */
export const names = fc.constantFrom(
  'a',
  'b',
  'a.b',
  'emails',
  'type',
  '__proto__',
  'constructor',
  'ü',
  '😀',
  'a\\b',
  '"',
  '1',
  '\ud800',
  '\ufffd',
)
export const paths = fc.array(fc.array(names, { minLength: 1, maxLength: 3 }), { maxLength: 4 })

/** A JSON value with the spelling of its keys: what `print` turns into text. */
export type Node =
  | { kind: 'scalar'; text: string }
  | { kind: 'array'; elements: Node[]; space: string }
  | { kind: 'object'; members: { name: string; isEscaped: boolean; value: Node }[]; space: string }
export type ObjectNode = Extract<Node, { kind: 'object' }>

const space = fc.constantFrom('', '', ' ', '\t ')
const scalars = fc.oneof(
  fc.constantFrom(
    'null',
    'true',
    'false',
    '0',
    '-0',
    '1.50',
    '1e3',
    '12345678901234567890123',
    '"\\u0041\\/"',
    '"},{"',
    '"\\ud800"',
    '"\\\\"',
    '"\\""',
  ),
  fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
)
const tree = fc.letrec<{ node: Node; object: ObjectNode }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalars.map((text): Node => ({ kind: 'scalar', text })),
    fc.record({ kind: fc.constant('array' as const), elements: fc.array(tie('node'), { maxLength: 3 }), space }),
    tie('object'),
  ),
  object: fc.record({
    kind: fc.constant('object' as const),
    members: fc.array(fc.record({ name: names, isEscaped: fc.boolean(), value: tie('node') }), { maxLength: 6 }),
    space,
  }),
}))
export const documents = tree.object

export function print(node: Node): string {
  if (node.kind === 'scalar') return node.text
  const { space } = node
  if (node.kind === 'array') return `[${space}${node.elements.map(print).join(`${space},${space}`)}${space}]`
  const members = node.members.map(({ name, isEscaped, value }) => {
    const key = isEscaped
      ? `"${Array.from({ length: name.length }, (_, at) => `\\u${name.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
      : JSON.stringify(name)
    return `${key}${space}:${space}${print(value)}`
  })
  return `{${space}${members.join(`${space},${space}`)}${space}}`
}

/** A batch whose records do not stand as lines: with other bytes before, between and after them. */
export function looselyPlaced(texts: readonly string[]): RecordBatch {
  const bounds = new Uint32Array(2 * texts.length + 2)
  const parts: Buffer[] = [Buffer.from('[')]
  let at = 1
  texts.forEach((text, index) => {
    const bytes = Buffer.from(`${text}, `)
    bounds[2 * index] = at
    bounds[2 * index + 1] = at + bytes.length - 2
    at += bytes.length
    parts.push(bytes)
  })
  return new RecordBatch({
    bytes: Buffer.concat(parts),
    bounds,
    count: texts.length,
    page: 1,
    firstRecordIndex: 0,
    byteOffset: 100,
  })
}
