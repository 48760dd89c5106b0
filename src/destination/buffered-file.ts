// Bytes to one open file, in order: small writes are collected and written while the next are being collected, large
// ones go straight from the caller's bytes, and the file gets every byte even where the system takes a write only in
// part.

import { KiB } from '../bytes/units.js'
import { InternalError } from '../errors.js'
import type { OpenFile } from '../files/file-system.js'
import { outputError } from '../files/os-error.js'
import { writeFully } from '../files/write-fully.js'

/** Bytes collected before a write, twice: a trip through the thread pool costs as much as copying several times this
 *  much, and with half of it the trips still show. */
const bufferBytes = 256 * KiB
/** Writes of at least this size are worth a trip of their own. */
const directBytes = 96 * KiB

/** Writes to `file`, which stays the caller's to close. A failure may belong to bytes that were taken before: it comes
 *  out of the next call that has to wait for the file, at the latest of `flush`. After it every later call rejects with
 *  that same error. */
export class BufferedFile {
  /** Bytes taken so far, including those that are still in memory. */
  bytesWritten = 0
  #file: Pick<OpenFile, 'write'>
  readonly #name: string
  #buffer = Buffer.allocUnsafeSlow(bufferBytes)
  #size = 0
  /** The other buffer: belongs to the system while a write of it is in flight. */
  #spare = Buffer.allocUnsafeSlow(bufferBytes)
  /** The write that the system is busy with. Never rejects: what went wrong is in #failure. */
  #inFlight: Promise<void> | null = null
  #failure: Error | null = null
  /** The call that is waiting for the system. */
  #waiting: Promise<void> | null = null

  /** @param name what messages call the place */
  constructor(file: Pick<OpenFile, 'write'>, name: string) {
    this.#file = file
    this.#name = name
  }

  /** The same buffers for another file; null where they are not empty. @returns this */
  reused(file: Pick<OpenFile, 'write'>): this | null {
    if (this.#size > 0 || this.#inFlight !== null || this.#waiting !== null || this.#failure !== null) return null
    this.#file = file
    this.bytesWritten = 0
    return this
  }

  /** Resolves when `bytes` may be overwritten. @throws OutputError, ReaderGone */
  async write(bytes: Uint8Array): Promise<void> {
    this.#claim()
    if (bytes.length < directBytes && bytes.length <= bufferBytes - this.#size) this.#collect(bytes)
    else await this.#wait(bytes.length < directBytes ? this.#spill(bytes) : this.#writeDirectly(bytes))
    this.bytesWritten += bytes.length
  }

  /** Hands everything to the system. @throws OutputError, ReaderGone */
  async flush(): Promise<void> {
    this.#claim()
    await this.#wait(this.#drain())
  }

  /** Resolves when no write is in flight any more, so that the file may be closed. */
  async settle(): Promise<void> {
    await this.#waiting?.catch(() => {})
    await this.#inFlight
  }

  #claim(): void {
    if (this.#failure !== null) throw this.#failure
    // the position in the file is the system's: two writes at once could change places
    if (this.#waiting !== null) throw new InternalError('ERR_INTERNAL', `two writes to ${this.#name} at once`)
  }

  async #wait(call: Promise<void>): Promise<void> {
    this.#waiting = call
    try {
      await call
    } finally {
      this.#waiting = null
    }
  }

  #collect(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#size)
    this.#size += bytes.length
  }

  /** Fills the buffer to its end, so that all writes but the last are of one size, and begins the next with the
   *  rest. */
  async #spill(bytes: Uint8Array): Promise<void> {
    const room = bufferBytes - this.#size
    this.#collect(bytes.subarray(0, room))
    await this.#swap()
    this.#collect(bytes.subarray(room))
  }

  async #writeDirectly(bytes: Uint8Array): Promise<void> {
    await this.#drain()
    this.#begin(bytes, bytes.length)
    await this.#finish()
  }

  async #drain(): Promise<void> {
    if (this.#size > 0) await this.#swap()
    await this.#finish()
  }

  /** Gives the buffer to the system as soon as the other has come back, and goes on with that. */
  async #swap(): Promise<void> {
    await this.#finish()
    const full = this.#buffer
    const size = this.#size
    this.#buffer = this.#spare
    this.#spare = full
    this.#size = 0
    this.#begin(full, size)
  }

  #begin(bytes: Uint8Array, length: number): void {
    this.#inFlight = writeFully(this.#file, bytes, length).then(
      () => {
        this.#inFlight = null
      },
      (error: unknown) => {
        this.#inFlight = null
        this.#failure = outputError(error, `writing to ${this.#name}`, 'ERR_OUTPUT_IO')
      },
    )
  }

  /** Waits for the write in flight and throws what it came to. */
  async #finish(): Promise<void> {
    await this.#inFlight
    if (this.#failure !== null) throw this.#failure
  }
}
