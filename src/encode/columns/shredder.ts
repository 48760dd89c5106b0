// Fills the leaves of a schema from records: what a record holds is read by the rules of `ColumnReader`, and goes to
// the builders level by level.

import type { RecordBatch, Warning } from '../../record.js'
import type { Column, LayoutOptions } from './layout.js'
import type { Leaf, LeafColumns } from './leaf.js'
import { leafBuilders } from './leaf-builder.js'
import { ColumnReader, type ColumnValue } from './reader.js'
import type { LeafSink } from './sink.js'
import type { TimestampExcess, TimestampForms, TimestampUnit } from './timestamp.js'
import { type ColumnTree, type TreeNode, treeOf } from './tree.js'

export interface ShredderOptions extends Omit<LayoutOptions, 'nested' | 'flattenSlots'> {
  timestampUnit: TimestampUnit
  timestampExcess: TimestampExcess
  timestampForms: TimestampForms
  /** Whether a string that no UTF-8 can write (a lone surrogate escape) is an error rather than U+FFFD. */
  strict: boolean
}

export interface Shredder {
  /** `_key` where there is one, the fields of the schema, `extra` where there is one. */
  readonly columns: readonly Column[]
  readonly leaves: readonly Leaf[]
  /** What was appended since its last reset. */
  readonly group: LeafColumns
  /**
   * Appends records [from, to) of `batch`.
   * @throws DataError ERR_FIELD_UNKNOWN, ERR_TYPE_MISMATCH or ERR_VALUE_INEXACT where the policies ask for it: then the
   * group is of no use any more
   */
  append(batch: RecordBatch, from: number, to: number): void
  /** What was counted so far. */
  warnings(): Warning[]
  /** Gives back what the leaves took, for another shredder to use: of this one, only `warnings` is called after that.
   *  Need not be called, and is not where `append` failed. */
  end(): void
}

/** The shredder in TypeScript. */
export function typescriptShredder(options: ShredderOptions): Shredder {
  const records = new RecordShredder(options)
  const sink = leafBuilders(records.tree.leaves)
  return {
    columns: records.columns,
    leaves: records.tree.leaves,
    group: sink,
    append: (batch, from, to) => {
      for (let index = from; index < to; index++) records.append(batch, index, sink)
    },
    warnings: () => records.warnings(),
    end: () => {},
  }
}

/** Shreds one record at a time. */
export class RecordShredder {
  readonly columns: readonly Column[]
  readonly tree: ColumnTree
  readonly #reader: ColumnReader
  readonly #row: ColumnValue[]

  constructor({ timestampUnit: unit, timestampExcess: excess, timestampForms: forms, ...options }: ShredderOptions) {
    this.#reader = new ColumnReader({
      ...options,
      nested: 'values',
      flattenSlots: 1,
      timestamps: { unit, excess, forms },
    })
    this.columns = this.#reader.columns
    this.tree = treeOf(this.columns)
    this.#row = new Array<ColumnValue>(this.columns.length).fill(null)
  }

  append(batch: RecordBatch, index: number, sink: LeafSink): void {
    const row = this.#row
    this.#reader.read(batch, index, row)
    const { columns } = this.tree
    for (let column = 0; column < columns.length; column++) add(sink, columns[column]!.node, row[column]!, 0)
    sink.endRecord()
  }

  /** Index of the column `extra`, -1 where there is none. */
  get extraColumn(): number {
    return this.#reader.extraIndex
  }

  key(batch: RecordBatch, index: number): string {
    return this.#reader.key(batch, index)
  }

  /** Counts fields that the schema does not name and that others left out. */
  countUnknown(count: number): void {
    this.#reader.countUnknown(count)
  }

  /** Counts values of field `index` of the schema that have another type, and that others settled. */
  countMismatches(index: number, count: number): void {
    this.#reader.countMismatches(index, count)
  }

  /** Counts date-times that lost digits, and those in another form, that others settled. */
  countTimestamps(truncated: number, reformed: number): void {
    this.#reader.countTimestamps(truncated, reformed)
  }

  warnings(): Warning[] {
    return this.#reader.warnings()
  }
}

/** Adds what `node` has of one record, with the repetition level of its first value. */
function add(sink: LeafSink, node: TreeNode, value: ColumnValue, repetition: number): void {
  if (value === null) {
    addNulls(sink, node, repetition, node.definition - 1)
    return
  }
  switch (node.kind) {
    case 'string':
    case 'json':
      sink.addText(node.firstLeaf, repetition, value as string)
      break
    case 'boolean':
      sink.addBoolean(node.firstLeaf, repetition, value as boolean)
      break
    case 'timestamp':
    case 'int64':
      sink.addInt64(node.firstLeaf, repetition, value as bigint)
      break
    case 'double':
      sink.addDouble(node.firstLeaf, repetition, value as number)
      break
    case 'struct': {
      const struct = value as { [field: string]: ColumnValue }
      for (const field of node.fields) add(sink, field.node, struct[field.name]!, repetition)
      break
    }
    case 'list': {
      const list = value as ColumnValue[]
      if (list.length === 0) addNulls(sink, node, repetition, node.definition)
      for (let i = 0; i < list.length; i++) add(sink, node.element, list[i]!, i === 0 ? repetition : node.repetition)
    }
  }
}

function addNulls(sink: LeafSink, node: TreeNode, repetition: number, definition: number): void {
  for (let leaf = node.firstLeaf; leaf < node.endLeaf; leaf++) sink.addNull(leaf, repetition, definition)
}
