// One run of an export at its destination: finds what an earlier run left, saves where this one could be gone on with, and decides what stays of it.
// The order is always the same: bytes are durable, then the checkpoint tells of them, then reading goes on.

import { openedUntilAbort } from '../abort.js'
import { formatDuration } from '../bytes/units.js'
import {
  type Checkpoint,
  decodeCheckpoint,
  type ExportState,
  encodeCheckpoint,
  type OptionDigests,
  type OutputProof,
} from '../checkpoint/checkpoint.js'
import { encodeManifest, type Manifest, manifestOf } from '../checkpoint/manifest.js'
import type { CheckpointStore, OpenCheckpointStore } from '../checkpoint/store.js'
import type { Clock } from '../clock.js'
import type { ClaimedPlace, Destination, DestinationWriter, ResumableWriter } from '../destination/destination.js'
import type { PartsWriter } from '../destination/directory.js'
import { ConfigError, DataError, ExportError, InternalError, OutputError, printable, StateError } from '../errors.js'
import type { JsonValue } from '../record.js'
import { type ExportEvent, type ExportReport, keptText } from '../report.js'
import { differingOptions } from './identity.js'
import { checkedBy, RunningProof } from './proof.js'

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
/** How often one page may be begun anew because it changed. */
const maxRewinds = 3

/** What is told of an output that is complete. */
export interface Completion {
  readonly report: ExportReport
  readonly manifest: Manifest
}

/** The place that is kept, and whose it is. */
interface Kept {
  readonly place: ClaimedPlace
  readonly store: OpenCheckpointStore
  readonly writer: ResumableWriter
  readonly fingerprint: string | null
}

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
    const proof = init.hasDigest ? new RunningProof({ sha256: true, crc32: false }) : null
    return new Session(init, writer, null, null, proof)
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
  const { fingerprint, mustResume, isRestart, hasDigest, hasManifest, clock, onEvent } = init
  const name = printable((init.checkpoints ?? place.checkpoints).name)
  if (hasManifest) await place.manifest?.check()
  const bytes = isRestart ? null : await store.load()
  if (bytes === null) {
    if (mustResume) throw new StateError('ERR_STATE_MISSING', `there is no ${name} to resume from`)
    return beginNew(init, place, store)
  }
  const saved = decodeCheckpoint(bytes, name)
  const { savedAt } = saved
  const { records, source, bytes: length } = saved.state
  const isSame = saved.fingerprint === fingerprint
  if (saved.report !== null && (isSame || place.overwrite)) {
    await finish(init, place, saved, name)
    onEvent?.({ kind: 'finish', records, bytes: length, savedAt, isReplaced: place.overwrite })
    if (place.overwrite) return beginNew(init, place, store)
    await store.remove()
    return saved.report as unknown as ExportReport
  }
  // a clock that was set back tells as little of the time between as one that ran on
  const ageMs = Math.abs(clock.wallNow() - Date.parse(savedAt)) || 0
  if (ageMs > init.resumeMaxAgeMs) {
    if (mustResume) {
      const limit = formatDuration(init.resumeMaxAgeMs)
      throw new StateError('ERR_STATE_EXPIRED', `${name} is of ${savedAt}, older than ${limit}`)
    }
    onEvent?.({ kind: 'expired', records, bytes: length, savedAt, ageMs })
    return beginNew(init, place, store)
  }
  if (!isSame) {
    const what = fingerprint === null ? 'an interrupted export, which this one cannot resume' : 'another export'
    const differing = differingOptions(saved.options, init.optionDigests)
    const which = differing.length === 0 ? '' : `; what differs: ${differing.join(', ')}`
    throw new StateError('ERR_STATE_MISMATCH', `${name} is that of ${what}${which}`)
  }
  const proof = proofLike(saved.proof, hasDigest)
  const writer = await place.resume(length, checkedBy(proof, saved.proof, place.partialName))
  writer.isKept = true
  proof.settle(hasDigest)
  const { partialName: partial } = place
  onEvent?.({ kind: 'resume', page: source.page, records, bytes: length, savedAt, partial })
  return new Session(init, writer, { place, store, writer, fingerprint }, { ...saved, ageMs }, proof)
}

/** Begins the export; whatever was left of another is dropped. */
async function beginNew(init: SessionInit, place: ClaimedPlace, store: OpenCheckpointStore): Promise<Session> {
  const { fingerprint, hasDigest } = init
  const writer = await place.begin()
  try {
    await store.remove()
  } catch (error) {
    await writer.abort()
    throw error
  }
  const proof = hasDigest || fingerprint !== null ? new RunningProof({ sha256: hasDigest, crc32: !hasDigest }) : null
  return new Session(init, writer, { place, store, writer, fingerprint }, null, proof)
}

/** Gives the complete output of an earlier run its name. Which of the last steps that had done is not known; none of them does harm a second time. */
async function finish(
  { hasManifest }: SessionInit,
  place: ClaimedPlace,
  saved: Checkpoint,
  name: string,
): Promise<void> {
  const { bytes } = saved.state
  const manifest = hasManifest && saved.manifest !== null ? encodedAgain(saved.manifest, name) : null
  if (await isPublished(place, bytes, saved.proof)) {
    if (manifest !== null) await place.manifest?.save(manifest)
    return
  }
  const check = checkedBy(proofLike(saved.proof, false), saved.proof, place.partialName)
  const writer = await place.resume(bytes, check)
  writer.isKept = true
  await writer.commit(manifest)
}

/** Takes what a proof was made of, and a digest where one is wanted from there on. */
function proofLike({ sha256, crc32 }: OutputProof, hasDigest: boolean): RunningProof {
  return new RunningProof({ sha256: hasDigest || sha256 !== null, crc32: crc32 !== null || !hasDigest })
}

/** The manifest that a checkpoint has, as bytes. */
function encodedAgain(manifest: JsonValue, name: string): Buffer {
  const corrupt = (why: string): StateError =>
    new StateError('ERR_STATE_CORRUPT', `the manifest in ${printable(name)} ${why}`)
  return encodeManifest(manifestOf(manifest, corrupt))
}

/** Whether the output has its name already: the run that gave it had no time to say so. */
async function isPublished(place: ClaimedPlace, bytes: number, proof: OutputProof): Promise<boolean> {
  try {
    return await place.readPublished(bytes, checkedBy(proofLike(proof, false), proof, ''))
  } catch (error) {
    if (error instanceof StateError) return false // an older output of the same length
    throw error
  }
}

/** Where an export stands. `close` at the end, whatever that was. */
export class Session {
  /** Where to begin; null for the beginning. */
  start: ExportState | null
  /** What an earlier run had come to. */
  readonly resumedFrom: ExportReport['resumedFrom']
  /** Running digest of what stands in the output; null where none is wanted. */
  proof: RunningProof | null
  /** Takes the output. `abort` leaves what the last checkpoint tells of. */
  readonly writer: DestinationWriter
  /** Gives what is told of the complete output, for the moment before it gets its name. */
  completion: () => Completion = () => {
    throw new InternalError('ERR_INTERNAL', 'an output was published before its report was known')
  }

  /** The output as a directory of files; null where it is one. */
  readonly parts: PartsWriter | null

  readonly #init: SessionInit
  readonly #kept: Kept | null
  /** What the checkpoint tells. */
  #committed: ExportState | null = null
  #committedAtMs: number
  /** Where the export could be gone on with, as soon as the checkpoint tells of it. */
  #passed: ExportState | null = null
  /** Whether the same command would not get further from the checkpoint. */
  #isStuck = false
  /** Whether it is not known which of two checkpoints is there. */
  #isUnsure = false
  #pageStart: ExportState | null = null
  readonly #rewinds = new Map<number, number>()

  constructor(
    init: SessionInit,
    writer: DestinationWriter,
    kept: Kept | null,
    saved: (Pick<Checkpoint, 'state' | 'pageStart' | 'savedAt'> & { readonly ageMs: number }) | null,
    proof: RunningProof | null,
  ) {
    this.#init = init
    this.#kept = kept
    this.proof = proof
    this.start = saved?.state ?? null
    this.#committed = this.start
    this.#pageStart = saved?.pageStart ?? null
    this.#committedAtMs = init.clock.now()
    const { records = 0, bytes = 0, source } = saved?.state ?? {}
    this.resumedFrom = saved && { page: source!.page, records, bytes, savedAt: saved.savedAt, ageMs: saved.ageMs }
    this.writer = kept === null ? writer : new KeptWriter(kept.writer, this)
    this.parts = 'endPart' in writer ? (writer as PartsWriter) : null
  }

  /** Whether checkpoints are saved. */
  get canCommit(): boolean {
    return this.#kept !== null && this.#kept.fingerprint !== null
  }

  /** Whether the output is a place that stays, so that its writes need not be given up to stop. */
  get isKept(): boolean {
    return this.#kept !== null
  }

  /** How messages name the manifest; null where there will be none. */
  get manifestName(): string | null {
    return (this.#init.hasManifest && this.#kept?.place.manifest?.name) || null
  }

  /** One clause on what is left after `abort`. */
  get left(): string {
    const { place, writer } = this.#kept!
    if (this.#committed === null || !writer.isResumable) return writer.left
    const kept = keptText(this.#committed.records, place.partialName)
    return this.#isStuck ? kept : `${kept}, the same command goes on from there`
  }

  /** Takes note of a point at which the export could be gone on with, all bytes of which were written. Says whether a checkpoint is due. */
  pass(point: ExportState): boolean {
    this.#passed = point
    return point.bytes - (this.#committed?.bytes ?? 0) >= this.#init.commitBytes
  }

  /** As `pass`, at a cut. Cuts are far apart, so that a checkpoint is also due after some time. */
  passCut(point: ExportState): boolean {
    return this.pass(point) || (this.#isLate && this.#isAhead(point))
  }

  /** Takes note of the beginning of a page, to which the output can be taken back. Says whether a checkpoint is due. */
  passPage(point: ExportState): boolean {
    this.#passed = point
    this.#pageStart = point
    return this.#isLate && this.#isAhead(point)
  }

  /** Makes the bytes durable and saves the point behind them. @throws OutputError, StateError */
  async commit(point: ExportState): Promise<void> {
    const { writer } = this.#kept!
    await writer.sync()
    if (writer.bytesWritten !== point.bytes) {
      throw new InternalError('ERR_INTERNAL', `a checkpoint of ${point.bytes} bytes at ${writer.bytesWritten} bytes`)
    }
    await this.#save(point, this.proof!.proof(), null)
  }

  /** Before an `abort`: saves the last point that was passed, where the error leaves it true and there is a use in it. Never throws.
   *  @param error null where somebody wishes to stop */
  async stop(error: unknown): Promise<void> {
    const point = this.#passed
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

  /** Takes the output back to the beginning of the page, if that is what the error calls for. Then `start` and `hash` are those of that point.
   *  @param live counts that stay: what was asked of the server was asked
   *  @throws OutputError, StateError */
  async rewind(
    error: unknown,
    live: Pick<ExportState['source'], 'requests' | 'retries' | 'waitMs' | 'bodyBytes'>,
  ): Promise<boolean> {
    if (this.#kept === null || this.#pageStart === null || !(error instanceof DataError)) return false
    const { page } = this.#pageStart.source
    const rewinds = this.#rewinds.get(page) ?? 0
    if (error.code !== 'ERR_PAGE_CHANGED' || error.page !== page || rewinds >= maxRewinds) return false
    this.#rewinds.set(page, rewinds + 1)
    const { requests, retries, waitMs, bodyBytes } = live
    const point = { ...this.#pageStart, source: { ...this.#pageStart.source, requests, retries, waitMs, bodyBytes } }
    const { writer } = this.#kept
    await writer.sync()
    const proof = new RunningProof({ sha256: this.#init.hasDigest, crc32: !this.#init.hasDigest })
    for await (const piece of writer.read(0, point.bytes)) proof.add(piece)
    // first the checkpoint, which must never tell of more bytes than there are
    if (this.#committed !== null) await this.#save(point, proof.proof(), null)
    await writer.rewind(point.bytes)
    this.proof = proof
    this.start = this.#passed = this.#pageStart = point
    this.#init.onEvent?.({ kind: 'rewind', page, records: point.records })
    return true
  }

  /** Gives the place free. Never throws. */
  async close(): Promise<void> {
    await this.#kept?.store.close()
    await this.#kept?.place.release()
  }

  /** For the writer: the output is complete. */
  async publish(): Promise<void> {
    const { writer, store } = this.#kept!
    const completion = this.completion()
    if (this.#committed !== null) {
      await writer.sync()
      const done = { ...this.#committed, records: completion.report.records, bytes: writer.bytesWritten }
      await this.#save(done, this.proof!.proof(), completion)
    }
    await writer.commit(this.#init.hasManifest ? encodeManifest(completion.manifest) : null)
    writer.isKept = false
    if (this.#committed !== null) await store.remove()
  }

  /** For the writer: nothing more will come. */
  async abort(): Promise<void> {
    const { writer } = this.#kept!
    const isLonger = this.#committed !== null && writer.bytesWritten > this.#committed.bytes
    if (writer.isResumable && isLonger && !this.#isUnsure) {
      // frees space that a full disk lacks; what cannot be cut off now is cut off by the run that goes on
      await writer.rewind(this.#committed!.bytes).catch(() => {})
    }
    await writer.abort()
  }

  get #isLate(): boolean {
    return this.#init.clock.now() - this.#committedAtMs >= commitEveryMs
  }

  #isAhead({ source }: ExportState): boolean {
    const committed = this.#committed?.source ?? { page: 1, records: 0 }
    return source.page !== committed.page || source.records !== committed.records
  }

  async #save(state: ExportState, proof: OutputProof, completion: Completion | null): Promise<void> {
    const { place, store, writer, fingerprint } = this.#kept!
    const { clock, onEvent, saved } = this.#init
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
      proof,
      pageStart: pageStart && saved(pageStart),
      report: report!,
      manifest: manifest!,
    })
    try {
      await store.save(bytes)
    } catch (error) {
      // it may be there all the same, and then no byte that it tells of may go
      const found = await store.load().catch(() => undefined)
      if (found === undefined) this.#isUnsure = true
      if (found === undefined || (found !== null && bytes.equals(found))) writer.isKept = true
      if (found && bytes.equals(found)) this.#committed = state
      throw error
    }
    writer.isKept = true
    this.#committed = state
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

/** The place as the export sees it. */
class KeptWriter implements DestinationWriter {
  readonly #writer: ResumableWriter
  readonly #session: Session

  constructor(writer: ResumableWriter, session: Session) {
    this.#writer = writer
    this.#session = session
  }

  get bytesWritten(): number {
    return this.#writer.bytesWritten
  }

  get left(): string {
    return this.#session.left
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#writer.write(bytes)
  }

  commit(): Promise<void> {
    return this.#session.publish()
  }

  abort(): Promise<void> {
    return this.#session.abort()
  }
}
