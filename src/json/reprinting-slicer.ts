// The slicer over a library that turns JSON text into tokens. The `js` slicer finds the records and has the verdict
// over the body; the library reads each record, and what is given is its tokens, printed. Neither library can give the
// verdict. @streamparser/json's Tokenizer has no grammar (`1-2`, `[}` and `"a" "b"` are fine tokens to it), and
// stream-json tells that an escape or a literal is wrong, or cut, only when up to sixteen more characters have come.
// Neither knows limits, strict UTF-8 or a page's layout.

import { KiB } from '../bytes/units.js'
import { DataError, printable } from '../errors.js'
import { RecordBatch } from '../record.js'
import type { PageFacts, Slicer } from './slicer.js'
import type { TokenSource } from './token-printer.js'

const lineFeed = 0x0a
/** Most bytes that are read in one step: with larger batches, their texts cost a quarter more time. */
const stepBytes = 64 * KiB

/** Prints the records of one page again. Its batches own their bytes. */
export class ReprintingSlicer implements Slicer {
  readonly #slicer: Slicer
  readonly #source: TokenSource
  unreadBytes = 0

  /** @param slicer that of the page
   *  @param source the page's own */
  constructor(slicer: Slicer, source: TokenSource) {
    this.#slicer = slicer
    this.#source = source
  }

  get facts(): PageFacts {
    return this.#slicer.facts
  }

  *push(chunk: Uint8Array): Generator<RecordBatch, void, undefined> {
    // where another document begins, the rest of the chunk is not read
    for (let from = 0; from < chunk.length && this.unreadBytes === 0; ) {
      const piece = chunk.subarray(from, from + stepBytes)
      from += piece.length
      for (const batch of this.#slicer.push(piece)) yield this.#reprinted(batch)
      const unread = this.#slicer.unreadBytes ?? 0
      if (unread > 0) this.unreadBytes = unread + chunk.length - from
    }
  }

  end(): readonly RecordBatch[] {
    return this.#slicer.end().map((batch) => this.#reprinted(batch))
  }

  /** @throws DataError ERR_JSON_SYNTAX where the library refuses a record although its grammar is right */
  #reprinted(batch: RecordBatch): RecordBatch {
    const { count, page, firstRecordIndex, pageKeys, isWellFormed } = batch
    const texts: string[] = []
    for (let index = 0; index < count; index++) texts.push(this.#textOf(batch, index))
    const bytes = Buffer.from(`${texts.join('\n')}\n`)
    const bounds = lineBounds(bytes, count)
    return new RecordBatch({ bytes, bounds, count, page, firstRecordIndex, isLines: true, pageKeys, isWellFormed })
  }

  #textOf(batch: RecordBatch, index: number): string {
    try {
      return this.#source.read(batch.slice(index))
    } catch (cause) {
      const message = `${this.#source.name} cannot read the body: ${printable((cause as Error).message)}`
      throw new DataError('ERR_JSON_SYNTAX', message, { ...batch.positionOf(index), cause })
    }
  }
}

/** The bounds of the lines of `bytes`. */
function lineBounds(bytes: Buffer, count: number): Uint32Array {
  const bounds = new Uint32Array(2 * count)
  let at = 0
  for (let i = 0; i < count; i++) {
    bounds[2 * i] = at
    at = bytes.indexOf(lineFeed, at)
    bounds[2 * i + 1] = at++
  }
  return bounds
}
