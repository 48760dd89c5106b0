// Faults as data: which request a fault strikes, and what it does there. A request that would not have been answered
// with 200 anyway is never struck. Offsets and bytes are exact and the same at each run, so a test can cut a body at
// every byte.

import type { JsonValue } from '../record.js'

/** A place in a body: an offset from its first byte, the first byte of a record (index from 0), or the end. Faults of
 *  the text count in the JSON text, faults of the transport in the bytes after compression; a record's place is known
 *  only where these are the same. */
export type BytePosition = number | { readonly record: number } | 'end'

/** Which requests a fault strikes. */
export interface FaultTarget {
  /** Number of the page in its list, from 1. Default: every page. */
  readonly page?: number | undefined
  /** Which request of that page, from 1: a retry is the second, with whatever parameters. Default 1. */
  readonly attempt?: number | 'every' | undefined
  /** Paths that begin so, lists or not. Default: lists under `/unified/`. */
  readonly path?: string | undefined
}

/** Another answer in place of the page. Without a `body` it is Truto's error body for the status, a remote one with
 *  `isRemote`. */
export interface StatusFault {
  readonly kind: 'status'
  readonly status: number
  /** Text and bytes are sent as they are, anything else as JSON. */
  readonly body?: JsonValue | Uint8Array | undefined
  readonly message?: string | undefined
  readonly isRemote?: boolean | undefined
  /** `Retry-After`: seconds, any text, or a date so far from now (of the emulator's wall clock). */
  readonly retryAfter?: number | string | { readonly inMs: number } | undefined
  /** Further headers; a name of a usual one replaces it. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** An answer that points elsewhere. */
export interface RedirectFault {
  readonly kind: 'redirect'
  readonly to: string
  /** Default 302. */
  readonly status?: number | undefined
}

/** Exactly this body with status 200. */
export interface BodyFault {
  readonly kind: 'body'
  readonly body: string | Uint8Array
  /** Null sends none. Default `application/json; charset=utf-8`. */
  readonly contentType?: string | null | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** A body that is far larger than it should be, inside a unified envelope. `whitespace`: spaces in an empty list;
 *  `string`: one record with one string; `brackets`: `[` without an end, never closed; `keys`: one record with ever new
 *  keys; `records`: small records. */
export interface BombFault {
  readonly kind: 'bomb'
  readonly of: 'whitespace' | 'string' | 'brackets' | 'keys' | 'records'
  /** Size before compression, Infinity for one without end. Default 1 GiB. */
  readonly bytes?: number | undefined
  /** Sent so whatever the request accepts. Default `identity`. */
  readonly encoding?: 'identity' | 'gzip' | 'br' | undefined
}

/** The account's credentials are rejected from this request on: 401 with `truto_is_remote_error`, until `reset()`. */
export interface ReauthFault {
  readonly kind: 'reauth'
}

/** The list changed: the page holds the records that stand this many places further on. */
export interface ShiftFault {
  readonly kind: 'shift'
  readonly by: number
}

/** The page's cursor is this value, of any type; without `value` it is absent. */
export interface CursorFault {
  readonly kind: 'cursor'
  readonly value?: JsonValue | undefined
}

/** Truto's error JSON inside the 200. Of NDJSON it is a line: the first, the last, or after `record` records, where
 *  nothing follows. Else `alone`: in place of the page; `before`, `after`: its members stand beside the records, in the
 *  same object; `in-array`: after `record` records it is appended to the open array, and nothing follows. */
export interface ErrorInBodyFault {
  readonly kind: 'error-in-body'
  readonly where: 'alone' | 'before' | 'after' | 'in-array'
  /** Default half of the page. */
  readonly record?: number | undefined
  /** Default 502. */
  readonly status?: number | undefined
  /** Default true. */
  readonly isRemote?: boolean | undefined
}

/** Bytes that do not belong there, in the text before compression: `insert` puts them at the place, `replace` over as
 *  many bytes, `append` after the end. */
export interface GarbageFault {
  readonly kind: 'garbage'
  readonly bytes: string | Uint8Array
  /** Default `append`. */
  readonly mode?: 'insert' | 'replace' | 'append' | undefined
  /** Default the end. */
  readonly at?: BytePosition | undefined
}

/** Damage of a gzip body, which is sent as gzip whatever the request accepts. `cut` at byte `at` (default half); `crc`,
 *  `length`: that field of the trailer is wrong; `garbage-after`: text follows; `not-gzip`: plain text called gzip;
 *  `double`: compressed twice, said once; `header`: wrong magic number; `two-members`: none at all, as RFC 1952 allows
 *  it. HTTP's own framing is right in all of them. */
export interface GzipFault {
  readonly kind: 'gzip'
  readonly damage: 'cut' | 'crc' | 'length' | 'garbage-after' | 'not-gzip' | 'double' | 'header' | 'two-members'
  readonly at?: number | undefined
}

/** Codings applied one after the other, whatever the request accepts. */
export interface EncodingFault {
  readonly kind: 'encoding'
  readonly encodings: readonly ('gzip' | 'br' | 'deflate')[]
  /** What Content-Encoding says. Default the codings. */
  readonly label?: string | undefined
}

/** Headers, or a status line, longer than any client takes. */
export interface HeadersFault {
  readonly kind: 'headers'
  readonly bytes: number
  /** Default `headers`. */
  readonly place?: 'headers' | 'status-line' | undefined
}

/** Interim answers before the real one. */
export interface InformationalFault {
  readonly kind: 'informational'
  readonly count: number
  /** Default 103. */
  readonly status?: number | undefined
}

/** How a connection ends: `fin` closes it, `rst` resets it. */
export type Ending = 'fin' | 'rst'

/** The connection ends early. `head`: without an answer; `in-head`: in the middle of the headers; else at that byte of
 *  the body. With chunked transfer `where` says what stands before the cut: `data` (default) a part of a chunk that was
 *  announced whole; `boundary` a whole chunk; `chunk-head` a digit of the next chunk's size; `last-crlf` all but the
 *  very last CRLF (`at` has no meaning then). A reset comes 10 ms after the last byte: it overtakes what the peer has
 *  not read. */
export interface CutFault {
  readonly kind: 'cut'
  readonly at?: BytePosition | 'head' | 'in-head' | undefined
  readonly where?: 'data' | 'boundary' | 'chunk-head' | 'last-crlf' | undefined
  /** Default `fin`. */
  readonly how?: Ending | undefined
  readonly transfer?: 'chunked' | 'length' | 'close' | undefined
  /** What the Connection header says. Default `keep-alive`. */
  readonly connection?: 'keep-alive' | 'close' | undefined
}

/** A Content-Length that is too big (`by` > 0: then the connection ends) or too small (`by` < 0: all bytes are sent
 *  nevertheless). */
export interface ContentLengthFault {
  readonly kind: 'content-length'
  readonly by: number
  /** A Transfer-Encoding header says chunked as well, and the body is: request smuggling. Default false. */
  readonly alsoChunked?: boolean | undefined
  /** What the Connection header says. Default `keep-alive`. */
  readonly connection?: 'keep-alive' | 'close' | undefined
}

/** Silence before the head or before a byte of the body. Default place: the head. */
export interface StallFault {
  readonly kind: 'stall'
  readonly at?: BytePosition | 'head' | undefined
  /** On the emulator's clock. Default for ever. */
  readonly ms?: number | undefined
}

/** The body comes in pieces of `bytes`, with a wait on the emulator's clock before each. */
export interface DripFault {
  readonly kind: 'drip'
  readonly bytes: number
  readonly everyMs: number
  /** First byte that comes so. Default 0. */
  readonly from?: number | undefined
}

/** The head of an error, its Content-Length, and then the end of the connection before the body is complete. */
export interface EarlyCloseFault {
  readonly kind: 'early-close'
  readonly status: number
  /** Bytes of the error's body that are sent. Default 0. */
  readonly at?: number | undefined
  /** Default `rst`. */
  readonly how?: Ending | undefined
}

/** What a fault does. */
export type FaultAction =
  | StatusFault
  | RedirectFault
  | BodyFault
  | BombFault
  | ReauthFault
  | ShiftFault
  | CursorFault
  | ErrorInBodyFault
  | GarbageFault
  | GzipFault
  | EncodingFault
  | HeadersFault
  | InformationalFault
  | CutFault
  | ContentLengthFault
  | StallFault
  | DripFault
  | EarlyCloseFault

/** One fault. Several may strike one request: of each kind the first that matches. */
export type Fault = FaultAction & FaultTarget
/** Names of the faults. */
export type FaultKind = Fault['kind']

/** The faults that strike one request, at most one of each kind. */
export type StrikingFaults = { readonly [K in FaultKind]?: Extract<Fault, { kind: K }> }

const maxCounted = 100_000

/** Chooses the faults of a request and counts the attempts. Counts of at most 100,000 pages are kept. */
export class FaultScript {
  #faults: readonly Fault[]
  readonly #attempts = new Map<string, number>()

  constructor(faults: readonly Fault[]) {
    this.#faults = faults
  }

  /** Replaces the script; attempts count from 1 again. */
  set(faults: readonly Fault[]): void {
    this.#faults = faults
    this.#attempts.clear()
  }

  /** Counts the request and gives what strikes it.
   *  @param list what tells lists apart: path, and channel or workspace
   *  @param page undefined where the answer is no list under `/unified/` */
  strike(list: string, path: string, page: number | undefined): StrikingFaults {
    if (this.#faults.length === 0) return {}
    const attempt = this.#count(`${list} ${page ?? 0}`)
    const striking: Record<string, Fault> = {}
    for (const fault of this.#faults) {
      const isPath = fault.path === undefined ? page !== undefined : path.startsWith(fault.path)
      const isPage = fault.page === undefined || fault.page === (page ?? 1)
      const isAttempt = fault.attempt === 'every' || (fault.attempt ?? 1) === attempt
      if (isPath && isPage && isAttempt) striking[fault.kind] ??= fault
    }
    return striking as StrikingFaults
  }

  #count(key: string): number {
    const attempt = (this.#attempts.get(key) ?? 0) + 1
    this.#attempts.set(key, attempt)
    if (this.#attempts.size > maxCounted) this.#attempts.delete(this.#attempts.keys().next().value!)
    return attempt
  }
}
