import { expect, test } from 'vitest'
import { AuthError, RequestError, UpstreamError } from '../../src/errors.js'
import type { ExportEvent, Progress } from '../../src/report.js'
import type { PageClient, TrutoSource, TrutoSourceOptions } from '../../src/source/truto-source.js'
import { FakeClock } from '../helpers/clock.js'
import { defaultRetryPolicy } from '../helpers/table-defaults.js'
import { listSource } from './list-source.js'

type Answer = string | Error | { type?: string; chunks: Array<string | Error>; waitMs?: number; cutAfter?: Error }

/** Answers requests in order, from texts; keeps their URLs. */
function scripted(answers: Answer[], clock: FakeClock): PageClient & { urls: URL[]; cancelled: number } {
  const client = {
    urls: [] as URL[],
    cancelled: 0,
    async open(url: URL) {
      client.urls.push(url)
      const answer = answers[client.urls.length - 1]
      if (answer === undefined) throw new Error(`request ${client.urls.length} was not expected: ${url}`)
      if (answer instanceof Error) throw answer
      const { type, chunks, waitMs } =
        typeof answer === 'string' ? { type: undefined, chunks: [answer], waitMs: 0 } : answer
      async function* body(): AsyncGenerator<Uint8Array> {
        for (const chunk of chunks) {
          clock.advance(waitMs ?? 0)
          if (chunk instanceof Error) throw chunk
          yield Buffer.from(chunk)
        }
      }
      return { contentType: type ?? 'application/json', body: body(), cancel: () => void client.cancelled++ }
    },
  }
  return client
}

interface Run {
  ids: string[]
  error: unknown
  source: TrutoSource
  urls: URL[]
  events: ExportEvent[]
  clock: FakeClock
}

async function run(answers: Answer[], options: Partial<TrutoSourceOptions> = {}): Promise<Run> {
  const clock = new FakeClock()
  clock.isImpatient = true
  const client = scripted(answers, clock)
  const { source, events } = listSource(client, clock, options)
  const ids: string[] = []
  let error: unknown
  try {
    for await (const batch of source.read()) for (const record of batch.records()) ids.push(String(record['id']))
  } catch (thrown) {
    error = thrown
  }
  return { ids, error, source, urls: client.urls, events, clock }
}

const page = (ids: string[], cursor?: unknown): string =>
  JSON.stringify({
    result: ids.map((id) => ({ id, name: id })),
    ...(cursor === undefined ? {} : { next_cursor: cursor }),
  })
const formats = (urls: URL[]): Array<string | null> => urls.map((url) => url.searchParams.get('truto_response_format'))
const reset = (): UpstreamError => new UpstreamError('ERR_BODY_TRUNCATED', 'cut')

test('pages are followed by their cursor, which goes back exactly as it came', async () => {
  const cursor = 'a+b/c=&#% é'
  const { ids, urls, source } = await run([page(['1', '2'], cursor), page([], 12), page(['3'], '')])
  expect(ids).toEqual(['1', '2', '3'])
  expect(urls.map((url) => url.searchParams.get('next_cursor'))).toEqual([null, cursor, '12'])
  expect(source.outcome).toMatchObject({
    complete: true,
    framing: 'envelope',
    isUnified: true,
    responseFormat: 'stream',
    pages: 3,
    records: 3,
    requests: 3,
  })
  expect(source.warnings()).toEqual([])
})

for (const [name, last, complete] of [
  ['null', null, true],
  ['empty', '', true],
  ['absent', undefined, 'unproven'],
] as const) {
  test(`a ${name} cursor ends the list`, async () => {
    const { ids, source } = await run([page(['1'], 'x'), page(['2'], last)])
    expect(ids).toEqual(['1', '2'])
    expect(source.outcome.complete).toBe(complete)
  })
}

test('an absent cursor ends a list that was asked for as unified, by documentation', async () => {
  const { source } = await run([page(['1'])], { responseFormat: 'unified' })
  expect(source.outcome).toMatchObject({ complete: true, responseFormat: 'unified' })
})

const slackBody = '{"ok":true,"members":[{"id":"U1"}],"response_metadata":{"next_cursor":"next"}}'
for (const [name, answer] of [
  ['a Slack body', slackBody],
  ['a Graph body', '{"@odata.context":"x","value":[{"id":"1"}],"@odata.nextLink":"https://graph.example.test/x"}'],
  ['a bare array', '[{"id":"1"}]'],
  ['NDJSON', '{"id":"1"}\n{"id":"2"}\n'],
  ['NDJSON by its type', { type: 'application/x-ndjson', chunks: ['{"id":"1"}\n'] }],
  ['a platform list', '{"results":[{"id":"1"}],"next_cursor":null}'],
  ['an object without a list', '{"foo":1}'],
  ['another content type', { type: 'text/html', chunks: ['<html>'] }],
] as const) {
  test(`auto asks for the page and all that follow as unified where stream gave ${name}`, async () => {
    const answers = [answer as Answer, page(['a'], 'c'), page(['b'], null)]
    const { ids, urls, source, events } = await run(answers)
    expect(ids).toEqual(['a', 'b'])
    expect(formats(urls)).toEqual(['stream', 'unified', 'unified'])
    expect(urls[1]!.searchParams.get('next_cursor')).toBeNull()
    expect(source.outcome).toMatchObject({
      responseFormat: 'unified',
      framing: 'envelope',
      complete: true,
      isUnified: true,
    })
    expect(source.outcome.fallback).toMatchObject({ page: 1 })
    expect(events.filter((event) => event.kind === 'fallback')).toHaveLength(1)
  })
}

test('stream that was asked for by name is exported as it comes, its cursor sent back', async () => {
  const last = '{"ok":true,"members":["U2"],"response_metadata":{"next_cursor":""}}'
  const { ids, urls, source } = await run([slackBody, last], { responseFormat: 'stream' })
  expect(ids).toEqual(['U1', 'U2'])
  expect(urls[1]!.searchParams.get('next_cursor')).toBe('next')
  expect(source.outcome).toMatchObject({ framing: 'slack', isUnified: false, complete: true, fallback: null })
  expect(source.warnings()).toEqual([
    expect.objectContaining({ code: 'bare-ids', count: 1 }),
    expect.objectContaining({ code: 'id-only', count: 1 }),
  ])
})

test('a body that can carry no cursor ends the export as unproven, with a warning', async () => {
  const { source } = await run(['[{"id":"1","name":"x"}]'], { responseFormat: 'stream' })
  expect(source.outcome.complete).toBe('unproven')
  expect(source.warnings()).toEqual([expect.objectContaining({ code: 'unproven-end' })])
})

test('a framing that changes between pages is a schema error', async () => {
  const { error, ids } = await run([page(['1'], 'x'), slackBody], { responseFormat: 'unified' })
  expect(ids).toEqual(['1'])
  expect(error).toMatchObject({ code: 'ERR_FRAMING_CHANGED', exitCode: 6, page: 2 })
})

test('a cursor that comes again is an error on the page that gave it, whatever the length of the cycle', async () => {
  for (const cursors of [
    ['a', 'a'],
    ['a', 'b', 'c', 'a'],
    ['a', 'b', 'b'],
  ]) {
    const { error } = await run(cursors.map((cursor, i) => page([`${i}`], cursor)))
    expect(error).toMatchObject({ code: 'ERR_CURSOR', exitCode: 6, page: cursors.length })
  }
})

test('empty pages with a cursor go on, up to the limit', async () => {
  const empty = (i: number): string => page([], `c${i}`)
  const fine = await run([empty(1), empty(2), page(['1'], null)], { maxEmptyPages: 3 })
  expect(fine.ids).toEqual(['1'])
  const endless = await run([empty(1), empty(2), empty(3)], { maxEmptyPages: 3 })
  expect(endless.error).toMatchObject({ code: 'ERR_CURSOR', exitCode: 6, page: 3 })
})

for (const [name, error] of [
  ['a truncated body', reset()],
  ['a server error', new UpstreamError('ERR_SERVER', '500')],
  ['a rate limit', new UpstreamError('ERR_RATE_LIMITED', '429', { retryAfterMs: 2000 })],
] as const) {
  test(`a page is asked for again after ${name} before its first record`, async () => {
    const { ids, source, events, urls } = await run([page(['1'], 'x'), error, page(['2'], null)])
    expect(ids).toEqual(['1', '2'])
    expect(urls[2]!.href).toBe(urls[1]!.href)
    expect(source.outcome).toMatchObject({ retries: 1, requests: 3 })
    expect(events.filter((event) => event.kind === 'retry')).toMatchObject([{ page: 2, attempt: 2 }])
  })
}

test('a wait that the server asks for is kept, told and counted', async () => {
  const limited = new UpstreamError('ERR_RATE_LIMITED', '429', { retryAfterMs: 2000 })
  const progress: Progress = { records: 0, pages: 0, bodyBytes: 0, outputBytes: 0, requests: 0, wait: null }
  const { source, events, clock } = await run([limited, page(['1'], null)], { progress })
  expect(Math.max(...clock.waits)).toBeGreaterThanOrEqual(2000)
  expect(source.outcome.waitMs).toBeGreaterThanOrEqual(2000)
  expect(events.some((event) => event.kind === 'wait' && event.ms >= 2000)).toBe(true)
  expect(progress).toMatchObject({ pages: 1, requests: 2, wait: null })
})

test('a body that ends early without an error of the transport is truncated all the same', async () => {
  const { error, urls } = await run([{ chunks: ['{"result":['] }, { chunks: ['{"resu'] }, page([], null)])
  expect(error).toBeUndefined()
  expect(urls).toHaveLength(3)
})

test('six tries of a page, then the error; a finished page begins the count anew', async () => {
  const failing = Array.from({ length: 6 }, reset)
  const given = await run(failing)
  expect(given.error).toMatchObject({ code: 'ERR_BODY_TRUNCATED', left: expect.stringContaining('6 tries') })
  const five = failing.slice(1)
  const fine = await run([...five, page(['1'], 'x'), ...five, page(['2'], null)])
  expect(fine.ids).toEqual(['1', '2'])
})

test('rights and requests are not tried again', async () => {
  for (const error of [new AuthError('ERR_UNAUTHORIZED', '401'), new RequestError('ERR_NOT_FOUND', '404')]) {
    const given = await run([error])
    expect(given.error).toBe(error)
    expect(given.error).toMatchObject({ page: 1 })
  }
})

test('a cursor that is refused has its own code and is not begun anew', async () => {
  const refused = new RequestError('ERR_REQUEST_REJECTED', 'invalid_cursor', { statusCode: 400 })
  const { error, ids } = await run([page(['1'], 'x'), refused])
  expect(ids).toEqual(['1'])
  expect(error).toMatchObject({ code: 'ERR_CURSOR_EXPIRED', exitCode: 6, page: 2 })
})

test('an error in a 200 body is tried again where the provider made it, and else ends the export', async () => {
  const remote = '{"statusCode":502,"error":"Bad Gateway","message":"x","truto_is_remote_error":true}'
  const fine = await run([remote, page(['1'], null)], { responseFormat: 'unified' })
  expect(fine.ids).toEqual(['1'])
  const own = await run(['{"statusCode":500,"error":"Internal","message":"boom"}'], { responseFormat: 'unified' })
  expect(own.error).toMatchObject({
    code: 'ERR_UPSTREAM_IN_BODY',
    exitCode: 6,
    message: expect.stringContaining('boom'),
  })
  const after = await run(['{"result":[{"id":"1"}],"error":"Internal","statusCode":500,"message":"late"}'], {
    responseFormat: 'unified',
  })
  expect(after.error).toMatchObject({ code: 'ERR_UPSTREAM_IN_BODY' })
})

test('a body that drips without finishing a record runs into the page deadline, time of the consumer not counted', async () => {
  const drip = { chunks: Array.from({ length: 5 }, () => ' '.repeat(10_000)), waitMs: 300 }
  const given = await run([drip], { pageTimeoutMs: 1000, retry: { ...defaultRetryPolicy, maxTries: 1 } })
  expect(given.error).toMatchObject({ code: 'ERR_TIMEOUT', exitCode: 5, page: 1 })
  const record = (id: number): string => `${id > 0 ? ',' : '{"result":['}{"id":"${id}"}${' '.repeat(10_000)}`
  const slow = { chunks: [...[0, 1, 2, 3, 4].map(record), '],"next_cursor":null}'], waitMs: 600 }
  const fine = await run([slow], { pageTimeoutMs: 1000 })
  expect(fine.ids).toHaveLength(5)
})

test('limits on pages, records and bytes are errors that name their option', async () => {
  const pages = [page(['1', '2'], 'x'), page(['3'], null)]
  for (const [options, flag] of [
    [{ maxPages: 1 }, '--max-pages'],
    [{ maxRecords: 2 }, '--max-records'],
    [{ maxBytes: 70 }, '--max-bytes'],
  ] as const) {
    const { error } = await run(pages, options)
    expect(error).toMatchObject({ code: 'ERR_LIMIT', exitCode: 6, hint: expect.stringContaining(flag) })
  }
  const fine = await run(pages, { maxPages: 2, maxRecords: 3, maxBytes: 10_000 })
  expect(fine.error).toBeUndefined()
})

test('a consumer that stops reading cancels the request', async () => {
  const clock = new FakeClock()
  const client = scripted([page(['1'], 'x')], clock)
  const { source } = listSource(client, clock, {})
  for await (const batch of source) {
    expect(batch.count).toBe(1)
    break
  }
  expect(client.cancelled).toBe(1)
})

test('what the server says about partial pages and counts becomes warnings', async () => {
  const body = '{"result":[{"id":"1"},{"id":"2"}],"is_partial_response":true,"result_count":5,"next_cursor":null}'
  const { source } = await run([body])
  expect(source.warnings().map(({ code, count }) => [code, count])).toEqual([
    ['partial-response', 1],
    ['id-only', 2],
    ['result-count', 1],
  ])
})

const lines = (...texts: string[]): string => `${texts.join('\n')}\n`
const ndjson = (...chunks: string[]): Answer => ({ type: 'application/x-ndjson; charset=utf-8', chunks })

test.each(['application/x-ndjson', 'application/json-seq', 'application/jsonl'])(
  'an answer of type %s that is one envelope is that page',
  async (type) => {
    const separator = type.endsWith('seq') ? '\u001e' : ''
    const { ids, error, source, urls } = await run([
      { type, chunks: [separator, page(['1', '2'], 'n'), '\n'] },
      { type, chunks: [separator, `{"result":null,"next_cursor":null}`, '\n'] },
    ])
    expect(error).toBeUndefined()
    expect(ids).toEqual(['1', '2'])
    expect(urls.map((url) => url.searchParams.get('next_cursor'))).toEqual([null, 'n'])
    expect(source.outcome).toMatchObject({ complete: true, framing: 'envelope', responseFormat: 'stream', pages: 2 })
  },
)

test('an answer that is several envelopes, one a line, is all of them, and its cursor the last one', async () => {
  const { ids, error, source, urls } = await run([
    ndjson(page(['1'], 'a'), '\n', page(['2'], 'b'), '\n'),
    ndjson(page(['3'], null)),
  ])
  expect(error).toBeUndefined()
  expect(ids).toEqual(['1', '2', '3'])
  expect(urls.map((url) => url.searchParams.get('next_cursor'))).toEqual([null, 'b'])
  expect(source.outcome).toMatchObject({ complete: true, pages: 2, records: 3 })
})

test('several envelopes are read again after a failure without a record twice', async () => {
  const both = [page(['1', '2'], 'a'), '\n', page(['3', '4'], null)]
  const { ids, error, source } = await run([
    ndjson(...both.slice(0, 2), page(['3', '4'], null).slice(0, 20)),
    ndjson(...both),
  ])
  expect(error).toBeUndefined()
  expect(ids).toEqual(['1', '2', '3', '4'])
  expect(source.outcome.retries).toBe(1)
})

test.each(['first', 'in the middle', 'last'])(
  'an error line %s is the error of the page, and tried again',
  async (place) => {
    const failure = '{"statusCode":502,"error":"Bad Gateway","message":"broke","truto_is_remote_error":true}'
    const records = ['{"id":"1"}', '{"id":"2"}']
    const at = { first: 0, 'in the middle': 1, last: 2 }[place]!
    const broken = lines(...records.slice(0, at), failure, ...records.slice(at))
    const options = { responseFormat: 'stream' } as const
    const mended = await run([ndjson(broken), ndjson(lines(...records))], options)
    expect([mended.ids, mended.error]).toEqual([['1', '2'], undefined])
    const { error, ids } = await run(Array<Answer>(6).fill(ndjson(broken)), options)
    expect(error).toMatchObject({ code: 'ERR_SERVER', exitCode: 5, statusCode: 502, isRemote: true, recordIndex: at })
    expect(ids).toEqual(records.slice(0, at).map((text) => JSON.parse(text).id))
  },
)

test('an error line whose server did not say NDJSON is an error, too', async () => {
  const body = lines('{"id":"1"}', '{"id":"2"}', '{"statusCode":500,"error":"Internal Server Error","message":"no"}')
  const { error } = await run([body], { responseFormat: 'stream' })
  expect(error).toMatchObject({ code: 'ERR_UPSTREAM_IN_BODY', statusCode: 500 })
})
