// Inputs under gzip or zstd. Loaded where there is one: the codecs are none of what a plain file needs.

import * as zlib from 'node:zlib'
import { ConfigError, UpstreamError } from '../errors.js'
import { type CancellableBody, decodeBody } from '../http/decode.js'
import type { Packing } from './kinds.js'
import { FrameCutter } from './zstd-frames.js'

/** The bytes inside. @throws UpstreamError where they are cut or damaged; ConfigError ERR_RUNTIME_MISSING */
export function unpack(bytes: AsyncIterable<Uint8Array>, packing: Packing, name: string): AsyncIterable<Uint8Array> {
  return packing === 'gzip' ? decodeBody(cancellable(bytes), ['gzip']) : unpackedZstd(cancellable(bytes), name)
}

/** As the decoder wants it. A file is not waited for, and what is waited for ends with the signal. */
function cancellable(bytes: AsyncIterable<Uint8Array>): CancellableBody {
  return { [Symbol.asyncIterator]: () => bytes[Symbol.asyncIterator](), cancel() {} }
}

/** Whether this Node.js has zstd. */
export const hasZstd = 'createZstdDecompress' in zlib

/** As `unpack`, frame by frame, so that all of them are read and each is whole, whatever the version of Node.js. At the
 *  end, or where the result is left early, `bytes` is cancelled. */
export async function* unpackedZstd(bytes: CancellableBody, name: string): AsyncGenerator<Uint8Array, void, undefined> {
  if (!hasZstd) {
    throw new ConfigError(
      'ERR_RUNTIME_MISSING',
      `${name} is compressed with zstd, which needs node:zlib of Node.js 22.15 or newer; this is ${process.version}`,
      { hint: 'use a newer Node.js, or unpack it: zstd -dc FILE | truto-export convert -' },
    )
  }
  const iterator = bytes[Symbol.asyncIterator]()
  const cutter = new FrameCutter()
  let left: Uint8Array | null = null
  const next = async (): Promise<Uint8Array | null> => {
    const held = left
    left = null
    if (held !== null) return held
    const result = await iterator.next()
    return result.done ? null : result.value
  }
  /** The rest of the frame in hand, from `first` on. */
  const frame = async function* (first: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
    for (let chunk: Uint8Array | null = first; chunk !== null; chunk = await next()) {
      const end = endOfFrame(cutter, chunk)
      if (end >= 0 && end < chunk.length) left = chunk.subarray(end)
      if (chunk.length > 0) yield end < 0 ? chunk : chunk.subarray(0, end)
      if (end >= 0) return
    }
    throw new UpstreamError('ERR_BODY_TRUNCATED', 'the zstd file ends inside a frame')
  }
  try {
    for (let chunk = await next(); chunk !== null; chunk = await next()) {
      if (chunk.length > 0) yield* decodeBody(cancellable(frame(chunk)), ['zstd'])
    }
  } finally {
    bytes.cancel()
  }
}

function endOfFrame(cutter: FrameCutter, chunk: Uint8Array): number {
  try {
    return cutter.endIn(chunk, 0)
  } catch (cause) {
    throw new UpstreamError('ERR_BODY_CORRUPT', (cause as Error).message, { cause })
  }
}
