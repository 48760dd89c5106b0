// Thrift's compact protocol, as far as Parquet needs it: structs are written field by field, in the order of their ids.
// What the fields mean is known to the files that write them.

/** Element types of lists (thrift, doc/specs/thrift-compact-protocol.md). */
export const thriftI32 = 5
export const thriftBinary = 8
export const thriftStruct = 12

const typeTrue = 1
const typeFalse = 2
const typeI64 = 6
const typeList = 9

/** Writes one struct after another into one buffer. The fields of a struct come in rising order of their ids; a field
 *  that is absent is not written. */
export class ThriftWriter {
  #bytes = Buffer.allocUnsafe(1024)
  #length = 0
  /** Id of the field that was written last in the struct in hand. */
  #field = 0

  /** What was written so far, in bytes of its own; the writer is empty after it. */
  take(): Buffer {
    const bytes = this.takePart()
    this.#field = 0
    return bytes
  }

  /** As `take`, in the middle of a struct: what comes next follows on it. */
  takePart(): Buffer {
    const bytes = Buffer.from(this.#bytes.subarray(0, this.#length))
    this.#length = 0
    return bytes
  }

  boolean(field: number, value: boolean): void {
    this.#header(field, value ? typeTrue : typeFalse)
  }

  i32(field: number, value: number): void {
    this.#header(field, thriftI32)
    this.#varint(zigzag32(value))
  }

  /** @param value a safe integer */
  i64(field: number, value: number): void {
    this.#header(field, typeI64)
    // sizes, counts and offsets: whole and not negative
    this.#varint(value * 2)
  }

  binary(field: number, value: Uint8Array): void {
    this.#header(field, thriftBinary)
    this.#varint(value.length)
    this.raw(value)
  }

  text(field: number, value: string): void {
    this.#header(field, thriftBinary)
    this.textElement(value)
  }

  struct(field: number, write: () => void): void {
    this.#header(field, thriftStruct)
    this.element(write)
  }

  /** A list, whose elements `write` writes, one for each of `items`: with `element`, `value32`, `textElement` or
   *  `raw`. */
  list<T>(field: number, type: number, items: readonly T[], write: (item: T) => void): void {
    this.#header(field, typeList)
    if (items.length < 15) this.#byte((items.length << 4) | type)
    else {
      this.#byte(0xf0 | type)
      this.#varint(items.length)
    }
    for (const item of items) write(item)
  }

  /** A struct that is an element of a list, or stands alone. */
  element(write: () => void): void {
    const outer = this.#field
    this.#field = 0
    write()
    this.#byte(0)
    this.#field = outer
  }

  /** An i32 that is an element of a list. */
  i32Element(value: number): void {
    this.#varint(zigzag32(value))
  }

  /** A string that is an element of a list. */
  textElement(value: string): void {
    const length = Buffer.byteLength(value)
    this.#varint(length)
    this.#reserve(length)
    this.#bytes.write(value, this.#length)
    this.#length += length
  }

  /** An element that was written before, by this protocol. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #header(field: number, type: number): void {
    const delta = field - this.#field
    if (delta < 1 || delta > 15) throw new RangeError(`field ${field} after field ${this.#field}`)
    this.#byte((delta << 4) | type)
    this.#field = field
  }

  #byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  /** @param value whole, from 0 to 2^53 */
  #varint(value: number): void {
    while (value >= 0x80) {
      this.#byte((value % 0x80) | 0x80)
      value = Math.floor(value / 0x80)
    }
    this.#byte(value)
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}

function zigzag32(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0
}
