// pyarrow, and pandas on top of it: pandas' own readers know no null beside "". Run with pyarrow 25.0.1 and
// pandas 3.0.6.

import type { FieldType } from '../schema/resource.js'
import type { FileFacts } from './facts.js'
import { pythonText } from './literals.js'
import { pathsLines, pythonBoolean, pythonList } from './python.js'
import { type Abilities, anyDialect, checkAbilities, usualCodecs } from './refuse.js'

const abilities: Abilities = {
  title: 'pyarrow',
  parquet: true,
  json: true,
  keyed: true,
  codecs: usualCodecs,
  ...anyDialect,
}

export function pyarrow(facts: FileFacts): string {
  checkAbilities(facts, abilities)
  return `${scriptOf(facts).join('\n')}\n`
}

export function pandas(facts: FileFacts): string {
  checkAbilities(facts, { ...abilities, title: 'pandas' })
  const lines = [
    'import pandas as pd',
    ...scriptOf(facts),
    '# pandas\' own types have no null beside 0, NaN and ""; those of Arrow have',
    'records = records.to_pandas(types_mapper=pd.ArrowDtype)',
  ]
  return `${lines.join('\n')}\n`
}

function scriptOf(facts: FileFacts): string[] {
  if (facts.format === 'parquet') return parquetScript(facts)
  return facts.format === 'csv' ? csvScript(facts) : jsonScript(facts)
}

function parquetScript(facts: FileFacts): string[] {
  const { columns, jsonType } = facts
  const json = jsonType === 'json' ? columns.filter(({ type }) => type.kind === 'json').map(({ name }) => name) : []
  return [
    'import pyarrow as pa',
    'import pyarrow.parquet as pq',
    '',
    ...pathsLines(facts),
    'records = pa.concat_tables([pq.read_table(path, partitioning=None) for path in PATHS])',
    ...(json.length === 0
      ? []
      : [
          '# what has the type JSON can be filtered and written once it is text',
          `for name in ${pythonList(json)}:`,
          '    at = records.column_names.index(name)',
          '    records = records.set_column(at, name, records.column(at).cast(pa.string()))',
        ]),
  ]
}

function csvScript(facts: FileFacts): string[] {
  const { delimiter, quote, hasHeader, nullText, escape: escaping } = facts.dialect
  return [
    'import pyarrow as pa',
    'import pyarrow.compute as pc',
    'from pyarrow import csv',
    '',
    ...pathsLines(facts),
    ...schemaLines(facts),
    '',
    'def read(path):',
    `    with pa.input_stream(path, compression=${compressionOf(facts)}) as stream:`,
    '        return csv.read_csv(',
    '            stream,',
    '            read_options=csv.ReadOptions(',
    `                column_names=SCHEMA.names, skip_rows_after_names=${hasHeader ? 1 : 0}, block_size=1 << 26`,
    '            ),',
    '            parse_options=csv.ParseOptions(',
    `                delimiter=${pythonText(delimiter)},`,
    `                quote_char=${pythonText(quote)},`,
    `                double_quote=${pythonBoolean(escaping === 'quote')},`,
    `                escape_char=${escaping === 'quote' ? 'False' : pythonText('\\')},`,
    '                newlines_in_values=True,',
    '                ignore_empty_lines=False,',
    '            ),',
    '            convert_options=csv.ConvertOptions(',
    '                column_types=SCHEMA,',
    `                null_values=[${pythonText(nullText)}],`,
    '                strings_can_be_null=True,',
    '                quoted_strings_can_be_null=False,',
    '            ),',
    '        )',
    '',
    'records = pa.concat_tables([read(path) for path in PATHS])',
    ...instantLines(facts),
  ]
}

function jsonScript(facts: FileFacts): string[] {
  const { format, isKeyed } = facts
  return [
    'import json',
    'import itertools',
    'import pyarrow as pa',
    'import pyarrow.compute as pc',
    '',
    ...pathsLines(facts),
    ...schemaLines(facts),
    '',
    'def shaped(value, type):',
    '    if pa.types.is_struct(type):',
    '        if not isinstance(value, dict):',
    '            return None',
    '        return {field.name: shaped(value.get(field.name), field.type) for field in type}',
    '    if pa.types.is_list(type):',
    '        return [shaped(one, type.value_type) for one in value] if isinstance(value, list) else None',
    '    if pa.types.is_string(type) and value is not None and not isinstance(value, str):',
    '        return json.dumps(value, ensure_ascii=False)',
    '    return value',
    '',
    'def documents(path):',
    `    with pa.input_stream(path, compression=${compressionOf(facts)}) as stream:`,
    ...(format === 'ndjson'
      ? [
          '        rest = b""',
          '        while chunk := stream.read(1 << 20):',
          '            *lines, rest = (rest + chunk).split(b"\\n")',
          '            yield from map(json.loads, filter(bytes.strip, lines))',
          '        if rest.strip():',
          '            yield json.loads(rest)',
        ]
      : ['        yield json.loads(stream.read())']),
    '',
    'def rows(path):',
    '    for document in documents(path):',
    ...recordsOf(format, isKeyed),
    '',
    'def batches():',
    '    left = itertools.chain.from_iterable(map(rows, PATHS))',
    '    while some := list(itertools.islice(left, 50_000)):',
    '        columns = [[shaped(row.get(field.name), field.type) for row in some] for field in SCHEMA]',
    '        arrays = [pa.array(column, type=field.type) for column, field in zip(columns, SCHEMA)]',
    '        yield pa.record_batch(arrays, schema=SCHEMA)',
    '',
    'records = pa.Table.from_batches(batches(), schema=SCHEMA)',
    ...instantLines(facts),
  ]
}

function recordsOf(format: FileFacts['format'], isKeyed: boolean): string[] {
  if (isKeyed) return ['        yield from ({**record, "_key": key} for key, record in document.items())']
  return format === 'ndjson' ? ['        yield document'] : ['        yield from document']
}

function schemaLines({ columns, isKeyed }: FileFacts): string[] {
  const key = isKeyed ? [`    pa.field("_key", pa.string()),`] : []
  const lines = columns.map(({ name, type }) => `    pa.field(${pythonText(name)}, ${typeOf(type)}),`)
  return ['SCHEMA = pa.schema([', ...key, ...lines, '])']
}

/** Text becomes an instant after it was read: readers of text take one number of digits alone. */
function instantLines({ columns }: FileFacts): string[] {
  const times = columns.filter(({ type }) => type.kind === 'timestamp').map(({ name }) => name)
  if (times.length === 0) return []
  return [
    '# date-times with any offset and any number of digits, of which a microsecond has six',
    `for name in ${pythonList(times)}:`,
    '    at = records.column_names.index(name)',
    '    text = pc.replace_substring_regex(records.column(at), pattern=r"(\\.\\d{6})\\d+", replacement=r"\\1")',
    '    records = records.set_column(at, name, text.cast(pa.timestamp("us", "UTC")))',
  ]
}

function compressionOf({ compression }: FileFacts): string {
  return compression === 'none' ? 'None' : pythonText(compression)
}

const scalars = {
  string: 'pa.string()',
  boolean: 'pa.bool_()',
  timestamp: 'pa.string()',
  int64: 'pa.int64()',
  double: 'pa.float64()',
  json: 'pa.string()',
}

function typeOf(type: FieldType): string {
  if (type.kind === 'list') return `pa.list_(${typeOf(type.element)})`
  if (type.kind !== 'struct') return scalars[type.kind]
  const fields = type.fields.map(({ name, type: child }) => `(${pythonText(name)}, ${typeOf(child)})`)
  return `pa.struct([${fields.join(', ')}])`
}
