// The columns of a schema as the tree that records are shredded along: each node with its levels, each scalar with the
// number of its leaf. Compiled once.

import type { FieldType } from '../../schema/resource.js'
import type { Column } from './layout.js'
import type { Leaf, LeafKind } from './leaf.js'

/** A node with its name: a column, or a field of a struct. */
export interface NamedTreeNode {
  readonly name: string
  readonly node: TreeNode
}

export type TreeNode = LeafNode | StructNode | ListNode

interface Levels {
  /** Definition level where the node is not null. One less means that it is null and all around it is there. */
  readonly definition: number
  /** The leaves in the node: [firstLeaf, endLeaf). */
  readonly firstLeaf: number
  readonly endLeaf: number
}

/** Its leaf is `firstLeaf`. */
export interface LeafNode extends Levels {
  readonly kind: LeafKind
}

export interface StructNode extends Levels {
  readonly kind: 'struct'
  readonly fields: readonly NamedTreeNode[]
}

/** Its definition level is that of an empty list, that of a null element is one more. */
export interface ListNode extends Levels {
  readonly kind: 'list'
  readonly element: TreeNode
  /** Repetition level of each element but the first. */
  readonly repetition: number
}

export interface ColumnTree {
  readonly columns: readonly NamedTreeNode[]
  /** In the order of the columns, depth first. */
  readonly leaves: readonly Leaf[]
}

export function treeOf(columns: readonly Column[]): ColumnTree {
  const leaves: Leaf[] = []
  const nodes = columns.map(({ name, type }) => ({ name, node: nodeOf(type, [name], 1, 0, leaves) }))
  return { columns: nodes, leaves }
}

function nodeOf(
  type: FieldType,
  path: readonly string[],
  definition: number,
  repetition: number,
  leaves: Leaf[],
): TreeNode {
  const firstLeaf = leaves.length
  if (type.kind === 'struct') {
    const fields = type.fields.map(({ name, type: child }) => ({
      name,
      node: nodeOf(child, [...path, name], definition + 1, repetition, leaves),
    }))
    return { kind: 'struct', fields, definition, firstLeaf, endLeaf: leaves.length }
  }
  if (type.kind === 'list') {
    // the repeated group between a list and its elements has a level of its own
    const element = nodeOf(type.element, [...path, 'list', 'element'], definition + 2, repetition + 1, leaves)
    return { kind: 'list', element, repetition: repetition + 1, definition, firstLeaf, endLeaf: leaves.length }
  }
  leaves.push({ path, kind: type.kind, maxDefinition: definition, maxRepetition: repetition })
  return { kind: type.kind, definition, firstLeaf, endLeaf: firstLeaf + 1 }
}
