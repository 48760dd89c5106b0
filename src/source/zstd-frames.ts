// Takes a zstd file apart into its frames, by the lengths that stand in it: Node.js (22.15 to 24.21 at least) stops in
// silence after the first frame, and takes one that is cut for whole.

type State = 'magic' | 'skippable' | 'descriptor' | 'header' | 'block' | 'content' | 'checksum'

/** Counts through frames. RFC 8878 §3.1; a frame is a header, blocks that tell their length, and perhaps a checksum. */
export class FrameCutter {
  #state: State = 'magic'
  /** Bytes of what is being read: a number of them is gathered, or passed over. */
  #gathered = 0
  #value = 0
  #left = 4
  #hasChecksum = false
  #isLastBlock = false
  #isSkippable = false

  /** Whether the bytes so far end where a frame does. */
  get isWhole(): boolean {
    return this.#state === 'magic' && this.#gathered === 0
  }

  /** Index after the byte of `bytes`, from `from` on, that ends the frame in hand; -1 where it goes on. @throws
   *  RangeError where there is no frame */
  endIn(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; ) {
      if (this.#state === 'content' || this.#state === 'header' || this.#state === 'checksum') {
        const taken = Math.min(this.#left, bytes.length - at)
        at += taken
        this.#left -= taken
      } else {
        // 4 bytes at most: a number of 32 bits, without sign
        this.#value += bytes[at++]! * 2 ** (8 * this.#gathered++)
        this.#left--
      }
      while (this.#left === 0) if (this.#isFrameOver()) return at
    }
    return -1
  }

  /** What is awaited is there: what comes next? */
  #isFrameOver(): boolean {
    const value = this.#value
    switch (this.#state) {
      case 'magic':
        this.#isSkippable = value >= 0x184d2a50 && value <= 0x184d2a5f
        if (value !== 0xfd2fb528 && !this.#isSkippable) throw new RangeError('there is no zstd frame')
        if (this.#isSkippable) this.#expect('skippable', 4)
        else this.#expect('descriptor', 1)
        return false
      case 'skippable':
        this.#expect('checksum', value)
        return false
      case 'descriptor': {
        const isSingleSegment = (value & 0x20) !== 0
        this.#hasChecksum = (value & 0x04) !== 0
        const dictionaryBytes = [0, 1, 2, 4][value & 3]!
        const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][value >> 6]!
        this.#expect('header', (isSingleSegment ? 0 : 1) + dictionaryBytes + sizeBytes)
        return false
      }
      case 'header':
        this.#expect('block', 3)
        return false
      case 'block': {
        this.#isLastBlock = (value & 1) !== 0
        const type = (value >> 1) & 3
        if (type === 3) throw new RangeError('a zstd block has a type that there is not')
        this.#expect('content', type === 1 ? 1 : value >> 3)
        return false
      }
      case 'content':
        if (!this.#isLastBlock) this.#expect('block', 3)
        else if (this.#hasChecksum) this.#expect('checksum', 4)
        else return this.#end()
        return false
      case 'checksum':
        return this.#end()
    }
  }

  #expect(state: State, bytes: number): void {
    this.#state = state
    this.#left = bytes
    this.#gathered = this.#value = 0
  }

  #end(): true {
    this.#expect('magic', 4)
    return true
  }
}
