// The URL of one list call. The only file that knows Truto's parameter names and what each integration requires.

import { ConfigError, DataError } from '../errors.js'
import { encodeQuery, type QueryParameters, type QueryValue } from '../http/query.js'
import type { ResponseFormat } from '../report.js'
import type { Integration } from '../schema/integrations.js'
import { isResourceName } from '../schema/resource-name.js'

/** What is asked for, the same for every page. */
export interface ListRequest {
  /** `model/resource`, such as `instant-messaging/members`. */
  readonly resource: string
  /** `integrated_account_id`; may be left out where the token itself is one of an account. */
  readonly account?: string | undefined
  /** The workspace's id, or an object sent in bracket form. */
  readonly workspace?: string | QueryParameters | undefined
  /** The channel's id, or an object sent in bracket form. */
  readonly channel?: string | QueryParameters | undefined
  /** Records a page at most, a positive integer. */
  readonly limit?: number | undefined
  /** Any other parameters. Names may be in bracket form. */
  readonly query?: QueryParameters | undefined
  /** A query string that is appended verbatim, already percent-encoded, with or without its `?`. */
  readonly rawQuery?: string | undefined
  readonly ignoreLimit?: boolean | undefined
  readonly ignoreRemoteData?: boolean | undefined
  /** Top-level fields that the server may leave out. */
  readonly excludeFields?: readonly string[] | undefined
  /** Names the integration behind the account, so that `checkRequirements` can know what it needs. Not sent. */
  readonly integration?: Integration | undefined
}

export interface PageRequest {
  /** Null for the first page, which `query` may give a cursor of its own. */
  readonly cursor: string | null
  readonly responseFormat: Exclude<ResponseFormat, 'auto'>
}

const cursorName = 'next_cursor'
const formatName = 'truto_response_format'

/**
 * The URL of one page: `{apiUrl}/unified/{model}/{resource}?...`. `apiUrl` may have a path. A page's cursor takes the
 * place of one that the query has.
 * @throws ConfigError ERR_OPTION_INVALID for a resource, limit or query that cannot be sent, or a parameter given twice
 * @throws DataError ERR_CURSOR for a cursor that has no encoding
 */
export function listUrl(apiUrl: URL, request: ListRequest, page: PageRequest): URL {
  const { resource, limit } = request
  if (!isResourceName(resource)) {
    throw new ConfigError('ERR_OPTION_INVALID', `${JSON.stringify(resource)} is no resource`, {
      hint: 'write model/resource, such as instant-messaging/members',
    })
  }
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0)) {
    throw new ConfigError('ERR_OPTION_INVALID', `the limit ${limit} is not a positive integer`)
  }
  if (
    page.cursor !== null &&
    /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(page.cursor)
  ) {
    throw new DataError('ERR_CURSOR', 'the cursor holds half of a surrogate pair and cannot be sent back')
  }

  const isReplaced = (name: string): boolean => page.cursor !== null && name === cursorName
  const own = encodeQuery(ownParameters(request))
  const query = encodeQuery(request.query ?? {})
  const given = [...query.split('&').filter(Boolean), ...rawPairs(request.rawQuery)]
  checkNames(own, given)
  const pairs = [
    own,
    encodeQuery({ [formatName]: page.responseFormat }),
    ...given.filter((pair) => !isReplaced(nameOf(pair))),
    page.cursor === null ? '' : encodeQuery({ [cursorName]: page.cursor }),
  ]
  return new URL(`${resourceUrl(apiUrl, resource)}?${pairs.filter(Boolean).join('&')}`)
}

/** The URL of a list, without what is asked of it. */
export function resourceUrl(apiUrl: URL, resource: string): string {
  return `${apiUrl.origin}${apiUrl.pathname.replace(/\/+$/, '')}/unified/${resource}`
}

/** Which of two values a server takes is not documented, so none is sent twice. `channel[id]` and `channel[type]` are
 *  two parameters, `channel` is both. */
function checkNames(own: string, given: readonly string[]): void {
  const ownNames = own.split('&').filter(Boolean).map(nameOf)
  for (const name of given.map(nameOf)) {
    if (topLevel(name) === formatName) throw givenTwice(name, '--response-format')
    const isTaken = ownNames.some(
      (ownName) =>
        ownName === name ||
        (topLevel(ownName) === topLevel(name) && (ownName === topLevel(ownName) || name === topLevel(name))),
    )
    if (isTaken) throw givenTwice(name, 'its own option')
  }
}

/** What each integration requires for a resource (reference page of members/list, "required"), as the parameter and our
 *  flag for it. */
const requirements: Readonly<Record<string, Readonly<Record<Integration, string>>>> = {
  'instant-messaging/members': { microsoft365: 'workspace', msteams: 'workspace', slack: 'channel' },
}

/**
 * Checks that a request for a named integration has what that integration requires, in whichever form. Nothing is
 * known, and nothing checked, for other resources.
 * @throws ConfigError ERR_OPTION_MISSING naming the flag
 */
export function checkRequirements(request: ListRequest): void {
  const { integration, resource } = request
  const required = integration === undefined ? undefined : requirements[resource]?.[integration]
  if (required === undefined) return
  const queries = [encodeQuery(ownParameters(request)), encodeQuery(request.query ?? {})]
  const pairs = [...queries.flatMap((query) => query.split('&')), ...rawPairs(request.rawQuery)]
  if (pairs.some((pair) => topLevel(nameOf(pair)) === required)) return
  throw new ConfigError('ERR_OPTION_MISSING', `${integration} needs a ${required} to list ${resource}`, {
    hint: `pass --${required} ID`,
  })
}

/** Our options as parameters; undefined where an option was not given. */
function ownParameters(request: ListRequest): QueryParameters {
  return {
    integrated_account_id: request.account,
    workspace: byId(request.workspace),
    channel: byId(request.channel),
    limit: request.limit,
    truto_ignore_limit: request.ignoreLimit || undefined,
    truto_ignore_remote_data: request.ignoreRemoteData || undefined,
    // The reference page's form: truto_exclude_fields[]=id&truto_exclude_fields[]=name
    truto_exclude_fields: request.excludeFields?.length ? request.excludeFields : undefined,
  }
}

/** The reference page names no sub-fields; on the pages of channels and messages these objects have an `id`. */
function byId(value: ListRequest['workspace']): QueryValue {
  return typeof value === 'string' ? { id: value || undefined } : value
}

function rawPairs(rawQuery: string | undefined): string[] {
  const text = (rawQuery ?? '').replace(/^\?/, '')
  // A blank or a line end would be encoded for us, or worse: verbatim means that the user has done all encoding.
  if (/[^\x21-\x7e]|#/.test(text)) {
    throw new ConfigError('ERR_OPTION_INVALID', 'the raw query has characters that must be percent-encoded')
  }
  return text.split('&').filter(Boolean)
}

function nameOf(pair: string): string {
  const name = pair.split('=', 1)[0]!.replaceAll('+', ' ')
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

/** `remote_query[a][b]` → `remote_query` */
function topLevel(name: string): string {
  return name.split('[', 1)[0]!
}

function givenTwice(name: string, option: string): ConfigError {
  return new ConfigError('ERR_OPTION_INVALID', `${name} is given in the query and by an option`, {
    hint: `leave it out of the query and use ${option}`,
  })
}
