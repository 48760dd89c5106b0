// What every store of checkpoints owes, and what the one of files does besides.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fileCheckpoints } from '../../src/checkpoint/file-store.js'
import { FileLock } from '../../src/checkpoint/lock.js'
import { type CheckpointStore, memoryCheckpoints, type OpenCheckpointStore } from '../../src/checkpoint/store.js'
import { systemFiles } from '../../src/files/file-system.js'
import { outputError } from '../../src/files/os-error.js'
import { sideNames, temporaryName } from '../../src/files/side-names.js'
import { faultyFiles } from '../destination/faulty-files.js'

let directory: string
let target: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'truto-export-store-'))
  target = join(directory, 'out')
})
afterEach(() => rmSync(directory, { recursive: true }))

/** With the lock that its place would hold. */
function fileStore(files = systemFiles): CheckpointStore {
  const { checkpoint, lock: path } = sideNames(target)
  return {
    name: checkpoint,
    async open() {
      const lock = await FileLock.acquire(path, { files, name: 'out' }).catch((error: unknown) => {
        throw outputError(error, 'opening out', 'ERR_OUTPUT_ACCESS')
      })
      const store = await fileCheckpoints(checkpoint, { files, name: 'out', lock }).open()
      return { ...bound(store), close: () => lock.release() }
    },
  }
}
const bound = (store: OpenCheckpointStore): Omit<OpenCheckpointStore, 'close'> => ({
  load: () => store.load(),
  save: (bytes) => store.save(bytes),
  remove: () => store.remove(),
})
const text = (bytes: Uint8Array | null): string | null => bytes && Buffer.from(bytes).toString()

describe.each([
  ['memory', memoryCheckpoints],
  ['file', fileStore],
])('a store of kind %s', (_, make) => {
  test('gives back what was saved last, also to who opens it later', async () => {
    const store = make()
    const first = await store.open()
    expect(await first.load()).toBeNull()
    const bytes = Buffer.from('one')
    await first.save(bytes)
    bytes.fill(0)
    expect(text(await first.load())).toBe('one')
    await first.save(Buffer.from('a longer one'.repeat(1000)))
    await first.close()
    const second = await store.open()
    expect(text(await second.load())).toBe('a longer one'.repeat(1000))
    await second.save(Buffer.from(''))
    expect(text(await second.load())).toBe('')
    await second.remove()
    expect(await second.load()).toBeNull()
    await second.remove()
    await second.close()
  })

  test('belongs to one at a time', async () => {
    const store = make()
    const open = await store.open()
    await expect(store.open()).rejects.toMatchObject({ code: 'ERR_STATE_LOCKED', exitCode: 8 })
    await open.close()
    await (await store.open()).close()
  })
})

describe('a store in files', () => {
  test('is readable by its owner only, leaves nothing else, and follows no link that was put there', async () => {
    const victim = join(directory, 'victim')
    writeFileSync(victim, 'old')
    symlinkSync(victim, temporaryName(sideNames(target).checkpoint))
    const store = await fileStore().open()
    await store.save(Buffer.from('x'))
    await store.save(Buffer.from('y'))
    expect(readFileSync(victim, 'utf8')).toBe('old')
    expect(statSync(sideNames(target).checkpoint).mode & 0o777).toBe(0o600)
    await store.close()
    expect(readdirSync(directory).sort()).toEqual(['_out.checkpoint', 'victim'])
  })

  test('flushes the bytes before they get their name, and the name after it', async () => {
    const files = faultyFiles({})
    const store = await fileStore(files).open()
    const before = files.calls.length
    await store.save(Buffer.from('x'))
    const calls = files.calls.slice(before).filter((call) => ['write', 'fsync', 'rename'].includes(call))
    expect(calls).toEqual(['write', 'fsync', 'rename', 'fsync'])
    await store.close()
  })

  test('keeps the old checkpoint whole, or has the new one whole, whatever call fails', async () => {
    for (let failAt = 1; ; failAt++) {
      const healthy = await fileStore().open()
      await healthy.save(Buffer.from('old'))
      await healthy.close()
      const files = faultyFiles({ failAt, code: 'ENOSPC', maxWrite: 2 })
      let error: unknown
      const open = await fileStore(files)
        .open()
        .catch((caught: unknown) => void (error = caught))
      if (open) await open.save(Buffer.from('newer')).catch((caught: unknown) => void (error = caught))
      const found = readFileSync(sideNames(target).checkpoint, 'utf8')
      if (error !== undefined) expect(error).toMatchObject({ exitCode: 7 })
      else expect(found).toBe('newer')
      expect(['old', 'newer']).toContain(found)
      await open?.close()
      for (const name of readdirSync(directory)) rmSync(join(directory, name))
      if (files.hit === null) {
        expect(failAt).toBeGreaterThan(10)
        break
      }
    }
  })

  test('is not written to once its lock has gone', async () => {
    const store = await fileStore().open()
    await store.save(Buffer.from('mine'))
    rmSync(sideNames(target).lock)
    await expect(store.save(Buffer.from('late'))).rejects.toMatchObject({ code: 'ERR_STATE_LOCKED' })
    await expect(store.remove()).rejects.toMatchObject({ code: 'ERR_STATE_LOCKED' })
    expect(readFileSync(sideNames(target).checkpoint, 'utf8')).toBe('mine')
    expect(readdirSync(directory)).toEqual(['_out.checkpoint'])
    await store.close()
  })
})
