// A directory of parts that is whole or absent: parts are files of a directory beside it, and only that directory,
// complete and durable, gets the final name. To who writes, the parts are one run of bytes that is cut into files.

import { dirname } from 'node:path'
import { ConfigError, printable, StateError } from '../errors.js'
import { openDirectory } from '../files/directory.js'
import { type OpenFile, systemFiles } from '../files/file-system.js'
import { opening } from '../files/os-error.js'
import { checkOurs, othersWrite } from '../files/ownership.js'
import { followLinks } from '../files/paths.js'
import { temporaryName } from '../files/side-names.js'
import { ClaimedLocal } from './claimed-local.js'
import { openClaimed } from './claimed-writer.js'
import type { Destination, KeptToken, Part, ResumablePlace, WriterNeeds } from './destination.js'
import { type LocalClaim, type LocalOptions, LocalPlace } from './local-place.js'
import { checkTarget, mark, partsBytes, partsIn, partsUpTo, readParts, removeOurs, unmark } from './part-files.js'
import { PartsDirectory } from './parts-directory.js'
import { openKept, replacedByCopy } from './private-file.js'
import { type BytesToken, bytesTokenOf, RunningProof } from './proof.js'

export interface DirectoryDestinationOptions extends LocalOptions {
  /** End of the name of each part, with the dot: `.csv.gz`. */
  extension: string
}

/**
 * The directory at `path`, with parts `part-00000<extension>`, `part-00001<extension>`, … A symbolic link is followed
 * first and stays. Parts go to `_NAME.partial/` beside it, or in `workDir`; `commit` flushes the last of them and the
 * directory, renames it and flushes its parent. A directory that is replaced is `_NAME.replaced` for the moment between
 * two renames, and removed then. One that holds anything but parts is not replaced.
 *
 * Errors: ERR_OUTPUT_EXISTS, also for a directory that holds more than parts, ERR_STATE_LOCKED, and OutputErrors by
 * what the system says.
 */
export function directoryDestination(path: string, options: DirectoryDestinationOptions): Destination {
  const files = options.files ?? systemFiles
  const name = printable(path)
  const resumable = async (): Promise<ResumablePlace> => {
    if (path === '' || path.includes('\0'))
      throw new ConfigError('ERR_OPTION_INVALID', `the output path '${name}' cannot be a directory name`)
    // a slash at its end would hide that it is a link
    const target = await opening(name, async () => withoutSlash(await followLinks(files, withoutSlash(path))))
    const place = await LocalPlace.at(name, target, options)
    return {
      ownNames: [...place.ownNames, target],
      claim: async () => new DirectoryPlace(await place.claim(), options.extension),
    }
  }
  return { name, hasParts: true, resumable, open: async () => openClaimed(await resumable()) }
}

const withoutSlash = (path: string): string => path.replace(/(?<=.)\/+$/, '')

class DirectoryPlace extends ClaimedLocal<PartsDirectory> {
  readonly #extension: string

  constructor(claim: LocalClaim, extension: string) {
    super(claim)
    this.#extension = extension
  }

  begin(needs: WriterNeeds = {}): Promise<PartsDirectory> {
    const { files, name, sides } = this.claim.place
    return opening(name, async () => {
      await checkTarget(this.claim.place)
      await this.claim.check()
      await removeOurs(files, sides.partial)
      await files.mkdir(sides.partial, 0o777 & ~othersWrite)
      await mark(files, sides.partial)
      return this.#open([], RunningProof.for(needs))
    })
  }

  resume(kept: KeptToken, needs: WriterNeeds = {}): Promise<PartsDirectory> {
    const { files, name, sides } = this.claim.place
    const { partial } = sides
    return opening(name, async () => {
      const token = bytesTokenOf(kept, this.partialName)
      const { bytes } = token
      await checkTarget(this.claim.place)
      const found = await partsIn(files, partial, this.#extension, (status, path) =>
        checkOurs(status, this.claim.ownStatus, path),
      )
      if (found === null) throw this.gone()
      const held = partsBytes(found)
      this.checkHeld(held, bytes)
      const parts = partsUpTo(found, bytes)
      const proof = RunningProof.like(token, needs)
      for await (const piece of readParts(files, partial, parts)) proof.add(piece)
      proof.settle(token, needs, this.partialName)
      if (this.claim.mayHavePredecessor) await this.#copyLast(parts)
      const writer = await this.#open(found, proof)
      try {
        await writer.truncate(bytes)
      } catch (error) {
        await writer.abort({ upTo: null }) // what it could not take back is taken back by the run after this one
        throw error
      }
      return writer
    })
  }

  protected isPublished(token: BytesToken): Promise<boolean> {
    const { files, name, target } = this.claim.place
    return opening(name, async () => {
      const found = await partsIn(files, target, this.#extension).catch((error) => {
        if (error instanceof StateError) return null // it holds something else
        throw error
      })
      if (found === null || partsBytes(found) !== token.bytes) return false
      const proof = RunningProof.like(token, {})
      for await (const piece of readParts(files, target, found)) proof.add(piece)
      if (!proof.isOf(token)) return false // an older output of the same length
      await unmark(files, target)
      return true
    })
  }

  /** The part that an earlier run may have open still: those before it are closed, and those after it go. */
  async #copyLast(kept: readonly Part[]): Promise<void> {
    const last = kept.at(-1)
    if (last === undefined) return
    const { files, sides } = this.claim.place
    const path = `${sides.partial}/${last.name}`
    const file = await openKept(files, path, () => {})
    if (file === null) throw new StateError('ERR_STATE_OUTPUT', `${printable(path)} is gone`)
    await this.claim.check()
    const copy = await replacedByCopy(files, file, path, last.bytes, temporaryName(sides.partial))
    await copy.close()
  }

  /** @param proof of what is there already, less what is taken back at once */
  async #open(parts: readonly Part[], proof: RunningProof): Promise<PartsDirectory> {
    const { files, target, sides } = this.claim.place
    const extension = this.#extension
    let directory: OpenFile | null = null
    let parent: OpenFile | null = null
    try {
      directory = await openDirectory(files, sides.partial)
      parent = await openDirectory(files, dirname(target))
      const identity = await files.lstat(sides.partial)
      return new PartsDirectory({ claim: this.claim, extension, directory, parent, identity, parts, proof })
    } catch (error) {
      await Promise.allSettled([directory?.close(), parent?.close()])
      throw error
    }
  }
}
