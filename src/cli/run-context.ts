// What the parts of one run of the command line share, and how it tells that it has failed or was stopped: one line on
// stderr, and a code.

import { ExportError, InternalError, printable, printableJson, ReaderGone } from '../errors.js'
import type { Io } from './io.js'
import { asksForJsonLog, type Failure, failureOf, type Log, logTo } from './log.js'
import type { TextOutput } from './progress.js'
import type { Stopped } from './signals.js'

/** A reader that closes our stdout, as a shell reports a death by SIGPIPE. */
const readerGoneExitCode = 141

/** What the parts of one run share. */
export interface RunContext {
  readonly argv: readonly string[]
  readonly log: Log
  /** Where `--json` has its report, and what the run failed with in its place; null without it. */
  readonly reports: TextOutput | null
  /** The command that resumes where this one has stopped, once something is kept that is worth resuming. */
  resume: string | null
  /** Whether stdout has its JSON already. */
  isReported: boolean
}

/** @param argv as of `run` */
export function contextOf(argv: readonly string[], io: Pick<Io, 'stdout' | 'stderr' | 'clock'>): RunContext {
  const log = logTo(io.stderr, io.clock, asksForJsonLog(argv))
  const reports = argv.includes('--json') ? (writesToStdout(argv) ? io.stderr : io.stdout) : null
  return { argv, log, reports, resume: null, isReported: false }
}

/** Whether stdout is for the records, as far as arguments show that cannot even be read. */
function writesToStdout(argv: readonly string[]): boolean {
  if (['schema', 'verify', 'emulator', 'demo'].includes(argv[0] ?? '')) return false
  const outs = argv.flatMap((word, index) => {
    if (word.startsWith('--out=')) return [word.slice('--out='.length)]
    return word === '--out' ? [argv[index + 1] ?? '-'] : []
  })
  return ['-', '/dev/stdout'].includes(outs.at(-1) ?? '-')
}

/** Prints an error and gives its exit code. */
export function tellError(error: unknown, context: RunContext): number {
  if (error instanceof ReaderGone) return readerGoneExitCode
  const exit = error instanceof ExportError ? error.exitCode : 1
  const { argv, log } = context
  const failure = failureOf(error, exit, context.resume)
  const stack = stackOf(error, argv.includes('--debug'))
  if (log.isJson) {
    const fields = stack.length === 0 ? failure : { ...failure, stack: stack.join('\n') }
    log.write({ level: 'error', event: 'error', message: lineOf(error), fields: { ...fields } })
  } else {
    log.write({ level: 'error', event: 'error', message: [lineOf(error), ...stack].join('\n') })
  }
  reportFailure(failure, context)
  return exit
}

/** Says how a run was stopped, and gives its exit code. @param left what that leaves, as a clause; null where it is not
 *  worth a word */
export function tellStop(stopped: Stopped, how: string, left: string | null, context: RunContext): number {
  const { exitCode: exit, signal } = stopped
  const message = `${how} by ${signal}${left === null ? '' : `; ${left}`}`
  const failure: Failure = { ...failureOf(stopped, exit, context.resume), code: signal, class: 'Stopped', left }
  context.log.write({ level: 'warn', event: 'stopped', message, fields: { ...failure } })
  reportFailure(failure, context)
  return exit
}

function reportFailure(failure: Failure, context: RunContext): void {
  const { reports, log } = context
  // a log of objects on stderr has it already
  if (reports === null || context.isReported || (log.isJson && writesToStdout(context.argv))) return
  context.isReported = true
  reports.write(`${printableJson(failure)}\n`)
}

function lineOf(error: unknown): string {
  return error instanceof ExportError ? error.toLine() : `ERR_INTERNAL: ${printable(String(error))}`
}

/** The stacks of an error and its causes, indented: where it is our bug or was asked for. */
function stackOf(error: unknown, isDebug: boolean): string[] {
  if (!isDebug && error instanceof ExportError && !(error instanceof InternalError)) return []
  const lines: string[] = []
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    const text = cause.stack ?? String(cause)
    lines.push(...`${depth > 0 ? 'caused by ' : ''}${text}`.split('\n').map((line) => `  ${printable(line)}`))
  }
  return lines
}
