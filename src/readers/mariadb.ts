// MariaDB. Run with 10.11.

import type { Column } from '../encode/columns/layout.js'
import { ConfigError, printable } from '../errors.js'
import type { FileFacts } from './facts.js'
import { mariadbText, tickedName } from './literals.js'
import { checkAbilities } from './refuse.js'

export function mariadb(facts: FileFacts): string {
  checkAbilities(facts, { title: 'MariaDB', codecs: ['none'], quotes: true, backslashes: true })
  const defined = facts.columns.map(({ name, type }) => `  ${tickedName(name)} ${types[type.kind]}`)
  const lines = [
    '-- for mariadb --local-infile; date-times are of UTC',
    'SET NAMES utf8mb4;',
    'CREATE TABLE records (',
    defined.join(',\n'),
    ') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;',
    ...(facts.format === 'csv'
      ? [
          '-- it knows no null beside "": what is no string has none',
          ...facts.paths.map((path) => fromCsv(facts, path)),
        ]
      : facts.paths.map((path) => fromJson(facts, path))),
  ]
  return `${lines.join('\n')}\n`
}

function fromCsv({ columns, dialect }: FileFacts, path: string): string {
  const { delimiter, quote, hasHeader, lineEnd, lineFeeds, escape: escaping } = dialect
  const sets = columns.map((column, at) => `    ${tickedName(column.name)} = ${ofText(column, `@c${at}`)}`)
  const end = lineEnd === 'crlf' ? '\r\n' : '\n'
  // of the header it counts the ends of lines, without a look at quotes
  const headerLines =
    lineFeeds === 'keep'
      ? columns
          .map(({ name }) => name)
          .join('')
          .split(end).length
      : 1
  return load(path, [
    `  FIELDS TERMINATED BY ${mariadbText(delimiter)} OPTIONALLY ENCLOSED BY ${mariadbText(quote)}`,
    `  ESCAPED BY ${escaping === 'quote' ? "''" : mariadbText('\\')}`,
    `  LINES TERMINATED BY ${lineEnd === 'crlf' ? "'\\r\\n'" : "'\\n'"}`,
    ...(hasHeader ? [`  IGNORE ${headerLines} LINES`] : []),
    `  (${columns.map((_, at) => `@c${at}`).join(', ')})`,
    `  SET\n${sets.join(',\n')}`,
  ])
}

function fromJson({ columns }: FileFacts, path: string): string {
  const sets = columns.map((column) => `    ${tickedName(column.name)} = ${ofJson(column)}`)
  // no line of NDJSON holds U+0001
  return load(path, [
    "  FIELDS TERMINATED BY X'01' ESCAPED BY ''",
    "  LINES TERMINATED BY '\\n'",
    '  (@line)',
    `  SET\n${sets.join(',\n')}`,
  ])
}

function load(path: string, lines: readonly string[]): string {
  return `LOAD DATA LOCAL INFILE ${mariadbText(path)} INTO TABLE records CHARACTER SET utf8mb4\n${lines.join('\n')};`
}

function ofText({ type }: Column, text: string): string {
  if (type.kind === 'string') return text
  if (type.kind === 'boolean') return `CASE ${text} WHEN 'true' THEN 1 WHEN 'false' THEN 0 END`
  return type.kind === 'timestamp' ? instantOf(`NULLIF(${text}, '')`) : `NULLIF(${text}, '')`
}

function ofJson(column: Column): string {
  const { name, type } = column
  // seen in 10.11: $."-a" finds nothing
  if (name.startsWith('-')) {
    throw new ConfigError('ERR_OPTION_INVALID', `MariaDB finds no member of JSON by the name ${printable(name)}`, {
      hint: 'give the field another name with --rename, or write CSV',
    })
  }
  const path = mariadbText(`$.${JSON.stringify(name)}`)
  const isNested = type.kind === 'json' || type.kind === 'list' || type.kind === 'struct'
  if (isNested) return `NULLIF(JSON_EXTRACT(@line, ${path}), 'null')`
  // JSON_VALUE gives no more than one line would
  const value = `IF(JSON_TYPE(JSON_EXTRACT(@line, ${path})) = 'NULL', NULL, JSON_UNQUOTE(JSON_EXTRACT(@line, ${path})))`
  return type.kind === 'string' ? value : ofText(column, value)
}

/** An RFC 3339 date-time as one of UTC. */
function instantOf(text: string): string {
  const pattern = "'^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]{8}([.][0-9]{1,6})?'"
  const local = `CAST(REPLACE(REGEXP_SUBSTR(${text}, ${pattern}), 'T', ' ') AS DATETIME(6))`
  const offset = `IF(RIGHT(${text}, 6) REGEXP '^[+-]', CONCAT(RIGHT(${text}, 6), ':00'), '00:00:00')`
  return `SUBTIME(${local}, ${offset})`
}

const types = {
  string: 'longtext',
  boolean: 'boolean',
  timestamp: 'datetime(6)',
  int64: 'bigint',
  double: 'double',
  json: 'longtext',
  list: 'longtext',
  struct: 'longtext',
}
