// From the options to the encoder of the output, and the schema that its columns come from.

import type { Encoder } from '../encode/encoder.js'
import { factsOf } from '../encode/formats.js'
import { openEncoder } from '../encode/openers.js'
import { limitsAfterCuts } from '../encode/parquet/row-group-end.js'
import type { ResolvedOptions } from '../options/schema.js'
import { encoderOptionsOf } from '../options/shapes.js'
import { declaredSchema } from '../schema/declared.js'
import { type ResourceSchema, unmappedSchema } from '../schema/resource.js'
import { resourceUrl } from '../source/request.js'
import type { SourceOutcome } from '../source/source.js'
import { givenSchema } from './declared-fields.js'
import { columnSchema } from './edits.js'
import { identityInit, knownIdentityOf } from './identity.js'
import { type Checked, isStream } from './options.js'

/** What is declared of the records that stay. */
export function outputSchema(resolved: ResolvedOptions, outcome: SourceOutcome): ResourceSchema {
  const declared = outcome.isUnified && resolved.resource !== null ? declaredSchema(resolved.resource) : unmappedSchema
  return columnSchema(givenSchema(resolved) ?? declared, resolved)
}

/** The encoder of the wanted format, once the first page has shown what its records are, so that columns are those of
 *  its schema. */
export function encoderOf(checked: Checked, outcome: SourceOutcome): Promise<Encoder> {
  const { resolved } = checked
  return openEncoder(resolved.format, {
    schema: outputSchema(resolved, outcome),
    hasKey: resolved.keyBy !== null,
    maxColumns: resolved.maxColumns,
    ...encoderOptionsOf(resolved),
    ...rowGroupsOf(checked),
    metadata: factsOf(resolved.format).hasOrigin ? originOf(checked) : {},
  })
}

/** Where the encoder ends row groups on its own. The list is cut where it is read, but where a Transform stands
 *  between, and the encoder follows. */
function rowGroupsOf({ resolved: { rowGroupRows, rowGroupBytes }, transform }: Checked) {
  const asked = { rows: rowGroupRows, bytes: rowGroupBytes }
  const { rows, bytes } = isStream(transform) ? asked : limitsAfterCuts(asked)
  return { rowGroupRows: rows, rowGroupBytes: bytes }
}

/** What a file can say about the export that it is of, without anything secret. Of what was read from a file we know
 *  neither. */
function originOf(checked: Checked): Record<string, string> {
  if (checked.input !== undefined) return {}
  const { resolved } = checked
  const id = knownIdentityOf(identityInit(checked))
  return {
    'truto-export.source': resourceUrl(new URL(resolved.apiUrl), resolved.resource!),
    ...(id === null ? {} : { 'truto-export.export-id': id }),
  }
}
