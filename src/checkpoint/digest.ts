// A digest of records in order that does not depend on how they came in batches: what tells whether a page that is read
// again begins as it did.

import { crc32 } from 'node:zlib'
import type { RecordBatch } from '../record.js'
import type { RecordsDigest } from './checkpoint.js'

/** Adds up records. The CRC is one pass at several GB a second where a batch is lines; it tells changes of a list
 *  apart, it is no proof against a server that wants to deceive, which could as well send any other records. */
export class RecordsTally implements RecordsDigest {
  records: number
  bytes: number
  crc32: number

  constructor(from: RecordsDigest = { records: 0, bytes: 0, crc32: 0 }) {
    this.records = from.records
    this.bytes = from.bytes
    this.crc32 = from.crc32
  }

  add(batch: RecordBatch): void {
    const { bytes, count, pageKeys } = batch
    if (count === 0) return
    this.records += count
    if (batch.isLines && pageKeys === undefined) {
      this.#update(bytes.subarray(batch.start(0), batch.end(count - 1) + 1))
      return
    }
    for (let index = 0; index < count; index++) {
      this.#update(batch.slice(index))
      this.#update(lineFeed)
      if (pageKeys !== undefined) this.crc32 = crc32(pageKeys[index]!, this.crc32)
    }
  }

  /** Takes over what another has added up. */
  copy(other: RecordsDigest): void {
    this.records = other.records
    this.bytes = other.bytes
    this.crc32 = other.crc32
  }

  /** A copy that stays as it is. */
  snapshot(): RecordsDigest {
    return { records: this.records, bytes: this.bytes, crc32: this.crc32 }
  }

  equals(other: RecordsDigest): boolean {
    return this.records === other.records && this.bytes === other.bytes && this.crc32 === other.crc32
  }

  #update(bytes: Uint8Array): void {
    this.bytes += bytes.length
    this.crc32 = crc32(bytes, this.crc32)
  }
}

const lineFeed = Buffer.from('\n')
