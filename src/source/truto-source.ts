// The list of one Truto resource, page after page: asks for a page, retries it while none of its records is out, goes to `unified` where the answer was
// passed through unmapped, and follows the cursor to its end.

import { formatDuration } from '../bytes/units.js'
import { sleep } from '../clock.js'
import { DataError, ExportError, RequestError } from '../errors.js'
import { decideRetry, type RetryPolicy } from '../http/retry.js'
import type { PageFacts } from '../json/slicer.js'
import type { Framing, RecordBatch } from '../record.js'
import type { ResponseFormat } from '../report.js'
import { CursorGuard } from './cursor-guard.js'
import { checkRequirements, type ListRequest, listUrl } from './request.js'
import { PagedSource, type SourceOptions } from './source.js'

/** What a page is asked of: `HttpClient`, or a double of it in tests. */
export interface PageClient {
  /** Resolves for a 200 answer, rejects with the typed error of any other. */
  open(url: URL, options: { signal?: AbortSignal | undefined }): Promise<PageAnswer>
}

export interface PageAnswer {
  readonly contentType: string | null
  /** Decoded bytes. */
  readonly body: AsyncIterable<Uint8Array>
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
  readonly #requested: ResponseFormat
  /** What the next page is asked for with. */
  #asking: Exclude<ResponseFormat, 'auto'>

  /** @throws ConfigError where the request lacks what the named integration requires */
  constructor(options: TrutoSourceOptions) {
    super(options)
    checkRequirements(options.request)
    this.#options = options
    this.#requested = options.responseFormat ?? 'auto'
    this.#asking = this.#requested === 'auto' ? 'stream' : this.#requested
  }

  async *read(): AsyncGenerator<RecordBatch, void, undefined> {
    const guard = new CursorGuard()
    let cursor = this.#options.cursor ?? null
    if (cursor !== null) guard.take(cursor, 1)
    for (let page = 1; ; page++) {
      const facts = yield* this.#page(page, cursor)
      if (facts.nextCursor !== null) guard.take(facts.nextCursor, page)
      this.reader.finishPage(facts, page)
      if (facts.nextCursor === null) return this.#finish(facts)
      cursor = facts.nextCursor
    }
  }

  /** One page, asked for until it is read or the policy says stop. */
  async *#page(page: number, cursor: string | null): AsyncGenerator<RecordBatch, PageFacts, undefined> {
    const { outcome, options } = this.reader
    const failures = new Map<string, number>()
    for (let attempt = 1; ; attempt++) {
      let recordsOut = 0
      let answer: PageAnswer | undefined
      try {
        outcome.requests++
        if (options.progress) options.progress.requests++
        const url = listUrl(this.#options.apiUrl, this.#options.request, { cursor, responseFormat: this.#asking })
        answer = await this.#options.client.open(url, { signal: options.signal })
        const isNdjson = checkContentType(answer.contentType, page)
        const batches = this.reader.readPage(answer.body, page, isNdjson, (facts) => this.#accept(facts, page))
        for (;;) {
          const step = await batches.next()
          if (step.done) {
            outcome.responseFormat = this.#asking
            return step.value
          }
          recordsOut += step.value.count
          yield step.value
        }
      } catch (error) {
        if (recordsOut === 0 && this.#fallBack(error, page)) {
          attempt = 0
          continue
        }
        await this.#waitForRetry(this.#classify(error, page, cursor), page, attempt, recordsOut, failures)
      } finally {
        answer?.cancel()
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
    outcome.framing = facts.framing
    outcome.isUnified = facts.framing === 'envelope' && !['raw', 'debug'].includes(this.#asking)
  }

  /** Whether `stream` was our own choice, so that `unified` is to be asked for where the answer is not proven to be a unified list. */
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
    outcome.fallback = { page, framing, reason: error.message }
    this.#asking = 'unified'
    options.onEvent?.({ kind: 'fallback', page, framing, reason: error.message })
    return true
  }

  /** Adds the page to an error; a refused cursor gets its own class, because no retry and no other request can help. */
  #classify(error: unknown, page: number, cursor: string | null): unknown {
    if (!(error instanceof ExportError)) return error
    if (cursor !== null && error instanceof RequestError && error.statusCode === 400 && /cursor/i.test(error.message)) {
      const message = `the cursor of page ${page} was refused: ${error.message}`
      return new DataError('ERR_CURSOR_EXPIRED', message, { page, cause: error, statusCode: 400 })
    }
    return error.locate({ page })
  }

  /** Waits as the policy says, or throws the error where it says stop. */
  async #waitForRetry(
    error: unknown,
    page: number,
    attempt: number,
    recordsOut: number,
    failures: Map<string, number>,
  ): Promise<void> {
    const { outcome, options } = this.reader
    const { clock, progress, signal } = options
    if (signal?.aborted) throw signal.reason
    const code = error instanceof ExportError ? error.code : ''
    const attemptOfCode = (failures.get(code) ?? 0) + 1
    failures.set(code, attemptOfCode)
    const decision = decideRetry({
      error,
      attempt,
      attemptOfCode,
      recordsOut,
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
    if (waitMs <= 0) return
    options.onEvent?.({ kind: 'wait', page, reason: `${reason}; waiting ${formatDuration(waitMs)}`, ms: waitMs })
    if (progress) progress.wait = { reason, untilMs: clock.now() + waitMs }
    outcome.waitMs += waitMs
    try {
      await sleep(clock, waitMs, signal)
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

const ndjsonTypes = /^application\/(x-ndjson|ndjson|jsonl|x-jsonl|jsonlines|x-jsonlines|json-seq)\b/i
const otherTypes =
  /^(text\/(html|xml|css|csv)|application\/(xml|xhtml\+xml|pdf|zip|gzip|vnd\.ms-)|image\/|audio\/|video\/|multipart\/)/i

/** Whether the content type says NDJSON. What `stream` is sent as is not documented, so only types that cannot hold JSON are refused.
 *  @throws DataError ERR_SCHEMA */
export function checkContentType(contentType: string | null, page: number): boolean {
  if (contentType !== null && otherTypes.test(contentType)) {
    throw new DataError('ERR_SCHEMA', `the answer's content type is ${contentType.split(';')[0]}, not JSON`, { page })
  }
  return contentType !== null && ndjsonTypes.test(contentType)
}
