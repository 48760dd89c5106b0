// NDJSON: one record per line. The records are the server's own bytes; where they stand as lines already, a batch is
// one span and nothing is copied.

import type { RecordBatch, Warning } from '../record.js'
import type { ByteSink, Encoder } from './encoder.js'
import { extensionOf, formats } from './formats.js'
import { Gather } from './gather.js'
import { type RecordTextOptions, RecordTexts } from './settle.js'

/** Encoder for NDJSON in UTF-8, `\n` after every record. Records with keys become `{"<key>":<record>}`. Without records
 *  the output is empty. */
export function ndjsonEncoder(options: RecordTextOptions = {}): Encoder {
  return new NdjsonEncoder(options)
}

class NdjsonEncoder implements Encoder {
  readonly format = 'ndjson'
  readonly mediaType = formats.ndjson.mediaType
  readonly extension = extensionOf('ndjson', 'none')
  #out!: ByteSink
  /** Made on first need: most exports never copy. */
  #gather: Gather | undefined
  readonly #texts: RecordTexts

  constructor(options: RecordTextOptions) {
    this.#texts = new RecordTexts(options)
  }

  async begin(out: ByteSink): Promise<void> {
    this.#out = out
  }

  async encode(given: RecordBatch): Promise<void> {
    const batch = this.#texts.settle(given)
    const { bytes, count, keys } = batch
    if (count === 0) return
    if (keys === undefined && batch.isLines) {
      await this.#out.write(bytes.subarray(batch.start(0), batch.end(count - 1) + 1))
      return
    }
    this.#gather ??= new Gather(this.#out)
    for (let index = 0; index < count; index++) {
      const before = keys === undefined ? '' : `{${this.#texts.key(keys[index]!)}:`
      const after = keys === undefined ? '\n' : '}\n'
      const written = this.#gather.add(before, bytes, batch.start(index), batch.end(index), after)
      if (written !== undefined) await written
    }
    // nothing stays behind: the records of a batch that was encoded have reached the sink
    await this.#gather.flush()
  }

  async end(): Promise<void> {}

  save(): true {
    return true // a line knows nothing of those before it
  }

  warnings(): Warning[] {
    return this.#texts.warnings()
  }
}
