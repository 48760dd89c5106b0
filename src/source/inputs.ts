// Local inputs: what a path leads to is opened before anything else is touched, and its bytes come unpacked. What is no
// file waits for its other side without a thread, so that a stop ends the wait.

import { close, constants, fstat, open, read, type Stats } from 'node:fs'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { MiB } from '../bytes/units.js'
import { ConfigError, DataError, printable, UpstreamError } from '../errors.js'
import { withoutSeparators } from './documents.js'
import { checkUnread, givenChunks } from './given-chunks.js'
import { magicBytes, packingOf, strangerIn } from './kinds.js'

/** A path, or bytes as they come: anything that is iterated as chunks, such as a Readable or a Web ReadableStream.
 *  Chunks are only read. */
export type BodyInput = string | URL | Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** One input, or the paths of several, which are read in their order; streams may stand between them. */
export type BodyInputs = BodyInput | readonly (string | URL | AsyncIterable<Uint8Array>)[]

/** Which file something is. */
export interface FileIdentity {
  readonly dev: number
  readonly ino: number
}

/** Files that are held open at a time: the others are opened when it is their turn. */
const maxOpen = 64

const openFile = promisify(open)
const statusOfOpen = promisify(fstat)
const readFile = promisify(read)
const closeFile = promisify(close)

/** The inputs of one body source. */
export function inputsOf(given: BodyInputs): Input[] {
  const isPath = (part: unknown): part is string | URL => typeof part === 'string' || part instanceof URL
  // an array of bytes alone is one body in chunks
  const isSeveral = Array.isArray(given) && given.some((part) => !(part instanceof Uint8Array))
  const inputs = (isSeveral ? given : [given]) as readonly BodyInput[]
  return inputs.map((input) => (isPath(input) ? new FileInput(input) : new BytesInput(input)))
}

/** Opens what has a path. @throws ConfigError ERR_OPTION_INVALID where there is nothing to read; then all is closed */
export async function openInputs(inputs: readonly Input[]): Promise<void> {
  try {
    for (const [index, input] of inputs.entries()) await input.open(index < maxOpen)
  } catch (error) {
    await closeInputs(inputs)
    throw error
  }
}

export async function closeInputs(inputs: readonly Input[]): Promise<void> {
  for (const input of inputs) await input.close()
}

export interface Input {
  /** How messages name it; null for bytes. */
  readonly name: string | null
  /** Whether its name says that every line is a record. */
  readonly isNdjson: boolean
  /** Which file it is; null for bytes. Known once it was opened. */
  readonly identity: FileIdentity | null
  /** @param stays whether it stays open until its bytes are read */
  open(stays: boolean): Promise<void>
  /** The bytes, unpacked. Once. A waiting `next()` rejects with the signal's reason when that is aborted. */
  chunks(signal: AbortSignal | undefined): AsyncIterable<Uint8Array>
  /** Does nothing after the end. */
  close(): Promise<void>
}

class BytesInput implements Input {
  readonly name = null
  readonly isNdjson = false
  readonly identity = null
  readonly #input: Exclude<BodyInput, string | URL>

  constructor(input: Exclude<BodyInput, string | URL>) {
    this.#input = input
  }

  /** @throws ConfigError ERR_OPTION_INVALID where it can be read once and has been */
  async open(): Promise<void> {
    if (!(this.#input instanceof Uint8Array)) checkUnread(this.#input)
  }

  chunks(signal: AbortSignal | undefined): AsyncIterable<Uint8Array> {
    const input = this.#input
    return unpacked(givenChunks(input instanceof Uint8Array ? [input] : input, signal), 'the input')
  }

  async close(): Promise<void> {}
}

class FileInput implements Input {
  readonly name: string
  readonly isNdjson: boolean
  readonly #path: string
  #identity: FileIdentity | null = null
  #fd: number | null = null

  constructor(path: string | URL) {
    this.#path = pathOf(path)
    this.name = printable(this.#path)
    this.isNdjson = /\.(ndjson|jsonl)(\.(gz|zst))?$/i.test(this.#path)
  }

  get identity(): FileIdentity | null {
    return this.#identity
  }

  async open(stays: boolean): Promise<void> {
    if (this.#fd === null) await this.#open()
    if (!stays) await this.close()
  }

  async *chunks(signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    signal?.throwIfAborted()
    const status = this.#fd === null ? await this.#open() : await statusOfOpen(this.#fd)
    try {
      const bytes = status.isFile() || status.isBlockDevice() ? this.#read(signal) : this.#receive(status, signal)
      yield* unpacked(bytes, this.name)
    } finally {
      await this.close()
    }
  }

  async close(): Promise<void> {
    const fd = this.#fd
    this.#fd = null
    if (fd !== null) await closeFile(fd).catch(() => {}) // nothing was written
  }

  /** @throws ConfigError ERR_OPTION_INVALID */
  async #open(): Promise<Stats> {
    const path = this.#path
    let fd: number
    try {
      // a FIFO would wait for its writer in a thread that no signal reaches
      fd = await openFile(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    } catch (error) {
      throw cannotRead(this.name, error)
    }
    this.#fd = fd
    const status = await statusOfOpen(fd)
    if (status.isDirectory()) {
      throw new ConfigError('ERR_OPTION_INVALID', `${this.name} is a directory`, {
        hint: 'name the files in it, such as DIRECTORY/*.ndjson',
      })
    }
    const before = this.#identity
    if (before !== null && (before.dev !== status.dev || before.ino !== status.ino)) {
      throw new ConfigError('ERR_OPTION_INVALID', `${this.name} is another file than it was at the start`)
    }
    this.#identity = { dev: status.dev, ino: status.ino }
    return status
  }

  /** A file's bytes through one buffer: each chunk is valid until the next is asked for. */
  async *#read(signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    const buffer = Buffer.allocUnsafeSlow(readBytes)
    for (;;) {
      signal?.throwIfAborted()
      const { bytesRead } = await readFile(this.#fd!, buffer, 0, buffer.length, null).catch((error: unknown) => {
        throw cannotReadOn(this.name, error)
      })
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  }

  /** The bytes of a FIFO, a pipe or a terminal, which are awaited by the event loop. */
  async *#receive(status: Stats, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    // few inputs need these, and each costs every start
    const { isatty, ReadStream } = await import('node:tty')
    const { Socket } = await import('node:net')
    const fd = this.#fd!
    if (status.isCharacterDevice() && !isatty(fd)) {
      yield* this.#read(signal) // such as /dev/null
      return
    }
    this.#fd = null // the stream closes it
    const stream: Readable = status.isCharacterDevice()
      ? new ReadStream(fd)
      : new Socket({ fd, readable: true, writable: false })
    yield* givenChunks(stream, signal)
  }
}

/** Bytes of one read: with a quarter of it, the trips through the thread pool took 5 % of an export to Parquet or
 *  CSV. */
const readBytes = 1 * MiB

function pathOf(path: string | URL): string {
  if (typeof path === 'string') return path
  try {
    return fileURLToPath(path)
  } catch (error) {
    throw new ConfigError('ERR_OPTION_INVALID', `${printable(String(path))} is not the URL of a local file`, {
      cause: error,
    })
  }
}

function cannotRead(name: string, cause: unknown): ConfigError {
  const { code } = cause as NodeJS.ErrnoException
  if (code === 'ENOENT') {
    return new ConfigError('ERR_OPTION_INVALID', `there is no file ${name}`, { cause, hint: 'check the path' })
  }
  const reason = code ?? String(cause)
  return new ConfigError('ERR_OPTION_INVALID', `opening ${name} to read: ${reason}`, {
    cause,
    hint: 'check the path and its permissions',
  })
}

/** What was opened gives an error: a disk, or a file of a network, that fails. */
function cannotReadOn(name: string, cause: unknown): UpstreamError {
  const reason = (cause as NodeJS.ErrnoException).code ?? String(cause)
  return new UpstreamError('ERR_BODY_TRUNCATED', `reading ${name}: ${reason}`, {
    cause,
    hint: 'the storage of the input reports a fault',
  })
}

/** The bytes of JSON in `bytes`. @throws DataError where they are something else, by their first bytes; ConfigError
 *  ERR_RUNTIME_MISSING */
async function* unpacked(bytes: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = bytes[Symbol.asyncIterator]()
  try {
    const { start, rest } = await startOf(iterator)
    const packing = packingOf(start)
    if (packing === null) yield* checked(rest, name, start)
    else yield* checked((await import('./packed.js')).unpack(rest, packing, name), name)
  } finally {
    await iterator.return?.()
  }
}

/** Bytes that are no JSON to begin with are named. */
async function* checked(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
  known?: Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { start, rest } =
    known === undefined ? await startOf(bytes[Symbol.asyncIterator]()) : { start: known, rest: bytes }
  const inner = known === undefined ? packingOf(start) : null
  const stranger = inner === null ? strangerIn(start) : { what: `${inner} inside of another`, hint: unpackOnce }
  if (stranger !== null) {
    const code = stranger.what.startsWith('UTF') ? 'ERR_UTF8' : 'ERR_JSON_SYNTAX'
    throw new DataError(code, `${name} is ${stranger.what}`, { hint: stranger.hint })
  }
  yield* start[0] === 0x1e ? withoutSeparators(rest) : rest
}

const unpackOnce = 'unpack it once more: one layer of compression is read'

/** No magic number is longer. Who writes little by little is not waited for beyond that. */
const neededBytes = 16

/** The first bytes, copied, and all bytes with them. */
async function startOf(
  iterator: AsyncIterator<Uint8Array>,
): Promise<{ start: Uint8Array; rest: AsyncIterable<Uint8Array> }> {
  let start = Buffer.alloc(0)
  let last: IteratorResult<Uint8Array> = await iterator.next()
  const held: Uint8Array[] = []
  while (!last.done && start.length + last.value.length < neededBytes) {
    held.push(Buffer.from(last.value)) // valid until the next is asked for
    start = Buffer.concat(held)
    last = await iterator.next()
  }
  if (!last.done) start = Buffer.concat([start, last.value.subarray(0, magicBytes)])
  const rest = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* held
      for (; !last.done; last = await iterator.next()) yield last.value
    } finally {
      await iterator.return?.()
    }
  }
  return { start, rest: rest() }
}
