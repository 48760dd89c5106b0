// What every destination owes, as a suite that takes a factory. `memory` runs it first: it is the reference.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Destination } from '../../src/destination/destination.js'

export interface Place {
  destination: Destination
  /** What is visible at the place, null where nothing is. */
  visible(): Promise<Buffer | null>
  /** Whatever else lies about. */
  leftovers(): Promise<string[]>
  [Symbol.asyncDispose](): Promise<void>
}

export interface Traits {
  /** Whether nothing is visible before the commit and nothing after an abort. */
  isAtomic: boolean
}

const numRuns = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 2000 : 30

/** Writes pieces through one buffer that is overwritten as soon as each write has resolved. */
export async function writeReused(
  writer: { write(bytes: Uint8Array): Promise<void> },
  pieces: readonly Uint8Array[],
): Promise<void> {
  const view = Buffer.alloc(Math.max(0, ...pieces.map((piece) => piece.length)))
  for (const piece of pieces) {
    view.set(piece)
    await writer.write(view.subarray(0, piece.length))
    view.fill(0xee)
  }
}

export function destinationConformance(name: string, make: () => Promise<Place>, { isAtomic }: Traits): void {
  describe(`${name} as a destination`, () => {
    test('shows exactly what was written once it is committed', async () => {
      await using place = await make()
      const writer = await place.destination.open()
      await writer.write(Buffer.from('one '))
      await writer.write(Buffer.from(''))
      await writer.write(Buffer.from('two'))
      if (isAtomic) expect(await place.visible()).toBeNull()
      expect(writer.bytesWritten).toBe(7)
      await writer.commit()
      expect((await place.visible())?.toString()).toBe('one two')
      expect(await place.leftovers()).toEqual([])
    })

    test('shows an empty output once that is committed', async () => {
      await using place = await make()
      const writer = await place.destination.open()
      await writer.commit()
      expect((await place.visible())?.length).toBe(0)
      expect(await place.leftovers()).toEqual([])
    })

    test('leaves nothing behind after an abort, which may come twice', async () => {
      await using place = await make()
      const writer = await place.destination.open()
      await writer.write(Buffer.alloc(300_000, 'x'))
      await writer.abort()
      await writer.abort()
      expect(writer.left).not.toBe('')
      if (isAtomic) expect(await place.visible()).toBeNull()
      expect(await place.leftovers()).toEqual([])
    })

    test('an abort before the first byte leaves nothing behind', async () => {
      await using place = await make()
      await (await place.destination.open()).abort()
      if (isAtomic) expect(await place.visible()).toBeNull()
      expect(await place.leftovers()).toEqual([])
    })

    test('an abort after the commit takes nothing back', async () => {
      await using place = await make()
      const writer = await place.destination.open()
      await writer.write(Buffer.from('kept'))
      await writer.commit()
      await writer.abort()
      expect((await place.visible())?.toString()).toBe('kept')
    })

    test('an abort while a write is in flight waits for it', async () => {
      await using place = await make()
      const writer = await place.destination.open()
      const writing = writer.write(Buffer.alloc(1_000_000, 'x')).catch(() => {})
      await writer.abort()
      await writing
      if (isAtomic) expect(await place.visible()).toBeNull()
      expect(await place.leftovers()).toEqual([])
    })

    test('bytes that are overwritten after their write resolved are never seen changed, whatever the sizes', async () => {
      const sizes = fc.array(
        fc.oneof(
          fc.integer({ min: 0, max: 300 }),
          fc.constantFrom(32_767, 32_768, 65_536, 131_071, 131_072, 131_073),
          fc.integer({ min: 0, max: 400_000 }),
        ),
        { maxLength: 12 },
      )
      await fc.assert(
        fc.asyncProperty(sizes, async (sizes) => {
          await using place = await make()
          const pieces = sizes.map((size, index) => Buffer.alloc(size, `${index}:${size};`))
          const writer = await place.destination.open()
          await writeReused(writer, pieces)
          expect(writer.bytesWritten).toBe(sizes.reduce((sum, size) => sum + size, 0))
          await writer.commit()
          expect((await place.visible())?.equals(Buffer.concat(pieces))).toBe(true)
        }),
        { numRuns },
      )
    })

    test('has a name for messages', async () => {
      await using place = await make()
      expect(place.destination.name).not.toBe('')
    })
  })
}
