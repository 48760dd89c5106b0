// Long computing in pieces, so that timers, sockets and signals get their turn in between.

import { setImmediate } from 'node:timers/promises'

/** Time after which others get their turn, in ms. What one piece takes comes on top. */
const maxBusyMs = 20

/** Lets the event loop turn once it has been held for a while. */
export class Turn {
  #since = performance.now()

  /** Resolves at once most of the time. Call it between two pieces of work. */
  async take(): Promise<void> {
    if (performance.now() - this.#since < maxBusyMs) return
    await setImmediate()
    this.#since = performance.now()
  }
}
