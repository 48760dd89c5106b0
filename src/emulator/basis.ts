// What the emulator assumes and on what ground, one line per behaviour: the real service could not be asked, so whoever
// captures a live answer can see which line to correct. A test holds this table against the options that switch the
// behaviours.

/** How sure a behaviour is. `documented`: by Truto; `source`: read in Truto's own public code; `upstream`: documented
 *  by Slack or Microsoft; `inferred`: concluded from those; `guess`: nothing is known. */
export type Ground = 'documented' | 'source' | 'upstream' | 'inferred' | 'guess'

/** One assumption and its ground. */
export interface Basis {
  /** Option, option and value, or route. */
  readonly behaviour: string
  readonly ground: Ground
  readonly because: string
}

const row = (behaviour: string, ground: Ground, because: string): Basis => ({ behaviour, ground, because })

/** The assumptions. */
export const basis: readonly Basis[] = [
  row(
    'framing: envelope',
    'inferred',
    'the unified envelope of one page, written progressively; mapping needs the whole upstream body, so this is one page at most',
  ),
  row(
    'framing: envelope-cursor-first',
    'inferred',
    'as envelope: nothing says on which side of the records the cursor stands',
  ),
  row(
    'framing: slack',
    'inferred',
    'the reference page says "returns the response as a stream" without buffering: most likely the body of the provider, passed through',
  ),
  row('framing: graph', 'inferred', 'as slack; Graph puts @odata.nextLink before value'),
  row(
    'framing: array',
    'guess',
    'a stream of records is often a bare array; then there is no place for a cursor, so it holds everything',
  ),
  row('framing: ndjson', 'guess', 'a stream of records is often one per line; application/x-ndjson'),
  row('framing: ignored', 'inferred', 'an integration that cannot stream may answer exactly as unified'),
  row(
    'streamIgnoresParameters',
    'inferred',
    'a body that is passed through is not mapped, so nothing can be excluded from it',
  ),
  row('streamAllPages', 'guess', 'following pages is otherwise always the task of the caller'),
  row('acceptsUpstreamCursor', 'guess', 'whether next_cursor equals the cursor of the provider is not documented'),
  row(
    'truto_response_format=raw',
    'inferred',
    '"the unprocessed, raw response from the remote API"; whether an envelope is around it is not said',
  ),
  row('truto_response_format=normalized', 'guess', 'documented in one sentence without a shape: served as unified'),
  row('truto_response_format=debug', 'inferred', 'newer pages of sibling endpoints name its parts: result and debug'),
  row('truto_response_format, unknown value', 'guess', '400; ignoring it would be possible too'),
  row('result', 'documented', 'the reference page of members; platform lists are also documented with results'),
  row('resultCount', 'documented', 'the list envelope of the skills repository; absent on the reference page'),
  row('prevCursor', 'documented', 'the list envelope of the skills repository; absent on the reference page'),
  row(
    'slackPartial',
    'inferred',
    'the reference page says partial response, and conversations.members gives bare ids; yet 15 fields are marked for Slack',
  ),
  row('fields by integration', 'documented', 'the reference page: 6 fields for Microsoft, 15 for Slack'),
  row('unfilled fields are absent', 'inferred', 'JSONata drops what it does not find'),
  row('remote_data', 'upstream', 'the user object of Slack and the aadUserConversationMember of Graph'),
  row('microsoft365', 'guess', 'neither the slug nor the upstream endpoint is documented; served as Teams'),
  row(
    'channel[id], workspace[id]',
    'inferred',
    'the reference pages of channels and messages make them objects with an id; the bare form is accepted too',
  ),
  row(
    'requireParents',
    'documented',
    'channel is required for Slack, workspace for Microsoft; the body of the 400 is inferred',
  ),
  row('strictParents', 'guess', 'off for convenience: an unknown channel holds all members'),
  row('strictResources', 'guess', 'off for convenience: an unknown resource holds the members'),
  row('pageSize', 'guess', 'the default of the API is not documented; Slack has 100, Graph 100'),
  row('maxLimit', 'guess', 'not documented; Slack and Graph stop at 1,000 and 999'),
  row('truto_ignore_limit', 'inferred', '"ignores the limit query parameter": the default of the provider is left'),
  row(
    'remote_query[limit], remote_query[$top]',
    'inferred',
    'passed to the provider untransformed, where they set the page size',
  ),
  row(
    'truto_key_by',
    'inferred',
    'an object keyed by the field; a repeated key keeps the last record, as lodash keyBy does',
  ),
  row(
    'truto_exclude_fields',
    'documented',
    'top-level fields; documented as list, comma list and sent with indexes by the SDK',
  ),
  row('paging.cursor: base64url', 'documented', 'samples are base64url JSON'),
  row('paging.cursor: base64', 'upstream', 'cursors of Slack end with ='),
  row('paging.cursor: url', 'upstream', '@odata.nextLink of Graph is a whole URL'),
  row('paging.cursor: odd', 'guess', 'a cursor is opaque: every character is possible'),
  row('paging.cursor: long', 'upstream', 'skip tokens of Graph can be some KB long'),
  row('paging.cursor: number', 'inferred', 'page and offset are among the six paging styles of integrations'),
  row('paging.end: null', 'documented', 'next_cursor is null on the last page'),
  row('paging.end: absent', 'source', 'the SDKs treat a missing cursor as the end'),
  row('paging.end: empty', 'source', 'the SDKs treat an empty cursor as the end; Slack sends one'),
  row('paging.emptyPages', 'inferred', 'a mapping may drop every record of a page'),
  row('paging.shortPages', 'upstream', 'Slack may give fewer than asked before the end of the list'),
  row('paging.trailingEmptyPage', 'inferred', 'a provider that pages by offset knows the end only from an empty page'),
  row('paging.overlap', 'inferred', 'no snapshot: records may repeat while the list changes'),
  row('paging.loop', 'guess', 'no detection of loops is documented'),
  row('paging.cursorTtlMs', 'upstream', 'Slack: a cursor "is not valid or is no longer valid"'),
  row('cursor refused', 'inferred', 'the invalid_cursor of Slack as a remote 400'),
  row(
    'error bodies',
    'documented',
    'statusCode, error, message; truto_is_remote_error and raw_response; truto_error_insight',
  ),
  row(
    'rateLimits',
    'documented',
    '50 requests in 10 s per account, 500 per token, Retry-After: 10; fixed windows are a guess',
  ),
  row(
    'rateLimits.provider',
    'documented',
    'ratelimit-limit, -remaining, -reset in seconds; a 429 of the provider has the same',
  ),
  row('accountToken', 'documented', 'one account implied, 15 minutes, 403 elsewhere'),
  row('needsReauth', 'documented', '401 with the remote flag until the user connects again'),
  row('blocked', 'documented', '503 means a blocked account'),
  row('accounts', 'inferred', 'an unknown account is 404: missing, or not visible to this token'),
  row('encoding', 'inferred', 'the platform runs on Cloudflare, which compresses as asked'),
  row('transfer', 'inferred', 'chunked for streams; else as measured nowhere'),
  row(
    'GET /unified/instant-messaging/members/{id}',
    'documented',
    'for Microsoft 365 and Teams; for Slack it is a guess',
  ),
  row('GET /unified/instant-messaging/workspaces', 'documented', 'Microsoft 365 and Teams only'),
  row('GET /unified/instant-messaging/channels', 'documented', 'Slack; Microsoft with workspace[id]'),
  row(
    'GET /unified/{model}/{resource}',
    'documented',
    'all unified resources share path, parameters and envelope; the records here are made up',
  ),
  row('GET /integrated-account', 'documented', 'dotted filters, limit 5,000 by default, dates in two forms'),
  row(
    'GET /integrated-account/{id}/capabilities',
    'documented',
    'account state and methods per resource; the names around them are inferred',
  ),
  row(
    'GET /unified/{model}/{resource}/meta/list',
    'documented',
    'schema, query_schema, response_mapping; their inner shape is a guess',
  ),
  row('GET /ping', 'source', 'the Python SDK calls it; its body is a guess'),
]
