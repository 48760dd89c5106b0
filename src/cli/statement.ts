// `truto-export schema --reader`: the code that reads a file rightly.

import { MiB } from '../bytes/units.js'
import type { Column } from '../encode/columns/layout.js'
import { factsOf, formatNames } from '../encode/formats.js'
import { ConfigError, printable } from '../errors.js'
import type { Described, GivenFacts, Outline } from '../export/file-facts.js'
import { statementOf } from '../readers/statement.js'
import type { JsonValue } from '../record.js'
import { declaredSchema } from '../schema/declared.js'
import { schemaFromJson } from '../schema/json-schema.js'
import { type ResourceSchema, unmappedSchema } from '../schema/resource.js'
import { isStdin } from './export-command.js'
import type { Io } from './io.js'
import { type Asked, learnt, tellLearnt, withSignals } from './learn.js'
import type { RunContext } from './run-context.js'
import { readFileOption } from './token.js'

/** Prints code on stdout, and on stderr where the columns come from. Resolves with the exit code. */
export async function printStatement(asked: Asked, io: Io, context: RunContext): Promise<number> {
  return await withSignals(io, context, async (signal) => {
    const { subjects, resource, values } = asked
    const [subject = ''] = subjects
    if (subjects.length > 1 || isStdin(subject)) {
      throw new ConfigError('ERR_OPTION_INVALID', '--reader takes one file, directory or resource', {
        hint: 'a statement is about a file that has a name',
      })
    }
    const given = await givenBy(asked)
    const { describeFile, describeResource } = await import('../export/file-facts.js')
    const described: Described =
      resource === null
        ? await describeFile(subject, given)
        : { outline: describeResource(resource, given), columns: null, manifest: null }
    const { outline, manifest } = described
    if (manifest !== null && !values.quiet) {
      const message = `columns of ${printable(subject)}, as ${manifest} says`
      context.log.write({ level: 'info', event: 'manifest', message, fields: {} })
    }
    const columns = described.columns ?? (await declaredColumns(outline, given, asked, io, context, signal))
    io.stdout.write(statementOf(values.reader!, { ...outline, columns }))
  })
}

async function givenBy({ values, texts }: Asked): Promise<GivenFacts> {
  const { format, compress, keyBy, schema, maxColumns } = values
  const text = typeof schema === 'string' ? await readFileOption(schema, '--schema', 4 * MiB) : null
  const limit = maxColumns === null ? {} : { maxColumns }
  return {
    format: formatNames.find((name) => name === format) ?? null,
    compress: texts['compress'] === undefined || compress === 'auto' ? null : compress,
    keyBy,
    schema: text === null ? null : schemaFromJson(text, limit),
    options: optionsIn(values),
  }
}

/** Values of the table by their names, as a manifest has them. */
function optionsIn(values: Asked['values']): { readonly [name: string]: JsonValue } {
  return values as unknown as { readonly [name: string]: JsonValue }
}

/** The columns of what has neither a manifest nor a footer. */
async function declaredColumns(
  outline: Outline,
  given: GivenFacts,
  asked: Asked,
  io: Io,
  context: RunContext,
  signal: AbortSignal,
): Promise<readonly Column[]> {
  const { columnsFor } = await import('../export/file-facts.js')
  const schema = given.schema ?? (await schemaOf(outline, asked, io, context, signal))
  const { maxColumns, ...choices } = asked.values
  return columnsFor(schema, outline.format, { ...choices, maxColumns: maxColumns ?? undefined })
}

async function schemaOf(
  { format, isKeyed }: Outline,
  asked: Asked,
  io: Io,
  context: RunContext,
  signal: AbortSignal,
): Promise<ResourceSchema> {
  const { resource, values, subjects } = asked
  const declared = resource === null ? unmappedSchema : declaredSchema(resource)
  if (declared !== unmappedSchema && values.sampleRecords === null) return declared
  if (resource === null && factsOf(format).columns !== null) {
    const name = printable(subjects[0]!)
    throw new ConfigError('ERR_OPTION_INVALID', `${name} has no manifest beside it, which would tell its columns`, {
      hint: 'pass --schema FILE, or name its resource in place of the file, with --output',
    })
  }
  // of a file all records, so that nothing comes late
  const sample = values.sampleRecords ?? (resource === null ? Number.MAX_SAFE_INTEGER : null)
  const beside = isKeyed ? { resource: '*', inputFormat: 'keyed' as const } : null
  const { schema, records, name } = await learnt(asked, beside, sample, io, signal)
  if (!values.quiet) tellLearnt(records, name, '', context.log)
  return schema
}
