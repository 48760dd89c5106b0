// What the reading of a list adds up: the one list of these counters. Outcome, state, checkpoint, report and manifest
// map over it.

/** In the order in which they are written. */
export const counterNames = [
  'pages',
  'records',
  'requests',
  'retries',
  'waitMs',
  'bodyBytes',
  'emptyPages',
  'partialPages',
  'countMismatches',
] as const

export interface Counters {
  /** Pages finished. */
  pages: number
  /** Records that the server sent. */
  records: number
  /** Requests sent, retries included, and those that were retries. */
  requests: number
  retries: number
  /** Time spent waiting for limits and before retries, in ms. */
  waitMs: number
  /** Decoded body bytes. */
  bodyBytes: number
  /** Pages without a record, pages that the server marked as partial, and pages that held another number of records
   *  than their `result_count`. */
  emptyPages: number
  partialPages: number
  countMismatches: number
}

type CounterName = keyof Counters

/** Those of the requests, which another run asks again; and those of the answers, which are the same for the same
 *  list. */
export const requestCounterNames = ['requests', 'retries', 'waitMs', 'bodyBytes'] as const
export const pageCounterNames = ['pages', 'emptyPages', 'partialPages', 'countMismatches'] as const

export function noCounters(): Counters {
  return countersBy(counterNames, () => 0)
}

/** The counters of something that has more. */
export function countersOf<N extends CounterName = CounterName>(
  from: Readonly<Pick<Counters, N>>,
  names: readonly N[] = counterNames as readonly CounterName[] as readonly N[],
): Pick<Counters, N> {
  return countersBy(names, (name) => from[name])
}

/** A value for each name. */
export function countersBy<N extends CounterName>(names: readonly N[], value: (name: N) => number): Pick<Counters, N> {
  return Object.fromEntries(names.map((name) => [name, value(name)])) as unknown as Pick<Counters, N>
}
