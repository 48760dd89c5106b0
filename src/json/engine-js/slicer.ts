// The slicer: copies what arrives into the window, has it read, and gives the records as batches over the window. Runs
// of whole records are left to a scanner, which is faster than the state machine and knows less.

import { KiB } from '../../bytes/units.js'
import { RecordBatch, type RecordFields } from '../../record.js'
import { truncated } from '../framing.js'
import { LineWatch, lineIn } from '../line-watch.js'
import type { PageFacts, Slicer, SlicerOptions } from '../slicer.js'
import { findInvalidUtf8, incompleteTail } from '../utf8.js'
import { HalfWatch } from './half-watch.js'
import { Machine } from './machine.js'
import { Outline } from './outline.js'
import type { RecordScanner } from './scanner.js'
import { State } from './tables.js'
import { BodyWindow, stepBytes, type Window } from './window.js'

const bareIdStart = Buffer.from('{"id":')
const bareIdEnd = Buffer.from('}')
const lineFeed = Buffer.from('\n')

/** When a scanner is worth calling. */
export interface ScanPolicy {
  /** Fewer bytes than these are left to the machine. */
  minBytes: number
  /** What follows the last whole record is left to the next scan where it is at most this part of what was scanned: so
   *  each byte is scanned a bounded number of times. */
  maxRest: number
  /** Most records that the machine reads before it calls again a scanner that found nothing. */
  maxPause: number
}

const usualPolicy: ScanPolicy = { minBytes: 1 * KiB, maxRest: 0.5, maxPause: 64 }

/** Calls the scanner wherever it can be called: for tests of scanners. */
export const eagerPolicy: ScanPolicy = { minBytes: 1, maxRest: 1, maxPause: 1 }

export class SlicerJs implements Slicer {
  readonly facts: PageFacts
  readonly #options: SlicerOptions
  readonly #body: BodyWindow
  readonly #outline: Outline
  readonly #machine: Machine
  readonly #halves = new HalfWatch()
  readonly #scanner: RecordScanner | undefined
  readonly #policy: ScanPolicy
  /** Records that the machine still reads before it calls the scanner, and how many it reads after a scan that finds
   *  nothing. */
  #pause = 0
  #nextPause = 1
  /** The end of the bounds where the batch in hand is from one scan alone. */
  #scanned = 0
  /** Looks for lines that are no records; null where all are. */
  readonly #watch: LineWatch | null
  /** Whether a line was an error: nothing after it counts. */
  #isOver = false
  unreadBytes = 0

  constructor(options: SlicerOptions, window: Window, scanner?: RecordScanner, policy = usualPolicy) {
    this.#options = options
    this.#scanner = scanner
    this.#policy = policy
    window.shrink()
    this.#body = new BodyWindow(window, scanner?.bounds ?? new Uint32Array(512), options)
    this.#outline = new Outline(options, this.#body)
    this.#machine = new Machine(options, this.#body, this.#outline, this.#halves)
    this.facts = this.#outline.facts
    this.#watch = options.watchesLines ? new LineWatch() : null
  }

  *push(chunk: Uint8Array): Generator<RecordBatch, void, undefined> {
    const body = this.#body
    for (let from = 0; from < chunk.length && !this.#isOver; ) {
      const length = Math.min(chunk.length - from, stepBytes)
      body.add(from === 0 && length === chunk.length ? chunk : chunk.subarray(from, from + length))
      if (this.#scanner) body.bounds = this.#scanner.bounds // others, where the window has grown
      from += length
      try {
        this.#step()
      } catch (error) {
        // a line that is an error came first, wherever the chunk ends
        if (!this.#holdsStrangeLine()) throw error
      }
      this.facts.bytes += length
      yield* this.#batches()
      if (this.#machine.state === State.Next) {
        const unread = body.fill - body.at
        this.facts.bytes -= unread
        this.unreadBytes = unread + chunk.length - from
        return
      }
    }
  }

  end(): readonly RecordBatch[] {
    if (this.#isOver) return []
    const { fill } = this.#body
    this.#machine.scan(fill) // the beginning of a record, where one was left to the next step
    const { state } = this.#machine
    this.#outline.faults.checkOpenLength(fill)
    if (!this.#outline.isWholeIn(state)) throw truncated(this.#outline.placeIn(state), this.facts, this.#options)
    this.#outline.head.finish()
    return []
  }

  /** Reads what has arrived. */
  #step(): void {
    const body = this.#body
    const { faults } = this.#outline
    const { bytes } = body.window
    const wrong = findInvalidUtf8(bytes, body.checked, body.fill)
    if (wrong < body.fill) {
      const saved = bytes[wrong]!
      this.#machine.scan(wrong) // a wrong byte of the grammar before it comes first
      bytes[wrong] = saved
      if (this.#machine.state === State.Next) return // they are of the next document
      throw faults.invalidUtf8(wrong)
    }
    body.checked = body.fill - incompleteTail(bytes, body.checked, body.fill)
    if (this.#scanner === undefined) this.#machine.scan(body.fill)
    else this.#scanRuns(this.#scanner, body.fill)
    if (this.#machine.state !== State.Next) faults.checkOpenLength(body.fill)
  }

  /** Reads window bytes up to `end`, runs of whole records by the scanner. May leave the beginning of a record to the
   *  next step. */
  #scanRuns(scanner: RecordScanner, end: number): void {
    const body = this.#body
    const machine = this.#machine
    const { minBytes, maxRest } = this.#policy
    while (body.at < end && machine.state !== State.Next) {
      const from = body.at
      if (end - from < minBytes || !this.#isBetweenRecords(scanner) || this.#pause-- > 0) {
        machine.scan(end, true)
        continue
      }
      this.#scanRun(scanner, end)
      const rest = end - body.at
      if (
        !scanner.hasStopped &&
        this.#isBetweenRecords(scanner) &&
        rest <= maxRest * (end - from) &&
        rest <= this.#options.maxRecordBytes
      )
        return
      // a record that is not whole yet, or that the scanner left to us
      machine.scan(end, true)
    }
  }

  /** Has the scanner find records, and the machine read the separator after the last of them. */
  #scanRun(scanner: RecordScanner, end: number): void {
    const body = this.#body
    const outline = this.#outline
    const { maxRecordBytes, withFields = false } = this.#options
    const { isLines } = outline
    const maxDepth = this.#options.maxDepth - outline.recordDepth
    scanner.scan(body.at, end, body.bound, { isLines, maxDepth, maxRecordBytes, withFields })
    // even a scan that finds nothing takes the place of the members that the one before noted
    this.#scanned = body.bound === 0 ? scanner.bound : 0
    if (scanner.bound === body.bound) {
      this.#pause = this.#nextPause
      this.#nextPause = Math.min(2 * this.#nextPause, this.#policy.maxPause)
      return
    }
    if (!scanner.isWellFormed) this.#halves.isSuspect = true
    body.bound = scanner.bound
    body.at = scanner.lastEnd
    this.#machine.state = isLines ? State.BetweenLines : State.After
    outline.sawLineFeed = false
    this.#nextPause = 1
    // the separator, which makes the byte after the last record ours
    this.#machine.scan(end, true)
  }

  /** Whether a scanner can continue from here: before an element of the list of records, or at the start of a line. */
  #isBetweenRecords(scanner: RecordScanner): boolean {
    if (this.#body.bounds !== scanner.bounds) return false
    const { recordDepth, sawLineFeed, pageKeys } = this.#outline
    const { state, depth } = this.#machine
    if (recordDepth === 0) return state === State.Document || (state === State.BetweenLines && sawLineFeed)
    if (depth !== recordDepth || pageKeys !== undefined) return false
    return state === State.Value || state === State.FirstElement
  }

  /** The records that the last step completed. */
  *#batches(): Generator<RecordBatch, void, undefined> {
    const body = this.#body
    const { bytes } = body.window
    const first = this.#outline.firstRecord
    if (first !== null) {
      const line = Buffer.concat([first.bytes, lineFeed])
      this.#outline.giveFirstRecord()
      const bounds = Uint32Array.of(0, line.length - 1)
      if (this.#strangeLine(line, bounds, 1) === 0) {
        this.#meetLine(first.bytes, first.byteOffset)
        return
      }
      yield this.#batch({ bytes: line, bounds, count: 1, byteOffset: first.byteOffset })
    }
    const found = body.bound / 2
    if (found === 0) return
    const { bounds, base } = body
    const strange = this.#standAlone ? this.#strangeLine(bytes, bounds, found) : -1
    const count = strange < 0 ? found : strange
    const isOfOneScan = this.#scanned === 2 * count
    body.bound = this.#scanned = 0
    const isWellFormed = this.#halves.takeVerdict()
    if (strange >= 0) {
      // first, since a batch writes a line feed after its last record
      const line = Buffer.from(bytes.subarray(bounds[2 * count]!, bounds[2 * count + 1]!))
      const offset = base + bounds[2 * count]!
      if (count > 0) yield this.#batch({ bytes, bounds, count, byteOffset: base, isWellFormed })
      this.#meetLine(line, offset)
      return
    }
    if (this.#machine.hasBareIds) yield this.#wrapBareIds(count, isWellFormed)
    else {
      const fields = isOfOneScan ? this.#scanner?.fields() : undefined
      yield this.#batch({ bytes, bounds, count, byteOffset: base, isWellFormed, fields })
    }
    if (this.#scanner) body.bounds = this.#scanner.bounds
  }

  /** Index of the first line that is no record, -1 where all are. */
  #strangeLine(bytes: Buffer, bounds: Uint32Array, count: number): number {
    return this.#watch === null ? -1 : this.#watch.find(bytes, bounds, count)
  }

  /** Whether nothing around the records says that they are such: lines, and the elements of an array. */
  get #standAlone(): boolean {
    return this.#outline.isLines || this.facts.framing === 'array'
  }

  /** Whether one of the lines that were completed before an error is no record. */
  #holdsStrangeLine(): boolean {
    if (!this.#standAlone) return false
    const first = this.#outline.firstRecord?.bytes
    if (first !== undefined && this.#strangeLine(first, Uint32Array.of(0, first.length), 1) === 0) return true
    const { window, bounds, bound } = this.#body
    return this.#strangeLine(window.bytes, bounds, bound / 2) >= 0
  }

  /** A line that is no record: an error ends the body. @throws DataError where it is a page */
  #meetLine(line: Buffer, byteOffset: number): void {
    this.#isOver = true
    this.#outline.head.meetLine(lineIn(line, 0, line.length), byteOffset)
  }

  /** Copies the last step's records, each bare id as `{"id":…}`. */
  #wrapBareIds(count: number, isWellFormed: boolean): RecordBatch {
    const { window, bounds: found } = this.#body
    const parts: Buffer[] = []
    const bounds = new Uint32Array(2 * count)
    let length = 0
    for (let i = 0; i < count; i++) {
      const slice = window.bytes.subarray(found[2 * i]!, found[2 * i + 1]!)
      const isBare = slice[0] === 0x22
      if (isBare) this.facts.bareIds++
      const record = isBare ? Buffer.concat([bareIdStart, slice, bareIdEnd]) : slice
      bounds[2 * i] = length
      length += record.length
      bounds[2 * i + 1] = length++
      parts.push(record, lineFeed)
    }
    this.#machine.hasBareIds = false
    return this.#batch({ bytes: Buffer.concat(parts), bounds, count, isWellFormed })
  }

  #batch(init: Found): RecordBatch {
    const { bytes, bounds, count } = init
    const { facts } = this
    const firstRecordIndex = facts.records
    facts.records += count
    const isLines = areLines(bounds, count)
    // What follows the last record has been consumed, or is the slack after the data.
    if (isLines) bytes[bounds[2 * count - 1]!] = 0x0a
    const { page } = this.#options
    return new RecordBatch({ ...init, page, firstRecordIndex, isLines, pageKeys: this.#takeKeys(count) })
  }

  #takeKeys(count: number): readonly string[] | undefined {
    const { pageKeys } = this.#outline
    if (pageKeys === undefined) return undefined
    // those of a record that is open stay
    this.#outline.pageKeys = pageKeys.length > count ? pageKeys.splice(count) : []
    return pageKeys
  }
}

/** Records of one batch, as they were found. */
interface Found {
  readonly bytes: Buffer
  readonly bounds: Uint32Array
  readonly count: number
  readonly byteOffset?: number
  readonly isWellFormed?: boolean
  readonly fields?: RecordFields | undefined
}

/** Whether exactly one byte is between two records each. */
function areLines(bounds: Uint32Array, count: number): boolean {
  for (let i = 1; i < 2 * count - 1; i += 2) if (bounds[i + 1] !== bounds[i]! + 1) return false
  return true
}
