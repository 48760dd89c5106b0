// Saved pages, NDJSON and JSON as a source: the same slicer and the same proofs, without a server. What `truto-export
// convert` reads.

import { DataError, type ErrorCode, ExportError } from '../errors.js'
import type { BodyLayout } from '../json/first-look.js'
import type { PageFacts } from '../json/slicer.js'
import type { RecordBatch } from '../record.js'
import { type BodyInputs, closeInputs, type Input, inputsOf, openInputs } from './inputs.js'
import { PagedSource } from './paged-source.js'
import type { RecordSource, SourceOptions } from './source.js'

export type { BodyInput, BodyInputs } from './inputs.js'

/** What an input holds. `auto` goes by its name and by its first document; `page` is one body of a list and `pages` any
 *  number of them, one after the other; `ndjson` is a record on each line, `records` likewise, whatever a line looks
 *  like; `keyed` is records by their keys, in one object or one a line. */
export type InputFormat = 'auto' | 'page' | 'pages' | 'ndjson' | 'records' | 'keyed'

export interface BodySourceOptions extends SourceOptions {
  /** Default: `auto`. */
  inputFormat?: InputFormat
  /** Every top-level value is a record: as `inputFormat` `ndjson`, or where it is false `page`. */
  isNdjson?: boolean
  /** Whether the records have the shape of their resource's declared schema: what only the caller can know. Default:
   *  false. */
  isUnified?: boolean
}

/** Reads one body after the other. */
export class BodySource extends PagedSource {
  /** What is read. Their identities are known once they are open. */
  readonly inputs: readonly Input[]
  readonly #format: InputFormat
  #isOpen = false

  constructor(input: BodyInputs, options: BodySourceOptions = {}) {
    super(options, false)
    const { inputFormat, isNdjson, isUnified = false } = options
    this.inputs = inputsOf(input)
    this.reader.outcome.isUnified = isUnified
    this.#format = inputFormat ?? (isNdjson === undefined ? 'auto' : isNdjson ? 'ndjson' : 'page')
  }

  /** Opens what has a path, so that what cannot be read is known before anything is touched. @throws ConfigError
   *  ERR_OPTION_INVALID */
  async open(): Promise<void> {
    if (!this.#isOpen) await openInputs(this.inputs)
    this.#isOpen = true
  }

  /** Does nothing where all was read. */
  async close(): Promise<void> {
    await closeInputs(this.inputs)
  }

  protected async *readPages(): AsyncGenerator<RecordBatch, void, undefined> {
    await this.open()
    let [page, isMore] = [1, false]
    try {
      for (const input of this.inputs) {
        const documents = this.reader.documents(input.chunks(this.reader.options.signal), page)
        try {
          const layout = await this.#layoutOf(input, documents)
          do {
            const init = { page, layout, accept: this.#accept(page), takesAnyLine: this.#format === 'records' }
            const facts = yield* this.reader.readDocument(documents, init)
            this.reader.finishPage(facts, page++)
            isMore = facts.nextCursor !== null
          } while (documents.hasNext)
        } catch (error) {
          throw error instanceof ExportError ? this.#located(error, input, page) : error
        } finally {
          await documents.close()
        }
      }
    } finally {
      await this.close()
    }
    if (isMore) {
      this.reader.outcome.complete = 'unproven'
      this.reader.warn(
        'more-pages',
        `${page > 2 ? 'the last page' : 'the body'} names a next cursor: more pages follow in the list`,
      )
    }
  }

  async #layoutOf(input: Input, documents: ReturnType<typeof this.reader.documents>): Promise<BodyLayout> {
    const { maxRecordBytes } = this.reader.options
    switch (this.#format) {
      case 'page':
        return 'any'
      case 'pages':
        return 'pages'
      case 'records':
        return 'ndjson'
      case 'keyed':
        return documents.look({ isNdjson: false, mayBeKeyed: true, isKeyed: true, maxRecordBytes })
      case 'ndjson':
        return documents.look({ isNdjson: true, mayBeKeyed: true, maxRecordBytes })
      case 'auto':
        return documents.look({ isNdjson: input.isNdjson, mayBeKeyed: true, maxRecordBytes })
    }
  }

  /** What was passed through unmapped has other records than what was not: their columns would be those of neither. */
  #accept(page: number): (facts: PageFacts) => void {
    const { outcome } = this.reader
    return ({ framing }) => {
      const isMapped = (name: PageFacts['framing']): boolean => name !== 'slack' && name !== 'graph'
      const before = outcome.framing
      if (before !== null && before !== framing && !(isMapped(before) && isMapped(framing))) {
        const message = `the page's framing is ${framing}, that of the pages before it was ${before}`
        throw new DataError('ERR_FRAMING_CHANGED', message, { page })
      }
      outcome.framing = framing
    }
  }

  /** Nobody has sent this: the hints of errors that a server makes are others here. */
  #located(error: ExportError, { name }: Input, page: number): ExportError {
    const isEmpty = error.code === 'ERR_BODY_TRUNCATED' && error.byteOffset === 0
    const own = isEmpty ? 'the input is empty' : hints[error.code]
    const hint = error.hint === ExportError.hintOf(error.code) ? own : undefined
    const isOneOf = this.inputs.length > 1 && name !== null
    const isOfPage = error.name !== 'ConfigError'
    return error.locate({
      ...(isOfPage ? { page } : {}),
      ...(isOneOf ? { input: name } : {}),
      ...(hint ? { hint } : {}),
    })
  }
}

const hints: Partial<Record<ErrorCode, string>> = {
  ERR_JSON_SYNTAX: 'the input holds text that is not JSON',
  ERR_UTF8: 'the input holds bytes that are not UTF-8',
  ERR_BODY_TRUNCATED: 'the input ends early: it was not saved whole',
  ERR_BODY_CORRUPT: 'the compressed input is damaged',
  ERR_SCHEMA: 'the input is no list that truto-export knows; --input-format says what it holds',
  ERR_FRAMING_CHANGED: 'convert the pages of each kind by themselves',
  ERR_UPSTREAM_IN_BODY:
    'what was saved is an error, or ends with one; --input-format records takes every line for a record',
  ERR_SERVER: 'what was saved is an error, or ends with one; --input-format records takes every line for a record',
  ERR_TIMEOUT: 'whatever writes the input has stopped',
  ERR_CURSOR: 'what was saved is no page of a list',
}

/** Saved pages, NDJSON or JSON as a source like `trutoSource`. Leaving it early, or an abort of `signal`, closes what
 *  it reads from. */
export function bodySource(input: BodyInputs, options: BodySourceOptions = {}): RecordSource {
  return new BodySource(input, options)
}
