// Request limits in fixed windows. Truto documents two tiers (50 requests in 10 s per account, 500 per token,
// `Retry-After: 10`) and that a provider's own limit arrives as `ratelimit-limit`, `ratelimit-remaining` and
// `ratelimit-reset` in seconds.

/** Which limits are on. `true` in the emulator's options means Truto's two tiers as documented. */
export interface RateLimitOptions {
  /** Requests in a window per integrated account. Default 50; 0 turns the tier off. */
  accountRequests?: number | undefined
  /** Requests in a window per API token. Default 500; 0 turns the tier off. */
  tokenRequests?: number | undefined
  /** Length of both tiers' windows. Default 10,000. */
  windowMs?: number | undefined
  /** `Retry-After` of both tiers, in seconds. Default 10. */
  retryAfterSeconds?: number | undefined
  /** The provider's own limit per account. Its headers are on every answer. Default none. */
  provider?:
    | {
        readonly requests: number
        readonly windowMs: number
        /** Whether its 429 has a `Retry-After` beside the `ratelimit-*` headers. Default false. */
        readonly retryAfter?: boolean
      }
    | undefined
}

/** What a limit says to one request. */
export interface Allowance {
  readonly isAllowed: boolean
  readonly limit: number
  readonly remaining: number
  /** Time to the end of the window. */
  readonly resetMs: number
}

/** Counts requests by key; keeps one small entry per key. */
export class RateLimiter {
  readonly #windows = new Map<string, { start: number; used: number }>()

  /** Counts one request of `key`. A request that is not allowed does not count. */
  take(key: string, limit: number, windowMs: number, nowMs: number): Allowance {
    let window = this.#windows.get(key)
    if (window === undefined || nowMs - window.start >= windowMs) {
      window = { start: nowMs, used: 0 }
      this.#windows.set(key, window)
    }
    const isAllowed = window.used < limit
    if (isAllowed) window.used++
    return { isAllowed, limit, remaining: limit - window.used, resetMs: window.start + windowMs - nowMs }
  }

  reset(): void {
    this.#windows.clear()
  }
}
