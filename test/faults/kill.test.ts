// The program itself, killed: at random times, and by strace at its calls of the file system. Whatever was going on,
// running the same command again comes to the same bytes. By default a few places of two formats, in the soak every
// call there is and a thousand kills at random times.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { emulate, temporaryDirectory } from './harness.js'
import { callsOf, clear, expectGoesOn, hasStrace, injecting, type StartOptions, start, undisturbed } from './program.js'

const isSoak = process.env['TRUTO_EXPORT_SOAK'] === '1'

/** Twenty pages, and a checkpoint every few of them. */
const list = { members: 400, pageSize: 20, pool: 400 } as const
const flags = ['--commit-bytes', '60KiB', '--quiet']
const rowGroups = ['--row-group-rows', '30', '--quiet']

const formats: readonly [name: string, options: StartOptions][] = [
  ['out.ndjson', { flags }],
  ['out.csv.gz', { flags }],
  ['out.json', { flags }],
  ['out.csv', { flags }],
  ['out.ndjson.gz', { flags }],
  ['out.parquet', { flags: rowGroups }],
]
const kills = { atRandom: isSoak ? 170 : 2, perExport: isSoak ? 4 : 2 }

describe.each(isSoak ? formats : formats.slice(0, 2))('%s', (name, options) => {
  test('goes on after SIGKILL at random times', async () => {
    const server = await emulate(list)
    const { digest, ms } = await undisturbed(server, name, options)
    const path = join(temporaryDirectory(), name)
    let killed = 0
    for (let rounds = 0; killed < kills.atRandom && rounds < 10 * kills.atRandom; rounds++) {
      for (let kill = 0; kill < kills.perExport; kill++) {
        const { child, ended } = start(server, path, options)
        const timer = setTimeout(() => child.kill('SIGKILL'), ms * (0.3 + 0.7 * Math.random()))
        const { signal } = await ended
        clearTimeout(timer)
        if (signal === null) break
        killed++
      }
      await expectGoesOn(server, path, digest, options)
      clear(path)
    }
    if (isSoak) console.log(`${name}: went on after ${killed} kills at random times`)
    expect(killed).toBeGreaterThanOrEqual(kills.atRandom)
  })

  test('goes on after SIGKILL at a call of the file system', async ({ skip }) => {
    if (!hasStrace) skip('there is no strace here: resume.test.ts does the same with a file system in this process')
    const server = await emulate(list)
    const { digest } = await undisturbed(server, name, options)
    const path = join(temporaryDirectory(), name)
    const all = isSoak
      ? await callsOf(server, name, options)
      : [
          { call: 'fsync', when: 3 },
          { call: 'rename', when: 3 },
        ]
    let met = 0
    for (const { call, when } of all) {
      const { signal, code } = await start(server, path, injecting(path, call, when, 'signal=SIGKILL', options)).ended
      if (signal === 'SIGKILL' || code === 137) met++
      else expect(code).toBe(0)
      await expectGoesOn(server, path, digest, options)
      clear(path)
    }
    if (isSoak) console.log(`${name}: went on after SIGKILL at ${met} of ${all.length} calls`)
    // how many calls there are may differ by a few: bytes are written as they come
    expect(met).toBeGreaterThanOrEqual(isSoak ? all.length * 0.9 : all.length)
  })

  // sinks.test.ts and resume.test.ts do it at every call, within this process
  test.runIf(isSoak)('goes on after a call of the file system that failed', async ({ skip }) => {
    if (!hasStrace) skip('there is no strace here: resume.test.ts does the same with a file system in this process')
    const server = await emulate(list)
    const { digest } = await undisturbed(server, name, options)
    const path = join(temporaryDirectory(), name)
    const all = (await callsOf(server, name, options)).filter((_, index) => index % 3 === 0)
    const errors = ['ENOSPC', 'EIO', 'EDQUOT']
    const ends = { failed: 0, whole: 0 }
    for (const [index, { call, when }] of all.entries()) {
      const what = `error=${errors[index % errors.length]}`
      const { code, stderr } = await start(server, path, injecting(path, call, when, what, options)).ended
      // what was not needed, such as giving back the lock, is no failure of the export
      if (code === 0) ends.whole++
      else {
        ends.failed++
        expect([code, stderr.split('\n').length]).toEqual([7, 2])
        expect(stderr).toMatch(/^truto-export: ERR_OUTPUT_/)
      }
      if (code === 0) expect(existsSync(path)).toBe(true)
      await expectGoesOn(server, path, digest, options)
      clear(path)
    }
    console.log(`${name}: ${ends.failed} of ${all.length} failed calls ended the export, which went on all the same`)
    expect(ends.failed).toBeGreaterThan(all.length / 2)
  })
})
