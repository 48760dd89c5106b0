// In one process: NDJSON of members in memory through slicer and encoder of columns to a sink that drops the bytes,
// against JSON.parse of each record. A process of its own for `columns.ts`. Argument: the task as JSON. Prints its
// samples as its last line.

import { readFileSync } from 'node:fs'
import { optimiseLater } from '../src/cli/tiering.js'
import { csvEncoder } from '../src/encode/csv.js'
import type { Encoder } from '../src/encode/encoder.js'
import { parquetEncoder } from '../src/encode/parquet/parquet.js'
import { type EngineName, engineNames } from '../src/json/engine-names.js'
import { memberSchema } from '../src/schema/member.js'
import { BodySource } from '../src/source/body-source.js'
import { interleave, type Sample, type Variant } from './measure.js'

export interface RoutesTask {
  /** NDJSON file. */
  input: string
  records: number
  warmUps: number
  rounds: number
}

export interface RouteSamples {
  /** By route; the first is the ruler. */
  samples: Record<string, Sample[]>
}

const task = JSON.parse(process.argv[2]!) as RoutesTask
const bytes = readFileSync(task.input)
/** As much as a read of a file hands on. */
const chunkBytes = 1024 * 1024
optimiseLater() // as the command line does

const variants: Variant[] = [{ name: 'JSON.parse of each record', run: parseAll }]
for (const engine of engineNames.slice(0, 2)) {
  const csv = (): Encoder => csvEncoder({ schema: memberSchema })
  const parquet = (): Encoder => parquetEncoder({ schema: memberSchema, compression: 'snappy', rowGroupRows: 50_000 })
  variants.push({ name: `${engine}: CSV`, run: () => encode(engine, csv()) })
  variants.push({ name: `${engine}: Parquet, snappy`, run: () => encode(engine, parquet()) })
}
const samples = await interleave(variants, {
  warmUps: task.warmUps,
  rounds: task.rounds,
  // more than any of them takes: none pays for the garbage of the one before it
  minMs: 1000,
  progress: (line) => void process.stderr.write(`${line}\n`),
})
const result: RouteSamples = { samples }
process.stdout.write(`${JSON.stringify(result)}\n`)

function parseAll(): void {
  let records = 0
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0x0a, at)
    if (JSON.parse(bytes.toString('utf8', at, end)) !== null) records++
    at = end + 1
  }
  if (records !== task.records) throw new Error(`JSON.parse: ${records} of ${task.records} records`)
}

async function encode(parser: EngineName, encoder: Encoder): Promise<void> {
  let written = 0
  await encoder.begin({
    write: async (piece) => {
      written += piece.length
    },
  })
  let records = 0
  for await (const batch of new BodySource(chunks(), { parser, isNdjson: true }).read()) {
    await encoder.encode(batch)
    records += batch.count
  }
  await encoder.end()
  if (records !== task.records || written === 0)
    throw new Error(`${encoder.format}: ${records} of ${task.records} records`)
}

async function* chunks(): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
}
