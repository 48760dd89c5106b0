// Whether the fields that edits name are there at all. A name that is near to a declared one is wrong before the first
// request; what is not declared and was in no record is told when all records were read, and keeps what was to leave
// out from being published.

import { ConfigError, DataError, printable } from '../errors.js'
import type { ResolvedOptions } from '../options/schema.js'
import type { Warning } from '../record.js'
import { formatFieldPath, nearestName } from '../schema/names.js'
import type { SourceOutcome } from '../source/source.js'
import { foundNames, unusedCode } from '../transform/edit-fields.js'
import type { EditKind } from '../transform/field-edits.js'
import { parseFieldPath } from '../transform/field-path.js'
import { parseEdits } from '../transform/parse-edits.js'
import { DeclaredFields, expectedFields, remoteData } from './declared-fields.js'
import { excludedByServer } from './edits.js'

const kinds = ['select', 'exclude', 'redact', 'rename'] as const

/** The paths that options name, by the word for what is done to them. */
function pathsOf(resolved: ResolvedOptions): [what: string, path: string][] {
  const { select = [], exclude = [], dropped = [], redact = [], rename = [] } = parseEdits(resolved)
  const { keyBy } = resolved
  const paths: Record<string, readonly string[]> = {
    select,
    exclude: exclude.filter((path) => !dropped.includes(path)),
    redact: [...dropped, ...redact.map(([path]) => path)],
    rename: rename.map(([path]) => path),
    'key-by': keyBy === null || keyBy === '@key' ? [] : [keyBy],
  }
  return Object.entries(paths).flatMap(([what, all]) => all.map((path): [string, string] => [what, path]))
}

/** @throws ConfigError where an option names a field that is near to a declared one and is not declared itself.
 *  @param hasTransform whether records come from a step of the user, who may call their fields as they like
 *  @param fields names by which objects are asked for */
export function checkFieldNames(
  resolved: ResolvedOptions,
  hasTransform: boolean,
  fields: readonly string[] = [],
): void {
  const { unmetFields, responseFormat } = resolved
  // a stream may turn out to be unmapped
  if (hasTransform || responseFormat === 'stream' || (unmetFields !== null && unmetFields !== 'error')) return
  const declared = expectedFields(resolved)
  const named = fields.map((name): [string, string] => ['fields', formatFieldPath([name])])
  for (const [what, path] of [...pathsOf(resolved), ...named]) {
    const meant = declared.misspelled(path)
    if (meant === undefined) continue
    const message = `${what}: there is no field ${printable(path)} in ${declared.name}; did you mean ${printable(meant)}?`
    throw new ConfigError('ERR_OPTION_INVALID', message, {
      hint: '--unmet-fields warn takes the name as it is',
    })
  }
}

/** Whether it is to be known of a path that no record has a field at it. */
export function isTracked(resolved: ResolvedOptions): (kind: EditKind, path: string) => boolean {
  const declared = expectedFields(resolved)
  const mayBeUnmapped = resolved.responseFormat === 'stream'
  return (kind, path) => kind === 'redact' || mayBeUnmapped || !declared.has(path)
}

export interface UnmetInit {
  readonly resolved: ResolvedOptions
  readonly hasTransform: boolean
  readonly hasInput: boolean
  readonly outcome: Pick<SourceOutcome, 'isUnified'>
  /** Records that came out of the edits, in all runs of the export. */
  readonly records: number
}

/** What the edits of all runs warned of, told of the whole export: a field that one run did not meet may have been met
 *  by another. */
export function settledWarnings(warnings: readonly Warning[], init: UnmetInit): Warning[] {
  return settled(warnings, init).warnings
}

/** @throws DataError ERR_FIELD_UNMET where a field that was to be left out or redacted is in no record, and nothing
 *  says that there is one of that name */
export function checkUnmet(warnings: readonly Warning[], init: UnmetInit): void {
  const { refused } = settled(warnings, init)
  if (refused.length === 0) return
  const message = refused.map(({ message, fields }) => `${message}: ${Object.keys(fields!).map(printable).join(', ')}`)
  throw new DataError('ERR_FIELD_UNMET', message.join('; '))
}

interface Settled {
  readonly warnings: Warning[]
  /** What must not be published, in the form of warnings. */
  readonly refused: Warning[]
}

function settled(given: readonly Warning[], init: UnmetInit): Settled {
  const { resolved, outcome, records } = init
  const declared = new DeclaredFields(resolved, outcome.isUnified)
  const found = Object.keys(given.find(({ code }) => code === foundNames)?.fields ?? {})
  const pushed = init.hasInput ? [] : excludedByServer(resolved, init.hasTransform).excludeFields
  const all: Settled = { warnings: [], refused: [] }
  for (const warning of given) {
    if (warning.code === foundNames) continue
    const kind = kinds.find((kind) => unusedCode(kind) === warning.code)
    if (kind === undefined) {
      all.warnings.push(warning)
      continue
    }
    const unmet = Object.entries(warning.fields ?? {})
      .flatMap(([path, times]) => (times === records ? [path] : []))
      .sort()
    const isPushed = (path: string): boolean =>
      kind === 'exclude' && pushed.some((name) => formatFieldPath([name]) === path)
    const add = (to: Warning[], code: string, message: string, paths: readonly string[]): void => {
      if (paths.length === 0) return
      const fields = Object.fromEntries(paths.map((path) => [path, records]))
      const hint = suggestions(paths, declared, found)
      to.push({ code, message: `${message}${hint}`, count: paths.length * records, fields })
    }
    const told = unmet.filter((path) => resolved.unmetFields !== 'ignore' && !isLeftOutByServer(resolved, path))
    const open = told.filter((path) => !declared.has(path) && !isPushed(path))
    const isRefused =
      resolved.unmetFields === 'error' ||
      (resolved.unmetFields === null && !declared.isEmpty && (kind === 'exclude' || kind === 'redact'))
    const others = kind === 'redact' ? told.filter((path) => declared.has(path)) : []
    const message = `fields to ${kind} are in no record`
    if (isRefused) add(all.refused, warning.code, message, open)
    add(
      all.warnings,
      warning.code,
      message,
      isRefused ? others : told.filter((path) => open.includes(path) || others.includes(path)),
    )
    const asked =
      'fields that the server was asked to leave out are in no record: it left them out, or has none of that name'
    add(
      all.warnings,
      excludeUnseen,
      asked,
      told.filter((path) => isPushed(path) && !declared.has(path)),
    )
  }
  // by their codes, as warnings are wherever an export was interrupted
  all.warnings.sort((a, b) => (a.code < b.code ? -1 : 1))
  return all
}

/** Code of the warning of fields that the server was asked to leave out, and of which nobody knows whether it has
 *  them. */
const excludeUnseen = 'exclude-unseen'

/** Whether a query of the user's own has the server leave out what the path leads into. */
function isLeftOutByServer({ query, queryRaw }: ResolvedOptions, path: string): boolean {
  if (parseFieldPath(path)[0] !== remoteData) return false
  return Object.hasOwn(query, 'truto_ignore_remote_data') || (queryRaw ?? '').includes('truto_ignore_remote_data')
}

/** What the paths may have been meant for, as a clause. */
function suggestions(paths: readonly string[], declared: DeclaredFields, found: readonly string[]): string {
  const pairs = paths.flatMap((path): [string, string][] => {
    const near = declared.nearest(path) ?? nearestName(path, found)
    return near === undefined || near === path ? [] : [[near, path]]
  })
  if (pairs.length === 0) return ''
  return ` (did you mean ${pairs.map(([near, path]) => `${printable(near)} instead of ${printable(path)}`).join(', ')}?)`
}
