import type { ExportEvent } from '../../src/report.js'
import { type PageClient, TrutoSource, type TrutoSourceOptions } from '../../src/source/truto-source.js'
import type { FakeClock } from '../helpers/clock.js'
import { defaultRetryPolicy } from '../helpers/table-defaults.js'

/** The members of an account, asked of `client`, and the events that reading them gives. */
export function listSource(
  client: PageClient,
  clock: FakeClock,
  options: Partial<TrutoSourceOptions>,
): { source: TrutoSource; events: ExportEvent[] } {
  const events: ExportEvent[] = []
  const source = new TrutoSource({
    client,
    apiUrl: new URL('https://api.example.test'),
    request: { resource: 'instant-messaging/members', account: 'acc' },
    retry: defaultRetryPolicy,
    random: () => 0.5,
    clock,
    onEvent: (event) => events.push(event),
    ...options,
  })
  return { source, events }
}
