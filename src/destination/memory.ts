// A place in memory: the reference implementation of the contract, for tests and examples.

import { InternalError } from '../errors.js'
import type { Destination, DestinationWriter } from './destination.js'

export interface MemoryDestination extends Destination {
  /** Whether an export was committed here. */
  readonly isCommitted: boolean
  /** What the last commit made visible. @throws InternalError before the first commit */
  bytes(): Buffer
}

/** A destination that keeps the bytes of one export, unbounded. An export that is committed later replaces it. */
export function memoryDestination(): MemoryDestination {
  let committed: Buffer | null = null
  return {
    name: 'memory',
    get isCommitted() {
      return committed !== null
    },
    bytes() {
      if (committed === null) throw new InternalError('ERR_INTERNAL', 'nothing was committed to memory')
      return committed
    },
    async open() {
      return new MemoryWriter((bytes) => {
        committed = bytes
      })
    },
  }
}

class MemoryWriter implements DestinationWriter {
  readonly left = 'nothing was published'
  bytesWritten = 0
  #chunks: Buffer[] | null = []
  readonly #publish: (bytes: Buffer) => void

  constructor(publish: (bytes: Buffer) => void) {
    this.#publish = publish
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#open().push(Buffer.from(bytes))
    this.bytesWritten += bytes.length
  }

  async commit(): Promise<void> {
    const chunks = this.#open()
    this.#chunks = null
    this.#publish(Buffer.concat(chunks))
  }

  async abort(): Promise<void> {
    this.#chunks = null
  }

  #open(): Buffer[] {
    if (this.#chunks === null) throw new InternalError('ERR_INTERNAL', 'memory was written to after its end')
    return this.#chunks
  }
}
