// CSV by RFC 4180: header and columns come from the schema before the first record. Strings are quoted and null is an
// empty unquoted cell, so that null, "" and text that looks like a number stay apart for every reader that looks at
// quotes. Ordinary records are written from their bytes in WebAssembly, all others, and every record in a dialect that
// is not usual, by csv-stringify: the bytes are the same.

import { KiB, MiB } from '../bytes/units.js'
import { ConfigError } from '../errors.js'
import type { JsonValue, RecordBatch, Warning } from '../record.js'
import { isCsvCharacter, isEscapeTaken, nullFaultOf } from './csv/character.js'
import type { KernelRows } from './csv/kernel/kernel.js'
import type { CsvOptions } from './csv/options.js'
import { StringifiedRows } from './csv/stringified.js'
import type { ByteSink, Encoder } from './encoder.js'
import { extensionOf, formats } from './formats.js'

export type { CsvOptions } from './csv/options.js'

/** Rows for one call of csv-stringify: it is fastest at 10 to 100, at a thousand half its time goes to garbage
 *  collection. */
const rowsPerCall = 50
/** Record bytes that end a call's rows early, so that long records are not gathered. */
const bytesPerCall = 256 * KiB
/** The kernel takes no longer record: it needs six times as much memory. */
const maxWindowBytes = 32 * MiB

/**
 * Encoder for CSV in UTF-8. Date-times and numbers are the server's own text; nested values and free-form JSON are JSON
 * text as the server sent it.
 * @throws ConfigError ERR_OPTION_INVALID
 */
export function csvEncoder(options: CsvOptions): Encoder {
  return new CsvEncoder(options, isUsual(options))
}

/** The same without WebAssembly. */
export function stringifyingCsvEncoder(options: CsvOptions): Encoder {
  return new CsvEncoder(options, false)
}

/** Whether the kernel knows the dialect: it takes delimiters and quotes of one byte that are in no number, literal,
 *  date-time or escape. */
function isUsual(options: CsvOptions): boolean {
  const { delimiter = ',', quote = '"', nested, formulas, null: nullText = '' } = options
  const { escape: escaping = 'quote', lineFeeds = 'keep' } = options
  if (options.flatten?.length || nullText !== '' || escaping !== 'quote' || lineFeeds !== 'keep') return false
  const isPlain = (text: string): boolean => /^[\0-\x7f]$/.test(text) && !/[\w+\-.:\\]/.test(text)
  // with ' as quote, the one before a formula would have to be doubled
  return nested !== 'flatten' && isPlain(delimiter) && isPlain(quote) && !(formulas === 'escape' && quote === "'")
}

export class CsvEncoder implements Encoder {
  readonly format = 'csv'
  readonly mediaType = formats.csv.mediaType
  readonly extension = extensionOf('csv', 'none')
  readonly #options: CsvOptions
  readonly #usesKernel: boolean
  readonly #rows: StringifiedRows
  #kernel: KernelRows | null = null
  /** Another one, for records that are longer than the window of the first. */
  #longKernel: KernelRows | null = null
  #longRows = 0
  #out: ByteSink | undefined

  constructor(options: CsvOptions, usesKernel: boolean) {
    const { delimiter = ',', quote = '"', escape: escaping = 'quote', null: nullText = '', flattenSlots = 1 } = options
    checkCharacter('delimiter', delimiter)
    checkCharacter('quote', quote)
    if (delimiter === quote) throw new ConfigError('ERR_OPTION_INVALID', 'delimiter and quote are the same character')
    const characters = { delimiter, quote, escape: escaping }
    if (isEscapeTaken(characters)) {
      throw new ConfigError('ERR_OPTION_INVALID', 'escape is a backslash, and so is the delimiter or the quote')
    }
    const nullFault = nullFaultOf(nullText, characters)
    if (nullFault !== undefined) {
      throw new ConfigError('ERR_OPTION_INVALID', `null: ${JSON.stringify(nullText)} ${nullFault}`)
    }
    if (!Number.isInteger(flattenSlots) || flattenSlots < 1 || flattenSlots > 100) {
      throw new ConfigError('ERR_OPTION_INVALID', 'flattenSlots must be a whole number from 1 to 100')
    }
    this.#options = options
    this.#usesKernel = usesKernel
    this.#rows = new StringifiedRows(options)
  }

  async begin(out: ByteSink, saved?: JsonValue): Promise<void> {
    this.#out = out
    if (this.#usesKernel) this.#kernel = await this.#openKernel()
    if (saved !== undefined) return
    const { bom = false, header = true } = this.#options
    const text = (bom ? '\ufeff' : '') + (header ? this.#rows.header() : '')
    if (text !== '') await out.write(Buffer.from(text))
  }

  encode(batch: RecordBatch): Promise<void> {
    return this.#kernel === null ? this.#stringify(batch) : this.#encode(batch, this.#kernel)
  }

  async end(): Promise<void> {}

  save(): true {
    return true // the header is written, and a row knows nothing of those before it
  }

  warnings(): Warning[] {
    return this.#rows.warnings()
  }

  /** Rows that were written from the bytes of their records. */
  get kernelRows(): number {
    return (this.#kernel?.count ?? 0) + this.#longRows
  }

  async #openKernel(windowBytes?: number): Promise<KernelRows | null> {
    const { kernelRows } = await import('./csv/kernel/kernel.js')
    const { schema, hasKey = false, delimiter = ',', quote = '"', unknownFields = 'extra' } = this.#options
    const options = {
      fields: schema.fields,
      hasKey,
      hasExtra: this.#rows.hasExtra,
      delimiter,
      quote,
      isCrlf: this.#options.lineEnd === 'crlf',
      unknownFields,
      escapesFormulas: this.#options.formulas === 'escape',
    }
    return kernelRows(options, windowBytes)
  }

  async #encode(batch: RecordBatch, kernel: KernelRows): Promise<void> {
    for (let at = 0; at < batch.count; ) {
      const end = kernel.load(batch, at, batch.count)
      if (end === at) await this.#addLongRow(batch, at++, kernel)
      while (at < end) {
        at = kernel.write(at)
        this.#rows.count(kernel.dropped, kernel.escaped, kernel.blank)
        if (kernel.isFull) await this.#handOn(kernel)
        else if (at < end) await this.#addRow(batch, at++, kernel)
      }
    }
    await this.#handOn(kernel)
  }

  /** Writes the rows that were gathered. */
  async #handOn(kernel: KernelRows): Promise<void> {
    const rows = kernel.take()
    if (rows.length > 0) await this.#out!.write(rows)
  }

  /** Adds the row of a record that is longer than the kernel's window, or whose key is not for it. */
  async #addLongRow(batch: RecordBatch, index: number, kernel: KernelRows): Promise<void> {
    const length = batch.end(index) - batch.start(index)
    if (length > kernel.windowBytes && length <= maxWindowBytes) {
      const long = await this.#kernelFor(length)
      if (long !== null && long.load(batch, index, index + 1) > index && long.write(index) > index) {
        this.#rows.count(long.dropped, long.escaped, long.blank)
        this.#longRows++
        await this.#handOn(kernel)
        await this.#out!.write(long.take())
        return
      }
    }
    await this.#addRow(batch, index, kernel)
  }

  async #kernelFor(length: number): Promise<KernelRows | null> {
    if (this.#longKernel === null || this.#longKernel.windowBytes < length) {
      this.#longKernel = null // its memory may go before there is more
      this.#longKernel = await this.#openKernel(length)
    }
    return this.#longKernel
  }

  /** Adds the row of a record that the kernel leaves to others. */
  async #addRow(batch: RecordBatch, index: number, kernel: KernelRows): Promise<void> {
    await this.#rows.open()
    const text = this.#rows.rows(batch, index, index + 1)
    if (kernel.add(text)) return
    await this.#handOn(kernel)
    await this.#out!.write(Buffer.from(text))
  }

  async #stringify(batch: RecordBatch): Promise<void> {
    await this.#rows.open()
    let from = 0
    let bytes = 0
    for (let index = 0; index < batch.count; index++) {
      bytes += batch.end(index) - batch.start(index)
      const to = index + 1
      if (to - from === rowsPerCall || bytes >= bytesPerCall || to === batch.count) {
        await this.#out!.write(Buffer.from(this.#rows.rows(batch, from, to)))
        from = to
        bytes = 0
      }
    }
  }
}

function checkCharacter(name: string, text: string): void {
  if (!isCsvCharacter(text)) {
    throw new ConfigError('ERR_OPTION_INVALID', `${name} must be one character, not ${JSON.stringify(text)}`)
  }
}
