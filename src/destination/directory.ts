// A directory of parts that is whole or absent: parts are files of a directory beside it, and only that directory, complete and durable, gets the final
// name. To who writes, the parts are one run of bytes that is cut into files.

import { constants } from 'node:fs'
import { dirname } from 'node:path'
import { fileCheckpoints } from '../checkpoint/file-store.js'
import { ConfigError, OutputError, printable, StateError } from '../errors.js'
import { flushDirectory, openDirectory } from '../files/directory.js'
import { type FileStatus, type FileSystem, type OpenFile, systemFiles } from '../files/file-system.js'
import { errnoOf, opening, outputError } from '../files/os-error.js'
import { followLinks, ownStatusOf, statusOf } from '../files/paths.js'
import { piecesOf } from '../files/pieces.js'
import { sideNames } from '../files/side-names.js'
import { BufferedFile } from './buffered-file.js'
import type { Destination, ResumablePlace, ResumableWriter } from './destination.js'
import { ManifestFile } from './manifest-file.js'

export interface DirectoryDestinationOptions {
  /** End of the name of each part, with the dot: `.csv.gz`. */
  extension: string
  /** Whether an existing directory of parts may be replaced: at the end and as a whole. One that holds anything else never is. Default false. */
  overwrite?: boolean
  /** The file system; tests give one that fails. */
  files?: FileSystem
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
 * `_NAME.partial/` beside it; `commit` flushes the last of them and the directory, renames it and flushes its parent. A directory that is replaced is
 * `_NAME.replaced` for the moment between two renames, and removed then.
 *
 * Errors: ERR_OUTPUT_EXISTS, also for a directory that holds more than parts, and OutputErrors by what the system says.
 */
export function directoryDestination(path: string, options: DirectoryDestinationOptions): Destination {
  const files = options.files ?? systemFiles
  const name = printable(path)
  const place = async (): Promise<ResumablePlace> => {
    if (path === '' || path.includes('\0'))
      throw new ConfigError('ERR_OPTION_INVALID', `the output path '${name}' cannot be a directory name`)
    // a slash at its end would hide that it is a link
    const target = await opening(name, async () => withoutSlash(await followLinks(files, withoutSlash(path))))
    return directoryPlace({
      files,
      name,
      target,
      extension: options.extension,
      overwrite: options.overwrite ?? false,
    })
  }
  return { name, hasParts: true, resumable: place, open: async () => (await place()).begin() }
}

interface PlaceInit {
  files: FileSystem
  name: string
  /** Final name, behind all links, without a slash at its end. */
  target: string
  extension: string
  overwrite: boolean
}

function directoryPlace(init: PlaceInit): ResumablePlace {
  const { files, name, target } = init
  const { partial } = sideNames(target)
  return {
    checkpoints: fileCheckpoints(target, { files, name }),
    partialName: printable(partial),
    manifest: new ManifestFile(files, target),
    begin: () =>
      opening(name, async () => {
        await checkTarget(init)
        await removeParts(files, partial)
        await files.mkdir(partial)
        return openParts(init, partial, [])
      }),
    resume: (bytes, check) =>
      opening(name, async () => {
        await checkTarget(init)
        const found = await partsIn(init, partial)
        if (found === null) throw new StateError('ERR_STATE_OUTPUT', `${printable(partial)} is gone`)
        const kept = firstBytes(found, bytes)
        const held = found.reduce((sum, part) => sum + part.bytes, 0)
        if (held < bytes) {
          const message = `${printable(partial)} has ${held} bytes, fewer than the ${bytes} that its checkpoint tells of`
          throw new StateError('ERR_STATE_OUTPUT', message)
        }
        await readParts(files, partial, kept, check)
        const writer = await openParts(init, partial, found)
        try {
          await writer.rewind(bytes)
        } catch (error) {
          writer.isKept = true // what it could not take back is taken back by the run after this one
          await writer.abort()
          throw error
        }
        return writer
      }),
    readPublished: (bytes, check) =>
      opening(name, async () => {
        const found = await partsIn(init, target)
        if (found === null || found.reduce((sum, part) => sum + part.bytes, 0) !== bytes) return false
        await readParts(files, target, found, check)
        return true
      }),
  }
}

/** What stands under the final name may be replaced, or is not there. @throws ConfigError ERR_OUTPUT_EXISTS, OutputError */
async function checkTarget({ files, name, target, overwrite }: PlaceInit): Promise<void> {
  const status = await statusOf(files, target)
  const { replaced } = sideNames(target)
  if (status === null) {
    // a run that died between its two renames
    if (!(await holdsPartsAlone(files, replaced))) return
    await files.rename(replaced, target)
    if (overwrite) return
    throw new ConfigError('ERR_OUTPUT_EXISTS', `${name} exists already`)
  }
  if (!status.isDirectory()) {
    const hint = 'several parts need a directory; give another --out, or leave out --part-rows and --part-bytes'
    throw new ConfigError('ERR_OUTPUT_EXISTS', `${name} is no directory`, { hint })
  }
  const names = await files.readdir(target)
  const stranger = names.find((entry) => !partName.test(entry))
  if (stranger !== undefined) {
    const text = `${name} holds more than parts of an export: ${printable(stranger)}`
    throw new ConfigError('ERR_OUTPUT_EXISTS', text, { hint: 'give a directory that does not exist yet' })
  }
  if (names.length > 0 && !overwrite) throw new ConfigError('ERR_OUTPUT_EXISTS', `${name} exists already`)
  if (names.length > 0 && (await ownStatusOf(files, replaced)) !== null && !(await holdsPartsAlone(files, replaced))) {
    const text = `${printable(replaced)} is in the way: it takes ${name} for a moment while that is replaced`
    throw new ConfigError('ERR_OUTPUT_EXISTS', text, { hint: 'give it another name, or another --out' })
  }
}

const partName = /^part-\d{5,}(\.[a-z0-9]+)+$/
const withoutSlash = (path: string): string => path.replace(/(?<=.)\/+$/, '')

/** Whether there is a directory with nothing in it but parts: only such a one can be of an earlier run. */
async function holdsPartsAlone(files: FileSystem, path: string): Promise<boolean> {
  if (!(await ownStatusOf(files, path))?.isDirectory()) return false
  return (await files.readdir(path)).every((entry) => partName.test(entry))
}

/** The parts of a directory in their order; null where there is no directory. @throws StateError where one is missing or something else is there */
async function partsIn({ files, extension }: PlaceInit, directory: string): Promise<Part[] | null> {
  let names: string[]
  try {
    names = await files.readdir(directory)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return null
    throw error
  }
  const parts: Part[] = []
  const held = new Set(names)
  for (let index = 0; index < names.length; index++) {
    const name = nameOf(index, extension)
    const status = held.has(name) ? await files.lstat(`${directory}/${name}`) : null
    if (!status?.isFile()) {
      throw new StateError('ERR_STATE_OUTPUT', `${printable(directory)} does not hold the parts of this export alone`)
    }
    parts.push({ name, bytes: status.size })
  }
  return parts
}

function nameOf(index: number, extension: string): string {
  return `part-${String(index).padStart(5, '0')}${extension}`
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

/** Removes a directory of parts; where there is none, that is what was wanted. @throws the system's error where it holds anything else */
async function removeParts(files: FileSystem, directory: string): Promise<void> {
  try {
    for (const name of await files.readdir(directory)) {
      if (!partName.test(name)) continue // then it cannot be removed, and says so
      await files.unlink(`${directory}/${name}`)
    }
    await files.rmdir(directory)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}

async function openParts(init: PlaceInit, partial: string, found: Part[]): Promise<PartsDirectory> {
  const { files } = init
  const directory = await openDirectory(files, partial)
  let parent: OpenFile | null = null
  try {
    parent = await openDirectory(files, dirname(init.target))
    return new PartsDirectory({ ...init, partial, directory, parent, identity: await files.lstat(partial) }, found)
  } catch (error) {
    await Promise.allSettled([directory?.close(), parent?.close()])
    throw error
  }
}

interface PartsInit extends PlaceInit {
  partial: string
  /** To be flushed; opened before the export, so that the last steps do not fail for want of a file descriptor. */
  directory: OpenFile | null
  parent: OpenFile | null
  identity: FileStatus
}

class PartsDirectory implements PartsWriter {
  isKept = false
  readonly #init: PartsInit
  readonly #manifest: ManifestFile
  /** All but the part in hand. */
  #closed: Part[]
  #closedBytes: number
  #file: OpenFile | null = null
  #out: BufferedFile | null = null
  /** Resolves when no part is being opened any more. */
  #opening: Promise<unknown> | null = null
  /** Whether a part has a name that is not durable yet. */
  #hasNewNames = false
  #state: 'open' | 'published' | 'kept' | 'aborted' = 'open'
  #left: string

  constructor(init: PartsInit, closed: Part[]) {
    this.#init = init
    this.#manifest = new ManifestFile(init.files, init.target)
    this.#closed = closed
    this.#closedBytes = closed.reduce((sum, part) => sum + part.bytes, 0)
    this.#left = 'the partial directory was removed, nothing was published'
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
    return this.#out === null
      ? this.#closed
      : [...this.#closed, { name: this.#name(this.#closed.length), bytes: this.#out.bytesWritten }]
  }

  get left(): string {
    return this.#left
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length > 0) await (this.#out ?? (await this.#beginNew())).write(bytes)
  }

  async endPart(): Promise<void> {
    const [file, out] = [this.#file, this.#out]
    if (file === null || out === null) return
    await this.#flushing(async () => {
      await out.flush()
      await file.sync()
      await this.#checkIdentity()
      this.#file = this.#out = null
      this.#closed.push({ name: this.#name(this.#closed.length), bytes: out.bytesWritten })
      this.#closedBytes += out.bytesWritten
      await file.close()
      await this.#flushNames()
    })
  }

  async sync(): Promise<void> {
    await this.#flushing(async () => {
      await this.#out?.flush()
      await this.#file?.sync()
      await this.#checkIdentity()
      await this.#flushNames()
    })
  }

  async *read(from: number, to: number): AsyncGenerator<Uint8Array, void, undefined> {
    const { files, partial } = this.#init
    let start = 0
    try {
      for (const { name, bytes } of this.#files) {
        const end = start + bytes
        if (end > from && start < to) {
          yield* filePieces(files, `${partial}/${name}`, Math.max(0, from - start), Math.min(bytes, to - start))
        }
        start = end
      }
    } catch (error) {
      throw outputError(error, `reading ${printable(partial)}`, 'ERR_OUTPUT_IO')
    }
  }

  /** The part in which the last byte is stays in hand. */
  async rewind(bytes: number): Promise<void> {
    const { files, partial } = this.#init
    try {
      // also after a failed write, whose bytes nobody will miss
      await this.#out?.settle()
      await this.#out?.flush().catch(() => {})
      const parts = this.#files
      const kept = firstBytes(parts, bytes)
      await this.#close()
      for (const { name } of parts.slice(kept.length).reverse()) {
        await files.unlink(`${partial}/${name}`)
        this.#hasNewNames = true
      }
      const last = kept.pop()
      this.#closed = kept
      this.#closedBytes = kept.reduce((sum, part) => sum + part.bytes, 0)
      if (last === undefined) return
      await this.#begin(constants.O_NOFOLLOW, last.bytes)
      await this.#file!.truncate(last.bytes)
    } catch (error) {
      throw outputError(error, `taking back ${printable(partial)}`, 'ERR_OUTPUT_IO')
    }
  }

  async commit(manifest: Uint8Array | null = null): Promise<void> {
    const { identity, parent } = this.#init
    try {
      if (this.#files.length === 0) await this.#beginNew()
      await this.endPart()
      await this.#flushing(async () => {
        await this.#checkIdentity()
        await this.#flushNames()
      })
      if (manifest !== null) await this.#manifest.prepare(manifest, identity.mode)
      await this.#manifest.withdraw(parent, manifest !== null)
      await this.#publish()
      if (manifest !== null) {
        this.#left = `${this.#init.name} is complete, but may have no manifest`
        await this.#manifest.publish(parent)
      }
    } catch (error) {
      if (manifest !== null) await this.#manifest.discard()
      await this.abort()
      throw error
    }
    await this.#release()
  }

  async abort(): Promise<void> {
    const removes = this.#state === 'open' && !this.isKept
    if (removes) this.#state = 'aborted'
    await this.#release()
    if (!removes) return
    const { files, partial } = this.#init
    try {
      // another process may have put its own directory there
      if (await this.#isOurs()) await removeParts(files, partial)
    } catch {
      this.#left = `${printable(partial)} could not be removed`
    }
  }

  #name(index: number): string {
    return nameOf(index, this.#init.extension)
  }

  #beginNew(): Promise<BufferedFile> {
    const begun = this.#begin(constants.O_CREAT | constants.O_EXCL, 0)
    this.#opening = begun.catch(() => {})
    return begun
  }

  /** Opens the part behind those that are closed. */
  async #begin(flags: number, bytes: number): Promise<BufferedFile> {
    const { files, partial, name } = this.#init
    const path = `${partial}/${this.#name(this.#closed.length)}`
    try {
      this.#file = await files.open(path, flags | constants.O_RDWR | constants.O_APPEND, 0o666)
    } catch (error) {
      throw outputError(error, `opening ${printable(path)}`, 'ERR_OUTPUT_IO')
    }
    this.#hasNewNames ||= bytes === 0
    this.#out = new BufferedFile(this.#file, name)
    this.#out.bytesWritten = bytes
    return this.#out
  }

  /** Runs what makes things durable. A failed flush is not repeated: see `PartialFile`. */
  async #flushing(act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      throw outputError(error, `flushing ${this.#init.name} to storage`, 'ERR_OUTPUT_IO')
    }
  }

  async #flushNames(): Promise<void> {
    if (!this.#hasNewNames) return
    await flushDirectory(this.#init.directory)
    this.#hasNewNames = false
  }

  /** The directory's name is still that of ours, and its parts are what we wrote. */
  async #checkIdentity(): Promise<void> {
    const { files, partial } = this.#init
    const fault = (what: string): OutputError =>
      new OutputError('ERR_OUTPUT_CHANGED', `${printable(what)} was replaced, changed or removed during the export`)
    if (!(await this.#isOurs())) throw fault(partial)
    const parts = this.#files
    const isInHand = (index: number): boolean => this.#file !== null && index === parts.length - 1
    for (const [index, { name, bytes }] of parts.entries()) {
      // those before it were looked at when they were ended; at the end all are looked at once more
      if (this.#file !== null && !isInHand(index)) continue
      const status = await statusOf(files, `${partial}/${name}`)
      const expected = isInHand(index) ? await this.#file!.stat() : null
      if (status === null || status.size !== bytes || (expected !== null && status.ino !== expected.ino)) {
        throw fault(`${partial}/${name}`)
      }
    }
  }

  async #publish(): Promise<void> {
    const { files, name, partial, target, parent, overwrite } = this.#init
    const { replaced } = sideNames(target)
    let isReplaced = false
    try {
      await checkTarget(this.#init)
      if ((await statusOf(files, target)) !== null) {
        isReplaced = overwrite
        if (overwrite) {
          // of a run that died after its renames, or could not remove it
          if (await holdsPartsAlone(files, replaced)) await removeParts(files, replaced)
          await files.rename(target, replaced)
        } else await files.rmdir(target) // it is empty
      }
      await files.rename(partial, target)
    } catch (error) {
      this.#state = 'kept'
      this.#left = `${printable(partial)} is kept`
      // what is in the way by now was not there when the export began
      if (error instanceof ConfigError) {
        throw new OutputError('ERR_OUTPUT_RENAME', `publishing ${name}: ${error.message}`, { cause: error })
      }
      throw outputError(error, `publishing ${name}`, 'ERR_OUTPUT_RENAME')
    }
    this.#state = 'published'
    this.#left = `${name} is complete`
    try {
      await flushDirectory(parent)
    } catch (error) {
      this.#left = `${name} is complete, but may not outlive a power loss`
      throw outputError(error, `flushing the directory of ${name}`, 'ERR_OUTPUT_IO')
    }
    if (isReplaced) await removeParts(files, replaced).catch(() => {}) // space is all that it takes
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
    const { files, identity, partial } = this.#init
    const status = await statusOf(files, partial)
    return status !== null && status.dev === identity.dev && status.ino === identity.ino
  }
}
