// Rows by csv-stringify, from what the column reader makes of records: for every dialect, and for every record. What
// else writes rows has to write the same.

import { ElementWalker, MemberWalker } from '../../bytes/members.js'
import { asExportError } from '../../errors.js'
import type { RecordBatch, Warning } from '../../record.js'
import type { FirstColumn } from '../columns/layout.js'
import { ColumnReader, type ColumnValue, NumberText } from '../columns/reader.js'
import { isTimestamp } from '../columns/timestamp.js'
import type { CsvOptions } from './options.js'

type Stringify = typeof import('csv-stringify/sync')['stringify']

export class StringifiedRows {
  readonly #options: CsvOptions
  readonly #reader: ColumnReader
  /** Indexes of the columns that hold text of the server's choice, where `formulas` is `escape`. */
  readonly #guarded: readonly number[]
  /** Indexes of the same, where `lineFeeds` is not `keep`. */
  readonly #flowing: readonly number[]
  /** What stands in place of null, where that is not nothing. */
  readonly #null: NumberText | null
  #stringify: Stringify | undefined
  #formulas = 0
  /** Texts whose line feeds, carriage returns or backslashes were changed. */
  #changed = 0
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
      flatten: options.flatten,
      maxColumns: options.maxColumns,
    })
    const { formulas, lineFeeds = 'keep', null: nullText = '' } = options
    // JSON text begins with a bracket, a quote, a literal or a number, and is no formula; nor has it line feeds
    const texts = this.#reader.columns.flatMap(({ type }, index) => (type.kind === 'string' ? [index] : []))
    this.#guarded = formulas === 'escape' ? texts : []
    this.#flowing = lineFeeds === 'keep' ? [] : texts
    this.#null = nullText === '' ? null : new NumberText(nullText)
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
    const { delimiter = ',', quote = '"', lineEnd = 'lf', escape: escaping = 'quote', lineFeeds } = this.#options
    const escaped = escaping === 'backslash' ? ['\\', quote] : [quote]
    const mark = escaping === 'backslash' ? '\\' : quote
    const needsQuotes = (name: string): boolean =>
      name.includes(delimiter) ||
      escaped.some((character) => name.includes(character)) ||
      /[\r\n]|^\ufeff/.test(name) ||
      (this.#null !== null && name === this.#null.text)
    const cells = this.#reader.columns.map(({ name }) => {
      const guarded = this.#options.formulas === 'escape' ? (this.#guard(name) as string) : name
      const text = lineFeeds === 'space' || lineFeeds === 'escape' ? withoutLineFeeds(guarded, lineFeeds) : guarded
      if (!needsQuotes(text)) return text
      const inner = escaped.reduce((sum, character) => sum.replaceAll(character, () => mark + character), text)
      return `${quote}${inner}${quote}`
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
      for (const first of this.#reader.firsts) row[first.index] = firstOf(row[first.listIndex]!, first)
      for (const column of this.#guarded) row[column] = this.#guard(row[column]!)
      for (const column of this.#flowing) row[column] = this.#flow(row[column]!)
      if (this.#null !== null) this.#fill(row)
      else if (width < 2 && (row[0] ?? null) === null) this.#blanks++
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
    if (this.#changed > 0) {
      warnings.push({
        code: 'line-feeds-changed',
        message:
          this.#options.lineFeeds === 'space'
            ? 'texts have spaces in place of line feeds and carriage returns'
            : 'texts have \\n, \\r and \\\\ in place of line feeds, carriage returns and backslashes',
        count: this.#changed,
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
    const { delimiter = ',', quote = '"', lineEnd = 'lf', escape: escaping } = this.#options
    try {
      return this.#stringify!(rows as ColumnValue[][], {
        delimiter,
        quote,
        escape: escaping === 'backslash' ? '\\' : quote,
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

  #fill(row: ColumnValue[]): void {
    for (let column = 0; column < row.length; column++) {
      // own text for null is no string, and so it is not quoted
      if ((row[column] ?? null) === null) row[column] = this.#null as unknown as ColumnValue
    }
  }

  #flow(value: ColumnValue): ColumnValue {
    if (typeof value !== 'string') return value
    const text = withoutLineFeeds(value, this.#options.lineFeeds as 'space' | 'escape')
    if (text !== value) this.#changed++
    return text
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

/** A text on one line: what stands for line feeds can be taken back under `escape`, where backslashes are doubled. */
function withoutLineFeeds(text: string, how: 'space' | 'escape'): string {
  if (how === 'space') return text.replace(/\r\n|[\r\n]/g, ' ')
  return text.replace(/[\r\n\\]/g, (found) => (found === '\n' ? '\\n' : found === '\r' ? '\\r' : '\\\\'))
}

const elements = new ElementWalker()
const members = new MemberWalker()

/** What is at the path in the first element of a list, whose JSON text is given. */
function firstOf(list: ColumnValue, { path, kind }: FirstColumn): ColumnValue {
  if (typeof list !== 'string') return null
  const bytes = Buffer.from(list)
  if (!elements.begin(bytes, 0).next()) return null
  let { valueStart: start, valueEnd: end } = elements
  for (const name of path) {
    if (bytes[start] !== 0x7b) return null
    members.begin(bytes, start)
    start = -1
    // the last of equal keys counts
    while (members.next()) if (members.key() === name) [start, end] = [members.valueStart, members.valueEnd]
    if (start < 0) return null
  }
  const text = bytes.toString('utf8', start, end)
  if (text === 'null') return null
  if (kind === 'json') return text
  const value = JSON.parse(text) as unknown
  if (kind === 'boolean') return typeof value === 'boolean' ? value : null
  if (kind === 'string') return typeof value === 'string' ? value : null
  if (kind === 'timestamp') return typeof value === 'string' && isDateTime(value) ? value : null
  if (typeof value !== 'number' || (kind === 'int64' && !wholeNumber.test(text))) return null
  return new NumberText(text) as unknown as ColumnValue
}

function isDateTime(text: string): boolean {
  const bytes = Buffer.from(text)
  return isTimestamp(bytes, 0, bytes.length)
}

/** One that 64 bits hold, whatever its digits. */
const wholeNumber = /^-?\d{1,18}$/
