// What undici, Node and OpenSSL throw, as errors of ours. Classified by class and by where we stood, not by `.code`
// alone: undici's HTTPParserError, which is how a cut chunked body shows, has none.

import { formatBytesExact, formatDuration } from '../bytes/units.js'
import {
  AuthError,
  ConfigError,
  type ExportError,
  InternalError,
  OutputError,
  RequestError,
  UpstreamError,
} from '../errors.js'

/** Code of the error that an established connection was reset with. */
export const resetCode = 'ERR_SOCKET_RESET'

export interface Position {
  /** `open` until the whole head of the answer is there, `body` after it. */
  readonly phase: 'open' | 'body'
  /** Host and port that we talk to, for people. */
  readonly host: string
  /** Origin of the proxy in between, without user and password; null where there is none. */
  readonly proxy: string | null
  readonly connectTimeoutMs: number
  /** Most bytes of headers that are taken. */
  readonly maxHeaderBytes: number
}

/** The typed error for `cause`, which becomes its cause. In the body phase everything is a body that ended too
 *  early. */
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
  if (code === 'ERR_ACCESS_DENIED') {
    return new UpstreamError('ERR_CONNECT', `no connection to ${via}: Node.js was started without the right to any`, {
      cause,
      hint: 'give node --allow-net beside --permission',
      retryable: false,
    })
  }
  // trailers are headers too
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    const limit = formatBytesExact(position.maxHeaderBytes)
    return new UpstreamError('ERR_PROTOCOL', `the answer of ${via} has more than ${limit} of headers`, {
      cause,
      hint: `what Node.js takes is set by NODE_OPTIONS=--max-http-header-size=${4 * position.maxHeaderBytes}`,
      retryable: false,
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
  if (isTlsCode(code)) return tlsError(error, code, via, proxy)
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
  // a head that no client may get, in undici's words
  if (error.message === 'bad upgrade') {
    const message = `${via} went to another protocol instead of answering, which nobody asked for`
    return new UpstreamError('ERR_PROTOCOL', message, { cause, retryable: false })
  }
  if (error.message === 'bad response') {
    const message = `${via} sent an interim answer that this client cannot pass over`
    const hint = 'HTTP has such answers (100 Continue), but not to requests like ours; a proxy in between may drop them'
    return new UpstreamError('ERR_PROTOCOL', message, { cause, hint, retryable: false })
  }
  if (isParserError(error, code)) {
    return new UpstreamError('ERR_PROTOCOL', `the answer of ${via} is not valid HTTP: ${error.message}`, { cause })
  }
  if (isLossCode(code)) {
    return new UpstreamError('ERR_CONNECT', `the connection to ${via} was lost before the answer`, { cause })
  }
  return new UpstreamError('ERR_CONNECT', `no connection to ${via}: ${error.message || code}`, { cause })
}

/** Why a TLS connection cannot be had or trusted. Nothing of it changes by asking again, and only an unknown issuer is
 *  what `--ca` is for. */
function tlsError(error: Error, code: string, via: string, proxy: string | null): RequestError {
  // with a proxy that is spoken to by TLS, undici wraps what that connection failed with
  const cause = code === 'UND_ERR_PRX_TLS' && error.cause instanceof Error ? error.cause : error
  const own = code === 'UND_ERR_PRX_TLS' ? codeOf(cause) : code
  const peer = code === 'UND_ERR_PRX_TLS' ? `the proxy ${proxy}` : via
  if (own === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = namesOf(cause)
    // it holds the whole certificate
    Reflect.deleteProperty(cause, 'cert')
    return new RequestError('ERR_TLS', `the certificate of ${peer} is for another name: ${names}`, {
      cause: error,
      hint: 'use a name that the certificate has; --ca does not change this, and verification cannot be turned off',
    })
  }
  if (/CERTIFICATE_REQUIRED|ALERT_(?:HANDSHAKE_FAILURE|BAD_CERTIFICATE|NO_CERTIFICATE)/.test(own)) {
    const sure = own.includes('REQUIRED') ? 'wants a client certificate' : 'refused the handshake'
    const unsure = own.includes('REQUIRED') ? '' : ', as one does that wants a client certificate'
    return new RequestError('ERR_TLS', `${peer} ${sure}${unsure}: ${reasonOf(cause)}`, {
      cause: error,
      hint: 'truto-export has no client certificate to give',
    })
  }
  const hint = /^(?:CERT_HAS_EXPIRED|CERT_NOT_YET_VALID)$/.test(own)
    ? 'the certificate is out of its time, or the clock of this machine is wrong'
    : /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/.test(own)
      ? 'what answers there does not speak TLS: check the scheme and the port'
      : /^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|CERT_UNTRUSTED)/.test(own)
        ? undefined
        : 'what the two sides allow does not go together; verification cannot be turned off'
  return new RequestError('ERR_TLS', `the TLS connection to ${peer} cannot be trusted: ${reasonOf(cause)}`, {
    cause: error,
    hint,
  })
}

/** OpenSSL's own words: its message has them between the names of its functions and files. */
function reasonOf(error: Error): string {
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message
}

/** The names that a certificate is for. */
function namesOf(error: Error): string {
  const { cert } = error as { cert?: { subjectaltname?: unknown; subject?: { CN?: unknown } } }
  const names = typeof cert?.subjectaltname === 'string' ? cert.subjectaltname : cert?.subject?.CN
  if (typeof names !== 'string' || names === '') return error.message
  const list = names.split(', ').map((name) => name.replace(/^(?:DNS|IP Address):/, ''))
  return [...list.slice(0, 10), ...(list.length > 10 ? [`${list.length - 10} more`] : [])].join(', ')
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

/** True where the server closed a connection before the first byte of its answer: what a kept-alive socket looks like
 *  that was closed just as we used it. A GET may be sent again at once. */
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
  return code === resetCode || code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET'
}

function isParserError(error: Error, code: string): boolean {
  return error.name === 'HTTPParserError' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' || code.startsWith('HPE_')
}

/** Verification codes of OpenSSL (Node.js docs, "X509 certificate error codes"), Node's own, and what OpenSSL's
 *  protocol alerts become. */
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
