// Question: what does it cost to turn records into Parquet or CSV, beside what a user could pick instead? Variants,
// each a whole process on the same NDJSON file of members (every declared field filled, ids and people all different in
// a row group, remote_data on a sixth): this package's command line with both engines; DuckDB's COPY on one thread with
// the columns declared; hyparquet-writer, parquetjs-lite and csv-stringify as their own documentation would have a user
// write it (`child-columns.ts`); JSON.parse of each line alone. Then the same in one process without files
// (`child-columns-routes.ts`), the size of the files, and the memory at 1 and 4 million records. Check: DuckDB reads
// every Parquet file of the first round, and counts and hashes columns of every kind; lines of CSV are read by DuckDB,
// too. Not measured: the network, several threads, readers. Read it as: CPU seconds (user and system, of the whole
// process from start to exit) and, as "times ours", over the first row in the same round; the peak resident set of the
// process. A tool that takes longer than `slowMs` is run once.

import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memberAt } from '../src/emulator/members.js'
import type { RouteSamples, RoutesTask } from './child-columns-routes.js'
import { fullMember } from './inputs.js'
import type { KeptRun, Rendered } from './kept.js'
import { cpuOf, ratios, type Sample, show, spread, table } from './measure.js'
import { compiledFile, nodeCommand, type ProcessSample, programFile, runProgram, runScript } from './process.js'
import { drawBars, drawLines, type Line, thinned } from './svg.js'

export interface ColumnsSettings {
  /** Numbers of records, with the rounds of each. */
  sizes: ReadonlyArray<{ records: number; rounds: number }>
  /** Numbers of records whose peaks are compared. */
  memoryRecords: readonly number[]
  /** Records of the routes in one process. */
  routeRecords: number
  rounds: number
}

const slowMs = 60_000
const rowGroups = [50_000, 10_000] as const

interface Tool {
  name: string
  argv: readonly string[]
}

interface ToolResult {
  samples: Sample[]
  /** Bytes of its file. */
  bytes: number
  curve: Line['points']
}

interface FormatResult {
  records: number
  inputBytes: number
  /** Rounds that are complete. */
  done: number
  tools: Record<string, ToolResult>
}

const formats = ['parquet', 'csv'] as const
type Format = (typeof formats)[number]

export async function measureColumns(
  run: KeptRun,
  { sizes, memoryRecords, routeRecords, rounds }: ColumnsSettings,
  log: (line: string) => void,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'truto-export-bench-'))
  const input = join(folder, 'members.ndjson')
  try {
    const people = membersOf(Math.min(peoplePool, Math.max(routeRecords, ...sizes.map(({ records }) => records))))
    if (run.load(routesSection) === undefined) {
      writeMembers(input, people, routeRecords)
      const task: RoutesTask = { input, records: routeRecords, warmUps: 2, rounds }
      const { samples } = await runScript<RouteSamples>('child-columns-routes', [JSON.stringify(task)], {
        flags: ['--no-flush-bytecode'],
        onStderr: (line) => log(`columns, one process: ${line}`),
      })
      run.save(routesSection, { records: routeRecords, samples })
    }
    for (const size of sizes) {
      if (
        formats.every((format) => (run.load<FormatResult>(sectionOf(size.records, format))?.done ?? 0) >= size.rounds)
      ) {
        log(`columns, ${size.records} records: kept from before`)
        continue
      }
      const inputBytes = writeMembers(input, people, size.records)
      for (const format of formats) await measureTools({ run, log, input, inputBytes, format, ...size })
    }
    for (const records of memoryRecords) {
      if (run.load(memorySection(records)) !== undefined) continue
      writeMembers(input, people, records)
      const results: Record<string, ToolResult> = {}
      for (const rows of rowGroups) {
        const out = join(folder, 'out.parquet')
        const name = `row groups of ${rows}`
        results[name] = resultOf(await runProgram({ argv: ours(input, out, rows) }), out)
        log(`columns, ${records} records, ${name}: ${mb(results[name].samples[0]!).toFixed(0)} MB`)
      }
      run.save(memorySection(records), results)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Task {
  run: KeptRun
  log: (line: string) => void
  input: string
  inputBytes: number
  format: Format
  records: number
  rounds: number
}

/** All tools of one format, interleaved, kept after each round. The first round is the check and is not counted, but
 *  for what is too slow to run again. */
async function measureTools({ run, log, input, inputBytes, format, records, rounds }: Task): Promise<void> {
  const section = sectionOf(records, format)
  const result: FormatResult = run.load<FormatResult>(section) ?? { records, inputBytes, done: 0, tools: {} }
  const isCheck = Object.keys(result.tools).length === 0
  const out = `${input}.${format}`
  let expected: string | undefined
  for (let round = isCheck ? 0 : result.done + 1; round <= rounds; round++) {
    for (const { name, argv } of toolsOf(format, input, out)) {
      const known = result.tools[name]
      if (known !== undefined && (known.samples[0]?.wallMs ?? 0) > slowMs) continue
      const sample = await runProgram({ argv })
      const made = resultOf(sample, out)
      log(
        `${section}, round ${round} of ${rounds}: ${name}: ${(sample.cpuMs / 1000).toFixed(2)} s, ${mb(sample).toFixed(0)} MB`,
      )
      if (round > 0) known!.samples.push(...made.samples)
      else {
        result.tools[name] = sample.wallMs > slowMs ? made : { ...made, samples: [] }
        if (!name.startsWith('JSON.parse')) {
          const digest = await digestOf(out, format)
          expected ??= digest
          if (digest !== expected) throw new Error(`${name}: DuckDB reads ${digest}, not ${expected}`)
        }
      }
      rmSync(out, { force: true })
    }
    result.done = round
    run.save(section, result)
  }
}

function resultOf({ cpuMs, wallMs, peakRssBytes, curve }: ProcessSample, out: string): ToolResult {
  return { samples: [{ cpuMs, wallMs, peakRssBytes }], bytes: statSync(out).size, curve: thinned(curve, 400) }
}

function ours(input: string, out: string, rows: number, ...more: string[]): readonly string[] {
  return nodeCommand(programFile, [
    ...['convert', input, '--resource', 'instant-messaging/members', '--out', out, '--overwrite', '--quiet'],
    ...(out.endsWith('.parquet')
      ? ['--row-group-rows', String(rows), '--row-group-bytes', '256MiB', '--max-memory', '2GiB']
      : []),
    ...more,
  ])
}

function toolsOf(format: Format, input: string, out: string): Tool[] {
  const library = (name: string, ...more: string[]): readonly string[] =>
    nodeCommand(compiledFile('child-columns'), [name, input, out, ...more])
  const [rows] = rowGroups
  const parse: Tool = { name: 'JSON.parse of each line, nothing written', argv: library('rows') }
  if (format === 'csv') {
    return [
      { name: 'truto-export convert (simd)', argv: ours(input, out, rows) },
      { name: 'truto-export convert (js)', argv: ours(input, out, rows, '--parser', 'js') },
      { name: 'DuckDB COPY, 1 thread', argv: library('duckdb-csv') },
      { name: 'csv-stringify', argv: library('csv-stringify') },
      parse,
    ]
  }
  return [
    { name: 'truto-export convert (simd), snappy', argv: ours(input, out, rows) },
    { name: 'truto-export convert (simd), snappy, row groups of 10,000', argv: ours(input, out, rowGroups[1]) },
    { name: 'truto-export convert (js), snappy', argv: ours(input, out, rows, '--parser', 'js') },
    { name: 'truto-export convert (simd), gzip', argv: ours(input, out, rows, '--parquet-compression', 'gzip') },
    { name: 'DuckDB COPY, 1 thread, snappy', argv: library('duckdb-parquet', String(rows)) },
    { name: 'DuckDB COPY, 1 thread, gzip', argv: library('duckdb-parquet', String(rows), 'gzip') },
    { name: 'hyparquet-writer, snappy', argv: library('hyparquet-writer', String(rows)) },
    { name: 'parquetjs-lite, snappy', argv: library('parquetjs-lite', String(rows)) },
    parse,
  ]
}

/** What DuckDB reads in columns of every kind, whatever their order of rows. */
async function digestOf(file: string, format: Format): Promise<string> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const nested = (column: string): string => `CAST(to_json(${column}) AS VARCHAR)`
  const columns =
    format === 'csv'
      ? ['id', 'name', 'bio', 'CAST(is_email_verified AS VARCHAR)', 'CAST(updated_at AS VARCHAR)']
      : [
          'id',
          'name',
          'bio',
          'is_email_verified',
          'epoch_ms(updated_at)',
          nested('emails'),
          nested('groups'),
          nested('languages'),
        ]
  const from =
    format === 'csv' ? `read_csv('${file}', header = true, all_varchar = true, parallel = false)` : `'${file}'`
  const result = await connection.runAndReadAll(
    `SELECT count(*), ${columns.map((column) => `sum(hash(${column}))`).join(', ')} FROM ${from}`,
  )
  connection.closeSync()
  return result.getRows()[0]!.join(' ')
}

/** Different people; beyond them only ids differ. */
const peoplePool = 200_000

/** Members without their opening `{"id":"…"`, remote_data on a sixth. */
function membersOf(count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => {
    const member = { ...fullMember(i), ...memberAt(i, { seed: 11, remoteData: i % 6 === 0 }), id: '' }
    return Buffer.from(`${JSON.stringify(member).slice('{"id":""'.length)}\n`)
  })
}

/** Writes an NDJSON file of `count` records with ids that all differ. Returns its bytes. */
function writeMembers(path: string, people: readonly Buffer[], count: number): number {
  const file = openSync(path, 'w')
  try {
    let bytes = 0
    for (let at = 0; at < count; ) {
      const pieces: Buffer[] = []
      for (; pieces.length < 4000 && at < count; at++) {
        const id = `U${(at * 2_654_435_761 + 97).toString(36).toUpperCase().padStart(10, '0')}`
        pieces.push(Buffer.from(`{"id":"${id}"`), people[at % people.length]!)
      }
      bytes += writeSync(file, Buffer.concat(pieces))
    }
    return bytes
  } finally {
    closeSync(file)
  }
}

const routesSection = 'routes'
const sectionOf = (records: number, format: Format): string => `${records}-${format}`
const memorySection = (records: number): string => `memory-${records}`
const mb = ({ peakRssBytes }: Sample): number => peakRssBytes! / 1e6
const countName = (records: number): string => records.toLocaleString('en-US')

export function renderColumns(run: KeptRun): Rendered {
  const { sizes, memoryRecords } = run.facts.settings as unknown as ColumnsSettings
  const sections: string[] = []
  const plots: Rendered['plots'] = {}
  for (const { records } of sizes) {
    for (const format of formats) {
      const result = run.load<FormatResult>(sectionOf(records, format))
      if (result === undefined || result.done < 1) continue
      const title = `${countName(records)} members (${(result.inputBytes / 1e6).toFixed(0)} MB of NDJSON) to ${format === 'csv' ? 'CSV' : 'Parquet'}`
      sections.push(
        `### ${title}\n\n${table(columnsHead, columnsRows(result))}\n\n${result.done} rounds; what takes more than ${slowMs / 1000} s is run once.`,
      )
      plots[`columns-${sectionOf(records, format)}`] = drawBars({
        title: `${title}, MB/s of CPU time`,
        groups: Object.entries(result.tools).map(([label, { samples }]) => ({
          label,
          bars: [{ series: '', value: result.inputBytes / 1e3 / spread(samples.map(cpuOf)).median }],
        })),
      })
      plots[`columns-${sectionOf(records, format)}-rss`] = drawLines({
        title: `Resident set: ${title}`,
        xLabel: 'seconds',
        yLabel: 'MB',
        isLogX: true,
        lines: Object.entries(result.tools).map(([name, { curve }]) => ({ name, points: curve })),
      })
    }
  }
  const routes = run.load<{ records: number } & RouteSamples>(routesSection)
  if (routes !== undefined) {
    const [ruler] = Object.values(routes.samples)
    const rows = Object.entries(routes.samples).map(([name, samples]) => [
      name,
      show(ratios(ruler!, samples, cpuOf)),
      show(spread(samples.map(cpuOf)), 0),
    ])
    const head = ['route', 'times faster than JSON.parse of each record', 'CPU ms']
    sections.push(`### In one process, ${countName(routes.records)} members\n\n${table(head, rows)}`)
  }
  const peaks = memoryRecords.flatMap((records) => {
    const results = run.load<Record<string, ToolResult>>(memorySection(records))
    return results === undefined ? [] : [{ records, results }]
  })
  if (peaks.length > 0) {
    const rows = peaks.flatMap(({ records, results }) =>
      Object.entries(results).map(([name, { samples }]) => [
        `${countName(records)}, ${name}`,
        mb(samples[0]!).toFixed(0),
      ]),
    )
    sections.push(`### Peak memory of Parquet, snappy\n\n${table(['members', 'peak RSS MB'], rows)}`)
    plots['columns-memory'] = drawLines({
      title: 'Resident set of Parquet exports',
      xLabel: 'seconds',
      yLabel: 'MB',
      lines: peaks.flatMap(({ records, results }) =>
        Object.entries(results).map(([name, { curve }]) => ({ name: `${countName(records)}, ${name}`, points: curve })),
      ),
    })
  }
  return { markdown: sections.join('\n\n'), plots }
}

export const columnsHead = ['tool', 'CPU seconds', 'times ours', 'seconds', 'peak RSS MB', 'file MB']

/** The table of a section; the first tool is the ruler. */
export function columnsRows({ tools, done }: FormatResult): string[][] {
  const baseline = Object.values(tools)[0]!.samples
  return Object.entries(tools).map(([name, { samples, bytes }]) => [
    samples.length < done ? `${name} (1 run)` : name,
    show(spread(samples.map((sample) => sample.cpuMs / 1000))),
    show(ratios(samples, baseline, cpuOf)),
    show(spread(samples.map((sample) => sample.wallMs / 1000))),
    show(spread(samples.map(mb)), 0),
    name.startsWith('JSON.parse') ? '' : (bytes / 1e6).toFixed(1),
  ])
}

/** The table of a size and format, for the short one. */
export function columnsResult(run: KeptRun, records: number, format: Format): FormatResult | undefined {
  return run.load<FormatResult>(sectionOf(records, format))
}
