// The writer of our own: records are shredded into columns, and each row group of columns goes into the file.

import type { JsonValue, RecordBatch, Warning } from '../../record.js'
import { columnShredder } from '../columns/column-shredder.js'
import type { Shredder } from '../columns/shredder.js'
import type { ByteSink } from '../encoder.js'
import { ParquetFile } from './file.js'
import type { RowGroupWriter, RowGroupWriterOptions } from './writer.js'

/** @throws ConfigError ERR_RUNTIME_MISSING; StateError ERR_STATE_CORRUPT */
export async function openBuiltinWriter(
  options: RowGroupWriterOptions,
  out: ByteSink,
  saved?: JsonValue,
): Promise<RowGroupWriter> {
  const shredder = columnShredder(options)
  const { columns, leaves } = shredder
  return new BuiltinRowGroups(shredder, await ParquetFile.open({ ...options, columns, leaves }, out, saved))
}

class BuiltinRowGroups implements RowGroupWriter {
  readonly #shredder: Shredder
  readonly #file: ParquetFile

  constructor(shredder: Shredder, file: ParquetFile) {
    this.#shredder = shredder
    this.#file = file
  }

  append(batch: RecordBatch, from: number, to: number): void {
    this.#shredder.append(batch, from, to)
  }

  async endRowGroup(): Promise<void> {
    await this.#file.writeRowGroup(this.#shredder.group)
    this.#shredder.group.reset()
  }

  async finish(): Promise<void> {
    await this.#file.finish()
    this.#shredder.end()
  }

  warnings(): Warning[] {
    return this.#shredder.warnings()
  }

  save(): JsonValue {
    return this.#file.save()
  }
}
