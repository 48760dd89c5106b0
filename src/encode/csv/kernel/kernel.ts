// Drives the kernel (assembly/): one instance with the columns of one schema and one piece of memory for rows. It
// writes records as rows by the hundred and stops at each that is unusual, whose row the caller then adds.

import { KiB } from '../../../bytes/units.js'
import { instanceOf, moduleOf } from '../../../bytes/wasm-module.js'
import type { RecordBatch } from '../../../record.js'
import type { Field } from '../../../schema/resource.js'
import { type ImageExports, imageBytes, imageOf, layoutOf } from '../../columns/kernel/image.js'
import type { UnknownFields } from '../../columns/layout.js'
import { treeOf } from '../../columns/tree.js'
import { kernelBytes } from './kernel-bytes.js'

export interface KernelRowsOptions {
  /** Fields of a record, each a column. */
  fields: readonly Field[]
  /** Whether `_key` is the first column. */
  hasKey: boolean
  /** Whether `extra` is the last one. */
  hasExtra: boolean
  /** A byte that is in no number, literal or date-time. */
  delimiter: string
  /** The same; not `'` where formulas are escaped. */
  quote: string
  isCrlf: boolean
  unknownFields: UnknownFields
  escapesFormulas: boolean
}

/** Rows are handed on when they are so many bytes. */
const handOnBytes = 416 * KiB
/** Bytes of records that are given to a kernel at once, if nothing else is asked for. A longer record is left to the
 *  caller. */
const usualWindowBytes = 512 * KiB - 128
const windowRecords = 8192
/** Bytes of the keys of these records. */
const keysBytes = 64 * KiB
/** After each piece of memory so much is read and written over. */
const slackBytes = 128

const unknownModes = { extra: 0, drop: 1, error: 2 } as const

interface KernelExports extends ImageExports {
  memory: WebAssembly.Memory
  allocate(size: number): number
  indexFields(from: number, end: number): void
  beginCells(delimiter: number, quote: number, guard: boolean, room: number): void
  beginRows(
    from: number,
    end: number,
    key: boolean,
    extra: boolean,
    mode: number,
    crlf: boolean,
    roomForExtra: number,
    roomForCells: number,
  ): void
  writeRows(from: number, to: number, bounds: number, base: number, keys: number, at: number, limit: number): number
  resultAt: { readonly value: number }
  /** Bytes of the shuffles that the kernel makes for itself. */
  shufflesBytes: { readonly value: number }
}

/** The kernel's module, compiled once; null where this runtime has no WebAssembly SIMD. */
const kernelModule = moduleOf(kernelBytes)

/** Rows by the kernel; null where this runtime has no WebAssembly SIMD, or no memory for it. @param windowBytes at
 *  least of the longest record */
export function kernelRows(options: KernelRowsOptions, windowBytes = usualWindowBytes): KernelRows | null {
  const module = kernelModule()
  if (module === null) return null
  try {
    const kernel = instanceOf<KernelExports>(module, 'CSV')
    return kernel && new KernelRows(kernel, options, windowBytes)
  } catch {
    return null
  }
}

/** Rows of a batch, gathered until they are worth a write. Call `load`, then `write` until it has come to the end of
 *  what was loaded. */
export class KernelRows {
  readonly windowBytes: number
  readonly #kernel: KernelExports
  readonly #hasKey: boolean
  readonly #bytes: Buffer
  readonly #words: Uint32Array
  readonly #windowAt: number
  readonly #boundsAt: number
  readonly #keysAt: number
  readonly #keyTextAt: number
  readonly #rowsAt: number
  readonly #rowsBytes: number
  readonly #resultAt: number
  /** Where the rows that were gathered end. */
  #end: number
  /** What is loaded: records [from, to), and where the first byte of their batch would be. */
  #from = 0
  #to = 0
  #base = 0
  /** Rows that the kernel wrote. */
  count = 0
  /** Unknown fields that it left out in the last call of `write`. */
  dropped = 0
  /** Texts that it put a ' before in that call. */
  escaped = 0
  /** Rows without a character that it wrote in that call. */
  blank = 0

  constructor(kernel: KernelExports, options: KernelRowsOptions, windowBytes: number) {
    // memory is given out in powers of two
    windowBytes = 2 ** Math.ceil(Math.log2(windowBytes + slackBytes)) - slackBytes
    this.windowBytes = windowBytes
    const { fields, hasKey } = options
    this.#kernel = kernel
    this.#hasKey = hasKey
    const tree = treeOf(fields)
    const layout = layoutOf(kernel)
    const imageAt = kernel.allocate(imageBytes(tree, layout))
    this.#windowAt = kernel.allocate(windowBytes + slackBytes)
    this.#boundsAt = kernel.allocate(8 * windowRecords)
    this.#keysAt = hasKey ? kernel.allocate(4 * (windowRecords + 1)) : 0
    this.#keyTextAt = hasKey ? kernel.allocate(keysBytes + slackBytes) : 0
    const cellsAt = kernel.allocate(kernel.shufflesBytes.value + windowBytes + slackBytes)
    const extraAt = kernel.allocate(windowBytes + slackBytes)
    // a row is at most twice as long as its record and key, and has two quotes and a delimiter for each column
    const rowBytes = 2 * (windowBytes + keysBytes) + 4 * (fields.length + 2)
    const cellRoomAt = kernel.allocate(rowBytes + slackBytes)
    this.#rowsBytes = handOnBytes + rowBytes
    this.#rowsAt = kernel.allocate(this.#rowsBytes + slackBytes)
    this.#end = this.#rowsAt
    // memory does not grow from here on
    this.#bytes = Buffer.from(kernel.memory.buffer)
    this.#words = new Uint32Array(kernel.memory.buffer)
    this.#resultAt = kernel.resultAt.value / 4

    const image = imageOf(tree, tree.columns, imageAt, layout)
    this.#bytes.set(image.bytes, imageAt)
    const { delimiter, quote, unknownFields } = options
    kernel.beginCells(delimiter.charCodeAt(0), quote.charCodeAt(0), options.escapesFormulas, cellsAt)
    kernel.beginRows(
      image.fieldsAt,
      image.fieldsEnd,
      hasKey,
      options.hasExtra,
      unknownModes[unknownFields],
      options.isCrlf,
      extraAt,
      cellRoomAt,
    )
    for (const [from, end] of image.indexed) kernel.indexFields(from, end)
  }

  /** Takes in records [from, end) of `batch`. Returns one past the last that there was room for; `from` where the first
   *  is too long. */
  load(batch: RecordBatch, from: number, end: number): number {
    const start = batch.start(from)
    const most = Math.min(end, from + windowRecords)
    let to = from
    while (to < most && batch.end(to) - start <= this.windowBytes) to++
    if (this.#hasKey) to = this.#loadKeys(batch, from, to)
    if (to === from) return from
    this.#bytes.set(batch.bytes.subarray(start, batch.end(to - 1)), this.#windowAt)
    this.#words.set(batch.bounds.subarray(2 * from, 2 * to), this.#boundsAt / 4)
    this.#base = this.#windowAt - start
    this.#from = from
    this.#to = to
    return to
  }

  /** Takes in keys as far as there is room and they are well-formed. */
  #loadKeys(batch: RecordBatch, from: number, to: number): number {
    let end = this.#keyTextAt
    for (let index = from; index < to; index++) {
      const key = batch.keys?.[index]
      // three bytes are the most that a UTF-16 unit takes
      if (key === undefined || end + 3 * key.length > this.#keyTextAt + keysBytes || surrogate.test(key)) return index
      this.#words[this.#keysAt / 4 + index - from] = end
      end += this.#bytes.write(key, end)
      this.#words[this.#keysAt / 4 + index - from + 1] = end
    }
    return to
  }

  /** Writes rows from record `from` on, as far as it was loaded and until they are worth a write. Returns one past the
   *  last record that was written: where neither is reached, the caller has to add the row of that record. */
  write(from: number): number {
    const limit = this.#rowsAt + handOnBytes
    const [first, to] = [from - this.#from, this.#to - this.#from]
    const next =
      this.#from + this.#kernel.writeRows(first, to, this.#boundsAt, this.#base, this.#keysAt, this.#end, limit)
    this.#end = this.#words[this.#resultAt]!
    this.dropped = this.#words[this.#resultAt + 1]!
    this.escaped = this.#words[this.#resultAt + 2]!
    this.blank = this.#words[this.#resultAt + 3]!
    this.count += next - from
    return next
  }

  /** Whether the rows that were gathered are worth a write. */
  get isFull(): boolean {
    return this.#end >= this.#rowsAt + handOnBytes
  }

  /** Adds rows that others wrote. False where there is no room for them. */
  add(text: string): boolean {
    if (this.#end + 3 * text.length > this.#rowsAt + this.#rowsBytes) return false
    this.#end += this.#bytes.write(text, this.#end)
    return true
  }

  /** Hands over the rows that were gathered, as a view that is valid until the next call. */
  take(): Uint8Array {
    const rows = this.#bytes.subarray(this.#rowsAt, this.#end)
    this.#end = this.#rowsAt
    return rows
  }
}

const surrogate = /\p{Surrogate}/u
