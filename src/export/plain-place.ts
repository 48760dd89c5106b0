// A destination that keeps nothing, as a session sees it.

import type { DestinationWriter } from '../destination/destination.js'
import { RunningProof } from '../destination/proof.js'

/** A place that keeps nothing of what is not complete, as far as a session needs one. */
export class PlainPlace {
  readonly place: DestinationWriter
  readonly #proof: RunningProof | null

  constructor(place: DestinationWriter, hasDigest: boolean) {
    this.place = place
    this.#proof = hasDigest ? RunningProof.for({ digest: true }) : null
  }

  get bytesWritten(): number {
    return this.place.bytesWritten
  }

  write(bytes: Uint8Array): Promise<void> {
    this.#proof?.add(bytes)
    return this.place.write(bytes)
  }

  sha256(): string | null {
    return this.#proof?.sha256() ?? null
  }
}
