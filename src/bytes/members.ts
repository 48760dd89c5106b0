// Walks the members of one JSON object, or the elements of one array, in bytes that are known to be valid JSON: the
// slicer has proven that, so nothing is validated here and nothing is allocated per member.

// Here and in the stages that read records, not in a module of their own: V8 does not fold constants that are imported,
// and stages that compare with them take half as long again (Node.js 20).
const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/** 1 for quotes and brackets. */
const containerStops = new Uint8Array(256)
for (const byte of [quote, openBrace, closeBrace, openBracket, closeBracket]) containerStops[byte] = 1

/** The first byte at or after `at` that is not JSON white space. */
export function skipSpace(bytes: Uint8Array, at: number): number {
  let byte = bytes[at]!
  while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++at]!
  return at
}

/** One past the closing quote of the string whose opening quote is at `at`. */
export function skipString(bytes: Uint8Array, at: number): number {
  for (;;) {
    const byte = bytes[++at]!
    if (byte === quote) return at + 1
    if (byte === backslash) at++
  }
}

/** One past the last byte of the value that starts at `at`. */
export function skipValue(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  if (first === quote) return skipString(bytes, at)
  if (first === openBrace || first === openBracket) {
    let depth = 1
    at++
    for (;;) {
      // most bytes between the ones that matter are white space, colons, commas, digits and letters: one look-up tells
      // them apart
      while (containerStops[bytes[at]!] === 0) at++
      const byte = bytes[at]!
      if (byte === quote) at = skipString(bytes, at)
      else {
        at++
        if (byte === openBrace || byte === openBracket) depth++
        else if (--depth === 0) return at
      }
    }
  }
  // a number or a literal: ends before white space, a comma, a closing bracket, or with the bytes
  for (at++; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === comma || byte === closeBrace || byte === closeBracket || byte <= 0x20) return at
  }
  return at
}

/** Cursor over the own members of one object. Ranges are half-open and count from `bytes[0]`. */
export class MemberWalker {
  bytes: Buffer = Buffer.alloc(0)
  /** The comma before the member, or the object's opening brace. */
  separator = 0
  /** The key without its quotes. */
  keyStart = 0
  keyEnd = 0
  /** Whether the key is spelled with an escape, so that its bytes are not its text. */
  keyHasEscape = false
  valueStart = 0
  valueEnd = 0
  #at = 0

  /** Begins with the object whose opening brace is at `start`. */
  begin(bytes: Buffer, start: number): this {
    this.bytes = bytes
    this.separator = start
    this.#at = start + 1
    return this
  }

  /** Steps to the next member; false after the last. */
  next(): boolean {
    const { bytes } = this
    let at = skipSpace(bytes, this.#at)
    if (bytes[at] === comma) {
      this.separator = at
      at = skipSpace(bytes, at + 1)
    }
    if (bytes[at] === closeBrace) {
      this.#at = at
      return false
    }
    // bytes[at] is the opening quote of a key
    this.keyStart = at + 1
    let hasEscape = false
    for (;;) {
      const byte = bytes[++at]!
      if (byte === quote) break
      if (byte === backslash) {
        hasEscape = true
        at++
      }
    }
    this.keyEnd = at
    this.keyHasEscape = hasEscape
    at = skipSpace(bytes, at + 1) // the colon
    at = skipSpace(bytes, at + 1)
    this.valueStart = at
    this.#at = this.valueEnd = skipValue(bytes, at)
    return true
  }

  /** The key as text, escapes resolved. */
  key(): string {
    return this.keyHasEscape
      ? (JSON.parse(this.bytes.toString('utf8', this.keyStart - 1, this.keyEnd + 1)) as string)
      : this.bytes.toString('utf8', this.keyStart, this.keyEnd)
  }

  /** Whether the key's text is `name`, given as text and as UTF-8. */
  isKey(name: string, nameBytes: Uint8Array): boolean {
    if (this.keyHasEscape) return this.key() === name
    const length = nameBytes.length
    if (this.keyEnd - this.keyStart !== length) return false
    for (let i = 0; i < length; i++) if (this.bytes[this.keyStart + i] !== nameBytes[i]) return false
    return true
  }
}

/** Cursor over the elements of one array. Ranges are half-open and count from `bytes[0]`. */
export class ElementWalker {
  bytes: Buffer = Buffer.alloc(0)
  /** The comma before the element, or the array's opening bracket. */
  separator = 0
  valueStart = 0
  valueEnd = 0
  #at = 0

  /** Begins with the array whose opening bracket is at `start`. */
  begin(bytes: Buffer, start: number): this {
    this.bytes = bytes
    this.separator = start
    this.#at = start + 1
    return this
  }

  /** Steps to the next element; false after the last. */
  next(): boolean {
    const { bytes } = this
    let at = skipSpace(bytes, this.#at)
    if (bytes[at] === comma) {
      this.separator = at
      at = skipSpace(bytes, at + 1)
    }
    if (bytes[at] === closeBracket) {
      this.#at = at
      return false
    }
    this.valueStart = at
    this.#at = this.valueEnd = skipValue(bytes, at)
    return true
  }
}
