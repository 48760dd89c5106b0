// What is asked and what is answered: authorization, limits, parameters and resources, in the order in which Truto would look at them. Pure but
// for the rate limits: a request and the state in, an answer out.

import type { JsonRecord, JsonValue } from '../record.js'
import { type Integration, integrations } from '../schema/integrations.js'
import { memberSchema } from '../schema/member.js'
import { cursorRefused, missingParameters, needsReauth, remoteError, trutoError } from './api-errors.js'
import { arrayPage, type EnvelopeFacts, envelopePage, graphPage, ndjsonPage, type Page, slackPage } from './framings.js'
import { memberAt, memberIndexOf } from './members.js'
import type { EmulatedAccount, Settings, StreamFraming } from './options.js'
import {
  type CursorStyle,
  decodeCursor,
  encodeCursor,
  firstPage,
  type PagePosition,
  planPage,
  positionOf,
} from './paging.js'
import { idOf, isTrue, listOf, type QueryObject, type QueryValue, textOf } from './query.js'
import { type Allowance, RateLimiter } from './rate-limits.js'
import { channelAt, parentIdAt, parentWindow, recordView, type Window, workspaceAt } from './records.js'
import type { Answer, ListAnswer } from './replies.js'
import { keyedRun, RecordPool, type RecordRun, type RecordView, renderedRun, textAt } from './runs.js'

/** A request without its transport. */
export interface ApiRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: QueryObject
  /** What followed `Bearer `. */
  readonly token: string | undefined
}

/** What requests change. */
export interface ApiState {
  readonly settings: Settings
  readonly rateLimiter: RateLimiter
  /** When the emulator started, on its clock. */
  readonly startedMs: number
  /** The provider rejects the account's credentials. */
  isReauthNeeded: boolean
  readonly pools: Map<string, RecordPool>
}

/** The state of an emulator that has just started. */
export function newState(settings: Settings): ApiState {
  return {
    settings,
    rateLimiter: new RateLimiter(),
    startedMs: settings.clock.now(),
    isReauthNeeded: settings.needsReauth,
    pools: new Map(),
  }
}

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

/** An answer other than 200, thrown to where answers are made. */
class Refusal extends Error {
  readonly status: number
  readonly body: JsonRecord
  readonly headers: Record<string, string>

  constructor(status: number, body: JsonRecord, headers: Record<string, string> = {}) {
    super(`${status}`)
    this.status = status
    this.body = body
    this.headers = headers
  }
}

function ok(json: JsonValue): Answer {
  return { status: 200, headers: {}, content: { json } }
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

// Accounts

function findAccount(id: string | undefined, state: ApiState): EmulatedAccount | undefined {
  const { accounts, takesAnyAccount } = state.settings
  if (takesAnyAccount && id) return { id, integration: accounts[0]!.integration }
  return accounts.find((account) => account.id === id)
}

/** The account of a unified request. @throws Refusal 400 or 404 */
function accountOf(request: ApiRequest, state: ApiState): EmulatedAccount {
  if (state.settings.accountTokenTtlMs !== undefined) return state.settings.accounts[0]!
  const id = textOf(request.query['integrated_account_id'])
  if (!id) throw new Refusal(400, missingParameters(['integrated_account_id']))
  const account = findAccount(id, state)
  if (!account) throw new Refusal(404, trutoError(404, 'Integrated account not found.'))
  return account
}

function accountList(request: ApiRequest, state: ApiState): Answer {
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

function accountRecord(account: EmulatedAccount, state: ApiState): JsonRecord {
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

function capabilities(request: ApiRequest, account: EmulatedAccount, state: ApiState): JsonRecord {
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

/** What a method accepts and gives. */
function meta(resource: string, integration: Integration): JsonRecord {
  const parent = requiredParent(resource, integration)
  const isMember = resource === memberSchema.resource
  const properties = isMember ? memberSchema.fields.map(({ name, type }) => [name, { type: type.kind }]) : []
  return {
    resource,
    method: 'list',
    integration,
    schema: { type: 'object', required: ['id'], properties: Object.fromEntries(properties) as JsonRecord },
    query_schema: {
      type: 'object',
      required: parent ? [parent] : [],
      properties: parent ? { [parent]: { type: 'object', required: ['id'] } } : {},
    },
    response_mapping: 'response.{ "id": id }',
    query: {},
  }
}

// Unified lists

/** The parameter that an integration requires (reference pages of members and channels). */
function requiredParent(resource: string, integration: Integration): 'channel' | 'workspace' | undefined {
  if (resource === 'instant-messaging/members') return integration === 'slack' ? 'channel' : 'workspace'
  return resource === 'instant-messaging/channels' && integration !== 'slack' ? 'workspace' : undefined
}

/** Lists that the emulated account has. */
const knownResources: readonly string[] = [
  memberSchema.resource,
  'instant-messaging/channels',
  'instant-messaging/workspaces',
]

/** @throws Refusal */
function checkResource(resource: string, { settings }: ApiState): void {
  if (!settings.strictResources || knownResources.includes(resource)) return
  throw new Refusal(404, trutoError(404, `The emulator has no ${resource}; it has ${knownResources.join(', ')}.`))
}

/** Which records a list request means. @throws Refusal */
function windowOf(request: ApiRequest, resource: string, integration: Integration, state: ApiState): Window {
  const { members, member, parents, requireParents, strictParents } = state.settings
  if (resource === 'instant-messaging/workspaces') {
    // Workspaces are supported for Microsoft 365 and Teams only (their reference page).
    if (integration === 'slack') throw new Refusal(404, trutoError(404, 'workspaces is not supported by slack.'))
    return { start: 0, count: parents }
  }
  const name = requiredParent(resource, integration)
  const id = name && idOf(request.query[name])
  if (name && !id && requireParents) throw new Refusal(400, missingParameters([name]))
  if (resource === 'instant-messaging/channels') return { start: 0, count: parents }
  if (!id) return { start: 0, count: members }
  for (let index = 0; index < parents; index++) {
    if (id === parentIdAt(index, member.seed, integration)) return parentWindow(index, parents, members)
  }
  if (!strictParents) return { start: 0, count: members }
  throw new Refusal(
    404,
    integration === 'slack'
      ? remoteError(404, 'channel_not_found', { ok: false, error: 'channel_not_found' })
      : remoteError(404, 'No team found with the given id.', {
          error: { code: 'NotFound', message: 'No team found.' },
        }),
  )
}

/** Checks account and limits. @returns headers for the answer. @throws Refusal */
function admit(account: EmulatedAccount, state: ApiState): Record<string, string> {
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

function list(request: ApiRequest, resource: string, state: ApiState): Answer {
  const { settings } = state
  const account = accountOf(request, state)
  const headers = admit(account, state)
  const window = windowOf(request, resource, account.integration, state)
  const format = formatOf(request.query, settings)
  const limit = pageLimit(request.query, settings)
  const position = positionOfRequest(request, account, window.count, limit, state)

  const plan =
    format.isStream && settings.streamAllPages
      ? { ...position, start: position.offset, count: Math.max(0, window.count - position.offset), next: undefined }
      : planPage(position, window.count, limit, settings.paging, settings.member.seed)
  const view = viewOf(request.query, resource, account, format, settings)
  const build = (shift: number, cursor: { readonly value: JsonValue | undefined } | undefined): Page => {
    const start = window.start + plan.start + shift
    const run = runOf(view, start, plan.count, format, request.query, state)
    const next = cursor ? cursor.value : undefined
    const nextOf = (style: CursorStyle): JsonValue | undefined => (cursor ? next : cursorValue(plan.next, style, state))
    return pageOf(run, { format, account, plan, total: window.count, limit, nextOf, request, state })
  }
  const parent = requiredParent(resource, account.integration)
  const content: ListAnswer = {
    list: `${request.path} ${account.id} ${parent ? (idOf(request.query[parent]) ?? '') : ''}`,
    page: plan.page,
    records: plan.count,
    isStream: format.isStream,
    cacheKey: `${view.key} ${window.start + plan.start} ${plan.count}`,
    build,
  }
  return { status: 200, headers, content }
}

interface Format {
  readonly layout: 'envelope' | 'debug' | 'upstream' | 'array' | 'ndjson'
  readonly isStream: boolean
  readonly isCursorFirst: boolean
  readonly ignoresParameters: boolean
}

/** How `truto_response_format` is answered. @throws Refusal 400 for a format that is not documented */
function formatOf(query: QueryObject, settings: Settings): Format {
  const plain: Format = { layout: 'envelope', isStream: false, isCursorFirst: false, ignoresParameters: false }
  const name = textOf(query['truto_response_format']) || 'unified'
  switch (name) {
    case 'unified':
    case 'normalized':
      return plain
    case 'debug':
      return { ...plain, layout: 'debug' }
    case 'raw':
      return { ...plain, layout: 'upstream', ignoresParameters: true }
    case 'stream': {
      const layouts: Record<StreamFraming, Format['layout']> = {
        envelope: 'envelope',
        'envelope-cursor-first': 'envelope',
        slack: 'upstream',
        graph: 'upstream',
        array: 'array',
        ndjson: 'ndjson',
        ignored: 'envelope',
      }
      const { framing } = settings
      if (framing === 'ignored') return plain
      return {
        layout: layouts[framing],
        isStream: true,
        isCursorFirst: framing === 'envelope-cursor-first',
        ignoresParameters: settings.streamIgnoresParameters,
      }
    }
    default:
      throw new Refusal(400, trutoError(400, `truto_response_format does not take ${name}.`))
  }
}

function viewOf(
  query: QueryObject,
  resource: string,
  account: EmulatedAccount,
  format: Format,
  settings: Settings,
): RecordView {
  const isMapped = !format.ignoresParameters
  return recordView({
    resource,
    member: { ...settings.member, integration: account.integration },
    isUpstream: format.layout === 'upstream',
    exclude: isMapped ? listOf(query['truto_exclude_fields']) : [],
    ignoreRemoteData: isMapped && isTrue(query['truto_ignore_remote_data']),
    // A line of NDJSON holds no line break.
    isPretty: settings.prettyPrint && format.layout !== 'ndjson',
  })
}

function runOf(
  view: RecordView,
  start: number,
  count: number,
  format: Format,
  query: QueryObject,
  state: ApiState,
): RecordRun {
  const isLines = format.layout === 'ndjson'
  const separator = isLines ? '\n' : view.isPretty ? ',\n' : ','
  const keyBy = keyField(query, format)
  if (keyBy !== undefined) return keyedRun(view, start, count, keyBy, separator)
  if (view.pool === 0) {
    return renderedRun((index) => textAt(view, start + index), count, { separator, isTerminated: isLines })
  }
  const key = `${view.key} ${separator}`
  let pool = state.pools.get(key)
  if (!pool) {
    pool = new RecordPool(view, separator)
    // A handful of views is what a benchmark needs; a pool may be large.
    if (state.pools.size >= 8) state.pools.clear()
    state.pools.set(key, pool)
  }
  return pool.run(start, count, isLines)
}

/** The field of `truto_key_by`, which only an envelope has a place for. */
function keyField(query: QueryObject, format: Format): string | undefined {
  const isKeyed = !format.ignoresParameters && (format.layout === 'envelope' || format.layout === 'debug')
  return isKeyed ? textOf(query['truto_key_by']) || undefined : undefined
}

interface PageFacts {
  readonly format: Format
  readonly account: EmulatedAccount
  readonly plan: PagePosition & {
    readonly start: number
    readonly count: number
    readonly next: PagePosition | undefined
  }
  /** Records of the whole list. */
  readonly total: number
  readonly limit: number
  nextOf(style: CursorStyle): JsonValue | undefined
  readonly request: ApiRequest
  readonly state: ApiState
}

function pageOf(run: RecordRun, facts: PageFacts): Page {
  const { format, account, state, nextOf } = facts
  const { settings } = state
  switch (format.layout) {
    case 'array':
      return arrayPage(run)
    case 'ndjson':
      return ndjsonPage(run)
    case 'upstream': {
      const next = nextOf(upstreamCursorStyle(account.integration, settings))
      // At the end Slack has an empty string, Graph no link at all.
      if (account.integration === 'slack') return slackPage(run, next === null ? '' : next)
      return graphPage(run, next === null || next === '' ? undefined : next)
    }
    case 'envelope':
    case 'debug':
      break
  }
  const next = nextOf(settings.paging.cursor ?? 'base64url')
  const isPartial = account.integration === 'slack' && settings.member.slackPartial === true
  const envelope: EnvelopeFacts = {
    next_cursor: next,
    prev_cursor: settings.prevCursor ? prevCursor(facts) : undefined,
    result_count: settings.resultCount ? run.count : undefined,
    is_partial_response: isPartial ? true : undefined,
    debug: format.layout === 'debug' ? debugOf(run, next, facts) : undefined,
  }
  const first = format.isCursorFirst ? ['next_cursor', 'prev_cursor', 'result_count', 'is_partial_response'] : []
  return envelopePage(run, envelope, {
    resultKey: settings.resultKey,
    order: settings.envelopeOrder.length > 0 ? settings.envelopeOrder : first,
    isPretty: settings.prettyPrint,
    hasEscapedKeys: settings.escapeKeys,
    isKeyed: keyField(facts.request.query, format) !== undefined,
  })
}

/** The `debug` member of `truto_response_format=debug`, as pages of sibling endpoints name its parts; without the provider's records, which would
 *  double the page. */
function debugOf(run: RecordRun, next: JsonValue | undefined, facts: PageFacts): JsonRecord {
  const isSlack = facts.account.integration === 'slack'
  return {
    request_url: isSlack
      ? 'https://slack.com/api/users.list'
      : 'https://graph.microsoft.com/v1.0/teams/02bd9fd6/members',
    request_options: { method: 'GET', query: { limit: facts.limit === Infinity ? null : facts.limit } },
    data: isSlack ? { ok: true } : { '@odata.count': run.count },
    headers: { 'content-type': 'application/json; charset=utf-8' },
    next_cursor: next ?? null,
    is_looping: false,
    is_empty: run.count === 0,
    result_count: run.count,
  }
}

// Parameters of paging

/** A whole number from 1, or undefined. */
function limitOf(value: QueryValue | undefined): number | undefined {
  const text = textOf(value)
  return text !== undefined && /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined
}

/** Records per page. What cannot be read as a number is ignored, as the provider's `remote_query` limit is where it knows none. */
function pageLimit(query: QueryObject, settings: Settings): number {
  const remote = query['remote_query']
  const remoteLimit =
    typeof remote === 'object' && !Array.isArray(remote)
      ? (limitOf(remote['limit']) ?? limitOf(remote['$top']))
      : undefined
  const asked = isTrue(query['truto_ignore_limit']) ? undefined : limitOf(query['limit'])
  return Math.min(remoteLimit ?? asked ?? settings.pageSize, settings.maxLimit)
}

function upstreamCursorStyle(integration: Integration, settings: Settings): CursorStyle {
  return integration === 'slack' ? (settings.paging.cursor ?? 'base64') : 'url'
}

/** @throws Refusal 400 for a cursor that is not ours or too old */
function positionOfRequest(
  request: ApiRequest,
  account: EmulatedAccount,
  total: number,
  limit: number,
  state: ApiState,
): PagePosition {
  const { paging, member, acceptsUpstreamCursor, clock } = state.settings
  const text = textOf(request.query['next_cursor'])
  // Truto's TypeScript SDK sends an empty `next_cursor=` for the first page.
  if (text === undefined || text === '') return firstPage
  const locate = (page: number): PagePosition => positionOf(page, total, limit, paging, member.seed)
  const styles = [paging.cursor ?? 'base64url']
  if (acceptsUpstreamCursor) styles.push(upstreamCursorStyle(account.integration, state.settings))
  for (const style of styles) {
    const position = decodeCursor(text, style, locate)
    if (!position) continue
    const { cursorTtlMs } = paging
    const isExpired =
      cursorTtlMs !== undefined &&
      position.issuedMs !== undefined &&
      clock.now() - state.startedMs - position.issuedMs >= cursorTtlMs
    if (!isExpired) return { page: position.page, offset: position.offset }
  }
  throw new Refusal(400, cursorRefused(account.integration))
}

/** The value of `next_cursor`; undefined where it is left out. */
function cursorValue(next: PagePosition | undefined, style: CursorStyle, state: ApiState): JsonValue | undefined {
  const { paging } = state.settings
  if (next) return encodeCursor(next, style, issuedMs(state))
  return paging.end === 'absent' ? undefined : paging.end === 'empty' ? '' : null
}

/** Null on the first page, and where the page before could only be found by walking. */
function prevCursor(facts: PageFacts): JsonValue {
  const { plan, limit, state } = facts
  const { paging, member } = state.settings
  if (plan.page === 1 || paging.shortPages) return null
  return encodeCursor(
    positionOf(plan.page - 1, facts.total, limit, paging, member.seed),
    paging.cursor ?? 'base64url',
    issuedMs(state),
  )
}

function issuedMs(state: ApiState): number | undefined {
  const { paging, clock } = state.settings
  return paging.cursorTtlMs === undefined ? undefined : clock.now() - state.startedMs
}

// Single records

/** One record by its id, whole even where the list is partial. */
function single(request: ApiRequest, resource: string, id: string, state: ApiState): Answer {
  const { settings } = state
  const account = accountOf(request, state)
  const headers = admit(account, state)
  const member = { ...settings.member, integration: account.integration, slackPartial: false }
  let record: JsonRecord | undefined
  if (resource === memberSchema.resource) {
    const index = memberIndexOf(id, member)
    if (index !== undefined && index < settings.members) record = memberAt(index, member)
  } else if (resource === 'instant-messaging/channels' || resource === 'instant-messaging/workspaces') {
    for (let index = 0; index < settings.parents && !record; index++) {
      const isChannel = resource.endsWith('channels')
      const parent = isChannel ? channelAt(index, member.seed, account.integration) : workspaceAt(index, member.seed)
      if (parent['id'] === id) record = parent
    }
  }
  if (!record) throw new Refusal(404, trutoError(404, `Record ${id} not found.`))
  const dropped = listOf(request.query['truto_exclude_fields'])
  if (isTrue(request.query['truto_ignore_remote_data'])) dropped.push('remote_data')
  for (const name of dropped) delete record[name]
  return { status: 200, headers, content: { json: record } }
}
