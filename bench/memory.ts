// Question: does the memory of an NDJSON export depend on how much is exported, or on how it is cut into pages?
// A program more than a benchmark: four exports of members with remote_data, small and large, in one page and in many, each in a process of its own under
// a small V8 heap (--max-old-space-size), its resident set sampled while it runs. It fails where an export does not finish, or where the peak of a large
// one is more than 10 % above that of the small one. The curves are drawn into bench/memory.svg.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportOptions, script, startEmulated } from './emulated.js'
import { keepRun, runScript, type Sample, table } from './measure.js'
import { drawLines, type Line } from './svg.js'

const heapMB = 32
/** Mean size of a rendered member with remote_data, of the emulator's pool. */
const recordsOf = (bytes: number, recordBytes: number): number => Math.round(bytes / recordBytes)

interface Run extends Sample {
  records: number
  outputBytes: number
  curve: Array<[number, number]>
}

export async function benchMemory(
  smallBytes: number,
  largeBytes: number,
  log: (line: string) => void,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'truto-export-bench-'))
  const runs: Array<{ name: string; kind: string; bytes: number; run: Run }> = []
  try {
    for (const [kind, pageSize] of [
      ['one page', undefined],
      ['pages of 1,000', 1000],
    ] as const) {
      let recordBytes = 2500
      for (const target of [smallBytes / 10, smallBytes, largeBytes]) {
        const members = recordsOf(target, recordBytes)
        const emulated = await startEmulated({
          members,
          pool: 20_000,
          remoteData: true,
          ...(pageSize ? { pageSize } : {}),
        })
        const options = exportOptions(emulated, join(folder, 'members.ndjson'))
        const run = await runScript<Run>(
          script('child-export'),
          [JSON.stringify(options), '50'],
          [`--max-old-space-size=${heapMB}`],
        )
        await emulated.close()
        if (run.records !== members) throw new Error(`${run.records} of ${members} records`)
        recordBytes = run.outputBytes / run.records
        const name = `${(run.outputBytes / 1e9).toFixed(2)} GB in ${kind}`
        log(`${name}: peak RSS ${(run.peakRssBytes! / 1e6).toFixed(1)} MB`)
        if (target >= smallBytes) runs.push({ name, kind, bytes: run.outputBytes, run }) // the smallest only teaches the size of a record
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const lines: Line[] = runs.map(({ name, run }) => ({ name, points: toUnitTime(run.curve) }))
  writeFileSync(
    'bench/memory.svg',
    drawLines({
      title: 'Resident set of an NDJSON export',
      xLabel: 'share of the export done, % of its time',
      yLabel: 'MB',
      lines,
    }),
  )
  const rows = runs.map(({ name, run }) => [
    name,
    String(run.records),
    (run.peakRssBytes! / 1e6).toFixed(1),
    (run.wallMs / 1000).toFixed(1),
    (run.cpuMs / 1000).toFixed(1),
  ])
  const peaks = runs.map(({ run }) => run.peakRssBytes!)
  const ratio = Math.max(...peaks) / Math.min(...peaks)
  const summary = `### Memory of an NDJSON export under --max-old-space-size=${heapMB}\n\n${table(
    ['export', 'records', 'peak RSS MB', 'seconds', 'CPU seconds'],
    rows,
  )}\n\nLargest peak over smallest: ${ratio.toFixed(3)}.`
  keepRun('memory', runs, summary)
  if (ratio > 1.1) throw new Error(`peak memory differs by more than 10 %:\n${summary}`)
  return summary
}

/** Curves of a second and of a minute on one axis. */
function toUnitTime(curve: Array<[number, number]>): Array<[number, number]> {
  const end = curve.at(-1)?.[0] ?? 1
  return curve.map(([seconds, megabytes]) => [(100 * seconds) / end, megabytes])
}
