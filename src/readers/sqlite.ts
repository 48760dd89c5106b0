// SQLite, by its shell. Run with 3.40.1, and the queries with sql.js 1.17.0.

import type { Column } from '../encode/columns/layout.js'
import type { FileFacts } from './facts.js'
import { oneLine, shellWord, sqlName, sqlText } from './literals.js'
import { checkAbilities, usualCodecs } from './refuse.js'

export function sqlite(facts: FileFacts): string {
  checkAbilities(facts, { title: 'SQLite', codecs: usualCodecs })
  const lines = ['-- for the shell of SQLite', ...(facts.format === 'csv' ? fromCsv(facts) : fromJson(facts))]
  return `${lines.join('\n')}\n`
}

function fromCsv(facts: FileFacts): string[] {
  const { columns, dialect } = facts
  const defined = columns.map(({ name, type }) => `  ${sqlName(name)} ${types[type.kind]}`)
  const others = columns.filter(({ type }) => type.kind !== 'string').map(({ name }) => sqlName(name))
  const skip = dialect.hasHeader ? ' --skip 1' : ''
  return [
    'CREATE TABLE records (',
    defined.join(',\n'),
    ');',
    '.mode csv',
    `.separator ${dotText(dialect.delimiter)} "\\n"`,
    ...facts.paths.map((path) => oneLine(`.import${skip} ${sourceOf(facts, path)} records`)),
    '-- it knows no null beside "": what is no string has none',
    ...(others.length === 0
      ? []
      : [`UPDATE records SET\n${others.map((name) => `  ${name} = nullif(${name}, '')`).join(',\n')};`]),
    ...truthLines(columns),
  ]
}

function truthLines(columns: readonly Column[]): string[] {
  const names = columns.filter(({ type }) => type.kind === 'boolean').map(({ name }) => sqlName(name))
  if (names.length === 0) return []
  const sets = names.map((name) => `  ${name} = CASE ${name} WHEN 'true' THEN 1 WHEN 'false' THEN 0 END`)
  return [`UPDATE records SET\n${sets.join(',\n')};`]
}

function fromJson(facts: FileFacts): string[] {
  const selected = facts.columns.map((column) => `  ${valueIn(column)} AS ${sqlName(column.name)}`)
  return [
    'CREATE TEMPORARY TABLE lines (line TEXT);',
    '.mode ascii',
    // which no line of NDJSON holds
    '.separator "\\001" "\\n"',
    ...facts.paths.map((path) => oneLine(`.import ${sourceOf(facts, path)} lines`)),
    'CREATE TABLE records AS SELECT',
    selected.join(',\n'),
    'FROM lines;',
  ]
}

/** A path of JSON cannot name what has a quote in it, so members are compared with a text. Of a key that comes twice
 *  the last one counts. */
function valueIn({ name, type }: Column): string {
  const isText = type.kind !== 'json' && type.kind !== 'list' && type.kind !== 'struct'
  const value = isText
    ? 'value'
    : "CASE type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' WHEN 'text' THEN json_quote(value) ELSE value END"
  const cast = type.kind === 'string' ? `CAST(${value} AS TEXT)` : value
  return `(SELECT ${cast} FROM json_each(line) WHERE key = ${sqlText(name)} ORDER BY id DESC LIMIT 1)`
}

function sourceOf({ compression }: FileFacts, path: string): string {
  // what begins with a sign is no option and no command
  const name = /^[-|]/.test(path) ? `./${path}` : path
  return compression === 'none' ? dotText(name) : dotText(`|${compression} -dc ${shellWord(name)}`)
}

/** An argument of a command of the shell: as in C. */
function dotText(text: string): string {
  return `"${oneLine(text).replace(/[\\"]/g, '\\$&').replaceAll('\t', '\\t')}"`
}

const types = {
  string: 'TEXT',
  boolean: '',
  timestamp: 'TEXT',
  int64: 'INTEGER',
  double: 'REAL',
  json: 'TEXT',
  list: 'TEXT',
  struct: 'TEXT',
}
