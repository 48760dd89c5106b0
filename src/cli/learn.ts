// Schemas that are learned from records, and what a command that learns them is asked.

import { MiB, plural } from '../bytes/units.js'
import type { Beside } from '../export/beside.js'
import type { FlagTexts, resolveFlags } from '../options/resolve.js'
import type { schemaTable } from '../options/schema.js'
import type { RecordBatch } from '../record.js'
import type { ResourceSchema } from '../schema/resource.js'
import { commandInputs, isStdin, refreshBy } from './export-command.js'
import type { Io } from './io.js'
import type { Log } from './log.js'
import { type RunContext, tellStop } from './run-context.js'
import { catchSignals, Stopped } from './signals.js'
import { readFileOption, readToken } from './token.js'

export type SchemaValues = ReturnType<typeof resolveFlags<typeof schemaTable>>

/** What the command line asks for. */
export interface Asked {
  readonly subjects: readonly string[]
  /** Null where the subjects are files. */
  readonly resource: string | null
  readonly values: SchemaValues
  readonly texts: FlagTexts
}

/** Runs what a signal may end. Resolves with the exit code. */
export async function withSignals(
  io: Io,
  context: RunContext,
  act: (signal: AbortSignal) => Promise<void>,
): Promise<number> {
  const signals = catchSignals(io.signals, undefined, io.clock)
  try {
    await act(signals.signal)
    return 0
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    return tellStop(error, 'stopped', null, context)
  } finally {
    signals.dispose()
  }
}

/** What the manifests beside all of the files say; null for a resource. */
export async function besideSubjects(subjects: readonly string[], resource: string | null): Promise<Beside | null> {
  if (resource !== null || subjects.some(isStdin)) return null
  const { besideOf } = await import('../export/beside.js')
  return await besideOf(subjects)
}

/** The schema that records show. @param sampleRecords null for the usual number of them */
export async function learnt(
  { subjects, resource, values, texts }: Asked,
  beside: Pick<Beside, 'resource' | 'inputFormat'> | null,
  sampleRecords: number | null,
  io: Io,
  signal: AbortSignal,
): Promise<{ schema: ResourceSchema; records: number; name: string | undefined }> {
  const { inferSchema } = await import('../export/infer-schema.js')
  const inputFormat =
    texts['inputFormat'] === undefined ? (beside?.inputFormat ?? values.inputFormat) : values.inputFormat
  const batches =
    resource === null
      ? await batchesIn(subjects, { ...values, inputFormat }, io, signal)
      : await batchesOf(resource, values, texts, io, signal)
  const name = resource ?? beside?.resource
  const found = await inferSchema(batches, {
    ...(sampleRecords === null ? {} : { sampleRecords }),
    ...(name === undefined ? {} : { resource: name }),
    ...(values.maxColumns === null ? {} : { maxColumns: values.maxColumns }),
  })
  return { ...found, name }
}

/** Says how many records a schema was learned from. @param of a clause on what they are */
export function tellLearnt(records: number, name: string | undefined, of: string, log: Log): void {
  const message = `learned from ${plural(records, 'record')}${of}`
  log.write({ level: 'info', event: 'learned', message, fields: { records, resource: name ?? null } })
}

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
  return bodySource(commandInputs(subjects, io, signal), options)
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
    reader: _reader,
    format: _output,
    compress: _compress,
    keyBy: _keyBy,
    schema: _schema,
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
