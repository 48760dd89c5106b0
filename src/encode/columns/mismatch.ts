// What a value is, and what was expected in its place: words for errors.

import type { Node } from './reader-nodes.js'
import type { TimestampRules } from './timestamp.js'

const quote = 0x22
const openBracket = 0x5b
const openBrace = 0x7b
const letterF = 0x66
const letterT = 0x74

export function foundAt(bytes: Uint8Array, at: number): string {
  const byte = bytes[at]!
  if (byte === quote) return 'a string'
  if (byte === openBrace) return 'an object'
  if (byte === openBracket) return 'a list'
  return byte === letterT || byte === letterF ? 'a boolean' : 'a number'
}

export function expectedOf(node: Node, { timestamps }: { readonly timestamps: TimestampRules }): string {
  if (node.kind === 'int64') return 'a whole number of 64 bits'
  if (node.kind === 'double') return 'a number whose digits a double keeps'
  if (node.kind !== 'timestamp') return `a ${node.kind}`
  const { unit, excess } = timestamps
  return unit === 'text' || excess === 'truncate' ? 'an RFC 3339 date-time' : `an RFC 3339 date-time in whole ${unit}`
}
