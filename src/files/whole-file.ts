// Small files as a whole: read at once, and replaced so that a reader sees the old bytes or the new ones.

import { constants } from 'node:fs'
import { dirname } from 'node:path'
import { flushDirectory, openDirectory } from './directory.js'
import type { FileStatus, FileSystem } from './file-system.js'
import { flush } from './flush.js'
import { errnoOf } from './os-error.js'
import { openOwnFile } from './own-file.js'
import { writeFully } from './write-fully.js'

/** The bytes of a file of ours, at most the first `limit` of them; null where there is no file.
 *  @param check throws where the file is not to be read
 *  @throws as `openOwnFile` */
export async function readWhole(
  files: FileSystem,
  path: string,
  limit: number,
  check?: (status: FileStatus) => void,
): Promise<Buffer | null> {
  const file = await openOwnFile(files, path, constants.O_RDONLY, check)
  if (file === null) return null
  try {
    let bytes = Buffer.alloc(Math.min(limit, 4096) + 1)
    for (let size = 0; ; ) {
      const { bytesRead } = await file.read(bytes, size, bytes.length - size, size)
      if (bytesRead === 0) return bytes.subarray(0, size)
      size += bytesRead
      if (size >= limit) return bytes.subarray(0, limit)
      if (size === bytes.length) bytes = Buffer.concat([bytes, Buffer.alloc(bytes.length)])
    }
  } finally {
    await file.close().catch(() => {}) // nothing was written
  }
}

/** Makes a new file with these bytes. What could not be written whole is removed.
 *  @param isDurable whether the bytes shall be on storage when the promise resolves; the name is not before its
 *  directory was flushed
 *  @param mode permission bits, less those of the umask; by default only the owner can read it
 *  @throws the system's error, EEXIST where there is a file already */
export async function createWhole(
  files: FileSystem,
  path: string,
  bytes: Uint8Array,
  isDurable: boolean,
  mode = 0o600,
): Promise<void> {
  const file = await files.open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode)
  let isOpen = true
  try {
    await writeFully(file, bytes, bytes.length)
    if (isDurable) await flush(file)
    isOpen = false
    await file.close()
  } catch (error) {
    if (isOpen) await file.close().catch(() => {})
    await files.unlink(path).catch(() => {})
    throw error
  }
}

/** Makes a durable file with these bytes that is to be renamed. What has the name already is of a run that died and is
 *  removed: no link that somebody put there is followed, and no file of theirs is written to. @throws the system's
 *  error */
export async function createTemporary(
  files: FileSystem,
  path: string,
  bytes: Uint8Array,
  mode?: number,
): Promise<void> {
  try {
    await createWhole(files, path, bytes, true, mode)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
    await removeFile(files, path)
    await createWhole(files, path, bytes, true, mode)
  }
}

/** Removes a file; where there is none, that is what was wanted. Says whether there was one. */
export async function removeFile(files: FileSystem, path: string): Promise<boolean> {
  try {
    await files.unlink(path)
    return true
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}

/** Makes the names in the directory of `path` durable: see `flushDirectory`. @throws the system's error */
export async function flushDirectoryOf(files: FileSystem, path: string): Promise<void> {
  const directory = await openDirectory(files, dirname(path))
  try {
    await flushDirectory(directory)
  } finally {
    await directory?.close().catch(() => {})
  }
}
