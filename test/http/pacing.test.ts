import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type PacedAnswer, type PacedRequest, Pacer, type PacingLimits } from '../../src/http/pacing.js'

const isSoak = process.env['TRUTO_EXPORT_SOAK'] === '1'
const tiers: PacingLimits = { accountRequests: 50, tokenRequests: 500, windowMs: 10_000 }
const wallNowMs = Date.UTC(2026, 10, 23)
const good = (headers: PacedAnswer['headers'] = {}, statusCode = 200): PacedAnswer => ({
  statusCode,
  headers,
  wallNowMs,
})

/** Sends `count` requests, each answered after `latencyMs`, without asking. Returns the time of the last answer. */
function send(pacer: Pacer, count: number, nowMs = 0, latencyMs = 0, account = 'a'): number {
  for (let n = 0; n < count; n++) {
    const request = pacer.begin(account)
    nowMs += latencyMs
    pacer.end(request, nowMs, good())
  }
  return nowMs
}

test('a fresh account may have its whole bucket at once, and the next request a window after the first answer', () => {
  const pacer = new Pacer(tiers)
  const nowMs = send(pacer, 49, 0, 100)
  expect(pacer.hold('a', nowMs)).toBeNull()
  send(pacer, 1, nowMs, 100)
  // the first answer came at 100; one millisecond more is what a timer may come too early
  expect(pacer.hold('a', 5_000)).toEqual({ ms: 5_101, reason: 'the account has had its 50 requests in 10s' })
  expect(pacer.hold('a', 10_099.5)?.ms).toBe(2)
  expect(pacer.hold('a', 10_100)).toBeNull()
})

test('another account is not held back before the token has had its requests', () => {
  const pacer = new Pacer(tiers)
  for (let account = 0; account < 9; account++) send(pacer, 50, 0, 0, `account ${account}`)
  expect(pacer.hold('account 0', 0)?.reason).toContain('the account has had')
  expect(pacer.hold('account 9', 0)).toBeNull()
  send(pacer, 50, 0, 0, 'account 9')
  expect(pacer.hold('account 10', 4_000)).toEqual({ ms: 6_001, reason: 'the token has had its 500 requests in 10s' })
})

test('0 turns a bucket off', () => {
  const pacer = new Pacer({ accountRequests: 0, tokenRequests: 0, windowMs: 10_000 })
  send(pacer, 10_000)
  expect(pacer.hold('a', 0)).toBeNull()
})

test('a request without an answer, and one that failed, take their token all the same', () => {
  const pacer = new Pacer({ ...tiers, accountRequests: 1 })
  const request = pacer.begin('a')
  expect(pacer.hold('a', 60_000)?.ms).toBe(10_001)
  pacer.end(request, 60_000)
  expect(pacer.hold('a', 69_999)?.ms).toBe(2)
  expect(pacer.hold('a', 70_000)).toBeNull()
})

describe('what an answer says', () => {
  const holdAfter = (answer: PacedAnswer, nowMs = 0): number => {
    const pacer = new Pacer(tiers)
    pacer.end(pacer.begin('a'), 0, answer)
    return pacer.hold('a', nowMs)?.ms ?? 0
  }

  test.each<[string, PacedAnswer, number]>([
    ['nothing', good(), 0],
    ['requests remain', good({ 'ratelimit-remaining': '1', 'ratelimit-reset': '7' }), 0],
    ['none remain until the reset', good({ 'ratelimit-remaining': '0', 'ratelimit-reset': '7' }), 7_001],
    ['fewer than none', good({ 'ratelimit-remaining': '-3', 'ratelimit-reset': '7' }), 7_001],
    ['one of two limits is used up', good({ 'ratelimit-remaining': '4, 0', 'ratelimit-reset': '3, 9' }), 9_001],
    ['none remain in a window', good({ 'ratelimit-limit': '110;w=10', 'ratelimit-remaining': '0' }), 10_001],
    ['none remain, for how long is not said', good({ 'ratelimit-remaining': '0' }), 0],
    ['no number', good({ 'ratelimit-remaining': 'none', 'ratelimit-reset': '7' }), 0],
    [
      'a reset that is a point in time',
      good({ 'ratelimit-remaining': '0', 'ratelimit-reset': `${wallNowMs / 1000 + 4}` }),
      4_001,
    ],
    ['RateLimit with some left', good({ ratelimit: '"default";r=3;t=30' }), 0],
    ['RateLimit with none left', good({ ratelimit: '"default";r=0;t=30' }), 30_001],
    ['RateLimit with none left of one limit', good({ ratelimit: '"hour";r=9;t=3000, "burst";r=0;t=7' }), 7_001],
    [
      'RateLimit with none left, and its window',
      good({ ratelimit: '"d";r=0', 'ratelimit-policy': '"d";q=5;w=10' }),
      10_001,
    ],
    ['RateLimit in its older form', good({ ratelimit: 'limit=100, remaining=0, reset=30' }), 30_001],
    ['a reset that has passed', good({ 'ratelimit-remaining': '0', 'ratelimit-reset': '0' }), 0],
    ['Retry-After on a good answer', good({ 'retry-after': '7' }), 0],
    ['Retry-After on a refusal', good({ 'retry-after': '7' }, 429), 7_001],
    ['Retry-After of a server that is away', good({ 'retry-after': '7' }, 503), 7_001],
    ['a refusal without a wait', good({}, 429), 0],
    ['a refusal with a reset alone', good({ 'ratelimit-reset': '7' }, 429), 7_001],
  ])('%s', (_, answer, ms) => {
    expect(holdAfter(answer)).toBe(ms)
    expect(holdAfter(answer, ms)).toBe(0)
  })

  test('holds back all requests for its account and none for another', () => {
    const pacer = new Pacer(tiers)
    pacer.end(pacer.begin('a'), 0, good({ 'retry-after': '7' }, 429))
    expect(pacer.hold('a', 0)).toEqual({ ms: 7_001, reason: 'the server says that its limit is used up' })
    expect(pacer.hold('b', 0)).toBeNull()
  })

  test('is not forgotten where an older answer arrives later', () => {
    const pacer = new Pacer(tiers)
    const [first, second] = [pacer.begin('a'), pacer.begin('a')]
    pacer.end(second, 0, good({ 'retry-after': '7' }, 429))
    pacer.end(first, 10, good({ 'ratelimit-remaining': '0', 'ratelimit-reset': '1' }))
    expect(pacer.hold('a', 10)?.ms).toBe(6_991)
  })
})

test('no window has more requests than it may, for any schedule, however long they are on their way', () => {
  const request = fc.record({
    account: fc.constantFrom('a', 'b', 'c'),
    gapMs: fc.oneof(fc.constant(0), fc.nat({ max: 2_000 })),
    latencyMs: fc.oneof(fc.constant(0), fc.nat({ max: 3_000 })),
    /** When the server counts it: 0 as it is sent, 1 as its answer arrives. */
    countedAt: fc.double({ min: 0, max: 1, noNaN: true }),
    isConcurrent: fc.boolean(),
  })
  const limits = fc.record({
    accountRequests: fc.integer({ min: 1, max: 6 }),
    tokenRequests: fc.integer({ min: 1, max: 10 }),
    windowMs: fc.constant(1_000),
  })
  fc.assert(
    fc.property(limits, fc.array(request, { maxLength: 120 }), (allowed, schedule) => {
      const pacer = new Pacer(allowed)
      const counted: { account: string; atMs: number }[] = []
      let inFlight: { request: PacedRequest; answerMs: number }[] = []
      let nowMs = 0
      const goTo = (ms: number): void => {
        nowMs = ms
        for (const { request, answerMs } of inFlight) if (answerMs <= ms) pacer.end(request, answerMs, good())
        inFlight = inFlight.filter(({ answerMs }) => answerMs > ms)
      }
      for (const { account, gapMs, latencyMs, countedAt, isConcurrent } of schedule) {
        goTo(nowMs + gapMs)
        let waitedMs = 0
        for (let hold = pacer.hold(account, nowMs); hold !== null; hold = pacer.hold(account, nowMs)) {
          expect(hold.ms).toBeLessThanOrEqual(allowed.windowMs + 1)
          waitedMs += hold.ms
          // whatever is in flight is answered by then, and its tokens are back a window later
          expect(waitedMs).toBeLessThanOrEqual(5_000)
          goTo(nowMs + hold.ms)
        }
        const answerMs = nowMs + latencyMs
        inFlight.push({ request: pacer.begin(account), answerMs })
        counted.push({ account, atMs: nowMs + latencyMs * countedAt })
        if (!isConcurrent) goTo(answerMs)
      }
      const check = (times: number[], most: number): void => {
        times.sort((a, b) => a - b)
        for (let i = most; i < times.length; i++)
          expect(times[i]! - times[i - most]!).toBeGreaterThanOrEqual(allowed.windowMs - 1e-6)
      }
      check(
        counted.map(({ atMs }) => atMs),
        allowed.tokenRequests,
      )
      for (const name of ['a', 'b', 'c']) {
        const own = counted.filter(({ account }) => account === name)
        check(
          own.map(({ atMs }) => atMs),
          allowed.accountRequests,
        )
      }
    }),
    { numRuns: isSoak ? 20_000 : 300 },
  )
})

test('the bucket is used up: without latency, the N requests after the first N go out one window later', () => {
  const pacer = new Pacer({ ...tiers, accountRequests: 5 })
  send(pacer, 5)
  expect(pacer.hold('a', 9_999)).not.toBeNull()
  for (let n = 0; n < 5; n++) {
    expect(pacer.hold('a', 10_000)).toBeNull()
    send(pacer, 1, 10_000)
  }
  expect(pacer.hold('a', 10_000)?.ms).toBe(10_001)
})
