// `truto-export schema`: the columns of a resource as JSON Schema, declared or learned from its records.

import { MiB } from '../bytes/units.js'
import { type FlagTexts, resolveFlags } from '../options/resolve.js'
import { schemaTable } from '../options/schema.js'
import type { RecordBatch } from '../record.js'
import { schemaToJson } from '../schema/json-schema.js'
import { type ResourceSchema, schemaOf, unmappedSchema } from '../schema/resource.js'
import { bytesOf, withQuery } from './export-command.js'
import type { Io } from './io.js'
import { catchSignals, Stopped } from './signals.js'
import { readFileOption, readToken, runTokenCommand } from './token.js'

/** Prints a schema on stdout, and on stderr what it was learned from. */
export async function runSchema(texts: FlagTexts, io: Io): Promise<number> {
  const values = resolveFlags(schemaTable, 'schema', withQuery(texts), io.env)
  const subject = values.subject!
  const declared = isResource(subject) ? schemaOf(subject) : unmappedSchema
  if (declared !== unmappedSchema && values.sampleRecords === null) {
    print(declared, io)
    return 0
  }
  const signals = catchSignals(io.signals)
  try {
    const { inferSchema } = await import('../export/infer-schema.js')
    const batches = await batchesOf(values, texts, io, signals.signal)
    const { schema, records } = await inferSchema(batches, {
      ...(values.sampleRecords === null ? {} : { sampleRecords: values.sampleRecords }),
      ...(isResource(subject) ? { resource: subject } : {}),
    })
    if (!values.quiet) io.stderr.write(`truto-export: learned from ${records.toLocaleString('en-US')} records\n`)
    print(schema, io)
    return 0
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    io.stderr.write(`truto-export: ${error.message}\n`)
    return error.exitCode
  } finally {
    signals.dispose()
  }
}

type SchemaValues = ReturnType<typeof resolveFlags<typeof schemaTable>>

/** The records of the list, the file or stdin. */
async function batchesOf(
  values: SchemaValues,
  texts: FlagTexts,
  io: Io,
  signal: AbortSignal,
): Promise<AsyncIterable<RecordBatch>> {
  const {
    subject,
    sampleRecords: _,
    inputFormat,
    tokenFile,
    tokenCommand,
    tokenStdin,
    quiet,
    debug,
    ...options
  } = values
  if (!isResource(subject!)) {
    const { bodySource } = await import('../source/body-source.js')
    const input = subject === '-' ? bytesOf(io.stdin) : subject!
    const { maxDepth, maxCursorBytes, maxRecordBytes, parser } = options
    const record = maxRecordBytes === null ? {} : { maxRecordBytes }
    const format = inputFormat === 'auto' ? {} : { isNdjson: inputFormat === 'ndjson' }
    return bodySource(input, { parser, maxDepth, maxCursorBytes, signal, ...record, ...format })
  }
  const token = await readToken({ tokenFile, tokenCommand, tokenStdin }, texts['token'] !== undefined, io.stdin)
  const ca = options.ca === null ? null : await readFileOption(options.ca, '--ca', 4 * MiB)
  const { trutoSource } = await import('../export.js')
  return trutoSource({
    ...options,
    resource: subject,
    token: token ?? options.token,
    ca,
    signal,
    ...(tokenCommand === null ? {} : { refreshToken: () => runTokenCommand(tokenCommand) }),
  })
}

/** Whether this is `model/resource`; a file in a folder is told from it by a dot, or a leading one: ./folder/file. */
function isResource(subject: string): boolean {
  return /^[A-Za-z0-9_-]+\/[A-Za-z0-9_-]+$/.test(subject)
}

function print(schema: ResourceSchema, { stdout }: Io): void {
  stdout.write(`${JSON.stringify(schemaToJson(schema), null, 2)}\n`)
}
