// A Transform of the user in the way of the batches: whether it can be used, and what it is to blame for. Not by way of
// `pipeline`: that pipes, so that a `_transform` that throws can end the process, and one that ends early or is
// destroyed comes out as an abort by nobody.

import type { Duplex } from 'node:stream'
import { untilAbort } from '../abort.js'
import { ConfigError, ExportError, InternalError } from '../errors.js'
import { RecordBatch } from '../record.js'

/** Those that a call has, or had. */
const taken = new WeakSet<Duplex>()

/** Takes a Transform for one call. Returns what gives it back, if nothing has gone through it by then.
 *  @throws ConfigError ERR_OPTION_INVALID where it is none, or has been used */
export function takeTransform(transform: Duplex): () => void {
  if (isWebStream(transform)) {
    throw refused('is a Web stream', 'pass Duplex.fromWeb(transform, { objectMode: true }) of node:stream')
  }
  if (!isDuplex(transform)) {
    const what = transform === null ? 'null' : `of type ${typeof transform}`
    throw refused(`is ${what}`, 'pass a function from record to record, or a Transform over RecordBatches')
  }
  if (taken.has(transform) || !isUnused(transform)) {
    throw refused('has been used', 'a stream can be used once: make a new one for each call')
  }
  if (!transform.writableObjectMode || !transform.readableObjectMode) {
    throw refused('is not in object mode', 'RecordBatches go through it: give its constructor objectMode: true')
  }
  taken.add(transform)
  return () => {
    if (isUnused(transform)) taken.delete(transform)
  }
}

/** @throws ConfigError ERR_OPTION_INVALID where it is a generator: what that returns is no record, but looks like one
 *  without fields */
export function checkFunction(transform: object): void {
  if (!/GeneratorFunction\]$/.test(Object.prototype.toString.call(transform))) return
  throw refused('is a generator', 'pass Duplex.from(transform) of node:stream for a step over RecordBatches')
}

function refused(what: string, hint: string): ConfigError {
  return new ConfigError('ERR_OPTION_INVALID', `the given transform ${what}`, { hint })
}

function isWebStream(value: unknown): boolean {
  const { readable, writable } = (value ?? {}) as { readable?: unknown; writable?: unknown }
  return typeof readable === 'object' && typeof writable === 'object'
}

function isDuplex(value: unknown): boolean {
  const { read, write, destroy } = (value ?? {}) as { read?: unknown; write?: unknown; destroy?: unknown }
  return [read, write, destroy].every((method) => typeof method === 'function')
}

/** Whether nothing has gone into it or come out, nobody pipes into it, and it still works. */
function isUnused(transform: Duplex): boolean {
  const { writable, readable, destroyed, writableLength, readableLength, readableDidRead } = transform
  if (!writable || !readable || destroyed || readableDidRead) return false
  return writableLength === 0 && readableLength === 0 && transform.listenerCount('unpipe') === 0
}

/**
 * What `transform` makes of `batches`, which own their bytes on the way in, since a stream keeps them. It gets a batch
 * when it is done with the one before.
 * @throws InternalError where it fails, is destroyed, or ends before the batches do; what `batches` throws; the
 * signal's reason
 */
export async function* through(
  batches: AsyncGenerator<RecordBatch, void, undefined>,
  transform: Duplex,
  signal: AbortSignal | undefined,
): AsyncGenerator<RecordBatch, void, undefined> {
  const feeder = new Feeder(batches, transform)
  // an error comes out of the iteration; one that comes after it is nobody's business
  transform.on('error', () => {})
  let isWhole = false
  try {
    const results = iteratorOf(transform)
    void feeder.run()
    for (;;) {
      // it may never call back
      const { done, value } = await untilAbort(results.next(), signal)
      if (done) break
      if (!(value instanceof RecordBatch)) {
        throw new InternalError('ERR_INTERNAL', `the given transform gave ${typeof value}, not a RecordBatch`)
      }
      // what it made of a batch may have come with what was known of that
      yield value.isWellFormed ? new RecordBatch({ ...value, isWellFormed: false }) : value
    }
    if (!feeder.isDone) {
      throw new InternalError('ERR_INTERNAL', 'the given transform ended before the records did', {
        hint: 'it has to take all of them; to stop early, leave the loop over records()',
      })
    }
    isWhole = true
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw feeder.failure === null ? blamed(error, transform) : feeder.failure.error
  } finally {
    // it may be slow to be destroyed, so only the source is waited for; and the first error stays the error
    if (!isWhole) transform.destroy()
    await batches.return().catch((error: unknown) => {
      if (isWhole) throw error
    })
  }
}

/** Ended early, it leaves the Transform as it is: its other side may not have finished yet. */
function iteratorOf(transform: Duplex): AsyncIterator<unknown> {
  // older versions of the package readable-stream have no such method
  return transform.iterator?.({ destroyOnReturn: false }) ?? transform[Symbol.asyncIterator]()
}

/** Writes the batches, one at a time: what `_transform` throws is then always thrown here. */
class Feeder {
  /** Whether the Transform has taken all of them. */
  isDone = false
  /** What went wrong with the batches themselves. */
  failure: { readonly error: unknown } | null = null
  readonly #batches: AsyncGenerator<RecordBatch, void, undefined>
  readonly #transform: Duplex

  constructor(batches: AsyncGenerator<RecordBatch, void, undefined>, transform: Duplex) {
    this.#batches = batches
    this.#transform = transform
  }

  /** Never rejects: what goes wrong destroys the Transform, whose results are waited for. */
  async run(): Promise<void> {
    try {
      for (let batch = await this.#next(); batch !== null; batch = await this.#next()) await this.#write(batch)
      this.isDone = true
      this.#transform.end()
    } catch (error) {
      this.#transform.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  }

  async #next(): Promise<RecordBatch | null> {
    try {
      const step = await this.#batches.next()
      return step.done ? null : step.value.own()
    } catch (error) {
      this.failure = { error }
      throw error
    }
  }

  #write(batch: RecordBatch): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#transform.write(batch, (error) => (error ? reject(error) : resolve()))
    })
  }
}

/** What the Transform is to blame for, named. */
function blamed(error: unknown, transform: Duplex): unknown {
  if (error instanceof ExportError) return error // of a Transform of ours
  const { code, message } = error as NodeJS.ErrnoException
  const isDestroyed = code === 'ERR_STREAM_PREMATURE_CLOSE' && !transform.errored
  const what = isDestroyed ? 'was destroyed before the records ended' : `failed: ${message}`
  return new InternalError('ERR_INTERNAL', `the given transform ${what}`, { cause: error })
}
