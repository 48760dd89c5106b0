// The schema of a list, learned from its first records with the eyes of the columns that will hold them.

import { parseDouble, parseInt64 } from '../encode/columns/number.js'
import { parseTimestamp } from '../encode/columns/timestamp.js'
import { DataError } from '../errors.js'
import type { RecordBatch } from '../record.js'
import { SchemaLearner, type ValueTests } from '../schema/learner.js'
import type { ResourceSchema } from '../schema/resource.js'

export interface InferSchemaOptions {
  /** Records to look at. Default 10,000. */
  sampleRecords?: number
  /** `{model}/{resource}` of the records. Default `*`. */
  resource?: string
  /** Most columns, those inside of structs and lists counted. Default 10,000. */
  maxColumns?: number
}

export interface InferredSchema {
  readonly schema: ResourceSchema
  /** Records that were looked at. */
  readonly records: number
}

/** Default of `InferSchemaOptions.sampleRecords`. */
export const defaultSampleRecords = 10_000

/** Date-times with more digits than a microsecond has are text. */
const tests: ValueTests = {
  isTimestamp: (bytes, start, end) => parseTimestamp(bytes, start, end, 'micros') !== undefined,
  isInt64: (bytes, start, end) => parseInt64(bytes, start, end) !== undefined,
  isDouble: (bytes, start, end) => parseDouble(bytes, start, end) !== undefined,
}

/**
 * Learns the schema of the records of `batches`, such as `trutoSource()` or `bodySource()`, and stops reading after the
 * sample. Whole numbers are int64, others double; text is a timestamp where all of it is RFC 3339 date-times; lists and
 * objects nest. Where values disagree, where a number fits into neither, where an object is a map (more than a thousand
 * names, or more than twenty of which an object has less than a tenth), below eight levels and in `remote_data` a field
 * is JSON of any kind. The same records give the same schema, in any order, but for those that have more than a
 * thousand fields: what was seen first is kept.
 * @throws DataError ERR_SCHEMA where there are no records, ERR_LIMIT for more columns than `maxColumns`, or ten times
 * as many names on the way to them; what `batches` throws
 */
export async function inferSchema(
  batches: AsyncIterable<RecordBatch>,
  { sampleRecords = defaultSampleRecords, resource = '*', maxColumns }: InferSchemaOptions = {},
): Promise<InferredSchema> {
  const learner = new SchemaLearner(tests, maxColumns)
  for await (const batch of batches) {
    learner.add(batch.range(0, Math.min(batch.count, sampleRecords - learner.records)))
    if (learner.records >= sampleRecords) break
  }
  if (learner.records === 0) {
    throw new DataError('ERR_SCHEMA', 'there are no records to learn a schema from', {
      hint: 'take a list that has some',
    })
  }
  return { schema: learner.schema(resource), records: learner.records }
}
