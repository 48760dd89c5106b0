// Spark, by PySpark. From its documentation, not run.

import type { FieldType } from '../schema/resource.js'
import type { FileFacts } from './facts.js'
import { pythonText } from './literals.js'
import { pathsLines } from './python.js'
import { anyDialect, checkAbilities, usualCodecs } from './refuse.js'

export function spark(facts: FileFacts): string {
  checkAbilities(facts, {
    title: 'Spark',
    parquet: true,
    json: true,
    codecs: usualCodecs,
    ...anyDialect,
  })
  const { format, columns } = facts
  const head = ['# from the documentation, not run']
  if (format === 'parquet') {
    return `${[...head, ...pathsLines(facts), 'records = spark.read.parquet(*PATHS)'].join('\n')}\n`
  }
  const schema = columns.map(({ name, type }) => `    T.StructField(${pythonText(name)}, ${typeOf(type)}),`)
  const options = (format === 'csv' ? csvOptions(facts) : jsonOptions(facts)).map(
    ([name, value]) => `    .option(${pythonText(name)}, ${value})`,
  )
  const lines = [
    ...head,
    'from pyspark.sql import types as T',
    '',
    ...pathsLines(facts),
    'SCHEMA = T.StructType([',
    ...schema,
    '])',
    'records = (',
    '    spark.read.schema(SCHEMA)',
    '    .option("mode", "FAILFAST")',
    ...options,
    `    .${format === 'csv' ? 'csv' : 'json'}(PATHS)`,
    ')',
  ]
  return `${lines.join('\n')}\n`
}

function csvOptions({ dialect }: FileFacts): [string, string][] {
  const { delimiter, quote, hasHeader, nullText, escape: escaping } = dialect
  return [
    ['header', hasHeader ? 'True' : 'False'],
    ['enforceSchema', 'True'],
    ['sep', pythonText(delimiter)],
    ['quote', pythonText(quote)],
    ['escape', pythonText(escaping === 'quote' ? quote : '\\')],
    ['multiLine', 'True'],
    ['encoding', '"UTF-8"'],
    ['nullValue', pythonText(nullText)],
    ['emptyValue', '""'],
    ['ignoreLeadingWhiteSpace', 'False'],
    ['ignoreTrailingWhiteSpace', 'False'],
    ['maxCharsPerColumn', '-1'],
  ]
}

function jsonOptions({ format }: FileFacts): [string, string][] {
  return [['multiLine', format === 'json' ? 'True' : 'False']]
}

const scalars = {
  string: 'T.StringType()',
  boolean: 'T.BooleanType()',
  timestamp: 'T.TimestampType()',
  int64: 'T.LongType()',
  double: 'T.DoubleType()',
  json: 'T.StringType()',
}

function typeOf(type: FieldType): string {
  if (type.kind === 'list') return `T.ArrayType(${typeOf(type.element)})`
  if (type.kind !== 'struct') return scalars[type.kind]
  const fields = type.fields.map(({ name, type: child }) => `T.StructField(${pythonText(name)}, ${typeOf(child)})`)
  return `T.StructType([${fields.join(', ')}])`
}
