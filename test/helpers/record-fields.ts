// `RecordFields` by walking over the bytes: the reference that an engine's own must equal, and a way to give them to batches of engines that have none.

import { MemberWalker } from '../../src/bytes/members.js'
import type { SlicerFactory } from '../../src/json/slicer.js'
import { RecordBatch, type RecordFields } from '../../src/record.js'

/** The members of a batch's records, found anew with each call. */
export class WalkedFields implements RecordFields {
  readonly #batch: RecordBatch

  constructor(batch: RecordBatch) {
    this.#batch = batch
  }

  locate(names: readonly string[]): Uint32Array {
    const { bytes, count } = this.#batch
    const ranges = new Uint32Array(2 * count * names.length)
    const walker = new MemberWalker()
    for (let index = 0; index < count; index++) {
      walker.begin(bytes, this.#batch.start(index))
      while (walker.next()) {
        const name = names.indexOf(walker.key())
        if (name < 0) continue
        const at = 2 * (index * names.length + name)
        ranges[at] = walker.valueStart
        ranges[at + 1] = walker.valueEnd
      }
    }
    return ranges
  }

  exclude(names: readonly string[]): { bytes: Buffer; bounds: Uint32Array } {
    const { count } = this.#batch
    const bounds = new Uint32Array(2 * count)
    const lines: Buffer[] = []
    let at = 0
    for (let index = 0; index < count; index++) {
      const line = Buffer.from(`${this.#without(index, names)}\n`, 'latin1')
      bounds[2 * index] = at
      at += line.length
      bounds[2 * index + 1] = at - 1
      lines.push(line)
    }
    return { bytes: Buffer.concat(lines), bounds }
  }

  /** The bytes of a record without the members of `names`, one character each. */
  #without(index: number, names: readonly string[]): string {
    const { bytes } = this.#batch
    const [start, end] = [this.#batch.start(index), this.#batch.end(index)]
    const walker = new MemberWalker().begin(bytes, start)
    const separators: number[] = []
    const isKept: boolean[] = []
    while (walker.next()) {
      separators.push(walker.separator)
      isKept.push(!names.includes(walker.key()))
    }
    if (!isKept.includes(false)) return bytes.toString('latin1', start, end)
    separators.push(end - 1)
    const kept = isKept.flatMap((keep, i) =>
      keep ? [bytes.toString('latin1', separators[i]! + 1, separators[i + 1]!)] : [],
    )
    return `{${kept.join(',')}}`
  }
}

/** The slicers of `factory`, whose batches have walked fields where they are asked for. */
export function withWalkedFields(factory: SlicerFactory): SlicerFactory {
  return (options) => {
    const slicer = factory(options)
    const given = (batch: RecordBatch): RecordBatch =>
      options.withFields === true ? new RecordBatch({ ...batch, fields: new WalkedFields(batch) }) : batch
    return {
      facts: slicer.facts,
      *push(chunk) {
        for (const batch of slicer.push(chunk)) yield given(batch)
      },
      end: () => slicer.end().map(given),
    }
  }
}
