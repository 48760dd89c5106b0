import { describe, expect, test } from 'vitest'
import { limitsAfterCuts, listLimits, RowGroupEnd } from '../../../src/encode/parquet/row-group-end.js'
import { batchOf } from '../../helpers/batch.js'

const MiB = 1024 * 1024
const endless = { rows: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER }

/** Rows of the row groups that `texts` are in, given in batches of so many, in steps of at most `step`. */
function groupsOf(end: RowGroupEnd, texts: readonly string[], batchRows: number, step = Infinity): number[] {
  const groups: number[] = []
  let rows = 0
  for (let start = 0; start < texts.length; start += batchRows) {
    const batch = batchOf(...texts.slice(start, start + batchRows))
    for (let from = 0; from < batch.count; ) {
      const to = end.count(batch, from, Math.min(batch.count, from + step))
      rows += to - from
      from = to
      if (!end.isReached) continue
      groups.push(rows)
      rows = 0
      end.reset()
    }
  }
  return end.isEmpty ? groups : [...groups, rows]
}

describe('a row group ends', () => {
  const texts = ['{"id":"a"}', '{"id":"b"}', '{"id":"c"}', JSON.stringify({ id: 'x'.repeat(100) }), '{"id":"d"}']

  test.each([
    { limits: { ...endless, rows: 2 }, groups: [2, 2, 1] },
    { limits: { ...endless, rows: 5 }, groups: [5] },
    { limits: { ...endless, bytes: 22 }, groups: [2, 2, 1] },
    { limits: { ...endless, bytes: 23 }, groups: [3, 1, 1] },
    { limits: { rows: 2, bytes: 1 }, groups: [1, 1, 1, 1, 1] },
    { limits: { rows: 3, bytes: 125 }, groups: [3, 2] },
    { limits: endless, groups: [5] },
  ])('by $limits, whatever batches the records come in', ({ limits, groups }) => {
    for (const batchRows of [1, 2, 3, 5]) {
      for (const step of [1, 2, Infinity]) {
        expect(groupsOf(new RowGroupEnd(limits, 1), texts, batchRows, step)).toEqual(groups)
      }
    }
  })

  test('earlier where there are very many columns', () => {
    const empty = new Array<string>(9).fill('{}')
    expect(groupsOf(new RowGroupEnd({ ...endless, rows: 7 }, 8 * MiB), empty, 9)).toEqual([4, 4, 1])
    expect(groupsOf(new RowGroupEnd(endless, 10 * MiB), empty, 9)).toEqual([4, 4, 1])
    expect(groupsOf(new RowGroupEnd({ ...endless, rows: 3 }, 8 * MiB), empty, 9)).toEqual([3, 3, 3])
  })
})

test('a row group without a record is empty, and the next one is', () => {
  const end = new RowGroupEnd({ ...endless, rows: 2 }, 1)
  expect([end.isEmpty, end.isReached]).toEqual([true, false])
  end.count(batchOf('{}', '{}', '{}'), 0, 3)
  expect([end.isEmpty, end.isReached]).toEqual([false, true])
  expect(end.count(batchOf('{}'), 0, 1)).toBe(0)
  end.reset()
  expect([end.isEmpty, end.isReached]).toEqual([true, false])
})

test('a list is cut at what was asked for, and earlier where that would not fit into memory', () => {
  const asked = { rows: 50_000, bytes: MiB }
  expect(listLimits(asked, 30, 256 * MiB)).toEqual(asked)
  expect(listLimits(asked, 2001, 64 * MiB)).toEqual({ rows: Math.floor((8 * MiB) / 2001), bytes: MiB })
  expect(listLimits(asked, 2001, 1024 * MiB)).toEqual({ rows: Math.floor((32 * MiB) / 2001), bytes: MiB })
  expect(listLimits(asked, 100 * MiB, 64 * MiB).rows).toBe(1)
})

test('after the cuts of the list only records that have grown end a row group', () => {
  expect(limitsAfterCuts({ rows: 10, bytes: MiB })).toEqual({ rows: Number.MAX_SAFE_INTEGER, bytes: 16 * MiB })
  expect(limitsAfterCuts({ rows: 10, bytes: 32 * MiB }).bytes).toBe(64 * MiB)
})
