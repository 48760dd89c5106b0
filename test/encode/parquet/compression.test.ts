import * as zlib from 'node:zlib'
import { expect, test } from 'vitest'
import { compressorOf } from '../../../src/encode/parquet/compression.js'

test('a page under gzip is one member, however long it is', async () => {
  const compress = (await compressorOf('gzip'))!
  for (const length of [0, 1, 70_000, 1 << 22]) {
    const page = Buffer.alloc(length, 'page of values ')
    const member = await compress(page, false)
    const { buffer, engine } = zlib.inflateRawSync(member.subarray(10), { info: true }) as unknown as {
      buffer: Buffer
      engine: { bytesWritten: number }
    }
    expect(buffer.equals(page)).toBe(true)
    expect(engine.bytesWritten).toBe(member.length - 18)
  }
})

const { zstdDecompressSync } = zlib as unknown as { zstdDecompressSync?: (bytes: Uint8Array) => Buffer }

/** The content size in the header of a zstd frame (RFC 8878 §3.1.1.1); null where it is not told. */
function contentSizeOf(frame: Uint8Array): number | null {
  const bytes = Buffer.from(frame)
  expect(bytes.readUInt32LE(0)).toBe(0xfd2fb528)
  const descriptor = bytes[4]!
  const isSingleSegment = (descriptor & 0x20) !== 0
  const at = 5 + (isSingleSegment ? 0 : 1) // after the window's size; there is no dictionary
  const width = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!
  if (width === 0) return null
  return width === 8 ? Number(bytes.readBigUInt64LE(at)) : bytes.readUIntLE(at, width) + (width === 2 ? 256 : 0)
}

// Node.js 26.11 began to tell the size by itself, which gave the same page other bytes: an export that went on with
// another version had both
test.runIf(zstdDecompressSync !== undefined)(
  'a page under zstd tells its size, so that its bytes are the same with every Node.js',
  async () => {
    const compress = (await compressorOf('zstd'))!
    for (const length of [1, 200, 300, 70_000, 1 << 20]) {
      const page = Buffer.alloc(length, 'page of values ')
      const frame = await compress(page, false)
      expect(contentSizeOf(frame)).toBe(length)
      expect(zstdDecompressSync!(frame).equals(page)).toBe(true)
    }
  },
)
