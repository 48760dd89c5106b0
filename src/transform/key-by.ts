// Gives every record its key: the value of one of its fields, read from the bytes. What a missing and a repeated key
// mean is the user's policy.

import { DigestSet } from '../bytes/hash-set.js'
import { MemberWalker } from '../bytes/members.js'
import { stringText } from '../bytes/string-text.js'
import { MiB } from '../bytes/units.js'
import { ConfigError, DataError, printable } from '../errors.js'
import { type BatchStage, RecordBatch, type Warning } from '../record.js'
import { fieldNameBytes, parseFieldPath } from './field-path.js'
import { KeyHash } from './key-hash.js'
import { type FieldStage, MemberLocator } from './member-locator.js'

export interface KeyByOptions {
  /** Dotted path of the field, through objects only; `\.` is a dot of a name. `@key` is the key that the server itself
   *  gave, where a page's `result` was an object; a field of that name is `\@key`. */
  field: string
  /** A record whose key is absent or null is an `error` (the default), or is left out and counted. */
  missing?: 'error' | 'skip'
  /** A repeated key is kept (the default, costs nothing), the `first` record of it is kept and the others are left out
   *  and counted, or it is an `error`. */
  duplicate?: 'keep' | 'first' | 'error'
  /** Largest table of key hashes, in bytes, where `duplicate` is not `keep`: 16 bytes a key at a load of 3/8 to 3/4,
   *  thus 21 to 43 bytes a key; half of it comes on top while the table grows. Default 64 MiB: at least 3,145,728
   *  keys. */
  maxKeyBytes?: number
}

/** A stage that counts what it left out. */
export interface CountingStage extends BatchStage {
  warnings(): Warning[]
}

/** Default of `KeyByOptions.maxKeyBytes`. */
export const defaultMaxKeyBytes = 64 * MiB

/**
 * A stage that fills `keys`. A string is its own key, escapes resolved; a number is its digits as they stand in the
 * JSON text. Of a repeated member the last one counts, as in JSON.parse. Records that a policy leaves out are missing
 * in the result, which then names the others by `recordIndexes`; the result shares its argument's bytes.
 *
 * Errors have the record's position: ERR_KEY_MISSING, ERR_KEY_TYPE (a boolean, an object or an array),
 * ERR_KEY_DUPLICATE, and ERR_LIMIT where the table of key hashes is full.
 * @throws ConfigError ERR_OPTION_INVALID for a malformed path
 */
export function keyByStage(options: KeyByOptions): CountingStage & FieldStage {
  return new KeyBy(options)
}

const quote = 0x22
const openBrace = 0x7b
const openBracket = 0x5b
const letterN = 0x6e
const letterT = 0x74
const letterF = 0x66

class KeyBy implements CountingStage, FieldStage {
  readonly readsFields: boolean
  readonly #field: string
  /** Finds the first name on the path; null where the server's own key is asked for. */
  readonly #locator: MemberLocator | null
  /** The other names on the path with their UTF-8. */
  readonly #nested: readonly { name: string; bytes: Buffer | null }[]
  readonly #skipsMissing: boolean
  readonly #duplicate: 'keep' | 'first' | 'error'
  readonly #maxKeyBytes: number
  readonly #walker = new MemberWalker()
  /** Range of the value in hand; both are 0 where the record does not have it. */
  #start = 0
  #end = 0
  readonly #hash = new KeyHash()
  readonly #seen = new DigestSet()
  #missing = 0
  #repeated = 0

  constructor({ field, missing, duplicate, maxKeyBytes }: KeyByOptions) {
    this.#field = field
    if (field.startsWith('@') && field !== '@key')
      throw new ConfigError(
        'ERR_OPTION_INVALID',
        `key field '${printable(field)}': only @key is known; write \\@ for a field whose name begins with an at sign`,
      )
    const path = field === '@key' ? [] : parseFieldPath(field)
    this.#locator = path.length === 0 ? null : new MemberLocator(path.slice(0, 1))
    this.#nested = path.slice(1).map((name) => ({ name, bytes: fieldNameBytes(name) }))
    this.readsFields = this.#locator !== null
    this.#skipsMissing = missing === 'skip'
    this.#duplicate = duplicate ?? 'keep'
    this.#maxKeyBytes = maxKeyBytes ?? defaultMaxKeyBytes
  }

  apply(batch: RecordBatch): RecordBatch {
    const { count } = batch
    const keys: string[] = []
    const ranges = this.#locator?.locate(batch)
    let kept: Uint32Array | undefined // indexes of the records that stay, once one has been left out
    for (let index = 0; index < count; index++) {
      const key = ranges === undefined ? pageKeyOf(batch, index) : this.#keyOf(batch, index, ranges)
      if (key !== null && (this.#duplicate === 'keep' || this.#isFirst(key, batch, index))) {
        if (kept !== undefined) kept[keys.length] = index
        keys.push(key)
      } else if (kept === undefined) {
        kept = new Uint32Array(count)
        for (let i = 0; i < index; i++) kept[i] = i
      }
    }
    return kept === undefined
      ? new RecordBatch({ ...batch, keys })
      : new RecordBatch({ ...pick(batch, kept.subarray(0, keys.length)), keys })
  }

  warnings(): Warning[] {
    const warnings: Warning[] = []
    const field = printable(this.#field)
    if (this.#missing > 0)
      warnings.push({
        code: 'key-missing',
        message: `records without the key ${field} were left out`,
        count: this.#missing,
      })
    if (this.#repeated > 0)
      warnings.push({
        code: 'key-duplicate',
        message: `records that repeat a key (${field}) were left out`,
        count: this.#repeated,
      })
    return warnings
  }

  /** The record's key; null where it has none and is to be left out. */
  #keyOf(batch: RecordBatch, index: number, ranges: Uint32Array): string | null {
    const { bytes } = batch
    this.#start = ranges[2 * index]!
    this.#end = ranges[2 * index + 1]!
    for (let i = 0; i < this.#nested.length; i++) this.#descend(bytes, this.#nested[i]!)
    const first = this.#end === 0 ? letterN : bytes[this.#start]!
    switch (first) {
      case letterN:
        if (!this.#skipsMissing)
          throw new DataError(
            'ERR_KEY_MISSING',
            `the record has no key: ${printable(this.#field)} is ${this.#end === 0 ? 'absent' : 'null'}`,
            batch.positionOf(index),
          )
        this.#missing++
        return null
      case letterT:
      case letterF:
      case openBrace:
      case openBracket:
        throw new DataError(
          'ERR_KEY_TYPE',
          `the key ${printable(this.#field)} is ${kindOf(first)}, not a string or a number`,
          batch.positionOf(index),
        )
      case quote:
        return stringText(bytes, this.#start, this.#end)
      default:
        return bytes.toString('latin1', this.#start, this.#end)
    }
  }

  /** Goes on to a member of the value in hand. */
  #descend(bytes: Buffer, { name, bytes: nameBytes }: { name: string; bytes: Buffer | null }): void {
    const object = this.#start
    const isObject = this.#end > 0 && bytes[object] === openBrace
    this.#start = this.#end = 0
    if (!isObject) return
    const walker = this.#walker.begin(bytes, object)
    while (walker.next()) {
      if (nameBytes === null ? walker.keyHasEscape && walker.key() === name : walker.isKey(name, nameBytes)) {
        this.#start = walker.valueStart
        this.#end = walker.valueEnd
      }
    }
  }

  #isFirst(key: string, batch: RecordBatch, index: number): boolean {
    if (this.#seen.byteLengthAfterAdd > this.#maxKeyBytes)
      throw new DataError(
        'ERR_LIMIT',
        `finding repeated keys: the hashes of ${this.#seen.size} keys fill maxKeyBytes (${this.#maxKeyBytes} bytes)`,
        { ...batch.positionOf(index), hint: 'raise --max-key-bytes' },
      )
    const [a, b, c, d] = this.#hash.update(key) as unknown as [number, number, number, number]
    if (this.#seen.add(a, b, c, d)) return true
    if (this.#duplicate === 'error')
      throw new DataError('ERR_KEY_DUPLICATE', `two records have the same key (${printable(this.#field)})`, {
        ...batch.positionOf(index),
        data: { lead: ': ', text: key, at: 0, shown: 200 },
      })
    this.#repeated++
    return false
  }
}

/** The key that the server itself gave the record. @throws DataError ERR_KEY_MISSING where it gave none */
function pageKeyOf(batch: RecordBatch, index: number): string {
  if (batch.pageKeys !== undefined) return batch.pageKeys[index]!
  throw new DataError('ERR_KEY_MISSING', 'the page gives its records no keys of its own (@key)', {
    ...batch.positionOf(index),
    hint: 'ask the server for them with truto_key_by, or key by a field',
  })
}

/** The batch with only the records at `indexes`, over the same bytes. */
export function pick(batch: RecordBatch, indexes: Uint32Array): RecordBatch {
  const bounds = new Uint32Array(2 * indexes.length)
  const recordIndexes = new Uint32Array(indexes.length)
  for (let i = 0; i < indexes.length; i++) {
    const index = indexes[i]!
    bounds[2 * i] = batch.start(index)
    bounds[2 * i + 1] = batch.end(index)
    recordIndexes[i] = batch.recordIndexes?.[index] ?? batch.firstRecordIndex + index
  }
  const of = (texts: readonly string[] | undefined): string[] | undefined =>
    texts && Array.from(indexes, (index) => texts[index]!)
  return new RecordBatch({
    ...batch,
    bounds,
    recordIndexes,
    count: indexes.length,
    isLines: false,
    fields: undefined,
    keys: of(batch.keys),
    pageKeys: of(batch.pageKeys),
  })
}

function kindOf(first: number): string {
  return first === openBrace ? 'an object' : first === openBracket ? 'an array' : 'a boolean'
}
