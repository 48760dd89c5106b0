// Answers to unified requests: lists page by page, and single records.

import type { JsonRecord, JsonValue } from '../record.js'
import type { Integration } from '../schema/integrations.js'
import { memberSchema } from '../schema/member.js'
import { accountOf, admit } from './accounts.js'
import { cursorRefused, trutoError } from './api-errors.js'
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
import { idOf, isTrue, limitOf, listOf, type QueryObject, textOf } from './query.js'
import { channelAt, recordView, workspaceAt } from './records.js'
import type { Answer, ListAnswer } from './replies.js'
import { type ApiRequest, type ApiState, Refusal } from './request.js'
import { requiredParent, windowOf } from './resources.js'
import { keyedRun, RecordPool, type RecordRun, type RecordView, renderedRun, textAt } from './runs.js'

export function list(request: ApiRequest, resource: string, state: ApiState): Answer {
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

/** The `debug` member of `truto_response_format=debug`, as pages of sibling endpoints name its parts; without the
 *  provider's records, which would double the page. */
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

/** Records per page. What cannot be read as a number is ignored, as the provider's `remote_query` limit is where it
 *  knows none. */
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

/** One record by its id, whole even where the list is partial. */
export function single(request: ApiRequest, resource: string, id: string, state: ApiState): Answer {
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
