import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { describe, expect, test, vi } from 'vitest'
import { HttpClient } from '../../src/http/client.js'
import { isLostConnection, isStaleSocket } from '../../src/http/network-error.js'
import { defaultDeadlines } from '../helpers/table-defaults.js'
import {
  expiredCertificate,
  otherNameCertificate,
  rootCertificate,
  serverCertificate,
  serverKey,
} from './certificates.js'
import { clientOf, exchangeFailure, failureOf, ManualClock, read, reply, serve, token, until } from './harness.js'

const page = '{"result":[{"id":"1"}],"next_cursor":null}'
const chunked = (body: string, ...headers: string[]) =>
  [
    'HTTP/1.1 200 OK',
    ...headers,
    'Transfer-Encoding: chunked',
    '',
    `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  ].join('\r\n')

describe('a request', () => {
  test('carries the token, what we accept and who we are, and the URL exactly as it was built', async () => {
    const server = await serve(({ socket }) => socket.write(reply('200 OK', [], page)))
    const client = clientOf(server.origin, { userAgent: 'truto-export/9.9' })
    const path = '/unified/instant-messaging/members?a%5B%5D=1&next_cursor=%2B%2F%3D%26%23%25%C3%A9'
    const answer = await client.open(new URL(path, server.origin))
    expect((await read(answer.body)).toString()).toBe(page)
    const [line, ...headers] = server.requests[0]!.head.split('\r\n')
    expect(line).toBe(`GET ${path} HTTP/1.1`)
    expect(headers.map((header) => header.toLowerCase()).sort()).toEqual(
      [
        `host: 127.0.0.1:${server.port}`,
        'connection: keep-alive',
        'accept: application/json, */*',
        'accept-encoding: gzip',
        'user-agent: truto-export/9.9',
        `authorization: bearer ${token}`,
      ].sort(),
    )
  })

  test('has no Authorization where there is no token', async () => {
    const server = await serve(({ socket }) => socket.write(reply('200 OK', [], page)))
    await read((await clientOf(server.origin, { token: null }).open(new URL(server.origin))).body)
    expect(server.requests[0]!.head).not.toMatch(/authorization/i)
  })

  test('to another origin than the configured one is never sent', async () => {
    const [ours, other] = [await serve(() => {}), await serve(() => {})]
    const client = clientOf(ours.origin)
    for (const origin of [other.origin, `http://localhost:${ours.port}`, `https://127.0.0.1:${ours.port}`]) {
      expect(await failureOf(client.open(new URL(origin)))).toMatchObject({ code: 'ERR_INTERNAL' })
    }
    expect([ours.connections.length, other.connections.length]).toEqual([0, 0])
  })

  test('tells one line of detail, with long values shortened', async () => {
    const server = await serve(({ socket }) => socket.write(reply('200 OK', ['Content-Type: application/json'], page)))
    const client = clientOf(server.origin, { clock: new ManualClock() })
    const cursor = 'c'.repeat(100)
    await read((await client.open(new URL(`/list?limit=5&next_cursor=${cursor}&token=${token}`, server.origin))).body)
    expect(client.details).toEqual([
      `GET ${server.origin}/list?limit=5&next_cursor=cccccccc…&token=[redacted] -> 200 (application/json, 0 ms)`,
    ])
  })
})

describe('an answer', () => {
  test('gives headers, content type, encoding and the bytes that came over the wire', async () => {
    const body = gzipSync(page)
    const headers = ['Content-Type: application/json; charset=utf-8', 'Content-Encoding: gzip', 'X-A: 1', 'X-A: 2']
    const server = await serve(({ socket }) => socket.write(reply('200 OK', headers, body)))
    const answer = await clientOf(server.origin).open(new URL(server.origin))
    expect(answer).toMatchObject({ contentType: 'application/json; charset=utf-8', encoding: 'gzip' })
    expect(answer.headers['x-a']).toBe('1, 2')
    expect((await read(answer.body)).toString()).toBe(page)
    expect(answer.wireBytes).toBe(body.length)
  })

  test.each([
    ['with a length', reply('200 OK', [], page)],
    ['in chunks', chunked(page)],
    [
      'after any number of interim answers',
      `${'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(200)}${chunked(page)}`,
    ],
  ])('%s keeps the connection when read to its end', async (_, bytes) => {
    const server = await serve(({ socket }) => socket.write(bytes))
    const client = clientOf(server.origin)
    for (let i = 0; i < 3; i++) {
      expect((await read((await client.open(new URL(server.origin))).body)).toString()).toBe(page)
    }
    expect(server.requests.map(({ connection }) => connection)).toEqual([1, 1, 1])
  })

  test('delimited by the end of the connection is read to there', async () => {
    const server = await serve(({ socket }) => socket.end(`HTTP/1.1 200 OK\r\n\r\n${page}`))
    expect((await read((await clientOf(server.origin).open(new URL(server.origin))).body)).toString()).toBe(page)
  })

  test('left early drops the connection and leaves the client usable', async () => {
    const server = await serve(({ socket, number }) =>
      socket.write(number === 1 ? 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc' : reply('200 OK', [], page)),
    )
    const client = clientOf(server.origin)
    for await (const chunk of (await client.open(new URL(server.origin))).body) {
      expect(Buffer.from(chunk).toString()).toBe('abc')
      break
    }
    await until(() => server.connections[0]!.destroyed)
    expect((await read((await client.open(new URL(server.origin))).body)).toString()).toBe(page)
    expect(server.requests[1]!.connection).not.toBe(1)
  })

  test('that was cancelled does not look like one that ended', async () => {
    const server = await serve(({ socket }) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc'))
    const answer = await clientOf(server.origin).open(new URL(server.origin))
    answer.cancel()
    await expect(read(answer.body)).rejects.toMatchObject({ name: 'AbortError' })
    await until(() => server.connections[0]!.destroyed)
  })

  test('that nobody reads holds the server back', async () => {
    const block = Buffer.alloc(64 * 1024)
    const size = 512 * 1024 * 1024
    const server = await serve(({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
      const more = (): void => {
        while (socket.write(block));
        socket.once('drain', more)
      }
      more()
    })
    const answer = await clientOf(server.origin).open(new URL(server.origin))
    const iterator = answer.body[Symbol.asyncIterator]()
    await iterator.next()
    // The kernel's buffers fill up, and then nothing moves any more.
    let seen = -1
    for (let still = 0; still < 5; still = seen === server.connections[0]!.bytesWritten ? still + 1 : 0) {
      seen = server.connections[0]!.bytesWritten
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(answer.wireBytes).toBeLessThan(1024 * 1024)
    const held = answer.wireBytes
    for (let i = 0; i < 100; i++) await iterator.next()
    expect(answer.wireBytes).toBeGreaterThan(held)
    await iterator.return?.()
  })

  test('in thousands of tiny chunks arrives whole and in order', async () => {
    const pieces = Array.from({ length: 5000 }, (_, i) => `${i},`)
    const body = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('')
    const server = await serve(({ socket }) =>
      socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}0\r\n\r\n`),
    )
    const answer = await clientOf(server.origin).open(new URL(server.origin))
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect((await read(answer.body)).toString()).toBe(pieces.join(''))
  })

  test.each(['http', 'https'])('over %s keeps a chunk as it is until the next is asked for', async (scheme) => {
    const body = randomBytes(4_000_000)
    const tlsOptions = scheme === 'https' ? { key: serverKey, cert: serverCertificate } : undefined
    const server = await serve(({ socket }) => socket.write(reply('200 OK', [], body)), tlsOptions)
    const answer = await clientOf(server.origin, { ca: rootCertificate }).open(new URL(server.origin))
    let at = 0
    let largest = 0
    for await (const chunk of answer.body) {
      // in one case of three the server goes on sending meanwhile, into what we hold it back for
      if (at % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 3))
      expect(body.subarray(at, (at += chunk.length)).equals(chunk)).toBe(true)
      largest = Math.max(largest, chunk.length)
    }
    expect(at).toBe(body.length)
    expect(largest).toBeGreaterThan(128 * 1024)
    expect(largest).toBeLessThanOrEqual(512 * 1024)
  })

  test('that is compressed does not change while it is decoded', async () => {
    const body = randomBytes(1_000_000)
    const server = await serve(async ({ socket }) => {
      const bytes = reply('200 OK', ['Content-Encoding: gzip'], gzipSync(body))
      // in pieces that the decoder takes more than one of
      for (let at = 0; at < bytes.length; at += 3000) {
        socket.write(bytes.subarray(at, at + 3000))
        if (at % 5 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    })
    const answer = await clientOf(server.origin).open(new URL(server.origin))
    expect((await read(answer.body)).equals(body)).toBe(true)
  })

  test('is followed by others on the same connection, however it was read', async () => {
    const body = randomBytes(1_500_000)
    const server = await serve(({ socket }) => socket.write(reply('200 OK', [], body)))
    const client = clientOf(server.origin)
    for (let i = 0; i < 5; i++) {
      const answer = await client.open(new URL(server.origin))
      if (i % 2 === 1) await new Promise((resolve) => setTimeout(resolve, 20)) // all of it waits at our side by then
      expect((await read(answer.body)).equals(body)).toBe(true)
    }
    expect(server.connections).toHaveLength(1)
  })
})

describe('an answer other than 200', () => {
  const truto = (statusCode: number, rest: object = {}) =>
    JSON.stringify({ statusCode, error: 'Name', message: `why, ${token}`, ...rest })

  test('becomes the typed error, with its wait, and keeps the connection', async () => {
    const server = await serve(({ socket }) =>
      socket.write(reply('502 Bad Gateway', ['Retry-After: 7', 'Content-Type: application/json'], truto(502))),
    )
    const client = clientOf(server.origin)
    for (let i = 0; i < 2; i++) {
      expect(await exchangeFailure(client, server.origin)).toMatchObject({
        code: 'ERR_SERVER',
        statusCode: 502,
        retryAfterMs: 7000,
        message: 'HTTP 502 from Truto: why, [redacted]',
      })
    }
    expect(server.connections).toHaveLength(1)
  })

  test('that is a 429 holds the next request of its account back, whoever asks, and an abort ends the wait', async () => {
    const server = await serve(({ socket }) => socket.write(reply('429 Too Many Requests', ['Retry-After: 7'])))
    const clock = new ManualClock()
    const client = clientOf(server.origin, { clock })
    const url = new URL(server.origin)
    expect(await failureOf(client.open(url, { account: 'a' }))).toMatchObject({ code: 'ERR_RATE_LIMITED' })
    expect([client.hold('a')?.ms, client.hold('b')]).toEqual([7001, null])
    const controller = new AbortController()
    const reason = new Error('enough')
    const aborted = client.open(url, { account: 'a', signal: controller.signal }).catch((error: unknown) => error)
    const waiting = failureOf(client.open(url, { account: 'a' }))
    await until(() => clock.pending >= 2)
    clock.advance(6999)
    controller.abort(reason)
    expect(await aborted).toBe(reason)
    expect(server.requests).toHaveLength(1)
    clock.advance(2)
    expect(await waiting).toMatchObject({ statusCode: 429 })
    expect(server.requests).toHaveLength(2)
  })

  test('is understood when it comes compressed', async () => {
    const body = gzipSync(truto(404))
    const server = await serve(({ socket }) => socket.write(reply('404 Not Found', ['Content-Encoding: gzip'], body)))
    expect((await exchangeFailure(clientOf(server.origin), server.origin)).message).toContain('why')
  })

  test.each([
    [
      'cut by a reset',
      (write: (text: string) => void, reset: () => void) => {
        write('{"statusCode":')
        setTimeout(reset, 5)
      },
    ],
    ['of an unknown encoding', (write: (text: string) => void) => write('x'.repeat(1000))],
    ['far too long', (write: (text: string) => void) => write('x'.repeat(900_000))],
  ])('has its status decide where the body is %s', async (name, script) => {
    const encoding = name.includes('encoding') ? 'Content-Encoding: zstd\r\n' : ''
    const server = await serve(({ socket }) => {
      socket.write(`HTTP/1.1 502 Bad Gateway\r\n${encoding}Content-Length: 1000000\r\n\r\n`)
      script(
        (text) => socket.write(text),
        () => socket.resetAndDestroy(),
      )
    })
    expect(await exchangeFailure(clientOf(server.origin), server.origin)).toMatchObject({
      code: 'ERR_SERVER',
      statusCode: 502,
    })
    await until(() => server.connections[0]!.destroyed)
  })

  test('has its status decide where the body drips for ever', async () => {
    const clock = new ManualClock()
    const server = await serve(({ socket }) =>
      socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 1000\r\n\r\nx'),
    )
    const failure = exchangeFailure(clientOf(server.origin, { clock }), server.origin)
    await until(() => server.requests.length === 1)
    const drip = setInterval(() => {
      server.connections[0]!.write('x')
      clock.advance(1000)
    }, 1)
    expect(await failure).toMatchObject({ code: 'ERR_UNAUTHORIZED' })
    clearInterval(drip)
  })

  test.each([
    ['301 Moved Permanently', '/elsewhere'],
    ['302 Found', 'OTHER/steal?token=1'],
    ['307 Temporary Redirect', 'OTHER/'],
    ['308 Permanent Redirect', '//user:password@OTHERHOST/'],
  ])('%s to %s is refused, and nothing is sent there', async (status, location) => {
    const other = await serve(() => {})
    const target = location.replace('OTHERHOST', `127.0.0.1:${other.port}`).replace('OTHER', other.origin)
    const server = await serve(({ socket }) => socket.write(reply(status, [`Location: ${target}`])))
    const error = await exchangeFailure(clientOf(server.origin), server.origin)
    expect(error).toMatchObject({ code: 'ERR_REDIRECT', exitCode: 4, isRetryable: false })
    expect(error.message).toContain(location.startsWith('/e') ? server.origin : other.origin)
    expect(error.message).not.toMatch(/steal|password|elsewhere/)
    expect([server.requests.length, other.connections.length]).toEqual([1, 0])
  })

  test('shows the body of the provider only where that was asked for', async () => {
    const body = truto(400, { truto_is_remote_error: true, raw_response: { email: 'ada@example.org', token } })
    const server = await serve(({ socket }) => socket.write(reply('400 Bad Request', [], body)))
    for (const debugBodies of [false, true]) {
      const client = clientOf(server.origin, { debugBodies })
      const error = await exchangeFailure(client, server.origin)
      expect(inspect(error, { depth: 9 })).not.toContain('ada@')
      expect(client.details.join('\n').includes('ada@')).toBe(debugBodies)
    }
  })
})

describe('a body that does not arrive whole', () => {
  const whole = {
    'in chunks': `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{"result":[{"id"\r\n1a\r\n:"1"}],"next_cursor":null}\r\n0\r\n\r\n`,
    'in chunks on a closing connection': `HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{"result":[{"id"\r\n1a\r\n:"1"}],"next_cursor":null}\r\n0\r\n\r\n`,
    'with a length': `HTTP/1.1 200 OK\r\nContent-Length: ${page.length}\r\n\r\n${page}`,
    'with a length on a closing connection': `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${page.length}\r\n\r\n${page}`,
  }

  test.each(
    Object.entries(whole).flatMap(([how, bytes]) => [
      [how, 'FIN', bytes],
      [how, 'RST', bytes],
    ]),
  )('%s, cut by %s at any byte, is never taken for a whole one', async (_, cut, bytes) => {
    const server = await serve(({ socket, number }) => {
      const end = number - 1
      if (cut === 'FIN') socket.end(bytes.slice(0, end))
      // The bytes first, then the reset: a reset at once would take them along.
      else socket.write(bytes.slice(0, end) || Buffer.alloc(0), () => setTimeout(() => socket.resetAndDestroy(), 1))
    })
    const client = clientOf(server.origin)
    const bodyStart = bytes.indexOf('\r\n\r\n') + 4
    for (let end = 0; end < bytes.length; end++) {
      const error = await exchangeFailure(client, server.origin)
      expect(error).toMatchObject({ exitCode: 5, isRetryable: true })
      if (end > bodyStart) expect([end, error.code]).toEqual([end, 'ERR_BODY_TRUNCATED'])
      else expect(error.code).toMatch(/^ERR_(CONNECT|PROTOCOL|BODY_TRUNCATED)$/)
    }
    // The whole of it, to know that the cuts were what failed.
    expect((await read((await client.open(new URL(server.origin))).body)).toString()).toBe(page)
  })

  test('because its length was announced too large is truncated', async () => {
    const server = await serve(({ socket }) => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n${page}`))
    expect(await exchangeFailure(clientOf(server.origin), server.origin)).toMatchObject({ code: 'ERR_BODY_TRUNCATED' })
  })

  test('delivers what came before the failure', async () => {
    const server = await serve(({ socket }) => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n${page}`))
    const answer = await clientOf(server.origin).open(new URL(server.origin))
    let text = ''
    const reading = (async () => {
      for await (const chunk of answer.body) text += Buffer.from(chunk).toString()
    })()
    await failureOf(reading)
    expect(text).toBe(page)
  })

  test('has no bytes of the body in its error', async () => {
    const broken = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nada@example.org\r\n'
    const server = await serve(({ socket }) => socket.write(broken))
    const error = await exchangeFailure(clientOf(server.origin), server.origin)
    expect(error.code).toBe('ERR_BODY_TRUNCATED')
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('ada@')
  })

  test('compressed and cut is truncated even where the connection ended in order', async () => {
    const body = gzipSync(page)
    const server = await serve(({ socket }) =>
      socket.write(reply('200 OK', ['Content-Encoding: gzip'], body.subarray(0, -4))),
    )
    expect(await exchangeFailure(clientOf(server.origin), server.origin)).toMatchObject({ code: 'ERR_BODY_TRUNCATED' })
  })

  test('compressed in a way that we do not know is refused before it is read', async () => {
    const server = await serve(({ socket }) => socket.write(reply('200 OK', ['Content-Encoding: zstd'], 'x')))
    expect(await exchangeFailure(clientOf(server.origin), server.origin)).toMatchObject({
      code: 'ERR_ENCODING_UNSUPPORTED',
      exitCode: 4,
    })
  })
})

describe('a server that does not speak HTTP as it should', () => {
  test.each<[string, string, string]>([
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n', 'ERR_PROTOCOL'],
    [
      'a length and chunks',
      `HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      'ERR_PROTOCOL',
    ],
    [
      'chunks and a length',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
      'ERR_PROTOCOL',
    ],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef', 'ERR_PROTOCOL'],
    ['an unknown transfer coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc', 'ERR_PROTOCOL'],
  ])('%s', async (_, bytes, code) => {
    const server = await serve(({ socket }) => socket.end(bytes))
    expect(await exchangeFailure(clientOf(server.origin), server.origin)).toMatchObject({ code, isRetryable: true })
  })

  // asking again changes nothing
  test.each<[string, string, RegExp]>([
    [
      'more headers than Node.js takes',
      `HTTP/1.1 200 OK\r\n${'X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(600)}\r\n`,
      /has more than 16KiB of headers; .*NODE_OPTIONS=--max-http-header-size=65536/,
    ],
    ['a header without end', `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(20_000)}`, /has more than 16KiB of headers/],
    [
      'more trailers than Node.js takes',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n${'X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(600)}\r\n`,
      /has more than 16KiB of headers/,
    ],
    [
      'an upgrade that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n',
      /went to another protocol instead of answering, which nobody asked for/,
    ],
  ])('%s, and is not asked again', async (_, bytes, line) => {
    const server = await serve(({ socket }) => socket.end(bytes))
    const error = await exchangeFailure(clientOf(server.origin), server.origin)
    expect(error).toMatchObject({ code: 'ERR_PROTOCOL', exitCode: 5, isRetryable: false })
    expect(error.toLine()).toMatch(line)
    expect(error.toLine()).not.toContain('not valid HTTP;')
  })
})

describe('a connection', () => {
  test('that is refused', async () => {
    const server = await serve(() => {})
    // Port 1 of loopback: nobody listens there, and only root could.
    const error = await exchangeFailure(clientOf('http://127.0.0.1:1'), 'http://127.0.0.1:1')
    expect(error).toMatchObject({ code: 'ERR_CONNECT', exitCode: 5, isRetryable: true })
    expect(isStaleSocket(error)).toBe(false)
    expect(server.connections).toHaveLength(0)
  })

  test('that was kept alive and closed by the server just as it was used again is known as such', async () => {
    const server = await serve(({ socket, number }) => {
      if (number === 1) socket.write(reply('200 OK', [], page))
      else socket.resetAndDestroy()
    })
    const client = clientOf(server.origin)
    await read((await client.open(new URL(server.origin))).body)
    const error = await exchangeFailure(client, server.origin)
    expect(error).toMatchObject({ code: 'ERR_CONNECT', isRetryable: true })
    expect([isStaleSocket(error), isLostConnection(error)]).toEqual([true, true])
  })

  test('that is reset within the body is a lost one, not a stale one', async () => {
    const server = await serve(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc', () =>
        setTimeout(() => socket.resetAndDestroy(), 5),
      )
    })
    const error = await exchangeFailure(clientOf(server.origin), server.origin)
    expect([isStaleSocket(error), isLostConnection(error)]).toEqual([false, true])
  })

  test('is dropped on close, and a closed client says so', async () => {
    const server = await serve(({ socket }) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc'))
    const client = clientOf(server.origin)
    const answer = await client.open(new URL(server.origin))
    await client.close()
    expect((await failureOf(read(answer.body))).code).toBe('ERR_INTERNAL')
    expect((await failureOf(client.open(new URL(server.origin)))).code).toBe('ERR_INTERNAL')
  })
})

describe('a deadline', () => {
  test('ends a connection that is not made', async () => {
    const clock = new ManualClock()
    // A server that takes the connection and never answers the TLS greeting.
    const server = await serve(() => {})
    const origin = `https://127.0.0.1:${server.port}`
    const failure = exchangeFailure(clientOf(origin, { clock, connectTimeoutMs: 4000 }), origin)
    await until(() => server.connections.length === 1)
    clock.advance(3999)
    clock.advance(1)
    expect(await failure).toMatchObject({ code: 'ERR_CONNECT', message: expect.stringContaining('within 4s') })
    expect(clock.pending).toBe(0)
  })

  test('ends the wait for the head', async () => {
    const clock = new ManualClock()
    const server = await serve(({ socket }) => socket.write('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200'))
    const failure = exchangeFailure(clientOf(server.origin, { clock, headTimeoutMs: 5000 }), server.origin)
    await until(() => server.requests.length === 1)
    clock.advance(5000)
    expect(await failure).toMatchObject({ code: 'ERR_TIMEOUT', message: expect.stringContaining('within 5s') })
    await until(() => server.connections[0]!.destroyed)
    expect(clock.pending).toBe(0)
  })

  test('ends the wait for the next bytes, counted from the start of that wait', async () => {
    const clock = new ManualClock()
    const server = await serve(({ socket }) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na'))
    const answer = await clientOf(server.origin, { clock, idleTimeoutMs: 1000 }).open(new URL(server.origin))
    const body = answer.body[Symbol.asyncIterator]()
    for (let i = 0; i < 5; i++) {
      const chunk = i === 0 ? await body.next() : await Promise.all([body.next(), slowly()]).then(([next]) => next)
      expect(chunk.done).toBe(false)
    }
    async function slowly(): Promise<void> {
      clock.advance(900)
      server.connections[0]!.write('b')
    }
    const last = failureOf(body.next())
    clock.advance(999)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(answer.wireBytes).toBe(5)
    clock.advance(1)
    expect(await last).toMatchObject({ code: 'ERR_TIMEOUT', message: expect.stringContaining('sent nothing for 1s') })
    await until(() => server.connections[0]!.destroyed)
    expect(clock.pending).toBe(0)
  })

  test('does not count while the reader takes its time', async () => {
    const clock = new ManualClock()
    const server = await serve(({ socket }) => socket.write(reply('200 OK', [], page)))
    const answer = await clientOf(server.origin, { clock }).open(new URL(server.origin))
    clock.advance(3_600_000)
    const body = answer.body[Symbol.asyncIterator]()
    await body.next()
    clock.advance(3_600_000)
    expect(await body.next()).toMatchObject({ done: true })
    expect(clock.pending).toBe(0)
  })

  test('holds within a compressed body too', async () => {
    const clock = new ManualClock()
    const head = 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1000\r\n\r\n'
    const server = await serve(({ socket }) =>
      socket.write(Buffer.concat([Buffer.from(head), gzipSync(page).subarray(0, 12)])),
    )
    const answer = await clientOf(server.origin, { clock }).open(new URL(server.origin))
    const failure = failureOf(read(answer.body))
    await until(() => answer.wireBytes === 12 && clock.pending === 1)
    await new Promise((resolve) => setTimeout(resolve, 10))
    clock.advance(60_000)
    expect(await failure).toMatchObject({ code: 'ERR_TIMEOUT' })
  })
})

describe('an abort', () => {
  const reason = new DOMException('enough', 'AbortError')

  test('before the request sends nothing', async () => {
    const server = await serve(() => {})
    await expect(
      clientOf(server.origin).open(new URL(server.origin), { signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason)
    expect(server.connections).toHaveLength(0)
  })

  test('while the connection is being made rejects at once', async () => {
    const server = await serve(() => {})
    const origin = `https://127.0.0.1:${server.port}`
    const controller = new AbortController()
    const opening = clientOf(origin).open(new URL(origin), { signal: controller.signal })
    await until(() => server.connections.length === 1)
    controller.abort(reason)
    await expect(opening).rejects.toBe(reason)
  })

  test('before the head drops the connection', async () => {
    const server = await serve(() => {})
    const controller = new AbortController()
    const opening = clientOf(server.origin).open(new URL(server.origin), { signal: controller.signal })
    await until(() => server.requests.length === 1)
    controller.abort(reason)
    await expect(opening).rejects.toBe(reason)
    await until(() => server.connections[0]!.destroyed)
  })

  test.each(['identity', 'gzip'])(
    'within a body (%s) rejects the read that waits and drops the connection',
    async (encoding) => {
      const server = await serve(({ socket }) =>
        socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: ${encoding}\r\nContent-Length: 1000\r\n\r\n\x1f`),
      )
      const controller = new AbortController()
      const answer = await clientOf(server.origin).open(new URL(server.origin), { signal: controller.signal })
      const reading = expect(read(answer.body)).rejects.toBe(reason)
      await until(() => answer.wireBytes > 0)
      controller.abort(reason)
      await reading
      await until(() => server.connections[0]!.destroyed)
    },
  )

  test('after the end does nothing', async () => {
    const server = await serve(({ socket }) => socket.write(reply('200 OK', [], page)))
    const controller = new AbortController()
    const client = clientOf(server.origin)
    await read((await client.open(new URL(server.origin), { signal: controller.signal })).body)
    controller.abort(reason)
    await read((await client.open(new URL(server.origin))).body)
    expect(server.connections).toHaveLength(1)
  })
})

describe('TLS', () => {
  const key = serverKey
  const hello = ({ socket }: { socket: NodeJS.WritableStream }) => socket.write(reply('200 OK', [], page))

  test('with a root that was given is trusted', async () => {
    const server = await serve(hello, { key, cert: serverCertificate })
    const client = clientOf(server.origin, { ca: rootCertificate })
    expect((await read((await client.open(new URL(server.origin))).body)).toString()).toBe(page)
  })

  test.each<[string, string, string | undefined]>([
    ['with an unknown root', serverCertificate, undefined],
    ['with a certificate for another name', otherNameCertificate, rootCertificate],
    ['with an expired certificate', expiredCertificate, rootCertificate],
  ])('%s is refused without a retry, and no request is sent', async (_, cert, ca) => {
    const server = await serve(hello, { key, cert })
    const client = clientOf(server.origin, ca === undefined ? {} : { ca })
    expect(await exchangeFailure(client, server.origin)).toMatchObject({
      code: 'ERR_TLS',
      exitCode: 4,
      isRetryable: false,
    })
    expect(server.requests).toHaveLength(0)
  })

  test.each<[string, string, string | undefined, RegExp]>([
    [
      'an unknown root is one for --ca',
      serverCertificate,
      undefined,
      /unable to .*; pass --ca FILE for a private root/,
    ],
    [
      'another name is one for another address',
      otherNameCertificate,
      rootCertificate,
      /of 127\.0\.0\.1:\d+ is for another name: other\.example; use a name/,
    ],
    [
      'an expired certificate is none of either',
      expiredCertificate,
      rootCertificate,
      /has expired; the certificate is out of its time/,
    ],
  ])('the hint for %s', async (_, cert, ca, line) => {
    const server = await serve(hello, { key, cert })
    const error = await exchangeFailure(clientOf(server.origin, ca === undefined ? {} : { ca }), server.origin)
    expect(error.toLine()).toMatch(line)
  })

  test('is verified even where the environment turns that off, with a warning', async () => {
    const server = await serve(hello, { key, cert: serverCertificate })
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    try {
      const client = clientOf(server.origin, { env: process.env })
      expect(await exchangeFailure(client, server.origin)).toMatchObject({ code: 'ERR_TLS' })
      expect(client.warnings).toEqual([expect.objectContaining({ code: 'tls-verification-kept' })])
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
    }
  })

  test('with a server that speaks plain HTTP is refused', async () => {
    const server = await serve(() => {})
    const origin = `https://127.0.0.1:${server.port}`
    const failure = exchangeFailure(clientOf(origin), origin)
    await until(() => server.connections.length === 1)
    server.connections[0]!.write('HTTP/1.1 400 Bad Request\r\n\r\n')
    const error = await failure
    expect(error).toMatchObject({ code: 'ERR_TLS' })
    expect(error.toLine()).toMatch(/does not speak TLS: check the scheme and the port$/)
  })
})

describe('a proxy', () => {
  /** A proxy that answers CONNECT with `status`, and after 200 leads every tunnel to `target`. */
  async function proxyTo(target: number, status = '200 OK') {
    const net = await import('node:net')
    return await serve(({ socket, head }) => {
      if (!head.startsWith('CONNECT ')) return
      socket.write(`HTTP/1.1 ${status}\r\n\r\n`)
      if (!status.startsWith('200')) return
      socket.removeAllListeners('data')
      const upstream = net.connect(target, '127.0.0.1')
      upstream.on('error', () => {})
      socket.pipe(upstream).pipe(socket)
    })
  }

  test('is asked for a tunnel, and sees no token', async () => {
    const server = await serve(({ socket }) => socket.write(reply('200 OK', [], page)), {
      key: serverKey,
      cert: serverCertificate,
    })
    const proxy = await proxyTo(server.port)
    const env = { HTTPS_PROXY: `http://us%40er:p%3Aassword@127.0.0.1:${proxy.port}` }
    const client = clientOf('https://api.test', { env, ca: rootCertificate })
    expect((await read((await client.open(new URL('https://api.test/x'))).body)).toString()).toBe(page)
    expect(server.requests[0]!.head).toMatch(/^GET \/x HTTP\/1.1\r\nhost: api.test\r\n/i)
    expect(proxy.requests).toHaveLength(1)
    expect(proxy.requests[0]!.head).toMatch(/^CONNECT api.test:443 HTTP\/1.1/)
    const credentials = Buffer.from('us@er:p:assword').toString('base64')
    expect(proxy.requests[0]!.head).toMatch(new RegExp(`proxy-authorization: Basic ${credentials}`, 'i'))
    expect(proxy.requests[0]!.head).not.toContain(token)
    expect(client.details.join('\n')).not.toContain('assword')
  })

  test('that wants a password is named without the one we gave', async () => {
    const proxy = await proxyTo(1, '407 Proxy Authentication Required')
    const env = { HTTPS_PROXY: `http://user:hunter22@127.0.0.1:${proxy.port}` }
    const error = await exchangeFailure(clientOf('https://api.test', { env }), 'https://api.test')
    expect(error).toMatchObject({ code: 'ERR_PROXY_AUTH', exitCode: 3, isRetryable: false })
    expect(error.message).toContain(`http://127.0.0.1:${proxy.port}`)
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter22')
  })

  test('that cannot reach the server is the network', async () => {
    const proxy = await proxyTo(1, '502 Bad Gateway')
    const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` }
    const error = await exchangeFailure(clientOf('https://api.test', { env }), 'https://api.test')
    expect(error).toMatchObject({
      code: 'ERR_CONNECT',
      isRetryable: true,
      message: expect.stringContaining('answered 502'),
    })
  })

  test('that closes every connection does not keep us for ever', async () => {
    const clock = new ManualClock()
    const proxy = await serve(({ socket }) => socket.end())
    const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` }
    const failure = exchangeFailure(
      clientOf('https://api.test', { env, clock, connectTimeoutMs: 1000 }),
      'https://api.test',
    )
    await until(() => proxy.requests.length >= 1)
    clock.advance(3000)
    expect(await failure).toMatchObject({ code: 'ERR_CONNECT', isRetryable: true })
  })

  test('with a certificate for another name than the server asked for is no way around TLS', async () => {
    const server = await serve(() => {}, { key: serverKey, cert: otherNameCertificate })
    const proxy = await proxyTo(server.port)
    const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` }
    const error = await exchangeFailure(clientOf('https://api.test', { env, ca: rootCertificate }), 'https://api.test')
    expect(error).toMatchObject({ code: 'ERR_TLS' })
    expect(error.message).toContain('of api.test by way of the proxy')
    expect(server.requests).toHaveLength(0)
  })

  test('that has a certificate for another name is refused by that', async () => {
    const proxy = await serve(() => {}, { key: serverKey, cert: otherNameCertificate })
    const env = { HTTPS_PROXY: `https://127.0.0.1:${proxy.port}` }
    const error = await exchangeFailure(clientOf('https://api.test', { env, ca: rootCertificate }), 'https://api.test')
    expect(error).toMatchObject({ code: 'ERR_TLS', exitCode: 4, isRetryable: false })
    expect(error.message).toContain(`of the proxy https://127.0.0.1:${proxy.port} is for another name: other.example`)
    expect(proxy.requests).toHaveLength(0)
  })
})

test('a runtime without WebAssembly is refused before anything is sent', () => {
  vi.stubGlobal('WebAssembly', undefined)
  try {
    expect(() => clientOf('https://api.test')).toThrow(
      expect.objectContaining({
        code: 'ERR_RUNTIME_MISSING',
        exitCode: 2,
        message: expect.stringContaining('WebAssembly'),
        hint: expect.stringContaining('--jitless'),
      }),
    )
  } finally {
    vi.unstubAllGlobals()
  }
})

describe('the client refuses', () => {
  const refusal = (apiUrl: string, rest: object = {}) => {
    try {
      return new HttpClient({ ...defaultDeadlines, apiUrl: new URL(apiUrl), token, env: {}, ...rest })
    } catch (error) {
      return error
    }
  }

  test.each(['http://api.truto.one', 'http://192.168.0.1', 'http://localhost.evil.example', 'http://0.0.0.0'])(
    'plain http to %s unless that is allowed',
    async (apiUrl) => {
      expect(refusal(apiUrl)).toMatchObject({ code: 'ERR_INSECURE_URL', exitCode: 2 })
      expect(refusal(apiUrl, { allowInsecureHttp: true })).toBeInstanceOf(HttpClient)
    },
  )

  test.each(['http://localhost:1', 'http://127.0.0.1', 'http://127.9.9.9', 'http://[::1]', 'https://api.truto.one/v1'])(
    'nothing about %s',
    (apiUrl) => {
      expect(refusal(apiUrl)).toBeInstanceOf(HttpClient)
    },
  )

  test.each([
    ['ftp://api.truto.one'],
    ['https://user:hunter22@api.truto.one'],
    ['https://user@api.truto.one'],
    ['https://api.truto.one/?a=hunter22'],
    ['https://api.truto.one/#hunter22'],
  ])('an API URL of %s, without repeating what is secret in it', (apiUrl) => {
    const error = refusal(apiUrl)
    expect(error).toMatchObject({ code: 'ERR_OPTION_INVALID', exitCode: 2 })
    expect(inspect(error)).not.toContain('hunter22')
  })

  test.each(['', 'with blank', 'two\r\nlines', 'tail\n', 'tab\t', 'nul\0', 'é', 'a\u2028b'])(
    'the token %j, without repeating it',
    (bad) => {
      const error = refusal('https://api.truto.one', { token: bad })
      expect(error).toMatchObject({ code: 'ERR_TOKEN_INVALID', exitCode: 2 })
      if (bad) expect((error as Error).message).not.toContain(bad)
    },
  )

  test.each(['', 'no certificate', rootCertificate.replaceAll('M', 'A'), rootCertificate.slice(0, 300)])(
    'a CA file that holds no certificate',
    (ca) => {
      expect(refusal('https://api.truto.one', { ca })).toMatchObject({ code: 'ERR_OPTION_INVALID' })
    },
  )
})

test('the agent that is loaded without the rest of undici is the one that undici exports', async () => {
  const { default: Agent } = await import('undici/lib/dispatcher/agent.js')
  expect(Agent).toBe((await import('undici')).Agent)
})
