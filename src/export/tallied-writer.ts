// What stands between the encoder and the place: it counts what the place takes, and stops waiting for it when the
// export is aborted.

import type { ByteSink } from '../encode/encoder.js'
import type { Progress } from '../report.js'

export class TalliedWriter implements ByteSink {
  readonly #place: ByteSink & { readonly bytesWritten: number }
  readonly #progress: Progress
  readonly #signal: AbortSignal | undefined
  /** Rejects the write that is waited for. One listener for all writes: to add and remove one for each costs more than
   *  the small ones themselves. */
  #rejectWrite: (reason: unknown) => void = () => {}
  readonly #onAbort = (): void => this.#rejectWrite(this.#signal!.reason)

  /** @param signal ends the wait for a place that may never take its bytes */
  constructor(
    place: ByteSink & { readonly bytesWritten: number },
    progress: Progress,
    signal: AbortSignal | undefined,
  ) {
    this.#place = place
    this.#progress = progress
    this.#signal = signal
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  get bytesWritten(): number {
    return this.#place.bytesWritten
  }

  write(bytes: Uint8Array): Promise<void> {
    this.#progress.outputBytes += bytes.length
    const signal = this.#signal
    const written = this.#place.write(bytes)
    if (signal === undefined) return written
    return new Promise((resolve, reject) => {
      this.#rejectWrite = reject
      written.then(resolve, reject)
      if (signal.aborted) reject(signal.reason)
    })
  }

  /** Nothing is written any more. */
  end(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }
}
