// An encoder as a Transform, for `stream.pipeline`: batches in, bytes out.

import { Transform, type TransformCallback } from 'node:stream'
import { KiB } from '../bytes/units.js'
import { asExportError, InternalError } from '../errors.js'
import { RecordBatch } from '../record.js'
import type { Encoder } from './encoder.js'

/**
 * Lifts `encoder`, which it takes over, into a Transform: object mode with one batch waiting on the writable side,
 * bytes on the readable side. Bytes are copied, since Node keeps chunks on both sides of a stream and the encoder's are
 * views. While the reader is behind, the encoder stands still. It begins with the first batch or with the end,
 * whichever comes first.
 */
export function encoderStream(encoder: Encoder): Transform {
  return new EncoderStream(encoder)
}

class EncoderStream extends Transform {
  readonly #encoder: Encoder
  #hasBegun = false
  /** Set while a write waits for the reader. */
  #waiting: { resolve(): void; reject(error: Error): void } | null = null

  constructor(encoder: Encoder) {
    super({ writableObjectMode: true, writableHighWaterMark: 1, readableHighWaterMark: 64 * KiB })
    this.#encoder = encoder
  }

  override _transform(batch: unknown, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#encode(batch).then(() => done(), fail(done))
  }

  override _flush(done: TransformCallback): void {
    this.#end().then(() => done(), fail(done))
  }

  override _read(size: number): void {
    super._read(size)
    this.#waiting?.resolve()
    this.#waiting = null
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    // lets the encoder's call end; its stream is gone, so that nobody sees this error
    this.#waiting?.reject(error ?? new Error('the stream was destroyed'))
    this.#waiting = null
    callback(error)
  }

  async #encode(batch: unknown): Promise<void> {
    if (!(batch instanceof RecordBatch))
      throw new InternalError('ERR_INTERNAL', `an encoder of record batches was given ${typeof batch}`)
    await this.#begin()
    await this.#encoder.encode(batch)
  }

  async #end(): Promise<void> {
    await this.#begin()
    await this.#encoder.end()
  }

  async #begin(): Promise<void> {
    if (this.#hasBegun) return
    this.#hasBegun = true
    await this.#encoder.begin({ write: (bytes) => this.#write(bytes) })
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (this.destroyed) throw new Error('the stream was destroyed')
    if (bytes.length === 0 || this.push(Buffer.from(bytes))) return
    await new Promise<void>((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }
}

function fail(done: TransformCallback): (error: unknown) => void {
  return (error) => done(asExportError(error, 'encoding a batch'))
}
