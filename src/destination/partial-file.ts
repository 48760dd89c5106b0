// A file under its partial name: appended to until it is complete, then renamed.

import { OutputError, printable } from '../errors.js'
import { flushDirectory } from '../files/directory.js'
import type { FileStatus, OpenFile } from '../files/file-system.js'
import { flush } from '../files/flush.js'
import { errnoOf, outputError } from '../files/os-error.js'
import { statusOf } from '../files/paths.js'
import { piecesOf } from '../files/pieces.js'
import { BufferedFile } from './buffered-file.js'
import { changeMode } from './private-file.js'
import { type StagedInit, StagedOutput } from './staged.js'

export interface PartialFileInit extends Omit<StagedInit, 'left'> {
  readonly file: OpenFile
  /** To be flushed after the rename. Opened before the export, so that the last step does not fail for want of a file
   *  descriptor. */
  readonly directory: OpenFile | null
  /** Status of the file that is to be replaced; null where there is none. */
  readonly replaces: FileStatus | null
  /** Bytes that it holds already. */
  readonly bytes: number
}

export class PartialFile extends StagedOutput {
  readonly #init: PartialFileInit
  readonly #out: BufferedFile
  #isFileOpen = true
  #directory: OpenFile | null

  constructor(init: PartialFileInit) {
    const { name } = init.claim.place
    const left = init.replaces === null ? 'nothing was published' : `${name} is as it was`
    super({ ...init, left: `the partial file was removed, ${left}` })
    this.#init = init
    this.#out = new BufferedFile(init.file, name)
    this.#out.bytesWritten = init.bytes
    this.#directory = init.directory
  }

  get bytesWritten(): number {
    return this.#out.bytesWritten
  }

  protected put(bytes: Uint8Array): Promise<void> {
    return this.#out.write(bytes)
  }

  protected async flush(): Promise<void> {
    await this.#out.flush()
    await this.flushing(async () => {
      await flush(this.#init.file)
      await this.#checkIdentity()
    })
  }

  protected async complete(): Promise<void> {
    const { file, identity, mode } = this.#init
    await this.#out.flush()
    await this.flushing(async () => {
      if ((identity.mode & 0o777) !== mode) await changeMode(file, mode)
      await flush(file)
      await this.#checkIdentity()
      this.#isFileOpen = false
      await file.close()
    })
  }

  protected read(bytes: number): AsyncIterable<Uint8Array> {
    return piecesOf(this.#init.file, 0, bytes)
  }

  protected async truncate(bytes: number): Promise<void> {
    try {
      await this.#out.settle()
      await this.checkOurs()
      await this.#out.flush().catch(() => {})
      await this.#init.file.truncate(bytes)
      this.#out.bytesWritten = bytes
    } catch (error) {
      throw outputError(error, `truncating ${this.partialName}`, 'ERR_OUTPUT_IO')
    }
  }

  /** An output that appeared during the export is somebody's. */
  protected override async checkTarget(): Promise<void> {
    const { files, target } = this.place
    if (this.#init.replaces === null && (await statusOf(files, target)) !== null) {
      throw this.keepComplete(this.notPublished('it exists by now'))
    }
  }

  protected async rename(): Promise<void> {
    const { files, target, sides } = this.place
    try {
      await files.rename(sides.partial, target)
    } catch (error) {
      throw this.keepComplete(this.notPublished((error as Error).message.split(', ')[0]!, error))
    }
    await this.named(() => flushDirectory(this.#directory))
  }

  protected notPublished(reason: string, cause?: unknown): OutputError {
    const { name, target, sides } = this.place
    // what is mounted there can be written to and not be replaced
    const command = `${errnoOf(cause) === 'EBUSY' ? 'cp' : 'mv'} ${shellQuoted(sides.partial)} ${shellQuoted(target)}`
    return new OutputError('ERR_OUTPUT_RENAME', printable(`publishing ${name}: ${reason}; to publish it: ${command}`), {
      cause,
    })
  }

  protected async close(): Promise<void> {
    await this.#out.settle()
    if (this.#isFileOpen) await this.#init.file.close().catch(() => {})
    this.#isFileOpen = false
    await this.#directory?.close().catch(() => {})
    this.#directory = null
  }

  protected remove(): Promise<void> {
    return this.place.files.unlink(this.place.sides.partial)
  }

  /** As `checkOurs`, and the file is what we wrote. */
  async #checkIdentity(): Promise<void> {
    await this.checkOurs()
    const { size } = await this.#init.file.stat()
    if (size !== this.bytesWritten)
      throw new OutputError(
        'ERR_OUTPUT_CHANGED',
        `${this.partialName} holds ${size} bytes instead of the ${this.bytesWritten} that were written`,
      )
  }
}

function shellQuoted(path: string): string {
  const safe = path.startsWith('-') ? `./${path}` : path
  return /^[\w./+@%:=-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", "'\\''")}'`
}
