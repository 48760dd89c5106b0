import { expect, test, vi } from 'vitest'
import { memoryDestination } from '../../src/destination/memory.js'
import { exportRecords } from '../../src/export/export.js'
import { engineNames } from '../../src/json/engine-names.js'

vi.mock('csv-stringify/sync', () => ({
  stringify: () => {
    throw new Error('csv-stringify was called')
  },
}))

test.each(engineNames)('ordinary rows are written from their bytes, whatever finds the records: %s', async (parser) => {
  const destination = memoryDestination()
  const input = Buffer.from('{"id":"1","a":1}\n{"id":"a\\"b"}\n')
  await exportRecords({ input, inputFormat: 'ndjson', format: 'csv', parser, destination })
  expect(Buffer.from(destination.bytes()).toString()).toBe('id,extra\n"1","{""a"":1}"\n"a""b",\n')
})
