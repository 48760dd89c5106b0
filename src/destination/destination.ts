// The contract of a destination: it takes bytes to a place and makes them visible as a whole, or not at all. A place that can keep what is not whole lets
// another run go on with it.

import type { CheckpointStore } from '../checkpoint/store.js'

/** A place that an export can go to. */
export interface Destination {
  /** How messages name it: a path, or `stdout`. */
  readonly name: string
  /** Whether the output is a directory of files, so that its writers can end one and begin the next. */
  readonly hasParts?: boolean
  /** Opens the place for writing, so that whatever makes it impossible is known before the first request. Nothing is visible yet.
   *  @param signal ends a wait for the other side, such as the reader of a FIFO: `open` then rejects with its reason
   *  @throws ConfigError ERR_OUTPUT_EXISTS, OutputError */
  open(signal?: AbortSignal): Promise<DestinationWriter>
  /** The place as one that keeps what was written over an interruption; null where it cannot, such as a FIFO. Touches nothing. Absent where no place of
   *  this kind can. @throws OutputError where the place cannot be looked at */
  resumable?(): Promise<ResumablePlace | null>
}

/** A place that can keep the bytes of an export that is not complete. */
export interface ResumablePlace {
  /** Paths of all that an export to this place writes or removes beside its output, and of a directory that is its output: neither they nor what is in
   *  them can be what it reads. A file that is its output can, since it is replaced as a whole. */
  readonly ownNames: readonly string[]
  /** Makes the place ours until `release`. @throws StateError ERR_STATE_LOCKED where another export is at it; OutputError */
  claim(): Promise<ClaimedPlace>
}

/** A place that is ours. What is done by a writer of it is refused with ERR_STATE_LOCKED once it is ours no longer, before it touches what may be another's. */
export interface ClaimedPlace {
  /** Where the state that belongs to the bytes is kept by default. */
  readonly checkpoints: CheckpointStore
  /** How messages name what is kept. */
  readonly partialName: string
  /** Whether an output that exists may be replaced. */
  readonly overwrite: boolean
  /** Opens the place with nothing in it; whatever was kept is dropped. @throws ConfigError ERR_OUTPUT_EXISTS, OutputError */
  begin(): Promise<ResumableWriter>
  /** Opens the place with the first `bytes` bytes that were kept. `check` gets them piece by piece and then null; where it throws, nothing is changed.
   *  @throws ConfigError ERR_OUTPUT_EXISTS; StateError ERR_STATE_OUTPUT where there are fewer bytes, ERR_STATE_FOREIGN where they are not ours; OutputError;
   *  what `check` throws */
  resume(bytes: number, check: (piece: Uint8Array | null) => void): Promise<ResumableWriter>
  /** Gives what stands under the final name to `check` as `resume` does, and says whether there is something that long.
   *  @throws OutputError; what `check` throws */
  readPublished(bytes: number, check: (piece: Uint8Array | null) => void): Promise<boolean>
  /** Where `commit` puts what tells of the output; absent where the place has none for it. */
  readonly manifest?: {
    /** How messages name it. */
    readonly name: string
    /** Whether it could be put there at all, as far as that can be known before. @throws OutputError where it could not */
    check(): Promise<void>
    /** Puts one beside an output that has its name already. @throws OutputError */
    save(manifest: Uint8Array): Promise<void>
  }
  /** Lets others have the place. Never throws. */
  release(): Promise<void>
}

/** An open place that can keep what it has. One of `commit` and `abort` ends it. */
export interface ResumableWriter extends DestinationWriter {
  /** Whether `abort` keeps what was written, and not removes it. The owner sets it once there is a checkpoint. */
  isKept: boolean
  /** Whether what is kept can be resumed: not where the place, or what was written to it, is another's by now, or the output is complete. */
  readonly isResumable: boolean
  /** Makes everything written so far durable. A failure is never tried again. @throws OutputError */
  sync(): Promise<void>
  /** The bytes from `from` to `to` (excluded) of what was written, piece by piece. @throws OutputError */
  read(from: number, to: number): AsyncIterable<Uint8Array>
  /** Forgets what is after the first `bytes` bytes. @throws OutputError, StateError ERR_STATE_LOCKED */
  rewind(bytes: number): Promise<void>
  /** As of any writer. What told of an output that was there before is gone when this one gets its name; `manifest`, which tells of this one, is there when
   *  the promise resolves, and never beside another output. */
  commit(manifest?: Uint8Array | null): Promise<void>
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
