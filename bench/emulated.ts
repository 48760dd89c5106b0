// Starts the emulator in a process of its own for the benchmarks of whole exports.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { EmulatorOptions } from '../src/emulator/options.js'

export const account = '62f44730-dd91-461e-bd6a-aedd9e0ad79d'

export interface Emulated {
  url: string
  token: string
  close(): Promise<void>
}

/** @param options without `pageSize` one page holds all members */
export async function startEmulated(options: EmulatorOptions): Promise<Emulated> {
  const script = new URL('./child-emulator.js', import.meta.url).pathname
  const child: ChildProcess = spawn(process.execPath, [script, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string]
  const { url, token } = JSON.parse(line) as { url: string; token: string }
  return {
    url,
    token,
    async close() {
      child.stdin!.end()
      await once(child, 'exit')
    },
  }
}

/** Options of an NDJSON export of all its members to `out`, for `child-export`. */
export function exportOptions({ url, token }: Emulated, out: string): object {
  const request = { resource: 'instant-messaging/members', account, channel: 'C1', apiUrl: url, token }
  return { ...request, format: 'ndjson', overwrite: true, out }
}

/** Path of a script of this folder as it was compiled. */
export const script = (name: string): string => new URL(`./${name}.js`, import.meta.url).pathname
