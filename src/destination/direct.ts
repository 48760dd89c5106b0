// What is no regular file: a FIFO, a device, a descriptor of somebody else's. It is written in place, and there is
// nothing to publish or to take back.

import { constants } from 'node:fs'
import { sleep, systemClock } from '../clock.js'
import { printable } from '../errors.js'
import type { FileSystem, OpenFile } from '../files/file-system.js'
import { flush } from '../files/flush.js'
import { errnoOf, isErrno, outputError } from '../files/os-error.js'
import { BufferedFile } from './buffered-file.js'
import type { DestinationWriter } from './destination.js'

export async function openInPlace(
  files: FileSystem,
  path: string,
  signal: AbortSignal | undefined,
): Promise<DestinationWriter> {
  try {
    const isFifo = (await files.stat(path)).isFIFO()
    const file = isFifo ? await openFifo(files, path, signal) : await files.open(path, constants.O_WRONLY)
    return new DirectWriter(file, printable(path))
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw outputError(error, `opening ${printable(path)}`, 'ERR_OUTPUT_ACCESS')
  }
}

/** A FIFO, as soon as it has a reader. A thread that waits for one in open(2) could not be called back, and would keep
 *  the process alive after a stop. */
async function openFifo(files: FileSystem, path: string, signal: AbortSignal | undefined): Promise<OpenFile> {
  for (;;) {
    signal?.throwIfAborted()
    try {
      // stays open until the other is, so that the reader sees no end in between; for writing it is of no use, as it
      // never waits
      const first = await files.open(path, constants.O_WRONLY | constants.O_NONBLOCK)
      try {
        return await files.open(path, constants.O_WRONLY)
      } finally {
        await first.close()
      }
    } catch (error) {
      if (errnoOf(error) !== 'ENXIO') throw error // that there is no reader yet (open(2))
    }
    await sleep(systemClock, readerPollMs, signal)
  }
}

const readerPollMs = 20

/** A FIFO or a device: what was written is out, so there is nothing to publish or to remove. Also stdout where that is
 *  a file. */
export class DirectWriter implements DestinationWriter {
  readonly #file: Pick<OpenFile, 'write' | 'sync' | 'close'>
  readonly #name: string
  readonly #out: BufferedFile
  #isOpen = true

  constructor(file: Pick<OpenFile, 'write' | 'sync' | 'close'>, name: string) {
    this.#file = file
    this.#name = name
    this.#out = new BufferedFile(file, name)
  }

  get bytesWritten(): number {
    return this.#out.bytesWritten
  }

  get left(): string {
    return this.bytesWritten === 0 ? 'nothing was written' : `what was written to ${this.#name} stays there`
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#out.write(bytes)
  }

  async commit(): Promise<void> {
    try {
      await this.#out.flush()
      await this.#sync()
      this.#isOpen = false
      await this.#file.close()
    } catch (error) {
      await this.abort()
      throw outputError(error, `flushing ${this.#name}`, 'ERR_OUTPUT_IO')
    }
  }

  async abort(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    await this.#out.settle()
    await this.#file.close().catch(() => {})
  }

  async #sync(): Promise<void> {
    try {
      await flush(this.#file)
    } catch (error) {
      // pipes and most devices cannot be flushed (fsync(2): EINVAL, EROFS)
      if (!isErrno(error, 'EINVAL', 'EROFS', 'ENOTSUP')) throw error
    }
  }
}
