// Warnings of several runs of one export, or of several parts of its output, as one list.

import type { Warning } from '../record.js'

/** The sum of both, in the order of their codes: the same wherever the export was interrupted. */
export function addWarnings(before: readonly Warning[], now: readonly Warning[]): Warning[] {
  const sum = new Map<string, Warning>()
  for (const warning of [...before, ...now]) {
    const other = sum.get(warning.code)
    sum.set(warning.code, other === undefined ? warning : added(other, warning))
  }
  return [...sum.values()].sort((a, b) => (a.code < b.code ? -1 : 1))
}

function added(one: Warning, other: Warning): Warning {
  const count = one.count + other.count
  if (one.fields === undefined || other.fields === undefined) return { ...one, count }
  const fields = new Map(Object.entries(one.fields))
  for (const [name, times] of Object.entries(other.fields)) fields.set(name, (fields.get(name) ?? 0) + times)
  return { ...one, count, fields: Object.fromEntries(fields) }
}
