// The contract of a source of records, and what the two sources share: a page's bytes go through a slicer, its end is proven, and what it told is
// added up.

import { AbortableSteps, Following } from '../abort.js'
import { minute } from '../bytes/units.js'
import type { RecordsDigest, SourceState } from '../checkpoint/checkpoint.js'
import { RecordsTally } from '../checkpoint/digest.js'
import { type Clock, systemClock } from '../clock.js'
import { type Counters, countersOf, noCounters } from '../counts.js'
import { AuthError, DataError, type ErrorContext, type ExportError, RequestError, UpstreamError } from '../errors.js'
import { slackCodeOf, slackError } from '../http/provider-error.js'
import { redactJson } from '../http/redact.js'
import { type ResponseHeaders, retryAfterMs } from '../http/retry-after.js'
import type { EngineName } from '../json/engine-names.js'
import { slicerFactory } from '../json/engines.js'
import type { Layout } from '../json/first-look.js'
import type { PageFacts, SlicerFactory } from '../json/slicer.js'
import { resolveOptions } from '../options/resolve.js'
import type { ResolvedOptions } from '../options/schema.js'
import { type Framing, ownedBatches, type RecordBatch, type Warning } from '../record.js'
import type { ExportEvent, Progress, ResponseFormat } from '../report.js'
import { Cuts } from './cuts.js'
import { Documents } from './documents.js'
import { recordsOfLines } from './keyed-lines.js'

/** Limits that every page is held to, and what a run is told with. */
export interface SourceOptions {
  parser?: EngineName
  maxDepth?: number
  maxRecordBytes?: number
  maxCursorBytes?: number
  /** Consecutive pages without a record before the list is taken as endless. */
  maxEmptyPages?: number
  maxPages?: number | null
  maxRecords?: number | null
  /** Decoded body bytes. */
  maxBytes?: number | null
  /** Time spent waiting for bytes without a record being finished, in ms. */
  pageTimeoutMs?: number
  clock?: Clock
  signal?: AbortSignal | undefined
  onEvent?: ((event: ExportEvent) => void) | undefined
  progress?: Progress | undefined
  /** Whether batches shall tell where their records' members are (`RecordBatch.fields`), if the engine can. Default false: it costs a little. */
  withFields?: boolean
  /** Takes credentials out of what an outcome repeats of a body. Default: there are none. */
  redact?: ((text: string) => string) | undefined
  /** A batch ends with the record that makes so many bytes of records (a line feed after each), or so many records, since the last one that did: places
   *  that depend on the records alone. Default: there are none. */
  cutBytes?: number | null
  cutRecords?: number | null
  /** Likewise for the parts that the output is in. A part's end is a cut as well. */
  partBytes?: number | null
  partRecords?: number | null
}

/** What a source has told so far; complete when its records have been read to the end. */
export interface SourceOutcome extends Counters {
  complete: true | 'unproven'
  framing: Framing | null
  /** Whether the records have the shape of their resource's declared schema, as far as the answer's format promises it. */
  isUnified: boolean
  responseFormat: Exclude<ResponseFormat, 'auto'> | null
  fallback: { page: number; framing: Framing | 'unknown'; reason: string } | null
}

/** A list of records, read once. As an async iterable it gives batches that own their bytes, for `pipeline`, `Readable.from` and `for await`. From an abort of
 *  its signal on, each step rejects with the signal's reason, whatever had been read by then. */
export interface RecordSource extends AsyncIterable<RecordBatch> {
  readonly outcome: SourceOutcome
  warnings(): Warning[]
  /** Gives batches that may be views: each is valid until the next is asked for. */
  read(): AsyncGenerator<RecordBatch, void, undefined>
}

/** The limits of the option table, for who reads a body without going by way of it. */
const limitDefaults = limitsOf(resolveOptions({}, { hasInput: true, env: {} }))

function limitsOf(resolved: ResolvedOptions) {
  const { parser, maxDepth, maxRecordBytes, maxCursorBytes, maxEmptyPages } = resolved
  const { maxPages, maxRecords, maxBytes, pageTimeoutMs } = resolved
  return {
    parser,
    maxDepth,
    maxRecordBytes,
    maxCursorBytes,
    maxEmptyPages,
    maxPages,
    maxRecords,
    maxBytes,
    pageTimeoutMs,
  }
}

/** A body slower than this over a whole window is no better than a stalled one. */
const minRate = { bytesPerSecond: 100, windowMs: minute }

export function emptyOutcome(): SourceOutcome {
  return {
    complete: true,
    framing: null,
    isUnified: false,
    responseFormat: null,
    fallback: null,
    ...noCounters(),
  }
}

/** A body with the deadline that it is held to. */
type PagedDocuments = Documents & { readonly pace: PagePace; readonly wire: Wire | undefined }

interface DocumentInit {
  readonly page: number
  readonly layout: Layout
  /** Sees the framing before the first record is let out; may throw. */
  readonly accept: (facts: PageFacts) => void
  /** What was let out of the page before, and what of it was seen again. Absent where a page is read once. */
  readonly retry?: { readonly skipped: RecordsDigest; readonly seen: RecordsTally }
  /** Whether a line is a record whatever it looks like. Default false. */
  readonly takesAnyLine?: boolean
}

type UnchangedOptions = 'signal' | 'onEvent' | 'progress' | 'redact'

/** Reads pages with one slicer factory and adds up what they tell. Both sources are built on it. */
export class PageReader {
  readonly outcome = emptyOutcome()
  readonly options: Required<Omit<SourceOptions, UnchangedOptions>> & Pick<SourceOptions, UnchangedOptions>
  /** Whether the batch that was given last ends at a cut, and whether that is the end of a part. */
  isAtCut = false
  isAtPartEnd = false
  /** Records of the page in hand that were let out, whichever try of the page they came from. */
  #taken = new RecordsTally()
  #cuts: Cuts
  #parts: Cuts
  #slicers: SlicerFactory | undefined
  #emptyPagesInARow = 0
  #bareIds = 0
  #idOnlyRecords = 0
  /** What of this stands after the batch that is known to be in the output. */
  readonly #confirmed = {
    taken: new RecordsTally(),
    cuts: new Cuts(null, null),
    parts: new Cuts(null, null),
    counters: noCounters(),
    emptyPagesInARow: 0,
    bareIds: 0,
    idOnlyRecords: 0,
  }
  readonly #extraWarnings: Warning[] = []
  readonly #rereads: boolean

  /** @param rereads whether a page may be read again, so that its records have to be recognised */
  constructor(options: SourceOptions, rereads: boolean) {
    this.#rereads = rereads
    const noCuts = { cutBytes: null, cutRecords: null, partBytes: null, partRecords: null }
    const defaults = { ...limitDefaults, clock: systemClock, ...noCuts, withFields: false }
    this.options = { ...defaults, ...withoutUndefined(options) } as PageReader['options']
    const { cutBytes, cutRecords, partBytes, partRecords } = this.options
    this.#cuts = new Cuts(cutBytes, cutRecords)
    this.#parts = new Cuts(partBytes, partRecords)
  }

  /** Records of the page in hand that were let out. */
  get takenRecords(): number {
    return this.#taken.records
  }

  /** What was given last is in the output, and so is the page that was finished last: `state` tells of it. Copies numbers and makes nothing, because it is called for every batch. */
  confirm(): void {
    const mark = this.#confirmed
    mark.taken.copy(this.#taken)
    mark.cuts.copy(this.#cuts)
    mark.parts.copy(this.#parts)
    mark.emptyPagesInARow = this.#emptyPagesInARow
    mark.bareIds = this.#bareIds
    mark.idOnlyRecords = this.#idOnlyRecords
    const { counters } = mark
    const { outcome } = this
    counters.pages = outcome.pages
    counters.records = outcome.records
    counters.requests = outcome.requests
    counters.retries = outcome.retries
    counters.waitMs = outcome.waitMs
    counters.bodyBytes = outcome.bodyBytes
    counters.emptyPages = outcome.emptyPages
    counters.partialPages = outcome.partialPages
    counters.countMismatches = outcome.countMismatches
  }

  /** Where reading would go on after the batch that was confirmed last. */
  state(page: number, cursor: string | null, asking: SourceState['asking']): SourceState {
    const { framing, isUnified, responseFormat, fallback } = this.outcome
    const { taken, cuts, parts, counters, ...others } = this.#confirmed
    return {
      framing,
      isUnified,
      responseFormat,
      fallback,
      ...counters,
      page,
      cursor,
      asking,
      taken: taken.snapshot(),
      sinceCut: cuts.counts,
      sincePart: parts.counts,
      ...others,
    }
  }

  /** Resumes from a state, before anything was read. */
  restore(state: SourceState): void {
    const { framing, isUnified, responseFormat, fallback } = state
    Object.assign(this.outcome, countersOf(state), { framing, isUnified, responseFormat, fallback })
    this.#taken = new RecordsTally(state.taken)
    const { cutBytes, cutRecords, partBytes, partRecords } = this.options
    this.#cuts = new Cuts(cutBytes, cutRecords, state.sinceCut)
    this.#parts = new Cuts(partBytes, partRecords, state.sincePart)
    this.#emptyPagesInARow = state.emptyPagesInARow
    this.#bareIds = state.bareIds
    this.#idOnlyRecords = state.idOnlyRecords
    this.confirm()
  }

  /** Slices one page body. Yields views; returns the page's facts once its end is proven. `accept` sees the framing before the first record of the
   *  page is let out and may throw. Of a page that is read again, the records that were let out before are passed over. A body whose type says NDJSON may
   *  be a page nevertheless, or several, which are then as one.
   *  @throws DataError ERR_PAGE_CHANGED where the page does not begin with these records any more */
  async *readPage(
    body: AsyncIterable<Uint8Array>,
    page: number,
    isNdjson: boolean,
    accept: (facts: PageFacts) => void,
    wire?: Wire,
  ): AsyncGenerator<RecordBatch, PageFacts, undefined> {
    const { maxRecordBytes } = this.options
    const documents = this.documents(body, page, wire)
    const retry = { skipped: this.#taken.snapshot(), seen: new RecordsTally() }
    try {
      const layout = isNdjson ? await documents.look({ isNdjson, mayBeKeyed: false, maxRecordBytes }) : 'any'
      let facts = yield* this.readDocument(documents, { page, layout, accept, retry })
      while (documents.hasNext)
        facts = sumOf(facts, yield* this.readDocument(documents, { page, layout, accept, retry }))
      if (retry.seen.records !== retry.skipped.records) throw pageChanged(page, retry.skipped.records)
      return facts
    } catch (error) {
      // what the pace had cancelled ended as if somebody had asked for it
      throw documents.pace.failure ?? error
    } finally {
      documents.pace.stop()
      await documents.close()
    }
  }

  /** A body to be read by `readDocument`, held to its deadline and counted. */
  documents(body: AsyncIterable<Uint8Array>, page: number, wire?: Wire): PagedDocuments {
    const pace = new PagePace(this.options, page, wire)
    const documents = new Documents(body, {
      ask: () => pace.ask(),
      arrive: (bytes) => {
        pace.arrive(bytes)
        this.#countBytes(bytes, page)
      },
    })
    return Object.assign(documents, { pace, wire })
  }

  /** Slices one document of a body. `hasNext` of the body then says whether another follows. */
  async *readDocument(
    documents: PagedDocuments,
    { page, layout, accept, retry, takesAnyLine = false }: DocumentInit,
  ): AsyncGenerator<RecordBatch, PageFacts, undefined> {
    const { options } = this
    this.#slicers ??= await slicerFactory(options.parser)
    const { maxDepth, maxRecordBytes, maxCursorBytes, withFields } = options
    const isKeyedLines = layout === 'keyed-lines'
    const slicer = this.#slicers({
      page,
      maxDepth: isKeyedLines ? maxDepth + 1 : maxDepth,
      maxRecordBytes,
      maxCursorBytes,
      isNdjson: layout === 'ndjson' || isKeyedLines,
      watchesLines: !takesAnyLine && !isKeyedLines,
      isKeyed: layout === 'keyed',
      isSequence: layout === 'pages',
      startOffset: documents.offset,
      withFields: withFields && !isKeyedLines,
    })
    documents.pace.facts = slicer.facts
    let isAccepted = false
    const out = (sliced: RecordBatch): Iterable<RecordBatch> => {
      if (!isAccepted) accept(slicer.facts)
      isAccepted = true
      const batch = isKeyedLines ? recordsOfLines(sliced) : sliced
      if (retry === undefined || retry.seen.records === retry.skipped.records) return this.#pieces(batch)
      return this.#pieces(passOver(batch, retry.seen, retry.skipped))
    }
    for (let chunk = await documents.next(); chunk !== null; chunk = await documents.next()) {
      for (const batch of slicer.push(chunk)) for (const piece of out(batch)) yield piece
      // a line that is an error: what follows it does not count
      if (slicer.facts.error !== null) break
      const { unreadBytes = 0 } = slicer
      if (unreadBytes > 0) {
        documents.unread(chunk.subarray(chunk.length - unreadBytes))
        break
      }
    }
    for (const batch of slicer.end()) for (const piece of out(batch)) yield piece
    const { facts } = slicer
    throwBodyError(facts, page, options, documents.wire)
    if (!isAccepted) accept(facts)
    return facts
  }

  /** Adds a finished page to the outcome. @throws DataError ERR_CURSOR after too many pages without a record */
  finishPage(facts: PageFacts, page: number): void {
    const { outcome, options } = this
    this.#taken = new RecordsTally()
    outcome.pages++
    if (options.progress) options.progress.pages++
    this.#bareIds += facts.bareIds
    if (facts.isPartialResponse === true) outcome.partialPages++
    if (facts.resultCount !== null && facts.resultCount !== facts.records) outcome.countMismatches++
    if (facts.records === 0) outcome.emptyPages++
    this.#emptyPagesInARow = facts.records === 0 ? this.#emptyPagesInARow + 1 : 0
    options.onEvent?.({ kind: 'page', page, records: facts.records, bytes: facts.bytes, framing: facts.framing! })
    if (facts.nextCursor !== null && this.#emptyPagesInARow >= options.maxEmptyPages) {
      const message = `${this.#emptyPagesInARow} pages in a row had no record and still a next cursor`
      throw new DataError('ERR_CURSOR', message, { page, hint: 'raise --max-empty-pages if the list is right' })
    }
    if (facts.nextCursor !== null && options.maxPages !== null && outcome.pages >= options.maxPages) {
      throw limitError('pages', options.maxPages, '--max-pages', page)
    }
  }

  warn(code: string, message: string, count = 1): void {
    this.#extraWarnings.push({ code, message, count })
  }

  warnings(): Warning[] {
    const all: Warning[] = [
      ...this.#extraWarnings,
      {
        code: 'partial-response',
        message: 'pages were marked as partial responses: their records lack fields that the provider has',
        count: this.outcome.partialPages,
      },
      { code: 'bare-ids', message: 'records came as bare ids and hold nothing but their id', count: this.#bareIds },
      { code: 'id-only', message: 'records hold nothing but their id', count: this.#idOnlyRecords - this.#bareIds },
      {
        code: 'result-count',
        message: "pages held another number of records than their result_count says: the server's own count differs",
        count: this.outcome.countMismatches,
      },
    ]
    return all.filter((warning) => warning.count > 0)
  }

  /** The batch, in as many pieces as there are cuts in it. Each is taken when it is asked for. */
  *#pieces(batch: RecordBatch): Generator<RecordBatch, void, undefined> {
    for (let from = 0; from < batch.count; ) {
      const to = this.#nextCut(batch, from)
      const piece = batch.range(from, to)
      from = to
      yield this.#take(piece)
    }
  }

  /** One past the record of `batch`, from `from` on, that ends at a cut; the batch's end where there is none. Counts what is before it. */
  #nextCut(batch: RecordBatch, from: number): number {
    this.isAtCut = this.isAtPartEnd = false
    if (this.#cuts.isEndless && this.#parts.isEndless) return batch.count
    for (let index = from; index < batch.count; index++) {
      const length = batch.end(index) - batch.start(index)
      const isCut = this.#cuts.add(length)
      this.isAtPartEnd = this.#parts.add(length)
      if (!isCut && !this.isAtPartEnd) continue
      this.#cuts.reset()
      this.isAtCut = true
      return index + 1
    }
    return batch.count
  }

  #take(batch: RecordBatch): RecordBatch {
    const { outcome, options } = this
    if (this.#rereads) this.#taken.add(batch)
    outcome.records += batch.count
    if (options.maxRecords !== null && outcome.records > options.maxRecords) {
      throw limitError('records', options.maxRecords, '--max-records', batch.page)
    }
    // at least `{"id":""}`; a record that starts with its id and ends with it has nothing else
    for (let i = 0; i < batch.count; i++) if (isIdOnly(batch.bytes, batch.start(i), batch.end(i))) this.#idOnlyRecords++
    return batch
  }

  #countBytes(length: number, page: number): void {
    const { outcome, options } = this
    outcome.bodyBytes += length
    if (options.progress) options.progress.bodyBytes += length
    if (options.maxBytes !== null && outcome.bodyBytes > options.maxBytes) {
      throw limitError('body bytes', options.maxBytes, '--max-bytes', page)
    }
  }
}

/** What a body comes from, where that can be looked at. */
export interface Wire {
  /** Bytes that have arrived so far, before content decoding. Absent where nobody knows. */
  readonly wireBytes?: number
  /** Of the answer, by lowercase name. */
  readonly headers?: ResponseHeaders
  /** Makes the wait for the next chunk fail. */
  cancel(): void
}

/**
 * Holds a body to its deadlines: counts the time that we wait for its chunks, which is when no record can make progress. Time that the consumer takes does not
 * count. A body that sends nothing at all is the idle deadline's business; one that sends what unfolds to nothing (empty blocks, names, members) keeps
 * that from ever being over, and gives us no chunk to look at the clock by, so a timer does, which arms itself again as long as there is no reason to end.
 */
class PagePace {
  /** Set once the body was cancelled because it is late. */
  failure: UpstreamError | undefined

  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #page: number
  /** Of the document in hand. */
  facts: Pick<PageFacts, 'records' | 'bytes'> = { records: 0, bytes: 0 }
  readonly #wire: Wire | undefined
  #isWaiting = false
  #askedMs = 0
  #askedWireBytes = 0
  #waitedMs = 0
  #records = 0
  #rateMs = 0
  #rateBytes = 0
  #cancelTimer: (() => void) | undefined

  constructor({ clock, pageTimeoutMs }: PageReader['options'], page: number, wire?: Wire) {
    this.#clock = clock
    this.#timeoutMs = pageTimeoutMs
    this.#page = page
    this.#wire = wire?.wireBytes === undefined ? undefined : wire
  }

  /** The next chunk is asked for. */
  ask(): void {
    this.#askedMs = this.#clock.now()
    this.#isWaiting = true
    if (this.#wire === undefined) return
    this.#askedWireBytes = this.#wire.wireBytes!
    if (this.#cancelTimer === undefined) this.#arm(0)
  }

  /** It is there. @throws UpstreamError ERR_TIMEOUT */
  arrive(bytes: number): void {
    this.#isWaiting = false
    const ms = this.#clock.now() - this.#askedMs
    this.#waitedMs += ms
    this.#rateMs += ms
    this.#rateBytes += bytes
    if (this.facts.records !== this.#records) {
      this.#records = this.facts.records
      this.#waitedMs = 0
    }
    if (this.#waitedMs > this.#timeoutMs) throw this.#noRecord()
    if (this.#rateMs < minRate.windowMs) return
    if (isSlow(this.#rateBytes, this.#rateMs)) throw this.#slow()
    this.#rateMs = this.#rateBytes = 0
  }

  /** The body has ended, in whichever way. */
  stop(): void {
    this.#isWaiting = false
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  /** @param ms that the chunk in question has been waited for so far */
  #arm(ms: number): void {
    const untilTimeoutMs = this.#timeoutMs - this.#waitedBefore - ms
    // what has come in this window allows for so much time
    const allowedMs = Math.max(minRate.windowMs, (this.#rateBytes * 1000) / minRate.bytesPerSecond)
    const untilSlowMs = allowedMs - this.#rateMs - ms
    const dueMs = Math.min(untilTimeoutMs, untilSlowMs > 0 ? untilSlowMs : minRate.windowMs)
    this.#cancelTimer = this.#clock.after(Math.max(1, Math.ceil(dueMs)), () => {
      this.#cancelTimer = undefined
      if (this.#isWaiting) this.#look()
    })
  }

  #look(): void {
    const ms = this.#clock.now() - this.#askedMs
    const isDecoding = this.#wire!.wireBytes! > this.#askedWireBytes
    // a timer may come a part of a millisecond too early
    if (this.#waitedBefore + ms >= this.#timeoutMs) this.failure = this.#noRecord()
    else if (isDecoding && this.#rateMs + ms >= minRate.windowMs && isSlow(this.#rateBytes, this.#rateMs + ms)) {
      this.failure = this.#slow()
    }
    if (this.failure === undefined) this.#arm(ms)
    else this.#wire!.cancel()
  }

  /** Time without a record before the chunk that is waited for. */
  get #waitedBefore(): number {
    return this.facts.records === this.#records ? this.#waitedMs : 0
  }

  #noRecord(): UpstreamError {
    return this.#late(`no record was finished in ${this.#timeoutMs} ms of waiting for bytes`)
  }

  #slow(): UpstreamError {
    return this.#late(`the body came at less than ${minRate.bytesPerSecond} bytes a second`)
  }

  #late(message: string): UpstreamError {
    const { records, bytes } = this.facts
    return new UpstreamError('ERR_TIMEOUT', message, { page: this.#page, recordIndex: records, byteOffset: bytes })
  }
}

function isSlow(bytes: number, ms: number): boolean {
  return bytes * 1000 < minRate.bytesPerSecond * ms
}

/** A source whose records a PageReader reads: all of it but what is asked for and in which order. */
export abstract class PagedSource implements RecordSource {
  protected readonly reader: PageReader
  readonly #signal: AbortSignal | undefined

  constructor(options: SourceOptions, rereads: boolean) {
    this.#signal = options.signal
    this.reader = new PageReader(options, rereads)
  }

  get outcome(): SourceOutcome {
    return this.reader.outcome
  }

  /** Where reading would go on after the batch that was confirmed last; null where it could not. */
  get state(): SourceState | null {
    return null
  }

  /** What the page in hand was asked for with, as a state has it; null where that is none. */
  get lastCursor(): string | null {
    return null
  }

  /** What was given last is in the output. @returns whether reading could go on from there */
  confirm(): boolean {
    this.reader.confirm()
    return true
  }

  /** Whether the batch that was given last ends at a cut. */
  get isAtCut(): boolean {
    return this.reader.isAtCut
  }

  /** Whether that is the end of a part. */
  get isAtPartEnd(): boolean {
    return this.reader.isAtPartEnd
  }

  warnings(): Warning[] {
    return this.reader.warnings()
  }

  [Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, undefined> {
    return this.#steps(() => ownedBatches(this.readPages()))
  }

  read(): AsyncGenerator<RecordBatch, void, undefined> {
    return this.#steps(() => this.readPages())
  }

  /** Steps whose waits end where they are left: what the pages are read with has a signal of its own for each time. */
  #steps(make: () => AsyncGenerator<RecordBatch, void, undefined>): AbortableSteps<RecordBatch> {
    const read = (signal: AbortSignal) => {
      this.reader.options.signal = signal
      return make()
    }
    return new AbortableSteps(read, new Following(this.#signal))
  }

  /** The batches of all pages. */
  protected abstract readPages(): AsyncGenerator<RecordBatch, void, undefined>
}

/** The facts of one document after the other as those of one page: its cursor is the last one's. */
function sumOf(before: PageFacts, last: PageFacts): PageFacts {
  const counts = [before.resultCount, last.resultCount]
  return {
    ...last,
    resultCount: counts.includes(null) ? null : counts[0]! + counts[1]!,
    isPartialResponse: before.isPartialResponse === true || last.isPartialResponse,
    records: before.records + last.records,
    bareIds: before.bareIds + last.bareIds,
    bytes: before.bytes + last.bytes,
  }
}

/** What follows in `batch` on the records that were let out before. `seen` has those that this try gave so far. */
function passOver(batch: RecordBatch, seen: RecordsTally, skipped: RecordsDigest): RecordBatch {
  const count = Math.min(batch.count, skipped.records - seen.records)
  seen.add(batch.range(0, count))
  if (seen.records === skipped.records && !seen.equals(skipped)) throw pageChanged(batch.page, skipped.records)
  return batch.range(count, batch.count)
}

/** The page was asked for again and is another one now. */
export function pageChanged(page: number, records: number): DataError {
  const message = `the page was read again and does not begin with the ${records} records that were taken from it`
  return new DataError('ERR_PAGE_CHANGED', message, { page })
}

/** Where in a body an error of it is. */
function whereOf({ error, framing }: PageFacts): string {
  if (error?.byteOffset === undefined) return 'the body'
  return framing === 'array' ? 'an element of the body' : 'a line of the body'
}

/** An error that came inside a 200 answer: what a code of the provider stands for (Slack answers all of its errors so), or a status that says that the request
 *  was refused. @throws UpstreamError ERR_SERVER for another one that the provider made, else DataError ERR_UPSTREAM_IN_BODY */
function throwBodyError(
  facts: PageFacts,
  page: number,
  { redact = (text) => text, clock }: PageReader['options'],
  wire: Wire | undefined,
): void {
  const { error } = facts
  if (error === null) return
  const name = [error.statusCode, error.error].filter((part) => part !== null).join(' ')
  const message = `${whereOf(facts)} is an error${name ? `: ${name}` : ''}${error.message ? `: ${error.message}` : ''}`
  const insight = redactJson(error.insight, redact)
  const { byteOffset } = error
  const context = {
    page,
    insight,
    isRemote: error.isRemote,
    statusCode: error.statusCode ?? undefined,
    ...(byteOffset === undefined ? {} : { recordIndex: facts.records, byteOffset }),
  }
  if (!error.isRemote) throw new DataError('ERR_UPSTREAM_IN_BODY', message, context)
  const retryAfter = wire?.headers && retryAfterMs(wire.headers, clock.wallNow())
  const inTime = { ...context, retryAfterMs: retryAfter }
  const code = slackCodeOf(error.rawResponse) ?? error.error ?? ''
  throw (
    slackError(code, message, inTime) ??
    refusal(error.statusCode, message, inTime) ??
    new UpstreamError('ERR_SERVER', message, inTime)
  )
}

/** What a status says of a request that the provider refused; undefined for one that asking again may cure. */
function refusal(statusCode: number | null, message: string, context: ErrorContext): ExportError | undefined {
  if (statusCode === 401) return new AuthError('ERR_UNAUTHORIZED', message, context)
  if (statusCode === 403) return new AuthError('ERR_FORBIDDEN', message, context)
  if (statusCode === 404) return new RequestError('ERR_NOT_FOUND', message, context)
  if (statusCode === 429) return new UpstreamError('ERR_RATE_LIMITED', message, context)
  if (statusCode === 400 || statusCode === 410 || statusCode === 422) {
    return new RequestError('ERR_REQUEST_REJECTED', message, context)
  }
  return undefined
}

function limitError(what: string, limit: number, flag: string, page: number): DataError {
  return new DataError('ERR_LIMIT', `the list has more than ${limit} ${what}`, { page, hint: `raise ${flag}` })
}

const idStart = Buffer.from('{"id":"')

function isIdOnly(bytes: Buffer, start: number, end: number): boolean {
  if (bytes[end - 2] !== 0x22) return false
  for (let i = 0; i < idStart.length; i++) if (bytes[start + i] !== idStart[i]) return false
  for (let i = start + idStart.length; i < end - 2; i++) if (bytes[i] === 0x22) return false
  return true
}

function withoutUndefined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>
}
