import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import * as zlib from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Compressor, compressed, requireCodec } from '../../src/destination/compress.js'
import type { DestinationWriter } from '../../src/destination/destination.js'
import { memoryDestination } from '../../src/destination/memory.js'
import type { Codec } from '../../src/encode/formats.js'
import { ConfigError, OutputError } from '../../src/errors.js'
import { onlyMember } from '../helpers/gzip.js'
import { destinationConformance, writeReused } from './conformance.js'

const numRuns = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 2000 : 40
const zstd = zlib as unknown as { zstdDecompressSync?(bytes: Uint8Array): Buffer }

/** Whether this Node.js reads more than the first member or frame: of zstd, it does since 24.22.1 and 26.10. */
function readsAll(decompress: (bytes: Buffer) => Buffer, bytes: Buffer, firstEnd: number): boolean {
  const first = bytes.subarray(0, firstEnd)
  return decompress(Buffer.concat([first, first])).length === 2 * decompress(first).length
}

async function compress(codec: Codec, pieces: readonly Uint8Array[], level?: number): Promise<Buffer> {
  const memory = memoryDestination()
  const writer = compressed(await memory.open(), codec, level)
  await writeReused(writer, pieces)
  await writer.commit()
  return memory.bytes()
}

function compressedMemory(codec: Codec, decompress: (bytes: Buffer) => Buffer) {
  return async () => {
    const memory = memoryDestination()
    return {
      destination: {
        name: 'memory',
        async open() {
          const writer = compressed(await memory.open(), codec)
          let taken = 0
          // the suite counts bytes taken, this writer counts compressed ones
          return {
            get bytesWritten() {
              return taken
            },
            async write(bytes: Uint8Array) {
              await writer.write(bytes)
              taken += bytes.length
            },
            commit: () => writer.commit(),
            abort: () => writer.abort(),
            left: writer.left,
          }
        },
      },
      visible: async () => (memory.isCommitted ? decompress(memory.bytes()) : null),
      leftovers: async () => [],
      async [Symbol.asyncDispose]() {},
    }
  }
}

destinationConformance('memory behind gzip', compressedMemory('gzip', zlib.gunzipSync), { isAtomic: true })
if (zstd.zstdDecompressSync !== undefined)
  destinationConformance('memory behind zstd', compressedMemory('zstd', zstd.zstdDecompressSync), { isAtomic: true })

describe('gzip', () => {
  test('has a header without time, name or system', async () => {
    expect((await compress('gzip', [Buffer.from('x')])).subarray(0, 10).toString('hex')).toBe('1f8b08000000000000ff')
    expect((await compress('gzip', [])).subarray(0, 10).toString('hex')).toBe('1f8b08000000000000ff')
  })

  test('has the header that zlib writes, whatever the level, but for the system', async () => {
    for (const level of [undefined, 1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      const expected = zlib.gzipSync('x', level === undefined ? {} : { level }).subarray(0, 10)
      expected[9] = 255
      expect((await compress('gzip', [Buffer.from('x')], level)).subarray(0, 10).equals(expected)).toBe(true)
    }
  })

  test('of nothing is what zlib makes of it', async () => {
    const expected = zlib.gzipSync('')
    expected[9] = 255
    expect((await compress('gzip', [])).equals(expected)).toBe(true)
    expect(onlyMember(expected).length).toBe(0)
  })

  test('gives the same bytes for the same data, however it is cut', async () => {
    const data = Buffer.concat([Buffer.alloc(200_000, '{"id":"U0123","name":"x"}\n'), randomBytes(150_000)])
    const whole = await compress('gzip', [data])
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: data.length }), { maxLength: 20 }), async (cuts) => {
        const ends = [...cuts.sort((a, b) => a - b), data.length]
        const pieces = ends.map((end, index) => data.subarray(index === 0 ? 0 : ends[index - 1], end))
        expect((await compress('gzip', pieces)).equals(whole)).toBe(true)
      }),
      { numRuns },
    )
  })

  test('takes the level', async () => {
    const data = [Buffer.from(Array.from({ length: 50_000 }, (_, n) => `{"id":${n * 7919}}`).join('\n'))]
    const [fast, best] = [await compress('gzip', data, 1), await compress('gzip', data, 9)]
    expect(fast.length).toBeGreaterThan(best.length)
    expect(zlib.gunzipSync(fast).equals(zlib.gunzipSync(best))).toBe(true)
  })

  test('counts the compressed bytes', async () => {
    const memory = memoryDestination()
    const writer = compressed(await memory.open(), 'gzip')
    await writer.write(Buffer.alloc(1_000_000))
    await writer.commit()
    expect(writer.bytesWritten).toBe(memory.bytes().length)
    expect(writer.bytesWritten).toBeLessThan(5000)
  })
})

describe('zstd', () => {
  test('is there with the Node.js that has it, and otherwise refused at once with the version', async () => {
    if (zstd.zstdDecompressSync === undefined) {
      expect(() => requireCodec('zstd')).toThrow(ConfigError)
      expect(() => requireCodec('zstd')).toThrow(process.version)
      const memory = memoryDestination()
      const sink = await memory.open()
      expect(() => compressed(sink, 'zstd')).toThrow(expect.objectContaining({ code: 'ERR_RUNTIME_MISSING' }))
    } else {
      const data = randomBytes(300_000)
      expect(zstd.zstdDecompressSync(await compress('zstd', [data], 5)).equals(data)).toBe(true)
    }
  })
})

test('none is the writer itself', async () => {
  const writer = await memoryDestination().open()
  expect(compressed(writer, 'none')).toBe(writer)
})

test.each([0, 10, 1.5, -1, Number.NaN])('level %d of gzip is refused', (level) => {
  expect(() => requireCodec('gzip', level)).toThrow(expect.objectContaining({ code: 'ERR_OPTION_INVALID' }))
})

/** A sink that fails at its n-th write. */
function failingSink(failAt: number): DestinationWriter & { log: string[] } {
  const log: string[] = []
  let writes = 0
  return {
    log,
    bytesWritten: 0,
    left: 'nothing',
    async write() {
      await setImmediate()
      if (++writes === failAt) throw new OutputError('ERR_OUTPUT_SPACE', 'no space')
      log.push('write')
    },
    async commit() {
      log.push('commit')
    },
    async abort() {
      log.push('abort')
    },
  }
}

test('an error of the sink comes out of a write or of the commit, whichever waits for it', async () => {
  const data = randomBytes(1_000_000)
  for (let failAt = 1; ; failAt++) {
    const sink = failingSink(failAt)
    const writer = compressed(sink, 'gzip')
    try {
      for (let at = 0; at < data.length; at += 50_000) await writer.write(data.subarray(at, at + 50_000))
      await writer.commit()
      expect(failAt).toBeGreaterThan(10)
      expect(sink.log.at(-1)).toBe('commit')
      break
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_OUTPUT_SPACE' })
      await writer.abort()
      expect(sink.log.filter((entry) => entry !== 'write')).toContain('abort')
      expect(sink.log).not.toContain('commit')
    }
  }
})

test('a slow sink holds the compressor back', async () => {
  let isOpen = false
  let waiting = (): void => {}
  let taken = 0
  const sink: DestinationWriter = {
    bytesWritten: 0,
    left: '',
    async write(bytes) {
      if (!isOpen)
        await new Promise<void>((resolve) => {
          waiting = resolve
        })
      taken += bytes.length
    },
    async commit() {},
    async abort() {},
  }
  const writer = compressed(sink, 'gzip')
  let given = 0
  const writing = (async () => {
    for (let n = 0; n < 50; n++) {
      await writer.write(randomBytes(100_000))
      given++
    }
    await writer.commit()
  })()
  for (let turn = 0; turn < 200; turn++) await setImmediate()
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(given).toBeLessThan(10)
  isOpen = true
  waiting()
  await writing
  expect(taken).toBeGreaterThan(5_000_000)
})

const zstdFrames = 'zstdDecompressSync' in zlib ? test : test.skip // zlib has zstd since Node.js 22.15

describe('cuts', () => {
  zstdFrames('zstd: what is before a cut is whole, and what follows does not depend on it', async () => {
    const memory = memoryDestination()
    const writer = compressed(await memory.open(), 'zstd' as 'gzip')
    const ends: number[] = []
    for (const text of ['first', 'second'.repeat(100_000), '']) {
      await writer.write(Buffer.from(text))
      await writer.cut()
      ends.push(writer.bytesWritten)
    }
    await writer.write(Buffer.from('last'))
    await writer.commit()
    const bytes = memory.bytes()
    const decompress = zstd.zstdDecompressSync!
    expect(decompress(bytes.subarray(0, ends[0])).toString()).toBe('first')
    expect(decompress(bytes.subarray(ends[0]!, ends[1])).toString()).toBe('second'.repeat(100_000))
    // nothing between two cuts is no frame of its own
    expect(ends[2]).toBe(ends[1])
    const frames = ['first', 'second'.repeat(100_000), 'last'].map((text) => compress('zstd', [Buffer.from(text)]))
    expect(bytes.equals(Buffer.concat(await Promise.all(frames)))).toBe(true)
    if (readsAll(decompress, bytes, ends[0]!))
      expect(decompress(bytes).toString()).toBe(`first${'second'.repeat(100_000)}last`)
  })

  zstdFrames('zstd: the frames are counted over an interruption', async () => {
    const writer = await memoryDestination().open()
    const first = new Compressor(writer, 'zstd')
    for (const text of ['one', 'two', '']) {
      await first.write(Buffer.from(text))
      await first.cut()
    }
    expect(first.state).toEqual({ ended: 2, member: null })
    const second = new Compressor(writer, 'zstd', { state: first.state })
    await second.write(Buffer.from('three'))
    await second.endFile()
    expect(second.state).toEqual({ ended: 3, member: null })
    await second.end()
    expect(second.state).toEqual({ ended: 3, member: null })
  })

  /** Texts between two cuts, with a little of everything that a block may hold. */
  const segments = fc.array(
    fc.oneof(
      fc.string({ maxLength: 200 }).map((text) => Buffer.from(text)),
      fc.integer({ min: 0, max: 300_000 }).map((length) => Buffer.alloc(length, '{"id":"U0123","name":"x"}\n')),
      fc.integer({ min: 0, max: 140_000 }).map((length) => noise.subarray(0, length)),
    ),
    { minLength: 1, maxLength: 6 },
  )
  const noise = randomBytes(140_000)
  const level = fc.constantFrom(undefined, 1, 6, 9)

  test('gzip stays one member, which is the same whether and wherever it was interrupted', async () => {
    await fc.assert(
      fc.asyncProperty(segments, level, fc.array(fc.boolean()), async (texts, level, resumes) => {
        const whole = await cutAt(texts, level, () => false)
        expect(onlyMember(whole).equals(Buffer.concat(texts))).toBe(true)
        expect(zlib.gunzipSync(whole).equals(Buffer.concat(texts))).toBe(true)
        expect((await cutAt(texts, level, () => true)).equals(whole)).toBe(true)
        expect((await cutAt(texts, level, (index) => resumes[index] === true)).equals(whole)).toBe(true)
      }),
      { numRuns: Math.ceil(numRuns / 4) },
    )
  })

  /** What is compressed with a cut after each text, by another compressor after those that `isResumed` tells of. */
  async function cutAt(
    texts: readonly Buffer[],
    level: number | undefined,
    isResumed: (index: number) => boolean,
  ): Promise<Buffer> {
    const memory = memoryDestination()
    const writer = await memory.open()
    let compressor = new Compressor(writer, 'gzip', { level })
    for (const [index, text] of texts.entries()) {
      await compressor.write(text)
      await compressor.cut()
      if (!isResumed(index)) continue
      const state = JSON.parse(JSON.stringify(compressor.state)) as typeof compressor.state
      await compressor.destroy()
      compressor = new Compressor(writer, 'gzip', { level, state })
    }
    await compressor.end()
    await writer.commit()
    return memory.bytes()
  }

  test('what is before a cut of gzip is at its sink, and nothing after it refers to it', async () => {
    const text = Buffer.alloc(50_000, '{"id":"U0123","name":"x"}\n')
    const whole = await cutAt([text, text], undefined, () => false)
    const ends: number[] = []
    const memory = memoryDestination()
    const writer = compressed(await memory.open(), 'gzip')
    for (let index = 0; index < 2; index++) {
      await writer.write(text)
      await writer.cut()
      ends.push(writer.bytesWritten)
    }
    await writer.cut()
    expect(writer.bytesWritten).toBe(ends[1])
    await writer.commit()
    expect(memory.bytes().equals(whole)).toBe(true)
    const [first, second] = [whole.subarray(10, ends[0]), whole.subarray(ends[0]!, ends[1])]
    const flushed = { finishFlush: zlib.constants.Z_SYNC_FLUSH }
    expect(zlib.inflateRawSync(first, flushed).equals(text)).toBe(true)
    expect(zlib.inflateRawSync(second, flushed).equals(text)).toBe(true)
    expect(second.equals(first)).toBe(true)
  })

  test('the length of a member is counted beyond 32 bits', async () => {
    const writer = memoryDestination()
    const sink = await writer.open()
    const kept = { bytes: 2 ** 32 + 5, crc32: 0xdeadbeef }
    const compressor = new Compressor(sink, 'gzip', { state: { ended: 0, member: kept } })
    await compressor.write(Buffer.from('xyz'))
    await compressor.cut()
    expect(compressor.state.member).toEqual({ bytes: 2 ** 32 + 8, crc32: zlib.crc32('xyz', 0xdeadbeef) })
    await compressor.end()
    await sink.commit()
    const bytes = writer.bytes()
    expect(bytes.readUInt32LE(bytes.length - 4)).toBe(8)
    expect(bytes.readUInt32LE(bytes.length - 8)).toBe(zlib.crc32('xyz', 0xdeadbeef))
    expect(zlib.inflateRawSync(bytes).toString()).toBe('xyz') // no header: that was written before
  })

  test('the end of a file ends its member, and what is written next begins another', async () => {
    const memory = memoryDestination()
    const writer = await memory.open()
    const compressor = new Compressor(writer, 'gzip')
    const ends: number[] = []
    for (const text of ['first', 'second']) {
      await compressor.write(Buffer.from(text))
      await compressor.cut()
      await compressor.endFile()
      ends.push(writer.bytesWritten)
    }
    await compressor.endFile()
    expect(compressor.state).toEqual({ ended: 2, member: null })
    await compressor.end()
    await writer.commit()
    expect(memory.bytes().length).toBe(ends[1])
    expect(onlyMember(memory.bytes().subarray(0, ends[0])).toString()).toBe('first')
    expect(onlyMember(memory.bytes().subarray(ends[0])).toString()).toBe('second')
  })

  test('an export that ends at a cut has no empty segment after it, one without bytes is one member', async () => {
    const memory = memoryDestination()
    const writer = compressed(await memory.open(), 'gzip')
    await writer.cut()
    expect(writer.bytesWritten).toBe(0)
    await writer.write(Buffer.from('x'))
    await writer.cut()
    await writer.commit()
    expect(memory.bytes().equals(await compress('gzip', [Buffer.from('x')]))).toBe(true)
    expect(zlib.gunzipSync(await compress('gzip', [])).length).toBe(0)
  })

  test('DecompressionStream, which refuses a second member in newer Node.js, reads all of it', async () => {
    const bytes = await cutAt(
      [Buffer.from('first '), Buffer.from('second '), Buffer.from('last')],
      undefined,
      () => true,
    )
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))
    expect(await new Response(stream).text()).toBe('first second last')
  })

  const hasGzip = spawnSync('gzip', ['--version']).status === 0
  test.runIf(hasGzip)('the program gzip finds nothing wrong with it', async () => {
    for (const texts of [[], ['x'], ['first ', 'second '.repeat(50_000), 'last']]) {
      const input = await cutAt(
        texts.map((text) => Buffer.from(text)),
        undefined,
        () => true,
      )
      expect(spawnSync('gzip', ['-tv'], { input }).status).toBe(0)
      const { stdout } = spawnSync('gzip', ['-dc'], { input, maxBuffer: 1 << 24 })
      expect(stdout.toString()).toBe(texts.join(''))
    }
  })
})
