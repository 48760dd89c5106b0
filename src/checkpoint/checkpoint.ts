// The state of an interrupted export as text: where to go on reading, and what the output holds by then. Pure encoding
// and decoding; what is decoded was written by us and is whole, or it is an error.

import { crc32 } from 'node:zlib'
import { type Counters, counterNames, countersBy } from '../counts.js'
import { printable, StateError } from '../errors.js'
import { type Framing, framings, type JsonValue, type Warning } from '../record.js'
import { answerFormats, type ResponseFormat } from '../report.js'
import { count, type Fields, list, object, oneOf, orNull, text, whole } from './fields.js'

/** Version of the text. A reader takes its own version only: state is never guessed. */
export const checkpointVersion = 5

/** A number of records, and their bytes with a line feed after each. */
export interface RecordCounts {
  readonly records: number
  readonly bytes: number
}

/** A number of records and what they were, independent of how they came in batches. */
export interface RecordsDigest extends RecordCounts {
  /** CRC-32 of these bytes (zlib). */
  readonly crc32: number
}

/** Where a list is read on. All counts are those of the list so far, earlier runs included. */
export interface SourceState extends Readonly<Counters> {
  /** Number of the page in hand, from 1. */
  readonly page: number
  /** What it is asked for with; null for the beginning of the list. May be sensitive: whoever has it may read on. */
  readonly cursor: string | null
  /** The records of this page that were taken already. */
  readonly taken: RecordsDigest
  /** What it is asked for as. */
  readonly asking: Exclude<ResponseFormat, 'auto'>
  /** What was read since the last cut, and since the last part of the output was ended. */
  readonly sinceCut: RecordCounts
  readonly sincePart: RecordCounts
  readonly framing: Framing | null
  readonly isUnified: boolean
  readonly responseFormat: Exclude<ResponseFormat, 'auto'> | null
  readonly fallback: { readonly page: number; readonly framing: Framing | 'unknown'; readonly reason: string } | null
  /** Pages without a record at the end. */
  readonly emptyPagesInARow: number
  readonly bareIds: number
  readonly idOnlyRecords: number
}

/** How far compression has come where it can go on. */
export interface CompressionState {
  /** gzip members or zstd frames that have ended. */
  readonly ended: number
  /** Length, in bytes, and CRC-32 (zlib) of what is in the gzip member in hand, before compression; null where there is
   *  none, and under zstd. */
  readonly member: { readonly bytes: number; readonly crc32: number } | null
}

/** A point at which an export can go on. */
export interface ExportState {
  readonly source: SourceState
  /** What the encoder gave for this; null where it had not begun. */
  readonly encoder: JsonValue
  /** Null where nothing is compressed. */
  readonly compression: CompressionState | null
  /** Records in the output. */
  readonly records: number
  /** Length of the output, in bytes. */
  readonly bytes: number
  /** What stages and encoder have counted. */
  readonly warnings: readonly Warning[]
}

/** By name. */
export type OptionDigests = { readonly [name: string]: string }

export interface Checkpoint {
  /** Of the options that the output's bytes depend on: see `fingerprintOf`. */
  readonly fingerprint: string
  /** A few digits of a digest of each of these options, by its name, to say which one differs. Absent in a checkpoint
   *  of before. */
  readonly options?: OptionDigests
  /** Wall time of the commit, RFC 3339, for people. */
  readonly savedAt: string
  readonly state: ExportState
  /** What the place of the output keeps, or has staged where the output is complete: its own token. */
  readonly kept: JsonValue
  /** The beginning of the page in hand, to which the output can be taken back; null where its format does not allow
   *  that. */
  readonly pageStart: ExportState | null
  /** Set once the output is complete and has only to get its name: the report of the export, and what is to stand
   *  beside the output. */
  readonly report: JsonValue
  readonly manifest: JsonValue
}

const magic = 'truto-export checkpoint'

/** The checkpoint as text: a line with version, CRC and length, and a line of JSON. */
export function encodeCheckpoint(checkpoint: Checkpoint): Buffer {
  const body = Buffer.from(JSON.stringify(checkpoint))
  return Buffer.concat([
    Buffer.from(`${magic} ${checkpointVersion} ${hex(crc32(body))} ${body.length}\n`),
    body,
    newline,
  ])
}

const newline = Buffer.from('\n')

/**
 * The checkpoint that `encodeCheckpoint` made into these bytes.
 * @param name what messages call the place of the bytes
 * @throws StateError ERR_STATE_CORRUPT where they are cut, changed, or of another version
 */
export function decodeCheckpoint(bytes: Uint8Array, name: string): Checkpoint {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const corrupt = (why: string): StateError => new StateError('ERR_STATE_CORRUPT', `${printable(name)} ${why}`)
  const end = buffer.indexOf(0x0a)
  const head = /^truto-export checkpoint (\d{1,9}) ([0-9a-f]{8}) (\d{1,15})$/.exec(
    end < 0 ? '' : buffer.toString('latin1', 0, Math.min(end, 100)),
  )
  if (head === null) throw corrupt(buffer.length === 0 ? 'is empty' : 'is not a checkpoint of truto-export')
  if (Number(head[1]) !== checkpointVersion)
    throw corrupt(`has version ${head[1]}; this truto-export knows version ${checkpointVersion}`)
  const body = buffer.subarray(end + 1, -1)
  if (body.length !== Number(head[3]) || buffer.at(-1) !== 0x0a) throw corrupt('is cut')
  if (hex(crc32(body)) !== head[2]) throw corrupt('is damaged: its checksum does not match')
  try {
    return checkpointOf(JSON.parse(body.toString()) as JsonValue)
  } catch (error) {
    throw corrupt(`cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0')
}

function checkpointOf(value: JsonValue): Checkpoint {
  const fields = object(value, 'checkpoint')
  return {
    fingerprint: text(fields, 'fingerprint'),
    ...(fields['options'] === undefined ? {} : { options: digestsOf(fields['options']) }),
    savedAt: text(fields, 'savedAt'),
    state: stateOf(fields['state']),
    kept: object(fields['kept'], 'kept'),
    pageStart: fields['pageStart'] === null ? null : stateOf(fields['pageStart']),
    report: fields['report'] ?? null,
    manifest: fields['manifest'] ?? null,
  }
}

function digestsOf(value: JsonValue | undefined): OptionDigests {
  const fields = object(value, 'options')
  return Object.fromEntries(Object.keys(fields).map((name) => [name, text(fields, name)]))
}

function stateOf(value: JsonValue | undefined): ExportState {
  const fields = object(value, 'state')
  return {
    source: sourceOf(fields['source']),
    encoder: fields['encoder'] ?? null,
    compression: orNull(fields, 'compression', (from, name) => compressionOf(object(from[name], name))),
    records: count(fields, 'records'),
    bytes: count(fields, 'bytes'),
    warnings: warningsOf(fields['warnings']),
  }
}

function compressionOf(fields: Fields): CompressionState {
  return {
    ended: whole(fields, 'ended', Number.MAX_SAFE_INTEGER),
    member: orNull(fields, 'member', (from, name) => {
      const member = object(from[name], name)
      return { bytes: whole(member, 'bytes', Number.MAX_SAFE_INTEGER), crc32: whole(member, 'crc32', 2 ** 32) }
    }),
  }
}

function sourceOf(value: JsonValue | undefined): SourceState {
  const fields = object(value, 'source')
  const taken = object(fields['taken'], 'taken')
  return {
    page: count(fields, 'page'),
    cursor: orNull(fields, 'cursor', text),
    taken: { ...countsOf(taken, 'taken'), crc32: count(taken, 'crc32') },
    asking: oneOf(fields, 'asking', answerFormats),
    sinceCut: countsOf(fields['sinceCut'], 'sinceCut'),
    sincePart: countsOf(fields['sincePart'], 'sincePart'),
    framing: orNull(fields, 'framing', (from, name) => oneOf(from, name, framings)),
    isUnified: fields['isUnified'] === true,
    responseFormat: orNull(fields, 'responseFormat', (from, name) => oneOf(from, name, answerFormats)),
    fallback: fallbackOf(fields),
    ...countersBy(counterNames, (name) => count(fields, name)),
    emptyPagesInARow: count(fields, 'emptyPagesInARow'),
    bareIds: count(fields, 'bareIds'),
    idOnlyRecords: count(fields, 'idOnlyRecords'),
  }
}

function countsOf(value: JsonValue | undefined, name: string): RecordCounts {
  const fields = object(value, name)
  return { records: count(fields, 'records'), bytes: count(fields, 'bytes') }
}

export function fallbackOf(fields: Fields): SourceState['fallback'] {
  if (fields['fallback'] === null) return null
  const fallback = object(fields['fallback'], 'fallback')
  return {
    page: count(fallback, 'page'),
    framing: oneOf(fallback, 'framing', [...framings, 'unknown'] as const),
    reason: text(fallback, 'reason'),
  }
}

export function warningsOf(value: JsonValue | undefined): Warning[] {
  return list(value, 'warnings', (element) => {
    const fields = object(element, 'warning')
    return {
      code: text(fields, 'code'),
      message: text(fields, 'message'),
      count: count(fields, 'count'),
      ...(fields['fields'] === undefined ? {} : { fields: countsByName(fields['fields']) }),
    }
  })
}

function countsByName(value: JsonValue): { [name: string]: number } {
  const counts = object(value, 'fields of a warning')
  return Object.fromEntries(Object.keys(counts).map((name) => [name, count(counts, name)]))
}
