// Files that are written to before they are anybody's output: only their owner may change them, and nobody can read
// them who could not read what they replace.

import { constants } from 'node:fs'
import type { FileStatus, FileSystem, OpenFile } from '../files/file-system.js'
import { flush } from '../files/flush.js'
import { isErrno } from '../files/os-error.js'
import { openOwnFile } from '../files/own-file.js'
import { othersWrite } from '../files/ownership.js'
import { piecesOf } from '../files/pieces.js'
import { temporaryName } from '../files/side-names.js'
import { removeFile } from '../files/whole-file.js'
import { writeFully } from '../files/write-fully.js'

/** Permission bits of the output: those of the one that it replaces; set-id bits are not for data. */
export function modeOf(replaced: FileStatus | null): number {
  return replaced === null ? 0o666 & ~process.umask() : replaced.mode & 0o777
}

/** A new file that only its owner can write to, and that nobody can read who could not read the replaced one. */
export async function createPrivate(files: FileSystem, path: string, replaced: FileStatus | null): Promise<OpenFile> {
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL
  const mode = modeOf(replaced) & ~othersWrite
  const file = await files.open(path, flags, mode)
  try {
    // the umask may have taken bits that the replaced file had
    if (replaced !== null) await changeMode(file, mode)
    return file
  } catch (error) {
    await file.close().catch(() => {})
    await files.unlink(path).catch(() => {})
    throw error
  }
}

/** Opens what an earlier run has written, to go on with it; null where there is none. */
export async function openKept(
  files: FileSystem,
  path: string,
  check: (found: FileStatus) => void,
): Promise<OpenFile | null> {
  return openOwnFile(files, path, constants.O_RDWR | constants.O_APPEND, check)
}

/** The first `bytes` bytes of `file` in a new file of the same name and permissions: whoever has the old one open
 *  writes to a file without a name. Closes `file`. */
export async function replacedByCopy(
  files: FileSystem,
  file: OpenFile,
  path: string,
  bytes: number,
  temporary = temporaryName(path),
): Promise<OpenFile> {
  const { mode } = await file.stat()
  await removeFile(files, temporary)
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL
  const copy = await files.open(temporary, flags, mode & 0o777)
  try {
    for await (const piece of piecesOf(file, 0, bytes)) await writeFully(copy, piece, piece.length)
    await flush(copy)
    await files.rename(temporary, path)
  } catch (error) {
    await copy.close().catch(() => {})
    await removeFile(files, temporary).catch(() => {})
    throw error
  }
  await file.close().catch(() => {}) // nothing was written
  return copy
}

/** Where files have no permission bits, they have at most the wanted ones; where Node.js may not change them, they have
 *  fewer. */
export async function changeMode(file: Pick<OpenFile, 'chmod'>, mode: number): Promise<void> {
  try {
    await file.chmod(mode)
  } catch (error) {
    if (!isErrno(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'ERR_ACCESS_DENIED')) throw error
  }
}
