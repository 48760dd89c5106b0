// The slicer over a library that turns JSON text into tokens: the records come from the tokens, the verdict from a plain check of the bytes that runs
// ahead of the library. Neither library can give the verdict. @streamparser/json's Tokenizer has no grammar (`1-2`, `[}` and `"a" "b"` are fine tokens
// to it), and stream-json tells that an escape or a literal is wrong, or cut, only when up to sixteen more characters have come: what it says would
// depend on where chunks end, and so would which of two faults is reported. Neither knows limits, strict UTF-8 or a page's layout.

import { KiB } from '../bytes/units.js'
import { DataError, type ExportError, printable } from '../errors.js'
import { RecordBatch } from '../record.js'
import {
  expectations,
  hexDigits,
  isWholeIn,
  literals,
  NumberState,
  numberAccepts,
  numberClass,
  numberNext,
  placeIn,
  State,
  simpleEscapes,
  stringStops,
} from './engine-js/tables.js'
import { excerptOf } from './excerpt.js'
import { kindOf, PageHead, truncated } from './framing.js'
import { LineWatch, lineIn } from './line-watch.js'
import type { PageFacts, Slicer, SlicerOptions } from './slicer.js'
import type { TokenSource } from './token-printer.js'
import { findInvalidUtf8, incompleteTail } from './utf8.js'

/** Most bytes that are checked and parsed in one step: a batch is what one step completes. */
const stepBytes = 64 * KiB

const isObject = 1
const isArray = 0

const byteOrderMark = [0xef, 0xbb, 0xbf]

/** Slices one page with the tokens of `source`, which is the page's own. Its batches own their bytes. */
export class TokenSlicer implements Slicer {
  readonly facts: PageFacts
  readonly #head: PageHead
  readonly #options: SlicerOptions
  readonly #source: TokenSource

  // The step's bytes: what the library has not had (0 to 3 bytes of a character that was cut), then the piece. Body offset of an index: #base + index.
  // 0 <= #fed <= every index where something begins or ends <= #bytes.length
  #bytes: Buffer = Buffer.alloc(0)
  #base = 0
  #fed = 0

  #state: number = State.Document
  #depth = 0
  /** Kind of the container at each depth, from 1. */
  readonly #kinds: Uint8Array
  #isKey = false
  #hexLeft = 0
  #numberState = 0
  #literal = 0
  #literalAt = 0
  #bomBytes = 0
  #sawLineFeed = false

  /** Depth of the container that directly holds the records; -1 outside of it. */
  #recordDepth = -1
  /** Whether members at depth 1 are those of an envelope, known or possible. */
  #isHead = false
  // Body offsets of what is open, -1 where nothing is: record, key at a depth that matters, envelope member's value, first top-level object.
  #recordStart = -1
  #keyStart = -1
  #memberStart = -1
  #firstStart = -1
  /** Where the first top-level object began. */
  #firstAt = 0
  #memberName = ''
  #isCaptured = false

  /** Text of the tokens since the last mark. */
  #text = ''
  /** Text of the first top-level object, while it may turn out to be the first record of NDJSON. */
  #firstText = ''
  #isFirstHeld = false
  /** The records that this step completed, as JSON texts. */
  #records: string[] = []
  /** Body offsets of these records. */
  #starts: number[] = []
  #pageKeys: string[] | undefined
  /** Looks for lines that are no records; null where all are. */
  readonly #watch: LineWatch | null
  /** Whether a line was an error: nothing after it counts. */
  #isOver = false
  unreadBytes = 0

  constructor(options: SlicerOptions, source: TokenSource) {
    this.#options = options
    this.#source = source
    this.#head = new PageHead(options)
    this.facts = this.#head.facts
    this.#kinds = new Uint8Array(options.maxDepth + 2)
    this.#base = options.startOffset ?? 0
    this.#watch = options.watchesLines ? new LineWatch() : null
    if (options.isNdjson) this.#beginLines()
  }

  *push(chunk: Uint8Array): Generator<RecordBatch, void, undefined> {
    for (let from = 0; from < chunk.length && !this.#isOver; from += stepBytes) {
      const piece = chunk.subarray(from, from + stepBytes)
      let failure: unknown
      try {
        this.#step(piece)
      } catch (error) {
        failure = error
      }
      this.facts.bytes += piece.length
      // a line that is an error came first, wherever the chunk ends
      const strange = this.#isLines || this.facts.framing === 'array' ? this.#strangeRecord() : -1
      if (failure !== undefined && strange < 0) throw failure
      if (strange >= 0) {
        const [line, offset] = [Buffer.from(this.#records[strange]!), this.#starts[strange]!]
        this.#records.length = strange
        if (strange > 0) yield this.#batch()
        this.#isOver = true
        this.#head.meetLine(lineIn(line, 0, line.length), offset)
      } else if (this.#records.length > 0) yield this.#batch()
      if (this.#state === State.Next) {
        this.facts.bytes -= this.unreadBytes
        this.unreadBytes += Math.max(0, chunk.length - from - stepBytes)
        return
      }
    }
  }

  end(): readonly RecordBatch[] {
    if (this.#isOver) return []
    if (!isWholeIn(this.#state, this.#recordDepth === 0, this.#bomBytes)) {
      const place = placeIn(this.#state, this.#recordStart >= 0, this.#recordDepth >= 0, this.facts.records)
      throw truncated(place, this.facts, this.#options)
    }
    this.#head.finish()
    return []
  }

  #step(piece: Uint8Array): void {
    const held = this.#bytes.subarray(this.#fed)
    this.#base += this.#fed
    this.#bytes =
      held.length > 0 ? Buffer.concat([held, piece]) : Buffer.from(piece.buffer, piece.byteOffset, piece.length)
    this.#fed = 0
    const wrong = findInvalidUtf8(this.#bytes, 0, this.#bytes.length)
    const read = this.#check(held.length, wrong)
    if (this.#state === State.Next) {
      this.unreadBytes = this.#bytes.length - read
      return
    }
    this.#checkOpenLength(wrong)
    if (wrong < this.#bytes.length) throw this.#invalidUtf8(wrong)
    this.#feed(this.#bytes.length - incompleteTail(this.#bytes, this.#fed, this.#bytes.length))
    this.#bytes = Buffer.from(this.#bytes.subarray(this.#fed)) // the caller's chunk is not kept
    this.#base += this.#fed
    this.#fed = 0
  }

  /** The check: consumes step bytes [i, end) by the grammar of RFC 8259, and marks what begins and ends. Returns where it has come to. */
  #check(from: number, end: number): number {
    const bytes = this.#bytes
    let i = from
    while (i < end) {
      const byte = bytes[i]!
      switch (this.#state) {
        case State.String:
          if (stringStops[byte] === 0) {
            do i++
            while (i < end && stringStops[bytes[i]!] === 0)
          } else if (byte === 0x22) this.#endString(++i)
          else if (byte === 0x5c) {
            this.#state = State.Escape
            i++
          } else throw this.#unexpected(i)
          break

        case State.Escape:
          if (simpleEscapes[byte] === 1) this.#state = State.String
          else if (byte === 0x75) {
            this.#hexLeft = 4
            this.#state = State.Hex
          } else throw this.#unexpected(i)
          i++
          break

        case State.Hex:
          if (hexDigits[byte] === 0) throw this.#unexpected(i)
          if (--this.#hexLeft === 0) this.#state = State.String
          i++
          break

        case State.Number: {
          const next = numberNext[this.#numberState * 8 + numberClass[byte]!]!
          if (next > 0) {
            this.#numberState = next
            i++
          } else if (numberAccepts[this.#numberState] === 0) throw this.#unexpected(i)
          else this.#state = State.After
          break
        }

        case State.Literal: {
          const text = literals[this.#literal]!
          if (byte !== text[this.#literalAt]) throw this.#unexpected(i)
          if (++this.#literalAt === text.length) this.#state = State.After
          i++
          break
        }

        case State.Value:
        case State.FirstElement:
          if (!isSpace(byte)) this.#beginValue(i, byte)
          i++
          break

        case State.FirstKey:
        case State.Key:
          if (byte === 0x22) {
            if (this.#isKeyNeeded()) {
              this.#feed(i)
              this.#text = ''
              this.#keyStart = this.#base + i
            }
            this.#isKey = true
            this.#state = State.String
          } else if (byte === 0x7d && this.#state === State.FirstKey) this.#close(i)
          else if (!isSpace(byte)) throw this.#unexpected(i)
          i++
          break

        case State.Colon:
          if (byte === 0x3a) this.#state = State.Value
          else if (!isSpace(byte)) throw this.#unexpected(i)
          i++
          break

        case State.After:
          if (byte === 0x2c) {
            if (this.#depth === 1 && this.#isHead) this.#endMember(i)
            this.#state = this.#kinds[this.#depth] === isObject ? State.Key : State.Value
          } else if (byte === (this.#kinds[this.#depth] === isObject ? 0x7d : 0x5d)) this.#close(i)
          else if (!isSpace(byte)) throw this.#unexpected(i)
          i++
          break

        default:
          this.#topLevel(i, byte)
          if (this.#state === State.Next) return i
          i++
      }
    }
    return i
  }

  /** A string has ended before `end`. */
  #endString(end: number): void {
    if (!this.#isKey) {
      this.#state = State.After
      if (this.#depth === this.#recordDepth) this.#endRecord(end) // a bare id: no other string stands among the records
      return
    }
    this.#state = State.Colon
    if (this.#keyStart < 0) return
    this.#checkOpenLength(end)
    this.#keyStart = -1
    const key = JSON.parse(this.#take(end)) as string
    if (this.#depth === 1 && this.#isHead) this.#memberName = key
    else (this.#pageKeys ??= []).push(key)
  }

  /** A value begins at `at`, or the list that has just been opened closes there. */
  #beginValue(at: number, byte: number): void {
    const isEnd = byte === 0x5d && this.#state === State.FirstElement
    if (this.#depth === this.#recordDepth) {
      if (!isEnd) this.#beginRecord(at, byte)
    } else if (this.#depth === 1 && this.#isHead) this.#beginMember(at, byte)
    if (isEnd) {
      this.#close(at)
      return
    }
    switch (kindOf(byte)) {
      case 'string':
        this.#isKey = false
        this.#state = State.String
        return
      case 'object':
      case 'array':
        if (this.#depth === this.#options.maxDepth) throw this.#tooDeep(at)
        this.#kinds[++this.#depth] = byte === 0x7b ? isObject : isArray
        this.#state = byte === 0x7b ? State.FirstKey : State.FirstElement
        return
      case 'number':
        this.#numberState = byte === 0x2d ? NumberState.Minus : byte === 0x30 ? NumberState.Zero : NumberState.Integer
        this.#state = State.Number
        return
      case 'boolean':
      case 'null':
        this.#literal = byte === 0x74 ? 0 : byte === 0x66 ? 1 : 2
        this.#literalAt = 1
        this.#state = State.Literal
        return
      default:
        throw this.#unexpected(at)
    }
  }

  /** The container at the current depth closes at `at`. */
  #close(at: number): void {
    if (this.#depth === this.#recordDepth) this.#recordDepth = -1
    else if (this.#depth === 1 && this.#isHead) this.#endMember(at)
    this.#depth--
    if (this.#depth === this.#recordDepth) this.#endRecord(at + 1)
    if (this.#depth > 0) this.#state = State.After
    else if (this.#recordDepth === 0) this.#state = State.BetweenLines
    else this.#endDocument(at + 1)
    if (this.#depth === 0) this.#sawLineFeed = false
  }

  /** One byte outside of all containers. */
  #topLevel(at: number, byte: number): void {
    const state = this.#state
    const { startOffset = 0, isSequence = false, isKeyed = false } = this.#options
    if (state === State.Document && (this.#bomBytes > 0 || (byte === 0xef && this.#base + at === startOffset))) {
      // RFC 8259 §8.1 lets a parser ignore a byte order mark at the start; stream-json's tokenizer does not
      if (byte !== byteOrderMark[this.#bomBytes]) throw this.#unexpected(at)
      this.#bomBytes = (this.#bomBytes + 1) % 3
      if (this.#bomBytes === 0) this.#fed = at + 1
      return
    }
    if (isSpace(byte)) {
      if (byte === 0x0a) this.#sawLineFeed = true
      return
    }
    const isLines = this.#isLines
    if (isSequence && (state === State.Done || state === State.AfterFirst) && (byte === 0x7b || byte === 0x5b)) {
      this.#state = State.Next
      return
    }
    if (isKeyed && state === State.Document && byte === 0x7b) {
      this.#head.decideKeyed()
      this.#pageKeys = []
      this.#recordDepth = this.#depth = 1
      this.#kinds[1] = isObject
      this.#state = State.FirstKey
      return
    }
    const mayBegin = state === State.Document || (state === State.BetweenLines && this.#sawLineFeed)
    if (byte === 0x7b && (mayBegin || (state === State.AfterFirst && this.#sawLineFeed))) {
      if (state === State.AfterFirst) {
        this.#beginLines()
        this.#records.push(withoutDivider(this.#firstText))
        this.#starts.push(this.#firstAt)
        this.#firstText = ''
      }
      if (this.#isLines) this.#beginRecord(at, byte)
      else {
        this.#isHead = true
        this.#feed(at)
        this.#isFirstHeld = true
        this.#firstStart = this.#firstAt = this.#base + at
      }
      this.#kinds[(this.#depth = 1)] = isObject
      this.#state = State.FirstKey
      return
    }
    if (state === State.Document && !isLines && byte === 0x5b) {
      this.#head.decideArray()
      this.#recordDepth = 1
      this.#kinds[(this.#depth = 1)] = isArray
      this.#state = State.FirstElement
      return
    }
    const kind = mayBegin ? kindOf(byte) : undefined
    if (kind === undefined) throw this.#unexpected(at)
    const offset = this.#base + at
    throw isLines ? this.#scalarRecord(at) : this.#head.scalarBody(kind, offset)
  }

  #beginLines(): void {
    this.#head.decideNdjson()
    this.#recordDepth = 0
    this.#isHead = false
  }

  /** The outermost container has ended before `end`. */
  #endDocument(end: number): void {
    this.#state = State.Done
    if (this.#isHead) this.#head.closeObject()
    if (this.#isHead && this.facts.framing === null) {
      this.#checkOpenLength(end)
      this.#feed(end)
      this.#state = State.AfterFirst
    }
    this.#firstStart = -1
    this.#isHead = this.#isFirstHeld = false
  }

  #beginMember(at: number, byte: number): void {
    const kind = kindOf(byte)
    if (kind === undefined) throw this.#unexpected(at)
    this.#checkOpenLength(at)
    const role = this.#head.memberStart(this.#memberName, kind, this.#base + at)
    if (role === 'records') {
      this.#firstStart = -1
      this.#isFirstHeld = false
      this.#firstText = ''
      this.#recordDepth = 2
      if (kind === 'object') this.#pageKeys = []
      return
    }
    this.#feed(at)
    this.#text = ''
    this.#isCaptured = role === 'capture'
    this.#memberStart = this.#base + at
  }

  /** The envelope member that is open, if one is, ends before `at`, where a comma or the closing brace of the envelope stands. */
  #endMember(at: number): void {
    const start = this.#memberStart
    if (start < 0) return // the records' own member, or an empty object
    this.#checkOpenLength(at)
    this.#memberStart = -1
    // A number is a token only once the byte behind it has come.
    const text = this.#take(at + 1)
    if (this.#isCaptured) {
      const isLast = this.#bytes[at] === 0x7d
      this.#head.memberEnd(this.#memberName, isLast ? text.slice(0, -1) : text, start)
    }
  }

  #beginRecord(at: number, byte: number): void {
    const isBareId = byte === 0x22 && this.#head.allowsBareIds
    if (byte !== 0x7b && !isBareId) throw this.#scalarRecord(at)
    this.#feed(at)
    this.#text = ''
    this.#recordStart = this.#base + at
  }

  #endRecord(end: number): void {
    this.#checkOpenLength(end)
    this.#starts.push(this.#recordStart)
    this.#recordStart = -1
    const text = this.#take(end)
    if (text.startsWith('{')) this.#records.push(text)
    else {
      this.#records.push(`{"id":${text}}`)
      this.facts.bareIds++
    }
  }

  /** Whether the key that begins now is a name in the envelope, or the server's key of a record. */
  #isKeyNeeded(): boolean {
    return (this.#depth === 1 && this.#isHead) || this.#depth === this.#recordDepth
  }

  /** Gives the library what it has not had of the bytes before `end`. */
  #feed(end: number): void {
    if (end <= this.#fed) return
    let text: string
    try {
      text = this.#source.read(this.#bytes.subarray(this.#fed, end))
    } catch (cause) {
      const message = `${this.#source.name} cannot read the body: ${printable((cause as Error).message)}`
      throw new DataError('ERR_JSON_SYNTAX', message, { ...this.#position(end), cause })
    }
    this.#fed = end
    this.#text += text
    if (this.#isFirstHeld) this.#firstText += text
  }

  /** Feeds what is before `end` and gives the text since the last mark as a text of its own. */
  #take(end: number): string {
    this.#feed(end)
    const text = withoutDivider(this.#text)
    this.#text = ''
    return text
  }

  get #isLines(): boolean {
    return this.#recordDepth === 0
  }

  /** Index of the first record of the step that is none, -1 where all are. */
  #strangeRecord(): number {
    if (this.#watch === null || this.#records.length === 0) return -1
    const { bytes, bounds } = linesOf(this.#records)
    return this.#watch.find(bytes, bounds, this.#records.length)
  }

  /** The records that the step completed, one a line. */
  #batch(): RecordBatch {
    const count = this.#records.length
    const { bytes, bounds } = linesOf(this.#records)
    this.#records = []
    this.#starts = []
    const firstRecordIndex = this.facts.records
    this.facts.records += count
    const pageKeys = this.#pageKeys?.splice(0, count)
    const { page } = this.#options
    return new RecordBatch({ bytes, bounds, count, page, firstRecordIndex, isLines: true, pageKeys })
  }

  /** Holds what is open to its limit: called where something ends, where an error ends all, and at the end of a step. */
  #checkOpenLength(end: number): void {
    const { maxRecordBytes, page } = this.#options
    const limit = this.#base + end - maxRecordBytes
    if (this.#recordStart >= 0 && this.#recordStart < limit) {
      const context = { page, recordIndex: this.#recordIndex(), byteOffset: this.#recordStart + maxRecordBytes }
      throw new DataError('ERR_RECORD_TOO_LARGE', `the record has more than ${maxRecordBytes} bytes`, context)
    }
    for (const start of [this.#firstStart, this.#memberStart, this.#keyStart]) {
      if (start < 0 || start >= limit) continue
      const message = `the page's envelope has a part of more than ${maxRecordBytes} bytes beside its records`
      throw new DataError('ERR_RECORD_TOO_LARGE', message, { page, byteOffset: start + maxRecordBytes })
    }
  }

  #tooDeep(at: number): DataError {
    this.#checkOpenLength(at)
    return new DataError('ERR_DEPTH', `nesting is deeper than ${this.#options.maxDepth} levels`, this.#position(at))
  }

  #unexpected(at: number): ExportError {
    this.#checkOpenLength(at)
    const byte = `0x${this.#bytes[at]!.toString(16).padStart(2, '0')}`
    const message = `found byte ${byte} where ${expectations[this.#state]} belongs`
    const data = excerptOf(this.#bytes, at)
    return new DataError('ERR_JSON_SYNTAX', message, { ...this.#position(at), data })
  }

  #invalidUtf8(at: number): ExportError {
    const byte = `0x${this.#bytes[at]!.toString(16).padStart(2, '0')}`
    const data = excerptOf(this.#bytes, at)
    return new DataError('ERR_UTF8', `byte ${byte} is not valid UTF-8 here`, { ...this.#position(at), data })
  }

  /** Something that is no object begins where a record should. */
  #scalarRecord(at: number): ExportError {
    const kind = kindOf(this.#bytes[at]!)
    if (kind === undefined) return this.#unexpected(at)
    const error = this.#head.scalarRecord(kind, this.#base + at)
    error.recordIndex = this.#recordIndex()
    return error
  }

  #position(at: number): { page: number; recordIndex: number | undefined; byteOffset: number } {
    const recordIndex = this.#recordDepth >= 0 ? this.#recordIndex() : undefined
    return { page: this.#options.page, recordIndex, byteOffset: this.#base + at }
  }

  /** Index in the page of the record that is open, or would be next. */
  #recordIndex(): number {
    return this.facts.records + this.#records.length
  }
}

/** The texts, one a line. */
function linesOf(texts: readonly string[]): { bytes: Buffer; bounds: Uint32Array } {
  const bytes = Buffer.from(`${texts.join('\n')}\n`)
  const bounds = new Uint32Array(2 * texts.length)
  let at = 0
  for (let i = 0; i < texts.length; i++) {
    bounds[2 * i] = at
    at = bytes.indexOf(0x0a, at)
    bounds[2 * i + 1] = at++
  }
  return { bytes, bounds }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

/** `text` without the comma or colon that divided it from what came before it. */
function withoutDivider(text: string): string {
  const first = text.charCodeAt(0)
  return first === 0x2c || first === 0x3a ? text.slice(1) : text
}
