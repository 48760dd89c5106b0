// CSV by RFC 4180, written by csv-stringify: header and columns come from the schema before the first record. Strings are quoted and null is
// an empty unquoted cell, so that null, "" and text that looks like a number stay apart for every reader that looks at quotes.

import { KiB } from '../bytes/units.js'
import { asExportError, ConfigError } from '../errors.js'
import type { JsonValue, RecordBatch, Warning } from '../record.js'
import type { ResourceSchema } from '../schema/resource.js'
import type { OnTypeMismatch, UnknownFields } from './columns/layout.js'
import { ColumnReader, type ColumnValue, type NumberText } from './columns/reader.js'
import type { ByteSink, Encoder } from './encoder.js'

export interface CsvOptions {
  /** Declared fields, in column order; fields that the user excluded are already gone from it. */
  schema: ResourceSchema
  /** Whether batches carry keys: then the first column is `_key`. Default false. */
  hasKey?: boolean
  /** One character between cells. Default `,`. */
  delimiter?: string
  /** One character around strings, doubled inside them. Default `"`. */
  quote?: string
  /** End of every line, the header's and the last one's too. Default `lf`. */
  lineEnd?: 'lf' | 'crlf'
  /** Whether the bytes begin with a UTF-8 byte order mark, which spreadsheet programs look for. Default false. */
  bom?: boolean
  /** Whether the first line has the names of the columns. Default true. */
  header?: boolean
  /** Lists and structs as one column of JSON text, or as a column for each leaf (`emails.0.email`). Default `json`. A value that its flattened columns do
   *  not tell whole (more elements than slots, an empty list, a null element) is also kept in `extra`. */
  nested?: 'json' | 'flatten'
  /** Elements of each list that get columns under `flatten`. Default 1. */
  flattenSlots?: number
  /** `escape` puts `'` before text that a spreadsheet program would run as a formula. It changes data (`+49…` becomes `'+49…`) and is counted. Default
   *  `keep`. */
  formulas?: 'keep' | 'escape'
  /** Default `extra`. Of nested values in JSON text nothing is unknown: the text holds all their fields. */
  unknownFields?: UnknownFields
  /** Default `extra`. A date-time and a `double` of any precision fit, since their text is kept. */
  onTypeMismatch?: OnTypeMismatch
  /** Whether a string with a lone surrogate escape is an error rather than counted U+FFFD. Default false. */
  strict?: boolean
}

/** Rows for one call of csv-stringify: it is fastest at 10 to 100, at a thousand half its time goes to garbage collection. */
const rowsPerCall = 50
/** Record bytes that end a call's rows early, so that long records are not gathered. */
const bytesPerCall = 256 * KiB

/**
 * Encoder for CSV in UTF-8. Date-times and numbers are the server's own text; nested values and free-form JSON are JSON text as the server sent it.
 * @throws ConfigError ERR_OPTION_INVALID
 */
export function csvEncoder(options: CsvOptions): Encoder {
  return new CsvEncoder(options)
}

type Stringify = typeof import('csv-stringify/sync')['stringify']

class CsvEncoder implements Encoder {
  readonly format = 'csv'
  readonly mediaType = 'text/csv'
  readonly extension = '.csv'
  readonly #options: CsvOptions
  readonly #reader: ColumnReader
  /** Indexes of the columns that hold text of the server's choice, where `formulas` is `escape`. */
  readonly #guarded: readonly number[]
  #stringify: Stringify | undefined
  #out: ByteSink | undefined
  #formulas = 0

  constructor(options: CsvOptions) {
    const { schema, delimiter = ',', quote = '"', flattenSlots = 1 } = options
    checkCharacter('delimiter', delimiter)
    checkCharacter('quote', quote)
    if (delimiter === quote) throw new ConfigError('ERR_OPTION_INVALID', 'delimiter and quote are the same character')
    if (!Number.isInteger(flattenSlots) || flattenSlots < 1 || flattenSlots > 100) {
      throw new ConfigError('ERR_OPTION_INVALID', 'flattenSlots must be a whole number from 1 to 100')
    }
    this.#options = options
    this.#reader = new ColumnReader({
      schema,
      hasKey: options.hasKey ?? false,
      nested: options.nested === 'flatten' ? 'flatten' : 'text',
      flattenSlots,
      unknownFields: options.unknownFields ?? 'extra',
      onTypeMismatch: options.onTypeMismatch ?? 'extra',
      timestamps: 'text',
      strict: options.strict ?? false,
    })
    // JSON text begins with a bracket, a quote, a literal or a number, and is no formula
    this.#guarded =
      options.formulas === 'escape'
        ? this.#reader.columns.flatMap(({ type }, index) => (type.kind === 'string' ? [index] : []))
        : []
  }

  async begin(out: ByteSink, saved?: JsonValue): Promise<void> {
    this.#out = out
    this.#stringify = (await import('csv-stringify/sync')).stringify
    if (saved !== undefined) return
    const { bom = false, header = true } = this.#options
    const names = this.#reader.columns.map(({ name }) => name)
    const text = (bom ? '\ufeff' : '') + (header ? this.#lines([names], false) : '')
    if (text !== '') await out.write(Buffer.from(text))
  }

  async encode(batch: RecordBatch): Promise<void> {
    const width = this.#reader.columns.length
    let rows: ColumnValue[][] = []
    let bytes = 0
    for (let index = 0; index < batch.count; index++) {
      const row = new Array<ColumnValue>(width).fill(null)
      this.#reader.read(batch, index, row)
      for (const column of this.#guarded) row[column] = this.#guard(row[column]!)
      rows.push(row)
      bytes += batch.end(index) - batch.start(index)
      if (rows.length === rowsPerCall || bytes >= bytesPerCall || index === batch.count - 1) {
        await this.#out!.write(Buffer.from(this.#lines(rows, true)))
        rows = []
        bytes = 0
      }
    }
  }

  async end(): Promise<void> {}

  save(): true {
    return true // the header is written, and a row knows nothing of those before it
  }

  warnings(): Warning[] {
    const warnings = this.#reader.warnings()
    if (this.#formulas > 0) {
      warnings.push({
        code: 'formulas-escaped',
        message: "text that a spreadsheet program would run as a formula has ' before it",
        count: this.#formulas,
      })
    }
    return warnings
  }

  #lines(rows: readonly ColumnValue[][], isQuoted: boolean): string {
    const { delimiter = ',', quote = '"', lineEnd = 'lf' } = this.#options
    try {
      return this.#stringify!(rows as ColumnValue[][], {
        delimiter,
        quote,
        escape: quote,
        record_delimiter: lineEnd === 'crlf' ? '\r\n' : '\n',
        quoted_string: isQuoted,
        // its own casts write true as 1 and false as nothing
        cast: {
          string: (text) => text,
          boolean: (value) => (value ? 'true' : 'false'),
          object: (value) => (value as unknown as NumberText).text,
        },
      })
    } catch (error) {
      throw asExportError(error, 'writing CSV')
    }
  }

  #guard(value: ColumnValue): ColumnValue {
    if (typeof value !== 'string' || !formula.test(value)) return value
    this.#formulas++
    return `'${value}`
  }
}

/** Text that spreadsheet programs run: `=`, `+`, `-`, `@`, their full-width forms, a tab or a carriage return at the start (OWASP, CSV Injection), also
 *  behind white space, which some programs trim. */
const formula = /^[\t\r]|^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/

function checkCharacter(name: string, text: string): void {
  if (text.length !== 1 || text === '\n' || text === '\r' || /\p{Surrogate}/u.test(text)) {
    throw new ConfigError('ERR_OPTION_INVALID', `${name} must be one character, not ${JSON.stringify(text)}`)
  }
}
