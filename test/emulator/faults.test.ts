import zlib from 'node:zlib'
import { request } from 'undici'
import { describe, expect, test } from 'vitest'
import { type Emulator, type Fault, memberIdAt } from '../../src/emulator/emulator.js'
import { FakeClock } from '../helpers/clock.js'
import { ask, askRaw, emulator, unchunk, until } from './client.js'

const tiny = { members: 3, remoteData: false } as const
const stream = 'truto_response_format=stream'

/** The whole page, and what comes of it under the faults. */
async function struck(server: Emulator, faults: Fault[], query = stream) {
  server.setFaults([])
  const whole = await ask(server, { query })
  server.setFaults(faults)
  const raw = await askRaw(server, { query })
  return { whole: whole.bytes, raw }
}

describe('which requests are struck', () => {
  const statuses = async (faults: Fault[], pages: (number | undefined)[]): Promise<number[]> => {
    const server = await emulator({ members: 30, pageSize: 10, paging: { cursor: 'number' }, faults })
    const seen: number[] = []
    for (const page of pages) seen.push((await ask(server, { query: page ? `next_cursor=${page}` : '' })).status)
    return seen
  }

  test('without a page every page is, each at its first request', async () => {
    expect(await statuses([{ kind: 'status', status: 500 }], [undefined, undefined, 2, 2, 3])).toEqual([
      500, 200, 500, 200, 500,
    ])
  })

  test('a page and an attempt choose exactly one request', async () => {
    const fault: Fault = { kind: 'status', status: 502, page: 2, attempt: 2 }
    expect(await statuses([fault], [undefined, 2, 2, 2, 3])).toEqual([200, 200, 502, 200, 200])
  })

  test('every attempt of a page fails for ever', async () => {
    const fault: Fault = { kind: 'status', status: 504, page: 1, attempt: 'every' }
    expect(await statuses([fault], [undefined, undefined, undefined, 2])).toEqual([504, 504, 504, 200])
  })

  test('of one kind the first that matches counts', async () => {
    const faults: Fault[] = [
      { kind: 'status', status: 429, page: 1, attempt: 1 },
      { kind: 'status', status: 503, page: 1, attempt: 2 },
      { kind: 'status', status: 500, page: 1, attempt: 'every' },
    ]
    expect(await statuses(faults, [undefined, undefined, undefined])).toEqual([429, 503, 500])
  })

  test('a path reaches other routes, and refusals are never struck', async () => {
    const server = await emulator({ ...tiny, faults: [{ kind: 'status', status: 500, path: '/integrated-account' }] })
    expect((await ask(server)).status).toBe(200)
    expect((await ask(server, { path: '/integrated-account', headers: { authorization: 'Bearer x' } })).status).toBe(
      401,
    )
    expect((await ask(server, { path: '/integrated-account' })).status).toBe(500)
    expect((await ask(server, { path: '/integrated-account' })).status).toBe(200)
  })

  test('lists count their attempts apart', async () => {
    const server = await emulator({ ...tiny, faults: [{ kind: 'status', status: 500 }] })
    const account = `integrated_account_id=${server.accountId}`
    const from = async (channel: string): Promise<number> =>
      (await ask(server, { bare: true, query: `${account}&channel[id]=${channel}` })).status
    expect([await from('A'), await from('B'), await from('A'), await from('B')]).toEqual([500, 500, 200, 200])
  })

  test('reset puts back the faults of the options', async () => {
    const server = await emulator({ ...tiny, faults: [{ kind: 'reauth' }] })
    expect([(await ask(server)).status, (await ask(server)).status]).toEqual([401, 401])
    server.setFaults([])
    expect((await ask(server)).status).toBe(401)
    server.reset()
    expect([(await ask(server)).json.truto_is_remote_error, server.requests]).toEqual([true, 1])
  })
})

describe('other answers', () => {
  const one = async (fault: Fault, clock?: FakeClock) => ask(await emulator({ ...tiny, faults: [fault], clock }))

  test('a status has the error body of Truto, or of the provider', async () => {
    expect((await one({ kind: 'status', status: 422, message: 'no' })).json).toEqual({
      statusCode: 422,
      error: 'Unprocessable Entity',
      message: 'no',
    })
    expect((await one({ kind: 'status', status: 502, isRemote: true, message: 'fatal_error' })).json).toMatchObject({
      statusCode: 502,
      truto_is_remote_error: true,
      raw_response: { error: 'fatal_error' },
    })
  })

  test('a status may have any body and headers', async () => {
    const html = await one({
      kind: 'status',
      status: 502,
      body: '<html>',
      headers: { 'Content-Type': 'text/html', 'x-a': 'b' },
    })
    expect(html).toMatchObject({ status: 502, text: '<html>', headers: { 'content-type': 'text/html', 'x-a': 'b' } })
    const bytes = await one({ kind: 'status', status: 500, body: Uint8Array.of(0xff, 0) })
    expect([...bytes.bytes]).toEqual([0xff, 0])
    expect((await one({ kind: 'status', status: 400, body: { a: 1 } })).text).toBe('{"a":1}')
    expect(await one({ kind: 'status', status: 204 })).toMatchObject({ status: 204, text: '' })
  })

  test('Retry-After takes every form', async () => {
    const clock = new FakeClock()
    const headersOf = async (retryAfter: number | string | { inMs: number }) =>
      (await one({ kind: 'status', status: 429, retryAfter }, clock)).headers
    expect((await headersOf(2))['retry-after']).toBe('2')
    expect((await headersOf('soon'))['retry-after']).toBe('soon')
    const { date, 'retry-after': at } = await headersOf({ inMs: 90_000 })
    expect(Date.parse(String(at)) - Date.parse(String(date))).toBe(90_000)
  })

  test('a redirect goes where it is told to', async () => {
    const answer = await one({ kind: 'redirect', to: 'http://localhost:1/x', status: 307 })
    expect(answer).toMatchObject({ status: 307, headers: { location: 'http://localhost:1/x' } })
  })

  test('a body is served byte for byte', async () => {
    const body = Uint8Array.of(0xef, 0xbb, 0xbf, 0x5b, 0xff, 0x5d)
    const answer = await one({ kind: 'body', body, contentType: null, headers: { 'content-language': 'de' } })
    expect([...answer.bytes]).toEqual([...body])
    expect(answer.headers).toMatchObject({ 'content-length': '6', 'content-language': 'de' })
    expect(answer.headers).not.toHaveProperty('content-type')
  })

  test('headers may be too long, and so may the status line', async () => {
    const server = await emulator(tiny)
    server.setFaults([{ kind: 'headers', bytes: 20_000 }])
    expect((await askRaw(server)).head.length).toBeGreaterThan(20_000)
    server.setFaults([{ kind: 'headers', bytes: 20_000, place: 'status-line' }])
    expect((await askRaw(server)).head.split('\r\n')[0]!.length).toBeGreaterThan(20_000)
  })

  test('interim answers come first', async () => {
    const server = await emulator({ ...tiny, faults: [{ kind: 'informational', count: 3 }] })
    const { bytes } = await askRaw(server)
    expect(bytes.toString('latin1').split('HTTP/1.1 103 Early Hints\r\n\r\n').length).toBe(4)
  })
})

describe('the page itself', () => {
  const page = async (fault: Fault, query = '') => {
    const server = await emulator({ members: 6, pageSize: 4, remoteData: false, faults: [fault] })
    return { struck: await ask(server, { query }), whole: await ask(server, { query }) }
  }

  test('a shift is another version of the page', async () => {
    const { struck, whole } = await page({ kind: 'shift', by: 1 })
    expect(struck.json.result.slice(0, 3)).toEqual(whole.json.result.slice(1))
    expect(struck.json.next_cursor).toBe(whole.json.next_cursor)
  })

  test.each([[42], [{ a: 1 }], [true], ['x'.repeat(70_000)], ['']])(
    'the cursor is whatever it is told to be',
    async (value) => {
      expect((await page({ kind: 'cursor', value })).struck.json.next_cursor).toEqual(value)
    },
  )

  test('the cursor may be absent', async () => {
    expect((await page({ kind: 'cursor' })).struck.json).not.toHaveProperty('next_cursor')
  })

  test('an error stands alone, beside the records, or in the open array', async () => {
    const alone = (await page({ kind: 'error-in-body', where: 'alone' })).struck
    expect(alone).toMatchObject({ status: 200, json: { statusCode: 502, truto_is_remote_error: true } })
    expect(alone.json).not.toHaveProperty('result')

    const before = (await page({ kind: 'error-in-body', where: 'before', isRemote: false, status: 500 })).struck
    expect(Object.keys(before.json).slice(0, 4)).toEqual(['statusCode', 'error', 'message', 'result'])

    const { struck: after, whole } = await page({ kind: 'error-in-body', where: 'after' })
    expect(after.json).toMatchObject({ ...whole.json, statusCode: 502 })
    expect(Object.keys(after.json).indexOf('statusCode')).toBeGreaterThan(Object.keys(after.json).indexOf('result'))

    const open = (await page({ kind: 'error-in-body', where: 'in-array', record: 2 })).struck
    expect(open.json).toBeUndefined()
    const closed = JSON.parse(`${open.text}]}`)
    expect(closed.result.slice(0, 2)).toEqual(whole.json.result.slice(0, 2))
    expect(closed.result.slice(2)).toMatchObject([{ statusCode: 502, raw_response: { error: 'fatal_error' } }])
  })

  test('a fault that does not fit the body says so', async () => {
    const server = await emulator({ ...tiny, framing: 'array', faults: [{ kind: 'error-in-body', where: 'before' }] })
    expect(await ask(server, { query: stream })).toMatchObject({
      status: 500,
      text: expect.stringContaining('error-in-body'),
    })
  })

  test('garbage is inserted, replaces, or follows, at the very byte', async () => {
    const server = await emulator(tiny)
    const whole = (await ask(server)).bytes
    const bytes = Uint8Array.of(0xc3, 0x28)
    for (const at of [0, 1, 10, 11, 12, 500, whole.length - 1, whole.length, whole.length + 9]) {
      server.setFaults([{ kind: 'garbage', bytes, mode: 'insert', at }])
      expect((await ask(server)).bytes).toEqual(Buffer.concat([whole.subarray(0, at), bytes, whole.subarray(at)]))
      server.setFaults([{ kind: 'garbage', bytes, mode: 'replace', at }])
      expect((await ask(server)).bytes).toEqual(Buffer.concat([whole.subarray(0, at), bytes, whole.subarray(at + 2)]))
    }
    server.setFaults([{ kind: 'garbage', bytes: '<html>' }])
    expect((await ask(server)).bytes).toEqual(Buffer.concat([whole, Buffer.from('<html>')]))
  })

  test('a place may be named by its record', async () => {
    const server = await emulator(tiny)
    for (const record of [0, 1, 2]) {
      server.setFaults([{ kind: 'garbage', bytes: '!', mode: 'insert', at: { record } }])
      expect((await ask(server)).text).toContain(`!{"id":"${memberIdAt(record)}"`)
    }
  })
})

describe('compression', () => {
  test.each([
    ['gzip', zlib.gunzipSync],
    ['deflate', zlib.inflateSync],
    ['br', zlib.brotliDecompressSync],
  ] as const)('%s only where it is accepted', async (encoding, decode) => {
    const server = await emulator({ ...tiny, encoding })
    const plain = await ask(server)
    expect(plain.headers).not.toHaveProperty('content-encoding')
    const { bytes, headers } = await ask(server, { headers: { 'accept-encoding': `identity;q=0.5, ${encoding}` } })
    expect(headers['content-encoding']).toBe(encoding)
    expect(decode(bytes)).toEqual(plain.bytes)
    const refused = await ask(server, { headers: { 'accept-encoding': `${encoding};q=0` } })
    expect(refused.bytes).toEqual(plain.bytes)
  })

  const gzipped = async (damage: Extract<Fault, { kind: 'gzip' }>['damage']) => {
    const server = await emulator({ ...tiny, faults: [{ kind: 'gzip', damage }] })
    const answer = await ask(server)
    expect(answer.headers['content-encoding']).toBe('gzip')
    return { bytes: answer.bytes, whole: (await ask(server)).bytes }
  }

  test.each([
    ['cut', /unexpected end/],
    ['crc', /incorrect data check/],
    ['length', /incorrect length check/],
    ['header', /incorrect header check/],
    ['not-gzip', /incorrect header check/],
  ] as const)('gzip damaged by %s does not decode', async (damage, message) => {
    const { bytes } = await gzipped(damage)
    expect(() => zlib.gunzipSync(bytes)).toThrow(message)
  })

  test('gzip followed by garbage, applied twice, or in two members', async () => {
    const after = await gzipped('garbage-after')
    expect(after.bytes.toString('latin1')).toMatch(/<!-- cache -->$/)
    const twice = await gzipped('double')
    expect(zlib.gunzipSync(zlib.gunzipSync(twice.bytes))).toEqual(twice.whole)
    const two = await gzipped('two-members')
    expect(zlib.gunzipSync(two.bytes)).toEqual(two.whole)
  })

  test('codings that nobody asked for, and a label that does not fit', async () => {
    const server = await emulator({ ...tiny, faults: [{ kind: 'encoding', encodings: ['gzip', 'br'] }] })
    const two = await ask(server)
    expect(two.headers['content-encoding']).toBe('gzip, br')
    expect(zlib.gunzipSync(zlib.brotliDecompressSync(two.bytes))).toEqual((await ask(server)).bytes)
    server.setFaults([{ kind: 'encoding', encodings: [], label: 'zstd' }])
    expect((await ask(server)).headers['content-encoding']).toBe('zstd')
  })
})

describe('cuts', () => {
  test('by Content-Length, at every byte', async () => {
    const server = await emulator({ members: 1, remoteData: false })
    const length = (await ask(server)).bytes.length
    for (let at = 0; at <= length; at += 7) {
      const { whole, raw } = await struck(server, [{ kind: 'cut', at }], '')
      expect(raw.body).toEqual(whole.subarray(0, at))
      expect(raw.head).toContain(`content-length: ${whole.length}\r\n`)
      expect(raw.head).toContain('connection: keep-alive\r\n')
      expect(raw.ended).toBe('fin')
    }
  })

  test('chunked, in the middle of a chunk that was announced whole', async () => {
    const server = await emulator({ members: 1, remoteData: false, chunkBytes: 100 })
    for (const at of [0, 1, 99, 100, 101, 250]) {
      const { whole, raw } = await struck(server, [{ kind: 'cut', at, connection: 'close' }])
      const { data, isWhole } = unchunk(raw.body)
      expect(data).toEqual(whole.subarray(0, at))
      expect(isWhole).toBe(false)
      expect(raw.head).toContain('connection: close\r\n')
      if (at % 100 !== 0) expect(raw.body.toString('latin1')).toMatch(/^64\r\n/)
    }
  })

  test('chunked, between chunks, in a chunk head, and before the last CRLF', async () => {
    const server = await emulator({ members: 1, remoteData: false })
    const tail = async (fault: Partial<Extract<Fault, { kind: 'cut' }>>): Promise<[string, Buffer, Buffer]> => {
      const { whole, raw } = await struck(server, [{ kind: 'cut', at: 50, ...fault }])
      return [raw.body.toString('latin1', raw.body.length - 3), unchunk(raw.body).data, whole]
    }
    const [boundary, atBoundary, whole] = await tail({ where: 'boundary' })
    expect([boundary.slice(-2), atBoundary]).toEqual(['\r\n', whole.subarray(0, 50)])
    expect((await tail({ where: 'chunk-head' }))[0]).toBe('\r\n1')
    const [last, all] = await tail({ where: 'last-crlf' })
    expect([last, all]).toEqual(['0\r\n', whole])
    const [noLast, complete] = await tail({ where: 'boundary', at: 'end' })
    expect([noLast.slice(-2), complete]).toEqual(['\r\n', whole])
  })

  test('close-delimited, where a cut leaves no trace', async () => {
    const server = await emulator(tiny)
    const { whole, raw } = await struck(server, [{ kind: 'cut', at: 30, transfer: 'close' }])
    expect(raw.body).toEqual(whole.subarray(0, 30))
    expect(raw.head).not.toMatch(/content-length|transfer-encoding/)
  })

  test('by reset', async () => {
    const server = await emulator(tiny)
    const { whole, raw } = await struck(server, [{ kind: 'cut', at: 40, how: 'rst' }], '')
    expect([raw.ended, raw.body]).toEqual(['rst', whole.subarray(0, 40)])
  })

  test('before the head and in it', async () => {
    const server = await emulator(tiny)
    const none = await struck(server, [{ kind: 'cut', at: 'head' }])
    expect([none.raw.bytes.length, none.raw.ended]).toEqual([0, 'fin'])
    expect(server.log.at(-1)).toMatchObject({ status: 0, isComplete: false, fault: 'cut' })
    const half = await struck(server, [{ kind: 'cut', at: 'in-head' }])
    expect(half.raw.bytes.toString('latin1')).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(half.raw.bytes.includes('\r\n\r\n')).toBe(false)
  })

  test('at a record, in a compressed body, and in a body that a fault changed', async () => {
    const server = await emulator(tiny)
    const atRecord = await struck(server, [{ kind: 'cut', at: { record: 1 } }], '')
    expect(atRecord.raw.body).toEqual(atRecord.whole.subarray(0, atRecord.whole.indexOf(`{"id":"${memberIdAt(1)}"`)))
    const both = await struck(
      server,
      [
        { kind: 'garbage', bytes: '!!', mode: 'insert', at: 0 },
        { kind: 'cut', at: 5 },
      ],
      '',
    )
    expect(both.raw.body.toString()).toBe('!!{"r')
    const gzip = await struck(
      server,
      [
        { kind: 'gzip', damage: 'two-members' },
        { kind: 'cut', at: 12 },
      ],
      '',
    )
    expect([...gzip.raw.body.subarray(0, 2), gzip.raw.body.length]).toEqual([0x1f, 0x8b, 12])
  })

  test('what the length says may be too much, too little, or said twice', async () => {
    const server = await emulator(tiny)
    const more = await struck(server, [{ kind: 'content-length', by: 5 }], '')
    expect(more.raw.head).toContain(`content-length: ${more.whole.length + 5}\r\n`)
    expect([more.raw.body, more.raw.ended]).toEqual([more.whole, 'fin'])
    const less = await struck(server, [{ kind: 'content-length', by: -5 }], '')
    expect(less.raw.head).toContain(`content-length: ${less.whole.length - 5}\r\n`)
    expect(less.raw.body).toEqual(less.whole)
    const ofStream = await struck(server, [{ kind: 'content-length', by: 5 }], stream)
    expect(ofStream.raw.head).toContain(`content-length: ${ofStream.whole.length + 5}\r\n`)
    expect(ofStream.raw.head).not.toContain('transfer-encoding')
    const both = await struck(server, [{ kind: 'content-length', by: 0, alsoChunked: true }], '')
    expect(both.raw.head).toContain('transfer-encoding: chunked\r\n')
    expect(both.raw.head).toContain(`content-length: ${both.whole.length}\r\n`)
    expect(unchunk(both.raw.body)).toMatchObject({ data: both.whole, isWhole: true })
  })

  test('an error whose body never comes', async () => {
    const server = await emulator({ ...tiny, faults: [{ kind: 'early-close', status: 503, at: 4, how: 'fin' }] })
    const raw = await askRaw(server)
    expect(raw.head).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/)
    expect(Number(/content-length: (\d+)/.exec(raw.head)![1])).toBeGreaterThan(4)
    expect(raw.body.toString()).toBe('{"st')
  })
})

describe('time', () => {
  test('a stall before the head lasts until the clock says so', async () => {
    const clock = new FakeClock()
    const server = await emulator({ ...tiny, clock, faults: [{ kind: 'stall', ms: 5000 }] })
    let seen = 0
    const answer = askRaw(server, { query: stream, onData: ({ length }) => (seen = length) })
    await until(() => clock.waits.includes(5000))
    expect(seen).toBe(0)
    clock.advance(5000)
    expect(unchunk((await answer).body)).toMatchObject({
      data: (await ask(server, { query: stream })).bytes,
      isWhole: true,
    })
  })

  test.each([0, 40, 100, 139, 'end'] as const)('a stall at byte %s holds back the rest', async (at) => {
    const clock = new FakeClock()
    const server = await emulator({ ...tiny, clock, chunkBytes: 100 })
    const whole = (await ask(server, { query: stream })).bytes
    server.setFaults([{ kind: 'stall', at, ms: 1 }])
    let seen: Buffer = Buffer.alloc(0)
    const answer = askRaw(server, { query: stream, onData: (bytes) => (seen = bytes) })
    const place = at === 'end' ? whole.length : at
    await until(() => clock.waits.includes(1))
    await until(() => unchunk(seen.subarray(seen.indexOf('\r\n\r\n') + 4)).data.length >= place)
    expect(unchunk(seen.subarray(seen.indexOf('\r\n\r\n') + 4)).data).toEqual(whole.subarray(0, place))
    clock.advance(1)
    expect(unchunk((await answer).body)).toMatchObject({ data: whole, isWhole: true })
  })

  test('a stall without a time is for ever', async () => {
    const server = await emulator({ ...tiny, faults: [{ kind: 'stall', at: 20 }] })
    const { body, ended } = await askRaw(server, { query: stream, waitMs: 500 })
    expect([unchunk(body).data.length, ended]).toEqual([20, 'open'])
  })

  test('a drip sends so many bytes at each tick', async () => {
    const clock = new FakeClock()
    clock.isImpatient = true
    const server = await emulator({
      ...tiny,
      members: 1,
      clock,
      faults: [{ kind: 'drip', bytes: 10, everyMs: 100, from: 30 }],
    })
    const { body } = await askRaw(server, { query: stream })
    const { sizes, data } = unchunk(body)
    expect(sizes.slice(0, 4)).toEqual([30, 10, 10, 10])
    expect(clock.waits.filter((ms) => ms === 100).length).toBe(Math.ceil((data.length - 30) / 10))
    expect(data).toEqual((await ask(server, { query: stream })).bytes)
  })
})

describe('bombs', () => {
  const bytes = 200_000
  const bomb = async (of: Extract<Fault, { kind: 'bomb' }>['of'], encoding?: 'gzip' | 'br') =>
    ask(await emulator({ faults: [{ kind: 'bomb', of, bytes, encoding }] }))

  test.each(['whitespace', 'string', 'keys', 'records'] as const)('%s is large and valid', async (of) => {
    const { json, text } = await bomb(of)
    expect(Math.abs(text.length - bytes)).toBeLessThan(70_000)
    const [record] = json.result
    if (of === 'whitespace') expect(json.result).toEqual([])
    if (of === 'string') expect(record.id.length).toBeGreaterThan(199_000)
    if (of === 'keys') expect(Object.keys(record).length).toBeGreaterThan(10_000)
    if (of === 'records') expect(json.result.length).toBeGreaterThan(10_000)
  })

  test('brackets are opened and never closed', async () => {
    const { text } = await bomb('brackets')
    expect(text).toMatch(/"nested":\[{199000,}$/)
  })

  test('compressed, it is small on the wire', async () => {
    const gzip = await bomb('string', 'gzip')
    expect(gzip.bytes.length).toBeLessThan(3000)
    expect(zlib.gunzipSync(gzip.bytes).length).toBe(bytes)
    expect(zlib.brotliDecompressSync((await bomb('string', 'br')).bytes).length).toBe(bytes)
  })

  test('one without end stops when its reader goes away', async () => {
    const server = await emulator({ faults: [{ kind: 'bomb', of: 'records', bytes: Infinity }] })
    const { body } = await request(`${server.url}/unified/crm/contacts?integrated_account_id=${server.accountId}`, {
      headers: { authorization: `Bearer ${server.token}` },
    })
    let seen = 0
    for await (const chunk of body) {
      seen += chunk.length
      if (seen > 5_000_000) break
    }
    const [entry] = server.log
    let sent = -1
    await until(() => sent === (sent = entry!.bytes))
    expect(entry!.isComplete).toBe(false)
    expect(sent).toBeGreaterThanOrEqual(seen)
  })
})
