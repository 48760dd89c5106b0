// Long computing in pieces, so that timers, sockets and signals get their turn in between.

import { setImmediate } from 'node:timers/promises'

/** Time after which others get their turn, in ms. What one piece takes comes on top. */
const maxBusyMs = 20

/** Lets the event loop turn once it has been held for a while. */
export class Turn {
  #since = performance.now()

  /** Whether others are to get their turn: by `take`, between two pieces of work. */
  get isOver(): boolean {
    return performance.now() - this.#since >= maxBusyMs
  }

  async take(): Promise<void> {
    await setImmediate()
    this.#since = performance.now()
  }
}
