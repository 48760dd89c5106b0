// Connections that receive into one buffer each, instead of a new one for every read: a body of a gigabyte then leaves
// no gigabyte to collect, and one read takes as much as four of Node's own.

import { Socket } from 'node:net'
import buildConnector from 'undici/lib/core/connect.js'
import { KiB } from '../../bytes/units.js'
import { InternalError } from '../../errors.js'
import { withSmallParser } from './parser-tiering.js'

/** Most bytes that one read takes. With four times as many, what is read leaves the processor's cache before it is
 *  parsed. */
export const receiveBytes = 256 * KiB

type Connector = ReturnType<typeof buildConnector>
type ConnectOptions = NonNullable<Parameters<typeof buildConnector>[0]>

/**
 * A connector for a dispatcher of undici. What its sockets give to the parser, and so to the handler of a request, is
 * valid until that returns: after it the next bytes come to the same place.
 * @param options those of undici's own connector
 */
export function receivingConnector(options: ConnectOptions): Connector {
  const idle: Receiver[] = []
  return (request, callback) => {
    const receiver = idle.pop() ?? new Receiver(options)
    receiver.connect(request, (error, socket) => {
      if (error !== null) {
        idle.push(receiver)
        return callback(error, null)
      }
      socket.once('close', () => {
        receiver.release()
        idle.push(receiver)
      })
      withSmallParser(() => callback(null, socket))
    })
  }
}

/** One buffer, for one socket at a time. */
class Receiver {
  /** By way of a connector of its own, which has its options, and the buffer among them, once and for all. */
  readonly #connector: Connector
  #socket: Socket | null = null
  /** What was received and not read yet, in order. Of bytes in the buffer, nothing is received over them. */
  #pending: Uint8Array[] = []
  /** Whether nothing more is received once we said so. With TLS, what has been deciphered comes all the same, so it has
   *  to make room. */
  #isStoppable = false

  constructor(options: ConnectOptions) {
    const onread = {
      buffer: Buffer.allocUnsafeSlow(receiveBytes),
      callback: (length: number, buffer: Uint8Array) => this.#receive(buffer.subarray(0, length)),
    }
    this.#connector = buildConnector({ ...options, onread } as ConnectOptions)
  }

  connect(request: Parameters<Connector>[0], callback: Parameters<Connector>[1]): void {
    this.#connector(request, (error, socket) => {
      if (error !== null) return callback(error, null)
      this.#attach(socket)
      callback(null, socket)
    })
  }

  release(): void {
    this.#socket = null
    this.#isStoppable = false
    this.#pending = []
  }

  /** undici takes bytes with `read` when `readable` is emitted, and gives back with `unshift` what its parser did not
   *  want yet. */
  #attach(socket: Socket): void {
    this.#socket = socket
    this.#isStoppable = !('encrypted' in socket)
    const { read, unshift } = Socket.prototype
    socket.read = (size?: number) => {
      if (this.#pending.length === 0) return read.call(socket, size) // which goes on receiving
      return size === 0 ? null : this.#pending.shift()
    }
    socket.unshift = (bytes: Uint8Array, encoding?: BufferEncoding) => {
      if (bytes.length > 0) this.#pending.unshift(bytes)
      else unshift.call(socket, bytes, encoding)
    }
  }

  /** Says whether to go on receiving. */
  #receive(bytes: Uint8Array): boolean {
    const socket = this.#socket
    if (this.#pending.length > 0 && this.#isStoppable) {
      socket?.destroy(new InternalError('ERR_INTERNAL', 'bytes were received over others that were not read'))
      return false
    }
    this.#pending.push(bytes)
    socket?.emit('readable')
    if (!this.#isStoppable)
      this.#pending = this.#pending.map((held) => (held.buffer === bytes.buffer ? Buffer.from(held) : held))
    return this.#pending.length === 0
  }
}
