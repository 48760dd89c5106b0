// Prints tokens back as JSON text. Nothing is assembled into objects on the way, so a key that comes twice, a key
// called `__proto__` and the digits of a number survive; the spelling of escapes and white space do not.

/** A library in the one shape that `ReprintingSlicer` drives. */
export interface TokenSource {
  /** Name of the library, for errors. */
  readonly name: string
  /** Reads one record and returns the text of its tokens.
   *  @param record one JSON object in strict UTF-8
   *  @throws Error of the library where it finds the text wrong */
  read(record: Buffer): string
}

/** Joins the texts of tokens, and puts the commas and colons between them itself: not every library reports those. */
export class TokenPrinter {
  #text = ''
  #divider = ''

  /** An opening bracket. */
  open(bracket: '{' | '['): void {
    this.#text += this.#divider + bracket
    this.#divider = ''
  }

  /** A closing bracket. */
  close(bracket: '}' | ']'): void {
    this.#text += bracket
    this.#divider = ','
  }

  /** The key of a member, escapes resolved. */
  key(key: string): void {
    this.string(key)
    this.colon()
  }

  /** The colon after a string, which makes it a key. */
  colon(): void {
    this.#divider = ':'
  }

  /** A string, escapes resolved. A lone surrogate is printed as an escape (well-formed JSON.stringify), so the text can
   *  be encoded as UTF-8. */
  string(value: string): void {
    this.scalar(JSON.stringify(value))
  }

  /** A number or a literal, as its text. */
  scalar(text: string): void {
    this.#text += this.#divider + text
    this.#divider = ','
  }

  /** The text since the last call: one value. */
  take(): string {
    const text = this.#text
    this.#text = this.#divider = ''
    return text
  }
}
