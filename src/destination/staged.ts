// What a file and a directory of parts have in common while they are written: they stand under a name of ours until
// they are complete, and before every effect it is asked whether the place and what has that name are still ours. The
// order of manifest and rename is here, and the words for what is left.

import { OutputError, printable, StateError } from '../errors.js'
import type { FileStatus } from '../files/file-system.js'
import { outputError } from '../files/os-error.js'
import { ownStatusOf, statusOf } from '../files/paths.js'
import type { JsonValue } from '../record.js'
import type { Keeps, PartsAbility, PlaceWriter, RewindAbility } from './destination.js'
import type { LocalClaim, LocalPlace } from './local-place.js'
import type { BytesToken, RunningProof } from './proof.js'

export interface StagedInit {
  readonly claim: LocalClaim
  /** Status of what has the partial name, when it was opened. */
  readonly identity: FileStatus
  /** Has been shown what is there already. */
  readonly proof: RunningProof
  /** Permission bits that the manifest shares with the output. */
  readonly mode: number
  /** What an abort leaves that removes it. */
  readonly left: string
}

export abstract class StagedOutput implements PlaceWriter {
  abstract readonly bytesWritten: number
  readonly parts?: PartsAbility
  readonly rewind: RewindAbility = {
    keptAt: async (bytes) => (await this.#proofAt(bytes)).token(),
    to: (bytes) => this.#rewindTo(bytes),
  }

  protected readonly claim: LocalClaim
  protected readonly place: LocalPlace
  readonly #init: StagedInit
  #proof: RunningProof
  /** Of a shorter output, to which this one may be taken back. */
  #shorter: RunningProof | null = null
  /** `complete`: all of it is there, and only its name could not be given. */
  #state: 'open' | 'published' | 'complete' | 'lost' | 'aborted' = 'open'
  #left: string

  constructor(init: StagedInit) {
    this.#init = init
    this.#proof = init.proof
    this.#left = init.left
    this.claim = init.claim
    this.place = init.claim.place
  }

  /** Hands the bytes to the system, sooner or later. */
  protected abstract put(bytes: Uint8Array): Promise<void>
  /** Makes everything durable that was written, and checks that it is there. */
  protected abstract flush(): Promise<void>
  /** As `flush`, with the permissions that the output is to have. Nothing is written after it. */
  protected abstract complete(): Promise<void>
  /** What was written, up to `bytes`. */
  protected abstract read(bytes: number): AsyncIterable<Uint8Array>
  /** Forgets what is after the first `bytes` bytes, also after a write that failed: nobody will miss its bytes, and a
   *  full disk lacks their space. */
  protected abstract truncate(bytes: number): Promise<void>
  /** Gives the output its name, durably. What fails before it has it passes through `keepComplete`. */
  protected abstract rename(): Promise<void>
  /** The error of an output that is complete and cannot get its name. */
  protected abstract notPublished(reason: string, cause?: unknown): OutputError
  /** Closes what is still open, after the write in flight. Never throws; may come twice. */
  protected abstract close(): Promise<void>
  protected abstract remove(): Promise<void>
  /** Looks at what has the output's name, as far as `rename` does not. */
  protected async checkTarget(): Promise<void> {}

  get left(): string {
    return this.#left
  }

  get isOurs(): boolean {
    return this.#state === 'open'
  }

  get partialName(): string {
    return printable(this.place.sides.partial)
  }

  write(bytes: Uint8Array): Promise<void> {
    this.#proof.add(bytes)
    return this.put(bytes)
  }

  sha256(): string | null {
    return this.#proof.sha256()
  }

  async keep(): Promise<JsonValue> {
    await this.flush()
    return this.#proof.token()
  }

  async stage(): Promise<JsonValue> {
    await this.complete()
    return this.#proof.token()
  }

  async publish(manifest: Uint8Array | null): Promise<void> {
    const { claim } = this
    try {
      await this.checkTarget()
      if (manifest !== null) {
        if (await claim.manifest.isInTheWay()) {
          const reason = `${claim.manifest.name} exists by now and is no manifest of an export`
          throw this.keepComplete(this.notPublished(reason))
        }
        await claim.manifest.prepare(manifest, this.#init.mode)
      }
      await this.checkOurs()
      await claim.manifest.withdraw()
      await this.rename()
      if (manifest !== null) await this.#publishManifest()
    } catch (error) {
      if (manifest !== null) await claim.manifest.discard()
      throw outputError(error, `publishing ${this.place.name}`, 'ERR_OUTPUT_IO')
    } finally {
      await this.close()
    }
  }

  async abort(keeps?: Keeps): Promise<void> {
    const isOpen = this.#state === 'open'
    if (isOpen && keeps === undefined) this.#state = 'aborted'
    if (isOpen && keeps !== undefined) await this.#leave(keeps).catch(() => {})
    await this.close()
    if (!isOpen || keeps !== undefined) return
    try {
      await this.claim.check()
      // another process may have put its own there
      if (await this.#isPartialOurs()) await this.remove()
    } catch (error) {
      this.#left = error instanceof StateError ? this.#untouched : `${this.partialName} could not be removed`
    }
  }

  /** Before everything that changes what others may have by now: the place is still ours, and the name that of what we
   *  opened. */
  protected async checkOurs(): Promise<void> {
    await this.#checkClaim()
    const isOurs = await this.#isPartialOurs().catch((error) => {
      throw outputError(error, `looking at ${this.partialName}`, 'ERR_OUTPUT_IO')
    })
    if (isOurs) return
    this.#lose(`${this.partialName} is no longer that of this export`)
    throw new OutputError('ERR_OUTPUT_CHANGED', `${this.partialName} was replaced or removed during the export`)
  }

  /** From here on the complete output stays under its partial name. @returns the error */
  protected keepComplete(error: unknown): unknown {
    this.#state = 'complete'
    this.#left = `${this.partialName} is kept`
    return error
  }

  /** The output has its name; `flushName` makes that durable. */
  protected async named(flushName: () => Promise<void>): Promise<void> {
    const { name } = this.place
    this.#state = 'published'
    this.#left = `${name} is complete`
    try {
      await flushName()
    } catch (error) {
      this.#left = `${name} is complete, but may not outlive a power loss`
      throw outputError(error, `flushing the directory of ${name}`, 'ERR_OUTPUT_IO')
    }
  }

  /** Runs what makes things durable. A failed flush is not repeated: the kernel may have dropped the bytes that it
   *  failed to write, and a second fsync would then succeed without them (fsync(2), "Linux kernel 4.13 and later"). */
  protected async flushing(act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      throw outputError(error, `flushing ${this.place.name} to storage`, 'ERR_OUTPUT_IO')
    }
  }

  protected isSame(status: FileStatus | null): boolean {
    const { identity } = this.#init
    return status !== null && status.dev === identity.dev && status.ino === identity.ino
  }

  async #proofAt(bytes: number): Promise<RunningProof> {
    await this.flush()
    const proof = this.#proof.fresh()
    try {
      for await (const piece of this.read(bytes)) proof.add(piece)
    } catch (error) {
      throw outputError(error, `reading ${this.partialName}`, 'ERR_OUTPUT_IO')
    }
    this.#shorter = proof
    return proof
  }

  async #rewindTo(bytes: number): Promise<void> {
    const proof = this.#shorter?.bytes === bytes ? this.#shorter : await this.#proofAt(bytes)
    await this.truncate(bytes)
    this.#proof = proof
    this.#shorter = null
  }

  /** What is kept is only told of where it is still ours. What cannot be cut off now is cut off by the run that
   *  resumes. */
  async #leave({ upTo }: Keeps): Promise<void> {
    await this.checkOurs()
    const token = upTo as unknown as BytesToken | null
    if (token !== null && this.bytesWritten > token.bytes) await this.truncate(token.bytes)
  }

  async #publishManifest(): Promise<void> {
    const { files, name, target } = this.place
    const left = this.#left
    this.#left = `${name} is complete, but may have no manifest`
    await this.#checkClaim()
    if (!this.isSame(await statusOf(files, target)))
      throw new OutputError('ERR_OUTPUT_CHANGED', `${name} was replaced as soon as it had its name`)
    await this.claim.manifest.publish()
    this.#left = left
  }

  async #checkClaim(): Promise<void> {
    try {
      await this.claim.check()
    } catch (error) {
      if (error instanceof StateError) this.#lose(this.#untouched)
      throw error
    }
  }

  get #untouched(): string {
    return `nothing of what is at ${this.place.name} now was touched`
  }

  #lose(left: string): void {
    if (this.#state === 'open') this.#state = 'lost'
    this.#left = left
  }

  async #isPartialOurs(): Promise<boolean> {
    return this.isSame(await ownStatusOf(this.place.files, this.place.sides.partial))
  }
}
