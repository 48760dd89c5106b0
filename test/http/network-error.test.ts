import { inspect } from 'node:util'
import { errors } from 'undici'
import { expect, test } from 'vitest'
import type { ErrorCode } from '../../src/errors.js'
import { isLostConnection, isStaleSocket, networkError, type Position } from '../../src/http/network-error.js'

const open: Position = {
  phase: 'open',
  host: 'api.truto.one',
  proxy: null,
  connectTimeoutMs: 10_000,
  maxHeaderBytes: 16_384,
}
const coded = (code: string, message = code, rest: object = {}) => Object.assign(new Error(message), { code, ...rest })

test.each<[string, unknown, ErrorCode, boolean]>([
  ['a name that does not resolve', coded('ENOTFOUND'), 'ERR_DNS', true],
  ['a name server that does not answer', coded('EAI_AGAIN'), 'ERR_DNS', true],
  ['a refused connection', coded('ECONNREFUSED'), 'ERR_CONNECT', true],
  ['a host without route', coded('EHOSTUNREACH'), 'ERR_CONNECT', true],
  ['a network without route', coded('ENETUNREACH'), 'ERR_CONNECT', true],
  ['all addresses failing', Object.assign(new AggregateError([], ''), { code: 'ETIMEDOUT' }), 'ERR_CONNECT', true],
  ['a connect timeout', new errors.ConnectTimeoutError('t'), 'ERR_CONNECT', true],
  ['a reset', coded('ECONNRESET'), 'ERR_CONNECT', true],
  ['a proxy that is slow to answer', new errors.HeadersTimeoutError('t'), 'ERR_TIMEOUT', true],
  ['an unknown root', coded('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'ERR_TLS', false],
  ['a missing issuer', coded('UNABLE_TO_GET_ISSUER_CERT_LOCALLY'), 'ERR_TLS', false],
  ['a self-signed certificate', coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'ERR_TLS', false],
  ['a self-signed root', coded('SELF_SIGNED_CERT_IN_CHAIN'), 'ERR_TLS', false],
  ['an expired certificate', coded('CERT_HAS_EXPIRED'), 'ERR_TLS', false],
  ['another name', coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'ERR_TLS', false],
  ['a protocol that is too old', coded('ERR_SSL_UNSUPPORTED_PROTOCOL'), 'ERR_TLS', false],
  ['a TLS alert', coded('EPROTO'), 'ERR_TLS', false],
  ['too much head', new errors.HeadersOverflowError(), 'ERR_PROTOCOL', false],
  ['a network that Node.js may not use', coded('ERR_ACCESS_DENIED'), 'ERR_CONNECT', false],
  ['what is no HTTP', new errors.HTTPParserError('x'), 'ERR_PROTOCOL', true],
  ['no descriptors left', coded('EMFILE'), 'ERR_OUTPUT_RESOURCES', false],
  ['no addresses left', new RangeError('WebAssembly.Instance(): Out of memory'), 'ERR_RUNTIME_MISSING', false],
  ['a destroyed client', new errors.ClientDestroyedError(), 'ERR_INTERNAL', false],
  ['something that is no error', 'boom', 'ERR_CONNECT', true],
])('%s, before the answer', (_, cause, code, isRetryable) => {
  expect(networkError(cause, open)).toMatchObject({ code, isRetryable, cause })
})

test.each<[string, unknown]>([
  ['a parser error without a code', new errors.HTTPParserError('Invalid EOF state')],
  ['a wrong length', new errors.ResponseContentLengthMismatchError()],
  ['a closed socket', new errors.SocketError('other side closed')],
  ['a reset', coded('ECONNRESET')],
  ['a TLS error', coded('ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC')],
])('%s within the body is a truncated body', (_, cause) => {
  expect(networkError(cause, { ...open, phase: 'body' })).toMatchObject({
    code: 'ERR_BODY_TRUNCATED',
    isRetryable: true,
  })
})

test('names the host that did not resolve, be it that of the proxy', () => {
  const cause = coded('ENOTFOUND', 'getaddrinfo ENOTFOUND proxy.example', { hostname: 'proxy.example' })
  const error = networkError(cause, { ...open, proxy: 'http://proxy.example:3128' })
  expect(error.message).toBe('the host name proxy.example does not resolve (ENOTFOUND)')
})

test('drops the bytes that a parser error carries', () => {
  const cause = Object.assign(new errors.HTTPParserError('x'), { data: 'ada@example.org' })
  expect(inspect(cause, { showHidden: true })).toContain('ada@')
  expect(inspect(networkError(cause, open), { depth: 9, showHidden: true })).not.toContain('ada@')
})

test('says what Node.js was started without, and the flag for it', () => {
  const cause = coded('ERR_ACCESS_DENIED', 'Access to this API has been restricted', { permission: 'Net' })
  const error = networkError(cause, open)
  expect(error).toMatchObject({ exitCode: 5 })
  expect(error.toLine()).toMatch(
    /Node\.js was started without the right to any; give node --allow-net beside --permission$/,
  )
})

test('names some of the names of a certificate that has very many', () => {
  const subjectaltname = Array.from({ length: 50 }, (_, n) => `DNS:${n}.example`).join(', ')
  const error = networkError(coded('ERR_TLS_CERT_ALTNAME_INVALID', 'x', { cert: { subjectaltname } }), open)
  expect(error.message).toMatch(/: 0\.example, 1\.example, .*9\.example, 40 more$/)
})

test('only an established connection can be lost', () => {
  const of = (cause: unknown, phase: 'open' | 'body') => {
    const error = networkError(cause, { ...open, phase })
    return [isStaleSocket(error), isLostConnection(error)]
  }
  expect(of(coded('ECONNRESET'), 'open')).toEqual([true, true])
  expect(of(new errors.SocketError('other side closed'), 'open')).toEqual([true, true])
  expect(of(coded('ECONNRESET'), 'body')).toEqual([false, true])
  expect(of(coded('ECONNREFUSED'), 'open')).toEqual([false, false])
  expect(of(new errors.ResponseContentLengthMismatchError(), 'body')).toEqual([false, false])
  expect([isStaleSocket(new Error('x')), isLostConnection(undefined)]).toEqual([false, false])
})
