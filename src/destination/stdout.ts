// Standard output, or another stream that belongs to somebody else: it is written to and waited for, never ended or
// destroyed.

import { fstatSync, fsync, readFileSync, write } from 'node:fs'
import { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { promisify } from 'node:util'
import { OutputError, ReaderGone } from '../errors.js'
import type { OpenFile } from '../files/file-system.js'
import { errnoOf, outputError } from '../files/os-error.js'
import type { Destination, DestinationWriter } from './destination.js'
import { DirectWriter } from './direct.js'

/**
 * The given stream, by default stdout. A write resolves when the stream has taken the bytes, so a slow reader holds the
 * export back; a reader that goes away ends it with ReaderGone. What was written is out: nothing is published at the
 * end and nothing taken back.
 *
 * Where stdout is a file or a device (`> out.ndjson`) its descriptor is written to directly: Node's own stream for it
 * drops the rest of a write that the system takes only in part (lib/internal/fs/sync_write_stream.js), which is what
 * happens when a disk becomes full.
 *
 * ERR_OUTPUT_ACCESS from `open` where the stream is closed.
 */
export function stdoutDestination(stream: Writable = process.stdout): Destination {
  return {
    name: 'stdout',
    async open() {
      if (stream !== process.stdout) return new StreamWriter(stream)
      const fd = process.stdout.fd
      if (isReopenedNull(fd))
        throw new OutputError('ERR_OUTPUT_ACCESS', 'opening stdout: it is closed', {
          hint: 'to discard the output, pass --out /dev/null',
        })
      return isStreamed(fd) ? new StreamWriter(stream) : new DirectWriter(descriptorFile(fd), 'stdout')
    },
  }
}

/** Whether the descriptor is what Node put where it found none: at its start Node opens /dev/null for reading and
 *  writing in place of a closed stdin, stdout or stderr (src/node.cc, PlatformInit), and the output would vanish in
 *  silence. A shell's `> /dev/null` is for writing only. Known on Linux only. */
export function isReopenedNull(fd: number): boolean {
  if (process.platform !== 'linux') return false
  try {
    if (fstatSync(fd).rdev !== 0x103) return false // /dev/null is character device 1:3 (Linux, devices.txt)
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))
    return flags !== null && (Number.parseInt(flags[1]!, 8) & 3) === 2 // O_ACCMODE, O_RDWR
  } catch {
    return false // no /proc: nothing is known
  }
}

/** Pipes, sockets and terminals: Node's streams for them write everything, without blocking. */
function isStreamed(fd: number): boolean {
  try {
    const status = fstatSync(fd)
    return status.isFIFO() || status.isSocket() || (process.stdout.isTTY ?? false)
  } catch {
    return true // no such descriptor: the stream will say why
  }
}

const writeDescriptor = promisify(write)
const syncDescriptor = promisify(fsync)

/** A descriptor that is not ours as a file: closing it does nothing. */
export function descriptorFile(fd: number): Pick<OpenFile, 'write' | 'sync' | 'close'> {
  return {
    write: (bytes, offset, length) => writeDescriptor(fd, bytes, offset, length, null),
    sync: () => syncDescriptor(fd),
    close: async () => {},
  }
}

class StreamWriter implements DestinationWriter {
  bytesWritten = 0
  readonly #stream: Writable
  /** What went wrong with the stream, also between two writes. */
  #failure: Error | null = null
  readonly #onError = (error: Error): void => {
    this.#failure ??= streamError(error)
  }

  constructor(stream: Writable) {
    if (stream.destroyed || stream.writableEnded)
      throw new OutputError('ERR_OUTPUT_ACCESS', 'opening stdout: the stream is closed')
    this.#stream = stream
    // without a listener, a reader that goes away would be an uncaught exception
    stream.on('error', this.#onError)
  }

  get left(): string {
    return this.bytesWritten === 0 ? 'nothing was written' : 'what was written to stdout stays there'
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    if (bytes.length === 0) return
    // A socket or a terminal is done with the bytes when it calls back. Any other stream may keep them (a Transform
    // does), so it gets a copy.
    const owned = this.#stream instanceof Socket ? bytes : Buffer.from(bytes)
    await new Promise<void>((resolve, reject) => {
      this.#stream.write(owned, (error) => (error ? reject((this.#failure ??= streamError(error))) : resolve()))
    })
    this.bytesWritten += bytes.length
  }

  async commit(): Promise<void> {
    // every write was waited for, so all that is left to do is to tell of an error since
    if (this.#failure !== null) throw this.#failure
    this.#stream.off('error', this.#onError)
  }

  async abort(): Promise<void> {
    // after a failure the listener stays: the stream's error event may come after the write's callback
    if (this.#failure === null) this.#stream.off('error', this.#onError)
  }
}

/** The reader is gone where the pipe is broken, the socket reset, or the stream destroyed by somebody else. */
function streamError(error: Error): Error {
  const code = errnoOf(error) ?? (error as NodeJS.ErrnoException).code
  if (code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_DESTROYED') return new ReaderGone()
  return outputError(error, 'writing to stdout', 'ERR_OUTPUT_IO')
}
