// The server: node:http reads the requests and sends plain answers; answers whose bytes a fault decides are written to
// the socket itself.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { KiB, minute } from '../bytes/units.js'
import { sleep } from '../clock.js'
import { rechunk } from './bodies.js'
import { FaultScript, type StrikingFaults } from './faults.js'
import { RequestLog, type RequestLogEntry } from './log.js'
import type { Settings } from './options.js'
import { PageCache } from './page-cache.js'
import { parseQuery } from './query.js'
import { replyTo } from './replies.js'
import { type ApiState, newState } from './request.js'
import { answer } from './routes.js'
import { type Reply, wireSteps } from './wire.js'

/** Chunks smaller than this are put together into larger writes. */
const smallChunk = 2048
const writeBytes = 64 * KiB

/** The emulator behind its sockets: state, script and log. */
export class EmulatorServer {
  readonly #settings: Settings
  readonly #state: ApiState
  readonly #cache: PageCache
  readonly faults: FaultScript
  readonly log: RequestLog
  readonly #sockets = new Set<Socket>()
  readonly #server = process.getBuiltinModule('node:http').createServer({
    // A cursor may be long, and it comes in the request line.
    maxHeaderSize: 256 * KiB,
    keepAliveTimeout: minute,
    requestTimeout: 0,
    headersTimeout: 0,
    connectionsCheckingInterval: 600_000,
  })
  requests = 0

  constructor(settings: Settings) {
    this.#settings = settings
    this.#state = newState(settings)
    this.#cache = new PageCache(settings.cacheBytes)
    this.faults = new FaultScript(settings.faults)
    this.log = new RequestLog(settings.logSize)
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      // Bytes must not wait for each other: faults are placed by the byte.
      socket.setNoDelay(true)
      socket.on('close', () => this.#sockets.delete(socket))
      // A peer that goes away while we write is what many tests want.
      socket.on('error', () => socket.destroy())
    })
    this.#server.on('request', (request, response) => {
      this.#handle(request, response).catch(() => request.socket.destroy())
    })
  }

  /** Resolves with the port listened on. */
  listen(): Promise<number> {
    const { host, port } = this.#settings
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject)
        resolve((this.#server.address() as AddressInfo).port)
      })
    })
  }

  /** Ends all connections at once. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      for (const socket of this.#sockets) socket.destroy()
    })
  }

  /** As after the start, but for the port and the age of tokens and cursors. */
  reset(): void {
    this.log.clear()
    this.requests = 0
    this.faults.set(this.#settings.faults)
    this.#state.rateLimiter.reset()
    this.#state.isReauthNeeded = this.#settings.needsReauth
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const entry = this.#begin(request)
    // A body that nobody reads would keep the connection from being used again.
    request.resume()
    try {
      const reply = await this.#reply(request, entry)
      entry.status = reply.status
      if (reply.wire) await this.#sendRaw(reply, request.socket, entry)
      else await send(reply, response, entry)
    } catch (error) {
      // A fault that cannot be applied: the test must see it and its reason.
      const text = `emulator: ${error instanceof Error ? error.message : String(error)}`
      entry.status = 500
      if (response.headersSent) request.socket.destroy()
      else response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end(text)
    }
  }

  #begin(request: IncomingMessage): RequestLogEntry {
    const [path, ...rest] = (request.url ?? '/').split('?') as [string, ...string[]]
    const queryText = rest.join('?')
    const { authorization, ...headers } = request.headers
    const entry: RequestLogEntry = {
      method: request.method ?? '',
      path,
      query: parseQuery(queryText),
      queryText,
      headers,
      hasAuthorization: authorization !== undefined,
      isAuthorized: tokenOf(request) === this.#settings.token,
      status: 0,
      records: 0,
      bytes: 0,
      isComplete: false,
    }
    this.requests++
    this.log.add(entry)
    return entry
  }

  #reply(request: IncomingMessage, entry: RequestLogEntry): Promise<Reply> {
    const { method, path, query } = entry
    const settings = this.#settings
    const answered = answer({ method, path, query, token: tokenOf(request) }, this.#state)
    const list = 'list' in answered.content ? answered.content : undefined
    let faults: StrikingFaults = {}
    if (answered.status === 200) faults = this.faults.strike(list?.list ?? path, path, list?.page)
    if (list) {
      entry.page = list.page
      entry.records = list.records
    }
    const kinds = Object.keys(faults)
    if (kinds.length > 0) entry.fault = kinds.join('+')
    if (faults.reauth) this.#state.isReauthNeeded = true
    const accepted = String(request.headers['accept-encoding'] ?? '')
    return replyTo(answered, faults, {
      encoding: accepts(accepted, settings.encoding) ? settings.encoding : 'identity',
      transfer: settings.transfer,
      chunkBytes: settings.chunkBytes,
      contentType: settings.contentType,
      integration: settings.member.integration,
      wallNowMs: settings.clock.wallNow(),
      cache: this.#cache,
    })
  }

  async #sendRaw(reply: Reply, socket: Socket, entry: RequestLogEntry): Promise<void> {
    const { clock } = this.#settings
    const gone = new AbortController()
    socket.once('close', () => gone.abort())
    if (reply.wire?.cut?.at === 'head') entry.status = 0
    for await (const step of wireSteps(reply)) {
      if (socket.destroyed) return
      switch (step.kind) {
        case 'write':
          entry.bytes += step.bodyBytes
          if (step.bytes.length > 0) await written(socket, step.bytes)
          break
        case 'wait':
          try {
            await sleep(clock, step.ms, gone.signal)
          } catch {
            return // the peer went away
          }
          break
        case 'hang':
          return
        case 'end':
          entry.isComplete = step.isComplete
          if (step.how === 'fin') socket.end()
          else await reset(socket)
          return
      }
    }
  }
}

/** Resets the connection once a peer on this machine has read what was sent. A reset that arrives together with data
 *  reaches a program on libuv as a plain end (`uv__stream_io`: end of file on POLLHUP after a partial read), which is
 *  another fault than the one asked for. */
async function reset(socket: Socket): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 10))
  // Where the peer is in this process, it reads in the next turns of this very loop.
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
  socket.resetAndDestroy()
}

/** Sends `reply` through node:http. Resolves when all is handed to the socket, or the peer is gone. */
async function send(reply: Reply, response: ServerResponse, entry: RequestLogEntry): Promise<void> {
  const { body, transfer, chunkBytes, headers } = reply
  response.sendDate = false
  for (const [name, value] of headers) response.setHeader(name, value)
  // RFC 9110 §15.3.5 and §15.4.5: these have no body.
  const hasBody = reply.status !== 204 && reply.status !== 304
  if (transfer === 'length' && hasBody) response.setHeader('content-length', body.byteLength!)
  response.writeHead(reply.status)
  const pieces = rechunk(body.chunks(), () => chunkBytes)
  const { socket } = response
  if (transfer === 'chunked' && chunkBytes < smallChunk && socket) {
    response.flushHeaders()
    await sendSmallChunks(pieces, socket, entry)
  } else {
    for await (const piece of pieces) {
      entry.bytes += piece.length
      if (!response.write(piece) && !(await drained(response))) return
    }
  }
  if (response.destroyed) return
  entry.isComplete = true
  response.end()
}

/** Writes each piece as a chunk of its own, many of them at once: node:http would make a system call of each, or join
 *  them. */
async function sendSmallChunks(pieces: AsyncIterable<Buffer>, socket: Socket, entry: RequestLogEntry): Promise<void> {
  let held: Buffer[] = []
  let heldBytes = 0
  const flush = async (): Promise<void> => {
    const block = Buffer.concat(held)
    held = []
    heldBytes = 0
    await written(socket, block)
  }
  for await (const piece of pieces) {
    const size = Buffer.from(`${piece.length.toString(16)}\r\n`, 'latin1')
    held.push(size, piece, crlf)
    heldBytes += size.length + piece.length + 2
    entry.bytes += piece.length
    if (heldBytes >= writeBytes) await flush()
    if (socket.destroyed) return
  }
  await flush()
}

const crlf = Buffer.from('\r\n')

/** Resolves when the kernel has the bytes, or the socket is gone. */
function written(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve()
    socket.write(bytes, () => resolve())
  })
}

/** Resolves with true when more can be written, with false when the peer is gone. */
function drained(response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    if (response.destroyed) return resolve(false)
    const done = (isOpen: boolean): void => {
      response.off('drain', onDrain)
      response.off('close', onClose)
      resolve(isOpen)
    }
    const onDrain = (): void => done(true)
    const onClose = (): void => done(false)
    response.on('drain', onDrain)
    response.on('close', onClose)
  })
}

function tokenOf(request: IncomingMessage): string | undefined {
  return /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
}

/** Whether an Accept-Encoding takes this coding. */
function accepts(header: string, encoding: string): boolean {
  return header.split(',').some((item) => {
    const [name, ...parameters] = item.split(';').map((part) => part.trim().toLowerCase())
    return (name === encoding || name === '*') && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))
  })
}
