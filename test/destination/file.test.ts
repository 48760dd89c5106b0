import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { DestinationWriter } from '../../src/destination/destination.js'
import { type FileDestinationOptions, fileDestination } from '../../src/destination/file.js'
import { type ErrorCode, type ExportError, OutputError, ReaderGone } from '../../src/errors.js'
import { sideNames } from '../../src/files/side-names.js'
import { destinationConformance, writeReused } from './conformance.js'
import { faultyFiles } from './faulty-files.js'
import { placeConformance } from './place-conformance.js'

const root = mkdtempSync(join(tmpdir(), 'truto-export-file-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let directories = 0
/** A new directory for each test. */
let dir = ''
beforeEach(() => {
  dir = join(root, `${++directories}`)
  mkdirSync(dir)
})
const at = (name: string): string => join(dir, name)
const read = (name: string): string => readFileSync(at(name), 'utf8')

/** Exports `text` to `path`; an error aborts, as the exporter does it. */
async function put(path: string, text: string, options: FileDestinationOptions = {}): Promise<DestinationWriter> {
  const writer = await fileDestination(path, options).open()
  try {
    await writer.write(Buffer.from(text))
    await writer.commit()
  } catch (error) {
    await writer.abort()
    throw Object.assign(error as Error, { left: writer.left })
  }
  return writer
}

destinationConformance(
  'a file',
  async () => {
    const directory = mkdtempSync(join(root, 'conformance-'))
    const path = join(directory, 'out.ndjson')
    return {
      destination: fileDestination(path),
      visible: async () => (existsSync(path) ? readFileSync(path) : null),
      leftovers: async () => readdirSync(directory).filter((name) => name !== 'out.ndjson'),
      async [Symbol.asyncDispose]() {
        rmSync(directory, { recursive: true })
      },
    }
  },
  { isAtomic: true },
)

destinationConformance(
  'a file whose system takes 1000 bytes at a time',
  async () => {
    const directory = mkdtempSync(join(root, 'conformance-'))
    const path = join(directory, 'out.ndjson')
    return {
      destination: fileDestination(path, { files: faultyFiles({ maxWrite: 1000 }) }),
      visible: async () => (existsSync(path) ? readFileSync(path) : null),
      leftovers: async () => readdirSync(directory).filter((name) => name !== 'out.ndjson'),
      async [Symbol.asyncDispose]() {
        rmSync(directory, { recursive: true })
      },
    }
  },
  { isAtomic: true },
)

placeConformance('a file', async () => {
  const directory = mkdtempSync(join(root, 'kept-'))
  const path = join(directory, 'out.ndjson')
  const sides = sideNames(path)
  return {
    make: ({ overwrite = false } = {}) => fileDestination(path, { overwrite }),
    visible: async () => (existsSync(path) ? [readFileSync(path, 'utf8')] : null),
    manifest: async () => (existsSync(sides.manifest) ? readFileSync(sides.manifest, 'utf8') : null),
    hasPartial: async () => existsSync(sides.partial),
    async [Symbol.asyncDispose]() {
      rmSync(directory, { recursive: true })
    },
  }
})

describe('an existing file', () => {
  test('is not touched without overwrite: the refusal comes at open', async () => {
    writeFileSync(at('out'), 'old')
    await expect(fileDestination(at('out')).open()).rejects.toMatchObject({ code: 'ERR_OUTPUT_EXISTS', exitCode: 2 })
    expect(readdirSync(dir)).toEqual(['out'])
    expect(read('out')).toBe('old')
  })

  test('is replaced at the commit, not before, and keeps its permission bits', async () => {
    writeFileSync(at('out'), 'old')
    chmodSync(at('out'), 0o640)
    const writer = await fileDestination(at('out'), { overwrite: true }).open()
    await writer.write(Buffer.from('new'))
    expect(read('out')).toBe('old')
    expect(writer.left).toContain('is as it was')
    await writer.commit()
    expect(read('out')).toBe('new')
    expect(statSync(at('out')).mode & 0o7777).toBe(0o640)
    expect(readdirSync(dir)).toEqual(['out'])
  })

  test('that nobody else may read never becomes a partial file that others may read', async () => {
    writeFileSync(at('out'), 'old')
    chmodSync(at('out'), 0o600)
    const writer = await fileDestination(at('out'), { overwrite: true }).open()
    expect(statSync(at('_out.partial')).mode & 0o777).toBe(0o600)
    await writer.abort()
    expect(read('out')).toBe('old')
  })

  test('that appears during the export is not replaced: the complete file is kept beside it', async () => {
    const writer = await fileDestination(at('out')).open()
    await writer.write(Buffer.from('new'))
    writeFileSync(at('out'), 'somebody else')
    await expect(writer.commit()).rejects.toMatchObject({ code: 'ERR_OUTPUT_RENAME' })
    expect([read('out'), read('_out.partial')]).toEqual(['somebody else', 'new'])
  })
})

describe('a symbolic link', () => {
  test('is followed and stays a link', async () => {
    mkdirSync(at('real'))
    writeFileSync(at('real/data'), 'old')
    symlinkSync('real/data', at('out'))
    const writer = await fileDestination(at('out'), { overwrite: true }).open()
    expect(readdirSync(at('real')).sort()).toEqual(['_data.lock', '_data.partial', 'data'])
    await writer.write(Buffer.from('new'))
    await writer.commit()
    expect([readlinkSync(at('out')), read('real/data')]).toEqual(['real/data', 'new'])
  })

  test('to nothing is where its target is made', async () => {
    symlinkSync(at('target'), at('out'))
    await put(at('out'), 'new')
    expect([readlinkSync(at('out')), read('target')]).toEqual([at('target'), 'new'])
  })

  test('relative to a directory that is itself linked leads where the kernel goes', async () => {
    mkdirSync(at('a'))
    mkdirSync(at('a/b'))
    symlinkSync(at('a/b'), at('linked'))
    symlinkSync('../data', at('a/b/out'))
    await put(`${dir}/linked/out`, 'new')
    expect(read('a/data')).toBe('new')
  })

  test('in a loop is refused', async () => {
    symlinkSync('b', at('a'))
    symlinkSync('a', at('b'))
    await expect(fileDestination(at('a')).open()).rejects.toMatchObject({ code: 'ERR_OUTPUT_ACCESS' })
  })
})

describe('what makes an output impossible is known before the first request', () => {
  test.each<[string, () => string, string]>([
    ['no such directory', () => at('missing/out'), 'ENOENT'],
    ['a file in place of the directory', () => at('file/out'), 'ENOTDIR'],
    ['a name that is too long', () => at('x'.repeat(300)), 'ENAMETOOLONG'],
    ['a directory', () => dir, 'it is a directory'],
    ['a directory, with a slash', () => `${dir}/`, 'it is a directory'],
    ['a directory in place of the partial file', () => at('blocked'), 'opening'],
    ['a read-only file system', () => '/proc/out', 'opening'],
  ])('%s', async (_name, path, message) => {
    writeFileSync(at('file'), '')
    mkdirSync(at('_blocked.partial'))
    const failure = fileDestination(path()).open()
    await expect(failure).rejects.toBeInstanceOf(OutputError)
    await expect(failure).rejects.toMatchObject({ code: 'ERR_OUTPUT_ACCESS', exitCode: 7 })
    await expect(failure).rejects.toThrow(message)
  })

  test.each(['', 'a\0b'])('%j is no file name at all', async (path) => {
    await expect(fileDestination(path).open()).rejects.toMatchObject({ code: 'ERR_OPTION_INVALID' })
  })

  test('the message shows control characters of the name escaped', async () => {
    const destination = fileDestination(at('no\u001b[31m/out'))
    expect(destination.name).toContain('no\\u{1b}[31m/out')
    await expect(destination.open()).rejects.toThrow('no\\u{1b}[31m/out')
  })
})

describe('a partial file that is there already', () => {
  test('is replaced, not written into', async () => {
    writeFileSync(at('_out.partial'), 'left by a run that died')
    linkSync(at('_out.partial'), at('same'))
    await put(at('out'), 'new')
    expect([read('out'), read('same')]).toEqual(['new', 'left by a run that died'])
    expect(existsSync(at('_out.partial'))).toBe(false)
  })

  test('and is a symbolic link is not followed', async () => {
    writeFileSync(at('precious'), 'precious')
    symlinkSync('precious', at('_out.partial'))
    await put(at('out'), 'new')
    expect([read('out'), read('precious')]).toEqual(['new', 'precious'])
  })
})

describe('the partial file changed during the export', () => {
  test.each<[string, () => void]>([
    ['removed', () => rmSync(at('_out.partial'))],
    ['replaced', () => renameSync(at('other'), at('_out.partial'))],
    ['truncated', () => truncateSync(at('_out.partial'), 2)],
    ['longer', () => writeFileSync(at('_out.partial'), 'more', { flag: 'a' })],
  ])('%s: the commit refuses to publish it', async (_name, change) => {
    const writer = await fileDestination(at('out')).open()
    await writer.write(Buffer.alloc(200_000, 'x'))
    writeFileSync(at('other'), 'other')
    change()
    await expect(writer.commit()).rejects.toMatchObject({ code: 'ERR_OUTPUT_CHANGED' })
    expect(existsSync(at('out'))).toBe(false)
  })

  test('the file of another process under that name is not removed', async () => {
    const first = await fileDestination(at('out')).open()
    await first.write(Buffer.from('first'))
    await expect(fileDestination(at('out')).open()).rejects.toMatchObject({ code: 'ERR_STATE_LOCKED' })
    rmSync(at('_out.lock'))
    const second = await fileDestination(at('out')).open()
    await second.write(Buffer.from('second'))
    await expect(first.commit()).rejects.toMatchObject({ code: 'ERR_STATE_LOCKED' })
    expect(first.left).toBe(`nothing of what is at ${at('out')} now was touched`)
    await first.abort()
    await second.commit()
    expect(read('out')).toBe('second')
  })
})

describe('a fault at the n-th call of the file system', () => {
  const big = 'x'.repeat(300_000)

  /** Runs an export with a fault at call 1, 2, 3 … until one ends untouched by it. */
  async function forEveryCall(
    prepare: () => void,
    code: string,
    options: FileDestinationOptions,
    check: (state: { hit: string; error: ExportError | null }) => void,
  ): Promise<string[]> {
    for (let failAt = 1; ; failAt++) {
      rmSync(dir, { recursive: true })
      mkdirSync(dir)
      prepare()
      const files = faultyFiles({ failAt, code, maxWrite: 100_000 })
      let error: ExportError | null = null
      try {
        await put(at('out'), big, { ...options, files })
      } catch (thrown) {
        error = thrown as ExportError
      }
      if (files.hit === null) {
        expect(error).toBeNull()
        expect(read('out')).toBe(big)
        expect(readdirSync(dir)).toEqual(['out'])
        return files.calls
      }
      check({ hit: files.hit, error })
    }
  }

  const cases: [string, string, boolean][] = []
  for (const code of ['EIO', 'ENOSPC', 'EDQUOT', 'EFBIG', 'EMFILE', 'ENFILE', 'EACCES', 'EXDEV'])
    for (const overwrite of [false, true])
      cases.push([code, overwrite ? 'over an old file' : 'to a new name', overwrite])

  test.each(cases)(
    '%s %s: the name holds the old file or the whole new one, and the error says so',
    async (code, _name, overwrite) => {
      const old = overwrite ? 'old' : null
      const wanted: Record<string, ErrorCode> = {
        EIO: 'ERR_OUTPUT_IO',
        ENOSPC: 'ERR_OUTPUT_SPACE',
        EDQUOT: 'ERR_OUTPUT_SPACE',
        EFBIG: 'ERR_OUTPUT_SPACE',
        EMFILE: 'ERR_OUTPUT_RESOURCES',
        ENFILE: 'ERR_OUTPUT_RESOURCES',
      }
      const hits: string[] = []
      const calls = await forEveryCall(
        () => overwrite && writeFileSync(at('out'), 'old'),
        code,
        { overwrite },
        ({ hit, error }) => {
          hits.push(hit)
          const visible = existsSync(at('out')) ? read('out') : null
          const others = readdirSync(dir).filter((name) => name !== 'out')
          if (error === null) {
            // nothing was lost: the directory cannot be opened, or its descriptor not be closed; or the lock stays
            // behind, of a process that is dead soon
            const harmless = ['open EACCES', `close ${code}`, `readdir ${code}`, `lstat ${code}`, `unlink ${code}`]
            expect(harmless).toContain(`${hit} ${code}`)
            expect([visible, others]).toEqual([big, hit === 'lstat' || hit === 'unlink' ? ['_out.lock'] : []])
            return
          }
          expect(error).toBeInstanceOf(OutputError)
          if (hit === 'rename') {
            expect(error.code).toBe('ERR_OUTPUT_RENAME')
            expect(error.message).toContain(`mv ${at('_out.partial')} ${at('out')}`)
            expect([visible, others, read('_out.partial')]).toEqual([old, ['_out.partial'], big])
          } else {
            if (wanted[code] !== undefined) expect(error.code).toBe(wanted[code])
            expect(others).toEqual([])
            // the only fault behind the rename is that of the directory's flush
            expect(visible).toBe(error.message.includes('the directory') ? big : old)
            if (error.message.includes('the directory')) expect(error.left).toContain('is complete, but')
          }
        },
      )
      expect(calls.filter((call) => call === 'write').length).toBe(4) // that of the lock, too
      expect(hits).toEqual(calls)
    },
  )

  test('a flush that failed is not tried again', async () => {
    const calls = await forEveryCall(
      () => {},
      'EIO',
      {},
      () => {},
    )
    const failAt = calls.indexOf('fsync') + 1
    const files = faultyFiles({ failAt })
    const writer = await fileDestination(at('other'), { files }).open()
    await writer.write(Buffer.from('x'))
    await expect(writer.commit()).rejects.toMatchObject({ code: 'ERR_OUTPUT_IO' })
    await writer.abort()
    expect(files.calls.filter((call) => call === 'fsync').length).toBe(1)
    expect(existsSync(at('other'))).toBe(false)
  })

  test('the file is flushed before the rename, the directory after it', async () => {
    const calls = await forEveryCall(
      () => {},
      'EIO',
      {},
      () => {},
    )
    expect(calls.filter((call) => ['write', 'fsync', 'rename'].includes(call))).toEqual([
      'write', // the lock
      'write',
      'write',
      'write',
      'fsync',
      'rename',
      'fsync',
    ])
  })

  test('a directory that cannot be flushed at all is no error', async () => {
    const files = faultyFiles({})
    await put(at('probe'), 'x', { files })
    const failAt = files.calls.lastIndexOf('fsync') + 1
    await put(at('out'), 'x', { files: faultyFiles({ failAt, code: 'EINVAL' }) })
    expect(read('out')).toBe('x')
  })
})

test('after a failed write every later call fails with the same error', async () => {
  const files = faultyFiles({})
  const probe = await fileDestination(at('probe'), { files }).open()
  const failAt = files.calls.length + 1
  await probe.abort()
  const writer = await fileDestination(at('out'), { files: faultyFiles({ failAt, code: 'ENOSPC' }) }).open()
  const failure = await writer.write(Buffer.alloc(100_000)).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'ERR_OUTPUT_SPACE' })
  await expect(writer.write(Buffer.from('x'))).rejects.toBe(failure)
  await expect(writer.commit()).rejects.toBe(failure)
  expect(readdirSync(dir)).toEqual([])
})

test('two writes at once are refused, since they could change places', async () => {
  const writer = await fileDestination(at('out')).open()
  const first = writer.write(Buffer.alloc(100_000, 'a'))
  await expect(writer.write(Buffer.from('b'))).rejects.toMatchObject({ code: 'ERR_INTERNAL' })
  await first
  await writer.commit()
  expect(read('out')).toBe('a'.repeat(100_000))
})

test('small writes are collected', async () => {
  const files = faultyFiles({})
  const writer = await fileDestination(at('out'), { files }).open()
  await writeReused(
    writer,
    Array.from({ length: 10_000 }, (_, n) => Buffer.from(`${n}\n`)),
  )
  await writer.commit()
  expect(files.calls.filter((call) => call === 'write').length).toBe(2) // that of the lock, too
  expect(read('out').split('\n').length).toBe(10_001)
})

test('the command that publishes a kept file is quoted for the shell', async () => {
  const files = faultyFiles({})
  await put(at('probe'), 'x', { files })
  const path = at("it's here")
  const failAt = files.calls.indexOf('rename') + 1
  const error = await put(path, 'x', { files: faultyFiles({ failAt, code: 'EXDEV' }) }).catch((error: unknown) => error)
  const command = (error as Error).message.split('to publish it: ')[1]!
  execFileSync('sh', ['-c', command])
  expect(readFileSync(path, 'utf8')).toBe('x')
})

describe('what is no regular file is written in place', () => {
  test('a FIFO', async () => {
    execFileSync('mkfifo', [at('fifo')])
    const reader = spawn('cat', [at('fifo')])
    const text = buffer(reader.stdout)
    const writer = await put(at('fifo'), 'x'.repeat(1_000_000))
    expect(writer.bytesWritten).toBe(1_000_000)
    expect((await text).toString()).toBe('x'.repeat(1_000_000))
    expect(readdirSync(dir)).toEqual(['fifo'])
  })

  test('a FIFO whose reader comes later', async () => {
    execFileSync('mkfifo', [at('fifo')])
    const written = put(at('fifo'), 'x'.repeat(100_000))
    await new Promise((resolve) => setTimeout(resolve, 50))
    const reader = spawn('cat', [at('fifo')])
    const text = buffer(reader.stdout)
    await written
    expect((await text).toString()).toBe('x'.repeat(100_000))
  })

  test('a FIFO without a reader, which is not waited for after an abort', async () => {
    execFileSync('mkfifo', [at('fifo')])
    const controller = new AbortController()
    const opening = fileDestination(at('fifo')).open(controller.signal)
    const reason = new Error('enough')
    setTimeout(() => controller.abort(reason), 30)
    await expect(opening).rejects.toBe(reason)
  })

  test('a FIFO whose reader leaves', async () => {
    execFileSync('mkfifo', [at('fifo')])
    const reader = spawn('head', ['-c', '10', at('fifo')])
    const exit = once(reader, 'exit')
    const writer = await fileDestination(at('fifo')).open()
    await writer.write(Buffer.from('enough for head'))
    const failure = (async () => {
      for (;;) await writer.write(Buffer.alloc(40_000, 'x'))
    })()
    await expect(failure).rejects.toBeInstanceOf(ReaderGone)
    await exit
    await writer.abort()
    expect(writer.left).toContain('stays there')
  })

  test('a device', async () => {
    await put('/dev/null', 'x')
    const error = await put('/dev/full', 'x').catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'ERR_OUTPUT_SPACE', exitCode: 7 })
    expect((error as Error).message).toContain('ENOSPC')
  })
})
