// `truto-export schema`: the columns of a resource as JSON Schema, declared or learned from its records.

import { MiB, plural } from '../bytes/units.js'
import { ConfigError, printable, printableJson } from '../errors.js'
import { type FlagTexts, resolveFlags } from '../options/resolve.js'
import { schemaTable } from '../options/schema.js'
import type { RecordBatch } from '../record.js'
import { declaredSchema } from '../schema/declared.js'
import { schemaToJson } from '../schema/json-schema.js'
import { foldedTwins } from '../schema/names.js'
import { extraColumn, type Field, keyColumn, type ResourceSchema, unmappedSchema } from '../schema/resource.js'
import { isResourceName } from '../schema/resource-name.js'
import { inputsOf, isStdin, refreshBy, withQuery } from './export-command.js'
import type { Io } from './io.js'
import type { Log, LogLine } from './log.js'
import { type RunContext, tellStop } from './run-context.js'
import { catchSignals, Stopped } from './signals.js'
import { readFileOption, readToken } from './token.js'

/** Prints a schema on stdout, and on stderr what it was learned from. */
export async function runSchema(texts: FlagTexts, io: Io, context: RunContext): Promise<number> {
  const values = resolveFlags(schemaTable, 'schema', withQuery(texts), io.env)
  const subjects = typeof values.subject === 'string' ? [values.subject] : values.subject!
  const resources = subjects.filter(isResourceName)
  if (resources.length > 0 && subjects.length > 1) {
    throw new ConfigError(
      'ERR_OPTION_INVALID',
      `${printable(resources[0]!)} is a resource, and there are other subjects`,
      {
        hint: 'name one resource, or files; ./model/file is a file',
      },
    )
  }
  const [resource = null] = resources
  const declared = resource === null ? unmappedSchema : declaredSchema(resource)
  if (declared !== unmappedSchema && values.sampleRecords === null) {
    print(declared, io)
    return 0
  }
  const signals = catchSignals(io.signals, undefined, io.clock)
  try {
    const { inferSchema } = await import('../export/infer-schema.js')
    const { besideOf } = await import('../export/beside.js')
    const beside = resource === null && !subjects.some(isStdin) ? await besideOf(subjects) : null
    const inputFormat =
      texts['inputFormat'] === undefined ? (beside?.inputFormat ?? values.inputFormat) : values.inputFormat
    const batches =
      resource === null
        ? await batchesIn(subjects, { ...values, inputFormat }, io, signals.signal)
        : await batchesOf(resource, values, texts, io, signals.signal)
    const name = resource ?? beside?.resource
    const { schema, records } = await inferSchema(batches, {
      ...(values.sampleRecords === null ? {} : { sampleRecords: values.sampleRecords }),
      ...(name === undefined ? {} : { resource: name }),
      ...(values.maxColumns === null ? {} : { maxColumns: values.maxColumns }),
    })
    if (!values.quiet) {
      const of = beside === null ? '' : ` of ${printable(beside.resource)}, as ${beside.manifest} says`
      const message = `learned from ${plural(records, 'record')}${of}`
      context.log.write({ level: 'info', event: 'learned', message, fields: { records, resource: name ?? null } })
      warnOfTwins(schema, context.log)
    }
    print(schema, io)
    return 0
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    return tellStop(error, 'stopped', null, context)
  } finally {
    signals.dispose()
  }
}

type SchemaValues = ReturnType<typeof resolveFlags<typeof schemaTable>>

/** The records of files or stdin. */
async function batchesIn(
  subjects: readonly string[],
  { parser, inputFormat, maxDepth, maxCursorBytes, maxRecordBytes }: SchemaValues,
  io: Io,
  signal: AbortSignal,
): Promise<AsyncIterable<RecordBatch>> {
  const { bodySource } = await import('../source/body-source.js')
  const record = maxRecordBytes === null ? {} : { maxRecordBytes }
  const options = { parser, inputFormat, maxDepth, maxCursorBytes, signal, ...record }
  return bodySource(inputsOf(subjects, io, signal), options)
}

/** The records of a list. */
async function batchesOf(
  resource: string,
  values: SchemaValues,
  texts: FlagTexts,
  io: Io,
  signal: AbortSignal,
): Promise<AsyncIterable<RecordBatch>> {
  const {
    subject: _subject,
    sampleRecords: _sample,
    inputFormat: _format,
    logFormat: _log,
    tokenFile,
    tokenCommand,
    tokenStdin,
    quiet: _quiet,
    debug: _debug,
    ...options
  } = values
  const ca = options.ca === null ? null : await readFileOption(options.ca, '--ca', 4 * MiB)
  const wait = { timeoutMs: options.tokenTimeoutMs, clock: io.clock, signal: () => signal }
  const flags = { tokenFile, tokenCommand, tokenStdin }
  const token = await readToken(flags, texts['token'] !== undefined, io.stdin, wait)
  const { trutoSource } = await import('../export/export.js')
  return trutoSource({
    ...options,
    resource,
    token: token ?? options.token,
    ca,
    signal,
    ...(tokenCommand === null ? {} : { refreshToken: refreshBy(tokenCommand, io) }),
  })
}

/** Most pairs of names that are told. */
const maxTwins = 20

/** An export refuses columns that differ in case alone: which of them is meant is for people to say. */
function warnOfTwins(schema: ResourceSchema, log: Log): void {
  const ours = [extraColumn, keyColumn].map((name): Field => ({ name, type: { kind: 'json' } }))
  const twins = [...foldedTwins([...schema.fields, ...ours])]
  const warn = (message: string, fields: LogLine['fields'] & object): void =>
    log.write({ level: 'warn', event: 'warning', message: `warning: ${message}`, fields })
  for (const [one, other] of twins.slice(0, maxTwins)) {
    const names = `${printable(one)} and ${printable(other)}`
    warn(`${names} differ in case alone; no export to CSV or Parquet takes both as columns`, { names: [one, other] })
  }
  if (twins.length > maxTwins) warn(`and ${twins.length - maxTwins} more such names`, { more: twins.length - maxTwins })
}

function print(schema: ResourceSchema, { stdout }: Io): void {
  stdout.write(`${printableJson(schemaToJson(schema), 2)}\n`)
}
