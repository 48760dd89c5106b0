// Question: does the memory of an NDJSON export depend on how much is exported, or on how it is cut into pages? A
// program more than a benchmark: four exports of members with remote_data, small and large, in one page and in many,
// each in a process of its own under a small V8 heap (--max-old-space-size), its resident set sampled while it runs. It
// fails where an export does not finish, or where a peak is further above another than V8's heap is large.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KeptRun, Rendered } from './kept.js'
import { type Sample, table } from './measure.js'
import { runScript } from './process.js'
import { exportOptions, startEmulated } from './servers.js'
import { drawLines, inShareOfTime, type Line, thinned } from './svg.js'

export interface MemorySettings {
  smallMegabytes: number
  largeMegabytes: number
}

const heapMB = 32

const pageSizes = [
  ['one page', undefined],
  ['pages of 1,000', 1000],
] as const

interface MemoryResult extends Sample {
  name: string
  records: number
  peakRssBytes: number
  curve: Line['points']
}

/** The four exports by the name of their section. */
const exportsOf = ({ smallMegabytes, largeMegabytes }: MemorySettings) =>
  pageSizes.flatMap(([kind, pageSize], i) =>
    [smallMegabytes, largeMegabytes].map((megabytes) => ({
      section: `${megabytes}MB-${i}`,
      kind,
      pageSize,
      megabytes,
    })),
  )

export async function measureMemory(
  run: KeptRun,
  settings: MemorySettings,
  log: (line: string) => void,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'truto-export-bench-'))
  try {
    let recordBytes = 0
    for (const { section, kind, pageSize, megabytes } of exportsOf(settings)) {
      if (run.load(section) !== undefined) {
        log(`memory, ${megabytes} MB in ${kind}: kept from before`)
        continue
      }
      const out = join(folder, 'members.ndjson')
      // a small export only teaches how large a record is
      if (recordBytes === 0) {
        const { outputBytes, records } = await exportOf(2000, undefined, out)
        recordBytes = outputBytes / records
      }
      const members = Math.round((megabytes * 1e6) / recordBytes)
      const { records, outputBytes, cpuMs, wallMs, peakRssBytes, curve } = await exportOf(members, pageSize, out)
      if (records !== members) throw new Error(`${records} of ${members} records`)
      const name = `${(outputBytes / 1e9).toFixed(2)} GB in ${kind}`
      log(`memory, ${name}: peak RSS ${(peakRssBytes / 1e6).toFixed(1)} MB`)
      const result: MemoryResult = { name, records, cpuMs, wallMs, peakRssBytes, curve: thinned(curve, 1000) }
      run.save(section, result)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export function renderMemory(run: KeptRun): Rendered {
  const results = exportsOf(run.facts.settings as unknown as MemorySettings).flatMap(
    ({ section }) => run.load<MemoryResult>(section) ?? [],
  )
  if (results.length === 0) return { markdown: '', plots: {} }
  const rows = results.map(({ name, records, peakRssBytes, wallMs, cpuMs }) => [
    name,
    String(records),
    (peakRssBytes / 1e6).toFixed(1),
    (wallMs / 1000).toFixed(1),
    (cpuMs / 1000).toFixed(1),
  ])
  const head = ['export', 'records', 'peak RSS MB', 'seconds', 'CPU seconds']
  return {
    markdown: [
      `### Memory of an NDJSON export under --max-old-space-size=${heapMB}`,
      table(head, rows),
      `The largest peak is ${peakSpread(run).toFixed(1)} MB above the smallest; V8's heap may have ${heapMB} MB.`,
    ].join('\n\n'),
    plots: {
      memory: drawLines({
        title: 'Resident set of an NDJSON export',
        xLabel: 'share of the export done, % of its time',
        yLabel: 'MB',
        lines: results.map(({ name, curve }) => ({ name, points: inShareOfTime(curve) })),
      }),
    },
  }
}

/** How far the largest peak is above the smallest, of those that were measured, in MB. */
function peakSpread(run: KeptRun): number {
  const settings = run.facts.settings as unknown as MemorySettings
  const peaks = exportsOf(settings).flatMap(({ section }) => run.load<MemoryResult>(section)?.peakRssBytes ?? [])
  return (Math.max(...peaks) - Math.min(...peaks)) / 1e6
}

/** V8 collects when it sees fit: a long export may fill the heap that it is given, a short one need not. */
export function judgeMemory(run: KeptRun): string | undefined {
  const spread = peakSpread(run)
  return spread > heapMB ? `peaks differ by ${spread.toFixed(1)} MB` : undefined
}

/** One export of an emulated workspace, in a process of its own. */
async function exportOf(members: number, pageSize: number | undefined, out: string) {
  const emulated = await startEmulated({ members, pool: 20_000, remoteData: true, ...(pageSize ? { pageSize } : {}) })
  try {
    return await runScript<{ records: number; outputBytes: number }>(
      'child-export',
      [JSON.stringify(exportOptions(emulated, out))],
      { flags: [`--max-old-space-size=${heapMB}`] },
    )
  } finally {
    await emulated.close()
  }
}
