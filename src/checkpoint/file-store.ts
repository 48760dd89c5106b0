// A checkpoint as a file beside the output: written under another name, flushed, renamed, and only its owner can read it.

import { printable, StateError } from '../errors.js'
import type { FileSystem } from '../files/file-system.js'
import { outputError } from '../files/os-error.js'
import { sideNames, temporaryName } from '../files/side-names.js'
import { createTemporary, flushDirectoryOf, readWhole, removeFile } from '../files/whole-file.js'
import { FileLock } from './lock.js'
import type { Processes } from './processes.js'
import type { CheckpointStore, OpenCheckpointStore } from './store.js'

/** A cursor is the only long thing in it. */
const maxBytes = 128 * 1024 * 1024

export interface FileStoreOptions {
  readonly files: FileSystem
  /** What messages call the output. */
  readonly name: string
  readonly processes?: Processes
}

/** Keeps a checkpoint beside an output and holds its lock meanwhile: see `sideNames`. `target` is the output's name, all links followed. */
export function fileCheckpoints(target: string, options: FileStoreOptions): CheckpointStore {
  const { checkpoint, lock } = sideNames(target)
  return {
    name: checkpoint,
    async open() {
      try {
        return new FileStore(checkpoint, options, await FileLock.acquire(lock, options))
      } catch (error) {
        throw outputError(error, `opening ${options.name}`, 'ERR_OUTPUT_ACCESS')
      }
    },
  }
}

class FileStore implements OpenCheckpointStore {
  readonly #path: string
  readonly #options: FileStoreOptions
  readonly #lock: FileLock

  constructor(path: string, options: FileStoreOptions, lock: FileLock) {
    this.#path = path
    this.#options = options
    this.#lock = lock
  }

  load(): Promise<Buffer | null> {
    const { files } = this.#options
    return this.#guarded('reading', () => readWhole(files, this.#path, maxBytes), 'ERR_OUTPUT_ACCESS')
  }

  save(bytes: Uint8Array): Promise<void> {
    const { files } = this.#options
    const temporary = temporaryName(this.#path)
    return this.#guarded('writing', async () => {
      await createTemporary(files, temporary, bytes)
      try {
        await this.#checkLock()
        await files.rename(temporary, this.#path)
      } catch (error) {
        await removeFile(files, temporary).catch(() => {})
        throw error
      }
      await flushDirectoryOf(files, this.#path)
    })
  }

  remove(): Promise<void> {
    const { files } = this.#options
    return this.#guarded('removing', async () => {
      await removeFile(files, temporaryName(this.#path))
      if (await removeFile(files, this.#path)) await flushDirectoryOf(files, this.#path)
    })
  }

  close(): Promise<void> {
    return this.#lock.release()
  }

  async #checkLock(): Promise<void> {
    if (await this.#lock.isHeld()) return
    throw new StateError('ERR_STATE_LOCKED', `the lock of ${this.#options.name} was removed or taken over`)
  }

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
