// What an export has its records written with: the encoder of its output, or of one part of it after the other.

import type { ExportState } from '../checkpoint/checkpoint.js'
import type { MemberWriter } from '../destination/compress.js'
import type { DestinationWriter } from '../destination/destination.js'
import type { PartsWriter } from '../destination/directory.js'
import type { Encoder } from '../encode/encoder.js'
import type { JsonValue, RecordBatch, Warning } from '../record.js'
import { addWarnings } from './warnings.js'

export interface OutputInit {
  /** Takes the encoded bytes. */
  readonly out: DestinationWriter
  /** Makes an encoder: not before the first records are there, which say what columns there are. */
  readonly makeEncoder: () => Promise<Encoder>
  /** The destination's files; null where the output is one. */
  readonly parts: Pick<PartsWriter, 'endPart'> | null
  /** Where the output is gone on with. */
  readonly start: ExportState | null
}

/** Encodes records. Each call is awaited before the next. */
export class Output {
  readonly #init: OutputInit
  #encoder: Encoder | null = null
  /** What the encoder begins with that goes on with a part. */
  #saved: JsonValue
  /** Whether a part was ended, and none was begun after it. */
  #isBetweenParts: boolean
  /** Of the encoders of parts that are ended. */
  #warnings: Warning[] = []

  constructor(init: OutputInit) {
    this.#init = init
    const { start, parts } = init
    this.#saved = start?.encoder ?? null
    this.#isBetweenParts = parts !== null && start !== null && start.bytes > 0 && start.encoder === null
  }

  /** What an encoder needs to go on behind the records given so far; null where it begins; undefined while it holds records that are not written. */
  get state(): JsonValue | undefined {
    return this.#encoder?.save ? this.#encoder.save() : this.#saved
  }

  warnings(): Warning[] {
    return addWarnings(this.#warnings, this.#encoder?.warnings() ?? [])
  }

  async encode(batch: RecordBatch): Promise<void> {
    await (this.#encoder ?? (await this.#begin())).encode(batch)
  }

  /** Ends what the encoder holds back (a row group), and the gzip member or zstd frame in hand. */
  async cut(): Promise<void> {
    const { out } = this.#init
    await this.#encoder?.cut?.()
    if ('cut' in out) await (out as MemberWriter).cut()
  }

  /** Ends the part in hand, where there is one: what comes next is in another. */
  async endPart(): Promise<void> {
    const encoder = this.#encoder
    if (encoder === null) return
    await encoder.end()
    this.#encoder = this.#saved = null
    await this.cut()
    await this.#init.parts!.endPart()
    this.#warnings = addWarnings(this.#warnings, encoder.warnings())
    this.#isBetweenParts = true
  }

  /** Completes the output. Without any record it still is a valid file. */
  async end(): Promise<void> {
    if (this.#encoder === null && this.#isBetweenParts) return
    await (this.#encoder ?? (await this.#begin())).end()
  }

  async #begin(): Promise<Encoder> {
    const { out, makeEncoder, parts } = this.#init
    // a part that an earlier run had ended is still the last one at the destination
    if (this.#isBetweenParts) await parts!.endPart()
    this.#isBetweenParts = false
    this.#encoder = await makeEncoder()
    await this.#encoder.begin(out, this.#saved ?? undefined)
    return this.#encoder
  }
}
