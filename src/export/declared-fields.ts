// What is declared of the records of an export: which fields they have by the schema of their resource, or by one of
// the user.

import type { ResolvedOptions } from '../options/schema.js'
import { checkSchema } from '../schema/check-schema.js'
import { declaredSchema } from '../schema/declared.js'
import { type JsonSchema, schemaFromJson } from '../schema/json-schema.js'
import { fieldsOf, formatFieldPath, misspelledName, nearestName } from '../schema/names.js'
import { type Field, type ResourceSchema, unmappedSchema } from '../schema/resource.js'
import { parseFieldPath } from '../transform/field-path.js'

/** The provider's own record in one of the unified API. */
export const remoteData = 'remote_data'

/** The schema that the user gave; null where there is none. @throws ConfigError where it is no schema */
export function givenSchema(resolved: ResolvedOptions): ResourceSchema | null {
  let schema = given.get(resolved)
  if (schema === undefined) given.set(resolved, (schema = readSchema(resolved)))
  return schema
}

/** Read once for each export. */
const given = new WeakMap<ResolvedOptions, ResourceSchema | null>()

function readSchema({ schema, resource, maxColumns }: ResolvedOptions): ResourceSchema | null {
  if (schema === null) return null
  if (typeof schema === 'object' && 'fields' in schema) return checkSchema(schema, maxColumns)
  return schemaFromJson(schema as string | JsonSchema, { maxColumns, ...(resource === null ? {} : { resource }) })
}

/** What is declared of the fields of records: by their resource, and by the schema that the user gave. */
export class DeclaredFields {
  readonly #lists: readonly (readonly Field[])[]
  /** What messages call them. */
  readonly name: string

  /** @param isUnified whether records have the shape that their resource declares */
  constructor(resolved: ResolvedOptions, isUnified: boolean) {
    const { resource } = resolved
    const declared = isUnified && resource !== null ? declaredSchema(resource) : unmappedSchema
    const given = givenSchema(resolved)
    this.#lists = [declared, given].flatMap((schema) =>
      schema === null || schema === unmappedSchema ? [] : [schema.fields],
    )
    this.name = given === null ? `the schema of ${resource}` : 'the schema'
  }

  /** Whether nothing is declared. */
  get isEmpty(): boolean {
    return this.#lists.length === 0
  }

  has(path: string): boolean {
    const names = parseFieldPath(path)
    // every record of the unified API may have it, and of what is in it nothing is known
    if (names.length === 1 && names[0] === remoteData) return true
    return this.#lists.some((fields) => hasField(fields, names))
  }

  /** The declared path that `path` is as good as; undefined where there is none, and where it is declared itself. */
  misspelled(path: string): string | undefined {
    return this.has(path) ? undefined : this.#meant(path, misspelledName)
  }

  /** The nearest declared path. */
  nearest(path: string): string | undefined {
    return this.#meant(path, nearestName)
  }

  #meant(path: string, meantBy: (name: string, names: readonly string[]) => string | undefined): string | undefined {
    for (const fields of this.#lists) {
      const meant = meantIn(fields, parseFieldPath(path), meantBy)
      if (meant !== undefined) return formatFieldPath(meant)
    }
    return undefined
  }
}

function hasField(fields: readonly Field[], [name, ...rest]: readonly string[]): boolean {
  const field = fields.find((field) => field.name === name)
  if (field === undefined) return false
  return rest.length === 0 || hasField(fieldsOf(field.type), rest)
}

function meantIn(
  fields: readonly Field[],
  [name, ...rest]: readonly string[],
  meantBy: (name: string, names: readonly string[]) => string | undefined,
): string[] | undefined {
  if (name === undefined) return []
  const names = fields.map((field) => field.name)
  const meant = names.includes(name) ? name : meantBy(name, names)
  if (meant === undefined) return undefined
  const { type } = fields.find((field) => field.name === meant)!
  // the columns of a flattened list are named by the number of the element, and a path goes into every one of them
  const isElement = type.kind === 'list' && /^\d+$/.test(rest[0] ?? '') && rest.length > 1
  const inside = rest.length === 0 ? [] : meantIn(fieldsOf(type), isElement ? rest.slice(1) : rest, meantBy)
  return inside && [meant, ...inside]
}

/** Whether records are asked for as their resource declares them. */
function asksForDeclared({ responseFormat }: ResolvedOptions): boolean {
  return responseFormat !== 'raw' && responseFormat !== 'debug'
}

/** The schema of the records as they are asked for. They may come unmapped all the same. */
export function expectedSchema(resolved: ResolvedOptions): ResourceSchema {
  const { resource } = resolved
  const declared = resource === null || !asksForDeclared(resolved) ? unmappedSchema : declaredSchema(resource)
  return givenSchema(resolved) ?? declared
}

/** What is declared of the records as they are asked for. */
export function expectedFields(resolved: ResolvedOptions): DeclaredFields {
  return new DeclaredFields(resolved, asksForDeclared(resolved))
}
