// A run that has lost its place to another one: stopped for so long that it was taken for dead, it wakes up and must
// not touch what is the other's by now.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { ClaimedPlace, Destination, PlaceWriter } from '../../src/destination/destination.js'
import { directoryDestination } from '../../src/destination/directory.js'
import { fileDestination } from '../../src/destination/file.js'
import { sideNames } from '../../src/files/side-names.js'

const root = mkdtempSync(join(tmpdir(), 'truto-export-lost-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let places = 0
let out = ''
beforeEach(() => {
  mkdirSync(join(root, `${++places}`))
  out = join(root, `${places}`, 'out')
})

const kinds: [string, () => Destination][] = [
  ['a file', () => fileDestination(out, { overwrite: true })],
  ['a directory of parts', () => directoryDestination(out, { overwrite: true, extension: '.ndjson' })],
]

const claim = async (make: () => Destination): Promise<ClaimedPlace> => (await make().resumable!())!.claim()

/** As if the holder ran in another container and had been stopped an hour ago. */
function makeSilent(): void {
  const { lock } = sideNames(out)
  writeFileSync(
    lock,
    JSON.stringify({ ...JSON.parse(readFileSync(lock, 'utf8')), bootId: 'another', nonce: 'another' }),
  )
  const hourAgo = new Date(Date.now() - 3_600_000)
  utimesSync(lock, hourAgo, hourAgo)
}

/** All that is in the directory, by path. */
function everything(at = join(out, '..')): Record<string, string> {
  return Object.fromEntries(
    readdirSync(at, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => [join(entry.parentPath, entry.name), readFileSync(join(entry.parentPath, entry.name), 'latin1')]),
  )
}

/** @param manifest by default one that would be ours */
async function publish(
  writer: PlaceWriter,
  manifest = Buffer.from('{"kind": "truto-export manifest"}') as Buffer | null,
) {
  await writer.stage()
  await writer.publish(manifest)
}

async function part(writer: PlaceWriter, text: string): Promise<void> {
  await writer.write(Buffer.from(text))
  await writer.parts?.end()
}

describe.each(kinds)('%s', (_, make) => {
  /** The first run has written and synced two thirds and holds more; the second resumes after the first third. */
  async function lose(): Promise<{
    first: PlaceWriter
    place: ClaimedPlace
    second: PlaceWriter
    next: ClaimedPlace
  }> {
    const place = await claim(make)
    const first = await place.begin({ tokens: true })
    await part(first, 'one\n')
    const kept = await first.keep()
    await first.write(Buffer.from('two\n'))
    await first.keep()
    makeSilent()
    const next = await claim(make)
    const second = await next.resume(kept)
    return { first, place, second, next }
  }

  const effects: [string, (writer: PlaceWriter) => Promise<unknown>][] = [
    ['keeps', (writer) => writer.keep()],
    ['goes back', (writer) => writer.rewind!.to(0)],
    ['publishes', (writer) => publish(writer)],
    ['ends a part', (writer) => writer.parts?.end() ?? writer.keep()],
  ]

  test.each(effects)('%s: is refused once another run writes, and nothing of that is touched', async (_, act) => {
    const { first, place, second, next } = await lose()
    await part(second, 'TWO\n')
    await second.keep()
    await first.write(Buffer.from('more\n'))
    const before = everything()
    await expect(act(first)).rejects.toMatchObject({ code: 'ERR_STATE_LOCKED', exitCode: 8 })
    expect(first.isOurs).toBe(false)
    await first.abort({ upTo: null })
    expect(first.left).toBe(`nothing of what is at ${out} now was touched`)
    await place.release()
    expect(everything()).toEqual(before)
    await publish(second, null)
    await next.release()
    expect(Object.values(everything(statSync(out).isDirectory() ? out : join(out, '..'))).join('')).toBe('one\nTWO\n')
  })

  test.each(effects)('%s: is refused once another run has published, and the output stays whole', async (_, act) => {
    const { first, place, second, next } = await lose()
    await part(second, 'TWO\n')
    await publish(second)
    await next.release()
    await first.write(Buffer.from('more\n'))
    const before = everything()
    await expect(act(first)).rejects.toMatchObject({ code: 'ERR_STATE_LOCKED' })
    await first.abort()
    await place.release()
    expect(everything()).toEqual(before)
  })

  test('a run that fails for another reason tells of nothing that is not its own, and makes nothing', async () => {
    const { first, place, second, next } = await lose()
    await part(second, 'TWO\n')
    await second.keep()
    const before = everything()
    await first.abort({ upTo: null })
    expect([first.isOurs, first.left]).toEqual([false, `nothing of what is at ${out} now was touched`])
    await place.release()
    expect(everything()).toEqual(before)
    await publish(second, null)
    await next.release()
  })

  test('what it had in hand goes to a file without a name', async () => {
    const { first, place, second, next } = await lose()
    // the bytes that it has collected are written as soon as it wakes up, before it asks for anything
    await first.write(Buffer.alloc(2_000_000, 'x'))
    await part(second, 'TWO\n')
    await publish(second, null)
    await next.release()
    await first.abort()
    await place.release()
    expect(Object.values(everything()).join('')).toBe('one\nTWO\n')
  })

  test('a checkpoint is neither saved nor removed', async () => {
    const { place, first, next, second } = await lose()
    const mine = await place.checkpoints.open()
    const theirs = await next.checkpoints.open()
    await theirs.save(Buffer.from('theirs'))
    await expect(mine.save(Buffer.from('mine'))).rejects.toMatchObject({ code: 'ERR_STATE_LOCKED' })
    await expect(mine.remove()).rejects.toMatchObject({ code: 'ERR_STATE_LOCKED' })
    expect((await theirs.load())!.toString()).toBe('theirs')
    for (const writer of [first, second]) await writer.abort()
    for (const each of [place, next]) await each.release()
  })

  test('another output that took the name of this one as soon as it had it gets no manifest of it', async () => {
    const place = await claim(make)
    const writer = await place.begin()
    await part(writer, 'one\n')
    const { manifest } = place as unknown as { manifest: { publish(): Promise<void>; withdraw(): Promise<void> } }
    const withdraw = manifest.withdraw.bind(manifest)
    manifest.withdraw = async () => {
      await withdraw()
      makeSilent()
      await (await claim(make)).release()
    }
    await expect(publish(writer)).rejects.toMatchObject({
      code: 'ERR_STATE_LOCKED',
    })
    expect(existsSync(sideNames(out).manifest)).toBe(false)
    expect(writer.left).toContain('touched')
    await place.release()
  })
})

test('a directory of parts: no part is begun in what another run goes on with', async () => {
  const make = kinds[1]![1]
  const place = await claim(make)
  const first = await place.begin({ tokens: true })
  await part(first, 'one\n')
  const kept = await first.keep()
  makeSilent()
  const next = await claim(make)
  const second = await next.resume(kept)
  await expect(first.write(Buffer.from('two\n'))).rejects.toMatchObject({ code: 'ERR_STATE_LOCKED', exitCode: 8 })
  expect(first.isOurs).toBe(false)
  await first.abort({ upTo: null })
  await place.release()
  await part(second, 'TWO\n')
  await publish(second, null)
  await next.release()
  expect(Object.values(everything(out)).join('')).toBe('one\nTWO\n')
})
