import { describe, expect, test } from 'vitest'
import {
  defaultToken,
  type EmulatorOptions,
  memberAt,
  memberIdAt,
  upstreamMemberAt,
} from '../../src/emulator/emulator.js'
import { settingsOf } from '../../src/emulator/options.js'
import { parseQuery } from '../../src/emulator/query.js'
import { newState } from '../../src/emulator/request.js'
import { answer } from '../../src/emulator/routes.js'
import { FakeClock } from '../helpers/clock.js'
import { ask, emulator, membersPath } from './client.js'

const small: EmulatorOptions = { members: 25, pageSize: 10 }
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

describe('authorization', () => {
  test('without the token nothing but ping is answered', async () => {
    const server = await emulator(small)
    const wrong = { headers: { authorization: 'Bearer nonsense' } }
    expect(await ask(server, wrong)).toMatchObject({
      status: 401,
      json: { statusCode: 401, error: 'Unauthorized', message: 'Invalid API token.' },
    })
    expect((await ask(server, { path: '/integrated-account', ...wrong })).status).toBe(401)
    expect((await ask(server, { path: '/ping', ...wrong })).status).toBe(200)
  })

  test('requireToken false takes anyone', async () => {
    const server = await emulator({ ...small, requireToken: false })
    expect((await ask(server, { headers: { authorization: '' } })).status).toBe(200)
  })

  test('an account token implies its account, opens no other route, and expires', async () => {
    const clock = new FakeClock()
    const server = await emulator({ ...small, accountToken: true, clock })
    expect((await ask(server, { bare: true, query: 'channel[id]=C1' })).status).toBe(200)
    expect((await ask(server, { path: '/integrated-account' })).status).toBe(403)
    expect((await ask(server, { path: '/integrated-account/me' })).json).toMatchObject({ id: server.accountId })
    clock.advance(15 * 60_000 - 1)
    expect((await ask(server)).status).toBe(200)
    clock.advance(1)
    expect((await ask(server)).status).toBe(401)
  })

  test('an account that lost its credentials answers 401 of the provider, a blocked one 503', async () => {
    const lost = await ask(await emulator({ needsReauth: true }))
    expect(lost).toMatchObject({ status: 401, json: { truto_is_remote_error: true, statusCode: 401 } })
    const blocked = await ask(await emulator({ blocked: true }))
    expect(blocked).toMatchObject({ status: 503, json: { statusCode: 503, error: 'Service Unavailable' } })
    expect(blocked.json).not.toHaveProperty('truto_is_remote_error')
  })
})

describe('what is required', () => {
  test.each([
    ['slack', 'workspace[id]=W1', 'channel'],
    ['msteams', 'channel[id]=C1', 'workspace'],
    ['microsoft365', '', 'workspace'],
  ] as const)('%s with "%s" lacks %s', async (integration, query, missing) => {
    const server = await emulator({ ...small, integration })
    const answer = await ask(server, { bare: true, query: `integrated_account_id=${server.accountId}&${query}` })
    expect(answer.status).toBe(400)
    expect(answer.json.truto_error_insight.missing_required_query_parameters.value).toEqual([missing])
  })

  test('the account is required, and an unknown one is not found', async () => {
    const server = await emulator(small)
    expect((await ask(server, { bare: true, query: 'channel=C1' })).json).toMatchObject({
      statusCode: 400,
      truto_error_insight: { missing_required_query_parameters: { value: ['integrated_account_id'] } },
    })
    expect((await ask(server, { bare: true, query: 'channel=C1&integrated_account_id=other' })).status).toBe(404)
    const any = await emulator({ ...small, accounts: 'any' })
    expect((await ask(any, { bare: true, query: 'channel=C1&integrated_account_id=other' })).status).toBe(200)
  })

  test('a bare channel is as good as one with an id', async () => {
    const server = await emulator(small)
    const answer = await ask(server, { bare: true, query: `integrated_account_id=${server.accountId}&channel=C1` })
    expect(answer.json.result).toHaveLength(10)
  })

  test('channels hold parts of the workspace that overlap, the first one everybody', async () => {
    const server = await emulator({ members: 100, pageSize: 100, parents: 4, strictParents: true })
    const account = `integrated_account_id=${server.accountId}`
    const ids = async (channel: string): Promise<string[]> => {
      const { json } = await ask(server, { bare: true, query: `${account}&channel[id]=${channel}` })
      return json.result.map((member: { id: string }) => member.id)
    }
    const lists = await Promise.all(server.parentIds.map(ids))
    expect(lists.map((list) => list.length)).toEqual([100, 50, 50, 50])
    expect(new Set(lists.slice(1).flat()).size).toBe(100)
    expect(lists[1]!.filter((id) => lists[2]!.includes(id)).length).toBeGreaterThan(0)
    const unknown = await ask(server, { bare: true, query: `${account}&channel[id]=C0NONE` })
    expect(unknown).toMatchObject({ status: 404, json: { raw_response: { error: 'channel_not_found' } } })
  })
})

describe('the unified envelope', () => {
  test.each(['slack', 'msteams', 'microsoft365'] as const)(
    '%s: pages hold the members in order',
    async (integration) => {
      const server = await emulator({ ...small, integration })
      const first = await ask(server)
      expect(first.headers['content-type']).toBe('application/json; charset=utf-8')
      expect(first.json.result).toEqual(range(0, 10).map((index) => memberAt(index, { integration })))
      expect(Object.keys(first.json)).toEqual(['result', 'next_cursor', 'prev_cursor', 'result_count'])
      expect(first.json).toMatchObject({ prev_cursor: null, result_count: 10 })
      const second = await ask(server, { query: `next_cursor=${encodeURIComponent(first.json.next_cursor)}` })
      const third = await ask(server, { query: `next_cursor=${encodeURIComponent(second.json.next_cursor)}` })
      expect(third.json.result).toEqual(range(20, 25).map((index) => memberAt(index, { integration })))
      expect(third.json).toMatchObject({ next_cursor: null, result_count: 5 })
      expect(third.json.prev_cursor).toBe(first.json.next_cursor)
    },
  )

  test('an empty next_cursor is the first page', async () => {
    const server = await emulator(small)
    expect((await ask(server, { query: 'next_cursor=' })).text).toBe((await ask(server)).text)
  })

  test.each([
    ['null', { next_cursor: null }],
    ['empty', { next_cursor: '' }],
    ['absent', {}],
  ] as const)('the last cursor may be %s', async (end, expected) => {
    const server = await emulator({ members: 3, paging: { end }, prevCursor: false, resultCount: false })
    expect({ ...(await ask(server)).json, result: [] }).toEqual({ result: [], ...expected })
  })

  test('order, name, spelling and white space are options', async () => {
    const { text, json } = await ask(
      await emulator({
        members: 3,
        pageSize: 2,
        resultKey: 'results',
        envelopeOrder: ['result_count', 'next_cursor', 'results'],
        escapeKeys: true,
        prettyPrint: true,
      }),
    )
    expect(Object.keys(json)).toEqual(['result_count', 'next_cursor', 'results', 'prev_cursor'])
    expect(text).toContain('"next_\\u0063ursor"')
    expect(text).not.toContain('"next_cursor"')
    expect(text.split('\n').length).toBeGreaterThan(100)
    expect(json.results).toEqual([memberAt(0), memberAt(1)])
  })

  test('a number may be a cursor, and its digits come back', async () => {
    const server = await emulator({ ...small, paging: { cursor: 'number' } })
    const { json } = await ask(server)
    expect(json.next_cursor).toBe(2)
    expect((await ask(server, { query: 'next_cursor=2' })).json.result[0].id).toBe(memberIdAt(10))
  })

  test('the oddest cursors round-trip when they are encoded', async () => {
    for (const cursor of ['odd', 'url', 'base64', 'long'] as const) {
      const server = await emulator({ ...small, paging: { cursor } })
      const { json } = await ask(server)
      const next = await ask(server, { query: `next_cursor=${encodeURIComponent(json.next_cursor)}&limit=10` })
      expect(next.json.result[0].id).toBe(memberIdAt(10))
    }
  })

  test('a cursor that is not one is refused as the provider would', async () => {
    expect(await ask(await emulator(small), { query: 'next_cursor=abc' })).toMatchObject({
      status: 400,
      json: {
        statusCode: 400,
        error: 'Bad Request',
        message: 'invalid_cursor',
        truto_is_remote_error: true,
        raw_response: { ok: false, error: 'invalid_cursor' },
      },
    })
    const graph = await ask(await emulator({ integration: 'msteams' }), { query: 'next_cursor=abc' })
    expect(graph.json).toMatchObject({ truto_is_remote_error: true, raw_response: { error: { code: 'BadRequest' } } })
  })

  test('a cursor expires by the clock', async () => {
    const clock = new FakeClock()
    const server = await emulator({ ...small, clock, paging: { cursorTtlMs: 1000 } })
    const query = `next_cursor=${encodeURIComponent((await ask(server)).json.next_cursor)}`
    clock.advance(999)
    expect((await ask(server, { query })).status).toBe(200)
    clock.advance(1)
    expect((await ask(server, { query })).json.message).toBe('invalid_cursor')
  })
})

describe('parameters', () => {
  test.each([
    ['limit=3', 3],
    ['limit=5000', 12],
    ['limit=0', 10],
    ['limit=-1', 10],
    ['limit=abc', 10],
    ['limit=3&truto_ignore_limit=true', 10],
    ['limit=3&truto_ignore_limit=false', 3],
    ['remote_query[limit]=4', 4],
    ['remote_query[$top]=5', 5],
  ])('%s gives %i records', async (query, count) => {
    const server = await emulator({ members: 25, pageSize: 10, maxLimit: 12 })
    expect((await ask(server, { query })).json.result).toHaveLength(count)
  })

  test.each([
    '[]=bio&truto_exclude_fields[]=remote_data',
    '=bio,remote_data',
    '[0]=bio&truto_exclude_fields[1]=remote_data',
  ])('truto_exclude_fields%s drops both fields', async (spelled) => {
    const { json } = await ask(await emulator(small), { query: `truto_exclude_fields${spelled}` })
    const { bio: _bio, ...rest } = memberAt(0, { remoteData: false })
    expect(json.result[0]).toEqual(rest)
  })

  test('truto_ignore_remote_data drops remote_data', async () => {
    const { json } = await ask(await emulator(small), { query: 'truto_ignore_remote_data=true' })
    expect(json.result).toEqual(range(0, 10).map((index) => memberAt(index, { remoteData: false })))
  })

  test('truto_key_by makes result an object, and a repeated key keeps its last record', async () => {
    const server = await emulator(small)
    const byId = await ask(server, { query: 'truto_key_by=id&limit=3' })
    expect(byId.json.result).toEqual(
      Object.fromEntries(range(0, 3).map((index) => [memberIdAt(index), memberAt(index)])),
    )
    const byType = await ask(server, { query: 'truto_key_by=type&limit=10' })
    const types = new Set(range(0, 10).map((index) => memberAt(index)['type']))
    expect(new Set(Object.keys(byType.json.result))).toEqual(types)
    expect(byType.json.result_count).toBe(types.size)
  })

  test('an unknown response format is refused', async () => {
    expect((await ask(await emulator(small), { query: 'truto_response_format=csv' })).status).toBe(400)
  })

  test('normalized is served as unified, debug has its additional member', async () => {
    const server = await emulator(small)
    const unified = await ask(server)
    expect((await ask(server, { query: 'truto_response_format=normalized' })).text).toBe(unified.text)
    const { debug, ...rest } = (await ask(server, { query: 'truto_response_format=debug' })).json
    expect(rest).toEqual(unified.json)
    expect(debug).toMatchObject({ is_looping: false, is_empty: false, result_count: 10, next_cursor: rest.next_cursor })
  })
})

describe('framings of stream', () => {
  const stream = 'truto_response_format=stream'

  test('envelope: chunked, cursor after the records', async () => {
    const server = await emulator(small)
    const { json, headers } = await ask(server, { query: `${stream}&truto_ignore_remote_data=true` })
    expect(headers['transfer-encoding']).toBe('chunked')
    expect(Object.keys(json).slice(0, 2)).toEqual(['result', 'next_cursor'])
    expect(json.result[9]).toEqual(memberAt(9, { remoteData: false }))
  })

  test('envelope-cursor-first: all else before the records', async () => {
    const { json } = await ask(await emulator({ ...small, framing: 'envelope-cursor-first' }), { query: stream })
    expect(Object.keys(json)).toEqual(['next_cursor', 'prev_cursor', 'result_count', 'result'])
  })

  test('slack: the body of Slack, unmapped, whose cursor leads on and is empty at the end', async () => {
    const server = await emulator({ ...small, framing: 'slack' })
    const first = (await ask(server, { query: `${stream}&truto_exclude_fields[]=id` })).json
    expect(first).toMatchObject({ ok: true, members: range(0, 10).map((index) => upstreamMemberAt(index)) })
    const cursor = encodeURIComponent(first.response_metadata.next_cursor)
    expect((await ask(server, { query: `${stream}&limit=15&next_cursor=${cursor}` })).json).toMatchObject({
      members: range(10, 25).map((index) => upstreamMemberAt(index)),
      response_metadata: { next_cursor: '' },
    })
    expect((await ask(server)).json.result[0]).toEqual(memberAt(0))
  })

  test('slack, partial: bare ids in the stream, ids alone in unified', async () => {
    const server = await emulator({ ...small, framing: 'slack', slackPartial: true })
    expect((await ask(server, { query: stream })).json.members).toEqual(range(0, 10).map((index) => memberIdAt(index)))
    const unified = (await ask(server, { query: 'truto_ignore_remote_data=true' })).json
    expect(unified).toMatchObject({
      is_partial_response: true,
      result: range(0, 10).map((i) => ({ id: memberIdAt(i) })),
    })
    const whole = await ask(server, { path: `${membersPath}/${memberIdAt(3)}` })
    expect(whole.json).toEqual(memberAt(3))
  })

  test('graph: the body of Graph, whose link leads on and is absent at the end', async () => {
    const server = await emulator({ ...small, framing: 'graph' })
    const { json, headers } = await ask(server, { query: stream })
    const integration = 'msteams'
    expect(headers['content-type']).toMatch(/^application\/json;odata/)
    expect(json.value).toEqual(range(0, 10).map((index) => upstreamMemberAt(index, { integration })))
    const link = json['@odata.nextLink']
    expect(link).toMatch(/^https:\/\/graph\.microsoft\.com\//)
    const last = await ask(server, { query: `${stream}&limit=20&next_cursor=${encodeURIComponent(link)}` })
    expect(last.json.value).toHaveLength(15)
    expect(last.json).not.toHaveProperty('@odata.nextLink')
  })

  test('a cursor of the provider may be refused', async () => {
    const server = await emulator({ ...small, framing: 'slack', acceptsUpstreamCursor: false })
    const { json } = await ask(server, { query: stream })
    const query = `next_cursor=${encodeURIComponent(json.response_metadata.next_cursor)}`
    expect((await ask(server, { query })).status).toBe(400)
  })

  test('array and ndjson: all records, mapped, without a cursor', async () => {
    const expected = range(0, 25).map((index) => memberAt(index, { remoteData: false }))
    const query = `${stream}&truto_ignore_remote_data=true`
    const array = await ask(await emulator({ ...small, framing: 'array' }), { query })
    expect(array.json).toEqual(expected)
    const lines = await ask(await emulator({ ...small, framing: 'ndjson', prettyPrint: true }), { query })
    expect(lines.headers['content-type']).toBe('application/x-ndjson')
    expect(lines.text.endsWith('}\n')).toBe(true)
    expect(
      lines.text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(expected)
  })

  test('ignored: the very answer of unified', async () => {
    const server = await emulator({ ...small, framing: 'ignored' })
    const [streamed, unified] = [await ask(server, { query: stream }), await ask(server)]
    expect(streamed.text).toBe(unified.text)
    expect(streamed.headers['content-length']).toBe(unified.headers['content-length'])
  })

  test('raw is the body of the provider, of a stated length', async () => {
    const { json, headers } = await ask(await emulator(small), { query: 'truto_response_format=raw' })
    expect(json.members[0]).toEqual(upstreamMemberAt(0))
    expect(headers).toHaveProperty('content-length')
  })

  test('all pages in one envelope, and parameters that a stream ignores, are options', async () => {
    const server = await emulator({ ...small, streamAllPages: true, streamIgnoresParameters: true })
    const { json } = await ask(server, { query: `${stream}&truto_exclude_fields[]=id&truto_key_by=id` })
    expect(json.next_cursor).toBeNull()
    expect(json.result).toEqual(range(0, 25).map((index) => memberAt(index)))
  })

  test('a framing that the integration cannot have is an error at the start', async () => {
    await expect(emulator({ framing: 'graph', integration: 'slack' })).rejects.toMatchObject({
      code: 'ERR_OPTION_INVALID',
    })
    await expect(emulator({ members: -1 })).rejects.toMatchObject({ code: 'ERR_OPTION_INVALID' })
    await expect(emulator({ chunkBytes: 0 })).rejects.toMatchObject({ code: 'ERR_OPTION_INVALID' })
  })

  test('the content type is an option, none included', async () => {
    const other = await ask(await emulator({ ...small, contentType: 'text/plain' }), { query: stream })
    expect(other.headers['content-type']).toBe('text/plain')
    const none = await ask(await emulator({ ...small, contentType: null }), { query: stream })
    expect(none.headers).not.toHaveProperty('content-type')
  })
})

describe('rate limits', () => {
  test('the tiers of Truto are 50 per account and 500 per token in 10 s', () => {
    const clock = new FakeClock()
    const accounts = range(0, 11).map((n) => ({ id: `account-${n}`, integration: 'slack' as const }))
    const state = newState(settingsOf({ members: 1, clock, rateLimits: true, accounts }))
    const from = (account: number) => {
      const query = parseQuery(`channel=C1&integrated_account_id=account-${account}`)
      return answer({ method: 'GET', path: membersPath, query, token: defaultToken }, state)
    }
    for (let n = 0; n < 50; n++) expect(from(0).status).toBe(200)
    expect(from(0)).toMatchObject({
      status: 429,
      headers: { 'retry-after': '10' },
      content: { json: { statusCode: 429, error: 'Too Many Requests', message: 'Rate limit exceeded.' } },
    })
    expect(from(0).content).not.toHaveProperty('json.truto_is_remote_error')
    expect(from(1).status).toBe(200)
    for (let account = 2; account < 11; account++) for (let n = 0; n < 50; n++) from(account)
    expect(from(1).status).toBe(429)
    clock.advance(9_999)
    expect(from(1).status).toBe(429)
    clock.advance(1)
    expect(from(1).status).toBe(200)
  })

  test('a limit of the provider shows in headers and its 429 is remote', async () => {
    const clock = new FakeClock()
    const rateLimits = { provider: { requests: 2, windowMs: 60_000 } }
    const server = await emulator({ members: 1, clock, rateLimits })
    expect((await ask(server)).headers).toMatchObject({ 'ratelimit-limit': '2;w=60', 'ratelimit-remaining': '1' })
    clock.advance(15_000)
    await ask(server)
    expect(await ask(server)).toMatchObject({
      status: 429,
      headers: { 'ratelimit-remaining': '0', 'ratelimit-reset': '45' },
      json: { truto_is_remote_error: true, raw_response: { ok: false, error: 'ratelimited' } },
    })
  })
})

describe('companion routes', () => {
  test('channels are for Slack, workspaces for Microsoft, and their ids are the ones that members take', async () => {
    const slack = await emulator(small)
    const channels = (await ask(slack, { path: '/unified/instant-messaging/channels' })).json
    expect(channels.result.map(({ id }: { id: string }) => id)).toEqual(slack.parentIds)
    expect((await ask(slack, { path: '/unified/instant-messaging/workspaces' })).status).toBe(404)
    const teams = await emulator({ ...small, integration: 'msteams' })
    const workspaces = (await ask(teams, { path: '/unified/instant-messaging/workspaces' })).json
    expect(workspaces.result.map(({ id }: { id: string }) => id)).toEqual(teams.parentIds)
  })

  test('a member is found by its id, another id is not', async () => {
    const server = await emulator({ ...small, integration: 'msteams' })
    const integration = 'msteams'
    const found = await ask(server, { path: `${membersPath}/${memberIdAt(24, { integration })}` })
    expect(found.json).toEqual(memberAt(24, { integration }))
    expect((await ask(server, { path: `${membersPath}/${memberIdAt(25, { integration })}` })).status).toBe(404)
  })

  test('any other resource has the same envelope', async () => {
    const { json } = await ask(await emulator(small), { path: '/unified/crm/contacts', query: 'limit=2' })
    expect(json.result).toHaveLength(2)
    expect(json.result[0]).toMatchObject({ id: expect.any(String), name: 'Record 0' })
    expect(json.next_cursor).toEqual(expect.any(String))
  })

  test('accounts are listed by pages and dotted filters', async () => {
    const accounts = [
      { id: 'a', integration: 'slack' },
      { id: 'b', integration: 'msteams' },
      { id: 'c', integration: 'slack' },
    ] as const
    const server = await emulator({ accounts })
    const path = '/integrated-account'
    const page = (await ask(server, { path, bare: true, query: 'limit=2' })).json
    expect(page).toMatchObject({ limit: 2, next_cursor: '2', result: [{ id: 'a', status: 'active' }, { id: 'b' }] })
    expect((await ask(server, { path, bare: true, query: 'limit=2&next_cursor=2' })).json).toMatchObject({
      next_cursor: null,
      result: [{ id: 'c' }],
    })
    const filtered = (await ask(server, { path, bare: true, query: 'integration.name=msteams' })).json
    expect(filtered.result.map(({ id }: { id: string }) => id)).toEqual(['b'])
  })

  test('capabilities and meta tell what can be listed and what it requires', async () => {
    const server = await emulator({ integration: 'msteams' })
    const path = `/integrated-account/${server.accountId}/capabilities`
    expect((await ask(server, { path, bare: true, query: 'type=unified&resource=members' })).json).toMatchObject({
      account: { status: 'active', is_blocked: false },
      capabilities: [{ model: 'instant-messaging', resource: 'members', methods: ['list', 'get'] }],
    })
    const meta = (await ask(server, { path: `${membersPath}/meta/list` })).json
    expect(meta.query_schema.required).toEqual(['workspace'])
    expect(meta.schema.properties.updated_at).toEqual({ type: 'timestamp' })
    const slack = (await ask(server, { path: `${membersPath}/slack/meta/list`, bare: true })).json
    expect(slack.query_schema.required).toEqual(['channel'])
  })

  test('what is not there is 404, what is no GET 405', async () => {
    const server = await emulator(small)
    for (const path of ['/', '/unified', '/unified/crm', '/nothing/here', `${membersPath}/a/b/c/d`]) {
      expect(await ask(server, { path })).toMatchObject({ status: 404, json: { statusCode: 404, error: 'Not Found' } })
    }
    expect((await ask(server, { method: 'POST' })).status).toBe(405)
  })
})
