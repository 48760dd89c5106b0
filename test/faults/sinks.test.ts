// Places that fail: whatever call of the file system goes wrong, and wherever, no final name ever holds a part of a
// list.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fileDestination } from '../../src/destination/file.js'
import { ExportError } from '../../src/errors.js'
import { type ExportOptions, exportRecords } from '../../src/export/export.js'
import { sideNames } from '../../src/files/side-names.js'
import { faultyFiles } from '../destination/faulty-files.js'
import { expectNoLie, writeManifest } from '../helpers/manifest.js'
import {
  emulate,
  everythingIn,
  FaultClock,
  membersText,
  requestOf,
  temporaryDirectory,
  token,
  usual,
} from './harness.js'

const whole = membersText(usual)

/** Exports into `out`; resolves with the error, undefined where there was none, and the number of requests. */
async function exportTo(
  options: Partial<ExportOptions>,
): Promise<{ error: ExportError | undefined; requests: number }> {
  const clock = new FaultClock()
  const server = await emulate({ clock })
  let error: unknown
  try {
    await exportRecords({ ...requestOf(server), clock, ...options })
  } catch (caught) {
    error = caught
    expect(error).toBeInstanceOf(ExportError)
    expect((error as ExportError).toLine()).not.toMatch(/[\r\n]/)
    expect(everythingIn(error)).not.toContain(token)
  }
  const { requests } = server
  await server.close()
  return { error: error as ExportError | undefined, requests }
}

const failures: readonly [code: string, ours: string][] = [
  ['ENOSPC', 'ERR_OUTPUT_SPACE'],
  ['EDQUOT', 'ERR_OUTPUT_SPACE'],
  ['EFBIG', 'ERR_OUTPUT_SPACE'],
  ['EIO', 'ERR_OUTPUT_IO'],
  ['EMFILE', 'ERR_OUTPUT_RESOURCES'],
  ['EACCES', 'ERR_OUTPUT_ACCESS'],
  ['EROFS', 'ERR_OUTPUT_ACCESS'],
]

describe('the n-th call of the file system fails, for every n', () => {
  for (const [code, ours] of failures) {
    for (const overwrite of [false, true]) {
      test(`${code}${overwrite ? ', over an older file' : ''}`, async () => {
        const directory = temporaryDirectory()
        const path = join(directory, 'out.ndjson')
        for (let failAt = 1; ; failAt++) {
          if (overwrite) {
            writeFileSync(path, 'old')
            writeManifest(path)
          }
          const files = faultyFiles({ failAt, code, maxWrite: 4096 })
          const destination = fileDestination(path, { overwrite, files })
          const { error, requests } = await exportTo({ destination, checkpoint: false })
          if (files.hit === null) {
            // the run that no fault has met: there is nothing left to try
            expect([error, readFileSync(path, 'utf8'), readdirSync(directory)]).toEqual([
              undefined,
              whole,
              ['_out.ndjson.manifest.json', 'out.ndjson'],
            ])
            expect(expectNoLie(path)).toBe(true)
            // the bytes of both are durable before they get their names, and each name before the next; what told of
            // the old file is gone before
            expect(files.calls.filter((call) => call === 'fsync' || call === 'rename')).toEqual([
              ...['fsync', 'fsync', ...(overwrite ? ['fsync'] : [])],
              ...['rename', 'fsync', 'rename', 'fsync'],
            ])
            expect(failAt).toBeGreaterThan(12)
            break
          }
          // the first is that of the lock
          const writes = files.calls.filter((call) => call === 'write').length
          const published = existsSync(path) ? readFileSync(path, 'utf8') : undefined
          const isNew = published === whole
          expectNoLie(path)
          expect(isNew || published === (overwrite ? 'old' : undefined)).toBe(true)
          // a close or chmod that fails after all is done may be none of the user's business
          if (error === undefined) expect(isNew).toBe(true)
          else {
            expect(error.exitCode).toBe(7)
            if (files.hit === 'open') expect(error.code).toBe(ours)
            // no right is asked for once the file is open: it is the storage that says so
            if (files.hit === 'write' && writes > 1)
              expect(error.code).toBe(ours === 'ERR_OUTPUT_ACCESS' ? 'ERR_OUTPUT_IO' : ours)
            if (files.hit === 'rename' && !isNew) expect(error.code).toBe('ERR_OUTPUT_RENAME')
          }
          // what is in the way of opening is known before anything is asked of the server
          if (writes < 2) expect([error === undefined, requests]).toEqual([false, 0])
          const isKept = error?.code === 'ERR_OUTPUT_RENAME'
          expect(existsSync(sideNames(path).partial)).toBe(isKept)
          if (isKept) expect(readFileSync(sideNames(path).partial, 'utf8')).toBe(whole)
          // an fsync that failed is not repeated
          if (files.hit === 'fsync' && !isNew) expect(files.calls.lastIndexOf('fsync')).toBe(failAt - 1)
          for (const name of readdirSync(directory)) rmSync(join(directory, name))
        }
      })
    }
  }

  test.each(['out.json', 'out.csv', 'out.parquet', 'out.ndjson.gz'])('ENOSPC in %s', async (name) => {
    const directory = temporaryDirectory()
    const path = join(directory, name)
    const [, extension] = /\.(.*?)(?:\.gz)?$/.exec(name)!
    const format = extension as 'json' | 'csv' | 'parquet' | 'ndjson'
    const compress = name.endsWith('.gz') ? 'gzip' : 'none'
    let writes = 0
    for (let failAt = 1; ; failAt++) {
      const files = faultyFiles({ failAt, code: 'ENOSPC', maxWrite: 2048 })
      const destination = fileDestination(path, { files })
      const { error } = await exportTo({ destination, format, compress, checkpoint: false })
      if (files.hit === null) break
      if (files.hit === 'write') {
        writes++
        expect(error).toMatchObject({ code: 'ERR_OUTPUT_SPACE', exitCode: 7 })
        expect(readdirSync(directory)).toEqual([])
      }
      for (const left of readdirSync(directory)) rmSync(join(directory, left))
    }
    expect(writes).toBeGreaterThan(0)
    expect(readdirSync(directory)).toEqual([sideNames(name).manifest, name])
  })
})

describe('before the first request', () => {
  const cases: readonly [name: string, path: (directory: string) => string, code: string, exit: number][] = [
    ['a directory that is not there', (directory) => join(directory, 'no', 'out'), 'ERR_OUTPUT_ACCESS', 7],
    ['a file where a directory belongs', (directory) => join(directory, 'old', 'out'), 'ERR_OUTPUT_ACCESS', 7],
    ['a directory', (directory) => join(directory, 'sub'), 'ERR_OUTPUT_ACCESS', 7],
    ['a name that is too long', (directory) => join(directory, 'x'.repeat(300)), 'ERR_OUTPUT_ACCESS', 7],
    ['links in a circle', (directory) => join(directory, 'loop'), 'ERR_OUTPUT_ACCESS', 7],
    ['a file that is there already', (directory) => join(directory, 'old'), 'ERR_OUTPUT_EXISTS', 2],
    ['a scheme that nobody knows', () => 's3x://bucket/key', 'ERR_OPTION_INVALID', 2],
  ]
  test.each(cases)('%s is refused', async (_, path, code, exit) => {
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'old'), 'old')
    mkdirSync(join(directory, 'sub'))
    symlinkSync('loop', join(directory, 'loop'))
    const { error, requests } = await exportTo({ out: path(directory) })
    expect(error).toMatchObject({ code, exitCode: exit })
    expect(requests).toBe(0)
    expect(readdirSync(directory).sort()).toEqual(['loop', 'old', 'sub'])
    expect(readFileSync(join(directory, 'old'), 'utf8')).toBe('old')
  })
})

test('a disk that is full is exit 7, also where the output is a link to it', async () => {
  const directory = temporaryDirectory()
  const path = join(directory, 'full')
  symlinkSync('/dev/full', path)
  for (const out of ['/dev/full', path]) {
    const { error } = await exportTo({ out })
    expect(error).toMatchObject({ code: 'ERR_OUTPUT_SPACE', exitCode: 7 })
  }
  expect(readdirSync(directory)).toEqual(['full'])
})

test('an older file keeps its bytes until the whole list is there, and its permission bits then', async () => {
  const directory = temporaryDirectory()
  const path = join(directory, 'out.ndjson')
  writeFileSync(path, 'old')
  chmodSync(path, 0o640)
  const clock = new FaultClock()
  const server = await emulate({ clock, faults: [{ kind: 'status', status: 403, page: 2 }] })
  const options = { ...requestOf(server), clock, out: path, overwrite: true, checkpoint: false }
  const error = await exportRecords(options).catch((caught: unknown) => caught)
  expect((error as ExportError).toLine()).toMatch(/ERR_FORBIDDEN.*out\.ndjson is as it was/)
  expect([readFileSync(path, 'utf8'), readdirSync(directory)]).toEqual(['old', ['out.ndjson']])
  server.setFaults([])
  await exportRecords(options)
  expect([readFileSync(path, 'utf8'), readdirSync(directory)]).toEqual([
    whole,
    ['_out.ndjson.manifest.json', 'out.ndjson'],
  ])
  expect(statSync(sideNames(path).manifest).mode & 0o777).toBe(0o640)
  expect(statSync(path).mode & 0o777).toBe(0o640)
})

test('two exports of one list at once do not disturb each other', async () => {
  const clock = new FaultClock()
  const server = await emulate({ clock, members: 60, pageSize: 2 })
  const directory = temporaryDirectory()
  const paths = ['a', 'b'].map((name) => join(directory, name))
  await Promise.all(paths.map((out) => exportRecords({ ...requestOf(server), clock, out })))
  for (const path of paths) expect(readFileSync(path, 'utf8')).toBe(membersText({ members: 60 }))
  expect(server.requests).toBe(60)
})
