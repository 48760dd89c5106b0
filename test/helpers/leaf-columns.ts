// Leaf columns made of plain values, the way the Dremel paper says: slow, and written without a look at the shredders
// of src.

import type { Column } from '../../src/encode/columns/layout.js'
import type { Leaf, LeafColumn, LeafColumns, LeafValues } from '../../src/encode/columns/leaf.js'
import type { FieldType } from '../../src/schema/resource.js'

/** Timestamps and int64 are bigints, doubles are numbers. */
export type Value = string | boolean | bigint | number | null | Value[] | { [field: string]: Value }

interface Collected {
  readonly leaf: Leaf
  readonly repetitions: number[]
  readonly definitions: number[]
  readonly values: (string | boolean | bigint | number)[]
}

/** @param isDictionary whether text and numbers get a dictionary */
export function leafColumns(
  columns: readonly Column[],
  rows: readonly { [column: string]: Value }[],
  isDictionary: boolean,
): LeafColumns & { leaves: readonly Leaf[] } {
  const all = columns
    .flatMap(({ name, type }) => leavesOf(type, [name], 0, 0))
    .map((leaf): Collected => ({ leaf, repetitions: [], definitions: [], values: [] }))
  for (const row of rows) {
    let at = 0
    for (const { name, type } of columns) at = shred(type, row[name] ?? null, 0, 0, 0, all, at)
  }
  const made = all.map((collected) => leafColumn(collected, isDictionary))
  return {
    leaves: all.map(({ leaf }) => leaf),
    rows: rows.length,
    column: (leaf) => made[leaf]!,
    reset: () => {},
  }
}

function leavesOf(type: FieldType, path: string[], definition: number, repetition: number): Leaf[] {
  if (type.kind === 'struct') {
    return type.fields.flatMap((field) => leavesOf(field.type, [...path, field.name], definition + 1, repetition))
  }
  if (type.kind === 'list') return leavesOf(type.element, [...path, 'list', 'element'], definition + 2, repetition + 1)
  return [{ path, kind: type.kind, maxDefinition: definition + 1, maxRepetition: repetition }]
}

/** Adds `value` to the leaves of `type`, which begin at `at`. Returns the leaf after them. */
function shred(
  type: FieldType,
  value: Value,
  repetition: number,
  definition: number,
  lists: number,
  all: readonly Collected[],
  at: number,
): number {
  const none = (kind: FieldType, level: number): number => {
    const count = leavesOf(kind, [], 0, 0).length
    for (let leaf = at; leaf < at + count; leaf++) add(all[leaf]!, repetition, level)
    return at + count
  }
  if (value === null) return none(type, definition)
  if (type.kind === 'struct') {
    const struct = value as { [field: string]: Value }
    for (const field of type.fields) {
      at = shred(field.type, struct[field.name] ?? null, repetition, definition + 1, lists, all, at)
    }
    return at
  }
  if (type.kind === 'list') {
    const list = value as Value[]
    if (list.length === 0) return none(type.element, definition + 1)
    let next = at
    list.forEach((element, index) => {
      next = shred(type.element, element, index === 0 ? repetition : lists + 1, definition + 2, lists + 1, all, at)
    })
    return next
  }
  add(all[at]!, repetition, definition + 1)
  all[at]!.values.push(value as string)
  return at + 1
}

function add({ repetitions, definitions }: Collected, repetition: number, definition: number): void {
  repetitions.push(repetition)
  definitions.push(definition)
}

function leafColumn({ leaf, repetitions, definitions, values }: Collected, isDictionary: boolean): LeafColumn {
  const isText = leaf.kind === 'string' || leaf.kind === 'json'
  const raw = values.map((value) => bytesOf(leaf, value))
  const plainOf = (all: readonly Buffer[]): Buffer =>
    Buffer.concat(all.flatMap((bytes) => (isText ? [length(bytes.length), bytes] : [bytes])))
  let column: LeafValues = { kind: 'plain', bytes: plainOf(raw) }
  if (isDictionary && leaf.kind !== 'boolean') {
    const distinct = new Map<string, number>()
    const keys = raw.map((bytes) => bytes.toString('latin1'))
    for (const key of keys) if (!distinct.has(key)) distinct.set(key, distinct.size)
    const bytes = plainOf([...distinct.keys()].map((key) => Buffer.from(key, 'latin1')))
    const indices = Uint16Array.from(keys, (key) => distinct.get(key)!)
    column = { kind: 'dictionary', count: distinct.size, bytes, indices }
  }
  const sorted = [...values.keys()].sort((a, b) => {
    if (isText) return Buffer.compare(raw[a]!, raw[b]!)
    return values[a]! < values[b]! ? -1 : values[a]! > values[b]! ? 1 : 0
  })
  const hasBounds = values.length > 0 && leaf.kind !== 'json' && !values.some((value) => Number.isNaN(value))
  return {
    leaf,
    entries: definitions.length,
    count: values.length,
    repetitions: leaf.maxRepetition === 0 ? null : Uint8Array.from(repetitions),
    definitions: Uint8Array.from(definitions),
    values: column,
    min: hasBounds ? raw[sorted[0]!]! : null,
    max: hasBounds ? raw[sorted.at(-1)!]! : null,
  }
}

function bytesOf({ kind }: Leaf, value: Value): Buffer {
  if (typeof value === 'string') return Buffer.from(value)
  if (typeof value === 'boolean') return Buffer.of(Number(value))
  const bytes = Buffer.alloc(8)
  if (kind === 'double') bytes.writeDoubleLE(value as number)
  else bytes.writeBigInt64LE(BigInt(value as bigint))
  return bytes
}

function length(count: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(count)
  return bytes
}
