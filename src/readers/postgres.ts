// PostgreSQL, by its client psql. Run with 15.18, by psql, and with PGlite 0.5.17.

import type { FileFacts } from './facts.js'
import { oneLine, shellWord, sqlName, sqlText } from './literals.js'
import { anyDialect, checkAbilities, usualCodecs } from './refuse.js'

export function postgres(facts: FileFacts): string {
  checkAbilities(facts, {
    title: 'PostgreSQL',
    codecs: usualCodecs,
    ...anyDialect,
  })
  const lines = ['-- for psql', ...(facts.format === 'csv' ? fromCsv(facts) : fromJson(facts))]
  return `${lines.join('\n')}\n`
}

function fromCsv(facts: FileFacts): string[] {
  const { delimiter, quote, hasHeader, nullText, escape: escaping } = facts.dialect
  const options = [
    'FORMAT csv',
    `HEADER ${hasHeader}`,
    `DELIMITER ${sqlText(delimiter)}`,
    `QUOTE ${sqlText(quote)}`,
    `ESCAPE ${sqlText(escaping === 'quote' ? quote : '\\')}`,
    `NULL ${sqlText(nullText)}`,
    "ENCODING 'UTF8'",
  ]
  return [...tableLines('records', facts), ...copies('records', facts, options)]
}

/** No line of NDJSON holds U+0001 or U+0002, so that each is one cell. */
function fromJson(facts: FileFacts): string[] {
  const options = ['FORMAT csv', "DELIMITER E'\\x01'", "QUOTE E'\\x02'", "ENCODING 'UTF8'"]
  const columns = facts.columns.map(({ name, type }) => `    ${sqlName(name)} ${types[type.kind]}`)
  return [
    'CREATE TEMPORARY TABLE lines (line json);',
    ...copies('lines', facts, options),
    'CREATE TABLE records AS',
    '  SELECT record.* FROM lines, json_to_record(line) AS record (',
    columns.join(',\n'),
    '  );',
  ]
}

function tableLines(table: string, { columns }: FileFacts): string[] {
  const lines = columns.map(({ name, type }) => `  ${sqlName(name)} ${types[type.kind]}`)
  return [`CREATE TABLE ${table} (`, lines.join(',\n'), ');']
}

/** A command of psql ends with its line. */
function copies(table: string, { paths, compression }: FileFacts, options: readonly string[]): string[] {
  return paths.map((path) => {
    // `program` is a word of \copy, a path none
    const from =
      compression === 'none'
        ? sqlText(fileName(path))
        : `PROGRAM ${sqlText(`${compression} -dc ${shellWord(fileName(path))}`)}`
    return oneLine(`\\copy ${table} FROM ${from} WITH (${options.join(', ')})`)
  })
}

/** What begins with a sign is no option and no home. */
function fileName(path: string): string {
  return /^[-~]/.test(path) ? `./${path}` : path
}

const types = {
  string: 'text',
  boolean: 'boolean',
  timestamp: 'timestamptz',
  int64: 'bigint',
  double: 'double precision',
  // the text as it is, U+0000 and the order of keys included
  json: 'json',
  list: 'json',
  struct: 'json',
}
