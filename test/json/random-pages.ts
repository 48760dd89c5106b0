// Random pages as bytes, made quickly and with malice: tokens are pushed onto the borders of 64-byte blocks, white
// space and backslashes come in runs longer than a block, containers nest past 64 levels, keys come twice and in
// disguise. Each page knows where its records and their members are, because it has just written them: no reader is
// needed to say what is right.

import { corpus } from './corpus.js'
import { fragments } from './fragments.js'
import type { Random } from './random.js'

/** A member of a record. Ranges count from the record's first byte and are half-open. */
export interface RandomMember {
  /** The key's text, escapes resolved. */
  key: string
  /** Where the separators around the member are: its brace or comma ends at `from`, and a comma or the record's last
   *  brace stands at `to`. */
  from: number
  to: number
  valueStart: number
  valueEnd: number
}

export interface RandomRecord {
  /** Bytes of the record in the body, half-open; of the bare id where it is one. */
  start: number
  end: number
  isBareId: boolean
  members: RandomMember[]
}

export interface RandomPage {
  body: Buffer
  framing: string
  records: RandomRecord[]
  /** The server's keys, where the records are the values of an object. */
  pageKeys: string[]
  /** Whether a slicer must be told that every top-level value is a record. */
  isNdjson: boolean
  /** Deepest nesting of the page. */
  depth: number
}

export interface PageOptions {
  /** Leave out what makes a page wrong by its meaning, such as a second list of records or an error beside them. */
  isValid?: boolean
  /** Number of records; by default a few. */
  records?: number
  framing?: string
  /** Spell all keys of records without escapes. */
  hasPlainKeys?: boolean
  /** Number of records, of 1,000, that get a string of 60,000 to 700,000 bytes. */
  largeRecords?: number
}

const framings = ['envelope', 'envelope', 'envelope', 'keyed', 'keyed', 'slack', 'ids', 'graph', 'array', 'ndjson']

/** A page in a random style. */
export function randomPage(random: Random, options: PageOptions = {}): RandomPage {
  return new PageWriter(random, options).write()
}

/** The bytes that an engine which keeps bytes gives for a record of `page`. */
export function recordBytes({ body, records }: RandomPage, index: number): Buffer {
  const { start, end, isBareId } = records[index]!
  if (isBareId) return Buffer.concat([Buffer.from('{"id":'), body.subarray(start, end), Buffer.from('}')])
  const bytes = Buffer.from(body.subarray(start, end))
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === 0x0a || bytes[i] === 0x0d) bytes[i] = 0x20
  return bytes
}

/** The same without the record's own members of these names. */
export function recordBytesWithout(page: RandomPage, index: number, names: readonly string[]): Buffer {
  return recordBytesWith(page, index, (name) => !names.includes(name))
}

/** The same with those of its own members alone whose names `isKept` takes: what stands between two separators stays or
 *  goes as a whole. */
export function recordBytesWith(page: RandomPage, index: number, isKept: (name: string) => boolean): Buffer {
  const bytes = recordBytes(page, index)
  const { members } = page.records[index]!
  const kept = members.filter(({ key }) => isKept(key))
  if (kept.length === members.length) return bytes
  const texts = kept.map(({ from, to }) => bytes.toString('latin1', from, to))
  return Buffer.from(`{${texts.join(',')}}`, 'latin1')
}

/** Keys that a careless comparison takes for one another: prefixes, long ones that differ in their last byte, empty,
 *  escaped, not ASCII, half a character. */
export const trickyKeys: readonly string[] = [
  'id',
  'i',
  'idd',
  'name',
  'names',
  'nam',
  'email',
  'emails',
  'phones',
  'remote_data',
  '',
  ' ',
  'a',
  'b',
  'ab',
  'result',
  'next_cursor',
  '__proto__',
  'constructor',
  'é',
  'e\u0301',
  'ключ',
  '名前',
  '😀',
  '\ud800',
  '\udc00',
  '\ufffd',
  '\ufeff',
  '"',
  '\\',
  'a"b',
  '\n',
  '\u0000',
  '/',
  'k'.repeat(31),
  'k'.repeat(32),
  'k'.repeat(33),
  `${'k'.repeat(31)}l`,
  `${'k'.repeat(32)}l`,
  'm'.repeat(63),
  'm'.repeat(64),
  'm'.repeat(65),
  `${'m'.repeat(64)}n`,
  'p'.repeat(200),
  `${'p'.repeat(199)}q`,
  `${'é'.repeat(40)}`,
  `${'é'.repeat(39)}è`,
]
const plainTrickyKeys = trickyKeys.filter((key) => !JSON.stringify(key).includes('\\'))
const commonKeys = ['id', 'id', 'name', 'email', 'phones', 'remote_data', 'a', 'b', 'key']

const otherNames = [
  'meta',
  'total',
  'Result',
  'results_',
  'resul',
  'next_Cursor',
  '',
  'x'.repeat(70),
  '名前',
  '__proto__',
]
const plainRuns = ['a', 'bc', 'xyz', 'some text', 'x'.repeat(15), 'y'.repeat(31), 'z'.repeat(62), 'w'.repeat(130)]
const confusing = ['{', '}', '[', ']', ',', ':', '{\\"a\\":[', '\\"}],', ' ', '//', '1', 'true', '\u007f']
const characters = [
  'é',
  'ß',
  '漢',
  '字',
  '€',
  '😀',
  '\u{10ffff}',
  '\u2028',
  '\ufeff',
  '\ufffe',
  '\u0080',
  '\uffff',
  '\ud7ff',
]
const escapes = [
  '\\n',
  '\\"',
  '\\\\',
  '\\/',
  '\\b',
  '\\f',
  '\\r',
  '\\t',
  '\\u0041',
  '\\u0000',
  '\\u005C',
  '\\u0022',
  '\\ud83d\\ude00',
  '\\ud800',
  '\\uDFff',
  '\\ufeff',
  '\\uABcd',
]
const numbers = [
  '0',
  '-0',
  '1',
  '-1',
  '42',
  '1.0',
  '-0.0',
  '1E2',
  '1e+2',
  '1e-7',
  '0e0',
  '-12.50',
  '9007199254740993',
  '1e400',
  '-1E-400',
  '123456789012345678901234567890',
  '3.141592653589793',
]
const spaces = ['', '', ' ', '\t', '\n', '\r\n', ' \r\n\t ', '\n    ']

const encodedLength = Buffer.byteLength

class PageWriter {
  readonly #random: Random
  readonly #options: PageOptions
  readonly #page: RandomPage
  #text = ''
  /** Bytes of `#text`. */
  #length = 0
  /** Percent of the gaps between tokens that hold white space, that push what follows to a block's border, and of
   *  records' keys that are tricky. */
  readonly #spacePercent: number
  readonly #alignPercent: number
  readonly #trickyPercent: number
  readonly #trickyKeys: readonly string[]
  readonly #maxMembers: number
  readonly #maxLevels: number

  constructor(random: Random, options: PageOptions) {
    this.#random = random
    this.#options = options
    this.#spacePercent = random.pick([0, 0, 0, 10, 60, 100])
    this.#alignPercent = random.pick([0, 0, 2, 8, 30])
    this.#trickyPercent = random.pick([0, 20, 80])
    this.#trickyKeys = options.hasPlainKeys === true ? plainTrickyKeys : trickyKeys
    this.#maxMembers = random.pick([0, 1, 3, 3, 6])
    this.#maxLevels = random.pick([0, 1, 2, 4])
    const framing = options.framing ?? random.pick(framings)
    this.#page = { body: Buffer.alloc(0), framing, records: [], pageKeys: [], isNdjson: false, depth: 0 }
  }

  write(): RandomPage {
    const random = this.#random
    const page = this.#page
    const count =
      this.#options.records ?? (random.chance(3) ? random.between(30, 90) : random.pick([0, 1, 1, 2, 2, 3, 5, 9]))
    if (random.chance(2)) this.#put('\ufeff')
    this.#gap()
    switch (page.framing) {
      case 'array':
        this.#list(count, 1)
        break
      case 'ndjson':
        this.#lines(count)
        break
      case 'slack':
      case 'ids':
        this.#object([
          ['ok', () => this.#put('true')],
          ['members', () => this.#list(count, 2)],
          ['response_metadata', () => this.#object([['next_cursor', () => this.#cursor()]], 2)],
        ])
        if (page.framing === 'ids') page.framing = 'slack'
        break
      case 'graph':
        this.#object([
          ['@odata.context', () => this.#string()],
          ['value', () => this.#list(count, 2)],
          ['@odata.nextLink', () => this.#cursor()],
        ])
        break
      default:
        this.#envelope(count)
        page.framing = 'envelope'
    }
    this.#gap()
    page.body = Buffer.from(this.#text)
    return page
  }

  #envelope(count: number): void {
    const random = this.#random
    const isKeyed = this.#page.framing === 'keyed'
    const members: [string, () => void][] = [
      [random.chance(10) ? 'results' : 'result', () => (isKeyed ? this.#keyedRecords(count) : this.#list(count, 2))],
    ]
    if (random.chance(80)) members.push(['next_cursor', () => this.#cursor()])
    if (random.chance(20)) members.push(['result_count', () => this.#number()])
    if (random.chance(10)) members.push(['is_partial_response', () => this.#value(2, 2)])
    if (this.#options.isValid !== true && random.chance(5))
      members.push([random.pick(['error', 'message', 'statusCode', 'ok']), () => this.#scalar()])
    for (let others = random.below(3); others > 0; others--)
      members.push([random.pick(otherNames), () => this.#value(2, this.#maxLevels)])
    if (this.#options.isValid !== true && random.chance(5))
      members.push([
        random.pick(['result', 'results', 'next_cursor', 'members', 'value', 'response_metadata', 'error']),
        () => this.#value(2, 2),
      ])
    this.#object(members)
  }

  #cursor(): void {
    const random = this.#random
    if (random.chance(30)) this.#put(random.pick(['null', '""', '12345678901234567890', '1.50']))
    else this.#string()
  }

  #lines(count: number): void {
    const { records } = this.#page
    for (let i = 0; i < count; i++) {
      if (i > 0) {
        this.#gap()
        this.#put(this.#random.pick(['\n', '\r\n', '\n\n']))
        this.#gap()
      }
      this.#record(1)
    }
    const isMeant = (key: string): boolean => key === 'result' || key === 'next_cursor'
    const isPlain = records.length > 1 && !records[0]!.members.some(({ key }) => isMeant(key))
    this.#page.isNdjson = !isPlain || this.#random.chance(50)
  }

  #list(count: number, level: number): void {
    this.#nest(level)
    this.#put('[')
    for (let i = 0; i < count; i++) {
      if (i > 0) this.#put(',')
      this.#gap()
      const { framing } = this.#page
      if (framing === 'ids' || (framing === 'slack' && this.#random.chance(5))) this.#bareId()
      else this.#record(level + 1)
      this.#gap()
    }
    if (count === 0) this.#gap()
    this.#put(']')
  }

  #keyedRecords(count: number): void {
    const entries: [string, () => void][] = []
    for (let i = 0; i < count; i++) {
      const key = this.#random.chance(50) ? `k${i}` : this.#random.pick(trickyKeys)
      entries.push([key, () => this.#record(3)])
      this.#page.pageKeys.push(key)
    }
    this.#object(entries, 2, false)
  }

  #bareId(): void {
    const start = this.#length
    this.#string()
    const end = this.#length
    // given as {"id":…}
    const length = end - start
    const members = [{ key: 'id', from: 1, to: 6 + length, valueStart: 6, valueEnd: 6 + length }]
    this.#page.records.push({ start, end, isBareId: true, members })
  }

  #record(level: number): void {
    const random = this.#random
    const start = this.#length
    const members: RandomMember[] = []
    this.#nest(level)
    this.#put('{')
    const isLarge = random.below(1000) < (this.#options.largeRecords ?? 0)
    const count = isLarge ? 1 : random.below(this.#maxMembers + 1)
    if (count === 0) this.#gap()
    for (let i = 0; i < count; i++) {
      if (i > 0) this.#put(',')
      const from = this.#length - start
      this.#gap()
      const key = random.pick(random.chance(this.#trickyPercent) ? this.#trickyKeys : commonKeys)
      this.#key(key)
      this.#gap()
      this.#put(':')
      this.#gap()
      const valueStart = this.#length - start
      if (isLarge) this.#put(`"${random.pick(['x', 'é', '\\\\n', '漢字']).repeat(random.between(30_000, 120_000))}"`)
      else this.#value(level + 1, this.#maxLevels)
      const valueEnd = this.#length - start
      this.#gap()
      members.push({ key, from, to: this.#length - start, valueStart, valueEnd })
    }
    this.#put('}')
    this.#page.records.push({ start, end: this.#length, isBareId: false, members })
  }

  /** An object with these members, in any order unless that is theirs. */
  #object(members: [key: string, value: () => void][], level = 1, mayShuffle = true): void {
    this.#nest(level)
    this.#put('{')
    this.#gap()
    let isFirst = true
    for (const [key, value] of mayShuffle ? this.#random.shuffle(members) : members) {
      if (!isFirst) {
        this.#put(',')
        this.#gap()
      }
      isFirst = false
      this.#key(key)
      this.#gap()
      this.#put(':')
      this.#gap()
      value()
      this.#gap()
    }
    this.#put('}')
  }

  #value(level: number, levels: number): void {
    const random = this.#random
    if (levels > 0 && random.chance(30)) {
      const count = random.below(4)
      if (random.chance(50)) {
        this.#nest(level)
        this.#put('[')
        this.#gap()
        for (let i = 0; i < count; i++) {
          if (i > 0) {
            this.#put(',')
            this.#gap()
          }
          this.#value(level + 1, levels - 1)
          this.#gap()
        }
        this.#put(']')
      } else {
        const members: [string, () => void][] = []
        for (let i = 0; i < count; i++)
          members.push([random.pick(commonKeys), () => this.#value(level + 1, levels - 1)])
        this.#object(members, level)
      }
    } else if (random.below(300) === 0) this.#deep(level)
    else this.#scalar()
  }

  /** Containers of mixed kinds in one another, around the depths at which a word of 64 kinds is full. */
  #deep(level: number): void {
    const random = this.#random
    const levels = random.chance(70) ? random.between(58, 70) : random.between(122, 134)
    const isObject: boolean[] = []
    for (let i = 0; i < levels; i++) {
      const kind = random.chance(50)
      isObject.push(kind)
      this.#nest(level + i)
      this.#put(kind ? (i < levels - 1 ? '{"k":' : '{') : '[')
      if (random.chance(5)) this.#gap()
    }
    while (isObject.length > 0) {
      this.#put(isObject.pop() ? '}' : ']')
      if (isObject.length > 0 && random.chance(5)) this.#gap()
    }
  }

  #scalar(): void {
    const random = this.#random
    const kind = random.below(10)
    if (kind < 5) this.#string()
    else if (kind < 8) this.#number()
    else this.#put(random.pick(['true', 'false', 'null']))
  }

  #number(): void {
    const random = this.#random
    if (random.chance(70)) {
      this.#put(random.pick(numbers))
      return
    }
    let text = random.chance(30) ? '-' : ''
    text += random.chance(20) ? '0' : random.pick('123456789') + this.#digits()
    if (random.chance(40)) text += `.${random.below(10)}${this.#digits()}`
    if (random.chance(40))
      text += `${random.pick('eE')}${random.pick(['', '+', '-'])}${random.below(10)}${this.#digits()}`
    this.#put(text)
  }

  #digits(): string {
    const random = this.#random
    const count = random.chance(3) ? random.between(50, 400) : random.below(6)
    return random.pick(['0', '12', '987', '5']).repeat(count)
  }

  #string(): void {
    this.#put('"')
    for (let pieces = this.#random.below(4); pieces > 0; pieces--) this.#piece()
    if (this.#random.chance(this.#alignPercent)) this.#align('x')
    this.#put('"')
  }

  #piece(): void {
    const random = this.#random
    if (random.chance(this.#alignPercent)) this.#align('x')
    const kind = random.below(12)
    if (kind < 4) this.#put(random.pick(plainRuns))
    else if (kind < 6) this.#put(random.pick(confusing))
    else if (kind < 8) this.#put(random.pick(characters))
    else if (kind < 11) this.#put(random.pick(escapes))
    // pairs of backslashes: runs of 2 to 130, and odd ones with an escape behind them
    else this.#put('\\\\'.repeat(random.between(1, 65)) + random.pick(['', 'x', '\\"', '\\n', '\\u0041']))
  }

  /** A key, spelled with what escapes it needs, or with more. */
  #key(key: string): void {
    const spelled = JSON.stringify(key) // lone surrogates as escapes, which they must be
    if (this.#options.hasPlainKeys === true || !this.#random.chance(15)) this.#put(spelled)
    else if (this.#random.chance(50)) this.#put(`"${[...Array(key.length).keys()].map((i) => hex(key, i)).join('')}"`)
    else if (key === '' || spelled[1] === '\\' || key.codePointAt(0)! > 0xffff) this.#put(spelled)
    else this.#put(`"${hex(key, 0)}${spelled.slice(2)}`)
  }

  /** White space where it may stand, or none. */
  #gap(): void {
    const random = this.#random
    if (this.#alignPercent > 0 && random.chance(this.#alignPercent)) this.#align(' ')
    else if (this.#spacePercent > 0 && random.chance(this.#spacePercent)) {
      this.#put(random.pick(spaces))
      if (random.below(200) === 0) this.#put(random.pick([' ', '\n', '\t ', '\r\n']).repeat(random.between(60, 140)))
    }
  }

  /** Fills up to the last or first bytes of a 64-byte block. */
  #align(filler: string): void {
    const target = this.#random.pick([63, 62, 61, 0, 1])
    this.#put(filler.repeat((target - this.#length) & 63))
  }

  #nest(level: number): void {
    if (level > this.#page.depth) this.#page.depth = level
  }

  #put(text: string): void {
    this.#text += text
    this.#length += encodedLength(text)
  }
}

function hex(text: string, at: number): string {
  return `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`
}

const structural = new Uint8Array(256)
for (const byte of Buffer.from('{}[],:"\\')) structural[byte] = 1
for (let byte = 0x80; byte < 256; byte++) structural[byte] = 1

const badBytes = Buffer.concat([
  Buffer.from('{}[],:"\\ \n\t\r0-+.eEtfnu/\u0000\u001f\u007f'),
  Buffer.of(0x80, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xf5, 0xff, 0xef, 0xbb),
])
const corpusTexts = Object.values(corpus)
  .flat()
  .map((text) => Buffer.from(text))
  .filter(({ length }) => length < 100)

/** `body` after one edit at a place that is likely to matter. */
export function damaged(random: Random, body: Buffer): Buffer {
  const at = place(random, body)
  const kind = random.below(16)
  if (kind < 2) return replaced(body, at, 1, Buffer.of((body[at] ?? 0) ^ (1 << random.below(8))))
  if (kind < 5) return replaced(body, at, 1, Buffer.of(random.pick(badBytes)))
  if (kind < 8) return replaced(body, at, 0, Buffer.of(random.pick(badBytes)))
  if (kind < 10) return replaced(body, at, random.between(1, 4), Buffer.alloc(0))
  if (kind < 12) return replaced(body, at, 0, body.subarray(at, at + random.between(1, 20)))
  if (kind < 13) return body.subarray(0, at)
  if (kind < 14) return replaced(body, at, random.below(8), random.pick(corpusTexts))
  if (kind < 15) return replaced(body, at, 0, Buffer.from(random.pick(fragments)))
  // two bytes change places
  return replaced(body, at, 2, Buffer.from(body.subarray(at, at + 2)).reverse())
}

function place(random: Random, body: Buffer): number {
  const at = random.below(body.length + 1)
  const kind = random.below(4)
  if (kind === 0) return Math.min(body.length, Math.max(0, (at & ~63) + random.between(-2, 1)))
  if (kind === 1) return at
  for (let i = at; i < body.length && i < at + 200; i++) if (structural[body[i]!] === 1) return i
  return at
}

function replaced(body: Buffer, at: number, deleted: number, inserted: Buffer): Buffer {
  return Buffer.concat([body.subarray(0, at), inserted, body.subarray(at + deleted)])
}

/** Where to cut a body of `length` bytes: everywhere alike, once, at or beside borders of blocks, or anyhow. */
export function randomCuts(random: Random, length: number): number | readonly number[] | 'whole' {
  const kind = random.below(8)
  if (kind < 2) return 'whole'
  if (kind < 4) return random.between(1, 130)
  if (kind < 5) return [random.between(1, Math.max(1, length)), length]
  if (kind < 6) return [64 * random.between(1, 4) + random.between(-2, 2), random.pick([1, 2, 63, 64, 65]), 64]
  return Array.from({ length: random.between(1, 5) }, () => random.between(1, random.pick([3, 20, 200])))
}
