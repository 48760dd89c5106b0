// Question: does the process stay within --max-memory, and what its runtime needs beside it, whatever it is given? Long
// lists of members to a file, as NDJSON, CSV and Parquet; one page that is larger than any memory; a consumer that is
// stopped with SIGSTOP in the middle and goes on later; and bodies made to break a parser. Each export is a process of
// its own, its resident set sampled while it runs, its end checked: all records, or the very error that is owed. It
// fails where a peak is above that of a small export and --max-memory together. What it does not see: memory of the
// kernel's buffers, and that of the server, which is another process.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BombFault } from '../src/emulator/faults.js'
import type { EmulatorOptions } from '../src/emulator/options.js'
import type { KeptRun, Rendered } from './kept.js'
import { type Sample, table } from './measure.js'
import { runScript } from './process.js'
import { exportOptions, startEmulated } from './servers.js'
import { drawLines, inShareOfTime, type Line, thinned } from './svg.js'

export interface BoundsSettings {
  /** Of every export. */
  maxMemoryMB: number
  /** Records of the long lists. */
  records: number
  pageMB: number
  /** Seconds for which the consumer is stopped. */
  stoppedSeconds: number
  bombMB: number
}

/** What V8 may hold beside our buffers. */
const heapMB = 64

interface Trial {
  section: string
  name: string
  kind: 'plain' | 'long' | 'stopped' | 'bomb'
  emulator: EmulatorOptions
  options: object
  /** Code of the error that it has to end with; else it has to end well. */
  code?: string
  /** Stops the reader of its output for so long. */
  stoppedSeconds?: number
}

interface BoundsResult extends Sample {
  name: string
  records: number
  outputBytes: number
  code: string | null
  peakRssBytes: number
  curve: Line['points']
}

/** About what a member without remote_data takes, only to choose the length of a page. */
const memberBytes = 550

function trialsOf({ records, pageMB, stoppedSeconds, bombMB }: BoundsSettings): Trial[] {
  const lean = { pool: 20_000, remoteData: false } as const
  const pageMembers = Math.round((pageMB * 1e6) / memberBytes)
  // the limit on how far a body may unfold would end most of them before they are one
  const bomb = (
    section: string,
    name: string,
    code: string | null,
    fault: Omit<BombFault, 'kind'>,
    options: object = { maxDecodedRatio: 1e9 },
  ): Trial => ({
    section,
    name,
    kind: 'bomb',
    emulator: { faults: [{ kind: 'bomb', ...fault, attempt: 'every' }] },
    options: { tries: 1, digest: 'none', ...options },
    ...(code === null ? {} : { code }),
  })
  const bytes = bombMB * 1_000_000
  return [
    { section: 'plain', name: 'a small export', kind: 'plain', emulator: { ...lean, members: 20_000 }, options: {} },
    ...(['ndjson', 'csv', 'parquet'] as const).map(
      (format): Trial => ({
        section: `long-${format}`,
        name: `${records / 1e6} M records to ${format}`,
        kind: 'long',
        emulator: { ...lean, members: records, pageSize: 10_000 },
        options: { format },
      }),
    ),
    {
      section: 'page',
      name: `one page of ${pageMB / 1000} GB`,
      kind: 'long',
      emulator: { ...lean, members: pageMembers, pageSize: pageMembers },
      options: {},
    },
    {
      section: 'stopped',
      name: `a consumer stopped for ${stoppedSeconds} s`,
      kind: 'stopped',
      emulator: { ...lean, members: stoppedSeconds * 40_000, pageSize: stoppedSeconds * 40_000 },
      options: {},
      stoppedSeconds,
    },
    bomb('bomb-ratio', 'gzip, held to its ratio', 'ERR_LIMIT', { of: 'string', bytes, encoding: 'gzip' }, {}),
    bomb('bomb-gzip', 'gzip, one string', 'ERR_RECORD_TOO_LARGE', { of: 'string', bytes, encoding: 'gzip' }),
    bomb('bomb-brotli', 'brotli, one string', 'ERR_RECORD_TOO_LARGE', { of: 'string', bytes, encoding: 'br' }),
    bomb('bomb-record', 'a record without end', 'ERR_RECORD_TOO_LARGE', { of: 'keys', bytes: bytes * 100 }),
    bomb('bomb-depth', 'nesting without end', 'ERR_DEPTH', { of: 'brackets', bytes: bytes * 100 }),
    bomb('bomb-space', 'white space', null, { of: 'whitespace', bytes }),
    bomb('bomb-space-gzip', 'white space, gzip', null, { of: 'whitespace', bytes, encoding: 'gzip' }),
  ]
}

export async function measureBounds(
  run: KeptRun,
  settings: BoundsSettings,
  log: (line: string) => void,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'truto-export-bench-'))
  try {
    for (const trial of trialsOf(settings)) {
      if (run.load(trial.section) !== undefined) {
        log(`bounds, ${trial.name}: kept from before`)
        continue
      }
      const result = await resultOf(trial, settings, folder)
      log(`bounds, ${trial.name}: peak RSS ${(result.peakRssBytes / 1e6).toFixed(1)} MB`)
      run.save(trial.section, result)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function resultOf(trial: Trial, { maxMemoryMB }: BoundsSettings, folder: string): Promise<BoundsResult> {
  const { name, code = null, emulator, options, stoppedSeconds } = trial
  const emulated = await startEmulated(emulator)
  const out = join(folder, 'out')
  const consumer = stoppedSeconds === undefined ? null : stoppedConsumer(out, stoppedSeconds)
  try {
    const given = { ...exportOptions(emulated, out), maxMemoryBytes: maxMemoryMB * 1024 * 1024, ...options }
    const sample = await runScript<{ records: number; outputBytes: number; code: string | null }>(
      'child-bounds',
      [JSON.stringify(given)],
      { flags: [`--max-old-space-size=${heapMB}`] },
    )
    if (sample.code !== code) throw new Error(`${name} ended with ${sample.code}, not with ${code}`)
    const { records, outputBytes, cpuMs, wallMs, peakRssBytes, curve } = sample
    const members = code === null && trial.kind !== 'bomb' ? emulator.members : records
    if (records !== members) throw new Error(`${name}: ${records} of ${members} records`)
    return { name, code, records, outputBytes, cpuMs, wallMs, peakRssBytes, curve: thinned(curve, 1000) }
  } finally {
    consumer?.kill('SIGKILL')
    await emulated.close()
    rmSync(out, { force: true })
  }
}

/** A program that reads a FIFO, is stopped after two seconds of it, and goes on later. */
function stoppedConsumer(path: string, seconds: number): ChildProcess {
  execFileSync('mkfifo', [path])
  const script = 'cat "$1" > /dev/null & reader=$!; sleep 2; kill -STOP $reader; sleep "$2"; kill -CONT $reader; wait'
  return spawn('bash', ['-c', script, 'bash', path, String(seconds)], { stdio: 'ignore' })
}

export function renderBounds(run: KeptRun): Rendered {
  const settings = run.facts.settings as unknown as BoundsSettings
  const found = trialsOf(settings).flatMap((trial) => {
    const result = run.load<BoundsResult>(trial.section)
    return result === undefined ? [] : [{ trial, result }]
  })
  if (found.length === 0) return { markdown: '', plots: {} }
  const rows = found.map(({ result: { name, code, records, peakRssBytes, outputBytes, wallMs, cpuMs } }) => [
    name,
    code ?? 'whole',
    String(records),
    (outputBytes / 1e9).toFixed(2),
    (peakRssBytes / 1e6).toFixed(1),
    (wallMs / 1000).toFixed(1),
    (cpuMs / 1000).toFixed(1),
  ])
  const head = ['given', 'ends', 'records', 'output GB', 'peak RSS MB', 'seconds', 'CPU seconds']
  const plot = (title: string, isShown: (kind: Trial['kind']) => boolean): string =>
    drawLines({
      title,
      xLabel: 'share of its time, %',
      yLabel: 'MB',
      lines: found
        .filter(({ trial }) => trial.kind === 'plain' || isShown(trial.kind))
        .map(({ result: { name, curve } }) => ({ name, points: inShareOfTime(curve) })),
    })
  return {
    markdown: [
      `### Resident set under --max-memory ${settings.maxMemoryMB}MiB and --max-old-space-size=${heapMB}`,
      table(head, rows),
      `Largest peak: ${(largestPeak(run) / 1e6).toFixed(0)} MB; allowed is that of the small export and --max-memory, ${(allowedPeak(run) / 1e6).toFixed(0)} MB.`,
    ].join('\n\n'),
    plots: {
      'bounds-long': plot('Resident set of long exports', (kind) => kind === 'long' || kind === 'stopped'),
      'bounds-bombs': plot('Resident set while bombs arrive', (kind) => kind === 'bomb'),
    },
  }
}

/** Says where a peak is larger than allowed. */
export function judgeBounds(run: KeptRun): string | undefined {
  const peak = largestPeak(run)
  return peak > allowedPeak(run) ? `a peak of ${(peak / 1e6).toFixed(0)} MB is more than allowed` : undefined
}

function largestPeak(run: KeptRun): number {
  return Math.max(...peaksOf(run))
}

function allowedPeak(run: KeptRun): number {
  const { maxMemoryMB } = run.facts.settings as unknown as BoundsSettings
  return (run.load<BoundsResult>('plain')?.peakRssBytes ?? 0) + maxMemoryMB * 1024 * 1024
}

function peaksOf(run: KeptRun): number[] {
  const trials = trialsOf(run.facts.settings as unknown as BoundsSettings)
  return trials.flatMap(({ section }) => run.load<BoundsResult>(section)?.peakRssBytes ?? [])
}
