// Where the members of a batch's records are that somebody asks for by name: as the engine that sliced them tells it,
// or found by a walk over their bytes.

import { MemberWalker } from '../bytes/members.js'
import type { BatchStage, RecordBatch } from '../record.js'
import { NameTable } from './name-table.js'

/** A stage that may read a batch's `fields`. */
export interface FieldStage extends BatchStage {
  /** Whether it is faster where a batch has them. */
  readonly readsFields: boolean
}

/** Finds own members of records. */
export class MemberLocator {
  /** What is looked for: distinct, in the order that the ranges have. */
  readonly names: readonly string[]
  readonly #table = new NameTable<number>()
  readonly #walker = new MemberWalker()
  #ranges = new Uint32Array(0)

  /** @param names names of members, not paths; a repeated one counts once */
  constructor(names: readonly string[]) {
    for (const name of names) if (this.#table.get(name) === undefined) this.#table.add(name, this.#table.size)
    this.names = this.#table.names()
  }

  /** Ranges of values, laid out as `RecordFields.locate` says. Valid until the next call, and as long as the batch. */
  locate(batch: RecordBatch): Uint32Array {
    if (this.names.length === 0) return this.#ranges
    return batch.fields?.locate(this.names) ?? this.#scan(batch)
  }

  #scan({ bytes, bounds, count }: RecordBatch): Uint32Array {
    const width = 2 * this.names.length
    if (this.#ranges.length < width * count) this.#ranges = new Uint32Array(width * count)
    else this.#ranges.fill(0, 0, width * count)
    const ranges = this.#ranges
    const walker = this.#walker
    for (let index = 0; index < count; index++) {
      walker.begin(bytes, bounds[2 * index]!)
      while (walker.next()) {
        const name = this.#table.find(walker)
        if (name === undefined) continue
        ranges[width * index + 2 * name] = walker.valueStart
        ranges[width * index + 2 * name + 1] = walker.valueEnd
      }
    }
    return ranges
  }
}
