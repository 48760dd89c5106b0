// Drives the WebAssembly kernel (assembly/): one instance with its window, the bounds and members that its last scan
// found, and what can be done with them inside it. Where things are in its memory is told by its exports; positions in
// the window are addresses less the window's.

import { instanceOf, moduleOf } from '../../bytes/wasm-module.js'
import type { RecordFields, RecordLines } from '../../record.js'
import type { RecordScanner, ScanLimits } from '../engine-js/scanner.js'
import { type Window, windowBytes } from '../engine-js/window.js'
import { kernelBytes } from './kernel-bytes.js'

const pageBytes = 65536
/** Room after the window's data and after the output: a scan and a copy write over that much. */
const slackBytes = 128

/** Indexes of what a scan tells. */
const boundsFound = 0
const lastEnd = 1
const hasStopped = 2
const hasFields = 3
const hasLoneSurrogate = 4

interface KernelExports {
  memory: WebAssembly.Memory
  begin(): void
  scanElements(from: number, end: number, base: number, bound: number, maxDepth: number, maxBytes: number): void
  scanElementsWithFields: KernelExports['scanElements']
  scanLines: KernelExports['scanElements']
  scanLinesWithFields: KernelExports['scanElements']
  beginNames(): number
  addName(at: number, length: number): void
  locate(from: number, to: number, event: number, base: number): number
  exclude(count: number, base: number, out: number): number
  select: KernelExports['exclude']
  lastEvent: { readonly value: number }
  // see assembly/memory.ts
  resultAt: Constant
  metAt: Constant
  boundsAt: Constant
  maxRecords: Constant
  maxNames: Constant
  nameBytesRoom: Constant
  rowsAt: Constant
  windowAt: Constant
}

interface Constant {
  readonly value: number
}

/** Length of a name that no bytes can spell. */
const unspelled = -1

/** In the error of an instance that gives up. */
const name = 'JSON'

const compiledModule = moduleOf(kernelBytes)
let isGivenUp = false

/** The kernel's module, compiled once; null where this runtime has no WebAssembly SIMD, or the kernel was given up. */
export function kernelModule(): WebAssembly.Module | null {
  return isGivenUp ? null : compiledModule()
}

/** A new instance of the kernel. Null where this runtime has no WebAssembly SIMD, or no room for its memory: from then
 *  on it has no kernel. */
export function openKernel(): Kernel | null {
  const module = kernelModule()
  const exports = module && instanceOf<KernelExports>(module, name)
  const kernel = exports && kernelWith(module!, exports)
  isGivenUp ||= kernel === null
  return kernel
}

function kernelWith(module: WebAssembly.Module, exports: KernelExports): Kernel | null {
  try {
    return new Kernel(module, exports)
  } catch (error) {
    if (error instanceof RangeError) return null // its memory cannot grow to hold a window
    throw error
  }
}

/** One instance of the kernel, which is a scanner and the window that it scans. */
export class Kernel implements RecordScanner, Window {
  bytes!: Buffer
  bounds!: Uint32Array<ArrayBuffer>
  capacity = 0
  readonly #module: WebAssembly.Module
  #exports: KernelExports
  #windowAt = 0
  #result!: Uint32Array
  /** The names that the kernel knows now. */
  #names: readonly string[] | undefined
  #located = new Uint32Array(0)

  /** @param module of which `exports` is an instance */
  constructor(module: WebAssembly.Module, exports: KernelExports) {
    this.#module = module
    this.#exports = exports
    this.#begin(exports)
  }

  get bound(): number {
    return 2 * this.#result[boundsFound]!
  }

  get lastEnd(): number {
    return this.#result[lastEnd]!
  }

  get hasStopped(): boolean {
    return this.#result[hasStopped] === 1
  }

  get isWellFormed(): boolean {
    return this.#result[hasLoneSurrogate] === 0
  }

  scan(from: number, end: number, bound: number, { isLines, maxDepth, maxRecordBytes, withFields }: ScanLimits): void {
    const kernel = this.#exports
    const windowAt = this.#windowAt
    const depth = Math.min(maxDepth, 63) // kinds of containers are the bits of one number
    const [start, stop, count] = [windowAt + from, windowAt + end, bound / 2]
    if (isLines) {
      if (withFields) kernel.scanLinesWithFields(start, stop, windowAt, count, depth, maxRecordBytes)
      else kernel.scanLines(start, stop, windowAt, count, depth, maxRecordBytes)
    } else if (withFields) kernel.scanElementsWithFields(start, stop, windowAt, count, depth, maxRecordBytes)
    else kernel.scanElements(start, stop, windowAt, count, depth, maxRecordBytes)
  }

  fields(): RecordFields | undefined {
    if (this.#result[hasFields] === 0) return undefined
    const count = this.#result[boundsFound]!
    return {
      locate: (names) => this.#locate(names, count),
      exclude: (names) => this.#lines(names, count, 'exclude'),
      select: (names) => this.#lines(names, count, 'select'),
    }
  }

  #locate(names: readonly string[], count: number): Uint32Array | null {
    if (!this.#learn(names)) return null
    const kernel = this.#exports
    const { buffer } = kernel.memory
    const rowsAt = kernel.rowsAt.value
    const width = 2 * names.length
    let event = 0
    for (let done = 0; ; ) {
      const rows = kernel.locate(done, count, event, this.#windowAt)
      const located = new Uint32Array(buffer, rowsAt, rows * width)
      if (rows === count) return located
      if (this.#located.length < count * width) this.#located = new Uint32Array(count * width)
      this.#located.set(located, done * width)
      done += rows
      event = kernel.lastEvent.value
      if (done === count) return this.#located
    }
  }

  #lines(names: readonly string[], count: number, how: 'exclude' | 'select'): RecordLines | null {
    if (!this.#learn(names)) return null
    const kernel = this.#exports
    const out = this.#windowAt + this.capacity + slackBytes
    const length = kernel[how](count, this.#windowAt, out)
    const { buffer } = kernel.memory
    return {
      bytes: Buffer.from(buffer, out, length),
      bounds: new Uint32Array(buffer, kernel.rowsAt.value, 2 * count),
      met: new Uint8Array(buffer, kernel.metAt.value, names.length),
    }
  }

  /** Teaches the kernel a set of names; false where they are too many for it. */
  #learn(names: readonly string[]): boolean {
    if (names === this.#names) return true
    const kernel = this.#exports
    if (names.length > kernel.maxNames.value) return false
    let at = kernel.beginNames()
    const end = at + kernel.nameBytesRoom.value
    this.#names = undefined
    const memory = Buffer.from(kernel.memory.buffer)
    for (const name of names) {
      const bytes = Buffer.from(name)
      if (at + bytes.length + 8 > end) return false
      bytes.copy(memory, at)
      // a lone surrogate has no UTF-8: only an escape spells it
      kernel.addName(at, bytes.toString() === name ? bytes.length : unspelled)
      at += bytes.length + 8
    }
    this.#names = names
    return true
  }

  grow(capacity: number, from: number, to: number): void {
    this.bytes.copyWithin(0, from, to)
    this.#resize(capacity)
  }

  /** WebAssembly memory does not shrink: a new instance takes the place of one that has grown, if there is room for
   *  it. */
  shrink(): void {
    const exports = this.capacity > windowBytes ? instanceOf<KernelExports>(this.#module, name) : null
    if (exports !== null) this.#begin(exports)
  }

  #begin(exports: KernelExports): void {
    this.#exports = exports
    exports.begin()
    this.#windowAt = exports.windowAt.value
    this.#names = undefined
    this.#resize(windowBytes)
  }

  /** Makes room for a window and an output of `capacity` bytes, and new views, since memory that grows detaches
   *  them. */
  #resize(capacity: number): void {
    const { memory, resultAt, boundsAt, maxRecords } = this.#exports
    const windowAt = this.#windowAt
    const pages = Math.ceil((windowAt + 2 * (capacity + slackBytes)) / pageBytes)
    const held = memory.buffer.byteLength / pageBytes
    if (pages > held) memory.grow(pages - held)
    this.capacity = capacity
    this.bytes = Buffer.from(memory.buffer, windowAt, capacity + slackBytes)
    this.bounds = new Uint32Array(memory.buffer, boundsAt.value, 2 * maxRecords.value)
    this.#result = new Uint32Array(memory.buffer, resultAt.value, 5)
  }
}
