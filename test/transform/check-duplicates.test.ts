import { expect, test } from 'vitest'
import { KiB } from '../../src/bytes/units.js'
import { RecordBatch } from '../../src/record.js'
import { checkDuplicatesStage, duplicatesOf } from '../../src/transform/check-duplicates.js'

/** A batch of records from their texts. */
function batchOf(texts: readonly string[], page = 1): RecordBatch {
  const bytes = Buffer.from(`${texts.join('\n')}\n`)
  const bounds = new Uint32Array(2 * texts.length)
  let at = 0
  texts.forEach((text, index) => {
    bounds.set([at, at + Buffer.byteLength(text)], 2 * index)
    at += Buffer.byteLength(text) + 1
  })
  return new RecordBatch({ bytes, bounds, count: texts.length, page, firstRecordIndex: 0, isLines: true })
}

const ids = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `{"id":"u${from + i}"}`)

test('batches pass as they are, and ids that came before are counted, each time', () => {
  const stage = checkDuplicatesStage()
  const first = batchOf(['{"id":"a"}', '{"n":1,"id":"b"}', '{"id":"a"}'])
  expect(stage.apply(first)).toBe(first)
  stage.apply(batchOf(['{"id":"a"}', '{"id":"c"}'], 2))
  expect(duplicatesOf(stage.warnings())).toEqual({ records: 2, isExact: true })
  expect(stage.warnings()).toEqual([expect.objectContaining({ code: 'duplicate-ids', count: 2 })])
})

test('an id is its text, however it is spelled, and the last of a repeated member', () => {
  const stage = checkDuplicatesStage()
  stage.apply(batchOf(['{"id":"é/"}', '{"\\u0069d":"\\u00e9\\/"}', '{"id":7}', '{"id":"x","id":7}', '{"id":-1.5}']))
  expect(duplicatesOf(stage.warnings()).records).toBe(2)
})

test('records without an id are counted apart', () => {
  const stage = checkDuplicatesStage()
  stage.apply(batchOf(['{}', '{"id":null}', '{"id":{}}', '{"id":[1]}', '{"id":true}', '{"x":{"id":"a"}}']))
  expect(stage.warnings()).toEqual([expect.objectContaining({ code: 'without-id', count: 6 })])
})

test('beyond its budget it knows what fitted and the last two pages, says so, and never fails', () => {
  const maxKeyBytes = 64 * KiB // 3072 ids
  const stage = checkDuplicatesStage({ maxKeyBytes })
  stage.apply(batchOf(ids(0, 3072), 1))
  expect(duplicatesOf(stage.warnings())).toEqual({ records: 0, isExact: true })
  stage.apply(batchOf(ids(3072, 4000), 2))
  expect(duplicatesOf(stage.warnings())).toEqual({ records: 0, isExact: false })
  stage.apply(batchOf([...ids(3990, 4000), ...ids(0, 5), ...ids(4000, 4100)], 3)) // the page before, and the first of all
  expect(duplicatesOf(stage.warnings()).records).toBe(15)
  stage.apply(batchOf([...ids(4099, 4100), ...ids(3500, 3600)], 4)) // the page before, and ids that are forgotten
  expect(duplicatesOf(stage.warnings()).records).toBe(16)
  stage.apply(batchOf(ids(3500, 3501), 4)) // the page in hand
  expect(duplicatesOf(stage.warnings())).toEqual({ records: 17, isExact: false })
})

test('one page without an end does not make the window grow', () => {
  const stage = checkDuplicatesStage({ maxKeyBytes: 64 * KiB })
  for (let from = 0; from < 400_000; from += 10_000) stage.apply(batchOf(ids(from, from + 10_000)))
  stage.apply(batchOf(ids(399_000, 400_000)))
  expect(duplicatesOf(stage.warnings()).records).toBe(1000)
  stage.apply(batchOf(ids(100_000, 100_010)))
  expect(duplicatesOf(stage.warnings()).records).toBe(1000)
})

test('what an interrupted run saw is not known, which makes the count a lower bound', () => {
  const stage = checkDuplicatesStage({ isContinued: true })
  stage.apply(batchOf(ids(0, 10)))
  expect(duplicatesOf(stage.warnings())).toEqual({ records: 0, isExact: false })
})
