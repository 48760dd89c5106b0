// `npm run bench [-- engines|export|memory …]`: all benchmarks, or those named. TRUTO_EXPORT_BENCH_ROUNDS sets the rounds, at least 3.

import { benchEngines } from './engines.js'
import { benchExport } from './export.js'
import { machineLine } from './measure.js'
import { benchMemory } from './memory.js'

const rounds = Math.max(3, Number(process.env['TRUTO_EXPORT_BENCH_ROUNDS'] ?? 7))
const log = (line: string): void => void process.stderr.write(`${line}\n`)
const benchmarks: Record<string, () => Promise<string>> = {
  engines: () => benchEngines(rounds, 40, log),
  export: () => benchExport(rounds, 160_000, log),
  memory: () => benchMemory(100e6, 5e9, log),
}

const named = process.argv.slice(2)
const unknown = named.filter((name) => !(name in benchmarks))
if (unknown.length > 0)
  throw new Error(`no benchmark ${unknown.join(', ')}; there are ${Object.keys(benchmarks).join(', ')}`)
process.stdout.write(`${machineLine()}\n`)
for (const name of named.length > 0 ? named : Object.keys(benchmarks)) {
  process.stdout.write(`\n${await benchmarks[name]!()}\n`)
}
