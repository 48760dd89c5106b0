// Files of ours that somebody else may have put something in the place of: what is opened is a regular file, reached by
// no link, or it is an error.

import { constants } from 'node:fs'
import { OutputError, printable } from '../errors.js'
import type { FileStatus, FileSystem, OpenFile } from './file-system.js'
import { errnoOf } from './os-error.js'

/** Opens the file at `path`; null where there is none. A FIFO is not waited for.
 *  @param check throws where the file is not to be used
 *  @throws OutputError where it is a link or no file; the system's error */
export async function openOwnFile(
  files: FileSystem,
  path: string,
  flags: number,
  check: (status: FileStatus) => void = () => {},
): Promise<OpenFile | null> {
  const stranger = (what: string, cause?: unknown): OutputError =>
    new OutputError('ERR_OUTPUT_ACCESS', `${printable(path)} is ${what}`, {
      cause,
      hint: 'remove it, or give another --out',
    })
  // absent on Windows
  const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants as { O_NOFOLLOW?: number; O_NONBLOCK?: number }
  let file: OpenFile
  try {
    file = await files.open(path, flags | O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT') return null
    // FreeBSD says EMLINK
    if (errno === 'ELOOP' || errno === 'EMLINK') throw stranger('a symbolic link', error)
    // a FIFO without a reader, a socket; a directory that is opened to be written to
    if (errno === 'ENXIO' || errno === 'EISDIR') throw stranger('no file', error)
    throw error
  }
  try {
    const status = await file.stat()
    if (!status.isFile()) throw stranger('no file')
    check(status)
    return file
  } catch (error) {
    await file.close().catch(() => {}) // nothing was written
    throw error
  }
}
