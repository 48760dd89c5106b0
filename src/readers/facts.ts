// What has to be known of a file to read it rightly.

import type { Column } from '../encode/columns/layout.js'
import type { Codec, Format } from '../encode/formats.js'
import type { JsonValue } from '../record.js'

/** How the cells of CSV are written. Strings are quoted, all else is not. */
export interface Dialect {
  readonly delimiter: string
  readonly quote: string
  readonly hasHeader: boolean
  /** What stands, unquoted, where there is no value. */
  readonly nullText: string
  /** What stands before a quote in a string: another quote, or a backslash. */
  readonly escape: 'quote' | 'backslash'
  /** Line feeds in cells: as they are, as spaces, or as a backslash and an n. */
  readonly lineFeeds: 'keep' | 'space' | 'escape'
  readonly lineEnd: 'lf' | 'crlf'
}

/** Unit of the timestamp columns of Parquet; `text` is the server's own text. */
export type InstantUnit = 'millis' | 'micros' | 'nanos' | 'text'

export interface FileFacts {
  readonly format: Format
  readonly compression: Codec
  /** Of CSV; of no meaning elsewhere. */
  readonly dialect: Dialect
  /** All columns of CSV and Parquet, in order; of NDJSON and JSON the fields that are to be read. */
  readonly columns: readonly Column[]
  /** As the code shall name them: one, or the parts of a directory. */
  readonly paths: readonly [string, ...string[]]
  /** Whether records of NDJSON and JSON stand under their keys. */
  readonly isKeyed: boolean
  readonly instantUnit: InstantUnit
  /** Type of the columns of Parquet that hold JSON text. */
  readonly jsonType: 'string' | 'json'
}

/** The dialect that options of these names in code give, as a manifest tells them; what is absent is as by default. */
export function dialectOf(options: { readonly [name: string]: JsonValue | undefined }): Dialect {
  const text = (name: string, otherwise: string): string => {
    const value = options[name]
    return typeof value === 'string' ? value : otherwise
  }
  const lineFeeds = text('csvLineFeeds', 'keep')
  return {
    delimiter: text('csvDelimiter', ','),
    quote: text('csvQuote', '"'),
    hasHeader: options['csvHeader'] !== false,
    nullText: text('csvNull', ''),
    escape: text('csvEscape', 'quote') === 'backslash' ? 'backslash' : 'quote',
    lineFeeds: lineFeeds === 'space' || lineFeeds === 'escape' ? lineFeeds : 'keep',
    lineEnd: text('csvLineEnd', 'lf') === 'crlf' ? 'crlf' : 'lf',
  }
}

/** The unit that options give, where a file does not tell it. */
export function instantUnitOf(options: { readonly [name: string]: JsonValue | undefined }): InstantUnit {
  const unit = options['timestampUnit']
  return unit === 'millis' || unit === 'nanos' || unit === 'text' ? unit : 'micros'
}
