// U+2028 and U+2029 in records that are written as they came. They are legal in JSON strings, and some line readers end
// a line at them: Node's `readline` does.

import { RecordBatch } from '../record.js'

/** What becomes of U+2028 and U+2029 in NDJSON and JSON: they stay, or are written as escapes. */
export type NdjsonEscape = 'none' | 'separators'

/** The batch itself, or one with bytes of its own in which U+2028 and U+2029 are escapes. Its keys are not touched. */
export function withoutSeparators(batch: RecordBatch): RecordBatch {
  const { count } = batch
  if (count === 0) return batch
  const first = batch.start(0)
  const found = separatorsIn(batch.bytes.subarray(first, batch.end(count - 1)))
  if (found.length === 0) return batch
  const own = batch.own()
  const bytes = Buffer.allocUnsafe(own.bytes.length + grown * found.length)
  const bounds = new Uint32Array(2 * count)
  let from = 0
  let bound = 0
  found.forEach((at, index) => {
    // bounds up to here have moved by the escapes before them
    while (bound < bounds.length && own.bounds[bound]! <= at) {
      bounds[bound] = own.bounds[bound]! + grown * index
      bound++
    }
    own.bytes.copy(bytes, from + grown * index, from, at)
    bytes.write(own.bytes[at + 2] === lastOfLine ? '\\u2028' : '\\u2029', at + grown * index, 'latin1')
    from = at + length
  })
  own.bytes.copy(bytes, from + grown * found.length, from)
  for (; bound < bounds.length; bound++) bounds[bound] = own.bounds[bound]! + grown * found.length
  // positions in the page are no longer those of these bytes
  return new RecordBatch({ ...own, bytes, bounds, byteOffset: undefined })
}

/** JSON text with escapes in place of U+2028 and U+2029. */
export function escapedSeparators(json: string): string {
  return json.replace(/[\u2028\u2029]/g, (found) => (found === '\u2028' ? '\\u2028' : '\\u2029'))
}

/** The first two bytes of both in UTF-8, and the third of U+2028; that of U+2029 is one more. */
const start = Buffer.of(0xe2, 0x80)
const lastOfLine = 0xa8
/** Bytes of one, and how many more its escape has. */
const length = 3
const grown = 3

function separatorsIn(bytes: Buffer): number[] {
  const found: number[] = []
  for (let at = bytes.indexOf(start); at >= 0; at = bytes.indexOf(start, at + 2)) {
    if ((bytes[at + 2]! & 0xfe) === lastOfLine) found.push(at)
  }
  return found
}
