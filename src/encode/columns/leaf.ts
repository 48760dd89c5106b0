// What a row group holds, leaf by leaf: levels and values, as the shredder found them and as pages and Arrow arrays
// need them. Levels are those of Dremel as parquet-format uses them (its README, "Nested Encoding"): every declared
// field is optional, a list is a repeated group in an optional one.

/** Kinds of leaves. `string` and `json` are UTF-8 text, `timestamp` is an int64 in the unit of the columns, UTC. */
export type LeafKind = 'string' | 'json' | 'boolean' | 'timestamp' | 'int64' | 'double'

/** A leaf of the schema: one physical column. */
export interface Leaf {
  /** Names from the root, with the groups `list` and `element` of each 3-level list. */
  readonly path: readonly string[]
  readonly kind: LeafKind
  /** Definition level of a value that is not null. */
  readonly maxDefinition: number
  /** Number of lists around the value. */
  readonly maxRepetition: number
}

/** Bytes of a text that its leaf keeps as a bound: one more than parquet/statistics.ts tells, so that it knows whether
 *  there are more. */
export const keptBoundBytes = 65

/** The values of a leaf, without the nulls. */
export type LeafValues =
  | {
      readonly kind: 'dictionary'
      /** Distinct values, in the order in which they were first seen. */
      readonly count: number
      /** They in PLAIN encoding. */
      readonly bytes: Uint8Array
      /** For each value its index among them. */
      readonly indices: Uint16Array
    }
  | {
      readonly kind: 'plain'
      /** PLAIN encoding of parquet-format: of text a little-endian u32 length and the bytes; of int64, timestamp and
       *  double 8 bytes, little-endian; but of booleans a byte each, 0 or 1, which the page writer packs. */
      readonly bytes: Uint8Array
    }

/** One page body of version 1 before compression: repetition levels, definition levels, values. */
export interface PageBody {
  /** Values and nulls. */
  readonly entries: number
  /** Valid until the next page is asked for. */
  readonly bytes: Uint8Array
}

/** What one leaf holds of a row group. All arrays are valid until the next record is added or the row group is
 *  reset. */
export interface LeafColumn {
  readonly leaf: Leaf
  /** Values and nulls. At least the number of rows. */
  readonly entries: number
  /** Values that are not null. */
  readonly count: number
  /** One level for each entry; null where `maxRepetition` is 0, so that each entry is a row. A row begins where the
   *  level is 0. */
  readonly repetitions: Uint8Array | null
  /** One level for each entry. */
  readonly definitions: Uint8Array
  readonly values: LeafValues
  /** Least and greatest value in the leaf's own order, as PLAIN without a length: unsigned bytes for text, of which
   *  there are the first `keptBoundBytes`, numbers by value. Null where there is no value and for JSON. Of doubles,
   *  which have no NaN, a least 0 is -0 and a greatest -0 is 0. */
  readonly min: Uint8Array | null
  readonly max: Uint8Array | null
  /** The page bodies, where the builder can make them itself faster than from the arrays above: the same bytes. */
  pages?(pageBytes: number): Iterable<PageBody>
}

/** The leaves of the row group in hand. */
export interface LeafColumns {
  readonly rows: number
  column(leaf: number): LeafColumn
  /** Empties all of them for the next row group. */
  reset(): void
}

/** The bound of doubles, where a zero stands for both: of the two, parquet.thrift has -0 as the least and +0 as the
 *  greatest (ColumnOrder.TYPE_ORDER).
 *  @param zero the one that it is written as */
export function withBothZeros(bound: Buffer, zero: number): Buffer {
  if (bound.readDoubleLE(0) !== 0) return bound
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(zero, 0)
  return bytes
}
