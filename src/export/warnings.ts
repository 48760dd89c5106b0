// Warnings of several runs of one export as one list.

import type { Warning } from '../record.js'

/** A message is put together from those of at most a few runs; beyond this it says no more. */
const maxMessage = 1000

/** The sum of both, by code. */
export function addWarnings(before: readonly Warning[], now: readonly Warning[]): Warning[] {
  const sum = new Map(before.map((warning) => [warning.code, warning]))
  for (const { code, message, count } of now) {
    const other = sum.get(code)
    const isTold = other === undefined || other.message.includes(message) || other.message.length > maxMessage
    const told = other === undefined ? message : isTold ? other.message : `${other.message}; ${message}`
    sum.set(code, { code, message: told, count: count + (other?.count ?? 0) })
  }
  return [...sum.values()]
}
