// What NDJSON and JSON do to records that otherwise keep the server's bytes, in one place for both.

import type { RecordBatch, Warning } from '../record.js'
import { BigNumberGuard, type BigNumberOptions } from './big-numbers.js'
import { escapedSeparators, type NdjsonEscape, withoutSeparators } from './separators.js'
import { SurrogateGuard, type SurrogateOptions } from './surrogates.js'

export interface RecordTextOptions extends SurrogateOptions, BigNumberOptions {
  /** Default `none`. */
  ndjsonEscape?: NdjsonEscape
}

/** Settles batches before they are written, and counts. */
export class RecordTexts {
  readonly #surrogates: SurrogateGuard
  readonly #numbers: BigNumberGuard
  readonly #escapes: boolean

  constructor(options: RecordTextOptions) {
    this.#surrogates = new SurrogateGuard(options)
    this.#numbers = new BigNumberGuard(options)
    this.#escapes = options.ndjsonEscape === 'separators'
  }

  /** The batch as it is to be written: itself, or one with bytes of its own. @throws DataError ERR_VALUE_INEXACT where
   *  a lone surrogate is an error */
  settle(batch: RecordBatch): RecordBatch {
    const settled = this.#numbers.settle(this.#surrogates.settle(batch))
    return this.#escapes ? withoutSeparators(settled) : settled
  }

  /** The JSON text of a key. A lone surrogate is its escape, so that the text is valid UTF-8. */
  key(key: string): string {
    const text = JSON.stringify(key)
    return this.#escapes ? escapedSeparators(text) : text
  }

  warnings(): Warning[] {
    return [...this.#surrogates.warnings(), ...this.#numbers.warnings()]
  }
}
