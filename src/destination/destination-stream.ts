// A destination as a Writable, for `stream.pipeline`: it keeps the promise of a whole output or none.

import { Writable } from 'node:stream'
import { asExportError } from '../errors.js'
import type { Destination, DestinationWriter } from './destination.js'

/**
 * Lifts a destination into a Writable of bytes. It opens the destination at once; the end of the stream commits, so
 * that `finish` means published; an error or `destroy()` aborts. Ask for `pipeline`, not for `pipe`, which does not
 * pass errors on.
 * @param wrap put around the open place, such as `compressed`
 */
export function destinationStream(
  destination: Destination,
  wrap: (writer: DestinationWriter) => DestinationWriter = (writer) => writer,
): Writable {
  return new DestinationStream(destination, wrap)
}

class DestinationStream extends Writable {
  readonly #destination: Destination
  readonly #wrap: (writer: DestinationWriter) => DestinationWriter
  #writer: DestinationWriter | null = null
  /** The write or commit in hand: an abort comes after it. */
  #inFlight: Promise<void> = Promise.resolve()

  constructor(destination: Destination, wrap: (writer: DestinationWriter) => DestinationWriter) {
    super({ decodeStrings: true })
    this.#destination = destination
    this.#wrap = wrap
  }

  override _construct(done: (error?: Error | null) => void): void {
    settle(this.#open(), done, `opening ${this.#destination.name}`)
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const writer = this.#writer!
    this.#inFlight = started(() => writer.write(chunk))
    settle(this.#inFlight, done, `writing to ${this.#destination.name}`)
  }

  override _final(done: (error?: Error | null) => void): void {
    const writer = this.#writer!
    this.#writer = null // a commit ends the writer, also where it fails
    this.#inFlight = started(() => writer.commit())
    settle(this.#inFlight, done, `committing ${this.#destination.name}`)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const writer = this.#writer
    this.#writer = null
    settle(this.#aborted(writer), (failure) => done(error ?? failure ?? null), `aborting ${this.#destination.name}`)
  }

  async #aborted(writer: DestinationWriter | null): Promise<void> {
    await this.#inFlight.catch(() => {}) // its error has destroyed the stream
    await writer?.abort()
  }

  async #open(): Promise<void> {
    const writer = await this.#destination.open()
    try {
      this.#writer = this.#wrap(writer)
    } catch (error) {
      await writer.abort().catch(() => {}) // the first error stays the error
      throw error
    }
  }
}

/** What `act` throws at once comes out of the promise, too: thrown in a method of a stream it would end the process. */
async function started(act: () => Promise<void>): Promise<void> {
  await act()
}

function settle(promise: Promise<void>, done: (error?: Error | null) => void, doing: string): void {
  promise.then(
    () => done(),
    (error: unknown) => done(asExportError(error, doing)),
  )
}
