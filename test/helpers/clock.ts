import type { Clock } from '../../src/clock.js'

/** A clock that stands still until it is told to advance; timers fire in order as it passes them. */
export class FakeClock implements Clock {
  time = 1_000
  wall = Date.UTC(2026, 0, 1)
  readonly waits: number[] = []
  /** Fires every timer as soon as it is set, after moving the time to it. For tests of what is waited for, not of
   *  how. */
  isImpatient = false
  #timers: Array<{ at: number; callback: () => void }> = []

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.length
  }

  now(): number {
    return this.time
  }

  wallNow(): number {
    return this.wall + this.time
  }

  after(ms: number, callback: () => void): () => void {
    this.waits.push(ms)
    const timer = { at: this.time + ms, callback }
    this.#timers.push(timer)
    if (this.isImpatient) queueMicrotask(() => this.#timers.includes(timer) && this.advance(ms))
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  advance(ms: number): void {
    const until = this.time + ms
    for (;;) {
      const next = this.#timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#timers = this.#timers.filter((timer) => timer !== next)
      this.time = next.at
      next.callback()
    }
    this.time = until
  }
}
