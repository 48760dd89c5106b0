// What a claimed file and a claimed directory on a local disk share: whose names they go by, and how what a run before
// has completed is published.

import type { CheckpointStore } from '../checkpoint/store.js'
import { printable, StateError } from '../errors.js'
import { publishStaged } from './claimed-writer.js'
import type { ClaimedPlace, KeptToken, PendingCommit, WriterNeeds } from './destination.js'
import type { LocalClaim } from './local-place.js'
import type { ManifestFile } from './manifest-file.js'
import { type BytesToken, bytesTokenOf } from './proof.js'
import type { StagedOutput } from './staged.js'

/** A place on a local disk, claimed. */
export abstract class ClaimedLocal<W extends StagedOutput> implements ClaimedPlace {
  protected readonly claim: LocalClaim

  /** @param claim is this place's, which releases it */
  constructor(claim: LocalClaim) {
    this.claim = claim
  }

  get checkpoints(): CheckpointStore {
    return this.claim.checkpoints
  }

  get manifest(): ManifestFile {
    return this.claim.manifest
  }

  get partialName(): string {
    return printable(this.claim.place.sides.partial)
  }

  get overwrite(): boolean {
    return this.claim.place.overwrite
  }

  abstract begin(needs?: WriterNeeds): Promise<W>

  abstract resume(kept: KeptToken, needs?: WriterNeeds): Promise<W>

  async publish(pending: PendingCommit, manifest: Uint8Array | null): Promise<void> {
    if (await this.isPublished(bytesTokenOf(pending, this.partialName))) {
      if (manifest !== null) await this.claim.manifest.save(manifest)
      return
    }
    await publishStaged(await this.resume(pending), manifest, { upTo: pending })
  }

  release(): Promise<void> {
    return this.claim.release()
  }

  /** Whether the output has its name already: the run that gave it had no time to say so. */
  protected abstract isPublished(token: BytesToken): Promise<boolean>

  protected gone(): StateError {
    return new StateError('ERR_STATE_OUTPUT', `${this.partialName} is gone`)
  }

  /** @throws StateError where fewer bytes are held than a token tells of */
  protected checkHeld(held: number, bytes: number): void {
    if (held >= bytes) return
    const message = `${this.partialName} has ${held} bytes, fewer than the ${bytes} that its checkpoint tells of`
    throw new StateError('ERR_STATE_OUTPUT', message)
  }
}
