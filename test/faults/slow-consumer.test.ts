// A consumer that stops or takes its time holds the server back, and memory stays flat whatever the server would like
// to send.

import { expect, test } from 'vitest'
import { MiB, minute } from '../../src/bytes/units.js'
import type { Destination } from '../../src/destination/destination.js'
import { exportRecords } from '../../src/export/export.js'
import { FakeClock } from '../helpers/clock.js'
import { emulate, requestOf, until } from './harness.js'

/** Takes bytes and drops them; `gate` is asked before each write is done. */
function discarding(gate: (bytesWritten: number) => Promise<void>): Destination {
  return {
    name: 'nowhere',
    async open() {
      let bytesWritten = 0
      return {
        left: '',
        get bytesWritten() {
          return bytesWritten
        },
        async write(bytes) {
          await gate(bytesWritten)
          bytesWritten += bytes.length
        },
        commit: async () => {},
        abort: async () => {},
      }
    },
  }
}

test('a consumer that stops in the middle stops the server, for as long as it likes', async () => {
  // one page, far more than all buffers on the way can hold
  const clock = new FakeClock()
  const server = await emulate({ members: 100_000, pageSize: 100_000, pool: 500 })
  let isStopped = false
  let goOn = (): void => {}
  const stop = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const destination = discarding(async (bytesWritten) => {
    if (isStopped || bytesWritten < 4 * MiB) return
    isStopped = true
    await stop
  })
  const run = exportRecords({ ...requestOf(server), destination, clock })
  await until(() => isStopped)
  const sent = (): number => server.log[0]!.bytes
  let before = -1
  // until the buffers of the kernel are full
  while (before !== sent()) {
    before = sent()
    await new Promise((resolve) => setTimeout(resolve, 40))
  }
  expect(sent()).toBeLessThan(40 * MiB)
  // no deadline counts while we are the ones who hold back
  clock.advance(24 * 60 * minute)
  goOn()
  const report = await run
  expect([report.records, report.requests, report.complete]).toEqual([100_000, 1, true])
  expect(report.bodyBytes).toBeGreaterThan(200 * MiB)
  expect(sent()).toBe(report.bodyBytes)
})

test('memory is flat while 200 MB go to a consumer that lags behind', async () => {
  const server = await emulate({ members: 100_000, pageSize: 10_000, pool: 500 })
  const samples: number[] = []
  let next = 0
  const destination = discarding(async (bytesWritten) => {
    if (bytesWritten < next) return
    next = bytesWritten + 4 * MiB
    samples.push(process.memoryUsage.rss())
    // some turns of the event loop in which the server could run ahead
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  })
  const report = await exportRecords({ ...requestOf(server), destination })
  expect(report.outputBytes).toBeGreaterThan(200 * MiB)
  expect(samples.length).toBeGreaterThan(40)
  // the first quarter warms up: code is compiled, the heap finds its size
  const settled = samples.slice(samples.length >> 2)
  const growth = Math.max(...settled) - settled[0]!
  expect(growth).toBeLessThan(32 * MiB)
})
