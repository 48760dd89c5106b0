// One run of the command line: arguments → command → exit code. Everything that goes wrong becomes one line on stderr and a code here.

import { asExportError, ExportError, InternalError, isOutOfDescriptors, printable, ReaderGone } from '../errors.js'
import { parseArguments } from './arguments.js'
import type { Io } from './io.js'

/** A reader that closes our stdout, as a shell reports a death by SIGPIPE. */
const readerGoneExitCode = 141

/** Runs what the arguments ask for and resolves with the exit code. Never rejects. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  try {
    const parsed = parseArguments(argv)
    if (parsed.kind === 'text') {
      io.stdout.write(parsed.text)
      return 0
    }
    const { command, texts } = parsed
    switch (command) {
      case 'export':
      case 'convert':
        return await (await import('./export-command.js')).runExport(command, texts, io)
      case 'schema':
        return await (await import('./schema-command.js')).runSchema(texts, io)
      case 'verify':
        return await (await import('./verify-command.js')).runVerify(texts, io)
      case 'emulator':
        return await (await import('./emulator-command.js')).runEmulator(texts, io)
      case 'demo':
        return await (await import('./demo.js')).runDemo(texts, io)
    }
  } catch (error) {
    // what nobody expected keeps its own words, but a module that could not be opened is no bug
    return tellError(isOutOfDescriptors(error) ? asExportError(error, 'loading the program') : error, argv, io)
  }
}

/** Prints an error and gives its exit code. */
export function tellError(error: unknown, argv: readonly string[], io: Pick<Io, 'stderr'>): number {
  if (error instanceof ReaderGone) return readerGoneExitCode
  io.stderr.write(describeError(error, argv.includes('--debug')))
  return error instanceof ExportError ? error.exitCode : 1
}

/** One line; with the stack where it is our bug or was asked for. */
function describeError(error: unknown, isDebug: boolean): string {
  const isKnown = error instanceof ExportError
  const line = isKnown ? error.toLine() : `ERR_INTERNAL: ${printable(String(error))}`
  const hasStack = isDebug || !isKnown || error instanceof InternalError
  return `truto-export: ${line}\n${hasStack ? stackOf(error) : ''}`
}

/** The stacks of an error and its causes, indented. */
function stackOf(error: unknown): string {
  const lines: string[] = []
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    const text = cause.stack ?? String(cause)
    lines.push(...`${depth > 0 ? 'caused by ' : ''}${text}`.split('\n').map((line) => `  ${printable(line)}\n`))
  }
  return lines.join('')
}
