// Records one by one out of batches. What an async generator costs for each value is as much as reading a few fields of
// a record: so a record of the batch in hand is given without one, and only the step to the next batch waits.

import type { RecordBatch } from '../record.js'
import type { RecordReader } from './record-reader.js'

/** Behaves like an async generator that yields every record of every batch: calls are answered in order, an early
 *  `return` and an error end `batches`. Once the signal is aborted, the next call rejects with its reason, in the
 *  middle of a batch as well. */
export class RecordIterator<T extends object> implements AsyncGenerator<T, void, undefined> {
  readonly #batches: AsyncGenerator<RecordBatch, void, undefined>
  readonly #reader: RecordReader
  readonly #signal: AbortSignal | undefined
  /** The next record of the batch in hand, and the number of its records. */
  #index = 0
  #count = 0
  /** Settles when all calls that had to wait are answered; undefined while there is none. */
  #waiting: Promise<void> | undefined
  #isEnded = false

  /** @param batches each may be a view that is valid until the next is asked for; `return` ends what it waits for */
  constructor(batches: AsyncGenerator<RecordBatch, void, undefined>, reader: RecordReader, signal?: AbortSignal) {
    this.#batches = batches
    this.#reader = reader
    this.#signal = signal
  }

  next(): Promise<IteratorResult<T, void>> {
    if (this.#waiting !== undefined || this.#index === this.#count) return this.#inTurn(() => this.#advance())
    if (this.#signal?.aborted) return this.throw(this.#signal.reason)
    try {
      return Promise.resolve({ done: false, value: this.#read() })
    } catch (error) {
      return this.throw(error)
    }
  }

  return(): Promise<IteratorResult<T, void>> {
    // not in turn: it ends the step that others wait for
    const closed = this.#batches.return()
    closed.catch(() => {}) // told in turn
    return this.#inTurn(async () => {
      this.#end()
      await closed
      return { done: true, value: undefined }
    })
  }

  throw(error: unknown): Promise<IteratorResult<T, void>> {
    return this.#inTurn(() => this.#fail(error))
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  #read(): T {
    return this.#reader.read(this.#index++) as T
  }

  #end(): void {
    this.#isEnded = true
    this.#index = this.#count = 0
  }

  /** The next record, of the next batch that has one. */
  async #advance(): Promise<IteratorResult<T, void>> {
    if (this.#isEnded) return { done: true, value: undefined }
    try {
      while (this.#index === this.#count) {
        const step = await this.#batches.next()
        if (step.done) {
          this.#end()
          return { done: true, value: undefined }
        }
        this.#reader.begin(step.value)
        this.#index = 0
        this.#count = step.value.count
      }
      this.#signal?.throwIfAborted()
      return { done: false, value: this.#read() }
    } catch (error) {
      return this.#fail(error)
    }
  }

  async #fail(error: unknown): Promise<IteratorResult<T, void>> {
    this.#end()
    await this.#batches.throw(error).catch(() => {}) // the same error, or one of the clean-up: the first stays the error
    throw error
  }

  /** Runs `act` after all calls before it. */
  #inTurn<R>(act: () => Promise<R>): Promise<R> {
    const result = this.#waiting === undefined ? act() : this.#waiting.then(act)
    const done = (): void => {
      if (this.#waiting === waiting) this.#waiting = undefined
    }
    const waiting: Promise<void> = result.then(done, done)
    this.#waiting = waiting
    return result
  }
}
