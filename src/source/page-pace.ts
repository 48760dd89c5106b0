// The deadlines that a body is held to.

import { minute } from '../bytes/units.js'
import type { Clock } from '../clock.js'
import { UpstreamError } from '../errors.js'
import type { PageFacts } from '../json/slicer.js'
import type { SourceOptions, Wire } from './source.js'

/** A body slower than this over a whole window is no better than a stalled one. */
const minRate = { bytesPerSecond: 100, windowMs: minute }

/**
 * Holds a body to its deadlines: counts the time that we wait for its chunks, which is when no record can make
 * progress. Time that the consumer takes does not count. A body that sends nothing at all is the idle deadline's
 * business; one that sends what unfolds to nothing (empty blocks, names, members) keeps that from ever being over, and
 * gives us no chunk to look at the clock by, so a timer does, which arms itself again as long as there is no reason to
 * end.
 */
export class PagePace {
  /** Set once the body was cancelled because it is late. */
  failure: UpstreamError | undefined

  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #page: number
  /** Of the document in hand. */
  facts: Pick<PageFacts, 'records' | 'bytes'> = { records: 0, bytes: 0 }
  readonly #wire: Wire | undefined
  #isWaiting = false
  #askedMs = 0
  #askedWireBytes = 0
  #waitedMs = 0
  #records = 0
  #rateMs = 0
  #rateBytes = 0
  #cancelTimer: (() => void) | undefined

  constructor(
    { clock, pageTimeoutMs }: Required<Pick<SourceOptions, 'clock' | 'pageTimeoutMs'>>,
    page: number,
    wire?: Wire,
  ) {
    this.#clock = clock
    this.#timeoutMs = pageTimeoutMs
    this.#page = page
    this.#wire = wire?.wireBytes === undefined ? undefined : wire
  }

  /** The next chunk is asked for. */
  ask(): void {
    this.#askedMs = this.#clock.now()
    this.#isWaiting = true
    if (this.#wire === undefined) return
    this.#askedWireBytes = this.#wire.wireBytes!
    if (this.#cancelTimer === undefined) this.#arm(0)
  }

  /** It is there. @throws UpstreamError ERR_TIMEOUT */
  arrive(bytes: number): void {
    this.#isWaiting = false
    const ms = this.#clock.now() - this.#askedMs
    this.#waitedMs += ms
    this.#rateMs += ms
    this.#rateBytes += bytes
    if (this.facts.records !== this.#records) {
      this.#records = this.facts.records
      this.#waitedMs = 0
    }
    if (this.#waitedMs > this.#timeoutMs) throw this.#noRecord()
    if (this.#rateMs < minRate.windowMs) return
    if (isSlow(this.#rateBytes, this.#rateMs)) throw this.#slow()
    this.#rateMs = this.#rateBytes = 0
  }

  /** The body has ended, in whichever way. */
  stop(): void {
    this.#isWaiting = false
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  /** @param ms that the chunk in question has been waited for so far */
  #arm(ms: number): void {
    const untilTimeoutMs = this.#timeoutMs - this.#waitedBefore - ms
    // what has come in this window allows for so much time
    const allowedMs = Math.max(minRate.windowMs, (this.#rateBytes * 1000) / minRate.bytesPerSecond)
    const untilSlowMs = allowedMs - this.#rateMs - ms
    const dueMs = Math.min(untilTimeoutMs, untilSlowMs > 0 ? untilSlowMs : minRate.windowMs)
    this.#cancelTimer = this.#clock.after(Math.max(1, Math.ceil(dueMs)), () => {
      this.#cancelTimer = undefined
      if (this.#isWaiting) this.#look()
    })
  }

  #look(): void {
    const ms = this.#clock.now() - this.#askedMs
    const isDecoding = this.#wire!.wireBytes! > this.#askedWireBytes
    // a timer may come a part of a millisecond too early
    if (this.#waitedBefore + ms >= this.#timeoutMs) this.failure = this.#noRecord()
    else if (isDecoding && this.#rateMs + ms >= minRate.windowMs && isSlow(this.#rateBytes, this.#rateMs + ms)) {
      this.failure = this.#slow()
    }
    if (this.failure === undefined) this.#arm(ms)
    else this.#wire!.cancel()
  }

  /** Time without a record before the chunk that is waited for. */
  get #waitedBefore(): number {
    return this.facts.records === this.#records ? this.#waitedMs : 0
  }

  #noRecord(): UpstreamError {
    return this.#late(`no record was finished in ${this.#timeoutMs} ms of waiting for bytes`)
  }

  #slow(): UpstreamError {
    return this.#late(`the body came at less than ${minRate.bytesPerSecond} bytes a second`)
  }

  #late(message: string): UpstreamError {
    const { records, bytes } = this.facts
    return new UpstreamError('ERR_TIMEOUT', message, { page: this.#page, recordIndex: records, byteOffset: bytes })
  }
}

function isSlow(bytes: number, ms: number): boolean {
  return bytes * 1000 < minRate.bytesPerSecond * ms
}
