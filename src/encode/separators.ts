// U+2028 and U+2029 in records that are written as they came. They are legal in JSON strings, and some line readers end
// a line at them: Node's `readline` does.

import type { RecordBatch } from '../record.js'
import { rewritten } from './rewritten.js'

/** What becomes of U+2028 and U+2029 in NDJSON and JSON: they stay, or are written as escapes. */
export type NdjsonEscape = 'none' | 'separators'

/** The batch itself, or one with bytes of its own in which U+2028 and U+2029 are escapes. Its keys are not touched. */
export function withoutSeparators(batch: RecordBatch): RecordBatch {
  const { bytes, count } = batch
  if (count === 0) return batch
  const found = separatorsIn(bytes, batch.start(0), batch.end(count - 1))
  if (found.length === 0) return batch
  const escapes = found.map((at) => {
    return { at, length, text: bytes[at + 2] === lastOfLine ? '\\u2028' : '\\u2029' }
  })
  return rewritten(batch, escapes)
}

/** JSON text with escapes in place of U+2028 and U+2029. */
export function escapedSeparators(json: string): string {
  return json.replace(/[\u2028\u2029]/g, (found) => (found === '\u2028' ? '\\u2028' : '\\u2029'))
}

/** The first two bytes of both in UTF-8, and the third of U+2028; that of U+2029 is one more. */
const start = Buffer.of(0xe2, 0x80)
const lastOfLine = 0xa8
/** Bytes of one. */
const length = 3

function separatorsIn(bytes: Buffer, from: number, to: number): number[] {
  const found: number[] = []
  const text = bytes.subarray(0, to)
  for (let at = text.indexOf(start, from); at >= 0; at = text.indexOf(start, at + 2)) {
    if ((bytes[at + 2]! & 0xfe) === lastOfLine) found.push(at)
  }
  return found
}
