// The contract of a place: it takes bytes and makes them visible as a whole, or not at all. A place that can keep what
// is not whole lets another run resume it. What only some places can do (go back, end parts, hold a manifest) are
// abilities of their own, so that a store without seek can be one, too.

import type { CheckpointStore } from '../checkpoint/store.js'
import type { JsonValue } from '../record.js'

/** A place that an export can go to. */
export interface Destination {
  /** How messages name it: a path, or `stdout`. */
  readonly name: string
  /** Whether the output is a directory of files, so that its writers can end one and begin the next. */
  readonly hasParts?: boolean
  /** Opens the place for writing, so that whatever makes it impossible is known before the first request. Nothing is
   *  visible yet.
   *  @param signal ends a wait for the other side, such as the reader of a FIFO: `open` then rejects with its reason
   *  @throws ConfigError ERR_OUTPUT_EXISTS, OutputError */
  open(signal?: AbortSignal): Promise<DestinationWriter>
  /** The place as one that keeps what was written over an interruption; null where it cannot, such as a FIFO. Touches
   *  nothing. Absent where no place of this kind can. @throws OutputError where the place cannot be looked at */
  resumable?(): Promise<ResumablePlace | null>
}

/** An open place. Exactly one of `commit` and `abort` ends it. */
export interface DestinationWriter {
  /** Bytes taken so far. */
  readonly bytesWritten: number
  /** Resolves when the bytes may be overwritten. @throws OutputError, ReaderGone */
  write(bytes: Uint8Array): Promise<void>
  /** Makes what was written durable and visible under its final name. @throws OutputError */
  commit(): Promise<void>
  /** Removes what is not published. Never throws: the error that led here stays the error. */
  abort(): Promise<void>
  /** One clause on what an abort leaves behind, for the error line. */
  readonly left: string
}

/** A place that can keep the bytes of an export that is not complete. */
export interface ResumablePlace {
  /** Paths of all that an export to this place writes or removes beside its output, and of a directory that is its
   *  output: neither they nor what is in them can be what it reads. A file that is its output can, since it is replaced
   *  as a whole. */
  readonly ownNames: readonly string[]
  /** Makes the place ours until `release`. @throws StateError ERR_STATE_LOCKED where another export is at it;
   *  OutputError */
  claim(): Promise<ClaimedPlace>
}

/** What a place keeps, as JSON that only the place itself can read: it goes into the checkpoint beside the encoder's
 *  state. A place proves what its token promises; nobody else reads back bytes. */
export type KeptToken = JsonValue

/** What was staged, in the same way: all that is needed to publish it, also for another process, and as often as one
 *  likes. */
export type PendingCommit = JsonValue

/** What a writer is to do beside writing. */
export interface WriterNeeds {
  /** A SHA-256 of all bytes. Default: none. */
  readonly digest?: boolean
  /** Tokens of what is kept. Default: none are asked for, and nothing is computed for them. */
  readonly tokens?: boolean
}

/** A place that is ours. What is done by a writer of it is refused with ERR_STATE_LOCKED once it is ours no longer,
 *  before it touches what may be another's. */
export interface ClaimedPlace {
  /** Where the state that belongs to the bytes is kept by default. */
  readonly checkpoints: CheckpointStore
  /** How messages name what is kept. */
  readonly partialName: string
  /** Whether an output that exists may be replaced. */
  readonly overwrite: boolean
  /** Opens the place with nothing in it; whatever was kept is dropped. @throws ConfigError ERR_OUTPUT_EXISTS,
   *  OutputError */
  begin(needs?: WriterNeeds): Promise<PlaceWriter>
  /** Opens the place with what was kept, after all of that was proven to be what the token tells; what was written
   *  after it is dropped.
   *  @throws ConfigError ERR_OUTPUT_EXISTS; StateError ERR_STATE_OUTPUT where there is less or something else,
   *  ERR_STATE_FOREIGN where it is not ours; OutputError. Nothing is changed then. */
  resume(kept: KeptToken, needs?: WriterNeeds): Promise<PlaceWriter>
  /** Publishes what another run had staged, whichever of the steps that had come to: none of them does harm a second
   *  time.
   *  @throws as `resume`, and as `PlaceWriter.publish`; what is staged is kept then */
  publish(pending: PendingCommit, manifest: Uint8Array | null): Promise<void>
  /** Where `publish` puts what tells of the output; absent where the place has none for it. */
  readonly manifest?: ManifestPlace
  /** Lets others have the place. Never throws. */
  release(): Promise<void>
}

export interface ManifestPlace {
  /** How messages name it. */
  readonly name: string
  /** Whether it could be put there at all, as far as that can be known before. @throws OutputError where it could
   *  not */
  check(): Promise<void>
}

/** An open place that can keep what it has. `stage` and `publish`, or `abort`, end it. */
export interface PlaceWriter {
  /** Bytes taken so far, those that were kept included. */
  readonly bytesWritten: number
  /** Resolves when the bytes may be overwritten. @throws OutputError */
  write(bytes: Uint8Array): Promise<void>
  /** Of all bytes taken so far, lowercase hex; null where no digest is computed, or the place cannot go on with one
   *  over an interruption. */
  sha256(): string | null
  /** Makes everything written so far durable, and gives the token that `resume` takes. A failure is never tried again.
   *  @throws OutputError, StateError */
  keep(): Promise<KeptToken>
  /** Whether what is kept is still there for another run: not where the place, or what was written to it, is another's
   *  by now, or the output is complete. */
  readonly isOurs: boolean
  /** Makes all of the output durable, after which nothing is written any more. Nothing is visible yet. @throws
   *  OutputError, StateError */
  stage(): Promise<PendingCommit>
  /** Makes what was staged visible. What told of an output that was there before is gone when this one gets its name;
   *  `manifest`, which tells of this one, is there when the promise resolves, and never beside another output. @throws
   *  OutputError, StateError */
  publish(manifest: Uint8Array | null): Promise<void>
  /** Ends it. What is not published is removed, or stays for another run. Never throws: the error that led here stays
   *  the error. */
  abort(keeps?: Keeps): Promise<void>
  /** One clause on what an abort leaves behind, for the error line. */
  readonly left: string
  /** Taking back what was written; absent where a place cannot. */
  readonly rewind?: RewindAbility
  /** The output as several files; absent where it is one. */
  readonly parts?: PartsAbility
}

/** What an abort leaves for another run. */
export interface Keeps {
  /** The token of what a checkpoint tells of: what was written after it may go. Null where it is not known which
   *  checkpoint is there: then all of it stays. */
  readonly upTo: KeptToken | null
}

export interface RewindAbility {
  /** The token of the first `bytes` bytes of what was written. Reads them. @throws OutputError */
  keptAt(bytes: number): Promise<KeptToken>
  /** Forgets what is after the first `bytes` bytes. @throws OutputError, StateError ERR_STATE_LOCKED */
  to(bytes: number): Promise<void>
}

export interface PartsAbility {
  /** Ends the part in hand, if there is one, and makes it durable: the next byte begins another. @throws OutputError */
  end(): Promise<void>
  /** The parts so far, as `publish` would show them: nothing is one part, too. */
  list(): readonly Part[]
}

export interface Part {
  readonly name: string
  readonly bytes: number
}
