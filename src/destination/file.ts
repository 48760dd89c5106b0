// A file that is whole or absent: bytes go to a temporary name beside it, and only a complete, durable file gets the final name.

import { constants } from 'node:fs'
import { dirname } from 'node:path'
import type { CheckpointStore } from '../checkpoint/store.js'
import { sleep, systemClock } from '../clock.js'
import { ConfigError, OutputError, printable, StateError } from '../errors.js'
import { flushDirectory, openDirectory } from '../files/directory.js'
import { type FileStatus, type FileSystem, type OpenFile, systemFiles } from '../files/file-system.js'
import { flush } from '../files/flush.js'
import { errnoOf, isErrno, opening, outputError } from '../files/os-error.js'
import { openOwnFile } from '../files/own-file.js'
import { checkOurs, othersWrite } from '../files/ownership.js'
import { followLinks, ownStatusOf, statusOf } from '../files/paths.js'
import { piecesOf } from '../files/pieces.js'
import { temporaryName } from '../files/side-names.js'
import { removeFile } from '../files/whole-file.js'
import { writeFully } from '../files/write-fully.js'
import { BufferedFile } from './buffered-file.js'
import type { ClaimedPlace, Destination, DestinationWriter, ResumablePlace, ResumableWriter } from './destination.js'
import { type LocalClaim, type LocalOptions, LocalPlace, openClaimed } from './local-place.js'
import type { ManifestFile } from './manifest-file.js'

export type FileDestinationOptions = LocalOptions

/**
 * The file at `path`. A symbolic link is followed first and stays. Bytes go to `_NAME.partial` beside it, or in `workDir`; `commit` flushes that to storage, checks
 * that it is still the file that was opened, renames it, and flushes the directory (where the platform can: Linux, macOS). Permission bits of a replaced
 * file are kept. What told of it, `_NAME.manifest.json`, is removed before. While it is open, a lock keeps a second export to the same file away.
 *
 * What is no regular file (FIFO, device) is opened and written in place; there is nothing to publish then, and opening a FIFO waits for its reader or the signal.
 *
 * Errors: ERR_OUTPUT_EXISTS, ERR_STATE_LOCKED, and OutputErrors by what the system says. Where the rename is refused the complete file is kept and the message
 * has the command that publishes it.
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

class FilePlace implements ClaimedPlace {
  readonly #claim: LocalClaim

  constructor(claim: LocalClaim) {
    this.#claim = claim
  }

  get checkpoints(): CheckpointStore {
    return this.#claim.checkpoints
  }

  get manifest(): ManifestFile {
    return this.#claim.manifest
  }

  get partialName(): string {
    return printable(this.#claim.place.sides.partial)
  }

  get overwrite(): boolean {
    return this.#claim.place.overwrite
  }

  begin(): Promise<ResumableWriter> {
    const { files, name, target, overwrite, sides } = this.#claim.place
    return opening(name, async () => {
      const status = await statusOf(files, target)
      if (status !== null && !overwrite) throw new ConfigError('ERR_OUTPUT_EXISTS', `${name} exists already`)
      await this.#claim.check()
      // of a run that died; a new file takes its place, so that whoever has it open writes to one without a name
      await removeFile(files, sides.partial)
      return this.#open(await createPrivate(files, sides.partial, status), 0, status)
    })
  }

  resume(bytes: number, check: (piece: Uint8Array | null) => void): Promise<ResumableWriter> {
    const { files, name, target, overwrite, sides } = this.#claim.place
    const { partial } = sides
    return opening(name, async () => {
      const status = await statusOf(files, target)
      if (status !== null && !overwrite) throw new ConfigError('ERR_OUTPUT_EXISTS', `${name} exists already`)
      let file = await openKept(files, partial, (found) => checkOurs(found, this.#claim.ownStatus, partial))
      if (file === null) throw new StateError('ERR_STATE_OUTPUT', `${printable(partial)} is gone`)
      try {
        const { size } = await file.stat()
        if (size < bytes) {
          const message = `${printable(partial)} has ${size} bytes, fewer than the ${bytes} that its checkpoint tells of`
          throw new StateError('ERR_STATE_OUTPUT', message)
        }
        for await (const piece of piecesOf(file, 0, bytes)) check(piece)
        check(null)
        await this.#claim.check()
        if (this.#claim.mayHavePredecessor) file = await replacedByCopy(files, file, partial, bytes)
        else await file.truncate(bytes)
        return await this.#open(file, bytes, status)
      } catch (error) {
        await file.close().catch(() => {})
        throw error
      }
    })
  }

  readPublished(bytes: number, check: (piece: Uint8Array | null) => void): Promise<boolean> {
    const { files, name, target } = this.#claim.place
    return opening(name, async () => {
      const file = await openOwnFile(files, target, constants.O_RDONLY)
      if (file === null) return false
      try {
        const { size } = await file.stat()
        if (size !== bytes) return false
        for await (const piece of piecesOf(file, 0, bytes)) check(piece)
        check(null)
        return true
      } finally {
        await file.close().catch(() => {}) // nothing was written
      }
    })
  }

  release(): Promise<void> {
    return this.#claim.release()
  }

  /** @param status of the file that is to be replaced; null where there is none */
  async #open(file: OpenFile, bytes: number, status: FileStatus | null): Promise<PartialFile> {
    const { files, target } = this.#claim.place
    let directory: OpenFile | null = null
    try {
      const identity = await file.stat()
      directory = await openDirectory(files, dirname(target))
      return new PartialFile({
        claim: this.#claim,
        file,
        directory,
        identity,
        mode: modeOf(status),
        replaces: status !== null,
        bytes,
      })
    } catch (error) {
      await Promise.allSettled([directory?.close(), file.close()])
      if (bytes === 0) await removeFile(files, this.#claim.place.sides.partial).catch(() => {})
      throw error
    }
  }
}

/** Permission bits of the output: those of the one that it replaces; set-id bits are not for data. */
export function modeOf(replaced: FileStatus | null): number {
  return replaced === null ? 0o666 & ~process.umask() : replaced.mode & 0o777
}

/** A new file that only its owner can write to, and that nobody can read who could not read the replaced one. */
async function createPrivate(files: FileSystem, path: string, replaced: FileStatus | null): Promise<OpenFile> {
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

/** The first `bytes` bytes of `file` in a new file of the same name and permissions: whoever has the old one open writes to a file without a name. Closes `file`. */
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

/** Where files have no permission bits, they have at most the wanted ones; where Node.js may not change them, they have fewer. */
export async function changeMode(file: Pick<OpenFile, 'chmod'>, mode: number): Promise<void> {
  try {
    await file.chmod(mode)
  } catch (error) {
    if (!isErrno(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'ERR_ACCESS_DENIED')) throw error
  }
}

interface PartialFileInit {
  claim: LocalClaim
  file: OpenFile
  /** To be flushed after the rename. Opened before the export, so that the last step does not fail for want of a file descriptor. */
  directory: OpenFile | null
  /** Status of the partial file when it was opened. */
  identity: FileStatus
  /** Permission bits that the output is to have. */
  mode: number
  /** Whether the target existed and may be replaced. */
  replaces: boolean
  /** Bytes that it holds already. */
  bytes: number
}

class PartialFile implements ResumableWriter {
  isKept = false
  readonly #init: PartialFileInit
  readonly #place: LocalPlace
  readonly #out: BufferedFile
  #state: 'open' | 'published' | 'complete' | 'lost' | 'aborted' = 'open'
  #isFileOpen = true
  #directory: OpenFile | null
  #left: string

  constructor(init: PartialFileInit) {
    this.#init = init
    this.#place = init.claim.place
    this.#out = new BufferedFile(init.file, this.#place.name)
    this.#out.bytesWritten = init.bytes
    this.#directory = init.directory
    this.#left = init.replaces
      ? `the partial file was removed, ${this.#place.name} is as it was`
      : 'the partial file was removed, nothing was published'
  }

  get bytesWritten(): number {
    return this.#out.bytesWritten
  }

  get left(): string {
    return this.#left
  }

  get isResumable(): boolean {
    return this.isKept && this.#state === 'open'
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#out.write(bytes)
  }

  async commit(manifest: Uint8Array | null = null): Promise<void> {
    const hasManifest = manifest !== null
    const { claim } = this.#init
    try {
      await this.#finish(hasManifest)
      if (hasManifest) await claim.manifest.prepare(manifest, this.#init.mode)
      await this.#checkOurs()
      await claim.manifest.withdraw()
      await this.#publish()
      await this.#flushDirectory()
      if (hasManifest) await this.#publishManifest()
    } catch (error) {
      if (hasManifest) await claim.manifest.discard()
      await this.abort()
      throw outputError(error, `publishing ${this.#place.name}`, 'ERR_OUTPUT_IO')
    }
    await this.#release()
  }

  async abort(): Promise<void> {
    const removes = this.#state === 'open' && !this.isKept
    if (removes) this.#state = 'aborted'
    // what is kept is only told of where it is still ours
    else if (this.isResumable) await this.#checkOurs().catch(() => {})
    await this.#release()
    if (removes) await this.#removePartial()
  }

  async sync(): Promise<void> {
    await this.#out.flush()
    try {
      await flush(this.#init.file)
      await this.#checkIdentity()
    } catch (error) {
      throw outputError(error, `flushing ${this.#place.name} to storage`, 'ERR_OUTPUT_IO')
    }
  }

  async *read(from: number, to: number): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* piecesOf(this.#init.file, from, to)
    } catch (error) {
      throw outputError(error, `reading ${this.#partialName}`, 'ERR_OUTPUT_IO')
    }
  }

  async rewind(bytes: number): Promise<void> {
    try {
      // also after a failed write, whose bytes nobody will miss: truncating frees the space that the disk lacks
      await this.#out.settle()
      await this.#checkOurs()
      await this.#out.flush().catch(() => {})
      await this.#init.file.truncate(bytes)
      this.#out.bytesWritten = bytes
    } catch (error) {
      throw outputError(error, `truncating ${this.#partialName}`, 'ERR_OUTPUT_IO')
    }
  }

  get #partialName(): string {
    return printable(this.#place.sides.partial)
  }

  /** Everything to storage and the file closed. A failed flush is not repeated: the kernel may have dropped the bytes that it failed to write, and a second
   *  fsync would then succeed without them (fsync(2), "Linux kernel 4.13 and later"). */
  async #finish(hasManifest: boolean): Promise<void> {
    const { file, identity, mode } = this.#init
    await this.#out.flush()
    try {
      if ((identity.mode & 0o777) !== mode) await changeMode(file, mode)
      await flush(file)
      await this.#verify(hasManifest)
      this.#isFileOpen = false
      await file.close()
    } catch (error) {
      throw outputError(error, `flushing ${this.#place.name} to storage`, 'ERR_OUTPUT_IO')
    }
  }

  /** The rename goes by name: what does it name, and what would it replace? */
  async #verify(hasManifest: boolean): Promise<void> {
    const { files, target } = this.#place
    const { manifest } = this.#init.claim
    await this.#checkIdentity()
    // an output that appeared during the export is somebody's
    if (!this.#init.replaces && (await statusOf(files, target)) !== null) throw this.#keep('it exists by now')
    if (hasManifest && (await manifest.isInTheWay())) {
      throw this.#keep(`${manifest.name} exists by now and is no manifest of an export`)
    }
  }

  /** Before everything that changes what others may have by now: the place is still ours, and the name our file's. */
  async #checkOurs(): Promise<void> {
    await this.#checkClaim()
    const isOurs = await this.#isOurs().catch((error) => {
      throw outputError(error, `looking at ${this.#partialName}`, 'ERR_OUTPUT_IO')
    })
    if (isOurs) return
    this.#lose(`${this.#partialName} is no longer that of this export`)
    throw new OutputError('ERR_OUTPUT_CHANGED', `${this.#partialName} was replaced or removed during the export`)
  }

  async #checkClaim(): Promise<void> {
    try {
      await this.#init.claim.check()
    } catch (error) {
      if (error instanceof StateError) this.#lose(`nothing of what is at ${this.#place.name} now was touched`)
      throw error
    }
  }

  #lose(left: string): void {
    if (this.#state === 'open') this.#state = 'lost'
    this.#left = left
  }

  /** As `#checkOurs`, and the file is what we wrote. */
  async #checkIdentity(): Promise<void> {
    await this.#checkOurs()
    const { size } = await this.#init.file.stat()
    if (size !== this.bytesWritten)
      throw new OutputError(
        'ERR_OUTPUT_CHANGED',
        `${this.#partialName} holds ${size} bytes instead of the ${this.bytesWritten} that were written`,
      )
  }

  async #publish(): Promise<void> {
    const { files, name, target, sides } = this.#place
    try {
      await files.rename(sides.partial, target)
    } catch (error) {
      throw this.#keep((error as Error).message.split(', ')[0]!, error)
    }
    this.#state = 'published'
    this.#left = `${name} is complete`
  }

  async #flushDirectory(): Promise<void> {
    const { name } = this.#place
    try {
      await flushDirectory(this.#directory)
    } catch (error) {
      this.#left = `${name} is complete, but may not outlive a power loss`
      throw outputError(error, `flushing the directory of ${name}`, 'ERR_OUTPUT_IO')
    }
  }

  async #publishManifest(): Promise<void> {
    const { files, name, target } = this.#place
    const { left } = this
    this.#left = `${name} is complete, but may have no manifest`
    await this.#checkClaim()
    if (!this.#isSame(await statusOf(files, target)))
      throw new OutputError('ERR_OUTPUT_CHANGED', `${name} was replaced as soon as it had its name`)
    await this.#init.claim.manifest.publish()
    this.#left = left
  }

  /** From here on the complete partial file stays. */
  #keep(reason: string, cause?: unknown): Error {
    const { name, target, sides } = this.#place
    this.#state = 'complete'
    // what is mounted there can be written to and not be replaced
    const command = `${errnoOf(cause) === 'EBUSY' ? 'cp' : 'mv'} ${shellQuoted(sides.partial)} ${shellQuoted(target)}`
    this.#left = `${this.#partialName} is kept`
    return new OutputError('ERR_OUTPUT_RENAME', printable(`publishing ${name}: ${reason}; to publish it: ${command}`), {
      cause,
    })
  }

  /** Closes what is still open, after the write in flight. */
  async #release(): Promise<void> {
    await this.#out.settle()
    if (this.#isFileOpen) await this.#init.file.close().catch(() => {})
    this.#isFileOpen = false
    await this.#directory?.close().catch(() => {})
    this.#directory = null
  }

  async #isOurs(): Promise<boolean> {
    return this.#isSame(await ownStatusOf(this.#place.files, this.#place.sides.partial))
  }

  #isSame(status: FileStatus | null): boolean {
    const { identity } = this.#init
    return status !== null && status.dev === identity.dev && status.ino === identity.ino
  }

  async #removePartial(): Promise<void> {
    const { files, sides } = this.#place
    try {
      await this.#init.claim.check()
      // another process may have put its own file there
      if (await this.#isOurs()) await files.unlink(sides.partial)
    } catch (error) {
      this.#left =
        error instanceof StateError
          ? `nothing of what is at ${this.#place.name} now was touched`
          : `${this.#partialName} could not be removed`
    }
  }
}

function shellQuoted(path: string): string {
  const safe = path.startsWith('-') ? `./${path}` : path
  return /^[\w./+@%:=-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", "'\\''")}'`
}

async function openInPlace(
  files: FileSystem,
  path: string,
  signal: AbortSignal | undefined,
): Promise<DestinationWriter> {
  try {
    const isFifo = (await files.stat(path)).isFIFO()
    const file = isFifo ? await openFifo(files, path, signal) : await files.open(path, constants.O_WRONLY)
    return new PlaceWriter(file, printable(path))
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw outputError(error, `opening ${printable(path)}`, 'ERR_OUTPUT_ACCESS')
  }
}

/** A FIFO, as soon as it has a reader. A thread that waits for one in open(2) could not be called back, and would keep the process alive after a stop. */
async function openFifo(files: FileSystem, path: string, signal: AbortSignal | undefined): Promise<OpenFile> {
  for (;;) {
    signal?.throwIfAborted()
    try {
      // stays open until the other is, so that the reader sees no end in between; for writing it is of no use, as it never waits
      const first = await files.open(path, constants.O_WRONLY | constants.O_NONBLOCK)
      try {
        return await files.open(path, constants.O_WRONLY)
      } finally {
        await first.close()
      }
    } catch (error) {
      if (errnoOf(error) !== 'ENXIO') throw error // that there is no reader yet (open(2))
    }
    await sleep(systemClock, readerPollMs, signal)
  }
}

const readerPollMs = 20

/** A FIFO or a device: what was written is out, so there is nothing to publish or to remove. Also stdout where that is a file. */
export class PlaceWriter implements DestinationWriter {
  readonly #file: Pick<OpenFile, 'write' | 'sync' | 'close'>
  readonly #name: string
  readonly #out: BufferedFile
  #isOpen = true

  constructor(file: Pick<OpenFile, 'write' | 'sync' | 'close'>, name: string) {
    this.#file = file
    this.#name = name
    this.#out = new BufferedFile(file, name)
  }

  get bytesWritten(): number {
    return this.#out.bytesWritten
  }

  get left(): string {
    return this.bytesWritten === 0 ? 'nothing was written' : `what was written to ${this.#name} stays there`
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#out.write(bytes)
  }

  async commit(): Promise<void> {
    try {
      await this.#out.flush()
      await this.#sync()
      this.#isOpen = false
      await this.#file.close()
    } catch (error) {
      await this.abort()
      throw outputError(error, `flushing ${this.#name}`, 'ERR_OUTPUT_IO')
    }
  }

  async abort(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    await this.#out.settle()
    await this.#file.close().catch(() => {})
  }

  async #sync(): Promise<void> {
    try {
      await flush(this.#file)
    } catch (error) {
      // pipes and most devices cannot be flushed (fsync(2): EINVAL, EROFS)
      if (!isErrno(error, 'EINVAL', 'EROFS', 'ENOTSUP')) throw error
    }
  }
}
