// Query strings in the bracket form that Truto documents ("Querying"): `foo[bar]=v`, `foo[]=a&foo[]=b`. One side writes
// values, the other reads what people type after `-q`; what the one reads the other writes back.

import { ConfigError } from '../errors.js'

/** A value of a query: objects and arrays nest to any depth up to 32. `undefined` is left out, `null` is the empty
 *  string, a Date is ISO 8601. */
export type QueryValue =
  | string
  | number
  | boolean
  | bigint
  | Date
  | null
  | undefined
  | readonly QueryValue[]
  | QueryParameters
/** Values of a query by their names. */
export type QueryParameters = { readonly [name: string]: QueryValue }

const maxDepth = 32

/**
 * `name=value` pairs joined by `&`, everything percent-encoded, brackets included. A name may itself be in bracket
 * form. Empty objects and arrays have no form and are left out.
 * @throws ConfigError ERR_OPTION_INVALID for what has no form: NaN, an invalid Date, a lone surrogate, an object with a
 * class
 */
export function encodeQuery(query: QueryParameters): string {
  const pairs: string[] = []
  for (const [name, value] of Object.entries(query)) appendPairs(pairs, name, value, 0)
  return pairs.join('&')
}

function appendPairs(pairs: string[], name: string, value: QueryValue, depth: number): void {
  if (value === undefined) return
  if (depth > maxDepth) throw invalid(`${name.slice(0, 60)}… is nested deeper than ${maxDepth}`)
  if (Array.isArray(value)) {
    for (const element of value as readonly QueryValue[]) appendPairs(pairs, `${name}[]`, element, depth + 1)
  } else if (typeof value === 'object' && value !== null && !(value instanceof Date)) {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== null && prototype !== Object.prototype) throw invalid(`${name} is no plain object`)
    for (const [key, member] of Object.entries(value)) appendPairs(pairs, `${name}[${key}]`, member, depth + 1)
  } else {
    pairs.push(`${encodeText(name, name)}=${encodeText(scalarText(name, value as Scalar), name)}`)
  }
}

type Scalar = string | number | boolean | bigint | Date | null

function scalarText(name: string, value: Scalar): string {
  if (value === null) return ''
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw invalid(`${name} is an invalid Date`)
    return value.toISOString()
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw invalid(`${name} is ${value}`)
  if (!['string', 'number', 'boolean', 'bigint'].includes(typeof value)) throw invalid(`${name} is a ${typeof value}`)
  return String(value)
}

/** Percent-encodes `text` so that `+ / = & # % [ ]` and everything beyond ASCII come back exactly, whether the server
 *  reads `+` as a space or not. */
function encodeText(text: string, name: string): string {
  try {
    return encodeURIComponent(text)
  } catch {
    throw invalid(`${name.replace(/[\ud800-\udfff]/g, '?')} holds half of a surrogate pair, which has no encoding`)
  }
}

interface ParsedObject {
  [key: string]: ParsedValue
}
type ParsedValue = string | ParsedValue[] | ParsedObject

/**
 * What `-q` was given, once or repeatedly: `limit=200`, `remote_query[a][b]=v`, `foo[]=a`. A single argument may hold
 * several pairs, as Truto's own tool has it: it is split at a comma where `key=` follows, so that `id[in]=u1,u2` stays
 * whole. Values are taken verbatim. The result has no prototype: `__proto__` is a name like any other.
 * @throws ConfigError ERR_OPTION_INVALID for an argument that is no `key=value`, or that gives a name two meanings
 */
export function parseQueryArguments(args: readonly string[]): QueryParameters {
  const pairs = args.length === 1 ? args[0]!.split(/,(?=[^\s,=&[\]]+(?:\[[^\]=]*\])*=)/) : args
  const query: ParsedObject = Object.create(null)
  for (const pair of pairs) {
    const match = /^([^=[\]]+)((?:\[[^\]=]*\])*)=(.*)$/s.exec(pair)
    if (!match)
      throw invalid(`-q ${JSON.stringify(pair)} is not key=value`, 'write -q name=value or -q name[key]=value')
    const steps = [...match[2]!.matchAll(/\[([^\]]*)\]/g)].map((step) => step[1]!)
    if (steps.length > maxDepth) throw invalid(`-q ${match[1]} is nested deeper than ${maxDepth}`)
    put(query, [match[1]!, ...steps], match[3]!, pair)
  }
  return query
}

/** Puts `value` at `path`; an empty step is the next element of a list. */
function put(query: ParsedObject, path: readonly string[], value: string, pair: string): void {
  let container: ParsedObject | ParsedValue[] = query
  for (const [index, step] of path.entries()) {
    const isLast = index === path.length - 1
    if (Array.isArray(container) !== (step === '')) throw conflict(pair)
    const next: ParsedValue = isLast ? value : path[index + 1] === '' ? [] : Object.create(null)
    if (Array.isArray(container)) {
      container.push(next)
      container = next as ParsedObject | ParsedValue[]
    } else {
      const present: ParsedValue | undefined = container[step]
      if (present !== undefined && (isLast || typeof present === 'string')) throw conflict(pair)
      container = (container[step] = present ?? next) as ParsedObject | ParsedValue[]
    }
  }
}

function conflict(pair: string): ConfigError {
  return invalid(
    `-q ${JSON.stringify(pair)} does not go with what was given before`,
    'write name[]=a and name[]=b for a list',
  )
}

function invalid(message: string, hint?: string): ConfigError {
  return new ConfigError('ERR_OPTION_INVALID', message, hint === undefined ? {} : { hint })
}

/** Percent-decoded, or as it stands where that is no valid encoding. */
export function decodeText(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
