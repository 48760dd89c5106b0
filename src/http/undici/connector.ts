// The connections of a dispatcher of undici, with what undici makes of them put right: a reset is never the end of a
// body, an interim answer that nobody asked for is passed over, a TLS alert is what the connection ended with, and a
// connection that cannot be had is the caller's to ask for again.

import dns from 'node:dns'
import net, { type LookupFunction, type Socket } from 'node:net'
import buildConnector from 'undici/lib/core/connect.js'
import symbols from 'undici/lib/core/symbols.js'
import { second } from '../../bytes/units.js'
import { resetCode } from '../network-error.js'
import { receivingConnector } from './receiving-sockets.js'

type ConnectOptions = NonNullable<Parameters<typeof buildConnector>[0]>
export type Connector = ReturnType<typeof buildConnector>

/** A connector with the given options, as fast as this runtime allows. */
export function connectorOf(options: ConnectOptions): Connector {
  const lookup = familyMemory()
  // Bun 1.4 gives a socket with `onread` its first read only, once something listens to `readable` (oven-sh/bun#42418)
  const connector = 'bun' in process.versions ? buildConnector : receivingConnector
  const connect = mended(connector({ lookup: lookup.lookup, ...options } as ConnectOptions))
  return (request, callback) =>
    connect(request, (error, socket) => {
      if (error !== null) return callback(error, null)
      lookup.connected(request.hostname, socket)
      callback(null, socket)
    })
}

/** `connect` with what its sockets tell undici put right. */
export function mended(connect: Connector): Connector {
  return (request, callback) => {
    connect(request, (error, socket) => {
      if (error !== null) return callback(asFinal(error), null)
      if (socket.destroyed) return callback(lost('closed as it was made'), null)
      keepError(socket)
      const onResumed = guardEnd(socket)
      callback(null, socket)
      mendParser(socket, onResumed)
    })
  }
}

/** undici asks again at once, and for ever, for a connection that was lost as it was made: a proxy that closes at
 *  CONNECT was asked thousands of times in a second. Under another code the request fails, and is the caller's to
 *  repeat. */
function asFinal(error: Error): Error {
  const code = 'code' in error ? error.code : undefined
  return code === 'UND_ERR_SOCKET' || code === 'UND_ERR_INFO' ? lost(error.message, error) : error
}

function lost(message: string, cause?: Error): Error {
  return Object.assign(new Error(message, { cause }), { code: resetCode })
}

/** The listener stands before that of undici. */
function keepError(socket: Socket): void {
  socket.on('error', (error: NodeJS.ErrnoException) => {
    // undici takes this code for the end of a body that has neither length nor chunks
    if (error.code === 'ECONNRESET') error.code = resetCode
    // Node.js keeps a connection that a TLS alert ended, and the end of the stream would take the place of the alert:
    // that the server wants a certificate of ours, say, which TLS 1.3 tells after the handshake
    socket.destroy()
  })
}

/**
 * Lets a stream end only where it did, and when undici can take it:
 * - Of a reset that comes while nobody reads, Node.js tells as of an end (libuv makes one of POLLHUP after a short
 * read), but the system knows no peer any more.
 * - undici's parser fails an assertion, and the process with it, where it is told of an end while it is held back.
 * @returns to be called when the parser goes on
 */
function guardEnd(socket: Socket): () => void {
  const emit = socket.emit.bind(socket) as (event: string | symbol, ...args: unknown[]) => boolean
  let isHeld = false
  const end = (): boolean => {
    isHeld = parserOf(socket)?.paused === true
    return isHeld || emit('end')
  }
  socket.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event !== 'end') return emit(event, ...args)
    // undici closes what has ended; until then Node.js shall not
    socket.allowHalfOpen = true
    // asked for here alone: Node.js keeps what it was told the first time
    if (socket.remoteAddress !== undefined) return end()
    socket.destroy(lost('reset'))
    return true
  }
  return () => {
    if (isHeld) end()
  }
}

interface Parser {
  readonly paused: boolean
  resume: () => void
  onHeadersComplete(statusCode: number, ...rest: unknown[]): number
}

/** undici's parser of what comes from the socket, while it has one. */
function parserOf(socket: Socket): Parser | null | undefined {
  return (socket as unknown as Record<symbol, Parser | null | undefined>)[symbols.kParser]
}

/** A client has to be able to take a 100 that it did not ask for (RFC 9110 §15.2). undici ends the connection there,
 *  and passes over a 102. */
function mendParser(socket: Socket, onResumed: () => void): void {
  const parser = parserOf(socket)
  if (typeof parser?.onHeadersComplete !== 'function' || typeof parser.resume !== 'function') return
  const { onHeadersComplete, resume } = parser
  parser.onHeadersComplete = (statusCode, ...rest) =>
    onHeadersComplete.call(parser, statusCode === 100 ? 102 : statusCode, ...rest)
  parser.resume = () => {
    resume()
    onResumed()
  }
}

/** Time for one of a name's addresses before the next one is tried; `connectTimeoutMs` is for all of them. Node.js
 *  gives up the one for the other, it does not race them, so this has to be longer than any handshake: after a lost
 *  packet those take more than a second. Node's own setting counts where it was made. */
export function attemptTimeoutMs(connectTimeoutMs: number): number {
  const set = net.getDefaultAutoSelectFamilyAttemptTimeout()
  const isGiven = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].some((text) => text.includes(attemptFlag))
  if (isGiven || !nodeDefaults.includes(set)) return set
  // of a short time, half is left for the next address; less than 10 ms Node does not take
  return Math.max(10, Math.min(2.5 * second, Math.floor(connectTimeoutMs / 2)))
}

const attemptFlag = '--network-family-autoselection-attempt-timeout'
/** Until Node.js 24, and in later versions. */
const nodeDefaults = [250, 500]

/** By host name, the family of addresses that were reached after one of the other family, which comes first, was
 *  not. */
const reachedFamilies = new Map<string, number>()

/** A lookup that puts addresses of the family first that were reached before, so that a dead route costs its time once
 *  in a process. */
export function familyMemory(resolve: typeof dns.lookup = dns.lookup): {
  lookup: LookupFunction
  connected(hostname: string, socket: Pick<Socket, 'localFamily'>): void
} {
  const firstFamilies = new Map<string, number>()
  return {
    lookup(hostname, options, callback) {
      resolve(hostname, options, (error, addresses, family) => {
        if (error !== null || !Array.isArray(addresses)) return callback(error, addresses, family)
        firstFamilies.set(hostname, addresses[0]?.family ?? 0)
        const reached = reachedFamilies.get(hostname)
        const isOther = (address: { family: number }): number => (address.family === reached ? 0 : 1)
        callback(null, reached === undefined ? addresses : addresses.toSorted((a, b) => isOther(a) - isOther(b)))
      })
    },
    connected(hostname, { localFamily }) {
      const first = firstFamilies.get(hostname)
      if (first === undefined || localFamily === undefined) return
      const family = localFamily === 'IPv6' ? 6 : 4
      if (family === first) reachedFamilies.delete(hostname)
      else reachedFamilies.set(hostname, family)
    },
  }
}
