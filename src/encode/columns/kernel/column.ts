// One leaf of a row group in the kernel's memory, as those who write pages read it.

import { type Leaf, type LeafColumn, type LeafValues, type PageBody, withBothZeros } from '../leaf.js'
import type { KernelExports, KernelMemory } from './exports.js'

/** What `gather` puts into one piece. */
const part = { repetitions: 0, definitions: 1, values: 2, distinct: 3 } as const

/** One leaf, copied out of the kernel's memory as far as it is asked for. */
export class KernelColumn implements LeafColumn {
  readonly leaf: Leaf
  readonly entries: number
  readonly count: number
  readonly values: LeafValues
  readonly #at: number
  readonly #kernel: KernelExports
  readonly #memory: KernelMemory

  constructor(leaf: Leaf, at: number, kernel: KernelExports, memory: KernelMemory) {
    this.leaf = leaf
    this.#at = at
    this.#kernel = kernel
    this.#memory = memory
    kernel.describe(at)
    const { words } = memory
    const told = kernel.resultAt.value / 4
    this.entries = words[told]!
    this.count = words[told + 1]!
    const isIndexed = words[told + 2] === 1
    this.values = isIndexed
      ? new KernelDictionary(this, words[told + 3]!, words[told + 4]!)
      : new KernelPlain(this, words[told + 4]!)
  }

  get repetitions(): Uint8Array | null {
    return this.leaf.maxRepetition === 0 ? null : this.gather(part.repetitions, this.entries)
  }

  get definitions(): Uint8Array {
    return this.gather(part.definitions, this.entries)
  }

  get min(): Uint8Array | null {
    const { leastAt, leastTextAt, leastBuffers } = this.#kernel
    return this.#bound(leastAt.value, leastTextAt.value, leastBuffers.value, -0)
  }

  get max(): Uint8Array | null {
    const { greatestAt, greatestTextAt, greatestBuffers } = this.#kernel
    return this.#bound(greatestAt.value, greatestTextAt.value, greatestBuffers.value, 0)
  }

  *pages(pageBytes: number): Generator<PageBody, void, undefined> {
    const kernel = this.#kernel
    kernel.beginPages(this.#at, pageBytes)
    for (;;) {
      const entries = kernel.nextPage()
      if (entries === 0) return
      const { words, bytes } = this.#memory
      const told = kernel.resultAt.value / 4
      const at = words[told]!
      yield { entries, bytes: bytes.subarray(at, at + words[told + 1]!) }
    }
  }

  /** Copies out the first `length` bytes of one of its parts. */
  gather(what: number, length: number): Buffer {
    const at = this.#kernel.gather(this.#at, what)
    const copy = Buffer.allocUnsafeSlow(length)
    this.#memory.bytes.copy(copy, 0, at, at + length)
    return copy
  }

  #bound(numberAt: number, textAt: number, buffers: number, zero: number): Uint8Array | null {
    const { kind } = this.leaf
    if (this.count === 0 || kind === 'json') return null
    const { bytes } = this.#memory
    if (kind === 'string') {
      const text = bytes.readUInt32LE(this.#at + textAt)
      const at = this.#kernel.boundText(this.#at, text, buffers)
      return Buffer.from(bytes.subarray(at, at + (text & 0x7fffffff)))
    }
    const at = this.#at + numberAt
    if (kind === 'boolean') return Buffer.from(bytes.subarray(at, at + 1))
    const bound = Buffer.from(bytes.subarray(at, at + 8))
    return kind === 'double' ? withBothZeros(bound, zero) : bound
  }
}

// Classes and not objects with getters, of which V8 keeps a shape for each.

class KernelDictionary {
  readonly kind = 'dictionary'
  readonly count: number
  readonly #column: KernelColumn
  readonly #length: number

  constructor(column: KernelColumn, count: number, length: number) {
    this.#column = column
    this.count = count
    this.#length = length
  }

  get bytes(): Buffer {
    return this.#column.gather(part.distinct, this.#length)
  }

  get indices(): Uint16Array {
    const { count } = this.#column
    const { buffer, byteOffset } = this.#column.gather(part.values, 2 * count)
    return new Uint16Array(buffer, byteOffset, count)
  }
}

class KernelPlain {
  readonly kind = 'plain'
  readonly #column: KernelColumn
  readonly #length: number

  constructor(column: KernelColumn, length: number) {
    this.#column = column
    this.#length = length
  }

  get bytes(): Buffer {
    return this.#column.gather(part.values, this.#length)
  }
}
