// `truto-export schema`: the columns of a resource as JSON Schema, declared or learned from its records; with
// --reader, the code that reads a file of them.

import { ConfigError, printable, printableJson } from '../errors.js'
import { type FlagTexts, resolveFlags } from '../options/resolve.js'
import { schemaTable } from '../options/schema.js'
import { declaredSchema } from '../schema/declared.js'
import { schemaToJson } from '../schema/json-schema.js'
import { foldedTwins } from '../schema/names.js'
import { extraColumn, type Field, keyColumn, type ResourceSchema, unmappedSchema } from '../schema/resource.js'
import { isResourceName } from '../schema/resource-name.js'
import { withQuery } from './export-command.js'
import type { Io } from './io.js'
import { besideSubjects, learnt, tellLearnt, withSignals } from './learn.js'
import type { Log, LogLine } from './log.js'
import type { RunContext } from './run-context.js'
import { printStatement } from './statement.js'

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
  if (values.reader !== null) return await printStatement({ subjects, resource, values, texts }, io, context)
  const declared = resource === null ? unmappedSchema : declaredSchema(resource)
  if (declared !== unmappedSchema && values.sampleRecords === null) {
    print(declared, io)
    return 0
  }
  return await withSignals(io, context, async (signal) => {
    const beside = await besideSubjects(subjects, resource)
    const asked = { subjects, resource, values, texts }
    const { schema, records, name } = await learnt(asked, beside, values.sampleRecords, io, signal)
    if (!values.quiet) {
      const of = beside === null ? '' : ` of ${printable(beside.resource)}, as ${beside.manifest} says`
      tellLearnt(records, name, of, context.log)
      warnOfTwins(schema, context.log)
    }
    print(schema, io)
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
