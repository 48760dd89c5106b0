// Bytes to one open file, in order: small writes are collected, large ones go straight from the caller's bytes, and the file gets every byte even
// where the system takes a write only in part.

import { KiB } from '../bytes/units.js'
import { InternalError } from '../errors.js'
import type { OpenFile } from './file-system.js'
import { outputError } from './os-error.js'

/** Bytes collected before a write: from about this size on the cost of a call no longer shows. */
const bufferBytes = 128 * KiB
/** Writes of at least this size are not worth a copy. */
const directBytes = 32 * KiB

/** Writes to `file`, which stays the caller's to close. After an error every later call rejects with that same error. */
export class BufferedFile {
  /** Bytes taken so far, including those that are still in memory. */
  bytesWritten = 0
  readonly #file: Pick<OpenFile, 'write'>
  readonly #name: string
  readonly #buffer = Buffer.allocUnsafeSlow(bufferBytes)
  #size = 0
  #failure: Error | null = null
  #inFlight: Promise<void> | null = null

  /** @param name what messages call the place */
  constructor(file: Pick<OpenFile, 'write'>, name: string) {
    this.#file = file
    this.#name = name
  }

  /** Resolves when `bytes` may be overwritten. @throws OutputError, ReaderGone */
  async write(bytes: Uint8Array): Promise<void> {
    this.#claim()
    if (this.#buffer.length - this.#size >= bytes.length && bytes.length < directBytes) {
      this.#buffer.set(bytes, this.#size)
      this.#size += bytes.length
    } else {
      await this.#writeAll(bytes)
    }
    this.bytesWritten += bytes.length
  }

  /** Hands everything to the system. @throws OutputError, ReaderGone */
  async flush(): Promise<void> {
    this.#claim()
    await this.#writeAll(null)
  }

  /** Resolves when no write is in flight any more, so that the file may be closed. */
  async settle(): Promise<void> {
    await this.#inFlight?.catch(() => {})
  }

  #claim(): void {
    if (this.#failure !== null) throw this.#failure
    // the position in the file is the system's: two writes at once could change places
    if (this.#inFlight !== null) throw new InternalError('ERR_INTERNAL', `two writes to ${this.#name} at once`)
  }

  /** Writes what was collected, then `bytes`. */
  async #writeAll(bytes: Uint8Array | null): Promise<void> {
    const size = this.#size
    this.#size = 0
    this.#inFlight = (async () => {
      if (size > 0) await this.#writeFully(this.#buffer, size)
      if (bytes === null) return
      if (bytes.length >= directBytes) return this.#writeFully(bytes, bytes.length)
      this.#buffer.set(bytes)
      this.#size = bytes.length
    })()
    try {
      await this.#inFlight
    } catch (error) {
      this.#failure = outputError(error, `writing to ${this.#name}`, 'ERR_OUTPUT_IO')
      throw this.#failure
    } finally {
      this.#inFlight = null
    }
  }

  async #writeFully(bytes: Uint8Array, length: number): Promise<void> {
    for (let at = 0; at < length; ) {
      const { bytesWritten } = await this.#file.write(bytes, at, length - at)
      // write(2) takes at least one byte or fails; a file system that does neither would keep us here for ever
      if (bytesWritten === 0)
        throw Object.assign(new Error('EIO: nothing was taken'), { code: 'EIO', syscall: 'write' })
      at += bytesWritten
    }
  }
}
