// The declared fields as the reader of columns walks them: each type with what reading it needs, compiled once, and how
// the field of a member is found.

import type { MemberWalker } from '../../bytes/members.js'
import type { Field, FieldType } from '../../schema/resource.js'
import { flatWidth } from './layout.js'

/** A declared type with what reading it needs. */
export type Node = ScalarNode | StructNode | ListNode
export interface ScalarNode {
  readonly kind: Exclude<FieldType['kind'], 'struct' | 'list'>
}
export interface StructNode {
  readonly kind: 'struct'
  readonly fields: readonly NamedNode[]
  /** A struct without values; its copies share one shape. */
  readonly empty: { readonly [field: string]: null }
}
export interface ListNode {
  readonly kind: 'list'
  readonly element: Node
  /** Columns of one element when the list is flattened. */
  readonly elementWidth: number
}
export interface NamedNode {
  readonly name: string
  readonly nameBytes: Buffer
  readonly node: Node
  /** Columns from the first column of the struct to this field's, when the struct is flattened. */
  readonly flatOffset: number
}

/** More fields than these are found by their names, so that an object of many unknown ones does not take the product of
 *  both. */
const fewFields = 32
const indexesOf = new WeakMap<readonly NamedNode[], ReadonlyMap<string, number>>()

/** Index of the field that the walker stands at, looked for from `expected` on since records keep the order of the
 *  schema; -1 for none. */
export function indexOfField(fields: readonly NamedNode[], members: MemberWalker, expected: number): number {
  const count = fields.length
  if (members.keyHasEscape && count <= fewFields) {
    const key = members.key()
    return fields.findIndex(({ name }) => name === key)
  }
  if (count > fewFields) {
    const next = fields[expected]
    if (next !== undefined && members.isKey(next.name, next.nameBytes)) return expected
    return indexesOf.get(fields)!.get(members.key()) ?? -1
  }
  for (let i = 0, f = expected; i < count; i++, f++) {
    if (f >= count) f = 0
    const field = fields[f]!
    if (members.isKey(field.name, field.nameBytes)) return f
  }
  return -1
}

/** @param slots elements of a list that get columns of their own when it is flattened */
export function namedNodes(fields: readonly Field[], slots: number): NamedNode[] {
  let flatOffset = 0
  const nodes = fields.map(({ name, type }) => {
    const named = { name, nameBytes: Buffer.from(name), node: nodeOf(type, slots), flatOffset }
    flatOffset += flatWidth(type, slots)
    return named
  })
  if (nodes.length > fewFields) indexesOf.set(nodes, new Map(nodes.map(({ name }, index) => [name, index])))
  return nodes
}

function nodeOf(type: FieldType, slots: number): Node {
  if (type.kind === 'list') {
    return { kind: 'list', element: nodeOf(type.element, slots), elementWidth: flatWidth(type.element, slots) }
  }
  if (type.kind === 'struct') {
    const empty = Object.fromEntries(type.fields.map((field) => [field.name, null]))
    return { kind: 'struct', fields: namedNodes(type.fields, slots), empty }
  }
  return { kind: type.kind }
}

/** Columns that a value takes when it is flattened. */
export function widthOf(node: Node, slots: number): number {
  if (node.kind === 'list') return slots * node.elementWidth
  if (node.kind !== 'struct') return 1
  return node.fields.reduce((sum, field) => sum + widthOf(field.node, slots), 0)
}

/** Most fields that an object has, at any depth. */
export function mostFields(fields: readonly NamedNode[]): number {
  return Math.max(fields.length, ...fields.map(({ node }) => mostFieldsIn(node)))
}

function mostFieldsIn(node: Node): number {
  if (node.kind === 'list') return mostFieldsIn(node.element)
  return node.kind === 'struct' ? mostFields(node.fields) : 0
}
