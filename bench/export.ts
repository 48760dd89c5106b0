// Question: what does a whole NDJSON export over HTTP cost beside the bare download of the same bytes, which no
// exporter in Node can go below? Variants, each a process of its own against the same emulator (a third process, pages
// pre-rendered, its cost not counted): undici downloading the body to a file (baseline); `exportRecords` to a file with
// and without its SHA-256, and with remote_data excluded, which the server then does not even send. Check: record
// counts, and the same digest in every round. Not measured: TLS, compression, a real network. Read it as: "times the
// download's CPU" is the variant's CPU time (user and system, whole process) over the baseline's in the same round; "MB
// above it" the difference of their peaks, paired in the same way.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KeptRun, Rendered } from './kept.js'
import { cpuOf, ratios, type Sample, show, spread, table } from './measure.js'
import { compiledFile, nodeCommand, type ProcessSample, runProgram, runScript } from './process.js'
import { account, exportOptions, startEmulated } from './servers.js'
import { drawBars } from './svg.js'

export interface ExportSettings {
  members: number
  rounds: number
}

/** Raw result: bytes of the output, which are about those of the body, and the samples by variant. The first is the
 *  baseline. */
interface ExportSamples {
  members: number
  bytes: number
  samples: Record<string, Sample[]>
}

const section = 'samples'

export async function measureExport(
  run: KeptRun,
  { members, rounds }: ExportSettings,
  log: (line: string) => void,
): Promise<void> {
  const kept = run.load<ExportSamples>(section) ?? { members, bytes: 0, samples: {} }
  const done = Object.values(kept.samples)[0]?.length ?? 0
  if (done > 0) log(`export: ${done} rounds kept from before`)
  if (done >= rounds) return
  const folder = mkdtempSync(join(tmpdir(), 'truto-export-bench-'))
  const emulated = await startEmulated({ members, pool: 20_000, remoteData: true })
  const query = `integrated_account_id=${account}&channel%5Bid%5D=C1&truto_response_format=stream`
  const body = `${emulated.url}/unified/instant-messaging/members?${query}`
  const out = join(folder, 'out')
  const options = exportOptions(emulated, out)
  const digests = new Map<string, string | null>()
  const exporting = (name: string, more: object) => async (): Promise<ProcessSample> => {
    const sample = await runScript<{ records: number; outputBytes: number; digest: string | null }>('child-export', [
      JSON.stringify({ ...options, ...more }),
    ])
    if (sample.records !== members) throw new Error(`${name}: ${sample.records} records`)
    if ((digests.get(name) ?? sample.digest) !== sample.digest)
      throw new Error(`${name}: the output differs from the round before`)
    digests.set(name, sample.digest)
    kept.bytes ||= sample.outputBytes
    return sample
  }
  const variants: Record<string, () => Promise<ProcessSample>> = {
    'undici download to a file': () =>
      runProgram({ argv: nodeCommand(compiledFile('child-download'), [body, out, emulated.token]) }),
  }
  for (const [name, more] of [
    ['export to NDJSON', {}],
    ['export to NDJSON without digest', { digest: 'none' }],
    ['export to NDJSON, remote_data excluded', { exclude: ['remote_data'] }],
  ] as const)
    variants[name] = exporting(name, more)
  try {
    // the first round is not counted: the emulator renders its pages in it
    for (let round = done; round <= rounds; round++) {
      const samples: Array<[name: string, sample: Sample]> = []
      for (const [name, variant] of Object.entries(variants)) {
        const { cpuMs, wallMs, peakRssBytes } = await variant()
        samples.push([name, { cpuMs, wallMs, peakRssBytes }])
        rmSync(out, { force: true })
      }
      if (round > done) {
        for (const [name, sample] of samples) (kept.samples[name] ??= []).push(sample)
        run.save(section, kept)
      }
      log(`export: ${round > done ? `round ${round} of ${rounds}` : 'warm-up'}`)
    }
  } finally {
    await emulated.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

export function renderExport(run: KeptRun): Rendered {
  const result = run.load<ExportSamples>(section)
  if (result === undefined) return { markdown: '', plots: {} }
  const baseline = Object.values(result.samples)[0]!
  const rows = Object.entries(result.samples).map(([name, samples]) => [
    name,
    show(ratios(samples, baseline, cpuOf)),
    show(spread(samples.map(cpuOf)), 0),
    show(spread(samples.map(peakMB)), 0),
    show(spread(samples.map((sample, i) => peakMB(sample) - peakMB(baseline[i]!))), 1),
  ])
  const head = ['route', "times the download's CPU", 'CPU ms', 'peak RSS MB', 'MB above it']
  const size = `${result.members} members with remote_data in one page, ${(result.bytes / 1e6).toFixed(0)} MB`
  return {
    markdown: `### Whole export over loopback HTTP (${size})\n\n${table(head, rows)}`,
    plots: {
      export: drawBars({
        title: 'Whole export over loopback HTTP, MB/s of CPU time',
        groups: Object.entries(result.samples).map(([label, samples]) => ({
          label,
          bars: [{ series: '', value: result.bytes / 1e3 / spread(samples.map(cpuOf)).median }],
        })),
      }),
    },
  }
}

const peakMB = ({ peakRssBytes }: Sample): number => peakRssBytes! / 1e6
