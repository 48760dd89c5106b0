// A checkpoint as a file: written under another name, flushed, renamed, and only its owner can read it.

import { MiB } from '../bytes/units.js'
import { printable } from '../errors.js'
import type { FileStatus, FileSystem } from '../files/file-system.js'
import { outputError } from '../files/os-error.js'
import { checkOurs } from '../files/ownership.js'
import { temporaryName } from '../files/side-names.js'
import { createTemporary, flushDirectoryOf, readWhole, removeFile } from '../files/whole-file.js'
import type { FileLock } from './lock.js'
import type { CheckpointStore, OpenCheckpointStore } from './store.js'

/** A cursor is the only long thing in it. */
const maxBytes = 128 * MiB

export interface FileStoreOptions {
  readonly files: FileSystem
  /** What messages call the output. */
  readonly name: string
  /** That of the output. Whoever gives it holds it until the store is closed. */
  readonly lock: FileLock
}

/** Keeps a checkpoint at `path`. */
export function fileCheckpoints(path: string, options: FileStoreOptions): CheckpointStore {
  return { name: path, open: async () => new FileStore(path, options) }
}

class FileStore implements OpenCheckpointStore {
  readonly #path: string
  readonly #options: FileStoreOptions

  constructor(path: string, options: FileStoreOptions) {
    this.#path = path
    this.#options = options
  }

  load(): Promise<Buffer | null> {
    const { files, lock } = this.#options
    const check = (status: FileStatus): void => checkOurs(status, lock.status, this.#path)
    return this.#guarded('reading', () => readWhole(files, this.#path, maxBytes, check), 'ERR_OUTPUT_ACCESS')
  }

  save(bytes: Uint8Array): Promise<void> {
    const { files, lock } = this.#options
    const temporary = temporaryName(this.#path)
    return this.#guarded('writing', async () => {
      await createTemporary(files, temporary, bytes)
      try {
        await lock.check()
        await files.rename(temporary, this.#path)
      } catch (error) {
        await removeFile(files, temporary).catch(() => {})
        throw error
      }
      await flushDirectoryOf(files, this.#path)
    })
  }

  remove(): Promise<void> {
    const { files, lock } = this.#options
    return this.#guarded('removing', async () => {
      await lock.check()
      await removeFile(files, temporaryName(this.#path))
      if (await removeFile(files, this.#path)) await flushDirectoryOf(files, this.#path)
    })
  }

  async close(): Promise<void> {}

  async #guarded<T>(
    doing: string,
    act: () => Promise<T>,
    otherwise: 'ERR_OUTPUT_ACCESS' | 'ERR_OUTPUT_IO' = 'ERR_OUTPUT_IO',
  ): Promise<T> {
    try {
      return await act()
    } catch (error) {
      throw outputError(error, `${doing} ${printable(this.#path)}`, otherwise)
    }
  }
}
