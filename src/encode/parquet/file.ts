// A Parquet file while it is written: magic bytes, row groups, footer. It alone knows where in it a row group stands.
// What was written of it can be saved between two row groups, and another writer goes on from there.

import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { StateError } from '../../errors.js'
import type { JsonValue } from '../../record.js'
import type { Column } from '../columns/layout.js'
import type { Leaf, LeafColumns } from '../columns/leaf.js'
import type { ByteSink } from '../encoder.js'
import type { ParquetCompression } from './choices.js'
import { type Compress, compressorOf } from './compression.js'
import { createdBy } from './created-by.js'
import { footer, magic } from './footer.js'
import { type RowGroup, writeRowGroup } from './row-group.js'
import { rowGroupMetadata } from './row-group-metadata.js'
import type { ChosenTypes } from './schema.js'
import { Turn } from './turn.js'

export interface ParquetFileInit extends ChosenTypes {
  readonly columns: readonly Column[]
  /** Their leaves, depth first. */
  readonly leaves: readonly Leaf[]
  readonly compression: ParquetCompression
  readonly hasBloomFilter?: boolean
  /** Key-value metadata of the footer. */
  readonly metadata: Readonly<Record<string, string>>
}

export class ParquetFile {
  readonly #init: ParquetFileInit
  readonly #out: ByteSink
  readonly #compress: Compress | null
  readonly #turn = new Turn()
  #rows: number
  /** Length of the file so far, in bytes. */
  #length: number
  readonly #rowGroups: Buffer[]
  /** They as text, for `save`: made once for each. */
  readonly #saved: string[]

  private constructor(init: ParquetFileInit, out: ByteSink, compress: Compress | null, from: State) {
    this.#init = init
    this.#out = out
    this.#compress = compress
    this.#rows = from.rows
    this.#length = from.length
    this.#saved = [...from.rowGroups]
    this.#rowGroups = from.rowGroups.map((text) => inflateRawSync(Buffer.from(text, 'base64')))
  }

  /** Begins a file at `out`, or resumes what `save` gave.
   *  @throws ConfigError ERR_RUNTIME_MISSING; StateError ERR_STATE_CORRUPT */
  static async open(init: ParquetFileInit, out: ByteSink, saved?: JsonValue): Promise<ParquetFile> {
    const compress = await compressorOf(init.compression)
    if (saved !== undefined) return new ParquetFile(init, out, compress, stateOf(saved))
    await out.write(magic)
    return new ParquetFile(init, out, compress, { rows: 0, length: magic.length, rowGroups: [] })
  }

  /** Writes one row group of at least one row. Resolves when the sink has its bytes. */
  async writeRowGroup(columns: LeafColumns): Promise<void> {
    const { leaves, hasBloomFilter = false } = this.#init
    const [out, compress, turn] = [this.#out, this.#compress, this.#turn]
    this.#place(await writeRowGroup({ columns, leafCount: leaves.length, out, compress, turn, hasBloomFilter }))
  }

  /** Counts a row group whose bytes are those that come next. */
  #place(rowGroup: RowGroup): void {
    const { leaves, compression } = this.#init
    const metadata = rowGroupMetadata(rowGroup, { offset: this.#length, leaves, compression })
    this.#length += rowGroup.length
    this.#rows += rowGroup.rows
    this.#rowGroups.push(metadata)
    // most of it are the paths of the columns, in every row group the same
    this.#saved.push(deflateRawSync(metadata).toString('base64'))
  }

  /** Writes the footer. */
  async finish(): Promise<void> {
    const { columns, leaves, timestampUnit, jsonType, metadata } = this.#init
    const pieces = footer({
      columns,
      timestampUnit,
      jsonType,
      leafCount: leaves.length,
      rows: this.#rows,
      rowGroups: this.#rowGroups,
      metadata,
      createdBy,
    })
    for (const piece of pieces) await this.#out.write(piece)
  }

  /** What another writer needs to go on after the row groups written so far. */
  save(): JsonValue {
    return { rows: this.#rows, length: this.#length, rowGroups: [...this.#saved] }
  }
}

interface State {
  readonly rows: number
  readonly length: number
  readonly rowGroups: readonly string[]
}

function stateOf(saved: JsonValue): State {
  const { rows, length, rowGroups } = saved as { [name: string]: JsonValue }
  const isState =
    typeof rows === 'number' &&
    typeof length === 'number' &&
    Array.isArray(rowGroups) &&
    rowGroups.every((text) => typeof text === 'string')
  if (!isState) throw new StateError('ERR_STATE_CORRUPT', 'the checkpoint has no row groups of a Parquet file')
  return { rows, length, rowGroups: rowGroups as string[] }
}
