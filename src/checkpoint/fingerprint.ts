// What tells two exports apart: a hash of everything that the output's bytes depend on, and of nothing else.

import { createHash } from 'node:crypto'
import type { JsonValue } from '../record.js'

/** SHA-256, as lowercase hex, of `facts` in canonical form: members in the order of their names, undefined ones left
 *  out. Give no secret in it: a token changes while an export is the same. */
export function fingerprintOf(facts: { readonly [name: string]: unknown }): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(facts)))
    .digest('hex')
}

function sorted(value: unknown): JsonValue {
  if (Array.isArray(value)) return ['list', ...value.map(sorted)]
  if (typeof value !== 'object' || value === null) return value as JsonValue
  const entries = Object.entries(value).filter(([, member]) => member !== undefined)
  const pairs = entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, sorted(member)])
  // pairs, so that a name such as __proto__ is a name
  return ['object', ...pairs]
}
