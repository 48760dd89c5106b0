// What the provider's own errors mean, where their words are codes: those of Slack's Web API (docs.slack.dev, "errors"
// of conversations.members and users.list), which come with status 200, as they are or inside Truto's `raw_response`.
// Pure.

import { AuthError, DataError, type ErrorContext, type ExportError, RequestError, UpstreamError } from '../errors.js'

/** The code of Slack's `{"ok":false,"error":code}`, parsed or as text; undefined where the body is none. */
export function slackCodeOf(body: unknown): string | undefined {
  const value = typeof body === 'string' ? parsed(body) : body
  if (typeof value !== 'object' || value === null) return undefined
  const { ok, error } = value as { ok?: unknown; error?: unknown }
  return ok === false && typeof error === 'string' ? error : undefined
}

/** The error that a code stands for; undefined for those that asking again may cure, and for unknown ones. */
export function slackError(code: string, message: string, context: ErrorContext): ExportError | undefined {
  if (unauthorized.has(code)) {
    const hint = 'the provider refused the credentials of the connected account: it has to be connected anew'
    return new AuthError('ERR_UNAUTHORIZED', message, { ...context, hint })
  }
  if (forbidden.has(code)) {
    const hint = 'the connected account lacks a right at the provider: connect it anew with the scopes that it needs'
    return new AuthError('ERR_FORBIDDEN', message, { ...context, hint })
  }
  if (code === 'invalid_cursor') return new DataError('ERR_CURSOR_EXPIRED', message, context)
  if (code === 'ratelimited' || code === 'rate_limited') return new UpstreamError('ERR_RATE_LIMITED', message, context)
  if (/_not_found$/.test(code)) return new RequestError('ERR_NOT_FOUND', message, context)
  // invalid_arguments, missing_argument, limit_required, method_not_supported_for_channel_type, not_in_channel, …
  if (/^(?:invalid|missing|unknown|bad|not|is|no)_|_(?:required|deprecated|unsupported)$|_not_supported/.test(code)) {
    return new RequestError('ERR_REQUEST_REJECTED', message, context)
  }
  return undefined
}

const unauthorized: ReadonlySet<string> = new Set([
  ...['invalid_auth', 'not_authed', 'token_expired', 'token_revoked', 'account_inactive', 'invalid_token'],
  ...['org_login_required', 'two_factor_setup_required', 'not_allowed_token_type'],
])
const forbidden: ReadonlySet<string> = new Set([
  ...['missing_scope', 'no_permission', 'access_denied', 'accesslimited', 'ekm_access_denied', 'restricted_action'],
  ...['team_access_not_granted', 'enterprise_is_restricted', 'user_is_restricted'],
])

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
