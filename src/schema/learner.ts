// Learns the schema of a resource from some of its records. A field has the narrowest type that holds all values seen;
// where values disagree, or where an object is a map from any key to a value, it is JSON of any kind. What the sample
// did not show goes to `extra` later, so nothing depends on its luck.

import { ElementWalker, MemberWalker } from '../bytes/members.js'
import { DataError } from '../errors.js'
import type { RecordBatch } from '../record.js'
import { ColumnBudget, defaultMaxColumns } from './column-budget.js'
import { isWellFormed, versionOf } from './json-schema.js'
import { extraColumn, type Field, type FieldType, keyColumn, type ResourceSchema } from './resource.js'

/** Whether the value in `[start, end)` fits into a column: how columns see it is not known here. */
export interface ValueTests {
  /** Of a string without its quotes, as it is written. */
  isTimestamp(bytes: Buffer, start: number, end: number): boolean
  isInt64(bytes: Buffer, start: number, end: number): boolean
  isDouble(bytes: Buffer, start: number, end: number): boolean
}

/** More names than this, and an object is a map, of whose names none is remembered. */
const maxNames = 1000
/** Names that are remembered in all, for each column that the schema may have: most names of maps go before there is a
 *  column for each. */
const namesPerColumn = 10
/** Characters of such a name, on average. */
const charactersPerName = 80
/** An object with more names than this is a map where a value has less than a tenth of them on average. */
const fewNames = 20
const leastFill = 0.1
/** Deeper values are JSON. */
const maxDepth = 8

const quote = 0x22
const openBrace = 0x7b
const openBracket = 0x5b
const dash = 0x2d
const dot = 0x2e
const zero = 0x30
const nine = 0x39
const letterF = 0x66
const letterN = 0x6e
const letterT = 0x74

/** The provider's own record is free-form by its nature. */
const remoteData = 'remote_data'

/** Takes in records, and gives the schema that all of them fit into. */
export class SchemaLearner {
  /** Number of records so far. */
  records = 0
  readonly #tests: ValueTests
  readonly #maxColumns: number
  readonly #names: NameBudget
  readonly #root: Shape

  constructor(tests: ValueTests, maxColumns: number = defaultMaxColumns) {
    this.#tests = tests
    this.#maxColumns = maxColumns
    this.#names = new NameBudget(namesPerColumn * maxColumns)
    this.#root = new Shape(this.#names, true)
  }

  /** @throws DataError ERR_LIMIT where the records have more names than can be remembered */
  add(batch: RecordBatch): void {
    for (let index = 0; index < batch.count; index++) {
      this.#root.add(batch.bytes, batch.start(index), batch.end(index), this.#tests, 0)
    }
    this.records += batch.count
  }

  /** The schema so far: the id, then all other fields by their names, so that it does not depend on the order of
   *  records. Names that are columns of ours or that no column can have are left to `extra`. @throws DataError
   *  ERR_LIMIT for more columns than there may be */
  schema(resource: string): ResourceSchema {
    const names = this.#root.fields().filter(({ name }) => name !== extraColumn && name !== keyColumn)
    const fields = names.map(
      (field): Field => (field.name === remoteData ? { name: remoteData, type: { kind: 'json' } } : field),
    )
    const budget = new ColumnBudget(this.#maxColumns)
    for (const { name, type } of fields) budget.addField(type, name.length)
    return { resource, version: versionOf(fields), fields }
  }
}

/** Bounds the names that are remembered: a server may send ever new ones. */
class NameBudget {
  readonly #max: number
  #names = 0
  #characters = 0

  constructor(max: number) {
    this.#max = max
  }

  take(name: string): void {
    this.#names++
    this.#characters += name.length
    if (this.#names <= this.#max && this.#characters <= this.#max * charactersPerName) return
    throw new DataError('ERR_LIMIT', `the records have more than ${this.#max} names of fields to learn a schema from`, {
      hint: 'raise --max-columns, or take fewer records with --sample',
    })
  }

  give(names: Iterable<string>): void {
    for (const name of names) {
      this.#names--
      this.#characters -= name.length
    }
  }
}

/** What was seen in one place. */
class Shape {
  #strings = 0
  #timestamps = 0
  #booleans = 0
  #numbers = 0
  #integers = 0
  #doubles = 0
  #objects = 0
  #lists = 0
  /** Members of all objects. */
  #members = 0
  #names: Map<string, Shape> | undefined
  #hasMoreNames = false
  #elements: Shape | undefined
  #isTooDeep = false
  readonly #budget: NameBudget
  readonly #isRecord: boolean

  /** @param isRecord whether it is that of records, which are no maps, however many names they have */
  constructor(budget: NameBudget, isRecord = false) {
    this.#budget = budget
    this.#isRecord = isRecord
  }

  add(bytes: Buffer, start: number, end: number, tests: ValueTests, depth: number): void {
    switch (bytes[start]) {
      case letterN:
        return
      case letterT:
      case letterF:
        this.#booleans++
        return
      case quote:
        this.#strings++
        // a string that is no date-time makes all of them text: then none has to be read any more
        if (this.#timestamps === this.#strings - 1 && tests.isTimestamp(bytes, start + 1, end - 1)) this.#timestamps++
        return
      case openBrace:
      case openBracket:
        this.#addContainer(bytes, start, tests, depth)
        return
      default:
        this.#numbers++
        if (isPlainInteger(bytes, start, end) && tests.isInt64(bytes, start, end)) this.#integers++
        if (tests.isDouble(bytes, start, end)) this.#doubles++
    }
  }

  type(): FieldType {
    const kinds = [this.#strings, this.#booleans, this.#numbers, this.#objects, this.#lists].filter(
      (count) => count > 0,
    )
    if (kinds.length !== 1 || this.#isTooDeep) return { kind: 'json' }
    if (this.#strings > 0) return { kind: this.#timestamps === this.#strings ? 'timestamp' : 'string' }
    if (this.#booleans > 0) return { kind: 'boolean' }
    if (this.#numbers > 0) {
      if (this.#integers === this.#numbers) return { kind: 'int64' }
      return { kind: this.#doubles === this.#numbers ? 'double' : 'json' }
    }
    if (this.#lists > 0) {
      const element = this.#elements?.type()
      return element === undefined || element.kind === 'json' ? { kind: 'json' } : { kind: 'list', element }
    }
    const fields = this.#isMap() ? [] : this.fields()
    return fields.length === 0 ? { kind: 'json' } : { kind: 'struct', fields }
  }

  /** Its members: the id first, then by name. */
  fields(): Field[] {
    const names = [...(this.#names?.keys() ?? [])].filter((name) => name !== '' && isWellFormed(name))
    names.sort((a, b) => Number(b === 'id') - Number(a === 'id') || (a < b ? -1 : 1))
    return names.map((name) => ({ name, type: this.#names!.get(name)!.type() }))
  }

  #isMap(): boolean {
    const count = this.#names?.size ?? 0
    return this.#hasMoreNames || (count > fewNames && this.#members < leastFill * count * this.#objects)
  }

  #addContainer(bytes: Buffer, start: number, tests: ValueTests, depth: number): void {
    const isObject = bytes[start] === openBrace
    if (isObject) this.#objects++
    else this.#lists++
    if (depth === maxDepth) {
      this.#isTooDeep = true
      return
    }
    if (!isObject) {
      const walker = new ElementWalker().begin(bytes, start)
      while (walker.next()) {
        this.#elements ??= new Shape(this.#budget)
        this.#elements.add(bytes, walker.valueStart, walker.valueEnd, tests, depth + 1)
      }
      return
    }
    const walker = new MemberWalker().begin(bytes, start)
    while (walker.next()) {
      this.#members++
      this.#member(walker.key())?.add(bytes, walker.valueStart, walker.valueEnd, tests, depth + 1)
    }
  }

  #member(name: string): Shape | undefined {
    if (this.#hasMoreNames && !this.#isRecord) return undefined
    this.#names ??= new Map()
    let shape = this.#names.get(name)
    if (shape !== undefined) return shape
    if (this.#names.size === maxNames) {
      this.#hasMoreNames = true
      if (!this.#isRecord) this.#forget()
      return undefined
    }
    this.#budget.take(name)
    shape = new Shape(this.#budget)
    this.#names.set(name, shape)
    return shape
  }

  /** Gives back the names inside. */
  #forget(): void {
    if (this.#names !== undefined) {
      this.#budget.give(this.#names.keys())
      for (const shape of this.#names.values()) shape.#forget()
      this.#names = undefined
    }
    if (this.#elements !== undefined) this.#elements.#forget()
  }
}

/** Digits, perhaps with a minus. `-0` would lose its sign in a column of whole numbers. */
function isPlainInteger(bytes: Buffer, start: number, end: number): boolean {
  const isNegative = bytes[start] === dash
  const first = isNegative ? start + 1 : start
  if (isNegative && bytes[first] === zero) return false
  for (let at = first; at < end; at++) {
    const byte = bytes[at]!
    if (byte === dot || byte < zero || byte > nine) return false
  }
  return true
}
