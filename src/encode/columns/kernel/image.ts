// The schema as the kernel reads it: nodes, fields and leaves with addresses between them, in one piece of its memory.
// What stands where is told by the exports of the kernel that reads it, and said beside the code that does:
// assembly/node.ts for nodes, assembly/walk.ts for fields, assembly/state.ts for leaves.

import type { Leaf } from '../leaf.js'
import type { ColumnTree, NamedTreeNode, TreeNode } from '../tree.js'

/** More fields than these are found by a table. */
const fewFields = 32
/** Bytes of a slot of such a table. */
const slotBytes = 4
/** The kernel reads a name in steps of so many bytes. */
const nameStep = 16

const kindNames = {
  string: 'kindString',
  json: 'kindJson',
  boolean: 'kindBoolean',
  timestamp: 'kindTimestamp',
  int64: 'kindInt64',
  double: 'kindDouble',
  struct: 'kindStruct',
  list: 'kindList',
} as const satisfies Record<TreeNode['kind'], string>

/** What the exports tell (assembly/image.ts): sizes and distances in bytes, and the numbers of kinds. */
const layoutNames = [
  ...(['nodeBytes', 'nodeKind', 'nodeDefinition', 'nodeRepetition', 'nodeLeaf', 'nodeLeafEnd'] as const),
  ...(['nodeFields', 'nodeFieldsEnd', 'nodeElement'] as const),
  ...(['fieldBytes', 'fieldHead', 'fieldMask', 'fieldLength', 'fieldName', 'fieldNode', 'fieldBehindIt'] as const),
  ...(['fieldTableAt', 'fieldTableBits'] as const),
  ...(['leafBytes', 'leafCopies', 'levelsAt'] as const),
  ...Object.values(kindNames),
] as const

type LayoutName = (typeof layoutNames)[number]

export type ImageLayout = { readonly [name in LayoutName]: number }

/** What a kernel that reads an image exports for it. */
export type ImageExports = { readonly [name in LayoutName]: { readonly value: number } }

export function layoutOf(kernel: ImageExports): ImageLayout {
  return Object.fromEntries(layoutNames.map((name) => [name, kernel[name].value])) as ImageLayout
}

export interface Image {
  readonly bytes: Buffer
  /** Addresses of the leaves, of the node of a record and of its fields, [from, end). */
  readonly leavesAt: number
  readonly rootAt: number
  readonly fieldsAt: number
  readonly fieldsEnd: number
  /** Addresses of fields, [from, end), whose tables are to be filled. */
  readonly indexed: readonly (readonly [from: number, end: number])[]
}

/** Bytes that the image of a tree takes. */
export function imageBytes(tree: ColumnTree, layout: ImageLayout): number {
  const { leafCopies, leafBytes, nodeBytes, fieldBytes } = layout
  const sizes = { nodes: 1, fields: 0, names: 0, tables: 0 }
  count(sizes, tree.columns, layout)
  const { nodes, fields, names, tables } = sizes
  return leafCopies * leafBytes * tree.leaves.length + nodes * nodeBytes + fields * fieldBytes + names + tables + 64
}

/** Slots of the table of so many fields, as a power of two: at least half of them stay free. */
function tableBits(fields: number): number {
  return Math.ceil(Math.log2(2 * fields))
}

/** Bytes before so many fields. */
function tableBytes(fields: number, { fieldTableAt }: ImageLayout): number {
  return fieldTableAt + (fields > fewFields ? slotBytes << tableBits(fields) : 0)
}

interface Sizes {
  nodes: number
  fields: number
  names: number
  tables: number
}

function count(sizes: Sizes, fields: readonly NamedTreeNode[], layout: ImageLayout): void {
  sizes.tables += tableBytes(fields.length, layout)
  for (const { name, node } of fields) {
    sizes.fields++
    sizes.names += paddedLength(name)
    countNode(sizes, node, layout)
  }
}

function countNode(sizes: Sizes, node: TreeNode, layout: ImageLayout): void {
  sizes.nodes++
  if (node.kind === 'list') countNode(sizes, node.element, layout)
  else if (node.kind === 'struct') count(sizes, node.fields, layout)
}

/** A name has a quote after it, and a step of the kernel may read over that. */
function paddedLength(name: string): number {
  return nameStep * Math.ceil((Buffer.byteLength(name) + 1) / nameStep) + nameStep
}

/** Writes the image for address `base`. @param fields the columns that are fields of a record */
export function imageOf(tree: ColumnTree, fields: readonly NamedTreeNode[], base: number, layout: ImageLayout): Image {
  return new ImageWriter(tree, base, layout).write(fields)
}

class ImageWriter {
  readonly #tree: ColumnTree
  readonly #base: number
  readonly #layout: ImageLayout
  readonly #bytes: Buffer
  readonly #indexed: [from: number, end: number][] = []
  #end = 0

  constructor(tree: ColumnTree, base: number, layout: ImageLayout) {
    this.#tree = tree
    this.#base = base
    this.#layout = layout
    this.#bytes = Buffer.alloc(imageBytes(tree, layout))
  }

  write(fields: readonly NamedTreeNode[]): Image {
    const { leaves } = this.#tree
    const { leafBytes, leafCopies, nodeBytes, fieldBytes } = this.#layout
    const leavesAt = this.#place(leafCopies * leafBytes * leaves.length)
    leaves.forEach((leaf, index) => {
      this.#leaf(leaf, leavesAt - this.#base + index * leafBytes)
    })
    const rootAt = this.#place(nodeBytes)
    const fieldsAt = this.#fields(fields, rootAt - this.#base)
    const fieldsEnd = fieldsAt + fields.length * fieldBytes
    return { bytes: this.#bytes, leavesAt, rootAt, fieldsAt, fieldsEnd, indexed: this.#indexed }
  }

  /** Address of the next `length` bytes. */
  #place(length: number): number {
    const at = this.#end
    this.#end += length
    return this.#base + at
  }

  #kind(kind: TreeNode['kind']): number {
    return this.#layout[kindNames[kind]]
  }

  #leaf({ kind, maxRepetition, maxDefinition }: Leaf, at: number): void {
    this.#bytes.set([maxRepetition, maxDefinition, this.#kind(kind)], at + this.#layout.levelsAt)
  }

  #node(node: TreeNode): number {
    const layout = this.#layout
    const address = this.#place(layout.nodeBytes)
    const at = address - this.#base
    const bytes = this.#bytes
    const leavesAt = this.#base
    bytes.writeUInt32LE(this.#kind(node.kind), at + layout.nodeKind)
    bytes.writeUInt32LE(node.definition, at + layout.nodeDefinition)
    bytes.writeUInt32LE(node.kind === 'list' ? node.repetition : 0, at + layout.nodeRepetition)
    bytes.writeUInt32LE(leavesAt + node.firstLeaf * layout.leafBytes, at + layout.nodeLeaf)
    bytes.writeUInt32LE(leavesAt + node.endLeaf * layout.leafBytes, at + layout.nodeLeafEnd)
    if (node.kind === 'struct') this.#fields(node.fields, at)
    if (node.kind === 'list') bytes.writeUInt32LE(this.#node(node.element), at + layout.nodeElement)
    return address
  }

  /** Address of the fields. */
  #fields(fields: readonly NamedTreeNode[], nodeAt: number): number {
    const bytes = this.#bytes
    const { fieldBytes, nodeFields, nodeFieldsEnd, fieldTableAt, fieldTableBits } = this.#layout
    const table = this.#place(tableBytes(fields.length, this.#layout))
    const address = this.#place(fields.length * fieldBytes)
    const end = address + fields.length * fieldBytes
    bytes.writeUInt32LE(address, nodeAt + nodeFields)
    bytes.writeUInt32LE(end, nodeAt + nodeFieldsEnd)
    if (fields.length > fewFields) {
      bytes.writeUInt32LE(table, address - fieldTableAt - this.#base)
      bytes.writeUInt32LE(tableBits(fields.length), address - fieldTableBits - this.#base)
      this.#indexed.push([address, end])
    }
    fields.forEach((field, index) => {
      this.#field(field, address + index * fieldBytes)
    })
    return address
  }

  #field({ name, node }: NamedTreeNode, address: number): void {
    const bytes = this.#bytes
    const { fieldBytes, fieldHead, fieldMask, fieldLength, fieldName, fieldNode, fieldBehindIt } = this.#layout
    const at = address - this.#base
    const nameAt = this.#place(paddedLength(name))
    const nameStart = nameAt - this.#base
    const length = bytes.write(`${name}"`, nameStart)
    bytes.copy(bytes, at + fieldHead, nameStart, nameStart + nameStep)
    const mask = isSpelledPlainly(name) ? (1 << Math.min(nameStep, length)) - 1 : 1 << nameStep
    bytes.writeUInt32LE(mask, at + fieldMask)
    bytes.writeUInt32LE(length, at + fieldLength)
    bytes.writeUInt32LE(nameAt, at + fieldName)
    bytes.writeUInt32LE(this.#node(node), at + fieldNode)
    bytes.writeUInt32LE(address + fieldBytes, at + fieldBehindIt)
  }
}

/** Whether a key with this name can be written without an escape. */
function isSpelledPlainly(name: string): boolean {
  return !/["\\\u0000-\u001f\p{Surrogate}]/u.test(name)
}
