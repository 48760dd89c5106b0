// What a page's body may look like and how each layout is recognised: the outermost object's members by name, whatever their order. The real
// framing of Truto's `stream` format is not documented, so it is recognised and never assumed. Engines report the members of the outermost
// object here and are told what to do with each value; grammar and record bounds are theirs.

import { DataError, UpstreamError } from '../errors.js'
import type { Framing } from '../record.js'
import type { PageFacts, SlicerOptions } from './slicer.js'

export type ValueKind = 'array' | 'object' | 'string' | 'number' | 'boolean' | 'null'

/** What an engine does with the value of a member: slice the records in it, hand its JSON text to `memberEnd`, or only validate it. */
export type MemberRole = 'records' | 'capture' | 'skip'

/** Members that hold records, by the framing that they are the sign of: Truto's unified and platform lists, Slack's `conversations.members` and
 *  `users.list`, Microsoft Graph collections. Only the first two may be an object (`truto_key_by`). */
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

  constructor(options: SlicerOptions) {
    this.#options = options
  }

  /** Called for each member of the outermost object when its value begins. `byteOffset` is that of the value's first byte.
   *  @throws DataError ERR_SCHEMA where a member that matters is there twice */
  memberStart(name: string, kind: ValueKind, byteOffset: number): MemberRole {
    if (this.#keyCount++ < maxNamedKeys) this.#keys.push(name)
    const { facts } = this
    const framing = recordMembers.get(name)
    if (framing !== undefined) {
      if (facts.recordMember !== null) {
        // `members` and `value` are ordinary names once an envelope is known; a second list under a list's own name is not
        if (framing === 'envelope' || name === facts.recordMember) {
          throw this.#schema(`the page has both "${facts.recordMember}" and another "${name}"`, byteOffset)
        }
        return 'skip'
      }
      if (kind === 'array' || (kind === 'object' && framing === 'envelope')) {
        facts.framing = framing
        facts.recordMember = name
        facts.isKeyed = kind === 'object'
        return 'records'
      }
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
    this.#misfit = null
  }

  /** Called when the outermost value is an array. */
  decideArray(): void {
    this.facts.framing = 'array'
  }

  /** Called at the proven end of the document: the cursor, the counts and an error in the body become facts.
   *  @throws DataError ERR_SCHEMA where nothing in the document can be records and it is no error either */
  finish(): void {
    const { facts } = this
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

  /** Truto answers errors as `{statusCode, error, message}`, Slack as `{ok: false, error}`. Beside records, only what cannot be meant otherwise counts. */
  #readError(): void {
    const get = (name: string): unknown => this.#captured.get(name)
    const [statusCode, error, message] = [get('statusCode'), get('error'), get('message')]
    const isRemote = get('truto_is_remote_error') === true || get('ok') === false
    const hasRecords = this.facts.framing !== null
    const isError = hasRecords
      ? isRemote ||
        (typeof statusCode === 'number' && statusCode >= 400) ||
        (error !== undefined && error !== null && error !== '' && error !== false)
      : isRemote || ['statusCode', 'error', 'message'].some((name) => this.#captured.has(name))
    if (!isError || (this.#misfit !== null && !isRemote && statusCode === undefined && error === undefined)) return
    this.facts.error = {
      statusCode: typeof statusCode === 'number' ? statusCode : null,
      error: textOf(error),
      message: textOf(message),
      isRemote,
      insight: get('truto_error_insight'),
    }
  }

  #schema(message: string, byteOffset: number | undefined, recordIndex?: number): DataError {
    return new DataError('ERR_SCHEMA', message, { page: this.#options.page, byteOffset, recordIndex })
  }
}

/** The error of a body that ended before its document did. `where` says inside what. */
export function truncated(where: string, facts: PageFacts, page: number): UpstreamError {
  const context = { page, recordIndex: facts.records, byteOffset: facts.bytes }
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
