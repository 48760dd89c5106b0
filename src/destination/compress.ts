// Compression on the way to a place: a writer in front of another writer.

import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { KiB } from '../bytes/units.js'
import type { Codec } from '../encode/formats.js'
import { asExportError, ConfigError, InternalError } from '../errors.js'
import type { DestinationWriter } from './destination.js'

/** Bytes compressed at a time. Always this many, so that the compressed bytes do not depend on how the records came in. */
const blockBytes = 128 * KiB

/** Checks that this Node.js has the codec and that `level` is one of its levels. @throws ConfigError ERR_RUNTIME_MISSING, ERR_OPTION_INVALID */
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

/** A writer whose output can be ended and begun again at a place that depends on the data alone, so that what is before it can be kept. */
export interface MemberWriter extends DestinationWriter {
  /** Ends the member (gzip) or frame (zstd) in hand; the next byte begins another. When the promise resolves, all bytes given so far have reached the sink,
   *  compressed. Members and frames one after the other are one valid file (RFC 1952 §2.2, RFC 8878 §3). */
  cut(): Promise<void>
}

/**
 * A writer that compresses what it is given and writes that to `sink`, which it takes over: `commit` and `abort` go through. `bytesWritten` counts
 * compressed bytes. The output is one gzip member or one zstd frame (with a checksum) that depends on the data and the level alone: no time, no name;
 * `cut` makes it several. To a sink that holds bytes already, further members are added.
 * @param level 1 to 9 for gzip, by default 6; 1 to 22 for zstd, by default 3. On members, level 1 of gzip is 1.7 to 2.6 times as fast as 6, for files 2 to 14
 *   percent larger.
 * @throws ConfigError ERR_RUNTIME_MISSING, ERR_OPTION_INVALID
 */
export function compressed(sink: DestinationWriter, codec: 'gzip' | 'zstd', level?: number): MemberWriter
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

function gzip(level = 6): Transform {
  return zlib.createGzip({ level, chunkSize: 64 * KiB })
}

function zstdFrame(level = 3): Transform {
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = zstd.constants
  return zstd.createZstdCompress!({
    chunkSize: 64 * KiB,
    params: { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: 1 },
  })
}

class CompressedWriter implements MemberWriter {
  readonly #sink: DestinationWriter
  readonly #compressor: Compressor

  constructor(sink: DestinationWriter, codec: 'gzip' | 'zstd', level?: number) {
    this.#sink = sink
    this.#compressor = new Compressor(sink, codec, level)
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

/** Compresses what it is given into members of a sink, which stays the caller's. Each call is awaited before the next. */
export class Compressor {
  readonly #sink: CountedSink
  readonly #codec: 'gzip' | 'zstd'
  readonly #level: number | undefined
  readonly #block = Buffer.allocUnsafeSlow(blockBytes)
  #size = 0
  #member: Member | null = null
  #isEnded = false

  /** @param sink to one that holds bytes already, further members are added */
  constructor(sink: CountedSink, codec: 'gzip' | 'zstd', level?: number) {
    this.#sink = sink
    this.#codec = codec
    this.#level = level
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

  /** As `MemberWriter.cut`. */
  async cut(): Promise<void> {
    if (this.#size > 0) await this.#compressBlock()
    await this.#member?.end()
    this.#member = null
  }

  /** Ends the last member. Resolves when the sink has all of it. */
  async end(): Promise<void> {
    this.#isEnded = true
    // nothing at all is a member too: an empty file is no gzip file
    if (this.#size === 0 && this.#sink.bytesWritten === 0) this.#member ??= this.#begin()
    await this.cut()
  }

  /** Gives up what is in hand. Resolves when no write to the sink is in flight any more. Never throws. */
  async destroy(): Promise<void> {
    this.#isEnded = true
    await this.#member?.destroy()
  }

  async #compressBlock(): Promise<void> {
    const block = this.#block.subarray(0, this.#size)
    this.#size = 0
    this.#member ??= this.#begin()
    await this.#member.compress(block)
  }

  #begin(): Member {
    const stream = this.#codec === 'gzip' ? gzip(this.#level) : zstdFrame(this.#level)
    return new Member(this.#sink, this.#codec, stream)
  }
}

type CountedSink = Pick<DestinationWriter, 'write' | 'bytesWritten'>

/** One gzip member or zstd frame on its way to the sink. */
class Member {
  readonly #sink: CountedSink
  readonly #codec: Codec
  readonly #compressor: Transform
  /** Moves the compressor's output to the sink. Resolves at its end; rejects with the first error of either. */
  readonly #pump: Promise<void>
  /** Set while a block waits for the compressor. Not a race of promises: each would stay with the pump's until the end of the export. */
  #rejectWaiting: ((error: unknown) => void) | null = null

  constructor(sink: CountedSink, codec: Codec, compressor: Transform) {
    this.#sink = sink
    this.#codec = codec
    this.#compressor = compressor
    this.#pump = this.#run()
    this.#pump.catch(() => {}) // its error comes out of the block or the end that waits for it
  }

  /** Resolves when the compressor is done with the block. Rejects with the error of the pump where that came first: it has destroyed the compressor. */
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

  async #run(): Promise<void> {
    let offset = 0
    try {
      for await (const chunk of this.#compressor as AsyncIterable<Buffer>) {
        // RFC 1952 §2.3: byte 9 names the system that wrote the member, 255 is unknown; the same bytes everywhere
        if (this.#codec === 'gzip' && offset <= 9 && offset + chunk.length > 9) chunk[9 - offset] = 255
        offset += chunk.length
        await this.#sink.write(chunk)
      }
    } catch (error) {
      const known = asExportError(error, `compressing with ${this.#codec}`)
      queueMicrotask(() => this.#rejectWaiting?.(known)) // once the pump itself has rejected
      throw known
    }
  }
}
