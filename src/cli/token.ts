// Where the command line takes the token from. It is read once and stays in memory; no message holds it.

import { spawn } from 'node:child_process'
import { open } from 'node:fs/promises'
import { KiB } from '../bytes/units.js'
import { ConfigError } from '../errors.js'
import type { CliOptions } from '../options/schema.js'

/** A token is some hundred characters; a file longer than this is the wrong one. */
const maxBytes = 64 * KiB

/**
 * The token of `--token-file`, `--token-command` or `--token-stdin`, null where none was given.
 * @param given whether `--token` was given too
 * @throws ConfigError ERR_OPTION_INVALID where there are several or the file cannot be read, ERR_TOKEN_INVALID where its first line is empty
 */
export async function readToken(
  { tokenFile, tokenCommand, tokenStdin }: Pick<CliOptions, 'tokenFile' | 'tokenCommand' | 'tokenStdin'>,
  given: boolean,
  stdin: AsyncIterable<Uint8Array | string>,
): Promise<string | null> {
  if (Number(given) + Number(tokenFile !== null) + Number(tokenCommand !== null) + Number(tokenStdin) > 1) {
    throw new ConfigError('ERR_OPTION_INVALID', 'the token is given more than once', {
      hint: 'pass one of --token-file, --token-command, --token-stdin and --token',
    })
  }
  if (tokenFile !== null) return firstLine(await readStart(tokenFile), '--token-file')
  if (tokenCommand !== null) return runTokenCommand(tokenCommand)
  if (tokenStdin) return firstLine(await collect(stdin), '--token-stdin')
  return null
}

/** The token that a command of the shell prints. Its messages go to our stderr; what it prints is in none of ours.
 *  @throws ConfigError ERR_OPTION_INVALID where it fails, ERR_TOKEN_INVALID where its first line is empty */
export async function runTokenCommand(command: string): Promise<string> {
  const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = new Promise<string | null>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    child.once('close', (code, signal) => resolve(code === 0 ? null : (signal ?? `exit code ${code}`)))
  })
  const text = await collect(child.stdout, true)
  child.stdout.destroy() // what is longer than any token is not waited for
  const failure = await exit
  if (failure !== null) {
    throw new ConfigError('ERR_OPTION_INVALID', `the command of --token-command failed: ${failure}`, {
      hint: 'it has to print the token and to end with exit code 0',
    })
  }
  return firstLine(text, '--token-command')
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
