// A small integer-hash generator: every (seed, index, stream) has its own sequence, so that record 9,999,999 costs no
// more than record 0 and nothing needs to be kept.

/** A sequence of 32-bit numbers that depends on its three arguments alone. Mixing function: splitmix32 (the finalizer
 *  of MurmurHash3). */
export class Dice {
  #state: number

  /** @param index any integer, `0 <= index < 2^53`
   *  @param stream keeps sequences of one index apart */
  constructor(seed: number, index: number, stream = 0) {
    const high = Math.floor(index / 0x1_0000_0000)
    this.#state =
      mix(mix(mix(seed ^ 0x9e3779b9) ^ index) ^ Math.imul(high + 1, 0x85ebca6b)) ^ Math.imul(stream, 0xc2b2ae35)
  }

  /** The next number, `0 <= n < 2^32`. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0
    return mix(this.#state) >>> 0
  }

  /** The next integer, `0 <= n < bound`. */
  below(bound: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * bound)
  }

  /** True once in `n` on average. */
  oneIn(n: number): boolean {
    return this.below(n) === 0
  }

  /** One of `list`, which is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  /** `length` lower-case hexadecimal digits. */
  hex(length: number): string {
    let text = ''
    while (text.length < length) text += this.next().toString(16).padStart(8, '0')
    return text.slice(0, length)
  }

  /** `length` decimal digits, the first not 0. */
  digits(length: number): string {
    let text = `${1 + this.below(9)}`
    while (text.length < length) text += this.below(10)
    return text
  }
}

function mix(value: number): number {
  let mixed = value | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return mixed ^ (mixed >>> 15)
}
