// The state machine over bytes: it can stop and resume at every byte, and validates the full grammar of RFC 8259. It
// finds the bounds of the records on the way. It is three times as fast as JSON.parse per record, which is why its one
// function is long, keeps its state in locals and has no calls on its common paths.

import type { SlicerOptions } from '../slicer.js'
import type { HalfWatch } from './half-watch.js'
import type { Outline } from './outline.js'
import {
  hexDigits,
  literals,
  NumberState,
  numberAccepts,
  numberClass,
  numberNext,
  State,
  simpleEscapes,
  stringStops,
} from './tables.js'
import type { BodyWindow } from './window.js'

const isObject = 1
const isArray = 0

export class Machine {
  readonly #options: SlicerOptions
  readonly #body: BodyWindow
  readonly #outline: Outline
  readonly #halves: HalfWatch

  state: number = State.Document
  depth = 0
  /** Whether a record of the batch in hand is a bare id. */
  hasBareIds = false
  /** Kind of the container at each depth, from 1; index 0 stands for the top level, which behaves as an array. */
  readonly #kinds: Uint8Array
  #isKey = false
  #hexLeft = 0
  #numberState = 0
  #literal = 0
  #literalAt = 0

  constructor(options: SlicerOptions, body: BodyWindow, outline: Outline, halves: HalfWatch) {
    this.#options = options
    this.#body = body
    this.#outline = outline
    this.#halves = halves
    this.#kinds = new Uint8Array(options.maxDepth + 2)
  }

  /** Consumes window bytes [at, end), or less where it `pauses` before a record. */
  scan(end: number, pauses = false): void {
    if (this.state === State.Next) return
    const body = this.#body
    const outline = this.#outline
    const { faults } = outline
    const halves = this.#halves
    const b = body.window.bytes
    const kinds = this.#kinds
    const { maxDepth, maxRecordBytes } = this.#options
    const stops = stringStops
    let i = body.at
    let state = this.state
    let depth = this.depth
    let isKey = this.#isKey
    let { recordDepth } = outline
    // At this depth and above it no record and no envelope is concerned, so the common paths need not look.
    let plainDepth = recordDepth >= 0 ? recordDepth : outline.isHead ? 1 : 0
    let { bounds, bound } = body
    // A quote after the data ends every run of string characters, so that the run needs no test for the end.
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
            throw faults.unexpected(i, state)
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
              if (depth <= plainDepth) outline.endKey(depth, i)
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
              faults.checkOpenLength(i)
              this.hasBareIds = true
              if (bound + 2 > bounds.length) bounds = body.growBounds()
              bounds[bound] = body.recordStart
              bounds[bound + 1] = i
              bound = body.bound = bound + 2
              body.recordStart = -1
              halves.endRecord()
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
          } else throw faults.unexpected(i, state)
          i++
          continue scanning
        }

        case State.Hex: {
          let left = this.#hexLeft
          while (left > 0 && i < end) {
            if (hexDigits[b[i]!] === 0) throw faults.unexpected(i, state)
            if (left > 2) halves.noteDigit(left, b[i]!)
            i++
            left--
          }
          this.#hexLeft = left
          if (left > 0) break scanning
          halves.endEscape(body.base + i)
          state = State.String
          continue scanning
        }

        case State.After: {
          let byte = b[i]!
          while (byte <= 0x20 && i < end) {
            if (byte === 0x0a || byte === 0x0d) b[i] = 0x20
            else if (byte !== 0x20 && byte !== 0x09) throw faults.unexpected(i, state)
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
              } else if (depth === 1 && outline.isHead) outline.endMember(i)
            }
            i++
            if (kinds[depth] === isObject) {
              if (b[i] === 0x22 && i < end) {
                if (depth <= plainDepth) body.keyStart = i
                i++
                isKey = true
                state = State.String
              } else state = State.Key
            } else state = State.Value
            continue scanning
          }
          const kind = byte === 0x7d ? isObject : byte === 0x5d ? isArray : -1
          if (kind !== kinds[depth]) throw faults.unexpected(i, state)
          state = State.Close
          continue scanning
        }

        // The container at `depth` closes at i.
        case State.Close: {
          if (depth <= plainDepth) {
            if (depth === recordDepth) {
              // the list of records ends
              recordDepth = outline.recordDepth = -1
              plainDepth = outline.isHead ? 1 : 0
            } else if (depth === 1 && outline.isHead) outline.endMember(i)
          }
          depth--
          i++
          if (depth === recordDepth) {
            const start = body.recordStart
            if (i - start > maxRecordBytes) throw faults.recordTooLarge(start)
            if (bound + 2 > bounds.length) bounds = body.growBounds()
            bounds[bound] = start
            bounds[bound + 1] = i
            bound = body.bound = bound + 2
            body.recordStart = -1
            if (halves.isOpenSuspect) halves.endRecord()
            if (depth === 0) {
              state = State.BetweenLines
              outline.sawLineFeed = false
              continue scanning
            }
          }
          if (depth === 0) {
            state = outline.endDocument(i)
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
            else if (byte !== 0x20 && byte !== 0x09) throw faults.unexpected(i, state)
            byte = b[++i]!
          }
          if (i >= end) break scanning
          if (depth <= plainDepth) {
            if (depth === recordDepth) {
              if (byte === 0x7b) body.recordStart = i
              else if (!(byte === 0x5d && state === State.FirstElement)) outline.scalarRecord(i, state)
            } else if (depth === 1 && outline.isHead) {
              if (outline.beginMember(i, state)) {
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
            if (++depth > maxDepth) throw faults.tooDeep(i)
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
          } else throw faults.unexpected(i, state)
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
          if (numberAccepts[number] === 0) throw faults.unexpected(i, state)
          state = State.After
          continue scanning
        }

        case State.Literal: {
          const text = literals[this.#literal]!
          let at = this.#literalAt
          while (at < text.length && i < end) {
            if (b[i] !== text[at]) throw faults.unexpected(i, state)
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
            else if (byte !== 0x20 && byte !== 0x09) throw faults.unexpected(i, state)
            byte = b[++i]!
          }
          if (i >= end) break scanning
          if (byte === 0x22) {
            if (depth <= plainDepth) body.keyStart = i
            i++
            isKey = true
            state = State.String
          } else if (byte === 0x7d && state === State.FirstKey) state = State.Close
          else throw faults.unexpected(i, state)
          continue scanning
        }

        case State.Colon: {
          let byte = b[i]!
          while (byte <= 0x20 && i < end) {
            if (byte === 0x0a || byte === 0x0d) b[i] = 0x20
            else if (byte !== 0x20 && byte !== 0x09) throw faults.unexpected(i, state)
            byte = b[++i]!
          }
          if (i >= end) break scanning
          if (byte !== 0x3a) throw faults.unexpected(i, state)
          i++
          state = State.Value
          continue scanning
        }

        // The states of the top level: rare.
        default: {
          if (i >= end) break scanning
          state = outline.topLevel(b[i]!, i, state)
          if (state === State.FirstKey || state === State.FirstElement) {
            kinds[(depth = 1)] = state === State.FirstKey ? isObject : isArray
          }
          recordDepth = outline.recordDepth
          plainDepth = recordDepth >= 0 ? recordDepth : outline.isHead ? 1 : 0
          if (state === State.Next) break scanning
          i++
          if (pauses && ((state === State.BetweenLines && outline.sawLineFeed) || state === State.FirstElement))
            break scanning
          continue scanning
        }
      }
    }

    body.at = i
    this.state = state
    this.depth = depth
    this.#isKey = isKey
  }
}
