// The list of one Truto resource, page after page: asks for a page until it is read, passing over what was let out
// already, goes to `unified` where the answer was passed through unmapped, and follows the cursor to its end.

import { formatDuration, second } from '../bytes/units.js'
import type { SourceState } from '../checkpoint/checkpoint.js'
import { sleep } from '../clock.js'
import { DataError, ExportError, UpstreamError } from '../errors.js'
import type { Hold } from '../http/pacing.js'
import { decideRetry, type RetryPolicy } from '../http/retry.js'
import type { ResponseHeaders } from '../http/retry-after.js'
import type { PageFacts } from '../json/slicer.js'
import type { Framing, RecordBatch } from '../record.js'
import type { ResponseFormat } from '../report.js'
import { CursorGuard } from './cursor-guard.js'
import { withoutSeparators } from './documents.js'
import { pageChanged } from './page-reader.js'
import { PagedSource } from './paged-source.js'
import { checkRequirements, type ListRequest, listUrl } from './request.js'
import type { SourceOptions } from './source.js'

/** What a page is asked of: `HttpClient`, or a double of it in tests. */
export interface PageClient {
  /** Resolves for a 200 answer, rejects with the typed error of any other. `onHold` is called for what is waited for
   *  before the request is sent. */
  open(
    url: URL,
    options: { signal?: AbortSignal | undefined; account?: string; onHold?: (hold: Hold) => Promise<void> },
  ): Promise<PageAnswer>
}

export interface PageAnswer {
  readonly contentType: string | null
  /** Decoded bytes; a chunk is valid until the next is asked for. */
  readonly body: AsyncIterable<Uint8Array>
  /** Bytes of the body that have arrived so far, before content decoding. */
  readonly wireBytes?: number
  /** By lowercase name. */
  readonly headers?: ResponseHeaders
  /** Gives up what has not been read. Does nothing after the end. */
  cancel(): void
}

export interface TrutoSourceOptions extends SourceOptions {
  client: PageClient
  apiUrl: URL
  request: ListRequest
  /** Default: `auto`. */
  responseFormat?: ResponseFormat
  /** Cursor to begin with; the list's beginning where it is absent. */
  cursor?: string | null
  retry: RetryPolicy
  /** From 0 to 1, for jitter. */
  random?: () => number
  /** Where to go on reading, in place of `cursor`. */
  from?: SourceState | null
  /** Called before a page is asked for, with all records before it taken by the consumer. */
  onPage?: (() => Promise<void>) | undefined
  /** Called when the token is refused, once a page: after it, the page is asked for again. */
  refresh?: (() => Promise<void>) | undefined
  /** The longest that this may take, in ms, to be announced. */
  refreshTimeoutMs?: number | undefined
  /** Cursors as they are kept in states, which may be saved. Default: as they are. */
  cursors?: CursorKeeper
}

/** What a cursor is in a state. */
export interface CursorKeeper {
  /** Null for one that cannot be kept. */
  hideCursor(cursor: string): string | null
  /** What was hidden. */
  showCursor(saved: string): string
}

/** Thrown inside the loop only: the page is no unified list, and nothing of it was let out. */
class NotUnified extends Error {
  readonly framing: Framing | null
  constructor(message: string, framing: Framing | null) {
    super(message)
    this.framing = framing
  }
}

/** Reads one list of Truto's unified API. The client stays the caller's, who closes it. */
export class TrutoSource extends PagedSource {
  readonly #options: TrutoSourceOptions
  #isWarned = false
  readonly #requested: ResponseFormat
  /** What the next page is asked for with. */
  #asking: Exclude<ResponseFormat, 'auto'>
  #page: number
  #cursor: string | null = null
  /** The cursor as a state has it. */
  #keptCursor: string | null = null
  /** Whether a state would lead back here. */
  #canSave = true
  /** Those of the last confirmation; page 0 before the first. */
  #confirmedPage = 0
  #confirmedCursor: string | null = null
  #confirmedAsking: Exclude<ResponseFormat, 'auto'> = 'stream'
  /** What the request was last accepted with. All else of it is the same for every page, but for the cursor. */
  #accepted: Exclude<ResponseFormat, 'auto'> | null = null

  /** @throws ConfigError where the request lacks what the named integration requires */
  constructor(options: TrutoSourceOptions) {
    super(options, true)
    checkRequirements(options.request)
    this.#options = options
    this.#requested = options.responseFormat ?? 'auto'
    const { from } = options
    this.#asking = from?.asking ?? (this.#requested === 'auto' ? 'stream' : this.#requested)
    this.#page = from?.page ?? 1
    if (from) this.#goTo(from.cursor === null ? null : (options.cursors?.showCursor(from.cursor) ?? from.cursor))
    else this.#goTo(options.cursor ?? null)
    if (from) {
      this.reader.restore(from)
      // by an earlier run
      if (from.page > 1 || from.taken.records > 0) this.#accepted = from.asking
    }
  }

  override get state(): SourceState | null {
    return this.#confirmedPage === 0
      ? null
      : this.reader.state(this.#confirmedPage, this.#confirmedCursor, this.#confirmedAsking)
  }

  override get lastCursor(): string | null {
    return this.#keptCursor
  }

  override confirm(): boolean {
    if (!this.#canSave) return false
    this.#confirmedPage = this.#page
    this.#confirmedCursor = this.#keptCursor
    this.#confirmedAsking = this.#asking
    return super.confirm()
  }

  protected async *readPages(): AsyncGenerator<RecordBatch, void, undefined> {
    // Starts empty after a restart: a list that goes in a circle is noticed one round later.
    const guard = new CursorGuard()
    if (this.#cursor !== null) guard.take(this.#cursor, this.#page)
    for (;;) {
      // all of the page before was taken when its end was asked for
      this.confirm()
      await this.#options.onPage?.()
      const facts = yield* this.#readPage(this.#page, this.#cursor)
      if (facts.nextCursor !== null) guard.take(facts.nextCursor, this.#page)
      this.reader.finishPage(facts, this.#page)
      if (facts.nextCursor === null) return this.#finish(facts)
      this.#page++
      this.#goTo(facts.nextCursor)
    }
  }

  #goTo(cursor: string | null): void {
    const { cursors } = this.#options
    const kept = cursor === null || cursors === undefined ? cursor : cursors.hideCursor(cursor)
    this.#cursor = cursor
    this.#keptCursor = kept
    this.#canSave = cursor === null || kept !== null
    if (this.#canSave || this.#isWarned) return
    this.#isWarned = true
    const message = 'cursors hold the token in a form that could not be put back, so that no checkpoint was saved there'
    this.reader.warn('cursor-not-saved', message)
  }

  /** One page, asked for until it is read or the policy says stop. */
  async *#readPage(page: number, cursor: string | null): AsyncGenerator<RecordBatch, PageFacts, undefined> {
    const { outcome, options } = this.reader
    const failures = new Map<string, number>()
    let isRefreshed = false
    let recordsOut = this.reader.takenRecords
    for (let attempt = 1; ; attempt++) {
      let answer: PageAnswer | undefined
      let batches: AsyncGenerator<RecordBatch, PageFacts, undefined> | undefined
      try {
        const url = listUrl(this.#options.apiUrl, this.#options.request, { cursor, responseFormat: this.#asking })
        this.#countRequest(1)
        const onHold = async (hold: Hold): Promise<void> => {
          // it is not sent yet
          this.#countRequest(-1)
          await this.#waitForLimit(page, hold)
          this.#countRequest(1)
        }
        answer = await this.#options.client.open(url, { signal: options.signal, account: this.#account, onHold })
        const isNdjson = checkContentType(answer.contentType, page)
        const body = /^application\/json-seq\b/i.test(answer.contentType ?? '')
          ? withoutSeparators(answer.body)
          : answer.body
        const accept = (facts: PageFacts): void => this.#accept(facts, page)
        batches = this.reader.readPage(body, page, isNdjson, accept, answer)
        for (;;) {
          const step = await batches.next()
          if (step.done) {
            outcome.responseFormat = this.#asking
            return step.value
          }
          yield step.value
        }
      } catch (error) {
        if (options.signal?.aborted) throw options.signal.reason // of whatever kind that is, it says nothing of the page
        const { takenRecords } = this.reader
        if (takenRecords === 0 && this.#fallBack(error, page)) {
          attempt = 0
          continue
        }
        if (error instanceof NotUnified) throw pageChanged(page, takenRecords)
        if (takenRecords > recordsOut) {
          // a try that got further is a first one: a long page may need many
          recordsOut = takenRecords
          attempt = 1
          failures.clear()
        }
        if (!isRefreshed && (await this.#refresh(error, page, attempt))) isRefreshed = true
        else await this.#waitForRetry(this.#classify(error, page, cursor), page, attempt, failures)
      } finally {
        answer?.cancel()
        // a reader that leaves does not end it by itself, and a timer of it would keep the process
        await batches?.return(undefined as never)
      }
    }
  }

  /** Sees a page's framing before its first record is let out. */
  #accept(facts: PageFacts, page: number): void {
    if (this.#isAuto && facts.recordMember !== 'result') {
      throw new NotUnified(
        `the ${describeFraming(facts)} answer to a stream request is not a unified list`,
        facts.framing,
      )
    }
    const { outcome } = this.reader
    if (outcome.framing !== null && outcome.framing !== facts.framing) {
      const message = `the page's framing is ${facts.framing}, that of the pages before it was ${outcome.framing}`
      throw new DataError('ERR_FRAMING_CHANGED', message, { page })
    }
    this.#accepted = this.#asking
    outcome.framing = facts.framing
    outcome.isUnified = facts.framing === 'envelope' && !['raw', 'debug'].includes(this.#asking)
  }

  /** Whether `stream` was our own choice, so that `unified` is to be asked for where the answer is not proven to be a
   *  unified list. */
  get #isAuto(): boolean {
    return this.#requested === 'auto' && this.#asking === 'stream'
  }

  /** Goes to `unified` for this page and all that follow, if the error calls for it. */
  #fallBack(error: unknown, page: number): boolean {
    if (!this.#isAuto) return false
    const isUnknown = error instanceof DataError && error.code === 'ERR_SCHEMA'
    if (!(error instanceof NotUnified) && !isUnknown) return false
    const framing = error instanceof NotUnified ? (error.framing ?? 'unknown') : 'unknown'
    const { outcome, options } = this.reader
    const reason = options.redact?.(error.message) ?? error.message
    outcome.fallback = { page, framing, reason }
    this.#asking = 'unified'
    options.onEvent?.({ kind: 'fallback', page, framing, reason })
    return true
  }

  /** Adds the page to an error. One that is about the cursor gets its own class, because no retry and no other request
   *  can help: it says so, or the request differs from one that was accepted by its cursor alone. */
  #classify(error: unknown, page: number, cursor: string | null): unknown {
    if (!(error instanceof ExportError)) return error
    const isOwnCursor = page === 1 && cursor === (this.#options.cursor ?? null)
    const isSaidSo = error.code === 'ERR_CURSOR_EXPIRED' || (isRefusal(error) && /cursor/i.test(error.message))
    const isOnly = !isOwnCursor && isRefusal(error) && this.#accepted === this.#asking
    if (cursor === null || !(isSaidSo || isOnly)) return error.locate({ page })
    const message = `the cursor of page ${page} was refused: ${error.message}`
    return new DataError('ERR_CURSOR_EXPIRED', message, {
      page,
      cause: error,
      statusCode: error.statusCode,
      isRemote: error.isRemote,
      ...(isOwnCursor ? { hint: 'leave out --cursor to begin with the first page' } : {}),
    })
  }

  /** Gets a new token where the old one was refused and there is a way to get one. */
  async #refresh(error: unknown, page: number, attempt: number): Promise<boolean> {
    const { refresh } = this.#options
    if (refresh === undefined || !(error instanceof ExportError) || error.code !== 'ERR_UNAUTHORIZED') return false
    // what the provider refused are the credentials of the account
    if (error.isRemote) return false
    await this.#announced(page, refresh)
    this.reader.outcome.retries++
    this.reader.options.onEvent?.({ kind: 'retry', page, attempt: attempt + 1, error })
    return true
  }

  /** Says that a new token is waited for. How long that takes is not known, so it is no part of the waits that are
   *  counted. */
  async #announced(page: number, refresh: () => Promise<void>): Promise<void> {
    const { options } = this.reader
    const { clock, progress } = options
    const ms = this.#options.refreshTimeoutMs
    const reason = 'the token was refused, and a new one is asked for'
    if (ms !== undefined) {
      options.onEvent?.({ kind: 'wait', page, reason: `${reason}; waiting up to ${formatDuration(ms)}`, ms })
      if (progress) progress.wait = { reason, untilMs: clock.now() + ms }
    }
    try {
      await refresh()
    } catch (error) {
      throw error instanceof ExportError ? error.locate({ page }) : error
    } finally {
      if (progress) progress.wait = null
    }
  }

  /** Waits as the policy says, or throws the error where it says stop. */
  async #waitForRetry(error: unknown, page: number, attempt: number, failures: Map<string, number>): Promise<void> {
    const { outcome, options } = this.reader
    const { clock } = options
    const code = error instanceof ExportError ? error.code : ''
    const attemptOfCode = (failures.get(code) ?? 0) + 1
    failures.set(code, attemptOfCode)
    const decision = decideRetry({
      error,
      attempt,
      attemptOfCode,
      policy: this.#options.retry,
      random: this.#options.random ?? Math.random,
      wallNow: clock.wallNow(),
    })
    if (decision.kind === 'stop') {
      if (error instanceof ExportError && decision.because !== 'not-retryable') {
        const { reason, comeBackAt } = decision
        const until = comeBackAt === undefined ? '' : `, come back at ${new Date(comeBackAt).toISOString()}`
        error.locate({ left: `${reason}${until}` })
      }
      throw error
    }
    outcome.retries++
    const { waitMs, reason } = decision
    options.onEvent?.({ kind: 'retry', page, attempt: attempt + 1, error: error as Error })
    if (waitMs > 0) await this.#wait(page, reason, waitMs)
  }

  #countRequest(change: 1 | -1): void {
    const { outcome, options } = this.reader
    outcome.requests += change
    if (options.progress) options.progress.requests += change
  }

  /** Waits for a limit, ours or the server's. @throws UpstreamError ERR_RATE_LIMITED where that would be too long */
  async #waitForLimit(page: number, { ms, reason, isOurs }: Hold): Promise<void> {
    const { maxWaitMs } = this.#options.retry
    if (ms <= maxWaitMs) return this.#wait(page, reason, ms)
    const until = new Date(this.reader.options.clock.wallNow() + ms).toISOString()
    const longest = `the wait for it is ${formatDuration(ms)}, more than ${formatDuration(maxWaitMs)}`
    throw new UpstreamError('ERR_RATE_LIMITED', reason, {
      page,
      retryAfterMs: ms,
      left: `${longest}, come back at ${until}`,
      ...(isOurs ? { hint: 'raise --max-wait, or the limit by --account-requests or --token-requests' } : {}),
    })
  }

  get #account(): string {
    return this.#options.request.account ?? ''
  }

  /** Says so and waits. */
  async #wait(page: number, reason: string, ms: number): Promise<void> {
    const { outcome, options } = this.reader
    const { clock, progress, signal } = options
    options.onEvent?.({ kind: 'wait', page, reason: `${reason}; waiting ${formatDuration(ms)}`, ms })
    // what is over as soon as it is read would only flicker
    if (progress && ms >= second) progress.wait = { reason, untilMs: clock.now() + ms }
    outcome.waitMs += ms
    try {
      await sleep(clock, ms, signal)
    } finally {
      if (progress) progress.wait = null
    }
  }

  /** The list has no further page: says whether that is proven. */
  #finish(facts: PageFacts): void {
    const { outcome } = this.reader
    if (facts.framing === 'envelope' && (facts.hasCursorMember || this.#asking !== 'stream')) return
    if ((facts.framing === 'slack' || facts.framing === 'graph') && facts.hasCursorMember) return
    outcome.complete = 'unproven'
    const message = `the last body (${describeFraming(facts)}) has no cursor member, so nothing proves that the list ends here`
    this.reader.warn('unproven-end', message)
  }
}

function describeFraming(facts: PageFacts): string {
  return facts.framing === 'envelope' ? `envelope with "${facts.recordMember}"` : `${facts.framing}`
}

/** Whether a request was refused for what it asks. Of 401 and 403 the token is the reason, of 429 the pace, and a 409
 *  may pass. */
function isRefusal(error: ExportError): boolean {
  const { code, statusCode = 0 } = error
  const isOfRequest = code === 'ERR_REQUEST_REJECTED' || code === 'ERR_NOT_FOUND'
  return isOfRequest && [400, 404, 410, 422].includes(statusCode)
}

const ndjsonTypes = /^application\/(x-ndjson|ndjson|jsonl|x-jsonl|jsonlines|x-jsonlines|json-seq)\b/i
const otherTypes =
  /^(text\/(html|xml|css|csv)|application\/(xml|xhtml\+xml|pdf|zip|gzip|vnd\.ms-)|image\/|audio\/|video\/|multipart\/)/i

/** Whether the content type says NDJSON. What `stream` is sent as is not documented, so only types that cannot hold
 *  JSON are refused.
 *  @throws DataError ERR_SCHEMA */
export function checkContentType(contentType: string | null, page: number): boolean {
  if (contentType !== null && otherTypes.test(contentType)) {
    throw new DataError('ERR_SCHEMA', `the answer's content type is ${contentType.split(';')[0]}, not JSON`, { page })
  }
  return contentType !== null && ndjsonTypes.test(contentType)
}
