// Lifts stages, which are plain functions over batches, into Transform streams: object mode on both sides, one batch in
// flight on each, since a batch carries the bytes.

import { Transform, type TransformCallback } from 'node:stream'
import { asExportError, InternalError } from '../errors.js'
import { type BatchStage, RecordBatch, type Warning } from '../record.js'
import { type EditFieldsOptions, editFieldsStage } from './edit-fields.js'
import { excludeFieldsStage } from './exclude-fields.js'
import type { Redaction } from './field-edits.js'
import { type CountingStage, type KeyByOptions, keyByStage } from './key-by.js'
import { type AsyncBatchStage, mapRecordsStage, type RecordFunction } from './map-records.js'
import type { FieldStage } from './member-locator.js'

/** Any stage: one that computes, or one that waits. It may count, and it may be faster where batches have `fields`. */
export type Stage = (BatchStage | AsyncBatchStage) &
  Partial<Pick<CountingStage, 'warnings'> & Pick<FieldStage, 'readsFields'>>

/** A Transform over batches. It takes and gives batches that own their bytes; a batch that lost all its records is not
 *  passed on. */
export class RecordTransform extends Transform {
  readonly #stages: readonly Stage[]
  readonly #abort = new AbortController()

  /** @param stages applied in order. They must give batches that own their bytes, or their argument. */
  constructor(stages: readonly Stage[]) {
    super({ objectMode: true, highWaterMark: 1 })
    this.#stages = stages
  }

  /** What the stages counted so far. */
  warnings(): Warning[] {
    return this.#stages.flatMap((stage) => stage.warnings?.() ?? [])
  }

  override _transform(batch: unknown, _encoding: BufferEncoding, done: TransformCallback): void {
    let out: RecordBatch | Promise<RecordBatch>
    try {
      if (!(batch instanceof RecordBatch))
        throw new InternalError('ERR_INTERNAL', `a transform over record batches was given ${typeof batch}`)
      out = this.#apply(batch)
    } catch (error) {
      done(asExportError(error, 'transforming a batch'))
      return
    }
    // outside of the try: an error thrown downstream must not call `done` twice
    const pass = (result: RecordBatch): void => done(null, result.count > 0 ? result : undefined)
    if (out instanceof RecordBatch) pass(out)
    else out.then(pass, (error: unknown) => done(asExportError(error, 'transforming a batch')))
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#abort.abort()
    callback(error)
  }

  /** Stays synchronous as long as the stages do. */
  #apply(batch: RecordBatch, from = 0): RecordBatch | Promise<RecordBatch> {
    for (let at = from; at < this.#stages.length; at++) {
      const out = this.#stages[at]!.apply(batch, this.#abort.signal)
      if (!(out instanceof RecordBatch)) return out.then((resolved) => this.#apply(resolved, at + 1))
      batch = out
    }
    return batch
  }
}

/** A Transform that applies one stage, or several in order. Errors that are not ours come out as InternalError with
 *  their `cause`. */
export function recordTransform(stages: Stage | readonly Stage[]): RecordTransform {
  return new RecordTransform(Array.isArray(stages) ? (stages as readonly Stage[]) : [stages as Stage])
}

/** A Transform that removes the fields at `paths` from every record. A path is dotted, `\.` is a dot of a name; it goes
 *  into objects and the elements of lists, so that `emails.type` removes `type` from every email. What is kept keeps
 *  its bytes, a field that is not there is no error, and what loses all its fields stays as `{}`.
 *  @throws ConfigError ERR_OPTION_INVALID for a malformed path */
export function excludeFields(paths: readonly string[]): RecordTransform {
  return recordTransform(excludeFieldsStage(paths))
}

/** A Transform that removes all fields but those at `paths` from every record, which keeps their order. Paths are those
 *  of `excludeFields`.
 *  @throws ConfigError ERR_OPTION_INVALID for a malformed path */
export function selectFields(paths: readonly string[]): RecordTransform {
  return recordTransform(editFieldsStage({ select: paths }))
}

/** A Transform that puts a hash or a mask in place of the values at paths of every record. Paths are those of
 *  `excludeFields`; what is no object where one with such a field was expected is redacted whole. Its `warnings` tell
 *  of that, and of the paths that no record had a field at. DataError ERR_REDACT_TYPE where there is an object.
 *  @throws ConfigError ERR_OPTION_INVALID for a malformed path or a key of fewer than 16 bytes or of one byte over and
 *  over, ERR_OPTION_MISSING for hashes without a key */
export function redactFields(
  fields: Readonly<Record<string, Redaction>>,
  options: Pick<EditFieldsOptions, 'redactKey'> = {},
): RecordTransform {
  return recordTransform(editFieldsStage({ redact: Object.entries(fields) }, options))
}

/** A Transform that gives the fields at paths of every record another name, in their place. Paths are those of
 *  `excludeFields`. DataError ERR_RENAME_CONFLICT where an object has a field of the new name already.
 *  @throws ConfigError ERR_OPTION_INVALID for a malformed path or a name that two fields would have */
export function renameFields(names: Readonly<Record<string, string>>): RecordTransform {
  return recordTransform(editFieldsStage({ rename: Object.entries(names) }))
}

/** A Transform that gives every record its key: batches come out with `keys`. A text is the `field`, all else as by
 *  default. A string is its own key, a number its digits. DataError ERR_KEY_MISSING, ERR_KEY_TYPE, ERR_KEY_DUPLICATE as
 *  the options say; ERR_LIMIT where the keys to remember are too many.
 *  @throws ConfigError ERR_OPTION_INVALID for a malformed path */
export function keyBy(field: string | KeyByOptions): RecordTransform {
  return recordTransform(keyByStage(typeof field === 'string' ? { field } : field))
}

/** A Transform that applies a function to one record after the other, parsed, and serialises what it returns, even if
 *  it is the same object: digits beyond a double are rounded. InternalError with the record's position where the
 *  function throws, whose error is the `cause`, or returns what is no JSON object. */
export function mapRecords(map: RecordFunction): RecordTransform {
  return recordTransform(mapRecordsStage(map))
}
