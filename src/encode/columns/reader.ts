// Reads records into column values, for every columnar format: members are found by the bytes of their keys, scalars
// are decoded, free-form JSON stays its own text so that digits survive, and what no column can hold goes to `extra`,
// is counted, or is an error. No record is parsed as a whole.

import { ElementWalker, MemberWalker } from '../../bytes/members.js'
import { DataError, InternalError } from '../../errors.js'
import type { RecordBatch, Warning } from '../../record.js'
import { type Column, type FirstColumn, type LayoutOptions, layoutOf } from './layout.js'
import { expectedOf, foundAt } from './mismatch.js'
import { parseDouble, parseInt64 } from './number.js'
import { ReaderCounts } from './reader-counts.js'
import {
  indexOfField,
  type ListNode,
  mostFields,
  type NamedNode,
  type Node,
  namedNodes,
  type ScalarNode,
  type StructNode,
  widthOf,
} from './reader-nodes.js'
import { TimestampReader, type TimestampRules } from './timestamp.js'

/** What a column holds for one record. Text is well-formed Unicode, `json` columns hold JSON text, timestamps are a
 *  bigint in the unit of the column or the server's own text, an int64 is a bigint, a double is a number or the
 *  server's own text of it. A struct has all its declared fields as own properties. */
export type ColumnValue = Scalar | ColumnValue[] | { [field: string]: ColumnValue }
type Scalar = string | boolean | bigint | number | NumberText | null

/** A number as the server wrote it. */
export class NumberText {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export interface ColumnReaderOptions extends LayoutOptions {
  /** The unit `text` keeps a valid date-time as the server wrote it, with all its digits, and the number of a `double`
   *  column too. */
  timestamps: TimestampRules
  /** Whether a string that no UTF-8 can write (a lone surrogate escape) is an error rather than U+FFFD. */
  strict: boolean
}

const quote = 0x22
const backslash = 0x5c
const openBracket = 0x5b
const openBrace = 0x7b
const letterF = 0x66
const letterN = 0x6e
const letterT = 0x74

/** What one level of nesting needs while its members or elements are walked. A level is in use once at a time. */
interface Level {
  readonly members: MemberWalker
  readonly elements: ElementWalker
  /** Value ranges of the fields of the object that is read; start -1: absent. */
  readonly starts: Int32Array
  readonly ends: Int32Array
}

/** Reads one record at a time into the columns of a schema. */
export class ColumnReader {
  readonly columns: readonly Column[]
  /** Columns of what is in first elements, which who calls `read` fills. */
  readonly firsts: readonly FirstColumn[]
  readonly #options: ColumnReaderOptions
  readonly #fields: readonly NamedNode[]
  readonly #firstColumns: readonly number[]
  readonly #extraIndex: number
  readonly #levels: Level[] = []
  readonly #maxFields: number
  readonly #counts: ReaderCounts

  #batch: RecordBatch | undefined
  #bytes: Buffer = Buffer.alloc(0)
  #index = 0
  /** Text of the members for `extra`, by key. */
  readonly #extra = new Map<string, string>()
  /** The top-level field that is read, and what was found in its value so far. */
  #field = ''
  #hasMismatch = false
  #hasUnknown = false
  #hasOverflow = false

  readonly #timestamps: TimestampReader
  /** Whether the record in hand has a key twice. */
  #hasRepeat = false

  constructor(options: ColumnReaderOptions) {
    const layout = layoutOf(options)
    this.columns = layout.columns
    this.firsts = layout.firsts
    this.#options = options
    this.#timestamps = new TimestampReader(options.timestamps)
    this.#fields = namedNodes(options.schema.fields, options.flattenSlots)
    this.#counts = new ReaderCounts(this.#fields.length)
    this.#firstColumns = layout.firstColumns
    this.#extraIndex = layout.extraIndex
    this.#maxFields = mostFields(this.#fields)
  }

  /**
   * Reads record `index` of `batch` into `row`, which has one place for each column. The values share no bytes with the
   * batch.
   * @throws DataError ERR_FIELD_UNKNOWN, ERR_TYPE_MISMATCH or ERR_VALUE_INEXACT where the policies ask for it
   */
  read(batch: RecordBatch, index: number, row: ColumnValue[]): void {
    this.#batch = batch
    this.#bytes = batch.bytes
    this.#index = index
    this.#extra.clear()
    this.#hasRepeat = false
    if (this.#options.hasKey) row[0] = this.key(batch, index)

    const fields = this.#fields
    const { starts, ends } = this.#level(0)
    this.#findMembers(fields, batch.start(index), 0, true)
    for (let f = 0; f < fields.length; f++) {
      const field = fields[f]!
      const first = this.#firstColumns[f]!
      this.#field = field.name
      this.#hasMismatch = this.#hasUnknown = this.#hasOverflow = false
      const start = starts[f]!
      this.#readField(field.node, start, ends[f]!, row, first)
      if (this.#hasMismatch || this.#hasUnknown || this.#hasOverflow) this.#settle(f, start, ends[f]!)
    }
    if (this.#hasRepeat) this.#counts.repeats++
    if (this.#extraIndex >= 0) {
      row[this.#extraIndex] = this.#extra.size === 0 ? null : `{${[...this.#extra.values()].join(',')}}`
    }
  }

  /** What was counted so far. */
  warnings(): Warning[] {
    const names = this.#fields.map(({ name }) => name)
    const { truncated, reformed } = this.#timestamps
    return this.#counts.warnings(names, this.#options.onTypeMismatch === 'extra', { truncated, reformed })
  }

  /** Index of `extra` among the columns, -1 where there is none. */
  get extraIndex(): number {
    return this.#extraIndex
  }

  /** Counts fields that the schema does not name and that whoever read their records in this reader's place left out.
   *  */
  countUnknown(count: number): void {
    this.#counts.unknownsDropped += count
  }

  /** Counts values of field `index` of the schema that have another type, and that whoever read their records in this
   *  reader's place settled. */
  countMismatches(index: number, count: number): void {
    this.#counts.mismatches[index]! += count
  }

  /** Counts date-times that lost digits, and those in another form, that whoever read their records in this reader's
   *  place settled. */
  countTimestamps(truncated: number, reformed: number): void {
    this.#timestamps.truncated += truncated
    this.#timestamps.reformed += reformed
  }

  /** The key of a record, well-formed. */
  key(batch: RecordBatch, index: number): string {
    this.#batch = batch
    this.#index = index
    const key = batch.keys?.[index]
    if (key === undefined)
      throw new InternalError('ERR_INTERNAL', 'a batch without keys reached an encoder with a key column')
    return this.#wellFormed(key, batch.start(index))
  }

  /** Notes the value ranges of the object at `start`: of `fields` in the level's arrays, of others by the policy. The
   *  last of equal keys counts. */
  #findMembers(fields: readonly NamedNode[], start: number, depth: number, isRecord: boolean): void {
    const { members, starts, ends } = this.#level(depth)
    for (let f = 0; f < fields.length; f++) starts[f] = -1
    members.begin(this.#bytes, start)
    let expected = 0
    while (members.next()) {
      const f = indexOfField(fields, members, expected)
      if (f >= 0) {
        if (starts[f]! >= 0) this.#hasRepeat = true
        starts[f] = members.valueStart
        ends[f] = members.valueEnd
        expected = f + 1
      } else if (isRecord) this.#takeUnknown(members)
      else this.#noteUnknown(members)
    }
  }

  #takeUnknown(members: MemberWalker): void {
    const { unknownFields } = this.#options
    if (unknownFields === 'extra') {
      const key = members.key()
      if (this.#extra.has(key)) this.#hasRepeat = true
      this.#extra.set(key, this.#jsonText(members.keyStart - 1, members.valueEnd))
    } else if (unknownFields === 'drop') this.#counts.unknownsDropped++
    else throw this.#unknownError(members)
  }

  #noteUnknown(members: MemberWalker): void {
    if (this.#options.unknownFields === 'error') throw this.#unknownError(members, this.#field)
    this.#hasUnknown = true
  }

  #unknownError(members: MemberWalker, inside?: string): DataError {
    const key = members.key()
    // a credential that is cut here is known by the ellipsis
    const name = JSON.stringify(key.length > 100 ? `${key.slice(0, 100)}…` : key)
    const where = inside === undefined ? '' : ` in ${JSON.stringify(inside)}`
    const text = `the schema of ${this.#options.schema.resource} names no field ${name}${where}`
    return new DataError('ERR_FIELD_UNKNOWN', text, this.#positionOf(members.keyStart - 1))
  }

  /** Reads the top-level value `bytes[start..end)`, absent where start is -1, into its columns. */
  #readField(node: Node, start: number, end: number, row: ColumnValue[], first: number): void {
    const { nested } = this.#options
    if (nested === 'flatten') {
      this.#flatten(node, start, end, 0, row, first)
    } else if (nested === 'text' && (node.kind === 'list' || node.kind === 'struct')) {
      row[first] = this.#container(node, start) ? this.#jsonText(start, end) : null
    } else row[first] = this.#value(node, start, end, 0)
  }

  #value(node: Node, start: number, end: number, depth: number): ColumnValue {
    if (node.kind === 'list') return this.#container(node, start) ? this.#list(node, start, depth) : null
    if (node.kind === 'struct') return this.#container(node, start) ? this.#struct(node, start, depth) : null
    return this.#scalar(node, start, end)
  }

  #list(node: ListNode, start: number, depth: number): ColumnValue[] {
    const list: ColumnValue[] = []
    const { elements } = this.#level(depth + 1)
    elements.begin(this.#bytes, start)
    while (elements.next()) list.push(this.#value(node.element, elements.valueStart, elements.valueEnd, depth + 1))
    return list
  }

  #struct(node: StructNode, start: number, depth: number): ColumnValue {
    const struct: { [field: string]: ColumnValue } = { ...node.empty }
    this.#findMembers(node.fields, start, depth + 1, false)
    const { starts, ends } = this.#level(depth + 1)
    for (let f = 0; f < node.fields.length; f++) {
      const field = node.fields[f]!
      if (starts[f]! >= 0) struct[field.name] = this.#value(field.node, starts[f]!, ends[f]!, depth + 1)
    }
    return struct
  }

  /**
   * Reads a value into the leaf columns from `first` on; absent where start is -1. Returns whether one of them is not
   * null. Where the columns do not tell the whole value (more elements than slots, an empty list, a null element, a
   * struct without values), that is noted as an overflow.
   */
  #flatten(node: Node, start: number, end: number, depth: number, row: ColumnValue[], first: number): boolean {
    if (node.kind !== 'list' && node.kind !== 'struct') {
      return (row[first] = this.#scalar(node, start, end)) !== null
    }
    if (!this.#container(node, start)) {
      row.fill(null, first, first + widthOf(node, this.#options.flattenSlots))
      return false
    }
    const hasValue =
      node.kind === 'list'
        ? this.#flattenList(node, start, depth, row, first)
        : this.#flattenStruct(node, start, depth, row, first)
    if (!hasValue) this.#hasOverflow = true
    return hasValue
  }

  #flattenList(node: ListNode, start: number, depth: number, row: ColumnValue[], first: number): boolean {
    const { flattenSlots } = this.#options
    const { elements } = this.#level(depth + 1)
    let hasValue = false
    let slot = 0
    elements.begin(this.#bytes, start)
    for (; elements.next(); slot++) {
      if (slot === flattenSlots) {
        this.#hasOverflow = true
        break
      }
      const column = first + slot * node.elementWidth
      if (this.#flatten(node.element, elements.valueStart, elements.valueEnd, depth + 1, row, column)) hasValue = true
      else this.#hasOverflow = true
    }
    row.fill(null, first + slot * node.elementWidth, first + flattenSlots * node.elementWidth)
    return hasValue
  }

  #flattenStruct(node: StructNode, start: number, depth: number, row: ColumnValue[], first: number): boolean {
    this.#findMembers(node.fields, start, depth + 1, false)
    const { starts, ends } = this.#level(depth + 1)
    let hasValue = false
    for (let f = 0; f < node.fields.length; f++) {
      const field = node.fields[f]!
      if (this.#flatten(field.node, starts[f]!, ends[f]!, depth + 1, row, first + field.flatOffset)) hasValue = true
    }
    return hasValue
  }

  /** Whether the value at `start` is the list or struct that `node` declares. Null and absent are neither; anything
   *  else is a mismatch. */
  #container(node: ListNode | StructNode, start: number): boolean {
    if (start < 0) return false
    const byte = this.#bytes[start]!
    if (byte === (node.kind === 'list' ? openBracket : openBrace)) return true
    if (byte !== letterN) this.#mismatch(node, start)
    return false
  }

  #scalar(node: ScalarNode, start: number, end: number): Scalar {
    if (start < 0) return null
    const byte = this.#bytes[start]!
    if (byte === letterN) return null
    return this.#decoded(node.kind, byte, start, end) ?? this.#mismatch(node, start)
  }

  /** The value `bytes[start..end)`, which begins with `byte` and is not null; undefined where it is none of `kind`. */
  #decoded(kind: ScalarNode['kind'], byte: number, start: number, end: number): NonNullable<Scalar> | undefined {
    switch (kind) {
      case 'json':
        return this.#jsonText(start, end)
      case 'string':
        return byte === quote ? this.#string(start, end) : undefined
      case 'boolean':
        return byte === letterT || byte === letterF ? byte === letterT : undefined
      case 'timestamp':
        return byte === quote || isNumber(byte) ? this.#timestamp(start, end) : undefined
      case 'int64':
        return isNumber(byte) ? parseInt64(this.#bytes, start, end) : undefined
      case 'double':
        return isNumber(byte) ? this.#double(start, end) : undefined
    }
  }

  /** The text of the JSON string `bytes[start..end)`, quotes included in the range. */
  #string(start: number, end: number): string {
    const bytes = this.#bytes
    let seen = 0
    for (let at = start + 1; at < end - 1; at++) {
      const byte = bytes[at]!
      seen |= byte
      if (byte === backslash) return this.#wellFormed(JSON.parse(bytes.toString('utf8', start, end)) as string, start)
    }
    // ASCII is most of the text there is, and needs no decoder
    return bytes.toString(seen < 0x80 ? 'latin1' : 'utf8', start + 1, end - 1)
  }

  #timestamp(start: number, end: number): bigint | string | undefined {
    if (this.#bytes[start] !== quote) return this.#timestamps.read(this.#bytes.subarray(start, end), false)
    let bytes = this.#bytes.subarray(start + 1, end - 1)
    if (bytes.includes(backslash)) bytes = Buffer.from(JSON.parse(this.#bytes.toString('utf8', start, end)) as string)
    return this.#timestamps.read(bytes, true)
  }

  #double(start: number, end: number): number | NumberText | undefined {
    if (this.#options.timestamps.unit === 'text') return new NumberText(this.#bytes.toString('latin1', start, end))
    return parseDouble(this.#bytes, start, end)
  }

  /** The JSON text `bytes[start..end)` as it is, but for lone surrogate escapes: DuckDB refuses a whole Parquet file
   *  for one of them. */
  #jsonText(start: number, end: number): string {
    const text = this.#bytes.toString('utf8', start, end)
    if (!surrogateEscape.test(text)) return text
    return text.replace(jsonEscapes, (found, lone?: string) =>
      lone === undefined ? found : this.#inexact('\\ufffd', start),
    )
  }

  /** `text` with U+FFFD for each lone surrogate, as UTF-8 would have it anyway, but counted. */
  #wellFormed(text: string, at: number): string {
    return loneSurrogate.test(text) ? text.replace(loneSurrogates, () => this.#inexact('\ufffd', at)) : text
  }

  /** Counts a lone surrogate, in whose place stands `replacement`. */
  #inexact(replacement: string, at: number): string {
    if (this.#options.strict) {
      const where = this.#positionOf(at)
      throw new DataError('ERR_VALUE_INEXACT', 'a string has a lone surrogate escape, which no UTF-8 can hold', where)
    }
    this.#counts.surrogates++
    return replacement
  }

  #mismatch(node: Node, at: number): null {
    if (this.#options.onTypeMismatch === 'error') {
      const [found, expected] = [foundAt(this.#bytes, at), expectedOf(node, this.#options)]
      const text = `field ${JSON.stringify(this.#field)} holds ${found} where ${expected} is declared`
      throw new DataError('ERR_TYPE_MISMATCH', text, this.#positionOf(at))
    }
    this.#hasMismatch = true
    return null
  }

  /** Counts what was found in the top-level value `bytes[start..end)` and keeps it as it is where the policies say so.
   *  */
  #settle(index: number, start: number, end: number): void {
    const { name } = this.#fields[index]!
    const counts = this.#counts
    const { onTypeMismatch, unknownFields } = this.#options
    let isKept = this.#hasOverflow && this.#extraIndex >= 0
    if (this.#hasMismatch) {
      counts.mismatches[index]!++
      isKept ||= onTypeMismatch === 'extra'
    }
    if (this.#hasUnknown && unknownFields === 'drop') counts.unknownsDropped++
    isKept ||= this.#hasUnknown && unknownFields === 'extra'
    if (isKept) this.#extra.set(name, `${JSON.stringify(name)}:${this.#jsonText(start, end)}`)
    else if (this.#hasOverflow) counts.overflowsDropped++
  }

  #positionOf(at: number): { page: number; recordIndex: number; byteOffset?: number } {
    const batch = this.#batch!
    const position = batch.positionOf(this.#index)
    return batch.byteOffset === undefined ? position : { ...position, byteOffset: batch.byteOffset + at }
  }

  #level(depth: number): Level {
    return (this.#levels[depth] ??= {
      members: new MemberWalker(),
      elements: new ElementWalker(),
      starts: new Int32Array(this.#maxFields),
      ends: new Int32Array(this.#maxFields),
    })
  }
}

const loneSurrogate = /\p{Surrogate}/u
const loneSurrogates = /\p{Surrogate}/gu
const surrogateEscape = /\\u[dD][89a-fA-F]/
/** Every escape of a JSON text from left to right, so that `\\\\ud800` is a backslash and text; a surrogate without its
 *  partner is captured. */
const jsonEscapes = /\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)/gu

/** Whether a number begins with `byte`, which begins a JSON value. */
function isNumber(byte: number): boolean {
  return byte === 0x2d || (byte >= 0x30 && byte <= 0x39)
}
