// How fast this process may ask: never more requests in any window than Truto allows an account and a token, whoever
// sends them, and none while a server says that its limit is used up. The time is an argument, in ms of a monotonic
// clock.

import { createHash } from 'node:crypto'
import { formatDuration } from '../bytes/units.js'
import { type Clock, systemClock } from '../clock.js'
import { type ResponseHeaders, retryAfterMs, usedUpMs } from './retry-after.js'

export interface PacingLimits {
  /** Requests for one account in a window, 0 for any number. */
  readonly accountRequests: number
  /** Requests with one token in a window, 0 for any number. */
  readonly tokenRequests: number
  /** Length of both windows in ms. */
  readonly windowMs: number
}

/** What holds the next request back. */
export interface Hold {
  /** At least 1. Ask again after it: the wait is longer where an answer was still outstanding, or another request was
   *  faster. */
  readonly ms: number
  /** A clause for people, which says whose limit it is. */
  readonly reason: string
  /** Whether the limit is one that we were told to keep, and not what the server said. */
  readonly isOurs: boolean
}

/** A request that was sent. */
export interface PacedRequest {
  readonly ofAccount: Bucket
  /** When its answer came, Infinity while it is being waited for. */
  answeredAtMs: number
}

/** The head of an answer, and the wall time it came at. */
export interface PacedAnswer {
  readonly statusCode: number
  /** By lowercase name. */
  readonly headers: ResponseHeaders
  readonly wallNowMs: number
}

/**
 * The pace of one client, who shares the buckets of its token and accounts with all others. A request takes a token out
 * of the bucket of its account and one out of that of the API token. They come back one window after the *answer*: the
 * server has counted the request at some moment between the two, so that it never sees more in any window than the
 * bucket holds, however long requests are on their way. Where clients differ in what a bucket may hold, each of their
 * limits is kept.
 */
export class Pacer {
  readonly #limits: PacingLimits
  readonly #buckets: Buckets
  readonly #origin: string
  #token: string
  /** Those that this client has asked for, by their names. */
  readonly #joined = new Map<string, Bucket>()
  /** Of the last request. */
  #last: { readonly account: string; readonly buckets: BucketPair } | null = null

  /** @param origin of the API, which the limits are those of
   *  @param buckets default: none that others share */
  constructor(limits: PacingLimits, buckets: Buckets = new Map(), origin = '', token: string | null = null) {
    this.#limits = limits
    this.#buckets = buckets
    this.#origin = origin
    this.#token = digestOf(token)
  }

  /** Null where a request for the account may be sent now. */
  hold(account: string, nowMs: number): Hold | null {
    const [ofAccount, ofToken] = this.#bucketsOf(account, nowMs)
    const holds = [
      { what: 'the account', ...ofAccount.hold(nowMs) },
      { what: 'the token', ...ofToken.hold(nowMs) },
      { what: 'the server', ms: ofAccount.closedUntilMs - nowMs, limit: undefined },
    ]
    const { ms, what, limit } = holds.reduce((longest, hold) => (hold.ms > longest.ms ? hold : longest))
    if (ms <= 0) return null
    const reason = limit === undefined ? usedUp : `our own limit of ${requestsText(limit)} for ${what} is used up`
    // a timer may come a part of a millisecond too early, and the wait would be one of two
    return { ms: Math.ceil(ms) + 1, reason, isOurs: limit !== undefined }
  }

  /** Takes note of a request that is being sent. It is for the caller to have asked `hold` in the same turn. */
  begin(account: string): PacedRequest {
    const [ofAccount, ofToken] = this.#bucketsOf(account)
    const request: PacedRequest = { ofAccount, answeredAtMs: Number.POSITIVE_INFINITY }
    ofAccount.add(request)
    ofToken.add(request)
    return request
  }

  /** Takes note of the head of its answer, or of its failure: a request that failed may have been counted all the
   *  same. */
  end(request: PacedRequest, nowMs: number, answer?: PacedAnswer): void {
    request.answeredAtMs = nowMs
    const closedMs = answer === undefined ? undefined : closedMsOf(answer)
    if (closedMs === undefined) return
    const { ofAccount } = request
    // answers may overtake each other
    ofAccount.closedUntilMs = Math.max(ofAccount.closedUntilMs, nowMs + closedMs)
  }

  /** Requests are sent with another token from now on. */
  setToken(token: string): void {
    const name = this.#tokenName
    this.#joined.get(name)?.leave(this)
    this.#joined.delete(name)
    this.#last = null
    this.#token = digestOf(token)
  }

  /** Nothing more will be sent. What was sent is remembered for as long as it counts. */
  close(): void {
    for (const bucket of this.#joined.values()) bucket.leave(this)
    this.#joined.clear()
    this.#last = null
  }

  #bucketsOf(account: string, nowMs = Number.NEGATIVE_INFINITY): BucketPair {
    // mostly all requests are for one
    if (this.#last?.account !== account) this.#last = { account, buckets: this.#findBuckets(account, nowMs) }
    return this.#last.buckets
  }

  #findBuckets(account: string, nowMs: number): BucketPair {
    const { accountRequests, tokenRequests, windowMs } = this.#limits
    // a token of one account need not name it; an account that is named has its limit whatever token it is asked for
    // with
    const name = account === '' ? `account of ${this.#tokenName}` : `account ${JSON.stringify([this.#origin, account])}`
    return [
      this.#join(name, { requests: accountRequests, windowMs }, nowMs),
      this.#join(this.#tokenName, { requests: tokenRequests, windowMs }, nowMs),
    ]
  }

  get #tokenName(): string {
    return `token ${JSON.stringify([this.#origin, this.#token])}`
  }

  #join(name: string, limit: Limit, nowMs: number): Bucket {
    const joined = this.#joined.get(name)
    if (joined !== undefined) return joined
    // those that nobody uses go when somebody comes
    for (const [other, bucket] of this.#buckets) if (bucket.isForgotten(nowMs)) this.#buckets.delete(other)
    const bucket = this.#buckets.get(name) ?? new Bucket()
    this.#buckets.set(name, bucket)
    this.#joined.set(name, bucket)
    bucket.join(this, limit)
    return bucket
  }
}

type BucketPair = readonly [account: Bucket, token: Bucket]

const usedUp = 'the server says that its limit is used up'

interface Limit {
  /** 0 for any number. */
  readonly requests: number
  readonly windowMs: number
}

/** By name. */
export type Buckets = Map<string, Bucket>

/** The requests whose tokens are out of one bucket, and the limits that its clients were told. */
class Bucket {
  /** A server has said that nothing more is to be had before. */
  closedUntilMs = 0

  readonly #limits = new Map<object, Limit>()
  #requests: PacedRequest[] = []
  /** The longest window that somebody has counted in. */
  #longestMs = 0

  join(client: object, limit: Limit): void {
    const isAny = limit.requests === 0
    this.#limits.set(client, isAny ? { requests: Number.POSITIVE_INFINITY, windowMs: 0 } : limit)
    if (!isAny) this.#longestMs = Math.max(this.#longestMs, limit.windowMs)
  }

  leave(client: object): void {
    this.#limits.delete(client)
  }

  /** Time until every limit has a token, at most 0 where they have, and the limit that is the last to. */
  hold(nowMs: number): { ms: number; limit?: Limit } {
    this.#forget(nowMs)
    let longest: { ms: number; limit?: Limit } = { ms: 0 }
    for (const limit of this.#limits.values()) {
      const ms = this.#holdMs(limit, nowMs)
      if (ms > longest.ms) longest = { ms, limit }
    }
    return longest
  }

  add(request: PacedRequest): void {
    if (this.#longestMs > 0) this.#requests.push(request)
  }

  /** Whether nobody uses it, and nothing in it counts any more. */
  isForgotten(nowMs: number): boolean {
    this.#forget(nowMs)
    return this.#limits.size === 0 && this.#requests.length === 0 && this.closedUntilMs <= nowMs
  }

  #forget(nowMs: number): void {
    this.#requests = this.#requests.filter(({ answeredAtMs }) => answeredAtMs + this.#longestMs > nowMs)
  }

  #holdMs({ requests, windowMs }: Limit, nowMs: number): number {
    if (this.#requests.length < requests) return 0
    // what has no answer yet comes back a window after now at the earliest
    const returns = this.#requests
      .map(({ answeredAtMs }) => Math.min(answeredAtMs, nowMs) + windowMs - nowMs)
      .filter((ms) => ms > 0)
      .sort((a, b) => a - b)
    return returns.length < requests ? 0 : returns[returns.length - requests]!
  }
}

const registryName = Symbol.for('truto-export.pacing.1')

/** The buckets of this process, also for other copies of this module in it. Who has a clock of his own has buckets of
 *  his own: its times mean nothing to others. */
export function bucketsOf(clock: Clock): Buckets {
  if (clock !== systemClock) return new Map()
  const shared = globalThis as { [registryName]?: Buckets }
  shared[registryName] ??= new Map()
  return shared[registryName]
}

/** The token itself is kept nowhere. */
function digestOf(token: string | null): string {
  return token === null ? '' : createHash('sha256').update(token).digest('hex')
}

/** How long an answer closes its account for: it was refused for coming too early, or was the last one of its
 *  window. */
function closedMsOf({ statusCode, headers, wallNowMs }: PacedAnswer): number | undefined {
  return statusCode === 429 || statusCode === 503 ? retryAfterMs(headers, wallNowMs) : usedUpMs(headers, wallNowMs)
}

function requestsText({ requests, windowMs }: Limit): string {
  return `${requests} ${requests === 1 ? 'request' : 'requests'} in ${formatDuration(windowMs)}`
}
