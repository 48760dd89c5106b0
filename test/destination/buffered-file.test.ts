import { expect, test } from 'vitest'
import { KiB } from '../../src/bytes/units.js'
import { BufferedFile } from '../../src/destination/buffered-file.js'
import { systemError } from './faulty-files.js'

/** A file in memory. `write` is called before each write, with its number from 1, and may wait or throw. */
function fakeFile(write: (call: number) => Promise<void> | void) {
  const written: Buffer[] = []
  let calls = 0
  return {
    written,
    async write(bytes: Uint8Array, offset: number, length: number) {
      const taken = Buffer.from(bytes.subarray(offset, offset + length))
      written.push(taken)
      await write(++calls)
      return { bytesWritten: length }
    },
  }
}

const pieces = Array.from({ length: 14 }, (_, n) => Buffer.alloc(64 * KiB, `${n};`))

test('goes on collecting while the system writes, and holds no more than two writes', async () => {
  let letWrite = (): void => {}
  const isLet = new Promise<void>((resolve) => {
    letWrite = resolve
  })
  const system = fakeFile(() => isLet)
  const file = new BufferedFile(system, 'held')
  let taken = 0
  const writing = (async () => {
    for (const piece of pieces) {
      await file.write(piece)
      taken++
    }
    await file.flush()
  })()
  await new Promise((resolve) => setImmediate(resolve))
  expect([taken, system.written.length]).toEqual([8, 1])
  letWrite()
  await writing
  expect(Buffer.concat(system.written).equals(Buffer.concat(pieces))).toBe(true)
  expect(file.bytesWritten).toBe(14 * 64 * KiB)
})

test.each([1, 2, 3, 4])(
  'write %i failing behind bytes that were taken fails a later call, and all after it',
  async (n) => {
    const system = fakeFile((call) => {
      if (call === n) throw systemError('ENOSPC', 'write')
    })
    const file = new BufferedFile(system, 'full')
    const failure = await (async () => {
      for (const piece of pieces) await file.write(piece)
      await file.flush()
    })().catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'ERR_OUTPUT_SPACE' })
    expect(system.written.length).toBe(n)
    await expect(file.write(Buffer.from('x'))).rejects.toBe(failure)
    await expect(file.flush()).rejects.toBe(failure)
  },
)

test('has settled only when the call that waits and the write that it began are over', async () => {
  const releases: (() => void)[] = []
  const system = fakeFile(() => new Promise((resolve) => void releases.push(resolve)))
  const file = new BufferedFile(system, 'slow')
  await file.write(Buffer.from('collected'))
  const writing = file.write(Buffer.alloc(128 * KiB, 'x'))
  let isSettled = false
  const settling = file.settle().then(() => {
    isSettled = true
  })
  for (let call = 1; call <= 2; call++) {
    await new Promise((resolve) => setImmediate(resolve))
    expect([system.written.length, isSettled]).toEqual([call, false])
    releases[call - 1]!()
  }
  await Promise.all([writing, settling])
})
