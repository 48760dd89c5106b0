// A local Truto, modelled on its public documentation: what the demo, the tests, the benchmarks and users without a
// token run against. Where the documentation is silent, `basis` says what was assumed and why.

import type { Fault } from './faults.js'
import type { RequestLogEntry } from './log.js'
import { type EmulatorOptions, settingsOf } from './options.js'
import { parentIdAt } from './records.js'
import { EmulatorServer } from './server.js'

export type { Integration } from '../schema/integrations.js'
export { type Basis, basis } from './basis.js'
export { parseFault } from './fault-texts.js'
export type { BytePosition, Fault, FaultKind, FaultTarget } from './faults.js'
export type { RequestLogEntry } from './log.js'
export { type MemberOptions, memberAt, memberIdAt, upstreamMemberAt } from './members.js'
export {
  accountsOf,
  defaultAccountId,
  defaultToken,
  type EmulatedAccount,
  type EmulatorOptions,
  type StreamFraming,
  streamFramings,
} from './options.js'
export type { CursorStyle, PagingOptions } from './paging.js'
export type { QueryObject, QueryValue } from './query.js'
export type { RateLimitOptions } from './rate-limits.js'

/** A running emulator. */
export interface Emulator {
  /** Origin, `http://127.0.0.1:PORT`: what `--api-url` takes. */
  readonly url: string
  readonly port: number
  /** The token that it accepts. */
  readonly token: string
  /** Id of its first account. */
  readonly accountId: string
  /** Ids of all its accounts, the first one first; without those that `accounts: 'any'` takes. */
  readonly accountIds: readonly string[]
  /** Ids of the channels (Slack) or workspaces (Microsoft) of its first account; the first holds all members. */
  readonly parentIds: readonly string[]
  /** The last requests, oldest first: a copy of the list, with live entries. */
  readonly log: readonly RequestLogEntry[]
  /** Requests since the start or the last reset. */
  readonly requests: number
  /** Replaces the faults; attempts count from 1 again. */
  setFaults(faults: readonly Fault[]): void
  /** Empties the log, the counters and the rate limits, and puts back the faults and the account's state of the
   *  options. */
  reset(): void
  /** Ends all connections at once and stops listening. Does nothing the second time. */
  close(): Promise<void>
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts an emulator on loopback.
 *  @throws ConfigError ERR_OPTION_INVALID; the system's error where it cannot listen */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const settings = settingsOf(options)
  const server = new EmulatorServer(settings)
  const port = await server.listen()
  const account = settings.accounts[0]!
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => {
    closed ??= server.close()
    return closed
  }
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host
  return {
    url: `http://${host}:${port}`,
    port,
    token: settings.token,
    accountId: account.id,
    accountIds: settings.accounts.map(({ id }) => id),
    parentIds: Array.from({ length: settings.parents }, (_, index) =>
      parentIdAt(index, settings.member.seed, account.integration),
    ),
    get log() {
      return server.log.entries()
    },
    get requests() {
      return server.requests
    },
    setFaults: (faults) => server.faults.set(faults),
    reset: () => server.reset(),
    close,
    [Symbol.asyncDispose]: close,
  }
}
