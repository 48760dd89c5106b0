// The contract of a source of records: what it is told, what it gives, and what it has told so far.

import type { Clock } from '../clock.js'
import { type Counters, noCounters } from '../counts.js'
import type { ResponseHeaders } from '../http/retry-after.js'
import type { EngineName } from '../json/engine-names.js'
import type { Framing, RecordBatch, Warning } from '../record.js'
import type { ExportEvent, Progress, ResponseFormat } from '../report.js'

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
  /** Whether batches shall tell where their records' members are (`RecordBatch.fields`), if the engine can. Default
   *  false: it costs a little. */
  withFields?: boolean
  /** Takes credentials out of what an outcome repeats of a body. Default: there are none. */
  redact?: ((text: string) => string) | undefined
  /** A batch ends with the record that makes so many bytes of records (a line feed after each), or so many records,
   *  since the last one that did: places that depend on the records alone. Default: there are none. */
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
  /** Whether the records have the shape of their resource's declared schema, as far as the answer's format promises
   *  it. */
  isUnified: boolean
  responseFormat: Exclude<ResponseFormat, 'auto'> | null
  fallback: { page: number; framing: Framing | 'unknown'; reason: string } | null
}

/** A list of records, read once. As an async iterable it gives batches that own their bytes, for `pipeline`,
 *  `Readable.from` and `for await`. From an abort of its signal on, each step rejects with the signal's reason,
 *  whatever had been read by then. */
export interface RecordSource extends AsyncIterable<RecordBatch> {
  readonly outcome: SourceOutcome
  warnings(): Warning[]
  /** Gives batches that may be views: each is valid until the next is asked for. */
  read(): AsyncGenerator<RecordBatch, void, undefined>
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
