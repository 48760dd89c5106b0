// Lists that repeat themselves at the borders of their pages: every record stays, and who asks is told how many came
// twice.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exportRecords } from '../../src/export/export.js'
import { readManifest } from '../helpers/manifest.js'
import { emulate, FaultClock, requestOf, run, temporaryDirectory } from './harness.js'

const overlapping = { members: 12, pageSize: 4, paging: { overlap: 2 } } as const
/** Two on each of the two pages behind the first. */
const repeated = 4

test('repeated ids are counted in report and manifest, and every record is in the output', async () => {
  const { report, output } = await run({ emulator: overlapping, options: { checkDuplicates: true } })
  const ids = output!
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { id: string }).id)
  expect([ids.length - new Set(ids).size, ids.length]).toEqual([repeated, 12 + repeated])
  expect(report).toMatchObject({ duplicates: { records: repeated, isExact: true }, records: 12 + repeated })
  expect(report!.warnings).toEqual([expect.objectContaining({ code: 'duplicate-ids', count: repeated })])
})

test('nobody counts them who did not ask, and the bytes are the same', async () => {
  const [asked, plain] = await Promise.all(
    [true, false].map((checkDuplicates) => run({ emulator: overlapping, options: { checkDuplicates } })),
  )
  expect(plain!.report).toMatchObject({ duplicates: null, warnings: [] })
  expect(plain!.output!.equals(asked!.output!)).toBe(true)
})

test('they are counted as the server sends them: before a function, a key or an exclusion sees them', async () => {
  const options = {
    checkDuplicates: true,
    exclude: ['id'],
    keyBy: 'id',
    keyByDuplicate: 'first',
  } as const
  const { report, output } = await run({ emulator: overlapping, options })
  expect(report).toMatchObject({ duplicates: { records: repeated, isExact: true }, records: 12 })
  const records = output!
    .toString()
    .trimEnd()
    .split('\n')
    .flatMap((line) => Object.values(JSON.parse(line) as object))
  expect(records.some((record) => 'id' in (record as object))).toBe(false)
  // the server is not asked to leave out what is compared
  const bare = await run({ emulator: overlapping, options: { checkDuplicates: true, exclude: ['id', 'phones'] } })
  expect(bare.report).toMatchObject({ duplicates: { records: repeated, isExact: true } })
  const asked = bare.emulator.log.map(({ queryText }) => decodeURIComponent(queryText)).join()
  expect([asked.includes('[]=phones'), asked.includes('[]=id')]).toEqual([true, false])
  const mapped = await run({ emulator: overlapping, options: { checkDuplicates: true, transform: () => null } })
  expect(mapped.report).toMatchObject({ duplicates: { records: repeated, isExact: true }, records: 0 })
})

test('a page that is read again repeats nothing', async () => {
  const faults = [{ kind: 'cut', at: { record: 2 }, page: 2, transfer: 'length' }] as const
  const { report } = await run({ emulator: { ...overlapping, faults }, options: { checkDuplicates: true } })
  expect(report).toMatchObject({ retries: 1, duplicates: { records: repeated, isExact: true } })
})

test('an export that goes on counts on, and says that it does not know the ids of before', async () => {
  const clock = new FaultClock()
  const server = await emulate({ ...overlapping, clock, faults: [{ kind: 'status', status: 401, page: 3 }] })
  const out = join(temporaryDirectory(), 'out.ndjson')
  const options = { ...requestOf(server), clock, out, checkDuplicates: true }
  await exportRecords(options).catch(() => {})
  server.setFaults([])
  const report = await exportRecords(options)
  // the two of page 3 are those of page 2, which the run before had read
  expect(report.duplicates).toEqual({ records: repeated / 2, isExact: false })
  expect(readManifest(out).run.duplicates).toEqual(report.duplicates)
  expect(report.warnings.map(({ code }) => code)).toEqual(['duplicate-ids', 'duplicates-resumed'])
  expect(readFileSync(out, 'utf8').split('\n')).toHaveLength(12 + repeated + 1)
})
