// Bounds of a column chunk, by which readers pass over row groups: always true, in the order of the bytes, and short. A
// bound that was cut says so.

import { keptBoundBytes, type LeafColumn, type LeafKind } from '../columns/leaf.js'
import type { ThriftWriter } from './thrift.js'

/** Longest bound of text, in bytes. */
export const maxBoundBytes = keptBoundBytes - 1

/** Ids of the fields of parquet.thrift Statistics. `min` and `max`, ids 1 and 2, are of an order that nobody agreed
 *  on. */
const id = { nullCount: 3, maxValue: 5, minValue: 6, isMaxExact: 7, isMinExact: 8 } as const

export interface Bounds {
  readonly min: Uint8Array
  readonly max: Uint8Array
  readonly isMinExact: boolean
  readonly isMaxExact: boolean
}

/** What is told of the values of a column chunk. */
export interface Statistics {
  readonly nullCount: number
  readonly bounds: Bounds | null
}

/** Statistics of a column, which share no bytes with it. None of JSON: its bounds are of no use, and would put payload
 *  into the footer. */
export function statisticsOf({ leaf, entries, count, min, max }: LeafColumn): Statistics | null {
  if (leaf.kind === 'json') return null
  const bounds = boundsOf(leaf.kind, min, max)
  const owned = bounds && { ...bounds, min: new Uint8Array(bounds.min), max: new Uint8Array(bounds.max) }
  return { nullCount: entries - count, bounds: owned }
}

/** Writes the field `field`, a Statistics, into the struct in hand. */
export function writeStatistics(out: ThriftWriter, field: number, { nullCount, bounds }: Statistics): void {
  out.struct(field, () => {
    out.i64(id.nullCount, nullCount)
    if (bounds === null) return
    out.binary(id.maxValue, bounds.max)
    out.binary(id.minValue, bounds.min)
    out.boolean(id.isMaxExact, bounds.isMaxExact)
    out.boolean(id.isMinExact, bounds.isMinExact)
  })
}

/** Bounds of the values whose least and greatest are `min` and `max`; null where there are none to be had. */
export function boundsOf(kind: LeafKind, min: Uint8Array | null, max: Uint8Array | null): Bounds | null {
  if (min === null || max === null) return null
  const isMinExact = min.length <= maxBoundBytes
  const isMaxExact = max.length <= maxBoundBytes
  if (kind !== 'string' || (isMinExact && isMaxExact)) return { min, max, isMinExact: true, isMaxExact: true }
  const greatest = isMaxExact ? max : roundedUp(cut(max))
  return greatest && { min: cut(min), max: greatest, isMinExact, isMaxExact }
}

/** The longest beginning of `text` that is whole characters and no longer than a bound may be. */
function cut(text: Uint8Array): Uint8Array {
  if (text.length <= maxBoundBytes) return text
  let end = maxBoundBytes
  while (isContinuation(text[end]!)) end--
  return text.subarray(0, end)
}

/** The least text of whole characters, none longer, that is greater than all that begin with `text`; null where there
 *  is none. In UTF-8 the order of the bytes is that of the code points. */
function roundedUp(text: Uint8Array): Uint8Array | null {
  let end = text.length
  while (end > 0) {
    let start = end - 1
    while (isContinuation(text[start]!)) start--
    const codePoint = Buffer.from(text.subarray(start, end)).toString().codePointAt(0)!
    if (codePoint < 0x10ffff) {
      const next = codePoint === 0xd7ff ? 0xe000 : codePoint + 1 // no UTF-8 has surrogates
      return Buffer.concat([text.subarray(0, start), Buffer.from(String.fromCodePoint(next))])
    }
    end = start
  }
  return null
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80
}
