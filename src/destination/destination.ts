// The contract of a destination: it takes bytes to a place and makes them visible as a whole, or not at all.

/** A place that an export can go to. */
export interface Destination {
  /** How messages name it: a path, or `stdout`. */
  readonly name: string
  /** Opens the place for writing, so that whatever makes it impossible is known before the first request. Nothing is visible yet.
   *  @param signal ends a wait for the other side, such as the reader of a FIFO: `open` then rejects with its reason
   *  @throws ConfigError ERR_OUTPUT_EXISTS, OutputError */
  open(signal?: AbortSignal): Promise<DestinationWriter>
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
