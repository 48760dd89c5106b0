import { randomBytes } from 'node:crypto'
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CancellableBody, type Coding, decodeBody, parseContentEncoding } from '../../src/http/decode.js'
import { read } from './harness.js'

const hex = Buffer.from(randomBytes(600_000).toString('hex'))
const text = 'hello, members '.repeat(300)
const gzip = (plain: string) => gzipSync(plain)
const [first, second] = [gzip(text), gzip('second')]
const with_ = (bytes: Buffer, change: (copy: Buffer) => void) => {
  const copy = Buffer.from(bytes)
  change(copy)
  return copy
}

/** `bytes` in chunks of `size`, and whether somebody gave up on them. */
function bodyOf(bytes: Uint8Array, size: number): CancellableBody & { isCancelled: boolean; chunksRead: number } {
  return {
    isCancelled: false,
    chunksRead: 0,
    cancel() {
      this.isCancelled = true
    },
    async *[Symbol.asyncIterator]() {
      for (let at = 0; at < bytes.length; at += size) {
        this.chunksRead++
        yield bytes.subarray(at, at + size)
      }
    },
  }
}

const sizes = [1, 2, 7, 64, Number.MAX_SAFE_INTEGER]

describe.each(sizes)('in chunks of %d', (size) => {
  test.each<[string, Coding[], Buffer, string]>([
    ['gzip', ['gzip'], first, text],
    ['gzip in two members', ['gzip'], Buffer.concat([first, second]), `${text}second`],
    ['gzip with an empty member', ['gzip'], Buffer.concat([gzip(''), second]), 'second'],
    ['brotli', ['br'], brotliCompressSync(text), text],
    ['deflate in the zlib format', ['deflate'], deflateSync(text), text],
    ['deflate without a header', ['deflate'], deflateRawSync(text), text],
    ['gzip in gzip', ['gzip', 'gzip'], gzipSync(first), text],
    ['brotli in gzip', ['gzip', 'br'], gzipSync(brotliCompressSync(text)), text],
    ['nothing', [], Buffer.from(text), text],
  ])('%s is decoded', async (_, codings, bytes, expected) => {
    expect((await read(decodeBody(bodyOf(bytes, size), codings))).toString()).toBe(expected)
  })

  test.each<[string, Coding[], Buffer, string]>([
    ['an empty body', ['gzip'], Buffer.alloc(0), 'ERR_BODY_TRUNCATED'],
    ['a cut header', ['gzip'], first.subarray(0, 5), 'ERR_BODY_TRUNCATED'],
    ['a cut in the middle', ['gzip'], first.subarray(0, first.length >> 1), 'ERR_BODY_TRUNCATED'],
    ['a cut checksum', ['gzip'], first.subarray(0, -5), 'ERR_BODY_TRUNCATED'],
    ['the last byte missing', ['gzip'], first.subarray(0, -1), 'ERR_BODY_TRUNCATED'],
    ['a cut in the second member', ['gzip'], Buffer.concat([first, second.subarray(0, -1)]), 'ERR_BODY_TRUNCATED'],
    ['the start of a second member', ['gzip'], Buffer.concat([first, second.subarray(0, 1)]), 'ERR_BODY_TRUNCATED'],
    ['a wrong checksum', ['gzip'], with_(first, (b) => (b[b.length - 6]! ^= 1)), 'ERR_BODY_CORRUPT'],
    ['a wrong length', ['gzip'], with_(first, (b) => (b[b.length - 1]! ^= 1)), 'ERR_BODY_CORRUPT'],
    ['garbage behind the end', ['gzip'], Buffer.concat([first, Buffer.from('garbage')]), 'ERR_BODY_CORRUPT'],
    ['zeros behind the end', ['gzip'], Buffer.concat([first, Buffer.alloc(5)]), 'ERR_BODY_CORRUPT'],
    ['a member behind zeros', ['gzip'], Buffer.concat([first, Buffer.alloc(5), second]), 'ERR_BODY_CORRUPT'],
    ['plain text', ['gzip'], Buffer.from('{"result":[]}'), 'ERR_BODY_CORRUPT'],
    ['brotli that is cut', ['br'], brotliCompressSync(text).subarray(0, -1), 'ERR_BODY_TRUNCATED'],
    [
      'brotli with garbage behind',
      ['br'],
      Buffer.concat([brotliCompressSync(text), Buffer.from('x')]),
      'ERR_BODY_CORRUPT',
    ],
    ['text called brotli', ['br'], Buffer.from('{"result":[]}'), 'ERR_BODY_CORRUPT'],
    ['deflate that is cut', ['deflate'], deflateSync(text).subarray(0, -2), 'ERR_BODY_TRUNCATED'],
    [
      'deflate with garbage behind',
      ['deflate'],
      Buffer.concat([deflateSync(text), Buffer.from('x')]),
      'ERR_BODY_CORRUPT',
    ],
    ['gzip in gzip with the inner one cut', ['gzip', 'gzip'], gzipSync(first.subarray(0, -1)), 'ERR_BODY_TRUNCATED'],
    ['gzip in gzip with the outer one cut', ['gzip', 'gzip'], gzipSync(first).subarray(0, -1), 'ERR_BODY_TRUNCATED'],
  ])('%s is an error and gives up the rest', async (_, codings, bytes, code) => {
    const body = bodyOf(bytes, size)
    await expect(read(decodeBody(body, codings))).rejects.toMatchObject({ code, isRetryable: true })
    expect(body.isCancelled).toBe(true)
  })
})

test('however it is cut and chunked, a prefix of a gzip body never passes for the whole', async () => {
  const random = Buffer.from(Array.from({ length: 200 }, (_, i) => (i * 7919) % 251))
  const bytes = gzipSync(random)
  for (let end = 0; end < bytes.length; end++) {
    const body = decodeBody(bodyOf(bytes.subarray(0, end), 1 + (end % 9)), ['gzip'])
    await expect(read(body)).rejects.toMatchObject({ code: 'ERR_BODY_TRUNCATED' })
  }
})

test('any members in any chunks decode to what went in', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 2000 }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 3000 }),
      async (plains, size) => {
        const bytes = Buffer.concat(plains.map((plain) => gzipSync(plain)))
        expect(await read(decodeBody(bodyOf(bytes, size), ['gzip']))).toEqual(Buffer.concat(plains))
      },
    ),
    { numRuns: process.env['TRUTO_EXPORT_SOAK'] === '1' ? 5000 : 100 },
  )
})

test('what the transport throws is passed on as it is', async () => {
  const failure = new Error('reset')
  const body: CancellableBody = {
    cancel() {},
    async *[Symbol.asyncIterator]() {
      yield first.subarray(0, 20)
      throw failure
    },
  }
  await expect(read(decodeBody(body, ['gzip']))).rejects.toBe(failure)
  await expect(read(decodeBody(body, ['gzip', 'br']))).rejects.toBe(failure)
})

test('a bomb unfolds no further than somebody reads', async () => {
  const bomb = brotliCompressSync(Buffer.alloc(64 << 20), { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } })
  const body = bodyOf(bomb, 1)
  const before = process.memoryUsage().arrayBuffers
  let length = 0
  for await (const chunk of decodeBody(body, ['br'])) {
    length += chunk.length
    if (length > 1 << 20) break
  }
  // What one input byte unfolds to is held back in the decoder: most of the input is still unread.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(24 << 20)
  expect(body.isCancelled).toBe(true)
})

test('the memory of what has been read goes at once, not when V8 comes to look for it', async () => {
  const chunks: Uint8Array[] = []
  for await (const chunk of decodeBody(bodyOf(gzipSync(Buffer.alloc(8 << 20)), 1024), ['gzip'])) {
    if (chunk.buffer.byteLength === 64 * 1024) chunks.push(chunk)
    const lastButOne = chunks.at(-2)
    // a buffer is freed with the last chunk in it
    if (lastButOne?.buffer !== chunk.buffer) expect(lastButOne?.buffer.byteLength ?? 0).toBe(0)
  }
  expect(chunks.filter((chunk) => chunk.length === 0).length).toBeGreaterThan(100)
})

test.each<[string, Coding[], Buffer]>([
  ['gzip', ['gzip'], gzipSync(hex)],
  ['brotli', ['br'], brotliCompressSync(hex)],
  ['gzip in gzip', ['gzip', 'gzip'], gzipSync(gzipSync(hex))],
])('the chunks of %s may lie in one buffer, one after the other', async (_, codings, encoded) => {
  const buffer = Buffer.alloc(64 * 1024)
  const body = {
    ...bodyOf(encoded, buffer.length),
    async *[Symbol.asyncIterator]() {
      for (let at = 0; at < encoded.length; at += buffer.length) {
        yield buffer.subarray(0, encoded.copy(buffer, 0, at))
        buffer.fill(0xff)
      }
    },
  }
  expect((await read(decodeBody(body, codings))).equals(hex)).toBe(true)
})

describe('a ratio of decoded to encoded bytes', () => {
  const bomb = gzipSync(Buffer.alloc(8 << 20, ' '))
  const brotli = brotliCompressSync(Buffer.alloc(8 << 20, ' '))
  const refused = {
    code: 'ERR_LIMIT',
    exitCode: 6,
    isRetryable: false,
    hint: expect.stringContaining('--max-decoded-ratio'),
  }

  test.each<[string, Coding[], Buffer]>([
    ['gzip', ['gzip'], bomb],
    ['gzip all of which is here', ['gzip'], bomb],
    ['brotli', ['br'], brotli],
    ['gzip in gzip', ['gzip', 'gzip'], gzipSync(bomb)],
    ['brotli in gzip', ['gzip', 'br'], gzipSync(brotli)],
    ['many members', ['gzip'], Buffer.concat(Array.from({ length: 40 }, () => gzipSync(Buffer.alloc(1 << 18, ' '))))],
  ])('that is too high ends the body as soon as it is seen: %s', async (name, codings, bytes) => {
    const body = bodyOf(bytes, name.includes('here') ? Number.MAX_SAFE_INTEGER : 100)
    let length = 0
    const reading = (async () => {
      for await (const chunk of decodeBody(body, codings, 200)) length += chunk.length
    })()
    await expect(reading).rejects.toMatchObject(refused)
    expect(length).toBeLessThanOrEqual(1 << 20)
    expect(body.isCancelled).toBe(true)
  })

  test('is not judged below one MiB, and not by what has not been decoded yet', async () => {
    const small = gzipSync(Buffer.alloc((1 << 20) - 1, ' '))
    expect(await read(decodeBody(bodyOf(small, 100), ['gzip'], 2))).toHaveLength((1 << 20) - 1)
    // the bytes behind the bomb make the body as a whole a modest one
    const dense = gzipSync(randomBytes(1 << 20))
    const mixed = Buffer.concat([bomb, dense])
    const lengthOf = async () => (await read(decodeBody(bodyOf(mixed, mixed.length), ['gzip'], 200))).length
    await expect(lengthOf()).rejects.toMatchObject(refused)
  })

  test('that is allowed lets everything through', async () => {
    expect(await read(decodeBody(bodyOf(bomb, 100), ['gzip'], 1100))).toHaveLength(8 << 20)
    expect(await read(decodeBody(bodyOf(bomb, 100), ['gzip']))).toHaveLength(8 << 20)
  })
})

test('leaving the decoded body while bytes are awaited does not wait for them', async () => {
  let reject: (error: Error) => void = () => {}
  const body: CancellableBody = {
    cancel: () => reject(new Error('cancelled')),
    [Symbol.asyncIterator]() {
      let calls = 0
      return {
        next: () =>
          calls++ === 0
            ? Promise.resolve({ value: Buffer.concat([first, second]), done: false })
            : new Promise((_, no) => {
                reject = no
              }),
      }
    },
  }
  for await (const chunk of decodeBody(body, ['gzip'])) {
    expect(chunk.length).toBeGreaterThan(0)
    break
  }
})

test.each<[string | null, Coding[]]>([
  [null, []],
  ['', []],
  ['identity', []],
  ['gzip', ['gzip']],
  ['GZip', ['gzip']],
  ['x-gzip', ['gzip']],
  ['deflate, gzip', ['gzip', 'deflate']],
  ['br,identity', ['br']],
  ...['none', 'NONE', 'utf-8', 'UTF8', '"utf-8"', 'identity, utf-8', 'us-ascii', 'binary', 'null'].map(
    (value): [string, Coding[]] => [value, []],
  ),
  ['utf-8, gzip', ['gzip']],
])('Content-Encoding %j is undone by %j', (value, codings) => {
  expect(parseContentEncoding(value)).toEqual(codings)
})

test.each(['zstd', 'compress', 'gzip, zstd', 'gzip, gzip, gzip', 'gzip;q=1', 'x'.repeat(500)])(
  'Content-Encoding %j is refused',
  (value) => {
    expect(() => parseContentEncoding(value)).toThrow(
      expect.objectContaining({ code: 'ERR_ENCODING_UNSUPPORTED', exitCode: 4, isRetryable: false }),
    )
  },
)
