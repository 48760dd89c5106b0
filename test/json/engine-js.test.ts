// What is particular to the `js` engine: its window, its scanner, and the work it does per byte.

import { afterEach, expect, test, vi } from 'vitest'
import { jsSlicers } from '../../src/json/engine-js/engine-js.js'
import { eagerPolicy, SlicerJs } from '../../src/json/engine-js/slicer.js'
import { HeapWindow } from '../../src/json/engine-js/window.js'
import type { RecordBatch } from '../../src/record.js'
import { chunksOf, defaultOptions, pushAll, sliceBody } from './slicing.js'

const KiB = 1024
const MiB = 1024 * KiB

afterEach(() => {
  vi.restoreAllMocks()
})

test('the window does not grow for white space, small records or small members, however many', () => {
  const window = new HeapWindow()
  const { capacity } = window
  const slicer = new SlicerJs(defaultOptions, window)
  const space = Buffer.alloc(64 * KiB, ' \n')
  const records = Buffer.from('{"a":"xyz"},'.repeat(5000))
  pushAll(slicer, [space, Buffer.from('{'), Buffer.from('"result":['), space])
  let count = 0
  for (let i = 0; i < 40; i++) count += pushAll(slicer, [space, records])
  pushAll(slicer, [Buffer.from('{}]')])
  for (let i = 0; i < 40; i++) pushAll(slicer, [space, Buffer.from(`,"m${i}":"${'x'.repeat(50 * KiB)}"`)])
  pushAll(slicer, [Buffer.from('}')])
  for (let i = 0; i < 40; i++) pushAll(slicer, [space])
  expect(slicer.end()).toEqual([])
  expect(count).toBe(200_000)
  expect(window.capacity).toBe(capacity)
})

test('the window grows to less than four times a record that needs it, and the next page gives that back', () => {
  const window = new HeapWindow()
  const { capacity } = window
  const record = Buffer.from(`{"a":"${'x'.repeat(5 * MiB)}"}`)
  const slicer = new SlicerJs(defaultOptions, window)
  const page = Buffer.concat([Buffer.from('['), record, Buffer.from(']')])
  expect(pushAll(slicer, chunksOf(page, 64 * KiB))).toBe(1)
  expect(window.capacity).toBeGreaterThan(record.length)
  expect(window.capacity).toBeLessThan(4 * record.length)
  pushAll(new SlicerJs(defaultOptions, window), [Buffer.from('[')])
  expect(window.capacity).toBe(capacity)
})

test('a record that arrives in tiny chunks is moved a few times over, not once a chunk', () => {
  const record = Buffer.from(`{"a":"${'é\\n'.repeat(MiB)}"}`)
  const page = Buffer.concat([Buffer.from('['), record, Buffer.from(',{}]')])
  const slicer = new SlicerJs(defaultOptions, new HeapWindow())
  let moved = 0
  const { set } = Uint8Array.prototype
  vi.spyOn(Uint8Array.prototype, 'set').mockImplementation(function (this: Uint8Array, source, offset) {
    moved += source.length
    set.call(this, source, offset)
  })
  const { copyWithin } = Uint8Array.prototype
  vi.spyOn(Uint8Array.prototype, 'copyWithin').mockImplementation(function (this: Uint8Array, target, start, end) {
    moved += (end ?? this.length) - start
    return copyWithin.call(this, target, start, end)
  })
  expect(pushAll(slicer, chunksOf(page, 64))).toBe(2)
  expect(moved).toBeGreaterThanOrEqual(page.length) // each byte is copied in
  expect(moved).toBeLessThan(4 * page.length)
})

test('a compact page is lines as it stands, one batch for all records of a chunk', () => {
  const records = ['{"a":1}', '{"b":"é"}', '{}']
  const slicer = new SlicerJs(defaultOptions, new HeapWindow())
  const batches: RecordBatch[] = []
  for (const batch of slicer.push(Buffer.from(`{"result":[${records.join(',')}]}`))) batches.push(batch.own())
  expect(slicer.end()).toEqual([])
  expect(batches).toHaveLength(1)
  expect(batches[0]).toMatchObject({ count: 3, isLines: true, firstRecordIndex: 0, byteOffset: 11 })
  expect(batches[0]!.bytes.toString()).toBe(`${records.join('\n')}\n`)
})

test('what an earlier page left behind the data is not read, wherever a chunk ends', () => {
  const record = String.raw`{"s":"é\"\\ \u00e9","n":[-0.5e+1,12,true,false,null],"o":{"e":{},"l":[ ]}}`
  const body = Buffer.from(`[${record},\n ${record}]`)
  const slicers = jsSlicers(eagerPolicy)
  for (let cut = 1; cut < body.length; cut++) {
    expect(sliceBody(slicers, body).records).toEqual([record, record])
    expect(sliceBody(slicers, body, [cut, body.length - cut]).records).toEqual([record, record])
    const { failure } = sliceBody(slicers, body.subarray(0, cut))
    expect({ cut, code: failure?.code }).toEqual({ cut, code: 'ERR_BODY_TRUNCATED' })
  }
})

test('records that are too many, too deep or too long for the scanner are read none the less', () => {
  const many = '{},'.repeat(21_000)
  const deep = `{"a":${'['.repeat(300)}${']'.repeat(300)}}`
  const long = `{"a":"${'x'.repeat(200 * KiB)}"}`
  const body = Buffer.from(`[${many}${deep},${many}${long},${many}${deep}]`)
  const { records, failure } = sliceBody(jsSlicers(), body, 64 * KiB)
  expect(failure).toBeUndefined()
  expect(records.filter((text) => text !== '{}')).toEqual([deep, long, deep])
  expect(records).toHaveLength(63_003)
})
