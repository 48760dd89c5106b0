// The contract of an encoder: batches in, bytes of one format out. Any encoder meets any destination.

import type { JsonValue, RecordBatch, Warning } from '../record.js'
import type { Format } from './formats.js'

/** Takes bytes. The promise resolves when they may be overwritten: a sink keeps nothing of them. It rejects with an
 *  OutputError, or with ReaderGone where the reader of a pipe has left. One write is in flight at a time. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>
}

/** Turns batches into bytes of one format. Call `begin` once, `encode` in order, `end` once; each is awaited before the
 *  next is called. Bytes handed to `out` may be views of the batch or of a buffer of the encoder. An encoder that
 *  failed is not used again. */
export interface Encoder {
  readonly format: Format
  /** Media type of the bytes, without parameters. */
  readonly mediaType: string
  /** Usual extension of a file, with the dot. */
  readonly extension: string
  /** @param saved what `save` of an encoder of the same options gave: the bytes follow on those that were written until
   *  then */
  begin(out: ByteSink, saved?: JsonValue): Promise<void>
  /** The batch is only read, and not used after the promise resolves. */
  encode(batch: RecordBatch): Promise<void>
  /** Writes what is left: closing bracket, last row group, footer. With no record before, the bytes are still a valid
   *  file. */
  end(): Promise<void>
  /** What had to be changed or was counted so far. */
  warnings(): Warning[]
  /** What another encoder needs to go on after the bytes written so far; undefined as long as there are records that
   *  are in none of them. Absent where the format cannot be resumed at all. */
  save?(): JsonValue | undefined
  /** Writes every record given so far. Where it is called shows in the bytes, so it has to be a place that the data
   *  determines. Absent where no record is held in any case. */
  cut?(): Promise<void>
}
