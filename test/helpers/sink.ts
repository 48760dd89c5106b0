// Sinks for tests of encoders.

import type { ByteSink, Encoder } from '../../src/encode/encoder.js'
import type { RecordBatch } from '../../src/record.js'

/** Keeps copies of what it gets, taken only just before a write resolves: an encoder that reuses its bytes too early is
 *  found out. So is one that does not wait for the write before. */
export class MemorySink implements ByteSink {
  readonly chunks: Buffer[] = []
  #isBusy = false

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#isBusy) throw new Error('two writes at once')
    this.#isBusy = true
    await new Promise((resolve) => setImmediate(resolve))
    this.chunks.push(Buffer.from(bytes))
    this.#isBusy = false
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks)
  }
}

/** All bytes that `encoder` makes of `batches`. */
export async function encodeAll(encoder: Encoder, batches: readonly RecordBatch[]): Promise<Buffer> {
  const sink = new MemorySink()
  await encoder.begin(sink)
  for (const batch of batches) await encoder.encode(batch)
  await encoder.end()
  return sink.bytes
}
