// Takes credentials out of what leaves us: lines, events, errors, reports. Over the whole text, before anything of it
// is cut, and whichever way a server may have spelled them: in any case, percent-encoded, with the escapes of JSON or
// HTML, in hexadecimal, and in base64 of either alphabet, also as a part of what was encoded.

import { ExportError, printable, type Surroundings } from '../errors.js'

/** Shorter ones would blank out ordinary words, and nobody's secret is that short. */
const minSecretLength = 6
/** What may be left of escapes in escapes before an ellipsis, in characters. */
const longestEscape = 12
/** Of a secret that was cut off at an ellipsis, so many characters are too many. */
const minPartLength = 4

/** Of texts that are remembered as clean. */
const maxNameLength = 40
const maxNames = 200

const mark = '[redacted]'
export const ellipsis = '…'

/** Knows secrets, and finds them in text. Secrets may be added at any time. */
export class Redactor {
  readonly #secrets = new Set<string>()
  /** Lower-case forms to look for: in the text as it is meant, and in the same text with one alphabet of base64. */
  readonly #plain = new Needles()
  readonly #base64 = new Needles()
  /** Short texts without a secret, which mostly are names that come again and again. */
  readonly #known = new Set<string>()

  constructor(secrets: readonly (string | null | undefined)[] = []) {
    for (const secret of secrets) this.add(secret)
  }

  add(secret: string | null | undefined): void {
    if (typeof secret !== 'string' || secret.length < minSecretLength || this.#secrets.has(secret)) return
    this.#secrets.add(secret)
    this.#known.clear()
    this.#plain.add(Buffer.from(secret).toString('hex'))
    // one that has what looks like an escape loses it together with those that a server has put in
    const needles = meaningsOf(secret).map(({ text }) => text.toLowerCase())
    for (const needle of new Set(needles)) if (needle.length >= minPartLength) this.#plain.add(needle)
    const spellings = new Set([secret, secret.toLowerCase(), secret.toUpperCase(), encodeURIComponent(secret)])
    for (const core of [...spellings].flatMap(coresOf)) this.#base64.add(core)
  }

  /** The secrets as they are. */
  get secrets(): readonly string[] {
    return [...this.#secrets]
  }

  /** The text with `[redacted]` in place of each secret. */
  readonly text = (text: string): string => {
    if (this.#known.has(text)) return text
    const ranges = this.#find(text)
    if (ranges.length > 0) return replaced(text, ranges, 0, text.length)
    if (text.length <= maxNameLength && this.#known.size < maxNames) this.#known.add(text)
    return text
  }

  /** Whether something would be taken out. */
  holds(text: string): boolean {
    return this.#find(text).length > 0
  }

  /** Some characters around a place in a text, as a JSON string. */
  around({ text, at, shown }: Surroundings): string {
    const from = Math.max(0, at - shown)
    const to = Math.min(text.length, at + shown)
    const lower = asciiLower(text)
    const cut = [...this.#plain.partsAt(lower, 0, 'start'), ...this.#plain.partsAt(lower, text.length, 'end')]
    const ranges = [...this.#find(text), ...cut]
    return printable(JSON.stringify(replaced(text, merged(ranges), from, to)))
  }

  /** Parsed JSON with its secrets out of every string and name; the same object where there are none. */
  value<T>(value: T): T {
    return this.#secrets.size === 0 ? value : (this.#value(value, 64) as T)
  }

  /** The same error without secrets in it, in its causes, and in what they carry along.
   *  @param print of the data in its message, where that may be shown */
  error<T>(error: T, print?: (surroundings: Surroundings) => string): T {
    const seen = new Set<unknown>()
    const visit = (one: unknown): void => {
      if (!(one instanceof Error) || seen.has(one) || seen.size > 20) return
      seen.add(one)
      if (one instanceof ExportError && print !== undefined) one.showData(print)
      for (const name of Object.getOwnPropertyNames(one)) this.#clean(one, name)
      visit(one.cause)
      if (one instanceof AggregateError) one.errors.forEach(visit)
    }
    visit(error)
    return error
  }

  #clean(error: Error, name: string): void {
    const value: unknown = Reflect.get(error, name)
    if (typeof value === 'object' && !isPlain(value)) return
    const clean = this.#value(value, 8)
    if (clean !== value) Reflect.set(error, name, clean)
  }

  /** @param depth bounds the recursion: nothing of ours is deeper */
  #value(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return this.text(value)
    if (typeof value !== 'object' || value === null || depth === 0) return value
    if (Array.isArray(value)) {
      const clean = value.map((element) => this.#value(element, depth - 1))
      return clean.every((element, index) => element === value[index]) ? value : clean
    }
    const entries = Object.entries(value)
    const clean = entries.map(([name, member]) => [this.text(name), this.#value(member, depth - 1)] as const)
    const isSame = clean.every(([name, member], index) => name === entries[index]![0] && member === entries[index]![1])
    return isSame ? value : Object.fromEntries(clean)
  }

  /** Where secrets stand, in order and apart from each other. */
  #find(text: string): Range[] {
    if (this.#secrets.size === 0 || text.length < minPartLength) return []
    const ranges: Range[] = []
    for (const meaning of meaningsOf(text)) {
      // there may be more of them than a call takes arguments
      for (const range of this.#findIn(meaning)) ranges.push(range)
    }
    return merged(ranges)
  }

  #findIn(meant: Meaning): Range[] {
    const lower = meant.text.toLowerCase()
    // some letters are two in lower case, and none that a secret can have
    const plain = lower.length === meant.text.length ? lower : asciiLower(meant.text)
    const ranges: Range[] = []
    for (const needle of this.#plain.all) findAll(plain, needle, (from, to) => ranges.push(meant.range(from, to)))
    const base64 = plain.replaceAll('-', '+').replaceAll('_', '/')
    for (const needle of this.#base64.all) {
      findAll(base64, needle, (from, to) => {
        // a character at either end may hold some bits of the secret
        const before = from > 0 && isBase64(base64[from - 1]!) ? 1 : 0
        let end = to < base64.length && isBase64(base64[to]!) ? to + 1 : to
        while (base64[end] === '=' && end - to < 3) end++
        ranges.push(meant.range(from - before, end))
      })
    }
    for (let at = plain.indexOf(ellipsis); at >= 0; at = plain.indexOf(ellipsis, at + 1)) {
      const parts = [
        ...this.#plain.partsAt(plain, at + 1, 'start'),
        ...this.#base64.partsAt(base64, at, 'end'),
        ...this.#base64.partsAt(base64, at + 1, 'start'),
      ]
      // escapes may have been cut off as well
      for (let end = at; end > at - longestEscape; end--) parts.push(...this.#plain.partsAt(plain, end, 'end'))
      for (const part of parts) ranges.push(meant.range(part.from, part.to))
    }
    return ranges
  }
}

/** What is looked for. */
class Needles {
  readonly all: string[] = []
  /** All in one text, which is quickly asked whether a part is in any. */
  #joined = ''

  add(needle: string): void {
    this.all.push(needle)
    this.#joined += `${needle}\n`
  }

  /** Parts of them where text was cut off: a beginning just before `at`, the end of a text, or an end just after it,
   *  where one starts. */
  partsAt(text: string, at: number, what: 'start' | 'end'): Range[] {
    const ranges: Range[] = []
    const least = what === 'end' ? text.slice(Math.max(0, at - minPartLength), at) : text.slice(at, at + minPartLength)
    if (least.length < minPartLength || !this.#joined.includes(least)) return ranges
    for (const needle of this.all) {
      for (let length = needle.length - 1; length >= minPartLength; length--) {
        const [from, to] = what === 'end' ? [at - length, at] : [at, at + length]
        if (from < 0 || to > text.length) continue
        const part = what === 'end' ? needle.slice(0, length) : needle.slice(-length)
        if (!text.startsWith(part, from)) continue
        ranges.push({ from, to })
        break
      }
    }
    return ranges
  }
}

/** A copy of parsed JSON with `redact` applied to every string and key in it. `depth` bounds the recursion; what lies
 *  deeper is dropped. */
export function redactJson(value: unknown, redact: (text: string) => string, depth = 8): unknown {
  if (typeof value === 'string') return redact(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth === 0) return undefined
  if (Array.isArray(value)) return value.map((element) => redactJson(element, redact, depth - 1))
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [redact(key), redactJson(v, redact, depth - 1)]))
}

/** A function that takes secrets out of text; null and undefined are none. */
export function redactor(secrets: readonly (string | null | undefined)[]): (text: string) => string {
  return new Redactor(secrets).text
}

/** Half-open, in characters. */
interface Range {
  readonly from: number
  readonly to: number
}

function merged(ranges: readonly Range[]): Range[] {
  const sorted = [...ranges].sort((a, b) => a.from - b.from)
  const apart: Range[] = []
  for (const range of sorted) {
    const last = apart.at(-1)
    if (last === undefined || range.from > last.to) apart.push(range)
    else apart[apart.length - 1] = { from: last.from, to: Math.max(last.to, range.to) }
  }
  return apart
}

/** `text[from..to)` with the mark in place of each range that it has a part of. */
function replaced(text: string, ranges: readonly Range[], from: number, to: number): string {
  let out = ''
  let at = from
  for (const range of ranges) {
    if (range.to <= from || range.from >= to) continue
    out += text.slice(at, Math.max(at, range.from)) + mark
    at = Math.max(at, range.to)
  }
  return at < to ? out + text.slice(at, to) : out
}

function findAll(text: string, needle: string, found: (from: number, to: number) => void): void {
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) found(at, at + needle.length)
}

/**
 * What of base64 does not depend on what stands before and after: for each of the three places of the first byte in its
 * group, the characters that are made of bytes of `text` alone. In lower case, with `+` and `/`.
 */
function coresOf(text: string): string[] {
  const bytes = Buffer.from(text)
  return [0, 1, 2].flatMap((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    const core = encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
    return core.length < minSecretLength ? [] : [core.toLowerCase()]
  })
}

function isBase64(character: string): boolean {
  return /[a-z0-9+/]/.test(character)
}

/** Text without escapes that it had, and which piece of the text as it was each range of it came from. */
interface Meaning {
  readonly text: string
  range(from: number, to: number): Range
}

function asItIs(text: string): Meaning {
  return { text, range: (from, to) => ({ from, to }) }
}

/** Of escapes in what is escaped. */
const maxLayers = 3

/** `%2D`, `\u002d`, `\x2d`, `\/`, `\"`, `&#45;`, `&#x2d;`, `&amp;`: what stands for a character of ASCII. A secret has
 *  no others. */
const escapes =
  /%([0-7][0-9a-f])|\\u00([0-7][0-9a-f])|\\x([0-7][0-9a-f])|\\(["'\\/])|&#(?:0*(\d{1,3})|x0*([0-7]?[0-9a-f]));?|&(amp|lt|gt|quot|apos);/gi
const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** What escapes begin with: those of URLs, of JSON and of HTML, or of any of them. */
const kindsOfEscapes = ['%\\&', '%', '\\', '&']

/** A text as it stands, since a secret may itself have what looks like an escape, and without one layer of escapes
 *  after the other: of all kinds at once, and of each alone, since what looks like one of another kind may be the
 *  secret's. */
function meaningsOf(text: string): Meaning[] {
  const meanings = [asItIs(text)]
  if (!/[%\\&]/.test(text)) return meanings
  const seen = new Set([text])
  let from = 0
  for (let layer = 0; layer < maxLayers; layer++) {
    const end = meanings.length
    for (const before of meanings.slice(from)) {
      for (const kinds of kindsOfEscapes) {
        const meaning = unescaped(before, kinds)
        if (meaning === null || seen.has(meaning.text)) continue
        seen.add(meaning.text)
        meanings.push(meaning)
      }
    }
    from = end
  }
  return meanings
}

/** Without one layer of escapes, those that begin with one of `kinds`; null where there is none. */
function unescaped(before: Meaning, kinds: string): Meaning | null {
  let text = ''
  let at = 0
  /** The places where an escape was: after each, the two texts are in step again. */
  const steps: { at: number; from: number; to: number }[] = []
  for (const match of before.text.matchAll(escapes)) {
    const [whole, percent, unicode, byte, quoted, decimal, hex, entity] = match
    if (!kinds.includes(whole[0]!)) continue
    const itself = quoted ?? (entity && entities[entity.toLowerCase()])
    const code = decimal === undefined ? Number.parseInt(percent ?? unicode ?? byte ?? hex ?? '', 16) : Number(decimal)
    if (itself === undefined && !(code < 0x80)) continue
    text += before.text.slice(at, match.index)
    at = match.index + whole.length
    steps.push({ at: text.length, from: match.index, to: at })
    text += itself ?? String.fromCharCode(code)
  }
  if (steps.length === 0) return null
  text += before.text.slice(at)
  /** Where the character at `index` begins, or ended that was before it. */
  const place = (index: number, isEnd: boolean): number => {
    let low = 0
    for (let high = steps.length; low < high; ) {
      const middle = (low + high) >> 1
      if (steps[middle]!.at < index) low = middle + 1
      else high = middle
    }
    if (!isEnd && steps[low]?.at === index) return steps[low]!.from
    const last = steps[low - 1]
    return last === undefined ? index : last.to + (index - last.at - 1)
  }
  return { text, range: (from, to) => before.range(place(from, false), place(to, true)) }
}

function asciiLower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

function isPlain(value: object | null): boolean {
  if (value === null) return true
  if (Array.isArray(value)) return !value.some((element) => element instanceof Error)
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/** Path and query of a URL for people, without secrets: values over 40 characters (cursors, mostly, which may hold
 *  anything) are shortened. */
export function shortUrl(url: URL, redact: (text: string) => string): string {
  const [address, query = ''] = redact(url.href.replace(/#.*$/s, '')).split(/\?(.*)/s)
  const short = query
    .split('&')
    .map((pair) => {
      const value = pair.slice(pair.indexOf('=') + 1)
      return value.length > 40 ? `${pair.slice(0, pair.length - value.length)}${value.slice(0, 8)}${ellipsis}` : pair
    })
    .join('&')
  return address + (short && `?${short}`)
}
