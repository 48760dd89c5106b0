// The bytes of a body as something that is read document by document: what a slicer leaves is given to the next.

import { KiB } from '../bytes/units.js'
import { type BodyLayout, FirstLook, type LookOptions } from '../json/first-look.js'

/** Bytes that a slicer is given at first, where more than one document is expected: what it leaves of them is copied
 *  and checked again by the next. */
const firstPieceBytes = 16 * KiB

/** Is told of every chunk. */
export interface ArrivalWatch {
  /** The next chunk is asked for. */
  ask(): void
  /** It is there. */
  arrive(bytes: number): void
}

/** Reads chunks, each of which is valid until the next is asked for. `close` ends it early. */
export class Documents {
  readonly #chunks: AsyncIterator<Uint8Array>
  readonly #watch: ArrivalWatch
  /** Whether another document begins where the last one ended. */
  hasNext = false
  /** Bytes that were read and not taken, before all that is asked for. */
  #held: Uint8Array | null = null
  /** Body offset of the next byte. */
  offset = 0
  #pieceBytes = Number.POSITIVE_INFINITY

  constructor(chunks: AsyncIterable<Uint8Array>, watch: ArrivalWatch = { ask() {}, arrive() {} }) {
    this.#chunks = chunks[Symbol.asyncIterator]()
    this.#watch = watch
  }

  /** The next piece; null at the end. */
  async next(): Promise<Uint8Array | null> {
    let chunk = this.#held
    this.#held = null
    this.hasNext = false
    if (chunk === null) {
      this.#watch.ask()
      const result = await this.#chunks.next()
      if (result.done) return null
      chunk = result.value
      this.#watch.arrive(chunk.length)
    }
    if (chunk.length > this.#pieceBytes) {
      this.#held = chunk.subarray(this.#pieceBytes)
      chunk = chunk.subarray(0, this.#pieceBytes)
    }
    this.#pieceBytes *= 2
    this.offset += chunk.length
    return chunk
  }

  /** Gives back the last bytes of what `next` gave last: they begin another document. */
  unread(bytes: Uint8Array): void {
    this.offset -= bytes.length
    this.hasNext = true
    this.#held = this.#held === null ? bytes : joined(bytes, this.#held)
    this.#pieceBytes = firstPieceBytes
  }

  /** What the body holds, as its first document shows. All of it is still to be read. */
  async look(options: LookOptions): Promise<BodyLayout> {
    const look = new FirstLook(options)
    let layout: BodyLayout | null = null
    while (layout === null) {
      const chunk = await this.next()
      layout = chunk === null ? look.end() : look.push(chunk)
    }
    this.offset -= look.bytes.length
    this.#held = look.bytes.length > 0 ? look.bytes : null
    return layout
  }

  async close(): Promise<void> {
    await this.#chunks.return?.()
  }
}

/** Two parts of one buffer as one, or a copy of both. */
function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const isNext = first.buffer === second.buffer && first.byteOffset + first.length === second.byteOffset
  return isNext
    ? new Uint8Array(first.buffer, first.byteOffset, first.length + second.length)
    : Buffer.concat([first, second])
}

const recordSeparator = 0x1e
const lineFeed = 0x0a
const space = 0x20

/** JSON text sequences (RFC 7464) as what a slicer reads: the separator before each text becomes a space. One that
 *  stands elsewhere stays, and is refused. */
export async function* withoutSeparators(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let before = lineFeed
  for await (const chunk of chunks) {
    let bytes = chunk
    for (let at = chunk.indexOf(recordSeparator); at >= 0; at = chunk.indexOf(recordSeparator, at + 1)) {
      const previous = at === 0 ? before : chunk[at - 1]!
      if (previous !== lineFeed && !(previous === recordSeparator && (at === 0 || bytes[at - 1] === space))) continue
      if (bytes === chunk) bytes = Buffer.from(chunk) // the chunk is only read
      bytes[at] = space
    }
    // a separator that stayed is refused: no other can follow on it
    before = chunk.at(-1) ?? before
    yield bytes
  }
}
