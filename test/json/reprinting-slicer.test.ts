// What is particular to the engines over a library: what the library is given, and what becomes of its errors.

import { expect, test } from 'vitest'
import { jsSlicers } from '../../src/json/engine-js/engine-js.js'
import { ReprintingSlicer } from '../../src/json/reprinting-slicer.js'
import type { SlicerFactory } from '../../src/json/slicer.js'
import type { TokenSource } from '../../src/json/token-printer.js'
import { chunkSizes, chunksOf, defaultOptions, pushAll, sliceBody } from './slicing.js'

/** Stands for a library: compact JSON is the text of its tokens as it is. */
class Echo implements TokenSource {
  readonly name = 'echo'
  readonly records: string[] = []
  read(record: Buffer): string {
    this.records.push(record.toString())
    return record.toString()
  }
}

const slicers = jsSlicers()

function over(source: () => TokenSource): SlicerFactory {
  return (options) => new ReprintingSlicer(slicers(options), source())
}

test.each(chunkSizes)(
  'a library gets every record once, whole and in order, and nothing of what stands around them (chunks of %s)',
  (cuts) => {
    const records = ['{"a":"é漢"}', '{"😀":"\ufeff"}', '{}']
    const text = `{"é":"漢","result":[${records.join(' , ')}],"z":[1,2]} \n`
    const echo = new Echo()
    const slicer = over(() => echo)(defaultOptions)
    pushAll(slicer, chunksOf(Buffer.from(`\ufeff${text}`), cuts))
    expect(slicer.end()).toEqual([])
    expect(echo.records).toEqual(records)
  },
)

test('a library gets a bare id as the record that it stands for', () => {
  const echo = new Echo()
  sliceBody(
    over(() => echo),
    '{"ok":true,"members":["U1",{"id":"U2"}]}',
  )
  expect(echo.records).toEqual(['{"id":"U1"}', '{"id":"U2"}'])
})

test('what belongs to the next document is counted as not read, however long the chunk is', () => {
  const slicer = over(() => new Echo())({ ...defaultOptions, isSequence: true })
  const first = Buffer.from(`{"result":[${Array(20_000).fill('{"a":1}').join(',')}]}`)
  const second = Buffer.from(`{"result":[${Array(30_000).fill('{"b":2}').join(',')}]}`)
  expect(pushAll(slicer, [Buffer.concat([first, second])])).toBe(20_000)
  expect(slicer.unreadBytes).toBe(second.length)
  expect(slicer.facts.bytes).toBe(first.length)
})

test('text that a library refuses although its grammar is right is a syntax error that names the library', () => {
  const refusing = (): TokenSource => ({
    name: 'picky',
    read(record) {
      if (record.includes('x')) throw new Error('no\nway')
      return record.toString()
    },
  })
  const { failure } = sliceBody(over(refusing), '{"result":[{},{"a":"x"}]}')
  expect(failure).toMatchObject({ code: 'ERR_JSON_SYNTAX', page: 3, recordIndex: 1, byteOffset: 14 })
  expect(failure!.line).toContain('picky cannot read the body: no\\u{a}way')
})

test('a chunk is not kept: its bytes may change once the push is over', () => {
  const slicer = over(() => new Echo())(defaultOptions)
  const body = Buffer.from('{"result":[{"a":"é"}]}')
  const [first, second] = [Buffer.from(body.subarray(0, 18)), body.subarray(18)] // cuts the é
  pushAll(slicer, [first])
  first.fill(0)
  const texts: string[] = []
  for (const batch of slicer.push(second)) texts.push(batch.text(0))
  expect(texts).toEqual(['{"a":"é"}'])
})
