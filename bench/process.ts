// Runs a program in a process of its own and says what it used: CPU time from the shell's `time`, its peak and its
// curve of resident memory from /proc. Not getrusage's ru_maxrss: Linux keeps that across exec, so a child would report
// its parent's. Linux only, with bash.

import { execFileSync, spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Sample } from './measure.js'

export interface Command {
  /** The program and its arguments. */
  argv: readonly string[]
  /** File that its stdout goes to; else it is returned. */
  stdout?: string
  env?: Record<string, string>
  /** After so long it is killed. Default 20 minutes. */
  timeoutMs?: number
  /** Called with every line that it prints on stderr. */
  onStderr?: (line: string) => void
}

export interface ProcessSample extends Sample {
  peakRssBytes: number
  /** Seconds since the start, and the resident set in MB then, every 20 ms. */
  curve: Array<[seconds: number, rssMB: number]>
  /** Empty where it went to a file. */
  stdout: string
}

/** The program ended with an error: the message is its last words. */
export class ProgramFailed extends Error {
  override name = 'ProgramFailed'
}

/** How often the resident set is looked at. */
const sampleMs = 20

// The program is the shell's child, so that its CPU time counts and the shell's own does not matter; fd 3 is ours, fd 4
// the program's stderr. It is the first to go where the machine runs out of memory.
const shellScript = `
echo 1000 2>/dev/null > /proc/self/oom_score_adj
TIMEFORMAT='times %3U %3S'
{ time { "$@" 2>&4 3>&- 4>&- & echo "pid $!" >&3; wait "$!"; code=$?; }; } 4>&2 2>&3
exit "$code"
`

/** Runs a program to its end. The programs of this folder write their own peak into the file that
 *  TRUTO_EXPORT_BENCH_PEAK names, as their last act; of others the last 20 ms are not seen.
 *  @throws ProgramFailed where it exits with another code than 0 or is killed */
export async function runProgram({
  argv,
  stdout,
  env,
  timeoutMs = 20 * 60_000,
  onStderr,
}: Command): Promise<ProcessSample> {
  const folder = mkdtempSync(join(tmpdir(), 'truto-export-bench-process-'))
  const peakFile = join(folder, 'peak')
  const file = stdout === undefined ? undefined : openSync(stdout, 'w')
  // with it Node.js reads the machine's certificates at each start, 40 ms of CPU time that are no part of any tool here
  const { NODE_EXTRA_CA_CERTS: _, ...rest } = process.env
  const start = performance.now()
  const shell = spawn('bash', ['-c', shellScript, 'bash', ...argv], {
    stdio: ['ignore', file ?? 'pipe', 'pipe', 'pipe'],
    env: { ...rest, ...env, TRUTO_EXPORT_BENCH_PEAK: peakFile },
  })
  const curve: ProcessSample['curve'] = []
  let pid = 0
  let peakRssBytes = 0
  let isLate = false
  const look = (): void => {
    if (pid === 0) return
    const seconds = (performance.now() - start) / 1000
    const memory = memoryOf(pid)
    if (memory !== null) {
      peakRssBytes = Math.max(peakRssBytes, memory.peakBytes)
      curve.push([seconds, memory.rssBytes / 1e6])
    }
    if (seconds * 1000 > timeoutMs && !isLate) {
      isLate = true
      process.kill(pid, 'SIGKILL')
    }
  }
  const timer = setInterval(look, sampleMs)
  try {
    const text = { control: '', stdout: '', stderr: '' }
    const collect = (stream: NodeJS.ReadableStream | null, to: keyof typeof text): void => {
      stream?.setEncoding('utf8').on('data', (piece: string) => {
        text[to] = (text[to] + piece).slice(-1_000_000)
        if (pid === 0) pid = Number(/^pid (\d+)$/m.exec(text.control)?.[1] ?? 0)
      })
    }
    collect(shell.stdio[3] as NodeJS.ReadableStream, 'control')
    collect(shell.stderr, 'stderr')
    collect(shell.stdout, 'stdout')
    if (onStderr) createInterface(shell.stderr!).on('line', onStderr)
    const code = await new Promise<number>((resolve, reject) => {
      shell.once('error', reject).once('close', (exitCode) => resolve(exitCode ?? 1))
    })
    const wallMs = performance.now() - start
    if (isLate) throw new ProgramFailed(`not done after ${(timeoutMs / 60_000).toFixed(0)} minutes`)
    if (code !== 0) throw new ProgramFailed(lastWords(text.stderr, code))
    const [, user, system] = /times (\d+[.,]\d+) (\d+[.,]\d+)/.exec(text.control)!
    const ms = (seconds: string): number => 1000 * Number(seconds.replace(',', '.'))
    return {
      cpuMs: ms(user!) + ms(system!),
      wallMs,
      peakRssBytes: Math.max(peakRssBytes, ownPeak(peakFile)),
      curve,
      stdout: text.stdout,
    }
  } finally {
    clearInterval(timer)
    if (file !== undefined) closeSync(file)
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Command of Node on a compiled script of this folder, or on any path. It reports its own peak. */
export function nodeCommand(
  script: string,
  args: readonly string[] = [],
  flags: readonly string[] = [],
): readonly string[] {
  return [process.execPath, '--require', sourceFile('report-peak.cjs'), ...flags, script, ...args]
}

/** Runs a script of this folder, which prints its result as JSON on its last line. */
export async function runScript<T extends object>(
  name: string,
  args: readonly string[],
  { flags = [], onStderr }: { flags?: readonly string[]; onStderr?: (line: string) => void } = {},
): Promise<ProcessSample & T> {
  const argv = nodeCommand(compiledFile(name), args, flags)
  const sample = await runProgram({ argv, ...(onStderr ? { onStderr } : {}) })
  return { ...sample, ...(JSON.parse(sample.stdout.trim().split('\n').at(-1)!) as T) }
}

/** Path of a script of this folder as it was compiled. */
export const compiledFile = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url))

/** The program as it is in the package. */
export const programFile = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** Path of a file of this folder that is not compiled: the code runs in `.build/bench`. */
export const sourceFile = (name: string): string => fileURLToPath(new URL(`../../bench/${name}`, import.meta.url))

/** Whether a program can be found. */
export function hasProgram(name: string): boolean {
  return outputOf('sh', ['-c', `command -v "${name}"`]) !== null
}

/** What a program prints, trimmed; null where it cannot be run or fails. */
export function outputOf(program: string, args: readonly string[]): string | null {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return null
  }
}

/** Null where the process has ended. */
function memoryOf(pid: number): { rssBytes: number; peakBytes: number } | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    const bytes = (field: string): number =>
      1024 * Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1])
    const memory = { rssBytes: bytes('VmRSS'), peakBytes: bytes('VmHWM') }
    return Number.isNaN(memory.rssBytes) ? null : memory // a zombie has no memory
  } catch {
    return null
  }
}

/** What the program itself reported, in bytes; 0 where it did not. */
function ownPeak(path: string): number {
  try {
    return 1024 * Number(readFileSync(path, 'latin1'))
  } catch {
    return 0
  }
}

/** The line of a stderr that says what went wrong, without paths of this machine. */
function lastWords(stderr: string, code: number): string {
  const lines = stderr.split('\n').map((line) => line.trim())
  const line =
    lines.find((text) => /FATAL ERROR|^[\w.]*(Error|Exception)\b/.test(text)) ?? lines.findLast((text) => text !== '')
  const reason = code > 128 && line === undefined ? `killed by signal ${code - 128}` : (line ?? `exit ${code}`)
  return reason.replace(/(\/[\w.@+-]+){2,}/g, '…').slice(0, 160)
}
