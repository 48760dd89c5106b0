import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { publishStaged } from '../../src/destination/claimed-writer.js'
import type { ClaimedPlace, PlaceWriter } from '../../src/destination/destination.js'
import { type DirectoryDestinationOptions, directoryDestination } from '../../src/destination/directory.js'
import { markName } from '../../src/destination/part-files.js'
import { sideNames } from '../../src/files/side-names.js'
import { destinationConformance } from './conformance.js'
import { faultyFiles } from './faulty-files.js'
import { placeConformance } from './place-conformance.js'

const root = mkdtempSync(join(tmpdir(), 'truto-export-directory-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let directories = 0
/** A new directory for each test. */
let dir = ''
beforeEach(() => {
  dir = join(root, `${++directories}`)
  mkdirSync(dir)
})

/** Files of a directory by name, but for our mark; null where there is no directory. */
function partsOf(path: string): Record<string, string> | null {
  if (!existsSync(path)) return null
  return Object.fromEntries(
    readdirSync(path)
      .filter((name) => name !== markName)
      .sort()
      .map((name) => [name, readFileSync(join(path, name), 'latin1')]),
  )
}

destinationConformance(
  'a directory of parts',
  async () => {
    const directory = mkdtempSync(join(root, 'conformance-'))
    const path = join(directory, 'out')
    return {
      destination: directoryDestination(path, { extension: '.ndjson' }),
      visible: async () => {
        const parts = partsOf(path)
        return parts && Buffer.from(Object.values(parts).join(''), 'latin1')
      },
      leftovers: async () => readdirSync(directory).filter((name) => name !== 'out'),
      [Symbol.asyncDispose]: async () => rmSync(directory, { recursive: true, force: true }),
    }
  },
  { isAtomic: true },
)

placeConformance('a directory of parts', async () => {
  const directory = mkdtempSync(join(root, 'kept-'))
  const path = join(directory, 'out')
  const sides = sideNames(path)
  return {
    make: ({ overwrite = false } = {}) => directoryDestination(path, { extension: '.ndjson', overwrite }),
    visible: async () => {
      const parts = partsOf(path)
      return parts && Object.values(parts)
    },
    manifest: async () => (existsSync(sides.manifest) ? readFileSync(sides.manifest, 'utf8') : null),
    hasPartial: async () => existsSync(sides.partial),
    [Symbol.asyncDispose]: async () => rmSync(directory, { recursive: true, force: true }),
  }
})

async function placeOf(options: Partial<DirectoryDestinationOptions> = {}): Promise<ClaimedPlace> {
  await release()
  const place = (await directoryDestination(join(dir, 'out'), { extension: '.csv', ...options }).resumable!())!
  const claimed = await place.claim()
  claims.push(claimed)
  return claimed
}

/** Those that a test has made: a process that ends without releasing them leaves locks of a dead one. */
const claims: ClaimedPlace[] = []
const release = async (): Promise<void> => {
  for (const claimed of claims.splice(0)) await claimed.release()
}
afterEach(release)

async function begin(options: Partial<DirectoryDestinationOptions> = {}): Promise<PlaceWriter> {
  return (await placeOf(options)).begin({ tokens: true })
}

/** Writes parts of these texts. */
async function put(writer: PlaceWriter, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    await writer.parts!.end()
    await writer.write(Buffer.from(text))
  }
}

const publish = (writer: PlaceWriter): Promise<void> => publishStaged(writer, null)

describe('a directory of parts', () => {
  test('has a file for each part, under their names only once all of them are complete', async () => {
    const writer = await begin()
    await put(writer, 'one', 'two', 'three')
    expect(partsOf(join(dir, 'out'))).toBeNull()
    await publish(writer)
    expect(partsOf(join(dir, 'out'))).toEqual({
      'part-00000.csv': 'one',
      'part-00001.csv': 'two',
      'part-00002.csv': 'three',
    })
    expect(writer.parts!.list()).toEqual([
      { name: 'part-00000.csv', bytes: 3 },
      { name: 'part-00001.csv', bytes: 3 },
      { name: 'part-00002.csv', bytes: 5 },
    ])
    await release()
    expect(readdirSync(dir)).toEqual(['out'])
  })

  test('an ended part that nothing follows is the last, and two ends make no empty part', async () => {
    const writer = await begin()
    await put(writer, 'one')
    await writer.parts!.end()
    await writer.parts!.end()
    await publish(writer)
    expect(partsOf(join(dir, 'out'))).toEqual({ 'part-00000.csv': 'one' })
  })

  test('what another run left and somebody renamed is refused and stays', async () => {
    const first = await begin()
    await put(first, 'abc', 'defg')
    const kept = await first.keep()
    await first.abort({ upTo: kept })
    renameSync(join(dir, '_out.partial/part-00000.csv'), join(dir, '_out.partial/part-00007.csv'))
    await expect((await placeOf()).resume(kept)).rejects.toMatchObject({ code: 'ERR_STATE_OUTPUT' })
    expect(Object.keys(partsOf(join(dir, '_out.partial'))!)).toEqual(['part-00001.csv', 'part-00007.csv'])
  })

  test('an existing directory is replaced as a whole where that is allowed, and only if it holds nothing but parts', async () => {
    await committed('old', 'old too')
    await expect(begin()).rejects.toMatchObject({ code: 'ERR_OUTPUT_EXISTS' })
    const writer = await begin({ overwrite: true })
    await put(writer, 'new')
    expect(partsOf(join(dir, 'out'))).toEqual({ 'part-00000.csv': 'old', 'part-00001.csv': 'old too' })
    await publish(writer)
    expect(partsOf(join(dir, 'out'))).toEqual({ 'part-00000.csv': 'new' })
    await release()
    expect(readdirSync(dir)).toEqual(['out'])
    writeFileSync(join(dir, 'out/notes.txt'), 'mine')
    await expect(begin({ overwrite: true })).rejects.toMatchObject({ code: 'ERR_OUTPUT_EXISTS' })
    expect(existsSync(join(dir, 'out/notes.txt'))).toBe(true)
  })

  test('a run that died between the two renames of a replacement leaves the old parts, which come back', async () => {
    await committed('old')
    writeFileSync(join(dir, 'out', markName), '')
    renameSync(join(dir, 'out'), join(dir, '_out.replaced'))
    await expect(begin()).rejects.toMatchObject({ code: 'ERR_OUTPUT_EXISTS' })
    expect(partsOf(join(dir, 'out'))).toEqual({ 'part-00000.csv': 'old' })
  })

  test('what a run that died behind the two renames left is removed by the next replacement', async () => {
    await committed('old')
    mkdirSync(join(dir, '_out.replaced'))
    writeFileSync(join(dir, '_out.replaced/part-00000.csv'), 'older')
    writeFileSync(join(dir, '_out.replaced', markName), '')
    await committed('new')
    expect(partsOf(join(dir, 'out'))).toEqual({ 'part-00000.csv': 'new' })
    await release()
    expect(readdirSync(dir)).toEqual(['out'])
  })

  test.each<Record<string, string>>([
    { 'notes.txt': 'mine', 'part-00000.csv': 'mine too' },
    { 'part-00000.csv': 'mine', 'part-00001.data.txt': 'mine too' },
    { 'part-00000.csv': 'mine' },
  ])('what somebody else has under the name that a replaced directory takes is not touched: %j', async (theirs) => {
    const isUntouched = (): void => expect(partsOf(join(dir, '_out.replaced'))).toEqual(theirs)
    mkdirSync(join(dir, '_out.replaced'))
    for (const [name, text] of Object.entries(theirs)) writeFileSync(join(dir, '_out.replaced', name), text)
    await committed('new')
    isUntouched()
    await expect(begin({ overwrite: true })).rejects.toMatchObject({ code: 'ERR_OUTPUT_EXISTS' })
    isUntouched()
    expect(partsOf(join(dir, 'out'))).toEqual({ 'part-00000.csv': 'new' })
  })

  test('a directory that appeared during the export is left alone, and the complete one is kept', async () => {
    const writer = await begin()
    await put(writer, 'new')
    mkdirSync(join(dir, 'out'))
    writeFileSync(join(dir, 'out/part-00000.csv'), 'of another')
    await expect(publish(writer)).rejects.toMatchObject({ code: 'ERR_OUTPUT_RENAME', exitCode: 7 })
    expect(partsOf(join(dir, 'out'))).toEqual({ 'part-00000.csv': 'of another' })
    expect(partsOf(join(dir, '_out.partial'))).toEqual({ 'part-00000.csv': 'new' })
    expect(writer.left).toContain('out.partial is kept')
  })

  test.each(['link', 'link/'])('%s is followed and stays', async (name) => {
    mkdirSync(join(dir, 'real'))
    writeFileSync(join(dir, 'real/part-00000.csv'), 'old')
    symlinkSync('real', join(dir, 'link'))
    const destination = directoryDestination(`${dir}/${name}`, { extension: '.csv', overwrite: true })
    const place = await (await destination.resumable!())!.claim()
    claims.push(place)
    const writer = await place.begin()
    await put(writer, 'new')
    await publish(writer)
    expect(lstatSync(join(dir, 'link')).isSymbolicLink()).toBe(true)
    expect(partsOf(join(dir, 'real'))).toEqual({ 'part-00000.csv': 'new' })
    await release()
    expect(readdirSync(dir).sort()).toEqual(['link', 'real'])
  })

  test('a directory that was exchanged, and a part that was, are noticed before anything is published', async () => {
    const writer = await begin()
    await put(writer, 'one', 'two')
    renameSync(join(dir, '_out.partial'), join(dir, 'elsewhere'))
    mkdirSync(join(dir, '_out.partial'))
    await expect(publish(writer)).rejects.toMatchObject({ code: 'ERR_OUTPUT_CHANGED' })
    expect(existsSync(join(dir, 'out'))).toBe(false)

    rmSync(join(dir, '_out.partial'), { recursive: true })
    const another = await begin()
    await put(another, 'one', 'two')
    writeFileSync(join(dir, '_out.partial/part-00000.csv'), 'another')
    await expect(publish(another)).rejects.toMatchObject({ code: 'ERR_OUTPUT_CHANGED' })
    expect(existsSync(join(dir, 'out'))).toBe(false)
  })

  test('whatever call of the file system fails, the old parts or the new ones are there, whole', async () => {
    for (let failAt = 1; ; failAt++) {
      rmSync(dir, { recursive: true, force: true })
      mkdirSync(dir)
      await committed('old', 'old too')
      const files = faultyFiles({ failAt, code: 'EIO' })
      let isDone = true
      try {
        const writer = await begin({ files, overwrite: true })
        try {
          await put(writer, 'new', 'new too', 'and more')
          await publish(writer)
        } catch (error) {
          await writer.abort()
          throw error
        }
      } catch {
        isDone = false
      }
      if (files.hit === null) break
      // between its two renames a replacement has a name of its own, and the next run gives it back
      if (!existsSync(join(dir, 'out'))) await begin().catch(() => {})
      const parts = Object.values(partsOf(join(dir, 'out'))!).join()
      expect([`${failAt} ${files.hit}`, parts]).toEqual([
        `${failAt} ${files.hit}`,
        isDone || parts.startsWith('new') ? 'new,new too,and more' : 'old,old too',
      ])
      expect(failAt).toBeLessThan(200)
    }
  })
})

/** Parts under their final name. Returns a writer that takes no more. */
async function committed(...texts: readonly string[]): Promise<PlaceWriter> {
  const writer = await begin({ overwrite: true })
  await put(writer, ...texts)
  await publish(writer)
  return writer
}
