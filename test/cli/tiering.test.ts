// What V8 is told by the program: counted in V8's own trace, whose budgets are counts of bytecode and not of time.

import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'

const main = resolve(import.meta.dirname, '../../dist/cli/main.js')

/** How often V8 takes a function for hot that executes some 500 KB of bytecode when the program has done its work. */
function marksOf(...args: string[]): number {
  const script = `
    process.once('exit', () => {
      function warm(n) {
        let sum = 0
        for (let i = 0; i < n; i++) sum += i % 7
        return sum
      }
      for (let i = 0; i < 500; i++) warm(50)
    })`
  const preload = `data:text/javascript,${encodeURIComponent(script)}`
  const { stdout, status } = spawnSync(process.execPath, ['--trace-opt', '--import', preload, main, ...args], {
    encoding: 'utf8',
    input: '{"id":"1"}\n',
  })
  expect(status).toBe(0)
  return stdout.match(/marking 0x[0-9a-f]+ <JSFunction warm/g)?.length ?? 0
}

test.runIf(process.versions.node.startsWith('20.'))(
  'a function that V8 would optimise is left as it is, for simd',
  () => {
    expect(marksOf('--version')).toBeGreaterThan(0)
    expect(marksOf('convert', '-', '--input-format', 'ndjson', '--parser', 'stream-json')).toBeGreaterThan(0)
    expect(marksOf('convert', '-', '--input-format', 'ndjson', '--parser', 'simd')).toBe(0)
  },
)
