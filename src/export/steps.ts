// What a record meets on its way from the list to the encoder: the user's own step, the key, the edits of fields.

import type { Duplex } from 'node:stream'
import { untilAbort } from '../abort.js'
import type { RecordBatch, Warning } from '../record.js'
import type { SourceOutcome } from '../source/source.js'
import { checkDuplicatesStage } from '../transform/check-duplicates.js'
import type { FieldEdits } from '../transform/field-edits.js'
import { keyByStage } from '../transform/key-by.js'
import { mapRecordsStage } from '../transform/map-records.js'
import type { Stage } from '../transform/record-transform.js'
import { checkFunction, takeTransform, through } from '../transform/user-transform.js'
import { editStagesOf, editsOf } from './edits.js'
import { isTracked, type UnmetInit } from './field-names.js'
import { type Checked, isStream, type RunOptions } from './options.js'

export interface StepsInit {
  /** Default: those of the options. */
  readonly edits?: FieldEdits
  /** Whether the first record of the export is among those that come. Default false. */
  readonly findsNames?: boolean
  /** Whether duplicates are looked for where the options ask for it, and whether records came before. Default: they are
   *  not. */
  readonly duplicates?: { readonly isContinued: boolean }
}

export class Steps {
  readonly #transform: Duplex | undefined
  /** In the order in which they see a record. */
  readonly #stages: readonly Stage[]

  /** @throws ConfigError for what is wrong with a step */
  constructor({ resolved, transform }: Checked, init: StepsInit = {}) {
    const { edits = editsOf(resolved), findsNames = false, duplicates } = init
    const { keyBy: field, keyByMissing: missing, keyByDuplicate: duplicate, maxKeyBytes } = resolved
    const stages: Stage[] = []
    // this one looks at records as the server sent them, and leaves them as they are
    if (duplicates && resolved.checkDuplicates) stages.push(checkDuplicatesStage({ maxKeyBytes, ...duplicates }))
    if (typeof transform === 'function') stages.push(mapRecordsStage(transform))
    if (field !== null) stages.push(keyByStage({ field, missing, duplicate, maxKeyBytes }))
    stages.push(...editStagesOf(edits, resolved, { isTracked: isTracked(resolved), findsNames }))
    this.#stages = stages
    this.#transform = isStream(transform) ? transform : undefined
    // what a user's step gives has no fields
    this.readsFields = transform === undefined && stages.some((stage) => stage.readsFields)
  }

  /** Whether a step asks batches for their `fields`. */
  readonly readsFields: boolean

  /** The batches after the user's Transform, if there is one. */
  through(
    batches: AsyncGenerator<RecordBatch, void, undefined>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<RecordBatch, void, undefined> {
    return this.#transform === undefined ? batches : through(batches, this.#transform, signal)
  }

  /** A batch after all other steps. What it gives is valid until the next batch is asked for. */
  apply(batch: RecordBatch, signal: AbortSignal | undefined): RecordBatch | Promise<RecordBatch> {
    return this.#stages.length === 0 ? batch : this.#applied(batch, signal)
  }

  /** What the steps counted so far. */
  warnings(): Warning[] {
    return this.#stages.flatMap((stage) => stage.warnings?.() ?? [])
  }

  async #applied(batch: RecordBatch, signal: AbortSignal | undefined): Promise<RecordBatch> {
    for (const stage of this.#stages) {
      const result = stage.apply(batch, signal)
      if (!(result instanceof Promise)) batch = result
      // a user's function may never resolve
      else batch = signal === undefined ? await result : await untilAbort(result, signal)
    }
    return batch
  }
}

/** Takes the user's Transform, if there is one, for this call alone. Returns what gives it back where nothing went
 *  through it. @throws ConfigError */
export function takeStep({ transform }: RunOptions): () => void {
  if (typeof transform === 'function') checkFunction(transform)
  return isStream(transform) ? takeTransform(transform) : () => {}
}

/** What has to be known to tell which fields no record had. */
export function unmetInit({ resolved, transform, input }: Checked, outcome: SourceOutcome, records: number): UnmetInit {
  return { resolved, hasTransform: transform !== undefined, hasInput: input !== undefined, outcome, records }
}
