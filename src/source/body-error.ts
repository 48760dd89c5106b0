// Errors that stand in a body.

import { AuthError, DataError, type ErrorContext, type ExportError, RequestError, UpstreamError } from '../errors.js'
import { slackCodeOf, slackError } from '../http/provider-error.js'
import { redactJson } from '../http/redact.js'
import { retryAfterMs } from '../http/retry-after.js'
import type { PageFacts } from '../json/slicer.js'
import type { SourceOptions, Wire } from './source.js'

/** Where in a body an error of it is. */
function whereOf({ error, framing }: PageFacts): string {
  if (error?.byteOffset === undefined) return 'the body'
  return framing === 'array' ? 'an element of the body' : 'a line of the body'
}

/** An error that came inside a 200 answer: what a code of the provider stands for (Slack answers all of its errors so),
 *  or a status that says that the request was refused. @throws UpstreamError ERR_SERVER for another one that the
 *  provider made, else DataError ERR_UPSTREAM_IN_BODY */
export function throwBodyError(
  facts: PageFacts,
  page: number,
  { redact = (text) => text, clock }: Pick<SourceOptions, 'redact'> & Required<Pick<SourceOptions, 'clock'>>,
  wire: Wire | undefined,
): void {
  const { error } = facts
  if (error === null) return
  const name = [error.statusCode, error.error].filter((part) => part !== null).join(' ')
  const message = `${whereOf(facts)} is an error${name ? `: ${name}` : ''}${error.message ? `: ${error.message}` : ''}`
  const insight = redactJson(error.insight, redact)
  const { byteOffset } = error
  const context = {
    page,
    insight,
    isRemote: error.isRemote,
    statusCode: error.statusCode ?? undefined,
    ...(byteOffset === undefined ? {} : { recordIndex: facts.records, byteOffset }),
  }
  if (!error.isRemote) throw new DataError('ERR_UPSTREAM_IN_BODY', message, context)
  const retryAfter = wire?.headers && retryAfterMs(wire.headers, clock.wallNow())
  const inTime = { ...context, retryAfterMs: retryAfter }
  const code = slackCodeOf(error.rawResponse) ?? error.error ?? ''
  throw (
    slackError(code, message, inTime) ??
    refusal(error.statusCode, message, inTime) ??
    new UpstreamError('ERR_SERVER', message, inTime)
  )
}

/** What a status says of a request that the provider refused; undefined for one that asking again may cure. */
function refusal(statusCode: number | null, message: string, context: ErrorContext): ExportError | undefined {
  if (statusCode === 401) return new AuthError('ERR_UNAUTHORIZED', message, context)
  if (statusCode === 403) return new AuthError('ERR_FORBIDDEN', message, context)
  if (statusCode === 404) return new RequestError('ERR_NOT_FOUND', message, context)
  if (statusCode === 429) return new UpstreamError('ERR_RATE_LIMITED', message, context)
  if (statusCode === 400 || statusCode === 410 || statusCode === 422) {
    return new RequestError('ERR_REQUEST_REJECTED', message, context)
  }
  return undefined
}
