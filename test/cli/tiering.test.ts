// What V8 is told by the program: counted in V8's own trace, whose budgets are counts of bytecode and not of time.

import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'

const io = resolve(import.meta.dirname, '../../dist/cli/io.js')

/** How often V8 takes a function for hot that executes some 500 KB of bytecode. */
function marksOf(parser?: string): number {
  const script = `
    import { processIo } from ${JSON.stringify(io)}
    ${parser === undefined ? '' : `await processIo().loadExport({ parser: '${parser}' })`}
    function warm(n) {
      let sum = 0
      for (let i = 0; i < n; i++) sum += i % 7
      return sum
    }
    for (let i = 0; i < 500; i++) warm(50)`
  const { stdout, status } = spawnSync(process.execPath, ['--trace-opt', '--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  expect(status).toBe(0)
  return stdout.match(/marking 0x[0-9a-f]+ <JSFunction warm/g)?.length ?? 0
}

test.runIf(process.versions.node.startsWith('20.'))(
  'a function that V8 would optimise is left as it is, for simd',
  () => {
    expect(marksOf()).toBeGreaterThan(0)
    expect(marksOf('stream-json')).toBeGreaterThan(0)
    expect(marksOf('simd')).toBe(0)
  },
)
