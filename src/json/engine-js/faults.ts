// The errors of a body: what is wrong, at which byte, in which record. An error that ends the reading first holds what
// is open to its limit, so that the verdict does not depend on where chunks end.

import { DataError, type ErrorContext, type ExportError } from '../../errors.js'
import { excerptOf, reachBytes } from '../excerpt.js'
import type { SlicerOptions } from '../slicer.js'
import { expectations } from './tables.js'
import type { BodyWindow } from './window.js'

/** Where in the page the reading stands. */
export interface Standing {
  /** Depth of the container that directly holds the records, the top level counted as 0; -1 outside of it. */
  readonly recordDepth: number
  /** Index in the page of the record that is open, or would be next. */
  readonly recordIndex: number
}

export class Faults {
  readonly #options: SlicerOptions
  readonly #body: BodyWindow
  readonly #standing: Standing

  constructor(options: SlicerOptions, body: BodyWindow, standing: Standing) {
    this.#options = options
    this.#body = body
    this.#standing = standing
  }

  /** Holds what is open to its limit, at the end of a step or when an error ends the reading. @throws DataError */
  checkOpenLength(end: number): void {
    const { recordStart, firstStart, memberStart, keyStart } = this.#body
    if (recordStart >= 0 && end - recordStart > this.#options.maxRecordBytes) throw this.recordTooLarge(recordStart)
    this.#checkLength(firstStart, end)
    this.#checkLength(memberStart, end)
    this.#checkLength(keyStart, end)
  }

  #checkLength(start: number, end: number): void {
    const { maxRecordBytes, page } = this.#options
    if (start < 0 || end - start <= maxRecordBytes) return
    const message = `the page's envelope has a part of more than ${maxRecordBytes} bytes beside its records`
    throw new DataError('ERR_RECORD_TOO_LARGE', message, { page, byteOffset: this.#body.base + start + maxRecordBytes })
  }

  recordTooLarge(start: number): DataError {
    const { maxRecordBytes, page } = this.#options
    const byteOffset = this.#body.base + start + maxRecordBytes
    const context = { page, recordIndex: this.#standing.recordIndex, byteOffset }
    return new DataError('ERR_RECORD_TOO_LARGE', `the record has more than ${maxRecordBytes} bytes`, context)
  }

  tooDeep(at: number): ExportError {
    this.checkOpenLength(at)
    const context = { page: this.#options.page, recordIndex: this.#openRecord(), byteOffset: this.#body.base + at }
    return new DataError('ERR_DEPTH', `nesting is deeper than ${this.#options.maxDepth} levels`, context)
  }

  /** The byte at `at` cannot stand in `state`. */
  unexpected(at: number, state: number): ExportError {
    this.checkOpenLength(at)
    const byte = this.#body.window.bytes[at]!
    const found =
      byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : `byte 0x${byte.toString(16).padStart(2, '0')}`
    const message = `found ${found} where ${expectations[state]} belongs`
    return new DataError('ERR_JSON_SYNTAX', message, this.#contextAt(at))
  }

  invalidUtf8(at: number): ExportError {
    this.checkOpenLength(at)
    const byte = this.#body.window.bytes[at]!.toString(16).padStart(2, '0')
    return new DataError('ERR_UTF8', `byte 0x${byte} is not valid UTF-8 here`, this.#contextAt(at))
  }

  #openRecord(): number | undefined {
    const { recordDepth, recordIndex } = this.#standing
    return recordDepth >= 0 ? recordIndex : undefined
  }

  #contextAt(at: number): ErrorContext {
    const { base, fill, window } = this.#body
    const from = Math.max(0, at - reachBytes)
    const bytes = Buffer.from(window.bytes.subarray(from, Math.min(fill, at + reachBytes)))
    // A line feed before `at` is a separator that was rewritten.
    for (let i = 0; i < at - from && this.#standing.recordDepth > 0; i++) if (bytes[i] === 0x0a) bytes[i] = 0x2c
    return {
      page: this.#options.page,
      recordIndex: this.#openRecord(),
      byteOffset: base + at,
      data: excerptOf(bytes, at - from),
    }
  }
}
