// Question: one page of members, from a file and over loopback HTTP, into an NDJSON file: what does each tool cost that
// a user could pick instead? Variants, each a whole process as its own documentation would have a user write it
// (`child-*.ts`, `tools/*.py`): this package's command line with every engine, with and without the digest that it
// makes by default; jq; Python with json, ijson and requests; DuckDB; Node with fetch and response.json(); stream-json
// and @streamparser/json; undici downloading the body without looking at it. What is not installed is left out, and the
// table says so. Check: in the first round the lines of every output are counted, and its bytes compared with ours; a
// tool that fails is a result and is not asked again. Not measured: TLS, compression, a real network, a cold disk. Read
// it as: CPU seconds (user and system, of the whole process from start to exit); "times ours" against the first row in
// the same round; the peak resident set of the process itself. A tool that takes longer than `slowMs` is run once.

import { createHash } from 'node:crypto'
import { mkdtempSync, readSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { engineNames } from '../src/json/engine-names.js'
import { writePage } from './inputs.js'
import type { KeptRun, Rendered } from './kept.js'
import { cpuOf, ratios, type Sample, show, spread, table } from './measure.js'
import {
  compiledFile,
  hasProgram,
  nodeCommand,
  outputOf,
  ProgramFailed,
  programFile,
  runProgram,
  sourceFile,
} from './process.js'
import { startFileServer } from './servers.js'
import { drawBars, drawLines, type Line, thinned } from './svg.js'

export interface CompareSettings {
  /** Sizes of the page, with the rounds of each. */
  sizes: ReadonlyArray<{ megabytes: number; rounds: number }>
}

/** A tool that takes longer than this in its first run is not run again: one sample says enough. */
const slowMs = 60_000
const timeoutMs = 10 * 60_000
const routes = ['file', 'http'] as const
type Route = (typeof routes)[number]

interface Tool {
  name: string
  argv: readonly string[]
  /** Whether its stdout is the output; else it writes the file itself. */
  writesStdout?: boolean
  /** Its output is not NDJSON of the page: nothing to count. */
  makesNoLines?: boolean
}

interface ToolResult {
  samples: Sample[]
  /** Resident set over time in its first run. */
  curve: Line['points']
  /** How its output differs from ours. */
  output: string
  /** Why it has no samples, or no more. */
  failure?: string
}

interface CompareResult {
  bytes: number
  records: number
  rounds: number
  /** Rounds that are complete. */
  done: number
  tools: Record<string, ToolResult>
  /** What could not be run at all, and why. */
  absent: string[]
}

export async function measureCompare(
  run: KeptRun,
  { sizes }: CompareSettings,
  log: (line: string) => void,
): Promise<void> {
  for (const { megabytes, rounds } of sizes) {
    const isDone = (route: Route): boolean =>
      (run.load<CompareResult>(sectionOf(megabytes, route))?.done ?? 0) >= rounds
    if (routes.every(isDone)) {
      log(`compare, ${megabytes} MB: kept from before`)
      continue
    }
    const folder = mkdtempSync(join(tmpdir(), 'truto-export-bench-'))
    const place = { page: join(folder, 'page.json'), out: join(folder, 'out.ndjson'), url: '' }
    log(`compare, ${megabytes} MB: writing the page`)
    const page = writePage(place.page, megabytes * 1e6)
    const server = await startFileServer(place.page)
    try {
      place.url = server.url
      for (const route of routes) {
        if (isDone(route)) continue
        const { tools, absent } = route === 'file' ? fileTools(place, page.bytes) : httpTools(place)
        for (const reason of absent) log(`compare: left out: ${reason}`)
        await measureTools({ run, section: sectionOf(megabytes, route), tools, absent, page, rounds, place, log })
      }
    } finally {
      await server.close()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

interface Place {
  page: string
  out: string
  url: string
}

/** The command line of this package, writing NDJSON without a question. */
const ours = (out: string, args: readonly string[], more: readonly string[] = []): readonly string[] =>
  nodeCommand(programFile, [...args, '-o', 'ndjson', '--out', out, '--overwrite', ...more])

function fileTools({ page, out }: Place, bytes: number): { tools: Tool[]; absent: string[] } {
  const convert = ['convert', page]
  const [defaultEngine, ...otherEngines] = engineNames
  const found = new Finder()
  const child = (name: string, ...args: string[]): readonly string[] =>
    nodeCommand(compiledFile(name), [page, out, ...args])
  found.add({ name: `truto-export convert (${defaultEngine})`, argv: ours(out, convert) })
  found.add({
    name: `truto-export convert (${defaultEngine}), no digest`,
    argv: ours(out, convert, ['--digest', 'none']),
  })
  for (const engine of otherEngines)
    found.add({ name: `truto-export convert (${engine})`, argv: ours(out, convert, ['--parser', engine]) })
  found.add({ name: 'bare Node, nothing done', argv: [...nodeCommand('-e'), '0'], makesNoLines: true })
  found.add({ name: 'stream-json', argv: child('child-stream-json') })
  found.add({ name: '@streamparser/json', argv: child('child-streamparser') })
  if (hasProgram('jq')) {
    const version = outputOf('jq', ['--version']) ?? 'jq'
    found.add({ name: `${version} -c '.result[]'`, argv: ['jq', '-c', '.result[]', page], writesStdout: true })
  } else found.miss('jq: not installed')
  found.addPython('json.load', 'json', 'json_load.py', [page, out])
  found.addPython('ijson', 'ijson', 'ijson_items.py', [page, out])
  // the second takes minutes at 1 GB
  for (const how of bytes < 500e6 ? ['read_json', 'json_extract'] : ['read_json'])
    found.add({ name: `DuckDB ${how} → COPY, 1 thread`, argv: child('child-duckdb', String(bytes), how) })
  return found
}

function httpTools({ url, out }: Place): { tools: Tool[]; absent: string[] } {
  const list = ['instant-messaging/members', '-a', 'bench', '--channel', 'C1', '--api-url', url]
  const found = new Finder()
  const child = (name: string): readonly string[] => nodeCommand(compiledFile(name), [url, out])
  found.add({ name: `truto-export (${engineNames[0]})`, argv: ours(out, list) })
  found.add({ name: `truto-export (${engineNames[0]}), no digest`, argv: ours(out, list, ['--digest', 'none']) })
  found.add({ name: 'undici download, nothing looked at', argv: child('child-download'), makesNoLines: true })
  found.add({ name: 'fetch + response.json()', argv: child('child-fetch') })
  found.addPython('requests + json', 'requests', 'requests_json.py', [url, out])
  return found
}

/** Collects the tools that this machine has. */
class Finder {
  readonly tools: Tool[] = []
  readonly absent: string[] = []

  add(tool: Tool): void {
    this.tools.push(tool)
  }

  miss(reason: string): void {
    this.absent.push(reason)
  }

  /** Takes the first Python that has the module: that of TRUTO_EXPORT_BENCH_PYTHON, of the path, of the system. */
  addPython(name: string, module: string, script: string, args: readonly string[]): void {
    const versionOf = `import sys, ${module} as m; print(sys.executable, sys.version.split()[0], getattr(m, '__version__', ''), getattr(m, 'backend', ''))`
    for (const python of [process.env['TRUTO_EXPORT_BENCH_PYTHON'], 'python3', '/usr/bin/python3']) {
      const answer = python && outputOf(python, ['-c', versionOf])
      if (!answer) continue
      // `python3` may be a script that chooses one, at a cost of its own: the interpreter itself is run
      const [interpreter, pythonVersion, ...version] = answer.split(/\s+/)
      const versions = [module === 'json' ? '' : version.join(' '), `Python ${pythonVersion}`].filter(Boolean)
      this.add({
        name: `${name} (${versions.join(', ')})`,
        argv: [interpreter!, sourceFile(`tools/${script}`), ...args],
      })
      return
    }
    this.miss(`${name}: no Python with the module ${module}`)
  }
}

interface Task {
  run: KeptRun
  section: string
  tools: readonly Tool[]
  absent: string[]
  page: { bytes: number; records: number }
  rounds: number
  place: Place
  log: (line: string) => void
}

/** All tools, interleaved, kept after each round. The first round is the check and is not counted, but for what is too
 *  slow to run again. */
async function measureTools({ run, section, tools, absent, page, rounds, place, log }: Task): Promise<void> {
  const result: CompareResult = run.load<CompareResult>(section) ?? { ...page, rounds, done: 0, tools: {}, absent }
  const isCheck = Object.keys(result.tools).length === 0
  let expected: Output | undefined
  for (let round = isCheck ? 0 : result.done + 1; round <= rounds; round++) {
    for (const tool of tools) {
      const known = (result.tools[tool.name] ??= { samples: [], curve: [], output: '' })
      if (known.failure !== undefined || isSlow(known)) continue
      try {
        const { argv, writesStdout } = tool
        const { curve, cpuMs, wallMs, peakRssBytes } = await runProgram({
          argv,
          timeoutMs,
          env: { TRUTO_API_TOKEN: 'bench' },
          ...(writesStdout ? { stdout: place.out } : {}),
        })
        const sample: Sample = { cpuMs, wallMs, peakRssBytes }
        if (round > 0 || wallMs > slowMs) known.samples.push(sample)
        if (round === 0) {
          known.curve = thinned(curve, 400)
          const output = tool.makesNoLines ? undefined : await outputIn(place.out)
          expected ??= output
          known.output = output === undefined ? '' : judge(output, expected!, page.records)
        }
        log(
          `${section}, round ${round} of ${rounds}: ${tool.name}: ${(cpuMs / 1000).toFixed(2)} s, ${mb(sample).toFixed(0)} MB`,
        )
      } catch (error) {
        if (!(error instanceof ProgramFailed)) throw error
        known.failure = error.message
        log(`${section}: ${tool.name} fails: ${error.message}`)
      } finally {
        rmSync(place.out, { force: true })
      }
    }
    result.done = round
    run.save(section, result)
  }
}

const isSlow = ({ samples }: ToolResult): boolean => (samples[0]?.wallMs ?? 0) > slowMs

interface Output {
  lines: number
  digest: string
}

async function outputIn(path: string): Promise<Output> {
  const file = await open(path)
  try {
    const hash = createHash('sha256')
    const buffer = Buffer.allocUnsafe(1024 * 1024)
    let lines = 0
    for (;;) {
      const size = readSync(file.fd, buffer)
      if (size === 0) return { lines, digest: hash.digest('hex') }
      const piece = buffer.subarray(0, size)
      hash.update(piece)
      for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) lines++
    }
  } finally {
    await file.close()
  }
}

/** @throws ProgramFailed where records are missing */
function judge({ lines, digest }: Output, expected: Output, records: number): string {
  if (lines !== records) throw new ProgramFailed(`wrote ${lines} of ${records} records`)
  return digest === expected.digest ? 'same bytes' : 'other bytes'
}

const sectionOf = (megabytes: number, route: Route): string => `${megabytes}MB-${route}`
export const sizeName = (megabytes: number): string =>
  megabytes >= 1000 ? `${megabytes / 1000} GB` : `${megabytes} MB`
const mb = ({ peakRssBytes }: Sample): number => peakRssBytes! / 1e6

export function renderCompare(run: KeptRun): Rendered {
  const sections: string[] = []
  const plots: Rendered['plots'] = {}
  const { sizes } = run.facts.settings as unknown as CompareSettings
  for (const { megabytes } of sizes) {
    for (const route of routes) {
      const result = run.load<CompareResult>(sectionOf(megabytes, route))
      if (result === undefined || result.done < 1) continue
      const where = route === 'file' ? 'from a file' : 'over loopback HTTP'
      const title = `${sizeName(megabytes)} of members ${where} to an NDJSON file`
      const notes = [
        `${result.records} records, ${(result.bytes / 1e6).toFixed(0)} MB, ${result.done} ${result.done === 1 ? 'round' : 'rounds'}; what takes more than ${slowMs / 1000} s is run once.`,
        ...result.absent.map((reason) => `Left out: ${reason}.`),
      ]
      sections.push(`### ${title}\n\n${table(compareHead, compareRows(result))}\n\n${notes.join(' ')}`)
      const ranked = Object.entries(result.tools).filter(
        ([name, { samples }]) => samples.length > 0 && !name.startsWith('bare'),
      )
      plots[`compare-${sectionOf(megabytes, route)}`] = drawBars({
        title: `${title}, MB/s of CPU time`,
        groups: ranked.map(([label, { samples }]) => ({
          label,
          bars: [{ series: '', value: result.bytes / 1e3 / spread(samples.map(cpuOf)).median }],
        })),
      })
      plots[`compare-${sectionOf(megabytes, route)}-rss`] = drawLines({
        title: `Resident set: ${title}`,
        xLabel: 'seconds',
        yLabel: 'MB',
        isLogX: true,
        isLogY: true,
        lines: Object.entries(result.tools)
          .filter(([name, { curve }]) => curve.length > 1 && !name.startsWith('bare'))
          .map(([name, { curve }]) => ({ name, points: curve })),
      })
    }
  }
  return { markdown: sections.join('\n\n'), plots }
}

export const compareHead = ['tool', 'CPU seconds', 'times ours', 'seconds', 'peak RSS MB', 'output']

/** The table of a section; the first tool is the ruler. */
export function compareRows({ tools, done }: CompareResult): string[][] {
  const baseline = Object.values(tools)[0]!.samples
  return Object.entries(tools).map(([name, { samples, output, failure }]) => {
    if (failure !== undefined) return [name, `fails: ${failure}`, '', '', '', '']
    const isRatio = !name.startsWith('bare')
    return [
      samples.length < done ? `${name} (1 run)` : name,
      show(spread(samples.map((sample) => sample.cpuMs / 1000))),
      isRatio ? show(ratios(samples, baseline, cpuOf)) : '',
      show(spread(samples.map((sample) => sample.wallMs / 1000))),
      show(spread(samples.map(mb)), 0),
      output,
    ]
  })
}

/** The result of one table, for the short one. */
export function compareResult(run: KeptRun, megabytes: number, route: Route): CompareResult | undefined {
  return run.load<CompareResult>(sectionOf(megabytes, route))
}
