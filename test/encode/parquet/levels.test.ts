import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hybridBound, widthOf, writeHybrid } from '../../../src/encode/parquet/levels.js'

/** Reads what Encodings.md of parquet-format describes. */
function readHybrid(bytes: Uint8Array, width: number, count: number): number[] {
  const values: number[] = []
  let at = 0
  while (values.length < count) {
    let head = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!
      head += (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    if (head % 2 === 0) {
      let value = bytes[at++]!
      if (width > 8) value += bytes[at++]! << 8
      for (let i = 0; i < head / 2; i++) values.push(value)
    } else {
      const bits = [...bytes.subarray(at, at + (head >> 1) * width)].flatMap((byte) =>
        Array.from({ length: 8 }, (_, bit) => (byte >> bit) & 1),
      )
      at += (head >> 1) * width
      for (let i = 0; i < bits.length; i += width) {
        values.push(bits.slice(i, i + width).reduce((sum, bit, position) => sum + (bit << position), 0))
      }
    }
  }
  expect(at).toBe(bytes.length)
  // what fills the last group up is zero
  expect(values.slice(count).some((value) => value !== 0)).toBe(false)
  return values.slice(0, count)
}

function write(values: Uint8Array | Uint16Array, width: number, from = 0, to = values.length): Uint8Array {
  const bound = hybridBound(to - from, width)
  const out = new Uint8Array(bound + 6).fill(0xee)
  const end = writeHybrid(values, from, to, width, out, 3)
  expect(end - 3).toBeLessThanOrEqual(bound)
  expect([...out.subarray(0, 3), ...out.subarray(end)].every((byte) => byte === 0xee)).toBe(true)
  return out.subarray(3, end)
}

test('a width is the bits of the greatest value', () => {
  expect([0, 1, 2, 3, 4, 255, 256, 65535].map(widthOf)).toEqual([0, 1, 2, 2, 3, 8, 9, 16])
})

test('equal values are a run, others are packed in eights, as the examples of parquet-format have it', () => {
  expect([...write(new Uint8Array(100).fill(1), 1)]).toEqual([200, 1, 1])
  expect([...write(Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7), 3)]).toEqual([3, 0b10001000, 0b11000110, 0b11111010])
  expect([...write(new Uint16Array(300).fill(0x1234), 16)]).toEqual([0xd8, 4, 0x34, 0x12])
  expect([...write(Uint8Array.of(1), 1)]).toEqual([3, 1])
  expect([...write(new Uint8Array(0), 1)]).toEqual([])
  // five of the ones fill the group that the zeros begin, the others are a run
  expect([...write(Uint8Array.from([0, 0, 0, ...new Uint8Array(13).fill(1)]), 1)]).toEqual([3, 0b11111000, 16, 1])
  expect([...write(Uint8Array.from([0, 0, 0, ...new Uint8Array(12).fill(1)]), 1)]).toEqual([5, 0b11111000, 0b01111111])
})

test('any values of any width come back, and no more bytes are written than were promised', () => {
  const runs = fc.integer({ min: 1, max: 16 }).chain((width) =>
    fc.record({
      width: fc.constant(width),
      runs: fc.array(
        fc.record({
          value: fc.integer({ min: 0, max: 2 ** width - 1 }),
          times: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 300 })),
        }),
        { maxLength: 40 },
      ),
      skipped: fc.integer({ min: 0, max: 5 }),
    }),
  )
  fc.assert(
    fc.property(runs, ({ width, runs, skipped }) => {
      const values = runs.flatMap(({ value, times }) => new Array<number>(times).fill(value))
      const from = Math.min(skipped, values.length)
      const array = width > 8 ? Uint16Array.from(values) : Uint8Array.from(values)
      expect(readHybrid(write(array, width, from), width, values.length - from)).toEqual(values.slice(from))
    }),
    { numRuns: 150 },
  )
})
