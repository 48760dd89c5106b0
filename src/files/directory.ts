// Directories, whose names have to be flushed like the bytes of files: where the platform can, which is Linux and
// macOS.

import { constants } from 'node:fs'
import type { FileSystem, OpenFile } from './file-system.js'
import { flush } from './flush.js'
import { isErrno } from './os-error.js'

/** The directory, to be flushed; null where the platform does not open directories. @throws the system's error */
export async function openDirectory(files: FileSystem, path: string): Promise<OpenFile | null> {
  try {
    return await files.open(path, constants.O_RDONLY)
  } catch (error) {
    // Windows says EISDIR, EPERM or EACCES; a directory may also allow to write and not to read
    if (isErrno(error, 'EISDIR', 'EPERM', 'EACCES')) return null
    throw error
  }
}

/** Makes the names in a directory durable. @throws the system's error */
export async function flushDirectory(directory: OpenFile | null): Promise<void> {
  try {
    if (directory !== null) await flush(directory)
  } catch (error) {
    // the file system does not flush directories
    if (!isErrno(error, 'EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR', 'EBADF')) throw error
  }
}
