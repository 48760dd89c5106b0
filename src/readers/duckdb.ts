// DuckDB. Run with 1.5.6.

import type { FieldType } from '../schema/resource.js'
import { keyColumn } from '../schema/resource.js'
import type { FileFacts } from './facts.js'
import { sqlName, sqlText } from './literals.js'
import { anyDialect, checkAbilities, dialectRefused, usualCodecs } from './refuse.js'

/** Longest record or row, in bytes, and the same as DuckDB bounds itself. */
const longest = 33_554_432

export function duckdb(facts: FileFacts): string {
  checkAbilities(facts, {
    title: 'DuckDB',
    parquet: true,
    json: true,
    keyed: true,
    codecs: usualCodecs,
    ...anyDialect,
  })
  if (facts.format === 'parquet') return `SELECT *\nFROM read_parquet(${pathsOf(facts)});\n`
  return facts.format === 'csv' ? fromCsv(facts) : fromJson(facts)
}

function fromCsv(facts: FileFacts): string {
  const { delimiter, quote, hasHeader, nullText, lineEnd, escape: escaping } = facts.dialect
  // seen in 1.5.6: "ESCAPE must not appear in the NULL specification"
  if (escaping === 'backslash' && nullText.includes('\\')) {
    throw dialectRefused({ title: 'DuckDB' }, 'backslashes before quotes and in null')
  }
  const options = [
    'auto_detect = false',
    `header = ${hasHeader}`,
    `delim = ${sqlText(delimiter)}`,
    `quote = ${sqlText(quote)}`,
    `escape = ${sqlText(escaping === 'quote' ? quote : '\\')}`,
    `nullstr = ${sqlText(nullText)}`,
    'allow_quoted_nulls = false',
    // else it takes the first one that it finds, be it inside of quotes
    `new_line = '${lineEnd === 'crlf' ? '\\r\\n' : '\\n'}'`,
    compressionOf(facts),
    `max_line_size = ${longest}`,
    columnList(facts),
  ]
  return call('read_csv', facts, options)
}

function fromJson(facts: FileFacts): string {
  const { format, isKeyed, columns } = facts
  const options = [
    `format = '${format === 'ndjson' ? 'newline_delimited' : isKeyed ? 'unstructured' : 'array'}'`,
    compressionOf(facts),
    `maximum_object_size = ${longest}`,
  ]
  if (!isKeyed) return call('read_json', facts, [...options, columnList(facts)])
  const record = typeOf({ kind: 'struct', fields: columns })
  const map = sqlText(`MAP(VARCHAR, ${record})`)
  const inner = call(
    'read_json',
    facts,
    [...options, 'records = false', `columns = {'records': ${map}}`],
    'unnest(map_entries(records)) AS entry',
  )
  return `SELECT entry.key AS ${sqlName(keyColumn)}, unnest(entry.value)\nFROM (\n${inner.replace(/;\n$/, '')}\n);\n`
}

function call(name: string, facts: FileFacts, options: readonly string[], selected = '*'): string {
  const lines = [pathsOf(facts), ...options].map((option) => `  ${option}`)
  return `SELECT ${selected}\nFROM ${name}(\n${lines.join(',\n')}\n);\n`
}

/** A name with signs of a pattern in it is written as the pattern that only it fits. */
function pathsOf({ paths }: FileFacts): string {
  const texts = paths.map((path) => sqlText(path.replace(/[*?[]/g, '[$&]')))
  return texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`
}

function compressionOf({ compression }: FileFacts): string {
  return `compression = '${compression === 'none' ? 'uncompressed' : compression}'`
}

function columnList({ columns }: FileFacts): string {
  const lines = columns.map(({ name, type }) => `    ${sqlText(name)}: ${sqlText(typeOf(type))}`)
  return `columns = {\n${lines.join(',\n')}\n  }`
}

const scalars = {
  string: 'VARCHAR',
  boolean: 'BOOLEAN',
  timestamp: 'TIMESTAMPTZ',
  int64: 'BIGINT',
  double: 'DOUBLE',
  json: 'JSON',
}

function typeOf(type: FieldType): string {
  if (type.kind === 'list') return `${typeOf(type.element)}[]`
  if (type.kind !== 'struct') return scalars[type.kind]
  return `STRUCT(${type.fields.map(({ name, type: child }) => `${sqlName(name)} ${typeOf(child)}`).join(', ')})`
}
