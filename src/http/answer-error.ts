// What an answer other than 200 means, as a typed error: status, headers and the start of the body in, error out. Pure.
// Of the body only Truto's own words get into the error; the provider's body (`raw_response`) may hold personal data,
// and a page of HTML helps nobody.

import { KiB } from '../bytes/units.js'
import { AuthError, DataError, type ExportError, printable, RequestError, UpstreamError } from '../errors.js'
import { slackCodeOf, slackError } from './provider-error.js'
import { ellipsis, redactJson } from './redact.js'
import { type ResponseHeaders, retryAfterMs } from './retry-after.js'

/** How much of an error body is read, in bytes. */
export const maxErrorBodyBytes = 64 * KiB

export interface ErrorAnswer {
  readonly statusCode: number
  /** By lowercase name. */
  readonly headers: ResponseHeaders
  /** The body's first `maxErrorBodyBytes`, decoded; empty where there was none or it could not be read. */
  readonly text: string
  /** What was asked for. */
  readonly url: URL
  /** Wall time in ms since 1970, for a Retry-After date without a Date beside it. */
  readonly wallNow: number
  /** Takes credentials out of text, before any of it is cut: a server may echo the token. */
  readonly redact: (text: string) => string
}

/** What Truto says about an error (docs, "Errors"): `{statusCode, error, message, truto_is_remote_error, raw_response,
 *  truto_error_insight}`. */
export interface TrutoErrorBody {
  readonly message: string
  /** Name of the status. */
  readonly error: string
  /** True where the provider behind Truto made the error. */
  readonly isRemote: boolean
  /** Truto's explanations by kind, each `{description, value?}`. */
  readonly insight: Readonly<Record<string, unknown>> | undefined
  /** The provider's body, parsed or as text; undefined where there is none. */
  readonly rawResponse: unknown
}

/** The error that an answer with another status than 200 stands for. */
export function answerError(answer: ErrorAnswer): ExportError {
  const { statusCode, headers, redact } = answer
  const body = parseErrorBody(answer.text)
  const isRemote = body?.isRemote ?? false
  const hint = hintFor(statusCode, body, redact)
  const context = {
    statusCode,
    retryAfterMs: retryAfterMs(headers, answer.wallNow),
    insight: body?.insight && redactJson(body.insight, redact),
    isRemote: body ? isRemote : undefined,
    ...(hint === undefined ? {} : { hint }),
  }
  const message = describe(answer, body)

  if (statusCode === 204 || statusCode === 205) {
    return new DataError('ERR_SCHEMA', `HTTP ${statusCode}: an answer without a body, so no envelope`, context)
  }
  if (statusCode >= 300 && statusCode < 400 && statusCode !== 304) {
    return new RequestError('ERR_REDIRECT', `HTTP ${statusCode}: redirect to ${redirectTarget(answer)}`, context)
  }
  const code = slackCodeOf(body?.rawResponse)
  // the provider's code says more than the status that it came under here
  const provider = code === undefined || statusCode === 429 ? undefined : slackError(code, message, context)
  if (provider !== undefined && statusCode >= 400 && statusCode !== 407) return provider
  if (statusCode >= 500) {
    // At Truto a 503 of its own is a blocked account (docs, "Errors"). One without Truto's body comes from something on
    // the way.
    const isBlocked = statusCode === 503 && body !== undefined && !isRemote
    return new UpstreamError(isBlocked ? 'ERR_ACCOUNT_BLOCKED' : 'ERR_SERVER', message, context)
  }
  switch (statusCode) {
    case 401:
      return new AuthError('ERR_UNAUTHORIZED', message, context)
    case 403:
      return new AuthError('ERR_FORBIDDEN', message, context)
    case 404:
      return new RequestError('ERR_NOT_FOUND', message, context)
    case 407:
      return new AuthError('ERR_PROXY_AUTH', message, context)
    case 408:
    case 425:
      return new UpstreamError('ERR_SERVER', message, context)
    case 409:
      return new RequestError('ERR_CONFLICT', message, context)
    case 429:
      return new UpstreamError('ERR_RATE_LIMITED', message, context)
  }
  if (statusCode < 400) return new RequestError('ERR_STATUS_UNEXPECTED', message, context)
  if (body !== undefined && speaksOfCursor(body)) return new DataError('ERR_CURSOR_EXPIRED', message, context)
  return new RequestError('ERR_REQUEST_REJECTED', message, context)
}

/** Reads Truto's error body; undefined where the text is none. Unknown members are ignored. */
export function parseErrorBody(text: string): TrutoErrorBody | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(value)) return undefined
  const { statusCode, error, message } = value
  // A remote error may have an empty message, and a proxy's JSON may have a message alone: the status code is what both
  // sides of Truto send.
  if (typeof statusCode !== 'number' || (typeof error !== 'string' && typeof message !== 'string')) return undefined
  return {
    message: typeof message === 'string' ? message.trim() : '',
    error: typeof error === 'string' ? error : '',
    isRemote: value['truto_is_remote_error'] === true,
    insight: isObject(value['truto_error_insight']) ? value['truto_error_insight'] : undefined,
    rawResponse: value['raw_response'],
  }
}

function describe({ statusCode, headers, text, url, redact }: ErrorAnswer, body: TrutoErrorBody | undefined): string {
  if (body === undefined) {
    return `HTTP ${statusCode} from ${url.host} with ${describeForeignBody(headers, redact(text))}`
  }
  const said = body.message || descriptionOf(body.insight?.['remote_error']) || body.error || 'no message'
  const missing = namesIn(body.insight?.['missing_required_query_parameters'])
  const scopes = namesIn(body.insight?.['forbidden_error'], 'missing_scopes')
  return [
    `HTTP ${statusCode} from ${body.isRemote ? 'the provider behind Truto' : 'Truto'}: ${excerpt(redact(said), 500)}`,
    missing.length > 0 && `missing: ${excerpt(redact(missing.join(', ')), 200)}`,
    scopes.length > 0 && `missing scopes: ${excerpt(redact(scopes.join(', ')), 200)}`,
  ]
    .filter(Boolean)
    .join('; ')
}

function describeForeignBody(headers: ResponseHeaders, text: string): string {
  const contentType = String(headers['content-type'] ?? '')
  if (text.trim() === '') return 'an empty body'
  if (/html/i.test(contentType) || /^\s*<(?:!doctype|html|head|body)/i.test(text)) return 'an HTML page'
  // A line of plain text is how gateways speak: `error code: 1015`, `upstream connect error`.
  if (/^text\/plain/i.test(contentType)) return `the text "${excerpt(text.trim(), 200)}"`
  return 'a body that is no error of Truto'
}

function hintFor(
  statusCode: number,
  body: TrutoErrorBody | undefined,
  redact: (text: string) => string,
): string | undefined {
  if (body === undefined) return undefined
  const missing = namesIn(body.insight?.['missing_required_query_parameters'])
  if (statusCode === 400 && missing.length > 0)
    return `pass ${missing
      .slice(0, 5)
      .map((name) => optionFor(redact(name)))
      .join(' and ')}`
  if (statusCode === 401 && body.isRemote) {
    return 'the provider refused the credentials of the connected account: it has to be connected anew'
  }
  if (statusCode === 403 && namesIn(body.insight?.['forbidden_error'], 'missing_scopes').length > 0) {
    return 'connect the account anew with these scopes'
  }
  return undefined
}

/** Our options for parameters, as flags and by their names in code. */
const options: Readonly<Record<string, string>> = {
  integrated_account_id: '-a/--account ID (account in code)',
  channel: '--channel ID (channel in code)',
  workspace: '--workspace ID (workspace in code)',
  limit: '--limit N (limit in code)',
}

/** How to give a parameter that is missing, which may be named in bracket form. */
function optionFor(name: string): string {
  const own = name.split('[', 1)[0]!
  return Object.hasOwn(options, own) ? options[own]! : `-q ${excerpt(name, 80)}=... (query in code)`
}

function redirectTarget({ headers, url, redact }: ErrorAnswer): string {
  const location = headers['location']
  if (typeof location !== 'string' || !URL.canParse(location, url.href)) return 'nowhere (no readable Location)'
  // The origin alone: path and query of a redirect may carry anything, user-info included.
  const { origin, protocol } = new URL(location, url)
  return origin === 'null' ? `a ${excerpt(redact(protocol), 20)} address` : redact(origin)
}

/** Slack says `invalid_cursor`; others use words: "Invalid pageToken", "Skiptoken is null or not valid",
 *  `Directory_ExpiredPageToken`. Only asked of a 4xx that has no meaning of its own. */
function speaksOfCursor(body: TrutoErrorBody): boolean {
  const raw = typeof body.rawResponse === 'string' ? body.rawResponse : JSON.stringify(body.rawResponse ?? '')
  return [body.message, JSON.stringify(body.insight ?? ''), raw].some((text) => ofCursor.test(text))
}

const cursor = '(?:cursor|(?:page|skip|continuation)[ _-]?token)'
const isInvalid = '(?:invalid|expired|not valid|no longer valid)'
const ofCursor = new RegExp(
  `invalid_cursor|ExpiredPageToken|\\b(?:invalid|expired|unknown|bad)\\b.{0,40}\\b${cursor}\\b|\\b${cursor}\\b.{0,40}\\b${isInvalid}\\b`,
  'i',
)

/** Names in an insight: `{description, value: [...]}`, `{value: {member: [...]}}`, or the bare array; elements are
 *  strings or `{name}`. */
function namesIn(insight: unknown, member?: string): string[] {
  const value = isObject(insight) ? (insight['value'] ?? (member && insight[member])) : insight
  const list = member !== undefined && isObject(value) ? value[member] : value
  if (!Array.isArray(list)) return []
  const names = list.map((element: unknown) => (isObject(element) ? (element['name'] ?? element['key']) : element))
  return names.filter((name) => typeof name === 'string')
}

function descriptionOf(insight: unknown): string {
  return isObject(insight) && typeof insight['description'] === 'string' ? insight['description'].trim() : ''
}

function excerpt(text: string, maxLength: number): string {
  const shown = printable(text.slice(0, maxLength))
  return text.length > maxLength ? `${shown}${ellipsis}` : shown
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
