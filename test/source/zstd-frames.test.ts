import { expect, test } from 'vitest'
import { FrameCutter } from '../../src/source/zstd-frames.js'

/** A frame of uncompressed blocks. */
function frame(blocks: readonly Buffer[], { hasChecksum = false, isRepeated = false } = {}): Buffer {
  const parts: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, hasChecksum ? 0x04 : 0x00, 0x58])]
  for (const [index, block] of blocks.entries()) {
    const isLast = index === blocks.length - 1
    const header = Buffer.alloc(3)
    const size = isRepeated ? 100_000 : block.length
    header.writeUIntLE((size << 3) | (isRepeated ? 2 : 0) | (isLast ? 1 : 0), 0, 3)
    parts.push(header, isRepeated ? block.subarray(0, 1) : block)
  }
  return Buffer.concat([...parts, Buffer.alloc(hasChecksum ? 4 : 0, 0xee)])
}

const frames = [
  frame([Buffer.from('abc')]),
  frame([Buffer.alloc(5000, 1), Buffer.alloc(0), Buffer.alloc(70_000, 2)], { hasChecksum: true }),
  Buffer.from('502a4d1803000000616263', 'hex'), // one to be passed over
  Buffer.from('5f2a4d1800000000', 'hex'), // and an empty one
  frame([Buffer.from('x')], { isRepeated: true }),
]

test.each([1, 2, 7, 4096, 'all'] as const)('frames end where they do, in chunks of %s', (size) => {
  const bytes = Buffer.concat(frames)
  const length = size === 'all' ? bytes.length : size
  const cutter = new FrameCutter()
  const ends: number[] = []
  for (let from = 0; from < bytes.length; from += length) {
    const chunk = bytes.subarray(from, from + length)
    for (let end = cutter.endIn(chunk, 0); end >= 0; end = cutter.endIn(chunk, end)) {
      ends.push(from + end)
      expect(cutter.isWhole).toBe(true)
      if (end === chunk.length) break
    }
  }
  let at = 0
  expect(ends).toEqual(frames.map(({ length: bytesOfIt }) => (at += bytesOfIt)))
})

test('what is no frame, or has a block of no type, is told', () => {
  expect(() => new FrameCutter().endIn(Buffer.from('{"id":1}'), 0)).toThrow('no zstd frame')
  expect(() => new FrameCutter().endIn(Buffer.from('28b52ffd0058070000', 'hex'), 0)).toThrow('type')
})
