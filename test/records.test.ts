import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import {
  type BodySourceOptions,
  bodySource,
  type ExportOptions,
  type JsonRecord,
  memberAt,
  records,
  startEmulator,
} from '../src/index.js'
import { engineNames } from '../src/json/slicer.js'

const all = Array.from({ length: 300 }, (_, index) => memberAt(index, { seed: 3, integration: 'slack' }) as JsonRecord)
const page = Buffer.from(JSON.stringify({ result: all, next_cursor: null }))

async function read(options: ExportOptions & { fields?: readonly string[] }): Promise<unknown[]> {
  const seen: unknown[] = []
  for await (const record of records<JsonRecord>({ input: page, ...options })) seen.push(record)
  return seen
}
const picked = (...names: string[]): JsonRecord[] =>
  all.map((record) => Object.fromEntries(names.flatMap((name) => (name in record ? [[name, record[name]!]] : []))))

test.each(engineNames)('fields of %s are those of the whole records, in the order asked for', async (parser) => {
  expect(await read({ parser })).toEqual(all)
  const fields = ['name', 'id', 'emails', 'is_email_verified', 'remote_data', 'nothing']
  const some = await read({ parser, fields })
  expect(some).toEqual(picked(...fields))
  expect(Object.keys(some[0] as JsonRecord)).toEqual(fields.slice(0, 5))
  expect(await read({ parser, fields: [] })).toEqual(all.map(() => ({})))
})

test.each(engineNames)('an excluded field of %s stays out, and its parts where they are excluded', async (parser) => {
  const exclude = ['name', 'emails.type', 'phones.type', 'bio']
  const expected = picked('id', 'emails').map((record) => ({
    ...record,
    emails: (record['emails'] as JsonRecord[]).map(({ type: _type, ...email }) => email),
  }))
  expect(await read({ parser, exclude, fields: ['id', 'name', 'emails'] })).toEqual(expected)
  expect(await read({ parser, ignoreRemoteData: true, fields: ['id', 'remote_data'] })).toEqual(picked('id'))
})

test('fields are taken of what a transform gives', async () => {
  const transform = (record: JsonRecord): JsonRecord | null =>
    record['status'] === 'active' ? { ...record, id: `slack:${record['id']}`, extra: 1 } : null
  const expected = all
    .filter((record) => record['status'] === 'active')
    .map((record) => ({ extra: 1, id: `slack:${record['id']}` }))
  expect(expected.length).toBeLessThan(all.length)
  expect(await read({ transform, fields: ['extra', 'id'] })).toEqual(expected)
  expect(await read({ transform: new PassThrough({ objectMode: true }), fields: ['id'] })).toEqual(picked('id'))
})

test('records that key-by leaves out are left out', async () => {
  const input = Buffer.from('{"result":[{"id":1,"a":1},{"a":2},{"id":1,"a":3},{"id":2,"a":4}],"next_cursor":null}')
  const policies = { keyBy: 'id', keyByMissing: 'skip', keyByDuplicate: 'first' } as const
  expect(await read({ input, ...policies, fields: ['a'] })).toEqual([{ a: 1 }, { a: 4 }])
})

test('batches have fields where they are wanted and the engine finds them', async () => {
  const hasFields = async (options: BodySourceOptions): Promise<boolean[]> => {
    const seen: boolean[] = []
    for await (const batch of bodySource(page, options).read()) seen.push(batch.fields !== undefined)
    return seen
  }
  expect(await hasFields({ parser: 'simd', withFields: true })).toContain(true)
  expect(await hasFields({ parser: 'js', withFields: true })).not.toContain(true)
})

test('wrong options are an error at once, before anything is opened', () => {
  const input = new PassThrough()
  const bad: unknown[] = [{ fields: 'id' }, { fields: ['id', 1] }, { fields: null }, { keyBy: 'a..b' }, { nonsense: 1 }]
  for (const options of bad) {
    expect(() => records({ input, ...(options as ExportOptions) })).toThrow(
      expect.objectContaining({ name: 'ConfigError' }),
    )
  }
  expect(input.readableFlowing).toBe(null)
})

test('leaving the loop early stops the page in its middle', async () => {
  const emulator = await startEmulator({ members: 100_000, pageSize: 100_000 })
  const request = {
    resource: 'instant-messaging/members',
    account: emulator.accountId,
    channel: emulator.parentIds[0]!,
    apiUrl: emulator.url,
    token: emulator.token,
  }
  const ids: string[] = []
  for await (const { id } of records({ ...request, fields: ['id'] })) {
    ids.push(id)
    if (ids.length === 10) break
  }
  expect(ids).toEqual(
    Array.from({ length: 10 }, (_, index) => memberAt(index, { seed: 1, integration: 'slack' })['id']),
  )
  expect(emulator.log[0]!.bytes).toBeLessThan(20_000_000) // of some 250 MB
  await emulator.close()
})
