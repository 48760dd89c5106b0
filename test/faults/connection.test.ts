// Names, routes, TLS and proxies: what is between us and the server, end to end.

import { writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import tls from 'node:tls'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import type { Emulator } from '../../src/emulator/emulator.js'
import { ExportError } from '../../src/errors.js'
import type { ExportOptions } from '../../src/export/export.js'
import {
  expiredCertificate,
  otherNameCertificate,
  otherRootCertificate,
  rootCertificate,
  serverCertificate,
  serverKey,
} from '../http/certificates.js'
import {
  emulate,
  everythingIn,
  FaultClock,
  membersText,
  type Outcome,
  run,
  temporaryDirectory,
  usual,
} from './harness.js'
import { type StartOptions, start } from './program.js'

afterEach(() => vi.unstubAllEnvs())

async function listen(server: net.Server): Promise<number> {
  const sockets = new Set<net.Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as net.AddressInfo).port
}

function joined(socket: net.Socket, port: number): void {
  const upstream = net.connect(port, '127.0.0.1')
  upstream.on('error', () => socket.destroy())
  upstream.on('close', () => socket.destroy())
  socket.on('close', () => upstream.destroy())
  socket.on('error', () => upstream.destroy())
  socket.pipe(upstream).pipe(socket)
}

/** TLS in front of an emulator. Resolves with its port. */
function tlsFront(server: Emulator, cert = serverCertificate): Promise<number> {
  const front = tls.createServer({ key: serverKey, cert }, (socket) => joined(socket, server.port))
  front.on('tlsClientError', () => {})
  return listen(front)
}

/** A proxy for CONNECT that notes the heads of all requests and leads each to `port`, or answers `refusal`. */
async function proxy(port: number, refusal?: string): Promise<{ port: number; heads: string[] }> {
  const heads: string[] = []
  const server = net.createServer((socket) => {
    socket.once('data', (data) => {
      heads.push(data.toString('latin1'))
      if (refusal !== undefined) return socket.end(`HTTP/1.1 ${refusal}\r\nContent-Length: 0\r\n\r\n`)
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      joined(socket, port)
    })
  })
  return { port: await listen(server), heads }
}

async function exportFrom(
  apiUrl: string,
  options: Partial<ExportOptions> = {},
): Promise<Outcome & { server: Emulator }> {
  const server = await emulate({ clock: new FaultClock() })
  return { ...(await run({ server, options: { apiUrl, ...options } })), server }
}

test('a name that does not resolve is tried three times and named', async () => {
  // Longer than a label can be, so that no resolver is asked.
  const host = `${'x'.repeat(64)}.invalid`
  const { error, events, server } = await exportFrom(`https://${host}`)
  expect(error).toMatchObject({ code: 'ERR_DNS', exitCode: 5, page: 1 })
  expect((error as ExportError).toLine()).toContain(host)
  expect(events.filter(({ kind }) => kind === 'retry')).toHaveLength(2)
  expect(server.requests).toBe(0)
})

test('a connection that is refused is tried six times', async () => {
  const closed = net.createServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.address() as net.AddressInfo
  await new Promise((resolve) => closed.close(resolve))
  const { error, events } = await exportFrom(`http://127.0.0.1:${port}`)
  expect(error).toMatchObject({ code: 'ERR_CONNECT', exitCode: 5, page: 1 })
  expect((error as ExportError).toLine()).toContain(`127.0.0.1:${port}`)
  expect(events.filter(({ kind }) => kind === 'retry')).toHaveLength(5)
})

test('a name with more than one address works where only one of them answers', async () => {
  const server = await emulate({ clock: new FaultClock() })
  const { output } = await run({ server, options: { apiUrl: `http://localhost:${server.port}` } })
  expect(output?.toString()).toBe(membersText(usual))
})

test.each([
  ['of an unknown root', serverCertificate, {}],
  ['for another name', otherNameCertificate, { ca: rootCertificate }],
  ['that has expired', expiredCertificate, { ca: rootCertificate }],
])('a certificate %s is refused at once, without a request', async (_, cert, options) => {
  const server = await emulate({ clock: new FaultClock() })
  const port = await tlsFront(server, cert)
  const { error, events } = await run({ server, options: { apiUrl: `https://127.0.0.1:${port}`, ...options } })
  expect(error).toMatchObject({ code: 'ERR_TLS', exitCode: 4, page: 1 })
  expect(events.filter(({ kind }) => kind === 'retry')).toEqual([])
  expect(server.requests).toBe(0)
})

test('a root that was given is trusted, and the environment cannot turn verification off', async () => {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
  const server = await emulate({ clock: new FaultClock() })
  const port = await tlsFront(server)
  const apiUrl = `https://127.0.0.1:${port}`
  const fine = await run({ server, options: { apiUrl, ca: rootCertificate } })
  expect(fine.output?.toString()).toBe(membersText(usual))
  expect(fine.report?.warnings).toEqual([expect.objectContaining({ code: 'tls-verification-kept' })])
  server.reset()
  const refused = await run({ server, options: { apiUrl } })
  expect(refused.error).toMatchObject({ code: 'ERR_TLS', exitCode: 4 })
  expect(server.requests).toBe(0)
})

test('what Node.js is told to trust beside its roots stays trusted where a root is given', async () => {
  const server = await emulate({})
  const port = await tlsFront(server)
  const directory = temporaryDirectory()
  const [root, other] = [join(directory, 'root.pem'), join(directory, 'other.pem')]
  writeFileSync(root, rootCertificate)
  writeFileSync(other, otherRootCertificate)
  const ways: StartOptions[] = [
    { env: { NODE_EXTRA_CA_CERTS: root } },
    { env: { SSL_CERT_FILE: root }, node: ['--use-openssl-ca'] },
    // as Node.js has it: without its flag the variable counts for nothing
    { env: { SSL_CERT_FILE: root } },
  ]
  const codes: (number | null)[] = []
  for (const [index, way] of ways.entries()) {
    const front = { ...server, url: `https://127.0.0.1:${port}` }
    const flags = ['--quiet', '--ca', other]
    const { code } = await start(front, join(directory, `${index}.ndjson`), { ...way, flags }).ended
    codes.push(code)
  }
  expect(codes).toEqual([0, 0, 4])
})

test("as many headers are taken as Node.js's own limit allows", async () => {
  const server = await emulate({ faults: [{ kind: 'headers', bytes: 40_000, attempt: 'every' }] })
  const path = join(temporaryDirectory(), 'out.ndjson')
  const refused = await start(server, path).ended
  expect([refused.code, server.requests]).toEqual([5, 1])
  expect(refused.stderr).toMatch(/has more than 16KiB of headers .*NODE_OPTIONS=--max-http-header-size=65536/)
  const taken = await start(server, path, { env: { NODE_OPTIONS: '--max-http-header-size=65536' } }).ended
  expect([taken.code, taken.stderr]).toEqual([0, ''])
})

test('without WebAssembly nothing is sent, and the reason is all that is said', async () => {
  const server = await emulate({})
  const path = join(temporaryDirectory(), 'out.ndjson')
  const { code, stderr } = await start(server, path, { node: ['--jitless', '--no-warnings'] }).ended
  const lines = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('Warning: disabling flag'))
  expect([code, server.requests, lines]).toEqual([2, 0, [expect.stringMatching(/ERR_RUNTIME_MISSING.*--jitless/)]])
})

test('a proxy that closes at CONNECT is asked once for each try, with the waits between them', async () => {
  const server = await emulate({ clock: new FaultClock() })
  const asked: string[] = []
  const port = await listen(
    net.createServer((socket) => {
      socket.once('data', (head) => {
        asked.push(String(head))
        socket.end()
      })
    }),
  )
  vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${port}`)
  vi.stubEnv('NO_PROXY', '')
  const { error, waits } = await run({ server, options: { apiUrl: 'https://api.test' } })
  expect(error).toMatchObject({ code: 'ERR_CONNECT', exitCode: 5, page: 1 })
  expect([asked.length, waits.length]).toEqual([6, 4])
})

test('a proxy is asked for a tunnel with its own credentials and never sees the token', async () => {
  const server = await emulate({ clock: new FaultClock() })
  const tunnel = await proxy(await tlsFront(server))
  vi.stubEnv('HTTPS_PROXY', `http://user:hunter22@127.0.0.1:${tunnel.port}`)
  vi.stubEnv('NO_PROXY', '')
  const outcome = await run({ server, options: { apiUrl: 'https://api.test', ca: rootCertificate } })
  expect(outcome.output?.toString()).toBe(membersText(usual))
  expect(tunnel.heads).toHaveLength(1)
  expect(tunnel.heads[0]).toMatch(/^CONNECT api\.test:443 HTTP\/1\.1\r\n/)
  expect(tunnel.heads[0]).not.toMatch(/\r\nauthorization:/i)
  expect(everythingIn([outcome.report, outcome.events])).not.toContain('hunter22')
})

test('a proxy that wants authentication is named without its password, and not asked again', async () => {
  const tunnel = await proxy(0, '407 Proxy Authentication Required')
  vi.stubEnv('HTTPS_PROXY', `http://user:hunter22@127.0.0.1:${tunnel.port}`)
  vi.stubEnv('NO_PROXY', '')
  const { error, events, server } = await exportFrom('https://api.test')
  expect(error).toBeInstanceOf(ExportError)
  expect(error).toMatchObject({ code: 'ERR_PROXY_AUTH', exitCode: 3, page: 1 })
  expect((error as ExportError).toLine()).toContain(`http://127.0.0.1:${tunnel.port}`)
  expect(everythingIn([error, events])).not.toContain('hunter22')
  expect([tunnel.heads.length, server.requests]).toEqual([1, 0])
})

test('a host that NO_PROXY names is asked directly', async () => {
  const tunnel = await proxy(0, '502 Bad Gateway')
  const host = `${'x'.repeat(64)}.invalid`
  vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${tunnel.port}`)
  vi.stubEnv('NO_PROXY', '.invalid')
  const { error } = await exportFrom(`https://${host}`)
  // it does not resolve, which is what shows that we tried
  expect(error).toMatchObject({ code: 'ERR_DNS', exitCode: 5 })
  expect(tunnel.heads).toEqual([])
})
