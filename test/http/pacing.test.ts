import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/clock.js'
import {
  type Buckets,
  bucketsOf,
  type PacedAnswer,
  type PacedRequest,
  Pacer,
  type PacingLimits,
} from '../../src/http/pacing.js'

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
  expect(pacer.hold('a', 5_000)).toEqual({
    ms: 5_101,
    reason: 'our own limit of 50 requests in 10s for the account is used up',
    isOurs: true,
  })
  expect(pacer.hold('a', 10_099.5)?.ms).toBe(2)
  expect(pacer.hold('a', 10_100)).toBeNull()
})

test('another account is not held back before the token has had its requests', () => {
  const pacer = new Pacer(tiers)
  for (let account = 0; account < 9; account++) send(pacer, 50, 0, 0, `account ${account}`)
  expect(pacer.hold('account 0', 0)?.reason).toContain('for the account')
  expect(pacer.hold('account 9', 0)).toBeNull()
  send(pacer, 50, 0, 0, 'account 9')
  expect(pacer.hold('account 10', 4_000)).toMatchObject({
    ms: 6_001,
    reason: 'our own limit of 500 requests in 10s for the token is used up',
  })
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
    expect(pacer.hold('a', 0)).toEqual({
      ms: 7_001,
      reason: 'the server says that its limit is used up',
      isOurs: false,
    })
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

describe('clients of one process', () => {
  const origin = 'https://api.truto.one'
  const small: PacingLimits = { accountRequests: 5, tokenRequests: 8, windowMs: 10_000 }

  test('share the bucket of an account and that of a token, whoever sends', () => {
    const buckets: Buckets = new Map()
    const [one, other] = [new Pacer(small, buckets, origin, 'token'), new Pacer(small, buckets, origin, 'token')]
    send(one, 3)
    send(other, 2)
    for (const pacer of [one, other]) expect(pacer.hold('a', 0)?.reason).toContain('5 requests in 10s for the account')
    send(one, 3, 0, 0, 'b')
    expect(other.hold('c', 0)?.reason).toContain('8 requests in 10s for the token')
    expect(other.hold('c', 10_000)).toBeNull()
  })

  test('share what a server said of an account', () => {
    const buckets: Buckets = new Map()
    const [one, other] = [new Pacer(small, buckets, origin, 'token'), new Pacer(small, buckets, origin, 'token')]
    one.end(one.begin('a'), 0, good({ 'retry-after': '7' }, 429))
    expect(other.hold('a', 0)).toMatchObject({ ms: 7_001, isOurs: false })
    expect(other.hold('b', 0)).toBeNull()
  })

  test('of another API share nothing, and with another token the account alone, where it is named', () => {
    const buckets: Buckets = new Map()
    const pacers = {
      one: new Pacer(small, buckets, origin, 'token'),
      token: new Pacer(small, buckets, origin, 'another'),
      origin: new Pacer(small, buckets, 'https://other.example', 'token'),
    }
    send(pacers.one, 5)
    send(pacers.one, 3, 0, 0, '')
    expect([pacers.one.hold('b', 0), pacers.token.hold('b', 0), pacers.origin.hold('b', 0)]).toMatchObject([
      { reason: expect.stringContaining('for the token') },
      null,
      null,
    ])
    expect([pacers.token.hold('a', 0), pacers.origin.hold('a', 0)]).toMatchObject([
      { reason: expect.stringContaining('for the account') },
      null,
    ])
    // no account is named: it is that of the token
    send(pacers.token, 4, 0, 0, '')
    expect(pacers.token.hold('', 0)).toBeNull()
  })

  test('are each held to the limits of all, while these are there', () => {
    const buckets: Buckets = new Map()
    const wide = new Pacer({ accountRequests: 50, tokenRequests: 0, windowMs: 10_000 }, buckets, origin, 'token')
    const any = new Pacer({ accountRequests: 0, tokenRequests: 0, windowMs: 0 }, buckets, origin, 'token')
    expect(any.hold('a', 0)).toBeNull()
    send(wide, 30)
    expect(wide.hold('a', 0)).toBeNull()
    const narrow = new Pacer({ accountRequests: 20, tokenRequests: 0, windowMs: 60_000 }, buckets, origin, 'token')
    expect(narrow.hold('a', 0)).toMatchObject({ ms: 60_001, reason: expect.stringContaining('20 requests in 1m') })
    expect(wide.hold('a', 0)?.ms).toBe(60_001)
    expect(any.hold('a', 0)?.ms).toBe(60_001)
    narrow.close()
    expect(wide.hold('a', 0)).toBeNull()
    // ten more than it holds: a token is there once all of these are back
    send(any, 30, 5_000)
    expect(wide.hold('a', 6_000)).toMatchObject({ ms: 4_001 })
    expect(wide.hold('a', 10_000)).toBeNull()
  })

  test('remember what was sent before, for as long as it counts and no longer', () => {
    const buckets: Buckets = new Map()
    const first = new Pacer(small, buckets, origin, 'token')
    send(first, 5, 0, 0, 'a')
    first.close()
    const second = new Pacer(small, buckets, origin, 'token')
    expect(second.hold('a', 9_999)?.ms).toBe(2)
    second.close()
    expect(buckets.size).toBe(2)
    const third = new Pacer(small, buckets, origin, 'another')
    expect(third.hold('b', 10_000)).toBeNull()
    expect(buckets.size).toBe(2)
    expect([...buckets.keys()].join()).not.toContain('another')
    third.close()
    expect(new Pacer(small, buckets, origin, 'token').hold('c', 10_001)).toBeNull()
    expect(buckets.size).toBe(2)
  })

  test('do not end the count of a token by taking another one', () => {
    const buckets: Buckets = new Map()
    const [one, other] = [new Pacer(small, buckets, origin, 'token'), new Pacer(small, buckets, origin, 'token')]
    send(one, 4, 0, 0, 'a')
    send(one, 4, 0, 0, 'b')
    one.setToken('new')
    expect([one.hold('c', 0), one.hold('a', 0)]).toEqual([null, null])
    send(one, 1, 0, 0, 'a')
    expect(one.hold('a', 0)?.reason).toContain('for the account')
    expect(other.hold('c', 0)?.reason).toContain('for the token')
  })

  test('find each other by the process, also where this module is there twice', async () => {
    // as two versions of a package have it
    const path = '../../src/http/pacing.js?copy'
    const copy = (await import(/* @vite-ignore */ path)) as { bucketsOf: typeof bucketsOf; Pacer: typeof Pacer }
    expect(copy.Pacer).not.toBe(Pacer)
    expect(copy.bucketsOf(systemClock)).toBe(bucketsOf(systemClock))
    const buckets = bucketsOf(systemClock)
    const here = new Pacer(small, buckets, 'https://copies.example', 'token')
    const there = new copy.Pacer(small, buckets, 'https://copies.example', 'token')
    send(here, 3)
    send(there, 2)
    expect([here.hold('a', 0)?.ms, there.hold('a', 0)?.ms]).toEqual([10_001, 10_001])
    here.close()
    there.close()
  })

  test('of a clock of their own are apart from the others', () => {
    const clock = { ...systemClock }
    expect(bucketsOf(clock)).not.toBe(bucketsOf(systemClock))
    expect(bucketsOf(clock)).not.toBe(bucketsOf(clock))
  })
})
