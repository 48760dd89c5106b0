// Starts the servers of the benchmarks, each in a process of its own: the emulator for whole exports, a file server for
// comparisons.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { EmulatorOptions } from '../src/emulator/options.js'
import { compiledFile } from './process.js'

export const account = '62f44730-dd91-461e-bd6a-aedd9e0ad79d'

export interface Served {
  url: string
  close(): Promise<void>
}

export interface Emulated extends Served {
  token: string
}

/** @param options without `pageSize` one page holds all members */
export async function startEmulated(options: EmulatorOptions): Promise<Emulated> {
  const { line, close } = await startServer('child-emulator', JSON.stringify(options))
  return { ...(JSON.parse(line) as { url: string; token: string }), close }
}

/** Answers every request with a file. */
export async function startFileServer(path: string): Promise<Served> {
  const { line, close } = await startServer('child-file-server', path)
  return { url: line, close }
}

/** A script of this folder that prints one line when it is ready, and ends when its stdin does. */
async function startServer(name: string, argument: string): Promise<{ line: string; close(): Promise<void> }> {
  const child = spawn(process.execPath, [compiledFile(name), argument], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  const [line] = (await Promise.race([
    once(createInterface(child.stdout), 'line'),
    exit.then(() => Promise.reject(new Error(`${name} did not start`))),
  ])) as [string]
  return {
    line,
    async close() {
      child.stdin.end()
      await exit
    },
  }
}

/** Options of an NDJSON export of all its members to `out`, for `child-export`. */
export function exportOptions({ url, token }: Emulated, out: string): object {
  const request = { resource: 'instant-messaging/members', account, channel: 'C1', apiUrl: url, token }
  return { ...request, format: 'ndjson', overwrite: true, out }
}
