// Reads a query string the way Truto's documentation writes one and its SDKs send it: `a=1`, `a[b][c]=1`, `a[]=1`,
// `a[0]=1`, and comma lists where a parameter is a list. Nothing is refused; what cannot be read stays text.

/** A parameter: text, a list (empty or numeric brackets, or a name that came twice), or members by name (an object
 *  without prototype). */
export type QueryValue = string | QueryValue[] | QueryObject
/** Parameters by name; the object has no prototype. */
export interface QueryObject {
  [name: string]: QueryValue
}

const maxDepth = 16

/** Parses what follows the `?`. Percent escapes that are not valid UTF-8 stay as they are. */
export function parseQuery(text: string): QueryObject {
  const query = emptyObject()
  for (const pair of text.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decode(equals < 0 ? pair : pair.slice(0, equals))
    assign(query, pathOf(name), equals < 0 ? '' : decode(pair.slice(equals + 1)))
  }
  return query
}

/** A list parameter in any of its three documented spellings: `name[]=a&name[]=b`, `name[0]=a&name[1]=b`,
 *  `name=a,b`. */
export function listOf(value: QueryValue | undefined): string[] {
  if (value === undefined) return []
  if (typeof value === 'string') return value.split(',').filter((item) => item !== '')
  if (Array.isArray(value)) return value.flatMap((item) => (typeof item === 'string' ? [item] : listOf(item)))
  return Object.values(value).flatMap((item) => listOf(item))
}

/** A parameter that is one text; of a repeated one the last counts. Undefined where it is absent or an object. */
export function textOf(value: QueryValue | undefined): string | undefined {
  if (Array.isArray(value)) return textOf(value.at(-1))
  return typeof value === 'string' ? value : undefined
}

/** The id in `channel[id]=C1`, or in the bare `channel=C1` that may work as well (not documented). */
export function idOf(value: QueryValue | undefined): string | undefined {
  const text = typeof value === 'object' && !Array.isArray(value) ? textOf(value['id']) : textOf(value)
  return text === '' ? undefined : text
}

/** Booleans are written `true` and `false`; anything else is not true. */
export function isTrue(value: QueryValue | undefined): boolean {
  return textOf(value) === 'true'
}

/** `a[b][]` → `['a', 'b', '']`. A name whose brackets do not match is one plain name. */
function pathOf(name: string): string[] {
  const open = name.indexOf('[')
  if (open <= 0 || !/^(?:\[[^[\]]*\])+$/.test(name.slice(open))) return [name]
  const path = [name.slice(0, open), ...name.slice(open + 1, -1).split('][')]
  return path.length > maxDepth ? [name] : path
}

function assign(into: QueryObject, path: string[], text: string): void {
  const [name, ...rest] = path as [string, ...string[]]
  into[name] = merge(into[name], rest, text)
}

function merge(current: QueryValue | undefined, path: string[], text: string): QueryValue {
  if (path.length === 0) {
    if (current === undefined) return text
    return Array.isArray(current) ? [...current, text] : [current, text]
  }
  const [name, ...rest] = path as [string, ...string[]]
  if (name === '' || /^\d{1,4}$/.test(name)) {
    const list = current === undefined ? [] : Array.isArray(current) ? current : [current]
    // `a[][k]=v` begins a new element as soon as the last one has a `k` already; `a[0][k]=v` says which element it
    // means.
    const last = list.at(-1)
    const isOpen = isObject(last) && rest.length > 0 && !(rest[0]! in last)
    const at = name !== '' ? Number(name) : isOpen ? list.length - 1 : list.length
    if (at < list.length) list[at] = merge(list[at], rest, text)
    else list.push(merge(undefined, rest, text))
    return list
  }
  const object = isObject(current) ? current : emptyObject()
  if (current !== undefined && !isObject(current)) object[''] = current
  assign(object, path, text)
  return object
}

function isObject(value: QueryValue | undefined): value is QueryObject {
  return typeof value === 'object' && !Array.isArray(value)
}

function emptyObject(): QueryObject {
  return Object.create(null) as QueryObject
}

function decode(text: string): string {
  const spaced = text.replaceAll('+', ' ')
  try {
    return decodeURIComponent(spaced)
  } catch {
    return spaced
  }
}

/** A whole number from 1, or undefined. */
export function limitOf(value: QueryValue | undefined): number | undefined {
  const text = textOf(value)
  return text !== undefined && /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined
}
