// What a schema is: the columns of CSV and Parquet come from one, never from the first page. declared.ts has those of
// resources that are declared; of any other resource only the id is known, and the rest of each record goes to the
// `extra` column.

/** The type of a field's value. `timestamp` is an RFC 3339 date-time in a JSON string; `int64` is a whole number in the
 *  range of one, `double` a number whose digits survive in one; `json` is any JSON value, kept as its own text. */
export type FieldType =
  | { readonly kind: 'string' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'timestamp' }
  | { readonly kind: 'int64' }
  | { readonly kind: 'double' }
  | { readonly kind: 'json' }
  | { readonly kind: 'struct'; readonly fields: readonly Field[] }
  | { readonly kind: 'list'; readonly element: FieldType }

/** Kinds of values that hold no others, or hold them as their own text. */
export const scalarKinds = [
  'string',
  'boolean',
  'timestamp',
  'int64',
  'double',
  'json',
] as const satisfies readonly ScalarKind[]
export type ScalarKind = Exclude<FieldType['kind'], 'struct' | 'list'>

export function isScalarKind(kind: string): kind is ScalarKind {
  return (scalarKinds as readonly string[]).includes(kind)
}

export interface Field {
  readonly name: string
  readonly type: FieldType
}

export interface ResourceSchema {
  /** `{model}/{resource}`, or `*` for a resource without a declaration. */
  readonly resource: string
  /** A number that grows when a field is added or changes its type, or a digest of the fields where the schema is one
   *  of the user. */
  readonly version: number | string
  /** In column order. */
  readonly fields: readonly Field[]
}

/** Column that holds the fields of a record that its schema does not name, as one JSON object. */
export const extraColumn = 'extra'
/** Column that holds a record's key under key-by. */
export const keyColumn = '_key'

/** Schema of records whose shape is not declared or that were passed through unmapped: their id, the rest in
 *  `extra`. */
export const unmappedSchema: ResourceSchema = {
  resource: '*',
  version: 1,
  fields: [{ name: 'id', type: { kind: 'string' } }],
}
