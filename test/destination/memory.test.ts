import { expect, test } from 'vitest'
import { memoryDestination } from '../../src/destination/memory.js'
import { destinationConformance } from './conformance.js'
import { placeConformance } from './place-conformance.js'

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

for (const extension of [undefined, '.ndjson']) {
  placeConformance(extension === undefined ? 'memory' : 'memory in parts', async () => {
    const settings = { isResumable: true, overwrite: false, ...(extension === undefined ? {} : { extension }) }
    const destination = memoryDestination(settings)
    return {
      make: ({ overwrite = false } = {}) => {
        settings.overwrite = overwrite
        return destination
      },
      visible: async () => (destination.isCommitted ? destination.parts().map(String) : null),
      manifest: async () => destination.manifest()?.toString() ?? null,
      hasPartial: async () => destination.hasPartial,
      async [Symbol.asyncDispose]() {},
    }
  })
}

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
