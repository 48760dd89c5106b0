// Notices a list that would never end: a cursor that the server gave before. Exact for the first million pages, by
// Brent's method beyond.

import { createHash } from 'node:crypto'
import { DigestSet } from '../bytes/hash-set.js'
import { DataError } from '../errors.js'

/** 16 bytes a page: 16 MB to 32 MB of table at this size. */
const exactPages = 1_000_000

export class CursorGuard {
  readonly #seen = new DigestSet()
  readonly #exactPages: number
  #pages = 0
  /** Brent's method: the cursor to compare with, moved at powers of two, finds any cycle after at most three times its
   *  length. */
  #landmark = ''
  #nextLandmark: number

  constructor(limit = exactPages) {
    this.#exactPages = limit
    this.#nextLandmark = limit
  }

  /** Takes the cursor that page `page` gave, or that it was asked for with.
   *  @throws DataError ERR_CURSOR where it was taken before */
  take(cursor: string, page: number): void {
    const digest = createHash('sha256').update(cursor).digest()
    const words = [0, 4, 8, 12].map((offset) => digest.readUInt32LE(offset)) as [number, number, number, number]
    const text = words.join()
    const isNew = this.#pages < this.#exactPages ? this.#seen.add(...words) : text !== this.#landmark
    if (this.#pages === this.#nextLandmark) {
      this.#landmark = text
      this.#nextLandmark *= 2
    }
    this.#pages++
    if (!isNew) {
      throw new DataError('ERR_CURSOR', 'the server gave a cursor that it gave before, so the list would never end', {
        page,
      })
    }
  }
}
