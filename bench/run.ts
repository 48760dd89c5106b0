// `npm run bench [-- engines|export|compare|columns|memory|bounds|moves|readme …] [--small] [--fresh] [--render]
// [--rounds N] [--megabytes N]`: see README.md of this folder.

import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { judgeBounds, measureBounds, renderBounds } from './bounds.js'
import { measureColumns, renderColumns } from './columns.js'
import { measureCompare, renderCompare } from './compare.js'
import { measureEngines, renderEngines } from './engines.js'
import { measureExport, renderExport } from './export.js'
import { KeptRun, machineLine, type Rendered } from './kept.js'
import { judgeMemory, measureMemory, renderMemory } from './memory.js'
import { moves } from './moves.js'
import { between, shortTables } from './readme.js'

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    small: { type: 'boolean', default: false },
    fresh: { type: 'boolean', default: false },
    render: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    megabytes: { type: 'string' },
  },
})
const isSmall = flags.small
const rounds = numberOf('rounds', isSmall ? 2 : 7)
const log = (line: string): void => void process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`)
/** A small run shows that everything works; its figures mean nothing and stay out of the repository. */
const runs = isSmall ? join('out', 'bench') : join('bench', 'runs')

interface Benchmark<S extends object = object> {
  settings: S
  measure(run: KeptRun, settings: S, log: (line: string) => void): Promise<void>
  render(run: KeptRun): Rendered
  /** Says what is wrong with a result, else nothing. */
  judge?(run: KeptRun): string | undefined
}

const benchmark = <S extends object>(value: Benchmark<S>): Benchmark => value as unknown as Benchmark
const benchmarks: Record<string, Benchmark> = {
  engines: benchmark({
    settings: { megabytes: numberOf('megabytes', isSmall ? 4 : 40), warmUps: isSmall ? 1 : 3, rounds },
    measure: measureEngines,
    render: renderEngines,
  }),
  export: benchmark({
    settings: { members: isSmall ? 4000 : 160_000, rounds },
    measure: measureExport,
    render: renderExport,
  }),
  compare: benchmark({
    settings: {
      sizes: isSmall
        ? [{ megabytes: numberOf('megabytes', 5), rounds: 1 }]
        : flags.megabytes
          ? [{ megabytes: numberOf('megabytes', 100), rounds }]
          : [
              { megabytes: 100, rounds },
              { megabytes: 1000, rounds: 1 },
            ],
    },
    measure: measureCompare,
    render: renderCompare,
  }),
  columns: benchmark({
    settings: isSmall
      ? { sizes: [{ records: 3000, rounds: 1 }], memoryRecords: [3000, 6000], routeRecords: 2000, rounds: 1 }
      : {
          sizes: [
            { records: 200_000, rounds },
            { records: 1_000_000, rounds: Math.min(5, rounds) },
          ],
          memoryRecords: [1_000_000, 4_000_000],
          routeRecords: 50_000,
          rounds,
        },
    measure: measureColumns,
    render: renderColumns,
  }),
  memory: benchmark({
    settings: isSmall ? { smallMegabytes: 5, largeMegabytes: 20 } : { smallMegabytes: 100, largeMegabytes: 5000 },
    measure: measureMemory,
    render: renderMemory,
    judge: judgeMemory,
  }),
  bounds: benchmark({
    settings: isSmall
      ? { maxMemoryMB: 64, records: 100_000, pageMB: 100, stoppedSeconds: 3, bombMB: 64 }
      : { maxMemoryMB: 64, records: 5_000_000, pageMB: 10_000, stoppedSeconds: 60, bombMB: 1000 },
    measure: measureBounds,
    render: renderBounds,
    judge: judgeBounds,
  }),
}

const known = [...Object.keys(benchmarks), 'moves', 'readme']
const unknown = positionals.filter((name) => !known.includes(name))
if (unknown.length > 0) throw new Error(`no benchmark ${unknown.join(', ')}; there are ${known.join(', ')}`)
const asked = positionals.length > 0 ? positionals : Object.keys(benchmarks)
for (const name of asked) {
  if (name === 'readme') writeReadme()
  else if (name === 'moves') process.stdout.write(await moves(isSmall ? 4000 : 20_000))
  else await runBenchmark(name, benchmarks[name]!)
}

async function runBenchmark(name: string, { settings, measure, render, judge }: Benchmark): Promise<void> {
  const run = flags.render
    ? KeptRun.newest(name, runs)
    : KeptRun.begin(name, { ...settings }, { runs, isFresh: flags.fresh }, commandOf(name))
  if (run === null) {
    log(`${name}: no run is kept`)
    return
  }
  if (!flags.render) await measure(run, settings, log)
  const rendered = render(run)
  run.publish(rendered)
  process.stdout.write(`\n## ${name}\n\n${machineLine(run.facts)}, in ${run.folder}\n\n${rendered.markdown}\n`)
  const fault = judge?.(run)
  if (fault !== undefined) {
    log(`${name}: ${fault}`)
    process.exitCode = 1
    return
  }
  if (isSmall) return
  for (const plot of Object.keys(rendered.plots))
    copyFileSync(join(run.folder, `${plot}.svg`), join('bench', `${plot}.svg`))
  const images = Object.keys(rendered.plots).map((plot) => `![${plot}](${plot}.svg)`)
  const head = `\`${run.facts.command}\` on ${machineLine(run.facts)}; raw results in [${run.folder}](${run.folder.replace('bench/', '')}).`
  replaceIn(join('bench', 'README.md'), name, [head, rendered.markdown, ...images].join('\n\n'))
}

/** The short tables, from the newest kept runs. */
function writeReadme(): void {
  replaceIn(
    join('bench', 'README.md'),
    'speed',
    shortTables((name) => KeptRun.newest(name, join('bench', 'runs'))),
  )
}

function replaceIn(path: string, name: string, text: string): void {
  writeFileSync(path, between(readFileSync(path, 'utf8'), name, text))
}

function commandOf(name: string): string {
  const given = [flags.rounds && `--rounds ${flags.rounds}`, flags.megabytes && `--megabytes ${flags.megabytes}`]
  return ['npm run bench --', name, ...given, isSmall && '--small'].filter(Boolean).join(' ')
}

function numberOf(flag: 'rounds' | 'megabytes', otherwise: number): number {
  const given = flags[flag]
  if (given === undefined) return otherwise
  const number = Number(given)
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${flag} must be a whole number from 1`)
  return number
}
