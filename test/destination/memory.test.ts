import { expect, test } from 'vitest'
import { memoryDestination } from '../../src/destination/memory.js'
import { destinationConformance } from './conformance.js'

destinationConformance(
  'memory',
  async () => {
    const destination = memoryDestination()
    return {
      destination,
      visible: async () => (destination.isCommitted ? destination.bytes() : null),
      leftovers: async () => [],
      async [Symbol.asyncDispose]() {},
    }
  },
  { isAtomic: true },
)

test('reading before a commit and writing after the end are errors', async () => {
  const destination = memoryDestination()
  expect(() => destination.bytes()).toThrow('nothing was committed')
  const writer = await destination.open()
  await writer.commit()
  await expect(writer.write(Buffer.from('x'))).rejects.toThrow('after its end')
})

test('a later export replaces the earlier one when it is committed, not before', async () => {
  const destination = memoryDestination()
  const first = await destination.open()
  await first.write(Buffer.from('1'))
  await first.commit()
  const second = await destination.open()
  await second.write(Buffer.from('2'))
  expect(destination.bytes().toString()).toBe('1')
  await second.commit()
  expect(destination.bytes().toString()).toBe('2')
})
