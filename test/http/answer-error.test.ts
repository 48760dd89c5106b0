import { describe, expect, test } from 'vitest'
import type { ErrorCode } from '../../src/errors.js'
import { answerError, type ErrorAnswer } from '../../src/http/answer-error.js'
import { redactor } from '../../src/http/redact.js'

const url = new URL('https://api.truto.one/unified/instant-messaging/members?limit=2')
const token = 'c0ffee00-secret-token'
const wallNow = Date.UTC(2026, 10, 23)

function errorOf(statusCode: number, body: unknown = '', rest: Partial<ErrorAnswer> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return answerError({ statusCode, headers: {}, text, url, wallNow, redact: redactor([token]), ...rest })
}

const truto = (statusCode: number, rest: object = {}) => ({ statusCode, error: 'Name', message: 'why', ...rest })
const remote = { truto_is_remote_error: true, raw_response: { ok: false, email: 'ada@example.org' } }

test.each<[number, unknown, ErrorCode, number, boolean]>([
  [201, '', 'ERR_STATUS_UNEXPECTED', 4, false],
  [204, '', 'ERR_SCHEMA', 6, false],
  [205, '', 'ERR_SCHEMA', 6, false],
  [206, '{"result":[]}', 'ERR_STATUS_UNEXPECTED', 4, false],
  [301, '', 'ERR_REDIRECT', 4, false],
  [302, '', 'ERR_REDIRECT', 4, false],
  [304, '', 'ERR_STATUS_UNEXPECTED', 4, false],
  [307, '', 'ERR_REDIRECT', 4, false],
  [308, '', 'ERR_REDIRECT', 4, false],
  [400, truto(400), 'ERR_REQUEST_REJECTED', 4, false],
  [400, '', 'ERR_REQUEST_REJECTED', 4, false],
  [401, truto(401), 'ERR_UNAUTHORIZED', 3, false],
  [403, truto(403), 'ERR_FORBIDDEN', 3, false],
  [404, truto(404), 'ERR_NOT_FOUND', 4, false],
  [405, truto(405), 'ERR_REQUEST_REJECTED', 4, false],
  [407, '', 'ERR_PROXY_AUTH', 3, false],
  [408, '', 'ERR_SERVER', 5, true],
  [409, truto(409), 'ERR_CONFLICT', 4, true],
  [422, truto(422), 'ERR_REQUEST_REJECTED', 4, false],
  [425, '', 'ERR_SERVER', 5, true],
  [429, truto(429), 'ERR_RATE_LIMITED', 5, true],
  [429, truto(429, remote), 'ERR_RATE_LIMITED', 5, true],
  [500, truto(500), 'ERR_SERVER', 5, true],
  [502, '<html>Bad Gateway</html>', 'ERR_SERVER', 5, true],
  [503, truto(503), 'ERR_ACCOUNT_BLOCKED', 5, true],
  [503, truto(503, remote), 'ERR_SERVER', 5, true],
  [503, '<html>busy</html>', 'ERR_SERVER', 5, true],
  [503, '', 'ERR_SERVER', 5, true],
  [504, truto(504), 'ERR_SERVER', 5, true],
  [520, 'error code: 520', 'ERR_SERVER', 5, true],
  [530, '', 'ERR_SERVER', 5, true],
  [599, '', 'ERR_SERVER', 5, true],
])('status %i with %j is %s', (statusCode, body, code, exitCode, isRetryable) => {
  expect(errorOf(statusCode, body)).toMatchObject({ code, exitCode, isRetryable, statusCode })
})

describe('the message', () => {
  test.each<[string, unknown, string]>([
    ['says what Truto says', truto(404), 'HTTP 404 from Truto: why'],
    ['says that the provider made the error', truto(404, remote), 'HTTP 404 from the provider behind Truto: why'],
    [
      'falls back to the name of the status where a remote message is empty',
      truto(404, { ...remote, message: '' }),
      'HTTP 404 from the provider behind Truto: Name',
    ],
    [
      'names the parameters that are missing',
      truto(404, {
        truto_error_insight: { missing_required_query_parameters: { description: 'd', value: ['channel', 'limit'] } },
      }),
      'HTTP 404 from Truto: why; missing: channel, limit',
    ],
    [
      'names the missing parameters of a bare list',
      truto(404, { truto_error_insight: { missing_required_query_parameters: ['channel'] } }),
      'HTTP 404 from Truto: why; missing: channel',
    ],
    [
      'names the scopes that are missing',
      truto(404, {
        truto_error_insight: { forbidden_error: { description: 'd', value: { missing_scopes: ['users:read'] } } },
      }),
      'HTTP 404 from Truto: why; missing scopes: users:read',
    ],
    [
      'survives insight of any shape',
      truto(404, {
        truto_error_insight: { missing_required_query_parameters: 5, forbidden_error: null, remote_error: [] },
      }),
      'HTTP 404 from Truto: why',
    ],
    [
      'does not echo JSON of somebody else',
      '{"email":"ada@example.org"}',
      'HTTP 404 from api.truto.one with a body that is no error of Truto',
    ],
    ['does not echo HTML', '  <!DOCTYPE html><p>secret', 'HTTP 404 from api.truto.one with an HTML page'],
    ['says that there was no body', '', 'HTTP 404 from api.truto.one with an empty body'],
    [
      'shows control characters escaped',
      truto(404, { message: 'a\u001b[2Jb\u202e' }),
      'HTTP 404 from Truto: a\\u{1b}[2Jb\\u{202e}',
    ],
    ['is cut where it is long', truto(404, { message: 'x'.repeat(5000) }), `HTTP 404 from Truto: ${'x'.repeat(500)}…`],
    ['takes out an echoed token', truto(404, { message: `bad ${token}!` }), 'HTTP 404 from Truto: bad [redacted]!'],
  ])('%s', (_, body, message) => {
    expect(errorOf(404, body).message).toBe(message)
  })

  test('shows a short plain text, as gateways send it', () => {
    const headers = { 'content-type': 'text/plain; charset=UTF-8' }
    expect(errorOf(530, 'error code: 1016\n', { headers }).message).toBe(
      'HTTP 530 from api.truto.one with the text "error code: 1016"',
    )
  })
})

test('nothing of the provider body gets into the error', () => {
  const error = errorOf(400, truto(400, remote))
  expect(error.isRemote).toBe(true)
  expect(JSON.stringify({ ...error, message: error.message, line: error.toLine() })).not.toContain('ada@')
})

test('the insight comes along as it was, without the token', () => {
  const insight = { forbidden_error: { description: token, value: { missing_scopes: ['a', 'b'] } } }
  expect(errorOf(403, truto(403, { truto_error_insight: insight })).insight).toEqual({
    forbidden_error: { description: '[redacted]', value: { missing_scopes: ['a', 'b'] } },
  })
})

test('hints say what to do', () => {
  const missing = { truto_error_insight: { missing_required_query_parameters: { value: ['channel'] } } }
  const scopes = { truto_error_insight: { forbidden_error: { value: { missing_scopes: ['users:read'] } } } }
  expect(errorOf(400, truto(400, missing)).hint).toBe('pass --channel ID (channel in code)')
  expect(errorOf(401, truto(401, remote)).hint).toMatch(/connected anew/)
  expect(errorOf(401, truto(401)).hint).toMatch(/check the token/)
  expect(errorOf(403, truto(403, scopes)).hint).toMatch(/connect the account anew with these scopes/)
})

test.each([
  [['integrated_account_id'], 'pass -a/--account ID (account in code)'],
  [['workspace'], 'pass --workspace ID (workspace in code)'],
  [['channel[id]', 'workspace[id]'], 'pass --channel ID (channel in code) and --workspace ID (workspace in code)'],
  [['types', 'constructor'], 'pass -q types=... (query in code) and -q constructor=... (query in code)'],
])('what is missing is named as our option for it: %j', (value, hint) => {
  const insight = { truto_error_insight: { missing_required_query_parameters: { description: 'd', value } } }
  expect(errorOf(400, truto(400, insight)).hint).toBe(hint)
})

test('the wait that is asked for comes along', () => {
  const headers = { date: 'Mon, 23 Nov 2026 09:00:00 GMT', 'retry-after': 'Mon, 23 Nov 2026 09:00:09 GMT' }
  expect(errorOf(429, truto(429), { headers }).retryAfterMs).toBe(9000)
  expect(errorOf(503, '', { headers: { 'ratelimit-reset': '3' } }).retryAfterMs).toBe(3000)
  expect(errorOf(429, truto(429)).retryAfterMs).toBeUndefined()
})

test.each<[string, string | undefined, string]>([
  ['another host', 'https://evil.example/a?token=1', 'https://evil.example'],
  ['a host with user-info', 'https://user:password@evil.example:8443/', 'https://evil.example:8443'],
  ['another scheme', 'http://api.truto.one/x', 'http://api.truto.one'],
  ['a path', '/login', 'https://api.truto.one'],
  ['a scheme without origin', 'javascript:alert(1)', 'a javascript: address'],
  ['nothing', undefined, 'nowhere (no readable Location)'],
  ['what is no URL', 'http://', 'nowhere (no readable Location)'],
])('a redirect to %s names the origin alone', (_, location, target) => {
  expect(errorOf(302, '', { headers: { location } }).message).toBe(`HTTP 302: redirect to ${target}`)
})

test.each<[number, object, ErrorCode]>([
  [400, { ...remote, raw_response: { ok: false, error: 'invalid_cursor' } }, 'ERR_CURSOR_EXPIRED'],
  [400, { ...remote, raw_response: '{"error":"invalid_cursor"}' }, 'ERR_CURSOR_EXPIRED'],
  [400, { message: 'The cursor is no longer valid' }, 'ERR_CURSOR_EXPIRED'],
  [400, { message: 'Invalid or expired pagination cursor' }, 'ERR_CURSOR_EXPIRED'],
  [422, { message: 'invalid_cursor' }, 'ERR_CURSOR_EXPIRED'],
  [400, { message: 'invalid channel' }, 'ERR_REQUEST_REJECTED'],
  [400, { message: 'Invalid pageToken' }, 'ERR_CURSOR_EXPIRED'],
  [400, { message: 'Skiptoken is null or not valid' }, 'ERR_CURSOR_EXPIRED'],
  [400, { message: 'The specified page token value has expired.' }, 'ERR_CURSOR_EXPIRED'],
  [410, { raw_response: { error: { code: 'Directory_ExpiredPageToken' } } }, 'ERR_CURSOR_EXPIRED'],
  [400, { message: 'the access token is invalid' }, 'ERR_REQUEST_REJECTED'],
  [403, { message: 'invalid_cursor' }, 'ERR_FORBIDDEN'],
  [500, { message: 'invalid_cursor' }, 'ERR_SERVER'],
])('a %i with %j is %s', (statusCode, rest, code) => {
  expect(errorOf(statusCode, truto(statusCode, rest)).code).toBe(code)
})

describe("Slack's own code in the provider's body", () => {
  const slack = (error: string) => ({ truto_is_remote_error: true, raw_response: { ok: false, error } })

  test.each<[number, string, ErrorCode, number]>([
    [400, 'invalid_auth', 'ERR_UNAUTHORIZED', 3],
    [500, 'token_revoked', 'ERR_UNAUTHORIZED', 3],
    [502, 'missing_scope', 'ERR_FORBIDDEN', 3],
    [502, 'channel_not_found', 'ERR_NOT_FOUND', 4],
    [500, 'invalid_arguments', 'ERR_REQUEST_REJECTED', 4],
    [502, 'invalid_cursor', 'ERR_CURSOR_EXPIRED', 6],
    [500, 'ratelimited', 'ERR_RATE_LIMITED', 5],
    [429, 'ratelimited', 'ERR_RATE_LIMITED', 5],
    // codes that say nothing but what the status says
    [502, 'fatal_error', 'ERR_SERVER', 5],
    [500, 'something_new', 'ERR_SERVER', 5],
    [401, 'something_new', 'ERR_UNAUTHORIZED', 3],
  ])('under status %i, %s is %s', (statusCode, code, expected, exitCode) => {
    expect(errorOf(statusCode, truto(statusCode, slack(code)))).toMatchObject({
      code: expected,
      exitCode,
      statusCode,
      isRemote: true,
      message: `HTTP ${statusCode} from the provider behind Truto: why`,
    })
  })

  test('tells how long to wait by the headers of the answer', () => {
    const headers = { 'retry-after': '30' }
    expect(errorOf(500, truto(500, slack('ratelimited')), { headers }).retryAfterMs).toBe(30_000)
  })

  test('is none where the body is not one of Slack', () => {
    for (const raw of [{ ok: true, error: 'invalid_auth' }, { error: 'invalid_auth' }, 'invalid_auth', null, [false]]) {
      const body = truto(502, { truto_is_remote_error: true, raw_response: raw })
      expect(errorOf(502, body).code).toBe('ERR_SERVER')
    }
  })
})

test.each(['null', '[]', '5', '"x"', '{', '{"statusCode":"400","error":"x"}', '{"statusCode":400}'])(
  'a body of %s is nobody’s error and does no harm',
  (text) => {
    expect(errorOf(400, text)).toMatchObject({ code: 'ERR_REQUEST_REJECTED', isRemote: undefined, insight: undefined })
  },
)
