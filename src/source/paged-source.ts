// What both sources are built on: a list whose pages a PageReader reads.

import { AbortableSteps, Following } from '../abort.js'
import type { SourceState } from '../checkpoint/checkpoint.js'
import { ownedBatches, type RecordBatch, type Warning } from '../record.js'
import { PageReader } from './page-reader.js'
import type { RecordSource, SourceOptions, SourceOutcome } from './source.js'

/** A source whose records a PageReader reads: all of it but what is asked for and in which order. */
export abstract class PagedSource implements RecordSource {
  protected readonly reader: PageReader
  readonly #signal: AbortSignal | undefined

  constructor(options: SourceOptions, rereads: boolean) {
    this.#signal = options.signal
    this.reader = new PageReader(options, rereads)
  }

  get outcome(): SourceOutcome {
    return this.reader.outcome
  }

  /** Where reading would go on after the batch that was confirmed last; null where it could not. */
  get state(): SourceState | null {
    return null
  }

  /** What the page in hand was asked for with, as a state has it; null where that is none. */
  get lastCursor(): string | null {
    return null
  }

  /** What was given last is in the output. @returns whether reading could go on from there */
  confirm(): boolean {
    this.reader.confirm()
    return true
  }

  /** Whether the batch that was given last ends at a cut. */
  get isAtCut(): boolean {
    return this.reader.isAtCut
  }

  /** Whether that is the end of a part. */
  get isAtPartEnd(): boolean {
    return this.reader.isAtPartEnd
  }

  warnings(): Warning[] {
    return this.reader.warnings()
  }

  [Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, undefined> {
    return this.#steps(() => ownedBatches(this.readPages()))
  }

  read(): AsyncGenerator<RecordBatch, void, undefined> {
    return this.#steps(() => this.readPages())
  }

  /** Steps whose waits end where they are left: what the pages are read with has a signal of its own for each time. */
  #steps(make: () => AsyncGenerator<RecordBatch, void, undefined>): AbortableSteps<RecordBatch> {
    const read = (signal: AbortSignal) => {
      this.reader.options.signal = signal
      return make()
    }
    return new AbortableSteps(read, new Following(this.#signal))
  }

  /** The batches of all pages. */
  protected abstract readPages(): AsyncGenerator<RecordBatch, void, undefined>
}
