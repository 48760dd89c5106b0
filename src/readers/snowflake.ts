// Snowflake. From its documentation, not run.

import type { Column } from '../encode/columns/layout.js'
import type { FileFacts } from './facts.js'
import { backslashText, sqlName } from './literals.js'
import { anyDialect, checkAbilities, usualCodecs } from './refuse.js'

export function snowflake(facts: FileFacts): string {
  checkAbilities(facts, {
    title: 'Snowflake',
    parquet: true,
    json: true,
    codecs: usualCodecs,
    ...anyDialect,
  })
  const { columns, format, paths } = facts
  const files = paths.map((path) => backslashText(path.replace(/^.*\//s, '')))
  const selected = columns.map((column, at) => `    ${valueIn(column, at, format)}`)
  const lines = [
    '-- from the documentation, not run; STAGE holds the files, as PUT brings them there',
    'CREATE TABLE records (',
    columns.map(({ name, type }) => `  ${sqlName(name)} ${types[type.kind]}`).join(',\n'),
    ');',
    'COPY INTO records FROM (',
    '  SELECT',
    selected.join(',\n'),
    '  FROM @STAGE',
    ')',
    `FILES = (${files.join(', ')})`,
    `FILE_FORMAT = (${formatOf(facts).join(' ')})`,
    'ON_ERROR = ABORT_STATEMENT;',
  ]
  return `${lines.join('\n')}\n`
}

function valueIn({ name, type }: Column, at: number, format: FileFacts['format']): string {
  const value = format === 'csv' ? `$${at + 1}` : `$1:${sqlName(name)}`
  if (type.kind === 'json' && format === 'csv') return `PARSE_JSON(${value})`
  if (type.kind === 'json' && format === 'parquet') return `PARSE_JSON(${value}::VARCHAR)`
  return `${value}::${types[type.kind]}`
}

function formatOf({ format, dialect, compression }: FileFacts): string[] {
  if (format === 'parquet') return ['TYPE = PARQUET', 'USE_LOGICAL_TYPE = TRUE']
  const codec = `COMPRESSION = ${compression.toUpperCase()}`
  if (format !== 'csv') return ['TYPE = JSON', codec, `STRIP_OUTER_ARRAY = ${format === 'json' ? 'TRUE' : 'FALSE'}`]
  const { delimiter, quote, hasHeader, nullText, escape: escaping } = dialect
  return [
    'TYPE = CSV',
    codec,
    `FIELD_DELIMITER = ${backslashText(delimiter)}`,
    `FIELD_OPTIONALLY_ENCLOSED_BY = ${backslashText(quote)}`,
    `ESCAPE = ${escaping === 'quote' ? 'NONE' : backslashText('\\')}`,
    'ESCAPE_UNENCLOSED_FIELD = NONE',
    `SKIP_HEADER = ${hasHeader ? 1 : 0}`,
    'EMPTY_FIELD_AS_NULL = TRUE',
    `NULL_IF = (${nullText === '' ? '' : backslashText(nullText)})`,
    "ENCODING = 'UTF8'",
  ]
}

const types = {
  string: 'VARCHAR',
  boolean: 'BOOLEAN',
  timestamp: 'TIMESTAMP_TZ',
  int64: 'NUMBER(19, 0)',
  double: 'DOUBLE',
  json: 'VARIANT',
  list: 'VARIANT',
  struct: 'VARIANT',
}
