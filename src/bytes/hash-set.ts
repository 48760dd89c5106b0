// A set of 128-bit digests in typed arrays: 16 bytes a member and no object for each, so that a million of them have a
// price that can be stated.

/** Digests are given as two pairs of unsigned 32-bit words. The all-zero digest cannot be a member (2^-128 for a good
 *  hash). */
export class DigestSet {
  #words = new Uint32Array(4 * 64)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Bytes of the table. */
  get byteLength(): number {
    return this.#words.byteLength
  }

  /** Bytes of the table once another member has been added. */
  get byteLengthAfterAdd(): number {
    return this.#isFull ? this.#words.byteLength * 2 : this.#words.byteLength
  }

  has(a: number, b: number, c: number, d: number): boolean {
    const slot = findSlot(this.#words, a, b, c, d)
    return (this.#words[slot]! | this.#words[slot + 1]! | this.#words[slot + 2]! | this.#words[slot + 3]!) !== 0
  }

  /** Adds the digest; false where it was there already. */
  add(a: number, b: number, c: number, d: number): boolean {
    if (this.#isFull) this.#grow()
    const slot = findSlot(this.#words, a, b, c, d)
    if ((this.#words[slot]! | this.#words[slot + 1]! | this.#words[slot + 2]! | this.#words[slot + 3]!) !== 0)
      return false
    this.#words.set([a, b, c, d], slot)
    this.#size++
    return true
  }

  get #isFull(): boolean {
    return this.#size * 4 >= (this.#words.length / 4) * 3
  }

  #grow(): void {
    const old = this.#words
    this.#words = new Uint32Array(old.length * 2)
    for (let i = 0; i < old.length; i += 4) {
      const [a, b, c, d] = [old[i]!, old[i + 1]!, old[i + 2]!, old[i + 3]!]
      if ((a | b | c | d) !== 0) this.#words.set([a, b, c, d], findSlot(this.#words, a, b, c, d))
    }
  }
}

/** Index of the digest's words, or of the free slot where they belong. Linear probing: the digests are uniform. */
function findSlot(words: Uint32Array, a: number, b: number, c: number, d: number): number {
  const mask = words.length / 4 - 1
  for (let slot = a & mask; ; slot = (slot + 1) & mask) {
    const at = slot * 4
    const [w, x, y, z] = [words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!]
    if ((w === a && x === b && y === c && z === d) || (w | x | y | z) === 0) return at
  }
}
