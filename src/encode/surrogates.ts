// Halves of surrogate pairs in records that are written as they came. As an escape (`\ud800`) each is legal JSON, and
// no UTF-8 can write what it stands for: many readers refuse a file that has one. The engines say which batches have
// none, so that nearly nothing is ever looked at here.

import { DataError } from '../errors.js'
import { RecordBatch, type Warning } from '../record.js'

/** What becomes of half of a surrogate pair in JSON text: it stays as it came, or is U+FFFD. */
export type Surrogates = 'keep' | 'replace'

export interface SurrogateOptions {
  /** Default `keep`. In both cases they are counted. */
  surrogates?: Surrogates
  /** Whether one is an error. Default false. */
  strict?: boolean
}

/** Settles batches before they are written, and counts. */
export class SurrogateGuard {
  readonly #replaces: boolean
  readonly #strict: boolean
  #count = 0

  constructor({ surrogates = 'keep', strict = false }: SurrogateOptions) {
    this.#replaces = surrogates === 'replace'
    this.#strict = strict
  }

  /** The batch as it is to be written: itself, or one with bytes of its own. @throws DataError ERR_VALUE_INEXACT where
   *  one is an error */
  settle(batch: RecordBatch): RecordBatch {
    return batch.isWellFormed || batch.count === 0 ? batch : this.#settled(batch)
  }

  warnings(): Warning[] {
    if (this.#count === 0) return []
    const message = this.#replaces
      ? 'halves of surrogate pairs, which no UTF-8 can hold, have U+FFFD in their place'
      : 'halves of surrogate pairs are escapes as they came, for which DuckDB, pyarrow and jq refuse a file; --surrogates replace puts U+FFFD in their place'
    return [{ code: 'lone-surrogates', message, count: this.#count }]
  }

  #settled(batch: RecordBatch): RecordBatch {
    const found = loneSurrogatesIn(batch)
    const keys = batch.keys?.map((key) => this.#key(key, batch))
    if (found.length > 0 && this.#strict) {
      let index = 0
      while (batch.end(index) <= found[0]!) index++
      throw inexact(batch, index)
    }
    this.#count += found.length
    if (!this.#replaces) return batch
    if (found.length === 0) return keys === undefined ? batch : new RecordBatch({ ...batch, keys })
    const first = batch.start(0)
    const own = batch.own()
    // an escape of the same length, so that nothing moves
    for (const at of found) own.bytes.write('\\ufffd', at - first, 'latin1')
    return new RecordBatch({ ...own, keys, isWellFormed: true })
  }

  #key(key: string, batch: RecordBatch): string {
    if (!half.test(key)) return key
    if (this.#strict) throw inexact(batch, batch.keys!.indexOf(key))
    return key.replace(halves, () => {
      this.#count++
      return '\ufffd'
    })
  }
}

function inexact(batch: RecordBatch, index: number): DataError {
  const message = 'a string has a lone surrogate escape, which no UTF-8 can hold'
  return new DataError('ERR_VALUE_INEXACT', message, batch.positionOf(index))
}

const half = /\p{Surrogate}/u
const halves = /\p{Surrogate}/gu
const unicodeEscape = Buffer.from('\\u')
const backslash = 0x5c

/** Where the escapes of halves of surrogate pairs begin in the records' bytes. */
function loneSurrogatesIn({ bytes, bounds, count }: RecordBatch): number[] {
  const found: number[] = []
  for (let index = 0; index < count; index++) {
    const end = bounds[2 * index + 1]!
    const text = bytes.subarray(0, end)
    for (let at = text.indexOf(unicodeEscape, bounds[2 * index]!); at >= 0; at = text.indexOf(unicodeEscape, at)) {
      if (!isEscape(bytes, at)) at += 2
      else if (!isHalf(bytes, at)) at += 6
      else if (isFirst(bytes, at) && bytes[at + 6] === backslash && isSecond(bytes, at + 6)) at += 12
      else {
        found.push(at)
        at += 6
      }
    }
  }
  return found
}

/** Whether the backslash at `at` is not the second one of an escaped backslash. */
function isEscape(bytes: Uint8Array, at: number): boolean {
  let before = at
  while (bytes[before - 1] === backslash) before--
  return (at - before) % 2 === 0
}

/** Whether the escape at `at` is one of \ud800 to \udfff. */
function isHalf(bytes: Uint8Array, at: number): boolean {
  return (bytes[at + 2]! | 0x20) === 0x64 && bytes[at + 3]! >= 0x38
}

function isFirst(bytes: Uint8Array, at: number): boolean {
  return (bytes[at + 3]! | 0x20) < 0x63
}

function isSecond(bytes: Uint8Array, at: number): boolean {
  return bytes[at + 1] === 0x75 && isHalf(bytes, at) && !isFirst(bytes, at)
}
