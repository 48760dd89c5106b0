// How the bytes of an interrupted export are recognised where they can be read again: by a digest of all of them, which
// goes on over an interruption as if there had been none. The tokens of places on file systems and in memory are made
// of it.

import { createHash, type Hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { count, object, orNull, text } from '../checkpoint/fields.js'
import { StateError } from '../errors.js'
import type { JsonValue } from '../record.js'
import type { WriterNeeds } from './destination.js'

/** What is kept: so many bytes, and what all of them are recognised by, one of the two at least. */
export interface BytesToken {
  readonly bytes: number
  /** CRC-32 (zlib); null where there is a SHA-256. */
  readonly crc32: number | null
  /** Lowercase hex; null where no digest was wanted. */
  readonly sha256: string | null
}

/** A token that was read from a checkpoint. @param name what messages call what is kept. @throws StateError
 *  ERR_STATE_CORRUPT */
export function bytesTokenOf(value: JsonValue, name: string): BytesToken {
  try {
    const fields = object(value, 'kept')
    const token = {
      bytes: count(fields, 'bytes'),
      crc32: orNull(fields, 'crc32', count),
      sha256: orNull(fields, 'sha256', text),
    }
    if (token.crc32 === null && token.sha256 === null) throw new Error('kept has no digest')
    return token
  } catch (error) {
    throw new StateError(
      'ERR_STATE_CORRUPT',
      `what the checkpoint of ${name} tells cannot be read: ${(error as Error).message}`,
    )
  }
}

/** Takes the bytes of an output in order, from the first one on. A CRC costs next to nothing; it tells changes apart,
 *  and is no proof against who wants to deceive. */
export class RunningProof {
  #hash: Hash | null
  #crc32: number | null
  #bytes = 0

  private constructor(kinds: { readonly sha256: boolean; readonly crc32: boolean }) {
    this.#hash = kinds.sha256 ? createHash('sha256') : null
    this.#crc32 = kinds.crc32 ? 0 : null
  }

  /** Of an output that begins. */
  static for({ digest = false, tokens = false }: WriterNeeds): RunningProof {
    return new RunningProof({ sha256: digest, crc32: tokens && !digest })
  }

  /** Of an output that is resumed, which is to be shown all that was kept: it takes what the token was made of, and a
   *  digest where one is wanted. */
  static like({ sha256, crc32 }: BytesToken, { digest = false }: WriterNeeds): RunningProof {
    return new RunningProof({ sha256: digest || sha256 !== null, crc32: crc32 !== null || !digest })
  }

  /** Another that begins, with the same digests. */
  fresh(): RunningProof {
    return new RunningProof({ sha256: this.#hash !== null, crc32: this.#crc32 !== null })
  }

  /** Bytes that it has taken. */
  get bytes(): number {
    return this.#bytes
  }

  add(bytes: Uint8Array): void {
    this.#bytes += bytes.length
    this.#hash?.update(bytes)
    if (this.#crc32 !== null) this.#crc32 = crc32(bytes, this.#crc32)
  }

  /** Lowercase hex; null where there is none. */
  sha256(): string | null {
    return this.#hash?.copy().digest('hex') ?? null
  }

  /** Of the bytes so far. */
  token(): BytesToken & { readonly [name: string]: JsonValue } {
    return { bytes: this.#bytes, crc32: this.#crc32, sha256: this.sha256() }
  }

  /** All that was kept has been shown to it: leaves off what is not needed to go on. @throws StateError
   *  ERR_STATE_OUTPUT where that is not what was kept */
  settle(expected: BytesToken, { digest = false }: WriterNeeds, name: string): void {
    if (!this.isOf(expected))
      throw new StateError('ERR_STATE_OUTPUT', `${name} was changed since its checkpoint was saved`)
    if (digest) this.#crc32 = null
    else this.#hash = null
  }

  /** Whether what it was shown is what a token tells of. */
  isOf(expected: BytesToken): boolean {
    const found = this.token()
    return (['bytes', 'crc32', 'sha256'] as const).every(
      (kind) => expected[kind] === null || found[kind] === null || found[kind] === expected[kind],
    )
  }
}
