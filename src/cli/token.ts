// Where the command line takes the token from. It is read once and stays in memory; no message holds it.

import type { ChildProcess } from 'node:child_process'
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { formatDuration, KiB } from '../bytes/units.js'
import type { Clock } from '../clock.js'
import { AuthError, ConfigError } from '../errors.js'
import type { CliOptions } from '../options/schema.js'
import { type RunningShell, runShell } from './shell.js'

/** A token is some hundred characters; a file longer than this is the wrong one. */
const maxBytes = 64 * KiB

/** How a token is waited for that somebody else gives. */
export interface TokenWait {
  readonly timeoutMs: number
  readonly clock: Clock
  /** Asked for where there is something to wait for. */
  readonly signal: () => AbortSignal
}

/**
 * The token of `--token-file`, `--token-command` or `--token-stdin`, null where none was given.
 * @param given whether `--token` was given too
 * @throws ConfigError ERR_OPTION_INVALID where there are several or the file cannot be read, ERR_TOKEN_INVALID where
 * its first line is empty; AuthError where the command takes too long
 */
export async function readToken(
  { tokenFile, tokenCommand, tokenStdin }: Pick<CliOptions, 'tokenFile' | 'tokenCommand' | 'tokenStdin'>,
  given: boolean,
  stdin: AsyncIterable<Uint8Array | string>,
  wait: TokenWait,
): Promise<string | null> {
  if (Number(given) + Number(tokenFile !== null) + Number(tokenCommand !== null) + Number(tokenStdin) > 1) {
    throw new ConfigError('ERR_OPTION_INVALID', 'the token is given more than once', {
      hint: 'pass one of --token-file, --token-command, --token-stdin and --token',
    })
  }
  if (tokenFile !== null) return firstLine(await readStart(tokenFile), '--token-file')
  if (tokenCommand !== null) {
    const { timeoutMs, clock } = wait
    return await runTokenCommand(tokenCommand, { timeoutMs, clock, signal: wait.signal() })
  }
  if (tokenStdin) return firstLine(await collectUntil(wait.signal(), stdin), '--token-stdin')
  return null
}

/** The token that a command of the shell prints. Its messages go to our stderr; what it prints is in none of ours.
 *  Where it is not waited for any more, it is ended with all that it started.
 *  @param options.timeoutMs null where the signal is aborted in time
 *  @throws ConfigError ERR_OPTION_INVALID where it fails, ERR_TOKEN_INVALID where its first line is empty; AuthError
 *  ERR_TOKEN_UNAVAILABLE where it takes too long; the signal's reason after an abort */
export async function runTokenCommand(
  command: string,
  options: { timeoutMs: number | null; clock: Clock; signal: AbortSignal },
): Promise<string> {
  const { timeoutMs, clock, signal } = options
  signal.throwIfAborted()
  const running = startShell(command)
  let giveUp = (_reason: unknown): void => {}
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = (reason) => {
      running.end()
      reject(reason)
    }
  })
  const onAbort = (): void => giveUp(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  const cancelTimer =
    timeoutMs === null ? () => {} : clock.after(timeoutMs, () => giveUp(tooLate('--token-command', timeoutMs)))
  try {
    return await Promise.race([tokenOf(running.child), givenUp])
  } finally {
    cancelTimer()
    signal.removeEventListener('abort', onAbort)
  }
}

/** @throws ConfigError ERR_OPTION_INVALID where this process may start no other */
function startShell(command: string): RunningShell {
  try {
    return runShell(command)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const isDenied = code === 'ERR_ACCESS_DENIED'
    throw commandFailed(code ?? message, isDenied ? 'give node --allow-child-process beside --permission' : undefined)
  }
}

async function tokenOf(child: ChildProcess): Promise<string> {
  const exit = new Promise<string | null>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    child.once('close', (code, signal) => resolve(code === 0 ? null : (signal ?? `exit code ${code}`)))
  })
  const text = await collect(child.stdout!, true)
  child.stdout!.destroy() // what is longer than any token is not waited for
  const failure = await exit
  if (failure !== null) throw commandFailed(failure)
  return firstLine(text, '--token-command')
}

function commandFailed(why: string, hint = 'it has to print the token and to end with exit code 0'): ConfigError {
  return new ConfigError('ERR_OPTION_INVALID', `the command of --token-command failed: ${why}`, { hint })
}

function tooLate(flag: string, timeoutMs: number): AuthError {
  return new AuthError('ERR_TOKEN_UNAVAILABLE', `${flag} gave no token within ${formatDuration(timeoutMs)}`)
}

/** The text of a file that a flag names. @throws ConfigError ERR_OPTION_INVALID */
export async function readFileOption(path: string, flag: string, limit: number): Promise<string> {
  return (await readFileBytes(path, flag, limit)).toString()
}

/** Its bytes. */
export async function readFileBytes(path: string, flag: string, limit: number): Promise<Buffer> {
  try {
    const file = await open(path, 'r')
    try {
      const bytes = Buffer.alloc(limit + 1)
      let size = 0
      for (;;) {
        const { bytesRead } = await file.read(bytes, size, bytes.length - size, null)
        size += bytesRead
        if (bytesRead === 0 || size === bytes.length) break
      }
      if (size > limit) throw new Error(`it is longer than ${limit} bytes`)
      return bytes.subarray(0, size)
    } finally {
      await file.close()
    }
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message
    throw new ConfigError('ERR_OPTION_INVALID', `reading ${path} for ${flag}: ${reason}`, {
      cause: error,
      hint: 'check the path and its permissions',
    })
  }
}

function readStart(path: string): Promise<string> {
  return readFileOption(path, '--token-file', maxBytes)
}

/** As `collect`, to the end of the line. @throws the signal's reason as soon as it is aborted */
async function collectUntil(signal: AbortSignal, stdin: AsyncIterable<Uint8Array | string>): Promise<string> {
  const reading = collect(stdin)
  // what is read no further must not keep the process
  const onAbort = (): void => void (stdin as Partial<Readable>).destroy?.()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await reading
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

async function collect(stdin: AsyncIterable<Uint8Array | string>, toTheEnd = false): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk as Uint8Array)
    chunks.push(bytes)
    size += bytes.length
    // a prompt's answer ends with its line: no need to wait for the end of stdin
    if (size > maxBytes || (!toTheEnd && bytes.includes(0x0a))) break
  }
  return Buffer.concat(chunks).toString()
}

function firstLine(text: string, flag: string): string {
  const line = /^\ufeff?([^\r\n]*)/.exec(text)![1]!.trim()
  if (line !== '') return line
  throw new ConfigError('ERR_TOKEN_INVALID', `the first line that ${flag} gives is empty`)
}
