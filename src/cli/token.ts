// Where the command line takes the token from. It is read once and stays in memory; no message holds it.

import { open } from 'node:fs/promises'
import { KiB } from '../bytes/units.js'
import { ConfigError } from '../errors.js'
import type { CliOptions } from '../options/schema.js'

/** A token is some hundred characters; a file longer than this is the wrong one. */
const maxBytes = 64 * KiB

/**
 * The token of `--token-file` or `--token-stdin`, null where neither was given.
 * @param given whether `--token` was given too
 * @throws ConfigError ERR_OPTION_INVALID where there are several or the file cannot be read, ERR_TOKEN_INVALID where its first line is empty
 */
export async function readToken(
  { tokenFile, tokenStdin }: Pick<CliOptions, 'tokenFile' | 'tokenStdin'>,
  given: boolean,
  stdin: AsyncIterable<Uint8Array | string>,
): Promise<string | null> {
  if (Number(given) + Number(tokenFile !== null) + Number(tokenStdin) > 1) {
    throw new ConfigError('ERR_OPTION_INVALID', 'the token is given more than once', {
      hint: 'pass one of --token-file, --token-stdin and --token',
    })
  }
  if (tokenFile !== null) return firstLine(await readStart(tokenFile), '--token-file')
  if (tokenStdin) return firstLine(await collect(stdin), '--token-stdin')
  return null
}

/** The text of a file that a flag names. @throws ConfigError ERR_OPTION_INVALID */
export async function readFileOption(path: string, flag: string, limit: number): Promise<string> {
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
      return bytes.toString('utf8', 0, size)
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

async function collect(stdin: AsyncIterable<Uint8Array | string>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk as Uint8Array)
    chunks.push(bytes)
    size += bytes.length
    // a prompt's answer ends with its line: no need to wait for the end of stdin
    if (size > maxBytes || bytes.includes(0x0a)) break
  }
  return Buffer.concat(chunks).toString()
}

function firstLine(text: string, flag: string): string {
  const line = /^\ufeff?([^\r\n]*)/.exec(text)![1]!.trim()
  if (line !== '') return line
  throw new ConfigError('ERR_TOKEN_INVALID', `the first line that ${flag} gives is empty`)
}
