// A file that is whole or absent: bytes go to a temporary name beside it, and only a complete, durable file gets the final name.

import { constants } from 'node:fs'
import { dirname } from 'node:path'
import { fileCheckpoints } from '../checkpoint/file-store.js'
import { sleep, systemClock } from '../clock.js'
import { ConfigError, OutputError, printable, StateError } from '../errors.js'
import { flushDirectory, openDirectory } from '../files/directory.js'
import { type FileStatus, type FileSystem, type OpenFile, systemFiles } from '../files/file-system.js'
import { errnoOf, isErrno, opening, outputError } from '../files/os-error.js'
import { followLinks, statusOf } from '../files/paths.js'
import { piecesOf } from '../files/pieces.js'
import { sideNames } from '../files/side-names.js'
import { BufferedFile } from './buffered-file.js'
import type { Destination, DestinationWriter, ResumablePlace, ResumableWriter } from './destination.js'
import { ManifestFile } from './manifest-file.js'

export interface FileDestinationOptions {
  /** Whether an existing file may be replaced. It is, only when the export is complete; its permission bits are kept. Default false. */
  overwrite?: boolean
  /** The file system; tests give one that fails. */
  files?: FileSystem
}

/**
 * The file at `path`. A symbolic link is followed first and stays. Bytes go to `_NAME.partial` in the same directory and so on the same file system;
 * `commit` flushes it to storage, checks that it is still the file that was opened, renames it, and flushes the directory (where the platform can: Linux,
 * macOS). What told of a replaced file, `_NAME.manifest.json`, is removed before.
 * A partial file that is there already, of a run that died, is replaced by a new file: should its writer be alive after all, it keeps writing to a file
 * without a name and finds that out when it commits.
 *
 * What is no regular file (FIFO, device) is opened and written in place; there is nothing to publish then, and opening a FIFO waits for its reader or the signal.
 *
 * Errors: ERR_OUTPUT_EXISTS, and OutputErrors by what the system says. Where the rename is refused the complete file is kept and the message has the command
 * that publishes it.
 */
export function fileDestination(path: string, options: FileDestinationOptions = {}): Destination {
  const files = options.files ?? systemFiles
  const name = printable(path)
  return {
    name,
    async open(signal) {
      // an empty path, and what no system call can be given
      if (path === '' || path.includes('\0'))
        throw new ConfigError('ERR_OPTION_INVALID', `the output path '${name}' cannot be a file name`)
      try {
        const status = await statusOf(files, path)
        if (status !== null && !status.isFile() && !status.isDirectory())
          return await openInPlace(files, path, status, signal)
        return await openPartial(files, path, status, options.overwrite ?? false)
      } catch (error) {
        if (signal?.aborted) throw signal.reason
        throw outputError(error, `opening ${name}`, 'ERR_OUTPUT_ACCESS')
      }
    },
    async resumable() {
      if (path === '' || path.includes('\0')) return null // what `open` refuses
      return opening(name, async () => {
        const status = await statusOf(files, path)
        if (status !== null && !status.isFile()) return null
        const target = await followLinks(files, path)
        return filePlace({ files, path, name, target, overwrite: options.overwrite ?? false })
      })
    },
  }
}

interface FilePlaceInit {
  files: FileSystem
  path: string
  name: string
  /** What the links at `path` lead to. */
  target: string
  overwrite: boolean
}

/** The partial file as one that outlives the run that wrote it. It is appended to, so that going back is truncating. */
function filePlace({ files, path, name, target, overwrite }: FilePlaceInit): ResumablePlace {
  const { partial } = sideNames(target)
  return {
    checkpoints: fileCheckpoints(target, { files, name }),
    partialName: printable(partial),
    manifest: new ManifestFile(files, target),
    begin: () =>
      opening(name, async () => {
        const status = await statusOf(files, path)
        return openPartial(files, path, status, overwrite, constants.O_RDWR | constants.O_APPEND)
      }),
    resume: (bytes, check) =>
      opening(name, async () => {
        const status = await statusOf(files, path)
        if (status !== null && !overwrite) throw new ConfigError('ERR_OUTPUT_EXISTS', `${name} exists already`)
        const flags = constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW
        const file = await openToRead(files, partial, flags)
        if (file === null) throw new StateError('ERR_STATE_OUTPUT', `${printable(partial)} is gone`)
        let directory: OpenFile | null = null
        try {
          await checkKept(file, partial, bytes, check)
          await file.truncate(bytes)
          const identity = await file.stat()
          directory = await openDirectory(files, dirname(target))
          const replaces = status !== null
          return new PartialFile({ files, file, directory, identity, name, target, partial, replaces, bytes })
        } catch (error) {
          await Promise.allSettled([directory?.close(), file.close()])
          throw error
        }
      }),
    readPublished: (bytes, check) =>
      opening(name, async () => {
        const file = await openToRead(files, target, constants.O_RDONLY)
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
      }),
  }
}

/** Null where there is no such file. */
async function openToRead(files: FileSystem, path: string, flags: number): Promise<OpenFile | null> {
  try {
    return await files.open(path, flags)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null
    if (errnoOf(error) === 'ELOOP') throw new StateError('ERR_STATE_OUTPUT', `${printable(path)} is a symbolic link`)
    throw error
  }
}

async function checkKept(
  file: OpenFile,
  partial: string,
  bytes: number,
  check: (piece: Uint8Array | null) => void,
): Promise<void> {
  const status = await file.stat()
  if (!status.isFile()) throw new StateError('ERR_STATE_OUTPUT', `${printable(partial)} is no file`)
  if (status.size < bytes) {
    const message = `${printable(partial)} has ${status.size} bytes, fewer than the ${bytes} that its checkpoint tells of`
    throw new StateError('ERR_STATE_OUTPUT', message)
  }
  for await (const piece of piecesOf(file, 0, bytes)) check(piece)
  check(null)
}

async function openPartial(
  files: FileSystem,
  path: string,
  status: FileStatus | null,
  overwrite: boolean,
  access = constants.O_WRONLY,
): Promise<ResumableWriter> {
  const name = printable(path)
  if (status?.isDirectory()) throw new OutputError('ERR_OUTPUT_ACCESS', `opening ${name}: it is a directory`)
  if (status !== null && !overwrite) throw new ConfigError('ERR_OUTPUT_EXISTS', `${name} exists already`)
  const target = await followLinks(files, path)
  const { partial } = sideNames(target)
  const flags = access | constants.O_CREAT | constants.O_EXCL
  // permission bits of the replaced file, so that the new one is never open to more than the old one was; set-id bits are not for data
  const mode = status === null ? 0o666 : status.mode & 0o777
  const file = await retryAfterUnlink(files, partial, () => files.open(partial, flags, mode))
  let directory: OpenFile | null = null
  try {
    if (status !== null) await keepMode(file, mode)
    const identity = await file.stat()
    directory = await openDirectory(files, dirname(target))
    return new PartialFile({
      files,
      file,
      directory,
      identity,
      name,
      target,
      partial,
      replaces: status !== null,
      bytes: 0,
    })
  } catch (error) {
    await Promise.allSettled([directory?.close(), file.close()])
    await files.unlink(partial).catch(() => {})
    throw error
  }
}

/** Runs `open`; where an old partial file is in the way, removes that and runs it once more. */
async function retryAfterUnlink(files: FileSystem, partial: string, open: () => Promise<OpenFile>): Promise<OpenFile> {
  try {
    return await open()
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
  }
  await files.unlink(partial)
  return open()
}

/** The umask may have taken bits that the replaced file had. */
async function keepMode(file: OpenFile, mode: number): Promise<void> {
  try {
    await file.chmod(mode)
  } catch (error) {
    // file systems without permission bits refuse; the file has at most the wanted ones
    if (!isErrno(error, 'EPERM', 'ENOTSUP', 'ENOSYS')) throw error
  }
}

interface PartialFileInit {
  files: FileSystem
  file: OpenFile
  /** To be flushed after the rename. Opened before the export, so that the last step does not fail for want of a file descriptor. */
  directory: OpenFile | null
  /** Status of the partial file when it was opened. */
  identity: FileStatus
  /** What messages call the output. */
  name: string
  /** Final name, behind all links. */
  target: string
  partial: string
  /** Whether the target existed and may be replaced. */
  replaces: boolean
  /** Bytes that it holds already. */
  bytes: number
}

class PartialFile implements ResumableWriter {
  isKept = false
  readonly #init: PartialFileInit
  readonly #out: BufferedFile
  readonly #manifest: ManifestFile
  #state: 'open' | 'published' | 'kept' | 'aborted' = 'open'
  #isFileOpen = true
  #directory: OpenFile | null
  #left: string

  constructor(init: PartialFileInit) {
    this.#init = init
    this.#out = new BufferedFile(init.file, init.name)
    this.#out.bytesWritten = init.bytes
    this.#directory = init.directory
    this.#manifest = new ManifestFile(init.files, init.target)
    this.#left = init.replaces
      ? `the partial file was removed, ${init.name} is as it was`
      : 'the partial file was removed, nothing was published'
  }

  get bytesWritten(): number {
    return this.#out.bytesWritten
  }

  get left(): string {
    return this.#left
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#out.write(bytes)
  }

  async commit(manifest: Uint8Array | null = null): Promise<void> {
    const hasManifest = manifest !== null
    try {
      await this.#finish()
      if (hasManifest) await this.#manifest.prepare(manifest, this.#init.identity.mode)
      await this.#manifest.withdraw(this.#directory, hasManifest)
      await this.#publish()
      await this.#flushDirectory()
      if (hasManifest) await this.#publishManifest()
    } catch (error) {
      if (hasManifest) await this.#manifest.discard()
      await this.abort()
      throw error
    }
    await this.#release()
  }

  async abort(): Promise<void> {
    const removes = this.#state === 'open' && !this.isKept
    if (removes) this.#state = 'aborted'
    await this.#release()
    if (removes) await this.#removePartial()
  }

  async sync(): Promise<void> {
    await this.#out.flush()
    try {
      await this.#init.file.sync()
      await this.#checkIdentity()
    } catch (error) {
      throw outputError(error, `flushing ${this.#init.name} to storage`, 'ERR_OUTPUT_IO')
    }
  }

  async *read(from: number, to: number): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* piecesOf(this.#init.file, from, to)
    } catch (error) {
      throw outputError(error, `reading ${printable(this.#init.partial)}`, 'ERR_OUTPUT_IO')
    }
  }

  async rewind(bytes: number): Promise<void> {
    try {
      // also after a failed write, whose bytes nobody will miss: truncating frees the space that the disk lacks
      await this.#out.settle()
      await this.#out.flush().catch(() => {})
      await this.#init.file.truncate(bytes)
      this.#out.bytesWritten = bytes
    } catch (error) {
      throw outputError(error, `truncating ${printable(this.#init.partial)}`, 'ERR_OUTPUT_IO')
    }
  }

  /** Everything to storage and the file closed. A failed flush is not repeated: the kernel may have dropped the bytes that it failed to write, and a second
   *  fsync would then succeed without them (fsync(2), "Linux kernel 4.13 and later"). */
  async #finish(): Promise<void> {
    const { file, name } = this.#init
    await this.#out.flush()
    try {
      await file.sync()
      await this.#verify()
      this.#isFileOpen = false
      await file.close()
    } catch (error) {
      throw outputError(error, `flushing ${name} to storage`, 'ERR_OUTPUT_IO')
    }
  }

  /** The rename goes by name: what does it name, and what would it replace? */
  async #verify(): Promise<void> {
    const { files } = this.#init
    await this.#checkIdentity()
    // an output that appeared during the export is somebody's
    if (!this.#init.replaces && (await statusOf(files, this.#init.target)) !== null)
      throw this.#keep('it exists by now')
  }

  /** The name is still our file's, and the file what we wrote. */
  async #checkIdentity(): Promise<void> {
    const { file, partial } = this.#init
    if (!(await this.#isOurs()))
      throw new OutputError('ERR_OUTPUT_CHANGED', `${printable(partial)} was replaced or removed during the export`)
    const { size } = await file.stat()
    if (size !== this.bytesWritten)
      throw new OutputError(
        'ERR_OUTPUT_CHANGED',
        `${printable(partial)} holds ${size} bytes instead of the ${this.bytesWritten} that were written`,
      )
  }

  async #publish(): Promise<void> {
    const { files, partial, target } = this.#init
    try {
      await files.rename(partial, target)
    } catch (error) {
      throw this.#keep((error as Error).message.split(', ')[0]!, error)
    }
    this.#state = 'published'
    this.#left = `${this.#init.name} is complete`
  }

  async #flushDirectory(): Promise<void> {
    try {
      await flushDirectory(this.#directory)
    } catch (error) {
      this.#left = `${this.#init.name} is complete, but may not outlive a power loss`
      throw outputError(error, `flushing the directory of ${this.#init.name}`, 'ERR_OUTPUT_IO')
    }
  }

  async #publishManifest(): Promise<void> {
    const { left } = this
    this.#left = `${this.#init.name} is complete, but may have no manifest`
    await this.#manifest.publish(this.#directory)
    this.#left = left
  }

  /** From here on the complete partial file stays. */
  #keep(reason: string, cause?: unknown): Error {
    const { name, partial, target } = this.#init
    this.#state = 'kept'
    const command = `mv ${shellQuoted(partial)} ${shellQuoted(target)}`
    this.#left = `${printable(partial)} is kept`
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
    const { files, identity, partial } = this.#init
    const status = await statusOf(files, partial)
    return status !== null && status.dev === identity.dev && status.ino === identity.ino
  }

  async #removePartial(): Promise<void> {
    const { files, partial } = this.#init
    try {
      // another process may have put its own file there
      if (await this.#isOurs()) await files.unlink(partial)
    } catch {
      this.#left = `${printable(partial)} could not be removed`
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
  status: FileStatus,
  signal: AbortSignal | undefined,
): Promise<DestinationWriter> {
  const file = status.isFIFO() ? await openFifo(files, path, signal) : await files.open(path, constants.O_WRONLY)
  return new PlaceWriter(file, printable(path))
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
      await this.#file.sync()
    } catch (error) {
      // pipes and most devices cannot be flushed (fsync(2): EINVAL, EROFS)
      if (!isErrno(error, 'EINVAL', 'EROFS', 'ENOTSUP')) throw error
    }
  }
}
