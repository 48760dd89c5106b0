import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import {
  type BodySourceOptions,
  bodySource,
  type ExportOptions,
  type JsonRecord,
  memberAt,
  records,
  startEmulator,
  trutoSource,
} from '../src/index.js'
import { engineNames } from '../src/json/engine-names.js'
import { emulate, requestOf, until } from './faults/harness.js'

const all = Array.from({ length: 300 }, (_, index) => memberAt(index, { seed: 3, integration: 'slack' }) as JsonRecord)
const page = Buffer.from(JSON.stringify({ result: all, next_cursor: null }))

async function read(options: Partial<ExportOptions> & { fields?: readonly string[] }): Promise<unknown[]> {
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
    resource: 'instant-messaging/members' as const,
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

describe('an abort', () => {
  const texts = ['{"id":"0"}', '{"id":"1"}', '{"id":"2"}', '{"id":"3"}']
  const lines = (): Buffer => Buffer.from(texts.map((text) => `${text}\n`).join(''))
  const reason = new Error('enough')

  /** Each record a chunk, and so a batch, of its own. */
  async function* oneByOne(): AsyncGenerator<Uint8Array> {
    for (const text of texts) yield Buffer.from(`${text}\n`)
  }
  const ways: [string, () => ExportOptions & { fields?: readonly string[] }][] = [
    ['one batch', () => ({ input: lines() })],
    ['batches', () => ({ input: oneByOne() })],
    ['fields', () => ({ input: lines(), fields: ['id'] })],
    ['a function', () => ({ input: lines(), transform: (record) => record })],
    ['a function that waits', () => ({ input: oneByOne(), transform: async (record) => record })],
    ['a Transform', () => ({ input: oneByOne(), transform: new PassThrough({ objectMode: true }) })],
    ['keys', () => ({ input: lines(), keyBy: 'id' })],
  ]

  test.each(ways)(
    'after any record of %s is the end: the next step rejects with the reason',
    async (_name, options) => {
      for (let last = 0; last < texts.length; last++) {
        const controller = new AbortController()
        const seen: unknown[] = []
        const read = async (): Promise<void> => {
          const steps = records<JsonRecord>({ inputFormat: 'ndjson', ...options(), signal: controller.signal })
          for await (const { id } of steps) if (seen.push(id) === last + 1) controller.abort(reason)
        }
        await expect(read()).rejects.toBe(reason)
        expect(seen).toEqual(['0', '1', '2', '3'].slice(0, last + 1))
      }
    },
  )

  test.each(ways)(
    'before the first record of %s leaves the first step to reject, the next to end',
    async (_name, options) => {
      const steps = records({ inputFormat: 'ndjson', ...options(), signal: AbortSignal.abort(reason) })
      await expect(steps.next()).rejects.toBe(reason)
      expect(await steps.next()).toEqual({ done: true, value: undefined })
    },
  )

  test('changes nothing after the end', async () => {
    const controller = new AbortController()
    const steps = records({ input: lines(), inputFormat: 'ndjson', signal: controller.signal })
    while (!(await steps.next()).done);
    controller.abort(reason)
    expect(await steps.next()).toEqual({ done: true, value: undefined })
    const left = records({ input: lines(), inputFormat: 'ndjson', signal: controller.signal })
    await left.return()
    expect((await left.next()).done).toBe(true)
  })

  test('sends nothing where it came before the first step', async () => {
    const server = await emulate({})
    for (const steps of [
      records({ ...requestOf(server), signal: AbortSignal.abort(reason) }),
      trutoSource({ ...requestOf(server), signal: AbortSignal.abort(reason) })[Symbol.asyncIterator](),
      trutoSource({ ...requestOf(server), signal: AbortSignal.abort(reason) }).read(),
      bodySource(lines(), { signal: AbortSignal.abort(reason) }).read(),
      bodySource(lines(), { signal: AbortSignal.abort(reason) })[Symbol.asyncIterator](),
    ]) {
      await expect(steps.next()).rejects.toBe(reason)
    }
    expect(server.requests).toBe(0)
  })

  test.each([
    ['trutoSource()', async (signal: AbortSignal) => trutoSource({ ...requestOf(await emulate({})), signal })],
    ['bodySource()', async (signal: AbortSignal) => bodySource(oneByOne(), { isNdjson: true, signal })],
  ])('between the batches of %s rejects the next step, as after the last of them', async (_name, open) => {
    let count = 0
    for await (const _ of await open(new AbortController().signal)) count++
    expect(count).toBeGreaterThan(1)
    for (let last = 1; last <= count; last++) {
      for (const isOwned of [true, false]) {
        const controller = new AbortController()
        const source = await open(controller.signal)
        let seen = 0
        const read = async (): Promise<void> => {
          for await (const _ of isOwned ? source : source.read()) if (++seen === last) controller.abort(reason)
        }
        await expect(read()).rejects.toBe(reason)
        expect(seen).toBe(last)
      }
    }
  })

  test.each([
    [
      'a generator',
      () =>
        (async function* () {
          await new Promise(() => {})
        })(),
    ],
    ['a Readable', () => new PassThrough()],
    ['a Web stream', () => new ReadableStream<Uint8Array>()],
    [
      'an iterator that cannot return',
      () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }),
    ],
  ] as [string, () => AsyncIterable<Uint8Array>][])(
    'ends the wait for %s that stands still, and closes it',
    async (_name, open) => {
      const controller = new AbortController()
      const input = open()
      const step = records({ input, signal: controller.signal }).next()
      const settled = step.catch((error: unknown) => error)
      await new Promise(setImmediate)
      controller.abort(reason)
      expect(await settled).toBe(reason)
      if (input instanceof Readable) expect(input.destroyed).toBe(true)
    },
  )
})

describe('left early, records()', () => {
  test.each(['return', 'dispose'])('ends the request that a step waits for: by %s', async (how) => {
    const server = await emulate({ faults: [{ kind: 'stall', at: { record: 2 } }] })
    const steps = records<JsonRecord>({ ...requestOf(server) })
    await steps.next()
    await steps.next()
    const waiting = steps.next()
    await (how === 'return' ? steps.return(undefined) : steps[Symbol.asyncDispose]())
    expect(await waiting).toEqual({ done: true, value: undefined })
    expect(await steps.next()).toEqual({ done: true, value: undefined })
  })

  test('ends with the block that it is declared in', async () => {
    const input = new PassThrough()
    input.write('{"id":"0","name":"Ada"}\n')
    {
      await using steps = records<JsonRecord>({ input, inputFormat: 'ndjson' })
      expect((await steps.next()).value).toEqual({ id: '0', name: 'Ada' })
      void steps.next() // never comes
    }
    expect(input.destroyed).toBe(true)
  })

  test('leaves nothing that keeps the process', async () => {
    const server = await emulate({ members: 20_000, pageSize: 20_000 })
    const script = `
      import { records } from ${JSON.stringify(join(import.meta.dirname, '../dist/index.js'))}
      let count = 0
      for await (const _ of records(${JSON.stringify(requestOf(server))})) if (++count === 10) break
      console.error(JSON.stringify(process.getActiveResourcesInfo()))`
    // Node.js 20 waits at its end for what V8 optimises, be there anything else or not
    const trace = process.versions.node.startsWith('20.') ? ['--trace-wasm-compilation-times'] : []
    const child = spawn(process.execPath, [...trace, '--input-type=module', '-e', script], { stdio: 'pipe' })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk) => {
      stdout += String(chunk) // of V8, from a thread of its own
    })
    child.stderr.on('data', (chunk) => {
      stderr += String(chunk)
    })
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0)
    const pipes = 'PipeWrap' // stdout and stderr
    expect((JSON.parse(stderr) as string[]).filter((name) => name !== pipes)).toEqual([])
    const large = [...stdout.matchAll(/using TurboFan.*bodysize (\d+)/g)].filter(([, size]) => Number(size) > 20_000)
    expect(large).toEqual([])
  })

  test('cancels the request behind a source, and what the source waits for', async () => {
    const server = await emulate({ faults: [{ kind: 'stall', at: { record: 2 } }] })
    const steps = trutoSource(requestOf(server))[Symbol.asyncIterator]()
    await steps.next()
    const waiting = steps.next()
    await steps.return!()
    expect((await waiting).done).toBe(true)
    // and by way of a Readable, whose destruction waits for its iterator
    const readable = Readable.from(trutoSource({ ...requestOf(server), headTimeoutMs: 3_600_000 }))
    server.setFaults([{ kind: 'stall', at: 'head' }])
    readable.resume()
    await until(() => server.requests === 2)
    readable.destroy()
    await new Promise((resolve) => readable.once('close', resolve))
  })
})

test('a source that was left early can be read again where its input can', async () => {
  const source = bodySource(page)
  for await (const _ of source) break
  let count = 0
  for await (const batch of source) count += batch.count
  expect(count).toBe(all.length)
  const server = await emulate({})
  const list = trutoSource(requestOf(server))
  for await (const _ of list) break
  const batches = []
  for await (const batch of list) batches.push(batch)
  expect(batches.reduce((sum, batch) => sum + batch.count, 0)).toBe(6)
})

test('an input that can be read once is not read twice: that would look like an empty list', async () => {
  const one = Buffer.from('{"id":"0"}\n')
  const once: [string, () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>][] = [
    [
      'generator',
      () =>
        (async function* () {
          yield one
        })(),
    ],
    ['iterator', () => [one][Symbol.iterator]()],
    ['Readable', () => Readable.from([one])],
    ['Web stream', () => ReadableStream.from([one]) as ReadableStream<Uint8Array>],
  ]
  for (const [name, open] of once) {
    const input = open()
    expect([name, await read({ input, inputFormat: 'ndjson' })]).toEqual([name, [{ id: '0' }]])
    const again = await read({ input, inputFormat: 'ndjson' }).catch((error: unknown) => error)
    expect([name, again]).toEqual([name, expect.objectContaining({ name: 'ConfigError' })])
  }
  // but the user may have taken the beginning
  const rest = Readable.from([Buffer.from('first line\n'), one], { objectMode: true })
  for await (const _ of rest.iterator({ destroyOnReturn: false })) break
  expect(await read({ input: rest, inputFormat: 'ndjson' })).toEqual([{ id: '0' }])
  const list = { input: [one, one], inputFormat: 'ndjson' } as const
  expect(await read(list)).toEqual(await read(list))
})
