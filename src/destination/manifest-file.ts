// The file beside an output that tells what the output is. It never stands beside an output that it does not tell of: the old one goes before the output is
// replaced, the new one gets its name after that, and each step is durable before the next.

import { dirname } from 'node:path'
import { isManifest, manifestPathOf } from '../checkpoint/manifest.js'
import { ConfigError, OutputError, printable } from '../errors.js'
import { flushDirectory, openDirectory } from '../files/directory.js'
import type { FileSystem, OpenFile } from '../files/file-system.js'
import { outputError } from '../files/os-error.js'
import { ownStatusOf, statusOf } from '../files/paths.js'
import { temporaryName } from '../files/side-names.js'
import { createTemporary, readWhole, removeFile } from '../files/whole-file.js'

/** Schemas have some hundred columns at most, and lists some dozen warnings. */
export const maxManifestBytes = 16 * 1024 * 1024

/** Permission bits that a manifest shares with its output; none to enter a directory with. */
const sharedMode = 0o666

export class ManifestFile {
  readonly path: string
  /** How messages name it. */
  readonly name: string
  readonly #target: string
  readonly #files: FileSystem
  readonly #temporary: string

  /** @param target the output's name behind all links */
  constructor(files: FileSystem, target: string) {
    this.path = manifestPathOf(target)
    this.name = printable(this.path)
    this.#target = target
    this.#files = files
    this.#temporary = temporaryName(this.path)
  }

  /** Finds out early what would make its name impossible. A file that is no manifest is somebody's: it is not replaced, whatever may be of the output.
   *  @throws ConfigError ERR_OUTPUT_EXISTS, OutputError */
  async check(): Promise<void> {
    await this.#guarded('opening', async () => {
      await ownStatusOf(this.#files, this.#temporary) // the longest of all names
      const status = await ownStatusOf(this.#files, this.path)
      if (status?.isDirectory()) {
        throw new OutputError('ERR_OUTPUT_ACCESS', `opening ${this.name}: it is a directory`)
      }
      if (status === null || (await this.#isOurs())) return
      throw new ConfigError('ERR_OUTPUT_EXISTS', `${this.name} exists already and is no manifest of an export`, {
        hint: 'pass --no-manifest, or give another --out',
      })
    })
  }

  /** Writes it under a temporary name. @param mode of the output, whose permissions it shares. @throws OutputError */
  prepare(bytes: Uint8Array, mode: number): Promise<void> {
    return this.#guarded('writing', () => createTemporary(this.#files, this.#temporary, bytes, mode & sharedMode))
  }

  /** Removes the one of the output that is about to be replaced. Where no new one `follows`, a file of this name that is not ours stays. @throws OutputError */
  withdraw(directory: OpenFile | null, follows: boolean): Promise<void> {
    return this.#guarded('removing', async () => {
      if (!follows && !(await this.#isOurs())) return
      if (await removeFile(this.#files, this.path)) await flushDirectory(directory)
    })
  }

  /** Gives what was prepared its name: the output has its own, durably. @throws OutputError */
  publish(directory: OpenFile | null): Promise<void> {
    return this.#guarded('publishing', async () => {
      await this.#files.rename(this.#temporary, this.path)
      await flushDirectory(directory)
    })
  }

  /** Puts one beside an output that has its name already. @throws OutputError */
  async save(bytes: Uint8Array): Promise<void> {
    let directory: OpenFile | null = null
    try {
      const { mode } = await this.#files.stat(this.#target)
      directory = await openDirectory(this.#files, dirname(this.#target))
      await this.prepare(bytes, mode)
      await this.publish(directory)
    } catch (error) {
      await this.discard()
      throw outputError(error, `publishing ${this.name}`, 'ERR_OUTPUT_IO')
    } finally {
      await directory?.close().catch(() => {})
    }
  }

  /** Removes what was prepared. Never throws. */
  async discard(): Promise<void> {
    await removeFile(this.#files, this.#temporary).catch(() => {})
  }

  /** Whether there is a manifest of some output. What is no file is not opened: a FIFO would wait for its writer. */
  async #isOurs(): Promise<boolean> {
    if (!(await statusOf(this.#files, this.path))?.isFile()) return false
    const bytes = await readWhole(this.#files, this.path, maxManifestBytes)
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
