// What is asked and what is answered: authorization, limits, parameters and resources, in the order in which Truto
// would look at them. Pure but for the rate limits: a request and the state in, an answer out.

import { integrations } from '../schema/integrations.js'
import { accountList, accountOf, accountRecord, capabilities, findAccount } from './accounts.js'
import { trutoError } from './api-errors.js'
import { list, single } from './lists.js'
import type { Answer } from './replies.js'
import { type ApiRequest, type ApiState, ok, Refusal } from './request.js'
import { checkResource, meta } from './resources.js'

/** Answers one request. */
export function answer(request: ApiRequest, state: ApiState): Answer {
  try {
    if (request.path === '/ping') return ok({ message: 'pong' })
    authorize(request, state)
    if (request.method !== 'GET') throw new Refusal(405, trutoError(405, 'The emulator only reads.'))
    return route(request, state)
  } catch (error) {
    if (error instanceof Refusal) return { status: error.status, headers: error.headers, content: { json: error.body } }
    throw error
  }
}

/** @throws Refusal 401 or 403 */
function authorize(request: ApiRequest, state: ApiState): void {
  const { requireToken, token, accountTokenTtlMs, clock } = state.settings
  if (requireToken && request.token === undefined)
    throw new Refusal(401, trutoError(401, 'Missing Authorization header.'))
  if (requireToken && request.token !== token) throw new Refusal(401, trutoError(401, 'Invalid API token.'))
  if (accountTokenTtlMs === undefined) return
  if (clock.now() - state.startedMs >= accountTokenTtlMs)
    throw new Refusal(401, trutoError(401, 'The token has expired.'))
  // Truto docs, authentication: what an integrated account token may call.
  if (!/^\/(?:unified|proxy|custom)\/|^\/integrated-account\/me$/.test(request.path)) {
    throw new Refusal(403, trutoError(403, 'This token is limited to one integrated account.'))
  }
}

function route(request: ApiRequest, state: ApiState): Answer {
  const segments = request.path.split('/').slice(1).map(decodeSegment)
  const [root, first, second, third, fourth] = segments
  const count = segments.length
  if (root === 'integrated-account') {
    if (count === 1) return accountList(request, state)
    const account = first === 'me' ? state.settings.accounts[0] : findAccount(first, state)
    if (account && count === 2) return ok(accountRecord(account, state))
    if (account && count === 3 && second === 'capabilities') return ok(capabilities(request, account, state))
  }
  if (root === 'unified' && first && second) {
    const resource = `${first}/${second}`
    checkResource(resource, state)
    if (count === 3) return list(request, resource, state)
    if (count === 4 && third) return single(request, resource, third, state)
    if (count === 5 && third === 'meta' && fourth === 'list') {
      return ok(meta(resource, accountOf(request, state).integration))
    }
    if (count === 6 && fourth === 'meta' && segments[5] === 'list') {
      const integration = integrations.find((name) => name === third)
      if (integration) return ok(meta(resource, integration))
    }
  }
  throw new Refusal(404, trutoError(404, `Cannot GET ${request.path}`))
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
