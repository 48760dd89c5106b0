// The schema as parquet.thrift lists it: the elements depth first, every field optional, lists in three levels, and
// types named in both ways, as logical types and as the converted types that came before them.

import type { FieldType } from '../../schema/resource.js'
import type { Column } from '../columns/layout.js'
import type { LeafKind } from '../columns/leaf.js'
import type { TimestampUnit } from '../columns/timestamp.js'
import { treeOf } from '../columns/tree.js'
import type { ParquetJsonType } from './choices.js'
import { type ThriftWriter, thriftStruct } from './thrift.js'

/** parquet.thrift Type. */
export const physicalType = {
  boolean: 0,
  int64: 2,
  double: 5,
  timestamp: 2,
  string: 6,
  json: 6,
} as const satisfies Record<LeafKind, number>

/** parquet.thrift FieldRepetitionType. */
const repetition = { optional: 1, repeated: 2 } as const
/** parquet.thrift ConvertedType. */
const converted = { utf8: 0, list: 3, json: 19 } as const
const convertedTimestamps = { millis: 9, micros: 10 } as const
/** Ids of the union parquet.thrift LogicalType. */
const logical = { string: 1, list: 3, timestamp: 8, json: 12 } as const
/** Ids of the union parquet.thrift TimeUnit. */
const timeUnits = { millis: 1, micros: 2, nanos: 3 } as const satisfies Record<TimestampUnit, number>
/** Ids of the fields of parquet.thrift SchemaElement. */
const id = { type: 1, repetition: 3, name: 4, children: 5, converted: 6, logical: 10 } as const

/** The types that can be chosen. */
export interface ChosenTypes {
  readonly timestampUnit: TimestampUnit
  readonly jsonType: ParquetJsonType
}

/** Writes the field `field`, a list of SchemaElement, into the struct in hand. */
export function writeSchema(out: ThriftWriter, field: number, columns: readonly Column[], chosen: ChosenTypes): void {
  const elements: Element[] = [{ name: 'schema', children: columns.length }]
  for (const { name, type } of columns) addElements(name, type, elements)
  out.list(field, thriftStruct, elements, (element) => out.element(() => writeElement(out, element, chosen)))
}

/** Names from the root as tools show them, with the groups of lists. */
export function pathInSchema(path: readonly string[]): string {
  return path.join('.')
}

/** Where JSON text is. */
export function jsonPaths(columns: readonly Column[]): string[] {
  return treeOf(columns).leaves.flatMap(({ kind, path }) => (kind === 'json' ? [pathInSchema(path)] : []))
}

interface Element {
  name: string
  repetition?: number
  /** Number of elements below this one; undefined for a leaf. */
  children?: number
  /** Of a leaf, or of the group around a list. */
  kind?: LeafKind | 'list'
}

/** LogicalTypes.md of parquet-format, "Lists": optional group (LIST) { repeated group list { optional element } } */
function addElements(name: string, type: FieldType, elements: Element[]): void {
  const element = { name, repetition: repetition.optional }
  if (type.kind === 'struct') {
    elements.push({ ...element, children: type.fields.length })
    for (const field of type.fields) addElements(field.name, field.type, elements)
  } else if (type.kind === 'list') {
    elements.push({ ...element, children: 1, kind: 'list' })
    elements.push({ name: 'list', repetition: repetition.repeated, children: 1 })
    addElements('element', type.element, elements)
  } else elements.push({ ...element, kind: type.kind })
}

function writeElement(out: ThriftWriter, element: Element, { timestampUnit, jsonType }: ChosenTypes): void {
  const { name, children } = element
  const kind = element.kind === 'json' ? jsonType : element.kind
  if (kind !== undefined && kind !== 'list') out.i32(id.type, physicalType[kind])
  if (element.repetition !== undefined) out.i32(id.repetition, element.repetition)
  out.text(id.name, name)
  if (children !== undefined) out.i32(id.children, children)
  switch (kind) {
    case 'string':
      out.i32(id.converted, converted.utf8)
      writeLogical(out, logical.string)
      break
    case 'json':
      out.i32(id.converted, converted.json)
      writeLogical(out, logical.json)
      break
    case 'list':
      out.i32(id.converted, converted.list)
      writeLogical(out, logical.list)
      break
    case 'timestamp':
      // nanoseconds came after the converted types
      if (timestampUnit !== 'nanos') out.i32(id.converted, convertedTimestamps[timestampUnit])
      writeLogical(out, logical.timestamp, () => {
        out.boolean(1, true) // TimestampType.isAdjustedToUTC
        out.struct(2, () => out.struct(timeUnits[timestampUnit], () => {})) // its unit
      })
  }
}

function writeLogical(out: ThriftWriter, type: number, write: () => void = () => {}): void {
  out.struct(id.logical, () => out.struct(type, write))
}
