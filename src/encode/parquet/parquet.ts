// Parquet with columns from the declared schema. Records are gathered into one row group at a time, which ends at a number of records or of record
// bytes, so where it ends depends on the data alone; a library writes it.

import { MiB } from '../../bytes/units.js'
import { ConfigError } from '../../errors.js'
import type { RecordBatch, Warning } from '../../record.js'
import type { ResourceSchema } from '../../schema/resource.js'
import type { OnTypeMismatch, UnknownFields } from '../columns/layout.js'
import { ColumnReader, type ColumnValue } from '../columns/reader.js'
import type { TimestampUnit } from '../columns/timestamp.js'
import type { ByteSink, Encoder } from '../encoder.js'
import type { OpenRowGroupWriter, ParquetCompression, RowGroupWriter } from './writer.js'

/** The libraries of this version, default first. */
export const parquetWriterNames = ['hyparquet-writer', 'parquetjs-lite'] as const
export type ParquetWriterName = (typeof parquetWriterNames)[number]

export interface ParquetOptions {
  /** Declared fields, in column order; fields that the user excluded are already gone from it. */
  schema: ResourceSchema
  /** Whether batches carry keys: then the first column is `_key`. Default false. */
  hasKey?: boolean
  /** Library that writes. `parquetjs-lite` is for comparison and compatibility: several times slower, files a fifth larger, no statistics, timestamps in
   *  milliseconds whatever `timestampUnit` says. Default `hyparquet-writer`. */
  writer?: ParquetWriterName
  /** `gzip` is node:zlib at level 1 with hyparquet-writer, at level 6 with parquetjs-lite. Default `snappy`. */
  compression?: ParquetCompression
  /** Unit of timestamp columns; a date-time with digits beyond it is a type mismatch. Default `micros`. */
  timestampUnit?: TimestampUnit
  /** Most records in a row group. More make smaller files and faster scans, at the price of memory and of a thread that is busy for longer: about half a
   *  second per 10,000 members. Default 10,000. */
  rowGroupRows?: number
  /** Most bytes of JSON in a row group; a single record may be longer. Default 32 MiB. */
  rowGroupBytes?: number
  /** Default `extra`. */
  unknownFields?: UnknownFields
  /** Default `extra`. */
  onTypeMismatch?: OnTypeMismatch
  /** Whether a string with a lone surrogate escape is an error rather than counted U+FFFD. Default false. */
  strict?: boolean
}

/**
 * Encoder for Parquet: strings, booleans, timestamps in UTC, lists of structs as 3-level LIST, free-form JSON as JSON text with the digits that the
 * server sent. Every column is optional, since the server promises no field.
 * @throws ConfigError ERR_OPTION_INVALID
 */
export function parquetEncoder(options: ParquetOptions): Encoder {
  return new ParquetEncoder(options)
}

const openers: Record<ParquetWriterName, () => Promise<OpenRowGroupWriter>> = {
  'hyparquet-writer': async () => (await import('./hyparquet.js')).openHyparquetWriter,
  'parquetjs-lite': async () => (await import('./parquetjs.js')).openParquetjsWriter,
}

class ParquetEncoder implements Encoder {
  readonly format = 'parquet'
  readonly mediaType = 'application/vnd.apache.parquet'
  readonly extension = '.parquet'
  readonly #options: ParquetOptions
  readonly #timestampUnit: TimestampUnit
  readonly #rowGroupRows: number
  readonly #rowGroupBytes: number
  readonly #reader: ColumnReader
  readonly #row: ColumnValue[]
  #writer: RowGroupWriter | undefined
  /** The open row group by column, with its records and their bytes counted. */
  #values: ColumnValue[][]
  #rows = 0
  #bytes = 0

  constructor(options: ParquetOptions) {
    const { schema, rowGroupRows = 10_000, rowGroupBytes = 32 * MiB } = options
    checkCount('rowGroupRows', rowGroupRows)
    checkCount('rowGroupBytes', rowGroupBytes)
    this.#options = options
    this.#rowGroupRows = rowGroupRows
    this.#rowGroupBytes = rowGroupBytes
    this.#timestampUnit = options.writer === 'parquetjs-lite' ? 'millis' : (options.timestampUnit ?? 'micros')
    this.#reader = new ColumnReader({
      schema,
      hasKey: options.hasKey ?? false,
      nested: 'values',
      flattenSlots: 1,
      unknownFields: options.unknownFields ?? 'extra',
      onTypeMismatch: options.onTypeMismatch ?? 'extra',
      timestamps: this.#timestampUnit,
      strict: options.strict ?? false,
    })
    const { columns } = this.#reader
    if (columns.length === 0)
      throw new ConfigError('ERR_OPTION_INVALID', 'a Parquet file needs a column, and all are excluded')
    this.#row = new Array<ColumnValue>(columns.length).fill(null)
    this.#values = columns.map(() => [])
  }

  async begin(out: ByteSink): Promise<void> {
    const { schema, writer = 'hyparquet-writer', compression = 'snappy' } = this.#options
    const open = await openers[writer]()
    this.#writer = await open({
      out,
      columns: this.#reader.columns,
      compression,
      timestampUnit: this.#timestampUnit,
      metadata: {
        'truto-export.resource': schema.resource,
        'truto-export.schema-version': String(schema.version),
      },
    })
  }

  async encode(batch: RecordBatch): Promise<void> {
    const row = this.#row
    for (let index = 0; index < batch.count; index++) {
      const bytes = batch.end(index) - batch.start(index)
      if (this.#rows > 0 && this.#bytes + bytes > this.#rowGroupBytes) await this.#closeRowGroup()
      this.#reader.read(batch, index, row)
      for (let column = 0; column < row.length; column++) this.#values[column]!.push(row[column]!)
      this.#rows++
      this.#bytes += bytes
      if (this.#rows >= this.#rowGroupRows) await this.#closeRowGroup()
    }
  }

  async end(): Promise<void> {
    if (this.#rows > 0) await this.#closeRowGroup()
    await this.#writer!.finish()
  }

  warnings(): Warning[] {
    return this.#reader.warnings()
  }

  async #closeRowGroup(): Promise<void> {
    const values = this.#values
    const rows = this.#rows
    this.#values = values.map(() => [])
    this.#rows = 0
    this.#bytes = 0
    await this.#writer!.writeRowGroup(values, rows)
  }
}

function checkCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new ConfigError('ERR_OPTION_INVALID', `${name} must be a whole number of at least 1`)
  }
}
