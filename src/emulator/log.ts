// What the emulator was asked and what it answered, as data that a test can assert on. A bounded ring: old entries make
// room for new ones.

import type { QueryObject } from './query.js'

/** One request and its answer. Counts grow while the answer is being sent. */
export interface RequestLogEntry {
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** Parsed: brackets resolved. An object without prototype. */
  readonly query: QueryObject
  /** What followed the `?`, as it was sent. */
  readonly queryText: string
  /** Lower-case names; without `authorization`, so that a log can be printed. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Whether an Authorization header was present. */
  readonly hasAuthorization: boolean
  /** Whether it held the emulator's token. */
  readonly isAuthorized: boolean
  /** 0 until an answer was chosen, and where the connection was closed without one. */
  status: number
  /** Number of the page in its list, from 1. */
  page?: number
  /** Records that the page holds, before any fault. */
  records: number
  /** Bytes of the body that were handed to the socket: after compression, without chunk heads. */
  bytes: number
  /** Kinds of the faults that struck, joined by `+`. */
  fault?: string
  /** Whether all that was meant to be sent was handed to the socket. */
  isComplete: boolean
}

/** The last `capacity` entries, oldest first. */
export class RequestLog {
  readonly #capacity: number
  #entries: RequestLogEntry[] = []

  /** @param capacity at least 1 */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  add(entry: RequestLogEntry): void {
    this.#entries.push(entry)
    // Cut in halves, so that adding stays cheap.
    if (this.#entries.length >= 2 * this.#capacity) this.#entries = this.#entries.slice(-this.#capacity)
  }

  /** A copy of the list; its entries are live. */
  entries(): RequestLogEntry[] {
    return this.#entries.slice(-this.#capacity)
  }

  clear(): void {
    this.#entries = []
  }
}
