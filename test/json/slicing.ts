// Runs a slicer over a body cut into chunks and gives what came of it as plain data, so that engines and chunkings can
// be compared by equality. What holds for every batch is checked on the way.

import { ExportError } from '../../src/errors.js'
import { Redactor } from '../../src/http/redact.js'
import type { PageFacts, Slicer, SlicerFactory, SlicerOptions } from '../../src/json/slicer.js'
import type { RecordBatch } from '../../src/record.js'

export const defaultOptions: SlicerOptions = {
  page: 3,
  maxDepth: 512,
  maxRecordBytes: 16 * 1024 * 1024,
  maxCursorBytes: 64 * 1024,
}

/** Whether an engine of this name gives records as the bytes that came; the libraries' engines print their tokens. */
export function keepsBytes(engine: string): boolean {
  return engine !== 'stream-json' && engine !== 'streamparser'
}

const around = new Redactor()

export interface Failure {
  code: string
  message: string
  page: number | undefined
  recordIndex: number | undefined
  byteOffset: number | undefined
  line: string
  /** The message with what it is about, as it is where data may be shown. */
  shown: string
}

export interface Outcome {
  /** JSON text of each record that was let out, also before a failure. */
  records: string[]
  /** The server's key of each record, where the records were the values of an object. */
  pageKeys: string[]
  facts: PageFacts
  failure: Failure | undefined
}

/** Lengths of the chunks, repeated as long as there are bytes; `whole` is one chunk. */
export type Cuts = number | readonly number[] | 'whole'

export const chunkSizes: readonly Cuts[] = [1, 2, 7, 64, 'whole']

export function* chunksOf(body: Buffer, cuts: Cuts): Generator<Buffer, void, undefined> {
  const lengths = cuts === 'whole' ? [body.length] : typeof cuts === 'number' ? [cuts] : cuts
  let at = 0
  for (let i = 0; at < body.length; i++) {
    const length = Math.max(1, lengths[i % lengths.length] ?? body.length)
    yield body.subarray(at, at + length)
    at += length
  }
}

export function sliceBody(
  factory: SlicerFactory,
  body: Buffer | string,
  cuts: Cuts = 'whole',
  options: Partial<SlicerOptions> = {},
): Outcome {
  const bytes = Buffer.from(body)
  const original = Buffer.from(bytes)
  const slicer = factory({ ...defaultOptions, ...options })
  const outcome: Outcome = { records: [], pageKeys: [], facts: slicer.facts, failure: undefined }
  try {
    for (const chunk of chunksOf(bytes, cuts))
      for (const batch of slicer.push(chunk)) takeBatch(outcome, batch, original)
    for (const batch of slicer.end()) takeBatch(outcome, batch, original)
  } catch (error) {
    if (!(error instanceof ExportError)) throw error
    const { code, message, page, recordIndex, byteOffset } = error
    const line = error.toLine()
    error.showData((data) => around.around(data))
    outcome.failure = { code, message, page, recordIndex, byteOffset, line, shown: error.message }
  }
  if (!bytes.equals(original)) throw new Error('the slicer wrote into the chunk of its caller')
  return outcome
}

function takeBatch(outcome: Outcome, batch: RecordBatch, body: Buffer): void {
  const at = outcome.records.length
  // plain throws: thousands of batches are seen, and `expect` would cost more than the slicers
  if (batch.firstRecordIndex !== at) throw new Error(`batch begins at record ${batch.firstRecordIndex}, not ${at}`)
  if (batch.page !== defaultOptions.page) throw new Error('batch of another page')
  if (batch.count === 0) throw new Error('empty batch')
  if (outcome.facts.framing === null) throw new Error('records before their framing')
  for (let i = 0; i < batch.count; i++) {
    const slice = batch.slice(i)
    const text = slice.toString('utf8')
    if (text[0] !== '{' || !text.endsWith('}')) throw new Error(`slice is no object: ${text}`)
    if (text.includes('\n') || text.includes('\r')) throw new Error(`slice has a line end: ${text}`)
    if (batch.isLines && batch.bytes[batch.end(i)] !== 0x0a) throw new Error(`no line feed after record ${at + i}`)
    if (batch.isLines && i > 0 && batch.start(i) !== batch.end(i - 1) + 1) throw new Error('lines with gaps')
    if (batch.byteOffset !== undefined) {
      const from = batch.byteOffset + batch.start(i)
      const source = body.toString('utf8', from, from + slice.length).replace(/[\r\n]/g, ' ')
      if (source !== text) throw new Error(`byte offset ${from} leads to ${source}, not to ${text}`)
    }
    outcome.records.push(text)
  }
  if (batch.pageKeys !== undefined) {
    if (batch.pageKeys.length !== batch.count) throw new Error('not one server key for each record')
    outcome.pageKeys.push(...batch.pageKeys)
  }
}

/** What all engines and all chunkings must agree on: records as values, facts and the code of a failure. Records let
 *  out before a failure depend on where chunks end, so they are left out. */
export function verdict(outcome: Outcome): unknown {
  const { failure, facts } = outcome
  if (failure !== undefined) return { code: failure.code }
  return { records: outcome.records.map(valueIn), pageKeys: outcome.pageKeys, facts }
}

/** Whether V8 takes the name "\u0061" for "\\" where an object before it had that in the same place, as in Node.js
 *  24.21 and 26.10. */
const isNameMistaken = JSON.parse('{"before it":1,"\\\\":2}') && !('a' in JSON.parse('{"before it":1,"\\u0061":2}'))

/** What a JSON text says. Texts of equal values have equal ones, whatever their escapes. */
export function valueIn(json: string): unknown {
  if (!isNameMistaken) return JSON.parse(json)
  const inHex = (token: string): string => `"${Buffer.from(JSON.parse(token) as string, 'utf16le').toString('hex')}"`
  return JSON.parse(json.replace(/"(?:[^"\\]|\\.)*"/g, inHex))
}

/** A slicer that has been given all of `body`, for what is seen between two steps. */
export function pushAll(slicer: Slicer, chunks: Iterable<Uint8Array>): number {
  let records = 0
  for (const chunk of chunks) for (const batch of slicer.push(chunk)) records += batch.count
  return records
}

/** Whether a body is one JSON document in strict UTF-8. */
export function parses(body: Buffer): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    return true
  } catch {
    return false
  }
}
