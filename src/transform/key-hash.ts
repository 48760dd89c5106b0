// 128-bit keyed hashes of key texts, to tell repeated keys apart without keeping the keys. Keyed with random bits, so
// that a server cannot choose keys that collide or that fill one corner of a table; computed in 32-bit arithmetic,
// because a digest of node:crypto costs more than a microsecond a call, several times this.

import { randomFillSync } from 'node:crypto'

/** Hashes texts. Two different texts get the same hash with odds of 2^-128: among 10^9 keys that is one chance in
 *  10^20. */
export class KeyHash {
  /** The four words of the last hash, unsigned. */
  readonly words = new Uint32Array(4)
  readonly #secret: Uint32Array

  /** @param secret four words; random unless a test gives them */
  constructor(secret: Uint32Array = randomFillSync(new Uint32Array(4))) {
    this.#secret = secret
  }

  /** Hashes the UTF-16 code units of `text` into `words`. */
  update(text: string): Uint32Array {
    const secret = this.#secret
    // two halves of 64 bits under independent keys
    halfSipHash(text, secret[0]!, secret[1]!, this.words, 0)
    halfSipHash(text, secret[2]!, secret[3]!, this.words, 2)
    return this.words
  }
}

/**
 * HalfSipHash-2-4 with 64 bits of output (J.-P. Aumasson, github.com/veorq/SipHash, halfsiphash.c) of the code units of
 * `text` as little-endian bytes.
 * @param out takes the two words of the hash at `at` and `at + 1`
 */
export function halfSipHash(text: string, k0: number, k1: number, out: Uint32Array, at: number): void {
  let v0 = k0 | 0
  let v1 = k1 ^ 0xee
  let v2 = k0 ^ 0x6c796765
  let v3 = k1 ^ 0x74656462
  const { length } = text
  const lastWord = length >> 1
  for (let step = 0; ; step++) {
    let message = 0
    let rounds = 4
    if (step <= lastWord) {
      message =
        step < lastWord
          ? text.charCodeAt(2 * step) | (text.charCodeAt(2 * step + 1) << 16)
          : (length << 25) | ((length & 1) === 1 ? text.charCodeAt(length - 1) : 0) // the length in bytes in the top byte
      v3 ^= message
      rounds = 2
    } else if (step === lastWord + 1) v2 ^= 0xee
    else v1 ^= 0xdd
    for (; rounds > 0; rounds--) {
      v0 = (v0 + v1) | 0
      v1 = (v1 << 5) | (v1 >>> 27)
      v1 ^= v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = (v3 << 8) | (v3 >>> 24)
      v3 ^= v2
      v0 = (v0 + v3) | 0
      v3 = (v3 << 7) | (v3 >>> 25)
      v3 ^= v0
      v2 = (v2 + v1) | 0
      v1 = (v1 << 13) | (v1 >>> 19)
      v1 ^= v2
      v2 = (v2 << 16) | (v2 >>> 16)
    }
    v0 ^= message
    if (step === lastWord + 1) out[at] = v1 ^ v3
    else if (step === lastWord + 2) {
      out[at + 1] = v1 ^ v3
      return
    }
  }
}
