// Runs as they are kept: `bench/runs/<date>-<name>/` holds the raw samples of every section of a benchmark, what it ran
// on, its tables and its plots. A section is on disk as soon as it is measured; a run that was cut off goes on from
// there as long as neither the code nor the settings have changed.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { outputOf } from './process.js'

/** What a run depends on and where it ran. */
export interface RunFacts {
  name: string
  /** The command that repeats it. */
  command: string
  settings: Readonly<Record<string, unknown>>
  /** Digest of the compiled exporter. */
  code: string
  commit: string
  cpu: string
  memoryGiB: number
  system: string
  node: string
  /** Load of the machine over the last minute, when the run began. */
  load: number
  date: string
}

export interface RunPlace {
  /** Folder of the kept runs. */
  runs: string
  /** Whether what was kept of an unfinished run is measured again. */
  isFresh: boolean
}

/** One run of one benchmark. */
export class KeptRun {
  readonly folder: string
  readonly facts: RunFacts

  private constructor(folder: string, facts: RunFacts) {
    this.folder = folder
    this.facts = facts
  }

  /** Goes on with the newest run of this name where it is of the same code and settings, else begins one. */
  static begin(name: string, settings: RunFacts['settings'], place: RunPlace, command: string): KeptRun {
    const facts = factsOf(name, settings, command)
    const newest = KeptRun.newest(name, place.runs)
    if (newest !== null && !place.isFresh && isSame(newest.facts, facts)) return newest
    const folder = join(place.runs, `${facts.date}-${name}`)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const run = new KeptRun(folder, facts)
    run.save('run', facts)
    return run
  }

  /** The newest run of this name; null where none was kept. */
  static newest(name: string, runs: string): KeptRun | null {
    const folders = existsSync(runs) ? readdirSync(runs).filter((folder) => folder.slice(11) === name) : []
    const folder = folders.sort().at(-1)
    if (folder === undefined || !existsSync(join(runs, folder, 'run.json'))) return null
    const facts = JSON.parse(readFileSync(join(runs, folder, 'run.json'), 'utf8')) as RunFacts
    return new KeptRun(join(runs, folder), facts)
  }

  /** The raw result of a section; undefined where it was not measured. */
  load<T>(section: string): T | undefined {
    const path = join(this.folder, `${section}.json`)
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : undefined
  }

  /** Whole or not at all: a run may be cut off at any moment. */
  save(section: string, result: unknown): void {
    const path = join(this.folder, `${section}.json`)
    writeFileSync(`${path}.partial`, `${JSON.stringify(result)}\n`)
    renameSync(`${path}.partial`, path)
  }

  /** Writes tables and plots beside the raw results. */
  publish({ markdown, plots }: Rendered): void {
    for (const [name, svg] of Object.entries(plots)) writeFileSync(join(this.folder, `${name}.svg`), svg)
    const { settings, command, commit, load } = this.facts
    const facts = [
      `- command: \`${command}\``,
      `- machine: ${machineLine(this.facts)}, load ${load.toFixed(2)}`,
      `- commit: ${commit}`,
      `- settings: \`${JSON.stringify(settings)}\``,
    ]
    const images = Object.keys(plots).map((name) => `![${name}](${name}.svg)`)
    const text = [`# ${this.facts.name}`, facts.join('\n'), markdown, ...images].join('\n\n')
    writeFileSync(join(this.folder, 'README.md'), `${text}\n`)
  }
}

/** What a benchmark makes of its raw results. */
export interface Rendered {
  /** Sections from the third level of headings on. */
  markdown: string
  /** SVG texts by name. */
  plots: Record<string, string>
}

/** Where and when the figures were taken. */
export function machineLine({ cpu, memoryGiB, system, node, date }: RunFacts): string {
  return `${cpu}, ${memoryGiB} GiB, ${system}, Node ${node}, ${date}`
}

function factsOf(name: string, settings: RunFacts['settings'], command: string): RunFacts {
  const cpu = cpus()
  const changes = outputOf('git', ['status', '--porcelain', '--', 'src', 'bench']) ?? ''
  return {
    name,
    command,
    settings,
    code: codeDigest(),
    commit: `${outputOf('git', ['rev-parse', '--short', 'HEAD']) ?? 'unknown'}${changes === '' ? '' : ', with uncommitted changes'}`,
    cpu: `${cpu.length} x ${cpu[0]?.model.trim() ?? 'unknown CPU'}`,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `Linux ${release()}`,
    node: process.version,
    load: loadavg()[0]!,
    date: new Date().toISOString().slice(0, 10),
  }
}

function isSame(a: RunFacts, b: RunFacts): boolean {
  const identity = ({ code, settings, cpu, node }: RunFacts): string => JSON.stringify([code, settings, cpu, node])
  return identity(a) === identity(b)
}

/** SHA-256 of the exporter as it was compiled for this run. */
function codeDigest(): string {
  const folder = fileURLToPath(new URL('../src', import.meta.url))
  const hash = createHash('sha256')
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (file.endsWith('.js')) hash.update(file).update(readFileSync(join(folder, file)))
  }
  return hash.digest('hex').slice(0, 16)
}
