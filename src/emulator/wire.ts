// An answer as the bytes of HTTP/1.1 and the things that happen between them. Pure: who performs the steps has the
// socket.

import { type Body, rechunk } from './bodies.js'
import type { Ending } from './faults.js'
import type { Transfer } from './options.js'

const { STATUS_CODES } = process.getBuiltinModule('node:http')

/** One answer, ready to be written. */
export interface Reply {
  readonly status: number
  /** In the order they are sent; without those of the transfer and the connection. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Body
  readonly transfer: Transfer
  readonly chunkBytes: number
  /** Present where the answer must be written byte by byte, past node:http. */
  readonly wire?: WirePlan | undefined
}

/** What departs from plain HTTP. Offsets count the body's bytes, before they are framed as chunks. */
export interface WirePlan {
  readonly connection?: 'keep-alive' | 'close'
  readonly statusLineFiller?: number
  readonly interim?: { readonly count: number; readonly status: number }
  readonly cut?: {
    readonly at: number | 'head' | 'in-head'
    readonly where: 'data' | 'boundary' | 'chunk-head' | 'last-crlf'
    readonly how: Ending
  }
  readonly stall?: { readonly at: number | 'head'; readonly ms: number | undefined }
  readonly drip?: { readonly from: number; readonly bytes: number; readonly everyMs: number }
  /** Added to the true length in Content-Length. */
  readonly lengthBy?: number
  readonly alsoChunked?: boolean
}

/** One thing to do: `bodyBytes` says how many of the bytes written are the body's, the rest is framing. */
export type WireStep =
  | { readonly kind: 'write'; readonly bytes: Buffer; readonly bodyBytes: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'hang' }
  | { readonly kind: 'end'; readonly how: Ending; readonly isComplete: boolean }

/** Everything that goes out for `reply`, in order. Nothing follows an `end` or a `hang`.
 *  @throws Error where `reply.transfer` is `length` and the body's length is not known */
export async function* wireSteps(reply: Reply): AsyncGenerator<WireStep, void, undefined> {
  const plan = reply.wire ?? {}
  const { cut, stall } = plan
  if (cut?.at === 'head') return yield end(cut.how)
  if (stall?.at === 'head') yield* pause(stall.ms)
  if (plan.interim) {
    const { status, count } = plan.interim
    for (let n = 0; n < count; n++) yield write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Interim'}\r\n\r\n`)
  }
  const head = headText(reply, plan)
  if (cut?.at === 'in-head') {
    yield write(head.slice(0, head.length >> 1))
    return yield end(cut.how)
  }
  yield write(head)
  yield* bodySteps(reply, plan)
}

async function* bodySteps(reply: Reply, plan: WirePlan): AsyncGenerator<WireStep, void, undefined> {
  const { cut, drip } = plan
  const isChunked = reply.transfer === 'chunked' || plan.alsoChunked === true
  const cutAt = typeof cut?.at === 'number' && cut.where !== 'last-crlf' ? cut.at : Infinity
  const stallAt = typeof plan.stall?.at === 'number' ? plan.stall.at : Infinity
  const breakAt = cut !== undefined && cut.where !== 'data' ? cutAt : Infinity
  let isStalled = false
  let offset = 0
  for await (const piece of rechunk(reply.body.chunks(), pieceSizes(reply.chunkBytes, breakAt, drip))) {
    if (offset >= cutAt) break
    if (drip && offset >= drip.from) yield { kind: 'wait', ms: drip.everyMs }
    if (offset === stallAt) {
      yield* pause(plan.stall!.ms)
      isStalled = true
    }
    if (isChunked) yield write(`${piece.length.toString(16)}\r\n`)
    let at = 0
    if (!isStalled && stallAt < offset + piece.length) {
      at = stallAt - offset
      if (cutAt > stallAt) {
        yield write(piece.subarray(0, at), at)
        yield* pause(plan.stall!.ms)
      } else at = 0
      isStalled = true
    }
    if (cutAt < offset + piece.length) {
      yield write(piece.subarray(at, cutAt - offset), cutAt - offset - at)
      return yield end(cut!.how)
    }
    yield write(piece.subarray(at), piece.length - at)
    if (isChunked) yield write('\r\n')
    offset += piece.length
  }
  if (!isStalled && plan.stall && plan.stall.at !== 'head') yield* pause(plan.stall.ms)
  yield* endSteps(plan, isChunked)
}

function* endSteps(plan: WirePlan, isChunked: boolean): Generator<WireStep, void, undefined> {
  const { cut } = plan
  if (cut) {
    if (isChunked && cut.where === 'chunk-head') yield write('1')
    if (isChunked && cut.where === 'last-crlf') yield write('0\r\n')
    return yield end(cut.how)
  }
  if (isChunked) yield write('0\r\n\r\n')
  yield { kind: 'end', how: 'fin', isComplete: true }
}

function headText(reply: Reply, plan: WirePlan): string {
  const reason = (STATUS_CODES[reply.status] ?? 'Status') + 'x'.repeat(plan.statusLineFiller ?? 0)
  const lines = [`HTTP/1.1 ${reply.status} ${reason}`]
  for (const [name, value] of reply.headers) lines.push(`${name}: ${value}`)
  const { transfer, body } = reply
  if (transfer === 'length' || plan.lengthBy !== undefined) {
    if (body.byteLength === undefined) throw new Error('the length of this body is not known before its end')
    lines.push(`content-length: ${Math.max(0, body.byteLength + (plan.lengthBy ?? 0))}`)
  }
  if (transfer === 'chunked' || plan.alsoChunked) lines.push('transfer-encoding: chunked')
  lines.push(`connection: ${transfer === 'close' ? 'close' : (plan.connection ?? 'close')}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** Sizes of pieces: as configured, with a border at `breakAt`, and those of the drip from where it begins. */
function pieceSizes(chunkBytes: number, breakAt: number, drip: WirePlan['drip']): (offset: number) => number {
  return (offset) => {
    let size = chunkBytes
    if (drip) size = offset >= drip.from ? drip.bytes : Math.min(size, drip.from - offset)
    return offset < breakAt ? Math.min(size, breakAt - offset) : size
  }
}

function* pause(ms: number | undefined): Generator<WireStep, void, undefined> {
  yield ms === undefined ? { kind: 'hang' } : { kind: 'wait', ms }
}

function write(bytes: Buffer | string, bodyBytes = 0): WireStep {
  return { kind: 'write', bytes: typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, bodyBytes }
}

function end(how: Ending): WireStep {
  return { kind: 'end', how, isComplete: false }
}
