// Question: what does a whole NDJSON export over HTTP cost beside the bare download of the same bytes, which no exporter in Node can go below?
// Variants, each a process of its own against the same emulator (a third process, pages pre-rendered, its cost not counted): undici downloading the body
// to a file (baseline); `exportRecords` to a file with and without its SHA-256, and with remote_data excluded, which the server then does not even send.
// Check: record counts, and the same digest in every round. Not measured: TLS, compression, a real network.
// Read it as: "times the download's CPU" is the variant's CPU time (user and system, whole process) over the baseline's in the same round.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { account, exportOptions, script, startEmulated } from './emulated.js'
import { interleave, keepRun, runScript, type Sample, show, spread, table, type Variant } from './measure.js'

export async function benchExport(rounds: number, members: number, log: (line: string) => void): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'truto-export-bench-'))
  const emulated = await startEmulated({ members, pool: 20_000, remoteData: true })
  const query = `integrated_account_id=${account}&channel%5Bid%5D=C1&truto_response_format=stream`
  const options = exportOptions(emulated, join(folder, 'export.ndjson'))
  const digests = new Map<string, string>()
  const exporting = (name: string, more: object): Variant => ({
    name,
    async run() {
      const sample = await runScript<Sample & { records: number; digest?: string }>(script('child-export'), [
        JSON.stringify({ ...options, ...more }),
      ])
      if (sample.records !== members) throw new Error(`${name}: ${sample.records} records`)
      const digest = digests.get(name) ?? sample.digest
      if (sample.digest !== digest) throw new Error(`${name}: the output differs from the round before`)
      if (digest) digests.set(name, digest)
      return sample
    },
  })
  try {
    const variants: Variant[] = [
      {
        name: 'undici download to a file',
        run: () =>
          runScript(script('child-download'), [
            `${emulated.url}/unified/instant-messaging/members?${query}`,
            emulated.token,
            join(folder, 'download.json'),
          ]),
      },
      exporting('export to NDJSON', {}),
      exporting('export to NDJSON without digest', { digest: 'none' }),
      exporting('export to NDJSON, remote_data excluded', { exclude: ['remote_data'] }),
    ]
    const { rows, raw } = await interleave(variants, rounds, log)
    const baseline = raw[variants[0]!.name]!
    const head = ['route', "times the download's CPU", 'CPU ms', 'peak RSS MB']
    const body = rows.map((row) => [
      row.name,
      show(spread(raw[row.name]!.map((sample, i) => sample.cpuMs / baseline[i]!.cpuMs))),
      show(row.cpuMs, 0),
      show(row.peakRssMB!, 0),
    ])
    const bytes = Math.round(members * 2.5e-3)
    const summary = `### Whole export over loopback HTTP (${members} members with remote_data in one page, about ${bytes} MB)\n\n${table(head, body)}`
    keepRun('export', raw, summary)
    return summary
  } finally {
    await emulated.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
