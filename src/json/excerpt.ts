// What an error may show of the text around it, where somebody wants to see data: more than is shown, so that a secret
// can be found before it is cut.

import type { ErrorContext } from '../errors.js'

/** Bytes on either side: no secret that is looked for is longer. */
export const reachBytes = 4096
/** Characters on either side that are shown. */
const shown = 20

export function excerptOf(bytes: Buffer, at: number): NonNullable<ErrorContext['data']> {
  const before = bytes.toString('utf8', Math.max(0, at - reachBytes), at)
  const after = bytes.toString('utf8', at, at + reachBytes)
  return { lead: ', near ', text: before + after, at: before.length, shown }
}
