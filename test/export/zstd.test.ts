// How many frames an output under zstd has, and who is told: some readers stop after the first one.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { memoryDestination } from '../../src/destination/memory.js'
import { type ExportOptions, exportRecords } from '../../src/export/export.js'
import { frameWarnings } from '../../src/export/warnings.js'
import { FrameCutter } from '../../src/source/zstd-frames.js'
import { verifyExport } from '../../src/verify.js'
import { emulate, FaultClock, membersText, requestOf, temporaryDirectory } from '../faults/harness.js'
import { readManifest } from '../helpers/manifest.js'

const hasZstd = 'zstdDecompressSync' in zlib
const { zstdDecompressSync } = zlib as unknown as { zstdDecompressSync(bytes: Uint8Array): Buffer }

/** Small pages of some records, and a cut after two or three records. */
const list = { members: 24, pageSize: 5 } as const
const commitBytes = 7000

/** The frames of a file, by their lengths. */
function framesOf(bytes: Buffer): Buffer[] {
  const cutter = new FrameCutter()
  const frames: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = cutter.endIn(bytes, at)
    if (end < 0) throw new Error('the last frame is cut')
    frames.push(bytes.subarray(at, end))
    at = end
  }
  return frames
}

function textOf(bytes: Buffer): string {
  return Buffer.concat(framesOf(bytes).map((frame) => zstdDecompressSync(frame))).toString()
}

async function scene() {
  const clock = new FaultClock()
  const server = await emulate({ ...list, clock })
  const path = join(temporaryDirectory(), 'out.ndjson.zst')
  const attempt = (options: Partial<ExportOptions> = {}) =>
    exportRecords({ ...requestOf(server), clock, out: path, commitBytes, tries: 1, ...options })
  return { server, path, attempt }
}

const codes = (report: { warnings: readonly { code: string }[] }): string[] => report.warnings.map(({ code }) => code)

// before Node.js 22.15 there is no zstd
describe.skipIf(!hasZstd)('an output under zstd', () => {
  test('has a frame for each commit, which manifest and report tell of, and verify counts all records', async () => {
    const { path, attempt } = await scene()
    const report = await attempt()
    const bytes = readFileSync(path)
    const frames = framesOf(bytes)
    expect(frames.length).toBeGreaterThan(4)
    expect(textOf(bytes)).toBe(membersText(list))
    const manifest = readManifest(path)
    expect(manifest).toMatchObject({ frames: frames.length, options: { commitBytes } })
    expect(report.warnings.find(({ code }) => code === 'zstd-frames')).toEqual({
      code: 'zstd-frames',
      message: `${frames.length} zstd frames: some readers stop after the first; see truto-export help encode`,
      count: 1,
    })
    expect(codes(manifest)).toContain('zstd-frames')
    expect(await verifyExport(path)).toMatchObject({ matches: true, records: { expected: 24, found: 24 } })
  })

  test('is the same, and has as many frames, when it was interrupted', async () => {
    const whole = await scene()
    await whole.attempt()
    const { server, path, attempt } = await scene()
    for (const page of [2, 3, 4, 5]) {
      server.reset()
      server.setFaults([{ kind: 'cut', at: { record: 3 }, page, transfer: 'length' }])
      await expect(attempt()).rejects.toMatchObject({ exitCode: 5 })
    }
    server.setFaults([])
    const report = await attempt()
    expect(report.resumedFrom).not.toBe(null)
    expect(readFileSync(path).equals(readFileSync(whole.path))).toBe(true)
    const [{ frames, warnings }, expected] = [readManifest(path), readManifest(whole.path)]
    expect({ frames, warnings }).toEqual({ frames: expected.frames, warnings: expected.warnings })
  })

  test('is one frame by default as long as it is short', async () => {
    const { path, attempt } = await scene()
    const report = await attempt({ commitBytes: null })
    expect(readManifest(path)).toMatchObject({ frames: 1, options: { commitBytes: 256 << 20 } })
    expect(framesOf(readFileSync(path)).length).toBe(1)
    expect(codes(report)).not.toContain('zstd-frames')
  })

  test('is one frame where nobody could go on with it', async () => {
    const { path, attempt } = await scene()
    const plain = await attempt({ checkpoint: false })
    expect(framesOf(readFileSync(path)).length).toBe(1)
    expect(textOf(readFileSync(path))).toBe(membersText(list))
    const { frames, options } = readManifest(path)
    expect(frames).toBe(1)
    expect(options).not.toHaveProperty('commitBytes')

    const converted = join(temporaryDirectory(), 'converted.ndjson.zst')
    const input = Buffer.from(membersText(list))
    const report = await exportRecords({ input, inputFormat: 'ndjson', out: converted, commitBytes })
    expect(framesOf(readFileSync(converted)).length).toBe(1)
    expect(readManifest(converted).frames).toBe(1)

    const memory = memoryDestination()
    const kept = await attempt({ destination: memory, compress: 'zstd' })
    expect(framesOf(memory.bytes()).length).toBe(1)
    expect([plain, report, kept].flatMap(codes)).not.toContain('zstd-frames')

    const resumable = memoryDestination({ isResumable: true })
    await attempt({ destination: resumable, compress: 'zstd' })
    expect(framesOf(resumable.bytes()).length).toBeGreaterThan(4)
  })

  test('in parts has a frame a part, and more only where one is cut', async () => {
    const { path, attempt } = await scene()
    const report = await attempt({ format: 'ndjson', compress: 'zstd', partRows: 6, commitBytes: 1 << 20 })
    expect(readManifest(path)).toMatchObject({ frames: 4, parts: { length: 4 } })
    expect(codes(report)).not.toContain('zstd-frames')
    const cut = await scene()
    const { warnings } = await cut.attempt({ format: 'ndjson', compress: 'zstd', partRows: 6 })
    const { frames, parts } = readManifest(cut.path)
    expect(parts!.length).toBe(4)
    const files = parts!.map(({ name }) => framesOf(readFileSync(join(cut.path, name))).length)
    expect(files.reduce((sum, count) => sum + count)).toBe(frames)
    expect(warnings.map(({ message }) => message).join()).toContain(`${frames} zstd frames in 4 files: `)
    expect(await verifyExport(cut.path)).toMatchObject({ matches: true, records: { found: 24 } })
  })
})

test('other compression has no frames to tell of', async () => {
  const { path, attempt } = await scene()
  const report = await attempt({ format: 'ndjson', compress: 'gzip' })
  expect(readManifest(path)).toMatchObject({ frames: null, options: { commitBytes } })
  expect(codes(report)).not.toContain('zstd-frames')
})

test.each([
  [null, 1, null],
  [1, 1, null],
  [4, 4, null],
  [2, 1, '2 zstd frames: '],
  [1234, 1, '1,234 zstd frames: '],
  [5, 4, '5 zstd frames in 4 files: '],
])('%s frames in %s files are told of: %s', (frames, files, said) => {
  const messages = frameWarnings(frames, files).map(({ message }) => message)
  expect(messages).toEqual(said === null ? [] : [expect.stringMatching(`^${said}`)])
})
