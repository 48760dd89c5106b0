// Athena. From its documentation, not run.

import type { FieldType } from '../schema/resource.js'
import type { FileFacts } from './facts.js'
import { sqlText, tickedName } from './literals.js'
import { checkAbilities, usualCodecs } from './refuse.js'

export function athena(facts: FileFacts): string {
  checkAbilities(facts, {
    title: 'Athena',
    parquet: true,
    codecs: usualCodecs,
    quotes: true,
    backslashes: true,
  })
  const { format, columns } = facts
  const types = format === 'csv' ? () => 'string' : format === 'parquet' ? typeOf : textTypeOf
  const lines = [
    '-- from the documentation, not run; LOCATION is the folder that holds the file alone',
    ...(format === 'csv'
      ? [
          '-- all columns are text and null is "" there',
          '-- a cell with a line feed in it is not read rightly: take NDJSON or Parquet',
        ]
      : []),
    'CREATE EXTERNAL TABLE records (',
    columns.map(({ name, type }) => `  ${tickedName(name)} ${types(type)}`).join(',\n'),
    ')',
    ...storageOf(facts),
    "LOCATION 's3://BUCKET/FOLDER/'",
    ...(format === 'csv' && facts.dialect.hasHeader ? ["TBLPROPERTIES ('skip.header.line.count' = '1')"] : []),
  ]
  return `${lines.join('\n')};\n`
}

function storageOf({ format, dialect }: FileFacts): string[] {
  if (format === 'parquet') return ['STORED AS PARQUET']
  if (format !== 'csv') {
    return [
      "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'",
      "WITH SERDEPROPERTIES ('ignore.malformed.json' = 'false')",
    ]
  }
  const { delimiter, quote, escape: escaping } = dialect
  const properties = [
    `'separatorChar' = ${sqlText(delimiter)}`,
    `'quoteChar' = ${hiveText(quote)}`,
    `'escapeChar' = ${hiveText(escaping === 'quote' ? quote : '\\')}`,
  ]
  return [
    "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'",
    `WITH SERDEPROPERTIES (${properties.join(', ')})`,
  ]
}

/** One character. */
function hiveText(character: string): string {
  return `'${character.replace(/[\\']/, '\\$&')}'`
}

const scalars = {
  string: 'string',
  boolean: 'boolean',
  timestamp: 'timestamp',
  int64: 'bigint',
  double: 'double',
  json: 'string',
}

function typeOf(type: FieldType): string {
  if (type.kind === 'list') return `array<${typeOf(type.element)}>`
  if (type.kind !== 'struct') return scalars[type.kind]
  return `struct<${type.fields.map(({ name, type: child }) => `${tickedName(name)}: ${typeOf(child)}`).join(', ')}>`
}

/** `from_iso8601_timestamp` takes an RFC 3339 date-time; the type itself does not. */
function textTypeOf(type: FieldType): string {
  if (type.kind === 'timestamp') return 'string'
  if (type.kind === 'list') return `array<${textTypeOf(type.element)}>`
  if (type.kind !== 'struct') return scalars[type.kind]
  return `struct<${type.fields.map(({ name, type: child }) => `${tickedName(name)}: ${textTypeOf(child)}`).join(', ')}>`
}
