// gzip taken apart by its format, RFC 1952, and not by a reader that may take several members for one.

import * as zlib from 'node:zlib'
import { expect } from 'vitest'

const headerBytes = 10
const trailerBytes = 8

/** What is inside bytes that must be exactly one gzip member, written by us. */
export function onlyMember(bytes: Buffer): Buffer {
  expect(bytes.subarray(0, 8).toString('hex')).toBe('1f8b080000000000')
  expect(bytes[9]).toBe(255)
  const { buffer, engine } = zlib.inflateRawSync(bytes.subarray(headerBytes), { info: true }) as unknown as {
    buffer: Buffer
    engine: { bytesWritten: number }
  }
  expect(engine.bytesWritten, 'bytes of the deflate stream').toBe(bytes.length - headerBytes - trailerBytes)
  expect(bytes.readUInt32LE(bytes.length - 8), 'CRC-32').toBe(zlib.crc32(buffer))
  expect(bytes.readUInt32LE(bytes.length - 4), 'length').toBe(buffer.length % 2 ** 32)
  return buffer
}
