// Which export this is: what its output's bytes depend on, and whether it can go on after an interruption at all.

import { createHmac } from 'node:crypto'
import type { OptionDigests } from '../checkpoint/checkpoint.js'
import { fingerprintOf } from '../checkpoint/fingerprint.js'
import { exportTable, type OptionTable, type ResolvedOptions } from '../options/schema.js'
import { expectedSchema, givenSchema } from './declared-fields.js'
import { columnsOf, editsOf, rowGroupCuts } from './edits.js'
import type { Checked } from './options.js'

/** Version of the bytes that we make of the same records. A checkpoint of another version is one of another export. */
const outputVersion = 1

export interface IdentityInit {
  readonly resolved: ResolvedOptions
  readonly transform: unknown
  readonly hasInput: boolean
}

export function identityInit({ resolved, transform, input }: Checked): IdentityInit {
  return { resolved, transform, hasInput: input !== undefined }
}

/** Why an export cannot go on after an interruption; null where it can. */
export function obstacleOf({ resolved, transform, hasInput }: IdentityInit): string | null {
  if (hasInput) return 'what is read is no list of Truto'
  if (!resolved.checkpoint) return 'no checkpoint is wanted'
  if (resolved.format === 'parquet' && resolved.parquetWriter !== 'builtin')
    return `a file of ${resolved.parquetWriter} cannot be gone on with`
  if (resolved.keyBy !== null && resolved.keyByDuplicate !== 'keep') return 'the keys that were seen are not saved'
  if (transform !== undefined && typeof transform !== 'function') return 'what a Transform holds is not known'
  return null
}

/** SHA-256 of everything that the output's bytes depend on: request, transforms, format. No token, no limit, no deadline. */
export function identityOf({ resolved, transform }: IdentityInit): string {
  const { format, compress } = resolved
  return fingerprintOf({
    outputVersion,
    apiUrl: new URL(resolved.apiUrl).href,
    request: pick(resolved, requestOptions),
    // the libraries print records anew, the others keep the server's bytes
    parser: ['stream-json', 'streamparser'].includes(resolved.parser) ? resolved.parser : 'exact',
    transform: typeof transform === 'function' ? String(transform) : null,
    output: { format, compress },
    transforms: pick(resolved, transformOptions),
    // tells keys apart; what is kept is a digest of all of this
    redactKey: keyOfHashes(resolved),
    schema: format === 'csv' || format === 'parquet' ? (givenSchema(resolved)?.fields ?? null) : null,
    // absent where it is as it always was
    text: format === 'ndjson' || format === 'json' ? textOptionsOf(resolved) : undefined,
    columns: format === 'csv' || format === 'parquet' ? pick(resolved, columnOptions[format]) : null,
    rowGroups: format === 'parquet' ? fewerRowsOf(resolved) : undefined,
    cut: compress === 'none' ? null : resolved.commitBytes,
    parts: [resolved.partRows, resolved.partBytes],
  })
}

/** Digits kept of an option's digest: enough to see that it differs, and too few to tell a value by. */
const keptDigits = 8

/** What of `identityOf` is each option's, by its name. */
export function optionDigestsOf({ resolved, transform }: IdentityInit): OptionDigests {
  const { format, compress } = resolved
  const facts: Record<string, unknown> = {
    version: outputVersion,
    apiUrl: new URL(resolved.apiUrl).href,
    ...pick(resolved, requestOptions),
    parser: ['stream-json', 'streamparser'].includes(resolved.parser) ? resolved.parser : 'exact',
    transform: typeof transform === 'function' ? String(transform) : null,
    format,
    compress,
    ...pick(resolved, transformOptions),
    redactKey: keyOfHashes(resolved),
    schema: format === 'csv' || format === 'parquet' ? (givenSchema(resolved)?.fields ?? null) : null,
    ...(format === 'csv' || format === 'parquet' ? pick(resolved, columnOptions[format]) : pick(resolved, textOptions)),
    maxMemoryBytes: format === 'parquet' ? (fewerRowsOf(resolved) ?? null) : null,
    commitBytes: compress === 'none' ? null : resolved.commitBytes,
    partRows: resolved.partRows,
    partBytes: resolved.partBytes,
  }
  const digests = Object.entries(facts).map(([name, value]) => [
    name,
    fingerprintOf({ [name]: value }).slice(0, keptDigits),
  ])
  return Object.fromEntries(digests) as OptionDigests
}

/** The options in which two exports differ, as flags; none where that cannot be told. Options of another format count as that one. */
export function differingOptions(saved: OptionDigests | undefined, own: OptionDigests): string[] {
  if (saved === undefined) return []
  const names = Object.keys(own).filter((name) => saved[name] !== undefined && saved[name] !== own[name])
  return names.map((name) => {
    if (name === 'version') return 'the version of truto-export'
    if (name === 'transform') return 'the transform'
    return (exportTable as OptionTable)[name]?.flag ?? name
  })
}

/** As `identityOf`; null where what a Transform does or an input holds has a part in it, which is not known. */
export function knownIdentityOf(init: IdentityInit): string | null {
  return init.hasInput || typeof init.transform === 'object' ? null : identityOf(init)
}

/** Rows of a row group where the memory bound allows fewer than are asked for; undefined where it does not matter. */
function fewerRowsOf(resolved: ResolvedOptions): number | undefined {
  const { cutRecords } = rowGroupCuts(columnsOf(expectedSchema(resolved), resolved), resolved)
  return cutRecords < resolved.rowGroupRows ? cutRecords : undefined
}

/** What NDJSON and JSON do to the server's bytes; undefined for nothing. */
function textOptionsOf(resolved: ResolvedOptions): object | undefined {
  const { surrogates, strict } = resolved
  return surrogates === 'keep' && !strict ? undefined : pick(resolved, textOptions)
}

/** A key that stands in the environment and hashes nothing is no part of the export. */
function keyOfHashes(resolved: ResolvedOptions): string | null {
  const { redactKey } = resolved
  if (redactKey === null || !editsOf(resolved).redact?.some(([, how]) => how === 'hash')) return null
  return createHmac('sha256', redactKey).update('truto-export').digest('hex')
}

const requestOptions = [
  'resource',
  'account',
  'workspace',
  'channel',
  'query',
  'queryRaw',
  'responseFormat',
  'limit',
  'cursor',
  'ignoreLimit',
  'ignoreRemoteData',
] as const
const transformOptions = ['select', 'exclude', 'redact', 'rename', 'keyBy', 'keyByMissing', 'keyByDuplicate'] as const
const textOptions = ['surrogates', 'strict'] as const
const sharedColumnOptions = ['unknownFields', 'onTypeMismatch', 'strict'] as const
const csvOptions = [
  'csvDelimiter',
  'csvQuote',
  'csvLineEnd',
  'csvBom',
  'csvHeader',
  'csvNested',
  'csvFlattenSlots',
  'csvFormulas',
  ...sharedColumnOptions,
] as const
const parquetOptions = [
  'parquetWriter',
  'parquetCompression',
  'parquetBloom',
  'rowGroupRows',
  'rowGroupBytes',
  'timestampUnit',
  ...sharedColumnOptions,
] as const
const columnOptions = { csv: csvOptions, parquet: parquetOptions }

function pick<N extends keyof ResolvedOptions>(
  resolved: ResolvedOptions,
  names: readonly N[],
): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, resolved[name]]))
}
