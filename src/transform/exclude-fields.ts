// Records without the named fields. What is kept keeps its text, digits and escapes: the output is the input's bytes with intervals cut out, so no
// record is parsed and nothing is allocated per record. Where the engine knows the members, it does the cutting at the top level.

import { ElementWalker, MemberWalker } from '../bytes/members.js'
import { RecordBatch } from '../record.js'
import { parseFieldPath } from './field-path.js'
import type { FieldStage } from './member-locator.js'
import { NameTable } from './name-table.js'

const openBrace = 0x7b
const openBracket = 0x5b
const lineFeed = 0x0a

export interface ExcludeFieldsOptions {
  /** Give batches that are views of a buffer of the stage, valid until its next `apply`, instead of batches that own their bytes. Default false. */
  reuse?: boolean
}

/**
 * A stage that removes fields. A path is dotted (`parseFieldPath`); a segment that meets an array goes into each of its elements, so `emails.type`
 * removes `type` from every email. Every copy of a repeated key is removed, however it is spelled; a field that is not there is no error; a record or a
 * nested object that loses all its fields stays, as `{}`. Equal to parse, delete and stringify, but that kept text is kept as it is: what stands between
 * an object's braces and commas, white space included, goes or stays as a whole, and an object that loses nothing is not touched.
 *
 * A batch in which nothing was found is returned itself, or as lines. Otherwise the result has `isLines`, and the keys and positions of its argument but
 * for `byteOffset`. The bytes are the same with and without the batch's `fields`.
 * @throws ConfigError ERR_OPTION_INVALID for a malformed path
 */
export function excludeFieldsStage(paths: readonly string[], options: ExcludeFieldsOptions = {}): FieldStage {
  return new ExcludeFields(FieldTree.of(paths.map(parseFieldPath)), options.reuse ?? false)
}

/** The excluded paths by their segments. */
class FieldTree {
  /** The path ends here: the field goes, and with it any longer path. */
  isExcluded = false
  readonly children = new NameTable<FieldTree>()

  static of(paths: readonly (readonly string[])[]): FieldTree {
    const root = new FieldTree()
    for (const path of paths) {
      let node = root
      for (const name of path) node = node.#child(name)
      node.isExcluded = true
    }
    return root
  }

  #child(name: string): FieldTree {
    let child = this.children.get(name)
    if (child === undefined) {
      child = new FieldTree()
      this.children.add(name, child)
    }
    return child
  }
}

class ExcludeFields implements FieldStage {
  readonly readsFields: boolean
  readonly #tree: FieldTree
  /** The excluded fields that are not nested; always the same array, as `RecordFields` asks. */
  readonly #topLevel: readonly string[]
  readonly #hasNested: boolean
  readonly #reuse: boolean
  // One walker for each level of containers that the paths reach, made on first need.
  readonly #members: MemberWalker[] = []
  readonly #elements: ElementWalker[] = []
  #batch!: RecordBatch
  #out: Buffer = Buffer.alloc(0)
  #bounds = new Uint32Array(0)
  /** Bytes of `#out` in use. */
  #size = 0
  /** First input byte that is neither copied nor cut. The input byte at `at >= #copied` goes to `#size + at - #copied` unless a cut comes before. */
  #copied = 0
  #hasCut = false
  /** Index of the record in hand. */
  #record = 0

  constructor(tree: FieldTree, reuse: boolean) {
    this.#tree = tree
    this.#topLevel = tree.children.names().filter((name) => tree.children.get(name)!.isExcluded)
    this.#hasNested = this.#topLevel.length < tree.children.size
    this.#reuse = reuse
    this.readsFields = this.#topLevel.length > 0
  }

  apply(batch: RecordBatch): RecordBatch {
    if (batch.count === 0) return batch
    const excluded = this.readsFields ? batch.fields?.exclude(this.#topLevel) : undefined
    if (!excluded) return this.#without(batch)
    const lines = new RecordBatch({
      ...batch,
      ...excluded,
      byteOffset: undefined,
      fields: undefined,
      isLines: true,
    })
    const result = this.#hasNested ? this.#without(lines) : lines
    return this.#reuse || result !== lines ? result : lines.own()
  }

  /** The batch without the excluded fields, found by a walk over all bytes. */
  #without(batch: RecordBatch): RecordBatch {
    const { count, isLines } = batch
    this.#batch = batch
    this.#hasCut = false
    this.#size = 0
    this.#copied = batch.start(0)
    if (this.#bounds.length < 2 * count) this.#bounds = new Uint32Array(2 * count)
    for (let index = 0; index < count; index++) {
      this.#record = index
      const start = batch.start(index)
      const end = batch.end(index)
      if (this.#hasCut || isLines) {
        if (!isLines) this.#copied = start
        this.#bounds[2 * index] = this.#size + start - this.#copied
      }
      this.#object(start, end, this.#tree, 0)
      if (this.#hasCut || isLines) {
        this.#bounds[2 * index + 1] = this.#size + end - this.#copied
        if (!isLines) this.#endLine(end)
      }
    }
    if (!this.#hasCut) return batch
    if (isLines) this.#copyTo(batch.end(count - 1) + 1)
    const used = this.#out.subarray(0, this.#size)
    return new RecordBatch({
      ...batch,
      // an owned batch is a copy of exact size: the working buffer is as large as the input, and what is left may be far smaller
      bytes: this.#reuse ? used : Buffer.from(used),
      bounds: this.#reuse ? this.#bounds : this.#bounds.slice(0, 2 * count),
      byteOffset: undefined,
      fields: undefined,
      isLines: true,
    })
  }

  /** Cuts the excluded members out of the object in `[start, end)`. */
  #object(start: number, end: number, tree: FieldTree, level: number): void {
    const walker = (this.#members[level] ??= new MemberWalker()).begin(this.#batch.bytes, start)
    // Between two kept members one comma has to stay. So a run of excluded members is cut with the comma before it; a run at the front has the brace
    // before it and is cut with the comma behind it.
    let hasKept = false
    let run = -1 // the separator before the run of excluded members in hand, -1 while there is none
    while (walker.next()) {
      const child = tree.children.find(walker)
      if (child?.isExcluded === true) {
        if (run < 0) run = walker.separator
        continue
      }
      if (run >= 0) {
        if (hasKept) this.#cut(run, walker.separator)
        else this.#cut(run + 1, walker.separator + 1)
        run = -1
      }
      hasKept = true
      if (child !== undefined) this.#value(walker.valueStart, walker.valueEnd, child, level + 1)
    }
    if (run >= 0) this.#cut(hasKept ? run : run + 1, end - 1)
  }

  #value(start: number, end: number, tree: FieldTree, level: number): void {
    const first = this.#batch.bytes[start]
    if (first === openBrace) this.#object(start, end, tree, level)
    else if (first === openBracket) {
      const walker = (this.#elements[level] ??= new ElementWalker()).begin(this.#batch.bytes, start)
      while (walker.next()) this.#value(walker.valueStart, walker.valueEnd, tree, level + 1)
    }
  }

  /** Leaves the input bytes `[from, to)` out. Cuts come in order. */
  #cut(from: number, to: number): void {
    if (!this.#hasCut) this.#begin()
    this.#copyTo(from)
    this.#copied = to
  }

  /** The first cut of a batch: makes room, and writes the records before this one where they do not stand as lines already. */
  #begin(): void {
    const batch = this.#batch
    const { count, isLines } = batch
    const room = isLines ? batch.end(count - 1) + 1 - batch.start(0) : batch.recordBytes + count
    if (this.#out.length < room) this.#out = Buffer.allocUnsafeSlow(room)
    this.#hasCut = true
    if (isLines) return
    for (let index = 0; index < this.#record; index++) {
      this.#copied = batch.start(index)
      this.#bounds[2 * index] = this.#size
      this.#bounds[2 * index + 1] = this.#size + batch.end(index) - batch.start(index)
      this.#endLine(batch.end(index))
    }
    this.#copied = batch.start(this.#record)
    this.#bounds[2 * this.#record] = this.#size
  }

  #endLine(end: number): void {
    this.#copyTo(end)
    this.#out[this.#size++] = lineFeed
  }

  #copyTo(end: number): void {
    this.#size += this.#batch.bytes.copy(this.#out, this.#size, this.#copied, end)
    this.#copied = end
  }
}
