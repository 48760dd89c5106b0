// Prints the fault matrix from a run of the tests that hold it: for each row that it passes, or the reason why not.

import { relative } from 'node:path'
import type { SerializedError } from 'vitest'
import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node'
import { type HeldBy, type Row, rows, titleOf, titlePattern } from './rows.js'

const matrixTests = 'test/faults/matrix.test.ts'

interface Ran {
  readonly file: string
  /** Its own title and those of the groups that it stands in. */
  readonly titles: readonly string[]
  readonly test: TestCase
}

interface Verdict {
  readonly word: 'pass' | 'FAIL' | 'skipped' | 'no'
  readonly because: readonly string[]
}

/** Use it as the only reporter: it prints what failed as well. */
export default class MatrixReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const ran = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => ({
        file: relative(process.cwd(), module.moduleId),
        titles: titlesOf(test),
        test,
      })),
    )
    const counts = { pass: 0, FAIL: 0, skipped: 0, no: 0 }
    for (const row of rows) {
      const { word, because } = verdictOf(row, ran)
      counts[word]++
      print(`${row.id.padEnd(7)} ${word.padEnd(7)} ${row.fault}  ->  ${row.owed}`)
      for (const line of because) print(`${' '.repeat(16)}${line}`)
    }
    for (const module of modules)
      for (const error of module.errors()) print(`FAIL ${relative(process.cwd(), module.moduleId)}: ${error.message}`)
    // such as that of a file whose process did not begin in time
    for (const error of unhandled) print(`FAIL ${error.message}`)
    const { pass, FAIL, skipped, no } = counts
    print(`\n${rows.length} rows: ${pass} pass, ${FAIL} fail, ${skipped} skipped here, ${no} not applicable`)
    if (FAIL > 0) process.exitCode = 1
  }
}

function verdictOf(row: Row, ran: readonly Ran[]): Verdict {
  const { cases = [], tests = [], except } = row
  const own = ran.filter(({ file, titles }) => file === matrixTests && titles.includes(titleOf(row)))
  const failed = own.filter(({ test }) => test.result().state === 'failed').map((found) => failureOf(found))
  const skipped: string[] = []
  // one of them only looks whether the others are there
  let passed = own.filter(
    ({ test }) => test.result().state === 'passed' && test.name !== 'is held by what it names',
  ).length
  if (cases.length > 0 && passed + failed.length === 0) failed.push(`${matrixTests}: none of its cases has run`)
  for (const held of tests) {
    const found = ran.filter((one) => isHeld(one, held))
    const broken = found.filter(({ test }) => test.result().state === 'failed')
    const good = found.filter(({ test }) => test.result().state === 'passed')
    failed.push(...broken.map((one) => failureOf(one)))
    passed += good.length
    if (found.length === 0) failed.push(`${held[0]}: no test "${held[1]}" has run`)
    else if (good.length + broken.length === 0) skipped.push(`skipped: ${held[1]}${noteOf(found)}`)
  }
  const reason = except === undefined ? [] : [except]
  if (failed.length > 0) return { word: 'FAIL', because: failed }
  if (passed > 0) return { word: 'pass', because: [...skipped, ...reason.map((text) => `but: ${text}`)] }
  if (skipped.length > 0) return { word: 'skipped', because: skipped }
  return { word: 'no', because: reason }
}

function isHeld({ file, titles }: Ran, [heldFile, title]: HeldBy): boolean {
  return file === heldFile && titles.some((name) => titlePattern(title).test(name))
}

function titlesOf(test: TestCase): string[] {
  const titles = [test.name]
  for (let parent: TestSuite | TestModule = test.parent; parent.type === 'suite'; parent = parent.parent)
    titles.push(parent.name)
  return titles
}

function failureOf({ file, test }: Ran): string {
  return `${file}: ${test.fullName}: ${test.result().errors?.[0]?.message.split('\n')[0]}`
}

/** Why it was skipped, where the test has said so. */
function noteOf(found: readonly Ran[]): string {
  const result = found[0]?.test.result()
  return result?.state === 'skipped' && result.note ? ` (${result.note})` : ''
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
