// What a CSV file may be like.

import type { ResourceSchema } from '../../schema/resource.js'
import type { OnTypeMismatch, UnknownFields } from '../columns/layout.js'
import type { TimestampForms } from '../columns/timestamp.js'

export interface CsvOptions {
  /** Declared fields, in column order; fields that the user excluded are already gone from it. */
  schema: ResourceSchema
  /** Whether batches carry keys: then the first column is `_key`. Default false. */
  hasKey?: boolean
  /** One character between cells. Default `,`. */
  delimiter?: string
  /** One character around strings. Default `"`. */
  quote?: string
  /** What a cell without a value is, unquoted: no number or boolean, without delimiter, quote and control characters.
   *  Default empty. */
  null?: string
  /** What stands before a quote in a string: another one, or a backslash, which then stands before backslashes too.
   *  Default `quote`. */
  escape?: 'quote' | 'backslash'
  /** Line feeds and carriage returns in strings and names: as they are, a space for each (CRLF is one), or a backslash
   *  and `n` or `r` for each, where backslashes are doubled. JSON text has none, and keeps its backslashes. Default
   *  `keep`; what changes is counted. */
  lineFeeds?: 'keep' | 'space' | 'escape'
  /** End of every line, the header's and the last one's too. Default `lf`. */
  lineEnd?: 'lf' | 'crlf'
  /** Whether the bytes begin with a UTF-8 byte order mark, which spreadsheet programs look for. Default false. */
  bom?: boolean
  /** Whether the first line has the names of the columns. Default true. */
  header?: boolean
  /** Lists and structs as one column of JSON text, or as a column for each leaf (`emails.0.email`). Default `json`. A
   *  value that its flattened columns do not tell whole (more elements than slots, an empty list, a null element) is
   *  also kept in `extra`. */
  nested?: 'json' | 'flatten'
  /** Elements of each list that get columns under `flatten`. Default 1. */
  flattenSlots?: number
  /** Columns of what is in the first element of a list, beside the list's own: `emails=first:email` gives `email`. Only
   *  where `nested` is `json`. */
  flatten?: readonly string[]
  /** `escape` puts `'` before text that a spreadsheet program would run as a formula. It changes data (`+49…` becomes
   *  `'+49…`) and is counted. Default `keep`. */
  formulas?: 'keep' | 'escape'
  /** Default `extra`. Of nested values in JSON text nothing is unknown: the text holds all their fields. */
  unknownFields?: UnknownFields
  /** Default `extra`. A date-time and a `double` of any precision fit, since their text is kept. */
  onTypeMismatch?: OnTypeMismatch
  /** Whether date-times in other forms than RFC 3339 are read, written as RFC 3339 and counted, or are type mismatches.
   *  Default `any`. */
  timestampForms?: TimestampForms
  /** Whether a string with a lone surrogate escape is an error rather than counted U+FFFD. Default false. */
  strict?: boolean
  /** Most columns, those inside of structs and lists counted. Default 10,000. */
  maxColumns?: number | undefined
}
