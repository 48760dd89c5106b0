// What a reader of columns counts: values that its columns could not hold, and what became of them.

import type { Warning } from '../../record.js'
import type { TimestampReader } from './timestamp.js'

export class ReaderCounts {
  /** Values of each field of the schema that had another type. */
  readonly mismatches: number[]
  /** Fields that the schema does not name, left out. */
  unknownsDropped = 0
  /** Values of which flattened columns hold a part, the rest left out. */
  overflowsDropped = 0
  /** Lone surrogates, replaced. */
  surrogates = 0
  /** Records that have a key twice. */
  repeats = 0

  /** @param fields of the schema */
  constructor(fields: number) {
    this.mismatches = new Array<number>(fields).fill(0)
  }

  /** @param names those of the fields of the schema
   *  @param keepsMismatches whether values of another type are in `extra`
   *  @param timestamps date-times that lost digits, and those that are no RFC 3339 */
  warnings(
    names: readonly string[],
    keepsMismatches: boolean,
    timestamps: Pick<TimestampReader, 'truncated' | 'reformed'>,
  ): Warning[] {
    const all: Warning[] = [
      this.#mismatchWarning(names, keepsMismatches),
      {
        code: 'unknown-fields-dropped',
        message: 'fields that the schema does not name were left out',
        count: this.unknownsDropped,
      },
      {
        code: 'flattened-values-cut',
        message: 'nested values hold more than their flattened columns show',
        count: this.overflowsDropped,
      },
      {
        code: 'timestamps-truncated',
        message:
          'date-times have more digits than their unit, and lost them (see --timestamp-unit, --timestamp-excess)',
        count: timestamps.truncated,
      },
      {
        code: 'timestamps-reformed',
        message:
          'date-times are not RFC 3339, and were read as UTC where they name no zone, numbers as time since 1970',
        count: timestamps.reformed,
      },
      {
        code: 'repeated-keys',
        message: 'records have a key twice, of which the last value is in the output',
        count: this.repeats,
      },
      {
        code: 'lone-surrogates',
        message: 'strings with a lone surrogate escape, which no UTF-8 can hold, have U+FFFD in its place',
        count: this.surrogates,
      },
    ]
    return all.filter(({ count }) => count > 0)
  }

  #mismatchWarning(names: readonly string[], isKept: boolean): Warning {
    const counts = names.map((name, index): [string, number] => [name, this.mismatches[index]!])
    const kept = isKept ? 'and kept in "extra"' : 'and lost'
    return {
      code: 'type-mismatch',
      message: `values that do not fit the declared type of their field are null there ${kept}`,
      count: counts.reduce((sum, [, count]) => sum + count, 0),
      fields: Object.fromEntries(counts.filter(([, count]) => count > 0)),
    }
  }
}
