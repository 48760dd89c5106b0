// `truto-export verify PATH`: one line on stdout where the file is what its manifest tells of, an error that names what differs where it is not.

import { formatBytes, formatCount } from '../bytes/units.js'
import { printable, StateError } from '../errors.js'
import { type FlagTexts, resolveFlags } from '../options/resolve.js'
import { verifyTable } from '../options/schema.js'
import type { Verification } from '../verify.js'
import type { Io } from './io.js'
import { catchSignals, Stopped } from './signals.js'

/** Resolves with the exit code; errors are thrown for `run` to print.
 *  @throws StateError ERR_OUTPUT_DIFFERS where the file is not what its manifest tells of, and what `verifyExport` throws */
export async function runVerify(texts: FlagTexts, io: Io): Promise<number> {
  const { path, manifest, asJson } = resolveFlags(verifyTable, 'verify', texts, io.env)
  const { verifyExport } = await import('../verify.js')
  const signals = catchSignals(io.signals)
  try {
    const verification = await verifyExport(path!, { manifest: manifest ?? undefined, signal: signals.signal })
    if (asJson) io.stdout.write(`${JSON.stringify(verification)}\n`)
    if (!verification.matches) {
      const { differences } = verification
      throw new StateError('ERR_OUTPUT_DIFFERS', `${path} is not what its manifest tells of: ${differences.join(', ')}`)
    }
    if (!asJson) io.stdout.write(`${printable(lineOf(verification))}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    io.stderr.write(`truto-export: ${error.message}\n`)
    return error.exitCode
  } finally {
    signals.dispose()
  }
}

function lineOf({ path, format, compression, complete, bytes, sha256, records }: Verification): string {
  return [
    `${path} matches its manifest: ${records.found === null ? 'records not counted' : `${formatCount(records.found)} records`}`,
    `${formatBytes(bytes.found)} of ${format}${compression === 'none' ? '' : ` under ${compression}`}`,
    `sha256 ${sha256.found}${sha256.expected === null ? ' (the manifest has none)' : ''}`,
    ...(complete === true ? [] : ['the end of the list was not proven']),
  ].join(', ')
}
