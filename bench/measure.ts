// How everything in this folder measures: variants run interleaved in one go (A B C, A B C, …), in CPU time, and each is reported as its ratio to the
// baseline of the same round, as the median with the smallest and the largest. Absolute figures say little on a shared machine; ratios hold.

import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'

export interface Sample {
  /** User and system time, in ms. */
  cpuMs: number
  wallMs: number
  /** Peak resident set of the process that did the work, in bytes; absent for variants in this process. */
  peakRssBytes?: number
}

export interface Variant {
  name: string
  /** Does the work once. In-process variants return nothing and are timed here. */
  run(): Promise<Sample | undefined> | undefined
}

export interface Row {
  name: string
  cpuMs: Spread
  wallMs: Spread
  peakRssMB: Spread | null
  /** Baseline CPU of the same round divided by this variant's: above 1 is faster than the baseline. */
  timesFaster: Spread
}

export interface Spread {
  median: number
  min: number
  max: number
}

/** Runs every variant once per round, after one warm-up round. The first variant is the baseline. */
export async function interleave(
  variants: Variant[],
  rounds: number,
  progress: (line: string) => void,
): Promise<{ rows: Row[]; raw: Record<string, Sample[]> }> {
  const raw: Record<string, Sample[]> = Object.fromEntries(variants.map(({ name }) => [name, []]))
  for (let round = -1; round < rounds; round++) {
    for (const variant of variants) {
      const sample = await timed(variant)
      if (round >= 0) raw[variant.name]!.push(sample)
    }
    progress(round < 0 ? 'warm-up done' : `round ${round + 1} of ${rounds} done`)
  }
  const baseline = raw[variants[0]!.name]!
  const rows = variants.map(({ name }) => {
    const samples = raw[name]!
    const rss = samples.map((sample) => sample.peakRssBytes)
    return {
      name,
      cpuMs: spread(samples.map((sample) => sample.cpuMs)),
      wallMs: spread(samples.map((sample) => sample.wallMs)),
      peakRssMB: rss.every((bytes) => bytes !== undefined) ? spread(rss.map((bytes) => bytes! / 1e6)) : null,
      timesFaster: spread(samples.map((sample, i) => baseline[i]!.cpuMs / sample.cpuMs)),
    }
  })
  return { rows, raw }
}

async function timed(variant: Variant): Promise<Sample> {
  const cpu = process.cpuUsage()
  const start = performance.now()
  const sample = await variant.run()
  const wallMs = performance.now() - start
  const used = process.cpuUsage(cpu)
  return sample ?? { cpuMs: (used.user + used.system) / 1000, wallMs }
}

export function spread(values: number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}

/** Runs a script of this folder in a process of its own, which prints `{cpuMs, wallMs, peakRssBytes, …}` as its last line (`reportSelf`). */
export async function runScript<T extends Sample>(
  script: string,
  args: string[],
  nodeFlags: string[] = [],
): Promise<T> {
  const child = spawn(process.execPath, [...nodeFlags, script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  for await (const chunk of child.stdout.setEncoding('utf8')) output += chunk
  if (child.exitCode !== null ? child.exitCode !== 0 : (await new Promise((done) => child.once('exit', done))) !== 0) {
    throw new Error(`${script} ${args.join(' ')} failed`)
  }
  return JSON.parse(output.trim().split('\n').at(-1)!) as T
}

/** What this process has used since it started: the last line that `runScript` reads. */
export function reportSelf(more: object = {}): void {
  const { userCPUTime, systemCPUTime } = process.resourceUsage()
  const sample: Sample = {
    cpuMs: (userCPUTime + systemCPUTime) / 1000,
    wallMs: performance.now(),
    peakRssBytes: peakRss(),
  }
  process.stdout.write(`${JSON.stringify({ ...sample, ...more })}\n`)
}

/** High-water mark of this process's own memory. Not getrusage's ru_maxrss: Linux keeps that across exec, so a child would report its parent's. */
function peakRss(): number {
  const status = readFileSync('/proc/self/status', 'latin1')
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)![1]) * 1024
}

/** Runs any program under the shell's own `time` and reads its CPU time from there. */
export async function runProgram(command: string): Promise<Sample> {
  const start = performance.now()
  const child = spawn('bash', ['-c', `TIMEFORMAT='%U %S'; time { ${command}; }`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  for await (const chunk of child.stderr.setEncoding('utf8')) errors += chunk
  const times = /(\d+[.,]\d+) (\d+[.,]\d+)\s*$/.exec(errors)
  if (!times) throw new Error(`${command}: ${errors}`)
  const seconds = (text: string): number => Number(text.replace(',', '.'))
  return { cpuMs: 1000 * (seconds(times[1]!) + seconds(times[2]!)), wallMs: performance.now() - start }
}

/** Median, then smallest and largest. */
export function show({ median, min, max }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`
}

export function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Where and when the figures were taken. */
export function machineLine(): string {
  const cpu = cpus()
  return `${cpu.length} x ${cpu[0]?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`
}

/** Keeps a run: raw samples and summary in `bench/runs/<date>-<name>/`. Returns the folder. */
export function keepRun(name: string, raw: unknown, summary: string): string {
  const folder = join('bench', 'runs', `${new Date().toISOString().slice(0, 10)}-${name}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'raw.json'), `${JSON.stringify(raw)}\n`)
  writeFileSync(join(folder, 'README.md'), `# ${name}\n\n${machineLine()}\n\n${summary}\n`)
  return folder
}
