import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  AuthError,
  DataError,
  type ExportError,
  InternalError,
  OutputError,
  RequestError,
  UpstreamError,
} from '../../src/errors.js'
import { decideRetry, type Failure, type RetryDecision } from '../../src/http/retry.js'
import { defaultRetryPolicy } from '../helpers/table-defaults.js'

const policy = defaultRetryPolicy
const wallNow = Date.UTC(2026, 10, 23)

function decide(error: unknown, rest: Partial<Failure> = {}): RetryDecision {
  return decideRetry({ error, attempt: 1, policy, random: () => 0.5, wallNow, ...rest })
}

/** Waits of a page that fails with `error` every time, until we stop. */
function waitsOf(error: ExportError, random = () => 1): number[] {
  const waits: number[] = []
  for (let attempt = 1; ; attempt++) {
    const decision = decide(error, { attempt, random })
    if (decision.kind === 'stop') return waits
    waits.push(decision.waitMs)
  }
}

const lost = Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' })

test.each<[string, ExportError, number]>([
  ['a server error', new UpstreamError('ERR_SERVER', ''), 6],
  ['a refused connection', new UpstreamError('ERR_CONNECT', ''), 6],
  ['a timeout', new UpstreamError('ERR_TIMEOUT', ''), 6],
  ['a cut body', new UpstreamError('ERR_BODY_TRUNCATED', ''), 6],
  ['a damaged gzip body', new UpstreamError('ERR_BODY_CORRUPT', ''), 6],
  ['broken HTTP', new UpstreamError('ERR_PROTOCOL', ''), 6],
  ['a rate limit without a wait', new UpstreamError('ERR_RATE_LIMITED', ''), 6],
  ['a rate limit with a wait', new UpstreamError('ERR_RATE_LIMITED', '', { retryAfterMs: 2000 }), 6],
  ['a name that does not resolve', new UpstreamError('ERR_DNS', ''), 3],
  ['a blocked account', new UpstreamError('ERR_ACCOUNT_BLOCKED', ''), 2],
  ['a conflict', new RequestError('ERR_CONFLICT', ''), 2],
  ['text that is no JSON', new DataError('ERR_JSON_SYNTAX', ''), 2],
  ['bytes that are no UTF-8', new DataError('ERR_UTF8', ''), 2],
  ['a wrong token', new AuthError('ERR_UNAUTHORIZED', ''), 1],
  ['a refused request', new RequestError('ERR_REQUEST_REJECTED', ''), 1],
  ['a redirect', new RequestError('ERR_REDIRECT', ''), 1],
  ['a certificate that cannot be trusted', new RequestError('ERR_TLS', ''), 1],
  ['an unknown encoding', new RequestError('ERR_ENCODING_UNSUPPORTED', ''), 1],
  ['a body of another shape', new DataError('ERR_SCHEMA', ''), 1],
  ['a full disk', new OutputError('ERR_OUTPUT_SPACE', ''), 1],
  ['our own bug', new InternalError('ERR_INTERNAL', ''), 1],
])('%s', (_, error, tries) => {
  expect(waitsOf(error)).toHaveLength(tries - 1)
})

test('an error that is not ours stops at once', () => {
  expect(decide(new Error('boom'))).toMatchObject({ kind: 'stop', because: 'not-retryable' })
  expect(decide('boom')).toMatchObject({ kind: 'stop', because: 'not-retryable' })
})

test('the bound of the wait doubles with every try up to its limit', () => {
  const many = { ...policy, maxTries: 12 }
  const error = new UpstreamError('ERR_SERVER', '')
  const bounds = Array.from({ length: 11 }, (_, index) =>
    decide(error, { attempt: index + 1, random: () => 1, policy: many }),
  )
  const seconds = bounds.map((decision) => (decision.kind === 'retry' ? decision.waitMs / 1000 : -1))
  expect(seconds).toEqual([0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60])
  expect(waitsOf(error, () => 0)).toEqual([0, 0, 0, 0, 0])
})

describe('a connection that was lost', () => {
  test.each([
    ['before the answer', new UpstreamError('ERR_CONNECT', '', { cause: lost })],
    ['within the body', new UpstreamError('ERR_BODY_TRUNCATED', '', { cause: lost })],
  ])('%s is tried again at once the first time, and with a wait after that', (_, error) => {
    expect(decide(error)).toMatchObject({ kind: 'retry', waitMs: 0 })
    expect(decide(error, { attempt: 2 })).toMatchObject({ kind: 'retry', waitMs: 500 })
  })

  test('is not one that was refused', () => {
    const refused = Object.assign(new Error(''), { code: 'ECONNREFUSED' })
    expect(decide(new UpstreamError('ERR_CONNECT', '', { cause: refused }))).toMatchObject({ waitMs: 250 })
  })
})

describe('a wait that the server asks for', () => {
  const limited = (retryAfterMs: number) => new UpstreamError('ERR_RATE_LIMITED', '', { retryAfterMs })

  test('is kept, and only lengthened by the jitter', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: policy.maxWaitMs }),
        fc.integer({ min: 1, max: 5 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (askedMs, attempt, random) => {
          const decision = decide(limited(askedMs), { attempt, random: () => random })
          if (decision.kind !== 'retry') throw new Error('stopped')
          expect(decision.waitMs).toBeGreaterThanOrEqual(askedMs)
          expect(decision.waitMs).toBeLessThanOrEqual(askedMs + policy.baseMs)
        },
      ),
    )
  })

  test('is kept after other errors than a rate limit too', () => {
    const error = new UpstreamError('ERR_SERVER', '', { retryAfterMs: 7000 })
    expect(decide(error, { random: () => 0 })).toMatchObject({ kind: 'retry', waitMs: 7000 })
  })

  test('stops us where it is longer than allowed, and says when to come back', () => {
    expect(decide(limited(policy.maxWaitMs)).kind).toBe('retry')
    expect(decide(limited(policy.maxWaitMs + 1))).toEqual({
      kind: 'stop',
      because: 'wait-too-long',
      reason: 'the server asks for a wait of 16m, more than 15m',
      comeBackAt: wallNow + policy.maxWaitMs + 1,
    })
  })

  test('says when to come back after the last try too', () => {
    expect(decide(limited(2000), { attempt: 6 })).toMatchObject({
      because: 'tries-used-up',
      comeBackAt: wallNow + 2000,
    })
  })
})

test('tries of one kind of error are counted apart where the caller does', () => {
  const error = new DataError('ERR_JSON_SYNTAX', '')
  expect(decide(error, { attempt: 4, attemptOfCode: 1 }).kind).toBe('retry')
  expect(decide(error, { attempt: 4, attemptOfCode: 2 }).kind).toBe('stop')
  expect(decide(error, { attempt: 4 }).kind).toBe('stop')
})
