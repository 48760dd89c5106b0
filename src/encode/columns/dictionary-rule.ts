// When values of a leaf are told by their index in a dictionary. One rule for every builder (the kernel has it in
// assembly/state.ts), so that all write the same bytes: it looks at the data alone, when a record ends, and each row
// group begins again. A dictionary that breaks it is given up, and all values of the row group stand as they are.

import { MiB } from '../../bytes/units.js'

/** Most distinct values: indices of 14 bits. */
export const maxDistinct = 16_384
/** Most bytes of distinct values, in PLAIN encoding. */
export const maxDictionaryBytes = MiB
/** At so many distinct values, and at their multiples, a dictionary has to pay, or is given up before it has cost
 *  much. */
export const trialDistinct = 2048
/** A longer value ends the dictionary at once. */
export const maxEntryBytes = 8192
/** So does one more distinct value than indices of two bytes can tell, which only a single record can reach. */
export const mostEntries = 65_536

/** Whether indices into `distinct` values are worth it for `count` values: each is there a third more often than
 *  once. */
export function paysOff(count: number, distinct: number): boolean {
  return distinct > 0 && 3 * count >= 4 * distinct
}
