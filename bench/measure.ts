// How everything in this folder measures: variants run interleaved in one go (A B C, A B C, …), in CPU time, and each
// is reported as its ratio to the baseline of the same round, as the median with the smallest and the largest. Absolute
// figures say little on a shared machine; ratios hold.

/** One measured run of a variant. */
export interface Sample {
  /** User and system time, in ms. */
  cpuMs: number
  wallMs: number
  /** Peak resident set of the process that did the work, in bytes; absent for variants in this process. */
  peakRssBytes?: number
}

/** Work that is measured in this process. It throws where its result is wrong. */
export interface Variant {
  name: string
  run(): void | Promise<void>
}

export interface InterleaveOptions {
  /** Rounds that are not counted: code is compiled, memory is mapped. */
  warmUps: number
  /** Rounds that are counted. */
  rounds: number
  /** A variant repeats its work within a round until it takes about so long, so that the clock is fine enough for
   *  it. */
  minMs: number
  progress: (line: string) => void
}

/** Runs every variant once per round, and gives its samples by name. What takes less than `minMs` first runs once
 *  uncounted in each round, so that it does not pay for the garbage of the variant before it. Heaps are not collected
 *  on purpose: V8 then throws code away that a long export keeps, and the engines measured half as fast. */
export async function interleave(
  variants: readonly Variant[],
  { warmUps, rounds, minMs, progress }: InterleaveOptions,
): Promise<Record<string, Sample[]>> {
  const samples: Record<string, Sample[]> = Object.fromEntries(variants.map(({ name }) => [name, []]))
  const repeats = new Map<string, number>()
  for (let round = 1 - warmUps; round <= rounds; round++) {
    for (const variant of variants) {
      const sample = await timed(variant, repeats.get(variant.name) ?? 1)
      if (round > 0) samples[variant.name]!.push(sample)
      else repeats.set(variant.name, Math.min(64, Math.ceil(minMs / Math.max(sample.cpuMs, 0.1))))
    }
    progress(round > 0 ? `round ${round} of ${rounds}` : `warm-up ${round + warmUps} of ${warmUps}`)
  }
  return samples
}

async function timed(variant: Variant, repeats: number): Promise<Sample> {
  if (repeats > 1) await variant.run()
  const cpu = process.cpuUsage()
  const start = performance.now()
  for (let i = 0; i < repeats; i++) {
    const work = variant.run()
    if (work !== undefined) await work
  }
  const wallMs = (performance.now() - start) / repeats
  const { user, system } = process.cpuUsage(cpu)
  return { cpuMs: (user + system) / 1000 / repeats, wallMs }
}

export interface Spread {
  median: number
  min: number
  max: number
}

/** @param values at least one */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}

/** `value` of `of` over `value` of `to`, round by round, as far as both have samples. */
export function ratios<T>(of: readonly T[], to: readonly T[], value: (sample: T) => number): Spread {
  return spread(of.slice(0, to.length).map((sample, i) => value(sample) / value(to[i]!)))
}

export const cpuOf = (sample: Sample): number => sample.cpuMs

/** Median, then smallest and largest; one number where there was one sample. */
export function show({ median, min, max }: Spread, digits = 2): string {
  const text = median.toFixed(digits)
  return min === max ? text : `${text} (${min.toFixed(digits)}–${max.toFixed(digits)})`
}

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}
