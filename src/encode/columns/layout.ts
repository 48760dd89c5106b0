// Which columns a schema has in a columnar format: names, types and order, fixed before the first record and by the schema alone.

import { ConfigError, printable } from '../../errors.js'
import { extraColumn, type Field, type FieldType, keyColumn, type ResourceSchema } from '../../schema/resource.js'

/** What happens to a field that the schema does not name: kept in `extra`, left out and counted, or an error. */
export type UnknownFields = 'extra' | 'drop' | 'error'
/** What happens to a value that its column cannot hold: null there and kept in `extra`, null there, or an error. */
export type OnTypeMismatch = 'extra' | 'null' | 'error'

/** How declared lists and structs become columns: one column of nested values, one column of JSON text, or a column for each of their leaves. */
export type NestedLayout = 'values' | 'text' | 'flatten'

export interface LayoutOptions {
  schema: ResourceSchema
  /** Whether batches carry keys, so that the first column is `_key`. */
  hasKey: boolean
  nested: NestedLayout
  /** Elements of a list that get columns of their own under `flatten`. */
  flattenSlots: number
  unknownFields: UnknownFields
  onTypeMismatch: OnTypeMismatch
}

/** One column. Its type is `json` where it holds JSON text. */
export interface Column {
  readonly name: string
  readonly type: FieldType
}

export interface Layout {
  /** `_key` where there is one, the columns of the schema in its order, `extra` where there is one. */
  readonly columns: readonly Column[]
  /** Index of the first column of each field of the schema. */
  readonly firstColumns: readonly number[]
  /** Index of `extra`, -1 where there is none: then nothing can need it. */
  readonly extraIndex: number
}

/** @throws ConfigError where two columns would have the same name, as readers of columns refuse or mix them up */
export function layoutOf(options: LayoutOptions): Layout {
  const { schema, hasKey, nested, flattenSlots, unknownFields, onTypeMismatch } = options
  const columns: Column[] = hasKey ? [{ name: keyColumn, type: { kind: 'string' } }] : []
  const firstColumns: number[] = []
  for (const field of schema.fields) {
    firstColumns.push(columns.length)
    if (nested === 'flatten') flatten(field, flattenSlots, columns)
    else columns.push({ name: field.name, type: nested === 'text' ? asText(field.type) : field.type })
  }
  // flattening needs a place for what its slots cannot show
  const canOverflow = nested === 'flatten' && unknownFields !== 'drop' && schema.fields.some(isNested)
  const hasExtra = unknownFields === 'extra' || onTypeMismatch === 'extra' || canOverflow
  if (hasExtra) columns.push({ name: extraColumn, type: { kind: 'json' } })
  checkNames(columns)
  return { columns, firstColumns, extraIndex: hasExtra ? columns.length - 1 : -1 }
}

function checkNames(columns: readonly Column[]): void {
  const names = new Set<string>()
  for (const { name } of columns) {
    // names in a schema are distinct
    if (names.has(name))
      throw new ConfigError('ERR_OPTION_INVALID', `the column ${printable(name)} is one that truto-export makes itself`)
    names.add(name)
  }
}

/** Number of columns that a value of `type` takes when it is flattened. */
export function flatWidth(type: FieldType, slots: number): number {
  if (type.kind === 'list') return slots * flatWidth(type.element, slots)
  if (type.kind === 'struct') return type.fields.reduce((sum, field) => sum + flatWidth(field.type, slots), 0)
  return 1
}

function isNested({ type }: Field): boolean {
  return type.kind === 'list' || type.kind === 'struct'
}

function asText(type: FieldType): FieldType {
  return type.kind === 'list' || type.kind === 'struct' ? { kind: 'json' } : type
}

/** Appends the leaf columns of `field`, named by path: `emails.0.email`, `groups.0.organization.id`, `languages.0`. */
function flatten({ name, type }: Field, slots: number, columns: Column[]): void {
  if (type.kind === 'list') {
    for (let i = 0; i < slots; i++) flatten({ name: `${name}.${i}`, type: type.element }, slots, columns)
  } else if (type.kind === 'struct') {
    for (const child of type.fields) flatten({ name: `${name}.${child.name}`, type: child.type }, slots, columns)
  } else columns.push({ name, type })
}
