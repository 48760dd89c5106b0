// Watches the lines of NDJSON for what is no record: an error that ended the answer, or a page. A list's records begin
// alike, so all that is looked at of nearly every one is four bytes, the start of its first name. Only a line that
// begins as none before it, or as an error or a page does, is read.

import { type Line, lineOf, tellingMembers } from './framing.js'

/** First names that are remembered: what a list has beyond them is read line by line. */
const maxNames = 64

const quote = 0x22
const backslash = 0x5c

/** The start of a line whose first name is this one. */
function startOf(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

const tellingStarts: ReadonlySet<number> = new Set(
  [...tellingMembers].map((name) => startOf(Buffer.from(JSON.stringify(name)), 0)),
)

/** For the lines of one body, in their order. */
export class LineWatch {
  /** First names of lines that were records, none of them telling; and the starts by which nothing telling begins. */
  readonly #names = new Set<string>()
  readonly #starts = new Set<number>()
  #lastStart = -1

  /** Index of the first of these lines that is no record, -1 where all are. */
  find(bytes: Uint8Array, bounds: Uint32Array, count: number): number {
    for (let i = 0; i < count; i++) {
      // of a line that is shorter, such as `{}`, these are also the bytes after it: its own come first and tell it from
      // others
      const start = startOf(bytes, bounds[2 * i]! + 1)
      if (start === this.#lastStart) continue
      if (this.#starts.has(start)) this.#lastStart = start
      else if (!this.#isRecord(bytes, bounds[2 * i]!, bounds[2 * i + 1]!, start)) return i
    }
    return -1
  }

  #isRecord(bytes: Uint8Array, from: number, to: number, start: number): boolean {
    const name = firstName(bytes, from + 1)
    const isTelling = name === undefined || tellingMembers.has(name)
    if (!isTelling && this.#names.has(name)) return true
    if (lineIn(bytes, from, to).kind !== 'record') return false
    if (!isTelling && this.#names.size < maxNames) {
      this.#names.add(name)
      if (!tellingStarts.has(start)) this.#starts.add(start)
    }
    return true
  }
}

/** What a line is. */
export function lineIn(bytes: Uint8Array, from: number, to: number): Line {
  return lineOf(JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8')))
}

/** The name that begins at `at`; undefined where none does at once, or it is spelled with an escape. */
function firstName(bytes: Uint8Array, at: number): string | undefined {
  if (bytes[at] !== quote) return undefined
  let end = at + 1
  while (bytes[end] !== quote) if (bytes[end++] === backslash) return undefined
  return Buffer.from(bytes.buffer, bytes.byteOffset + at + 1, end - at - 1).toString('utf8')
}
