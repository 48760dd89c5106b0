// What to do after a page has failed: ask again after a wait, or stop. Pure; the random source and the wall clock are
// arguments.

import { formatDuration, minute } from '../bytes/units.js'
import { type ErrorCode, ExportError } from '../errors.js'
import { isLostConnection } from './network-error.js'

export interface RetryPolicy {
  /** Tries of one page, the first included, at least 1. Some errors have fewer, see `triesOf`. */
  readonly maxTries: number
  /** Upper bound of the first wait in ms; it doubles with every try. */
  readonly baseMs: number
  /** Upper bound of every wait that we choose ourselves, in ms. */
  readonly maxBackoffMs: number
  /** The longest wait in ms that a server may ask for and get. */
  readonly maxWaitMs: number
}

/** Errors that many tries do not cure: a name that does not resolve, a blocked account, a conflict, text that is no
 *  JSON. */
const triesOf: Partial<Record<ErrorCode, number>> = {
  ERR_DNS: 3,
  ERR_ACCOUNT_BLOCKED: 2,
  ERR_CONFLICT: 2,
  ERR_JSON_SYNTAX: 2,
  ERR_UTF8: 2,
}

export interface Failure {
  readonly error: unknown
  /** Which try of this page failed, from 1; a try that gave records which no try gave before is a first one. */
  readonly attempt: number
  /** How many tries of this page failed with this error's code, this one included. Default: `attempt`. */
  readonly attemptOfCode?: number
  readonly policy: RetryPolicy
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Wall time in ms since 1970, to say when to come back. */
  readonly wallNow: number
}

export type RetryDecision =
  /** Ask again after `waitMs`, which may be 0. `reason` is a clause for people: `the server asks for a wait of 10s`. */
  | { readonly kind: 'retry'; readonly waitMs: number; readonly reason: string }
  | {
      readonly kind: 'stop'
      readonly because: 'not-retryable' | 'tries-used-up' | 'wait-too-long'
      /** A clause for people. */
      readonly reason: string
      /** Wall time in ms since 1970 at which the server lets us come back, where it said so. */
      readonly comeBackAt: number | undefined
    }

/**
 * Full jitter: a wait is uniform between 0 and `baseMs * 2^(attempt-1)`, at most `maxBackoffMs`. A wait that the server
 * asked for is never cut short; jitter is only added to it, so that many exports do not come back in the same instant.
 * The first time that a connection was lost we ask again at once: mostly the server had closed a kept-alive socket just
 * when we used it.
 */
export function decideRetry(failure: Failure): RetryDecision {
  const { error, attempt, attemptOfCode = attempt, policy, random, wallNow } = failure
  const askedMs = error instanceof ExportError ? error.retryAfterMs : undefined
  const comeBackAt = askedMs === undefined ? undefined : wallNow + askedMs

  if (!(error instanceof ExportError) || !error.isRetryable)
    return { kind: 'stop', because: 'not-retryable', reason: 'asking again would not help', comeBackAt }
  if (askedMs !== undefined && askedMs > policy.maxWaitMs) {
    const reason = `the server asks for a wait of ${formatWait(askedMs)}, more than ${formatWait(policy.maxWaitMs)}`
    return { kind: 'stop', because: 'wait-too-long', reason, comeBackAt }
  }
  if (attempt >= policy.maxTries || attemptOfCode >= (triesOf[error.code] ?? Number.POSITIVE_INFINITY)) {
    return { kind: 'stop', because: 'tries-used-up', reason: `${attempt} tries failed`, comeBackAt }
  }

  if (askedMs !== undefined) {
    const waitMs = askedMs + Math.round(random() * policy.baseMs)
    return { kind: 'retry', waitMs, reason: `the server asks for a wait of ${formatWait(askedMs)}` }
  }
  if (attempt === 1 && isLostConnection(error)) return { kind: 'retry', waitMs: 0, reason: 'the connection was lost' }
  const bound = Math.min(policy.maxBackoffMs, policy.baseMs * 2 ** (attempt - 1))
  return { kind: 'retry', waitMs: Math.round(random() * bound), reason: `try ${attempt} failed with ${error.code}` }
}

function formatWait(ms: number): string {
  return ms > minute ? formatDuration(Math.ceil(ms / minute) * minute) : formatDuration(ms)
}
