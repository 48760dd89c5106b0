// Bytes that the user's own code gives as it is iterated. It may stand still for ever, which an abort has to end, and
// it may have been read before.

import { untilAbort } from '../abort.js'
import { ConfigError } from '../errors.js'

export type GivenChunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** Iterators and streams that a call had: what there was is gone, or goes to that call. */
const read = new WeakSet<object>()

/** @throws ConfigError ERR_OPTION_INVALID where the chunks can be read once and have been, to their end or by a call:
 *  an export of nothing would look complete */
export function checkUnread(chunks: GivenChunks): void {
  const { destroyed, readableEnded, locked } = chunks as GivenChunks & {
    [state in 'destroyed' | 'readableEnded' | 'locked']?: boolean
  }
  if (!read.has(chunks) && !destroyed && !readableEnded && !locked) return
  throw new ConfigError('ERR_OPTION_INVALID', 'the given input has been read already', {
    hint: 'a stream or an iterator can be read once: make a new one for each call',
  })
}

/** The chunks, until the signal is aborted. Left early or aborted, it closes where they come from; what stands still is
 *  not waited for.
 *  @throws ConfigError where they have been read; the signal's reason; what they throw */
export async function* givenChunks(
  given: GivenChunks,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = opened(given)
  let isOpen = true
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    try {
      return await chunks.next()
    } catch (error) {
      isOpen = false // as after the end, there is nothing to close
      throw error
    }
  }
  try {
    for (;;) {
      const step = await untilAbort(next(), signal)
      if (step.done) {
        isOpen = false
        return
      }
      yield step.value
    }
  } finally {
    if (isOpen) {
      const closed = chunks.close(signal?.aborted ?? false)
      if (signal?.aborted) closed.catch(() => {})
      else await untilAbort(closed, signal)
    }
  }
}

interface OpenChunks {
  next(): Promise<IteratorResult<Uint8Array>>
  /** @param isWaiting whether `next` may not have answered */
  close(isWaiting: boolean): Promise<unknown>
}

function opened(given: GivenChunks): OpenChunks {
  checkUnread(given)
  if (given instanceof ReadableStream) {
    // by a reader, since the iterator of a Web stream does not return while a read is waited for
    const reader = (given as ReadableStream<Uint8Array>).getReader()
    const next = async () => (await reader.read()) as IteratorResult<Uint8Array>
    return { next, close: () => reader.cancel() }
  }
  const iterator =
    Symbol.asyncIterator in given
      ? (given as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
      : (given as Iterable<Uint8Array>)[Symbol.iterator]()
  // each iterator of a Readable takes from the same chunks
  if ((iterator as unknown) === given || 'readableEnded' in given) read.add(given)
  return {
    next: async () => iterator.next(),
    async close(isWaiting) {
      // nor does that of a Readable
      if (isWaiting && 'destroy' in given && typeof given.destroy === 'function') given.destroy()
      await iterator.return?.()
    },
  }
}
