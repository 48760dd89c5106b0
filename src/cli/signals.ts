// Ctrl-C and its like: the first signal asks for an orderly stop, the second ends the process at once.

import { type Clock, systemClock } from '../clock.js'

/** Exit codes as a shell sees a death by the signal: 128 and its number (POSIX, Exit Status for Commands). */
export const signalExitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const
export type StopSignal = keyof typeof signalExitCodes

/** The reason of an abort by a signal. Not a failure, so no `ExportError`. */
export class Stopped extends Error {
  // the name by which libraries know an abort
  override readonly name = 'AbortError'
  readonly signal: StopSignal

  constructor(signal: StopSignal) {
    super(`stopped by ${signal}`)
    this.signal = signal
  }

  get exitCode(): number {
    return signalExitCodes[this.signal]
  }
}

/** Where signals come from and what ends at the second one: the process, or a test's. */
export interface SignalSource {
  on(signal: StopSignal, listener: () => void): unknown
  off(signal: StopSignal, listener: () => void): unknown
  exit(code: number): void
}

/** What is left undone after this is given up: whatever hangs then is not ours. */
const stopWithinMs = 5000

/** Signals so soon after the first are the same one: a terminal sends it to the whole group, and npm and other runners
 *  send theirs on top of that. A finger is slower. */
const sameWithinMs = 300

/**
 * Listens until `dispose`. `signal` aborts with a `Stopped` at the first signal; at the second, more than 300 ms later,
 * or where the stop takes more than 5 s, the process exits, after `onForced`. Once there was a signal, that stays so
 * beyond `dispose`: bytes on their way to a reader that stands still would keep the process.
 */
export function catchSignals(
  source: SignalSource = process,
  onForced: (stopped: Stopped) => void = () => {},
  clock: Pick<Clock, 'now'> = systemClock,
): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController()
  let firstAt = 0
  const listeners = (Object.keys(signalExitCodes) as StopSignal[]).map((signal) => {
    const listener = (): void => {
      const stopped = new Stopped(signal)
      const force = (): void => {
        onForced(stopped)
        source.exit(stopped.exitCode)
      }
      if (controller.signal.aborted) {
        if (clock.now() - firstAt > sameWithinMs) force()
        return
      }
      firstAt = clock.now()
      // unref: the timer must not keep alive what has come to its end
      setTimeout(force, stopWithinMs).unref()
      controller.abort(stopped)
    }
    source.on(signal, listener)
    return [signal, listener] as const
  })
  return {
    signal: controller.signal,
    dispose() {
      if (controller.signal.aborted) return
      for (const [signal, listener] of listeners) source.off(signal, listener)
    },
  }
}
