// What the kernel (assembly/) exports, and its memory as bytes and words.

import type { ImageExports } from './image.js'

export interface KernelExports extends ImageExports {
  memory: WebAssembly.Memory
  allocate(size: number): number
  release(block: number, size: number): void
  restart(): void
  begin(at: number, count: number): void
  indexFields(from: number, end: number): void
  reset(): void
  beginShredder(
    tree: number,
    extra: number,
    unknown: number,
    mismatch: number,
    scale: bigint,
    areCut: boolean,
    areFormsTaken: boolean,
    room: number,
    roomBytes: number,
  ): void
  moveRoom(room: number, roomBytes: number): void
  shred(from: number, to: number, bounds: number, base: number): number
  addNull(leaf: number, repetition: number, definition: number): void
  addBoolean(leaf: number, repetition: number, value: number): void
  putText(leaf: number, repetition: number, at: number, length: number): void
  putNumber(leaf: number, repetition: number, value: bigint): void
  putDouble(leaf: number, repetition: number, value: number): void
  endRecord(): void
  judge(leaf: number): void
  describe(leaf: number): void
  gather(leaf: number, part: number): number
  beginPages(leaf: number, size: number): void
  nextPage(): number
  boundText(leaf: number, text: number, buffers: number): number
  resultAt: Constant
  fieldMismatches: Constant
  leastAt: Constant
  leastTextAt: Constant
  leastBuffers: Constant
  greatestAt: Constant
  greatestTextAt: Constant
  greatestBuffers: Constant
}

interface Constant {
  readonly value: number
}

/** Views of the kernel's memory, made again when it has grown. */
export class KernelMemory {
  readonly #memory: WebAssembly.Memory
  #bytes = Buffer.alloc(0)
  #words = new Uint32Array(0)

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory
  }

  get bytes(): Buffer {
    this.#renew()
    return this.#bytes
  }

  get words(): Uint32Array {
    this.#renew()
    return this.#words
  }

  #renew(): void {
    const { buffer } = this.#memory
    if (this.#bytes.buffer === buffer) return
    this.#bytes = Buffer.from(buffer)
    this.#words = new Uint32Array(buffer)
  }
}
