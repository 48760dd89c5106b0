// The in-process routes of `engines.ts` over one shape of records, in a process of their own: what one shape taught the
// JIT does not touch the next. Argument: `EnginesTask` as JSON. Prints `ShapeSamples` as its last line.

import { ndjsonEncoder } from '../src/encode/ndjson.js'
import { records } from '../src/index.js'
import { engineNames } from '../src/json/engine-names.js'
import { slicerFactory } from '../src/json/engines.js'
import type { SlicerFactory } from '../src/json/slicer.js'
import type { RecordBatch } from '../src/record.js'
import { excludeFieldsStage } from '../src/transform/exclude-fields.js'
import { keyByStage } from '../src/transform/key-by.js'
import { type Page, pageOf, type Shape, shapes } from './inputs.js'
import { interleave, type Sample, type Variant } from './measure.js'

export interface EnginesTask {
  shape: string
  bytes: number
  warmUps: number
  rounds: number
}

export interface ShapeSamples {
  bytes: number
  records: number
  /** By route; the first is the ruler. */
  samples: Record<string, Sample[]>
}

/** What undici gives at a time. */
const chunkBytes = 64 * 1024
const limits = { page: 1, maxDepth: 512, maxRecordBytes: 16 * 1024 * 1024, maxCursorBytes: 64 * 1024 }
const excluded = ['remote_data', 'phones']
const projected = ['id', 'name', 'status'] as const

/** A route: work over the whole page that tells every piece of its NDJSON to `out`, or only counts records where it
 *  makes objects. */
interface Route {
  name: string
  run(out: Output): void | Promise<void>
  /** The NDJSON it must make, byte for byte or, where `isReprinted`, value for value; absent where it makes objects. */
  expected?: () => Buffer
  isReprinted?: boolean
}

/** Counts what a route gives. In a checked run it keeps the bytes too. */
class Output {
  records = 0
  bytes = 0
  readonly kept: Buffer[] | undefined
  /** Where records are copied to that do not stand as lines, as an encoder has to. */
  readonly #scratch = Buffer.allocUnsafeSlow(1024 * 1024)

  constructor(keeps: boolean) {
    this.kept = keeps ? [] : undefined
  }

  addText(text: string): void {
    this.records++
    this.bytes += Buffer.byteLength(text) + 1
    this.kept?.push(Buffer.from(`${text}\n`))
  }

  addBytes(bytes: Uint8Array): void {
    this.bytes += bytes.length
    this.kept?.push(Buffer.from(bytes))
  }

  addBatch(batch: RecordBatch): void {
    const { count, bytes } = batch
    if (count === 0) return
    this.records += count
    if (batch.isLines) {
      this.addBytes(bytes.subarray(batch.start(0), batch.end(count - 1) + 1))
      return
    }
    let size = 0
    for (let i = 0; i < count; i++) {
      if (size + batch.end(i) - batch.start(i) + 1 > this.#scratch.length) {
        this.addBytes(this.#scratch.subarray(0, size))
        size = 0
      }
      size += bytes.copy(this.#scratch, size, batch.start(i), batch.end(i))
      this.#scratch[size++] = 0x0a
    }
    this.addBytes(this.#scratch.subarray(0, size))
  }
}

const task = JSON.parse(process.argv[2]!) as EnginesTask
const shape = shapes.find(({ name }) => name === task.shape)!
const page = pageOf(shape, task.bytes)
const routes = [...rulers(page), ...(await engineRoutes(page)), ...(await memberRoutes(shape, page))]
for (const route of routes) await check(route, page)
const samples = await interleave(
  routes.map((route): Variant => ({ name: route.name, run: () => runCounted(route, page) })),
  {
    warmUps: task.warmUps,
    rounds: task.rounds,
    minMs: 100,
    progress: (line) => void process.stderr.write(`${line}\n`),
  },
)
const result: ShapeSamples = { bytes: page.bytes.length, records: page.texts.length, samples }
process.stdout.write(`${JSON.stringify(result)}\n`)

/** What any route that makes objects pays first, and what a user would write with nothing but the language. */
function rulers({ bytes, texts }: Page): Route[] {
  return [
    {
      name: 'JSON.parse of each record',
      run(out) {
        for (const text of texts) if (JSON.parse(text.toString()) !== null) out.records++
      },
    },
    {
      name: 'JSON.parse and JSON.stringify of each record',
      run(out) {
        for (const text of texts) out.addText(JSON.stringify(JSON.parse(text.toString())))
      },
    },
    {
      name: 'JSON.parse of the page, JSON.stringify of each record',
      run(out) {
        for (const record of (JSON.parse(bytes.toString()) as { result: unknown[] }).result)
          out.addText(JSON.stringify(record))
      },
    },
  ]
}

async function engineRoutes(page: Page): Promise<Route[]> {
  const routes: Route[] = []
  for (const engine of engineNames) {
    const slicers = await slicerFactory(engine)
    routes.push({
      name: `${engine}: slice to NDJSON`,
      run: (out) => slice(slicers, page, (batch) => out.addBatch(batch)),
      expected: () => page.lines,
      isReprinted: engine === 'stream-json' || engine === 'streamparser',
    })
  }
  return routes
}

/** What else the default engine does with members. */
async function memberRoutes({ name }: Shape, page: Page): Promise<Route[]> {
  if (!name.startsWith('members')) return []
  const engine = engineNames[0]
  const slicers = await slicerFactory(engine)
  const edited = (edit: (record: Record<string, unknown>) => unknown): Buffer =>
    Buffer.from(page.texts.map((text) => `${JSON.stringify(edit(JSON.parse(text.toString())))}\n`).join(''))
  return [
    {
      name: `${engine}: ${excluded.join(' and ')} excluded`,
      run(out) {
        const stage = excludeFieldsStage(excluded, { reuse: true })
        slice(slicers, page, (batch) => out.addBatch(stage.apply(batch)), true)
      },
      expected: () =>
        edited((record) => {
          for (const field of excluded) delete record[field]
          return record
        }),
    },
    {
      name: `${engine}: keyed by id`,
      async run(out) {
        const stage = keyByStage({ field: 'id' })
        const encoder = ndjsonEncoder()
        await encoder.begin({ write: async (bytes) => out.addBytes(bytes) })
        const slicer = slicers({ ...limits, withFields: true })
        const encode = (batch: RecordBatch): Promise<void> => {
          out.records += batch.count
          return encoder.encode(stage.apply(batch))
        }
        for (const chunk of chunksOf(page.bytes)) for (const batch of slicer.push(chunk)) await encode(batch)
        for (const batch of slicer.end()) await encode(batch)
        await encoder.end()
      },
      expected: () => edited((record) => ({ [record['id'] as string]: record })),
    },
    {
      name: `${engine}: copies to user code`,
      run: (out) => slice(slicers, page, (batch) => out.addBatch(batch.own())),
      expected: () => page.lines,
    },
    {
      name: `${engine}: an object of each record`,
      run(out) {
        slice(slicers, page, (batch) => {
          for (let i = 0; i < batch.count; i++) if (batch.parse(i) !== null) out.records++
        })
      },
    },
    {
      name: 'records(): an object of each record',
      async run(out) {
        for await (const record of records({ input: chunksOf(page.bytes) })) if (record.id !== '') out.records++
      },
    },
    {
      name: `records() with fields ${projected.join(', ')}`,
      async run(out) {
        for await (const record of records({ input: chunksOf(page.bytes), fields: projected })) {
          if (record.id !== '') out.records++
        }
      },
    },
  ]
}

function* chunksOf(bytes: Buffer): Generator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
}

function slice(slicers: SlicerFactory, page: Page, take: (batch: RecordBatch) => void, withFields = false): void {
  const slicer = slicers({ ...limits, withFields })
  const { bytes } = page
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    for (const batch of slicer.push(bytes.subarray(at, at + chunkBytes))) take(batch)
  }
  for (const batch of slicer.end()) take(batch)
}

/** One measured run. Counts are compared every time: they cost nothing. */
function runCounted(route: Route, page: Page): void | Promise<void> {
  const out = new Output(false)
  const done = (): void => expectRecords(route, out, page)
  const work = route.run(out)
  return work === undefined ? done() : work.then(done)
}

/** One run of which every byte is compared. */
async function check(route: Route, page: Page): Promise<void> {
  const out = new Output(route.expected !== undefined)
  await route.run(out)
  expectRecords(route, out, page)
  if (route.expected === undefined) return
  const [made, expected] = [Buffer.concat(out.kept!), route.expected()]
  if (made.equals(expected)) return
  const values = (lines: Buffer): string[] =>
    lines
      .toString()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.stringify(JSON.parse(line)))
  const [madeValues, expectedValues] = [values(made), values(expected)]
  const at = expectedValues.findIndex((value, i) => value !== madeValues[i])
  if (!route.isReprinted || at >= 0)
    throw new Error(`${route.name} of ${task.shape}: other bytes than expected, record ${at}`)
}

function expectRecords(route: Route, { records }: Output, { texts }: Page): void {
  if (records !== texts.length) throw new Error(`${route.name} of ${task.shape}: ${records} of ${texts.length} records`)
}
