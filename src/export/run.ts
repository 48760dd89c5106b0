// Runs one export: source → steps → encoder → place. The order of things, and nothing else: options are checked and the
// place is opened before the first request, nothing is published before the list is proven to have ended, and every way
// out closes what was opened.

import { Following } from '../abort.js'
import type { ExportState } from '../checkpoint/checkpoint.js'
import { systemClock } from '../clock.js'
import { requireCodec } from '../destination/compress.js'
import type { Destination } from '../destination/destination.js'
import { destinationFromUrl } from '../destination/from-url.js'
import { extensionOf, factsOf, isShapedBy } from '../encode/formats.js'
import { requireCompression } from '../encode/parquet/compression.js'
import { asFailure, ExportError } from '../errors.js'
import type { HttpClient } from '../http/client.js'
import type { ResolvedOptions } from '../options/schema.js'
import type { RecordBatch, Warning } from '../record.js'
import type { ExportReport, Progress } from '../report.js'
import type { PagedSource } from '../source/paged-source.js'
import { expectedSchema } from './declared-fields.js'
import { columnSchema } from './edits.js'
import { checkFieldNames, checkUnmet } from './field-names.js'
import { identityInit, identityOf, obstacleOf, optionDigestsOf } from './identity.js'
import { refuseOwnFiles } from './inputs.js'
import { encoderOf } from './open-encoder.js'
import { type OpenSource, openSource } from './open-source.js'
import { type Checked, checkOptions, type ExportOptions, leaving } from './options.js'
import { Output } from './output.js'
import { completionOf, type ReportInit, reportOf } from './report-of.js'
import { openSession, Session, type SessionInit } from './session.js'
import { Steps, takeStep, unmetInit } from './steps.js'
import { addWarnings } from './warnings.js'

/** Exports one list. Nothing is visible at the destination before the list is proven to have ended and its bytes are
 *  durable. Where the promise rejects, what was unpublished has been removed, or is kept with a checkpoint: the same
 *  call then goes on from there, to the same bytes. An abort rejects it with the signal's reason, at once; one that
 *  comes when all records are read and written is too late: then the output is published and the promise resolves.
 *  @throws ExportError of any class; the signal's reason after an abort; ReaderGone where the reader of stdout has
 *  left */
export async function exportRecords(options: ExportOptions): Promise<ExportReport> {
  return runExport(checkOptions(options))
}

/** What exports of one process share. */
export interface SharedInit {
  /** Asks for the pages in place of a client of this export alone. It stays the caller's, who closes it. */
  readonly client?: HttpClient | undefined
}

/** As `exportRecords`. */
export async function runExport(checked: Checked, shared: SharedInit = {}): Promise<ExportReport> {
  const giveBack = takeStep(checked)
  const following = checked.signal && new Following(checked.signal)
  following?.begin()
  try {
    following?.signal.throwIfAborted()
    return await exportOnce(following ? { ...checked, signal: following.signal } : checked, shared)
  } catch (error) {
    throw leaving(error, checked)
  } finally {
    following?.end()
    giveBack()
  }
}

async function exportOnce(checked: Checked, { client }: SharedInit): Promise<ExportReport> {
  const { resolved, clock = systemClock, progress = emptyProgress() } = checked
  const started = { ms: clock.now(), wallMs: clock.wallNow() }
  const { readsFields: withFields } = checkAll(checked)
  const opened = await openSource(checked, { withFields, progress, client })
  try {
    const destination = checked.destination ?? destinationOf(resolved)
    await refuseOwnFiles(opened.inputs, destination)
    const session = await openSession({ ...sessionOptions(checked), destination, clock })
    if (!(session instanceof Session)) return session
    try {
      for (;;) {
        const run = new Run({ checked, session, opened, progress, started, output: destination.name })
        const report = await run.report()
        if (report !== null) return report
      }
    } finally {
      await session.close()
    }
  } finally {
    await opened.close()
  }
}

/** What is wrong with the options is known before anything is touched. @throws ConfigError */
function checkAll(checked: Checked): Steps {
  const { resolved, transform } = checked
  requireCodec(resolved.compress)
  if (isShapedBy(resolved.format, 'parquet')) requireCompression(resolved.parquetCompression)
  const steps = new Steps(checked, { duplicates: { isContinued: false } })
  columnSchema(expectedSchema(resolved), resolved)
  checkFieldNames(resolved, transform !== undefined)
  return steps
}

function destinationOf(resolved: ResolvedOptions): Destination {
  const { out, overwrite, workDir, manifest, lockMaxAgeMs, format, compress, partRows, partBytes } = resolved
  return destinationFromUrl(out, {
    overwrite,
    lockMaxAgeMs,
    ...(workDir === null ? {} : { workDir }),
    ...(manifest === null || manifest === 'none' ? {} : { manifest }),
    ...(partRows === null && partBytes === null ? {} : { extension: extensionOf(format, compress) }),
  })
}

function sessionOptions(checked: Checked): Omit<SessionInit, 'destination' | 'clock'> {
  const { resolved, checkpoints, privacy, signal, onEvent } = checked
  const identity = identityInit(checked)
  const obstacle = obstacleOf(identity)
  return {
    fingerprint: obstacle === null ? identityOf(identity) : null,
    optionDigests: optionDigestsOf(identity),
    obstacle,
    mustResume: resolved.resume,
    isRestart: resolved.restart,
    resumeMaxAgeMs: resolved.resumeMaxAgeMs,
    commitBytes: resolved.commitBytes,
    hasDigest: resolved.digest === 'sha256',
    hasManifest: resolved.manifest !== 'none',
    checkpoints,
    saved: privacy.saved,
    signal,
    onEvent,
  }
}

interface RunInit {
  readonly checked: Checked
  readonly session: Session
  readonly opened: OpenSource
  readonly progress: Progress
  readonly started: { readonly ms: number; readonly wallMs: number }
  /** How messages name the destination. */
  readonly output: string
}

/** From where the session begins to the end of the list, or to where the output is taken back. */
class Run {
  readonly #init: RunInit
  readonly #source: PagedSource
  readonly #steps: Steps
  readonly #output: Output
  /** Whether the output is not compressed. */
  readonly #isPlain: boolean
  /** Whether the output can be resumed after any record: what is compressed, and what is gathered into row groups, can
   *  be at cuts alone. */
  readonly #resumesAnywhere: boolean
  /** Records in the output. */
  #records: number
  /** Whether nothing is between the source and the place: then `#point` tells the truth. */
  #isAtPoint = false
  /** Whether all records are written: what is whole is not given up for what little is left to do. */
  #isEnding = false

  constructor(init: RunInit) {
    const { checked, session, opened, progress } = init
    const { start } = session
    this.#init = init
    this.#isPlain = checked.resolved.compress === 'none'
    this.#resumesAnywhere = this.#isPlain && factsOf(checked.resolved.format).cuts === 'records'
    this.#records = start?.records ?? 0
    this.#steps = new Steps(checked, {
      findsNames: this.#records === 0,
      duplicates: { isContinued: start !== null },
    })
    this.#output = new Output({
      session,
      compress: checked.resolved.compress,
      openEncoder: () => encoderOf(checked, this.#source.outcome),
      progress,
      signal: checked.signal,
    })
    this.#source = opened.source(start?.source ?? null, () => this.#beginPage())
    progress.records = this.#records
    progress.pages = start?.source.pages ?? 0
    progress.outputBytes = start?.bytes ?? 0
  }

  /** @returns null where the output was taken back and the session begins elsewhere now */
  async report(): Promise<ExportReport | null> {
    const { signal } = this.#init.checked
    try {
      for await (const read of this.#steps.through(this.#source.read(), signal)) {
        this.#isAtPoint = false
        const applied = this.#steps.apply(read, signal)
        await this.#encode(applied instanceof Promise ? await applied : applied)
        signal?.throwIfAborted()
      }
      signal?.throwIfAborted()
      return await this.#end()
    } catch (error) {
      return await this.#fail(error)
    }
  }

  async #encode(batch: RecordBatch): Promise<void> {
    const { session, progress } = this.#init
    if (batch.count > 0) {
      await this.#output.encode(batch)
      this.#records += batch.count
      progress.records += batch.count
    }
    if (this.#source.isAtPartEnd) await this.#output.endPart()
    else if (this.#source.isAtCut) await this.#output.cut()
    const isConfirmed = this.#source.confirm()
    this.#isAtPoint = isConfirmed && this.#resumesAnywhere
    if (isConfirmed && session.canCommit) await this.#commitIfDue()
  }

  /** Where the output can be resumed anywhere, so much of it is a reason; else it is asked at each cut. */
  async #commitIfDue(): Promise<void> {
    const { session } = this.#init
    if (this.#resumesAnywhere ? !session.isDue(this.#output.bytesWritten) : !this.#source.isAtCut) return
    const point = this.#point()
    // what is compressed is cut where that was asked for
    if (point !== null && (this.#resumesAnywhere || session.reachCut(point) || !this.#isPlain))
      await session.commit(point)
  }

  /** A page begins, to which the output can be taken back. A page that is resumed in its middle does not begin here. */
  async #beginPage(): Promise<void> {
    const { session } = this.#init
    if (!session.canCommit || !this.#isPlain) return
    const point = this.#point()
    if (point === null || point.source.taken.records > 0) return
    if (session.reachPage(point)) await session.commit(point)
  }

  /** Where the export could be resumed; null where it could not. */
  #point(): ExportState | null {
    const encoder = this.#output.state
    if (encoder === undefined) return null // records are held that are not in the output
    const source = this.#source.state
    if (source === null) return null
    const { compression, bytesWritten: bytes } = this.#output
    return { source, encoder, compression, records: this.#records, bytes, warnings: this.#warnings() }
  }

  async #end(): Promise<ExportReport> {
    const { checked, session } = this.#init
    checkUnmet(this.#warnings(), unmetInit(checked, this.#source.outcome, this.#records))
    this.#isAtPoint = false
    this.#isEnding = session.isKept
    await this.#output.end()
    if (!this.#isEnding) checked.signal?.throwIfAborted()
    await this.#output.commit(completionOf(this.#told()))
    return reportOf(this.#told())
  }

  /** Null where the output was taken back; else throws what the export ends with, after what can be kept was. */
  async #fail(error: unknown): Promise<null> {
    const { checked, session } = this.#init
    const { signal } = checked
    const failure = await this.#rewound(error)
    if (failure === null) return null
    const isStopped = signal?.aborted === true && !this.#isEnding // later, it is not what the export failed by
    await session.stop(isStopped ? null : failure, this.#isAtPoint ? this.#point() : session.reached)
    await this.#output.abort()
    if (isStopped) throw signal.reason
    const known = asFailure(failure, 'exporting')
    if (known instanceof ExportError) known.left = [known.left, session.left].filter(Boolean).join('; ')
    throw known
  }

  /** Null where the session was taken back to begin again; else what the export ends with. */
  async #rewound(error: unknown): Promise<unknown> {
    const { checked, session } = this.#init
    try {
      return !checked.signal?.aborted && (await session.rewind(error, this.#source.outcome)) ? null : error
    } catch (failure) {
      return failure
    }
  }

  #told(): ReportInit {
    const { checked, session, opened, started, output } = this.#init
    const { clock = systemClock } = checked
    return {
      checked,
      source: this.#source,
      session,
      output,
      records: this.#records,
      frames: this.#output.frames,
      openWarnings: opened.warnings,
      warnings: this.#warnings(),
      elapsedMs: clock.now() - started.ms,
      startedAt: started.wallMs,
      finishedAt: clock.wallNow(),
    }
  }

  /** What steps and encoder have counted, in all runs. */
  #warnings(): Warning[] {
    return addWarnings(this.#init.session.start?.warnings ?? [], [
      ...this.#steps.warnings(),
      ...this.#output.warnings(),
    ])
  }
}

function emptyProgress(): Progress {
  return { records: 0, pages: 0, bodyBytes: 0, outputBytes: 0, requests: 0, wait: null }
}
