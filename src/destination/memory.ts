// A place in memory: the reference implementation of the whole contract, for tests and examples.

import { type CheckpointStore, memoryCheckpoints } from '../checkpoint/store.js'
import { ConfigError, InternalError, StateError } from '../errors.js'
import { partName } from '../files/part-names.js'
import { openClaimed, publishStaged } from './claimed-writer.js'
import type {
  ClaimedPlace,
  Destination,
  Keeps,
  KeptToken,
  Part,
  PartsAbility,
  PendingCommit,
  PlaceWriter,
  RewindAbility,
  WriterNeeds,
} from './destination.js'
import { type BytesToken, bytesTokenOf, RunningProof } from './proof.js'

export interface MemoryOptions {
  /** Whether what is not complete is kept for the next export to this place. Default false: it is dropped. */
  readonly isResumable?: boolean
  /** Whether an output that is there may be replaced. Default true. */
  readonly overwrite?: boolean
  /** End of the names of parts, with the dot; the output is in several. Default: it is one. */
  readonly extension?: string
}

export interface MemoryDestination extends Destination {
  /** Whether an export was committed here. */
  readonly isCommitted: boolean
  /** What the last commit made visible, all parts one after the other. @throws InternalError before the first commit */
  bytes(): Buffer
  /** The parts of that; one where the output has none. @throws InternalError before the first commit */
  parts(): readonly Buffer[]
  /** Whether something is kept that is not published. */
  readonly hasPartial: boolean
  /** What tells of it; null where nothing does. */
  manifest(): Buffer | null
}

/** A destination that keeps the bytes of one export, unbounded. An export that is committed later replaces it. */
export function memoryDestination(options: MemoryOptions = {}): MemoryDestination {
  const place = new Memory(options)
  const resumable = async () => ({ ownNames: [], claim: async () => place.claim() })
  const committed = (): Buffer[] => {
    if (place.committed === null) throw new InternalError('ERR_INTERNAL', 'nothing was committed to memory')
    return place.committed
  }
  return {
    name: 'memory',
    hasParts: options.extension !== undefined,
    get isCommitted() {
      return place.committed !== null
    },
    bytes: () => Buffer.concat(committed()),
    parts: committed,
    get hasPartial() {
      return place.partial !== null
    },
    manifest: () => place.manifest,
    open: async () => openClaimed(await resumable()),
    ...(options.isResumable ? { resumable } : {}),
  }
}

/** What is in the place. */
class Memory {
  committed: Buffer[] | null = null
  manifest: Buffer | null = null
  /** What an export that was not complete has left. */
  partial: MemoryWriter | null = null
  readonly options: MemoryOptions
  readonly checkpoints: CheckpointStore = memoryCheckpoints()
  #isClaimed = false

  constructor(options: MemoryOptions) {
    this.options = options
  }

  claim(): ClaimedPlace {
    // without a state that is kept nothing of one export is in the way of another
    if (this.options.isResumable && this.#isClaimed) {
      throw new StateError('ERR_STATE_LOCKED', 'another export writes to memory')
    }
    this.#isClaimed = true
    return new MemoryPlace(this, () => {
      this.#isClaimed = false
    })
  }
}

class MemoryPlace implements ClaimedPlace {
  readonly partialName = 'memory'
  readonly manifest = { name: 'memory', check: async () => {} }
  readonly #memory: Memory
  readonly #release: () => void

  constructor(memory: Memory, release: () => void) {
    this.#memory = memory
    this.#release = release
  }

  get checkpoints(): CheckpointStore {
    return this.#memory.checkpoints
  }

  get overwrite(): boolean {
    return this.#memory.options.overwrite ?? true
  }

  async begin(needs: WriterNeeds = {}): Promise<PlaceWriter> {
    this.#checkTarget()
    return (this.#memory.partial = new MemoryWriter(this.#memory, [], RunningProof.for(needs)))
  }

  async resume(kept: KeptToken, needs: WriterNeeds = {}): Promise<PlaceWriter> {
    this.#checkTarget()
    const token = bytesTokenOf(kept, this.partialName)
    const { partial } = this.#memory
    if (partial === null) throw new StateError('ERR_STATE_OUTPUT', 'what was kept in memory is gone')
    if (partial.bytesWritten < token.bytes) {
      throw new StateError(
        'ERR_STATE_OUTPUT',
        `memory has fewer than the ${token.bytes} bytes that its checkpoint tells of`,
      )
    }
    const proof = RunningProof.like(token, needs)
    const parts = partial.upTo(token.bytes)
    for (const piece of parts.flat()) proof.add(piece)
    proof.settle(token, needs, this.partialName)
    return (this.#memory.partial = new MemoryWriter(this.#memory, parts, proof))
  }

  async publish(pending: PendingCommit, manifest: Uint8Array | null): Promise<void> {
    const { committed } = this.#memory
    if (committed !== null && this.#isOf(committed, bytesTokenOf(pending, this.partialName))) {
      if (manifest !== null) this.#memory.manifest = Buffer.from(manifest)
      return
    }
    await publishStaged(await this.resume(pending), manifest, { upTo: pending })
  }

  async release(): Promise<void> {
    this.#release()
  }

  #checkTarget(): void {
    if (this.#memory.committed !== null && !this.overwrite) {
      throw new ConfigError('ERR_OUTPUT_EXISTS', 'memory has an output already')
    }
  }

  #isOf(parts: readonly Buffer[], token: BytesToken): boolean {
    const proof = RunningProof.like(token, {})
    for (const part of parts) proof.add(part)
    return proof.isOf(token)
  }
}

class MemoryWriter implements PlaceWriter {
  left = 'nothing was published'
  bytesWritten: number
  isOurs = true
  readonly parts?: PartsAbility
  readonly rewind: RewindAbility = {
    keptAt: async (bytes) => this.#proofAt(bytes).token(),
    to: async (bytes) => {
      this.#proof = this.#proofAt(bytes)
      this.#truncate(bytes)
    },
  }

  readonly #memory: Memory
  #proof: RunningProof
  /** Of each part. The last is in hand, unless it was ended. */
  #parts: Buffer[][]
  #isInHand: boolean
  #isStaged = false
  #isEnded = false

  constructor(memory: Memory, parts: Buffer[][], proof: RunningProof) {
    this.#memory = memory
    this.#parts = parts
    this.#proof = proof
    this.#isInHand = parts.length > 0
    this.bytesWritten = proof.bytes
    const { extension } = memory.options
    if (extension !== undefined) this.parts = { end: async () => this.#endPart(), list: () => this.#list(extension) }
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#check()
    if (bytes.length === 0) return
    if (!this.#isInHand) this.#parts.push([])
    this.#isInHand = true
    this.#parts.at(-1)!.push(Buffer.from(bytes))
    this.#proof.add(bytes)
    this.bytesWritten += bytes.length
  }

  sha256(): string | null {
    return this.#proof.sha256()
  }

  async keep(): Promise<KeptToken> {
    this.#check()
    return this.#proof.token()
  }

  async stage(): Promise<PendingCommit> {
    this.#check()
    this.#isStaged = true
    return this.#proof.token()
  }

  async publish(manifest: Uint8Array | null): Promise<void> {
    if (!this.#isStaged) throw new InternalError('ERR_INTERNAL', 'memory was published before it was staged')
    this.#isEnded = true
    this.isOurs = false
    this.#memory.committed =
      this.#parts.length === 0 ? [Buffer.alloc(0)] : this.#parts.map((part) => Buffer.concat(part))
    this.#memory.manifest = manifest && Buffer.from(manifest)
    this.#memory.partial = null
    this.left = 'memory is complete'
  }

  async abort(keeps?: Keeps): Promise<void> {
    if (this.#isEnded) return
    this.#isEnded = true
    if (keeps === undefined) this.#memory.partial = null
    else if (keeps.upTo !== null) this.#truncate((keeps.upTo as unknown as BytesToken).bytes)
  }

  /** The first `bytes` bytes, in their parts. */
  upTo(bytes: number): Buffer[][] {
    const kept: Buffer[][] = []
    let left = bytes
    for (const part of this.#parts) {
      if (left === 0) break
      const taken = Buffer.concat(part).subarray(0, left)
      kept.push([taken])
      left -= taken.length
    }
    return kept
  }

  #proofAt(bytes: number): RunningProof {
    const proof = this.#proof.fresh()
    for (const piece of this.upTo(bytes).flat()) proof.add(piece)
    return proof
  }

  #truncate(bytes: number): void {
    this.#parts = this.upTo(bytes)
    this.#isInHand = this.#parts.length > 0
    this.bytesWritten = bytes
  }

  #endPart(): void {
    this.#check()
    this.#isInHand = false
  }

  #list(extension: string): Part[] {
    const parts = this.#parts.length === 0 ? [[]] : this.#parts
    return parts.map((part, index) => ({
      name: partName(index, extension),
      bytes: part.reduce((sum, piece) => sum + piece.length, 0),
    }))
  }

  #check(): void {
    if (this.#isEnded || this.#isStaged) throw new InternalError('ERR_INTERNAL', 'memory was written to after its end')
  }
}
