// When values of a leaf are told by their index in a dictionary. One rule for every builder, so that all write the same bytes: it looks at counts alone,
// and each row group begins anew. A dictionary that breaks it is given up, and all values of the row group stand as they are.

/** Most distinct values: indices of 14 bits. */
export const maxDistinct = 16_384
/** Most bytes of distinct values, in PLAIN encoding. */
export const maxDictionaryBytes = 1024 * 1024
/** With a new value after so many distinct ones, and their multiples, a dictionary has to pay, or is given up before it has cost much. */
export const trialDistinct = 2048

/** Whether indices into `distinct` values are worth it for `count` values: each is there a third more often than once. */
export function paysOff(count: number, distinct: number): boolean {
  return distinct > 0 && 3 * count >= 4 * distinct
}
