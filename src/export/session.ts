// One run of an export at its destination: finds what an earlier run left, saves where this one could be resumed, and
// decides what stays of it. The order is always the same: bytes are durable, then the checkpoint tells of them, then
// reading goes on.

import { openedUntilAbort } from '../abort.js'
import { formatDuration } from '../bytes/units.js'
import {
  type Checkpoint,
  decodeCheckpoint,
  type ExportState,
  encodeCheckpoint,
  type OptionDigests,
} from '../checkpoint/checkpoint.js'
import { encodeManifest, type Manifest, manifestOf } from '../checkpoint/manifest.js'
import { decodeReport } from '../checkpoint/report.js'
import type { CheckpointStore, OpenCheckpointStore } from '../checkpoint/store.js'
import type { Clock } from '../clock.js'
import { countersOf, requestCounterNames } from '../counts.js'
import type {
  ClaimedPlace,
  Destination,
  Keeps,
  KeptToken,
  Part,
  PlaceWriter,
  WriterNeeds,
} from '../destination/destination.js'
import { ConfigError, DataError, ExportError, InternalError, OutputError, printable, StateError } from '../errors.js'
import type { JsonValue } from '../record.js'
import { type ExportEvent, type ExportReport, keptText } from '../report.js'
import type { SourceOutcome } from '../source/source.js'
import { differingOptions } from './identity.js'
import { PlainPlace } from './plain-place.js'

export interface SessionInit {
  readonly destination: Destination
  /** Of the export; null where it cannot go on after an interruption, for the reason `obstacle`. */
  readonly fingerprint: string | null
  readonly obstacle: string | null
  /** Of its options one by one, to say which differ. */
  readonly optionDigests: OptionDigests
  /** Whether there has to be a checkpoint. */
  readonly mustResume: boolean
  /** Whether what is found is dropped. */
  readonly isRestart: boolean
  /** Age in ms beyond which it is dropped, too. */
  readonly resumeMaxAgeMs: number
  /** Bytes of output after which a checkpoint is due. */
  readonly commitBytes: number
  readonly hasDigest: boolean
  /** Whether a manifest is put beside the output, where the destination has a place for it. */
  readonly hasManifest: boolean
  /** In place of the destination's own. */
  readonly checkpoints?: CheckpointStore | undefined
  /** A point as it may be saved, without what is secret. */
  readonly saved: (point: ExportState) => ExportState
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
  readonly onEvent?: ((event: ExportEvent) => void) | undefined
}

/** At the end of a page, and at a cut, a checkpoint is due after this time, in ms. */
const commitEveryMs = 1000
/** How often one page may be read again because it changed. */
const maxRewinds = 3

/** What is told of an output that is complete. */
export interface Completion {
  readonly report: ExportReport
  readonly manifest: Manifest
}

/** The place that keeps what is written. */
interface Kept {
  readonly place: ClaimedPlace
  readonly store: OpenCheckpointStore
  readonly writer: PlaceWriter
}

/** What an earlier run had come to. */
type Earlier = Checkpoint & { readonly ageMs: number }

/** Opens the destination, and what is left there of an earlier run of the same export.
 *  @returns the report of the earlier run where that had completed the output, and nothing is left to do
 *  @throws StateError where what is left is not that, or another process is at it; ConfigError, OutputError */
export async function openSession(init: SessionInit): Promise<Session | ExportReport> {
  const { destination, obstacle, mustResume, signal } = init
  const place = (await destination.resumable?.()) ?? null
  if (mustResume && (obstacle !== null || place === null)) {
    const why = obstacle ?? `${destination.name} keeps nothing of an export`
    throw new ConfigError('ERR_OPTION_INVALID', `this export cannot be resumed: ${why}`, {
      hint: 'leave out --resume to begin it anew',
    })
  }
  if (place === null) {
    // a place of the user's own may never open
    const writer = await openedUntilAbort(destination.open(signal), signal, (late) => late.abort())
    return new Session(init, { plain: new PlainPlace(writer, init.hasDigest) })
  }
  const claimed = await place.claim()
  try {
    const store = await (init.checkpoints ?? claimed.checkpoints).open()
    try {
      signal?.throwIfAborted()
      const opened = await openKept(init, claimed, store)
      if (opened instanceof Session) return opened
      await store.close()
      await claimed.release()
      return opened
    } catch (error) {
      await store.close()
      throw error
    }
  } catch (error) {
    await claimed.release()
    throw error
  }
}

async function openKept(
  init: SessionInit,
  place: ClaimedPlace,
  store: OpenCheckpointStore,
): Promise<Session | ExportReport> {
  const { fingerprint, mustResume, isRestart, hasManifest, clock, onEvent } = init
  const name = printable((init.checkpoints ?? place.checkpoints).name)
  if (hasManifest) await place.manifest?.check()
  const text = isRestart ? null : await store.load()
  if (text === null) {
    if (mustResume) throw new StateError('ERR_STATE_MISSING', `there is no ${name} to resume from`)
    return beginNew(init, place, store)
  }
  const saved = decodeCheckpoint(text, name)
  const { savedAt } = saved
  const { records, source, bytes } = saved.state
  const isSame = saved.fingerprint === fingerprint
  if (saved.report !== null && (isSame || place.overwrite)) {
    const { report, manifest } = completionOf(saved, name)
    await place.publish(saved.kept, hasManifest && manifest !== null ? encodeManifest(manifest) : null)
    onEvent?.({ kind: 'finish', records, bytes, savedAt, isReplaced: place.overwrite })
    if (place.overwrite) return beginNew(init, place, store)
    await store.remove()
    return report
  }
  // a clock that was set back tells as little of the time between as one that ran on
  const ageMs = Math.abs(clock.wallNow() - Date.parse(savedAt)) || 0
  if (ageMs > init.resumeMaxAgeMs) {
    if (mustResume) {
      const limit = formatDuration(init.resumeMaxAgeMs)
      throw new StateError('ERR_STATE_EXPIRED', `${name} is of ${savedAt}, older than ${limit}`)
    }
    onEvent?.({ kind: 'expired', records, bytes, savedAt, ageMs })
    return beginNew(init, place, store)
  }
  if (!isSame) {
    const what = fingerprint === null ? 'an interrupted export, which this one cannot resume' : 'another export'
    const differing = differingOptions(saved.options, init.optionDigests)
    const which = differing.length === 0 ? '' : `; what differs: ${differing.join(', ')}`
    throw new StateError('ERR_STATE_MISMATCH', `${name} is that of ${what}${which}`)
  }
  const writer = await place.resume(saved.kept, needsOf(init))
  const { partialName: partial } = place
  onEvent?.({ kind: 'resume', page: source.page, records, bytes, savedAt, partial })
  return new Session(init, { kept: { place, store, writer }, earlier: { ...saved, ageMs } })
}

/** Begins the export; whatever was left of another is dropped. */
async function beginNew(init: SessionInit, place: ClaimedPlace, store: OpenCheckpointStore): Promise<Session> {
  const writer = await place.begin(needsOf(init))
  try {
    await store.remove()
  } catch (error) {
    await writer.abort()
    throw error
  }
  return new Session(init, { kept: { place, store, writer } })
}

function needsOf({ hasDigest, fingerprint }: SessionInit): WriterNeeds {
  return { digest: hasDigest, tokens: fingerprint !== null }
}

/** What a checkpoint of a complete output tells of it. It comes from a file: none of it is believed unread. @throws
 *  StateError ERR_STATE_CORRUPT */
function completionOf(
  { report, manifest }: Checkpoint,
  name: string,
): Pick<Completion, 'report'> & { manifest: Manifest | null } {
  const corrupt =
    (what: string) =>
    (why: string): StateError =>
      new StateError('ERR_STATE_CORRUPT', `the ${what} in ${printable(name)} ${why}`)
  return {
    report: decodeReport(report, corrupt('report')),
    manifest: manifest === null ? null : manifestOf(manifest, corrupt('manifest')),
  }
}

type SessionPlace = { readonly kept: Kept; readonly earlier?: Earlier } | { readonly plain: PlainPlace }

/** Where an export stands. `close` at the end, whatever that was. */
export class Session {
  /** Where to begin; null for the beginning. */
  start: ExportState | null
  /** What an earlier run had come to. */
  readonly resumedFrom: ExportReport['resumedFrom']
  /** Takes the output. */
  readonly writer: Pick<PlaceWriter, 'bytesWritten' | 'write' | 'sha256'>

  readonly #init: SessionInit
  readonly #kept: Kept | null
  readonly #plain: PlainPlace | null
  /** What the checkpoint tells. */
  #committed: ExportState | null
  #committedAtMs: number
  /** What an abort leaves: absent as long as there is no checkpoint. */
  #keeps: Keeps | undefined
  /** Where the export could be resumed, as soon as the checkpoint tells of it. */
  #reached: ExportState | null = null
  /** Whether the same command would not get further from the checkpoint. */
  #isStuck = false
  #pageStart: ExportState | null
  readonly #rewinds = new Map<number, number>()

  constructor(init: SessionInit, place: SessionPlace) {
    this.#init = init
    this.#kept = 'kept' in place ? place.kept : null
    this.#plain = 'plain' in place ? place.plain : null
    this.writer = 'kept' in place ? place.kept.writer : place.plain
    const earlier = 'kept' in place ? place.earlier : undefined
    this.start = this.#committed = earlier?.state ?? null
    this.#pageStart = earlier?.pageStart ?? null
    this.#keeps = earlier && { upTo: earlier.kept }
    this.#committedAtMs = init.clock.now()
    this.resumedFrom = earlier === undefined ? null : resumedFrom(earlier)
  }

  /** Whether checkpoints are saved. */
  get canCommit(): boolean {
    return this.#kept !== null && this.#init.fingerprint !== null
  }

  /** Whether the output is a place that stays, so that its writes need not be given up to stop. */
  get isKept(): boolean {
    return this.#kept !== null
  }

  /** How messages name the manifest; null where there will be none. */
  get manifestName(): string | null {
    return (this.#init.hasManifest && this.#kept?.place.manifest?.name) || null
  }

  /** Whether the output is several files, of which `endPart` ends one. */
  get hasParts(): boolean {
    return this.#kept?.writer.parts !== undefined
  }

  /** Those files, in their order; null where the output is one. */
  get parts(): readonly Part[] | null {
    return this.#kept?.writer.parts?.list() ?? null
  }

  async endPart(): Promise<void> {
    await this.#kept!.writer.parts!.end()
  }

  /** One clause on what is left after `abort`. */
  get left(): string {
    if (this.#kept === null) return this.#plain!.place.left
    const { place, writer } = this.#kept
    if (this.#committed === null || !writer.isOurs) return writer.left
    const kept = keptText(this.#committed.records, place.partialName)
    return this.#isStuck ? kept : `${kept}, the same command goes on from there`
  }

  /** The point that was reached last. */
  get reached(): ExportState | null {
    return this.#reached
  }

  /** Whether so many bytes are worth a checkpoint. */
  isDue(bytes: number): boolean {
    return bytes - (this.#committed?.bytes ?? 0) >= this.#init.commitBytes
  }

  /** Takes note of a cut at which the export could be resumed, all bytes before which were written. Says whether a
   *  checkpoint is due: cuts are far apart, so that one also is after some time. */
  reachCut(point: ExportState): boolean {
    this.#reached = point
    return this.isDue(point.bytes) || (this.#isLate && this.#isAhead(point))
  }

  /** Takes note of the beginning of a page, to which the output can be taken back. Says whether a checkpoint is due. */
  reachPage(point: ExportState): boolean {
    this.#reached = point
    this.#pageStart = point
    return this.#isLate && this.#isAhead(point)
  }

  /** Makes the bytes durable and saves the point after them. @throws OutputError, StateError */
  async commit(point: ExportState): Promise<void> {
    const { writer } = this.#kept!
    this.#reached = point
    const kept = await writer.keep()
    if (writer.bytesWritten !== point.bytes) {
      throw new InternalError('ERR_INTERNAL', `a checkpoint of ${point.bytes} bytes at ${writer.bytesWritten} bytes`)
    }
    await this.#save(point, kept, null)
  }

  /** Before an `abort`: saves the point that the export has come to, where the error leaves it true and there is a use
   *  in it. Never throws.
   *  @param error null where somebody wishes to stop
   *  @param point null where there is none */
  async stop(error: unknown, point: ExportState | null): Promise<void> {
    this.#isStuck =
      error instanceof DataError && ['ERR_CURSOR_EXPIRED', 'ERR_PAGE_CHANGED', 'ERR_FIELD_UNMET'].includes(error.code)
    if (this.#kept === null || !this.canCommit || point === null || !this.#isAhead(point)) return
    if (!leavesOutputTrue(error) || this.#kept.writer.bytesWritten !== point.bytes) return
    try {
      await this.commit(point)
    } catch {
      // the first error stays the error, and the checkpoint before this one stands
    }
  }

  /** Takes the output back to the beginning of the page, if that is what the error calls for. Then `start` is that
   *  point.
   *  @param outcome whose counts of what was asked of the server stay: it was asked
   *  @throws OutputError, StateError */
  async rewind(error: unknown, outcome: SourceOutcome): Promise<boolean> {
    const rewind = this.#kept?.writer.rewind
    if (rewind === undefined || this.#pageStart === null || !(error instanceof DataError)) return false
    const { page } = this.#pageStart.source
    const rewinds = this.#rewinds.get(page) ?? 0
    if (error.code !== 'ERR_PAGE_CHANGED' || error.page !== page || rewinds >= maxRewinds) return false
    this.#rewinds.set(page, rewinds + 1)
    const live = countersOf(outcome, requestCounterNames)
    const point = { ...this.#pageStart, source: { ...this.#pageStart.source, ...live } }
    // first the checkpoint, which must never tell of more bytes than there are
    const kept = await rewind.keptAt(point.bytes)
    if (this.#committed !== null) await this.#save(point, kept, null)
    await rewind.to(point.bytes)
    this.start = this.#reached = this.#pageStart = point
    this.#init.onEvent?.({ kind: 'rewind', page, records: point.records })
    return true
  }

  /** Gives the place free. Never throws. */
  async close(): Promise<void> {
    await this.#kept?.store.close()
    await this.#kept?.place.release()
  }

  /** All bytes of the output are written. Every step is durable before the next. @throws OutputError, StateError */
  async publish(completion: Completion): Promise<void> {
    if (this.#kept === null) return this.#plain!.place.commit()
    const { writer, store } = this.#kept
    const pending = await writer.stage()
    if (this.#committed !== null) {
      const done = { ...this.#committed, records: completion.report.records, bytes: writer.bytesWritten }
      await this.#save(done, pending, completion)
    }
    await writer.publish(this.#init.hasManifest ? encodeManifest(completion.manifest) : null)
    if (this.#committed !== null) await store.remove()
  }

  /** Nothing more will come: what the last checkpoint tells of stays. Never throws. */
  async abort(): Promise<void> {
    if (this.#kept === null) await this.#plain!.place.abort()
    else await this.#kept.writer.abort(this.#keeps)
  }

  get #isLate(): boolean {
    return this.#init.clock.now() - this.#committedAtMs >= commitEveryMs
  }

  #isAhead({ source }: ExportState): boolean {
    const committed = this.#committed?.source ?? { page: 1, records: 0 }
    return source.page !== committed.page || source.records !== committed.records
  }

  async #save(state: ExportState, kept: KeptToken, completion: Completion | null): Promise<void> {
    const { place, store } = this.#kept!
    const { fingerprint, clock, onEvent, saved } = this.#init
    const savedAt = new Date(clock.wallNow()).toISOString()
    const pageStart = completion === null ? this.#pageStart : null
    const { report, manifest } = (completion ?? { report: null, manifest: null }) as unknown as {
      [name: string]: JsonValue
    }
    const bytes = encodeCheckpoint({
      fingerprint: fingerprint!,
      options: this.#init.optionDigests,
      savedAt,
      state: saved(state),
      kept,
      pageStart: pageStart && saved(pageStart),
      report: report!,
      manifest: manifest!,
    })
    try {
      await store.save(bytes)
    } catch (error) {
      // it may be there all the same, and then no byte that it tells of may go
      const found = await store.load().catch(() => undefined)
      if (found === undefined) this.#keeps = { upTo: null }
      if (found && bytes.equals(found)) {
        this.#committed = state
        this.#keeps = { upTo: kept }
      }
      throw error
    }
    this.#committed = state
    this.#keeps = { upTo: kept }
    this.#committedAtMs = clock.now()
    onEvent?.({ kind: 'commit', records: state.records, bytes: state.bytes, partial: place.partialName })
  }
}

/** Whether the bytes written so far are good all the same: it was the source that failed. */
function leavesOutputTrue(error: unknown): boolean {
  if (error === null) return true
  if (!(error instanceof ExportError)) return false
  return !(error instanceof OutputError || error instanceof InternalError || error instanceof StateError)
}

function resumedFrom({ state, savedAt, ageMs }: Earlier): ExportReport['resumedFrom'] {
  const { records, bytes, source } = state
  return { page: source.page, records, bytes, savedAt, ageMs }
}
