// How the bytes of an interrupted export are recognised: by a digest of all of them, which goes on over an interruption as if there had been none.

import { createHash, type Hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { OutputProof } from '../checkpoint/checkpoint.js'
import { StateError } from '../errors.js'

/** Takes the bytes of an output in order, from the first one on. */
export class RunningProof {
  #hash: Hash | null
  #crc32: number | null

  /** @param kinds what the digest consists of. A CRC costs next to nothing; it tells changes apart, and is no proof against who wants to deceive. */
  constructor(kinds: { readonly sha256: boolean; readonly crc32: boolean }) {
    this.#hash = kinds.sha256 ? createHash('sha256') : null
    this.#crc32 = kinds.crc32 ? 0 : null
  }

  add(bytes: Uint8Array): void {
    this.#hash?.update(bytes)
    if (this.#crc32 !== null) this.#crc32 = crc32(bytes, this.#crc32)
  }

  /** Lowercase hex; null where there is none. */
  sha256(): string | null {
    return this.#hash?.copy().digest('hex') ?? null
  }

  /** Of the bytes so far. */
  proof(): OutputProof {
    return { crc32: this.#crc32, sha256: this.sha256() }
  }

  /** Leaves off what is not needed to go on: one of the two. */
  settle(hasDigest: boolean): void {
    if (hasDigest) this.#crc32 = null
    else this.#hash = null
  }
}

/** A reader of kept bytes that is to find them as `expected` says. @param name what messages call them */
export function checkedBy(
  reader: RunningProof,
  expected: OutputProof,
  name: string,
): (piece: Uint8Array | null) => void {
  return (piece) => {
    if (piece !== null) return reader.add(piece)
    const found = reader.proof()
    const isSame = (kind: 'crc32' | 'sha256'): boolean => expected[kind] === null || found[kind] === expected[kind]
    if (!isSame('crc32') || !isSame('sha256'))
      throw new StateError('ERR_STATE_OUTPUT', `${name} was changed since its checkpoint was saved`)
  }
}
