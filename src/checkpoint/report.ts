// The report of an export whose output is complete and has only to get its name, as a checkpoint has it. What is
// decoded has all members of a report, with their types, or it is an error.

import { counterNames, countersBy } from '../counts.js'
import { framings, type JsonValue } from '../record.js'
import { answerFormats, type ExportReport } from '../report.js'
import { fallbackOf, warningsOf } from './checkpoint.js'
import { count, type Fields, object, oneOf, orNull, text } from './fields.js'

const requestFormats = ['auto', ...answerFormats] as const

/** @param corrupt makes the error of what is wrong with it */
export function decodeReport(value: JsonValue, corrupt: (why: string) => Error): ExportReport {
  try {
    const fields = object(value, 'it')
    const { records: _, ...counters } = countersBy(counterNames, (name) =>
      count(fields, name === 'records' ? 'recordsRead' : name),
    )
    return {
      complete: oneOf(fields, 'complete', [true, 'unproven'] as const),
      resource: text(fields, 'resource'),
      records: count(fields, 'records'),
      recordsRead: count(fields, 'recordsRead'),
      ...counters,
      duplicates: decodeDuplicates(fields),
      outputBytes: count(fields, 'outputBytes'),
      elapsedMs: count(fields, 'elapsedMs'),
      peakRssBytes: count(fields, 'peakRssBytes'),
      output: text(fields, 'output'),
      format: text(fields, 'format'),
      compression: text(fields, 'compression'),
      parser: text(fields, 'parser'),
      parquetWriter: orNull(fields, 'parquetWriter', text),
      requestedResponseFormat: oneOf(fields, 'requestedResponseFormat', requestFormats),
      responseFormat: orNull(fields, 'responseFormat', (from, name) => oneOf(from, name, answerFormats)),
      framing: orNull(fields, 'framing', (from, name) => oneOf(from, name, framings)),
      fallback: fallbackOf(fields),
      resumedFrom: resumedFromOf(fields),
      digest: fields['digest'] === null ? null : digestOf(object(fields['digest'], 'digest')),
      manifest: orNull(fields, 'manifest', text),
      warnings: warningsOf(fields['warnings']),
    }
  } catch (error) {
    throw corrupt(`cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

export function decodeDuplicates(fields: Fields): ExportReport['duplicates'] {
  if (fields['duplicates'] === null) return null
  const duplicates = object(fields['duplicates'], 'duplicates')
  return { records: count(duplicates, 'records'), isExact: oneOf(duplicates, 'isExact', [true, false]) }
}

export function resumedFromOf(fields: Fields): ExportReport['resumedFrom'] {
  if (fields['resumedFrom'] === null) return null
  const from = object(fields['resumedFrom'], 'resumedFrom')
  return {
    page: count(from, 'page'),
    records: count(from, 'records'),
    bytes: count(from, 'bytes'),
    savedAt: text(from, 'savedAt'),
    ageMs: count(from, 'ageMs'),
  }
}

function digestOf(fields: Fields): NonNullable<ExportReport['digest']> {
  return { algorithm: oneOf(fields, 'algorithm', ['sha256'] as const), hex: text(fields, 'hex') }
}
