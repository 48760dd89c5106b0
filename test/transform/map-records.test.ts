import { describe, expect, test } from 'vitest'
import { InternalError } from '../../src/errors.js'
import type { JsonRecord, RecordBatch } from '../../src/record.js'
import { mapRecordsStage, type RecordFunction } from '../../src/transform/map-records.js'
import { batchOf, batchWith } from '../helpers/batch.js'

const textsOf = (batch: RecordBatch): string[] => Array.from({ length: batch.count }, (_, index) => batch.text(index))
const map = async (fn: RecordFunction, ...texts: string[]): Promise<string[]> =>
  textsOf(await mapRecordsStage(fn).apply(batchOf(...texts)))

describe('mapRecords', () => {
  test('serialises what the function returns, one line for each record', async () => {
    const out = await mapRecordsStage((record) => ({ key: record['id']!, name: 'Jürgen 😀\n' })).apply(
      batchOf('{"id":1}', '{"id":2}'),
    )
    expect(textsOf(out)).toEqual(['{"key":1,"name":"Jürgen 😀\\n"}', '{"key":2,"name":"Jürgen 😀\\n"}'])
    expect(out.isLines).toBe(true)
    expect(out.bytes.toString().endsWith('}\n')).toBe(true)
  })

  test('serialises the same object again, as it may have been changed', async () => {
    const stamp: RecordFunction = (record) => {
      record['seen'] = true
      return record
    }
    expect(await map(stamp, '{ "id" : 1.0 }')).toEqual(['{"id":1,"seen":true}'])
  })

  test('leaves records out where the function gives null or undefined, keeping keys and positions of the others', async () => {
    const drop: RecordFunction = (record) => (record['id'] === 2 ? null : record['id'] === 3 ? undefined : record)
    const out = await mapRecordsStage(drop).apply(
      batchWith(['{"id":1}', '{"id":2}', '{"id":3}', '{"id":4}'], {
        firstRecordIndex: 10,
        keys: ['a', 'b', 'c', 'd'],
        pageKeys: ['p', 'q', 'r', 's'],
      }),
    )
    expect(textsOf(out)).toEqual(['{"id":1}', '{"id":4}'])
    expect(out.keys).toEqual(['a', 'd'])
    expect(out.pageKeys).toEqual(['p', 's'])
    expect(out.positionOf(1)).toEqual({ page: 1, recordIndex: 13 })
    const again = await mapRecordsStage((record) => (record['id'] === 4 ? record : null)).apply(out)
    expect(again.positionOf(0).recordIndex).toBe(13)
  })

  test('waits for promises, one record after the other', async () => {
    const log: string[] = []
    const slow: RecordFunction = async (record) => {
      log.push(`begin ${record['id']}`)
      await new Promise((resolve) => setImmediate(resolve))
      log.push(`end ${record['id']}`)
      return record
    }
    expect(await map(slow, '{"id":1}', '{"id":2}')).toEqual(['{"id":1}', '{"id":2}'])
    expect(log).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2'])
  })

  test('keeps __proto__ as data', async () => {
    expect(await map((record) => record, '{"__proto__":{"polluted":1}}')).toEqual(['{"__proto__":{"polluted":1}}'])
    expect(({} as JsonRecord)['polluted']).toBeUndefined()
  })

  test('has room for records that grow', async () => {
    const texts = await map(
      (record) => ({ ...record, text: 'ü'.repeat(Number(record['n'])) }),
      '{"n":1}',
      '{"n":50000}',
      '{"n":3}',
    )
    expect(texts.map((text) => text.length)).toEqual([18, 50_021, 20])
    expect(JSON.parse(texts[1]!).text).toBe('ü'.repeat(50000))
  })
})

describe('an error of the function is an InternalError with the record’s position', () => {
  const cyclic: JsonRecord = {}
  cyclic['self'] = cyclic
  const results: [string, unknown, string][] = [
    ['array', [1], 'the result is an array, not an object'],
    ['text', 'x', 'the result is a string, not an object'],
    ['number', 1, 'the result is a number, not an object'],
    ['function', () => 1, 'the result is a function, not an object'],
    ['date', new Date(0), 'an object that serialises to something else'],
    ['object with a BigInt', { n: 1n }, 'BigInt'],
    ['cycle', cyclic, 'circular'],
  ]
  test.each(results)('that returns: %s', async (_name, result, message) => {
    const stage = mapRecordsStage((record) => (record['id'] === 2 ? (result as JsonRecord) : record))
    const failure = stage.apply(batchWith(['{"id":1}', '{"id":2}'], { page: 4, firstRecordIndex: 7 }))
    await expect(failure).rejects.toMatchObject({ code: 'ERR_INTERNAL', page: 4, recordIndex: 8 })
    await expect(failure).rejects.toThrow(message)
  })

  test.each([
    [
      'throws',
      (): never => {
        throw new TypeError('no such thing')
      },
    ],
    [
      'rejects',
      async (): Promise<never> => {
        throw new TypeError('no such thing')
      },
    ],
  ])('that %s', async (_name, fn) => {
    const failure = mapRecordsStage(fn).apply(batchOf('{}'))
    await expect(failure).rejects.toBeInstanceOf(InternalError)
    await expect(failure).rejects.toMatchObject({ recordIndex: 0, cause: new TypeError('no such thing') })
    await expect(failure).rejects.toThrow('transforming a record: no such thing')
  })
})

test('an abort stops between two records', async () => {
  const abort = new AbortController()
  const seen: unknown[] = []
  const stage = mapRecordsStage((record) => {
    seen.push(record['id'])
    abort.abort()
    return record
  })
  await expect(stage.apply(batchOf('{"id":1}', '{"id":2}'), abort.signal)).rejects.toThrow('aborted')
  expect(seen).toEqual([1])
})
