// Drives the kernel (assembly/): an instance with the leaves of one schema. It takes records by the hundred and stops
// at each that takes more rules than it knows, which those in TypeScript then shred into the same leaves.

import { KiB, MiB } from '../../../bytes/units.js'
import { instanceOf, moduleOf } from '../../../bytes/wasm-module.js'
import { InternalError } from '../../../errors.js'
import type { RecordBatch } from '../../../record.js'
import type { Leaf, LeafColumn, LeafColumns } from '../leaf.js'
import type { RecordShredder, Shredder, ShredderOptions } from '../shredder.js'
import type { LeafSink } from '../sink.js'
import type { NamedTreeNode } from '../tree.js'
import { KernelColumn } from './column.js'
import { type KernelExports, KernelMemory } from './exports.js'
import { imageBytes, imageOf, layoutOf } from './image.js'
import { kernelBytes } from './kernel-bytes.js'

/** Bytes of records that are given to the kernel at once. A longer record gets a window of its own. */
const windowBytes = 512 * KiB - 128
/** A record that is longer still is shredded in TypeScript: the kernel needs several times its length in one piece. */
const maxRecordBytes = 32 * MiB
const windowRecords = 8192
/** After the window and after what is made of it, so much is read and written over. */
const slackBytes = 64
const roomBytes = windowBytes + slackBytes

/** Units of a second. */
const scales = { millis: 1000n, micros: 1_000_000n, nanos: 1_000_000_000n } as const

/** What becomes of unknown fields and of values of another type, as the kernel has it. */
const unknownModes = { extra: 0, drop: 1, error: 2 } as const
const mismatchModes = { extra: 0, null: 1, error: 2 } as const

/** The kernel's module, compiled once; null where this runtime has no WebAssembly SIMD. */
const kernelModule = moduleOf(kernelBytes)

/** Instances with more memory are not kept. */
const maxKeptBytes = 64 * MiB

/** The instance of a shredder that has ended, for the next one: pages of memory that were never touched cost more than
 *  all that is written to them later. */
let kept: KernelExports | undefined

/** An instance without a block in its memory; null where there is no address space for one. */
function takeKernel(module: WebAssembly.Module): KernelExports | null {
  const kernel = kept ?? instanceOf<KernelExports>(module, 'columns')
  kept = undefined
  return kernel
}

function keepKernel(kernel: KernelExports): void {
  if (kept !== undefined || kernel.memory.buffer.byteLength > maxKeptBytes) return
  kernel.restart()
  kept = kernel
}

/** A shredder in WebAssembly; null where this runtime has no SIMD, or no address space for another memory. */
export function kernelShredder(options: ShredderOptions, records: RecordShredder): Shredder | null {
  const module = kernelModule()
  const kernel = module && takeKernel(module)
  return kernel && new KernelShredder(kernel, options, records)
}

class KernelShredder implements Shredder, LeafSink, LeafColumns {
  readonly #records: RecordShredder
  readonly #hasKey: boolean
  readonly #memory: KernelMemory
  readonly #kernel: KernelExports
  readonly #leavesAt: number
  readonly #leafBytes: number
  readonly #fieldsAt: number
  readonly #fieldCount: number
  readonly #windowAt: number
  readonly #boundsAt: number
  /** Where text is written for the kernel to take. */
  readonly #roomAt: number
  #isEnded = false
  rows = 0

  constructor(kernel: KernelExports, options: ShredderOptions, records: RecordShredder) {
    this.#records = records
    this.#hasKey = options.hasKey
    this.#kernel = kernel
    this.#memory = new KernelMemory(kernel.memory)
    const layout = layoutOf(kernel)
    this.#leafBytes = layout.leafBytes

    const { tree } = records
    const imageAt = kernel.allocate(imageBytes(tree, layout))
    const hasExtra = records.extraColumn >= 0
    const fields: readonly NamedTreeNode[] = tree.columns.slice(
      options.hasKey ? 1 : 0,
      hasExtra ? records.extraColumn : undefined,
    )
    const image = imageOf(tree, fields, imageAt, layout)
    this.#memory.bytes.set(image.bytes, imageAt)
    this.#leavesAt = image.leavesAt
    this.#fieldsAt = image.fieldsAt
    this.#fieldCount = fields.length
    kernel.begin(image.leavesAt, tree.leaves.length)
    for (const [from, end] of image.indexed) kernel.indexFields(from, end)

    this.#windowAt = kernel.allocate(roomBytes)
    this.#boundsAt = kernel.allocate(8 * windowRecords)
    this.#roomAt = kernel.allocate(2 * roomBytes)
    const extraLeaf = hasExtra ? this.#leafAt(tree.leaves.length - 1) : 0
    const scale = scales[options.timestampUnit]
    const unknown = unknownModes[options.unknownFields]
    const mismatch = mismatchModes[options.onTypeMismatch]
    const cuts = options.timestampExcess === 'truncate'
    const takesForms = options.timestampForms === 'any'
    kernel.beginShredder(image.rootAt, extraLeaf, unknown, mismatch, scale, cuts, takesForms, this.#roomAt, roomBytes)
  }

  get columns() {
    return this.#records.columns
  }

  get leaves(): readonly Leaf[] {
    return this.#records.tree.leaves
  }

  get group(): LeafColumns {
    return this
  }

  append(batch: RecordBatch, from: number, to: number): void {
    if (this.#isEnded) throw new InternalError('ERR_INTERNAL', 'a shredder that has ended was given records')
    while (from < to) {
      const end = windowEnd(batch, from, to)
      if (end === from) this.#appendLong(batch, from++)
      else {
        this.#appendWindow(batch, from, end, this.#windowAt)
        from = end
      }
    }
  }

  warnings() {
    return this.#records.warnings()
  }

  end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    keepKernel(this.#kernel)
  }

  /** Appends a record that is longer than the window. */
  #appendLong(batch: RecordBatch, index: number): void {
    const size = batch.end(index) - batch.start(index) + slackBytes
    if (size > maxRecordBytes) {
      this.#records.append(batch, index, this)
      return
    }
    const kernel = this.#kernel
    const windowAt = kernel.allocate(size)
    const roomAt = kernel.allocate(2 * size)
    kernel.moveRoom(roomAt, size)
    this.#appendWindow(batch, index, index + 1, windowAt)
    kernel.moveRoom(this.#roomAt, roomBytes)
    kernel.release(roomAt, 2 * size)
    kernel.release(windowAt, size)
  }

  #appendWindow(batch: RecordBatch, from: number, to: number, windowAt: number): void {
    const kernel = this.#kernel
    const start = batch.start(from)
    this.#memory.bytes.set(batch.bytes.subarray(start, batch.end(to - 1)), windowAt)
    this.#memory.words.set(batch.bounds.subarray(2 * from, 2 * to), this.#boundsAt / 4)
    const base = windowAt - start
    for (let at = from; at < to; at++) {
      const stop = from + kernel.shred(at - from, to - from, this.#boundsAt, base)
      const { words } = this.#memory
      const told = kernel.resultAt.value / 4
      const dropped = words[told]!
      if (dropped > 0) this.#records.countUnknown(dropped)
      if (words[told + 1]! > 0) this.#takeMismatches()
      this.#records.countTimestamps(words[told + 2]!, words[told + 3]!)
      this.rows += stop - at
      if (this.#hasKey) this.#addKeys(batch, at, stop)
      if (stop < to) this.#records.append(batch, stop, this)
      at = stop
    }
  }

  /** Takes over what the fields have counted. */
  #takeMismatches(): void {
    const { fieldBytes, fieldMismatches } = this.#kernel
    const { words } = this.#memory
    for (let field = 0; field < this.#fieldCount; field++) {
      const at = (this.#fieldsAt + field * fieldBytes.value + fieldMismatches.value) / 4
      this.#records.countMismatches(field, words[at]!)
      words[at] = 0
    }
  }

  #addKeys(batch: RecordBatch, from: number, to: number): void {
    for (let index = from; index < to; index++) {
      this.addText(0, 0, this.#records.key(batch, index))
      this.#kernel.judge(this.#leafAt(0))
    }
  }

  #leafAt(leaf: number): number {
    return this.#leavesAt + leaf * this.#leafBytes
  }

  addNull(leaf: number, repetition: number, definition: number): void {
    this.#kernel.addNull(this.#leafAt(leaf), repetition, definition)
  }

  addText(leaf: number, repetition: number, text: string): void {
    const kernel = this.#kernel
    // three bytes are the most that a UTF-16 unit takes
    const room = 3 * text.length + slackBytes
    if (room <= windowBytes) {
      const length = this.#memory.bytes.write(text, this.#roomAt)
      kernel.putText(this.#leafAt(leaf), repetition, this.#roomAt, length)
    } else {
      const at = kernel.allocate(room)
      const length = this.#memory.bytes.write(text, at)
      kernel.putText(this.#leafAt(leaf), repetition, at, length)
      kernel.release(at, room)
    }
  }

  addBoolean(leaf: number, repetition: number, value: boolean): void {
    this.#kernel.addBoolean(this.#leafAt(leaf), repetition, value ? 1 : 0)
  }

  addInt64(leaf: number, repetition: number, value: bigint): void {
    this.#kernel.putNumber(this.#leafAt(leaf), repetition, value)
  }

  addDouble(leaf: number, repetition: number, value: number): void {
    this.#kernel.putDouble(this.#leafAt(leaf), repetition, value)
  }

  endRecord(): void {
    this.rows++
    this.#kernel.endRecord()
  }

  column(leaf: number): LeafColumn {
    return new KernelColumn(this.leaves[leaf]!, this.#leafAt(leaf), this.#kernel, this.#memory)
  }

  reset(): void {
    this.rows = 0
    this.#kernel.reset()
  }
}

/** Index one past the last record from `from` on that the window has room for. */
function windowEnd(batch: RecordBatch, from: number, to: number): number {
  const limit = batch.start(from) + windowBytes
  let high = Math.min(to, from + windowRecords)
  if (batch.end(high - 1) <= limit) return high
  let low = from
  while (low < high) {
    const middle = (low + high) >>> 1
    if (batch.end(middle) <= limit) low = middle + 1
    else high = middle
  }
  return low
}
