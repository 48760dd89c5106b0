// The contract of a slicer, and the choice of the engine that fulfils it. A slicer takes the bytes of one page body as they arrive and gives the
// records in it as slices; at the end it proves that the body was whole and says what else the page told.

import type { Framing, RecordBatch } from '../record.js'
import { jsSlicers } from './engine-js/engine-js.js'
import type { EngineName } from './engine-names.js'
import { simdSlicers } from './engine-simd/engine-simd.js'
import { giveUpKernel, kernelModule } from './engine-simd/kernel.js'

export { type EngineName, engineNames } from './engine-names.js'

export interface SlicerOptions {
  /** Number of the page, for batches and errors, from 1. */
  page: number
  /** Deepest allowed nesting of a body, its outermost container counted as 1. */
  maxDepth: number
  /** Largest allowed record, and largest allowed envelope member that is not the records, in bytes. */
  maxRecordBytes: number
  /** Largest allowed cursor, in bytes of its JSON text. */
  maxCursorBytes: number
  /** Set where the content type or a file name says so: every top-level value is a record. */
  isNdjson?: boolean
  /** Whether a line of NDJSON that is an error is that (`PageFacts.error`), and one that is a page is refused. Else any object is a record. */
  watchesLines?: boolean
  /** The outermost object is one of records by their keys, as we write them. */
  isKeyed?: boolean
  /** Whether another document may follow, which is left to the slicer after this one: see `Slicer.unreadBytes`. Then every document is a page. */
  isSequence?: boolean
  /** Where in the body the document begins. Default 0. */
  startOffset?: number
  /** Whether batches shall have `fields`. Only an engine that finds the members on its way gives them; the others do not. */
  withFields?: boolean
}

/** What a page said beside its records. Complete after `end()`. */
export interface PageFacts {
  /** Null until it is decided, which is before the first record is let out. */
  framing: Framing | null
  /** Name of the envelope member that held the records, null where they were not in an envelope. */
  recordMember: string | null
  /** Whether the records were the values of an object (`truto_key_by`). */
  isKeyed: boolean
  /** Whether the document had a cursor member, even a null or empty one. */
  hasCursorMember: boolean
  /** The cursor of the next page; null where there is none. A number is given as its digits. */
  nextCursor: string | null
  /** `result_count` of the envelope. */
  resultCount: number | null
  /** `is_partial_response` of the envelope. */
  isPartialResponse: boolean | null
  /** Records given so far. */
  records: number
  /** Elements that were bare ids (Slack) and were given as `{"id":…}`. */
  bareIds: number
  /** Body bytes consumed so far. */
  bytes: number
  /** Error members found in the body (`statusCode`, `error`, `message`, …), null where it had none. */
  error: PageError | null
}

/** An error body inside a 200 answer, by Truto's documented members. */
export interface PageError {
  statusCode: number | null
  error: string | null
  message: string | null
  isRemote: boolean
  insight: unknown
  /** Where the line begins that is the error; absent where the document is. */
  byteOffset?: number
  /** The provider's own body, where the error had one. It may hold personal data. */
  rawResponse?: unknown
}

/** Slices one page body, or one document of several. Call `push` in order and iterate its result to the end before the next call; then `end` once. */
export interface Slicer {
  readonly facts: PageFacts
  /** How many bytes at the end of the last chunk belong to the next document; above 0, nothing but `end` may follow. */
  readonly unreadBytes?: number
  /** Consumes `chunk`, which is only read and not kept. Yields views that are valid until the next step of the iteration or call.
   *  @throws DataError where the bytes cannot be part of a valid page */
  push(chunk: Uint8Array): Iterable<RecordBatch>
  /** Proves the end: the document is closed and nothing but white space followed. Gives the records that were still held.
   *  @throws UpstreamError ERR_BODY_TRUNCATED where the body was cut, DataError where it is wrong */
  end(): readonly RecordBatch[]
}

/** Makes the slicer of one page after the other; the slicers of one factory are used one at a time. */
export type SlicerFactory = (options: SlicerOptions) => Slicer

/** The engine that is used where `engine` is asked for: `js` takes the place of `simd` where this runtime has no WebAssembly SIMD, or has turned out to
 *  have no room for its memory. */
export function usedEngine(engine: EngineName): EngineName {
  return engine === 'simd' && kernelModule() === null ? 'js' : engine
}

/** The factory of an engine, or of the one that takes its place. The libraries' engines are loaded only when they are asked for. */
export async function slicerFactory(engine: EngineName): Promise<SlicerFactory> {
  if (engine === 'stream-json') return (await import('./engine-stream-json.js')).streamJsonSlicers()
  if (engine === 'streamparser') return (await import('./engine-streamparser.js')).streamparserSlicers()
  if (usedEngine(engine) === 'simd') {
    try {
      return simdSlicers()
    } catch (error) {
      // V8 reserves gigabytes of addresses for any memory of WebAssembly, which `ulimit -v` may not allow
      if (!(error instanceof RangeError)) throw error
      giveUpKernel()
    }
  }
  return jsSlicers()
}
