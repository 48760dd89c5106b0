// What a command touches beside files and the network: handed in, so that tests need no process.

import type { Clock } from '../clock.js'
import { systemClock } from '../clock.js'
import { exportTable, type OptionTable, type ResolvedOptions } from '../options/schema.js'
import type { TextOutput } from './progress.js'
import type { SignalSource } from './signals.js'
import { optimiseLater } from './tiering.js'

export interface Io {
  readonly stdin: AsyncIterable<Uint8Array | string>
  readonly stdout: TextOutput
  readonly stderr: TextOutput
  readonly env: NodeJS.ProcessEnv
  readonly clock: Clock
  readonly signals: SignalSource
  /** Whether stdout was closed at the start, so that what is written to it is lost. */
  isStdoutClosed(): Promise<boolean>
  /** The library, loaded when it is needed: help and bad flags do not wait for it. V8 is set for the engine that it
   *  will use. */
  loadExport(
    options: Pick<ResolvedOptions, 'parser'>,
  ): Promise<Pick<typeof import('../export/export.js'), 'exportRecords'>>
}

/** Variables that hold what nobody else shall see. */
const secretNames = Object.values(exportTable as OptionTable).flatMap(({ isSecret, env }) =>
  isSecret && env ? env : [],
)

/** What others may inherit of an environment. */
export function withoutSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !secretNames.includes(name)))
}

/** The environment of this process, which from now on is without its secrets: the diagnostic reports of Node.js show
 *  it, and children inherit it. */
function takenEnvironment(): NodeJS.ProcessEnv {
  const env = { ...process.env }
  for (const name of secretNames) delete process.env[name]
  return env
}

/** Those of this process. */
export function processIo(): Io {
  return {
    get stdin() {
      return process.stdin // made when it is first asked for
    },
    stdout: process.stdout,
    stderr: process.stderr,
    env: takenEnvironment(),
    clock: systemClock,
    signals: process,
    isStdoutClosed: async () => (await import('../destination/stdout.js')).isReopenedNull(1),
    loadExport: ({ parser }) => {
      if (parser === 'simd') optimiseLater()
      return import('../export/export.js')
    },
  }
}
