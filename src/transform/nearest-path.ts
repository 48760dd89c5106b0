// Looks in a value for the field that a path was meant for.

import type { JsonValue } from '../record.js'
import { nearestName } from '../schema/names.js'

/** The path of a field of `value` that `names` may be meant for: that of the nearest name at each place; undefined
 *  where there is none. */
export function nearestPath(value: JsonValue | undefined, [name, ...rest]: readonly string[]): string[] | undefined {
  if (name === undefined) return []
  if (Array.isArray(value))
    return nearestPath(
      value.find((element) => element !== null && typeof element === 'object'),
      [name, ...rest],
    )
  if (typeof value !== 'object' || value === null) return undefined
  const found = Object.hasOwn(value, name) ? name : nearestName(name, Object.keys(value).slice(0, maxNames))
  if (found === undefined) return undefined
  const inside = nearestPath(value[found], rest)
  return inside && [found, ...inside]
}

/** Names of an object that are compared with one that it does not have. */
const maxNames = 1000
