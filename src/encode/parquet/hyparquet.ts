// Row groups through hyparquet-writer, with the settings that make its files readable everywhere: plain booleans (several engines lack RLE ones), no page
// index, no statistics on JSON, whose bounds would put whole payloads into the footer.

import { gzipSync } from 'node:zlib'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { asExportError } from '../../errors.js'
import type { FieldType } from '../../schema/resource.js'
import type { Column } from '../columns/layout.js'
import type { ColumnValue } from '../columns/reader.js'
import type { TimestampUnit } from '../columns/timestamp.js'
import type { ByteSink } from '../encoder.js'
import { createdBy } from './created-by.js'
import type { RowGroupWriter, RowGroupWriterOptions } from './writer.js'

type SchemaElement = ParquetWriter['schema'][number]
type ColumnSource = Parameters<ParquetWriter['write']>[0]['columnData'][number]

const codecs = { snappy: 'SNAPPY', gzip: 'GZIP', none: 'UNCOMPRESSED' } as const

/** Opens a file of data pages V2 in RLE_DICTIONARY or PLAIN, with row-group statistics on strings (cut to 16 bytes), booleans and timestamps. */
export async function openHyparquetWriter(options: RowGroupWriterOptions): Promise<RowGroupWriter> {
  const writer = new HyparquetRowGroups(options)
  await writer.drain()
  return writer
}

class HyparquetRowGroups implements RowGroupWriter {
  readonly #out: ByteSink
  readonly #columns: readonly Column[]
  readonly #bytes = new ByteWriter()
  readonly #file: ParquetWriter

  constructor(options: RowGroupWriterOptions) {
    this.#out = options.out
    this.#columns = options.columns
    this.#file = new ParquetWriter({
      writer: this.#bytes,
      schema: schemaElements(options.columns, options.timestampUnit),
      codec: codecs[options.compression],
      // level 6 makes files of members 5 % smaller and takes over half as long again
      compressors: { GZIP: (input) => gzipSync(input, { level: 1 }) },
      createdBy: createdBy('hyparquet-writer-0.17.0'),
      kvMetadata: Object.entries(options.metadata).map(([key, value]) => ({ key, value })),
    })
  }

  async writeRowGroup(values: readonly ColumnValue[][], rows: number): Promise<void> {
    const columnData = this.#columns.map(({ name, type }, index): ColumnSource => {
      const source = { name, data: values[index]!, statistics: type.kind !== 'json', offsetIndex: false }
      // the encoding holds for every leaf of a column, so a list with a boolean in it goes without dictionaries
      return hasBoolean(type) ? { ...source, encoding: 'PLAIN' } : source
    })
    try {
      this.#file.write({ columnData, rowGroupSize: rows })
    } catch (error) {
      throw asExportError(error, 'writing a Parquet row group')
    }
    await this.drain()
  }

  async finish(): Promise<void> {
    // While it writes, the library must not know that a column is JSON: it would print our JSON text as a JSON string. Readers older than logical types
    // look for the converted type, so the footer gets it now that all values are written.
    for (const element of this.#file.schema) {
      if (element.logical_type?.type === 'JSON') element.converted_type = 'JSON'
    }
    try {
      this.#file.finish()
    } catch (error) {
      throw asExportError(error, 'writing the Parquet footer')
    }
    await this.drain()
  }

  /** Hands what the library wrote to the sink and takes the buffer back. */
  async drain(): Promise<void> {
    await this.#out.write(this.#bytes.getBytes())
    this.#bytes.index = 0
  }
}

/** The schema as parquet.thrift lists it, depth first. */
function schemaElements(columns: readonly Column[], unit: TimestampUnit): SchemaElement[] {
  const elements: SchemaElement[] = [{ name: 'schema', num_children: columns.length }]
  for (const { name, type } of columns) addElements(name, type, unit, elements)
  return elements
}

function addElements(name: string, type: FieldType, unit: TimestampUnit, elements: SchemaElement[]): void {
  const element: SchemaElement = { name, repetition_type: 'OPTIONAL' }
  elements.push(element)
  switch (type.kind) {
    case 'boolean':
      element.type = 'BOOLEAN'
      break
    case 'timestamp':
      element.type = 'INT64'
      element.converted_type = unit === 'micros' ? 'TIMESTAMP_MICROS' : 'TIMESTAMP_MILLIS'
      element.logical_type = {
        type: 'TIMESTAMP',
        isAdjustedToUTC: true,
        unit: unit === 'micros' ? 'MICROS' : 'MILLIS',
      }
      break
    case 'int64':
      element.type = 'INT64'
      break
    case 'double':
      element.type = 'DOUBLE'
      break
    case 'string':
      element.type = 'BYTE_ARRAY'
      element.converted_type = 'UTF8'
      element.logical_type = { type: 'STRING' }
      break
    case 'json':
      element.type = 'BYTE_ARRAY'
      element.logical_type = { type: 'JSON' }
      break
    case 'struct':
      element.num_children = type.fields.length
      for (const field of type.fields) addElements(field.name, field.type, unit, elements)
      break
    case 'list':
      // LogicalTypes.md of parquet-format: optional group (LIST) { repeated group list { optional element } }
      element.num_children = 1
      element.converted_type = 'LIST'
      element.logical_type = { type: 'LIST' }
      elements.push({ name: 'list', repetition_type: 'REPEATED', num_children: 1 })
      addElements('element', type.element, unit, elements)
  }
}

function hasBoolean(type: FieldType): boolean {
  if (type.kind === 'list') return hasBoolean(type.element)
  if (type.kind === 'struct') return type.fields.some((field) => hasBoolean(field.type))
  return type.kind === 'boolean'
}
