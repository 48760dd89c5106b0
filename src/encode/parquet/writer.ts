// What the encoder asks of who writes the row groups, which are ours or a library's: records in, bytes out.

import type { JsonValue, RecordBatch, Warning } from '../../record.js'
import type { ResourceSchema } from '../../schema/resource.js'
import type { OnTypeMismatch, UnknownFields } from '../columns/layout.js'
import type { TimestampExcess, TimestampForms } from '../columns/timestamp.js'
import type { ByteSink } from '../encoder.js'
import type { ParquetCompression } from './choices.js'
import type { ChosenTypes } from './schema.js'

export interface RowGroupWriterOptions extends ChosenTypes {
  readonly schema: ResourceSchema
  readonly hasKey: boolean
  readonly unknownFields: UnknownFields
  readonly onTypeMismatch: OnTypeMismatch
  readonly strict: boolean
  readonly maxColumns?: number | undefined
  readonly compression: ParquetCompression
  /** Whether the column `id` gets a Bloom filter, if the writer can. */
  readonly hasBloomFilter: boolean
  readonly timestampExcess: TimestampExcess
  readonly timestampForms: TimestampForms
  /** Key-value metadata of the footer. */
  readonly metadata: Readonly<Record<string, string>>
}

export interface RowGroupWriter {
  /** Adds records [from, to) of `batch` to the row group in hand. @throws DataError */
  append(batch: RecordBatch, from: number, to: number): void
  /** Writes the row group in hand, of at least one record, and begins another. Resolves when the sink has its bytes. */
  endRowGroup(): Promise<void>
  /** Writes the footer. The row group in hand is empty. */
  finish(): Promise<void>
  /** What was counted so far. */
  warnings(): Warning[]
  /** What another writer needs to go on. The row group in hand is empty. Absent where that cannot be. */
  save?(): JsonValue
}

/** Begins a file, or resumes what `save` gave. */
export type OpenRowGroupWriter = (
  options: RowGroupWriterOptions,
  out: ByteSink,
  saved?: JsonValue,
) => Promise<RowGroupWriter>
