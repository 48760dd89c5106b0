// The values of leaves in growing buffers: the builder in TypeScript, for where there is no WebAssembly SIMD, and what
// the kernel's builder is tested against.

import {
  maxDictionaryBytes,
  maxDistinct,
  maxEntryBytes,
  mostEntries,
  paysOff,
  trialDistinct,
} from './dictionary-rule.js'
import { keptBoundBytes, type Leaf, type LeafColumn, type LeafColumns, type LeafValues, withBothZeros } from './leaf.js'
import type { LeafSink } from './sink.js'

/** A sink in TypeScript for `leaves`, and what it holds. */
export function leafBuilders(leaves: readonly Leaf[]): LeafSink & LeafColumns {
  return new LeafBuilders(leaves)
}

class LeafBuilders implements LeafSink, LeafColumns {
  readonly #builders: readonly LeafBuilder[]
  rows = 0

  constructor(leaves: readonly Leaf[]) {
    this.#builders = leaves.map((leaf) => new LeafBuilder(leaf))
  }

  addNull(leaf: number, repetition: number, definition: number): void {
    this.#builders[leaf]!.addLevels(repetition, definition)
  }

  addText(leaf: number, repetition: number, text: string): void {
    this.#builders[leaf]!.addText(repetition, text)
  }

  addBoolean(leaf: number, repetition: number, value: boolean): void {
    this.#builders[leaf]!.addBoolean(repetition, value)
  }

  addInt64(leaf: number, repetition: number, value: bigint): void {
    this.#builders[leaf]!.addInt64(repetition, value)
  }

  addDouble(leaf: number, repetition: number, value: number): void {
    this.#builders[leaf]!.addDouble(repetition, value)
  }

  endRecord(): void {
    this.rows++
    for (const builder of this.#builders) builder.judge()
  }

  column(leaf: number): LeafColumn {
    return this.#builders[leaf]!.column()
  }

  reset(): void {
    this.rows = 0
    for (const builder of this.#builders) builder.reset()
  }
}

/** What tells two values of one leaf apart. Text is well-formed, so that different strings are different bytes. */
type Key = string | bigint | number

class LeafBuilder {
  readonly #leaf: Leaf
  readonly #repetitions = new GrowingBytes()
  readonly #definitions = new GrowingBytes()
  /** Values in PLAIN encoding: the distinct ones while there is a dictionary, all of them without. */
  readonly #values = new GrowingBytes()
  readonly #hasDictionary: boolean
  #dictionary: Map<Key, number> | null
  /** Distinct values at which the dictionary is judged next. */
  #nextTrial = trialDistinct
  /** Where each distinct value ends in the values. */
  #ends: number[] = []
  #indices = new Uint16Array(0)
  #count = 0
  #min: Buffer | null = null
  #max: Buffer | null = null

  constructor(leaf: Leaf) {
    this.#leaf = leaf
    this.#hasDictionary = leaf.kind !== 'boolean'
    this.#dictionary = this.#hasDictionary ? new Map() : null
  }

  addLevels(repetition: number, definition: number): void {
    if (this.#leaf.maxRepetition > 0) this.#repetitions.push(repetition)
    this.#definitions.push(definition)
  }

  addText(repetition: number, text: string): void {
    this.addLevels(repetition, this.#leaf.maxDefinition)
    if (this.#isRepeated(text)) return
    if (3 * text.length > maxEntryBytes && Buffer.byteLength(text) > maxEntryBytes) this.#giveUp()
    const values = this.#values
    // three bytes are the most that a UTF-16 unit takes
    const at = values.reserve(4 + 3 * text.length)
    const length = values.bytes.utf8Write(text, at + 4)
    values.bytes.writeUInt32LE(length, at)
    values.length = at + 4 + length
    this.#added(at + 4, text)
  }

  addBoolean(repetition: number, value: boolean): void {
    this.addLevels(repetition, this.#leaf.maxDefinition)
    const at = this.#values.reserve(1)
    this.#values.push(value ? 1 : 0)
    this.#added(at, 0)
  }

  addInt64(repetition: number, value: bigint): void {
    this.addLevels(repetition, this.#leaf.maxDefinition)
    if (this.#isRepeated(value)) return
    const at = this.#values.reserve(8)
    this.#values.bytes.writeBigInt64LE(value, at)
    this.#values.length = at + 8
    this.#added(at, value)
  }

  addDouble(repetition: number, value: number): void {
    this.addLevels(repetition, this.#leaf.maxDefinition)
    // a map takes 0 and -0 for the same
    const key = Object.is(value, -0) ? '-0' : value
    if (this.#isRepeated(key)) return
    const at = this.#values.reserve(8)
    this.#values.bytes.writeDoubleLE(value, at)
    this.#values.length = at + 8
    this.#added(at, key)
  }

  /** Whether the value has its place in the dictionary already, so that its index is all there is to add. */
  #isRepeated(key: Key): boolean {
    const dictionary = this.#dictionary
    if (dictionary === null) return false
    const index = dictionary.get(key)
    if (index === undefined) {
      if (dictionary.size === mostEntries) this.#giveUp()
      return false
    }
    this.#addIndex(index)
    return true
  }

  /** Gives the dictionary up where it breaks the rule. */
  judge(): void {
    const distinct = this.#dictionary?.size ?? 0
    const isTried = distinct >= this.#nextTrial
    if (
      distinct > maxDistinct ||
      (this.#dictionary !== null && this.#values.length > maxDictionaryBytes) ||
      (isTried && !paysOff(this.#count, distinct))
    ) {
      this.#giveUp()
    } else if (isTried) this.#nextTrial = (Math.floor(distinct / trialDistinct) + 1) * trialDistinct
  }

  /** Counts the value that was put at the end of the values; its bytes begin at `start`. */
  #added(start: number, key: Key): void {
    const value = this.#values.bytes.subarray(start, Math.min(this.#values.length, start + keptBoundBytes))
    if (this.#min === null || this.#compare(value, this.#min) < 0) this.#min = Buffer.from(value)
    if (this.#max === null || this.#compare(value, this.#max) > 0) this.#max = Buffer.from(value)
    const dictionary = this.#dictionary
    if (dictionary === null) {
      this.#count++
      return
    }
    const distinct = dictionary.size
    dictionary.set(key, distinct)
    this.#ends.push(this.#values.length)
    this.#addIndex(distinct)
  }

  #addIndex(index: number): void {
    if (this.#count === this.#indices.length) {
      const grown = new Uint16Array(Math.max(1024, 2 * this.#indices.length))
      grown.set(this.#indices)
      this.#indices = grown
    }
    this.#indices[this.#count++] = index
  }

  /** Writes all values as they are, in the place of the dictionary. */
  #giveUp(): void {
    if (this.#dictionary === null) return
    const ends = this.#ends
    const values = this.#values
    const distinct = Buffer.from(values.view())
    values.length = 0
    for (let i = 0; i < this.#count; i++) {
      const index = this.#indices[i]!
      const start = index === 0 ? 0 : ends[index - 1]!
      const end = ends[index]!
      const at = values.reserve(end - start)
      distinct.copy(values.bytes, at, start, end)
      values.length = at + end - start
    }
    this.#dictionary = null
    this.#ends = []
  }

  #compare(a: Buffer, b: Buffer): number {
    switch (this.#leaf.kind) {
      case 'json':
        return 0
      case 'string':
      case 'boolean':
        return a.compare(b)
      case 'double':
        return a.readDoubleLE(0) - b.readDoubleLE(0)
      default: {
        const [x, y] = [a.readBigInt64LE(0), b.readBigInt64LE(0)]
        return x < y ? -1 : x > y ? 1 : 0
      }
    }
  }

  column(): LeafColumn {
    if (this.#dictionary !== null && !paysOff(this.#count, this.#dictionary.size)) this.#giveUp()
    return {
      leaf: this.#leaf,
      entries: this.#definitions.length,
      count: this.#count,
      repetitions: this.#leaf.maxRepetition > 0 ? this.#repetitions.view() : null,
      definitions: this.#definitions.view(),
      values: this.#leafValues(),
      min: boundOf(this.#leaf, this.#min, -0),
      max: boundOf(this.#leaf, this.#max, 0),
    }
  }

  #leafValues(): LeafValues {
    const bytes = this.#values.view()
    if (this.#dictionary === null) return { kind: 'plain', bytes }
    const indices = this.#indices.subarray(0, this.#count)
    return { kind: 'dictionary', count: this.#dictionary.size, bytes, indices }
  }

  reset(): void {
    this.#repetitions.length = this.#definitions.length = this.#values.length = this.#count = 0
    this.#ends = []
    this.#nextTrial = trialDistinct
    this.#min = this.#max = null
    if (this.#hasDictionary) this.#dictionary = new Map()
  }
}

/** Nobody looks for JSON text in a range. */
function boundOf({ kind }: Leaf, bound: Buffer | null, zero: number): Buffer | null {
  if (kind === 'json' || bound === null) return null
  return kind === 'double' ? withBothZeros(bound, zero) : bound
}

/** Bytes that grow by doubling and are kept for the next row group. */
class GrowingBytes {
  bytes = Buffer.alloc(0) as Utf8Buffer
  length = 0

  /** Makes room for `more` bytes at the end, and returns where that is. */
  reserve(more: number): number {
    const { length } = this
    if (length + more > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(1024, length + more, 2 * this.bytes.length))
      this.bytes.copy(grown, 0, 0, length)
      this.bytes = grown as Utf8Buffer
    }
    return length
  }

  push(byte: number): void {
    const at = this.reserve(1)
    this.bytes[at] = byte
    this.length = at + 1
  }

  view(): Buffer {
    return this.bytes.subarray(0, this.length)
  }
}

/** The types of Node.js 20 leave out the method that writes text without looking up an encoding. */
type Utf8Buffer = Buffer & { utf8Write(text: string, offset: number): number }
