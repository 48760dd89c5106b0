// The command line with texts in place of a terminal.

import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import type { Io } from '../../src/cli/io.js'
import { run } from '../../src/cli/run.js'
import { systemClock } from '../../src/clock.js'

export interface CommandOutcome {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  /** Signals that are still listened to. */
  readonly listened: readonly (string | symbol)[]
}

/** Runs the command line in this process. */
export async function runCommand(
  argv: readonly string[],
  { env = {}, stdin = '', isTTY = false }: { env?: NodeJS.ProcessEnv; stdin?: string; isTTY?: boolean } = {},
): Promise<CommandOutcome> {
  const out = { stdout: '', stderr: '' }
  const output = (name: 'stdout' | 'stderr') => ({ write: (text: string) => void (out[name] += text) })
  const signals = Object.assign(new EventEmitter(), { exit: () => {} })
  const io: Io = {
    stdin: Readable.from([stdin]),
    isStdoutClosed: async () => false,
    stdout: output('stdout'),
    stderr: { ...output('stderr'), isTTY },
    env,
    clock: systemClock,
    signals,
    loadExport: () => import('../../src/export/export.js'),
  }
  const exitCode = await run([...argv], io)
  return { exitCode, ...out, listened: signals.eventNames() }
}
