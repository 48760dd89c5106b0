// One run of the command line: arguments → command → exit code. Everything that goes wrong becomes one line on stderr
// and a code.

import { asExportError, ConfigError, isOutOfDescriptors, printable } from '../errors.js'
import { renderUsage } from '../options/describe.js'
import { parseArguments } from './arguments.js'
import type { Io } from './io.js'
import { contextOf, tellError } from './run-context.js'

/** Runs what the arguments ask for and resolves with the exit code. Never rejects. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const context = contextOf(argv, io)
  try {
    if (argv.length === 0) {
      io.stderr.write(renderUsage())
      return 2
    }
    const parsed = parseArguments(argv)
    if (parsed.kind === 'text') {
      io.stdout.write(parsed.text)
      return 0
    }
    const { command, texts, conflicts } = parsed
    if (conflicts.length > 0) {
      throw new ConfigError('ERR_OPTION_INVALID', printable(conflicts[0]!), {
        hint: 'it takes one value; run once for each, or leave out one of them',
      })
    }
    switch (command) {
      case 'export':
      case 'convert':
        return await (await import('./export-command.js')).runExportCommand(command, texts, io, context)
      case 'schema':
        return await (await import('./schema-command.js')).runSchema(texts, io, context)
      case 'verify':
        return await (await import('./verify-command.js')).runVerify(texts, io, context)
      case 'emulator':
        return await (await import('./emulator-command.js')).runEmulator(texts, io, context)
      case 'demo':
        return await (await import('./demo.js')).runDemo(texts, io)
    }
  } catch (error) {
    // what nobody expected keeps its own words, but a module that could not be opened is no bug
    return tellError(isOutOfDescriptors(error) ? asExportError(error, 'loading the program') : error, context)
  }
}
