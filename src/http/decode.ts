// Content decoding. We do it ourselves because the HTTP clients of Node take a cut gzip body for a whole one
// (undici#2126). Streaming and with the decoder's own backpressure: however much a few bytes unfold to, only one chunk
// of it is held.

import { pipeline } from 'node:stream'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import * as zlib from 'node:zlib'
import { KiB, MiB } from '../bytes/units.js'
import { DataError, RequestError, UpstreamError } from '../errors.js'

/** `zstd` is for files alone, one frame at a time: it is never asked of a server. */
export type Coding = 'gzip' | 'deflate' | 'br' | 'zstd'
type Decoder = zlib.Gunzip | zlib.BrotliDecompress

const { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } = zlib
/** In Node.js since 22.15; the type declarations of Node.js 20 do not have it. */
const { createZstdDecompress } = zlib as unknown as { createZstdDecompress: typeof createGunzip }

const maxLayers = 2
const chunkSize = 64 * KiB
/** By the high-water mark a decoder is done with each chunk when it asks for the next. */
const decoderOptions = { chunkSize, writableHighWaterMark: 1 }
/** What less than this unfolds from does not matter, and over a few bytes a ratio says nothing. */
const judgedFromBytes = 1 * MiB

/** What stands in the header of bodies that are not encoded at all: no coding, or the name of something else. Those of
 *  a character set do no harm, since text is checked to be UTF-8 later on. */
const noCodings: ReadonlySet<string> = new Set([
  ...['', 'identity', 'none', 'null', 'plain', 'text', 'json', 'binary', '7bit', '8bit', 'chunked'],
  ...['utf-8', 'utf8', 'utf_8', 'unicode', 'unicode-1-1-utf-8', 'ascii', 'us-ascii'],
])

/**
 * The codings of a `Content-Encoding`, the one to undo first in front.
 * @throws RequestError ERR_ENCODING_UNSUPPORTED for an unknown coding or more than two
 */
export function parseContentEncoding(value: string | null): Coding[] {
  const names = (value ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim().replace(/^"(.*)"$/, '$1'))
    .filter((name) => !noCodings.has(name))
  if (names.length > maxLayers) {
    throw new RequestError(
      'ERR_ENCODING_UNSUPPORTED',
      `the body is encoded ${names.length} times over, at most ${maxLayers}`,
    )
  }
  return names.reverse().map((name) => {
    if (name === 'gzip' || name === 'x-gzip') return 'gzip'
    if (name === 'deflate' || name === 'br') return name
    throw new RequestError('ERR_ENCODING_UNSUPPORTED', `the body is encoded as ${JSON.stringify(name.slice(0, 40))}`)
  })
}

/** Bytes that come over time, each chunk valid until the next is asked for, and how to do without the rest of them:
 *  `cancel` makes a waiting `next()` reject, and does nothing at the end. */
export interface CancellableBody extends AsyncIterable<Uint8Array> {
  /** Told where it matters whether the reader of what is decoded is at work on a chunk. */
  isReaderBusy?: boolean
  cancel(): void
}

/**
 * `body` with `codings` undone, one after the other; each chunk, too, is valid until the next is asked for. Leaving the
 * result early cancels `body`.
 * @param maxRatio how many times its encoded bytes the body may be, from its first MiB on
 */
export function decodeBody(
  body: CancellableBody,
  codings: readonly Coding[],
  maxRatio = Number.POSITIVE_INFINITY,
): AsyncIterable<Uint8Array> {
  const bound = new RatioBound(maxRatio)
  const decoded = codings.reduce<AsyncIterable<Uint8Array>>(
    (inner, coding) => decodeLayer(inner, coding, body, bound),
    body,
  )
  return codings.length === 0 ? body : tellingBusy(decoded, body)
}

async function* tellingBusy(decoded: AsyncIterable<Uint8Array>, wire: CancellableBody): AsyncGenerator<Uint8Array> {
  for await (const chunk of decoded) {
    wire.isReaderBusy = true
    yield chunk
    wire.isReaderBusy = false
  }
}

/** Holds what comes out of each layer against what the first one has taken in, which may be far less than what has
 *  arrived. */
class RatioBound {
  readonly #maxRatio: number
  #first: Decoder | undefined

  constructor(maxRatio: number) {
    this.#maxRatio = maxRatio
  }

  /** The layers come in their order: the first one is the first to know its decoder. */
  add(decoder: Decoder): void {
    this.#first ??= decoder
  }

  /** @throws DataError ERR_LIMIT */
  check(decodedBytes: number): void {
    if (decodedBytes < judgedFromBytes || decodedBytes <= this.#maxRatio * this.#first!.bytesWritten) return
    throw new DataError('ERR_LIMIT', `the body unfolds to more than ${this.#maxRatio} times what was sent`, {
      hint: 'raise --max-decoded-ratio if the server can be trusted',
    })
  }
}

/**
 * @throws DataError ERR_LIMIT where `bound` is passed
 * @throws UpstreamError ERR_BODY_TRUNCATED where the encoded stream stops before its end mark, ERR_BODY_CORRUPT where
 * it is damaged or has something after its end; and whatever `body` throws
 */
async function* decodeLayer(
  body: AsyncIterable<Uint8Array>,
  coding: Coding,
  wire: CancellableBody,
  bound: RatioBound,
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = body[Symbol.asyncIterator]()
  const first = await iterator.next()
  const decoder = createDecoder(coding, first.done ? undefined : first.value)
  bound.add(decoder)
  let fedBytes = 0
  let decodedBytes = 0
  let sourceError: unknown
  const feed = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (let result = first; !result.done; result = await iterator.next()) {
        fedBytes += result.value.length
        yield result.value
      }
    } catch (error) {
      sourceError = error
      throw error
    }
  }
  const fed = new Promise<Error | undefined>((resolve) =>
    pipeline(feed, decoder, (error) => resolve(error ?? undefined)),
  )
  try {
    // Not destroyed at its end: a decoder is done with reading at its end mark, and what may follow that has still to
    // be fed.
    for await (const chunk of decoder.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      decodedBytes += chunk.length
      bound.check(decodedBytes)
      yield chunk
      freeSpent(chunk)
    }
    const error = await fed
    if (error !== undefined) throw error
  } catch (error) {
    if (error instanceof DataError) throw error
    throw sourceError ?? decodingError(coding, error)
  } finally {
    decoder.destroy()
    // Left early or failed: the feeder may be waiting for bytes, and only the wire itself can end that.
    wire.cancel()
    await fed
  }
  // zlib stops in silence at a zero byte after a gzip member, even if another member follows, and after the end of a
  // deflate or brotli stream.
  if (decoder.bytesWritten !== fedBytes) {
    const surplus = fedBytes - decoder.bytesWritten
    throw new UpstreamError('ERR_BODY_CORRUPT', `the ${coding} body has ${surplus} bytes behind its end`)
  }
}

function createDecoder(coding: Coding, first: Uint8Array | undefined): Decoder {
  if (coding === 'gzip') return createGunzip(decoderOptions)
  if (coding === 'br') return createBrotliDecompress(decoderOptions)
  if (coding === 'zstd') return createZstdDecompress(decoderOptions)
  // "deflate" is the zlib format (RFC 9110 §8.4.1.2), but some servers send it without its header, whose low four bits
  // are 8 (RFC 1950 §2.2).
  const isZlib = first === undefined || ((first[0] ?? 0) & 0x0f) === 8
  return isZlib ? createInflate(decoderOptions) : createInflateRaw(decoderOptions)
}

let nowhere: MessagePort | undefined

/** Frees the buffer of a chunk that has been read, where the decoder has gone on to its next one: it may still write
 *  after a chunk that ends earlier. Detached by being sent to a port that nobody listens on, the memory goes at once.
 *  V8 lets some 32 MiB of such buffers gather before it looks for them. */
function freeSpent({ buffer, byteOffset, length }: Buffer): void {
  if (buffer.byteLength !== chunkSize) return // a part of Node's pool, where a user's `Buffer.poolSize` has made that large
  if (byteOffset + length !== chunkSize) return
  if (nowhere === undefined) {
    nowhere = new MessageChannel().port1
    nowhere.close()
  }
  nowhere.postMessage(undefined, [buffer as ArrayBuffer])
}

function decodingError(coding: string, cause: unknown): UpstreamError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'Z_BUF_ERROR') {
    return new UpstreamError('ERR_BODY_TRUNCATED', `the ${coding} body stops before its end mark`, { cause })
  }
  const text = cause instanceof Error ? cause.message : String(cause)
  return new UpstreamError('ERR_BODY_CORRUPT', `the body is not valid ${coding}: ${text}`, { cause })
}
