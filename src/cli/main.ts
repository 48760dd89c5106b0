#!/usr/bin/env node
// The program `truto-export`. It never calls process.exit at its end: output that is still on its way would be cut off.

import { printable } from '../errors.js'
import { outputError } from '../files/os-error.js'
import { keepParserSmall } from '../http/undici/parser-tiering.js'
import { processIo } from './io.js'
import { asksForJsonLog, logTo } from './log.js'
import { run } from './run.js'
import { contextOf, tellError } from './run-context.js'

// who reads our messages may leave before the end, as in `2>&1 | head`; that is no reason to fail
process.stderr.on('error', () => {})
let failure: Error | undefined
process.stdout.on('error', (error) => {
  failure ??= error
})
keepParserSmall()
const argv = process.argv.slice(2)
const io = processIo()
if (asksForJsonLog(argv)) {
  // what Node.js itself warns of is a line of the log, too
  process.removeAllListeners('warning')
  const log = logTo(io.stderr, io.clock, true)
  process.on('warning', ({ name, message }) => {
    log.write({ level: 'warn', event: 'node-warning', message: printable(message), fields: { name } })
  })
}
process.exitCode = await run(argv, io)
// a report or a help may be on its way still
if (process.exitCode === 0) await new Promise<unknown>((resolve) => process.stdout.write('', resolve))
if (process.exitCode === 0 && failure !== undefined) {
  process.exitCode = tellError(outputError(failure, 'writing to stdout', 'ERR_OUTPUT_IO'), contextOf(argv, io))
}
