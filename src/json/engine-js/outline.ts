// The outline of a page: what stands around its records. It is told of the few places that matter (a byte outside of
// all containers, a name and a value of the outermost object, the end of the document) and knows what they mean;
// `PageHead` decides what a name means.

import { kindOf, PageHead } from '../framing.js'
import type { PageFacts, SlicerOptions } from '../slicer.js'
import { Faults, type Standing } from './faults.js'
import { isWholeIn, placeIn, State } from './tables.js'
import type { BodyWindow } from './window.js'

const byteOrderMark = [0xef, 0xbb, 0xbf]

export class Outline implements Standing {
  readonly head: PageHead
  readonly facts: PageFacts
  readonly faults: Faults
  readonly #options: SlicerOptions
  readonly #body: BodyWindow

  recordDepth = -1
  /** Whether members at depth 1 are those of an envelope, known or possible. */
  isHead = false
  /** Whether a line feed was met since the last top-level value. */
  sawLineFeed = false
  /** The keys of the records that were not given yet, where records have keys. */
  pageKeys: string[] | undefined
  /** The first top-level object, while it may turn out to be the first record of NDJSON, and its body offset. */
  #firstRecord: Buffer | null = null
  #firstOffset = 0
  #memberName = ''
  #isCaptured = false
  #bomBytes = 0

  constructor(options: SlicerOptions, body: BodyWindow) {
    this.#options = options
    this.#body = body
    this.head = new PageHead(options)
    this.facts = this.head.facts
    this.faults = new Faults(options, body, this)
    if (options.isNdjson) this.#beginLines()
  }

  get isLines(): boolean {
    return this.recordDepth === 0
  }

  get recordIndex(): number {
    return this.facts.records + (this.firstRecord === null ? 0 : 1) + this.#body.bound / 2
  }

  /** The first record of NDJSON, which was met before it was known to be one; null where there is none to give. */
  get firstRecord(): { bytes: Buffer; byteOffset: number } | null {
    if (this.#firstRecord === null || !this.isLines) return null
    return { bytes: this.#firstRecord, byteOffset: this.#firstOffset }
  }

  giveFirstRecord(): void {
    this.#firstRecord = null
  }

  /** Whether the body may end in `state`. */
  isWholeIn(state: number): boolean {
    return isWholeIn(state, this.isLines, this.#bomBytes)
  }

  /** Inside what a body stands that was cut in `state`. */
  placeIn(state: number): string {
    return placeIn(state, this.#body.recordStart >= 0, this.recordDepth >= 0, this.facts.records)
  }

  /** One byte outside of all containers, at `at`. Returns the next state: where a container opens, the one in it. */
  topLevel(byte: number, at: number, state: number): number {
    const { startOffset = 0, isSequence = false } = this.#options
    const offset = this.#body.base + at
    if (state === State.Document && (this.#bomBytes > 0 || (byte === 0xef && offset === startOffset))) {
      // RFC 8259 §8.1 lets a parser ignore a byte order mark at the start
      if (byte !== byteOrderMark[this.#bomBytes]) throw this.faults.unexpected(at, state)
      this.#bomBytes = (this.#bomBytes + 1) % 3
      return state
    }
    if (byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d) {
      if (byte === 0x0a) this.sawLineFeed = true
      return state
    }
    if (isSequence && (state === State.Done || state === State.AfterFirst) && (byte === 0x7b || byte === 0x5b)) {
      return State.Next
    }
    if (state === State.Document && this.#options.isKeyed && byte === 0x7b) {
      this.head.decideKeyed()
      this.pageKeys = []
      this.recordDepth = 1
      return State.FirstKey
    }
    const mayBegin = state === State.Document || (state === State.BetweenLines && this.sawLineFeed)
    if (byte === 0x7b && (mayBegin || state === State.AfterFirst)) return this.#beginObject(at, state)
    if (state === State.Document && !this.isLines && byte === 0x5b) {
      this.head.decideArray()
      this.recordDepth = 1
      return State.FirstElement
    }
    const kind = mayBegin ? kindOf(byte) : undefined
    if (kind === undefined) throw this.faults.unexpected(at, state)
    if (this.isLines) this.scalarRecord(at, state)
    throw this.head.scalarBody(kind, offset)
  }

  /** An object begins at the top level: the document, or a line. */
  #beginObject(at: number, state: number): number {
    if (state === State.AfterFirst) {
      if (!this.sawLineFeed) throw this.faults.unexpected(at, state)
      this.#beginLines()
    }
    if (this.isLines) this.#body.recordStart = at
    else {
      this.isHead = true
      this.#body.firstStart = at
    }
    return State.FirstKey
  }

  #beginLines(): void {
    this.head.decideNdjson()
    this.recordDepth = 0
    this.isHead = false
  }

  /** The outermost container has ended before `end`. Returns the next state. */
  endDocument(end: number): number {
    const body = this.#body
    const isHead = this.isHead
    if (isHead) this.head.closeObject()
    const isFirst = isHead && this.facts.framing === null
    if (isFirst) {
      this.faults.checkOpenLength(end)
      this.#firstRecord = Buffer.from(body.window.bytes.subarray(body.firstStart, end))
      this.#firstOffset = body.base + body.firstStart
    }
    this.sawLineFeed = this.isHead = false
    body.firstStart = -1
    return isFirst ? State.AfterFirst : State.Done
  }

  /** A key at a depth that matters has ended before `end`: an envelope member's name, or the server's key of a
   *  record. */
  endKey(depth: number, end: number): void {
    const body = this.#body
    this.faults.checkOpenLength(end)
    const text = body.window.bytes.toString('utf8', body.keyStart, end)
    if (depth === 1 && this.isHead) this.#memberName = JSON.parse(text) as string
    else if (depth === this.recordDepth) (this.pageKeys ??= []).push(JSON.parse(text) as string)
    body.keyStart = -1
  }

  /** An envelope member's value begins at `at`. Returns true where the records are in it. */
  beginMember(at: number, state: number): boolean {
    const body = this.#body
    const kind = kindOf(body.window.bytes[at]!)
    if (kind === undefined) throw this.faults.unexpected(at, state)
    this.faults.checkOpenLength(at)
    const role = this.head.memberStart(this.#memberName, kind, body.base + at)
    if (role === 'records') {
      body.firstStart = -1
      this.recordDepth = 2
      if (kind === 'object') this.pageKeys = []
      return true
    }
    this.#isCaptured = role === 'capture'
    body.memberStart = at
    return false
  }

  /** The envelope member that is open, if one is, ends before `end`. */
  endMember(end: number): void {
    const body = this.#body
    const start = body.memberStart
    if (start < 0) return // the records' own member, or an empty object
    this.faults.checkOpenLength(end)
    body.memberStart = -1
    if (this.#isCaptured) {
      this.head.memberEnd(this.#memberName, body.window.bytes.toString('utf8', start, end), body.base + start)
    }
  }

  /** Something that is no object begins where a record should. Only Slack's bare ids may. */
  scalarRecord(at: number, state: number): void {
    const body = this.#body
    const kind = kindOf(body.window.bytes[at]!)
    if (kind === undefined) throw this.faults.unexpected(at, state)
    if (kind === 'string' && this.head.allowsBareIds) {
      body.recordStart = at
      return
    }
    const error = this.head.scalarRecord(kind, body.base + at)
    error.recordIndex = this.recordIndex // the head does not know those of this step
    throw error
  }
}
