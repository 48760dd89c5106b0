// A directory of very many parts: what a part costs does not depend on how many there are. Calls of the file system and
// members of lists are counted, no time is measured.

import { expect, test } from 'vitest'
import { decodeManifest, encodeManifest, isManifest, type Manifest } from '../../src/checkpoint/manifest.js'
import { directoryDestination } from '../../src/destination/directory.js'
import { exportRecords } from '../../src/export/export.js'
import { memoryFiles } from '../helpers/memory-files.js'

const callsOf = (files: ReturnType<typeof memoryFiles>): number =>
  [...files.calls.values()].reduce((sum, n) => sum + n, 0)

/** Calls for each part, once there are many, when there is a checkpoint after each. */
async function callsPerPart(parts: number): Promise<number> {
  const files = memoryFiles()
  const destination = directoryDestination('/out', { extension: '.csv', files })
  const place = await (await destination.resumable!())!.claim()
  const writer = await place.begin({ tokens: true })
  for (let part = 0; part < parts; part++) {
    await writer.write(Buffer.from('x'))
    await writer.keep()
    await writer.parts!.end()
    await writer.keep()
  }
  const calls = callsOf(files)
  await writer.stage()
  await writer.publish(null)
  await place.release()
  expect(await files.readdir('/out')).toHaveLength(parts)
  // looked at once more before they are published
  expect(callsOf(files) - calls).toBeLessThan(parts + 60)
  return calls / parts
}

test('each part costs the same calls of the file system, however many there are', async () => {
  const few = await callsPerPart(1000)
  const many = await callsPerPart(20_000)
  expect(many).toBeLessThanOrEqual(few)
  expect(few).toBeLessThan(25)
})

test('parts are resumed, and one of them taken back, in calls that are as many as they are', async () => {
  const files = memoryFiles()
  const parts = 20_000
  const open = async () => (await directoryDestination('/out', { extension: '.csv', files }).resumable!())!.claim()
  const place = await open()
  const first = await place.begin({ tokens: true })
  for (let part = 0; part < parts; part++) {
    await first.write(Buffer.from('x'))
    await first.parts!.end()
  }
  const kept = await first.rewind!.keptAt(parts - 1)
  await first.abort({ upTo: null })
  await place.release()
  const before = callsOf(files)
  const again = await open()
  const second = await again.resume(kept)
  // each is looked at and read: lstat, open, two reads and close
  expect(callsOf(files) - before).toBeLessThan(6 * parts)
  expect(second.parts!.list()).toHaveLength(parts - 1)
  await second.abort()
  await again.release()
  expect((await files.readdir('/')).filter((name) => name.startsWith('_out'))).toEqual([])
})

test('an export in a hundred thousand parts has a manifest that is read back', async () => {
  const files = memoryFiles()
  const count = 100_000
  const body = Buffer.from(Array.from({ length: count }, (_, n) => `{"id":"${n}"}\n`).join(''))
  const report = await exportRecords({
    input: body,
    inputFormat: 'ndjson',
    format: 'ndjson',
    out: '/out',
    partRows: 1,
    destination: directoryDestination('/out', { extension: '.ndjson', files }),
  })
  expect(report).toMatchObject({ records: count, complete: true })
  const file = await files.open('/_out.manifest.json', 0)
  const { size } = await file.stat()
  const bytes = Buffer.alloc(size)
  await file.read(bytes, 0, size, 0)
  expect(decodeManifest(bytes, 'it').parts).toHaveLength(count)
  expect(files.calls.get('open')!).toBeLessThan(count + 30)
})

test('a manifest is known to be one without all of it being read', () => {
  const text = Buffer.from('{\n  "kind": "truto-export manifest",\n  "manifestVersion": 1,\n  "parts": [')
  expect(isManifest(text)).toBe(true)
  expect(isManifest(Buffer.from(text.toString().replaceAll(/\s/g, '')))).toBe(false) // such a one is parsed, and this is cut
  expect(isManifest(Buffer.from('{"kind": "something else", "b": "truto-export manifest"}'))).toBe(false)
  const ours = encodeManifest({ manifestVersion: 1 } as Manifest)
  expect(isManifest(ours.subarray(0, 80))).toBe(true)
})
