// Counts records whose id came before, and leaves every record where it is. Exact as long as the hashes of all ids fit
// into their budget; beyond it, against those that did fit and against the ids of the last pages, where lists that move
// under their reader repeat themselves.

import { DigestSet } from '../bytes/hash-set.js'
import { stringText } from '../bytes/string-text.js'
import type { RecordBatch, Warning } from '../record.js'
import type { Duplicates } from '../report.js'
import { type CountingStage, defaultMaxKeyBytes } from './key-by.js'
import { KeyHash } from './key-hash.js'
import { type FieldStage, MemberLocator } from './member-locator.js'

export interface CheckDuplicatesOptions {
  /** Largest table of id hashes, in bytes: 21 to 43 an id. Default 64 MiB: at least 3,145,728 ids. The window that
   *  follows takes at most 4 MiB more. */
  maxKeyBytes?: number
  /** Whether records came before that are not known here: those of an interrupted run. */
  isContinued?: boolean
}

/** A stage that passes batches through. An id is a string or a number, compared by its text; records without one are
 *  counted apart. */
export function checkDuplicatesStage(options: CheckDuplicatesOptions = {}): CountingStage & FieldStage {
  return new CheckDuplicates(options)
}

const codes = { repeated: 'duplicate-ids', windowed: 'duplicates-window', continued: 'duplicates-resumed' } as const

/** What the stages of all runs of one export found, by what they warned of. */
export function duplicatesOf(warnings: readonly Warning[]): Duplicates {
  const countOf = (code: string): number =>
    warnings.reduce((sum, warning) => (warning.code === code ? sum + warning.count : sum), 0)
  return {
    records: countOf(codes.repeated),
    isExact: countOf(codes.windowed) === 0 && countOf(codes.continued) === 0,
  }
}

/** Ids of a page that the window holds at most, so that a page that is the whole list does not fill the memory. */
const windowIds = 65_536

const quote = 0x22
const minus = 0x2d
const digit0 = 0x30
const digit9 = 0x39

class CheckDuplicates implements CountingStage, FieldStage {
  readonly readsFields = true
  readonly #locator = new MemberLocator(['id'])
  readonly #hash = new KeyHash()
  readonly #maxKeyBytes: number
  readonly #isContinued: boolean
  readonly #all = new DigestSet()
  #isFull = false
  /** The window: ids of the page in hand and of the one before, once `all` takes no more. */
  #current = new DigestSet()
  #previous = new DigestSet()
  #page = 0
  #repeated = 0
  #windowed = 0
  #withoutId = 0

  constructor({ maxKeyBytes, isContinued }: CheckDuplicatesOptions) {
    this.#maxKeyBytes = maxKeyBytes ?? defaultMaxKeyBytes
    this.#isContinued = isContinued ?? false
  }

  apply(batch: RecordBatch): RecordBatch {
    const { bytes, count } = batch
    const ranges = this.#locator.locate(batch)
    for (let index = 0; index < count; index++) {
      const [start, end] = [ranges[2 * index]!, ranges[2 * index + 1]!]
      const first = end === 0 ? 0 : bytes[start]!
      if (first === quote) this.#take(stringText(bytes, start, end), batch.page)
      else if (first === minus || (first >= digit0 && first <= digit9))
        this.#take(bytes.toString('latin1', start, end), batch.page)
      else this.#withoutId++
    }
    return batch
  }

  warnings(): Warning[] {
    const all: Warning[] = [
      {
        code: codes.repeated,
        message: 'records have an id that a record before them has; all of them are in the output',
        count: this.#repeated,
      },
      {
        code: codes.windowed,
        message:
          'ids were looked for only among those that fit into the budget of id hashes (maxKeyBytes) and those of the last pages',
        count: this.#windowed,
      },
      {
        code: codes.continued,
        message: 'ids of before an interruption are not known: what repeats them was not counted',
        count: this.#isContinued ? 1 : 0,
      },
      {
        code: 'without-id',
        message: 'records have no id that is a string or a number, so none was looked for',
        count: this.#withoutId,
      },
    ]
    return all.filter((warning) => warning.count > 0)
  }

  #take(id: string, page: number): void {
    const [a, b, c, d] = this.#hash.update(id) as unknown as [number, number, number, number]
    if (!this.#isFull && this.#all.byteLengthAfterAdd <= this.#maxKeyBytes) {
      if (!this.#all.add(a, b, c, d)) this.#repeated++
      return
    }
    this.#isFull = true
    this.#windowed++
    if (page !== this.#page || this.#current.size >= windowIds) {
      this.#page = page
      this.#previous = this.#current
      this.#current = new DigestSet()
    }
    const isKnown = this.#all.has(a, b, c, d) || this.#previous.has(a, b, c, d)
    if (!this.#current.add(a, b, c, d) || isKnown) this.#repeated++
  }
}
