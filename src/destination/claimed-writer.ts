// A place that keeps things as one that does not: for a single output, which is published or gone at its end.

import type { ClaimedPlace, DestinationWriter, Keeps, PlaceWriter, ResumablePlace } from './destination.js'

/** Opens a place for one output. It is ours until that is committed or aborted. */
export async function openClaimed(place: ResumablePlace): Promise<DestinationWriter> {
  const claimed = await place.claim()
  try {
    return new ClaimedWriter(await claimed.begin(), claimed)
  } catch (error) {
    await claimed.release()
    throw error
  }
}

/** Stages and publishes; where that fails, what `keeps` says stays. */
export async function publishStaged(writer: PlaceWriter, manifest: Uint8Array | null, keeps?: Keeps): Promise<void> {
  try {
    await writer.stage()
    await writer.publish(manifest)
  } catch (error) {
    await writer.abort(keeps)
    throw error
  }
}

class ClaimedWriter implements DestinationWriter {
  readonly #writer: PlaceWriter
  readonly #place: ClaimedPlace

  constructor(writer: PlaceWriter, place: ClaimedPlace) {
    this.#writer = writer
    this.#place = place
  }

  get bytesWritten(): number {
    return this.#writer.bytesWritten
  }

  get left(): string {
    return this.#writer.left
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#writer.write(bytes)
  }

  commit(): Promise<void> {
    return publishStaged(this.#writer, null).finally(() => this.#place.release())
  }

  abort(): Promise<void> {
    return this.#writer.abort().finally(() => this.#place.release())
  }
}
