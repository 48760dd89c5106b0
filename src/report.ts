// What an export tells: events and counters while it runs, a report at its end.

import { plural } from './bytes/units.js'
import type { Counters } from './counts.js'
import type { Framing, Warning } from './record.js'

/** The answers that Truto can be asked for. */
export const answerFormats = ['stream', 'unified', 'normalized', 'raw', 'debug'] as const
/** How Truto was asked to answer. `auto` asks for `stream` and goes to `unified` where the body is not proven to be a
 *  unified list. */
export type ResponseFormat = 'auto' | (typeof answerFormats)[number]

/** Counters of a running export. One object, updated in place; read it whenever you like. */
export interface Progress {
  /** Records that the output has taken. */
  records: number
  /** Pages finished. */
  pages: number
  /** Decoded body bytes read. */
  bodyBytes: number
  /** Bytes handed to the destination, after compression. */
  outputBytes: number
  /** Requests sent, retries included. */
  requests: number
  /** The wait in progress, null while none is. `untilMs` is on the clock's monotonic scale. */
  wait: { reason: string; untilMs: number } | null
}

/** How lines and errors tell what another run can resume. @param partial how messages name it */
export function keptText(records: number, partial: string): string {
  return `${plural(records, 'record')} ${records === 1 ? 'is' : 'are'} kept in ${partial}`
}

export type ExportEvent =
  /** A page was read to its proven end. */
  | { kind: 'page'; page: number; records: number; bytes: number; framing: Framing }
  /** A wait began: before a retry, or because a rate limit asks for it. */
  | { kind: 'wait'; page: number; reason: string; ms: number }
  /** A page is asked for again. `attempt` counts tries of this page, from 2. */
  | { kind: 'retry'; page: number; attempt: number; error: Error }
  /** The body was passed through unmapped: this page and all that follow are asked for with `unified`. */
  | { kind: 'fallback'; page: number; framing: Framing | 'unknown'; reason: string }
  /** An interrupted export resumes: with page `page`, after so many records and bytes of output, which are kept as
   *  `partial`. `savedAt` is RFC 3339. */
  | { kind: 'resume'; page: number; records: number; bytes: number; savedAt: string; partial: string }
  /** An interrupted export is too old to be resumed: what it had is dropped, and the export begins. `ageMs` is counted
   *  from `savedAt`. */
  | { kind: 'expired'; records: number; bytes: number; savedAt: string; ageMs: number }
  /** The complete output of an earlier run, which had no time to give it its name, has it now. `isReplaced` says that
   *  this export replaces it again. */
  | { kind: 'finish'; records: number; bytes: number; savedAt: string; isReplaced: boolean }
  /** A checkpoint was saved: the output so far survives whatever comes, as `partial`. */
  | { kind: 'commit'; records: number; bytes: number; partial: string }
  /** A page that had to be read again had changed: the output was taken back to the page's beginning, where it had so
   *  many records. */
  | { kind: 'rewind'; page: number; records: number }
  /** One line of detail, for verbose output. Never holds a credential. */
  | { kind: 'detail'; message: string }

export interface Duplicates {
  /** Records whose id a record before them has. All of them are in the output. */
  records: number
  /** Whether each id was compared with all before it, so that there are no more. */
  isExact: boolean
}

export interface ExportReport extends Omit<Counters, 'records'> {
  /** True where a cursor member (null, absent in a unified envelope, or empty) proved the end of the list; `unproven`
   *  where the body could carry no cursor, so that more records may exist. */
  complete: true | 'unproven'
  resource: string
  /** Records in the output. */
  records: number
  /** Records that the server sent; differs from `records` where a transform or a key-by policy dropped some. */
  recordsRead: number
  /** Bytes at the destination, after compression. */
  outputBytes: number
  /** Wall time in ms. */
  elapsedMs: number
  /** Peak resident set of the process so far, in bytes. */
  peakRssBytes: number
  /** Where the output is, as the user named it. */
  output: string
  format: string
  compression: string
  /** The engine that sliced, and the library that wrote Parquet, null for other formats. */
  parser: string
  parquetWriter: string | null
  /** What was asked for, and what the pages of the output came as. */
  requestedResponseFormat: ResponseFormat
  responseFormat: Exclude<ResponseFormat, 'auto'> | null
  /** Null where the list had no page with a framing, which cannot be for a finished export. */
  framing: Framing | null
  /** Set where `auto` went from `stream` to `unified`. */
  fallback: { page: number; framing: Framing | 'unknown'; reason: string } | null
  /** Records whose id came before, where `checkDuplicates` looked for them; null where it did not. */
  duplicates: Duplicates | null
  /** Where this run resumed an interrupted one, which had been saved `ageMs` before; null where it began the export.
   *  All counts but `elapsedMs` are those of the whole export. */
  resumedFrom: { page: number; records: number; bytes: number; savedAt: string; ageMs: number } | null
  /** SHA-256 of the output bytes, as lowercase hex; null where `digest: 'none'`. */
  digest: { algorithm: 'sha256'; hex: string } | null
  /** Where all this stands beside the output; null where nothing does: see `Manifest`. */
  manifest: string | null
  warnings: Warning[]
}
