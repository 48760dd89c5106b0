// The slicer in plain TypeScript: one state machine over bytes in one window. It can stop and resume at every byte, validates the full grammar of
// RFC 8259 and strict UTF-8, and finds the bounds of the records on the way. It is three times as fast as JSON.parse per record, which is why the loop is
// long, keeps its state in locals and has no calls on its common paths. Runs of whole records it leaves to a scanner, which is faster and knows less.
//
// The window is a Buffer that chunks are copied into, for two reasons: a record may lie across chunks, and separators and line feeds are rewritten in
// place, so that a run of records is NDJSON as it stands.

import { KiB, MiB } from '../../bytes/units.js'
import { DataError, type ErrorContext, type ExportError } from '../../errors.js'
import { RecordBatch, type RecordFields } from '../../record.js'
import { excerptOf, reachBytes } from '../excerpt.js'
import { kindOf, PageHead, truncated } from '../framing.js'
import { LineWatch, lineIn } from '../line-watch.js'
import type { PageFacts, Slicer, SlicerOptions } from '../slicer.js'
import { findInvalidUtf8, incompleteTail } from '../utf8.js'
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
} from './tables.js'

export const windowBytes = MiB
/** Most bytes that are copied in and scanned in one step: a batch is what one step completes. */
const stepBytes = 512 * KiB
/** Room behind the data for the sentinel and for the line feed of the last record. */
export const slackBytes = 16

const bareIdStart = Buffer.from('{"id":')
const bareIdEnd = Buffer.from('}')
const lineFeed = Buffer.from('\n')

const isObject = 1
const isArray = 0

/** What an escape is of a surrogate pair: \ud8.. to \udb.. is the first half, \udc.. to \udf.. the second. */
const Half = { None: 0, Possible: 1, First: 2, Second: 3 } as const
/** Bytes of \ud800. */
const escapeBytes = 6

/** A window that the slicers of one export use one after the other: it is allocated once, and grows only for a record that needs it. */
export interface Window {
  /** Longer than the capacity: what follows the data is written over. */
  readonly bytes: Buffer
  readonly capacity: number
  /** Makes the window larger; its bytes [from, to) come to its start. */
  grow(capacity: number, from: number, to: number): void
  /** Gives back what an outsized record needed. The bytes are lost. */
  shrink(): void
}

/** A window in memory of its own. */
export class HeapWindow implements Window {
  bytes = Buffer.allocUnsafeSlow(windowBytes + slackBytes)

  get capacity(): number {
    return this.bytes.length - slackBytes
  }

  grow(capacity: number, from: number, to: number): void {
    const { bytes } = this
    this.bytes = Buffer.allocUnsafeSlow(capacity + slackBytes)
    this.bytes.set(bytes.subarray(from, to))
  }

  shrink(): void {
    if (this.capacity > windowBytes) this.bytes = Buffer.allocUnsafeSlow(windowBytes + slackBytes)
  }
}

/** Finds whole records faster than the state machine does. It begins between two records, may stop between any two, and the machine goes on from there: so
 *  whatever is rare or wrong has one place where it is understood. */
export interface RecordScanner {
  /** Where it puts the bounds of records, as the machine does. Another array after the window has grown. */
  readonly bounds: Uint32Array<ArrayBuffer>
  /** Finds records in window bytes [from, end) and appends their bounds from index `bound` on. Afterwards the bytes between two of them are as `RecordBatch`
   *  wants them, and all bytes from `lastEnd` to `end` are what they were, but for line ends outside strings, which may be spaces. */
  scan(from: number, end: number, bound: number, limits: ScanLimits): void
  /** Index behind the last bound, as the last scan left it. */
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

/** When a scanner is worth calling. */
export interface ScanPolicy {
  /** Fewer bytes than these are left to the machine. */
  minBytes: number
  /** What follows the last whole record is left to the next scan where it is at most this part of what was scanned: so each byte is scanned a bounded number
   *  of times. */
  maxRest: number
  /** Most records that the machine reads before it calls again a scanner that found nothing. */
  maxPause: number
}

const usualPolicy: ScanPolicy = { minBytes: 1 * KiB, maxRest: 0.5, maxPause: 64 }

/** Calls the scanner wherever it can be called: for tests of scanners. */
export const eagerPolicy: ScanPolicy = { minBytes: 1, maxRest: 1, maxPause: 1 }

export class SlicerJs implements Slicer {
  readonly facts: PageFacts
  readonly #head: PageHead
  readonly #options: SlicerOptions
  readonly #window: Window

  // 0 <= keep <= #at <= #fill <= window.capacity. Body offset of a window index: #base + index.
  #base = 0
  #at = 0
  #fill = 0
  /** Window index up to which UTF-8 has been checked; at most 3 bytes before #fill. */
  #checked = 0

  #state: number = State.Document
  #depth = 0
  /** Kind of the container at each depth, from 1; index 0 stands for the top level, which behaves as an array. */
  readonly #kinds: Uint8Array
  #isKey = false
  #hexLeft = 0
  #numberState = 0
  #literal = 0
  #literalAt = 0
  #bomBytes = 0

  /** Depth of the container that directly holds the records; -1 outside of it. */
  #recordDepth = -1
  /** Window index of the open record, of the open key, of the open envelope member's value and of the first top-level object; -1 where none is. */
  #recordStart = -1
  #keyStart = -1
  #memberStart = -1
  #firstStart = -1
  #memberName = ''
  #isCaptured = false
  /** Whether members at depth 1 are those of an envelope, known or possible. */
  #isHead = false
  /** The first top-level object, while it may turn out to be the first record of NDJSON. */
  #firstRecord: Buffer | null = null
  #firstRecordOffset = 0
  #sawLineFeed = false

  readonly #scanner: RecordScanner | undefined
  readonly #policy: ScanPolicy
  /** Records that the machine still reads before it calls the scanner, and how many it reads after a scan that finds nothing. */
  #pause = 0
  #nextPause = 1
  /** Value of `#bound` where the batch in hand is from one scan alone. */
  #scanned = 0
  #bounds: Uint32Array<ArrayBuffer>
  #bound = 0
  #pageKeys: string[] | undefined
  #hasBareIds = false
  /** Looks for lines that are no records; null where all are. */
  readonly #watch: LineWatch | null
  /** Whether a line was an error: nothing after it counts. */
  #isOver = false
  unreadBytes = 0
  /** Whether records of the batch in hand have half of a surrogate pair, and whether the one that is open has, as far as it is known. */
  #isSuspect = false
  #isOpenSuspect = false
  /** What the escape in hand is by its first two digits. */
  #half: number = Half.None
  /** Body offset after a first half, which makes the open record suspect until its second half comes; and whether it was before. */
  #pairAt = -1
  #wasSuspect = false

  constructor(options: SlicerOptions, window: Window, scanner?: RecordScanner, policy = usualPolicy) {
    this.#options = options
    this.#window = window
    this.#scanner = scanner
    this.#policy = policy
    window.shrink()
    this.#bounds = scanner?.bounds ?? new Uint32Array(512)
    this.#head = new PageHead(options)
    this.facts = this.#head.facts
    this.#kinds = new Uint8Array(options.maxDepth + 2)
    this.#base = options.startOffset ?? 0
    this.#watch = options.watchesLines ? new LineWatch() : null
    if (options.isNdjson) this.#beginLines()
  }

  *push(chunk: Uint8Array): Generator<RecordBatch, void, undefined> {
    for (let from = 0; from < chunk.length && !this.#isOver; ) {
      const length = Math.min(chunk.length - from, stepBytes)
      this.#makeRoom(length)
      this.#window.bytes.set(
        from === 0 && length === chunk.length ? chunk : chunk.subarray(from, from + length),
        this.#fill,
      )
      this.#fill += length
      from += length
      try {
        this.#step()
      } catch (error) {
        // a line that is an error came first, wherever the chunk ends
        if (!this.#holdsStrangeLine()) throw error
      }
      this.facts.bytes += length
      yield* this.#batches()
      if (this.#state === State.Next) {
        const unread = this.#fill - this.#at
        this.facts.bytes -= unread
        this.unreadBytes = unread + chunk.length - from
        return
      }
    }
  }

  end(): readonly RecordBatch[] {
    if (this.#isOver) return []
    this.#scan(this.#fill) // the beginning of a record, where one was left to the next step
    this.#checkOpenLength(this.#fill)
    if (!isWholeIn(this.#state, this.#recordDepth === 0, this.#bomBytes)) {
      const place = placeIn(this.#state, this.#recordStart >= 0, this.#recordDepth >= 0, this.facts.records)
      throw truncated(place, this.facts, this.#options)
    }
    this.#head.finish()
    return []
  }

  /** Moves the unfinished part to the window's start where the next step does not fit, and grows the window where that is not enough. */
  #makeRoom(length: number): void {
    const window = this.#window
    if (this.#fill + length <= window.capacity) return
    let keep = Math.min(this.#at, this.#checked)
    for (const start of [this.#recordStart, this.#keyStart, this.#memberStart, this.#firstStart]) {
      if (start >= 0 && start < keep) keep = start
    }
    const kept = this.#fill - keep
    // What is kept is moved at most about once at each capacity, and the capacity doubles: copying stays linear in a record's size.
    if (kept + length > window.capacity) {
      let capacity = window.capacity
      while (kept + length > capacity) capacity *= 2
      // nothing that is kept is longer than a record may be, so the last doubling stops there
      capacity = Math.min(capacity, Math.max(windowBytes, this.#options.maxRecordBytes + 2 * stepBytes))
      window.grow(capacity, keep, this.#fill)
      if (this.#scanner) this.#bounds = this.#scanner.bounds
    } else window.bytes.copyWithin(0, keep, this.#fill)
    this.#base += keep
    this.#at -= keep
    this.#fill -= keep
    this.#checked -= keep
    if (this.#recordStart >= 0) this.#recordStart -= keep
    if (this.#keyStart >= 0) this.#keyStart -= keep
    if (this.#memberStart >= 0) this.#memberStart -= keep
    if (this.#firstStart >= 0) this.#firstStart -= keep
  }

  /** Scans what has arrived. */
  #step(): void {
    const { bytes } = this.#window
    const wrong = findInvalidUtf8(bytes, this.#checked, this.#fill)
    if (wrong < this.#fill) {
      const saved = bytes[wrong]!
      this.#scan(wrong) // a wrong byte of the grammar before it comes first
      bytes[wrong] = saved
      if (this.#state === State.Next) return // they are of the next document
      throw this.#invalidUtf8(wrong)
    }
    this.#checked = this.#fill - incompleteTail(bytes, this.#checked, this.#fill)
    if (this.#scanner === undefined) this.#scan(this.#fill)
    else this.#scanRuns(this.#scanner, this.#fill)
    if (this.#state !== State.Next) this.#checkOpenLength(this.#fill)
  }

  /** As `#scan`, with runs of whole records found by the scanner. May leave the beginning of a record to the next step. */
  #scanRuns(scanner: RecordScanner, end: number): void {
    const { minBytes, maxRest, maxPause } = this.#policy
    const { maxRecordBytes, withFields = false } = this.#options
    while (this.#at < end && this.#state !== State.Next) {
      const from = this.#at
      if (end - from < minBytes || !this.#isBetweenRecords(scanner) || this.#pause-- > 0) {
        this.#scan(end, true)
        continue
      }
      const isLines = this.#recordDepth === 0
      const maxDepth = this.#options.maxDepth - this.#recordDepth
      scanner.scan(from, end, this.#bound, { isLines, maxDepth, maxRecordBytes, withFields })
      // even a scan that finds nothing takes the place of the members that the one before noted
      this.#scanned = this.#bound === 0 ? scanner.bound : 0
      if (scanner.bound > this.#bound) {
        if (!scanner.isWellFormed) this.#isSuspect = true
        this.#bound = scanner.bound
        this.#at = scanner.lastEnd
        this.#state = isLines ? State.BetweenLines : State.After
        this.#sawLineFeed = false
        this.#nextPause = 1
        // the separator, which makes the byte behind the last record ours
        this.#scan(end, true)
      } else {
        this.#pause = this.#nextPause
        this.#nextPause = Math.min(2 * this.#nextPause, maxPause)
      }
      const rest = end - this.#at
      if (
        !scanner.hasStopped &&
        this.#isBetweenRecords(scanner) &&
        rest <= maxRest * (end - from) &&
        rest <= maxRecordBytes
      )
        return
      // a record that is not whole yet, or that the scanner left to us
      this.#scan(end, true)
    }
  }

  /** Whether a scanner can go on from here: before an element of the list of records, or at the start of a line. */
  #isBetweenRecords(scanner: RecordScanner): boolean {
    if (this.#bounds !== scanner.bounds) return false
    const state = this.#state
    if (this.#recordDepth === 0) return state === State.Document || (state === State.BetweenLines && this.#sawLineFeed)
    if (this.#depth !== this.#recordDepth || this.#pageKeys !== undefined) return false
    return state === State.Value || state === State.FirstElement
  }

  /** The state machine: consumes window bytes [#at, end), or less where it `pauses` before a record. */
  #scan(end: number, pauses = false): void {
    if (this.#state === State.Next) return
    const b = this.#window.bytes
    const kinds = this.#kinds
    const maxDepth = this.#options.maxDepth
    const stops = stringStops
    let i = this.#at
    let state = this.#state
    let depth = this.#depth
    let isKey = this.#isKey
    let recordDepth = this.#recordDepth
    // At this depth and above it no record and no envelope is concerned, so the common paths need not look.
    let plainDepth = recordDepth >= 0 ? recordDepth : this.#isHead ? 1 : 0
    let bounds = this.#bounds
    let bound = this.#bound
    const maxRecordBytes = this.#options.maxRecordBytes
    // A quote behind the data ends every run of string characters, so that the run needs no test for the end.
    b[end] = 0x22

    scanning: while (true) {
      switch (state) {
        case State.String: {
          for (;;) {
            while (stops[b[i]!] === 0) {
              if (stops[b[i + 1]!] !== 0) {
                i += 1
                break
              }
              if (stops[b[i + 2]!] !== 0) {
                i += 2
                break
              }
              if (stops[b[i + 3]!] !== 0) {
                i += 3
                break
              }
              if (stops[b[i + 4]!] !== 0) {
                i += 4
                break
              }
              if (stops[b[i + 5]!] !== 0) {
                i += 5
                break
              }
              if (stops[b[i + 6]!] !== 0) {
                i += 6
                break
              }
              if (stops[b[i + 7]!] !== 0) {
                i += 7
                break
              }
              i += 8
            }
            if (i >= end) {
              i = end
              break scanning
            }
            const byte = b[i]!
            if (byte === 0x22) break
            if (byte === 0x5c) {
              const next = b[i + 1]!
              if (i + 1 >= end) {
                i++
                state = State.Escape
                break scanning
              }
              if (simpleEscapes[next] === 1) {
                i += 2
                continue
              }
              i++
              state = State.Escape
              continue scanning
            }
            throw this.#unexpected(i, state)
          }
          // b[i] is the closing quote
          i++
          if (isKey) {
            if (b[i] === 0x3a && depth > plainDepth) {
              i++
              state = State.Value
              if (b[i] === 0x22 && i < end) {
                i++
                isKey = false
                state = State.String
              }
            } else {
              if (depth <= plainDepth) this.#endKey(depth, i)
              state = State.Colon
            }
          } else if (b[i] === 0x2c && depth > plainDepth) {
            i++
            if (kinds[depth] === isObject) {
              if (b[i] === 0x22 && i < end) {
                i++
                isKey = true
                state = State.String
              } else state = State.Key
            } else state = State.Value
          } else {
            if (depth === recordDepth) {
              // a bare id: no other string can end at this depth
              this.#checkOpenLength(i)
              this.#hasBareIds = true
              if (bound + 2 > bounds.length) bounds = this.#growBounds()
              bounds[bound] = this.#recordStart
              bounds[bound + 1] = i
              bound = this.#bound = bound + 2
              this.#recordStart = -1
              this.#takeSuspicion()
            }
            state = State.After
          }
          continue scanning
        }

        case State.Escape: {
          if (i >= end) break scanning
          const byte = b[i]!
          if (simpleEscapes[byte] === 1) state = State.String
          else if (byte === 0x75) {
            this.#hexLeft = 4
            state = State.Hex
          } else throw this.#unexpected(i, state)
          i++
          continue scanning
        }

        case State.Hex: {
          let left = this.#hexLeft
          while (left > 0 && i < end) {
            if (hexDigits[b[i]!] === 0) throw this.#unexpected(i, state)
            if (left > 2) this.#noteDigit(left, b[i]!)
            i++
            left--
          }
          this.#hexLeft = left
          if (left > 0) break scanning
          if (this.#half !== Half.None) this.#takeHalf(this.#base + i)
          state = State.String
          continue scanning
        }

        case State.After: {
          let byte = b[i]!
          while (byte <= 0x20 && i < end) {
            if (byte === 0x0a || byte === 0x0d) b[i] = 0x20
            else if (byte !== 0x20 && byte !== 0x09) throw this.#unexpected(i, state)
            byte = b[++i]!
          }
          if (i >= end) break scanning
          if (byte === 0x2c) {
            if (depth <= plainDepth) {
              if (depth === recordDepth) {
                b[i] = 0x0a
                if (pauses && kinds[depth] === isArray) {
                  i++
                  state = State.Value
                  break scanning
                }
              } else if (depth === 1 && this.#isHead) this.#endMember(i)
            }
            i++
            if (kinds[depth] === isObject) {
              if (b[i] === 0x22 && i < end) {
                if (depth <= plainDepth) this.#keyStart = i
                i++
                isKey = true
                state = State.String
              } else state = State.Key
            } else state = State.Value
            continue scanning
          }
          const kind = byte === 0x7d ? isObject : byte === 0x5d ? isArray : -1
          if (kind !== kinds[depth]) throw this.#unexpected(i, state)
          state = State.Close
          continue scanning
        }

        // The container at `depth` closes at i.
        case State.Close: {
          if (depth <= plainDepth) {
            if (depth === recordDepth) {
              // the list of records ends
              recordDepth = this.#recordDepth = -1
              plainDepth = this.#isHead ? 1 : 0
            } else if (depth === 1 && this.#isHead) this.#endMember(i)
          }
          depth--
          i++
          if (depth === recordDepth) {
            const start = this.#recordStart
            if (i - start > maxRecordBytes) throw this.#recordTooLarge(start)
            if (bound + 2 > bounds.length) bounds = this.#growBounds()
            bounds[bound] = start
            bounds[bound + 1] = i
            bound = this.#bound = bound + 2
            this.#recordStart = -1
            if (this.#isOpenSuspect) this.#takeSuspicion()
            if (depth === 0) {
              state = State.BetweenLines
              this.#sawLineFeed = false
              continue scanning
            }
          }
          if (depth === 0) {
            state = this.#endDocument(i)
            continue scanning
          }
          state = State.After
          continue scanning
        }

        case State.Value:
        case State.FirstElement: {
          let byte = b[i]!
          while (byte <= 0x20 && i < end) {
            if (byte === 0x0a || byte === 0x0d) b[i] = 0x20
            else if (byte !== 0x20 && byte !== 0x09) throw this.#unexpected(i, state)
            byte = b[++i]!
          }
          if (i >= end) break scanning
          if (depth <= plainDepth) {
            if (depth === recordDepth) {
              if (byte === 0x7b) this.#recordStart = i
              else if (!(byte === 0x5d && state === State.FirstElement)) this.#scalarRecord(i, state)
            } else if (depth === 1 && this.#isHead) {
              this.#depth = depth
              if (this.#beginMember(i, state)) {
                recordDepth = 2
                plainDepth = 2
              }
            }
          }
          if (byte === 0x22) {
            i++
            isKey = false
            state = State.String
          } else if (byte === 0x7b || byte === 0x5b) {
            if (++depth > maxDepth) throw this.#tooDeep(i)
            i++
            if (byte === 0x7b) {
              kinds[depth] = isObject
              if (b[i] === 0x22 && i < end && depth > plainDepth) {
                i++
                isKey = true
                state = State.String
              } else state = State.FirstKey
            } else {
              kinds[depth] = isArray
              state = State.FirstElement
              if (pauses && depth === recordDepth) break scanning
            }
          } else if (numberClass[byte]! > 0 && byte !== 0x2e && byte !== 0x2b && (byte === 0x2d || byte <= 0x39)) {
            this.#numberState =
              byte === 0x2d ? NumberState.Minus : byte === 0x30 ? NumberState.Zero : NumberState.Integer
            i++
            state = State.Number
          } else if (byte === 0x74 || byte === 0x66 || byte === 0x6e) {
            this.#literal = byte === 0x74 ? 0 : byte === 0x66 ? 1 : 2
            this.#literalAt = 1
            i++
            state = State.Literal
          } else if (byte === 0x5d && state === State.FirstElement) {
            state = State.Close
          } else throw this.#unexpected(i, state)
          continue scanning
        }

        case State.Number: {
          let number = this.#numberState
          for (;;) {
            const next = numberNext[number * 8 + numberClass[b[i]!]!]!
            if (next === 0) break
            number = next
            i++
          }
          if (i >= end) {
            this.#numberState = number
            i = end
            break scanning
          }
          if (numberAccepts[number] === 0) throw this.#unexpected(i, state)
          state = State.After
          continue scanning
        }

        case State.Literal: {
          const text = literals[this.#literal]!
          let at = this.#literalAt
          while (at < text.length && i < end) {
            if (b[i] !== text[at]) throw this.#unexpected(i, state)
            i++
            at++
          }
          this.#literalAt = at
          if (at < text.length) break scanning
          state = State.After
          continue scanning
        }

        case State.FirstKey:
        case State.Key: {
          let byte = b[i]!
          while (byte <= 0x20 && i < end) {
            if (byte === 0x0a || byte === 0x0d) b[i] = 0x20
            else if (byte !== 0x20 && byte !== 0x09) throw this.#unexpected(i, state)
            byte = b[++i]!
          }
          if (i >= end) break scanning
          if (byte === 0x22) {
            if (depth <= plainDepth) this.#keyStart = i
            i++
            isKey = true
            state = State.String
          } else if (byte === 0x7d && state === State.FirstKey) state = State.Close
          else throw this.#unexpected(i, state)
          continue scanning
        }

        case State.Colon: {
          let byte = b[i]!
          while (byte <= 0x20 && i < end) {
            if (byte === 0x0a || byte === 0x0d) b[i] = 0x20
            else if (byte !== 0x20 && byte !== 0x09) throw this.#unexpected(i, state)
            byte = b[++i]!
          }
          if (i >= end) break scanning
          if (byte !== 0x3a) throw this.#unexpected(i, state)
          i++
          state = State.Value
          continue scanning
        }

        // The states of the top level: rare.
        default: {
          if (i >= end) break scanning
          this.#at = i
          state = this.#topLevel(b[i]!, state)
          depth = this.#depth
          recordDepth = this.#recordDepth
          plainDepth = recordDepth >= 0 ? recordDepth : this.#isHead ? 1 : 0
          if (state === State.Next) break scanning
          i++
          if (pauses && ((state === State.BetweenLines && this.#sawLineFeed) || state === State.FirstElement))
            break scanning
          continue scanning
        }
      }
    }

    this.#at = i
    this.#state = state
    this.#depth = depth
    this.#isKey = isKey
  }

  /** One byte outside of all containers. Returns the next state; sets the depth where a container opens. */
  #topLevel(byte: number, state: number): number {
    const at = this.#at
    const { startOffset = 0, isSequence = false } = this.#options
    if (state === State.Document && (this.#bomBytes > 0 || (byte === 0xef && this.#base + at === startOffset))) {
      // RFC 8259 §8.1 lets a parser ignore a byte order mark at the start
      const expected = [0xef, 0xbb, 0xbf][this.#bomBytes]
      if (byte !== expected) throw this.#unexpected(at, state)
      this.#bomBytes = (this.#bomBytes + 1) % 3
      return state
    }
    if (byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d) {
      if (byte === 0x0a) this.#sawLineFeed = true
      return state
    }
    const isLines = this.#recordDepth === 0
    if (isSequence && (state === State.Done || state === State.AfterFirst) && (byte === 0x7b || byte === 0x5b)) {
      return State.Next
    }
    if (state === State.Document && this.#options.isKeyed && byte === 0x7b) {
      this.#head.decideKeyed()
      this.#pageKeys = []
      this.#recordDepth = this.#depth = 1
      this.#kinds[1] = isObject
      return State.FirstKey
    }
    if (
      byte === 0x7b &&
      (state === State.Document || state === State.AfterFirst || (state === State.BetweenLines && this.#sawLineFeed))
    ) {
      if (state === State.AfterFirst) {
        if (!this.#sawLineFeed) throw this.#unexpected(at, state)
        this.#beginLines()
        this.#recordStart = at
      } else if (isLines) this.#recordStart = at
      else {
        this.#isHead = true
        this.#firstStart = at
      }
      this.#kinds[(this.#depth = 1)] = isObject
      return State.FirstKey
    }
    if (state === State.Document && !isLines && byte === 0x5b) {
      this.#head.decideArray()
      this.#recordDepth = 1
      this.#kinds[(this.#depth = 1)] = isArray
      return State.FirstElement
    }
    if (state === State.Document || (state === State.BetweenLines && this.#sawLineFeed)) {
      const kind = kindOf(byte)
      if (kind !== undefined) {
        const offset = this.#base + at
        if (isLines) this.#scalarRecord(at, state)
        throw this.#head.scalarBody(kind, offset)
      }
    }
    throw this.#unexpected(at, state)
  }

  #beginLines(): void {
    this.#head.decideNdjson()
    this.#recordDepth = 0
    this.#isHead = false
  }

  /** The outermost container has ended before `end`. */
  #endDocument(end: number): number {
    this.#sawLineFeed = false
    if (this.#isHead) this.#head.closeObject()
    if (this.#isHead && this.facts.framing === null) {
      this.#checkOpenLength(end)
      this.#firstRecord = Buffer.from(this.#window.bytes.subarray(this.#firstStart, end))
      this.#firstRecordOffset = this.#base + this.#firstStart
      this.#firstStart = -1
      this.#isHead = false
      return State.AfterFirst
    }
    this.#firstStart = -1
    this.#isHead = false
    return State.Done
  }

  /** A key at a depth that matters has ended before `end`: an envelope member's name, or the server's key of a record. */
  #endKey(depth: number, end: number): void {
    this.#checkOpenLength(end)
    const text = this.#window.bytes.toString('utf8', this.#keyStart, end)
    if (depth === 1 && this.#isHead) this.#memberName = JSON.parse(text) as string
    else if (depth === this.#recordDepth) (this.#pageKeys ??= []).push(JSON.parse(text) as string)
    this.#keyStart = -1
  }

  /** An envelope member's value begins at `at`. Returns true where the records are in it. */
  #beginMember(at: number, state: number): boolean {
    const kind = kindOf(this.#window.bytes[at]!)
    if (kind === undefined) throw this.#unexpected(at, state)
    this.#checkOpenLength(at)
    const role = this.#head.memberStart(this.#memberName, kind, this.#base + at)
    if (role === 'records') {
      this.#firstStart = -1
      this.#recordDepth = 2
      if (kind === 'object') this.#pageKeys = []
      return true
    }
    this.#isCaptured = role === 'capture'
    this.#memberStart = at
    return false
  }

  /** The envelope member that is open, if one is, ends before `end`. */
  #endMember(end: number): void {
    const start = this.#memberStart
    if (start < 0) return // the records' own member, or an empty object
    this.#checkOpenLength(end)
    this.#memberStart = -1
    if (this.#isCaptured) {
      this.#head.memberEnd(this.#memberName, this.#window.bytes.toString('utf8', start, end), this.#base + start)
    }
  }

  /** Something that is no object begins where a record should. Only Slack's bare ids may. */
  #scalarRecord(at: number, state: number): void {
    const kind = kindOf(this.#window.bytes[at]!)
    if (kind === undefined) throw this.#unexpected(at, state)
    if (kind === 'string' && this.#head.allowsBareIds) {
      this.#recordStart = at
      return
    }
    const error = this.#head.scalarRecord(kind, this.#base + at)
    error.recordIndex = this.#recordIndex() // the head does not know those of this step
    throw error
  }

  /** Takes the first and the second digit of an escape, when 4 and 3 are left. */
  #noteDigit(left: number, byte: number): void {
    if (left === 4) this.#half = (byte | 0x20) === 0x64 ? Half.Possible : Half.None
    else if (this.#half === Half.Possible)
      this.#half = byte < 0x38 ? Half.None : (byte | 0x20) < 0x63 ? Half.First : Half.Second
  }

  /** The escape in hand, which ends before body offset `end`, is half of a surrogate pair. */
  #takeHalf(end: number): void {
    const isFirst = this.#half === Half.First
    this.#half = Half.None
    const isPair = !isFirst && this.#pairAt === end - escapeBytes
    if (isPair) this.#isOpenSuspect = this.#wasSuspect
    else {
      this.#wasSuspect = this.#isOpenSuspect
      this.#isOpenSuspect = true
    }
    this.#pairAt = isFirst ? end : -1
  }

  /** The record that was open is in the batch now. */
  #takeSuspicion(): void {
    if (this.#isOpenSuspect) this.#isSuspect = true
    this.#isOpenSuspect = this.#wasSuspect = false
    this.#pairAt = -1
  }

  #growBounds(): Uint32Array<ArrayBuffer> {
    const grown = new Uint32Array(this.#bounds.length * 2)
    grown.set(this.#bounds)
    this.#bounds = grown
    return grown
  }

  /** The records that the last step completed. */
  *#batches(): Generator<RecordBatch, void, undefined> {
    const isLines = this.#recordDepth === 0
    if (this.#firstRecord !== null && isLines) {
      const bytes = Buffer.concat([this.#firstRecord, lineFeed])
      this.#firstRecord = null
      const bounds = Uint32Array.of(0, bytes.length - 1)
      if (this.#strangeLine(bytes, bounds, 1) === 0) {
        this.#meetLine(bytes.subarray(0, -1), this.#firstRecordOffset)
        return
      }
      yield this.#batch(bytes, bounds, 1, this.#firstRecordOffset, false)
    }
    const found = this.#bound / 2
    if (found === 0) return
    const strange = this.#standAlone ? this.#strangeLine(this.#window.bytes, this.#bounds, found) : -1
    const count = strange < 0 ? found : strange
    const scanned = this.#scanned
    this.#bound = this.#scanned = 0
    const isWellFormed = !this.#isSuspect
    this.#isSuspect = false
    if (strange >= 0) {
      // first, since a batch writes a line feed behind its last record
      const line = Buffer.from(this.#window.bytes.subarray(this.#bounds[2 * count]!, this.#bounds[2 * count + 1]!))
      const offset = this.#base + this.#bounds[2 * count]!
      if (count > 0) yield this.#batch(this.#window.bytes, this.#bounds, count, this.#base, isWellFormed)
      this.#meetLine(line, offset)
      return
    }
    if (this.#hasBareIds) yield this.#wrapBareIds(count, isWellFormed)
    else {
      const fields = scanned === 2 * count ? this.#scanner?.fields() : undefined
      yield this.#batch(this.#window.bytes, this.#bounds, count, this.#base, isWellFormed, fields)
    }
    if (this.#scanner) this.#bounds = this.#scanner.bounds
  }

  /** Index of the first line that is no record, -1 where all are. */
  #strangeLine(bytes: Buffer, bounds: Uint32Array, count: number): number {
    return this.#watch === null ? -1 : this.#watch.find(bytes, bounds, count)
  }

  /** Whether nothing around the records says that they are such: lines, and the elements of an array. */
  get #standAlone(): boolean {
    return this.#recordDepth === 0 || this.#head.facts.framing === 'array'
  }

  /** Whether one of the lines that were completed before an error is no record. */
  #holdsStrangeLine(): boolean {
    if (!this.#standAlone) return false
    const first = this.#firstRecord
    if (first !== null && this.#strangeLine(first, Uint32Array.of(0, first.length), 1) === 0) return true
    return this.#strangeLine(this.#window.bytes, this.#bounds, this.#bound / 2) >= 0
  }

  /** A line that is no record: an error ends the body. @throws DataError where it is a page */
  #meetLine(line: Buffer, byteOffset: number): void {
    this.#isOver = true
    this.#head.meetLine(lineIn(line, 0, line.length), byteOffset)
  }

  /** Copies the last step's records, each bare id as `{"id":…}`. */
  #wrapBareIds(count: number, isWellFormed: boolean): RecordBatch {
    const { bytes } = this.#window
    const parts: Buffer[] = []
    const bounds = new Uint32Array(2 * count)
    let length = 0
    for (let i = 0; i < count; i++) {
      const slice = bytes.subarray(this.#bounds[2 * i]!, this.#bounds[2 * i + 1]!)
      const isBare = slice[0] === 0x22
      if (isBare) this.facts.bareIds++
      const record = isBare ? Buffer.concat([bareIdStart, slice, bareIdEnd]) : slice
      bounds[2 * i] = length
      length += record.length
      bounds[2 * i + 1] = length++
      parts.push(record, lineFeed)
    }
    this.#hasBareIds = false
    return this.#batch(Buffer.concat(parts), bounds, count, undefined, isWellFormed)
  }

  #batch(
    bytes: Buffer,
    bounds: Uint32Array,
    count: number,
    byteOffset: number | undefined,
    isWellFormed: boolean,
    fields?: RecordFields,
  ): RecordBatch {
    const { facts } = this
    const firstRecordIndex = facts.records
    facts.records += count
    let isLines = true
    for (let i = 1; i < 2 * count - 1; i += 2) {
      if (bounds[i + 1] !== bounds[i]! + 1) {
        isLines = false
        break
      }
    }
    // What follows the last record has been consumed, or is the slack behind the data.
    if (isLines) bytes[bounds[2 * count - 1]!] = 0x0a
    const pageKeys = this.#pageKeys
    if (pageKeys !== undefined) this.#pageKeys = pageKeys.length > count ? pageKeys.splice(count) : []
    const { page } = this.#options
    return new RecordBatch({
      bytes,
      bounds,
      count,
      page,
      firstRecordIndex,
      byteOffset,
      isLines,
      pageKeys,
      fields,
      isWellFormed,
    })
  }

  /** Holds what is open, at the end of a step or when an error ends the scan, to its limit: so the verdict does not depend on where chunks end. */
  #checkOpenLength(end: number): void {
    if (this.#recordStart >= 0 && end - this.#recordStart > this.#options.maxRecordBytes)
      throw this.#recordTooLarge(this.#recordStart)
    this.#checkLength(this.#firstStart, end)
    this.#checkLength(this.#memberStart, end)
    this.#checkLength(this.#keyStart, end)
  }

  #checkLength(start: number, end: number): void {
    const { maxRecordBytes, page } = this.#options
    if (start < 0 || end - start <= maxRecordBytes) return
    const message = `the page's envelope has a part of more than ${maxRecordBytes} bytes beside its records`
    throw new DataError('ERR_RECORD_TOO_LARGE', message, { page, byteOffset: this.#base + start + maxRecordBytes })
  }

  #recordTooLarge(start: number): DataError {
    const { maxRecordBytes, page } = this.#options
    const context = { page, recordIndex: this.#recordIndex(), byteOffset: this.#base + start + maxRecordBytes }
    return new DataError('ERR_RECORD_TOO_LARGE', `the record has more than ${maxRecordBytes} bytes`, context)
  }

  #tooDeep(at: number): ExportError {
    this.#checkOpenLength(at)
    const context = { page: this.#options.page, recordIndex: this.#openRecord(), byteOffset: this.#base + at }
    return new DataError('ERR_DEPTH', `nesting is deeper than ${this.#options.maxDepth} levels`, context)
  }

  #unexpected(at: number, state: number): ExportError {
    const { bytes } = this.#window
    this.#checkOpenLength(at)
    const byte = bytes[at]!
    const found =
      byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : `byte 0x${byte.toString(16).padStart(2, '0')}`
    const message = `found ${found} where ${expectations[state]} belongs`
    return new DataError('ERR_JSON_SYNTAX', message, this.#contextAt(at))
  }

  #invalidUtf8(at: number): ExportError {
    this.#checkOpenLength(at)
    const byte = this.#window.bytes[at]!.toString(16).padStart(2, '0')
    return new DataError('ERR_UTF8', `byte 0x${byte} is not valid UTF-8 here`, this.#contextAt(at))
  }

  /** Index in the page of the record that is open, or would be next. */
  #recordIndex(): number {
    const held = this.#firstRecord !== null && this.#recordDepth === 0 ? 1 : 0
    return this.facts.records + held + this.#bound / 2
  }

  #openRecord(): number | undefined {
    return this.#recordDepth >= 0 ? this.#recordIndex() : undefined
  }

  #contextAt(at: number): ErrorContext {
    const from = Math.max(0, at - reachBytes)
    const bytes = Buffer.from(this.#window.bytes.subarray(from, Math.min(this.#fill, at + reachBytes)))
    // A line feed before `at` is a separator that was rewritten.
    for (let i = 0; i < at - from && this.#recordDepth > 0; i++) if (bytes[i] === 0x0a) bytes[i] = 0x2c
    return {
      page: this.#options.page,
      recordIndex: this.#openRecord(),
      byteOffset: this.#base + at,
      data: excerptOf(bytes, at - from),
    }
  }
}
