// Records as objects: whole, by JSON.parse, or only the fields that are asked for, straight from the bytes of their
// values.

import { stringText } from '../bytes/string-text.js'
import { ConfigError } from '../errors.js'
import type { JsonRecord, JsonValue, RecordBatch } from '../record.js'
import type { FieldEdits } from './field-edits.js'
import { parseFieldPath } from './field-path.js'
import { MemberLocator } from './member-locator.js'

const quote = 0x22
const openBrace = 0x7b
const openBracket = 0x5b
const letterN = 0x6e
const letterT = 0x74
const letterF = 0x66

/** Makes objects of the records of one batch after the other. */
export interface RecordReader {
  /** Takes the batch that is read until the next `begin`. It must stay valid for as long. */
  begin(batch: RecordBatch): void
  /** Record `index` of it: a new object that shares no bytes with the batch. */
  read(index: number): JsonRecord
}

/** Reads whole records, as JSON.parse does. */
export function wholeRecords(): RecordReader {
  let batch: RecordBatch
  return {
    begin(given) {
      batch = given
    },
    read: (index) => batch.parse(index),
  }
}

/** Reads `fields` of records: names of their own members, not paths. Equal to JSON.parse and picking: absent fields are
 *  absent, of a repeated member the last counts, `__proto__` is a property like any other. The properties are in the
 *  order of `fields` (but for names that are array indexes, which JavaScript puts first); a repeated name counts
 *  once. */
export function projectedRecords(fields: readonly string[]): RecordReader {
  return new Projection(fields)
}

class Projection implements RecordReader {
  readonly #locator: MemberLocator
  readonly #names: readonly string[]
  /** Index of the name that an assignment would take for something else, -1 where it is not among them. */
  readonly #protoIndex: number
  #bytes: Buffer = Buffer.alloc(0)
  #ranges: Uint32Array = new Uint32Array(0)

  constructor(fields: readonly string[]) {
    this.#locator = new MemberLocator(fields)
    this.#names = this.#locator.names
    this.#protoIndex = this.#names.indexOf('__proto__')
  }

  begin(batch: RecordBatch): void {
    this.#bytes = batch.bytes
    this.#ranges = this.#locator.locate(batch)
  }

  read(index: number): JsonRecord {
    const names = this.#names
    const ranges = this.#ranges
    const record: JsonRecord = {}
    let at = 2 * index * names.length
    for (let n = 0; n < names.length; n++, at += 2) {
      const end = ranges[at + 1]!
      if (end === 0) continue
      const value = valueIn(this.#bytes, ranges[at]!, end)
      if (n === this.#protoIndex) define(record, names[n]!, value)
      else record[names[n]!] = value
    }
    return record
  }
}

/** The JSON value in `[start, end)`, without white space around it. */
function valueIn(bytes: Buffer, start: number, end: number): JsonValue {
  switch (bytes[start]) {
    case quote:
      return stringText(bytes, start, end)
    case openBrace:
    case openBracket:
      return JSON.parse(bytes.toString('utf8', start, end)) as JsonValue
    case letterN:
      return null
    case letterT:
      return true
    case letterF:
      return false
    default:
      return Number(bytes.toString('latin1', start, end))
  }
}

function define(record: JsonRecord, name: string, value: JsonValue): void {
  Object.defineProperty(record, name, { value, writable: true, enumerable: true, configurable: true })
}

/** `fields` as given from outside. @throws ConfigError ERR_OPTION_INVALID where it is no list of texts */
export function checkFields(fields: unknown): readonly string[] {
  if (Array.isArray(fields) && fields.every((name) => typeof name === 'string')) return fields
  throw new ConfigError('ERR_OPTION_INVALID', 'fields: not a list of names', { hint: "give names, such as ['id']" })
}

/** What the edits leave to be done where only `fields` are read: the fields that stay, and the edits inside of them. */
export function fieldsAfter(
  fields: readonly string[],
  edits: FieldEdits,
): { fields: readonly string[]; edits: FieldEdits } {
  const { select, exclude = [], redact = [], rename = [] } = edits
  if (redact.length > 0 || rename.length > 0) return { fields, edits }
  const excluded = exclude.map((path) => ({ path, names: parseFieldPath(path) }))
  const selected = select?.map((path) => ({ path, names: parseFieldPath(path) }))
  const whole = new Set(excluded.flatMap(({ names }) => (names.length === 1 ? names : [])))
  const left = fields.filter(
    (name) => !whole.has(name) && (selected === undefined || selected.some(({ names }) => names[0] === name)),
  )
  const inside = <P extends { names: readonly string[] }>(paths: readonly P[]): P[] =>
    paths.filter(({ names }) => left.includes(names[0]!))
  const nested = inside(excluded).filter(({ names }) => names.length > 1)
  const kept = inside(selected ?? [])
  return {
    fields: left,
    edits: {
      select: kept.some(({ names }) => names.length > 1) ? kept.map(({ path }) => path) : undefined,
      exclude: nested.map(({ path }) => path),
    },
  }
}
