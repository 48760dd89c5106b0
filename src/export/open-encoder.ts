// From the options to the encoder of the output, and the schema that its columns come from.

import { MiB } from '../bytes/units.js'
import type { Encoder } from '../encode/encoder.js'
import { jsonEncoder } from '../encode/json.js'
import { ndjsonEncoder } from '../encode/ndjson.js'
import type { ResolvedOptions } from '../options/schema.js'
import { declaredSchema } from '../schema/declared.js'
import { type ResourceSchema, unmappedSchema } from '../schema/resource.js'
import { resourceUrl } from '../source/request.js'
import type { SourceOutcome } from '../source/source.js'
import { givenSchema } from './declared-fields.js'
import { columnsOf } from './edits.js'
import { identityInit, knownIdentityOf } from './identity.js'
import { type Checked, isStream } from './options.js'

/** What is declared of the records that stay. */
export function outputSchema(resolved: ResolvedOptions, outcome: SourceOutcome): ResourceSchema {
  const declared = outcome.isUnified && resolved.resource !== null ? declaredSchema(resolved.resource) : unmappedSchema
  return columnsOf(givenSchema(resolved) ?? declared, resolved)
}

/** The encoder of the wanted format, once the first page has shown what its records are, so that columns are those of its schema. Those of columns are loaded
 *  only where they are wanted. */
export async function openEncoder(checked: Checked, outcome: SourceOutcome): Promise<Encoder> {
  const { resolved } = checked
  const schema = outputSchema(resolved, outcome)
  const hasKey = resolved.keyBy !== null
  const { unknownFields, onTypeMismatch, strict, surrogates, maxColumns } = resolved
  const columns = { schema, hasKey, unknownFields, onTypeMismatch, strict, maxColumns }
  switch (resolved.format) {
    case 'ndjson':
      return ndjsonEncoder({ surrogates, strict })
    case 'json':
      return jsonEncoder({ hasKey, surrogates, strict })
    case 'csv': {
      const { csvEncoder } = await import('../encode/csv.js')
      return csvEncoder({
        ...columns,
        delimiter: resolved.csvDelimiter,
        quote: resolved.csvQuote,
        lineEnd: resolved.csvLineEnd,
        bom: resolved.csvBom,
        header: resolved.csvHeader,
        nested: resolved.csvNested,
        flattenSlots: resolved.csvFlattenSlots,
        formulas: resolved.csvFormulas,
      })
    }
    case 'parquet': {
      const { parquetEncoder } = await import('../encode/parquet/parquet.js')
      return parquetEncoder({
        ...columns,
        writer: resolved.parquetWriter,
        compression: resolved.parquetCompression,
        bloom: resolved.parquetBloom,
        timestampUnit: resolved.timestampUnit,
        ...rowGroupsOf(checked),
        metadata: originOf(checked),
      })
    }
  }
}

/** Where the encoder ends row groups on its own. The list is cut where it is read, and the encoder follows: then it does so only where records have become so
 *  much longer on the way that a row group would not fit into memory. */
function rowGroupsOf({ resolved: { rowGroupRows, rowGroupBytes }, transform }: Checked) {
  if (isStream(transform)) return { rowGroupRows, rowGroupBytes }
  return { rowGroupRows: Number.MAX_SAFE_INTEGER, rowGroupBytes: Math.max(2 * rowGroupBytes, grownBytes) }
}

/** Bytes that a row group may come to where it was small as it was read: a quarter of the least memory that an export may have. */
const grownBytes = 16 * MiB

/** What a file can say about the export that it is of, without anything secret. Of what was read from a file we know neither. */
function originOf(checked: Checked): Record<string, string> {
  if (checked.input !== undefined) return {}
  const { resolved } = checked
  const id = knownIdentityOf(identityInit(checked))
  return {
    'truto-export.source': resourceUrl(new URL(resolved.apiUrl), resolved.resource!),
    ...(id === null ? {} : { 'truto-export.export-id': id }),
  }
}
