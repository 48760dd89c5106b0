// Members of decoded JSON with the types that they must have. What they throw says which member is wrong; who decodes
// says what it is a member of.

import type { JsonValue } from '../record.js'

export type Fields = { readonly [name: string]: JsonValue }

export function object(value: JsonValue | undefined, name: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${name} is no object`)
  return value
}

export function list<T>(value: JsonValue | undefined, name: string, read: (element: JsonValue) => T): T[] {
  if (!Array.isArray(value)) throw new Error(`${name} is no list`)
  return value.map(read)
}

export function text(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string') throw new Error(`${name} is no text`)
  return value
}

/** Times may have fractions; all else that is counted is whole, which is the writer's business. */
export function count(fields: Fields, name: string): number {
  const value = fields[name]
  if (typeof value !== 'number' || !(value >= 0)) throw new Error(`${name} is no count`)
  return value
}

/** A count that is whole, and less than `limit`. */
export function whole(fields: Fields, name: string, limit: number): number {
  const value = count(fields, name)
  if (!Number.isInteger(value) || value >= limit) throw new Error(`${name} is no whole number below ${limit}`)
  return value
}

export function oneOf<T extends JsonValue>(fields: Fields, name: string, values: readonly T[]): T {
  const value = fields[name]
  if (!values.includes(value as T)) throw new Error(`${name} has an unknown value`)
  return value as T
}

export function orNull<T>(fields: Fields, name: string, read: (fields: Fields, name: string) => T): T | null {
  return fields[name] === null ? null : read(fields, name)
}
