// From an answer and the faults that strike it to the reply that goes out: first the page, then its text, its
// compression, and last the transport.

import zlib from 'node:zlib'
import type { JsonValue } from '../record.js'
import { needsReauth, remoteError, trutoError } from './api-errors.js'
import { type Body, bufferBody, collect, encodeBody, spliceBody } from './bodies.js'
import { bombBody } from './bombs.js'
import type { BytePosition, ErrorInBodyFault, GzipFault, StatusFault, StrikingFaults } from './faults.js'
import { type Page, pageBody } from './framings.js'
import type { ContentEncoding, Transfer } from './options.js'
import type { PageCache } from './page-cache.js'
import type { Reply, WirePlan } from './wire.js'

const { STATUS_CODES } = process.getBuiltinModule('node:http')

/** What a route answers, before any fault. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly content: JsonAnswer | ListAnswer
}

/** Any JSON, that is no list of a unified resource. */
export interface JsonAnswer {
  readonly json: JsonValue
}

/** A page of a list under `/unified/`, built when its faults are known. */
export interface ListAnswer {
  /** Tells this list from others of the same path. */
  readonly list: string
  /** Number of the page, from 1. */
  readonly page: number
  readonly records: number
  readonly isStream: boolean
  /** Key of the page in the cache: equal for equal record texts. */
  readonly cacheKey: string
  /** @param shift how many places further on the page begins
   *  @param cursor in place of the page's own; its value undefined leaves the cursor out */
  build(shift: number, cursor: { readonly value: JsonValue | undefined } | undefined): Page
}

/** How replies go out where no fault says otherwise. */
export interface ReplyOptions {
  readonly encoding: ContentEncoding
  readonly transfer: Transfer | undefined
  readonly chunkBytes: number
  readonly contentType: string | null | undefined
  readonly integration: string
  readonly wallNowMs: number
  readonly cache: PageCache
}

/** Pages of up to so many records are rendered at once and cached; longer ones while they are sent. */
const wholePageRecords = 2000

/** @throws Error where a fault cannot be applied to this answer, which is a mistake in the test that set it */
export async function replyTo(answer: Answer, faults: StrikingFaults, options: ReplyOptions): Promise<Reply> {
  const date: [string, string] = ['date', new Date(options.wallNowMs).toUTCString()]
  const replaced = replacement(faults, options)
  const wire = wirePlan(faults)
  const plain = replaced ?? (await pageReply(answer, faults, options))
  const headers = [date, ...plain.headers]
  if (faults.headers && faults.headers.place !== 'status-line') headers.push(...fillers(faults.headers.bytes))

  // A length that is wrong is the only mark of the end, unless the fault asks for both.
  const transfer = faults.cut?.transfer ?? (faults['content-length'] ? 'length' : plain.transfer)
  const at = (position: BytePosition): number => resolvePosition(position, plain)
  const { body } = plain
  return {
    status: plain.status,
    headers,
    body:
      (transfer === 'length' || wire?.lengthBy !== undefined) && body.byteLength === undefined
        ? bufferBody(await collect(body))
        : body,
    transfer,
    chunkBytes: options.chunkBytes,
    wire: wire === undefined && transfer !== 'close' ? undefined : placed(wire ?? {}, faults, at, plain),
  }
}

interface PlainReply {
  readonly status: number
  readonly headers: [string, string][]
  readonly body: Body
  readonly transfer: Transfer
  /** Undefined where the body holds no records in the order of the page, or is compressed. */
  readonly page: Page | undefined
}

/** Answers that take the place of the page. */
function replacement(faults: StrikingFaults, options: ReplyOptions): PlainReply | undefined {
  const { redirect, status, body, bomb, reauth } = faults
  if (redirect) {
    return reply(redirect.status ?? 302, [['location', redirect.to]], bufferBody(''))
  }
  if (reauth) return jsonReply(401, needsReauth(options.integration))
  if (status) return statusReply(status, options.wallNowMs)
  if (faults['early-close'])
    return jsonReply(faults['early-close'].status, trutoError(faults['early-close'].status, ''))
  if (faults['error-in-body']?.where === 'alone') return jsonReply(200, errorOf(faults['error-in-body']))
  if (body) {
    const contentType = body.contentType === undefined ? jsonType : body.contentType
    const headers = Object.entries(body.headers ?? {})
    return reply(
      200,
      contentType === null ? headers : [['content-type', contentType], ...headers],
      bufferBody(body.body),
    )
  }
  if (bomb) {
    const { encoding = 'identity' } = bomb
    const headers: [string, string][] = [['content-type', jsonType]]
    if (encoding !== 'identity') headers.push(['content-encoding', encoding])
    return {
      ...reply(200, headers, encodeBody(bombBody(bomb.of, bomb.bytes ?? 2 ** 30), encoding)),
      transfer: 'chunked',
    }
  }
  return undefined
}

const jsonType = 'application/json; charset=utf-8'

function reply(status: number, headers: [string, string][], body: Body): PlainReply {
  return { status, headers, body, transfer: 'length', page: undefined }
}

function jsonReply(status: number, json: JsonValue): PlainReply {
  return reply(status, [['content-type', jsonType]], bufferBody(JSON.stringify(json)))
}

function statusReply(fault: StatusFault, wallNowMs: number): PlainReply {
  const { status, body, retryAfter, isRemote } = fault
  const message = fault.message ?? STATUS_CODES[status] ?? ''
  const headers = new Map<string, string>()
  let bytes: Uint8Array | string
  if (status === 204 || status === 304) bytes = ''
  else if (typeof body === 'string' || body instanceof Uint8Array) bytes = body
  else {
    const json = isRemote ? remoteError(status, message, { ok: false, error: message }) : trutoError(status, message)
    bytes = JSON.stringify(body ?? json)
    headers.set('content-type', jsonType)
  }
  if (typeof retryAfter === 'object') headers.set('retry-after', new Date(wallNowMs + retryAfter.inMs).toUTCString())
  else if (retryAfter !== undefined) headers.set('retry-after', `${retryAfter}`)
  for (const [name, value] of Object.entries(fault.headers ?? {})) headers.set(name.toLowerCase(), value)
  return reply(status, [...headers], bufferBody(bytes))
}

function errorOf(fault: ErrorInBodyFault): Record<string, JsonValue> {
  const { status = 502, isRemote = true } = fault
  return isRemote
    ? remoteError(status, 'fatal_error', { ok: false, error: 'fatal_error' })
    : trutoError(status, 'The request could not be completed.')
}

async function pageReply(answer: Answer, faults: StrikingFaults, options: ReplyOptions): Promise<PlainReply> {
  const { content } = answer
  const headers = Object.entries(answer.headers) as [string, string][]
  if (!('list' in content)) {
    const body = bufferBody(JSON.stringify(content.json))
    return encoded(
      faults,
      options,
      { ...reply(answer.status, [['content-type', jsonType], ...headers], body) },
      undefined,
    )
  }

  const page = altered(content.build(faults.shift?.by ?? 0, faults.cursor && { value: faults.cursor.value }), faults)
  const contentType = options.contentType === undefined ? page.contentType : options.contentType
  if (contentType !== null) headers.unshift(['content-type', contentType])
  const isPlain = !faults.shift && !faults.garbage && !faults['error-in-body']
  const cacheKey =
    isPlain && content.records <= wholePageRecords ? `${content.cacheKey} ${page.head} ${page.tail}` : undefined
  const transfer = options.transfer ?? (content.isStream ? 'chunked' : 'length')
  const plain = { status: 200, headers, body: pageBody(page), transfer, page }
  const text = faults.garbage ? { ...plain, body: withGarbage(plain, faults) } : plain
  const isWhole = content.records <= wholePageRecords
  const sent = await encoded(faults, options, text, cacheKey)
  // Measuring a long page would mean to render it twice: it goes out in chunks.
  return transfer === 'length' && sent.body.byteLength === undefined && !isWhole
    ? { ...sent, transfer: 'chunked' }
    : sent
}

/** Error JSON put between the parts of the page. */
function altered(page: Page, faults: StrikingFaults): Page {
  const fault = faults['error-in-body']
  if (!fault) return page
  const error = JSON.stringify(errorOf(fault))
  const { head, tail, run } = page
  if (page.contentType === 'application/x-ndjson') return withErrorLine(page, fault, error)
  if (fault.where === 'in-array') {
    const kept = run.first(fault.record ?? run.count >> 1)
    return { ...page, run: kept, tail: kept.count > 0 ? `,${error}` : error }
  }
  if (!head.startsWith('{')) throw new Error(`error-in-body ${fault.where} needs a body that is an object`)
  return fault.where === 'before'
    ? { ...page, head: `${error.slice(0, -1)},${head.slice(1)}` }
    : { ...page, tail: `${tail.slice(0, -1)},${error.slice(1)}` }
}

function withErrorLine(page: Page, { where, record }: ErrorInBodyFault, error: string): Page {
  if (where === 'before') return { ...page, head: `${error}\n` }
  if (where === 'after') return { ...page, tail: `${error}\n` }
  const kept = page.run.first(record ?? page.run.count >> 1)
  return { ...page, run: kept, tail: kept.count > 0 ? `\n${error}\n` : `${error}\n` }
}

function withGarbage(plain: PlainReply, faults: StrikingFaults): Body {
  const { bytes, mode = 'append', at = 'end' } = faults.garbage!
  const insert = Buffer.from(bytes)
  const place = mode === 'append' ? Infinity : resolvePosition(at, plain)
  return spliceBody(plain.body, place, mode === 'replace' ? insert.length : 0, insert)
}

async function encoded(
  faults: StrikingFaults,
  options: ReplyOptions,
  plain: PlainReply,
  cacheKey: string | undefined,
): Promise<PlainReply> {
  const { headers } = plain
  if (faults.gzip) {
    const body = bufferBody(damagedGzip(await collect(plain.body), faults.gzip))
    return { ...plain, body, headers: [...headers, ['content-encoding', 'gzip']], page: undefined }
  }
  if (faults.encoding) {
    const { encodings, label = encodings.join(', ') } = faults.encoding
    let { body } = plain
    for (const encoding of encodings) body = encodeBody(body, encoding)
    return { ...plain, body, headers: [...headers, ['content-encoding', label]], page: undefined }
  }
  const { encoding, cache } = options
  const isIdentity = encoding === 'identity'
  let body = encodeBody(plain.body, encoding)
  // What is measured already is a pool's: quicker to send than to copy.
  if (cacheKey !== undefined && body.byteLength === undefined) {
    const key = `${encoding} ${cacheKey}`
    let bytes = cache.get(key)
    if (bytes === undefined) {
      bytes = await collect(body)
      cache.set(key, bytes)
    }
    body = bufferBody(bytes)
  }
  return isIdentity
    ? { ...plain, body }
    : { ...plain, body, headers: [...headers, ['content-encoding', encoding]], page: undefined }
}

function damagedGzip(text: Buffer, fault: GzipFault): Buffer {
  const bytes = zlib.gzipSync(text, { level: 1 })
  switch (fault.damage) {
    case 'cut':
      return bytes.subarray(0, fault.at ?? bytes.length >> 1)
    // RFC 1952 §2.3.1: the last 8 bytes are the CRC-32 and the length of the text.
    case 'crc':
      return flipped(bytes, bytes.length - 8)
    case 'length':
      return flipped(bytes, bytes.length - 4)
    case 'header':
      return flipped(bytes, 0)
    case 'garbage-after':
      return Buffer.concat([bytes, Buffer.from('<!-- cache -->')])
    case 'not-gzip':
      return text
    case 'double':
      return zlib.gzipSync(bytes, { level: 1 })
    case 'two-members': {
      const half = text.length >> 1
      return Buffer.concat([zlib.gzipSync(text.subarray(0, half)), zlib.gzipSync(text.subarray(half))])
    }
  }
}

function flipped(bytes: Buffer, at: number): Buffer {
  bytes[at]! ^= 0xff
  return bytes
}

function resolvePosition(position: BytePosition, plain: PlainReply): number {
  if (position === 'end') return Infinity
  if (typeof position === 'number') return position
  if (!plain.page) throw new Error('the place of a record is known only in a page that is not compressed')
  return Buffer.byteLength(plain.page.head) + plain.page.run.offsetOf(position.record)
}

/** Undefined where node:http can send the reply as it is. Places are filled in by `placed`. */
function wirePlan(faults: StrikingFaults): WirePlan | undefined {
  const { cut, stall, drip, informational, headers } = faults
  const length = faults['content-length']
  if (!cut && !stall && !drip && !informational && !headers && !length && !faults['early-close']) return undefined
  return {
    ...(headers?.place === 'status-line' && { statusLineFiller: headers.bytes }),
    ...(informational && { interim: { count: informational.count, status: informational.status ?? 103 } }),
    ...(drip && { drip: { from: drip.from ?? 0, bytes: drip.bytes, everyMs: drip.everyMs } }),
    ...(length && { lengthBy: length.by, alsoChunked: length.alsoChunked ?? false }),
    ...((cut || length) && { connection: (cut ?? length)!.connection ?? 'keep-alive' }),
  }
}

function placed(
  plan: WirePlan,
  faults: StrikingFaults,
  at: (position: BytePosition) => number,
  plain: PlainReply,
): WirePlan {
  const { cut, stall } = faults
  const early = faults['early-close']
  const place = cut?.at ?? 'end'
  return {
    ...plan,
    ...(cut && {
      cut: {
        at: place === 'head' || place === 'in-head' ? place : within(at(place), plain),
        where: cut.where ?? 'data',
        how: cut.how ?? 'fin',
      },
    }),
    ...(early && { cut: { at: early.at ?? 0, where: 'data', how: early.how ?? 'rst' } }),
    ...(stall && {
      stall: { at: stall.at === undefined || stall.at === 'head' ? 'head' : at(stall.at), ms: stall.ms },
    }),
  }
}

/** A cut "at the end" comes after the last byte, wherever that is. */
function within(offset: number, plain: PlainReply): number {
  return offset === Infinity ? (plain.body.byteLength ?? Number.MAX_SAFE_INTEGER) : offset
}

function fillers(bytes: number): [string, string][] {
  const headers: [string, string][] = []
  for (let left = bytes, n = 0; left > 0; left -= 4096, n++)
    headers.push([`x-filler-${n}`, 'x'.repeat(Math.min(left, 4096))])
  return headers
}
