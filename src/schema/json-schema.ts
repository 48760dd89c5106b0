// Schemas as JSON Schema documents, read and written: the part of it that says what columns there are. What says
// anything else is an error, since a file that was taken for a contract and is not kept to would be worse than none.

import { createHash } from 'node:crypto'
import { ConfigError, printable } from '../errors.js'
import { ColumnBudget } from './column-budget.js'
import type { Field, FieldType, ResourceSchema } from './resource.js'

/** A JSON Schema document. */
export type JsonSchema = { readonly [keyword: string]: unknown }

export interface SchemaFromJsonOptions {
  /** `{model}/{resource}` that the schema is for. Default `*`, any. */
  resource?: string
  /** Most columns, those inside of structs and lists counted. Default 10,000. */
  maxColumns?: number
}

/** Says something about a value to people, or what its column need not know: every field may be null or absent. */
const annotations = new Set([
  ...['$schema', '$id', '$anchor', '$comment', '$defs', 'definitions', 'title', 'description', 'examples', 'example'],
  ...['default', 'deprecated', 'readOnly', 'writeOnly', 'required', 'additionalProperties', 'enum', 'nullable'],
])
const knownTypes = ['string', 'boolean', 'integer', 'number', 'array', 'object']
/** Deepest nesting: column readers have limits of their own beyond it. */
export const maxDepth = 32

/**
 * The schema that a JSON Schema document declares: an object with `properties`, each of them with a `type` of string (a
 * `format` of date-time makes it a timestamp, others say nothing), boolean, integer (64 bits), number (a double), array
 * with `items`, or object with `properties`; `null` may stand beside it. Without a type, or without items or
 * properties, a field is JSON of any kind. `$ref` goes to another place of the document. Annotations, `x-…`,
 * `required`, `enum` and a boolean `additionalProperties` are read over. Columns have the order of `properties`; the
 * version is a digest of them.
 * @param document a text or what JSON.parse made of it
 * @throws ConfigError ERR_OPTION_INVALID with the JSON pointer of what is something else; DataError ERR_LIMIT for more
 * columns than `maxColumns`
 */
export function schemaFromJson(document: string | JsonSchema, options: SchemaFromJsonOptions = {}): ResourceSchema {
  const root = typeof document === 'string' ? parse(document) : document
  const type = new Reader(root, new ColumnBudget(options.maxColumns)).root()
  return { resource: options.resource ?? '*', version: versionOf(type.fields), fields: type.fields }
}

/** Version of a schema that nobody counts the changes of: the same for the same columns. */
export function versionOf(fields: readonly Field[]): string {
  return `sha256:${createHash('sha256').update(JSON.stringify(fields)).digest('hex').slice(0, 16)}`
}

/** `schema` as a JSON Schema document, which `schemaFromJson` reads as the same fields. */
export function schemaToJson(schema: ResourceSchema): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...(schema.resource === '*' ? {} : { title: schema.resource }),
    type: 'object',
    properties: propertiesOf(schema.fields),
  }
}

/** Where a node of the document stands. */
interface Place {
  /** JSON pointer of the node (RFC 6901). */
  readonly pointer: string
  /** Pointers of the references that led here. */
  readonly around: readonly string[]
  readonly depth: number
  /** Characters of the names of the fields around. */
  readonly characters: number
}

class Reader {
  readonly #document: unknown
  readonly #budget: ColumnBudget
  /** What references lead to, and the types of nodes: both are read once, since a node may be led to as often as there
   *  are columns. */
  readonly #targets = new Map<string, unknown>()
  readonly #types = new Map<object, string | undefined>()

  constructor(document: unknown, budget: ColumnBudget) {
    this.#document = document
    this.#budget = budget
  }

  root(): Extract<FieldType, { kind: 'struct' }> {
    const type = this.#type(this.#document, { pointer: '', around: [], depth: 0, characters: 0 })
    if (type.kind === 'struct') return type
    throw invalid('', 'a record is an object with properties')
  }

  #type(node: unknown, place: Place): FieldType {
    const { pointer, depth } = place
    if (node === true) return this.#leaf('json', place)
    if (!isObject(node)) throw invalid(pointer, 'a schema is an object')
    if (depth > maxDepth) throw invalid(pointer, `it is nested deeper than ${maxDepth} levels`)
    if (!this.#types.has(node)) this.#types.set(node, checkedType(node, pointer))
    if (node['$ref'] !== undefined) return this.#referred(node, place)
    switch (this.#types.get(node)) {
      case 'string':
        return this.#leaf(node['format'] === 'date-time' ? 'timestamp' : 'string', place)
      case 'boolean':
        return this.#leaf('boolean', place)
      case 'integer':
        return this.#leaf('int64', place)
      case 'number':
        return this.#leaf('double', place)
      case 'array':
        if (node['items'] === undefined) return this.#leaf('json', place)
        return { kind: 'list', element: this.#type(node['items'], inside(place, '/items')) }
      case 'object':
        return this.#struct(node['properties'], place)
      default:
        return this.#leaf('json', place)
    }
  }

  #leaf(kind: Exclude<FieldType['kind'], 'struct' | 'list'>, { characters }: Place): FieldType {
    this.#budget.add(characters)
    return { kind }
  }

  #struct(properties: unknown, place: Place): FieldType {
    if (properties === undefined) return this.#leaf('json', place)
    if (!isObject(properties)) throw invalid(`${place.pointer}/properties`, 'properties are an object')
    const fields = Object.entries(properties).map(([name, property]): Field => {
      const at = inside(place, `/properties/${escaped(name)}`, name.length)
      if (name === '' || !isWellFormed(name)) throw invalid(at.pointer, 'a column needs a name that UTF-8 can write')
      return { name, type: this.#type(property, at) }
    })
    return fields.length === 0 ? this.#leaf('json', place) : { kind: 'struct', fields }
  }

  #referred(node: Record<string, unknown>, place: Place): FieldType {
    const { pointer, around } = place
    const at = `${pointer}/$ref`
    const reference = node['$ref']
    const other = ['type', 'format', 'items', 'properties'].find((keyword) => node[keyword] !== undefined)
    if (other !== undefined) throw invalid(`${pointer}/${other}`, 'beside $ref it says nothing')
    if (typeof reference !== 'string' || !/^#(\/|$)/.test(reference)) {
      throw invalid(at, 'a reference goes to another place of the document: #/$defs/…')
    }
    if (around.includes(reference)) throw invalid(at, 'the reference leads back to itself')
    if (!this.#targets.has(reference)) this.#targets.set(reference, this.#targetOf(reference, at))
    const there = { ...inside(place, ''), pointer: reference.slice(1), around: [...around, reference] }
    return this.#type(this.#targets.get(reference), there)
  }

  #targetOf(reference: string, at: string): unknown {
    let target: unknown = this.#document
    for (const part of decodePointer(reference, at)) {
      target =
        (isObject(target) || Array.isArray(target)) && Object.hasOwn(target, part)
          ? (target as JsonSchema)[part]
          : undefined
      if (target === undefined) throw invalid(at, `there is no ${printable(reference)}`)
    }
    return target
  }
}

/** One level further in. */
function inside({ pointer, around, depth, characters }: Place, more: string, length = 0): Place {
  return { pointer: pointer + more, around, depth: depth + 1, characters: characters + length }
}

/** The type of a node whose keywords are known; undefined where there is none, so that any value is meant. */
function checkedType(node: Record<string, unknown>, pointer: string): string | undefined {
  for (const keyword of Object.keys(node)) {
    if (annotations.has(keyword) || keyword.startsWith('x-')) checkAnnotation(node, keyword, pointer)
    else if (!['type', 'format', 'items', 'properties', '$ref'].includes(keyword)) {
      throw invalid(`${pointer}/${escaped(keyword)}`, 'this keyword is not known')
    }
  }
  if (node['$ref'] !== undefined) return undefined
  const type = typeOf(node, pointer)
  for (const [keyword, of] of [
    ['format', 'string'],
    ['items', 'array'],
    ['properties', 'object'],
  ] as const) {
    const isNumeric = keyword === 'format' && (type === 'integer' || type === 'number')
    if (node[keyword] !== undefined && type !== of && !isNumeric) {
      throw invalid(`${pointer}/${keyword}`, `it belongs to the type ${of}`)
    }
  }
  return type
}

/** The type beside null; undefined where there is none, so that any value is meant. */
function typeOf(node: Record<string, unknown>, pointer: string): string | undefined {
  const { type } = node
  const at = `${pointer}/type`
  if (type === undefined) return undefined
  const given: unknown[] = Array.isArray(type) ? type : [type]
  for (const name of given) {
    if (name !== 'null' && !knownTypes.includes(name as string))
      throw invalid(at, `it is one of ${knownTypes.join(', ')}`)
  }
  const types = given.filter((name) => name !== 'null') as string[]
  if (types.length === 1) return types[0]
  throw invalid(
    at,
    types.length === 0
      ? 'null alone has no column'
      : 'a column has one type beside null; without one it is JSON of any kind',
  )
}

function checkAnnotation(node: Record<string, unknown>, keyword: string, pointer: string): void {
  if (keyword !== 'additionalProperties' || typeof node[keyword] === 'boolean') return
  throw invalid(
    `${pointer}/${keyword}`,
    'a map from any name to a value has no columns; leave out the type to keep it as JSON',
  )
}

function propertiesOf(fields: readonly Field[]): JsonSchema {
  return Object.fromEntries(fields.map(({ name, type }) => [name, nodeOf(type)]))
}

function nodeOf(type: FieldType): JsonSchema {
  switch (type.kind) {
    case 'string':
    case 'boolean':
      return { type: [type.kind, 'null'] }
    case 'timestamp':
      return { type: ['string', 'null'], format: 'date-time' }
    case 'int64':
      return { type: ['integer', 'null'] }
    case 'double':
      return { type: ['number', 'null'] }
    case 'json':
      return {}
    case 'list':
      return { type: ['array', 'null'], items: nodeOf(type.element) }
    case 'struct':
      return { type: ['object', 'null'], properties: propertiesOf(type.fields) }
  }
}

function parse(text: string): JsonSchema {
  try {
    return JSON.parse(text.replace(/^\ufeff/, '')) as JsonSchema
  } catch (error) {
    throw new ConfigError('ERR_OPTION_INVALID', `the schema is no JSON: ${printable((error as Error).message)}`, {
      cause: error,
      hint: 'truto-export schema prints one to begin with',
    })
  }
}

/** Whether it is an object and no array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a name has no half of a surrogate pair. */
export function isWellFormed(name: string): boolean {
  return !/\p{Surrogate}/u.test(name)
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** The parts of `#/a/b`. */
function decodePointer(reference: string, at: string): string[] {
  try {
    const parts = decodeURIComponent(reference.slice(1)).split('/').slice(1)
    return parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  } catch (error) {
    throw invalid(at, 'it is no pointer', error)
  }
}

function invalid(pointer: string, why: string, cause?: unknown): ConfigError {
  return new ConfigError(
    'ERR_OPTION_INVALID',
    `the schema at ${pointer === '' ? 'its root' : printable(pointer)}: ${why}`,
    {
      cause,
      hint: 'truto-export schema prints one to begin with',
    },
  )
}
