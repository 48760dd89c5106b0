// What is told of an export that is complete: its manifest, put together from the report and the options. Nothing
// secret is in it: no token, no cursor, and of further parameters the names alone.

import { createHash } from 'node:crypto'
import { type Manifest, manifestVersion } from '../checkpoint/manifest.js'
import { countersOf, pageCounterNames, requestCounterNames } from '../counts.js'
import { factsOf } from '../encode/formats.js'
import type { ResolvedOptions } from '../options/schema.js'
import { optionsShaping } from '../options/shapes.js'
import type { JsonValue } from '../record.js'
import type { ExportReport } from '../report.js'
import type { FieldType, ResourceSchema } from '../schema/resource.js'
import { version } from '../version.js'
import { layoutFor } from './edits.js'
import { outputWarnings } from './warnings.js'

export interface DeliveryInit {
  readonly report: ExportReport
  readonly resolved: ResolvedOptions
  /** What the columns come from. */
  readonly schema: ResourceSchema
  readonly fingerprint: string | null
  /** As `compressionCutOf`. */
  readonly compressionCut: number | null
  /** The files of the output, where it is a directory. */
  readonly parts: Manifest['parts']
  readonly frames: Manifest['frames']
  /** Whether a saved body was read, and not Truto asked. */
  readonly hasInput: boolean
  /** What the last page was asked for with. */
  readonly lastCursor: string | null
  /** Wall times in ms. */
  readonly startedAt: number
  readonly finishedAt: number
}

export function deliveryOf(init: DeliveryInit): Manifest {
  const { report, resolved, schema, hasInput, lastCursor } = init
  const { records, recordsRead, resumedFrom } = report
  const { requestedResponseFormat, responseFormat, framing, fallback } = report
  return {
    manifestVersion,
    format: resolved.format,
    compression: resolved.compress,
    records,
    bytes: report.outputBytes,
    parts: init.parts,
    frames: init.frames,
    sha256: report.digest?.hex ?? null,
    complete: report.complete,
    source: {
      resource: report.resource,
      ...requestOf(resolved, hasInput),
      recordsRead,
      ...countersOf(report, pageCounterNames),
      firstCursorSha256: digestOf(resolved.cursor),
      lastCursorSha256: digestOf(lastCursor),
      requestedResponseFormat,
      responseFormat,
      framing,
      fallback,
    },
    schema: { resource: schema.resource, version: schema.version, columns: manifestColumns(resolved, schema) },
    options: optionsOf(resolved, init.compressionCut),
    fingerprint: init.fingerprint,
    warnings: outputWarnings(report.warnings),
    versions: {
      trutoExport: version,
      node: process.versions.node,
      engine: report.parser,
      parquetWriter: report.parquetWriter,
    },
    run: {
      startedAt: new Date(init.startedAt).toISOString(),
      finishedAt: new Date(init.finishedAt).toISOString(),
      ...countersOf(report, requestCounterNames),
      resumedFrom,
      duplicates: report.duplicates,
    },
  }
}

type Request = Pick<Manifest['source'], 'apiUrl' | 'account' | 'workspace' | 'channel' | 'query'>

function requestOf(resolved: ResolvedOptions, hasInput: boolean): Request {
  if (hasInput) return { apiUrl: null, account: null, workspace: null, channel: null, query: [] }
  const { origin, pathname } = new URL(resolved.apiUrl)
  const rawNames = [...new URLSearchParams(resolved.queryRaw ?? '').keys()]
  return {
    apiUrl: `${origin}${pathname}`,
    account: resolved.account,
    workspace: referenceOf(resolved.workspace),
    channel: referenceOf(resolved.channel),
    query: [...new Set([...Object.keys(resolved.query), ...rawNames])].sort(),
  }
}

/** An id; of what else may be given in its place, the names. */
function referenceOf(reference: ResolvedOptions['channel']): JsonValue {
  if (reference === null || typeof reference === 'string') return reference
  const { id } = reference
  return Object.keys(reference).length === 1 && typeof id === 'string' ? id : Object.keys(reference).sort()
}

function digestOf(cursor: string | null): string | null {
  return cursor === null ? null : createHash('sha256').update(cursor).digest('hex')
}

/** Options of the request that `source` tells of in its own way. */
const toldAsSource = ['resource', 'account', 'workspace', 'channel', 'query', 'queryRaw', 'responseFormat', 'cursor']

/** The options that shape what is in the output's bytes. */
function optionsOf(resolved: ResolvedOptions, compressionCut: number | null): Manifest['options'] {
  const told = [
    ...optionsShaping('request').filter(({ name }) => !toldAsSource.includes(name)),
    ...factsOf(resolved.format).shapedBy.flatMap(optionsShaping),
  ].filter(({ isIndirect }) => !isIndirect)
  return {
    ...Object.fromEntries(told.map(({ name }) => [name, resolved[name] as JsonValue])),
    ...(compressionCut === null ? {} : { commitBytes: compressionCut }),
  }
}

function manifestColumns(resolved: ResolvedOptions, schema: ResourceSchema): Manifest['schema']['columns'] {
  if (factsOf(resolved.format).columns === null) return null
  return layoutFor(schema, resolved).columns.map(({ name, type }) => ({ name, type: typeText(type) }))
}

/** `list<struct<email: string, is_primary: boolean>>` */
function typeText(type: FieldType): string {
  if (type.kind === 'list') return `list<${typeText(type.element)}>`
  if (type.kind !== 'struct') return type.kind
  return `struct<${type.fields.map((field) => `${field.name}: ${typeText(field.type)}`).join(', ')}>`
}
