// How the bytes of an interrupted export are recognised: while they are read again, their digest goes on as if it had never stopped.

import { createHash, type Hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { type OutputProof, tailBytes } from '../checkpoint/checkpoint.js'
import { StateError } from '../errors.js'

/** Takes the first `bytes` bytes of an output, in order. */
export class ProofReader {
  readonly #bytes: number
  readonly #hash: Hash | null
  #at = 0
  #tailCrc32 = 0

  constructor(bytes: number, hasSha256: boolean) {
    this.#bytes = bytes
    this.#hash = hasSha256 ? createHash('sha256') : null
  }

  add(piece: Uint8Array): void {
    this.#hash?.update(piece)
    const tailStart = Math.max(0, this.#bytes - tailBytes - this.#at)
    if (tailStart < piece.length) this.#tailCrc32 = crc32(piece.subarray(tailStart), this.#tailCrc32)
    this.#at += piece.length
  }

  /** Of all bytes, which have been added by now. */
  proof(): OutputProof {
    return { tailCrc32: this.#tailCrc32, sha256: this.#hash?.copy().digest('hex') ?? null }
  }

  /** The running digest, to go on with; null where none was wanted. */
  get hash(): Hash | null {
    return this.#hash
  }
}

/** A reader of kept bytes that is to find them as `expected` says. @param name what messages call them */
export function checkedBy(
  reader: ProofReader,
  expected: OutputProof,
  name: string,
): (piece: Uint8Array | null) => void {
  return (piece) => {
    if (piece !== null) return reader.add(piece)
    const { tailCrc32, sha256 } = reader.proof()
    const isSame = tailCrc32 === expected.tailCrc32 && (expected.sha256 === null || sha256 === expected.sha256)
    if (!isSame) throw new StateError('ERR_STATE_OUTPUT', `${name} was changed since its checkpoint was saved`)
  }
}
