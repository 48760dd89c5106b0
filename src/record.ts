// The nouns of an export as types: what flows is a batch of record slices, one buffer and the bounds of the records in
// it. Objects are made only where somebody reads them.

/** A parsed record. */
export type JsonRecord = { [field: string]: JsonValue }
/** Any parsed JSON value. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue }

/** How a page's body was laid out: where its records were and where its cursor. */
export const framings = ['envelope', 'slack', 'graph', 'array', 'ndjson', 'keyed'] as const
export type Framing = (typeof framings)[number]

/**
 * The own members of a batch's records, as the engine that sliced them found them: nothing has to be scanned again.
 * Valid as long as the batch's bytes. `names` are texts; pass the same array each time, its identity is what an engine
 * remembers.
 */
export interface RecordFields {
  /** Ranges of the values of `names` in the batch's bytes: that of name n of record i is `[at, at + 1]` with `at = 2 *
   *  (i * names.length + n)`, half-open, without white space around it; both are 0 where the record has no such member.
   *  Of a repeated member the last counts. Valid until the next call. Null where the names are too many for the engine:
   *  then the bytes have to be read.
   *  @param names distinct */
  locate(names: readonly string[]): Uint32Array | null
  /** The records without their own members of these names (every copy of them), what is kept kept as it is: one line
   *  each, as `RecordBatch.isLines` says, in bytes that are valid until the next call. Null as with `locate`. */
  exclude(names: readonly string[]): RecordLines | null
  /** The same with no other own members than those of these names. */
  select(names: readonly string[]): RecordLines | null
}

export interface RecordLines {
  readonly bytes: Buffer
  readonly bounds: Uint32Array
  /** For each of the names 1 where a record had it, else 0. */
  readonly met: Uint8Array
}

export interface RecordBatchInit {
  bytes: Uint8Array
  bounds: Uint32Array
  count: number
  page: number
  firstRecordIndex: number
  byteOffset?: number | undefined
  isLines?: boolean
  keys?: readonly string[] | undefined
  pageKeys?: readonly string[] | undefined
  recordIndexes?: Uint32Array | undefined
  fields?: RecordFields | undefined
  isWellFormed?: boolean
}

/**
 * Records as slices of one buffer. What holds for every batch:
 *
 * - each slice is one valid JSON object in strict UTF-8, without white space around it and without a raw line feed or
 *   carriage return in it;
 * - a batch that crosses a Node stream, or that user code gets, owns its bytes; a batch of the fused loop in
 *   `exportRecords` is a view that is valid until its consumer's promise resolves (`own()` makes a copy);
 * - consumers do not write into `bytes`.
 */
export class RecordBatch {
  readonly bytes: Buffer
  /** `bounds[2*i]` is the first byte of record i in `bytes`, `bounds[2*i + 1]` one past its last. May be longer than `2
   *  * count`. */
  readonly bounds: Uint32Array
  /** Number of records, at least 0. */
  readonly count: number
  /** Number of the page that the records came from, from 1. */
  readonly page: number
  /** Index of record 0 of this batch in its page, from 0. */
  readonly firstRecordIndex: number
  /** Offset in the page's decoded body of `bytes[0]`, where that is known: undefined once a transform has moved
   *  bytes. */
  readonly byteOffset: number | undefined
  /** True where the bytes from the first record's start to the last record's end are the records with exactly one `\n`
   *  between them, and one `\n` follows the last: `bytes[end]` exists and is `\n`. Then NDJSON is one span and no
   *  record needs to be touched. */
  readonly isLines: boolean
  /** The key of each record, where `keyBy` ran. Plain text, not JSON. */
  readonly keys: readonly string[] | undefined
  /** The key that the server gave each record, where the page's `result` was an object (`truto_key_by`). */
  readonly pageKeys: readonly string[] | undefined
  /** Index of each record in its page, where a transform left records out, so that they no longer count on from
   *  `firstRecordIndex`. */
  readonly recordIndexes: Uint32Array | undefined
  /** The records' own members, where the engine was asked for them and the batch is still its view of just these
   *  records. Undefined where the engine does not know them: in a batch with a key that is spelled with an escape, for
   *  one. */
  readonly fields: RecordFields | undefined
  /** True where no string in the records, and no key of them, has half of a surrogate pair (`\ud800`); false where that
   *  is not known. */
  readonly isWellFormed: boolean

  constructor(init: RecordBatchInit) {
    const { bytes } = init
    this.bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.bounds = init.bounds
    this.count = init.count
    this.page = init.page
    this.firstRecordIndex = init.firstRecordIndex
    this.byteOffset = init.byteOffset
    this.isLines = init.isLines ?? false
    this.keys = init.keys
    this.pageKeys = init.pageKeys
    this.recordIndexes = init.recordIndexes
    this.fields = init.fields
    this.isWellFormed = init.isWellFormed ?? false
  }

  /** First byte of record `index` in `bytes`. */
  start(index: number): number {
    return this.bounds[2 * index]!
  }

  /** One past the last byte of record `index` in `bytes`. */
  end(index: number): number {
    return this.bounds[2 * index + 1]!
  }

  /** The bytes of record `index`: a view, as long-lived as the batch. */
  slice(index: number): Buffer {
    return this.bytes.subarray(this.start(index), this.end(index))
  }

  /** The JSON text of record `index`. */
  text(index: number): string {
    return this.bytes.toString('utf8', this.start(index), this.end(index))
  }

  /** Record `index` as an object. Digits beyond a double are rounded, as JSON.parse does. */
  parse(index: number): JsonRecord {
    return JSON.parse(this.text(index)) as JsonRecord
  }

  /** The records as objects, parsed one by one as they are asked for. */
  *records(): Generator<JsonRecord, void, undefined> {
    for (let index = 0; index < this.count; index++) yield this.parse(index)
  }

  /** Sum of the lengths of all records, in bytes. */
  get recordBytes(): number {
    let sum = 0
    for (let index = 0; index < this.count; index++) sum += this.end(index) - this.start(index)
    return sum
  }

  /** Records `from` to `to` (excluded) of this batch, over the same bytes. */
  range(from: number, to: number): RecordBatch {
    if (from === 0 && to === this.count) return this
    return new RecordBatch({
      ...this,
      bounds: this.bounds.subarray(2 * from, 2 * to),
      count: to - from,
      firstRecordIndex: this.firstRecordIndex + from,
      keys: this.keys?.slice(from, to),
      pageKeys: this.pageKeys?.slice(from, to),
      recordIndexes: this.recordIndexes?.subarray(from, to),
      fields: undefined,
    })
  }

  /** A batch with the same records that owns its bytes and nothing but them. */
  own(): RecordBatch {
    const { count, bounds } = this
    if (count === 0)
      return new RecordBatch({
        ...this,
        bytes: Buffer.alloc(0),
        bounds: new Uint32Array(0),
        isLines: false,
        fields: undefined,
      })
    const first = this.start(0)
    const last = this.end(count - 1) + (this.isLines ? 1 : 0)
    const owned = new Uint32Array(2 * count)
    for (let i = 0; i < owned.length; i++) owned[i] = bounds[i]! - first
    const byteOffset = this.byteOffset === undefined ? undefined : this.byteOffset + first
    return new RecordBatch({
      ...this,
      bytes: Buffer.from(this.bytes.subarray(first, last)),
      bounds: owned,
      byteOffset,
      fields: undefined,
    })
  }

  /** Position of record `index` for an error. */
  positionOf(index: number): { page: number; recordIndex: number; byteOffset?: number } {
    const position = { page: this.page, recordIndex: this.recordIndexes?.[index] ?? this.firstRecordIndex + index }
    return this.byteOffset === undefined ? position : { ...position, byteOffset: this.byteOffset + this.start(index) }
  }
}

/** The batches of `batches`, each with bytes of its own: for Node streams and user code, which may keep them. */
export async function* ownedBatches(batches: AsyncIterable<RecordBatch>): AsyncGenerator<RecordBatch, void, undefined> {
  for await (const batch of batches) yield batch.own()
}

/** A function from batch to batch, without I/O: the core of a transform. It may return its argument, and never keeps or
 *  changes it. */
export interface BatchStage {
  apply(batch: RecordBatch): RecordBatch
}

/** Something worth telling that did not stop the export. `count` says how often it was seen. */
export interface Warning {
  /** Stable name, kebab-case. */
  readonly code: string
  readonly message: string
  readonly count: number
  /** How often in each field, where that is told. */
  readonly fields?: { readonly [name: string]: number }
}
