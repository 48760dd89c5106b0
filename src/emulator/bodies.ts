// Bodies as sequences of buffers that are made when they are asked for: one of 5 GB costs no more memory than one of 5
// KB. Edits (insert, replace, cut) work on offsets, without looking at the bytes.

import { Readable } from 'node:stream'
import zlib from 'node:zlib'
import type { ContentEncoding } from './options.js'

/** Buffers in order, made as they are asked for. */
export type Chunks = Iterable<Buffer> | AsyncIterable<Buffer>

/** The bytes of a body. */
export interface Body {
  /** Undefined where it is known only after the last byte. */
  readonly byteLength: number | undefined
  /** The bytes, from the start at each call. Buffers belong to the body: they may be shared and must not be written
   *  to. */
  chunks(): Chunks
}

/** `bytes`, or the UTF-8 of a text. Keeps `bytes`; makes no copy. */
export function bufferBody(bytes: Uint8Array | string): Body {
  const buffer =
    typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return { byteLength: buffer.length, chunks: () => (buffer.length > 0 ? [buffer] : []) }
}

/** Several bodies, one after the other. */
export function joinBodies(parts: readonly Body[]): Body {
  let byteLength: number | undefined = 0
  for (const part of parts) {
    byteLength = byteLength === undefined || part.byteLength === undefined ? undefined : byteLength + part.byteLength
  }
  return {
    byteLength,
    async *chunks() {
      for (const part of parts) yield* part.chunks()
    },
  }
}

/** `body` with `remove` bytes at offset `at` replaced by `insert`; an offset past the end means the end. */
export function spliceBody(body: Body, at: number, remove: number, insert: Buffer): Body {
  const { byteLength } = body
  const place = byteLength === undefined ? at : Math.min(at, byteLength)
  const removed = byteLength === undefined ? remove : Math.min(remove, byteLength - place)
  return {
    byteLength: byteLength === undefined ? undefined : byteLength - removed + insert.length,
    async *chunks() {
      let offset = 0
      let isInserted = false
      for await (const chunk of body.chunks()) {
        const end = offset + chunk.length
        if (offset < place) yield chunk.subarray(0, Math.min(chunk.length, place - offset))
        if (!isInserted && end >= place) {
          isInserted = true
          yield insert
        }
        if (end > place + removed) yield chunk.subarray(Math.max(0, place + removed - offset))
        offset = end
      }
      if (!isInserted) yield insert
    },
  }
}

/** All bytes of `body` in one buffer. */
export async function collect(body: Body): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of body.chunks()) chunks.push(chunk)
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

/** `body`, compressed; a long one while it is being sent. */
export function encodeBody(body: Body, encoding: ContentEncoding): Body {
  if (encoding === 'identity') return body
  return {
    byteLength: undefined,
    chunks() {
      const compressor =
        encoding === 'gzip'
          ? zlib.createGzip({ level: 1 })
          : encoding === 'deflate'
            ? zlib.createDeflate({ level: 1 })
            : zlib.createBrotliCompress({ params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 2 } })
      // An error of the source is none of the compressor's: it ends the compressor, and with it the loop that reads.
      const source = Readable.from(body.chunks(), { objectMode: false })
      source.on('error', (error) => compressor.destroy(error))
      compressor.on('close', () => source.destroy())
      return source.pipe(compressor) as AsyncIterable<Buffer>
    },
  }
}

/** The same bytes in pieces whose sizes are given: `sizeAt(offset)` is the size of the piece that begins there; only
 *  the last is shorter. Copies only where a piece spans two chunks. */
export async function* rechunk(
  chunks: Chunks,
  sizeAt: (offset: number) => number,
): AsyncGenerator<Buffer, void, undefined> {
  let offset = 0
  let held: Buffer[] = []
  let heldBytes = 0
  let want = sizeAt(0)
  for await (const chunk of chunks) {
    let at = 0
    while (at < chunk.length) {
      const take = Math.min(want - heldBytes, chunk.length - at)
      held.push(chunk.subarray(at, at + take))
      heldBytes += take
      at += take
      if (heldBytes < want) continue
      yield held.length === 1 ? held[0]! : Buffer.concat(held)
      offset += heldBytes
      held = []
      heldBytes = 0
      want = sizeAt(offset)
    }
  }
  if (heldBytes > 0) yield Buffer.concat(held)
}
