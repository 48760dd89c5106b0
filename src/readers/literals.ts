// Names and texts of others as literals of the languages that statements are in. None of them can end its literal.

import { ConfigError, printable } from '../errors.js'

/** `'it''s'`: SQL in which a backslash is no escape. */
export function sqlText(text: string): string {
  return `'${withoutNul(text).replaceAll("'", "''")}'`
}

/** `"a ""name"""`: SQL. */
export function sqlName(name: string): string {
  return `"${withoutNul(name).replaceAll('"', '""')}"`
}

/** A name in backticks, doubled inside: MariaDB, Spark, Hive. */
export function tickedName(name: string): string {
  return `\`${withoutNul(name).replaceAll('`', '``')}\``
}

/** SQL in which a backslash is an escape or, by a mode, is not: the quote is doubled, which both take. */
export function mariadbText(text: string): string {
  return `'${withoutNul(text).replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}

/** SQL in which only a backslash escapes: ClickHouse, BigQuery. A line end would end the literal of BigQuery. */
export function backslashText(text: string): string {
  return `'${backslashed(text, "'")}'`
}

/** A name for the same: in backticks. */
export function backslashName(name: string): string {
  return `\`${backslashed(name, '`')}\``
}

/** Python, and whatever takes the literals of JSON. */
export function pythonText(text: string): string {
  return JSON.stringify(text)
}

/** A word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w./:@%+,=-]+$/.test(text) ? text : `'${withoutNul(text).replaceAll("'", `'\\''`)}'`
}

/** For a command of a client that ends with its line. @throws ConfigError for what has line ends */
export function oneLine(text: string): string {
  if (!/[\n\r]/.test(text)) return text
  throw new ConfigError(
    'ERR_OPTION_INVALID',
    `${printable(JSON.stringify(text))} has a line end, which this reader cannot be given`,
    {
      hint: 'give it another name, or take another --reader',
    },
  )
}

function backslashed(text: string, quote: string): string {
  return withoutNul(text)
    .replaceAll('\\', '\\\\')
    .replaceAll(quote, `\\${quote}`)
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
}

function withoutNul(text: string): string {
  if (!text.includes('\0')) return text
  throw new ConfigError(
    'ERR_OPTION_INVALID',
    `the name ${printable(JSON.stringify(text))} holds U+0000, which SQL cannot write`,
    {
      hint: 'give the field another name with --rename',
    },
  )
}
