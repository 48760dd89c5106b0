// Runs the fault matrix: each row of `rows.ts` with its cases, and a look at whether the tests that hold the rest of it
// are there.

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { ExportError } from '../../src/errors.js'
import { membersText, type Outcome, run, usual } from './harness.js'
import { type FaultCase, matrix, type OwedError, type OwedOutput } from './matrix.js'
import { isCaseOf, rows, titleOf, withoutValues } from './rows.js'

const root = resolve(import.meta.dirname, '../..')

const twice = (ids: readonly string[]): string[] => ids.filter((id, index) => ids.indexOf(id) !== index)

test('every row and every case has a name of its own, and every case a row', () => {
  expect(twice(rows.map(({ id }) => id))).toEqual([])
  expect(twice(matrix.map(({ id }) => id))).toEqual([])
  expect(matrix.filter(({ id }) => !rows.some((row) => isCaseOf(row, id))).map(({ id }) => id)).toEqual([])
})

afterEach(() => {
  expect(Object.keys(Object.prototype)).toEqual([])
})

// by `$fault` the title would be cut short
describe.each(rows.map((row) => [titleOf(row), row] as const))('%s', (_title, row) => {
  const { cases = [], tests = [], except } = row

  test.each(matrix.filter(({ id }) => isCaseOf(row, id)))('$id', async (fault) => {
    const outcome = await run({
      emulator: fault.emulator ?? {},
      options: fault.options ?? {},
      ...(fault.file === undefined ? {} : { file: fault.file }),
      ...(fault.stepMs === undefined ? {} : { stepMs: fault.stepMs }),
      ...(fault.wallJumpMs === undefined ? {} : { wallJumpMs: fault.wallJumpMs }),
    })
    if ('code' in fault.owed) checkError(fault.owed, outcome)
    else checkOutput(fault, fault.owed, outcome)
    fault.also?.(outcome)
  })

  test('is held by what it names', () => {
    for (const pattern of cases)
      expect(matrix.filter(({ id }) => isCaseOf({ ...row, cases: [pattern] }, id)).length, pattern).toBeGreaterThan(0)
    for (const [file, title] of tests) {
      const path = join(root, file)
      expect(existsSync(path), file).toBe(true)
      expect(titlesIn(readFileSync(path, 'utf8')), file).toContain(withoutValues(title))
    }
    if (cases.length + tests.length === 0) expect(except).toMatch(/\w+ \w+/)
  })
})

/** The titles of the tests and groups of tests of a source. */
function titlesIn(text: string): string[] {
  const string = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`[^`]*`/g
  return [...text.matchAll(string)].map(([literal]) => withoutValues(literal.slice(1, -1).replace(/\\(['"`])/g, '$1')))
}

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
