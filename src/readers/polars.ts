// polars for Python. Run with 1.44.2.

import type { FieldType } from '../schema/resource.js'
import type { FileFacts } from './facts.js'
import { pythonText } from './literals.js'
import { pathsLines, pythonBoolean, pythonDict, pythonList } from './python.js'
import { checkAbilities, usualCodecs } from './refuse.js'

export function polars(facts: FileFacts): string {
  checkAbilities(facts, { title: 'polars', parquet: true, codecs: usualCodecs, quotes: true })
  const lines = ['import polars as pl', '', ...pathsLines(pathsFor(facts)), ...bodyOf(facts)]
  return `${lines.join('\n')}\n`
}

/** Of NDJSON the names are patterns, and what only looks like one is written as the pattern that nothing else fits. */
function pathsFor({ format, paths: [first, ...others] }: FileFacts): Pick<FileFacts, 'paths'> {
  const literal = (path: string): string => (format === 'ndjson' ? path.replace(/[*?[]/g, '[$&]') : path)
  return { paths: [literal(first), ...others.map(literal)] }
}

function bodyOf(facts: FileFacts): string[] {
  const { format, columns, jsonType, dialect } = facts
  const named = (kind: string): string[] => columns.filter(({ type }) => type.kind === kind).map(({ name }) => name)
  if (format === 'parquet') {
    const json = jsonType === 'json' ? named('json') : []
    const cast = json.length === 0 ? '' : `.with_columns(pl.col(${pythonList(json)}).cast(pl.String))`
    return [`records = pl.read_parquet(PATHS, glob=False)${cast}`]
  }
  const times = named('timestamp')
  const instants =
    times.length === 0
      ? []
      : [
          '# date-times with any offset and any number of digits, of which a microsecond has six',
          `INSTANTS = ${pythonList(times)}`,
          'instant = pl.col(INSTANTS).str.to_datetime("%+", time_unit="us", time_zone="UTC")',
        ]
  const schema = pythonDict(
    'SCHEMA',
    columns.map(({ name, type }) => [name, typeOf(type)]),
  )
  const call =
    format === 'csv'
      ? [
          'pl.read_csv(',
          '        path,',
          `        has_header=${pythonBoolean(dialect.hasHeader)},`,
          `        separator=${pythonText(dialect.delimiter)},`,
          `        quote_char=${pythonText(dialect.quote)},`,
          '        schema=SCHEMA,',
          '        glob=False,',
          '    )',
        ]
      : ['pl.read_ndjson(path, schema=SCHEMA)']
  const read = ['def read(path):', `    return ${call[0]}`, ...call.slice(1), '']
  const all = 'records = pl.concat([read(path) for path in PATHS])'
  return [...schema, ...instants, '', ...read, times.length === 0 ? all : `${all}.with_columns(instant)`]
}

const scalars = {
  string: 'pl.String',
  boolean: 'pl.Boolean',
  // made an instant when it is read
  timestamp: 'pl.String',
  int64: 'pl.Int64',
  double: 'pl.Float64',
  json: 'pl.String',
}

function typeOf(type: FieldType): string {
  if (type.kind === 'list') return `pl.List(${typeOf(type.element)})`
  if (type.kind !== 'struct') return scalars[type.kind]
  const fields = type.fields.map(({ name, type: child }) => `${pythonText(name)}: ${typeOf(child)}`)
  return `pl.Struct({${fields.join(', ')}})`
}
