// How many rows a Parquet file says it has: the few members of its footer that tell, read by themselves (parquet.thrift FileMetaData, in the compact
// protocol of Thrift).

import { MiB } from '../bytes/units.js'
import { DataError } from '../errors.js'

/** Bytes `from` to `to` (excluded) of a file. */
export type ReadRange = (from: number, to: number) => Promise<Uint8Array>

const magic = 'PAR1'
/** Some hundred bytes for each column of each row group; beyond this it is none of ours. */
const maxFooterBytes = 512 * MiB

/**
 * The rows that the footer tells of.
 * @throws DataError ERR_SCHEMA where the file does not begin and end as a Parquet file, or where its footer cannot be read or contradicts itself
 */
export async function parquetRows(size: number, read: ReadRange): Promise<number> {
  if (size < 12) throw wrong(`has ${size} bytes, too few for its head and its footer`)
  const [head, tail] = [await read(0, 4), Buffer.from(await read(size - 8, size))]
  if (Buffer.from(head).toString('latin1') !== magic) throw wrong('does not begin with PAR1')
  if (tail.toString('latin1', 4) !== magic) throw wrong('does not end with PAR1')
  const length = tail.readUInt32LE(0)
  if (length > Math.min(size - 12, maxFooterBytes)) throw wrong(`says that its footer has ${length} bytes`)
  const footer = await read(size - 8 - length, size - 8)
  let rows: number | undefined
  let rowsOfGroups = 0
  try {
    const thrift = new ThriftReader(footer)
    thrift.struct((id, type) => {
      if (id === fileRows && type === i64) rows = thrift.integer()
      else if (id === fileRowGroups && type === list) {
        for (let left = thrift.listLength(); left > 0; left--) {
          thrift.struct((groupId, groupType) => {
            if (groupId === groupRows && groupType === i64) rowsOfGroups += thrift.integer()
            else thrift.skip(groupType)
          })
        }
      } else thrift.skip(type)
    })
  } catch (cause) {
    throw wrong(`has a footer that cannot be read: ${(cause as Error).message}`, cause)
  }
  if (rows === undefined) throw wrong('has a footer without a number of rows')
  if (rows !== rowsOfGroups) throw wrong(`has ${rows} rows by its footer and ${rowsOfGroups} by its row groups`)
  return rows
}

function wrong(what: string, cause?: unknown): DataError {
  return new DataError('ERR_SCHEMA', `the Parquet file ${what}`, { cause })
}

/** Ids of fields of parquet.thrift FileMetaData and RowGroup. */
const fileRows = 3
const fileRowGroups = 4
const groupRows = 3

/** Types of the compact protocol (thrift-compact-protocol.md). */
const i16 = 4
const i32 = 5
const i64 = 6
const double = 7
const binary = 8
const list = 9
const set = 10
const map = 11
const structType = 12
const maxDepth = 32

class ThriftReader {
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
    if (length > 0 && type !== structType) throw new Error('its row groups are no structs')
    return length
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
