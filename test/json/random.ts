// A small seeded generator for tests that need more cases than fast-check can make in the time: one number gives a case
// again.

/** Mulberry32: 32 bits of state, good enough to choose shapes. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A uniform integer in [0, 2^32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  /** A uniform integer in [0, count), count at least 1. */
  below(count: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * count)
  }

  /** A uniform integer in [first, last]. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1)
  }

  /** True in `percent` of 100 calls. */
  chance(percent: number): boolean {
    return this.next() < percent * 42_949_673
  }

  pick<T>(list: ArrayLike<T>): T {
    return list[this.below(list.length)]!
  }

  shuffle<T>(list: T[]): T[] {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      const moved = list[i]!
      list[i] = list[j]!
      list[j] = moved
    }
    return list
  }
}

/** Seed of this run: that of TRUTO_EXPORT_SEED, to see a failure again, or a new one. */
export function runSeed(): number {
  const given = process.env['TRUTO_EXPORT_SEED']
  return given === undefined ? Math.floor(Math.random() * 0x1_0000_0000) : Number(given)
}
