// Question: what does it cost to turn one JSON page into NDJSON, per engine?
// Variants: each engine of this package over a page of members in 64 KiB chunks, its output counted and dropped; beside them, in the same process and on
// the same records, JSON.parse of each record (the ruler: what any route that makes objects pays first), JSON.parse + JSON.stringify, JSON.parse of the
// whole page, and jq -c '.result[]' as a process of its own where it is installed (its figure includes reading the page from a file).
// Check: every variant gives the same number of records, and the `js` engine's bytes are those of the records. Not measured: network, disk.
// Read it as: "times faster" is the ruler's CPU time in the same round divided by the variant's; median and range over the rounds.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memberAt } from '../src/emulator/members.js'
import { engineNames, type SlicerFactory, slicerFactory } from '../src/json/slicer.js'
import { interleave, keepRun, type Row, runProgram, show, table, type Variant } from './measure.js'

const chunkBytes = 64 * 1024
const limits = { page: 1, maxDepth: 512, maxRecordBytes: 16 * 1024 * 1024, maxCursorBytes: 64 * 1024 }

interface Input {
  name: string
  texts: string[]
}

export async function benchEngines(rounds: number, megabytes: number, log: (line: string) => void): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'truto-export-bench-'))
  const sections: string[] = []
  const raw: Record<string, unknown> = {}
  try {
    for (const input of inputs(megabytes)) {
      const page = Buffer.from(`{"result":[${input.texts.join(',')}],"next_cursor":null}`)
      const lines = input.texts.map((text) => Buffer.from(text))
      const variants = await variantsOf(page, lines, folder)
      log(
        `${input.name}: ${(page.length / 1e6).toFixed(1)} MB, ${Math.round(page.length / lines.length)} bytes a record`,
      )
      const result = await interleave(variants, rounds, log)
      raw[input.name] = { bytes: page.length, records: lines.length, samples: result.raw }
      sections.push(section(input.name, page.length, lines.length, result.rows))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const summary = sections.join('\n\n')
  keepRun('engines', raw, summary)
  return summary
}

function inputs(megabytes: number): Input[] {
  const make = (name: string, remoteData: boolean): Input => {
    const texts: string[] = []
    for (let bytes = 0; bytes < megabytes * 1e6; bytes += texts.at(-1)!.length) {
      texts.push(JSON.stringify(memberAt(texts.length, { seed: 7, integration: 'slack', remoteData })))
    }
    return { name, texts }
  }
  return [make('members', false), make('members with remote_data', true)]
}

async function variantsOf(page: Buffer, lines: Buffer[], folder: string): Promise<Variant[]> {
  const expected = lines.reduce((sum, line) => sum + line.length + 1, 0)
  const check = (name: string, records: number, bytes = expected): void => {
    if (records !== lines.length || bytes !== expected) throw new Error(`${name}: ${records} records, ${bytes} bytes`)
  }
  const variants: Variant[] = [
    {
      name: 'JSON.parse of each record',
      run: () => void check('parse', lines.filter((line) => JSON.parse(line.toString()) !== null).length),
    },
    {
      name: 'JSON.parse + JSON.stringify of each record',
      run() {
        let bytes = 0
        for (const line of lines) bytes += Buffer.byteLength(JSON.stringify(JSON.parse(line.toString()))) + 1
        check('parse and stringify', lines.length, bytes)
        return undefined
      },
    },
    {
      name: 'JSON.parse of the page, JSON.stringify of each record',
      run() {
        const { result } = JSON.parse(page.toString()) as { result: unknown[] }
        let bytes = 0
        for (const record of result) bytes += Buffer.byteLength(JSON.stringify(record)) + 1
        check('page', result.length, bytes)
        return undefined
      },
    },
  ]
  for (const engine of engineNames) {
    const slicers = await slicerFactory(engine)
    variants.push({
      name: `engine ${engine}`,
      run() {
        const { records, bytes } = slice(slicers, page)
        check(engine, records, bytes)
        return undefined
      },
    })
  }
  if (hasProgram('jq')) {
    const path = join(folder, `${page.length}.json`)
    writeFileSync(path, page)
    variants.push({
      name: "jq -c '.result[]' (process)",
      run: () => runProgram(`jq -c '.result[]' ${path} > /dev/null`),
    })
  }
  return variants
}

function slice(slicers: SlicerFactory, page: Buffer): { records: number; bytes: number } {
  const slicer = slicers(limits)
  let records = 0
  let bytes = 0
  for (let at = 0; at < page.length; at += chunkBytes) {
    for (const batch of slicer.push(page.subarray(at, at + chunkBytes))) {
      if (!batch.isLines) throw new Error('a compact page must come as lines')
      records += batch.count
      bytes += batch.end(batch.count - 1) + 1 - batch.start(0)
    }
  }
  for (const batch of slicer.end()) {
    records += batch.count
    bytes += batch.end(batch.count - 1) + 1 - batch.start(0)
  }
  return { records, bytes }
}

export function hasProgram(name: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function section(name: string, bytes: number, records: number, rows: Row[]): string {
  const head = ['route', 'times faster than JSON.parse of each record', 'MB/s of CPU time', 'CPU ms']
  const body = rows.map((row) => [
    row.name,
    show(row.timesFaster),
    (bytes / 1e3 / row.cpuMs.median).toFixed(0),
    show(row.cpuMs, 0),
  ])
  return `### One page of ${name} to NDJSON (${(bytes / 1e6).toFixed(0)} MB, ${records} records of ${Math.round(bytes / records)} bytes)\n\n${table(head, body)}`
}
