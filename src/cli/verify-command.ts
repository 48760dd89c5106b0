// `truto-export verify PATH...`: one line for each output that is what its manifest tells of; an error that names what
// differs where one is not.

import { formatBytes, formatCount, plural } from '../bytes/units.js'
import { ConfigError, ExportError, OutputError, printable, printableJson, StateError } from '../errors.js'
import { type FlagTexts, resolveFlags } from '../options/resolve.js'
import { verifyTable } from '../options/schema.js'
import type { FoundExport, Verification } from '../verify.js'
import type { Io } from './io.js'
import { failureOf } from './log.js'
import { type RunContext, tellStop } from './run-context.js'
import { catchSignals, Stopped } from './signals.js'

/** Resolves with the exit code; errors are thrown for `run` to print.
 *  @throws StateError ERR_OUTPUT_DIFFERS where an output is not what its manifest tells of, and what `verifyExport`
 *  throws */
export async function runVerify(texts: FlagTexts, io: Io, context: RunContext): Promise<number> {
  const { path, manifest, asJson } = resolveFlags(verifyTable, 'verify', texts, io.env)
  const { exportsIn, verifyExport } = await import('../verify.js')
  const signals = catchSignals(io.signals, undefined, io.clock)
  try {
    const paths = typeof path === 'string' ? [path] : path!
    const found: (FoundExport | { path: string })[] = []
    let isTree = false
    for (const path of paths) {
      const exports = manifest === null ? await exportsIn(path, signals.signal) : null
      if (exports?.length === 0) {
        throw new StateError('ERR_MANIFEST_MISSING', `there is no manifest beside ${printable(path)}, nor in it`, {
          hint: 'give an exported file, or a directory that holds some with their manifests',
        })
      }
      isTree ||= exports !== null
      found.push(...(exports ?? [{ path }]))
    }
    if (manifest !== null && found.length > 1) {
      throw new ConfigError('ERR_OPTION_INVALID', '--manifest is that of one output, and there are several', {
        hint: 'verify them one by one',
      })
    }
    const verify = (one: FoundExport | { path: string }): Promise<Verification> =>
      verifyExport(one.path, {
        manifest: 'manifest' in one ? one.manifest : (manifest ?? undefined),
        signal: signals.signal,
      })
    if (found.length === 1 && !isTree) return tellOne(await verify(found[0]!), asJson, io, context)
    return await tellAll(found, verify, asJson, io, context)
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    return tellStop(error, 'stopped', null, context)
  } finally {
    signals.dispose()
  }
}

function tellOne(verification: Verification, asJson: boolean, io: Io, context: RunContext): number {
  const { path, differences, matches } = verification
  if (asJson) {
    io.stdout.write(`${printableJson(verification)}\n`)
    context.isReported = true
  }
  if (!matches) {
    throw new StateError('ERR_OUTPUT_DIFFERS', `${path} is not what its manifest tells of: ${differences.join(', ')}`)
  }
  if (!asJson) io.stdout.write(`${printable(lineOf(verification))}\n`)
  return 0
}

/** A line for each, and at the end how many there were. What is wrong with one is no reason to leave out the others. */
async function tellAll(
  found: readonly (FoundExport | { path: string })[],
  verify: (one: FoundExport | { path: string }) => Promise<Verification>,
  asJson: boolean,
  io: Io,
  context: RunContext,
): Promise<number> {
  const failed: { path: string; error: unknown }[] = []
  let bytes = 0
  for (const one of found) {
    try {
      const verification = await verify(one)
      bytes += verification.bytes.found
      if (asJson) io.stdout.write(`${printableJson(verification)}\n`)
      else if (verification.matches) io.stdout.write(`${printable(lineOf(verification))}\n`)
      else io.stdout.write(`${printable(`${one.path} differs: ${verification.differences.join(', ')}`)}\n`)
      if (!verification.matches) failed.push({ path: one.path, error: null })
    } catch (error) {
      if (!(error instanceof ExportError)) throw error
      failed.push({ path: one.path, error })
      if (asJson)
        io.stdout.write(
          `${printableJson({ path: one.path, matches: false, error: failureOf(error, error.exitCode, null) })}\n`,
        )
      else io.stdout.write(`${printable(`${one.path} cannot be verified: ${error.toLine()}`)}\n`)
    }
  }
  const all = plural(found.length, 'export')
  context.isReported = asJson
  if (failed.length > 0) {
    const { path } = failed[0]!
    const others = failed.length > 1 ? `, and ${plural(failed.length - 1, 'more', 'more')}` : ''
    const message = `${formatCount(failed.length)} of ${all} ${failed.length === 1 ? 'is' : 'are'} not what the manifests tell of: ${printable(path)}${others}`
    // what cannot be read is the place's fault, where nothing else is wrong
    const isPlace = failed.every(({ error }) => error instanceof OutputError)
    throw isPlace ? new OutputError('ERR_OUTPUT_ACCESS', message) : new StateError('ERR_OUTPUT_DIFFERS', message)
  }
  const message = `${all} verified, ${formatBytes(bytes)}: all are what their manifests tell of`
  context.log.write({ level: 'info', event: 'verified', message, fields: { exports: found.length, bytes } })
  return 0
}

/** Why records of a file that matches were not counted. */
const uncounted = `records not counted (under zstd that needs Node.js 22.15 or newer, and this is ${process.version})`

function lineOf({ path, format, compression, complete, bytes, sha256, records }: Verification): string {
  return [
    `${path} matches its manifest: ${records.found === null ? uncounted : `${formatCount(records.found)} records`}`,
    `${formatBytes(bytes.found)} of ${format}${compression === 'none' ? '' : ` under ${compression}`}`,
    `sha256 ${sha256.found}${sha256.expected === null ? ' (the manifest has none)' : ''}`,
    ...(complete === true ? [] : ['the end of the list was not proven']),
  ].join(', ')
}
