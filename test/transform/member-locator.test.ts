import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RecordBatch } from '../../src/record.js'
import { MemberLocator } from '../../src/transform/member-locator.js'
import { batchOf } from '../helpers/batch.js'
import { withFields } from '../helpers/record-fields.js'
import { documents, looselyPlaced, names, numRuns, print } from './records.js'

/** Texts of the values that were found, by record. */
function located(locator: MemberLocator, batch: RecordBatch): (string | null)[][] {
  const ranges = locator.locate(batch)
  return Array.from({ length: batch.count }, (_, index) =>
    locator.names.map((_, n) => {
      const at = 2 * (index * locator.names.length + n)
      return ranges[at + 1] === 0 ? null : batch.bytes.toString('utf8', ranges[at], ranges[at + 1])
    }),
  )
}

test('values are found by the names of their own members, the last of a repeated one counts', () => {
  const locator = new MemberLocator(['b', 'a', 'b'])
  expect(locator.names).toEqual(['b', 'a'])
  const batch = batchOf('{"a": 1 ,"b":{"a":2}}', '{"c":{"b":0}}', String.raw`{"b":1,"\u0062":"]"}`)
  expect(located(locator, batch)).toEqual([
    ['{"a":2}', '1'],
    [null, null],
    ['"]"', null],
  ])
  expect(located(locator, batchOf('{}'))).toEqual([[null, null]])
})

test('the engine is asked where it knows, by one array', () => {
  const asked: (readonly string[])[] = []
  const batch = withFields(batchOf('{"a":1}'))
  const { locate } = batch.fields!
  batch.fields!.locate = (names) => {
    asked.push(names)
    return locate(names)
  }
  const locator = new MemberLocator(['a'])
  expect([located(locator, batch), located(locator, batch)]).toEqual([[['1']], [['1']]])
  expect(asked[0]).toBe(asked[1])
  expect(asked.length).toBe(2)
})

test('values are found in the bytes where the engine cannot tell', () => {
  const batch = withFields(batchOf('{"b":0,"a":1}'))
  batch.fields!.locate = () => null
  expect(located(new MemberLocator(['a', 'c']), batch)).toEqual([['1', null]])
})

test('any names in any records are found where the engine finds them', () => {
  fc.assert(
    fc.property(
      fc.array(documents, { maxLength: 5 }),
      fc.array(names, { maxLength: 4 }),
      fc.boolean(),
      (records, names, isLoose) => {
        const texts = records.map(print)
        const batch = isLoose ? looselyPlaced(texts) : batchOf(...texts)
        const locator = new MemberLocator(names)
        locator.locate(batchOf('{"a":1}', '{"b":1}', '{"type":1}')) // leaves something in the locator
        expect(located(locator, batch)).toEqual(located(locator, withFields(batch)))
      },
    ),
    { numRuns: numRuns(1000) },
  )
})
