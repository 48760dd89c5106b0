// What is at a path, and where its links lead.

import { dirname } from 'node:path'
import { OutputError, printable } from '../errors.js'
import type { FileStatus, FileSystem } from './file-system.js'
import { errnoOf } from './os-error.js'

/** Status of what `path` leads to, null where there is nothing. */
export function statusOf(files: FileSystem, path: string): Promise<FileStatus | null> {
  return orNull(files.stat(path))
}

/** Status of what stands at `path` itself, be it a link; null where there is nothing. */
export function ownStatusOf(files: FileSystem, path: string): Promise<FileStatus | null> {
  return orNull(files.lstat(path))
}

async function orNull(status: Promise<FileStatus>): Promise<FileStatus | null> {
  try {
    return await status
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null
    throw error
  }
}

/** The name that the symbolic links at `path` lead to, whether it exists or not. Links are joined as texts, since the
 *  kernel resolves `..` after a linked directory otherwise than a normalised path would say. */
export async function followLinks(files: FileSystem, path: string): Promise<string> {
  // 40 is Linux's own limit (path_resolution(7)); a loop has failed in stat before
  for (let links = 0; links < 40; links++) {
    let isLink: boolean
    try {
      isLink = (await files.lstat(path)).isSymbolicLink()
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return path
      throw error
    }
    if (!isLink) return path
    const link = await files.readlink(path)
    path = link.startsWith('/') ? link : `${dirname(path)}/${link}`
  }
  throw new OutputError('ERR_OUTPUT_ACCESS', `opening ${printable(path)}: too many symbolic links`)
}
