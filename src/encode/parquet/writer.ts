// What the encoder asks of a library that writes Parquet: row groups in, bytes out, and nothing kept of a row group once it is written.

import type { Column } from '../columns/layout.js'
import type { ColumnValue } from '../columns/reader.js'
import type { TimestampUnit } from '../columns/timestamp.js'
import type { ByteSink } from '../encoder.js'

export type ParquetCompression = 'snappy' | 'gzip' | 'none'

export interface RowGroupWriterOptions {
  readonly out: ByteSink
  readonly columns: readonly Column[]
  readonly compression: ParquetCompression
  readonly timestampUnit: TimestampUnit
  /** Key-value metadata of the footer. */
  readonly metadata: Readonly<Record<string, string>>
}

export interface RowGroupWriter {
  /** Writes one row group of `rows` rows, at least 1: `values[c]` has column c from top to bottom. Resolves when the sink has its bytes. */
  writeRowGroup(values: readonly ColumnValue[][], rows: number): Promise<void>
  /** Writes the footer. */
  finish(): Promise<void>
}

/** Opens a writer and writes the magic bytes at the start of the file. */
export type OpenRowGroupWriter = (options: RowGroupWriterOptions) => Promise<RowGroupWriter>
