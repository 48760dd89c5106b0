// What is told of an export that is complete.

import { countersOf } from '../counts.js'
import { isShapedBy } from '../encode/formats.js'
import { flushWasRefused } from '../files/flush.js'
import { usedEngine } from '../json/engines.js'
import type { Warning } from '../record.js'
import type { ExportReport } from '../report.js'
import type { PagedSource } from '../source/paged-source.js'
import { duplicatesOf } from '../transform/check-duplicates.js'
import { allUndefined } from '../transform/map-records.js'
import { deliveryOf } from './delivery.js'
import { editWarnings } from './edits.js'
import { settledWarnings } from './field-names.js'
import { compressionCutOf, identityInit, knownIdentityOf } from './identity.js'
import { outputSchema } from './open-encoder.js'
import type { Checked } from './options.js'
import { peakRssBytes } from './peak-memory.js'
import type { Completion, Session } from './session.js'
import { unmetInit } from './steps.js'
import { frameWarnings, runWarnings } from './warnings.js'

export interface ReportInit {
  readonly checked: Checked
  readonly source: PagedSource
  readonly session: Session
  /** How messages name the destination. */
  readonly output: string
  /** Records in the output. */
  readonly records: number
  /** zstd frames of the output; null where there are none in any case. */
  readonly frames: number | null
  /** What opening the source warned of, and what the steps and the encoder have counted in all runs. */
  readonly openWarnings: readonly Warning[]
  readonly warnings: readonly Warning[]
  readonly elapsedMs: number
  /** Wall times. */
  readonly startedAt: number
  readonly finishedAt: number
}

/** The report alone; without secrets. */
export function reportOf(init: ReportInit): ExportReport {
  const { checked, source, session, records } = init
  const { resolved, privacy } = checked
  const { outcome } = source
  const { records: recordsRead, ...counters } = countersOf(outcome)
  const sha256 = session.writer.sha256()
  return privacy.redactor.value<ExportReport>({
    complete: outcome.complete,
    resource: resolved.resource ?? anyResource,
    records,
    recordsRead,
    ...counters,
    duplicates: resolved.checkDuplicates ? duplicatesOf(init.warnings) : null,
    outputBytes: session.writer.bytesWritten,
    elapsedMs: init.elapsedMs,
    peakRssBytes: peakRssBytes(),
    output: init.output,
    format: resolved.format,
    compression: resolved.compress,
    parser: usedEngine(resolved.parser),
    parquetWriter: isShapedBy(resolved.format, 'parquet') ? resolved.parquetWriter : null,
    requestedResponseFormat: resolved.responseFormat,
    responseFormat: outcome.responseFormat,
    framing: outcome.framing,
    fallback: outcome.fallback,
    resumedFrom: session.resumedFrom,
    digest: sha256 === null ? null : { algorithm: 'sha256', hex: sha256 },
    manifest: session.manifestName,
    warnings: warningsOf(init),
  })
}

/** Resource of a converted body whose records the user did not name. */
const anyResource = '*'

function warningsOf({ checked, source, session, records, frames, openWarnings, warnings }: ReportInit): Warning[] {
  const { outcome } = source
  // what was so for the records of one run need not be so for all
  const counted = warnings.filter(({ code, count }) => code !== allUndefined || count === outcome.records)
  return [
    ...openWarnings,
    ...source.warnings(),
    ...editWarnings(checked.resolved, outcome),
    ...settledWarnings(counted, unmetInit(checked, outcome, records)),
    ...frameWarnings(frames, session.parts?.length ?? 1),
    ...runWarnings(session.resumedFrom, !flushWasRefused()),
  ]
}

/** The report and the manifest. */
export function completionOf(init: ReportInit): Completion {
  const { checked, source, session, startedAt, finishedAt } = init
  const { resolved, privacy } = checked
  const report = reportOf(init)
  const identity = identityInit(checked)
  const manifest = deliveryOf({
    report,
    resolved,
    schema: outputSchema(resolved, source.outcome),
    fingerprint: knownIdentityOf(identity),
    compressionCut: compressionCutOf(identity),
    hasInput: checked.input !== undefined,
    parts: session.parts,
    frames: init.frames,
    lastCursor: source.lastCursor,
    startedAt,
    finishedAt,
  })
  return { report, manifest: privacy.redactor.value(manifest) }
}
