// Where a row group ends: with the record that makes so many rows or so many bytes of JSON. That depends on the data
// alone, so that a file is the same in every run. A list is cut where it is read, by `listLimits`, and the encoder
// follows; on its own it ends row groups by the limits that it is given.

import { MiB } from '../../bytes/units.js'
import type { RecordBatch } from '../../record.js'

/** What ends a row group, whichever comes first. */
export interface RowGroupLimits {
  /** Most records. */
  readonly rows: number
  /** Bytes of JSON, a line feed after each record, with which a row group ends. */
  readonly bytes: number
}

export const defaultRowGroupLimits: RowGroupLimits = { rows: 50_000, bytes: 32 * MiB }

/** Values and nulls that a row group has at most, however little its records say. */
const maxCells = 32 * MiB
/** Bytes that a value or null takes at least: two levels. */
const cellBytes = 2
/** Bytes that a row group may come to where it was small as it was read: a quarter of the least memory that an export
 *  may have. */
const grownBytes = 16 * MiB

/** Limits of a list as it is read: rows of so many columns that the asked number would not fit into memory are fewer.
 *  @param columns those inside of structs and lists counted
 *  @param memoryBytes bound of all buffers, of which a row group may take a quarter */
export function listLimits({ rows, bytes }: RowGroupLimits, columns: number, memoryBytes: number): RowGroupLimits {
  const cells = Math.min(maxCells, memoryBytes / 4 / cellBytes)
  return { rows: Math.max(1, Math.min(rows, Math.floor(cells / columns))), bytes }
}

/** Limits of an encoder whose list is cut where it is read, by `limits`: it ends a row group on its own only where
 *  records have become so much longer on the way that it would not fit into memory. */
export function limitsAfterCuts({ bytes }: RowGroupLimits): RowGroupLimits {
  return { rows: Number.MAX_SAFE_INTEGER, bytes: Math.max(2 * bytes, grownBytes) }
}

/** Counts the records of the row group in hand, and knows where it ends. */
export class RowGroupEnd {
  readonly #maxRows: number
  readonly #maxBytes: number
  #rows = 0
  #bytes = 0

  /** @param columns those inside of structs and lists counted: with very many of them a row group has fewer rows than
   *  `limits` says */
  constructor({ rows, bytes }: RowGroupLimits, columns: number) {
    this.#maxRows = Math.min(rows, Math.ceil(maxCells / columns))
    this.#maxBytes = bytes
  }

  /** Whether no record was counted since the last row group: such a row group is not written. */
  get isEmpty(): boolean {
    return this.#rows === 0
  }

  /** Whether the row group ends with the record that was counted last. */
  get isReached(): boolean {
    return this.#rows >= this.#maxRows || this.#bytes >= this.#maxBytes
  }

  /** Counts the records [from, to) of `batch`, but none after the one that ends the row group. Returns one past the
   *  last one that was counted. */
  count(batch: RecordBatch, from: number, to: number): number {
    let index = from
    while (index < to && !this.isReached) {
      this.#bytes += batch.end(index) - batch.start(index) + 1
      this.#rows++
      index++
    }
    return index
  }

  /** The row group in hand is written, and the next one begins. */
  reset(): void {
    this.#rows = this.#bytes = 0
  }
}
