// Collects small pieces of bytes into writes of a good size. Bounded: a piece that does not fit is written as it is,
// without a copy.

import { KiB } from '../bytes/units.js'
import type { ByteSink } from './encoder.js'

/** Bytes collected before a write. */
const gatherBytes = 128 * KiB

/** Gathers for one sink. Await what a method returns, where it returns a promise, before the next call; nothing given
 *  is kept after that. */
export class Gather {
  readonly #out: ByteSink
  readonly #buffer = Buffer.allocUnsafeSlow(gatherBytes)
  #size = 0

  constructor(out: ByteSink) {
    this.#out = out
  }

  /** Adds `source[start, end)` between two texts. Returns a promise only where it had to write: one for every record
   *  would cost more than its bytes. */
  add(before: string, source: Buffer, start: number, end: number, after: string): Promise<void> | undefined {
    // one UTF-16 code unit is at most three bytes of UTF-8
    if (this.#buffer.length - this.#size < 3 * (before.length + after.length) + end - start)
      return this.#addInPieces(before, source, start, end, after)
    const buffer = this.#buffer
    if (before !== '') this.#size += buffer.write(before, this.#size)
    this.#size += source.copy(buffer, this.#size, start, end)
    if (after !== '') this.#size += buffer.write(after, this.#size)
    return undefined
  }

  /** Writes what was collected. */
  async flush(): Promise<void> {
    const size = this.#size
    this.#size = 0
    if (size > 0) await this.#out.write(this.#buffer.subarray(0, size))
  }

  async #addInPieces(before: string, source: Buffer, start: number, end: number, after: string): Promise<void> {
    for (const piece of [Buffer.from(before), source.subarray(start, end), Buffer.from(after)]) {
      if (piece.length > this.#buffer.length - this.#size) await this.flush()
      if (piece.length > this.#buffer.length) await this.#out.write(piece)
      else this.#size += piece.copy(this.#buffer, this.#size)
    }
  }
}
