// Random documents as fast-check arbitraries of JSON text, not of values: spelling is what slicers trip over. White
// space, escapes, number forms, duplicate keys and the names that mean something in an envelope all occur.

import fc from 'fast-check'
import { fragments } from './fragments.js'

const space = fc.constantFrom('', '', '', '', ' ', '\n', '\r\n\t')
const stringPiece = fc.constantFrom(
  ...[
    'a',
    'bc',
    ' ',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    'é',
    '漢',
    '😀',
    '\ufeff',
    '\u2028',
    '\u007f',
    '\ufffe',
    'x'.repeat(70),
  ],
  ...['\\n', '\\"', '\\\\', '\\/', '\\b', '\\u0041', '\\u0000', '\\ud83d\\ude00', '\\ud800', '\\uDFff', '\\ufeff'],
)
const stringText = fc.array(stringPiece, { maxLength: 6 }).map((pieces) => `"${pieces.join('')}"`)
const numberText = fc.oneof(
  fc.integer().map(String),
  fc.constantFrom(
    '0',
    '-0',
    '1.0',
    '1E2',
    '1e-7',
    '-12.50',
    '9007199254740993',
    '1e400',
    '123456789012345678901234567890',
  ),
)
const keyText = fc.oneof(
  stringText,
  fc.constantFrom(
    '"id"',
    '"id"',
    '"name"',
    '"result"',
    '"next_cursor"',
    '"__proto__"',
    '"r\\u0065sult"',
    '"constructor"',
  ),
)
const spaced = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(space, text, space).map(([before, value, after]) => before + value + after)
const list = (items: fc.Arbitrary<string>, maxLength: number): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 1, arbitrary: space },
    { weight: 5, arbitrary: fc.array(items, { minLength: 1, maxLength }).map((texts) => texts.join(',')) },
  )
const member = (value: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(spaced(keyText), spaced(value)).map(([key, text]) => `${key}:${text}`)

const { value, object } = fc.letrec<{ value: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom('true', 'false', 'null'),
    stringText,
    numberText,
    list(spaced(tie('value')), 3).map((text) => `[${text}]`),
    tie('object'),
  ),
  object: list(member(tie('value')), 3).map((text) => `{${text}}`),
}))

export interface Page {
  /** The whole body. */
  text: string
  /** JSON text of each record. */
  records: string[]
  framing: string
  cursor: string | null
}

const cursor = fc.constantFrom(null, '', 'abc=', 'ü+/&#%', '"\\u2028')
const otherMember = fc
  .tuple(fc.constantFrom('"total"', '"Result"', '"meta"', '""', '"next_Cursor"'), spaced(value))
  .map(([key, text]) => `${key}:${text}`)

/** An envelope with its members in any order. */
const envelope = fc
  .tuple(
    fc.array(object, { maxLength: 5 }),
    cursor,
    fc.array(otherMember, { maxLength: 2 }),
    space,
    fc.boolean(),
    fc.boolean(),
  )
  .chain(([records, next, others, gap, isKeyed, isEscaped]) => {
    const key = isEscaped ? '"re\\u0073ult"' : '"result"'
    const elements = isKeyed ? records.map((text, i) => `"k${i}"${gap}:${gap}${text}`) : records
    const [open, close] = isKeyed ? '{}' : '[]'
    const result = `${gap}${key}${gap}:${gap}${open}${elements.join(`${gap},${gap}`)}${gap}${close}`
    const members = [result, `"next_cursor":${gap}${JSON.stringify(next)}${gap}`, ...others]
    return fc.shuffledSubarray(members, { minLength: members.length }).map((order): Page => {
      return { text: `${gap}{${order.join(`,${gap}`)}}${gap}`, records, framing: 'envelope', cursor: next || null }
    })
  })

const otherFramings = fc
  .tuple(fc.array(object, { maxLength: 5 }), cursor, space, fc.constantFrom('array', 'slack', 'graph', 'ndjson'))
  .map(([records, next, gap, framing]): Page => {
    const elements = `[${records.join(`${gap},${gap}`)}${gap}]`
    const cursorText = JSON.stringify(next)
    if (framing === 'slack') {
      const text = `{"ok":true,"members":${elements},"response_metadata":${gap}{"next_cursor":${cursorText}}}`
      return { text, records, framing, cursor: next || null }
    }
    if (framing === 'graph')
      return { text: `{"@odata.nextLink":${cursorText},"value":${elements}}`, records, framing, cursor: next || null }
    // one record alone is an object whose members may mean something, as records of NDJSON are not meant to be
    // recognised by
    const lines = records.map((text) => `{"_":0,"line":${text}}`)
    if (framing === 'ndjson' && records.length > 1)
      return { text: `${gap}${lines.join(`${gap}\n`)}${gap}`, records: lines, framing, cursor: null }
    return { text: `${gap}${elements}${gap}`, records, framing: 'array', cursor: null }
  })

/** A valid page in any framing. */
export const page: fc.Arbitrary<Page> = fc.oneof(envelope, envelope, otherFramings)

/** Lengths of chunks, to be repeated. */
export const cuts: fc.Arbitrary<number[]> = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 200 })),
  { minLength: 1, maxLength: 6 },
)

type Edit = (body: Buffer) => Buffer

const position = fc.nat({ max: 0xffff })
const oneByte = fc.oneof(
  fc.constantFrom(
    ...Buffer.from('{}[],:"\\ \n0-+.eEtfnu/'),
    0x00,
    0x1f,
    0x7f,
    0x80,
    0xbf,
    0xc0,
    0xe0,
    0xed,
    0xf4,
    0xff,
  ),
  fc.nat({ max: 255 }),
)
const fragment = fc.constantFrom(...fragments)

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(position, oneByte).map(
    ([at, byte]): Edit =>
      (body) => {
        const copy = Buffer.from(body)
        if (copy.length > 0) copy[at % copy.length] = byte
        return copy
      },
  ),
  fc.tuple(position, oneByte).map(
    ([at, byte]): Edit =>
      (body) =>
        spliced(body, at, 0, Buffer.of(byte)),
  ),
  fc.tuple(position, fragment).map(
    ([at, text]): Edit =>
      (body) =>
        spliced(body, at, 0, Buffer.from(text)),
  ),
  fc.tuple(position, fc.integer({ min: 1, max: 20 })).map(
    ([at, count]): Edit =>
      (body) =>
        spliced(body, at, count, Buffer.alloc(0)),
  ),
  position.map(
    (at): Edit =>
      (body) =>
        body.subarray(0, at % (body.length + 1)),
  ),
)

function spliced(body: Buffer, position: number, deleted: number, inserted: Buffer): Buffer {
  const at = position % (body.length + 1)
  return Buffer.concat([body.subarray(0, at), inserted, body.subarray(at + deleted)])
}

/** A page after up to three edits of its bytes: mostly invalid, in every way. */
export const damagedBody: fc.Arbitrary<Buffer> = fc
  .tuple(page, fc.array(edit, { minLength: 1, maxLength: 3 }))
  .map(([{ text }, edits]) => edits.reduce<Buffer>((body, apply) => apply(body), Buffer.from(text)))
