// Which fields of the records stay, what becomes of them, and the columns that follow from it. What is wrong with that
// is known before the first request.

import { type Layout, layoutOf } from '../encode/columns/layout.js'
import { factsOf } from '../encode/formats.js'
import { listLimits } from '../encode/parquet/row-group-end.js'
import { ConfigError, printable } from '../errors.js'
import type { ResolvedOptions } from '../options/schema.js'
import type { Warning } from '../record.js'
import { columnsIn } from '../schema/column-budget.js'
import { foldedName, formatFieldPath } from '../schema/names.js'
import { extraColumn, keyColumn, type ResourceSchema } from '../schema/resource.js'
import type { SourceOutcome } from '../source/source.js'
import { type EditFieldsOptions, editFieldsStage } from '../transform/edit-fields.js'
import { editedSchema } from '../transform/edited-schema.js'
import type { FieldEdits } from '../transform/field-edits.js'
import { parseFieldPath } from '../transform/field-path.js'
import type { FieldStage } from '../transform/member-locator.js'
import { parseEdits, parseRedactions } from '../transform/parse-edits.js'
import { expectedFields, remoteData } from './declared-fields.js'

/** The edits that the options ask for. @throws ConfigError */
export function editsOf(resolved: ResolvedOptions): FieldEdits {
  const { select, redact, rename, ignoreRemoteData } = resolved
  const exclude = ignoreRemoteData ? [...resolved.exclude, remoteData] : resolved.exclude
  const edits = parseEdits({ select, exclude, redact, rename })
  checkKey(resolved)
  return edits
}

/** The stage that makes the edits; none where there are none. */
export function editStagesOf(
  edits: FieldEdits,
  { redactKey }: ResolvedOptions,
  options: Pick<EditFieldsOptions, 'isTracked' | 'findsNames'>,
): FieldStage[] {
  const { select, exclude, redact, rename } = edits
  if (select === undefined && !exclude?.length && !redact?.length && !rename?.length) return []
  return [editFieldsStage(edits, { ...options, reuse: true, redactKey: redactKey ?? undefined })]
}

/** What to tell of the edits: that they leave in the provider's own record what they take out of the fields that were
 *  made of it. */
export function editWarnings(resolved: ResolvedOptions, { isUnified }: Pick<SourceOutcome, 'isUnified'>): Warning[] {
  const { select, redact, exclude, ignoreRemoteData } = resolved
  if (redact.length === 0 || !isUnified || ignoreRemoteData || isGiven(resolved, 'truto_ignore_remote_data')) return []
  const edits = parseEdits({ select, redact, exclude, rename: [] })
  const isInside = (path: string): boolean => parseFieldPath(path)[0] === remoteData
  const isThought = [...(edits.exclude ?? []), ...(edits.redact ?? []).map(([path]) => path)].some(isInside)
  if (isThought || (edits.select !== undefined && !edits.select.some(isInside))) return []
  const message = `${remoteData}, the provider's own record, may repeat what is redacted; --ignore-remote-data leaves it out`
  return [{ code: 'redacted-elsewhere', message, count: 1 }]
}

/** The columns of records of `schema` after the edits. @throws ConfigError where there would be none, or two of them,
 *  or one and a column of ours, would have the same name */
export function columnSchema(schema: ResourceSchema, resolved: ResolvedOptions): ResourceSchema {
  const edited = editedSchema(schema, editsOf(resolved))
  const { columns, one } = factsOf(resolved.format)
  if (columns === null) return edited
  const reserved = [extraColumn, keyColumn]
  for (const { name } of edited.fields) {
    if (!reserved.includes(foldedName(name))) continue
    throw new ConfigError('ERR_OPTION_INVALID', `the column ${printable(name)} is one that truto-export makes itself`, {
      hint: `rename the field: --rename ${name}=…`,
    })
  }
  if (layoutFor(edited, resolved).columns.length === 0) {
    throw new ConfigError('ERR_OPTION_INVALID', `${one} needs a column, and all are excluded`)
  }
  return edited
}

/** The options that columns follow from, beside the schema. */
export type LayoutChoices = Pick<
  ResolvedOptions,
  'format' | 'keyBy' | 'csvNested' | 'csvFlattenSlots' | 'csvFlatten' | 'unknownFields' | 'onTypeMismatch'
> & { readonly maxColumns?: number | undefined }

/** How the fields of an edited schema become columns. */
export function layoutFor(schema: ResourceSchema, resolved: LayoutChoices): Layout {
  const {
    format,
    keyBy,
    csvNested,
    csvFlattenSlots: flattenSlots,
    csvFlatten,
    unknownFields,
    onTypeMismatch,
    maxColumns,
  } = resolved
  const nested = factsOf(format).columns === 'values' ? 'values' : csvNested === 'flatten' ? 'flatten' : 'text'
  const flatten = factsOf(format).columns === 'text' ? csvFlatten : []
  return layoutOf({
    schema,
    hasKey: keyBy !== null,
    nested,
    flattenSlots,
    flatten,
    unknownFields,
    onTypeMismatch,
    maxColumns,
  })
}

/** Where a list is cut into row groups, which have records as they are read: what is made of them may be longer.
 *  @param schema of the records as they are asked for */
export function rowGroupCuts(
  schema: ResourceSchema,
  resolved: ResolvedOptions,
): { cutBytes: number; cutRecords: number } {
  const asked = { rows: resolved.rowGroupRows, bytes: resolved.rowGroupBytes }
  const columns = columnsIn(layoutFor(schema, resolved).columns)
  const { rows, bytes } = listLimits(asked, columns, resolved.maxMemoryBytes)
  return { cutBytes: bytes, cutRecords: rows }
}

/** The server may leave out whole top-level fields for us, but none that a step of ours still has to see. Where fields
 *  are declared it is asked for none but them: of a name that was mistyped nobody would see that there is no such
 *  field. */
export function excludedByServer(resolved: ResolvedOptions, hasTransform: boolean): ServerExclusion {
  if (hasTransform) return { excludeFields: [], ignoreRemoteData: false }
  const { select, redact, rename, keyBy, checkDuplicates } = resolved
  const edits = parseEdits({ select, exclude: [], redact, rename })
  const read = [
    ...(checkDuplicates ? ['id'] : []),
    ...(keyBy === null ? [] : [keyBy]),
    ...(edits.select ?? []),
    ...[...(edits.redact ?? []), ...(edits.rename ?? [])].map(([path]) => path),
  ]
  const names = new Set(read.map((path) => parseFieldPath(path)[0]))
  const excludeFields = resolved.exclude.map(parseFieldPath).flatMap((path) => (path.length === 1 ? [path[0]!] : []))
  const declared = expectedFields(resolved)
  const isKnown = (name: string): boolean => declared.isEmpty || declared.has(formatFieldPath([name]))
  // it is most of the bytes; who sends the parameter in a query of their own has decided already
  const isUnselected = select.length > 0 && !isGiven(resolved, 'truto_ignore_remote_data')
  return {
    excludeFields: excludeFields.filter((name) => !names.has(name) && isKnown(name)),
    ignoreRemoteData: (resolved.ignoreRemoteData || isUnselected) && !names.has(remoteData),
  }
}

interface ServerExclusion {
  readonly excludeFields: readonly string[]
  readonly ignoreRemoteData: boolean
}

function isGiven({ query, queryRaw }: ResolvedOptions, parameter: string): boolean {
  return Object.hasOwn(query, parameter) || (queryRaw ?? '').includes(parameter)
}

/** The key is taken before all edits, so it would show what they hide: a field that is redacted, one inside of it, or
 *  one that holds it. What the server's own keys show is not known. */
function checkKey({ keyBy, redact }: ResolvedOptions): void {
  if (keyBy === null || redact.length === 0) return
  const key = keyBy === '@key' ? [] : parseFieldPath(keyBy)
  const isShown = ([path]: readonly [string, string]): boolean => {
    const names = parseFieldPath(path)
    return key.every((name, at) => at >= names.length || names[at] === name)
  }
  const shown = parseRedactions(redact).find(isShown)
  if (shown === undefined) return
  const what = keyBy === '@key' ? 'the keys of the server (@key) may show' : `the key ${printable(keyBy)} would show`
  throw new ConfigError('ERR_OPTION_INVALID', `${what} what is redacted: ${printable(shown[0])}`, {
    hint: 'key by a field that is not redacted',
  })
}
