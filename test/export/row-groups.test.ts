import { join } from 'node:path'
import { Transform } from 'node:stream'
import { parquetMetadata } from 'hyparquet'
import { describe, expect, test } from 'vitest'
import { memoryDestination } from '../../src/destination/memory.js'
import { type ExportOptions, exportRecords } from '../../src/export/export.js'
import { identityOf } from '../../src/export/identity.js'
import { resolveOptions } from '../../src/options/resolve.js'
import type { RecordFunction } from '../../src/transform/map-records.js'
import { emulate, requestOf, temporaryDirectory } from '../faults/harness.js'

type Given = Partial<ExportOptions>
const KiB = 1024
const MiB = 1024 * KiB

async function groupsOf(options: Given): Promise<number[]> {
  const destination = memoryDestination()
  await exportRecords({ format: 'parquet', inputFormat: 'ndjson', ...options, destination } as ExportOptions)
  const bytes = Buffer.from(destination.bytes())
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
  return parquetMetadata(file).row_groups.map(({ num_rows }) => Number(num_rows))
}

describe('row groups are as long as the bytes of records that were read', () => {
  const texts = Array.from({ length: 6000 }, (_, i) => `{"id":"${i}","name":"${'n'.repeat(40)}","status":"active"}`)
  const options = {
    input: Buffer.from(`${texts.join('\n')}\n`),
    resource: 'instant-messaging/members',
    rowGroupBytes: 64 * KiB,
    redactKey: '0123456789abcdef',
  }

  test('also where records become longer on the way, or shorter', async () => {
    const expected: number[] = []
    let bytes = 0
    let rows = 0
    for (const text of texts) {
      bytes += text.length + 1
      rows++
      if (bytes < 64 * KiB) continue
      expected.push(rows)
      bytes = rows = 0
    }
    if (rows > 0) expected.push(rows)
    expect(expected.length).toBeGreaterThan(5)
    for (const more of [
      {},
      { rename: ['name=a_much_longer_name_for_it'] },
      { redact: ['status=hash'] },
      { exclude: ['name'] },
      { transform: (record) => ({ ...record, bio: 'x'.repeat(2000) }) },
      { parquetWriter: 'parquetjs-lite', rename: ['name=a_much_longer_name_for_it'] },
      { parser: 'js', rename: ['name=names'] },
    ] as Given[]) {
      expect(await groupsOf({ ...options, ...more }), JSON.stringify(more)).toEqual(expected)
    }
  })

  test('but where that would not fit into memory, or where a Transform stands between', async () => {
    const few = { ...options, input: Buffer.from(`${texts.slice(0, 300).join('\n')}\n`), maxMemoryBytes: 64 * MiB }
    const grown = await groupsOf({ ...few, transform: (record) => ({ ...record, bio: 'x'.repeat(200_000) }) })
    // 300 records of 200 kB against 16 MiB
    expect(grown).toEqual([84, 84, 84, 48])
    const transform = new Transform({ objectMode: true, transform: (batch, _, done) => done(null, batch) })
    const groups = await groupsOf({ ...options, transform })
    expect(groups[0]).toBe((await groupsOf(options))[0])
  })
})

test('a schema of so many columns that its rows would not fit into memory has smaller row groups', async () => {
  const columns = 2000
  const properties = Object.fromEntries(Array.from({ length: columns }, (_, i) => [`c${i}`, { type: 'string' }]))
  const options = {
    input: Buffer.from('{}\n'.repeat(9000)),
    schema: { type: 'object', properties },
    maxMemoryBytes: 64 * MiB,
  }
  const rows = Math.floor((64 * MiB) / 4 / 2 / (columns + 1))
  expect(await groupsOf(options)).toEqual([rows, rows, 9000 - 2 * rows])
  expect(await groupsOf({ ...options, rowGroupRows: 5000 })).toEqual([rows, rows, 9000 - 2 * rows])
  // what a row group has is a part of what an export is, where the memory has a say in it
  const identity = (more: Given): string => {
    const given = { resource: 'a/b', token: 't', format: 'parquet', rowGroupBytes: MiB, ...more } as const
    return identityOf({ resolved: resolveOptions(given, { env: {} }), transform: undefined, hasInput: false })
  }
  const { schema } = options
  expect(identity({ schema, maxMemoryBytes: 64 * MiB })).not.toBe(identity({ schema, maxMemoryBytes: 128 * MiB }))
  expect(identity({ maxMemoryBytes: 64 * MiB })).toBe(identity({ maxMemoryBytes: 128 * MiB }))
})

describe('a transform that gives undefined for every record', () => {
  const input = Buffer.from('{"id":"1"}\n{"id":"2"}\n')
  const warningsOf = async (transform: RecordFunction, more: Given = {}) =>
    (await exportRecords({ input, inputFormat: 'ndjson', transform, ...more, destination: memoryDestination() }))
      .warnings
  const forgets = (() => {}) as unknown as RecordFunction

  test('is told', async () => {
    for (const transform of [forgets, (async () => {}) as unknown as RecordFunction]) {
      expect(await warningsOf(transform)).toContainEqual({
        code: 'transform-undefined',
        message: 'the transform gave undefined for every record, which leaves it out: did it forget to return?',
        count: 2,
      })
    }
  })

  test('is not told of one that leaves out some of them, or all by null, nor of an empty list', async () => {
    const codes = async (...given: Parameters<typeof warningsOf>) =>
      (await warningsOf(...given)).map(({ code }) => code)
    expect(await codes((record) => (record['id'] === '1' ? undefined : record))).not.toContain('transform-undefined')
    expect(await codes(() => null)).not.toContain('transform-undefined')
    expect(await codes(forgets, { input: Buffer.alloc(0) })).toEqual([])
  })

  test('is told of all runs of an export together', async () => {
    const server = await emulate({})
    const run = async (first: RecordFunction, second: RecordFunction): Promise<string[]> => {
      const out = join(temporaryDirectory(), 'out.ndjson')
      let current = first
      // one function for both runs, since it is part of what an export is
      const transform: RecordFunction = (record) => current(record)
      server.setFaults([{ kind: 'status', status: 401, page: 2 }])
      await exportRecords({ ...requestOf(server), out, transform }).catch(() => {})
      server.setFaults([])
      current = second
      const report = await exportRecords({ ...requestOf(server), out, transform })
      return report.warnings.map(({ code }) => code)
    }
    expect(await run(forgets, forgets)).toContain('transform-undefined')
    expect(await run(forgets, (record) => record)).not.toContain('transform-undefined')
    expect(await run((record) => record, forgets)).not.toContain('transform-undefined')
  })
})
