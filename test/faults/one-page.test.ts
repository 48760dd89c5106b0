// A list that is one page, killed near its end: the run that goes on writes what is not committed yet, and no byte of
// what is. By default the page has some megabytes, in the soak a gigabyte.

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { decodeCheckpoint } from '../../src/checkpoint/checkpoint.js'
import { fileDestination } from '../../src/destination/file.js'
import { exportRecords } from '../../src/export/export.js'
import { type FileSystem, systemFiles } from '../../src/files/file-system.js'
import { sideNames } from '../../src/files/side-names.js'
import { readWhole } from '../../src/files/whole-file.js'
import { emulate, requestOf, temporaryDirectory } from './harness.js'
import { digestOf, start, undisturbed } from './program.js'

const isSoak = process.env['TRUTO_EXPORT_SOAK'] === '1'

const members = isSoak ? 380_000 : 4000
const commitMiB = isSoak ? 64 : 1
const MiB = 1024 * 1024

/** The system's files, which count the bytes that are written to files of that ending. */
function countingFiles(end: string): FileSystem & { readonly written: number } {
  let written = 0
  return {
    ...systemFiles,
    get written() {
      return written
    },
    async open(path, flags, mode) {
      const file = await systemFiles.open(path, flags, mode)
      if (!path.endsWith(end)) return file
      return {
        read: (bytes, offset, length, position) => file.read(bytes, offset, length, position),
        truncate: (length) => file.truncate(length),
        sync: () => file.sync(),
        stat: () => file.stat(),
        chmod: (permissions) => file.chmod(permissions),
        close: () => file.close(),
        async write(bytes, offset, length) {
          const result = await file.write(bytes, offset, length)
          written += result.bytesWritten
          return result
        },
      }
    },
  }
}

test('an export of one page that is killed at nine tenths of it writes no committed byte again', async () => {
  const server = await emulate({ members, pageSize: members, pool: 2000 })
  const flags = ['--quiet', '--commit-bytes', `${commitMiB}MiB`]
  const { digest } = await undisturbed(server, 'out.ndjson', { flags })
  const path = join(temporaryDirectory(), 'out.ndjson')
  const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0
  // the server holds the rest back, so that the moment of the kill is sure
  server.setFaults([{ kind: 'stall', at: { record: Math.round(members * 0.9) } }])
  const { child, ended } = start(server, path, { flags })
  const committed = async (): Promise<{ records: number; bytes: number }> => {
    const bytes = await readWhole(systemFiles, sideNames(path).checkpoint, MiB)
    return bytes === null ? { records: 0, bytes: 0 } : decodeCheckpoint(bytes, 'it').state
  }
  while ((await committed()).records < members * 0.8) await sleep(5)
  // until it has written what there is
  for (let size = -1; size !== sizeOf(sideNames(path).partial); await sleep(200)) size = sizeOf(sideNames(path).partial)
  child.kill('SIGKILL')
  expect((await ended).signal).toBe('SIGKILL')

  const { records, bytes } = await committed()
  const { ino } = statSync(sideNames(path).partial)
  server.setFaults([])
  const files = countingFiles('.partial')
  // the program was given a channel alone, and another request would be another export
  const { workspace: _, ...request } = requestOf(server)
  const report = await exportRecords({
    ...request,
    destination: fileDestination(path, { files }),
    format: 'ndjson',
    commitBytes: commitMiB * MiB,
  })
  const whole = statSync(path).size
  expect(report).toMatchObject({ records: members, complete: true, resumedFrom: { page: 1, records, bytes } })
  expect([digestOf(path), statSync(path).ino]).toEqual([digest, ino])
  expect(files.written).toBe(whole - bytes)
  expect(bytes).toBeGreaterThan(0.8 * whole)
  if (isSoak) console.log(`of ${whole} bytes ${bytes} were committed, and ${files.written} written after it`)
})
