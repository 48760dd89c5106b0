// Records with edited fields: selected, left out, redacted, renamed. What is kept keeps its text, digits and escapes:
// the output is the input's bytes with intervals cut out or replaced, so no record is parsed and nothing is allocated
// per record. Where the engine knows the members, it does the cutting at the top level.

import { ElementWalker, MemberWalker } from '../bytes/members.js'
import { DataError, printable } from '../errors.js'
import { RecordBatch, type Warning } from '../record.js'
import { formatFieldPath } from '../schema/names.js'
import { type EditKind, EditNode, type FieldEdits, type Redaction } from './field-edits.js'
import { parseFieldPath } from './field-path.js'
import type { CountingStage } from './key-by.js'
import { type FieldStage, MemberLocator } from './member-locator.js'
import { nearestPath } from './nearest-path.js'
import { FieldRedactor } from './redactor.js'

const quote = 0x22
const openBrace = 0x7b
const openBracket = 0x5b
const lineFeed = 0x0a
const letterN = 0x6e

export interface EditFieldsOptions {
  /** Give batches that are views of a buffer of the stage, valid until its next `apply`, instead of batches that own
   *  their bytes. Default false. */
  reuse?: boolean
  /** Key of the hashes: bytes, or a text that stands for its UTF-8; at least 16 bytes, not all of them alike. Required
   *  where there are hashes. */
  redactKey?: string | Uint8Array | undefined
  /** Whether it is to be told that a path met no field. Default: of those that are redacted. */
  isTracked?: ((kind: EditKind, path: string) => boolean) | undefined
  /** Whether the first record is looked at for fields that such a path may mean. Default false. */
  findsNames?: boolean
}

/**
 * A stage that edits fields. Every copy of a repeated key is edited, however it is spelled; a field that is not there
 * is no error; a record or a nested object that loses all its fields stays, as `{}`. Equal to parse, change and
 * stringify, but that kept text is kept as it is: what stands between an object's braces and commas, white space
 * included, goes or stays as a whole, and an object that loses nothing is not touched.
 *
 * A batch in which nothing was found is returned itself, or as lines. Otherwise the result has `isLines`, and the keys
 * and positions of its argument but for `byteOffset`. The bytes are the same with and without the batch's `fields`.
 *
 * Errors have the record's position: ERR_REDACT_TYPE where an object is to be hashed or masked, ERR_RENAME_CONFLICT
 * where an object has a field of the new name already.
 *
 * What stands where an object with fields to redact is expected, alone or in lists, is redacted like the strictest of
 * these fields: else a field that comes as a text now and then would leave as it is. It warns of how many such values
 * there were, by field, and of tracked paths that no record had a field at: `unusedCode`, with the number of records
 * for each of them.
 * @throws ConfigError as `EditNode.of`; ERR_OPTION_MISSING where the key of the hashes is
 */
export function editFieldsStage(edits: FieldEdits, options: EditFieldsOptions = {}): FieldStage & CountingStage {
  return new EditFields(EditNode.of(edits), options)
}

/** Code of the warning of paths that met nothing. */
export function unusedCode(kind: EditKind): string {
  return `${kind}-unused`
}

const editKinds = ['select', 'exclude', 'redact', 'rename'] as const
/** Code of what `findsNames` found, in the form of a warning, so that it is kept with the others: paths of fields of
 *  the first record. */
export const foundNames = 'found-names'
/** Code of the warning of values that stand where an object with fields to redact was expected. */
const redactedWhole = 'redacted-whole'

class EditFields implements FieldStage, CountingStage {
  readonly readsFields: boolean
  readonly #tree: EditNode
  /** The fields that the engine keeps or leaves out at the top level; always the same array, as `RecordFields` asks. */
  readonly #topLevel: readonly string[]
  /** Whether there is more to do than that. */
  readonly #hasMore: boolean
  readonly #reuse: boolean
  /** Whether a new name has half of a surrogate pair. */
  readonly #isIllFormed: boolean
  readonly #redactor: FieldRedactor
  /** The fields of which it is to be told that they were not met, by what is done to them. */
  readonly #tracked: readonly (readonly [kind: EditKind, node: EditNode])[]
  /** The fields with redacted ones inside. */
  readonly #around: readonly EditNode[]
  /** Indexes among `topLevel` of those that only the engine can meet, as long as it has not. */
  #unmet: number[]
  /** Finds those that are selected and excluded, of which the engine does not tell, as long as they were not met; null
   *  where there are none. */
  #hidden: MemberLocator | null
  readonly #findsNames: boolean
  readonly #found = new Set<string>()
  /** Records of all batches. */
  #records = 0
  // One walker for each level of containers that the paths reach, made on first need.
  readonly #members: MemberWalker[] = []
  readonly #elements: ElementWalker[] = []
  #batch!: RecordBatch
  #out: Buffer = Buffer.alloc(0)
  #bounds = new Uint32Array(0)
  /** Bytes of `#out` in use. */
  #size = 0
  /** First input byte that is neither copied nor replaced. The input byte at `at >= #copied` goes to `#size + at -
   *  #copied` unless an edit comes before. */
  #copied = 0
  #hasEdit = false
  /** Index of the record in hand. */
  #record = 0

  constructor(tree: EditNode, options: EditFieldsOptions) {
    const { reuse = false, redactKey, isTracked = (kind) => kind === 'redact', findsNames = false } = options
    const kept = tree.kept()
    this.#tree = tree
    this.#topLevel = tree.keepsOthers
      ? tree.children.names().filter((name) => tree.children.get(name)!.isCut)
      : kept.map(([name]) => name)
    this.#hasMore = kept.some(([, node]) => node.changesInside || node.newKey !== null)
    this.#reuse = reuse
    this.#redactor = new FieldRedactor(tree, redactKey)
    const nodes = [...tree.all()]
    this.#isIllFormed = nodes.some(({ newName }) => newName !== null && /\p{Surrogate}/u.test(newName))
    this.#around = nodes.filter((node) => node.insideRedaction !== null)
    this.#tracked = editKinds.flatMap((kind) =>
      nodes.filter((node) => node.kinds.has(kind) && isTracked(kind, node.path)).map((node) => [kind, node] as const),
    )
    this.#unmet = this.#topLevel.flatMap((name, index) => {
      const node = tree.children.get(name)!
      const isWalked = this.#hasMore && !node.isCut
      return !isWalked && this.#tracked.some(([, tracked]) => tracked === node) ? [index] : []
    })
    const isHidden = (name: string): boolean => {
      const node = tree.children.get(name)!
      return !tree.keepsOthers && node.isCut && this.#tracked.some(([, tracked]) => tracked === node)
    }
    this.#hidden = locatorOf(tree.children.names().filter(isHidden))
    this.#findsNames = findsNames && this.#tracked.length > 0
    this.readsFields = !tree.keepsOthers || this.#topLevel.length > 0
  }

  apply(batch: RecordBatch): RecordBatch {
    if (batch.count === 0) return batch
    const isFirst = this.#records === 0
    this.#records += batch.count
    const result = this.#apply(batch)
    if (isFirst && this.#findsNames) this.#findNames(batch)
    return result
  }

  #apply(batch: RecordBatch): RecordBatch {
    const { fields } = batch
    if (fields !== undefined && this.#hidden !== null) this.#meetHidden(this.#hidden, batch)
    const cut = !this.readsFields
      ? undefined
      : this.#tree.keepsOthers
        ? fields?.exclude(this.#topLevel)
        : fields?.select(this.#topLevel)
    if (!cut) return this.#edited(batch)
    if (this.#unmet.length > 0) this.#meet(cut.met)
    const { bytes, bounds } = cut
    const lines = new RecordBatch({
      ...batch,
      bytes,
      bounds,
      byteOffset: undefined,
      fields: undefined,
      isLines: true,
    })
    const result = this.#hasMore ? this.#edited(lines) : lines
    return this.#reuse || result !== lines ? result : lines.own()
  }

  warnings(): Warning[] {
    const warnings: Warning[] = []
    const records = this.#records
    if (records === 0) return warnings
    for (const kind of editKinds) {
      const unused = this.#tracked.filter(([other, node]) => other === kind && !node.isMet)
      if (unused.length === 0) continue
      warnings.push({
        code: unusedCode(kind),
        message: `fields to ${kind} are in no record`,
        count: unused.length * records,
        fields: Object.fromEntries(unused.map(([, { path }]) => [path, records])),
      })
    }
    if (this.#found.size > 0) {
      const fields = Object.fromEntries([...this.#found].map((path) => [path, 1]))
      warnings.push({ code: foundNames, message: 'names near to those of no record', count: this.#found.size, fields })
    }
    const misplaced = this.#around.filter((node) => node.misplaced > 0)
    if (misplaced.length > 0) {
      warnings.push({
        code: redactedWhole,
        message:
          'values that are no object stand where fields to redact were expected inside of one; they were redacted whole',
        count: misplaced.reduce((sum, node) => sum + node.misplaced, 0),
        fields: Object.fromEntries(misplaced.map(({ path, misplaced }) => [path, misplaced])),
      })
    }
    return warnings
  }

  /** Notes which of the fields that go or stay without a walk are there. */
  #meet(met: Uint8Array): void {
    const { children } = this.#tree
    this.#unmet = this.#unmet.filter((index) => {
      if (met[index] === 0) return true
      children.get(this.#topLevel[index]!)!.isMet = true
      return false
    })
  }

  #meetHidden(locator: MemberLocator, batch: RecordBatch): void {
    const { names } = locator
    const { children } = this.#tree
    const ranges = locator.locate(batch)
    for (let at = 0; at < batch.count * names.length; at++) {
      if (ranges[2 * at + 1]! > 0) children.get(names[at % names.length]!)!.isMet = true
    }
    this.#hidden = locatorOf(names.filter((name) => !children.get(name)!.isMet))
  }

  /** Looks in the first record of `batch` for what paths may mean that it has no field at. */
  #findNames(batch: RecordBatch): void {
    const unmet = this.#tracked.filter(([, node]) => !node.isMet)
    if (unmet.length === 0) return
    const record = batch.parse(0)
    for (const [, { path }] of unmet) {
      const found = nearestPath(record, parseFieldPath(path))
      const text = found && formatFieldPath(found)
      if (text !== undefined && text !== path) this.#found.add(text)
    }
  }

  /** The batch after all edits, found by a walk over all bytes. */
  #edited(batch: RecordBatch): RecordBatch {
    const { count, isLines } = batch
    this.#batch = batch
    this.#hasEdit = false
    this.#size = 0
    this.#copied = batch.start(0)
    if (this.#bounds.length < 2 * count) this.#bounds = new Uint32Array(2 * count)
    for (let index = 0; index < count; index++) {
      this.#record = index
      const start = batch.start(index)
      const end = batch.end(index)
      if (this.#hasEdit || isLines) {
        if (!isLines) this.#copied = start
        this.#bounds[2 * index] = this.#size + start - this.#copied
      }
      this.#object(start, end, this.#tree, 0)
      if (this.#hasEdit || isLines) {
        this.#bounds[2 * index + 1] = this.#size + end - this.#copied
        if (!isLines) this.#endLine(end)
      }
    }
    if (!this.#hasEdit) return batch
    if (isLines) this.#copyTo(batch.end(count - 1) + 1)
    const used = this.#out.subarray(0, this.#size)
    return new RecordBatch({
      ...batch,
      // an owned batch is a copy of exact size: the working buffer is as large as the input, and what is left may be
      // far smaller
      bytes: this.#reuse ? used : Buffer.from(used),
      bounds: this.#reuse ? this.#bounds : this.#bounds.slice(0, 2 * count),
      byteOffset: undefined,
      fields: undefined,
      isLines: true,
      isWellFormed: batch.isWellFormed && !this.#isIllFormed,
    })
  }

  /** Edits the members of the object in `[start, end)`. */
  #object(start: number, end: number, node: EditNode, level: number): void {
    const { children, keepsOthers, newNames } = node
    const walker = (this.#members[level] ??= new MemberWalker()).begin(this.#batch.bytes, start)
    if (newNames !== null) node.object++
    // Between two kept members one comma has to stay. So a run of members that go is cut with the comma before it; a
    // run at the front has the brace before it and is cut with the comma after it.
    let hasKept = false
    let run = -1 // the separator before the run in hand, -1 while there is none
    while (walker.next()) {
      const child = children.find(walker)
      if (child !== undefined) child.isMet = true
      if (child === undefined ? !keepsOthers : child.isCut || this.#goesWhole(walker.valueStart, child)) {
        if (run < 0) run = walker.separator
        continue
      }
      if (run >= 0) {
        this.#cutRun(run, walker.separator, hasKept)
        run = -1
      }
      hasKept = true
      if (newNames !== null) this.#noteNames(walker, child, node)
      if (child === undefined) continue
      if (child.newKey !== null) this.#replace(walker.keyStart - 1, walker.keyEnd + 1, child.newKey)
      if (child.changesInside) this.#value(walker.valueStart, walker.valueEnd, child, level + 1)
    }
    if (run >= 0) this.#replace(hasKept ? run : run + 1, end - 1)
  }

  /** Cuts what goes between the separator before it and the one before the member or element that stays. */
  #cutRun(from: number, to: number, hasKept: boolean): void {
    if (hasKept) this.#replace(from, to)
    else this.#replace(from + 1, to + 1)
  }

  #array(start: number, end: number, node: EditNode, level: number): void {
    const walker = (this.#elements[level] ??= new ElementWalker()).begin(this.#batch.bytes, start)
    let hasKept = false
    let run = -1
    while (walker.next()) {
      if (this.#goesWhole(walker.valueStart, node)) {
        if (run < 0) run = walker.separator
        continue
      }
      if (run >= 0) {
        this.#cutRun(run, walker.separator, hasKept)
        run = -1
      }
      hasKept = true
      this.#value(walker.valueStart, walker.valueEnd, node, level + 1)
    }
    if (run >= 0) this.#replace(hasKept ? run : run + 1, end - 1)
  }

  #value(start: number, end: number, node: EditNode, level: number): void {
    const first = this.#batch.bytes[start]
    if (first === openBracket) this.#array(start, end, node, level)
    else if (node.redaction !== null) this.#redact(start, end, node, node.redaction)
    else if (first === openBrace) this.#object(start, end, node, level)
    else if (node.insideRedaction !== null && first !== letterN) {
      this.#noteMisplaced(node)
      // one that is dropped does not get here
      this.#redact(start, end, node, node.insideRedaction as Redaction)
    }
  }

  /** Whether a value goes because it is no object: only fields inside of one are selected, or fields inside of one are
   *  redacted by leaving them out, and what stands in the place of the object may be what they hold elsewhere. */
  #goesWhole(start: number, node: EditNode): boolean {
    const isDropped = node.redaction === null && node.insideRedaction === 'drop'
    if (node.keepsOthers && !isDropped) return false
    const first = this.#batch.bytes[start]
    if (first === openBrace || first === openBracket || first === letterN) return false
    if (node.keepsOthers) this.#noteMisplaced(node)
    return true
  }

  /** The fields to redact were met, in whatever shape: nothing of them is left. */
  #noteMisplaced(node: EditNode): void {
    if (node.misplaced++ > 0) return
    for (const inside of node.all()) if (inside.kinds.has('redact')) inside.isMet = true
  }

  #redact(start: number, end: number, { path }: EditNode, redaction: Redaction): void {
    const { bytes } = this.#batch
    const first = bytes[start]
    if (first === letterN) return
    if (first === openBrace) {
      throw new DataError(
        'ERR_REDACT_TYPE',
        `the field ${printable(path)} to ${redaction} holds an object`,
        this.#batch.positionOf(this.#record),
      )
    }
    const value = redaction === 'mask' ? masked : this.#redactor.hash(bytes, start, end, first === quote)
    this.#replace(start, end, value)
  }

  /** Notes a member's name, or its new one. @throws DataError where the object has both */
  #noteNames(walker: MemberWalker, child: EditNode | undefined, { newNames, object }: EditNode): void {
    const isRenamed = child?.newName != null
    const name = isRenamed ? newNames!.get(child.newName!) : newNames!.find(walker)
    if (name === undefined) return
    if (isRenamed) name.renamedIn = object
    else name.ownIn = object
    if (name.renamedIn !== name.ownIn) return
    throw new DataError(
      'ERR_RENAME_CONFLICT',
      `the record has a field ${printable(name.name)} already, which another is to be renamed to`,
      this.#batch.positionOf(this.#record),
    )
  }

  /** Puts `bytes` in place of the input bytes `[from, to)`. Edits come in order. */
  #replace(from: number, to: number, bytes?: Buffer): void {
    if (!this.#hasEdit) this.#begin()
    this.#copyTo(from)
    this.#copied = to
    if (bytes === undefined) return
    this.#reserve(bytes.length)
    this.#size += bytes.copy(this.#out, this.#size)
  }

  /** The first edit of a batch: makes room, and writes the records before this one where they do not stand as lines
   *  already. */
  #begin(): void {
    const batch = this.#batch
    const { count, isLines } = batch
    const room = isLines ? batch.end(count - 1) + 1 - batch.start(0) : batch.recordBytes + count
    if (this.#out.length < room) this.#out = Buffer.allocUnsafeSlow(room)
    this.#hasEdit = true
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
    this.#reserve(1)
    this.#out[this.#size++] = lineFeed
  }

  #copyTo(end: number): void {
    this.#reserve(end - this.#copied)
    this.#size += this.#batch.bytes.copy(this.#out, this.#size, this.#copied, end)
    this.#copied = end
  }

  /** Makes room for `length` more bytes: what is put in may be longer than what it replaces. */
  #reserve(length: number): void {
    const size = this.#size + length
    if (size <= this.#out.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(size, 2 * this.#out.length))
    this.#out.copy(larger, 0, 0, this.#size)
    this.#out = larger
  }
}

function locatorOf(names: readonly string[]): MemberLocator | null {
  return names.length === 0 ? null : new MemberLocator(names)
}

/** A masked value. */
const masked = Buffer.from('"***"')
