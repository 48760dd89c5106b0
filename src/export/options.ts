// What an export is told, checked before anything is touched: the options of the table, and what only code can give.

import type { Duplex } from 'node:stream'
import type { CheckpointStore } from '../checkpoint/store.js'
import type { Clock } from '../clock.js'
import type { Destination } from '../destination/destination.js'
import { ConfigError } from '../errors.js'
import type { GivenOptions, ListOptions, MaybeOfResource, OfResource, OtherOptions } from '../options/given-options.js'
import { resolveOptions } from '../options/resolve.js'
import type { ResolvedOptions } from '../options/schema.js'
import type { ExportEvent, Progress } from '../report.js'
import type { BodyInputs } from '../source/body-source.js'
import type { TokenHook } from '../source/fresh-token.js'
import type { RecordFunction } from '../transform/map-records.js'
import { Privacy } from './privacy.js'

/** What only code can give. */
export interface CodeOptions {
  /** Stops reading and writing. From the abort on, the next step of `records()` or of a source rejects with the
   *  signal's reason, whatever had been read by then, and so does the promise of `exportRecords`; one that is aborted
   *  already touches nothing. What has come to its end stays as it is. */
  signal?: AbortSignal | undefined
  /** Called while the export runs. Must not throw. */
  onEvent?: ((event: ExportEvent) => void) | undefined
  /** Updated in place while the export runs. */
  progress?: Progress | undefined
  /** Your own step: a function from record to record (null leaves the record out), or a Transform over `RecordBatch`es,
   *  which has to be a new one for each call and to take all batches. It sees the records as the server sent them; the
   *  key is taken from what it gives, and fields are selected, excluded, redacted and renamed after it. A record that a
   *  function saw is serialised again, so digits beyond a double are lost. */
  transform?: RecordFunction | Duplex | undefined
  /** Where to write to instead of `out`. */
  destination?: Destination | undefined
  /** Where the checkpoint is kept, instead of beside the file. */
  checkpoints?: CheckpointStore | undefined
  /** Gives a new token, once the one in use is refused: those of an account live for minutes. It may take
   *  `tokenTimeoutMs`; its signal is aborted when it is not waited for any more. What it throws ends the export with an
   *  `AuthError`, and what was whole is kept. */
  refreshToken?: TokenHook | undefined
  /** For tests. */
  clock?: Clock | undefined
}

/** Where to read from, instead of asking Truto. */
export interface OfInput {
  /** Where to read from instead of asking Truto: a path or several, or bytes as they come. `resource` then names the
   *  declared schema that the columns of CSV and Parquet come from; without it they are `id` and `extra`. */
  readonly input: BodyInputs
}
export interface MaybeOfInput {
  /** Where to read from instead of asking Truto: a path or several, or bytes as they come. `resource` then names the
   *  declared schema that the columns of CSV and Parquet come from; without it they are `id` and `extra`. */
  readonly input?: BodyInputs
}
export type RunOptions = CodeOptions & { readonly input?: BodyInputs | undefined }

/** What an export is told: every option of the table by its property name, and what only code can give. It is of a
 *  `resource`, or of an `input`.
 *
 *  Null and undefined are as good as absent. But `resource`, `input`, `account`, `workspace` and `channel` say which
 *  list it is, and where one of them is undefined it most often is a variable of the environment that is not set. Under
 *  `exactOptionalPropertyTypes` that does not compile; `?? null` says that it is meant.
 *  @typeParam R the resource, as far as it is known: the type of its records follows */
export type ExportOptions<R extends string = string> = OtherOptions &
  ListOptions &
  CodeOptions &
  ((OfInput & MaybeOfResource<R>) | (MaybeOfInput & OfResource<R>))

/** Options that were checked. */
export interface Checked extends CodeOptions {
  readonly input?: BodyInputs | undefined
  /** Those of the table. */
  readonly resolved: ResolvedOptions
  /** What all that is said passes through, `onEvent` included. */
  readonly privacy: Privacy
}

/** @throws ConfigError */
export function checkOptions(options: GivenOptions & RunOptions): Checked {
  const { signal, onEvent, progress, transform, input, destination, checkpoints, refreshToken, clock, ...given } =
    options
  const resolved = resolveOptions(given, { hasInput: input !== undefined })
  const privacy = new Privacy(resolved)
  const wantsParts = resolved.partRows !== null || resolved.partBytes !== null
  const isPlace = destination !== undefined && destination.hasParts !== true
  if (wantsParts && (isPlace || isStream(transform))) {
    const obstacle = isPlace ? 'the given destination is one place' : 'a Transform holds records back'
    throw new ConfigError('ERR_OPTION_INVALID', `the output cannot be in parts: ${obstacle}`)
  }
  const told = privacy.events(onEvent)
  const code = { signal, onEvent: told, progress, transform, input, destination, checkpoints, refreshToken, clock }
  return { ...code, resolved, privacy }
}

/** Whether a Transform stands between what is read and what is written: then what was read and what was written is not
 *  the same. */
export function isStream(transform: RunOptions['transform']): transform is Duplex {
  return transform !== undefined && typeof transform !== 'function'
}

/** What is thrown, without secrets. The reason of an abort is not ours. */
export function leaving(error: unknown, { privacy, signal }: Checked): unknown {
  return signal?.aborted && error === signal.reason ? error : privacy.failure(error)
}
