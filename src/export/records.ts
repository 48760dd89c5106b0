// The records of a list as objects.

import { AbortableSteps, Following } from '../abort.js'
import type { RecordBatch } from '../record.js'
import { RecordIterator } from '../transform/record-iterator.js'
import { checkFields, fieldsAfter, projectedRecords, wholeRecords } from '../transform/record-reader.js'
import { editsOf } from './edits.js'
import { checkFieldNames, checkUnmet } from './field-names.js'
import { openSource } from './open-source.js'
import { type Checked, checkOptions, type ExportOptions, leaving } from './options.js'
import type { NameGiver, NameOf, Picked, RecordOf, Told, Unknown } from './record-types.js'
import { Steps, takeStep, unmetInit } from './steps.js'

/**
 * The records as objects, read as they are asked for: leaving the loop early stops the export, and cancels its request.
 * Applies `transform`, `select`, `exclude`, `redact` and `rename` like `exportRecords`. After an abort of `signal` the
 * next step rejects with its reason, in the middle of a page as well.
 *
 * Their type is that of the resource, a `Member` of `instant-messaging/members` and a `JsonRecord` of any other, or the
 * `T` that is given. It is what is known of the resource; nothing checks it.
 *
 * With `fields`, objects have these own fields only, as far as the record has them, in this order. The others are not
 * decoded, which is several times faster where the engine is `simd`. They are names, not paths, as they are after
 * `rename`; an excluded field stays out. Of members they have to be declared ones, unless there is a `rename` or a
 * `transform`. Where `T` is given, give the names as `K`, too (`records<User, 'id' | 'name'>`), or get a `Partial<T>`:
 * TypeScript infers either all type arguments or none.
 * @throws ConfigError at once for options that are wrong; from the loop what `exportRecords` throws, ERR_FIELD_UNMET
 * after the last record
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
  const checked = checkOptions(others)
  const { resolved, signal } = checked
  const edits = editsOf(resolved)
  const wanted = fields === undefined ? undefined : fieldsAfter(checkFields(fields), edits)
  // what a rename gives has names of its own
  checkFieldNames(resolved, checked.transform !== undefined, resolved.rename.length > 0 ? [] : fields)
  const steps = new Steps(checked, { edits: wanted?.edits ?? edits, findsNames: true })
  const giveBack = takeStep(checked)
  const read = (signal: AbortSignal) => batchesOf({ ...checked, signal }, steps, wanted !== undefined)
  const batches = new AbortableSteps(read, new Following(signal), giveBack)
  const reader = wanted === undefined ? wholeRecords() : projectedRecords(wanted.fields)
  return new RecordIterator(batches, reader, signal)
}

/** The batches after all steps. What it yields is valid until the next is asked for. */
async function* batchesOf(
  checked: Checked,
  steps: Steps,
  isProjected: boolean,
): AsyncGenerator<RecordBatch, void, undefined> {
  const withFields = checked.transform === undefined && (isProjected || steps.readsFields)
  const opened = await openSource(checked, { withFields })
  try {
    const source = opened.source()
    let records = 0
    for await (const read of steps.through(source.read(), checked.signal)) {
      const batch = await steps.apply(read, checked.signal)
      records += batch.count
      yield batch
    }
    checkUnmet(steps.warnings(), unmetInit(checked, source.outcome, records))
  } catch (error) {
    throw leaving(error, checked)
  } finally {
    await opened.close()
  }
}
