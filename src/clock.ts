// Time as a thing that is handed in, so that tests need not wait. Deadlines and waits use the monotonic clock only: a
// jump of the wall clock neither shortens nor lengthens one.

export interface Clock {
  /** Monotonic time in ms; its zero has no meaning. */
  now(): number
  /** Wall time in ms since 1970, for people and for HTTP dates only. */
  wallNow(): number
  /** Calls `callback` once after `ms`. Returns what cancels it. */
  after(ms: number, callback: () => void): () => void
}

export const systemClock: Clock = {
  now: performance.now.bind(performance),
  wallNow: Date.now,
  after(ms, callback) {
    // A timer of more than 2^31 - 1 ms would fire at once (Node.js timers).
    const timer = setTimeout(callback, Math.min(ms, 2 ** 31 - 1))
    return () => clearTimeout(timer)
  },
}

/** Resolves after `ms`, or rejects with the signal's reason as soon as it is aborted. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = (): void => {
      cancel()
      reject(signal!.reason)
    }
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
