// Counts the rows of CSV as RFC 4180 has them: a line end inside quotes belongs to a value.

import { DataError } from '../errors.js'

export interface CsvShape {
  readonly quote: string
  /** What stands before a quote inside of quotes, and is not its end then. Default `quote`. */
  readonly escape?: 'quote' | 'backslash'
  readonly hasHeader: boolean
}

/** Takes the bytes of one CSV file, in pieces of any size. */
export class CsvRowCounter {
  readonly #quote: string
  /** Quote or backslash, where a backslash escapes; else null. */
  readonly #marks: RegExp | null
  readonly #hasHeader: boolean
  readonly #decoder = new TextDecoder('utf-8', { fatal: true })
  #rows = 0
  #isQuoted = false
  /** Whether the last character of what came was a backslash that escapes the next one. */
  #isEscaped = false
  /** Whether the last row has not been ended. */
  #isOpen = false

  constructor({ quote, escape: escaping = 'quote', hasHeader }: CsvShape) {
    this.#quote = quote
    this.#marks = escaping === 'backslash' ? new RegExp(`[\\\\${/\w/.test(quote) ? quote : `\\${quote}`}]`, 'g') : null
    this.#hasHeader = hasHeader
  }

  /** @throws DataError ERR_UTF8 */
  add(bytes: Uint8Array): void {
    this.#scan(this.#decode(bytes, true))
  }

  /** Rows, without the header. @throws DataError where the file stops inside a row or has no header */
  end(): number {
    this.#scan(this.#decode(new Uint8Array(0), false))
    if (this.#isQuoted || this.#isOpen) throw new DataError('ERR_SCHEMA', `the CSV stops inside row ${this.#rows + 1}`)
    if (this.#hasHeader && this.#rows === 0) throw new DataError('ERR_SCHEMA', 'the CSV has no header')
    return this.#rows - (this.#hasHeader ? 1 : 0)
  }

  #decode(bytes: Uint8Array, isMore: boolean): string {
    try {
      return this.#decoder.decode(bytes, { stream: isMore })
    } catch (cause) {
      throw new DataError('ERR_UTF8', `the CSV has bytes behind row ${this.#rows} that are not UTF-8`, { cause })
    }
  }

  #scan(text: string): void {
    if (this.#marks !== null) {
      this.#scanEscaped(text, this.#marks)
      return
    }
    // a doubled quote ends the value and begins it again, which comes to the same
    for (let at = 0; at < text.length; ) {
      const quote = text.indexOf(this.#quote, at)
      const end = quote < 0 ? text.length : quote
      if (!this.#isQuoted) this.#countLines(text, at, end)
      if (quote >= 0) {
        this.#isQuoted = !this.#isQuoted
        this.#isOpen = true
      }
      at = end + 1
    }
  }

  #scanEscaped(text: string, marks: RegExp): void {
    let at = 0
    if (this.#isEscaped && text !== '') {
      this.#isEscaped = false
      at = 1
    }
    while (at < text.length) {
      if (!this.#isQuoted) {
        const quote = text.indexOf(this.#quote, at)
        const end = quote < 0 ? text.length : quote
        this.#countLines(text, at, end)
        if (quote >= 0) this.#isQuoted = this.#isOpen = true
        at = end + 1
        continue
      }
      marks.lastIndex = at
      const mark = marks.exec(text)
      if (mark === null) return
      const isQuote = mark[0] === this.#quote
      if (isQuote) this.#isQuoted = false
      else this.#isEscaped = mark.index + 1 === text.length
      at = mark.index + (isQuote ? 1 : 2)
    }
  }

  #countLines(text: string, from: number, to: number): void {
    for (let at = from; at < to; ) {
      const end = text.indexOf('\n', at)
      if (end < 0 || end >= to) {
        this.#isOpen = true
        return
      }
      this.#rows++
      this.#isOpen = false
      at = end + 1
    }
  }
}
