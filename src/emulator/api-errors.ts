// Error bodies as Truto documents them: `statusCode`, `error`, `message`; for an error of the provider
// `truto_is_remote_error` and `raw_response` as well; on unified routes possibly `truto_error_insight`.

import type { JsonRecord, JsonValue } from '../record.js'

const { STATUS_CODES } = process.getBuiltinModule('node:http')

/** An error of Truto's own.
 *  @param insight members of `truto_error_insight`, where there is one */
export function trutoError(statusCode: number, message: string, insight?: JsonRecord): JsonRecord {
  return {
    statusCode,
    error: STATUS_CODES[statusCode] ?? 'Error',
    message,
    ...(insight && { truto_error_insight: insight }),
  }
}

/** An error that the provider made and Truto passed on.
 *  @param rawResponse the provider's body: JSON, or its text */
export function remoteError(statusCode: number, message: string, rawResponse: JsonValue): JsonRecord {
  return {
    ...trutoError(statusCode, message, {
      remote_error: { description: 'The remote API returned an error.', value: message },
    }),
    truto_is_remote_error: true,
    raw_response: rawResponse,
  }
}

/** 400 for a parameter that the integration requires. That it comes so is documented, the wording is not. */
export function missingParameters(names: string[]): JsonRecord {
  return trutoError(400, `Missing required query parameters: ${names.join(', ')}`, {
    missing_required_query_parameters: {
      description: 'The following query parameters are required for this integration.',
      value: names,
    },
  })
}

/** The refusal of a cursor as Slack words it (docs.slack.dev, pagination), or as Graph does. */
export function cursorRefused(integration: string): JsonRecord {
  if (integration === 'slack') return remoteError(400, 'invalid_cursor', { ok: false, error: 'invalid_cursor' })
  const message = 'Invalid skip token.'
  return remoteError(400, message, {
    error: { code: 'BadRequest', message, innerError: { date: '2024-01-01T00:00:00' } },
  })
}

/** 401 of an account whose credentials the provider rejects: it stays so until its user connects it again. */
export function needsReauth(integration: string): JsonRecord {
  return integration === 'slack'
    ? remoteError(401, 'token_revoked', { ok: false, error: 'token_revoked' })
    : remoteError(401, 'Access token has expired or is not yet valid.', {
        error: { code: 'InvalidAuthenticationToken', message: 'Access token has expired or is not yet valid.' },
      })
}
