// Warnings of several runs of one export, or of several parts of its output, as one list.

import { formatAge, minute, plural } from '../bytes/units.js'
import type { Warning } from '../record.js'
import type { ExportReport } from '../report.js'

/** How long an interruption may have been before it is worth a word. */
const quietAgeMs = 60 * minute
const resumedLate = 'resumed-late'
const notFlushed = 'not-flushed'
/** Codes of warnings that are of the run, and not of the output: no two runs have the same. */
const runCodes: readonly string[] = [resumedLate, notFlushed]

/** Those that a manifest has: the same for the same answers. */
export function outputWarnings(warnings: readonly Warning[]): Warning[] {
  return warnings.filter(({ code }) => !runCodes.includes(code))
}

/** @param isDurable whether storage was made to have the output before it got its name */
export function runWarnings(resumedFrom: ExportReport['resumedFrom'], isDurable: boolean): Warning[] {
  const message = "Node.js's permission model refuses fsync: after a power loss the output may be missing or cut"
  return [...resumeWarnings(resumedFrom), ...(isDurable ? [] : [{ code: notFlushed, message, count: 1 }])]
}

/** What to tell of an interruption: the records before it are those of another time. */
function resumeWarnings(resumedFrom: ExportReport['resumedFrom']): Warning[] {
  if (resumedFrom === null || resumedFrom.ageMs <= quietAgeMs) return []
  const age = formatAge(resumedFrom.ageMs)
  return [
    {
      code: resumedLate,
      message: `the export was interrupted for ${age}: what changed meanwhile may be in part of it`,
      count: 1,
    },
  ]
}

/** What to tell of zstd frames that follow each other in a file. @param frames of all `files`; null where the output is
 *  no zstd */
export function frameWarnings(frames: number | null, files: number): Warning[] {
  if (frames === null || frames <= files) return []
  const where = files === 1 ? '' : ` in ${plural(files, 'file')}`
  const what = `${plural(frames, 'zstd frame')}${where}`
  const message = `${what}: some readers stop after the first; see truto-export help encode`
  return [{ code: 'zstd-frames', message, count: 1 }]
}

/** The sum of both, in the order of their codes, and fields in that of their names: the same wherever the export was
 *  interrupted. */
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
