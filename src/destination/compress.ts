// Compression on the way to a place: a writer in front of another writer.

import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { KiB } from '../bytes/units.js'
import type { CompressionState } from '../checkpoint/checkpoint.js'
import type { Codec } from '../encode/formats.js'
import { asExportError, ConfigError, InternalError } from '../errors.js'
import type { DestinationWriter } from './destination.js'

/** Bytes compressed at a time. Always this many, so that the compressed bytes do not depend on how the records came
 *  in. */
const blockBytes = 128 * KiB

/** Checks that this Node.js has the codec and that `level` is one of its levels. @throws ConfigError
 *  ERR_RUNTIME_MISSING, ERR_OPTION_INVALID */
export function requireCodec(codec: Codec, level?: number): void {
  if (codec === 'zstd' && zstd.createZstdCompress === undefined)
    throw new ConfigError(
      'ERR_RUNTIME_MISSING',
      `zstd needs node:zlib of Node.js 22.15 or newer; this is ${process.version}`,
    )
  if (level === undefined || codec === 'none') return
  const highest = codec === 'gzip' ? 9 : 22
  if (!Number.isInteger(level) || level < 1 || level > highest)
    throw new ConfigError('ERR_OPTION_INVALID', `compression level ${level}: ${codec} has the levels 1 to ${highest}`)
}

/** A writer whose output can be cut where the data alone decides, so that what is before the cut can be kept. */
export interface CuttableWriter extends DestinationWriter {
  /** Writes all bytes given so far to the sink, compressed: what follows does not refer to them. gzip stays one member,
   *  whose deflate stream is flushed here to a whole byte; a zstd frame ends, and the next byte begins another (frames
   *  one after the other are one valid file: RFC 8878 §3). */
  cut(): Promise<void>
}

/**
 * A writer that compresses what it is given and writes that to `sink`, which it takes over: `commit` and `abort` go
 * through. `bytesWritten` counts compressed bytes. The output is one gzip member, or one zstd frame (with a checksum)
 * for each `cut` and one at the end, and depends on the data, the cuts and the level alone: no time, no name. To a sink
 * that holds bytes already, a further member or frame is added.
 * @param level 1 to 9 for gzip, by default 6; 1 to 22 for zstd, by default 3. On members, level 1 of gzip is 1.7 to 2.6
 * times as fast as 6, for files 2 to 14 percent larger.
 * @throws ConfigError ERR_RUNTIME_MISSING, ERR_OPTION_INVALID
 */
export function compressed(sink: DestinationWriter, codec: 'gzip' | 'zstd', level?: number): CuttableWriter
export function compressed(sink: DestinationWriter, codec: Codec, level?: number): DestinationWriter
export function compressed(sink: DestinationWriter, codec: Codec, level?: number): DestinationWriter {
  requireCodec(codec, level)
  return codec === 'none' ? sink : new CompressedWriter(sink, codec, level)
}

// In Node.js since 22.15; the type declarations of Node.js 20 do not have it.
const zstd = zlib as unknown as {
  createZstdCompress?(options: { chunkSize: number; params: Record<number, number> }): Transform
  constants: { ZSTD_c_compressionLevel: number; ZSTD_c_checksumFlag: number }
}

const chunkSize = 64 * KiB
const defaultLevels = { gzip: 6, zstd: 3 }

/** Deflate blocks of which none is the final one, flushed to a whole byte at the end (RFC 1951 §3.2.4: an empty stored
 *  block). A stream of its own has no history, and no state that the segments before it could have shaped. */
function deflateSegment(level: number): Transform {
  return zlib.createDeflateRaw({ level, chunkSize, finishFlush: zlib.constants.Z_SYNC_FLUSH })
}

/** RFC 1952 §2.3: deflate, no flags, no time; byte 8 is that of zlib (deflate.c), byte 9 names the system that wrote
 *  it, 255 is unknown. */
function gzipHeader(level: number): Buffer {
  return Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, level === 9 ? 2 : level === 1 ? 4 : 0, 255])
}

/** A final block without content (RFC 1951 §3.2.6: fixed codes, the end of the block alone), CRC-32 and length mod 2^32
 *  of what is inside. */
function gzipEnd({ bytes, crc32 }: Content): Buffer {
  const end = Buffer.alloc(10)
  end[0] = 3
  end.writeUInt32LE(crc32, 2)
  end.writeUInt32LE(bytes % 2 ** 32, 6)
  return end
}

function zstdFrame(level: number): Transform {
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = zstd.constants
  return zstd.createZstdCompress!({
    chunkSize,
    params: { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: 1 },
  })
}

class CompressedWriter implements CuttableWriter {
  readonly #sink: DestinationWriter
  readonly #compressor: Compressor

  constructor(sink: DestinationWriter, codec: 'gzip' | 'zstd', level?: number) {
    this.#sink = sink
    this.#compressor = new Compressor(sink, codec, { level })
  }

  get bytesWritten(): number {
    return this.#sink.bytesWritten
  }

  get left(): string {
    return this.#sink.left
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#compressor.write(bytes)
  }

  cut(): Promise<void> {
    return this.#compressor.cut()
  }

  async commit(): Promise<void> {
    try {
      await this.#compressor.end()
    } catch (error) {
      await this.abort()
      throw error
    }
    await this.#sink.commit()
  }

  async abort(): Promise<void> {
    await this.#compressor.destroy()
    await this.#sink.abort()
  }
}

type Content = NonNullable<CompressionState['member']>

export interface CompressorOptions {
  /** As `compressed`. */
  readonly level?: number | undefined
  /** Of the compressor that wrote what the sink holds, as it was after a cut. Default: the sink holds nothing that is
   *  gone on with. */
  readonly state?: CompressionState | null | undefined
}

/** Compresses what it is given into a sink, which stays the caller's: into one gzip member a file, or into zstd frames.
 *  Each call is awaited before the next. */
export class Compressor {
  readonly #sink: CountedSink
  readonly #codec: 'gzip' | 'zstd'
  readonly #level: number
  readonly #block = Buffer.allocUnsafeSlow(blockBytes)
  #size = 0
  /** From the last cut on. */
  #segment: Segment | null = null
  /** Of the gzip member in hand. */
  #member: Content | null
  #ended: number
  #isEnded = false

  constructor(sink: CountedSink, codec: 'gzip' | 'zstd', { level, state }: CompressorOptions = {}) {
    this.#sink = sink
    this.#codec = codec
    this.#level = level ?? defaultLevels[codec]
    this.#member = state?.member ?? null
    this.#ended = state?.ended ?? 0
  }

  /** What another compressor of the same codec and level goes on with, to the same bytes. True after a cut and after
   *  the end of a file. */
  get state(): CompressionState {
    return { ended: this.#ended, member: this.#member }
  }

  /** Resolves when `bytes` may be overwritten. @throws what the sink throws */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#isEnded) throw new InternalError('ERR_INTERNAL', `writing ${this.#codec} after its end`)
    for (let at = 0; at < bytes.length; ) {
      const take = Math.min(bytes.length - at, blockBytes - this.#size)
      this.#block.set(bytes.subarray(at, at + take), this.#size)
      this.#size += take
      at += take
      if (this.#size === blockBytes) await this.#compressBlock()
    }
  }

  /** As `CuttableWriter.cut`. */
  async cut(): Promise<void> {
    if (this.#size > 0) await this.#compressBlock()
    if (this.#segment === null) return
    await this.#segment.end()
    this.#segment = null
    if (this.#codec === 'zstd') this.#ended++
  }

  /** Completes the file in hand, if there is one: what is written next begins another. Resolves when the sink has all
   *  of it. */
  async endFile(): Promise<void> {
    await this.cut()
    if (this.#member === null) return
    await this.#put(gzipEnd(this.#member))
    this.#member = null
    this.#ended++
  }

  /** As `endFile`; nothing is written any more. A sink without a byte gets a file that holds nothing. */
  async end(): Promise<void> {
    this.#isEnded = true
    if (this.#size === 0 && this.#sink.bytesWritten === 0) await this.#compressNothing()
    await this.endFile()
  }

  /** Gives up what is in hand. Resolves when no write to the sink is in flight any more. Never throws. */
  async destroy(): Promise<void> {
    this.#isEnded = true
    await this.#segment?.destroy()
  }

  async #compressBlock(): Promise<void> {
    const block = this.#block.subarray(0, this.#size)
    this.#size = 0
    this.#segment ??= this.#begin()
    await this.#segment.compress(block)
    if (this.#member === null) return
    const { bytes, crc32 } = this.#member
    this.#member = { bytes: bytes + block.length, crc32: zlib.crc32(block, crc32) }
  }

  async #compressNothing(): Promise<void> {
    if (this.#codec === 'zstd') this.#segment ??= this.#begin()
    else if (this.#member === null) {
      await this.#put(gzipHeader(this.#level))
      this.#member = { bytes: 0, crc32: 0 }
    }
  }

  #begin(): Segment {
    if (this.#codec === 'zstd') return new Segment(this.#sink, this.#codec, zstdFrame(this.#level))
    const head = this.#member === null ? gzipHeader(this.#level) : null
    this.#member ??= { bytes: 0, crc32: 0 }
    return new Segment(this.#sink, this.#codec, deflateSegment(this.#level), head)
  }

  async #put(bytes: Uint8Array): Promise<void> {
    try {
      await this.#sink.write(bytes)
    } catch (error) {
      throw asExportError(error, `compressing with ${this.#codec}`)
    }
  }
}

type CountedSink = Pick<DestinationWriter, 'write' | 'bytesWritten'>

/** What is compressed between two cuts, on its way to the sink. */
class Segment {
  readonly #sink: CountedSink
  readonly #codec: Codec
  readonly #compressor: Transform
  /** Moves the compressor's output to the sink. Resolves at its end; rejects with the first error of either. */
  readonly #pump: Promise<void>
  /** Set while a block waits for the compressor. Not a race of promises: each would stay with the pump's until the end
   *  of the export. */
  #rejectWaiting: ((error: unknown) => void) | null = null

  /** @param head comes first, as it is */
  constructor(sink: CountedSink, codec: Codec, compressor: Transform, head: Uint8Array | null = null) {
    this.#sink = sink
    this.#codec = codec
    this.#compressor = compressor
    this.#pump = this.#run(head)
    this.#pump.catch(() => {}) // its error comes out of the block or the end that waits for it
  }

  /** Resolves when the compressor is done with the block. Rejects with the error of the pump where that came first: it
   *  has destroyed the compressor. */
  async compress(block: Uint8Array): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.#rejectWaiting = reject
        this.#compressor.write(block, (error) => (error ? reject(error) : resolve()))
      })
    } catch (error) {
      await this.#pump
      throw error
    } finally {
      this.#rejectWaiting = null
    }
  }

  /** Resolves when the sink has taken the last byte. */
  async end(): Promise<void> {
    this.#compressor.end()
    await this.#pump
  }

  /** Resolves when no write to the sink is in flight any more. */
  async destroy(): Promise<void> {
    this.#compressor.destroy()
    await this.#pump.catch(() => {})
  }

  async #run(head: Uint8Array | null): Promise<void> {
    try {
      if (head !== null) await this.#sink.write(head)
      for await (const chunk of this.#compressor as AsyncIterable<Buffer>) await this.#sink.write(chunk)
    } catch (error) {
      this.#compressor.destroy() // not yet iterated where the head could not be written
      const known = asExportError(error, `compressing with ${this.#codec}`)
      queueMicrotask(() => this.#rejectWaiting?.(known)) // once the pump itself has rejected
      throw known
    }
  }
}
