// Rows by csv-stringify, from what the column reader makes of records: for every dialect, and for every record. What
// else writes rows has to write the same.

import { asExportError } from '../../errors.js'
import type { RecordBatch, Warning } from '../../record.js'
import { ColumnReader, type ColumnValue, type NumberText } from '../columns/reader.js'
import type { CsvOptions } from './options.js'

type Stringify = typeof import('csv-stringify/sync')['stringify']

export class StringifiedRows {
  readonly #options: CsvOptions
  readonly #reader: ColumnReader
  /** Indexes of the columns that hold text of the server's choice, where `formulas` is `escape`. */
  readonly #guarded: readonly number[]
  #stringify: Stringify | undefined
  #formulas = 0
  /** Rows without a character. */
  #blanks = 0

  constructor(options: CsvOptions) {
    this.#options = options
    this.#reader = new ColumnReader({
      schema: options.schema,
      hasKey: options.hasKey ?? false,
      nested: options.nested === 'flatten' ? 'flatten' : 'text',
      flattenSlots: options.flattenSlots ?? 1,
      unknownFields: options.unknownFields ?? 'extra',
      onTypeMismatch: options.onTypeMismatch ?? 'extra',
      timestamps: { unit: 'text', excess: 'truncate', forms: options.timestampForms ?? 'any' },
      strict: options.strict ?? false,
      maxColumns: options.maxColumns,
    })
    // JSON text begins with a bracket, a quote, a literal or a number, and is no formula
    this.#guarded =
      options.formulas === 'escape'
        ? this.#reader.columns.flatMap(({ type }, index) => (type.kind === 'string' ? [index] : []))
        : []
  }

  /** Call before `rows`: csv-stringify is loaded where it is needed first. */
  async open(): Promise<void> {
    this.#stringify ??= (await import('csv-stringify/sync')).stringify
  }

  get hasExtra(): boolean {
    return this.#reader.extraIndex >= 0
  }

  /** The line of names: cells like others, but for quotes where there is no need of them. Call it once. */
  header(): string {
    const { delimiter = ',', quote = '"', lineEnd = 'lf' } = this.#options
    const needsQuotes = (name: string): boolean =>
      name.includes(delimiter) || name.includes(quote) || /[\r\n]|^\ufeff/.test(name)
    const cells = this.#reader.columns.map(({ name }) => {
      const text = this.#options.formulas === 'escape' ? (this.#guard(name) as string) : name
      return needsQuotes(text) ? `${quote}${text.replaceAll(quote, quote + quote)}${quote}` : text
    })
    return cells.join(delimiter) + (lineEnd === 'crlf' ? '\r\n' : '\n')
  }

  /** Rows of the records [from, to) of `batch`. */
  rows(batch: RecordBatch, from: number, to: number): string {
    const width = this.#reader.columns.length
    const rows: ColumnValue[][] = []
    for (let index = from; index < to; index++) {
      const row = new Array<ColumnValue>(width).fill(null)
      this.#reader.read(batch, index, row)
      for (const column of this.#guarded) row[column] = this.#guard(row[column]!)
      if (width < 2 && (row[0] ?? null) === null) this.#blanks++
      rows.push(row)
    }
    return this.#lines(rows)
  }

  /** Counts what others did that wrote rows: unknown fields that they left out, formulas that they escaped, rows
   *  without a character. */
  count(dropped: number, escaped: number, blank: number): void {
    this.#reader.countUnknown(dropped)
    this.#formulas += escaped
    this.#blanks += blank
  }

  /** What was counted so far. */
  warnings(): Warning[] {
    const warnings = this.#reader.warnings()
    if (this.#formulas > 0) {
      warnings.push({
        code: 'formulas-escaped',
        message: "text that a spreadsheet program would run as a formula has ' before it",
        count: this.#formulas,
      })
    }
    if (this.#blanks > 0) {
      warnings.push({
        code: 'blank-rows',
        message:
          'rows whose only cell is null are blank lines, which pandas and pyarrow.csv leave out (DuckDB and polars read them); a second column, such as id, keeps them',
        count: this.#blanks,
      })
    }
    return warnings
  }

  #lines(rows: readonly ColumnValue[][]): string {
    const { delimiter = ',', quote = '"', lineEnd = 'lf' } = this.#options
    try {
      return this.#stringify!(rows as ColumnValue[][], {
        delimiter,
        quote,
        escape: quote,
        record_delimiter: lineEnd === 'crlf' ? '\r\n' : '\n',
        quoted_string: true,
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

/** Text that spreadsheet programs run: `=`, `+`, `-`, `@`, their full-width forms, a tab or a carriage return at the
 *  start (OWASP, CSV Injection), also after white space, which some programs trim. */
const formula = /^[\t\r]|^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/
