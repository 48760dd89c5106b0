// Runs one export: source → transforms → encoder → destination. It owns the order of things: options are checked and the destination is opened before
// the first request, nothing is published before the list is proven to have ended, and every way out closes what was opened.

import type { Duplex } from 'node:stream'
import { AbortableSteps, Following, untilAbort } from './abort.js'
import { MiB } from './bytes/units.js'
import type { ExportState, SourceState } from './checkpoint/checkpoint.js'
import type { CheckpointStore } from './checkpoint/store.js'
import { type Clock, systemClock } from './clock.js'
import { compressed, requireCodec } from './destination/compress.js'
import type { Destination, DestinationWriter } from './destination/destination.js'
import type { PartsWriter } from './destination/directory.js'
import { destinationFromUrl } from './destination/from-url.js'
import type { Encoder } from './encode/encoder.js'
import { jsonEncoder } from './encode/json.js'
import { ndjsonEncoder } from './encode/ndjson.js'
import { requireCompression } from './encode/parquet/compression.js'
import { asFailure, ConfigError, ExportError } from './errors.js'
import { expectedSchema, givenSchema } from './export/declared-fields.js'
import { deliveryOf } from './export/delivery.js'
import { columnsOf, editStagesOf, editsOf, editWarnings, excludedByServer, rowGroupCuts } from './export/edits.js'
import { checkFieldNames, checkUnmet, isTracked, settledWarnings, type UnmetInit } from './export/field-names.js'
import { type IdentityInit, identityOf, knownIdentityOf, obstacleOf, optionDigestsOf } from './export/identity.js'
import { refuseOwnFiles } from './export/inputs.js'
import { Output } from './export/output.js'
import { peakRssBytes } from './export/peak-memory.js'
import { Privacy } from './export/privacy.js'
import type { RunningProof } from './export/proof.js'
import { type Completion, openSession, Session, type SessionInit } from './export/session.js'
import { addWarnings, runWarnings } from './export/warnings.js'
import { flushWasRefused } from './files/flush.js'
import { usedEngine } from './json/slicer.js'
import { extensionOf, resolveOptions } from './options/resolve.js'
import type { GivenOptions, ResolvedOptions } from './options/schema.js'
import { type JsonRecord, type JsonValue, ownedBatches, type RecordBatch, type Warning } from './record.js'
import type { ExportEvent, ExportReport, Progress } from './report.js'
import type { DeclaredRecords } from './schema/member.js'
import { type ResourceSchema, schemaOf, unmappedSchema } from './schema/resource.js'
import { type BodyInputs, BodySource } from './source/body-source.js'
import { freshToken, type TokenHook } from './source/fresh-token.js'
import type { Input } from './source/inputs.js'
import { checkRequirements, type ListRequest, listUrl, resourceUrl } from './source/request.js'
import { emptyOutcome, type PagedSource, type RecordSource, type SourceOutcome } from './source/source.js'
import { TrutoSource, type TrutoSourceOptions } from './source/truto-source.js'
import { checkDuplicatesStage, duplicatesOf } from './transform/check-duplicates.js'
import type { FieldEdits } from './transform/field-edits.js'
import { type CountingStage, keyByStage } from './transform/key-by.js'
import { allUndefined, mapRecordsStage, type RecordFunction } from './transform/map-records.js'
import type { FieldStage } from './transform/member-locator.js'
import { RecordIterator } from './transform/record-iterator.js'
import { checkFields, fieldsAfter, projectedRecords, wholeRecords } from './transform/record-reader.js'
import type { Stage } from './transform/record-transform.js'
import { checkFunction, takeTransform, through } from './transform/user-transform.js'
import { version } from './version.js'

/** What only code can give. */
export interface RunOptions {
  /** Stops reading and writing. From the abort on, the next step of `records()` or of a source rejects with the signal's reason, whatever had been read by
   *  then, and so does the promise of `exportRecords`; one that is aborted already touches nothing. What has come to its end stays as it is. */
  signal?: AbortSignal | undefined
  /** Called while the export runs. Must not throw. */
  onEvent?: ((event: ExportEvent) => void) | undefined
  /** Updated in place while the export runs. */
  progress?: Progress | undefined
  /** Your own step: a function from record to record (null leaves the record out), or a Transform over `RecordBatch`es, which has to be a new one for each
   *  call and to take all batches. It sees the records as the server
   *  sent them; the key is taken from what it gives, and fields are selected, excluded, redacted and renamed after it. A record that a function saw is
   *  serialised again, so digits beyond a double are lost. */
  transform?: RecordFunction | Duplex | undefined
  /** Where to read from instead of asking Truto: a path or several, or bytes as they come. `resource` then names the declared schema that the columns of CSV and
   *  Parquet come from; without it they are `id` and `extra`. */
  input?: BodyInputs | undefined
  /** Where to write to instead of `out`. */
  destination?: Destination | undefined
  /** Where the checkpoint is kept, instead of beside the file. */
  checkpoints?: CheckpointStore | undefined
  /** Gives a new token, once the one in use is refused: those of an account live for minutes. It may take `tokenTimeoutMs`; its signal is aborted when it is not
   *  waited for any more. What it throws ends the export with an `AuthError`, and what was whole is kept. */
  refreshToken?: TokenHook | undefined
  /** For tests. */
  clock?: Clock | undefined
}

/** Options that say whose list it is. */
type Whose = 'account' | 'workspace' | 'channel'

/** What an export is told: every option of the README's table by its property name, and what only code can give. It is of a `resource`, or of an `input`.
 *
 *  Null and undefined are as good as absent. But `resource`, `input`, `account`, `workspace` and `channel` say which list it is, and where one of them is undefined
 *  it most often is a variable of the environment that is not set. Under `exactOptionalPropertyTypes` that does not compile; `?? null` says that it is meant.
 *  @typeParam R the resource, as far as it is known: the type of its records follows */
export type ExportOptions<R extends string = string> = Omit<GivenOptions, 'resource' | Whose> & {
  readonly [N in Whose]?: Exclude<GivenOptions[N], undefined>
} & Omit<RunOptions, 'input'> &
  ({ readonly input: BodyInputs; readonly resource?: R } | { readonly resource: R; readonly input?: BodyInputs })

interface Run extends RunOptions {
  /** What all that is said passes through. */
  readonly privacy: Privacy
}

/** The options of the table, checked, and the rest. @throws ConfigError */
function split(options: GivenOptions & RunOptions): { resolved: ResolvedOptions; run: Run } {
  const { signal, onEvent, progress, transform, input, destination, checkpoints, refreshToken, clock, ...given } =
    options
  const resolved = resolveOptions(given, { hasInput: input !== undefined })
  const privacy = new Privacy(resolved)
  const told = privacy.events(onEvent)
  const run = {
    signal,
    onEvent: told,
    progress,
    transform,
    input,
    destination,
    checkpoints,
    refreshToken,
    clock,
    privacy,
  }
  const wantsParts = resolved.partRows !== null || resolved.partBytes !== null
  const isPlace = destination !== undefined && destination.hasParts !== true
  if (wantsParts && (isPlace || (transform !== undefined && typeof transform !== 'function'))) {
    const obstacle = isPlace ? 'the given destination is one place' : 'a Transform holds records back'
    throw new ConfigError('ERR_OPTION_INVALID', `the output cannot be in parts: ${obstacle}`)
  }
  return { resolved, run: run as Run }
}

/** Exports one list. Nothing is visible at the destination before the list is proven to have ended and its bytes are durable. Where the promise rejects,
 *  what was unpublished has been removed, or is kept with a checkpoint: the same call then goes on from there, to the same bytes. An abort rejects it with the
 *  signal's reason, at once; one that comes when all records are read and written is too late: then the output is published and the promise resolves.
 *  @throws ExportError of any class; the signal's reason after an abort; ReaderGone where the reader of stdout has left */
export async function exportRecords(options: ExportOptions): Promise<ExportReport> {
  const { resolved, run } = split(options)
  const giveBack = takeStep(run)
  const following = run.signal && new Following(run.signal)
  following?.begin()
  try {
    following?.signal.throwIfAborted()
    return await exportOnce(resolved, following ? { ...run, signal: following.signal } : run)
  } catch (error) {
    throw leaving(error, run)
  } finally {
    following?.end()
    giveBack()
  }
}

/** What is thrown, without secrets. The reason of an abort is not ours. */
function leaving(error: unknown, { privacy, signal }: Run): unknown {
  return signal?.aborted && error === signal.reason ? error : privacy.failure(error)
}

async function exportOnce(resolved: ResolvedOptions, run: Run): Promise<ExportReport> {
  const clock = run.clock ?? systemClock
  const startedAt = clock.now()
  const startedWallAt = clock.wallNow()
  requireCodec(resolved.compress)
  if (resolved.format === 'parquet') requireCompression(resolved.parquetCompression)
  const progress = run.progress ?? emptyProgress()
  const readsMembers = readsFields([...checksOf(resolved, false), ...stagesOf(resolved, run)], run) // what is wrong with a step is known before anything is touched
  columnsOf(expectedSchema(resolved), resolved)
  checkFieldNames(resolved, run.transform !== undefined)
  const opened = await openSource(resolved, { ...run, progress }, readsMembers)
  try {
    const destination = run.destination ?? destinationOf(resolved)
    await refuseOwnFiles(opened.inputs ?? [], destination)
    const session = await openSession({ ...sessionOptions(resolved, run), destination, clock })
    if (!(session instanceof Session)) return session
    try {
      for (;;) {
        const report = await exportFrom(session, {
          resolved,
          run,
          progress,
          opened,
          startedAt,
          startedWallAt,
          destination,
        })
        if (report !== null) return report
      }
    } finally {
      await session.close()
    }
  } finally {
    await opened.close()
  }
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

function sessionOptions(resolved: ResolvedOptions, run: Run): Omit<SessionInit, 'destination' | 'clock'> {
  const identity = identityInit(resolved, run)
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
    checkpoints: run.checkpoints,
    saved: run.privacy.saved,
    signal: run.signal,
    onEvent: run.onEvent,
  }
}

function identityInit(resolved: ResolvedOptions, run: RunOptions): IdentityInit {
  return { resolved, transform: run.transform, hasInput: run.input !== undefined }
}

interface RunContext {
  resolved: ResolvedOptions
  run: Run
  progress: Progress
  opened: OpenSource
  startedAt: number
  /** Wall time. */
  startedWallAt: number
  destination: Destination
}

/** Exports from where the session begins. Null where the output was taken back and the session begins elsewhere now. */
async function exportFrom(session: Session, context: RunContext): Promise<ExportReport | null> {
  const { resolved, run, progress, opened, destination } = context
  const { start, canCommit } = session
  const isPlain = resolved.compress === 'none'
  // what is compressed, and what is gathered into row groups, can be gone on with at cuts alone
  const isOpen = isPlain && resolved.format !== 'parquet'
  const findsNames = (start?.records ?? 0) === 0
  const stages = [...checksOf(resolved, start !== null), ...stagesOf(resolved, run, { findsNames })]
  const { signal } = run
  // a file takes its bytes in any case, and all of what was written can be kept; a pipe may never
  const writer = new TalliedWriter(session.writer, session.proof, progress, session.isKept ? undefined : signal)
  const out = compressed(writer, resolved.compress)
  let records = start?.records ?? 0
  const makeEncoder = (): Promise<Encoder> => encoderOf(resolved, run, source.outcome)
  const output = new Output({ out, makeEncoder, parts: session.parts, start })
  const warnings = (): Warning[] => addWarnings(start?.warnings ?? [], [...warningsOf(stages), ...output.warnings()])
  const pointAt = (state: SourceState): ExportState | null => {
    const encoder = output.state
    if (encoder === undefined) return null // records are held that are not in the output
    if (source instanceof TrutoSource && !source.canSave) return null
    return { source: state, encoder, records, bytes: writer.bytesWritten, warnings: warnings() }
  }
  const source = opened.source(start?.source ?? null, async (state) => {
    // a page that is gone on with does not begin here
    if (!canCommit || !isPlain || state.taken.records > 0) return
    const point = pointAt(state)
    if (point !== null && session.passPage(point)) await session.commit(point)
  })
  showStart(progress, start)
  let isEnding = false
  try {
    for await (const read of transformed(source, run)) {
      const batch = stages.length === 0 ? read : await staged(read, stages, signal)
      if (batch.count > 0) {
        await output.encode(batch)
        records += batch.count
        progress.records += batch.count
      }
      if (source.isAtPartEnd) await output.endPart()
      else if (source.isAtCut) await output.cut()
      if (canCommit && source instanceof TrutoSource && (isOpen || source.isAtCut)) {
        const point = pointAt(source.state)
        const isDue = point !== null && (isOpen ? session.pass(point) : session.passCut(point))
        if (isDue || (point !== null && !isPlain)) await session.commit(point)
      }
      signal?.throwIfAborted()
    }
    signal?.throwIfAborted()
    const unmet = unmetInit(resolved, run, source.outcome, records)
    checkUnmet(warnings(), unmet)
    isEnding = session.isKept // what is whole is not given up for what little is left to do
    await output.end()
    if (!isEnding) signal?.throwIfAborted()
    const { outcome } = source
    const told = (): ExportReport => ({
      complete: outcome.complete,
      resource: resolved.resource ?? anyResource,
      records,
      recordsRead: outcome.records,
      pages: outcome.pages,
      requests: outcome.requests,
      retries: outcome.retries,
      waitMs: outcome.waitMs,
      bodyBytes: outcome.bodyBytes,
      emptyPages: outcome.emptyPages,
      partialPages: outcome.partialPages,
      countMismatches: outcome.countMismatches,
      duplicates: resolved.checkDuplicates ? duplicatesOf(warnings()) : null,
      outputBytes: writer.bytesWritten,
      elapsedMs: (run.clock ?? systemClock).now() - context.startedAt,
      peakRssBytes: peakRssBytes(),
      output: destination.name,
      format: resolved.format,
      compression: resolved.compress,
      parser: usedEngine(resolved.parser),
      parquetWriter: resolved.format === 'parquet' ? resolved.parquetWriter : null,
      requestedResponseFormat: resolved.responseFormat,
      responseFormat: outcome.responseFormat,
      framing: outcome.framing,
      fallback: outcome.fallback,
      resumedFrom: session.resumedFrom,
      digest: writer.digest(),
      manifest: session.manifestName,
      warnings: [
        ...opened.warnings,
        ...source.warnings(),
        ...editWarnings(resolved, outcome),
        // what was so for the records of one run need not be so for all
        ...settledWarnings(
          warnings().filter(({ code, count }) => code !== allUndefined || count === outcome.records),
          unmet,
        ),
        ...runWarnings(session.resumedFrom, !flushWasRefused()),
      ],
    })
    const report = (): ExportReport => run.privacy.redactor.value(told())
    session.completion = () => completionOf(report(), context, source, session.parts)
    await out.commit()
    return report()
  } catch (error) {
    const failure = await rewound(session, error, source.outcome, signal)
    if (failure === null) return null
    const isStopped = signal?.aborted === true && !isEnding // later, it is not what the export failed by
    await session.stop(isStopped ? null : failure)
    await out.abort()
    if (isStopped) throw signal.reason
    const known = asFailure(failure, 'exporting')
    if (known instanceof ExportError) known.left = [known.left, out.left].filter(Boolean).join('; ')
    throw known
  }
}

function completionOf(
  report: ExportReport,
  context: RunContext,
  source: PagedSource,
  parts: PartsWriter | null,
): Completion {
  const { resolved, run, startedWallAt } = context
  const manifest = deliveryOf({
    report,
    resolved,
    schema: schemaFor(resolved, source.outcome),
    fingerprint: knownIdentityOf(identityInit(resolved, run)),
    hasInput: run.input !== undefined,
    parts: parts === null ? null : parts.parts,
    lastCursor: source instanceof TrutoSource ? source.state.cursor : null,
    startedAt: startedWallAt,
    finishedAt: (run.clock ?? systemClock).wallNow(),
  })
  return { report, manifest: run.privacy.redactor.value(manifest) }
}

/** Null where the session was taken back to go on; else what the export ends with. */
async function rewound(
  session: Session,
  error: unknown,
  outcome: SourceOutcome,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  try {
    return !signal?.aborted && (await session.rewind(error, outcome)) ? null : error
  } catch (failure) {
    return failure
  }
}

/** Counters begin where the export does. */
function showStart(progress: Progress, start: ExportState | null): void {
  progress.records = start?.records ?? 0
  progress.pages = start?.source.pages ?? 0
  progress.outputBytes = start?.bytes ?? 0
}

/**
 * The records as objects, read as they are asked for: leaving the loop early stops the export, and cancels its request. Applies `transform`, `select`,
 * `exclude`, `redact` and `rename` like `exportRecords`. After an abort of `signal` the next step rejects with its reason, in the middle of a page as well.
 *
 * Their type is that of the resource, a `Member` of `instant-messaging/members` and a `JsonRecord` of any other, or the `T` that is given. It is what is known
 * of the resource; nothing checks it.
 *
 * With `fields`, objects have these own fields only, as far as the record has them, in this order. The others are not decoded, which is several
 * times faster where the engine is `simd`. They are names, not paths, as they are after `rename`; an
 * excluded field stays out. Of members they have to be declared ones, unless there is a `rename` or a `transform`. Where `T` is given, give the names as `K`, too
 * (`records<User, 'id' | 'name'>`), or get a `Partial<T>`: TypeScript infers either all type arguments or none.
 * @throws ConfigError at once for options that are wrong; from the loop what `exportRecords` throws, ERR_FIELD_UNMET after the last record
 */
export function records<T extends object = never>(
  options: Told<T, ExportOptions & { fields?: undefined }>,
): AsyncGenerator<T, void, undefined>
export function records<T extends object = never, K extends keyof T & string = never>(
  options: Told<T, ExportOptions & { fields: readonly K[] }>,
): AsyncGenerator<Pick<T, K>, void, undefined>
export function records<T extends object = never>(
  options: Told<T, ExportOptions & { fields?: readonly (keyof NoInfer<T> & string)[] | undefined }>,
): AsyncGenerator<Partial<T>, void, undefined>
export function records<R extends string>(
  options: ExportOptions<R> & { fields?: undefined },
): AsyncGenerator<RecordOf<R>, void, undefined>
export function records<R extends string, const F extends readonly string[]>(
  options: ExportOptions<R> & { fields?: (F & Unknown<F>) | undefined },
): AsyncGenerator<Partial<RecordOf<R>>, void, undefined>
export function records<R extends string, K extends string>(
  options: ExportOptions<R> & NameGiver & { fields: readonly K[] },
): AsyncGenerator<Picked<RecordOf<R>, K>, void, undefined>
export function records<R extends string, K extends NameOf<RecordOf<R>>>(
  options: ExportOptions<R> & { fields: readonly K[] },
): AsyncGenerator<Picked<RecordOf<R>, K>, void, undefined>
export function records(options: ExportOptions & { fields?: readonly string[] | undefined }): unknown {
  const { fields, ...others } = options
  const { resolved, run } = split(others)
  const edits = editsOf(resolved)
  const wanted = fields === undefined ? undefined : fieldsAfter(checkFields(fields), edits)
  // what a rename gives has names of its own
  checkFieldNames(resolved, run.transform !== undefined, resolved.rename.length > 0 ? [] : fields)
  const stages = stagesOf(resolved, run, { edits: wanted?.edits ?? edits, findsNames: true })
  const giveBack = takeStep(run)
  const read = (signal: AbortSignal) => batchesOf(resolved, { ...run, signal }, stages, wanted !== undefined)
  const batches = new AbortableSteps(read, new Following(run.signal), giveBack)
  const reader = wanted === undefined ? wholeRecords() : projectedRecords(wanted.fields)
  return new RecordIterator(batches, reader, run.signal)
}

/** The options, where a type of records is given. */
type Told<T, O> = [T] extends [never] ? never : O

/** The type of the records of a resource. */
type RecordOf<R extends string> = R extends keyof DeclaredRecords ? DeclaredRecords[R] : JsonRecord

/** The fields that a type of records names: those that any record may have beyond them are not among them. */
type KnownName<T> = keyof { [N in keyof T as string extends N ? never : number extends N ? never : N]: T[N] } & string

/** The fields that can be asked for. */
type NameOf<T> = [KnownName<T>] extends [never] ? string : KnownName<T>

/** Options by which records get fields that nobody declared. */
type NameGiver = { rename: NonNullable<GivenOptions['rename']> } | { transform: NonNullable<RunOptions['transform']> }

/** Names that are not known before it runs. */
type Unknown<F extends readonly string[]> = string extends F[number] ? F : never

/** What is left of a type of records: of fields that it does not name nothing is known. */
type Picked<T, K extends string> = Flat<Pick<T, K & KnownName<T>> & { [N in Exclude<K, KnownName<T>>]?: JsonValue }>
type Flat<T> = { [N in keyof T]: T[N] }

/** The batches after all steps. What it yields is valid until the next is asked for. */
async function* batchesOf(
  resolved: ResolvedOptions,
  run: Run,
  stages: readonly Stage[],
  isProjected: boolean,
): AsyncGenerator<RecordBatch, void, undefined> {
  const opened = await openSource(resolved, run, readsFields(stages, run, isProjected))
  try {
    const source = opened.source()
    let records = 0
    for await (const read of transformed(source, run)) {
      const batch = await staged(read, stages, run.signal)
      records += batch.count
      yield batch
    }
    checkUnmet(warningsOf(stages), unmetInit(resolved, run, source.outcome, records))
  } catch (error) {
    throw leaving(error, run)
  } finally {
    await opened.close()
  }
}

/** A list of Truto as a source for `pipeline`, `Readable.from` or `for await`: batches that own their bytes, read once. Nothing is sent before the first
 *  batch is asked for, and leaving early cancels the request. Only the options of the request, the network and the limits count; transforms and encoders are
 *  yours to add. After an abort of `signal` the next step rejects with its reason: give it to `pipeline`, too, which may be waiting for something else. */
export function trutoSource(options: ExportOptions): RecordSource {
  return new LazySource(options)
}

/** Opens its client with the first read and closes it with the last. */
class LazySource implements RecordSource {
  readonly #options: ReturnType<typeof split>
  #source: RecordSource | undefined

  constructor(options: ExportOptions) {
    this.#options = split(options) // bad options fail here, not at the first read
  }

  get outcome(): SourceOutcome {
    return this.#options.run.privacy.redactor.value(this.#source?.outcome ?? emptyOutcome())
  }

  warnings(): Warning[] {
    return this.#options.run.privacy.redactor.value(this.#source?.warnings() ?? [])
  }

  [Symbol.asyncIterator](): AsyncGenerator<RecordBatch, void, undefined> {
    return this.#steps((signal) => ownedBatches(this.#read(signal)))
  }

  read(): AsyncGenerator<RecordBatch, void, undefined> {
    return this.#steps((signal) => this.#read(signal))
  }

  #steps(make: (signal: AbortSignal) => AsyncGenerator<RecordBatch, void, undefined>): AbortableSteps<RecordBatch> {
    return new AbortableSteps(make, new Following(this.#options.run.signal))
  }

  async *#read(signal: AbortSignal): AsyncGenerator<RecordBatch, void, undefined> {
    const { resolved, run } = this.#options
    const opened = await openSource(resolved, { ...run, signal })
    try {
      this.#source = opened.source()
      for await (const batch of this.#source.read()) yield batch
    } catch (error) {
      throw leaving(error, { ...run, signal })
    } finally {
      await opened.close()
    }
  }
}

interface OpenSource {
  /** The list, from its beginning or from a state. `onPage` as in `TrutoSource`. */
  source(from?: SourceState | null, onPage?: TrutoSourceOptions['onPage']): PagedSource
  /** The files that it is read from. */
  inputs?: readonly Input[]
  warnings: readonly Warning[]
  close(): Promise<void>
}

/** @param withFields whether somebody reads the `fields` of its batches
 *  @throws ConfigError for what is wrong with the request */
async function openSource(resolved: ResolvedOptions, run: Run, withFields = false): Promise<OpenSource> {
  const { signal, onEvent, progress, clock, input, refreshToken, privacy } = run
  const { redact: _fields, partBytes, partRows: partRecords, ...settings } = resolved // what a source calls redact is something else
  const cuts = { ...(hasCuts(run) ? cutsOf(resolved) : {}), partBytes, partRecords }
  const shared = { ...settings, ...cuts, withFields, signal, onEvent, progress, ...(clock ? { clock } : {}) }
  if (input !== undefined) {
    // The user names the resource where the body holds unified records: nothing in a saved body proves it.
    const source = new BodySource(input, { ...shared, isUnified: resolved.resource !== null })
    await source.open()
    return { source: () => source, inputs: source.inputs, warnings: [], close: () => source.close() }
  }
  const request = requestOf(resolved, run)
  checkRequirements(request)
  // what is wrong with the parameters is known before a destination is opened
  listUrl(new URL(resolved.apiUrl), request, { cursor: resolved.cursor, responseFormat: 'stream' })
  // undici is half of what starting costs, and a converted file needs none of it
  const { HttpClient } = await import('./http/client.js')
  const apiUrl = new URL(resolved.apiUrl)
  const client = new HttpClient({
    apiUrl,
    token: resolved.token,
    connectTimeoutMs: resolved.connectTimeoutMs,
    headTimeoutMs: resolved.headTimeoutMs,
    idleTimeoutMs: resolved.idleTimeoutMs,
    allowInsecureHttp: resolved.allowInsecureHttp,
    debugBodies: resolved.debugBodies,
    userAgent: `truto-export/${version}`,
    maxDecodedRatio: resolved.maxDecodedRatio,
    pacing: {
      accountRequests: resolved.accountRequests,
      tokenRequests: resolved.tokenRequests,
      windowMs: resolved.rateWindowMs,
    },
    redactor: privacy.redactor,
    ...(onEvent ? { onDetail: (message: string) => onEvent({ kind: 'detail', message }) } : {}),
    ...(resolved.ca === null ? {} : { ca: resolved.ca }),
    ...(clock ? { clock } : {}),
  })
  const refresh = async (): Promise<void> => {
    const token = await freshToken(refreshToken!, { timeoutMs: resolved.tokenTimeoutMs, clock, signal })
    privacy.useToken(token)
    client.setToken(token)
  }
  const options = {
    ...shared,
    client,
    redact: client.redact,
    cursors: privacy,
    apiUrl,
    request,
    responseFormat: resolved.responseFormat,
    cursor: resolved.cursor,
    retry: {
      maxTries: resolved.tries,
      baseMs: resolved.backoffBaseMs,
      maxBackoffMs: resolved.backoffMaxMs,
      maxWaitMs: resolved.maxWaitMs,
    },
    ...(refreshToken ? { refresh } : {}),
    refreshTimeoutMs: resolved.tokenTimeoutMs,
  }
  return {
    source: (from = null, onPage) => new TrutoSource({ ...options, from, onPage }),
    warnings: client.warnings,
    close: () => client.close(),
  }
}

/** Whether the list can be cut for its output: where a Transform stands between, what was read and what was written is not the same. */
function hasCuts({ transform }: RunOptions): boolean {
  return transform === undefined || typeof transform === 'function'
}

/** Where a list is cut, so that what stands before a cut can be kept: row groups of Parquet, members of what is compressed. */
function cutsOf(resolved: ResolvedOptions): { cutBytes?: number; cutRecords?: number } {
  if (resolved.format === 'parquet') return rowGroupCuts(columnsOf(expectedSchema(resolved), resolved), resolved)
  return resolved.compress === 'none' ? {} : { cutBytes: resolved.commitBytes }
}

/** The request, with the exclusions that the server may do for us. They are done again here, because `stream` may ignore them. */
function requestOf(resolved: ResolvedOptions, run: RunOptions): ListRequest {
  return {
    resource: resolved.resource!, // resolveOptions requires it where there is no input
    account: resolved.account ?? undefined,
    workspace: resolved.workspace ?? undefined,
    channel: resolved.channel ?? undefined,
    integration: resolved.integration ?? undefined,
    limit: resolved.limit ?? undefined,
    ignoreLimit: resolved.ignoreLimit,
    ...excludedByServer(resolved, run.transform !== undefined),
    query: resolved.query,
    rawQuery: resolved.queryRaw ?? undefined,
  }
}

/** Resource of a converted body whose records the user did not name. */
const anyResource = '*'

/** What looks at records as the server sent them and leaves them as they are. */
function checksOf({ checkDuplicates, maxKeyBytes }: ResolvedOptions, isContinued: boolean): FieldStage[] {
  return checkDuplicates ? [checkDuplicatesStage({ maxKeyBytes, isContinued })] : []
}

interface StagesInit {
  edits?: FieldEdits
  /** Whether the first record of the export is among those that come. */
  findsNames?: boolean
}

/** The built-in steps, in the order in which they see a record: the user's function, the key, the edits of fields. */
function stagesOf(resolved: ResolvedOptions, run: RunOptions, init: StagesInit = {}): Stage[] {
  const { edits = editsOf(resolved), findsNames = false } = init
  const stages: Stage[] = []
  if (typeof run.transform === 'function') stages.push(mapRecordsStage(run.transform))
  if (resolved.keyBy !== null) {
    const { keyBy: field, keyByMissing: missing, keyByDuplicate: duplicate, maxKeyBytes } = resolved
    stages.push(keyByStage({ field, missing, duplicate, maxKeyBytes }))
  }
  return [...stages, ...editStagesOf(edits, resolved, { isTracked: isTracked(resolved), findsNames })]
}

function unmetInit(resolved: ResolvedOptions, run: RunOptions, outcome: SourceOutcome, records: number): UnmetInit {
  const { transform, input } = run
  return { resolved, hasTransform: transform !== undefined, hasInput: input !== undefined, outcome, records }
}

/** Whether a step, or the reader at their end, asks batches for their `fields`; those that a user's transform gives have none. */
function readsFields(stages: readonly Stage[], { transform }: RunOptions, isProjected = false): boolean {
  if (transform !== undefined) return false
  return isProjected || stages.some((stage) => 'readsFields' in stage && (stage as FieldStage).readsFields)
}

/** Takes the user's Transform, if there is one, for this run alone. Returns what gives it back where nothing went through it. @throws ConfigError */
function takeStep({ transform }: RunOptions): () => void {
  if (typeof transform === 'function') checkFunction(transform)
  return transform === undefined || typeof transform === 'function' ? () => {} : takeTransform(transform)
}

/** The source's batches, after the user's Transform if there is one. */
function transformed(source: RecordSource, { transform, signal }: RunOptions): AsyncIterable<RecordBatch> {
  const batches = source.read()
  return transform === undefined || typeof transform === 'function' ? batches : through(batches, transform, signal)
}

/** A batch after the built-in steps. What it gives is valid until the next batch is asked for. */
async function staged(batch: RecordBatch, stages: readonly Stage[], signal?: AbortSignal): Promise<RecordBatch> {
  for (const stage of stages) {
    const result = stage.apply(batch, signal)
    if (!(result instanceof Promise)) batch = result
    // a user's function may never resolve
    else batch = signal === undefined ? await result : await untilAbort(result, signal)
  }
  return batch
}

function warningsOf(stages: readonly Stage[]): Warning[] {
  return stages.flatMap((stage) => ('warnings' in stage ? (stage as CountingStage).warnings() : []))
}

/** The encoder, once the first page has shown what its records are, so that columns are those of its schema. */
function encoderOf(resolved: ResolvedOptions, run: RunOptions, outcome: SourceOutcome): Promise<Encoder> {
  return encoderFor(resolved, run, schemaFor(resolved, outcome))
}

/** What is declared of the records that stay. */
function schemaFor(resolved: ResolvedOptions, outcome: SourceOutcome): ResourceSchema {
  const declared = outcome.isUnified && resolved.resource !== null ? schemaOf(resolved.resource) : unmappedSchema
  return columnsOf(givenSchema(resolved) ?? declared, resolved)
}

/** The encoder of the wanted format. Those of columns are loaded only where they are wanted. */
async function encoderFor(resolved: ResolvedOptions, run: RunOptions, schema: ResourceSchema): Promise<Encoder> {
  const hasKey = resolved.keyBy !== null
  const { unknownFields, onTypeMismatch, strict, surrogates, maxColumns } = resolved
  const columns = { schema, hasKey, unknownFields, onTypeMismatch, strict, maxColumns }
  switch (resolved.format) {
    case 'ndjson':
      return ndjsonEncoder({ surrogates, strict })
    case 'json':
      return jsonEncoder({ hasKey, surrogates, strict })
    case 'csv': {
      const { csvEncoder } = await import('./encode/csv.js')
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
      const { parquetEncoder } = await import('./encode/parquet/parquet.js')
      return parquetEncoder({
        ...columns,
        writer: resolved.parquetWriter,
        compression: resolved.parquetCompression,
        bloom: resolved.parquetBloom,
        timestampUnit: resolved.timestampUnit,
        ...rowGroupsOf(resolved, run),
        metadata: originOf(resolved, run),
      })
    }
  }
}

/** Where the encoder ends row groups on its own. The list is cut where it is read, and the encoder follows: then it does so only where records have become so
 *  much longer on the way that a row group would not fit into memory. */
function rowGroupsOf({ rowGroupRows, rowGroupBytes }: ResolvedOptions, run: RunOptions) {
  if (!hasCuts(run)) return { rowGroupRows, rowGroupBytes }
  return { rowGroupRows: Number.MAX_SAFE_INTEGER, rowGroupBytes: Math.max(2 * rowGroupBytes, grownBytes) }
}

/** Bytes that a row group may come to where it was small as it was read: a quarter of the least memory that an export may have. */
const grownBytes = 16 * MiB

/** What a file can say about the export that it is of, without anything secret. Of what was read from a file we know neither. */
function originOf(resolved: ResolvedOptions, run: RunOptions): Record<string, string> {
  if (run.input !== undefined) return {}
  const id = knownIdentityOf(identityInit(resolved, run))
  return {
    'truto-export.source': resourceUrl(new URL(resolved.apiUrl), resolved.resource!),
    ...(id === null ? {} : { 'truto-export.export-id': id }),
  }
}

/** A writer that counts and digests what reaches the destination, and stops waiting for it when the export is aborted. */
class TalliedWriter implements DestinationWriter {
  readonly #writer: DestinationWriter
  readonly #proof: RunningProof | null
  readonly #progress: Progress
  readonly #signal: AbortSignal | undefined
  /** Rejects the write that is waited for. One listener for all writes: to add and remove one for each costs more than the small ones themselves. */
  #rejectWrite: (reason: unknown) => void = () => {}
  readonly #onAbort = (): void => this.#rejectWrite(this.#signal!.reason)

  /** @param proof of what stands at the destination already; null where none is wanted */
  constructor(
    writer: DestinationWriter,
    proof: RunningProof | null,
    progress: Progress,
    signal: AbortSignal | undefined,
  ) {
    this.#writer = writer
    this.#proof = proof
    this.#progress = progress
    this.#signal = signal
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  get bytesWritten(): number {
    return this.#writer.bytesWritten
  }

  get left(): string {
    return this.#writer.left
  }

  write(bytes: Uint8Array): Promise<void> {
    this.#proof?.add(bytes)
    this.#progress.outputBytes += bytes.length
    const signal = this.#signal
    const written = this.#writer.write(bytes)
    if (signal === undefined) return written
    return new Promise((resolve, reject) => {
      this.#rejectWrite = reject
      written.then(resolve, reject)
      if (signal.aborted) reject(signal.reason)
    })
  }

  commit(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    return this.#writer.commit()
  }

  abort(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    return this.#writer.abort()
  }

  /** Of all bytes written so far. */
  digest(): ExportReport['digest'] {
    const hex = this.#proof?.sha256() ?? null
    return hex === null ? null : { algorithm: 'sha256', hex }
  }
}

function emptyProgress(): Progress {
  return { records: 0, pages: 0, bodyBytes: 0, outputBytes: 0, requests: 0, wait: null }
}
