// Bodies that unfold to far more than memory holds, against the program itself: each ends with the error that is owed,
// or streams through, and the process stays within its base and four times the largest record that it takes. By default
// those that unfold most, in the soak all.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { MiB } from '../../src/bytes/units.js'
import type { EmulatorOptions } from '../../src/emulator/emulator.js'
import type { BombFault } from '../../src/emulator/faults.js'
import { emulate, temporaryDirectory } from './harness.js'
import { type Ended, start } from './program.js'

const isSoak = process.env['TRUTO_EXPORT_SOAK'] === '1'
const recordBytes = 8 * MiB

/** Ends of an export, and the largest resident set of its process. */
async function exportOf(options: EmulatorOptions, flags: readonly string[]): Promise<Ended & { peakBytes: number }> {
  const server = await emulate(options)
  const limits = ['--max-record-bytes', '8MiB', '--tries', '1', '--quiet']
  const { child, ended } = start(server, join(temporaryDirectory(), 'out.ndjson'), { flags: [...limits, ...flags] })
  let peakBytes = 0
  const timer = setInterval(() => {
    try {
      const [, kilobytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1')) ?? []
      if (kilobytes !== undefined) peakBytes = Math.max(peakBytes, Number(kilobytes) * 1024)
    } catch {} // it has ended
  }, 5)
  const end = await ended
  clearInterval(timer)
  return { ...end, peakBytes }
}

/** Peak of an export of well-behaved members. */
let base: number | undefined

const anyRatio = ['--max-decoded-ratio', '1000000000']
const infinite = Number.POSITIVE_INFINITY
const all: readonly [name: string, bomb: Omit<BombFault, 'kind'>, code: string | null, flags?: string[]][] = [
  ['gzip, one string', { of: 'string', bytes: 1024 * MiB, encoding: 'gzip' }, 'ERR_LIMIT'],
  [
    'gzip of any ratio, one string',
    { of: 'string', bytes: 1024 * MiB, encoding: 'gzip' },
    'ERR_RECORD_TOO_LARGE',
    anyRatio,
  ],
  ['gzip of any ratio, white space', { of: 'whitespace', bytes: 128 * MiB, encoding: 'gzip' }, null, anyRatio],
  ['records without end', { of: 'records', bytes: infinite }, 'ERR_LIMIT', ['--max-bytes', '64MiB']],
  ['brotli, one string', { of: 'string', bytes: 1024 * MiB, encoding: 'br' }, 'ERR_LIMIT'],
  [
    'brotli of any ratio, one string',
    { of: 'string', bytes: 1024 * MiB, encoding: 'br' },
    'ERR_RECORD_TOO_LARGE',
    anyRatio,
  ],
  ['one string without end', { of: 'string', bytes: infinite }, 'ERR_RECORD_TOO_LARGE'],
  ['keys without end', { of: 'keys', bytes: infinite }, 'ERR_RECORD_TOO_LARGE'],
  ['brackets', { of: 'brackets', bytes: infinite }, 'ERR_DEPTH'],
  ['white space', { of: 'whitespace', bytes: 128 * MiB }, null],
]

const bombs = isSoak ? all : all.slice(0, 4)

test.skipIf(process.platform !== 'linux').each(bombs)(
  'a bomb of %s ends with what is owed, within bounded memory',
  async (_, bomb, code, flags = []) => {
    base ??= (await exportOf({ members: 20_000, pageSize: 20_000, pool: 100 }, [])).peakBytes
    const { peakBytes, ...end } = await exportOf({ faults: [{ kind: 'bomb', ...bomb, attempt: 'every' }] }, flags)
    expect(end).toMatchObject({ code: code === null ? 0 : 6 })
    if (code !== null) expect(end.stderr).toMatch(new RegExp(`^truto-export: ${code}: [^\\n]*\\n$`))
    expect(Math.min(base, peakBytes)).toBeGreaterThan(30 * MiB)
    expect(peakBytes).toBeLessThan(base + 4 * recordBytes)
  },
)
