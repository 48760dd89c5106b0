// The output of an export, from records to its place: the encoder of it, or of one part of it after the other, the
// codec, and the session that keeps and publishes what they give.

import type { CompressionState, ExportState } from '../checkpoint/checkpoint.js'
import { Compressor } from '../destination/compress.js'
import type { Encoder } from '../encode/encoder.js'
import type { Codec } from '../encode/formats.js'
import type { JsonValue, RecordBatch, Warning } from '../record.js'
import type { Progress } from '../report.js'
import type { Completion, Session } from './session.js'
import { TalliedWriter } from './tallied-writer.js'
import { addWarnings } from './warnings.js'

export interface OutputInit {
  /** Stays the caller's. */
  readonly session: Session
  readonly compress: Codec
  /** Makes an encoder: not before the first records are there, which say what columns there are. */
  readonly openEncoder: () => Promise<Encoder>
  readonly progress: Progress
  readonly signal: AbortSignal | undefined
}

/** Each call is awaited before the next. One of `commit` and `abort` ends it. */
export class Output {
  readonly #init: OutputInit
  readonly #place: TalliedWriter
  readonly #compressor: Compressor | null
  #encoder: Encoder | null = null
  /** What the encoder begins with that resumes a part. */
  #saved: JsonValue
  /** Whether a part was ended, and none was begun after it. */
  #isBetweenParts: boolean
  /** Of the encoders of parts that are ended. */
  #warnings: Warning[] = []

  /** Begins where the session does. */
  constructor(init: OutputInit) {
    const { session, compress, progress, signal } = init
    const { start } = session
    this.#init = init
    // a file takes its bytes in any case, and all of what was written can be kept; a pipe may never
    this.#place = new TalliedWriter(session.writer, progress, session.isKept ? undefined : signal)
    this.#compressor = compress === 'none' ? null : new Compressor(this.#place, compress, { state: start?.compression })
    this.#saved = start?.encoder ?? null
    this.#isBetweenParts = session.hasParts && start !== null && start.bytes > 0 && start.encoder === null
  }

  /** Bytes that the place has taken. */
  get bytesWritten(): number {
    return this.#place.bytesWritten
  }

  /** What compression needs to go on after a cut; null where nothing is compressed. */
  get compression(): CompressionState | null {
    return this.#compressor?.state ?? null
  }

  /** zstd frames that have ended; null where there are none in any case. */
  get frames(): number | null {
    return this.#init.compress === 'zstd' ? this.compression!.ended : null
  }

  /** What an encoder needs to go on after the records given so far; null where it begins; undefined while it holds
   *  records that are not written. */
  get state(): ExportState['encoder'] | undefined {
    return this.#encoder?.save ? this.#encoder.save() : this.#saved
  }

  warnings(): Warning[] {
    return addWarnings(this.#warnings, this.#encoder?.warnings() ?? [])
  }

  async encode(batch: RecordBatch): Promise<void> {
    await (this.#encoder ?? (await this.#begin())).encode(batch)
  }

  /** Ends what the encoder holds back (a row group), and cuts what is compressed. Not zstd that nobody could go on
   *  with: some readers stop after the first frame. gzip is one member in any case, and its bytes do not depend on
   *  whether somebody could. */
  async cut(): Promise<void> {
    const { compress, session } = this.#init
    await this.#encoder?.cut?.()
    if (compress === 'gzip' || session.canCommit) await this.#compressor?.cut()
  }

  /** Ends the part in hand, where there is one: what comes next is in another. */
  async endPart(): Promise<void> {
    const encoder = this.#encoder
    if (encoder === null) return
    await encoder.end()
    this.#encoder = this.#saved = null
    await this.#compressor?.endFile()
    await this.#init.session.endPart()
    this.#warnings = addWarnings(this.#warnings, encoder.warnings())
    this.#isBetweenParts = true
  }

  /** Completes the bytes. Without any record they still are a valid file. */
  async end(): Promise<void> {
    if (this.#encoder !== null || !this.#isBetweenParts) await (this.#encoder ?? (await this.#begin())).end()
    await this.#compressor?.end()
  }

  /** Publishes what is complete. */
  async commit(completion: Completion): Promise<void> {
    this.#place.end()
    await this.#init.session.publish(completion)
  }

  /** Ends what is not; what the session keeps stays. Never throws. */
  async abort(): Promise<void> {
    await this.#compressor?.destroy()
    this.#place.end()
    await this.#init.session.abort()
  }

  async #begin(): Promise<Encoder> {
    const { session, openEncoder } = this.#init
    // a part that an earlier run had ended is still the last one at the destination
    if (this.#isBetweenParts) await session.endPart()
    this.#isBetweenParts = false
    this.#encoder = await openEncoder()
    await this.#encoder.begin(this.#compressor ?? this.#place, this.#saved ?? undefined)
    return this.#encoder
  }
}
