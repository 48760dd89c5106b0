#!/usr/bin/env node
// The program `truto-export`. It never calls process.exit at its end: output that is still on its way would be cut off.

import { outputError } from '../files/os-error.js'
import { keepParserSmall } from '../http/parser-tiering.js'
import { processIo } from './io.js'
import { run, tellError } from './run.js'

// who reads our messages may leave before the end, as in `2>&1 | head`; that is no reason to fail
process.stderr.on('error', () => {})
let failure: Error | undefined
process.stdout.on('error', (error) => {
  failure ??= error
})
keepParserSmall()
const argv = process.argv.slice(2)
const io = processIo()
process.exitCode = await run(argv, io)
// a report or a help may be on its way still
if (process.exitCode === 0) await new Promise<unknown>((resolve) => process.stdout.write('', resolve))
if (process.exitCode === 0 && failure !== undefined) {
  process.exitCode = tellError(outputError(failure, 'writing to stdout', 'ERR_OUTPUT_IO'), argv, io)
}
