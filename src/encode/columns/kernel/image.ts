// The schema as the kernel reads it: nodes, fields and leaves with addresses between them, in one piece of its memory. What stands where is told beside
// the code that reads it: assembly/shred.ts for nodes, assembly/walk.ts for fields, assembly/state.ts for leaves.

import type { Leaf } from '../leaf.js'
import type { ColumnTree, NamedTreeNode, TreeNode } from '../tree.js'

const nodeBytes = 32
const fieldBytes = 48
/** Before the fields of an object. */
const tableHeadBytes = 16
/** More fields than these are found by a table. */
const fewFields = 32
/** A leaf is there three times: its state, a copy of it, and what seldom changes. */
const leafCopies = 3
const kinds = ['string', 'json', 'boolean', 'timestamp', 'int64', 'double', 'struct', 'list'] as const

export interface Image {
  readonly bytes: Buffer
  /** Addresses of the leaves, of the node of a record and of its fields. */
  readonly leavesAt: number
  readonly rootAt: number
  readonly fieldsAt: number
  /** Addresses of fields, [from, end), whose tables are to be filled. */
  readonly indexed: readonly (readonly [from: number, end: number])[]
}

/** Bytes that the image of a tree takes. */
export function imageBytes(tree: ColumnTree, leafBytes: number): number {
  const { nodes, fields, names, tables } = count({ nodes: 1, fields: 0, names: 0, tables: 0 }, tree.columns)
  return leafCopies * leafBytes * tree.leaves.length + nodes * nodeBytes + fields * fieldBytes + names + tables + 64
}

/** Slots of the table of so many fields, as a power of two: at least half of them stay free. */
function tableBits(fields: number): number {
  return Math.ceil(Math.log2(2 * fields))
}

/** Bytes before so many fields. */
function tableBytes(fields: number): number {
  return tableHeadBytes + (fields > fewFields ? 4 << tableBits(fields) : 0)
}

interface Sizes {
  nodes: number
  fields: number
  names: number
  tables: number
}

function count(sizes: Sizes, fields: readonly NamedTreeNode[]): Sizes {
  sizes.tables += tableBytes(fields.length)
  for (const { name, node } of fields) {
    sizes.fields++
    sizes.names += paddedLength(name)
    countNode(sizes, node)
  }
  return sizes
}

function countNode(sizes: Sizes, node: TreeNode): void {
  sizes.nodes++
  if (node.kind === 'list') countNode(sizes, node.element)
  else if (node.kind === 'struct') count(sizes, node.fields)
}

/** A name has a quote behind it and is read in steps of 16 bytes. */
function paddedLength(name: string): number {
  return 16 * Math.ceil((Buffer.byteLength(name) + 1) / 16) + 16
}

/** Writes the image for address `base`. @param fields the columns that are fields of a record */
export function imageOf(tree: ColumnTree, fields: readonly NamedTreeNode[], base: number, leafBytes: number): Image {
  return new ImageWriter(tree, base, leafBytes).write(fields)
}

class ImageWriter {
  readonly #tree: ColumnTree
  readonly #base: number
  readonly #leafBytes: number
  readonly #bytes: Buffer
  readonly #indexed: [from: number, end: number][] = []
  #end = 0

  constructor(tree: ColumnTree, base: number, leafBytes: number) {
    this.#tree = tree
    this.#base = base
    this.#leafBytes = leafBytes
    this.#bytes = Buffer.alloc(imageBytes(tree, leafBytes))
  }

  write(fields: readonly NamedTreeNode[]): Image {
    const { leaves } = this.#tree
    const leavesAt = this.#place(leafCopies * this.#leafBytes * leaves.length)
    leaves.forEach((leaf, index) => {
      this.#leaf(leaf, leavesAt - this.#base + index * this.#leafBytes)
    })
    const root = this.#place(nodeBytes)
    const fieldsAt = this.#fields(fields, root - this.#base)
    return { bytes: this.#bytes, leavesAt, rootAt: root, fieldsAt, indexed: this.#indexed }
  }

  /** Address of the next `length` bytes. */
  #place(length: number): number {
    const at = this.#end
    this.#end += length
    return this.#base + at
  }

  #leaf({ kind, maxRepetition, maxDefinition }: Leaf, at: number): void {
    const levelsAt = 60
    this.#bytes[at + levelsAt] = maxRepetition
    this.#bytes[at + levelsAt + 1] = maxDefinition
    this.#bytes[at + levelsAt + 2] = kinds.indexOf(kind)
  }

  #node(node: TreeNode): number {
    const address = this.#place(nodeBytes)
    const at = address - this.#base
    const bytes = this.#bytes
    const leavesAt = this.#base
    bytes.writeUInt32LE(kinds.indexOf(node.kind), at)
    bytes.writeUInt32LE(node.definition, at + 4)
    bytes.writeUInt32LE(node.kind === 'list' ? node.repetition : 0, at + 8)
    bytes.writeUInt32LE(leavesAt + node.firstLeaf * this.#leafBytes, at + 12)
    bytes.writeUInt32LE(leavesAt + node.endLeaf * this.#leafBytes, at + 16)
    if (node.kind === 'struct') this.#fields(node.fields, at)
    if (node.kind === 'list') bytes.writeUInt32LE(this.#node(node.element), at + 28)
    return address
  }

  /** Address of the fields. */
  #fields(fields: readonly NamedTreeNode[], nodeAt: number): number {
    const bytes = this.#bytes
    const table = this.#place(tableBytes(fields.length))
    const address = this.#place(fields.length * fieldBytes)
    const end = address + fields.length * fieldBytes
    bytes.writeUInt32LE(address, nodeAt + 20)
    bytes.writeUInt32LE(end, nodeAt + 24)
    if (fields.length > fewFields) {
      const head = address - tableHeadBytes - this.#base
      bytes.writeUInt32LE(table, head)
      bytes.writeUInt32LE(tableBits(fields.length), head + 4)
      this.#indexed.push([address, end])
    }
    fields.forEach(({ name, node }, index) => {
      const at = address - this.#base + index * fieldBytes
      const nameAt = this.#place(paddedLength(name))
      const length = bytes.write(`${name}"`, nameAt - this.#base)
      bytes.copy(bytes, at, nameAt - this.#base, nameAt - this.#base + 16)
      bytes.writeUInt32LE(isSpelledPlainly(name) ? (1 << Math.min(16, length)) - 1 : 1 << 16, at + 16)
      bytes.writeUInt32LE(length, at + 20)
      bytes.writeUInt32LE(nameAt, at + 24)
      bytes.writeUInt32LE(this.#node(node), at + 28)
      bytes.writeUInt32LE(address + (index + 1) * fieldBytes, at + 44)
    })
    return address
  }
}

/** Whether a key with this name can be written without an escape. */
function isSpelledPlainly(name: string): boolean {
  return !/["\\\u0000-\u001f\p{Surrogate}]/u.test(name)
}
