// A list of Truto as a source for the user's own pipeline.

import { AbortableSteps, Following } from '../abort.js'
import { ownedBatches, type RecordBatch, type Warning } from '../record.js'
import { emptyOutcome, type RecordSource, type SourceOutcome } from '../source/source.js'
import { openSource } from './open-source.js'
import { type Checked, checkOptions, type ExportOptions, leaving } from './options.js'

/** A list of Truto as a source for `pipeline`, `Readable.from` or `for await`: batches that own their bytes, read once.
 *  Nothing is sent before the first batch is asked for, and leaving early cancels the request. Only the options of the
 *  request, the network and the limits count; transforms and encoders are yours to add. After an abort of `signal` the
 *  next step rejects with its reason: give it to `pipeline`, too, which may be waiting for something else. */
export function trutoSource(options: ExportOptions): RecordSource {
  return new LazySource(options)
}

/** Opens its client with the first read and closes it with the last. */
class LazySource implements RecordSource {
  readonly #checked: Checked
  #source: RecordSource | undefined

  constructor(options: ExportOptions) {
    this.#checked = checkOptions(options) // bad options fail here, not at the first read
  }

  get outcome(): SourceOutcome {
    return this.#checked.privacy.redactor.value(this.#source?.outcome ?? emptyOutcome())
  }

  warnings(): Warning[] {
    return this.#checked.privacy.redactor.value(this.#source?.warnings() ?? [])
  }

  [Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, undefined> {
    return this.#steps((signal) => ownedBatches(this.#read(signal)))
  }

  read(): AsyncGenerator<RecordBatch, void, undefined> {
    return this.#steps((signal) => this.#read(signal))
  }

  #steps(make: (signal: AbortSignal) => AsyncGenerator<RecordBatch, void, undefined>): AbortableSteps<RecordBatch> {
    return new AbortableSteps(make, new Following(this.#checked.signal))
  }

  async *#read(signal: AbortSignal): AsyncGenerator<RecordBatch, void, undefined> {
    const checked = { ...this.#checked, signal }
    const opened = await openSource(checked)
    try {
      this.#source = opened.source()
      for await (const batch of this.#source.read()) yield batch
    } catch (error) {
      throw leaving(error, checked)
    } finally {
      await opened.close()
    }
  }
}
