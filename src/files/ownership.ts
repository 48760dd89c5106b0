// Whether a file can be one that we made: another user may have put it in the way, or may write to it while we do.

import { printable, StateError } from '../errors.js'
import type { FileStatus } from './file-system.js'

/** Permission bits by which others than the owner can write. */
export const othersWrite = 0o022

/** Refuses what is left of an interrupted export where it may not be one of ours.
 *  @param own status of a file that we have just made in the same place: some storage tells no owners (NFS with
 *  squashed root), or no permissions (vfat, CIFS)
 *  @throws StateError ERR_STATE_FOREIGN */
export function checkOurs(found: FileStatus, own: FileStatus, path: string): void {
  const fault = (why: string): StateError => new StateError('ERR_STATE_FOREIGN', `${printable(path)} ${why}`)
  const user = process.geteuid?.()
  if (found.uid !== own.uid && found.uid !== user && found.uid !== 0) throw fault(`belongs to user ${found.uid}`)
  if ((found.mode & othersWrite & ~own.mode) !== 0) throw fault('can be written to by other users')
}
