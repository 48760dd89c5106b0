// What a user writes after `--out`, as a destination.

import { fileURLToPath } from 'node:url'
import { ConfigError, printable } from '../errors.js'
import { isStdout } from '../options/resolve.js'
import type { Destination } from './destination.js'
import { directoryDestination } from './directory.js'
import { type FileDestinationOptions, fileDestination } from './file.js'
import { stdoutDestination } from './stdout.js'

export interface PlaceOptions extends FileDestinationOptions {
  /** Set where the output is in several parts, which a directory holds: the end of their names, with the dot. */
  extension?: string
}

/**
 * `-` and `/dev/stdout` are stdout, a `file:` URL or any text without a scheme is a file (one that is named `-` is
 * `./-`).
 * @throws ConfigError ERR_OPTION_INVALID for another scheme, or a malformed URL
 */
export function destinationFromUrl(text: string, options: PlaceOptions = {}): Destination {
  if (isStdout(text)) return stdoutDestination()
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(text)?.[1]?.toLowerCase() ?? (/^file:/i.test(text) ? 'file' : null)
  if (scheme === null) return localDestination(text, options)
  if (scheme !== 'file')
    throw new ConfigError('ERR_OPTION_INVALID', `output '${printable(text)}': ${scheme}:// is not supported`, {
      hint: 'give a path, a file: URL, or - for stdout',
    })
  try {
    // the URL parser would take file:name for file:///name
    if (!/^file:\//i.test(text)) throw new TypeError('it has no absolute path')
    return localDestination(fileURLToPath(text), options)
  } catch (error) {
    throw new ConfigError('ERR_OPTION_INVALID', `output '${printable(text)}' is not a URL of a local file`, {
      cause: error,
    })
  }
}

function localDestination(path: string, options: PlaceOptions): Destination {
  const { extension } = options
  return extension === undefined
    ? fileDestination(path, options)
    : directoryDestination(path, { ...options, extension })
}
