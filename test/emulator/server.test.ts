import { connect } from 'node:net'
import { request } from 'undici'
import { describe, expect, test } from 'vitest'
import { basis, memberAt, startEmulator, streamFramings } from '../../src/emulator/emulator.js'
import { cursorStyles } from '../../src/emulator/paging.js'
import { ask, askRaw, emulator, target, unchunk, until } from './client.js'

const stream = 'truto_response_format=stream'

describe('transfer', () => {
  test.each([1, 2, 7, 100, 5000])('chunks of %i bytes are exactly so, and the connection stays', async (chunkBytes) => {
    const server = await emulator({ members: 2, chunkBytes })
    const whole = await ask(await emulator({ members: 2 }), { query: stream })
    expect((await ask(server, { query: stream })).bytes).toEqual(whole.bytes)
    const { body } = await askRaw(server, { query: stream, headers: { connection: 'close' } })
    const { data, sizes, isWhole } = unchunk(body)
    expect([data, isWhole]).toEqual([whole.bytes, true])
    expect(sizes.slice(0, -1).every((size) => size === chunkBytes)).toBe(true)
  })

  test('by length, by chunks, or to the close', async () => {
    const heads = []
    for (const transfer of ['length', 'chunked', 'close'] as const) {
      const server = await emulator({ members: 2, transfer })
      const { head, body, ended } = await askRaw(server, { query: stream, headers: { connection: 'close' } })
      expect(ended).toBe('fin')
      const data = transfer === 'chunked' ? unchunk(body).data : body
      expect(JSON.parse(data.toString()).result).toHaveLength(2)
      heads.push(/content-length|transfer-encoding/.exec(head.toLowerCase())?.[0])
    }
    expect(heads).toEqual(['content-length', 'transfer-encoding', undefined])
  })

  test('one connection serves many requests', async () => {
    const server = await emulator({ members: 3 })
    const socket = connect(server.port, '127.0.0.1')
    let text = ''
    socket.on('data', (chunk) => (text += chunk))
    const head = `GET ${target(server, { query: stream })} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.token}\r\n\r\n`
    socket.write(head)
    await until(() => text.endsWith('0\r\n\r\n'))
    socket.write(head + head)
    await until(() => text.split('HTTP/1.1 200 OK').length === 4 && text.endsWith('0\r\n\r\n'))
    socket.destroy()
    expect(server.requests).toBe(3)
  })
})

describe('the log', () => {
  test('tells what was asked and answered, and never the token', async () => {
    const server = await emulator({ members: 30, pageSize: 10, paging: { cursor: 'number' } })
    const { bytes } = await ask(server, { query: 'next_cursor=3&remote_query[a][b]=1', headers: { 'x-test': 'yes' } })
    await ask(server, { headers: { authorization: 'Bearer wrong-token' } })
    await ask(server, { path: '/ping', bare: true })
    expect(server.requests).toBe(3)
    const [listed, refused, ping] = server.log
    expect(listed).toMatchObject({
      method: 'GET',
      path: '/unified/instant-messaging/members',
      headers: { 'x-test': 'yes' },
      hasAuthorization: true,
      isAuthorized: true,
      status: 200,
      page: 3,
      records: 10,
      bytes: bytes.length,
      isComplete: true,
    })
    expect(JSON.parse(JSON.stringify(listed!.query))).toMatchObject({
      channel: { id: 'C1' },
      remote_query: { a: { b: '1' } },
    })
    expect(listed).not.toHaveProperty('fault')
    expect(refused).toMatchObject({ status: 401, hasAuthorization: true, isAuthorized: false, records: 0 })
    expect(ping).toMatchObject({ path: '/ping', query: {}, status: 200 })
    expect(JSON.stringify(server.log)).not.toMatch(new RegExp(`${server.token}|wrong-token`))
  })

  test('names all faults that struck', async () => {
    const server = await emulator({
      members: 3,
      faults: [
        { kind: 'shift', by: 1 },
        { kind: 'cut', at: 10 },
      ],
    })
    await askRaw(server)
    await ask(server)
    expect(server.log.map(({ fault }) => fault)).toEqual(['shift+cut', undefined])
  })

  test('is a ring', async () => {
    const server = await emulator({ members: 0, logSize: 3 })
    for (let n = 0; n < 10; n++) await ask(server, { query: `n=${n}` })
    expect(server.log.map(({ query }) => query['n'])).toEqual(['7', '8', '9'])
    expect(server.requests).toBe(10)
    server.reset()
    expect([server.log, server.requests]).toEqual([[], 0])
  })
})

describe('size', () => {
  test('ten million members cost nothing: the last page comes at once and leaves nothing behind', async () => {
    const server = await emulator({ members: 10_000_000, pageSize: 100, cacheBytes: 0, paging: { cursor: 'number' } })
    await ask(server)
    globalThis.gc?.()
    const before = process.memoryUsage().heapUsed
    for (let page = 99_990; page < 100_000; page++) await ask(server, { query: `next_cursor=${page}` })
    const last = (await ask(server, { query: 'next_cursor=100000' })).json
    expect(last.result).toHaveLength(100)
    expect(last.result[99]).toEqual(memberAt(9_999_999))
    expect(last.next_cursor).toBeNull()
    globalThis.gc?.()
    // Ten pages of garbage at most, where an index of the members would take hundreds of MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(60_000_000)
  })

  test('one page of any size is made while it is read: a reader that stops holds it back', async () => {
    const server = await emulator({ members: 1e9, pageSize: Infinity })
    const { body } = await request(server.url + target(server, { query: stream }), {
      headers: { authorization: `Bearer ${server.token}` },
    })
    const iterator = body[Symbol.asyncIterator]()
    await iterator.next()
    const [entry] = server.log
    let sent = -1
    for (let still = 0; still < 10; ) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      still = sent === entry!.bytes ? still + 1 : 0
      sent = entry!.bytes
    }
    expect(sent).toBeLessThan(64_000_000)
    await body.destroy()
  })

  test('a pool serves a page of many repeats with the length told before', async () => {
    const pool = 7
    const server = await emulator({ members: 100, pageSize: Infinity, pool, transfer: 'length', remoteData: false })
    const { json, bytes, headers } = await ask(server)
    expect(headers['content-length']).toBe(`${bytes.length}`)
    expect(json.result).toEqual(Array.from({ length: 100 }, (_, index) => memberAt(index, { pool, remoteData: false })))
  })

  test('the same page twice is the same bytes, from the cache or not', async () => {
    const options = { members: 500, encoding: 'gzip' } as const
    const [cached, fresh] = [await emulator(options), await emulator({ ...options, cacheBytes: 0 })]
    const headers = { 'accept-encoding': 'gzip' }
    const first = await ask(cached, { headers })
    expect((await ask(cached, { headers })).bytes).toEqual(first.bytes)
    expect((await ask(fresh, { headers })).bytes).toEqual(first.bytes)
    expect((await ask(cached, { headers, query: 'truto_exclude_fields=name' })).bytes).not.toEqual(first.bytes)
    expect((await ask(cached)).bytes).not.toEqual(first.bytes)
  })
})

test('close ends open connections at once, and the port is free again', async () => {
  const server = await startEmulator({ faults: [{ kind: 'stall' }] })
  const hanging = askRaw(server)
  await until(() => server.requests === 1)
  await server.close()
  expect(['fin', 'rst']).toContain((await hanging).ended)
  const again = await startEmulator({ port: server.port })
  expect(again.port).toBe(server.port)
  await again.close()
})

test('every switch of an unknown behaviour names its basis', () => {
  const behaviours = new Set(basis.map(({ behaviour }) => behaviour))
  expect(behaviours.size).toBe(basis.length)
  const switches = [
    ...streamFramings.map((framing) => `framing: ${framing}`),
    ...cursorStyles.map((style) => `paging.cursor: ${style}`),
    ...['null', 'absent', 'empty'].map((end) => `paging.end: ${end}`),
    ...['emptyPages', 'shortPages', 'trailingEmptyPage', 'overlap', 'loop', 'cursorTtlMs'].map(
      (name) => `paging.${name}`,
    ),
    ...[
      'streamIgnoresParameters',
      'streamAllPages',
      'acceptsUpstreamCursor',
      'slackPartial',
      'resultCount',
      'prevCursor',
    ],
    ...[
      'requireParents',
      'strictParents',
      'pageSize',
      'maxLimit',
      'rateLimits',
      'accountToken',
      'needsReauth',
      'blocked',
    ],
  ]
  expect(switches.filter((name) => !behaviours.has(name))).toEqual([])
})

test('await using closes it, and closing it once more does nothing', async () => {
  let url: string
  {
    await using emulator = await startEmulator({ members: 3 })
    url = emulator.url
    expect((await fetch(`${url}/ping`)).status).toBe(200)
    await emulator.close()
  }
  await expect(fetch(`${url}/ping`)).rejects.toThrow()
})

test('an error inside an NDJSON answer is a line of it', async () => {
  await using emulator = await startEmulator({ members: 4, framing: 'ndjson' })
  const query = `integrated_account_id=${emulator.accountId}&channel[id]=${emulator.parentIds[0]}&truto_response_format=stream`
  const headers = { authorization: `Bearer ${emulator.token}` }
  for (const [where, at, count] of [
    ['before', 0, 5],
    ['after', 4, 5],
    ['in-array', 2, 3],
  ] as const) {
    emulator.setFaults([{ kind: 'error-in-body', where }])
    const answer = await fetch(`${emulator.url}/unified/instant-messaging/members?${query}`, { headers })
    const lines = (await answer.text())
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
    expect([lines.length, lines.findIndex((line) => 'statusCode' in line)]).toEqual([count, at])
  }
})
