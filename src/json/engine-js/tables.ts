// What the engines' checks of the bytes share: what ends a run of plain string bytes, the grammar of numbers, the
// states and their printable names, and in which of them a body may end.

/** 1 for the bytes that end a run of plain string characters: `"`, `\` and control characters (RFC 8259 §7). */
export const stringStops = new Uint8Array(256)
for (let byte = 0; byte < 0x20; byte++) stringStops[byte] = 1
stringStops[0x22] = 1
stringStops[0x5c] = 1

/** 1 for the characters that may follow a backslash, `u` excepted (RFC 8259 §7). */
export const simpleEscapes = new Uint8Array(256)
for (const character of '"\\/bfnrt') simpleEscapes[character.charCodeAt(0)] = 1

/** 1 for hexadecimal digits. */
export const hexDigits = new Uint8Array(256)
for (const character of '0123456789abcdefABCDEF') hexDigits[character.charCodeAt(0)] = 1

/** States inside a number (RFC 8259 §6). The accepting ones are Zero, Integer, Fraction and Exponent. */
export const NumberState = {
  Minus: 1,
  Zero: 2,
  Integer: 3,
  Point: 4,
  Fraction: 5,
  E: 6,
  ESign: 7,
  Exponent: 8,
} as const

/** `numberNext[state * 8 + class]` is the next state, 0 where the number cannot go on. */
export const numberNext = new Uint8Array(9 * 8)
/** Class of a byte inside a number: 1 zero, 2 other digit, 3 point, 4 e, 5 plus, 6 minus; 0 ends the number. */
export const numberClass = new Uint8Array(256)
for (let digit = 0x31; digit <= 0x39; digit++) numberClass[digit] = 2
for (const [character, kind] of [
  ['0', 1],
  ['.', 3],
  ['e', 4],
  ['E', 4],
  ['+', 5],
  ['-', 6],
] as const) {
  numberClass[character.charCodeAt(0)] = kind
}
const { Minus, Zero, Integer, Point, Fraction, E, ESign, Exponent } = NumberState
for (const [state, kind, next] of [
  [Minus, 1, Zero],
  [Minus, 2, Integer],
  [Zero, 3, Point],
  [Zero, 4, E],
  [Integer, 1, Integer],
  [Integer, 2, Integer],
  [Integer, 3, Point],
  [Integer, 4, E],
  [Point, 1, Fraction],
  [Point, 2, Fraction],
  [Fraction, 1, Fraction],
  [Fraction, 2, Fraction],
  [Fraction, 4, E],
  [E, 1, Exponent],
  [E, 2, Exponent],
  [E, 5, ESign],
  [E, 6, ESign],
  [ESign, 1, Exponent],
  [ESign, 2, Exponent],
  [Exponent, 1, Exponent],
  [Exponent, 2, Exponent],
] as const) {
  numberNext[state * 8 + kind] = next
}

/** 1 for the states in which a number may end. */
export const numberAccepts = new Uint8Array(9)
for (const state of [Zero, Integer, Fraction, Exponent]) numberAccepts[state] = 1

export const literals = [Buffer.from('true'), Buffer.from('false'), Buffer.from('null')] as const

/** States of the machine between two bytes. */
export const State = {
  Document: 0,
  Value: 1,
  FirstElement: 2,
  FirstKey: 3,
  Key: 4,
  Colon: 5,
  After: 6,
  String: 7,
  Escape: 8,
  Hex: 9,
  Number: 10,
  Literal: 11,
  /** The first top-level object has ended and is not known to be an envelope: end, or a second record of NDJSON. */
  AfterFirst: 12,
  /** Between two NDJSON records. */
  BetweenLines: 13,
  /** The envelope or array has ended: only white space may follow. */
  Done: 14,
  /** Never between two bytes: a container closes at this one. */
  Close: 15,
  /** The document has ended and the next one begins: nothing more is read. */
  Next: 16,
} as const

/** What a state expects, for error messages; indexed by state. */
export const expectations = [
  'a JSON document',
  'a value',
  'a value or ]',
  'a key or }',
  'a key',
  ':',
  ', or a closing bracket',
  'a string character',
  'an escape character',
  'a hexadecimal digit',
  'a digit',
  'a literal',
  'the end of the body or another record',
  'a line feed and another record',
  'the end of the body',
] as const

/** Whether a body may end in `state`. `isLines`: every top-level value is a record, so that none at all is a list
 *  too. */
export function isWholeIn(state: number, isLines: boolean, bomBytes: number): boolean {
  if (state === State.Document) return isLines && bomBytes === 0
  return state === State.Done || state === State.AfterFirst || state === State.BetweenLines || state === State.Next
}

/** Inside what a body stands, for the message of one that was cut. `records` are those that were given. */
export function placeIn(state: number, isRecordOpen: boolean, isListOpen: boolean, records: number): string {
  if (state === State.Document) return 'before its document began'
  if (isRecordOpen) return `inside record ${records}`
  return isListOpen ? 'between two records' : 'inside the envelope'
}
