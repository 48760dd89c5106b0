// Which columns a schema has in a columnar format: names, types and order, fixed before the first record and by the
// schema alone.

import { ConfigError, printable } from '../../errors.js'
import { ColumnBudget } from '../../schema/column-budget.js'
import { foldedName, foldedTwins, formatFieldPath, nearestName } from '../../schema/names.js'
import { extraColumn, type Field, type FieldType, keyColumn, type ResourceSchema } from '../../schema/resource.js'

/** What happens to a field that the schema does not name: kept in `extra`, left out and counted, or an error. */
export type UnknownFields = 'extra' | 'drop' | 'error'
/** What happens to a value that its column cannot hold: null there and kept in `extra`, null there, or an error. */
export type OnTypeMismatch = 'extra' | 'null' | 'error'

/** How declared lists and structs become columns: one column of nested values, one column of JSON text, or a column for
 *  each of their leaves. */
export type NestedLayout = 'values' | 'text' | 'flatten'

export interface LayoutOptions {
  schema: ResourceSchema
  /** Whether batches carry keys, so that the first column is `_key`. */
  hasKey: boolean
  nested: NestedLayout
  /** Elements of a list that get columns of their own under `flatten`. */
  flattenSlots: number
  /** Columns of their own for something in the first element of a list: `emails=first:email`. Only where nested values
   *  are `text`. */
  flatten?: readonly string[] | undefined
  unknownFields: UnknownFields
  onTypeMismatch: OnTypeMismatch
  /** Most columns, those inside of structs and lists counted. Default 10,000. */
  maxColumns?: number | undefined
}

/** One column. Its type is `json` where it holds JSON text. */
export interface Column {
  readonly name: string
  readonly type: FieldType
}

/** A column of what is in the first element of a list. */
export interface FirstColumn {
  readonly index: number
  /** Index of the column that holds the list as JSON text. */
  readonly listIndex: number
  /** Names from the element to the value. */
  readonly path: readonly string[]
  readonly kind: FieldType['kind']
}

export interface Layout {
  /** `_key` where there is one, the columns of the schema in its order, `extra` where there is one. */
  readonly columns: readonly Column[]
  /** Index of the first column of each field of the schema. */
  readonly firstColumns: readonly number[]
  /** Columns that `flatten` asks for, each after the one that it is taken from. */
  readonly firsts: readonly FirstColumn[]
  /** Index of `extra`, -1 where there is none: then nothing can need it. */
  readonly extraIndex: number
}

/** @throws ConfigError where two columns, or two fields of a struct, would have the same name, be it in another case:
 *  readers refuse them, or give the one for the other; DataError ERR_LIMIT where there would be more than
 *  `maxColumns` */
export function layoutOf(options: LayoutOptions): Layout {
  const { schema, hasKey, nested, flattenSlots, unknownFields, onTypeMismatch, maxColumns } = options
  const budget = new ColumnBudget(maxColumns)
  for (const { name, type } of schema.fields) {
    // before a column is made
    budget.addField(nested === 'text' ? asText(type) : type, name.length, nested === 'flatten' ? flattenSlots : 1)
  }
  const columns: PlacedColumn[] = hasKey ? [{ name: keyColumn, type: { kind: 'string' }, path: null }] : []
  const firstColumns: number[] = []
  const firsts: FirstColumn[] = []
  const wanted = wantedFirsts(options)
  for (const { name, type } of schema.fields) {
    firstColumns.push(columns.length)
    if (nested === 'flatten') flatten([name], type, flattenSlots, columns)
    else columns.push({ name, type: nested === 'text' ? asText(type) : type, path: [name] })
    const listIndex = columns.length - 1
    for (const { path, type: leaf } of wanted.filter(({ list }) => list === name)) {
      firsts.push({ index: columns.length, listIndex, path, kind: leaf.kind })
      columns.push({ name: path.at(-1)!, type: leaf, path: [name, '0', ...path] })
    }
  }
  // flattening needs a place for what its slots cannot show
  const canOverflow = nested === 'flatten' && unknownFields !== 'drop' && schema.fields.some(isNested)
  const hasExtra = unknownFields === 'extra' || onTypeMismatch === 'extra' || canOverflow
  if (hasExtra) columns.push({ name: extraColumn, type: { kind: 'json' }, path: null })
  checkNames(columns)
  if (nested === 'values') checkStructs(schema)
  return {
    columns: columns.map(({ name, type }) => ({ name, type })),
    firstColumns,
    firsts,
    extraIndex: hasExtra ? columns.length - 1 : -1,
  }
}

const hint = 'give one of them another name with --rename, leave it out, or take it out of the schema'

interface PlacedColumn extends Column {
  /** Names from the record to what the column holds, with the numbers of elements of lists; null where it is one of
   *  ours. */
  readonly path: readonly string[] | null
}

function checkNames(columns: readonly PlacedColumn[]): void {
  const known = new Map<string, PlacedColumn>()
  for (const column of columns) {
    const folded = foldedName(column.name)
    const other = known.get(folded)
    if (other !== undefined) throw sameColumn(other, column)
    known.set(folded, column)
  }
}

function sameColumn(one: PlacedColumn, other: PlacedColumn): ConfigError {
  if (one.name !== other.name) return inCaseAlone('columns', one.name, other.name)
  const [a, b] = [one, other].map(({ path }) => path && printable(formatFieldPath(path)))
  const name = printable(one.name)
  const message =
    a === null || b === null
      ? `the column ${name} is one that truto-export makes itself`
      : `the fields ${a} and ${b} would both be the column ${name}`
  return new ConfigError('ERR_OPTION_INVALID', message, { hint })
}

function checkStructs({ fields }: ResourceSchema): void {
  for (const [one, other] of foldedTwins(fields)) {
    throw inCaseAlone('fields', one, other)
  }
}

function inCaseAlone(what: string, one: string, other: string): ConfigError {
  const message = `the ${what} ${printable(one)} and ${printable(other)} differ in case alone, and many readers take them for one`
  return new ConfigError('ERR_OPTION_INVALID', message, { hint })
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

/** Appends the leaf columns of the field at `path`, named by it: `emails.0.email`, `groups.0.organization.id`,
 *  `languages.0`. */
function flatten(path: readonly string[], type: FieldType, slots: number, columns: PlacedColumn[]): void {
  if (type.kind === 'list') {
    for (let i = 0; i < slots; i++) flatten([...path, String(i)], type.element, slots, columns)
  } else if (type.kind === 'struct') {
    for (const child of type.fields) flatten([...path, child.name], child.type, slots, columns)
  } else columns.push({ name: path.join('.'), type, path })
}

interface WantedFirst {
  readonly list: string
  readonly path: readonly string[]
  readonly type: FieldType
}

/** What `flatten` asks for. @throws ConfigError where the schema has no such thing */
function wantedFirsts({ schema, nested, flatten: texts = [] }: LayoutOptions): readonly WantedFirst[] {
  if (texts.length === 0) return []
  if (nested !== 'text') {
    throw new ConfigError('ERR_OPTION_INVALID', 'columns of first elements are for nested values in JSON text', {
      hint: 'leave out --csv-nested flatten, which has such columns itself',
    })
  }
  const known = new Map<string, WantedFirst>()
  for (const { name, type } of schema.fields) {
    if (type.kind !== 'list') continue
    for (const { path, type: leaf } of leavesOf(type.element, [])) {
      known.set(`${name}=first:${formatFieldPath(path)}`, { list: name, path, type: leaf })
    }
  }
  return texts.map((text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    const nearest = nearestName(text, known.keys())
    const meant = nearest === undefined ? '' : ` (did you mean ${printable(nearest)}?)`
    throw new ConfigError('ERR_OPTION_INVALID', `no column can be made of ${printable(text)}${meant}`, {
      hint: 'write LIST=first:FIELD, such as emails=first:email, for a declared list of objects',
    })
  })
}

/** The scalars in a struct, with their paths. */
function leavesOf(type: FieldType, path: readonly string[]): { path: readonly string[]; type: FieldType }[] {
  if (type.kind === 'struct') return type.fields.flatMap((field) => leavesOf(field.type, [...path, field.name]))
  return type.kind === 'list' || path.length === 0 ? [] : [{ path, type }]
}
