// What a page's body may look like and how each layout is recognised: the outermost object's members by name, whatever
// their order. The real framing of Truto's `stream` format is not documented, so it is recognised and never assumed.
// Engines report the members of the outermost object here and are told what to do with each value; grammar and record
// bounds are theirs.

import { DataError, UpstreamError } from '../errors.js'
import type { Framing } from '../record.js'
import type { PageError, PageFacts, SlicerOptions } from './slicer.js'

export type ValueKind = 'array' | 'object' | 'string' | 'number' | 'boolean' | 'null'

/** What an engine does with the value of a member: slice the records in it, hand its JSON text to `memberEnd`, or only
 *  validate it. */
export type MemberRole = 'records' | 'capture' | 'skip'

/** Members that hold records, by the framing that they are the sign of: Truto's unified and platform lists, Slack's
 *  `conversations.members` and `users.list`, Microsoft Graph collections. Only the first two may be an object
 *  (`truto_key_by`). */
const recordMembers: ReadonlyMap<string, Framing> = new Map([
  ['result', 'envelope'],
  ['results', 'envelope'],
  ['members', 'slack'],
  ['value', 'graph'],
])

const capturedMembers: ReadonlySet<string> = new Set([
  'next_cursor',
  'response_metadata',
  '@odata.nextLink',
  'result_count',
  'is_partial_response',
  'ok',
  'statusCode',
  'error',
  'message',
  'truto_is_remote_error',
  'truto_error_insight',
  'raw_response',
])

/** What an envelope of Truto has (its documentation, "Response"). */
const envelopeMembers: ReadonlySet<string> = new Set([
  ...['result', 'next_cursor', 'prev_cursor', 'result_count', 'is_partial_response', 'limit'],
])

const maxNamedKeys = 20

/** Follows the outermost object of a page and fills its facts. One for each page. */
export class PageHead {
  readonly facts: PageFacts = {
    framing: null,
    recordMember: null,
    isKeyed: false,
    hasCursorMember: false,
    nextCursor: null,
    resultCount: null,
    isPartialResponse: null,
    records: 0,
    bareIds: 0,
    bytes: 0,
    error: null,
  }
  readonly #options: SlicerOptions
  readonly #captured = new Map<string, unknown>()
  /** Digits of a number cursor, which parsing would round. */
  #cursorText = ''
  readonly #keys: string[] = []
  #keyCount = 0
  /** A record member whose value is no list, for the error at the end. */
  #misfit: string | null = null
  /** A record member whose value is null: an empty list, where the document is a page. */
  #nullMember: string | null = null

  constructor(options: SlicerOptions) {
    this.#options = options
  }

  /** Called for each member of the outermost object when its value begins. `byteOffset` is that of the value's first
   *  byte.
   *  @throws DataError ERR_SCHEMA where a member that matters is there twice */
  memberStart(name: string, kind: ValueKind, byteOffset: number): MemberRole {
    if (this.#keyCount++ < maxNamedKeys) this.#keys.push(name)
    const { facts } = this
    const framing = recordMembers.get(name)
    if (framing !== undefined) {
      if (facts.recordMember !== null) {
        // `members` and `value` are ordinary names once an envelope is known; a second list under a list's own name is
        // not
        if (framing === 'envelope' || name === facts.recordMember) {
          throw this.#schema(`the page has both "${facts.recordMember}" and another "${name}"`, byteOffset)
        }
        return 'skip'
      }
      if (this.#nullMember === name) throw this.#schema(`the page has "${name}" twice`, byteOffset)
      if (kind === 'array' || (kind === 'object' && framing === 'envelope')) {
        facts.framing = framing
        facts.recordMember = name
        facts.isKeyed = kind === 'object'
        return 'records'
      }
      if (kind === 'null') this.#nullMember ??= name
      if (framing === 'envelope') this.#misfit ??= `"${name}" is ${withArticle(kind)}`
      return 'skip'
    }
    if (!capturedMembers.has(name)) return 'skip'
    if (this.#captured.has(name)) throw this.#schema(`the page has "${name}" twice`, byteOffset)
    this.#captured.set(name, undefined)
    return 'capture'
  }

  /** Called when a captured member's value has ended, with its JSON text.
   *  @throws DataError ERR_CURSOR for a cursor that is too long or no string or number */
  memberEnd(name: string, text: string, byteOffset: number): void {
    const value: unknown = JSON.parse(text)
    this.#captured.set(name, value)
    if (name === 'next_cursor' || name === '@odata.nextLink') {
      this.#checkCursor(name, value, typeof value === 'number' ? text.length : byteLength(value), byteOffset)
      this.#cursorText = text.trim()
    }
    if (name === 'response_metadata') {
      const cursor = memberOf(value, 'next_cursor')
      if (cursor !== undefined)
        this.#checkCursor('response_metadata.next_cursor', cursor, byteLength(cursor), byteOffset)
    }
  }

  /** Called when every top-level value turned out to be a record of its own. */
  decideNdjson(): void {
    this.facts.framing = 'ndjson'
    this.facts.recordMember = null
    this.#captured.clear()
    this.#misfit = this.#nullMember = null
  }

  /** Called when the outermost object holds the records by their keys. */
  decideKeyed(): void {
    this.facts.framing = 'keyed'
    this.facts.isKeyed = true
  }

  /** Called where an object ends that has had no list: a page may have null in place of an empty one. A cursor member
   *  beside it shows that at once. */
  closeObject(): void {
    if (this.facts.framing === null && this.#nullMember !== null && this.#hasCursor()) this.#decideEmpty()
  }

  /** Called when the outermost value is an array. */
  decideArray(): void {
    this.facts.framing = 'array'
  }

  /** Called with a line of NDJSON, or an element of the outermost array, that is no record. An error is that of the
   *  page; what follows it does not count.
   *  @throws DataError ERR_FRAMING_CHANGED for a page: its records are not those of the list of lines */
  meetLine(line: Line, byteOffset: number): void {
    const { facts } = this
    facts.bytes = byteOffset - (this.#options.startOffset ?? 0)
    if (line.kind === 'error') facts.error = { ...line.error, byteOffset }
    if (line.kind !== 'page') return
    const isLine = facts.framing !== 'array'
    const message = isLine
      ? 'the line is a page, and the lines before it are records'
      : 'an element of the array is a page, and no record'
    throw new DataError('ERR_FRAMING_CHANGED', message, {
      ...(isLine ? {} : { hint: "write the pages one after the other, as jq -c '.[]' does" }),
      page: this.#options.page,
      recordIndex: facts.records,
      byteOffset,
    })
  }

  /** Called at the proven end of the document: the cursor, the counts and an error in the body become facts.
   *  @throws DataError ERR_SCHEMA where nothing in the document can be records and it is no error either */
  finish(): void {
    const { facts } = this
    // without a cursor member as well, where nothing stands beside it that an envelope has not
    const isEnvelope = this.#nullMember === 'result' && this.#keys.every((name) => envelopeMembers.has(name))
    if (facts.framing === null && isEnvelope && this.#keyCount <= maxNamedKeys) this.#decideEmpty()
    this.#readError()
    if (facts.framing === null && facts.error === null) {
      const keys = this.#keys.map((key) => `"${key}"`).join(', ') || 'none'
      const more = this.#keyCount > maxNamedKeys ? ', …' : ''
      throw this.#schema(`${this.#misfit ?? 'no list of records in the body'}; its keys are: ${keys}${more}`, undefined)
    }
    this.#readCursor()
    const count = this.#captured.get('result_count')
    if (typeof count === 'number') facts.resultCount = count
    const isPartial = this.#captured.get('is_partial_response')
    if (typeof isPartial === 'boolean') facts.isPartialResponse = isPartial
  }

  /** The error of a body whose outermost value is a scalar. */
  scalarBody(kind: ValueKind, byteOffset: number): DataError {
    return this.#schema(`the body is ${withArticle(kind)}, not a list`, byteOffset)
  }

  /** The error of a record that is no object. */
  scalarRecord(kind: ValueKind, byteOffset: number): DataError {
    return this.#schema(`the record is ${withArticle(kind)}, not an object`, byteOffset, this.facts.records)
  }

  /** Whether a string among the records is a bare id: upstream, Slack's `conversations.members` sends ids only. */
  get allowsBareIds(): boolean {
    return this.facts.framing === 'slack'
  }

  #decideEmpty(): void {
    this.facts.framing = recordMembers.get(this.#nullMember!)!
    this.facts.recordMember = this.#nullMember
    this.#misfit = null
  }

  #hasCursor(): boolean {
    const metadata = this.#captured.get('response_metadata')
    return (
      this.#captured.has('next_cursor') ||
      this.#captured.has('@odata.nextLink') ||
      memberOf(metadata, 'next_cursor') !== undefined
    )
  }

  #readCursor(): void {
    const { facts } = this
    const own = this.#captured.has('next_cursor')
    const metadata = this.#captured.get('response_metadata')
    const slackCursor = memberOf(metadata, 'next_cursor')
    const candidates = own
      ? [this.#captured.get('next_cursor')]
      : [slackCursor, this.#captured.get('@odata.nextLink')].filter((cursor) => cursor !== undefined)
    facts.hasCursorMember = candidates.length > 0
    for (const cursor of candidates) {
      if (typeof cursor === 'number') facts.nextCursor ??= own ? this.#cursorText : String(cursor)
      else if (typeof cursor === 'string' && cursor !== '') facts.nextCursor ??= cursor
    }
  }

  #checkCursor(name: string, cursor: unknown, bytes: number, byteOffset: number): void {
    const { page, maxCursorBytes } = this.#options
    if (cursor !== null && typeof cursor !== 'string' && typeof cursor !== 'number') {
      const kind = Array.isArray(cursor) ? 'array' : typeof cursor === 'boolean' ? 'boolean' : 'object'
      throw new DataError('ERR_CURSOR', `"${name}" is ${withArticle(kind)}`, { page, byteOffset })
    }
    if (bytes > maxCursorBytes) {
      const message = `"${name}" has ${bytes} bytes, more than the limit of ${maxCursorBytes}`
      throw new DataError('ERR_CURSOR', message, { page, byteOffset, hint: 'raise --max-cursor-bytes' })
    }
  }

  /** Truto answers errors as `{statusCode, error, message}`, Slack as `{ok: false, error}`. Beside records, only what
   *  cannot be meant otherwise counts. */
  #readError(): void {
    const get = (name: string): unknown => this.#captured.get(name)
    const [statusCode, error] = [get('statusCode'), get('error')]
    const isRemote = get('truto_is_remote_error') === true || get('ok') === false
    const hasRecords = this.facts.framing !== null
    const isError = hasRecords
      ? isRemote ||
        (typeof statusCode === 'number' && statusCode >= 400) ||
        (error !== undefined && error !== null && error !== '' && error !== false)
      : isRemote || ['statusCode', 'error', 'message'].some((name) => this.#captured.has(name))
    if (!isError || (this.#misfit !== null && !isRemote && statusCode === undefined && error === undefined)) return
    this.facts.error = pageError(get, isRemote)
  }

  #schema(message: string, byteOffset: number | undefined, recordIndex?: number): DataError {
    return new DataError('ERR_SCHEMA', message, { page: this.#options.page, byteOffset, recordIndex })
  }
}

/** What a line of NDJSON is. */
export type Line = { kind: 'record' } | { kind: 'page' } | { kind: 'error'; error: PageError }

const record: Line = { kind: 'record' }

/** What a line is by what nothing else has. A page is an object with a record member and a cursor member. An error says
 *  that a provider made it, or has the members of an error of Truto, Slack or Microsoft Graph and no other: a record
 *  may have a field `error`, `message` or `value`, too.
 *  @param line its value */
export function lineOf(line: { readonly [name: string]: unknown }): Line {
  const get = (name: string): unknown => (Object.hasOwn(line, name) ? line[name] : undefined)
  if (isPage(get)) return { kind: 'page' }
  const [isTruto, isSlack] = [isTrutoError(line, get), hasOnly(line, slackErrorMembers) && isSlackError(get)]
  if (isTruto || isSlack || isGraphError(line, get)) {
    return { kind: 'error', error: pageError(get, isSlack || get('truto_is_remote_error') === true) }
  }
  return record
}

/** Whether a member of this name and value is a list of records, as a page has one. */
export function isListMember(name: string, value: unknown): boolean {
  return Array.isArray(value) ? recordMembers.has(name) : recordMembers.get(name) === 'envelope' && isObject(value)
}

function isPage(get: (name: string) => unknown): boolean {
  const hasCursor = get('next_cursor') !== undefined
  const isList = (name: string): boolean => get(name) === null || Array.isArray(get(name))
  if (['result', 'results'].some((name) => isList(name) || isObject(get(name)))) return hasCursor
  if (isList('members')) return hasCursor || memberOf(get('response_metadata'), 'next_cursor') !== undefined
  return isList('value') && (hasCursor || ['@odata.nextLink', '@odata.context'].some((name) => get(name) !== undefined))
}

const trutoErrorMembers: ReadonlySet<string> = new Set([
  ...['statusCode', 'error', 'message', 'truto_is_remote_error', 'truto_error_insight', 'raw_response'],
])
/** docs.slack.dev: what an answer with `"ok": false` has. */
const slackErrorMembers: ReadonlySet<string> = new Set([
  ...['ok', 'error', 'errors', 'needed', 'provided', 'warning', 'arg', 'detail', 'response_metadata'],
])
/** Names that what `lineOf` takes for a page or an error may begin with. */
export const tellingMembers: ReadonlySet<string> = new Set([
  ...trutoErrorMembers,
  ...slackErrorMembers,
  ...recordMembers.keys(),
  ...capturedMembers,
  ...['prev_cursor', '@odata.context', '@odata.count', 'limit', 'cache_ts', 'raw_data', 'query'],
])

function isTrutoError(line: object, get: (name: string) => unknown): boolean {
  if (get('truto_is_remote_error') === true) return true
  const statusCode = get('statusCode')
  if (typeof statusCode !== 'number' || statusCode < 400 || statusCode > 599) return false
  if (isObject(get('truto_error_insight'))) return true
  return hasOnly(line, trutoErrorMembers) && ['error', 'message'].some((name) => isText(get(name)))
}

function isSlackError(get: (name: string) => unknown): boolean {
  return get('ok') === false && isText(get('error'))
}

/** `{"error": {"code": "TooManyRequests", "message": "…"}}` and nothing beside it. */
function isGraphError(line: object, get: (name: string) => unknown): boolean {
  const error = get('error')
  return Object.keys(line).length === 1 && isText(memberOf(error, 'code')) && isText(memberOf(error, 'message'))
}

function hasOnly(line: object, names: ReadonlySet<string>): boolean {
  return Object.keys(line).every((name) => names.has(name))
}

/** Text that is not empty; Truto gives a list of them where several things are wrong. */
function isText(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every((part) => typeof part === 'string')
  return typeof value === 'string' && value !== ''
}

function pageError(get: (name: string) => unknown, isRemote: boolean): PageError {
  const statusCode = get('statusCode')
  const rawResponse = get('raw_response')
  return {
    statusCode: typeof statusCode === 'number' ? statusCode : null,
    error: textOf(get('error')),
    message: textOf(get('message')),
    isRemote,
    insight: get('truto_error_insight'),
    ...(rawResponse === undefined ? {} : { rawResponse }),
  }
}

/** The error of a body that ended before its document did. `where` says inside what. */
export function truncated(where: string, facts: PageFacts, { page, startOffset = 0 }: SlicerOptions): UpstreamError {
  const context = { page, recordIndex: facts.records, byteOffset: startOffset + facts.bytes }
  return new UpstreamError('ERR_BODY_TRUNCATED', `body ended ${where}`, context)
}

/** The kind of the value that begins with `byte`, undefined where none does. */
export function kindOf(byte: number): ValueKind | undefined {
  if (byte === 0x7b) return 'object'
  if (byte === 0x5b) return 'array'
  if (byte === 0x22) return 'string'
  if (byte === 0x74 || byte === 0x66) return 'boolean'
  if (byte === 0x6e) return 'null'
  return byte === 0x2d || (byte >= 0x30 && byte <= 0x39) ? 'number' : undefined
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function byteLength(value: unknown): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : 0
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
}

function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function withArticle(kind: ValueKind): string {
  return kind === 'null' ? 'null' : /^[aeio]/.test(kind) ? `an ${kind}` : `a ${kind}`
}
