// One request and its answer on undici's dispatch interface: head as a promise, body as an async iterator with
// backpressure and deadlines. No Node stream stands in between: what arrives is gathered in one of two buffers while
// the reader is at work on the other, so that a busy reader gets few large chunks, and none of them has to be collected
// as garbage.

import type { Dispatcher } from 'undici'
import { formatDuration, KiB } from '../bytes/units.js'
import type { Clock } from '../clock.js'
import { UpstreamError } from '../errors.js'
import type { ResponseHeaders } from './retry-after.js'

/** The socket is held back when this much waits to be read. One read of the socket comes on top. */
const maxGatheredBytes = 256 * KiB
/** A reader that waits is woken at once by this much; by less, when all that has arrived by now is there: with TLS, 16
 *  KiB come at a time. */
const wakeBytes = 64 * KiB
/** A buffer is as large as its body needs, from this on. */
const minBufferBytes = 64 * KiB

export interface ExchangeInit {
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
  /** From now to a connection that the request is sent on, in ms. */
  readonly connectTimeoutMs: number
  /** From the request being sent to the whole head being there, in ms. */
  readonly headTimeoutMs: number
  /** Between two chunks while somebody waits for one, in ms. */
  readonly idleTimeoutMs: number
  /** Host for messages. */
  readonly host: string
  /** Makes the typed error of what undici reports. */
  readonly asError: (cause: unknown, phase: 'open' | 'body') => Error
}

const noBytes = Buffer.alloc(0)

export interface Head {
  readonly statusCode: number
  /** By lowercase name. */
  readonly headers: ResponseHeaders
}

/**
 * A dispatch handler of undici that is read from the other side. `head` settles once; after it resolved, the exchange
 * itself is the iterator over the body's bytes, still content-encoded. A chunk is valid until the next is asked for. A
 * body that fails delivers what has arrived before it throws; after an abort, a deadline or `cancel` nothing more is
 * delivered.
 *
 * The idle deadline counts only while `next()` is waiting, and somebody for what it gives: a reader that takes its time
 * never trips it. One timer looks at the time of the last wait and arms itself again, so that no chunk pays for a
 * timer.
 */
export class Exchange implements Dispatcher.DispatchHandler, AsyncIterableIterator<Uint8Array> {
  readonly head: Promise<Head>
  /** Bytes of the body that have arrived, before content decoding. */
  wireBytes = 0

  readonly #init: ExchangeInit
  #resolveHead!: (head: Head) => void
  #rejectHead!: (error: Error) => void
  #phase: 'open' | 'body' = 'open'
  #controller: Dispatcher.DispatchController | undefined

  /** What has arrived and was not asked for yet: the first bytes of a buffer. */
  #gathered = noBytes
  #gatheredBytes = 0
  /** The other buffer: what was given last stands in it. */
  #given = noBytes
  #wakeUp: NodeJS.Immediate | undefined
  #waiting: { resolve: (result: IteratorResult<Uint8Array>) => void; reject: (error: unknown) => void } | undefined
  #state: 'live' | 'ended' | 'failed' = 'live'
  #failure: unknown

  #waitingSince = 0
  #isReaderBusy = false
  #cancelOpenTimer: (() => void) | undefined
  #cancelIdleTimer: (() => void) | undefined
  readonly #onAbort = (): void => this.#stop(this.#init.signal!.reason)

  constructor(init: ExchangeInit) {
    this.#init = init
    this.head = new Promise((resolve, reject) => {
      this.#resolveHead = resolve
      this.#rejectHead = reject
    })
    // Whoever dispatches awaits `head`; but a failure within dispatch itself may come before that.
    this.head.catch(() => {})
    if (init.signal?.aborted) {
      this.#stop(init.signal.reason)
      return
    }
    init.signal?.addEventListener('abort', this.#onAbort, { once: true })
    // undici has a connect timeout of its own, but goes on connecting for ever where each new connection is lost at
    // once.
    this.#cancelOpenTimer = init.clock.after(init.connectTimeoutMs, () => {
      const wait = formatDuration(init.connectTimeoutMs)
      this.#stop(new UpstreamError('ERR_CONNECT', `no connection to ${init.host} within ${wait}`))
    })
  }

  // What undici calls.

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // Aborted while the connection was being made.
    if (this.#state === 'failed') {
      this.#abortRequest()
      return
    }
    const { clock, headTimeoutMs, host } = this.#init
    this.#cancelOpenTimer?.()
    this.#cancelOpenTimer = clock.after(headTimeoutMs, () => {
      this.#stop(new UpstreamError('ERR_TIMEOUT', `${host} sent no answer within ${formatDuration(headTimeoutMs)}`))
    })
  }

  onResponseStart(_controller: Dispatcher.DispatchController, statusCode: number, headers: ResponseHeaders): void {
    // Interim answers (1xx) may come in any number; the head deadline bounds them.
    if (statusCode < 200 || this.#state === 'failed') return
    this.#cancelOpenTimer?.()
    this.#phase = 'body'
    this.#resolveHead({ statusCode, headers })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.wireBytes += chunk.length
    if (this.#state !== 'live') return
    this.#gather(chunk)
    if (this.#gatheredBytes >= maxGatheredBytes) controller.pause()
    if (this.#waiting === undefined) return
    if (this.#gatheredBytes >= wakeBytes) this.#give()
    else this.#wakeUp ??= setImmediate(() => this.#give())
  }

  onResponseEnd(): void {
    if (this.#state === 'failed') return
    this.#state = 'ended'
    this.#release()
    this.#give()
    this.#waiting?.resolve({ value: undefined, done: true })
    this.#waiting = undefined
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, cause: Error): void {
    if (this.#state === 'live') this.#fail(this.#init.asError(cause, this.#phase))
  }

  // What the reader calls.

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#gatheredBytes > 0) return Promise.resolve({ value: this.#take(), done: false })
    if (this.#state === 'failed') return Promise.reject(this.#failure)
    if (this.#state === 'ended') return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#waitingSince = this.#init.clock.now()
      if (this.#cancelIdleTimer === undefined) this.#armIdleTimer(this.#init.idleTimeoutMs)
    })
  }

  /** Ends the request if it is still running; called by `for await` when it is left early. */
  return(): Promise<IteratorResult<Uint8Array>> {
    this.cancel()
    return Promise.resolve({ value: undefined, done: true })
  }

  /** Drops the request and its connection unless the answer has been read to its end. A later `next()` rejects: what
   *  was cut short is no end. */
  cancel(): void {
    if (this.#state === 'live') this.#stop(new DOMException('the request was cancelled', 'AbortError'))
  }

  /** For a decoder, which asks for the next bytes while its own reader is still at work: whether that is so. */
  set isReaderBusy(isBusy: boolean) {
    this.#isReaderBusy = isBusy
    this.#waitingSince = this.#init.clock.now()
    if (!isBusy && this.#waiting !== undefined && this.#cancelIdleTimer === undefined) {
      this.#armIdleTimer(this.#init.idleTimeoutMs)
    }
  }

  #gather(chunk: Uint8Array): void {
    const bytes = this.#gatheredBytes + chunk.length
    if (bytes > this.#gathered.length) {
      let capacity = Math.max(minBufferBytes, this.#gathered.length)
      while (capacity < bytes) capacity *= 2
      const larger = Buffer.allocUnsafeSlow(capacity)
      larger.set(this.#gathered.subarray(0, this.#gatheredBytes))
      this.#gathered = larger
    }
    this.#gathered.set(chunk, this.#gatheredBytes)
    this.#gatheredBytes = bytes
  }

  /** What has arrived, and the socket let go on. */
  #take(): Uint8Array {
    const taken = this.#gathered
    const bytes = this.#gatheredBytes
    this.#gathered = this.#given
    this.#given = taken
    this.#gatheredBytes = 0
    // the next bytes are on their way while the reader is busy with these
    if (this.#controller!.paused) this.#controller!.resume()
    return bytes === taken.length ? taken : taken.subarray(0, bytes)
  }

  /** Wakes the reader that waits, if there is something for it. */
  #give(): void {
    this.#wakeUp = undefined
    if (this.#waiting === undefined || this.#gatheredBytes === 0) return
    const { resolve } = this.#waiting
    this.#waiting = undefined
    resolve({ value: this.#take(), done: false })
  }

  #armIdleTimer(ms: number): void {
    const { clock, idleTimeoutMs, host } = this.#init
    this.#cancelIdleTimer = clock.after(ms, () => {
      this.#cancelIdleTimer = undefined
      if (this.#waiting === undefined || this.#isReaderBusy) return
      const leftMs = this.#waitingSince + idleTimeoutMs - clock.now()
      // Less than a millisecond is what a timer may come too early.
      if (leftMs >= 1) return this.#armIdleTimer(leftMs)
      const wait = formatDuration(idleTimeoutMs)
      this.#stop(new UpstreamError('ERR_TIMEOUT', `${host} sent nothing for ${wait} in the middle of the body`))
    })
  }

  /** Fails at once and drops the connection. */
  #stop(failure: unknown): void {
    if (this.#state !== 'live') return
    this.#gatheredBytes = 0
    this.#fail(failure)
    this.#abortRequest()
  }

  #abortRequest(): void {
    // The reason is seen by nobody: undici reports it to this handler, which has failed already.
    this.#controller?.abort(new Error('request stopped'))
  }

  #fail(failure: unknown): void {
    this.#state = 'failed'
    this.#failure = failure
    this.#release()
    this.#rejectHead(failure as Error)
    this.#give()
    this.#waiting?.reject(failure)
    this.#waiting = undefined
  }

  #release(): void {
    this.#cancelOpenTimer?.()
    this.#cancelIdleTimer?.()
    this.#cancelIdleTimer = undefined
    this.#init.signal?.removeEventListener('abort', this.#onAbort)
  }
}
