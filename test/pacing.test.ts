// Whole exports against a server with limits: where we know the limit no answer is a 429, where it is lower than we
// know the 429 is obeyed.

import { expect, test } from 'vitest'
import type { EmulatorOptions } from '../src/emulator/emulator.js'
import type { ExportError } from '../src/errors.js'
import { exportRecords } from '../src/export/export.js'
import { emulate, FaultClock, membersText, type Outcome, requestOf, run, temporaryDirectory } from './faults/harness.js'

const statuses = ({ emulator }: Outcome): number[] => emulator.log.map(({ status }) => status)
const refusals = (outcome: Outcome): number => statuses(outcome).filter((status) => status === 429).length

test('a list of small pages never earns a 429 from the documented tiers', async () => {
  const emulator: EmulatorOptions = { members: 170, pageSize: 1, rateLimits: true }
  const outcome = await run({ emulator })
  expect(outcome.output?.toString()).toBe(membersText(emulator))
  expect([refusals(outcome), outcome.report?.requests, outcome.report?.retries]).toEqual([0, 170, 0])
  // after 50, 100 and 150 requests; the clock stands still but for these waits
  expect(outcome.waits).toEqual([10_001, 10_001, 10_001])
  expect(outcome.report?.waitMs).toBe(30_003)
  const [first] = outcome.events.filter(({ kind }) => kind === 'wait')
  expect(first).toEqual({
    kind: 'wait',
    page: 51,
    reason: 'our own limit of 50 requests in 10s for the account is used up; waiting 10s',
    ms: 10_001,
  })
})

test('it does on real clocks, where our window and that of the server begin at different times', async () => {
  const limits = { accountRequests: 12, windowMs: 250 }
  const server = await emulate({ members: 60, pageSize: 1, rateLimits: { ...limits, retryAfterSeconds: 1 } })
  const report = await exportRecords({
    ...requestOf(server),
    out: `${temporaryDirectory()}/out.ndjson`,
    accountRequests: limits.accountRequests,
    rateWindowMs: limits.windowMs,
  })
  expect([report.records, report.retries, server.requests]).toEqual([60, 0, 60])
  expect(server.log.filter(({ status }) => status !== 200)).toEqual([])
})

test('exports of one process share the limits: side by side and one after the other, none earns a 429', async () => {
  const limits = { accountRequests: 12, windowMs: 250 }
  const server = await emulate({ members: 20, pageSize: 1, rateLimits: { ...limits, retryAfterSeconds: 1 } })
  const directory = temporaryDirectory()
  const waits: string[] = []
  const one = async (name: string): Promise<number> => {
    const report = await exportRecords({
      ...requestOf(server),
      out: `${directory}/${name}.ndjson`,
      accountRequests: limits.accountRequests,
      rateWindowMs: limits.windowMs,
      onEvent: (event) => event.kind === 'wait' && waits.push(event.reason),
    })
    expect(report.retries).toBe(0)
    return report.requests
  }
  const requests = await Promise.all([one('a'), one('b'), one('c')])
  requests.push(await one('d'))
  expect([requests, server.requests]).toEqual([[20, 20, 20, 20], 80])
  expect(server.log.filter(({ status }) => status !== 200)).toEqual([])
  expect(waits[0]).toMatch(/^our own limit of 12 requests in 250ms for the account is used up; waiting \d/)
})

test('a wait for another export of the process is announced and bounded like any', async () => {
  const server = await emulate({ members: 4, pageSize: 1 })
  const directory = temporaryDirectory()
  const shared = { ...requestOf(server), accountRequests: 4 }
  await exportRecords({ ...shared, out: `${directory}/a.ndjson` })
  const error = await exportRecords({ ...shared, out: `${directory}/b.ndjson`, maxWaitMs: 5_000 }).catch((e) => e)
  expect(error).toMatchObject({ code: 'ERR_RATE_LIMITED', exitCode: 5, page: 1 })
  expect((error as ExportError).toLine()).toMatch(
    /^ERR_RATE_LIMITED: our own limit of 4 requests in 10s for the account is used up \[page 1\]; the wait for it is [\d.]+s, more than 5s, come back at 2026-\S+; .*; raise --max-wait, or the limit by --account-requests or --token-requests$/,
  )
  expect(server.requests).toBe(4)
})

test('a limit that is lower than we know answers 429, which is obeyed to the end', async () => {
  const emulator: EmulatorOptions = { members: 100, pageSize: 1, rateLimits: { accountRequests: 20 } }
  const outcome = await run({ emulator })
  expect(outcome.output?.toString()).toBe(membersText(emulator))
  expect([refusals(outcome), outcome.report?.retries]).toEqual([4, 4])
  for (const ms of outcome.waits) {
    expect(ms).toBeGreaterThanOrEqual(10_000)
    expect(ms).toBeLessThanOrEqual(10_500)
  }
  expect(outcome.waits).toHaveLength(4)
})

test("a provider's limit is kept as soon as an answer says that it is used up", async () => {
  const emulator: EmulatorOptions = {
    members: 20,
    pageSize: 1,
    rateLimits: { provider: { requests: 7, windowMs: 60_000 } },
  }
  const outcome = await run({ emulator })
  expect(outcome.output?.toString()).toBe(membersText(emulator))
  expect([refusals(outcome), outcome.report?.retries, outcome.waits]).toEqual([0, 0, [60_001, 60_001]])
})

test('where pacing is turned off the server says when to wait', async () => {
  const emulator: EmulatorOptions = { members: 60, pageSize: 1, rateLimits: true }
  const outcome = await run({ emulator, options: { accountRequests: 0, tokenRequests: 0 } })
  expect([refusals(outcome), outcome.report?.retries, outcome.report?.records]).toEqual([1, 1, 60])
})

test('the token has a bucket of its own', async () => {
  const emulator: EmulatorOptions = { members: 10, pageSize: 1, rateLimits: { tokenRequests: 4 } }
  const outcome = await run({ emulator, options: { tokenRequests: 4 } })
  expect([refusals(outcome), outcome.waits]).toEqual([0, [10_001, 10_001]])
  expect(outcome.events.find(({ kind }) => kind === 'wait')).toMatchObject({
    reason: 'our own limit of 4 requests in 10s for the token is used up; waiting 10s',
  })
})

test.each<[string, EmulatorOptions, number]>([
  ['ours', {}, 50],
  ['that of the provider', { rateLimits: { provider: { requests: 3, windowMs: 60_000 } } }, 3],
])('a wait for a limit that is longer than allowed ends the export before the request: %s', async (_, more, sent) => {
  const outcome = await run({ emulator: { members: 60, pageSize: 1, ...more }, options: { maxWaitMs: 5_000 } })
  expect(outcome.error).toMatchObject({ code: 'ERR_RATE_LIMITED', exitCode: 5, page: sent + 1 })
  expect((outcome.error as ExportError).toLine()).toMatch(/more than 5s, come back at 2026-01-01T00:0/)
  const own = /our own limit of 50 requests.*raise --max-wait/
  expect((outcome.error as ExportError).toLine()).toMatch(
    sent === 50 ? own : /the server says that its limit is used up/,
  )
  expect([outcome.emulator.requests, refusals(outcome)]).toEqual([sent, 0])
  expect(outcome.files).toEqual(['_out.ndjson.checkpoint', '_out.ndjson.partial'])
})

test('a jump of the wall clock makes no wait longer or shorter', async () => {
  class Jumping extends FaultClock {
    override wallNow(): number {
      return super.wallNow() + 864_000_000 * (this.time % 2 === 0 ? 1 : -1)
    }
  }
  const clock = new Jumping()
  const server = await emulate({ clock, members: 120, pageSize: 1, rateLimits: true })
  const waits: number[] = []
  await exportRecords({
    ...requestOf(server),
    out: `${temporaryDirectory()}/out.ndjson`,
    clock,
    onEvent: (event) => {
      if (event.kind !== 'wait') return
      waits.push(event.ms)
      clock.announce(event.ms)
    },
  })
  expect(waits).toEqual([10_001, 10_001])
})
