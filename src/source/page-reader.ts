// Reads pages: a page's bytes go through a slicer, its end is proven, and what it told is added up.

import type { RecordsDigest, SourceState } from '../checkpoint/checkpoint.js'
import { RecordsTally } from '../checkpoint/digest.js'
import { systemClock } from '../clock.js'
import { countersOf, noCounters } from '../counts.js'
import { DataError } from '../errors.js'
import { slicerFactory } from '../json/engines.js'
import type { BodyLayout } from '../json/first-look.js'
import type { PageFacts, SlicerFactory } from '../json/slicer.js'
import { resolveOptions } from '../options/resolve.js'
import type { ResolvedOptions } from '../options/schema.js'
import type { RecordBatch, Warning } from '../record.js'
import { throwBodyError } from './body-error.js'
import { Cuts } from './cuts.js'
import { Documents } from './documents.js'
import { recordsOfLines } from './keyed-lines.js'
import { PagePace } from './page-pace.js'
import { emptyOutcome, type SourceOptions, type Wire } from './source.js'

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

/** A body with the deadline that it is held to. */
type PagedDocuments = Documents & { readonly pace: PagePace; readonly wire: Wire | undefined }

interface DocumentInit {
  readonly page: number
  readonly layout: BodyLayout
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

  /** What was given last is in the output, and so is the page that was finished last: `state` tells of it. Copies
   *  numbers and makes nothing, because it is called for every batch. */
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

  /** Slices one page body. Yields views; returns the page's facts once its end is proven. `accept` sees the framing
   *  before the first record of the page is let out and may throw. Of a page that is read again, the records that were
   *  let out before are passed over. A body whose type says NDJSON may be a page nevertheless, or several, which are
   *  then as one.
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

  /** One past the record of `batch`, from `from` on, that ends at a cut; the batch's end where there is none. Counts
   *  what is before it. */
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
