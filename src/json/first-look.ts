// Looks at the first document of a body to say what the body is, where neither its type nor its name says it: pages,
// lines of records, or records by their keys. Only what has been seen of the first document counts, and the verdict on
// its grammar is the slicer's: text that cannot be read decides nothing.

import { MiB } from '../bytes/units.js'
import { isListMember, lineOf } from './framing.js'

/** What a body holds. `any` is for a slicer to find out: one document, or lines of records. */
export type BodyLayout = 'any' | 'pages' | 'ndjson' | 'keyed' | 'keyed-lines'

export interface LookOptions {
  /** Whether the type or the name says that every line is a record: then only what is surely none is something else. */
  isNdjson: boolean
  /** Whether the body may hold records by their keys, as we write them. No server sends that. */
  mayBeKeyed: boolean
  /** Whether its records have keys: then it is only to be seen whether a line is all of them. */
  isKeyed?: boolean
  /** What a record may have at most: nothing longer can be one. */
  maxRecordBytes: number
}

/** Most bytes of the first document that are waited for, where what was seen of it tells enough. */
const waitedBytes = 1 * MiB
const maxNames = 100

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d]

/** A member of the first object: where its name and its value stand. `end` is -1 while the value is open. */
interface Member {
  readonly nameAt: number
  nameEnd: number
  valueAt: number
  end: number
}

/** Takes the bytes of a body until it knows. */
export class FirstLook {
  readonly #options: LookOptions
  #bytes = Buffer.alloc(0)
  #length = 0
  #at = 0
  #depth = 0
  #isInString = false
  #isEscaped = false
  /** Where the first object begins and ends, -1 before that. */
  #start = -1
  #end = -1
  readonly #members: Member[] = []

  constructor(options: LookOptions) {
    this.#options = options
  }

  /** Adds bytes, which are copied. Null where more have to be seen. */
  push(chunk: Uint8Array): BodyLayout | null {
    const length = this.#length + chunk.length
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, 2 * this.#bytes.length))
      grown.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = grown
    }
    this.#bytes.set(chunk, this.#length)
    this.#length = length
    return this.#walk()
  }

  /** All bytes that were pushed. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  /** There are no more bytes. */
  end(): BodyLayout {
    return this.#end < 0 ? this.#openLayout() : this.#layout(undefined)
  }

  #walk(): BodyLayout | null {
    const bytes = this.#bytes
    const length = this.#length
    for (; this.#at < length; this.#at++) {
      const byte = bytes[this.#at]!
      if (this.#end >= 0) {
        if (!isSpace(byte)) return this.#layout(byte)
      } else if (this.#start >= 0) {
        this.#inside(byte)
        // who writes line by line is not waited for, where it makes no difference what follows
        const layout = this.#end >= 0 ? this.#layout(undefined) : null
        if (layout !== null && layout === this.#layout(openBrace)) return layout
      } else if (byte === openBrace) {
        this.#start = this.#at
        this.#depth = 1
      } else if (!isSpace(byte) && ![0xef, 0xbb, 0xbf].includes(byte)) {
        return byte === openBracket && !this.#options.isNdjson ? 'pages' : this.#openLayout()
      }
    }
    if (this.#end >= 0) return length - this.#end > waitedBytes ? this.#layout(undefined) : null
    if (this.#start < 0) return length > waitedBytes ? this.#openLayout() : null // white space without end is the slicer's
    const isEnough = length > waitedBytes && this.#openLayout() !== 'ndjson'
    return isEnough || length > Math.max(waitedBytes, this.#options.maxRecordBytes) ? this.#openLayout() : null
  }

  /** A byte of the first object. */
  #inside(byte: number): void {
    const at = this.#at
    if (this.#isInString) {
      if (this.#isEscaped) this.#isEscaped = false
      else if (byte === backslash) this.#isEscaped = true
      else if (byte === quote) {
        this.#isInString = false
        const member = this.#openMember
        if (this.#depth === 1 && member && member.nameEnd < 0) member.nameEnd = at + 1
      }
      return
    }
    const member = this.#openMember
    if (member && member.nameEnd >= 0 && member.valueAt < 0 && byte !== 0x3a && !isSpace(byte)) member.valueAt = at
    if (byte === quote) {
      this.#isInString = true
      if (this.#depth === 1 && !member && this.#members.length < maxNames) {
        this.#members.push({ nameAt: at, nameEnd: -1, valueAt: -1, end: -1 })
      }
    } else if (byte === openBrace || byte === openBracket) this.#depth++
    else if (byte === closeBrace || byte === closeBracket) {
      this.#depth--
      if (this.#depth === 0) {
        if (member) member.end = at
        this.#end = at + 1
      }
    } else if (byte === 0x2c && this.#depth === 1 && member) member.end = at
  }

  /** The member whose name or value is not over. */
  get #openMember(): Member | undefined {
    const last = this.#members.at(-1)
    return last !== undefined && last.end < 0 ? last : undefined
  }

  /** What a body is whose first document was seen whole. @param next the first byte after it that is no white space */
  #layout(next: number | undefined): BodyLayout {
    const { isNdjson, mayBeKeyed, isKeyed = false } = this.#options
    if (isKeyed) return next === openBrace ? 'keyed-lines' : 'keyed'
    const value = this.#parse(this.#start, this.#end)
    if (!isObject(value)) return isNdjson ? 'ndjson' : 'any'
    const { kind } = lineOf(value)
    if (kind === 'page') return 'pages'
    if (kind === 'error') return isNdjson ? 'ndjson' : 'any'
    const names = Object.keys(value)
    if (mayBeKeyed && names.length > 0 && names.every((name) => isRecordOf(name, value[name]))) {
      const isLine = names.length === 1 && (isNdjson || next === openBrace)
      if (isLine) return 'keyed-lines'
      if (next === undefined) return 'keyed'
    }
    // a field of this name makes no page of a record, where other records follow
    const isPage = names.some((name) => isListMember(name, value[name]))
    return isNdjson || (isPage && next === openBrace) ? 'ndjson' : 'any'
  }

  /** What a body is whose first document is not over: by the members that were seen. */
  #openLayout(): BodyLayout {
    const { isNdjson, mayBeKeyed, isKeyed = false } = this.#options
    if (isKeyed) return 'keyed'
    const names = this.#members.filter(({ valueAt }) => valueAt >= 0).map((member) => this.#nameOf(member))
    if (isNdjson) {
      // a record may have a list of any name; that of an envelope has no id beside it
      return ['result', 'results'].some((name) => names.includes(name)) && !names.includes('id') ? 'pages' : 'ndjson'
    }
    if (mayBeKeyed && !names.some((name) => isListMember(String(name), [])) && this.#firstHasItsKey()) return 'keyed'
    return names.some((name) => isListMember(String(name), [])) ? 'pages' : 'any'
  }

  #firstHasItsKey(): boolean {
    const first = this.#members[0]
    return (
      first !== undefined &&
      first.end >= 0 &&
      isRecordOf(String(this.#nameOf(first)), this.#parse(first.valueAt, first.end))
    )
  }

  #nameOf({ nameAt, nameEnd }: Member): unknown {
    return this.#parse(nameAt, nameEnd)
  }

  #parse(from: number, to: number): unknown {
    try {
      return JSON.parse(this.#bytes.toString('utf8', from, to))
    } catch {
      return undefined
    }
  }
}

/** Whether `value` is an object that has `key` somewhere: a record, and the key that was taken from it. */
function isRecordOf(key: string, value: unknown): boolean {
  return isObject(value) && holds(value, key)
}

/** Whether a string or number in `value` is this text. The slicer bounds how deep a value nests; this looks as deep as
 *  keys are taken from. */
function holds(value: unknown, text: string, depth = 0): boolean {
  if (typeof value === 'string' || typeof value === 'number') return String(value) === text
  if (typeof value !== 'object' || value === null || depth > 8) return false
  return Object.values(value).some((part) => holds(part, text, depth + 1))
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}
