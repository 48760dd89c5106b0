// What was delivered, as text beside the output: enough to hold the file against it later, and to know what it is
// without opening it. Pure encoding and decoding. It goes wherever the file goes, so it has no token, no cursor and no
// value of a query.

import { type Counters, countersBy, pageCounterNames, requestCounterNames } from '../counts.js'
import { type Codec, codecNames, type Format, formatNames } from '../encode/formats.js'
import { printable, printableJson, StateError } from '../errors.js'
import { isPartName } from '../files/part-names.js'
import { sideNames } from '../files/side-names.js'
import { type Framing, framings, type JsonValue, type Warning } from '../record.js'
import { answerFormats, type ExportReport, type ResponseFormat } from '../report.js'
import { fallbackOf, type SourceState, warningsOf } from './checkpoint.js'
import { count, type Fields, list, object, oneOf, orNull, text } from './fields.js'
import { decodeDuplicates, resumedFromOf } from './report.js'

/** Version of the text. A reader takes its own version only. */
export const manifestVersion = 1

/** Name of the manifest of an output. */
export function manifestPathOf(output: string): string {
  return sideNames(output).manifest
}

/** For the same answers of a server and the same options, all of it but `run` and `versions` is the same, however often
 *  the export was interrupted; only the warnings of a check for duplicates tell of an interruption. */
export interface Manifest {
  readonly manifestVersion: typeof manifestVersion
  readonly format: Format
  readonly compression: Codec
  /** Records in the output. */
  readonly records: number
  /** Length of the output, of all its parts where it is a directory. */
  readonly bytes: number
  /** The files of a directory, in their order; null where the output is one file. */
  readonly parts: readonly { readonly name: string; readonly bytes: number }[] | null
  /** zstd frames in the output, of all its parts: some readers stop after the first of a file. Null for other
   *  compression, and in a manifest of before. */
  readonly frames: number | null
  /** Of the output, of its parts one after the other, lowercase hex; null where no digest was wanted. */
  readonly sha256: string | null
  /** As in the report: true where the end of the list was proven. */
  readonly complete: true | 'unproven'
  readonly source: ManifestSource
  readonly schema: ManifestSchema
  /** The options that shaped the output, by the names that they have in code. */
  readonly options: { readonly [name: string]: JsonValue }
  /** The same for two exports exactly where all that their output depends on is the same, values of queries included;
   *  null where a part of that cannot be known, such as what a given Transform does. */
  readonly fingerprint: string | null
  readonly warnings: readonly Warning[]
  /** Of truto-export and Node.js; the engine that sliced, and the writer of Parquet, null for other formats. */
  readonly versions: {
    readonly trutoExport: string
    readonly node: string
    readonly engine: string
    readonly parquetWriter: string | null
  }
  /** The run that completed the output. Times are wall times, RFC 3339, for people; the counts are those of the whole
   *  export. */
  readonly run: Readonly<Pick<Counters, (typeof requestCounterNames)[number]>> & {
    readonly startedAt: string
    readonly finishedAt: string
    readonly resumedFrom: ExportReport['resumedFrom']
    /** Whose `isExact` tells of an interruption, too. */
    readonly duplicates: ExportReport['duplicates']
  }
}

/** The list that the records came from. */
export interface ManifestSource extends Readonly<Pick<Counters, (typeof pageCounterNames)[number]>> {
  readonly resource: string
  /** Origin and path of the API; null where a saved body was converted. */
  readonly apiUrl: string | null
  readonly account: string | null
  readonly workspace: JsonValue
  readonly channel: JsonValue
  /** Names of the further parameters, without their values, which may be secret. */
  readonly query: readonly string[]
  /** Records that the server sent. */
  readonly recordsRead: number
  /** SHA-256 of the cursors that the first and the last page were asked for with; null where that was none. */
  readonly firstCursorSha256: string | null
  readonly lastCursorSha256: string | null
  readonly requestedResponseFormat: ResponseFormat
  readonly responseFormat: SourceState['responseFormat']
  readonly framing: Framing | null
  readonly fallback: SourceState['fallback']
}

/** What the records look like, as far as it is declared. */
export interface ManifestSchema {
  /** `*` where nothing is declared. */
  readonly resource: string
  /** A number, or a digest of the columns where the schema is one of the user. */
  readonly version: number | string
  /** Of CSV and Parquet, in order; null for other formats. */
  readonly columns: readonly { readonly name: string; readonly type: string }[] | null
}

const kind = 'truto-export manifest'
const manifestStart = new RegExp(`^\\{\\s*"kind": *"${kind}"`)
const requestFormats = ['auto', ...answerFormats] as const

/** The manifest as indented JSON. */
export function encodeManifest(manifest: Manifest): Buffer {
  return Buffer.from(`${printableJson({ kind, ...manifest }, 2)}\n`)
}

/** Whether these bytes, of which the last may be missing, are the manifest of some version. */
export function isManifest(bytes: Uint8Array): boolean {
  // as we write it; it is not parsed to know that, as it lists all parts
  if (manifestStart.test(Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 100)).toString('latin1')))
    return true
  try {
    return object(JSON.parse(Buffer.from(bytes).toString()) as JsonValue, 'it')['kind'] === kind
  } catch {
    return false
  }
}

/**
 * The manifest that `encodeManifest` made into these bytes. Members that it does not know are passed over.
 * @param name what messages call the place of the bytes
 * @throws StateError ERR_MANIFEST_CORRUPT where they are cut, changed, or of another version
 */
export function decodeManifest(bytes: Uint8Array, name: string): Manifest {
  const corrupt = (why: string): StateError => new StateError('ERR_MANIFEST_CORRUPT', `${printable(name)} ${why}`)
  let value: JsonValue
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as JsonValue
  } catch {
    throw corrupt('is not JSON')
  }
  if (!isManifest(bytes)) throw corrupt('is not a manifest of truto-export')
  const version = (value as Fields)['manifestVersion']
  if (version !== manifestVersion) {
    throw corrupt(`has version ${JSON.stringify(version)}; this truto-export knows version ${manifestVersion}`)
  }
  return manifestOf(value, corrupt)
}

/** A manifest from JSON that was parsed already. @param corrupt makes the error of what is wrong with it */
export function manifestOf(value: JsonValue, corrupt: (why: string) => Error): Manifest {
  try {
    const fields = object(value, 'it')
    return {
      manifestVersion,
      format: oneOf(fields, 'format', formatNames),
      compression: oneOf(fields, 'compression', codecNames),
      records: count(fields, 'records'),
      bytes: count(fields, 'bytes'),
      parts: orNull(fields, 'parts', partsOf),
      frames: fields['frames'] === undefined ? null : orNull(fields, 'frames', count),
      sha256: orNull(fields, 'sha256', digest),
      complete: oneOf(fields, 'complete', [true, 'unproven'] as const),
      source: sourceOf(object(fields['source'], 'source')),
      schema: schemaOf(object(fields['schema'], 'schema')),
      options: object(fields['options'], 'options'),
      fingerprint: orNull(fields, 'fingerprint', digest),
      warnings: warningsOf(fields['warnings']),
      versions: versionsOf(object(fields['versions'], 'versions')),
      run: runOf(object(fields['run'], 'run')),
    }
  } catch (error) {
    throw corrupt(`cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function partsOf(fields: Fields, name: string): Manifest['parts'] {
  return list(fields[name], name, (element) => {
    const part = object(element, 'part')
    if (!isPartName(text(part, 'name'))) throw new Error('a part has no name of a part')
    return { name: text(part, 'name'), bytes: count(part, 'bytes') }
  })
}

function sourceOf(fields: Fields): ManifestSource {
  return {
    resource: text(fields, 'resource'),
    apiUrl: orNull(fields, 'apiUrl', text),
    account: orNull(fields, 'account', text),
    workspace: fields['workspace'] ?? null,
    channel: fields['channel'] ?? null,
    query: list(fields['query'], 'query', (name) => text({ name }, 'name')),
    recordsRead: count(fields, 'recordsRead'),
    ...countersBy(pageCounterNames, (name) => count(fields, name)),
    firstCursorSha256: orNull(fields, 'firstCursorSha256', digest),
    lastCursorSha256: orNull(fields, 'lastCursorSha256', digest),
    requestedResponseFormat: oneOf(fields, 'requestedResponseFormat', requestFormats),
    responseFormat: orNull(fields, 'responseFormat', (from, name) => oneOf(from, name, answerFormats)),
    framing: orNull(fields, 'framing', (from, name) => oneOf(from, name, framings)),
    fallback: fallbackOf(fields),
  }
}

function schemaOf(fields: Fields): ManifestSchema {
  const columns = (from: Fields, name: string) =>
    list(from[name], name, (element) => {
      const column = object(element, 'column')
      return { name: text(column, 'name'), type: text(column, 'type') }
    })
  return {
    resource: text(fields, 'resource'),
    version: typeof fields['version'] === 'string' ? text(fields, 'version') : count(fields, 'version'),
    columns: orNull(fields, 'columns', columns),
  }
}

function versionsOf(fields: Fields): Manifest['versions'] {
  return {
    trutoExport: text(fields, 'trutoExport'),
    node: text(fields, 'node'),
    engine: text(fields, 'engine'),
    parquetWriter: orNull(fields, 'parquetWriter', text),
  }
}

function runOf(fields: Fields): Manifest['run'] {
  return {
    startedAt: text(fields, 'startedAt'),
    finishedAt: text(fields, 'finishedAt'),
    ...countersBy(requestCounterNames, (name) => count(fields, name)),
    resumedFrom: resumedFromOf(fields),
    duplicates: decodeDuplicates(fields),
  }
}

function digest(fields: Fields, name: string): string {
  const value = text(fields, name)
  if (!/^[0-9a-f]{64}$/.test(value)) throw new Error(`${name} is no SHA-256`)
  return value
}
