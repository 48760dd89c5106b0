// Where a list is cut because of what its records are: after so many bytes or so many of them, whatever pages and
// batches they came in.

import type { RecordCounts } from '../checkpoint/checkpoint.js'

/** Counts records up to a cut. A limit of null is none. */
export class Cuts {
  #bytes: number
  #records: number
  readonly #maxBytes: number
  readonly #maxRecords: number

  constructor(maxBytes: number | null, maxRecords: number | null, since: RecordCounts = { bytes: 0, records: 0 }) {
    this.#maxBytes = maxBytes ?? Number.POSITIVE_INFINITY
    this.#maxRecords = maxRecords ?? Number.POSITIVE_INFINITY
    this.#bytes = since.bytes
    this.#records = since.records
  }

  /** Whether there can be a cut at all. */
  get isEndless(): boolean {
    return this.#maxBytes === Number.POSITIVE_INFINITY && this.#maxRecords === Number.POSITIVE_INFINITY
  }

  get counts(): RecordCounts {
    return { bytes: this.#bytes, records: this.#records }
  }

  /** Takes over what another has counted. */
  copy(other: Cuts): void {
    this.#bytes = other.#bytes
    this.#records = other.#records
  }

  /** Counts a record of so many bytes; true where a cut follows on it. */
  add(recordBytes: number): boolean {
    this.#bytes += recordBytes + 1
    this.#records++
    if (this.#bytes < this.#maxBytes && this.#records < this.#maxRecords) return false
    this.reset()
    return true
  }

  reset(): void {
    this.#bytes = this.#records = 0
  }
}
