// Records that stand on lines by their keys, `{"KEY":{…}}`, as `--key-by` writes them: each line becomes the record in
// it, and the key is told beside it.

import { DataError } from '../errors.js'
import { RecordBatch } from '../record.js'

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d]

/** The records in a batch of lines, as views of the same bytes. @throws DataError ERR_SCHEMA for a line that is
 *  something else */
export function recordsOfLines(lines: RecordBatch): RecordBatch {
  const { bytes, count } = lines
  const bounds = new Uint32Array(2 * count)
  const pageKeys: string[] = []
  for (let i = 0; i < count; i++) {
    const end = lines.end(i)
    const keyAt = afterSpace(bytes, lines.start(i) + 1)
    const keyEnd = bytes[keyAt] === quote ? stringEnd(bytes, keyAt) : end
    const at = keyEnd < end ? afterSpace(bytes, afterSpace(bytes, keyEnd) + 1) : end
    const recordEnd = bytes[at] === openBrace ? containerEnd(bytes, at) : end
    if (recordEnd >= end || afterSpace(bytes, recordEnd) !== end - 1) {
      throw new DataError('ERR_SCHEMA', 'the line is no object with one record by its key', lines.positionOf(i))
    }
    pageKeys.push(JSON.parse(bytes.toString('utf8', keyAt, keyEnd)) as string)
    bounds[2 * i] = at
    bounds[2 * i + 1] = recordEnd
  }
  return new RecordBatch({ ...lines, bounds, pageKeys, isLines: false, fields: undefined })
}

function afterSpace(bytes: Uint8Array, at: number): number {
  while (bytes[at] === 0x20 || bytes[at] === 0x09 || bytes[at] === 0x0a || bytes[at] === 0x0d) at++
  return at
}

/** After the string that begins at `at`. A batch's records are valid JSON: it ends. */
function stringEnd(bytes: Uint8Array, at: number): number {
  let end = at + 1
  while (bytes[end] !== quote) end += bytes[end] === backslash ? 2 : 1
  return end + 1
}

/** After the object or list that begins at `at`. */
function containerEnd(bytes: Uint8Array, at: number): number {
  let depth = 0
  for (let end = at; ; ) {
    const byte = bytes[end]!
    if (byte === quote) {
      end = stringEnd(bytes, end)
      continue
    }
    end++
    if (byte === openBrace || byte === openBracket) depth++
    else if ((byte === closeBrace || byte === closeBracket) && --depth === 0) return end
  }
}
