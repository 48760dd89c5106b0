// Parquet with columns from the declared schema. A row group ends where row-group-end.ts says, or where the encoder is
// told to.

import { KiB, MiB } from '../../bytes/units.js'
import { ConfigError } from '../../errors.js'
import type { JsonValue, RecordBatch, Warning } from '../../record.js'
import { checkSchema } from '../../schema/check-schema.js'
import { columnsIn } from '../../schema/column-budget.js'
import type { ResourceSchema } from '../../schema/resource.js'
import { type Column, layoutOf, type OnTypeMismatch, type UnknownFields } from '../columns/layout.js'
import type { TimestampExcess, TimestampForms, TimestampUnit } from '../columns/timestamp.js'
import type { ByteSink, Encoder } from '../encoder.js'
import { extensionOf, formats } from '../formats.js'
import type { ParquetCompression, ParquetJsonType, ParquetWriterName } from './choices.js'
import { requireCompression } from './compression.js'
import { defaultRowGroupLimits, RowGroupEnd } from './row-group-end.js'
import { jsonPaths } from './schema.js'
import { Turn } from './turn.js'
import type { OpenRowGroupWriter, RowGroupWriter, RowGroupWriterOptions } from './writer.js'

export interface ParquetOptions {
  /** Declared fields, in column order; fields that the user excluded are already gone from it. */
  schema: ResourceSchema
  /** Whether batches carry keys: then the first column is `_key`. Default false. */
  hasKey?: boolean
  /** `parquetjs-lite` is for comparison and compatibility: many times slower, files a fifth larger, no statistics, no
   *  zstd, timestamps in milliseconds whatever `timestampUnit` says. Default `builtin`, our own. */
  writer?: ParquetWriterName
  /** `gzip` is that of node:zlib, at level 6; `zstd` needs a Node.js that has it. Default `snappy`. */
  compression?: ParquetCompression
  /** Unit of timestamp columns. Default `micros`. Nanoseconds end with the year 2262. */
  timestampUnit?: TimestampUnit
  /** Digits beyond the unit that are not zero are cut off and counted, or the value is a type mismatch. Default
   *  `truncate`. */
  timestampExcess?: TimestampExcess
  /** Whether date-times in other forms than RFC 3339 are read, and counted, or are type mismatches. Default `any`. */
  timestampForms?: TimestampForms
  /** Type of columns that hold JSON text: a plain string, which every reader takes, or the logical type JSON. The
   *  footer names them either way. Default `string`. */
  json?: ParquetJsonType
  /** Most records in a row group. More make smaller files and faster scans, at the price of memory. Default 50,000;
   *  fewer where there are more than 600 columns. */
  rowGroupRows?: number
  /** Bytes of JSON, a line feed after each record, with which a row group ends. Default 32 MiB. */
  rowGroupBytes?: number
  /** Default `extra`. */
  unknownFields?: UnknownFields
  /** Default `extra`. */
  onTypeMismatch?: OnTypeMismatch
  /** Whether a string with a lone surrogate escape is an error rather than counted U+FFFD. Default false. */
  strict?: boolean
  /** Most columns, those inside of structs and lists counted. Default 10,000. */
  maxColumns?: number | undefined
  /** Whether the column `id` gets a Bloom filter, by which readers that look for one id pass over row groups. Not with
   *  parquetjs-lite. Default false. */
  bloom?: boolean
  /** More key-value pairs for the footer, beside the resource and the version of its schema. */
  metadata?: Readonly<Record<string, string>>
}

/** Records that are read between two turns of the event loop, by their bytes and by what they are in columns, since a
 *  record of `{}` is a null in each. */
const bytesPerTurn = 256 * KiB
const cellsPerTurn = 4 * MiB

/**
 * Encoder for Parquet: strings, booleans, numbers, timestamps in UTC, lists of structs as 3-level LIST, free-form JSON
 * as JSON text with the digits that the server sent. Every column is optional, since the server promises no field. What
 * `save` gives is undefined while a row group is held.
 * @throws ConfigError ERR_OPTION_INVALID, ERR_RUNTIME_MISSING
 */
export function parquetEncoder(options: ParquetOptions): Encoder {
  return new ParquetEncoder(options)
}

const openers: Record<ParquetWriterName, () => Promise<OpenRowGroupWriter>> = {
  builtin: async () => (await import('./builtin.js')).openBuiltinWriter,
  'parquetjs-lite': async () => (await import('./parquetjs.js')).openParquetjsWriter,
}

class ParquetEncoder implements Encoder {
  readonly format = 'parquet'
  readonly mediaType = formats.parquet.mediaType
  readonly extension = extensionOf('parquet', 'none')
  readonly save?: () => JsonValue | undefined
  readonly #writerName: ParquetWriterName
  readonly #options: RowGroupWriterOptions
  readonly #end: RowGroupEnd
  readonly #rowsPerTurn: number
  readonly #turn = new Turn()
  #writer: RowGroupWriter | undefined

  constructor(options: ParquetOptions) {
    const {
      schema,
      writer = 'builtin',
      compression = 'snappy',
      rowGroupRows = defaultRowGroupLimits.rows,
      rowGroupBytes = defaultRowGroupLimits.bytes,
      json: jsonType = 'string',
    } = options
    checkCount('rowGroupRows', rowGroupRows)
    checkCount('rowGroupBytes', rowGroupBytes)
    checkSchema(schema, options.maxColumns)
    requireCompression(compression)
    if (writer === 'parquetjs-lite' && compression === 'zstd')
      throw new ConfigError('ERR_OPTION_INVALID', 'parquetjs-lite has no zstd')
    this.#writerName = writer
    const records = {
      schema,
      hasKey: options.hasKey ?? false,
      unknownFields: options.unknownFields ?? 'extra',
      onTypeMismatch: options.onTypeMismatch ?? 'extra',
      maxColumns: options.maxColumns,
    } as const
    const { columns } = layoutOf({ ...records, nested: 'values', flattenSlots: 1 })
    if (columns.length === 0)
      throw new ConfigError('ERR_OPTION_INVALID', 'a Parquet file needs a column, and all are excluded')
    this.#options = {
      ...records,
      compression,
      hasBloomFilter: options.bloom ?? false,
      strict: options.strict ?? false,
      timestampUnit: options.timestampUnit ?? 'micros',
      timestampExcess: options.timestampExcess ?? 'truncate',
      timestampForms: options.timestampForms ?? 'any',
      jsonType,
      metadata: {
        'truto-export.resource': schema.resource,
        'truto-export.schema-version': String(schema.version),
        ...jsonMetadata(columns, jsonType),
        ...options.metadata,
      },
    }
    const cells = columnsIn(columns)
    this.#end = new RowGroupEnd({ rows: rowGroupRows, bytes: rowGroupBytes }, cells)
    this.#rowsPerTurn = Math.ceil(cellsPerTurn / cells)
    if (writer === 'builtin') this.save = () => (this.#end.isEmpty ? this.#writer!.save!() : undefined)
  }

  async begin(out: ByteSink, saved?: JsonValue): Promise<void> {
    const open = await openers[this.#writerName]()
    this.#writer = await open(this.#options, out, saved)
  }

  async encode(batch: RecordBatch): Promise<void> {
    const writer = this.#writer!
    for (let from = 0; from < batch.count; ) {
      const to = this.#end.count(batch, from, this.#stepEnd(batch, from))
      writer.append(batch, from, to)
      if (this.#end.isReached) await this.cut()
      else if (to < batch.count && this.#turn.isOver) await this.#turn.take()
      from = to
    }
  }

  async end(): Promise<void> {
    await this.cut()
    await this.#writer!.finish()
  }

  async cut(): Promise<void> {
    if (this.#end.isEmpty) return
    await this.#writer!.endRowGroup()
    this.#end.reset()
  }

  warnings(): Warning[] {
    return this.#writer?.warnings() ?? []
  }

  /** One past the record of `batch`, from `from` on, with which others get their turn. */
  #stepEnd(batch: RecordBatch, from: number): number {
    const last = Math.min(batch.count, from + this.#rowsPerTurn)
    let bytes = 0
    let index = from
    while (index < last && bytes < bytesPerTurn) {
      bytes += batch.end(index) - batch.start(index) + 1
      index++
    }
    return index
  }
}

/** Where JSON text is, for who cannot see it from the type of the column. */
function jsonMetadata(columns: readonly Column[], jsonType: ParquetJsonType): Record<string, string> {
  const paths = jsonPaths(columns)
  if (paths.length === 0) return {}
  return { 'truto-export.json-type': jsonType, 'truto-export.json-columns': JSON.stringify(paths) }
}

function checkCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new ConfigError('ERR_OPTION_INVALID', `${name} must be a whole number of at least 1`)
  }
}
