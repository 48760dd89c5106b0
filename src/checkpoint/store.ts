// Where checkpoints are kept: the contract, and a store in memory, which is the reference and serves tests.

import { StateError } from '../errors.js'

/** A place for the checkpoint of one output. */
export interface CheckpointStore {
  /** What messages call it. */
  readonly name: string
  /** Makes the caller the only one who uses the store, until `close`.
   *  @throws StateError ERR_STATE_LOCKED where somebody else does; OutputError where the place cannot be used */
  open(): Promise<OpenCheckpointStore>
}

/** A store that is ours. */
export interface OpenCheckpointStore {
  /** The bytes that were saved last, null where there are none. @throws StateError, OutputError */
  load(): Promise<Uint8Array | null>
  /** Replaces what is saved. When the promise resolves, `bytes` outlive a power loss; where it rejects, they or what
   *  was saved before do.
   *  @throws StateError ERR_STATE_LOCKED where the store is no longer ours; OutputError */
  save(bytes: Uint8Array): Promise<void>
  /** Removes what is saved, if there is something. @throws OutputError */
  remove(): Promise<void>
  /** Lets others use the store. Never throws. */
  close(): Promise<void>
}

export interface MemoryCheckpointStore extends CheckpointStore {
  /** What is saved; may be replaced. */
  bytes: Uint8Array | null
  /** Everything that was ever saved, oldest first. */
  readonly saved: readonly Uint8Array[]
}

/** A store in memory. */
export function memoryCheckpoints(): MemoryCheckpointStore {
  let isOpen = false
  const saved: Uint8Array[] = []
  const store: MemoryCheckpointStore = {
    name: 'memory',
    bytes: null,
    saved,
    async open() {
      if (isOpen) throw new StateError('ERR_STATE_LOCKED', 'the checkpoints in memory are in use')
      isOpen = true
      return {
        load: async () => store.bytes,
        async save(bytes) {
          store.bytes = Uint8Array.from(bytes)
          saved.push(store.bytes)
        },
        async remove() {
          store.bytes = null
        },
        async close() {
          isOpen = false
        },
      }
    },
  }
  return store
}
