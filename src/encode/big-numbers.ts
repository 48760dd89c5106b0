// Numbers beyond 2^53 - 1 where text is meant: in `id` and in fields that are declared as strings. NDJSON and JSON hold
// them exactly; many readers round them, and ClickHouse wraps those beyond 64 bits. With an exponent (`1e300`) they are
// no ids, and are left alone.

import { MemberWalker } from '../bytes/members.js'
import type { RecordBatch, Warning } from '../record.js'
import type { ResourceSchema } from '../schema/resource.js'
import { rewritten } from './rewritten.js'

/** What becomes of such numbers: they stay, or stand in quotes. */
export type BigNumbers = 'keep' | 'string'

export interface BigNumberOptions {
  /** Default `keep`. In both cases they are counted; under `keep` from the first batch on that has one among its first
   *  16 records. */
  bigNumbers?: BigNumbers
  /** Whose string fields mean text; `id` does in any case. */
  schema?: ResourceSchema
}

/** Settles batches before they are written, and counts. */
export class BigNumberGuard {
  readonly #quotes: boolean
  readonly #names: ReadonlySet<string>
  readonly #members = new MemberWalker()
  readonly #counts = new Map<string, number>()

  constructor({ bigNumbers = 'keep', schema }: BigNumberOptions) {
    this.#quotes = bigNumbers === 'string'
    const texts = (schema?.fields ?? []).filter(({ type }) => type.kind === 'string')
    this.#names = new Set(['id', ...texts.map(({ name }) => name)])
  }

  /** The batch as it is to be written: itself, or one with bytes of its own. */
  settle(batch: RecordBatch): RecordBatch {
    const { count } = batch
    if (count === 0) return batch
    // to look everywhere costs too much where there is nothing to be changed and none was seen
    const isAll = this.#quotes || this.#counts.size > 0
    const places = this.#placesIn(batch, isAll ? count : Math.min(count, firstRecords))
    if (!isAll && places.length > 0 && count > firstRecords) {
      this.#counts.clear()
      this.#placesIn(batch, count)
    }
    if (places.length === 0 || !this.#quotes) return batch
    return rewritten(
      batch,
      places.map((at) => ({ at, length: 0, text: '"' })),
    )
  }

  /** Where numbers of the first `count` records begin and end that are beyond. */
  #placesIn(batch: RecordBatch, count: number): number[] {
    const { bytes } = batch
    const places: number[] = []
    const end = batch.end(count - 1)
    let index = 0
    for (let at = nextRun(bytes, batch.start(0), end); at < end; ) {
      while (batch.end(index) <= at) index++
      const next = at >= batch.start(index) ? this.#look(batch, index, places) : at + 1
      at = nextRun(bytes, next, end)
    }
    return places
  }

  warnings(): Warning[] {
    const count = [...this.#counts.values()].reduce((sum, one) => sum + one, 0)
    if (count === 0) return []
    const message = this.#quotes
      ? 'numbers beyond 2^53 where text is meant are in quotes'
      : 'numbers beyond 2^53 where text is meant, which jq, pyarrow and JavaScript round and ClickHouse wraps; --big-numbers string puts them in quotes'
    return [{ code: 'big-numbers', message, count, fields: Object.fromEntries(this.#counts) }]
  }

  /** Notes where the numbers of a record begin and end that are beyond, and returns its end. */
  #look(batch: RecordBatch, index: number, places: number[]): number {
    const { bytes } = batch
    const members = this.#members.begin(bytes, batch.start(index))
    while (members.next()) {
      const { valueStart, valueEnd } = members
      if (!isNumber(bytes[valueStart]!) || valueEnd - valueStart < digits || !this.#names.has(members.key())) continue
      const text = bytes.toString('latin1', valueStart, valueEnd)
      // no double is between the largest safe integer and what is beyond
      if (!writtenOut.test(text) || Math.abs(Number(text)) <= Number.MAX_SAFE_INTEGER) continue
      const name = members.key()
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
      places.push(valueStart, valueEnd)
    }
    return batch.end(index)
  }
}

/** Records of each batch that are looked at until one has such a number. */
const firstRecords = 16
/** Digits of 2^53. */
const digits = 16
const writtenOut = /^-?\d{16}/

/** A place at or after `from` in digits that are no part of a text, so many that their number may be beyond; `end`
 *  where there is none. One look for every sixteen bytes meets each such run, and nearly all other places are given up
 *  at the second. What is looked at is in the records, which end with a brace. */
function nextRun(bytes: Buffer, from: number, end: number): number {
  for (let at = from + digits - 1; at < end; at += digits) {
    // the bounds first: what is outside of a buffer is slow to ask for
    const byte = bytes[at]!
    if (byte > 0x39 || byte < 0x30) continue
    // a date-time has others between its digits
    const isAfter = at + 8 < end && isDigit(bytes[at + 4]!) && isDigit(bytes[at + 8]!)
    if (!isAfter && !(isDigit(bytes[at - 4]!) && isDigit(bytes[at - 8]!))) continue
    let first = at
    while (isDigit(bytes[first - 1]!)) first--
    let last = at + 1
    while (isDigit(bytes[last]!)) last++
    if (last - first >= digits && isBeforeNumber(bytes[first - 1]!)) return at
    // the next run cannot begin before the end of this one
    at = last - 1
  }
  return end
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

function isNumber(byte: number): boolean {
  return byte === 0x2d || isDigit(byte)
}

/** What may stand before the digits of a member's number: a colon, white space, a minus sign. */
function isBeforeNumber(byte: number): boolean {
  return byte === 0x3a || byte === 0x2d || byte === 0x20 || byte === 0x09
}
