// Question: what does it cost to turn one JSON page into NDJSON, or into what else a user may ask for, per engine and
// per shape of record? Variants: every engine over a page in 64 KiB chunks, its NDJSON counted and dropped; on members
// also the default engine with fields excluded, keyed, with copies and with objects for user code. Beside them, in the
// same process and on the same records, JSON.parse of each record: the ruler, what any route that makes objects pays
// first; and what one would write with JSON.parse and JSON.stringify alone. Check: before anything is timed, every byte
// of every route is compared with what it must be (the two libraries print anew: value by value there). Not measured:
// network, disk, the start of a process. Each shape has its own process, so that what one shape taught the JIT does not
// touch the next, under --no-flush-bytecode: while the slow variants run, the quick ones would lose code that a long
// export keeps. Read it as: "times faster" is the ruler's CPU time in the same round divided by the variant's; median
// and range over the rounds.

import type { EnginesTask, ShapeSamples } from './child-engines.js'
import { shapes } from './inputs.js'
import type { KeptRun, Rendered } from './kept.js'
import { cpuOf, ratios, show, spread, table } from './measure.js'
import { runScript } from './process.js'
import { drawBars } from './svg.js'

export interface EnginesSettings {
  megabytes: number
  warmUps: number
  rounds: number
}

const nodeFlags = ['--no-flush-bytecode']

export async function measureEngines(
  run: KeptRun,
  { megabytes, warmUps, rounds }: EnginesSettings,
  log: (line: string) => void,
): Promise<void> {
  for (const { name } of shapes) {
    if (run.load(name) !== undefined) {
      log(`engines, ${name}: kept from before`)
      continue
    }
    const task: EnginesTask = { shape: name, bytes: megabytes * 1e6, warmUps, rounds }
    const { bytes, records, samples } = await runScript<ShapeSamples>('child-engines', [JSON.stringify(task)], {
      flags: nodeFlags,
      onStderr: (line) => log(`engines, ${name}: ${line}`),
    })
    run.save(name, { bytes, records, samples })
  }
}

export function renderEngines(run: KeptRun): Rendered {
  const measured = shapes.flatMap((shape) => {
    const result = run.load<ShapeSamples>(shape.name)
    return result === undefined ? [] : [{ ...shape, ...result }]
  })
  const engines = enginesOf(measured[0])
  const inDetail = measured.filter(({ name }) => name.startsWith('members'))
  const sections = inDetail.map(
    ({ name, doc, ...result }) =>
      `### Routes: ${name} (${doc}; ${sizeOf(result)})\n\n${table(
        ['route', 'times faster than JSON.parse of each record', 'MB/s of CPU time', 'CPU ms'],
        rowsOf(result),
      )}`,
  )
  const shapeRows = measured.map(({ name, doc, ...result }) => [
    `${name}: ${doc}; ${Math.round(result.bytes / result.records)} bytes a record`,
    ...engines.map((engine) => timesFaster(result, sliceRoute(engine))),
  ])
  sections.push(
    `### Shapes: slice to NDJSON, times faster than JSON.parse of each record\n\n${table(['shape', ...engines], shapeRows)}`,
  )
  const plots: Rendered['plots'] = {}
  for (const { name, doc, ...result } of inDetail) {
    plots[`engines-${name}`] = drawBars({
      title: `${name} (${doc}) to NDJSON and more, MB/s of CPU time`,
      groups: Object.entries(result.samples).map(([label, samples]) => ({
        label,
        bars: [{ series: '', value: result.bytes / 1e3 / spread(samples.map(cpuOf)).median }],
      })),
    })
  }
  plots['engines-shapes'] = drawBars({
    title: 'Slice to NDJSON: times faster than JSON.parse of each record',
    groups: measured.map(({ name, ...result }) => ({
      label: name,
      bars: engines.map((engine) => ({
        series: engine,
        value: ratios(result.samples[ruler(result)]!, result.samples[sliceRoute(engine)]!, cpuOf).median,
      })),
    })),
  })
  return { markdown: sections.join('\n\n'), plots }
}

/** Name of the route of an engine that slices to NDJSON. */
export const sliceRoute = (engine: string): string => `${engine}${sliceSuffix}`
const sliceSuffix = ': slice to NDJSON'

/** The engines that a result has, default first. */
export function enginesOf(result: ShapeSamples | undefined): string[] {
  const routes = Object.keys(result?.samples ?? {}).filter((route) => route.endsWith(sliceSuffix))
  return routes.map((route) => route.slice(0, -sliceSuffix.length))
}

/** How much less CPU a route takes than the ruler, as text. */
export function timesFaster(result: ShapeSamples, route: string): string {
  return show(ratios(result.samples[ruler(result)]!, result.samples[route]!, cpuOf))
}

export const sizeOf = ({ bytes, records }: { bytes: number; records: number }): string =>
  `${(bytes / 1e6).toFixed(0)} MB, ${records} records of ${Math.round(bytes / records)} bytes`

const ruler = ({ samples }: ShapeSamples): string => Object.keys(samples)[0]!

function rowsOf(result: ShapeSamples): string[][] {
  return Object.entries(result.samples).map(([name, samples]) => {
    const cpuMs = spread(samples.map(cpuOf))
    return [name, timesFaster(result, name), (result.bytes / 1e3 / cpuMs.median).toFixed(0), show(cpuMs, 1)]
  })
}
