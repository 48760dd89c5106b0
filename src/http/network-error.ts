// What undici, Node and OpenSSL throw, as errors of ours. Classified by class and by where we stood, not by `.code` alone: undici's
// HTTPParserError, which is how a cut chunked body shows, has none.

import { formatDuration } from '../bytes/units.js'
import {
  AuthError,
  ConfigError,
  type ExportError,
  InternalError,
  OutputError,
  RequestError,
  UpstreamError,
} from '../errors.js'

export interface Position {
  /** `open` until the whole head of the answer is there, `body` after it. */
  readonly phase: 'open' | 'body'
  /** Host and port that we talk to, for people. */
  readonly host: string
  /** Origin of the proxy in between, without user and password; null where there is none. */
  readonly proxy: string | null
  readonly connectTimeoutMs: number
}

/** The typed error for `cause`, which becomes its cause. In the body phase everything is a body that ended too early. */
export function networkError(cause: unknown, position: Position): ExportError {
  const error = cause instanceof Error ? cause : new Error(String(cause))
  // HTTPParserError carries the bytes it stumbled over: personal data has no place in a stack dump.
  if (error.name === 'HTTPParserError') Reflect.deleteProperty(error, 'data')
  const code = codeOf(error)
  const { host, proxy, phase } = position
  const via = proxy === null ? host : `${host} by way of the proxy ${proxy}`

  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED' || code === 'UND_ERR_INVALID_ARG') {
    return new InternalError('ERR_INTERNAL', `requesting from ${host}: ${error.message}`, { cause })
  }
  if (code === 'EMFILE' || code === 'ENFILE') {
    return new OutputError('ERR_OUTPUT_RESOURCES', `connecting to ${via}: too many open files`, { cause })
  }
  // undici's parser is WebAssembly, for whose memory V8 reserves gigabytes of addresses
  if (error instanceof RangeError && error.message.startsWith('WebAssembly')) {
    return new ConfigError('ERR_RUNTIME_MISSING', 'there is no address space for WebAssembly, as under ulimit -v', {
      cause,
      hint: 'NODE_OPTIONS=--disable-wasm-trap-handler makes Node.js need far less of it',
    })
  }
  if (phase === 'body') return bodyError(error, code, via)

  const proxyStatus = /^Proxy response \((\d+)\)/.exec(error.message)?.[1]
  if (proxyStatus === '407') {
    return new AuthError('ERR_PROXY_AUTH', `the proxy ${proxy} wants authentication (407)`, { cause, statusCode: 407 })
  }
  if (proxyStatus !== undefined) {
    return new UpstreamError('ERR_CONNECT', `the proxy ${proxy} answered ${proxyStatus} when asked for ${host}`, {
      cause,
    })
  }
  if (isTlsCode(code)) {
    return new RequestError('ERR_TLS', `the TLS connection to ${via} cannot be trusted: ${error.message}`, { cause })
  }
  if (code === 'ENOTFOUND' || code === 'ENODATA' || code.startsWith('EAI_')) {
    // With a proxy, it is the proxy's name that did not resolve.
    const name = 'hostname' in error && typeof error.hostname === 'string' ? error.hostname : host
    return new UpstreamError('ERR_DNS', `the host name ${name} does not resolve (${code})`, { cause })
  }
  if (code === 'UND_ERR_CONNECT_TIMEOUT') {
    const wait = formatDuration(position.connectTimeoutMs)
    return new UpstreamError('ERR_CONNECT', `no connection to ${via} within ${wait}`, { cause })
  }
  if (code === 'UND_ERR_HEADERS_TIMEOUT') {
    return new UpstreamError('ERR_TIMEOUT', `no answer from ${via} in time`, { cause })
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new UpstreamError('ERR_PROTOCOL', `the answer of ${via} has more than 16 KiB of headers`, { cause })
  }
  // undici calls a head that no client may get (a 100 or 101 that nobody asked for) "bad response", "bad upgrade".
  if (isParserError(error, code) || error.message.startsWith('bad ')) {
    return new UpstreamError('ERR_PROTOCOL', `the answer of ${via} is not valid HTTP: ${error.message}`, { cause })
  }
  if (isLossCode(code)) {
    return new UpstreamError('ERR_CONNECT', `the connection to ${via} was lost before the answer`, { cause })
  }
  return new UpstreamError('ERR_CONNECT', `no connection to ${via}: ${error.message || code}`, { cause })
}

function bodyError(error: Error, code: string, via: string): ExportError {
  const how =
    code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
      ? 'its length is not the announced Content-Length'
      : isParserError(error, code)
        ? 'its chunked framing is cut or damaged'
        : 'the connection was lost'
  return new UpstreamError('ERR_BODY_TRUNCATED', `the body from ${via} did not arrive whole: ${how}`, { cause: error })
}

/** True where the server closed a connection before the first byte of its answer: what a kept-alive socket looks like that was closed just as
 *  we used it. A GET may be sent again at once. */
export function isStaleSocket(error: unknown): boolean {
  return hasCode(error, 'ERR_CONNECT') && isLossCode(codeOf(error.cause))
}

/** True where an established connection went away, before the answer (`isStaleSocket`) or within its body. */
export function isLostConnection(error: unknown): boolean {
  return isStaleSocket(error) || (hasCode(error, 'ERR_BODY_TRUNCATED') && isLossCode(codeOf(error.cause)))
}

function hasCode(error: unknown, code: string): error is UpstreamError {
  return error instanceof UpstreamError && error.code === code
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function isLossCode(code: string): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET'
}

function isParserError(error: Error, code: string): boolean {
  return error.name === 'HTTPParserError' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' || code.startsWith('HPE_')
}

/** Verification codes of OpenSSL (Node.js docs, "X509 certificate error codes"), Node's own, and what OpenSSL's protocol alerts become. */
function isTlsCode(code: string): boolean {
  return (
    /^(?:ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/.test(code) ||
    [
      'UND_ERR_PRX_TLS',
      'EPROTO',
      'HOSTNAME_MISMATCH',
      'INVALID_CA',
      'PATH_LENGTH_EXCEEDED',
      'INVALID_PURPOSE',
    ].includes(code)
  )
}
