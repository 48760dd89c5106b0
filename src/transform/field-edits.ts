// What is to be done to the fields of records, compiled once into a tree of names: which stay, which go, whose values
// are redacted, which get another name. All paths are those of the records as they come in, so that no edit has to know
// of another.

import { ConfigError, printable } from '../errors.js'
import { formatFieldPath } from '../schema/names.js'
import { parseFieldPath } from './field-path.js'
import { NameTable } from './name-table.js'

/** What stands in place of a redacted value: its keyed hash, or always the same text. */
export type Redaction = 'hash' | 'mask'

/** What is done to a field, as people ask for it. */
export type EditKind = 'select' | 'exclude' | 'redact' | 'rename'

/** The ways to redact, each hiding more than the one before it. */
const byStrength = ['hash', 'mask', 'drop'] as const

/** The edits of records, in the order in which they take effect. Paths are dotted (`parseFieldPath`); a segment that
 *  meets a list goes into each of its elements. A path to what is not there, or no longer there, is no error. */
export interface FieldEdits {
  /** What stays; all where it is absent. What the path does not reach goes: a text where it would go on into an object,
   *  for one. Null stays. */
  readonly select?: readonly string[] | undefined
  /** What goes. */
  readonly exclude?: readonly string[] | undefined
  /** Those of `exclude` that are a way to redact. */
  readonly dropped?: readonly string[] | undefined
  /** What becomes of the strings, numbers and booleans at a path. */
  readonly redact?: readonly (readonly [path: string, how: Redaction])[] | undefined
  /** The new name of the field at a path, in its place. */
  readonly rename?: readonly (readonly [path: string, name: string])[] | undefined
}

/** A name that a field may get, and in which object it was last seen as the new name of one and as the own name of
 *  another. */
export interface NewName {
  readonly name: string
  renamedIn: number
  ownIn: number
}

/** The edits of one field and of those inside it; of the record itself at the root. */
export class EditNode {
  readonly children = new NameTable<EditNode>()
  /** Whether fields inside that are not among `children` stay. */
  keepsOthers: boolean
  /** The field goes, and all inside it. */
  isCut = false
  redaction: Redaction | null = null
  /** The strictest way in which fields inside are redacted, which holds for what stands where an object with them was
   *  expected; null where none is. */
  insideRedaction: Redaction | 'drop' | null = null
  /** Such values that were met. */
  misplaced = 0
  readonly path: string
  /** What was asked for this field, and not for one around it alone. */
  readonly kinds = new Set<EditKind>()
  /** Whether a record had the field. */
  isMet = false
  newName: string | null = null
  /** The new name as a key in its quotes. */
  newKey: Buffer | null = null
  /** Whether a value of the field has to be looked into. */
  changesInside = false
  /** New names of `children` that another field, which stays as it is, may have already; null where there are none. */
  newNames: NameTable<NewName> | null = null
  /** Number of the object in hand, counted for this node. */
  object = 0

  /** @param names those on the field's path */
  constructor(keepsOthers: boolean, names: readonly string[] = []) {
    this.keepsOthers = keepsOthers
    this.path = formatFieldPath(names)
  }

  /** The edits as a tree. @throws ConfigError ERR_OPTION_INVALID for a malformed path, one that is redacted or renamed
   *  twice, and a name that two fields would have */
  static of({ select, exclude = [], dropped = [], redact = [], rename = [] }: FieldEdits): EditNode {
    const root = new EditNode(select === undefined)
    for (const path of select ?? []) root.#select(parseFieldPath(path))
    for (const path of exclude) {
      const node = root.#reach(parseFieldPath(path))
      if (node === null) continue
      node.isCut = true
      node.kinds.add(dropped.includes(path) ? 'redact' : 'exclude')
    }
    for (const path of dropped) root.#guard(parseFieldPath(path), 'drop')
    for (const [path, how] of redact) {
      root.#guard(parseFieldPath(path), how)
      const node = root.#reach(parseFieldPath(path))
      if (node === null) continue
      if (node.redaction !== null) throw invalid(`the field ${printable(path)} is redacted twice`)
      node.redaction = how
      node.kinds.add('redact')
    }
    for (const [path, name] of rename) {
      const node = root.#reach(parseFieldPath(path))
      if (node === null) continue
      if (node.newName !== null) throw invalid(`the field ${printable(path)} is renamed twice`)
      node.newName = name
      node.kinds.add('rename')
      node.newKey = Buffer.from(JSON.stringify(name))
    }
    root.#finish()
    return root
  }

  /** The fields among `children` that stay, by name. */
  kept(): [name: string, node: EditNode][] {
    const nodes = this.children.names().map((name): [string, EditNode] => [name, this.children.get(name)!])
    return nodes.filter(([, node]) => !node.isCut)
  }

  /** This field and all inside it that no edit has taken away with a field around it. */
  *all(): Generator<EditNode, void, undefined> {
    yield this
    if (this.isCut) return
    for (const name of this.children.names()) yield* this.children.get(name)!.all()
  }

  #select(path: readonly string[]): void {
    let node: EditNode = this
    for (const [at, name] of path.entries()) {
      const child: EditNode = node.children.get(name) ?? new EditNode(false, path.slice(0, at + 1))
      if (node.children.get(name) === undefined) node.children.add(name, child)
      else if (child.keepsOthers) return
      node = child
    }
    node.keepsOthers = true
    node.kinds.add('select')
    node.children.clear() // those of longer paths
  }

  /** Notes on the way to `path` that a field inside is redacted. */
  #guard(path: readonly string[], how: Redaction | 'drop'): void {
    for (let length = 1; length < path.length; length++) {
      const node = this.#reach(path.slice(0, length))
      if (node === null) return
      const known = node.insideRedaction
      if (known === null || byStrength.indexOf(how) > byStrength.indexOf(known)) node.insideRedaction = how
    }
  }

  /** The node at `path`; null where an edit before has taken it away. */
  #reach(path: readonly string[]): EditNode | null {
    let node: EditNode = this
    for (const [at, name] of path.entries()) {
      let child = node.children.get(name)
      if (child?.isCut) return null
      if (child === undefined) {
        if (!node.keepsOthers) return null
        child = new EditNode(true, path.slice(0, at + 1))
        node.children.add(name, child)
      }
      node = child
    }
    return node
  }

  #finish(): void {
    const kept = this.kept()
    for (const [name, { newName }] of kept) {
      if (newName === null || newName === name) continue
      const others = kept.filter(([other, node]) => other !== name && (node.newName ?? other) === newName)
      if (others.length > 0) {
        throw invalid(
          `the fields ${printable(name)} and ${printable(others[0]![0])} would both be ${printable(newName)}`,
        )
      }
      if (!this.keepsOthers || this.children.get(newName) !== undefined) continue
      this.newNames ??= new NameTable()
      this.newNames.add(newName, { name: newName, renamedIn: 0, ownIn: 0 })
    }
    for (const [, node] of kept) node.#finish()
    this.changesInside =
      !this.keepsOthers ||
      this.redaction !== null ||
      this.insideRedaction !== null ||
      kept.length < this.children.size ||
      kept.some(([, node]) => node.changesInside || node.newKey !== null)
  }
}

function invalid(message: string): ConfigError {
  return new ConfigError('ERR_OPTION_INVALID', message, {
    hint: 'give each field one name, and each name to one field',
  })
}
