// Warnings of several runs of one export, or of several parts of its output, as one list.

import { formatDuration, minute } from '../bytes/units.js'
import type { Warning } from '../record.js'
import type { ExportReport } from '../report.js'

/** How long an interruption may have been before it is worth a word. */
const quietAgeMs = 60 * minute
/** Code of the warning of a long interruption. It is one of the run, not of the output. */
export const resumedLate = 'resumed-late'

/** What to tell of an interruption: the records before it are those of another time. */
export function resumeWarnings(resumedFrom: ExportReport['resumedFrom']): Warning[] {
  if (resumedFrom === null || resumedFrom.ageMs <= quietAgeMs) return []
  const age = formatDuration(Math.round(resumedFrom.ageMs / minute) * minute)
  return [
    {
      code: resumedLate,
      message: `the export was interrupted for ${age}: what changed meanwhile may be in part of it`,
      count: 1,
    },
  ]
}

/** The sum of both, in the order of their codes, and fields in that of their names: the same wherever the export was interrupted. */
export function addWarnings(before: readonly Warning[], now: readonly Warning[]): Warning[] {
  const sum = new Map<string, Warning>()
  for (const warning of [...before, ...now]) {
    const other = sum.get(warning.code)
    sum.set(warning.code, other === undefined ? warning : added(other, warning))
  }
  return [...sum.values()].map(sorted).sort((a, b) => (a.code < b.code ? -1 : 1))
}

/** Fields in the order of their names. */
function sorted(warning: Warning): Warning {
  if (warning.fields === undefined) return warning
  const fields = Object.entries(warning.fields).sort(([a], [b]) => (a < b ? -1 : 1))
  return { ...warning, fields: Object.fromEntries(fields) }
}

function added(one: Warning, other: Warning): Warning {
  const count = one.count + other.count
  if (one.fields === undefined || other.fields === undefined) return { ...one, count }
  const fields = new Map(Object.entries(one.fields))
  for (const [name, times] of Object.entries(other.fields)) fields.set(name, (fields.get(name) ?? 0) + times)
  return { ...one, count, fields: Object.fromEntries(fields) }
}
