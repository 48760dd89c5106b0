// Runs the fault matrix, each row as its own test.

import { afterEach, describe, expect, test } from 'vitest'
import { ExportError } from '../../src/errors.js'
import { membersText, type Outcome, run, usual } from './harness.js'
import { elsewhere, type FaultCase, matrix, type OwedError, type OwedOutput } from './matrix.js'

test('every row of the matrix has a name of its own', () => {
  const ids = [...matrix, ...elsewhere].map(({ id }) => id)
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
})

describe('a row of the fault matrix', () => {
  afterEach(() => {
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  for (const row of matrix) {
    test(row.id, async () => {
      const outcome = await run({
        emulator: row.emulator ?? {},
        options: row.options ?? {},
        ...(row.file === undefined ? {} : { file: row.file }),
        ...(row.stepMs === undefined ? {} : { stepMs: row.stepMs }),
      })
      if ('code' in row.owed) checkError(row.owed, outcome)
      else checkOutput(row, row.owed, outcome)
      row.also?.(outcome)
    })
  }
})

function checkError(owed: OwedError, { error, emulator, waits }: Outcome): void {
  expect(error).toBeInstanceOf(ExportError)
  const failure = error as ExportError
  const line = failure.toLine()
  expect({ code: failure.code, exit: failure.exitCode, requests: emulator.requests, line }).toEqual({
    code: owed.code,
    exit: owed.exit,
    requests: owed.requests,
    line,
  })
  const page = owed.page === undefined ? 1 : owed.page
  if (page === null) expect(failure.page).toBeUndefined()
  else expect(line).toContain(`[page ${page}`)
  if (owed.record !== undefined) expect(line).toContain(`, record ${owed.record}`)
  if (owed.byte !== undefined) expect(line).toContain(`, byte ${owed.byte}]`)
  if (owed.says !== undefined) expect(line).toMatch(owed.says)
  for (const ms of waits) expect(ms).toBeLessThanOrEqual(60_500)
}

function checkOutput(row: FaultCase, owed: OwedOutput, { error, report, output, emulator, waits }: Outcome): void {
  if (error !== undefined) throw error
  const expected = owed.output ?? membersText({ ...usual, ...row.emulator })
  expect(output?.toString('utf8')).toBe(expected)
  expect(report).toMatchObject({
    complete: owed.complete ?? true,
    requests: owed.requests,
    retries: owed.retries ?? 0,
    outputBytes: output!.length,
  })
  expect(emulator.requests).toBe(owed.requests)
  expect(report!.warnings.map(({ code }) => code)).toEqual(owed.warnings ?? [])
  expect(report!.waitMs).toBe(waits.reduce((sum, ms) => sum + ms, 0))
  if (owed.wait !== undefined) {
    expect(report!.waitMs).toBeGreaterThanOrEqual(owed.wait[0])
    expect(report!.waitMs).toBeLessThanOrEqual(owed.wait[1])
  }
}
