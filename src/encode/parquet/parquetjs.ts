// Row groups through parquetjs-lite, with the only settings under which its files are right: pages V1 (its V2 headers
// count values as rows), no page index (it is invalid), no statistics (its string bounds make filters lose rows, its
// counts of dates are wrong), lists wrapped, every call awaited.

import { setImmediate } from 'node:timers/promises'
import parquetjs, { type FieldDefinition, type ParquetSchema, type ParquetWriter } from 'parquetjs-lite'
import { asExportError, DataError } from '../../errors.js'
import type { RecordBatch, Warning } from '../../record.js'
import type { FieldType } from '../../schema/resource.js'
import type { Column } from '../columns/layout.js'
import { ColumnReader, type ColumnValue } from '../columns/reader.js'
import type { ByteSink } from '../encoder.js'
import type { ParquetJsonType } from './choices.js'
import { jsonPaths, pathInSchema } from './schema.js'
import type { RowGroupWriter, RowGroupWriterOptions } from './writer.js'

const codecs = { snappy: 'SNAPPY', gzip: 'GZIP', none: 'UNCOMPRESSED' } as const

/** Rows of a page, which the library holds as arrays until it is full. Speed is the same from 200 to 8,192, memory
 *  grows. */
const pageRows = 1000
/** Rows between two turns of the event loop: a row group takes seconds of computing, and timers and sockets must not
 *  wait for all of it. */
const rowsPerTurn = 250

/** Opens a file of data pages V1 in PLAIN. Timestamps are milliseconds whatever the options say; there is no zstd. */
export async function openParquetjsWriter(options: RowGroupWriterOptions, out: ByteSink): Promise<RowGroupWriter> {
  const writer = new ParquetjsRowGroups(options, out)
  await writer.drain()
  return writer
}

class ParquetjsRowGroups implements RowGroupWriter {
  readonly #out: ByteSink
  readonly #reader: ColumnReader
  readonly #columns: readonly Column[]
  /** The row group in hand by column. */
  #values: ColumnValue[][]
  readonly #row: ColumnValue[]
  readonly #jsonPaths: ReadonlySet<string>
  readonly #jsonType: ParquetJsonType
  readonly #schema: ParquetSchema
  readonly #file: ParquetWriter
  /** What the library wrote and the sink does not have yet: it writes its header without waiting, the sink takes one
   *  write at a time. */
  #pending: Buffer[] = []

  constructor(options: RowGroupWriterOptions, out: ByteSink) {
    this.#out = out
    const { timestampExcess: excess, timestampForms: forms } = options
    const timestamps = { unit: 'millis', excess, forms } as const
    this.#reader = new ColumnReader({ ...options, nested: 'values', flattenSlots: 1, timestamps })
    const { columns } = this.#reader
    this.#columns = columns
    this.#values = columns.map(() => [])
    this.#row = new Array<ColumnValue>(columns.length).fill(null)
    this.#jsonPaths = new Set(jsonPaths(columns))
    this.#jsonType = options.jsonType
    const compression = codecs[options.compression as keyof typeof codecs]
    this.#schema = new parquetjs.ParquetSchema(
      Object.fromEntries(columns.map(({ name, type }) => [name, definition(type, compression)])),
    )
    const write = (bytes: Buffer): Promise<void> => {
      this.#pending.push(bytes)
      return Promise.resolve()
    }
    const envelope = new parquetjs.ParquetEnvelopeWriter(this.#schema, write, () => Promise.resolve(), 0, {
      pageIndex: false,
      useDataPageV2: false,
      pageSize: pageRows,
    })
    this.#file = new parquetjs.ParquetWriter(this.#schema, envelope, { rowGroupSize: 1 })
    for (const [key, value] of Object.entries(options.metadata)) this.#file.setMetadata(key, value)
  }

  append(batch: RecordBatch, from: number, to: number): void {
    const row = this.#row
    for (let index = from; index < to; index++) {
      this.#reader.read(batch, index, row)
      for (let column = 0; column < row.length; column++) this.#values[column]!.push(row[column]!)
    }
  }

  async endRowGroup(): Promise<void> {
    const values = this.#values
    const rows = values[0]!.length
    this.#values = values.map(() => [])
    try {
      this.#file.setRowGroupSize(rows) // the last of them closes the group
      for (let row = 0; row < rows; row++) {
        const record: Record<string, unknown> = {}
        this.#columns.forEach(({ name, type }, index) => {
          record[name] = wrap(type, values[index]![row]!)
        })
        await this.#file.appendRow(record)
        if ((row + 1) % rowsPerTurn === 0) await setImmediate()
      }
    } catch (error) {
      throw asExportError(error, 'writing a Parquet row group')
    }
    await this.drain()
  }

  async finish(): Promise<void> {
    // While it writes, the library must not know that a column is JSON: it would print our JSON text as a JSON string.
    // All values are written by now, and the footer is to name the type.
    const originalType = { string: 'UTF8', json: 'JSON' }[this.#jsonType]
    for (const field of this.#schema.fieldList) {
      if (!field.isNested && this.#jsonPaths.has(pathInSchema(field.path))) field.originalType = originalType
    }
    try {
      await this.#file.close()
    } catch (error) {
      throw asExportError(error, 'writing the Parquet footer')
    }
    await this.drain()
  }

  warnings(): Warning[] {
    return this.#reader.warnings()
  }

  async drain(): Promise<void> {
    const pending = this.#pending
    this.#pending = []
    for (const bytes of pending) await this.#out.write(bytes)
  }
}

function definition(type: FieldType, compression: string): FieldDefinition {
  const scalar = (name: string): FieldDefinition => ({ type: name, optional: true, compression, statistics: false })
  switch (type.kind) {
    case 'string':
      return scalar('UTF8')
    case 'boolean':
      return scalar('BOOLEAN')
    case 'timestamp':
      return scalar('TIMESTAMP_MILLIS')
    case 'json':
      return scalar('BYTE_ARRAY')
    case 'int64':
      return scalar('INT64')
    case 'double':
      return scalar('DOUBLE')
    case 'struct':
      return {
        optional: true,
        fields: Object.fromEntries(type.fields.map((field) => [field.name, definition(field.type, compression)])),
      }
    case 'list':
      return {
        type: 'LIST',
        optional: true,
        fields: { list: { repeated: true, fields: { element: definition(type.element, compression) } } },
      }
  }
}

/** A value as the library takes it: lists as groups of the 3-level LIST, timestamps as Date since it reads text wrongly
 *  and refuses negative numbers. */
function wrap(type: FieldType, value: ColumnValue): unknown {
  if (value === null) return null
  switch (type.kind) {
    case 'timestamp':
      return new Date(Number(value))
    case 'int64': {
      // its check of an INT64 is parseInt, which rounds
      const number = Number(value)
      if (Number.isSafeInteger(number)) return number
      throw new DataError(
        'ERR_TYPE_MISMATCH',
        'parquetjs-lite cannot write a whole number of this record without rounding it',
        { data: { lead: ': ', text: String(value), at: 0, shown: 40 } },
      )
    }
    case 'struct': {
      const struct = value as { [field: string]: ColumnValue }
      return Object.fromEntries(type.fields.map((field) => [field.name, wrap(field.type, struct[field.name]!)]))
    }
    case 'list':
      return { list: (value as ColumnValue[]).map((element) => ({ element: wrap(type.element, element) })) }
    default:
      return value
  }
}
