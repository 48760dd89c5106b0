// What connections tell, over plain HTTP, TLS, a proxy and both, with our own sockets and with those of undici that Bun
// needs.

import http2 from 'node:http2'
import net from 'node:net'
import tls from 'node:tls'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { HttpClient } from '../../../src/http/client.js'
import { isLostConnection } from '../../../src/http/network-error.js'
import { attemptTimeoutMs, familyMemory } from '../../../src/http/undici/connector.js'
import { receivingConnector } from '../../../src/http/undici/receiving-sockets.js'
import { rootCertificate, serverCertificate, serverKey } from '../certificates.js'
import { clientOf, exchangeFailure, failureOf, read, reply, until } from '../harness.js'

vi.mock(import('../../../src/http/undici/receiving-sockets.js'), async (original) => {
  const own = await original()
  return { ...own, receivingConnector: vi.fn(own.receivingConnector) }
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.mocked(receivingConnector).mockClear()
})

const page = '{"result":[{"id":"1"}],"next_cursor":null}'

/** What an answer is written with: `socket` speaks, `reset` pulls the plug of the connection under it. */
interface Peer {
  readonly socket: net.Socket
  reset(): void
}

type Answer = (peer: Peer) => unknown

interface Server {
  readonly origin: string
  /** Requests so far. */
  requests: number
}

async function listen(server: net.Server): Promise<number> {
  const sockets = new Set<net.Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as net.AddressInfo).port
}

async function serve(answer: Answer, isTls: boolean): Promise<Server> {
  const served = { origin: '', requests: 0 }
  const accept = (socket: net.Socket, raw: net.Socket): void => {
    socket.on('error', () => {})
    socket.on('data', () => {
      served.requests++
      answer({ socket, reset: () => raw.resetAndDestroy() })
    })
  }
  if (!isTls) {
    served.origin = `http://127.0.0.1:${await listen(net.createServer((socket) => accept(socket, socket)))}`
    return served
  }
  const raws: net.Socket[] = []
  const server = tls.createServer({ key: serverKey, cert: serverCertificate }, (socket) => {
    accept(socket, raws.find((raw) => raw.remotePort === socket.remotePort)!)
  })
  server.on('connection', (raw) => raws.push(raw))
  served.origin = `https://127.0.0.1:${await listen(server)}`
  return served
}

/** A proxy that leads each tunnel to `target`, and resets it where the other side was reset. */
async function proxyTo(target: number): Promise<number> {
  return await listen(
    net.createServer((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        const upstream = net.connect(target, '127.0.0.1')
        upstream.on('error', () => socket.resetAndDestroy())
        // a reset that comes while the proxy is held back looks like an end to it
        upstream.on('end', () => (upstream.remoteAddress === undefined ? socket.resetAndDestroy() : socket.end()))
        socket.on('close', () => upstream.destroy())
        socket.pipe(upstream, { end: false })
        upstream.pipe(socket, { end: false })
      })
    }),
  )
}

const routes = ['http', 'https', 'http by way of a proxy', 'https by way of a proxy'] as const

async function over(
  route: (typeof routes)[number],
  answer: Answer,
): Promise<{ client: HttpClient; server: Server; url: URL }> {
  const server = await serve(answer, route.startsWith('https'))
  const target = new URL(server.origin)
  if (!route.includes('proxy')) {
    return { client: clientOf(server.origin, { ca: rootCertificate }), server, url: target }
  }
  const proxy = `http://127.0.0.1:${await proxyTo(Number(target.port))}`
  const url = new URL(`${target.protocol}//api.test`)
  const env = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy }
  const client = clientOf(url.origin, { ca: rootCertificate, env, allowInsecureHttp: true })
  return { client, server, url }
}

/** Bun, as far as the choice of sockets goes. */
function pretendBun(): void {
  const { versions } = process
  Object.defineProperty(process, 'versions', { value: { ...versions, bun: '1.4.5' }, configurable: true })
  onTestFinished(() => void Object.defineProperty(process, 'versions', { value: versions, configurable: true }))
}

const runtimes = [
  ['our sockets', () => {}],
  ['those of undici', pretendBun],
] as const

describe.each(runtimes)('with %s', (_, pretend) => {
  test.each(routes)('a body over %s that ends with its connection does not end with a reset', async (route) => {
    pretend()
    let end: 'reset' | 'end' = 'reset'
    const { client, url } = await over(route, ({ socket, reset }) => {
      // whole lines, as NDJSON has them, and whole documents
      socket.write(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${page}\n`, () => {
        if (end === 'reset') setTimeout(reset, 20)
        else socket.end()
      })
    })
    const error = await exchangeFailure(client, url.href)
    expect(error).toMatchObject({ code: 'ERR_BODY_TRUNCATED', exitCode: 5, isRetryable: true, page: undefined })
    expect(isLostConnection(error)).toBe(true)
    // the same bytes and an end in order: nobody can tell that from a whole body
    end = 'end'
    expect((await read((await client.open(url)).body)).toString()).toBe(`${page}\n`)
  })

  test.each(routes)(
    '100 Continue over %s that nobody asked for is passed over, however often it comes',
    async (route) => {
      pretend()
      const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100\r\nX-A: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n'
      const { client, server, url } = await over(route, async ({ socket }) => {
        for (const byte of interim) {
          socket.write(byte)
          await new Promise((resolve) => setImmediate(resolve))
        }
        socket.write(reply('200 OK', [], page))
      })
      for (let i = 0; i < 2; i++) expect((await read((await client.open(url)).body)).toString()).toBe(page)
      expect(server.requests).toBe(2)
    },
  )

  // what the kernel holds is read first, and a reset that comes meanwhile looks like an end to Node.js
  test.each(routes)('the slow reader of a body over %s gets what has arrived, and then the reset', async (route) => {
    pretend()
    const body = Buffer.alloc(1_500_000, 'x')
    for (const ms of [0, 20, 50, 100]) {
      let isReset = false
      const { client, url } = await over(route, ({ socket, reset }) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        socket.write(body)
        setTimeout(() => {
          isReset = true
          reset()
        }, ms)
      })
      const reading = (async () => {
        for await (const _chunk of (await client.open(url)).body) {
          await until(() => isReset)
          await new Promise((resolve) => setTimeout(resolve, 10))
        }
      })()
      expect(await failureOf(reading)).toMatchObject({ code: expect.stringMatching(/^ERR_(BODY_TRUNCATED|CONNECT)$/) })
    }
  })

  test.each(routes)('the slow reader of a body over %s gets all of it where it ends in order', async (route) => {
    pretend()
    for (let length = 200_000; length < 900_000; length += 70_000) {
      const body = Buffer.alloc(length, 'x')
      const { client, url } = await over(route, ({ socket }) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        socket.end(body)
      })
      let read = 0
      for await (const chunk of (await client.open(url)).body) {
        read += chunk.length
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      expect(read).toBe(length)
    }
  })
})

test('our sockets are used where they work, and those of undici under Bun', async () => {
  const { client, url } = await over('http', ({ socket }) => socket.write(reply('200 OK', [], page)))
  expect((await read((await client.open(url)).body)).toString()).toBe(page)
  expect(receivingConnector).toHaveBeenCalledTimes(1)
  pretendBun()
  const body = 'x'.repeat(3_000_000)
  const other = await over('http', ({ socket }) => socket.write(reply('200 OK', [], body)))
  expect((await read((await other.client.open(other.url)).body)).toString()).toBe(body)
  expect(receivingConnector).toHaveBeenCalledTimes(1)
})

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'a server that wants a client certificate under %s says so',
  async (maxVersion) => {
    const options = { key: serverKey, cert: serverCertificate, requestCert: true, ca: rootCertificate, maxVersion }
    const port = await listen(tls.createServer(options).on('tlsClientError', () => {}))
    const origin = `https://127.0.0.1:${port}`
    const error = await exchangeFailure(clientOf(origin, { ca: rootCertificate }), origin)
    expect(error).toMatchObject({ code: 'ERR_TLS', exitCode: 4, isRetryable: false })
    expect(error.toLine()).toMatch(/wants a client certificate: .*; truto-export has no client certificate to give$/)
  },
)

test('a server that speaks HTTP/2 is asked in HTTP/1.1', async () => {
  const offered: string[][] = []
  const versions: string[] = []
  const server = http2.createSecureServer({
    key: serverKey,
    cert: serverCertificate,
    allowHTTP1: true,
    ALPNCallback: ({ protocols }) => {
      offered.push(protocols)
      return protocols.includes('h2') ? 'h2' : 'http/1.1'
    },
  })
  server.on('request', (request, response) => {
    versions.push(request.httpVersion)
    response.end(page)
  })
  const origin = `https://127.0.0.1:${await listen(server as unknown as net.Server)}`
  const { body } = await clientOf(origin, { ca: rootCertificate }).open(new URL(origin))
  expect((await read(body)).toString()).toBe(page)
  expect([offered, versions]).toEqual([[['http/1.1']], ['1.1']])
})

test('a proxy that closes at CONNECT is asked once for each try', async () => {
  for (const scheme of ['http', 'https']) {
    for (const close of ['end', 'resetAndDestroy'] as const) {
      let asked = 0
      const port = await listen(
        net.createServer((socket) => {
          socket.once('data', () => {
            asked++
            socket[close]()
          })
        }),
      )
      const env = { HTTP_PROXY: `http://127.0.0.1:${port}`, HTTPS_PROXY: `http://127.0.0.1:${port}` }
      const origin = `${scheme}://api.test`
      const error = await exchangeFailure(clientOf(origin, { env, allowInsecureHttp: true }), origin)
      expect(error).toMatchObject({ code: 'ERR_CONNECT', exitCode: 5, isRetryable: true })
      expect(error.message).toContain(`api.test by way of the proxy http://127.0.0.1:${port}`)
      expect([scheme, close, asked]).toEqual([scheme, close, 1])
    }
  }
})

describe('the time for one address of several', () => {
  test('is longer than a handshake with a lost packet, within the time for all of them', () => {
    expect(attemptTimeoutMs(10_000)).toBe(2500)
    expect(attemptTimeoutMs(3_600_000)).toBe(2500)
    expect(attemptTimeoutMs(3000)).toBe(1500)
    expect(attemptTimeoutMs(1)).toBe(10)
  })

  test("is Node's own where the user set that: in code, by a flag, by the environment", () => {
    const before = net.getDefaultAutoSelectFamilyAttemptTimeout()
    net.setDefaultAutoSelectFamilyAttemptTimeout(777)
    expect(attemptTimeoutMs(10_000)).toBe(777)
    net.setDefaultAutoSelectFamilyAttemptTimeout(before)
    expect(attemptTimeoutMs(10_000)).toBe(2500)
    vi.stubEnv('NODE_OPTIONS', '--network-family-autoselection-attempt-timeout=250')
    expect(attemptTimeoutMs(10_000)).toBe(before)
    vi.unstubAllEnvs()
    process.execArgv.push('--network-family-autoselection-attempt-timeout=250')
    expect(attemptTimeoutMs(10_000)).toBe(before)
    process.execArgv.pop()
    expect(attemptTimeoutMs(10_000)).toBe(2500)
  })

  test('is what connections are made with', async () => {
    const connect = vi.spyOn(net, 'connect')
    const { client, url } = await over('http', ({ socket }) => socket.write(reply('200 OK', [], page)))
    await read((await client.open(url)).body)
    expect(connect.mock.calls[0]![0]).toMatchObject({ autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 2500 })
  })
})

describe('the order of addresses', () => {
  const v6 = { address: '2001:db8::1', family: 6 }
  const v4 = [
    { address: '192.0.2.1', family: 4 },
    { address: '192.0.2.2', family: 4 },
  ]
  const found = [v6, ...v4]
  const resolve = ((_name: string, _options: object, callback: (...args: unknown[]) => void) =>
    callback(null, found)) as never
  const memory = familyMemory(resolve)
  const order = (hostname: string): unknown => {
    let given: unknown
    memory.lookup(hostname, { all: true }, (_error, addresses) => {
      given = addresses
    })
    return given
  }

  test('has the family first that was reached, once the one before it was not', () => {
    expect(order('a.test')).toEqual(found)
    memory.connected('a.test', { localFamily: 'IPv4' })
    expect(order('a.test')).toEqual([...v4, v6])
    // also for another client of this process, but for no other name
    const another = familyMemory(resolve)
    another.lookup('a.test', { all: true }, (_error, addresses) => expect(addresses).toEqual([...v4, v6]))
    expect(order('b.test')).toEqual(found)
    // it stays so while that family is reached, until the first one is
    memory.connected('a.test', { localFamily: 'IPv4' })
    expect(order('a.test')).toEqual([...v4, v6])
    memory.connected('a.test', { localFamily: 'IPv6' })
    expect(order('a.test')).toEqual(found)
  })

  test('is what a connection is made by', async () => {
    const { client, url } = await over('http', ({ socket }) => socket.write(reply('200 OK', [], page)))
    const connect = vi.spyOn(net, 'connect')
    await read((await client.open(url)).body)
    expect(connect.mock.calls[0]![0]).toMatchObject({ lookup: expect.any(Function) })
  })

  test('is left alone where one address alone was asked for, or none was found', () => {
    const one = familyMemory(((_n: string, _o: object, callback: (...args: unknown[]) => void) =>
      callback(null, '192.0.2.1', 4)) as never)
    one.lookup('a.test', {}, (...args) => expect(args).toEqual([null, '192.0.2.1', 4]))
    const none = familyMemory(((_n: string, _o: object, callback: (...args: unknown[]) => void) =>
      callback(new Error('ENOTFOUND'))) as never)
    none.lookup('a.test', { all: true }, (error) => expect(error).toBeInstanceOf(Error))
  })
})
