// A saved page or an NDJSON file as a source: the same slicer and the same proofs, without a server. What `truto-export convert` reads.

import { open } from 'node:fs/promises'
import { MiB } from '../bytes/units.js'
import { ConfigError } from '../errors.js'
import type { RecordBatch } from '../record.js'
import { PagedSource, type RecordSource, type SourceOptions } from './source.js'

export interface BodySourceOptions extends SourceOptions {
  /** Every top-level value is a record. Default: true for a path that ends in `.ndjson` or `.jsonl`. */
  isNdjson?: boolean
  /** Whether the records have the shape of their resource's declared schema: what only the caller can know. Default: false. */
  isUnified?: boolean
}

/** A path, or bytes as they come: anything that is iterated as chunks, such as a Readable or a Web ReadableStream. Chunks are only read. */
export type BodyInput = string | URL | Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** Reads one body. */
export class BodySource extends PagedSource {
  readonly #input: BodyInput
  readonly #isNdjson: boolean

  constructor(input: BodyInput, options: BodySourceOptions = {}) {
    super(options, false)
    this.#input = input
    this.reader.outcome.isUnified = options.isUnified ?? false
    const name = typeof input === 'string' || input instanceof URL ? String(input) : ''
    this.#isNdjson = options.isNdjson ?? /\.(ndjson|jsonl)$/i.test(name)
  }

  async *read(): AsyncGenerator<RecordBatch, void, undefined> {
    const { outcome, options } = this.reader
    const body = abortable(chunksOf(this.#input), options.signal)
    const facts = yield* this.reader.readPage(body, 1, this.#isNdjson, (facts) => {
      outcome.framing = facts.framing
    })
    this.reader.finishPage(facts, 1)
    if (facts.nextCursor !== null) {
      outcome.complete = 'unproven'
      this.reader.warn('more-pages', 'the body names a next cursor: it is one page of a longer list')
    }
  }
}

async function* abortable(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    signal?.throwIfAborted()
    yield chunk
  }
}

async function* chunksOf(input: BodyInput): AsyncGenerator<Uint8Array> {
  if (typeof input === 'string' || input instanceof URL) yield* fileChunks(input)
  else if (input instanceof Uint8Array) yield input
  else yield* input
}

/** Bytes of one read: with a quarter of it, the trips through the thread pool took 5 % of an export to Parquet or CSV. */
const readBytes = 1 * MiB

/** A file's bytes through one buffer: each chunk is valid until the next is asked for. */
async function* fileChunks(path: string | URL): AsyncGenerator<Uint8Array> {
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(path, 'r')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new ConfigError('ERR_OPTION_INVALID', `opening ${String(path)} to read: ${reason}`, { cause: error })
  }
  try {
    const buffer = Buffer.allocUnsafeSlow(readBytes)
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

/** A saved page, or an NDJSON file, as a source like `trutoSource`: see `BodySource`. */
export function bodySource(input: BodyInput, options: BodySourceOptions = {}): RecordSource {
  return new BodySource(input, options)
}
