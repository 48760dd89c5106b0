// Thrift's compact protocol, read: structs member by member, of which the reader of a footer takes those that it knows.

/** Types of members (thrift, doc/specs/thrift-compact-protocol.md). */
export const thriftTypes = {
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
} as const
const { i16, i32, i64, double, binary, list, set, map, struct: structType } = thriftTypes
const maxDepth = 32
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Throws plain errors, whose messages go after "it has a footer that cannot be read". */
export class ThriftReader {
  readonly #bytes: Uint8Array
  #at = 0
  #depth = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Calls `field` for each member, which reads or skips its value. */
  struct(field: (id: number, type: number) => void): void {
    if (++this.#depth > maxDepth) throw new Error('it is nested too deeply')
    for (let id = 0; ; ) {
      const head = this.#byte()
      if (head === 0) break
      id = head >> 4 === 0 ? this.integer() : id + (head >> 4)
      field(id, head & 0x0f)
    }
    this.#depth--
  }

  /** A zigzag number. */
  integer(): number {
    const value = this.#varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  /** Number of elements of a list of structs, which follow. */
  listLength(): number {
    const { type, length } = this.#listHead()
    if (length > 0 && type !== structType) throw new Error('a list of structs has something else')
    return length
  }

  /** Bytes as UTF-8. */
  text(): string {
    const length = this.#varint()
    const start = this.#at
    this.#advance(length)
    return utf8.decode(this.#bytes.subarray(start, this.#at))
  }

  skip(type: number): void {
    switch (type) {
      case 1:
      case 2:
        return // true and false are in the type
      case 3:
        this.#advance(1)
        return
      case i16:
      case i32:
      case i64:
        this.#varint()
        return
      case double:
        this.#advance(8)
        return
      case binary:
        this.#advance(this.#varint())
        return
      case list:
      case set: {
        const { type: element, length } = this.#listHead()
        for (let left = length; left > 0; left--) this.#skipElement(element)
        return
      }
      case map: {
        const length = this.#varint()
        const types = length === 0 ? 0 : this.#byte()
        for (let left = length; left > 0; left--) {
          this.#skipElement(types >> 4)
          this.#skipElement(types & 0x0f)
        }
        return
      }
      case structType:
        this.struct((_, member) => this.skip(member))
        return
      default:
        throw new Error(`it has a value of the unknown type ${type}`)
    }
  }

  /** In a list, a boolean is a byte. */
  #skipElement(type: number): void {
    if (type === 1 || type === 2) this.#advance(1)
    else this.skip(type)
  }

  #listHead(): { type: number; length: number } {
    const head = this.#byte()
    const length = head >> 4 === 15 ? this.#varint() : head >> 4
    return { type: head & 0x0f, length }
  }

  #varint(): number {
    let value = 0
    // seven bytes are 49 bits, which a double holds; no count here is larger
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.#byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
    throw new Error('it has a number beyond 2^53')
  }

  #byte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw new Error('it is cut')
    this.#at++
    return byte
  }

  #advance(length: number): void {
    if (length > this.#bytes.length - this.#at) throw new Error('it is cut')
    this.#at += length
  }
}
