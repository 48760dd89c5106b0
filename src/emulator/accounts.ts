// Integrated accounts: which one a request means, whether it is let in, and what Truto tells of them.

import type { JsonRecord, JsonValue } from '../record.js'
import { missingParameters, needsReauth, remoteError, trutoError } from './api-errors.js'
import type { EmulatedAccount } from './options.js'
import { limitOf, textOf } from './query.js'
import type { Allowance } from './rate-limits.js'
import type { Answer } from './replies.js'
import { type ApiRequest, type ApiState, ok, Refusal } from './request.js'

export function findAccount(id: string | undefined, state: ApiState): EmulatedAccount | undefined {
  const { accounts, takesAnyAccount } = state.settings
  if (takesAnyAccount && id) return { id, integration: accounts[0]!.integration }
  return accounts.find((account) => account.id === id)
}

/** The account of a unified request. @throws Refusal 400 or 404 */
export function accountOf(request: ApiRequest, state: ApiState): EmulatedAccount {
  if (state.settings.accountTokenTtlMs !== undefined) return state.settings.accounts[0]!
  const id = textOf(request.query['integrated_account_id'])
  if (!id) throw new Refusal(400, missingParameters(['integrated_account_id']))
  const account = findAccount(id, state)
  if (!account) throw new Refusal(404, trutoError(404, 'Integrated account not found.'))
  return account
}

/** Checks account and limits. @returns headers for the answer. @throws Refusal */
export function admit(account: EmulatedAccount, state: ApiState): Record<string, string> {
  const { settings } = state
  const headers = takeRate(account, state)
  if (settings.blocked) throw new Refusal(503, trutoError(503, 'This integrated account is blocked. Contact support.'))
  if (state.isReauthNeeded) throw new Refusal(401, needsReauth(account.integration))
  return headers
}

function takeRate(account: EmulatedAccount, state: ApiState): Record<string, string> {
  const { rateLimits, clock } = state.settings
  if (!rateLimits) return {}
  const { accountRequests = 50, tokenRequests = 500, windowMs = 10_000, retryAfterSeconds = 10, provider } = rateLimits
  const take = (key: string, limit: number, window: number): Allowance =>
    state.rateLimiter.take(key, limit, window, clock.now())
  const isTierFull =
    (tokenRequests > 0 && !take('token', tokenRequests, windowMs).isAllowed) ||
    (accountRequests > 0 && !take(`account ${account.id}`, accountRequests, windowMs).isAllowed)
  if (isTierFull) {
    const insight = { rate_limit_error: { description: 'Too many requests to Truto.', value: retryAfterSeconds } }
    throw new Refusal(429, trutoError(429, 'Rate limit exceeded.', insight), { 'retry-after': `${retryAfterSeconds}` })
  }
  if (!provider) return {}
  const allowance = take(`provider ${account.id}`, provider.requests, provider.windowMs)
  const reset = `${Math.ceil(allowance.resetMs / 1000)}`
  const headers: Record<string, string> = {
    'ratelimit-limit': `${provider.requests};w=${Math.ceil(provider.windowMs / 1000)}`,
    'ratelimit-remaining': `${allowance.remaining}`,
    'ratelimit-reset': reset,
  }
  if (allowance.isAllowed) return headers
  if (provider.retryAfter) headers['retry-after'] = reset
  throw new Refusal(429, remoteError(429, 'ratelimited', { ok: false, error: 'ratelimited' }), headers)
}

export function accountList(request: ApiRequest, state: ApiState): Answer {
  const { settings } = state
  const { query } = request
  // Filters of this list are dotted names, not brackets (Truto docs, list of integrated accounts).
  const matching = settings.accounts
    .map((account) => accountRecord(account, state))
    .filter((account) => {
      const name = (account['integration'] as JsonRecord)['name']
      const wants = (parameter: string, value: JsonValue | undefined): boolean =>
        query[parameter] === undefined || textOf(query[parameter]) === String(value)
      return (
        wants('integration.name', name) &&
        wants('status', account['status']) &&
        wants('tenant_id', account['tenant_id']) &&
        wants('is_sandbox', account['is_sandbox'])
      )
    })
  const limit = limitOf(query['limit']) ?? 5000
  const offset = Number(textOf(query['next_cursor']) || 0)
  if (!Number.isSafeInteger(offset) || offset < 0) throw new Refusal(400, trutoError(400, 'Invalid next_cursor.'))
  const end = offset + limit
  return ok({
    [settings.resultKey]: matching.slice(offset, end),
    next_cursor: end < matching.length ? `${end}` : null,
    limit,
  })
}

export function accountRecord(account: EmulatedAccount, state: ApiState): JsonRecord {
  const isMicrosoft = account.integration !== 'slack'
  return {
    id: account.id,
    tenant_id: 'tenant-1',
    environment_id: '0f1e2d3c-0000-4000-a000-000000000001',
    status: state.isReauthNeeded ? 'needs_reauth' : 'active',
    is_sandbox: false,
    authentication_method: 'oauth2',
    region: 'wnam',
    context: { [isMicrosoft ? 'tenant' : 'team']: 'Example & Söhne' },
    integration: { id: `integration-${account.integration}`, name: account.integration, category: 'instant-messaging' },
    created_at: '2024-01-02T03:04:05.678Z',
    updated_at: '2024-05-06 07:08:09',
    last_error: null,
  }
}

export function capabilities(request: ApiRequest, account: EmulatedAccount, state: ApiState): JsonRecord {
  const wanted = textOf(request.query['resource'])
  const resources = ['members', 'channels', ...(account.integration === 'slack' ? [] : ['workspaces'])]
  return {
    account: { status: state.isReauthNeeded ? 'needs_reauth' : 'active', is_blocked: state.settings.blocked },
    capabilities: resources
      .filter((resource) => !wanted || wanted === resource)
      .map((resource) => ({
        model: 'instant-messaging',
        resource,
        methods: resource === 'members' ? ['list', 'get'] : ['list'],
        env_overridden: false,
      })),
  }
}
