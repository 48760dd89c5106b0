#!/usr/bin/env node
// The program `truto-export`. It never calls process.exit at its end: output that is still on its way would be cut off.

import { processIo } from './io.js'
import { run } from './run.js'

// who reads our messages may leave before the end, as in `2>&1 | head`; that is no reason to fail
process.stderr.on('error', () => {})
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exitCode = error.code === 'EPIPE' ? 141 : 7
})
const exitCode = await run(process.argv.slice(2), processIo())
process.exitCode ??= exitCode
