// ClickHouse. Run with 26.7 (chdb 3.4.0).

import { ConfigError, printable } from '../errors.js'
import type { FieldType } from '../schema/resource.js'
import type { FileFacts } from './facts.js'
import { backslashName, backslashText } from './literals.js'
import { checkAbilities, usualCodecs } from './refuse.js'

export function clickhouse(facts: FileFacts): string {
  checkAbilities(facts, {
    title: 'ClickHouse',
    parquet: true,
    json: true,
    codecs: usualCodecs,
    nullText: true,
  })
  const { paths } = facts
  const pattern = paths.find((path) => /[*?{}]/.test(path))
  if (pattern !== undefined) {
    throw new ConfigError('ERR_OPTION_INVALID', `ClickHouse takes the name ${printable(pattern)} for a pattern`, {
      hint: 'give the file a name without * ? { and }',
    })
  }
  const notes = notesOn(facts)
  const selects = paths.map((path) => selectOf(facts, path))
  const settings = settingsOf(facts)
  const tail = settings.length === 0 ? '' : `\nSETTINGS\n  ${settings.join(',\n  ')}`
  const from = selects.length === 1 ? selects[0]! : `SELECT *\nFROM (\n${selects.join('\nUNION ALL\n')}\n)`
  return `${[...notes, `${from}${tail};`].join('\n')}\n`
}

function notesOn({ format, columns }: FileFacts): string[] {
  const hasNested = columns.some(({ type }) => isNested(type))
  if (format === 'parquet') {
    return hasNested ? ['-- Lists and objects that are null are empty there: Array and Tuple know no NULL.'] : []
  }
  return [
    ...(columns.some(({ type }) => type.kind === 'timestamp')
      ? ['-- DateTime64 begins with 1900 and ends with 2299: instants beyond are NULL.']
      : []),
    ...(format !== 'csv' && hasNested
      ? ['-- Lists and objects are JSON text, since Array knows no NULL: JSONExtract takes them apart.']
      : []),
  ]
}

function selectOf(facts: FileFacts, path: string): string {
  const { format, columns, compression } = facts
  const file = [backslashText(path), `'${formatOf(facts)}'`]
  if (format === 'parquet') return `SELECT *\nFROM file(${file.join(', ')})`
  // one text over several lines
  const structure = columns.map(({ name, type }) => {
    return backslashText(`${backslashName(name)} Nullable(${typeOf(type)})`).slice(1, -1)
  })
  const selected = columns.map(({ name, type }) => {
    const column = backslashName(name)
    return type.kind === 'timestamp' ? `${instantOf(column)} AS ${column}` : column
  })
  const args = [...file, `'${structure.join(',\n    ')}'`, `'${compression}'`]
  return `SELECT\n  ${selected.join(',\n  ')}\nFROM file(\n  ${args.join(',\n  ')}\n)`
}

function instantOf(column: string): string {
  const year = `toUInt16OrZero(substring(${column}, 1, 4))`
  return `if(${year} BETWEEN 1900 AND 2299, parseDateTime64BestEffortOrNull(${column}, 6, 'UTC'), NULL)`
}

function formatOf({ format, dialect }: FileFacts): string {
  if (format === 'parquet') return 'Parquet'
  if (format !== 'csv') return 'JSONEachRow'
  return dialect.hasHeader ? 'CSVWithNames' : 'CSV'
}

function settingsOf({ format, dialect }: FileFacts): string[] {
  // it takes columns of the type JSON for objects alone
  if (format === 'parquet') return ['input_format_parquet_enable_json_parsing = 0']
  // a name of the FROM clause goes before one of the SELECT clause
  const names = ['prefer_column_name_to_alias = 1']
  if (format === 'csv') {
    return [
      ...names,
      `format_csv_delimiter = ${backslashText(dialect.delimiter)}`,
      `format_csv_null_representation = ${backslashText(dialect.nullText)}`,
      'format_csv_allow_single_quotes = 0',
      'input_format_csv_trim_whitespaces = 0',
      'input_format_csv_detect_header = 0',
      // columns are taken by their place
      'input_format_with_names_use_header = 0',
    ]
  }
  return [
    ...names,
    'input_format_skip_unknown_fields = 1',
    'input_format_json_read_objects_as_strings = 1',
    'input_format_json_read_arrays_as_strings = 1',
    'input_format_json_read_numbers_as_strings = 1',
    'input_format_json_read_bools_as_strings = 1',
  ]
}

function isNested({ kind }: FieldType): boolean {
  return kind === 'list' || kind === 'struct'
}

function typeOf({ kind }: FieldType): string {
  if (kind === 'boolean') return 'Bool'
  if (kind === 'int64') return 'Int64'
  return kind === 'double' ? 'Float64' : 'String'
}
