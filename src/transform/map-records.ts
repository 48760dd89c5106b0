// A user's own function over records: each record is parsed, handed over, and what comes back is serialised again.

import { asFailure, InternalError } from '../errors.js'
import { type JsonRecord, RecordBatch, type Warning } from '../record.js'

/** A user's function from record to record. Null or undefined leaves the record out. It may change its argument and
 *  return it. */
export type RecordFunction = (
  record: JsonRecord,
) => JsonRecord | null | undefined | Promise<JsonRecord | null | undefined>

/** A stage that has to wait for something. Like `BatchStage`, but the batch is in use until the promise resolves. */
export interface AsyncBatchStage {
  /** @param signal stops the work between two records; the promise then rejects with its reason */
  apply(batch: RecordBatch, signal?: AbortSignal): Promise<RecordBatch>
}

/**
 * A stage that applies `map` to one record after the other. What it returns is serialised by JSON.stringify even if it
 * is the same object, as it may have been changed: digits beyond a double are rounded, members that are undefined or
 * functions are dropped, NaN and infinities become null. The result owns its bytes; `keys` stay with their records.
 *
 * It warns where `map` gave undefined for every record, which leaves all of them out: code that forgets to return does
 * that.
 *
 * InternalError ERR_INTERNAL with the record's position where `map` throws (its error is the `cause`) or returns what
 * is no JSON object: an array, a text, a cycle, a BigInt.
 */
export function mapRecordsStage(map: RecordFunction): AsyncBatchStage & { warnings(): Warning[] } {
  let records = 0
  let undefinedRecords = 0
  return {
    warnings() {
      if (records === 0 || undefinedRecords < records) return []
      const message = 'the transform gave undefined for every record, which leaves it out: did it forget to return?'
      return [{ code: allUndefined, message, count: records }]
    },

    async apply(batch, signal) {
      const out = new RecordWriter(batch.recordBytes + batch.count)
      const bounds = new Uint32Array(2 * batch.count)
      const kept = new Uint32Array(batch.count)
      let count = 0
      for (let index = 0; index < batch.count; index++) {
        signal?.throwIfAborted()
        let text: string | null
        try {
          const returned = map(batch.parse(index))
          // awaiting what is no promise would cost a turn of the microtask queue for each record
          const record = isThenable(returned) ? await returned : returned
          records++
          if (record === undefined) undefinedRecords++
          text = record === null || record === undefined ? null : serialise(record)
        } catch (error) {
          signal?.throwIfAborted()
          throw located(error, batch, index)
        }
        if (text === null) continue
        bounds[2 * count] = out.size
        out.writeLine(text)
        bounds[2 * count + 1] = out.size - 1
        kept[count++] = index
      }
      const isWhole = count === batch.count
      const of = (texts: readonly string[] | undefined): readonly string[] | undefined =>
        isWhole ? texts : texts && Array.from(kept.subarray(0, count), (index) => texts[index]!)
      return new RecordBatch({
        ...batch,
        fields: undefined,
        bytes: out.bytes(),
        bounds,
        count,
        byteOffset: undefined,
        isLines: true,
        isWellFormed: false,
        keys: of(batch.keys),
        pageKeys: of(batch.pageKeys),
        recordIndexes: isWhole
          ? batch.recordIndexes
          : kept.subarray(0, count).map((index) => batch.recordIndexes?.[index] ?? batch.firstRecordIndex + index),
      })
    },
  }
}

/** Code of the warning of a function that gave nothing. */
export const allUndefined = 'transform-undefined'

function isThenable(value: unknown): value is PromiseLike<JsonRecord | null | undefined> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

function serialise(record: unknown): string {
  const text: string | undefined = JSON.stringify(record)
  if (text?.startsWith('{')) return text
  throw new InternalError('ERR_INTERNAL', `transforming a record: the result is ${describe(record)}, not an object`)
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object that serialises to something else' : `a ${typeof value}`
}

function located(error: unknown, batch: RecordBatch, index: number): unknown {
  const known = asFailure(error, 'transforming a record')
  return known instanceof InternalError ? known.locate(batch.positionOf(index)) : known
}

/** Lines of text as UTF-8 in one buffer that grows. */
class RecordWriter {
  #buffer: Buffer
  size = 0

  constructor(room: number) {
    this.#buffer = Buffer.allocUnsafeSlow(room)
  }

  writeLine(text: string): void {
    // one UTF-16 code unit is at most three bytes of UTF-8: only where those might not fit are they counted
    if (this.#buffer.length <= this.size + 3 * text.length) this.#reserve(this.size + Buffer.byteLength(text) + 1)
    this.size += this.#buffer.write(text, this.size)
    this.#buffer[this.size++] = 0x0a
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.size)
  }

  #reserve(room: number): void {
    if (this.#buffer.length >= room) return
    const larger = Buffer.allocUnsafeSlow(Math.max(room, 2 * this.#buffer.length))
    this.#buffer.copy(larger, 0, 0, this.size)
    this.#buffer = larger
  }
}
