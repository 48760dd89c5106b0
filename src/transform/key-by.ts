// Gives every record its key: the value of one of its fields, read from the bytes. What a missing and a repeated key mean is the user's policy.

import { DigestSet } from '../bytes/hash-set.js'
import { MemberWalker } from '../bytes/members.js'
import { MiB } from '../bytes/units.js'
import { ConfigError, DataError, printable } from '../errors.js'
import { type BatchStage, RecordBatch, type Warning } from '../record.js'
import { fieldNameBytes, parseFieldPath } from './field-path.js'
import { KeyHash } from './key-hash.js'

export interface KeyByOptions {
  /** Path of the field (`parseFieldPath`), through objects only. `@key` is the key that the server itself gave, where a page's `result` was an object;
   *  a field of that name is `\@key`. */
  field: string
  /** A record whose key is absent or null is an `error` (the default), or is left out and counted. */
  missing?: 'error' | 'skip'
  /** A repeated key is kept (the default, costs nothing), the `first` record of it is kept and the others are left out and counted, or it is an
   *  `error`. */
  duplicate?: 'keep' | 'first' | 'error'
  /** Largest table of key hashes, in bytes, where `duplicate` is not `keep`: 16 bytes a key at a load of 3/8 to 3/4, thus 21 to 43 bytes a key; half of it
   *  comes on top while the table grows. Default 64 MiB: at least 3,145,728 keys. */
  maxKeyBytes?: number
}

/** A stage that counts what it left out. */
export interface CountingStage extends BatchStage {
  warnings(): Warning[]
}

/** Default of `KeyByOptions.maxKeyBytes`. */
export const defaultMaxKeyBytes = 64 * MiB

/**
 * A stage that fills `keys`. A string is its own key, escapes resolved; a number is its digits as they stand in the JSON text. Of a repeated member the
 * last one counts, as in JSON.parse. Records that a policy leaves out are missing in the result, which then names the others by `recordIndexes`; the
 * result shares its argument's bytes.
 *
 * Errors have the record's position: ERR_KEY_MISSING, ERR_KEY_TYPE (a boolean, an object or an array), ERR_KEY_DUPLICATE, and ERR_LIMIT where the table of
 * key hashes is full.
 * @throws ConfigError ERR_OPTION_INVALID for a malformed path
 */
export function keyByStage(options: KeyByOptions): CountingStage {
  return new KeyBy(options)
}

const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const openBracket = 0x5b
const letterN = 0x6e
const letterT = 0x74
const letterF = 0x66

class KeyBy implements CountingStage {
  readonly #field: string
  /** The names on the path with their UTF-8; null where the server's own key is asked for. */
  readonly #path: readonly { name: string; bytes: Buffer | null }[] | null
  readonly #skipsMissing: boolean
  readonly #duplicate: 'keep' | 'first' | 'error'
  readonly #maxKeyBytes: number
  readonly #walker = new MemberWalker()
  readonly #hash = new KeyHash()
  readonly #seen = new DigestSet()
  #missing = 0
  #repeated = 0

  constructor({ field, missing, duplicate, maxKeyBytes }: KeyByOptions) {
    this.#field = field
    this.#path = field === '@key' ? null : parseFieldPath(field).map((name) => ({ name, bytes: fieldNameBytes(name) }))
    if (this.#path !== null && field.startsWith('@'))
      throw new ConfigError(
        'ERR_OPTION_INVALID',
        `key field '${printable(field)}': only @key is known; write \\@ for a field whose name begins with an at sign`,
      )
    this.#skipsMissing = missing === 'skip'
    this.#duplicate = duplicate ?? 'keep'
    this.#maxKeyBytes = maxKeyBytes ?? defaultMaxKeyBytes
  }

  apply(batch: RecordBatch): RecordBatch {
    const { count } = batch
    const keys: string[] = []
    let kept: Uint32Array | undefined // indexes of the records that stay, once one has been left out
    for (let index = 0; index < count; index++) {
      const key = this.#keyOf(batch, index)
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
  #keyOf(batch: RecordBatch, index: number): string | null {
    if (this.#path === null) {
      if (batch.pageKeys !== undefined) return batch.pageKeys[index]!
      throw new DataError('ERR_KEY_MISSING', 'the page gives its records no keys of its own (@key)', {
        ...batch.positionOf(index),
        hint: 'ask the server for them with truto_key_by, or key by a field',
      })
    }
    const { bytes } = batch
    const start = this.#find(bytes, batch.start(index))
    const first = start < 0 ? letterN : bytes[start]!
    switch (first) {
      case letterN:
        if (!this.#skipsMissing)
          throw new DataError(
            'ERR_KEY_MISSING',
            `the record has no key: ${printable(this.#field)} is ${start < 0 ? 'absent' : 'null'}`,
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
        return stringText(bytes, start, this.#walker.valueEnd)
      default:
        return bytes.toString('latin1', start, this.#walker.valueEnd)
    }
  }

  /** First byte of the key's value in the record at `at`, its end is the walker's `valueEnd`; -1 where the record does not have it. */
  #find(bytes: Buffer, at: number): number {
    const walker = this.#walker
    let end = 0
    for (const { name, bytes: nameBytes } of this.#path!) {
      if (bytes[at] !== openBrace) return -1
      let start = -1
      walker.begin(bytes, at)
      while (walker.next()) {
        if (nameBytes === null ? walker.keyHasEscape && walker.key() === name : walker.isKey(name, nameBytes)) {
          start = walker.valueStart
          end = walker.valueEnd
        }
      }
      if (start < 0) return -1
      at = start
    }
    walker.valueEnd = end
    return at
  }

  #isFirst(key: string, batch: RecordBatch, index: number): boolean {
    if (this.#seen.byteLengthAfterAdd > this.#maxKeyBytes)
      throw new DataError(
        'ERR_LIMIT',
        `finding repeated keys: the hashes of ${this.#seen.size} keys fill maxKeyBytes (${this.#maxKeyBytes} bytes)`,
        batch.positionOf(index),
      )
    const [a, b, c, d] = this.#hash.update(key) as unknown as [number, number, number, number]
    if (this.#seen.add(a, b, c, d)) return true
    if (this.#duplicate === 'error')
      throw new DataError(
        'ERR_KEY_DUPLICATE',
        `two records have the key '${printable(key.slice(0, 200))}' (${printable(this.#field)})`,
        batch.positionOf(index),
      )
    this.#repeated++
    return false
  }
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

/** Text of the JSON string in `[start, end)`, quotes included. */
function stringText(bytes: Buffer, start: number, end: number): string {
  for (let at = start + 1; at < end - 1; at++)
    if (bytes[at] === backslash) return JSON.parse(bytes.toString('utf8', start, end)) as string
  return bytes.toString('utf8', start + 1, end - 1)
}

function kindOf(first: number): string {
  return first === openBrace ? 'an object' : first === openBracket ? 'an array' : 'a boolean'
}
