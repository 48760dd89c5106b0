// BigQuery. From its documentation, not run.

import type { FieldType } from '../schema/resource.js'
import type { FileFacts } from './facts.js'
import { backslashName, backslashText } from './literals.js'
import { checkAbilities } from './refuse.js'

export function bigquery(facts: FileFacts): string {
  checkAbilities(facts, { title: 'BigQuery', parquet: true, codecs: ['none', 'gzip'], quotes: true, nullText: true })
  const { format, columns, paths } = facts
  const uris = paths.map((path) => backslashText(`gs://BUCKET/${path.replace(/^.*\//s, '')}`))
  const lines = [
    '-- from the documentation, not run',
    ...(format === 'csv' ? ['-- an empty cell of a STRING column is "", with or without quotes'] : []),
    ...(format === 'ndjson' ? ['-- a list cannot be null there: it is empty'] : []),
    'LOAD DATA OVERWRITE DATASET.records (',
    columns.map(({ name, type }) => `  ${backslashName(name)} ${typeOf(type, format)}`).join(',\n'),
    ')',
    'FROM FILES (',
    optionsOf(facts)
      .concat(`uris = [${uris.join(', ')}]`)
      .map((option) => `  ${option}`)
      .join(',\n'),
    ')',
  ]
  return `${lines.join('\n')};\n`
}

function optionsOf({ format, dialect }: FileFacts): string[] {
  if (format === 'parquet') return ["format = 'PARQUET'", 'enable_list_inference = true']
  if (format !== 'csv') return ["format = 'NEWLINE_DELIMITED_JSON'", 'ignore_unknown_values = true']
  const { delimiter, quote, hasHeader, nullText } = dialect
  return [
    "format = 'CSV'",
    `field_delimiter = ${backslashText(delimiter)}`,
    `quote = ${backslashText(quote)}`,
    `skip_leading_rows = ${hasHeader ? 1 : 0}`,
    'allow_quoted_newlines = true',
    "encoding = 'UTF-8'",
    `null_marker = ${backslashText(nullText)}`,
  ]
}

const scalars = {
  string: 'STRING',
  boolean: 'BOOL',
  timestamp: 'TIMESTAMP',
  int64: 'INT64',
  double: 'FLOAT64',
}

function typeOf(type: FieldType, format: FileFacts['format']): string {
  // in Parquet it is text
  if (type.kind === 'json') return format === 'parquet' ? 'STRING' : 'JSON'
  if (type.kind === 'list') return `ARRAY<${typeOf(type.element, format)}>`
  if (type.kind !== 'struct') return scalars[type.kind]
  const fields = type.fields.map(({ name, type: child }) => `${backslashName(name)} ${typeOf(child, format)}`)
  return `STRUCT<${fields.join(', ')}>`
}
