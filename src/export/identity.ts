// Which export this is: what its output's bytes depend on, and whether it can go on after an interruption at all.

import { createHmac } from 'node:crypto'
import type { OptionDigests } from '../checkpoint/checkpoint.js'
import { fingerprintOf } from '../checkpoint/fingerprint.js'
import { factsOf, isShapedBy } from '../encode/formats.js'
import { keepsBytes } from '../json/engine-names.js'
import { exportTable, type OptionTable, type ResolvedOptions, type Shape } from '../options/schema.js'
import { type IndirectName, optionsShaping } from '../options/shapes.js'
import { expectedSchema, givenSchema } from './declared-fields.js'
import { columnSchema, editsOf, rowGroupCuts } from './edits.js'
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
  if (isShapedBy(resolved.format, 'parquet') && resolved.parquetWriter !== 'builtin')
    return `a file of ${resolved.parquetWriter} cannot be gone on with`
  if (resolved.keyBy !== null && resolved.keyByDuplicate !== 'keep') return 'the keys that were seen are not saved'
  if (transform !== undefined && typeof transform !== 'function') return 'what a Transform holds is not known'
  return null
}

/** Bytes of records between two places at which what is compressed is cut; null where it is not: zstd, of which some
 *  readers take the first frame alone, only where the export can go on after a cut. */
export function compressionCutOf(init: IdentityInit): number | null {
  const { compress, commitBytes } = init.resolved
  return compress === 'gzip' || (compress === 'zstd' && obstacleOf(init) === null) ? commitBytes : null
}

/** SHA-256 of everything that the output's bytes depend on: request, transforms, format. No token, no limit, no
 *  deadline. */
export function identityOf(init: IdentityInit): string {
  const { columns } = factsOf(init.resolved.format)
  const { apiUrl, request, parser, transform, output, records, redactKey, schema, own, maxMemoryBytes, ...cuts } =
    factsShaping(init)
  return fingerprintOf({
    outputVersion,
    apiUrl,
    request,
    parser,
    transform,
    output,
    transforms: records,
    // tells keys apart; what is kept is a digest of all of this
    redactKey,
    schema,
    // absent where it is as it always was
    text: columns === null && !isBytesOfServer(init.resolved) ? own : undefined,
    columns: columns === null ? null : own,
    rowGroups: maxMemoryBytes ?? undefined,
    cut: cuts.commitBytes,
    parts: [cuts.partRows, cuts.partBytes],
  })
}

/** Digits kept of an option's digest: enough to see that it differs, and too few to tell a value by. */
const keptDigits = 8

/** What of `identityOf` is each option's, by its name. */
export function optionDigestsOf(init: IdentityInit): OptionDigests {
  const { apiUrl, request, parser, transform, output, records, redactKey, schema, own, ...rest } = factsShaping(init)
  const facts = {
    version: outputVersion,
    apiUrl,
    ...request,
    parser,
    transform,
    ...output,
    ...records,
    redactKey,
    schema,
    ...own,
    ...rest,
  }
  const digests = Object.entries(facts).map(([name, value]) => [
    name,
    fingerprintOf({ [name]: value }).slice(0, keptDigits),
  ])
  return Object.fromEntries(digests) as OptionDigests
}

type Facts = { readonly [name: string]: unknown }

/** What the output's bytes depend on, by what the table says that options shape. Those that are named here stand where
 *  checkpoints of before have them; of others that are added to the table there is nothing to be done. */
function factsShaping(init: IdentityInit) {
  const { resolved, transform } = init
  const { apiUrl, ...request } = factsOfShape(init, 'request')
  const { redactKey, ...records } = factsOfShape(init, 'records')
  const { parser, commitBytes, partRows, partBytes, ...output } = factsOfShape(init, 'output')
  const shapes = factsOf(resolved.format).shapedBy.filter((shape) => shape !== 'records')
  const formatFacts: Facts = Object.assign({}, ...shapes.map((shape) => factsOfShape(init, shape)))
  const { schema = null, maxMemoryBytes = null, ...own } = formatFacts
  return {
    apiUrl,
    request,
    parser,
    transform: typeof transform === 'function' ? String(transform) : null,
    output,
    records,
    redactKey,
    schema,
    /** Of the format alone. */
    own,
    maxMemoryBytes,
    commitBytes,
    partRows,
    partBytes,
  }
}

function factsOfShape(init: IdentityInit, shape: Exclude<Shape, 'nothing'>): Facts {
  const { resolved } = init
  const options = optionsShaping(shape).filter(({ isGuard }) => !isGuard)
  return Object.fromEntries(
    options.map(({ name, isIndirect }) => [
      name,
      isIndirect ? following[name as IndirectName](resolved, init) : resolved[name],
    ]),
  )
}

/** What follows from options whose value itself shapes nothing. */
const following = {
  apiUrl: ({ apiUrl }) => new URL(apiUrl).href,
  // the libraries print records again, the others keep the server's bytes
  parser: ({ parser }) => (keepsBytes(parser) ? 'exact' : parser),
  redactKey: keyOfHashes,
  schema: (resolved) => givenSchema(resolved)?.fields ?? null,
  maxMemoryBytes: fewerRowsOf,
  commitBytes: (_, init) => compressionCutOf(init),
} satisfies Record<IndirectName, (resolved: ResolvedOptions, init: IdentityInit) => unknown>

/** The options in which two exports differ, as flags; none where that cannot be told. Options of another format count
 *  as that one. */
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

/** Rows of a row group where the memory bound allows fewer than are asked for; null where it does not matter. */
function fewerRowsOf(resolved: ResolvedOptions): number | null {
  const { cutRecords } = rowGroupCuts(columnSchema(expectedSchema(resolved), resolved), resolved)
  return cutRecords < resolved.rowGroupRows ? cutRecords : null
}

/** Whether NDJSON and JSON have what the server sent as it is. */
function isBytesOfServer({ surrogates, ndjsonEscape, bigNumbers, strict }: ResolvedOptions): boolean {
  return surrogates === 'keep' && ndjsonEscape === 'none' && bigNumbers === 'keep' && !strict
}

/** A key that stands in the environment and hashes nothing is no part of the export. */
function keyOfHashes(resolved: ResolvedOptions): string | null {
  const { redactKey } = resolved
  if (redactKey === null || !editsOf(resolved).redact?.some(([, how]) => how === 'hash')) return null
  return createHmac('sha256', redactKey).update('truto-export').digest('hex')
}
