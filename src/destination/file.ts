// A file that is whole or absent: bytes go to a temporary name beside it, and only a complete, durable file gets the
// final name.

import { constants } from 'node:fs'
import { dirname } from 'node:path'
import { ConfigError, OutputError, printable } from '../errors.js'
import { openDirectory } from '../files/directory.js'
import { type FileStatus, type OpenFile, systemFiles } from '../files/file-system.js'
import { opening } from '../files/os-error.js'
import { openOwnFile } from '../files/own-file.js'
import { checkOurs } from '../files/ownership.js'
import { followLinks, statusOf } from '../files/paths.js'
import { piecesOf } from '../files/pieces.js'
import { removeFile } from '../files/whole-file.js'
import { ClaimedLocal } from './claimed-local.js'
import { openClaimed } from './claimed-writer.js'
import type { Destination, KeptToken, ResumablePlace, WriterNeeds } from './destination.js'
import { openInPlace } from './direct.js'
import { type LocalOptions, LocalPlace } from './local-place.js'
import { PartialFile } from './partial-file.js'
import { createPrivate, modeOf, openKept, replacedByCopy } from './private-file.js'
import { type BytesToken, bytesTokenOf, RunningProof } from './proof.js'

export type FileDestinationOptions = LocalOptions

/**
 * The file at `path`. A symbolic link is followed first and stays. Bytes go to `_NAME.partial` beside it, or in
 * `workDir`; `commit` flushes that to storage, checks that it is still the file that was opened, renames it, and
 * flushes the directory (where the platform can: Linux, macOS). Permission bits of a replaced file are kept. What told
 * of it, `_NAME.manifest.json`, is removed before. While it is open, a lock keeps a second export to the same file
 * away.
 *
 * What is no regular file (FIFO, device) is opened and written in place; there is nothing to publish then, and opening
 * a FIFO waits for its reader or the signal.
 *
 * Errors: ERR_OUTPUT_EXISTS, ERR_STATE_LOCKED, and OutputErrors by what the system says. Where the rename is refused
 * the complete file is kept and the message has the command that publishes it.
 */
export function fileDestination(path: string, options: FileDestinationOptions = {}): Destination {
  const files = options.files ?? systemFiles
  const name = printable(path)
  const resumable = async (): Promise<ResumablePlace | null> => {
    const unnamed = new ConfigError('ERR_OPTION_INVALID', `the output path '${name}' cannot be a file name`)
    // an empty path, and what no system call can be given
    if (path === '' || path.includes('\0')) throw unnamed
    const target = await opening(name, async () => {
      const status = await statusOf(files, path)
      if (status?.isDirectory()) throw new OutputError('ERR_OUTPUT_ACCESS', `opening ${name}: it is a directory`)
      if (path.endsWith('/')) throw unnamed
      return status === null || status.isFile() ? followLinks(files, path) : null
    })
    return target === null ? null : filePlace(await LocalPlace.at(name, target, options))
  }
  return {
    name,
    resumable,
    async open(signal) {
      const place = await resumable()
      return place === null ? openInPlace(files, path, signal) : openClaimed(place)
    },
  }
}

/** The partial file as one that outlives the run that wrote it. It is appended to, so that going back is truncating. */
function filePlace(place: LocalPlace): ResumablePlace {
  return {
    ownNames: place.ownNames,
    claim: async () => new FilePlace(await place.claim()),
  }
}

class FilePlace extends ClaimedLocal<PartialFile> {
  begin(needs: WriterNeeds = {}): Promise<PartialFile> {
    const { files, name, sides } = this.claim.place
    return opening(name, async () => {
      const replaces = await this.#replaced()
      await this.claim.check()
      // of a run that died; a new file takes its place, so that whoever has it open writes to one without a name
      await removeFile(files, sides.partial)
      return this.#open(await createPrivate(files, sides.partial, replaces), RunningProof.for(needs), replaces)
    })
  }

  resume(kept: KeptToken, needs: WriterNeeds = {}): Promise<PartialFile> {
    const { files, name, sides } = this.claim.place
    const { partial } = sides
    return opening(name, async () => {
      const token = bytesTokenOf(kept, this.partialName)
      const replaces = await this.#replaced()
      let file = await openKept(files, partial, (found) => checkOurs(found, this.claim.ownStatus, partial))
      if (file === null) throw this.gone()
      try {
        const { size } = await file.stat()
        const { bytes } = token
        this.checkHeld(size, bytes)
        const proof = RunningProof.like(token, needs)
        for await (const piece of piecesOf(file, 0, bytes)) proof.add(piece)
        proof.settle(token, needs, this.partialName)
        await this.claim.check()
        if (this.claim.mayHavePredecessor) file = await replacedByCopy(files, file, partial, bytes)
        else await file.truncate(bytes)
        return await this.#open(file, proof, replaces)
      } catch (error) {
        await file.close().catch(() => {})
        throw error
      }
    })
  }

  /** Status of the file that is to be replaced; null where there is none. */
  async #replaced(): Promise<FileStatus | null> {
    const { files, name, target, overwrite } = this.claim.place
    const status = await statusOf(files, target)
    if (status !== null && !overwrite) throw new ConfigError('ERR_OUTPUT_EXISTS', `${name} exists already`)
    return status
  }

  protected isPublished(token: BytesToken): Promise<boolean> {
    const { files, name, target } = this.claim.place
    return opening(name, async () => {
      const file = await openOwnFile(files, target, constants.O_RDONLY)
      if (file === null) return false
      try {
        const { size } = await file.stat()
        if (size !== token.bytes) return false
        const proof = RunningProof.like(token, {})
        for await (const piece of piecesOf(file, 0, token.bytes)) proof.add(piece)
        return proof.isOf(token) // else it is an older output of the same length
      } finally {
        await file.close().catch(() => {}) // nothing was written
      }
    })
  }

  /** @param proof of what it holds already */
  async #open(file: OpenFile, proof: RunningProof, replaces: FileStatus | null): Promise<PartialFile> {
    const { files, target } = this.claim.place
    const { bytes } = proof
    let directory: OpenFile | null = null
    try {
      const identity = await file.stat()
      directory = await openDirectory(files, dirname(target))
      const mode = modeOf(replaces)
      return new PartialFile({ claim: this.claim, file, directory, identity, mode, replaces, proof, bytes })
    } catch (error) {
      await Promise.allSettled([directory?.close(), file.close()])
      if (bytes === 0) await removeFile(files, this.claim.place.sides.partial).catch(() => {})
      throw error
    }
  }
}
