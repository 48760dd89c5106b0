// What the tests of the client share: a server that says exactly the bytes it is told to, a clock that is moved by
// hand, and a check that no error holds the token.

import net from 'node:net'
import tls from 'node:tls'
import { inspect } from 'node:util'
import { expect, onTestFinished } from 'vitest'
import type { Clock } from '../../src/clock.js'
import { ExportError } from '../../src/errors.js'
import { HttpClient, type HttpClientOptions } from '../../src/http/client.js'
import { defaultDeadlines } from '../helpers/table-defaults.js'

export const token = 'tok-5f0c7f2e-secret'

export interface RawRequest {
  readonly socket: net.Socket
  /** Request line and headers as they came. */
  readonly head: string
  /** Number of the request at this server, from 1. */
  readonly number: number
  /** Number of the connection at this server, from 1. */
  readonly connection: number
}

export interface RawServer {
  readonly port: number
  readonly origin: string
  readonly requests: RawRequest[]
  readonly connections: net.Socket[]
}

/** A server on loopback that hands each request to `answer`, which writes what it likes. Closed when the test ends. */
export async function serve(
  answer: (request: RawRequest) => unknown,
  tlsOptions?: { key: string; cert: string },
): Promise<RawServer> {
  const requests: RawRequest[] = []
  const connections: net.Socket[] = []
  const accept = (socket: net.Socket): void => {
    const connection = connections.push(socket)
    let received = ''
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      for (let end = received.indexOf('\r\n\r\n'); end >= 0; end = received.indexOf('\r\n\r\n')) {
        const request = { socket, head: received.slice(0, end), number: requests.length + 1, connection }
        received = received.slice(end + 4)
        requests.push(request)
        answer(request)
      }
    })
  }
  const server = tlsOptions ? tls.createServer(tlsOptions, accept) : net.createServer(accept)
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of connections) socket.destroy()
    server.close()
  })
  const { port } = server.address() as net.AddressInfo
  return { port, origin: `${tlsOptions ? 'https' : 'http'}://127.0.0.1:${port}`, requests, connections }
}

/** An answer as text: `reply('200 OK', ['Content-Type: text/plain'], 'body')`, with its Content-Length. */
export function reply(status: string, headers: readonly string[] = [], body: string | Buffer = ''): Buffer {
  const bytes = Buffer.from(body)
  const head = [`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${bytes.length}`].join('\r\n')
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`, 'latin1'), bytes])
}

/** A client of `origin` whose detail lines are kept and checked for the token; closed when the test ends. */
export function clientOf(
  origin: string,
  options: Partial<HttpClientOptions> = {},
): HttpClient & { readonly details: string[] } {
  const details: string[] = []
  const client = new HttpClient({
    ...defaultDeadlines,
    apiUrl: new URL(origin),
    token,
    env: {},
    onDetail: (line) => details.push(line),
    ...options,
  })
  onTestFinished(async () => {
    await client.close()
    expect(details.join('\n')).not.toContain(token)
  })
  return Object.assign(client, { details })
}

/** Reads a body to its end. */
export async function read(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

/** The error that `promise` rejects with: one of ours, without the token anywhere in it, its causes and its hidden
 *  properties. */
export async function failureOf(promise: Promise<unknown>): Promise<ExportError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ExportError)
  expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain(token)
  return error as ExportError
}

/** Opens, reads to the end, and returns the error of whichever failed. */
export function exchangeFailure(client: HttpClient, url: string): Promise<ExportError> {
  return failureOf(client.open(new URL(url)).then(({ body }) => read(body)))
}

/** Resolves as soon as `condition` holds; the loopback answers within some milliseconds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1))
}

/** A clock that stands still until `advance` moves it. */
export class ManualClock implements Clock {
  #nowMs = 0
  #timers: { atMs: number; callback: () => void }[] = []

  now(): number {
    return this.#nowMs
  }

  wallNow(): number {
    return Date.UTC(2026, 10, 23) + this.#nowMs
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  get pending(): number {
    return this.#timers.length
  }

  advance(ms: number): void {
    const targetMs = this.#nowMs + ms
    for (;;) {
      const due = this.#timers.filter(({ atMs }) => atMs <= targetMs).sort((a, b) => a.atMs - b.atMs)[0]
      if (due === undefined) break
      this.#timers.splice(this.#timers.indexOf(due), 1)
      this.#nowMs = due.atMs
      due.callback()
    }
    this.#nowMs = targetMs
  }
}
