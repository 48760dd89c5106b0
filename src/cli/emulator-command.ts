// `truto-export emulator`: a local Truto until Ctrl-C.

import { formatCount } from '../bytes/units.js'
import { ConfigError } from '../errors.js'
import { type FlagTexts, resolveFlags } from '../options/resolve.js'
import { emulatorTable } from '../options/schema.js'
import type { Io } from './io.js'
import type { RunContext } from './run-context.js'
import { catchSignals } from './signals.js'

/** What `--json` prints. */
export interface EmulatorAddress {
  readonly url: string
  readonly token: string
  /** Id of the integrated account. */
  readonly account: string
  /** Id of the channel (Slack) or the workspace (Microsoft) that holds all members. */
  readonly parent: string
  /** Ids of all accounts, and of all channels or workspaces of each. */
  readonly accounts: readonly string[]
  readonly parents: readonly string[]
}

/** Runs until a signal comes. Stdout gets one line: a command for a shell that points exports to the emulator, or
 *  JSON. */
export async function runEmulator(texts: FlagTexts, io: Io, context: RunContext): Promise<number> {
  const values = resolveFlags(emulatorTable, 'emulator', texts, io.env)
  const { integration, asJson, logFormat: _log, accounts, parentListSize, strict, faults, ...options } = values
  const { accountsOf, parseFault, startEmulator } = await import('../emulator/emulator.js')
  const used = integration ?? (options.framing === 'graph' ? 'msteams' : 'slack')
  const [count = ''] = accounts
  const isCount = accounts.length === 1 && /^\d+$/.test(count)
  if (isCount && !(Number(count) >= 1 && Number(count) <= 100_000)) {
    throw new ConfigError('ERR_OPTION_INVALID', `--accounts does not accept ${count}`, {
      hint: 'it takes a number from 1 to 100000, or ids separated by commas',
    })
  }
  const script = faults.map(parseFault)
  const signals = catchSignals(io.signals, undefined, io.clock)
  try {
    const emulator = await startEmulator({
      ...options,
      integration: used,
      accounts: isCount ? accountsOf(Number(count), used) : accounts.map((id) => ({ id, integration: used })),
      parents: parentListSize,
      strictParents: strict,
      strictResources: strict,
      faults: script,
    }).catch((error) => {
      throw isSystemError(error) ? cannotListen(options.port, error) : error
    })
    const { url, token, accountId: account } = emulator
    const parent = emulator.parentIds[0]!
    const isSlack = used === 'slack'
    const { accountIds, parentIds } = emulator
    const address: EmulatorAddress = { url, token, account, parent, accounts: accountIds, parents: parentIds }
    io.stdout.write(
      asJson ? `${JSON.stringify(address)}\n` : `export TRUTO_API_BASE_URL=${url} TRUTO_API_TOKEN=${token}\n`,
    )
    if (!asJson) {
      const flag = isSlack ? '--channel' : '--workspace'
      const command = `truto-export instant-messaging/members -a ${account} ${flag} ${parent} --out members.ndjson`
      const listening = `${formatCount(options.members)} members at ${url} until Ctrl-C`
      context.log.write({
        level: 'info',
        event: 'listening',
        message: context.log.isJson ? listening : `${listening}; after the line above:\n  ${command}`,
        fields: { url, members: options.members, command },
      })
    }
    await aborted(signals.signal)
    await emulator.close()
    return 0
  } finally {
    signals.dispose()
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}

function cannotListen(port: number, error: NodeJS.ErrnoException): ConfigError {
  return new ConfigError('ERR_OPTION_INVALID', `listening on port ${port}: ${error.code}`, {
    cause: error,
    hint: 'choose another --port, or 0 for a free one',
  })
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
