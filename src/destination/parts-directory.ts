// A directory of parts under its partial name. To what writes, the parts are one run of bytes that is cut into files.

import { constants } from 'node:fs'
import { ConfigError, OutputError, printable } from '../errors.js'
import { flushDirectory } from '../files/directory.js'
import type { FileSystem, OpenFile } from '../files/file-system.js'
import { flush } from '../files/flush.js'
import { outputError } from '../files/os-error.js'
import { othersWrite } from '../files/ownership.js'
import { partName } from '../files/part-names.js'
import { ownStatusOf, statusOf } from '../files/paths.js'
import { BufferedFile } from './buffered-file.js'
import type { Part, PartsAbility } from './destination.js'
import { checkTarget, mark, partsBytes, partsUpTo, readParts, removeOurs, unmark } from './part-files.js'
import { changeMode } from './private-file.js'
import { type StagedInit, StagedOutput } from './staged.js'

export interface PartsInit extends Omit<StagedInit, 'left' | 'mode'> {
  readonly extension: string
  /** To be flushed; opened before the export, so that the last steps do not fail for want of a file descriptor. */
  readonly directory: OpenFile | null
  readonly parent: OpenFile | null
  /** Those that are there. */
  readonly parts: readonly Part[]
}

export class PartsDirectory extends StagedOutput {
  override readonly parts: PartsAbility = {
    end: () => this.#endPart(),
    list: () => (this.#files.length === 0 ? [{ name: this.#name(0), bytes: 0 }] : this.#files),
  }

  readonly #extension: string
  #directory: OpenFile | null
  #parent: OpenFile | null
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

  constructor(init: PartsInit) {
    const left = 'the partial directory was removed, nothing was published'
    super({ ...init, left, mode: 0o666 & ~process.umask() })
    this.#extension = init.extension
    this.#directory = init.directory
    this.#parent = init.parent
    this.#closed = [...init.parts]
    this.#closedBytes = partsBytes(init.parts)
  }

  get bytesWritten(): number {
    return this.#closedBytes + (this.#out?.bytesWritten ?? 0)
  }

  /** Those that are there. */
  get #files(): readonly Part[] {
    return this.#out === null ? this.#closed : [...this.#closed, this.#inHand(this.#out)]
  }

  protected async put(bytes: Uint8Array): Promise<void> {
    if (bytes.length > 0) await (this.#out ?? (await this.#beginNew())).write(bytes)
  }

  protected flush(): Promise<void> {
    return this.flushing(async () => {
      await this.#out?.flush()
      if (this.#file !== null) await flush(this.#file)
      await this.#checkInHand()
      await this.#flushNames()
    })
  }

  protected async complete(): Promise<void> {
    if (this.#closed.length === 0 && this.#out === null) await this.#beginNew()
    await this.#endPart()
    await this.flushing(async () => {
      await this.checkOurs()
      // those before the last were looked at when they were ended
      for (const part of this.#closed) await this.#checkPart(part, null)
      await this.#openToOthers()
      await this.#flushNames()
    })
  }

  protected read(bytes: number): AsyncIterable<Uint8Array> {
    const { files, sides } = this.place
    return readParts(files, sides.partial, partsUpTo(this.#files, bytes))
  }

  /** The part in which the last byte is stays in hand. */
  async truncate(bytes: number): Promise<void> {
    const { files, sides } = this.place
    try {
      await this.#out?.settle()
      await this.checkOurs()
      await this.#out?.flush().catch(() => {})
      const parts = this.#files
      const kept = partsUpTo(parts, bytes)
      await this.#closePart()
      for (const { name } of parts.slice(kept.length).reverse()) {
        await files.unlink(`${sides.partial}/${name}`)
        this.#hasNewNames = true
      }
      const last = kept.pop()
      this.#closed = kept
      this.#closedBytes = partsBytes(kept)
      if (last === undefined) return
      await this.#begin(constants.O_NOFOLLOW, last.bytes)
      await this.#file!.truncate(last.bytes)
    } catch (error) {
      throw outputError(error, `taking back ${this.partialName}`, 'ERR_OUTPUT_IO')
    }
  }

  protected async rename(): Promise<void> {
    const { files, name, target, overwrite, sides } = this.place
    const { partial, replaced } = sides
    let isReplaced = false
    try {
      await checkTarget(this.place)
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
      // what is in the way by now was not there when the export began
      const isInTheWay = error instanceof ConfigError
      throw this.keepComplete(
        isInTheWay
          ? this.notPublished(error.message, error)
          : outputError(error, `publishing ${name}`, 'ERR_OUTPUT_RENAME'),
      )
    }
    await this.named(async () => {
      await unmark(files, target)
      await flushDirectory(this.#parent)
    })
    if (isReplaced) await removeOurs(files, replaced).catch(() => {}) // space is all that it takes
  }

  protected notPublished(reason: string, cause?: unknown): OutputError {
    return new OutputError('ERR_OUTPUT_RENAME', `publishing ${this.place.name}: ${reason}`, { cause })
  }

  protected async close(): Promise<void> {
    await this.#opening
    await this.#out?.settle()
    await this.#closePart().catch(() => {})
    await this.#directory?.close().catch(() => {})
    await this.#parent?.close().catch(() => {})
    this.#directory = this.#parent = null
  }

  protected remove(): Promise<void> {
    return removeOurs(this.place.files, this.place.sides.partial)
  }

  async #endPart(): Promise<void> {
    const [file, out] = [this.#file, this.#out]
    if (file === null || out === null) return
    await this.flushing(async () => {
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

  #name(index: number): string {
    return partName(index, this.#extension)
  }

  #inHand(out: BufferedFile): Part {
    return { name: this.#name(this.#closed.length), bytes: out.bytesWritten }
  }

  #beginNew(): Promise<BufferedFile> {
    // a part of ours would be in the way of the run that goes on in this directory
    const begun = this.checkOurs().then(() => this.#begin(constants.O_CREAT | constants.O_EXCL, 0))
    this.#opening = begun.catch(() => {})
    return begun
  }

  /** Opens the part after those that are closed. */
  async #begin(flags: number, bytes: number): Promise<BufferedFile> {
    const { files, name, sides } = this.place
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

  async #flushNames(): Promise<void> {
    if (!this.#hasNewNames) return
    await flushDirectory(this.#directory)
    this.#hasNewNames = false
  }

  /** As `checkOurs`, and the part in hand is what we wrote. */
  async #checkInHand(): Promise<void> {
    await this.checkOurs()
    if (this.#file === null || this.#out === null) return
    await this.#checkPart(this.#inHand(this.#out), (await this.#file.stat()).ino)
  }

  async #checkPart({ name, bytes }: Part, ino: number | null): Promise<void> {
    const path = `${this.place.sides.partial}/${name}`
    const status = await ownStatusOf(this.place.files, path)
    if (status !== null && status.size === bytes && (ino === null || status.ino === ino)) return
    const message = `${printable(path)} was replaced, changed or removed during the export`
    throw new OutputError('ERR_OUTPUT_CHANGED', message)
  }

  /** Permissions as they would be of any directory: while it was written to, nobody else was to change it. */
  async #openToOthers(): Promise<void> {
    const { files, sides } = this.place
    const given = othersWrite & ~process.umask()
    if (given === 0) return
    for (const { name } of this.#closed)
      await changeMode(pathMode(files, `${sides.partial}/${name}`), 0o666 & ~process.umask())
    await changeMode(pathMode(files, sides.partial), 0o777 & ~process.umask())
  }

  async #closePart(): Promise<void> {
    const file = this.#file
    this.#file = this.#out = null
    await file?.close()
  }
}

function pathMode(files: FileSystem, path: string): { chmod(mode: number): Promise<void> } {
  return { chmod: (mode) => files.chmod(path, mode) }
}
