// Finds records that lie whole in the window, which nearly all do: the contract of what does that, and how it is done
// in plain TypeScript. Unlike the state machine a scanner cannot stop inside of a record, so this one has no states:
// where it stands in the code is where it stands in the grammar of RFC 8259, and it need not ask whether the data has
// ended. What it does not know, and whatever is wrong, it leaves to the machine. UTF-8 has been checked before.
// bench/engines.ts holds its speed.

import { KiB } from '../../bytes/units.js'
import type { RecordFields } from '../../record.js'
import { hexDigits, simpleEscapes } from './tables.js'
import type { HeapWindow } from './window.js'

/** Finds whole records faster than the state machine does. It begins between two records, may stop between any two, and
 *  the machine continues from there: so whatever is rare or wrong has one place where it is understood. */
export interface RecordScanner {
  /** Where it puts the bounds of records, as the machine does. Another array after the window has grown. */
  readonly bounds: Uint32Array<ArrayBuffer>
  /** Finds records in window bytes [from, end) and appends their bounds from index `bound` on. Afterwards the bytes
   *  between two of them are as `RecordBatch` wants them, and all bytes from `lastEnd` to `end` are what they were, but
   *  for line ends outside strings, which may be spaces. */
  scan(from: number, end: number, bound: number, limits: ScanLimits): void
  /** Index after the last bound, as the last scan left it. */
  readonly bound: number
  /** One past the last record that the last scan found. */
  readonly lastEnd: number
  /** Whether the last scan met something that it leaves to the machine. Else no whole record follows `lastEnd`. */
  readonly hasStopped: boolean
  /** False where the last scan met half of a surrogate pair, or where its bytes ended in one. */
  readonly isWellFormed: boolean
  /** The members of the records that the last scan found, where it was asked for them and could note them all. */
  fields(): RecordFields | undefined
}

export interface ScanLimits {
  /** Whether records are separated by line feeds, not commas. */
  isLines: boolean
  /** Deepest nesting, a record's own level counted as 1. */
  maxDepth: number
  maxRecordBytes: number
  withFields: boolean
}

/** Most records that it finds in one step of the slicer; after them the machine continues. */
const maxRecords = 8 * KiB
/** Deepest nesting that it follows. */
const deepest = 256

const tab = 0x09
const lineFeed = 0x0a
const carriageReturn = 0x0d
const space = 0x20
const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const openBracket = 0x5b
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const zero = 0x30
const nine = 0x39

/** Four letters as the number that a little-endian read of them gives. */
const wordOf = (letters: string): number => Buffer.from(letters).readInt32LE()
const nullWord = wordOf('null')
const trueWord = wordOf('true')
const alseWord = wordOf('alse')

/** Whether half of a surrogate pair was met. */
let hasLoneSurrogate = false

/** The closing bracket of each open container, by depth. */
const closers = new Uint8Array(deepest + 1)

export class ScannerJs implements RecordScanner {
  readonly bounds = new Uint32Array(2 * maxRecords)
  bound = 0
  lastEnd = 0
  hasStopped = false
  isWellFormed = true
  readonly #window: HeapWindow
  #bytes: Buffer
  #view: DataView

  constructor(window: HeapWindow) {
    this.#window = window
    this.#bytes = window.bytes
    this.#view = viewOf(window.bytes)
  }

  scan(from: number, end: number, bound: number, { isLines, maxDepth, maxRecordBytes }: ScanLimits): void {
    const { bounds } = this
    const { bytes } = this.#window
    if (bytes !== this.#bytes) {
      this.#bytes = bytes
      this.#view = viewOf(bytes)
    }
    hasLoneSurrogate = false
    const view = this.#view
    const depth = Math.min(maxDepth, deepest)
    // A string ends after the data at the latest, and nothing continues from there: so nothing but what fails looks for
    // the end.
    bytes[end] = quote
    bytes[end + 1] = 0

    let found = bound
    let lastEnd = from
    let separator = -1
    let at = afterSpace(bytes, from)
    while (bytes[at] === openBrace && found < bounds.length) {
      const start = at
      at = recordEnd(bytes, view, start, depth)
      if (at < 0 || at - start > maxRecordBytes) break
      if (separator >= 0) bytes[separator] = lineFeed
      bounds[found] = start
      bounds[found + 1] = lastEnd = at
      found += 2

      if (isLines) at = nextLine(bytes, at)
      else {
        separator = bytes[at] === comma ? at : afterSpace(bytes, at)
        at = bytes[separator] === comma ? afterSpace(bytes, separator + 1) : ~separator
      }
      if (at < 0) break
    }
    if (at < 0) at = ~at
    this.bound = found
    this.lastEnd = lastEnd
    this.hasStopped = at < end
    this.isWellFormed = !hasLoneSurrogate
  }

  fields(): undefined {}
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length)
}

// These functions give the index where it continues, or, as a negative number, the complement of an index: of what is
// not known there, or one after the data where they end first.

/** One past the record that begins with the brace at `i`. Long because calls of it would cost more than what they
 *  do. */
function recordEnd(b: Buffer, view: DataView, i: number, maxDepth: number): number {
  let depth = 1
  let closer = closeBrace
  if (maxDepth < 1) return ~i
  i = inSpace(b, i + 1)
  if (b[i] === closeBrace) return i + 1

  member: for (;;) {
    if (closer === closeBrace) {
      if (b[i] !== quote) {
        i = inSpace(b, i)
        if (b[i] !== quote) return ~i
      }
      i = stringEnd(b, view, i + 1)
      if (i < 0) return i
      if (b[i] !== colon) {
        i = inSpace(b, i)
        if (b[i] !== colon) return ~i
      }
      i++
    }

    let byte = b[i]!
    if (byte <= space) {
      i = inSpace(b, i)
      byte = b[i]!
    }
    if (byte === quote) {
      i = stringEnd(b, view, i + 1)
      if (i < 0) return i
    } else if (byte === openBrace || byte === openBracket) {
      if (depth === maxDepth) return ~i
      closers[depth++] = closer
      closer = byte + 2
      i++
      if (b[i]! <= space) i = inSpace(b, i)
      if (b[i] !== closer) continue
    } else if (byte === 0x6e || byte === 0x74) {
      if (view.getInt32(i, true) !== (byte === 0x6e ? nullWord : trueWord)) return ~(i + 3)
      i += 4
    } else if (byte === 0x66) {
      if (view.getInt32(i + 1, true) !== alseWord) return ~(i + 4)
      i += 5
    } else {
      i = numberEnd(b, i)
      if (i < 0) return i
    }

    for (;;) {
      byte = b[i]!
      if (byte === comma) {
        i++
        continue member
      }
      if (byte === closer) {
        i++
        if (--depth === 0) return i
        closer = closers[depth]!
      } else {
        if (byte > space) return ~i
        const behind = inSpace(b, i)
        if (behind === i) return ~i
        i = behind
      }
    }
  }
}

/** After the string whose first character is at `i`. */
function stringEnd(b: Buffer, view: DataView, i: number): number {
  for (;;) {
    i = plainEnd(view, i)
    if (b[i] === quote) return i + 1
    i = escapeEnd(b, i)
    if (i < 0) return i
  }
}

/** At the next quote, backslash or control character. Four bytes at a time: `(x - 0x01…) & ~x & 0x80…` has the high bit
 *  of each byte of x that is zero, and of some above the lowest one; with 0x20… of each that is less than that. */
function plainEnd(view: DataView, i: number): number {
  for (;;) {
    const word = view.getInt32(i, true)
    const quotes = word ^ 0x22222222
    const backslashes = word ^ 0x5c5c5c5c
    const stops =
      (((quotes - 0x01010101) & ~quotes) |
        ((backslashes - 0x01010101) & ~backslashes) |
        ((word - 0x20202020) & ~word)) &
      0x80808080
    if (stops !== 0) return i + ((31 - Math.clz32(stops & -stops)) >> 3)
    i += 4
  }
}

/** After the escape sequence at `i`. */
function escapeEnd(b: Buffer, i: number): number {
  if (b[i] !== backslash) return ~i
  const letter = b[i + 1]!
  if (simpleEscapes[letter] === 1) return i + 2
  if (letter !== 0x75) return ~(i + 1)
  for (let at = i + 2; at < i + 6; at++) if (hexDigits[b[at]!] === 0) return ~at
  return (b[i + 2]! | 0x20) === 0x64 ? surrogateEnd(b, i) : i + 6
}

/** After the escape \ud... at `i`, of a surrogate pair after both. Apart from the one above, which has to stay small to
 *  be inlined. */
function surrogateEnd(b: Buffer, i: number): number {
  if (b[i + 3]! < 0x38) return i + 6
  // \ud8.. to \udf..: the first half and then the second
  const isPair = (b[i + 3]! | 0x20) < 0x63 && b[i + 6] === backslash && b[i + 7] === 0x75 && isSecondHalf(b, i + 8)
  if (!isPair) hasLoneSurrogate = true
  return isPair ? i + 12 : i + 6
}

/** Whether the four digits at `i` are those of the second half of a surrogate pair. */
function isSecondHalf(b: Buffer, i: number): boolean {
  if ((b[i]! | 0x20) !== 0x64 || (b[i + 1]! | 0x20) < 0x63) return false
  return hexDigits[b[i + 1]!] === 1 && hexDigits[b[i + 2]!] === 1 && hexDigits[b[i + 3]!] === 1
}

/** After the number at `i`. */
function numberEnd(b: Buffer, i: number): number {
  if (b[i] === 0x2d) i++
  if (b[i] === zero) i++
  else {
    i = digitsEnd(b, i)
    if (i < 0) return i
  }
  if (b[i] === 0x2e) {
    i = digitsEnd(b, i + 1)
    if (i < 0) return i
  }
  if (b[i] === 0x65 || b[i] === 0x45) {
    i++
    if (b[i] === 0x2b || b[i] === 0x2d) i++
    i = digitsEnd(b, i)
  }
  return i
}

/** After the digits at `i`, of which there must be one. */
function digitsEnd(b: Buffer, i: number): number {
  let at = i
  while (b[at]! >= zero && b[at]! <= nine) at++
  return at === i ? ~i : at
}

/** After white space inside of a record. Its line ends become spaces. */
function inSpace(b: Buffer, i: number): number {
  for (;;) {
    const byte = b[i]!
    if (byte === lineFeed || byte === carriageReturn) b[i] = space
    else if (byte !== space && byte !== tab) return i
    i++
  }
}

/** After white space between records. */
function afterSpace(b: Buffer, i: number): number {
  while (b[i] === space || b[i] === lineFeed || b[i] === carriageReturn || b[i] === tab) i++
  return i
}

/** After white space that holds a line feed. */
function nextLine(b: Buffer, i: number): number {
  const behind = afterSpace(b, i)
  for (let at = i; at < behind; at++) if (b[at] === lineFeed) return behind
  return ~behind
}
