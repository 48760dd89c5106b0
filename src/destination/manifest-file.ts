// The file beside an output that tells what the output is. It never stands beside an output that it does not tell of:
// the old one goes before the output is replaced, the new one gets its name after that, and each step is durable before
// the next.

import { dirname } from 'node:path'
import { MiB } from '../bytes/units.js'
import { isManifest } from '../checkpoint/manifest.js'
import { ConfigError, OutputError, printable } from '../errors.js'
import { flushDirectory, openDirectory } from '../files/directory.js'
import type { FileSystem, OpenFile } from '../files/file-system.js'
import { outputError } from '../files/os-error.js'
import { ownStatusOf } from '../files/paths.js'
import { besideName, temporaryName } from '../files/side-names.js'
import { createTemporary, flushDirectoryOf, readWhole, removeFile } from '../files/whole-file.js'

/** A file that does not begin as a manifest of ours is read up to here, to see whether somebody has only put it in
 *  another order. */
const maxStrangeBytes = 16 * MiB

/** Permission bits that a manifest shares with its output; none to enter a directory with. */
const sharedMode = 0o666

export class ManifestFile {
  readonly path: string
  /** How messages name it. */
  readonly name: string
  readonly #target: string
  readonly #files: FileSystem
  readonly #temporary: string
  /** To be flushed; opened before the output gets its name, so that the last step does not fail for want of a file
   *  descriptor. */
  #directory: OpenFile | null = null

  /** @param target the output's name, all links followed */
  constructor(files: FileSystem, target: string, path: string) {
    this.path = path
    this.name = printable(path)
    this.#target = target
    this.#files = files
    this.#temporary = temporaryName(besideName(path))
  }

  /** Finds out early what would make its name impossible. A file that is no manifest is somebody's: it is not replaced,
   *  whatever may be of the output.
   *  @throws ConfigError ERR_OUTPUT_EXISTS, OutputError */
  async check(): Promise<void> {
    await this.#guarded('opening', async () => {
      await this.#files.stat(dirname(this.path))
      for (const path of [this.#temporary, this.path]) {
        if (!(await ownStatusOf(this.#files, path))?.isDirectory()) continue
        throw new OutputError('ERR_OUTPUT_ACCESS', `opening ${printable(path)}: it is a directory`, {
          hint: 'remove it, or give another --out or --manifest',
        })
      }
      const status = await ownStatusOf(this.#files, this.path)
      if (status === null || (await this.#isOurs())) return this.#tryDirectory()
      throw new ConfigError('ERR_OUTPUT_EXISTS', `${this.name} exists already and is no manifest of an export`, {
        hint: 'pass --manifest none or --manifest PATH, or give another --out',
      })
    })
  }

  /** What makes a file where the output is has been seen to work: the lock is there. */
  async #tryDirectory(): Promise<void> {
    if (dirname(this.path) === dirname(this.#target)) return
    await createTemporary(this.#files, this.#temporary, Buffer.alloc(0))
    await removeFile(this.#files, this.#temporary)
  }

  /** Whether something else has its name by now. @throws OutputError */
  isInTheWay(): Promise<boolean> {
    return this.#guarded('opening', async () => {
      return (await ownStatusOf(this.#files, this.path)) !== null && !(await this.#isOurs())
    })
  }

  /** Writes it under a temporary name. @param mode of the output, whose permissions it shares. @throws OutputError */
  prepare(bytes: Uint8Array, mode: number): Promise<void> {
    return this.#guarded('writing', async () => {
      this.#directory = await openDirectory(this.#files, dirname(this.path))
      await createTemporary(this.#files, this.#temporary, bytes, mode & sharedMode)
    })
  }

  /** Removes the one of the output that is about to be replaced; what is not ours stays. @throws OutputError */
  withdraw(): Promise<void> {
    return this.#guarded('removing', async () => {
      if (!(await this.#isOurs())) return
      if (await removeFile(this.#files, this.path)) await flushDirectoryOf(this.#files, this.path)
    })
  }

  /** Gives what was prepared its name: the output has its own, durably. @throws OutputError */
  publish(): Promise<void> {
    return this.#guarded('publishing', async () => {
      await this.#files.rename(this.#temporary, this.path)
      await flushDirectory(this.#directory)
      await this.#close()
    })
  }

  /** Puts one beside an output that has its name already. @throws OutputError */
  async save(bytes: Uint8Array): Promise<void> {
    try {
      const { mode } = await this.#files.stat(this.#target)
      await this.prepare(bytes, mode)
      await this.publish()
    } catch (error) {
      await this.discard()
      throw outputError(error, `publishing ${this.name}`, 'ERR_OUTPUT_IO')
    }
  }

  /** Removes what was prepared. Never throws. */
  async discard(): Promise<void> {
    await removeFile(this.#files, this.#temporary).catch(() => {})
    await this.#close()
  }

  async #close(): Promise<void> {
    const directory = this.#directory
    this.#directory = null
    await directory?.close().catch(() => {})
  }

  /** Whether there is a manifest of some output. */
  async #isOurs(): Promise<boolean> {
    if (!(await ownStatusOf(this.#files, this.path))?.isFile()) return false
    const bytes = await readWhole(this.#files, this.path, maxStrangeBytes)
    return bytes !== null && isManifest(bytes)
  }

  async #guarded<T>(doing: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      const { syscall } = error as NodeJS.ErrnoException
      const otherwise = syscall === 'open' || doing === 'opening' ? 'ERR_OUTPUT_ACCESS' : 'ERR_OUTPUT_IO'
      throw outputError(error, `${doing} ${this.name}`, otherwise)
    }
  }
}
