// A directory of parts that is whole or absent: parts are files of a directory beside it, and only that directory, complete and durable, gets the final
// name. To who writes, the parts are one run of bytes that is cut into files.

import { constants } from 'node:fs'
import { dirname } from 'node:path'
import type { CheckpointStore } from '../checkpoint/store.js'
import { ConfigError, OutputError, printable, StateError } from '../errors.js'
import { flushDirectory, openDirectory } from '../files/directory.js'
import { type FileStatus, type FileSystem, type OpenFile, systemFiles } from '../files/file-system.js'
import { flush } from '../files/flush.js'
import { opening, outputError } from '../files/os-error.js'
import { checkOurs, othersWrite } from '../files/ownership.js'
import { isPartName, partName } from '../files/part-names.js'
import { followLinks, ownStatusOf, statusOf } from '../files/paths.js'
import { piecesOf } from '../files/pieces.js'
import { temporaryName } from '../files/side-names.js'
import { createWhole, removeFile } from '../files/whole-file.js'
import { BufferedFile } from './buffered-file.js'
import type { ClaimedPlace, Destination, ResumablePlace, ResumableWriter } from './destination.js'
import { changeMode, openKept, replacedByCopy } from './file.js'
import { type LocalClaim, type LocalOptions, LocalPlace, openClaimed } from './local-place.js'
import type { ManifestFile } from './manifest-file.js'

export interface DirectoryDestinationOptions extends LocalOptions {
  /** End of the name of each part, with the dot: `.csv.gz`. */
  extension: string
}

/** An open directory of parts. */
export interface PartsWriter extends ResumableWriter {
  /** Ends the part in hand, if there is one, and makes it durable: the next byte begins another. @throws OutputError */
  endPart(): Promise<void>
  /** The parts so far, as `commit` would publish them: nothing is one part, too. */
  readonly parts: readonly Part[]
}

export interface Part {
  readonly name: string
  readonly bytes: number
}

/**
 * The directory at `path`, with parts `part-00000<extension>`, `part-00001<extension>`, … A symbolic link is followed first and stays. Parts go to
 * `_NAME.partial/` beside it, or in `workDir`; `commit` flushes the last of them and the directory, renames it and flushes its parent. A directory that is
 * replaced is `_NAME.replaced` for the moment between two renames, and removed then. One that holds anything but parts is not replaced.
 *
 * Errors: ERR_OUTPUT_EXISTS, also for a directory that holds more than parts, ERR_STATE_LOCKED, and OutputErrors by what the system says.
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

class DirectoryPlace implements ClaimedPlace {
  readonly #claim: LocalClaim
  readonly #extension: string

  constructor(claim: LocalClaim, extension: string) {
    this.#claim = claim
    this.#extension = extension
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
    const { files, name, sides } = this.#claim.place
    return opening(name, async () => {
      await checkTarget(this.#claim.place)
      await this.#claim.check()
      await removeOurs(files, sides.partial)
      await files.mkdir(sides.partial, 0o777 & ~othersWrite)
      await mark(files, sides.partial)
      return this.#open([])
    })
  }

  resume(bytes: number, check: (piece: Uint8Array | null) => void): Promise<ResumableWriter> {
    const { files, name, sides } = this.#claim.place
    const { partial } = sides
    return opening(name, async () => {
      await checkTarget(this.#claim.place)
      const found = await partsIn(files, partial, this.#extension, (status, path) =>
        checkOurs(status, this.#claim.ownStatus, path),
      )
      if (found === null) throw new StateError('ERR_STATE_OUTPUT', `${printable(partial)} is gone`)
      const kept = firstBytes(found, bytes)
      const held = found.reduce((sum, part) => sum + part.bytes, 0)
      if (held < bytes) {
        const message = `${printable(partial)} has ${held} bytes, fewer than the ${bytes} that its checkpoint tells of`
        throw new StateError('ERR_STATE_OUTPUT', message)
      }
      await readParts(files, partial, kept, check)
      if (this.#claim.mayHavePredecessor) await this.#copyLast(kept)
      const writer = await this.#open(found)
      try {
        await writer.rewind(bytes)
      } catch (error) {
        writer.isKept = true // what it could not take back is taken back by the run after this one
        await writer.abort()
        throw error
      }
      return writer
    })
  }

  readPublished(bytes: number, check: (piece: Uint8Array | null) => void): Promise<boolean> {
    const { files, name, target } = this.#claim.place
    return opening(name, async () => {
      const found = await partsIn(files, target, this.#extension)
      if (found === null || found.reduce((sum, part) => sum + part.bytes, 0) !== bytes) return false
      await readParts(files, target, found, check)
      await unmark(files, target)
      return true
    })
  }

  release(): Promise<void> {
    return this.#claim.release()
  }

  /** The part that an earlier run may have open still: those before it are closed, and those after it go. */
  async #copyLast(kept: readonly Part[]): Promise<void> {
    const last = kept.at(-1)
    if (last === undefined) return
    const { files, sides } = this.#claim.place
    const path = `${sides.partial}/${last.name}`
    const file = await openKept(files, path, () => {})
    if (file === null) throw new StateError('ERR_STATE_OUTPUT', `${printable(path)} is gone`)
    await this.#claim.check()
    const copy = await replacedByCopy(files, file, path, last.bytes, temporaryName(sides.partial))
    await copy.close()
  }

  async #open(found: Part[]): Promise<PartsDirectory> {
    const { files, target, sides } = this.#claim.place
    let directory: OpenFile | null = null
    let parent: OpenFile | null = null
    try {
      directory = await openDirectory(files, sides.partial)
      parent = await openDirectory(files, dirname(target))
      const identity = await files.lstat(sides.partial)
      return new PartsDirectory({ claim: this.#claim, extension: this.#extension, directory, parent, identity }, found)
    } catch (error) {
      await Promise.allSettled([directory?.close(), parent?.close()])
      throw error
    }
  }
}

/** What stands under the final name may be replaced, or is not there. @throws ConfigError ERR_OUTPUT_EXISTS, OutputError */
async function checkTarget({ files, name, target, sides, overwrite }: LocalPlace): Promise<void> {
  const status = await statusOf(files, target)
  const { replaced } = sides
  if (status === null) {
    // a run that died between its two renames
    if ((await strangerIn(files, replaced)) !== null) return
    await files.rename(replaced, target)
    await unmark(files, target)
    if (overwrite) return
    throw new ConfigError('ERR_OUTPUT_EXISTS', `${name} exists already`)
  }
  if (!status.isDirectory()) {
    const hint = 'several parts need a directory; give another --out, or leave out --part-rows and --part-bytes'
    throw new ConfigError('ERR_OUTPUT_EXISTS', `${name} is no directory`, { hint })
  }
  const names = (await files.readdir(target)).filter((entry) => entry !== markName)
  const stranger = names.find((entry) => !isPartName(entry))
  if (stranger !== undefined) {
    const text = `${name} holds more than parts of an export: ${printable(stranger)}`
    throw new ConfigError('ERR_OUTPUT_EXISTS', text, { hint: 'give a directory that does not exist yet' })
  }
  if (names.length > 0 && !overwrite) throw new ConfigError('ERR_OUTPUT_EXISTS', `${name} exists already`)
  const inTheWay = names.length === 0 ? null : await strangerIn(files, replaced)
  if (inTheWay !== null && inTheWay !== 'nothing') {
    const text = `${printable(replaced)} is in the way (${inTheWay}): it takes ${name} for a moment while that is replaced`
    throw new ConfigError('ERR_OUTPUT_EXISTS', text, { hint: 'give it another name, or another --out' })
  }
}

const withoutSlash = (path: string): string => path.replace(/(?<=.)\/+$/, '')

/** In a directory that we made, for as long as it may be ours to remove. */
export const markName = '_truto-export'
const markText = Buffer.from(
  'A directory that truto-export made. It may be removed by the next export to the same place.\n',
)

async function mark(files: FileSystem, directory: string): Promise<void> {
  const path = `${directory}/${markName}`
  if ((await ownStatusOf(files, path)) === null) await createWhole(files, path, markText, false)
}

/** Never throws: nobody is misled by what stays. */
async function unmark(files: FileSystem, directory: string): Promise<void> {
  await removeFile(files, `${directory}/${markName}`).catch(() => {})
}

/** Why a directory is not one that we made, with nothing in it but parts; null where it is. */
async function strangerIn(files: FileSystem, path: string): Promise<string | null> {
  const status = await ownStatusOf(files, path)
  if (status === null) return 'nothing'
  if (!status.isDirectory()) return status.isSymbolicLink() ? 'a symbolic link' : 'no directory'
  const names = await files.readdir(path)
  const stranger = names.find((entry) => entry !== markName && !isPartName(entry))
  if (stranger !== undefined) return `it holds ${printable(stranger)}`
  return names.length === 0 || names.includes(markName) ? null : `it has no ${markName}`
}

/** Removes a directory of parts that we made; where there is none, that is what was wanted. @throws OutputError where it may be somebody else's */
async function removeOurs(files: FileSystem, directory: string): Promise<void> {
  const stranger = await strangerIn(files, directory)
  if (stranger === 'nothing') return
  if (stranger !== null) {
    throw new OutputError('ERR_OUTPUT_ACCESS', `${printable(directory)} is in the way: ${stranger}`, {
      hint: 'remove it, or give another --out',
    })
  }
  // the mark goes last, so that what is left of a removal that was interrupted is known to be ours
  for (const name of await files.readdir(directory)) if (name !== markName) await files.unlink(`${directory}/${name}`)
  await removeFile(files, `${directory}/${markName}`)
  await files.rmdir(directory)
}

/** The parts of a directory in their order; null where there is no directory.
 *  @param check throws where the directory, or a part, is not to be used
 *  @throws StateError where one is missing or something else is there */
async function partsIn(
  files: FileSystem,
  directory: string,
  extension: string,
  check: (status: FileStatus, path: string) => void = () => {},
): Promise<Part[] | null> {
  const status = await ownStatusOf(files, directory)
  if (status === null || !status.isDirectory()) return null
  check(status, directory)
  const held = new Set(await files.readdir(directory))
  held.delete(markName)
  const parts: Part[] = []
  for (let index = 0; index < held.size; index++) {
    const name = partName(index, extension)
    const path = `${directory}/${name}`
    const status = held.has(name) ? await files.lstat(path) : null
    if (!status?.isFile()) {
      throw new StateError('ERR_STATE_OUTPUT', `${printable(directory)} does not hold the parts of this export alone`)
    }
    check(status, path)
    parts.push({ name, bytes: status.size })
  }
  return parts
}

/** The parts that hold the first `bytes` bytes, the last of them as far as it does. */
function firstBytes(parts: readonly Part[], bytes: number): Part[] {
  const kept: Part[] = []
  let left = bytes
  for (const part of parts) {
    if (left === 0) break
    const taken = Math.min(left, part.bytes)
    kept.push({ name: part.name, bytes: taken })
    left -= taken
  }
  return kept
}

async function readParts(
  files: FileSystem,
  directory: string,
  parts: readonly Part[],
  check: (piece: Uint8Array | null) => void,
): Promise<void> {
  for (const { name, bytes } of parts) {
    for await (const piece of filePieces(files, `${directory}/${name}`, 0, bytes)) check(piece)
  }
  check(null)
}

async function* filePieces(files: FileSystem, path: string, from: number, to: number): AsyncGenerator<Uint8Array> {
  const file = await files.open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    yield* piecesOf(file, from, to)
  } finally {
    await file.close().catch(() => {}) // nothing was written
  }
}

interface PartsInit {
  claim: LocalClaim
  extension: string
  /** To be flushed; opened before the export, so that the last steps do not fail for want of a file descriptor. */
  directory: OpenFile | null
  parent: OpenFile | null
  /** Status of the partial directory. */
  identity: FileStatus
}

class PartsDirectory implements PartsWriter {
  isKept = false
  readonly #init: PartsInit
  readonly #place: LocalPlace
  /** All but the part in hand. */
  #closed: Part[]
  #closedBytes: number
  #file: OpenFile | null = null
  #out: BufferedFile | null = null
  /** Its buffers serve one part after the other. */
  #buffers: BufferedFile | null = null
  /** Resolves when no part is being opened any more. */
  #opening: Promise<unknown> | null = null
  /** Whether a part has a name that is not durable yet. */
  #hasNewNames = false
  #state: 'open' | 'published' | 'complete' | 'lost' | 'aborted' = 'open'
  #left = 'the partial directory was removed, nothing was published'

  constructor(init: PartsInit, closed: Part[]) {
    this.#init = init
    this.#place = init.claim.place
    this.#closed = closed
    this.#closedBytes = closed.reduce((sum, part) => sum + part.bytes, 0)
  }

  get bytesWritten(): number {
    return this.#closedBytes + (this.#out?.bytesWritten ?? 0)
  }

  get parts(): readonly Part[] {
    const files = this.#files
    return files.length === 0 ? [{ name: this.#name(0), bytes: 0 }] : files
  }

  /** Those that are there. */
  get #files(): readonly Part[] {
    return this.#out === null ? this.#closed : [...this.#closed, this.#inHand(this.#out)]
  }

  get left(): string {
    return this.#left
  }

  get isResumable(): boolean {
    return this.isKept && this.#state === 'open'
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length > 0) await (this.#out ?? (await this.#beginNew())).write(bytes)
  }

  async endPart(): Promise<void> {
    const [file, out] = [this.#file, this.#out]
    if (file === null || out === null) return
    await this.#flushing(async () => {
      await out.flush()
      await flush(file)
      await this.#checkInHand()
      this.#closed.push(this.#inHand(out))
      this.#closedBytes += out.bytesWritten
      this.#file = this.#out = null
      await file.close()
      await this.#flushNames()
    })
  }

  async sync(): Promise<void> {
    await this.#flushing(async () => {
      await this.#out?.flush()
      if (this.#file !== null) await flush(this.#file)
      await this.#checkInHand()
      await this.#flushNames()
    })
  }

  async *read(from: number, to: number): AsyncGenerator<Uint8Array, void, undefined> {
    const { files, sides } = this.#place
    let start = 0
    try {
      for (const { name, bytes } of this.#files) {
        const end = start + bytes
        if (end > from && start < to) {
          yield* filePieces(files, `${sides.partial}/${name}`, Math.max(0, from - start), Math.min(bytes, to - start))
        }
        start = end
      }
    } catch (error) {
      throw outputError(error, `reading ${this.#partialName}`, 'ERR_OUTPUT_IO')
    }
  }

  /** The part in which the last byte is stays in hand. */
  async rewind(bytes: number): Promise<void> {
    const { files, sides } = this.#place
    try {
      // also after a failed write, whose bytes nobody will miss
      await this.#out?.settle()
      await this.#checkOurs()
      await this.#out?.flush().catch(() => {})
      const parts = this.#files
      const kept = firstBytes(parts, bytes)
      await this.#close()
      for (const { name } of parts.slice(kept.length).reverse()) {
        await files.unlink(`${sides.partial}/${name}`)
        this.#hasNewNames = true
      }
      const last = kept.pop()
      this.#closed = kept
      this.#closedBytes = kept.reduce((sum, part) => sum + part.bytes, 0)
      if (last === undefined) return
      await this.#begin(constants.O_NOFOLLOW, last.bytes)
      await this.#file!.truncate(last.bytes)
    } catch (error) {
      throw outputError(error, `taking back ${this.#partialName}`, 'ERR_OUTPUT_IO')
    }
  }

  async commit(manifest: Uint8Array | null = null): Promise<void> {
    const { claim } = this.#init
    try {
      if (this.#closed.length === 0 && this.#out === null) await this.#beginNew()
      await this.endPart()
      await this.#flushing(async () => {
        await this.#checkAll()
        await this.#openToOthers()
        await this.#flushNames()
      })
      if (manifest !== null) {
        await this.#checkManifest()
        await claim.manifest.prepare(manifest, 0o666 & ~process.umask())
      }
      await this.#checkOurs()
      await claim.manifest.withdraw()
      await this.#publish()
      if (manifest !== null) await this.#publishManifest()
    } catch (error) {
      if (manifest !== null) await claim.manifest.discard()
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
    if (!removes) return
    const { files, sides } = this.#place
    try {
      await this.#init.claim.check()
      // another process may have put its own directory there
      if (await this.#isOurs()) await removeOurs(files, sides.partial)
    } catch (error) {
      this.#left =
        error instanceof StateError
          ? `nothing of what is at ${this.#place.name} now was touched`
          : `${this.#partialName} could not be removed`
    }
  }

  get #partialName(): string {
    return printable(this.#place.sides.partial)
  }

  #name(index: number): string {
    return partName(index, this.#init.extension)
  }

  #inHand(out: BufferedFile): Part {
    return { name: this.#name(this.#closed.length), bytes: out.bytesWritten }
  }

  #beginNew(): Promise<BufferedFile> {
    // a part of ours would be in the way of the run that goes on in this directory
    const begun = this.#checkOurs().then(() => this.#begin(constants.O_CREAT | constants.O_EXCL, 0))
    this.#opening = begun.catch(() => {})
    return begun
  }

  /** Opens the part after those that are closed. */
  async #begin(flags: number, bytes: number): Promise<BufferedFile> {
    const { files, name, sides } = this.#place
    const path = `${sides.partial}/${this.#name(this.#closed.length)}`
    try {
      const mode = 0o666 & ~othersWrite
      this.#file = await files.open(path, flags | constants.O_RDWR | constants.O_APPEND, mode)
    } catch (error) {
      throw outputError(error, `opening ${printable(path)}`, 'ERR_OUTPUT_IO')
    }
    this.#hasNewNames ||= bytes === 0
    this.#buffers = this.#buffers?.reused(this.#file) ?? new BufferedFile(this.#file, name)
    this.#out = this.#buffers
    this.#out.bytesWritten = bytes
    return this.#out
  }

  /** Runs what makes things durable. A failed flush is not repeated: see `PartialFile`. */
  async #flushing(act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      throw outputError(error, `flushing ${this.#place.name} to storage`, 'ERR_OUTPUT_IO')
    }
  }

  async #flushNames(): Promise<void> {
    if (!this.#hasNewNames) return
    await flushDirectory(this.#init.directory)
    this.#hasNewNames = false
  }

  /** Before everything that changes what others may have by now: the place is still ours, and the name our directory's. */
  async #checkOurs(): Promise<void> {
    await this.#checkClaim()
    const isOurs = await this.#isOurs().catch((error) => {
      throw outputError(error, `looking at ${this.#partialName}`, 'ERR_OUTPUT_IO')
    })
    if (isOurs) return
    this.#lose(`${this.#partialName} is no longer that of this export`)
    throw this.#changed(this.#place.sides.partial)
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

  #changed(path: string): OutputError {
    return new OutputError(
      'ERR_OUTPUT_CHANGED',
      `${printable(path)} was replaced, changed or removed during the export`,
    )
  }

  /** As `#checkOurs`, and the part in hand is what we wrote. Those before it were looked at when they were ended. */
  async #checkInHand(): Promise<void> {
    await this.#checkOurs()
    if (this.#file === null || this.#out === null) return
    await this.#checkPart(this.#inHand(this.#out), (await this.#file.stat()).ino)
  }

  /** As `#checkOurs`, and all parts are what we wrote. */
  async #checkAll(): Promise<void> {
    await this.#checkOurs()
    for (const part of this.#closed) await this.#checkPart(part, null)
  }

  async #checkPart({ name, bytes }: Part, ino: number | null): Promise<void> {
    const path = `${this.#place.sides.partial}/${name}`
    const status = await ownStatusOf(this.#place.files, path)
    if (status === null || status.size !== bytes || (ino !== null && status.ino !== ino)) throw this.#changed(path)
  }

  /** Permissions as they would be of any directory: while it was written to, nobody else was to change it. */
  async #openToOthers(): Promise<void> {
    const { files, sides } = this.#place
    const given = othersWrite & ~process.umask()
    if (given === 0) return
    for (const { name } of this.#closed)
      await changeMode(pathMode(files, `${sides.partial}/${name}`), 0o666 & ~process.umask())
    await changeMode(pathMode(files, sides.partial), 0o777 & ~process.umask())
  }

  async #checkManifest(): Promise<void> {
    const { manifest } = this.#init.claim
    if (!(await manifest.isInTheWay())) return
    this.#keep()
    throw new OutputError(
      'ERR_OUTPUT_RENAME',
      `publishing ${this.#place.name}: ${manifest.name} exists by now and is no manifest of an export`,
    )
  }

  async #publish(): Promise<void> {
    const { files, name, target, overwrite, sides } = this.#place
    const { partial, replaced } = sides
    let isReplaced = false
    try {
      await checkTarget(this.#place)
      if ((await statusOf(files, target)) !== null) {
        isReplaced = overwrite
        if (overwrite) {
          // of a run that died after its renames, or could not remove it
          await removeOurs(files, replaced)
          await mark(files, target)
          try {
            await files.rename(target, replaced)
          } catch (error) {
            await unmark(files, target)
            throw error
          }
        } else await files.rmdir(target) // it is empty
      }
      await files.rename(partial, target)
    } catch (error) {
      this.#keep()
      // what is in the way by now was not there when the export began
      if (error instanceof ConfigError) {
        throw new OutputError('ERR_OUTPUT_RENAME', `publishing ${name}: ${error.message}`, { cause: error })
      }
      throw outputError(error, `publishing ${name}`, 'ERR_OUTPUT_RENAME')
    }
    this.#state = 'published'
    this.#left = `${name} is complete`
    await unmark(files, target)
    try {
      await flushDirectory(this.#init.parent)
    } catch (error) {
      this.#left = `${name} is complete, but may not outlive a power loss`
      throw outputError(error, `flushing the directory of ${name}`, 'ERR_OUTPUT_IO')
    }
    if (isReplaced) await removeOurs(files, replaced).catch(() => {}) // space is all that it takes
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

  /** From here on the complete partial directory stays. */
  #keep(): void {
    this.#state = 'complete'
    this.#left = `${this.#partialName} is kept`
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = this.#out = null
    await file?.close()
  }

  async #release(): Promise<void> {
    await this.#opening
    await this.#out?.settle()
    await this.#close().catch(() => {})
    await this.#init.directory?.close().catch(() => {})
    await this.#init.parent?.close().catch(() => {})
    this.#init.directory = this.#init.parent = null
  }

  async #isOurs(): Promise<boolean> {
    return this.#isSame(await ownStatusOf(this.#place.files, this.#place.sides.partial))
  }

  #isSame(status: FileStatus | null): boolean {
    const { identity } = this.#init
    return status !== null && status.dev === identity.dev && status.ino === identity.ino
  }
}

function pathMode(files: FileSystem, path: string): { chmod(mode: number): Promise<void> } {
  return { chmod: (mode) => files.chmod(path, mode) }
}
