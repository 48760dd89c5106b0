// What takes the kernel's place where it cannot be.

import { afterEach, expect, test, vi } from 'vitest'

afterEach(() => {
  vi.restoreAllMocks()
  vi.resetModules()
})

function failInstances(error: Error): void {
  const Failing = class {
    constructor() {
      throw error
    }
  }
  vi.spyOn(WebAssembly, 'Instance').mockImplementation(Failing as never)
}

test('without address space for its memory, js takes the place of simd and is what is named', async () => {
  vi.resetModules()
  const { slicerFactory, usedEngine } = await import('../../src/json/engines.js')
  expect(usedEngine('simd')).toBe('simd')
  failInstances(new RangeError('WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory for new instance'))
  const slicers = await slicerFactory('simd')
  expect(usedEngine('simd')).toBe('js')
  const slicer = slicers({ page: 1, maxDepth: 10, maxRecordBytes: 1000, maxCursorBytes: 100 })
  const texts: string[] = []
  for (const batch of slicer.push(Buffer.from('{"result":[{"id":"1"}],"next_cursor":null}')))
    for (let i = 0; i < batch.count; i++) texts.push(batch.bytes.toString('utf8', batch.start(i), batch.end(i)))
  expect(slicer.end()).toEqual([])
  expect(texts).toEqual(['{"id":"1"}'])
})

test('where its memory cannot grow to hold a window, js takes the place of simd as well', async () => {
  vi.resetModules()
  const { slicerFactory, usedEngine } = await import('../../src/json/engines.js')
  vi.spyOn(WebAssembly.Memory.prototype, 'grow').mockImplementation(() => {
    throw new RangeError('WebAssembly.Memory.grow(): Unable to grow instance memory')
  })
  await slicerFactory('simd')
  expect(usedEngine('simd')).toBe('js')
})

test('what else is wrong with the kernel is an error', async () => {
  vi.resetModules()
  const { slicerFactory } = await import('../../src/json/engines.js')
  failInstances(new TypeError('a bug'))
  await expect(slicerFactory('simd')).rejects.toThrow('a bug')
})
