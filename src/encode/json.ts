// JSON: one document of all records, streamed. An array, or under key-by an object from key to record.

import { InternalError } from '../errors.js'
import type { JsonValue, RecordBatch, Warning } from '../record.js'
import type { ByteSink, Encoder } from './encoder.js'
import { extensionOf, formats } from './formats.js'
import { Gather } from './gather.js'
import { type RecordTextOptions, RecordTexts } from './settle.js'

export interface JsonEncoderOptions extends RecordTextOptions {
  /** Whether batches carry keys: then the document is an object. It must hold for every batch. Default false. */
  hasKey?: boolean
}

/** Encoder for one JSON document in UTF-8, a record on each line; records keep their bytes. Without records it is an
 *  empty array or object. A key that comes twice is written twice: what it means is decided before, by `keyBy`. */
export function jsonEncoder(options: JsonEncoderOptions = {}): Encoder {
  return new JsonEncoder(options)
}

class JsonEncoder implements Encoder {
  readonly format = 'json'
  readonly mediaType = formats.json.mediaType
  readonly extension = extensionOf('json', 'none')
  readonly #hasKey: boolean
  #gather!: Gather
  #isEmpty = true

  readonly #texts: RecordTexts

  constructor(options: JsonEncoderOptions) {
    this.#hasKey = options.hasKey ?? false
    this.#texts = new RecordTexts(options)
  }

  async begin(out: ByteSink, saved?: JsonValue): Promise<void> {
    this.#gather = new Gather(out)
    this.#isEmpty = saved !== 'open'
  }

  async encode(given: RecordBatch): Promise<void> {
    const batch = this.#texts.settle(given)
    const { bytes, count, keys } = batch
    if (count === 0) return
    if ((keys !== undefined) !== this.#hasKey)
      throw new InternalError(
        'ERR_INTERNAL',
        `encoding JSON: the encoder was made for records ${this.#hasKey ? 'with' : 'without'} keys`,
        batch.positionOf(0),
      )
    for (let index = 0; index < count; index++) {
      const separator = this.#isEmpty ? (this.#hasKey ? '{\n' : '[\n') : ',\n'
      this.#isEmpty = false
      const before = keys === undefined ? separator : `${separator}${this.#texts.key(keys[index]!)}:`
      const written = this.#gather.add(before, bytes, batch.start(index), batch.end(index), '')
      if (written !== undefined) await written
    }
    // nothing stays behind: the records of a batch that was encoded have reached the sink
    await this.#gather.flush()
  }

  async end(): Promise<void> {
    const [open, close] = this.#hasKey ? ['{', '}'] : ['[', ']']
    await this.#gather.add(this.#isEmpty ? `${open}${close}\n` : `\n${close}\n`, Buffer.alloc(0), 0, 0, '')
    await this.#gather.flush()
  }

  /** Whether the array or object has been opened, which it is by its first record. */
  save(): 'empty' | 'open' {
    return this.#isEmpty ? 'empty' : 'open'
  }

  warnings(): Warning[] {
    return this.#texts.warnings()
  }
}
