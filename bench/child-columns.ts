// What a user would write to turn an NDJSON file of members into Parquet or CSV with the libraries that there are.
// Arguments: the library, input, output, and for Parquet rows of a row group and codec. Types and columns are those of
// the declared schema, without `extra`: no library has a place for what does not fit.

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { open, writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { memberSchema } from '../src/schema/member.js'
import type { FieldType } from '../src/schema/resource.js'

type Row = Record<string, unknown>

const [tool, input, output, rowGroupRows = '50000', codec = 'snappy'] = process.argv.slice(2) as [
  'duckdb-parquet' | 'duckdb-csv' | 'hyparquet-writer' | 'parquetjs-lite' | 'csv-stringify' | 'rows',
  string,
  string,
  string?,
  string?,
]
const groupRows = Number(rowGroupRows)
await {
  'duckdb-parquet': () => duckdb(`FORMAT parquet, COMPRESSION ${codec}, ROW_GROUP_SIZE ${groupRows}`),
  'duckdb-csv': () => duckdb('FORMAT csv, HEADER true'),
  'hyparquet-writer': hyparquetWriter,
  'parquetjs-lite': parquetjsLite,
  'csv-stringify': csvStringify,
  rows: countRows,
}[tool]()

/** Type of a column in DuckDB's SQL. */
function sqlType(type: FieldType): string {
  switch (type.kind) {
    case 'string':
      return 'VARCHAR'
    case 'json':
      return 'JSON'
    case 'boolean':
      return 'BOOLEAN'
    case 'timestamp':
      return 'TIMESTAMPTZ'
    case 'int64':
      return 'BIGINT'
    case 'double':
      return 'DOUBLE'
    case 'list':
      return `${sqlType(type.element)}[]`
    case 'struct':
      return `STRUCT(${type.fields.map((field) => `"${field.name}" ${sqlType(field.type)}`).join(', ')})`
  }
}

/** COPY on one thread. In CSV, nested values are JSON text. */
async function duckdb(options: string): Promise<void> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const database = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await database.connect()
  const isCsv = options.includes('csv')
  const columns = memberSchema.fields.map(({ name, type }) => {
    const isNested = type.kind === 'list' || type.kind === 'struct'
    const isText = isCsv && (isNested || type.kind === 'timestamp')
    return `"${name}": '${isText ? (isNested ? 'JSON' : 'VARCHAR') : sqlType(type)}'`
  })
  await connection.run(
    `COPY (SELECT * FROM read_json('${input}', format = 'newline_delimited', columns = {${columns.join(', ')}})) TO '${output}' (${options})`,
  )
  connection.closeSync()
  database.closeSync()
}

/** The records of the file, in groups of at most `count`. */
async function* groupsOf(count: number): AsyncGenerator<Row[], void, undefined> {
  const file = await open(input)
  let rows: Row[] = []
  for await (const line of file.readLines({ highWaterMark: 256 * 1024 })) {
    rows.push(JSON.parse(line) as Row)
    if (rows.length < count) continue
    yield rows
    rows = []
  }
  if (rows.length > 0) yield rows
}

/** JSON.parse of each line, and nothing more. */
async function countRows(): Promise<void> {
  let count = 0
  for await (const rows of groupsOf(1000)) count += rows.length
  await writeFile(output, `${count}\n`)
}

/** A value as hyparquet-writer takes it. */
function converted(type: FieldType, value: unknown): unknown {
  if (value === null || value === undefined) return null
  switch (type.kind) {
    case 'timestamp':
      return BigInt(Date.parse(value as string)) * 1000n
    case 'json':
      return JSON.stringify(value)
    case 'list':
      return (value as unknown[]).map((element) => converted(type.element, element))
    case 'struct':
      return Object.fromEntries(
        type.fields.map((field) => [field.name, converted(field.type, (value as Row)[field.name])]),
      )
    default:
      return value
  }
}

async function hyparquetWriter(): Promise<void> {
  const { ByteWriter, ParquetWriter } = await import('hyparquet-writer')
  type Element = InstanceType<typeof ParquetWriter>['schema'][number]
  const elements: Element[] = [{ name: 'schema', num_children: memberSchema.fields.length }]
  const add = (name: string, type: FieldType): void => {
    const element: Element = { name, repetition_type: 'OPTIONAL' }
    elements.push(element)
    if (type.kind === 'list') {
      Object.assign(element, { num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } })
      elements.push({ name: 'list', repetition_type: 'REPEATED', num_children: 1 })
      add('element', type.element)
    } else if (type.kind === 'struct') {
      element.num_children = type.fields.length
      for (const field of type.fields) add(field.name, field.type)
    } else if (type.kind === 'boolean') element.type = 'BOOLEAN'
    else if (type.kind === 'timestamp') {
      const logical = { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' } as const
      Object.assign(element, { type: 'INT64', converted_type: 'TIMESTAMP_MICROS', logical_type: logical })
    } else Object.assign(element, { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } })
  }
  for (const { name, type } of memberSchema.fields) add(name, type)
  const bytes = new ByteWriter()
  const writer = new ParquetWriter({
    writer: bytes,
    schema: elements,
    codec: codec === 'gzip' ? 'GZIP' : 'SNAPPY',
    compressors: { GZIP: (plain) => gzipSync(plain) },
  })
  const out = createWriteStream(output)
  const drain = async (): Promise<void> => {
    if (!out.write(Buffer.from(bytes.getBytes()))) await once(out, 'drain')
    bytes.index = 0
  }
  for await (const rows of groupsOf(groupRows)) {
    const columnData = memberSchema.fields.map(({ name, type }) => ({
      name,
      data: rows.map((row) => converted(type, row[name])),
      statistics: type.kind !== 'json',
    }))
    writer.write({ columnData, rowGroupSize: rows.length })
    await drain()
  }
  writer.finish()
  await drain()
  out.end()
  await once(out, 'close')
}

async function parquetjsLite(): Promise<void> {
  const { default: parquetjs } = await import('parquetjs-lite')
  type Definition = ConstructorParameters<typeof parquetjs.ParquetSchema>[0][string]
  const definition = (type: FieldType): Definition => {
    if (type.kind === 'list')
      return {
        type: 'LIST',
        optional: true,
        fields: { list: { repeated: true, fields: { element: definition(type.element) } } },
      }
    if (type.kind === 'struct')
      return {
        optional: true,
        fields: Object.fromEntries(type.fields.map(({ name, type: inner }) => [name, definition(inner)])),
      }
    const kinds: Record<string, string> = { boolean: 'BOOLEAN', timestamp: 'TIMESTAMP_MILLIS' }
    return { type: kinds[type.kind] ?? 'UTF8', optional: true, compression: 'SNAPPY', statistics: false }
  }
  const wrapped = (type: FieldType, value: unknown): unknown => {
    if (value === null || value === undefined) return null
    if (type.kind === 'timestamp') return new Date(value as string)
    if (type.kind === 'json') return JSON.stringify(value)
    if (type.kind === 'list')
      return { list: (value as unknown[]).map((element) => ({ element: wrapped(type.element, element) })) }
    if (type.kind === 'struct')
      return Object.fromEntries(
        type.fields.map(({ name, type: inner }) => [name, wrapped(inner, (value as Row)[name])]),
      )
    return value
  }
  const schema = new parquetjs.ParquetSchema(
    Object.fromEntries(memberSchema.fields.map(({ name, type }) => [name, definition(type)])),
  )
  const out = createWriteStream(output)
  const write = async (bytes: Buffer): Promise<void> => {
    if (!out.write(bytes)) await once(out, 'drain')
  }
  const settings = { pageIndex: false, useDataPageV2: false, pageSize: 8192 }
  const envelope = new parquetjs.ParquetEnvelopeWriter(schema, write, async () => {}, 0, settings)
  const writer = new parquetjs.ParquetWriter(schema, envelope, { rowGroupSize: groupRows })
  for await (const rows of groupsOf(1000)) {
    for (const row of rows) {
      await writer.appendRow(
        Object.fromEntries(memberSchema.fields.map(({ name, type }) => [name, wrapped(type, row[name])])),
      )
    }
  }
  await writer.close()
  out.end()
  await once(out, 'close')
}

async function csvStringify(): Promise<void> {
  const { stringify } = await import('csv-stringify/sync')
  const out = createWriteStream(output)
  const write = async (rows: unknown[][], isQuoted: boolean): Promise<void> => {
    const text = stringify(rows, {
      quoted_string: isQuoted,
      cast: { string: (value) => value, boolean: (value) => String(value), object: (value) => JSON.stringify(value) },
    })
    if (!out.write(text)) await once(out, 'drain')
  }
  await write([memberSchema.fields.map(({ name }) => name)], false)
  for await (const rows of groupsOf(50)) {
    await write(
      rows.map((row) => memberSchema.fields.map(({ name }) => row[name] ?? null)),
      true,
    )
  }
  out.end()
  await once(out, 'close')
}
