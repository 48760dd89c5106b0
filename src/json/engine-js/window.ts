// Where the bytes of a body lie while they are read. The window is a Buffer that chunks are copied into, for two
// reasons: a record may lie across chunks, and separators and line feeds are rewritten in place, so that a run of
// records is NDJSON as it stands.

import { KiB, MiB } from '../../bytes/units.js'
import type { SlicerOptions } from '../slicer.js'

export const windowBytes = MiB
/** Most bytes that are copied in and scanned in one step: a batch is what one step completes. */
export const stepBytes = 512 * KiB
/** Room after the data for the sentinel and for the line feed of the last record. */
export const slackBytes = 16

/** A window that the slicers of one export use one after the other: it is allocated once, and grows only for a record
 *  that needs it. */
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

/** What of one body lies in the window: how far it was read, what is open, and which records the step has completed. */
export class BodyWindow {
  readonly window: Window
  readonly #maxRecordBytes: number

  // 0 <= every start that is open <= at <= fill <= window.capacity. Body offset of a window index: base + index.
  base: number
  at = 0
  fill = 0
  /** Window index up to which UTF-8 has been checked; at most 3 bytes before `fill`. */
  checked = 0

  // Window index of the open record, of the open key, of the open envelope member's value and of the first top-level
  // object; -1 where none is.
  recordStart = -1
  keyStart = -1
  memberStart = -1
  firstStart = -1

  /** Bounds of the records that the step has completed, as `RecordBatch` has them, and the index after the last one. */
  bounds: Uint32Array<ArrayBuffer>
  bound = 0

  constructor(window: Window, bounds: Uint32Array<ArrayBuffer>, { startOffset = 0, maxRecordBytes }: SlicerOptions) {
    this.window = window
    this.bounds = bounds
    this.base = startOffset
    this.#maxRecordBytes = maxRecordBytes
  }

  /** Copies in the next bytes of the body, at most `stepBytes`. */
  add(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length)
    this.window.bytes.set(bytes, this.fill)
    this.fill += bytes.length
  }

  growBounds(): Uint32Array<ArrayBuffer> {
    const grown = new Uint32Array(this.bounds.length * 2)
    grown.set(this.bounds)
    this.bounds = grown
    return grown
  }

  /** Moves the unfinished part to the window's start where the next step does not fit, and grows the window where that
   *  is not enough. */
  #makeRoom(length: number): void {
    const { window } = this
    if (this.fill + length <= window.capacity) return
    let keep = Math.min(this.at, this.checked)
    for (const start of [this.recordStart, this.keyStart, this.memberStart, this.firstStart]) {
      if (start >= 0 && start < keep) keep = start
    }
    const kept = this.fill - keep
    // What is kept is moved at most about once at each capacity, and the capacity doubles: copying stays linear in a
    // record's size.
    if (kept + length > window.capacity) {
      let capacity = window.capacity
      while (kept + length > capacity) capacity *= 2
      // nothing that is kept is longer than a record may be, so the last doubling stops there
      capacity = Math.min(capacity, Math.max(windowBytes, this.#maxRecordBytes + 2 * stepBytes))
      window.grow(capacity, keep, this.fill)
    } else window.bytes.copyWithin(0, keep, this.fill)
    this.base += keep
    this.at -= keep
    this.fill -= keep
    this.checked -= keep
    if (this.recordStart >= 0) this.recordStart -= keep
    if (this.keyStart >= 0) this.keyStart -= keep
    if (this.memberStart >= 0) this.memberStart -= keep
    if (this.firstStart >= 0) this.firstStart -= keep
  }
}
