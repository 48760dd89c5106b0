// Puts records together again from levels and values, as a reader of Parquet does (Melnik and others, "Dremel", 4.3):
// what a shredder is tested with.

import type { Column } from '../../src/encode/columns/layout.js'
import type { LeafColumn, LeafColumns } from '../../src/encode/columns/leaf.js'
import type { FieldType } from '../../src/schema/resource.js'
import type { Expected } from './member-records.js'

/** The rows of a group: for each the values of `columns`. */
export function rowsOf(group: LeafColumns, columns: readonly Column[]): Expected[][] {
  let leaf = 0
  const readers = columns.map(({ type }) => {
    const first = leaf
    leaf += leavesOf(type)
    const cursors = Array.from({ length: leaf - first }, (_, i) => new LeafCursor(group.column(first + i)))
    return { type, cursors }
  })
  const rows = Array.from({ length: group.rows }, () =>
    readers.map(({ type, cursors }) => assemble(type, cursors, 1, 1)),
  )
  for (const { cursors } of readers) for (const cursor of cursors) cursor.expectEnd()
  return rows
}

/** Reads the value at the cursors: `definition` is that of the value where it is not null, `repetition` that of a list
 *  in it. */
function assemble(type: FieldType, cursors: readonly LeafCursor[], definition: number, repetition: number): Expected {
  const at = cursors[0]!.definition
  for (const cursor of cursors) {
    if (cursor.definition < definition && cursor.definition !== at) throw new Error('leaves of one null differ')
  }
  if (at < definition) {
    for (const cursor of cursors) cursor.skip()
    return null
  }
  if (type.kind === 'struct') {
    let first = 0
    return Object.fromEntries(
      type.fields.map((field): [string, Expected] => {
        const own = cursors.slice(first, (first += leavesOf(field.type)))
        return [field.name, assemble(field.type, own, definition + 1, repetition)]
      }),
    )
  }
  if (type.kind === 'list') {
    if (at === definition) {
      for (const cursor of cursors) cursor.skip()
      return []
    }
    const list: Expected[] = []
    do list.push(assemble(type.element, cursors, definition + 2, repetition + 1))
    while (cursors[0]!.repetition === repetition)
    return list
  }
  return cursors[0]!.take()
}

function leavesOf(type: FieldType): number {
  if (type.kind === 'list') return leavesOf(type.element)
  if (type.kind === 'struct') return type.fields.reduce((sum, field) => sum + leavesOf(field.type), 0)
  return 1
}

class LeafCursor {
  readonly #column: LeafColumn
  readonly #values: Expected[]
  #entry = 0
  #value = 0

  constructor(column: LeafColumn) {
    this.#column = column
    this.#values = valuesOf(column)
    const { entries, count, definitions, repetitions, leaf } = column
    const defined = definitions.reduce((sum, level) => sum + (level === leaf.maxDefinition ? 1 : 0), 0)
    if (definitions.length !== entries || (repetitions ?? definitions).length !== entries || defined !== count) {
      throw new Error(`levels of ${leaf.path.join('.')} do not agree with its counts`)
    }
    if ((repetitions !== null) !== leaf.maxRepetition > 0) throw new Error('repetition levels of no use')
  }

  get definition(): number {
    return this.#column.definitions[this.#entry]!
  }

  get repetition(): number {
    return this.#column.repetitions?.[this.#entry] ?? 0
  }

  skip(): void {
    this.#entry++
  }

  take(): Expected {
    this.#entry++
    return this.#values[this.#value++]!
  }

  expectEnd(): void {
    if (this.#entry !== this.#column.entries)
      throw new Error(`${this.#column.leaf.path.join('.')} has more than its rows`)
  }
}

function valuesOf({ leaf, values, count }: LeafColumn): Expected[] {
  const bytes = Buffer.from(values.bytes)
  const plain: Expected[] = []
  for (let at = 0; at < bytes.length; ) {
    switch (leaf.kind) {
      case 'boolean':
        plain.push(bytes[at++] === 1)
        break
      case 'double':
        plain.push(bytes.readDoubleLE(at))
        at += 8
        break
      case 'int64':
      case 'timestamp':
        plain.push(bytes.readBigInt64LE(at))
        at += 8
        break
      default: {
        const length = bytes.readUInt32LE(at)
        plain.push(bytes.toString('utf8', at + 4, at + 4 + length))
        at += 4 + length
      }
    }
  }
  const distinct = values.kind === 'dictionary' ? values.count : count
  if (plain.length !== distinct) throw new Error(`${plain.length} values where ${distinct} are told`)
  return values.kind === 'dictionary' ? Array.from(values.indices, (index) => plain[index]!) : plain
}
