// How fast one client may ask: never more requests in any window than Truto allows an account and a token, and none while a server says that its limit is
// used up. Pure; the time is an argument, in ms of a monotonic clock.

import { formatDuration } from '../bytes/units.js'
import { type ResponseHeaders, retryAfterMs, usedUpMs } from './retry-after.js'

export interface PacingLimits {
  /** Requests for one account in a window, 0 for any number. */
  readonly accountRequests: number
  /** Requests with the client's token in a window, 0 for any number. */
  readonly tokenRequests: number
  /** Length of both windows in ms. */
  readonly windowMs: number
}

/** What holds the next request back. */
export interface Hold {
  /** At least 1. Ask again behind it: the wait is longer where an answer was still outstanding, or another request was faster. */
  readonly ms: number
  /** A clause for people. */
  readonly reason: string
}

/** A request that was sent. */
export interface PacedRequest {
  readonly account: string
  /** When its tokens come back, Infinity while its answer is being waited for. */
  returnsAtMs: number
}

/** The head of an answer, and the wall time it came at. */
export interface PacedAnswer {
  readonly statusCode: number
  /** By lowercase name. */
  readonly headers: ResponseHeaders
  readonly wallNowMs: number
}

/**
 * Two buckets of tokens. A request takes one out of that of its account and one out of that of the API token. They come back one window after the
 * *answer*: the server has counted the request at some moment between the two, so that it never sees more in any window than the bucket holds, however
 * long requests are on their way.
 */
export class Pacer {
  readonly #limits: PacingLimits
  readonly #sent: Sent
  readonly #accounts = new Map<string, { readonly sent: Sent; closed: { untilMs: number; reason: string } | null }>()

  constructor(limits: PacingLimits) {
    this.#limits = limits
    this.#sent = new Sent(limits.tokenRequests, limits.windowMs)
  }

  /** Null where a request for the account may be sent now. */
  hold(account: string, nowMs: number): Hold | null {
    const { accountRequests, tokenRequests, windowMs } = this.#limits
    const { sent, closed } = this.#of(account)
    const holds = [
      { ms: sent.holdMs(nowMs), reason: `the account has had its ${requests(accountRequests, windowMs)}` },
      { ms: this.#sent.holdMs(nowMs), reason: `the token has had its ${requests(tokenRequests, windowMs)}` },
      { ms: closed === null ? 0 : closed.untilMs - nowMs, reason: closed?.reason ?? '' },
    ]
    const { ms, reason } = holds.reduce((longest, hold) => (hold.ms > longest.ms ? hold : longest))
    // a timer may come a part of a millisecond too early, and the wait would be one of two
    return ms > 0 ? { ms: Math.ceil(ms) + 1, reason } : null
  }

  /** Takes note of a request that is being sent. It is for the caller to have asked `hold` in the same turn. */
  begin(account: string): PacedRequest {
    const request: PacedRequest = { account, returnsAtMs: Number.POSITIVE_INFINITY }
    this.#of(account).sent.add(request)
    this.#sent.add(request)
    return request
  }

  /** Takes note of the head of its answer, or of its failure: a request that failed may have been counted all the same. */
  end(request: PacedRequest, nowMs: number, answer?: PacedAnswer): void {
    request.returnsAtMs = nowMs + this.#limits.windowMs
    const closedMs = answer === undefined ? undefined : closedMsOf(answer)
    if (closedMs === undefined) return
    const account = this.#of(request.account)
    const untilMs = nowMs + closedMs
    // answers may overtake each other
    if (account.closed !== null && account.closed.untilMs > untilMs) return
    account.closed = { untilMs, reason: 'the server says that its limit is used up' }
  }

  #of(account: string) {
    let found = this.#accounts.get(account)
    if (found === undefined) {
      found = { sent: new Sent(this.#limits.accountRequests, this.#limits.windowMs), closed: null }
      this.#accounts.set(account, found)
    }
    return found
  }
}

/** How long an answer closes its account for: it was refused for coming too early, or was the last one of its window. */
function closedMsOf({ statusCode, headers, wallNowMs }: PacedAnswer): number | undefined {
  return statusCode === 429 || statusCode === 503 ? retryAfterMs(headers, wallNowMs) : usedUpMs(headers, wallNowMs)
}

/** The requests whose tokens are out of a bucket of `size`. */
class Sent {
  readonly #size: number
  readonly #windowMs: number
  #requests: PacedRequest[] = []

  constructor(size: number, windowMs: number) {
    this.#size = size
    this.#windowMs = windowMs
  }

  /** Time until a token is there, 0 where one is. */
  holdMs(nowMs: number): number {
    if (this.#size === 0) return 0
    this.#requests = this.#requests.filter(({ returnsAtMs }) => returnsAtMs > nowMs)
    if (this.#requests.length < this.#size) return 0
    // what has no answer yet comes back a window after now at the earliest
    const first = this.#requests.reduce(
      (least, { returnsAtMs }) => Math.min(least, returnsAtMs),
      nowMs + this.#windowMs,
    )
    return first - nowMs
  }

  add(request: PacedRequest): void {
    if (this.#size > 0) this.#requests.push(request)
  }
}

function requests(count: number, windowMs: number): string {
  return `${count} ${count === 1 ? 'request' : 'requests'} in ${formatDuration(windowMs)}`
}
