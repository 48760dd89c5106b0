// One call: a URL in, the head and the decoded body of a 200 out, or the typed error that anything else stands for. The
// token goes to one origin only, and no message, cause or line of detail that leaves this file holds it.

import type { Dispatcher } from 'undici'
import { type Clock, sleep, systemClock } from '../clock.js'
import { ConfigError, type ExportError, InternalError, printable, UpstreamError } from '../errors.js'
import type { Warning } from '../record.js'
import { answerError, maxErrorBodyBytes, parseErrorBody } from './answer-error.js'
import { decodeBody, parseContentEncoding } from './decode.js'
import { createDispatcher, tlsWarnings, trustOf } from './dispatcher.js'
import { Exchange, type Head } from './exchange.js'
import { networkError } from './network-error.js'
import { bucketsOf, type Hold, Pacer, type PacingLimits } from './pacing.js'
import { isLoopback, proxyFor, proxyWarnings } from './proxy.js'
import { decodeText } from './query.js'
import { Redactor, shortUrl } from './redact.js'
import type { ResponseHeaders } from './retry-after.js'
import { isToken } from './token.js'

export interface HttpClientOptions {
  /** The only origin that requests, and the token, go to. May have a path; no user, query or fragment. */
  readonly apiUrl: URL
  /** Bearer token, one line of visible ASCII; null sends no Authorization. */
  readonly token: string | null
  readonly clock?: Clock
  /** From the first packet to an established (TLS) connection, in ms. */
  readonly connectTimeoutMs: number
  /** From the request being sent to the whole head of the answer, in ms. */
  readonly headTimeoutMs: number
  /** Between two chunks of a body while somebody waits for one, in ms. */
  readonly idleTimeoutMs: number
  /** Allows plain http to hosts other than loopback, with the token in the clear. */
  readonly allowInsecureHttp?: boolean
  /** Certificates in PEM that are trusted beside what Node.js trusts. */
  readonly ca?: string
  /** Where HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY and NODE_TLS_REJECT_UNAUTHORIZED are read, once. Default
   *  `process.env`. */
  readonly env?: NodeJS.ProcessEnv
  readonly userAgent?: string
  /** What the requests of this client are held to, together with those of all others in this process for the same
   *  account or with the same token. Default: nothing but what the server says. */
  readonly pacing?: PacingLimits
  /** How many times its encoded bytes a body may be. Default: any number of times. */
  readonly maxDecodedRatio?: number
  /** Lets the provider's error bodies (`raw_response`) through to `onDetail`. They may hold personal data. */
  readonly debugBodies?: boolean
  /** Knows the secrets of whoever it is that shows what this client says; those of the client are added. Default: one
   *  that knows no others. */
  readonly redactor?: Redactor
  /** Gets one line a request and what else is worth knowing. Never holds a credential. */
  readonly onDetail?: (line: string) => void
}

/** The answer to a request: always status 200. */
export interface HttpAnswer {
  /** By lowercase name; a header that came several times is joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** Media type with its parameters, as sent; null where there is none. */
  readonly contentType: string | null
  /** `Content-Encoding` as sent, null where there is none. The body comes decoded. */
  readonly encoding: string | null
  /**
   * The decoded bytes, to be read once; a chunk is valid until the next is asked for. Read to its end, the transport
   * has ended cleanly and the connection is kept; left early, the connection is dropped. A reader may pause as long as
   * it likes: the socket is held back and no deadline counts.
   * @throws UpstreamError ERR_BODY_TRUNCATED, ERR_BODY_CORRUPT or ERR_TIMEOUT; the signal's reason after an abort
   */
  readonly body: AsyncIterable<Uint8Array>
  /** Bytes of the body that have arrived so far, before content decoding. */
  readonly wireBytes: number
  /** Drops the rest of the body, and the connection with it. Does nothing at the end. */
  cancel(): void
}

export interface OpenOptions {
  signal?: AbortSignal | undefined
  account?: string
  onHold?: (hold: Hold) => Promise<void>
}

/**
 * A client for one origin with kept-alive connections. It never follows a redirect and never repeats a request.
 * `close` has to be called at the end; the proxy is chosen once, at construction.
 */
export class HttpClient {
  /** What the user should be told about the surroundings, known at construction. */
  readonly warnings: readonly Warning[]
  /** Takes our credentials out of text that a server sent, so that it can be shown. */
  readonly redact = (text: string): string => this.#redactor.text(text)

  readonly #origin: string
  readonly #host: string
  #token: string | null
  /** Of the token and of those before it: a server may repeat any. */
  readonly #redactor: Redactor
  readonly #proxy: URL | null
  readonly #clock: Clock
  readonly #connectTimeoutMs: number
  readonly #headTimeoutMs: number
  readonly #idleTimeoutMs: number
  readonly #userAgent: string
  readonly #debugBodies: boolean
  readonly #onDetail: ((line: string) => void) | undefined
  readonly #dispatcher: Dispatcher
  readonly #pacer: Pacer
  readonly #maxDecodedRatio: number | undefined

  /** @throws ConfigError ERR_INSECURE_URL, ERR_TOKEN_INVALID or ERR_OPTION_INVALID */
  constructor(options: HttpClientOptions) {
    const { apiUrl, token, env = process.env } = options
    checkRuntime()
    checkUrl(apiUrl, options.allowInsecureHttp ?? false)
    checkToken(token)
    this.#origin = apiUrl.origin
    this.#host = apiUrl.host
    this.#token = token
    this.#proxy = proxyFor(apiUrl, env)
    this.#clock = options.clock ?? systemClock
    this.#connectTimeoutMs = options.connectTimeoutMs
    this.#headTimeoutMs = options.headTimeoutMs
    this.#idleTimeoutMs = options.idleTimeoutMs
    this.#userAgent = options.userAgent ?? 'truto-export'
    this.#debugBodies = options.debugBodies ?? false
    this.#onDetail = options.onDetail
    this.#maxDecodedRatio = options.maxDecodedRatio
    const anyPace = { accountRequests: 0, tokenRequests: 0, windowMs: 0 }
    this.#pacer = new Pacer(options.pacing ?? anyPace, bucketsOf(this.#clock), apiUrl.origin, token)
    this.#redactor = options.redactor ?? new Redactor()
    for (const secret of [token, this.#proxy?.password, decodeText(this.#proxy?.password ?? '')]) {
      this.#redactor.add(secret)
    }
    this.#dispatcher = createDispatcher({
      proxy: this.#proxy,
      connectTimeoutMs: this.#connectTimeoutMs,
      trust: trustOf(options.ca),
    })
    this.warnings = [...(apiUrl.protocol === 'https:' ? tlsWarnings(env) : []), ...proxyWarnings(apiUrl, env)]
    for (const { message } of this.warnings) this.#detail(() => message)
    if (this.#proxy) this.#detail(() => `requests go by way of the proxy ${this.#proxy!.origin}`)
  }

  /** What `open` would wait for before it sends a request for the account; null for nothing. For who wants to announce
   *  the wait, or not to have it. */
  hold(account = ''): Hold | null {
    return this.#pacer.hold(account, this.#clock.now())
  }

  /**
   * Sends a GET as soon as the pace allows, and resolves with the answer if its status is 200. An abort rejects with
   * the signal's reason, at once in every phase.
   * @param options.account whose limits count, for a client that asks for several
   * @param options.onHold waits, as long as it is told; by default nobody hears of the wait. What it throws is passed
   * on
   * @throws AuthError, RequestError, UpstreamError or DataError as `answerError` and `networkError` say; InternalError
   * for a foreign origin
   */
  async open(url: URL, options: OpenOptions = {}): Promise<HttpAnswer> {
    const { signal, account = '', onHold = ({ ms }: Hold) => sleep(this.#clock, ms, signal) } = options
    if (url.origin !== this.#origin) {
      throw new InternalError('ERR_INTERNAL', `a request to ${url.origin} instead of ${this.#origin} was stopped`)
    }
    // undici frees a connection one turn of the event loop after its answer has ended; asked earlier, it would open a
    // second one.
    await new Promise((resolve) => setImmediate(resolve))
    for (let hold = this.hold(account); hold !== null; hold = this.hold(account)) {
      await onHold(hold)
    }
    const startedAt = this.#clock.now()
    try {
      const exchange = this.#send(url, signal)
      const head = await this.#headOf(exchange, account)
      this.#detail(() => describeHead(this.#short(url), head, this.#clock.now() - startedAt))
      return await this.#accept(url, head, exchange)
    } catch (error) {
      this.#detail(() => `GET ${this.#short(url)} failed: ${error instanceof Error ? error.message : String(error)}`)
      throw this.#redactor.error(error)
    }
  }

  /** Sends another token from the next request on. @throws ConfigError ERR_TOKEN_INVALID */
  setToken(token: string): void {
    checkToken(token)
    this.#token = token
    this.#pacer.setToken(token)
    this.#redactor.add(token)
  }

  /** Drops all connections; requests in flight fail. */
  async close(): Promise<void> {
    this.#pacer.close()
    await this.#dispatcher.destroy()
  }

  #send(url: URL, signal: AbortSignal | undefined): Exchange {
    const exchange = new Exchange({
      clock: this.#clock,
      signal,
      // By way of a proxy: to the proxy, its answer to CONNECT, TLS.
      connectTimeoutMs: this.#proxy ? 3 * this.#connectTimeoutMs : this.#connectTimeoutMs,
      headTimeoutMs: this.#headTimeoutMs,
      idleTimeoutMs: this.#idleTimeoutMs,
      host: this.#host,
      asError: (cause, phase) => this.#redactor.error(this.#networkError(cause, phase)),
    })
    const headers: Record<string, string> = {
      accept: 'application/json, */*',
      // gzip alone: brotli unfolds 600,000 to 1, and neither is worth more on members.
      'accept-encoding': 'gzip',
      'user-agent': this.#userAgent,
    }
    if (this.#token !== null) headers['authorization'] = `Bearer ${this.#token}`
    // The deadlines of undici are off: ours stand still while the reader does, and their clock is injected.
    const deadlines = { headersTimeout: 0, bodyTimeout: 0 }
    const path = url.pathname + url.search
    if (!signal?.aborted) {
      try {
        this.#dispatcher.dispatch({ origin: this.#origin, path, method: 'GET', headers, ...deadlines }, exchange)
      } catch (error) {
        throw this.#networkError(error, 'open')
      }
    }
    return exchange
  }

  /** The head of the answer, which the pace counts from. */
  async #headOf(exchange: Exchange, account: string): Promise<Head> {
    const request = this.#pacer.begin(account)
    try {
      const head = await exchange.head
      this.#pacer.end(request, this.#clock.now(), { ...head, wallNowMs: this.#clock.wallNow() })
      return head
    } catch (error) {
      this.#pacer.end(request, this.#clock.now())
      throw error
    }
  }

  /** The answer if it is one that a reader can use; otherwise the error it stands for. */
  async #accept(url: URL, head: Head, exchange: Exchange): Promise<HttpAnswer> {
    try {
      const headers = joinHeaders(head.headers)
      checkFraming(headers, this.#host)
      if (head.statusCode !== 200) throw await this.#readError(url, head, exchange)
      const contentType = headers['content-type'] ?? null
      const encoding = headers['content-encoding'] ?? null
      const codings = parseContentEncoding(encoding && this.redact(encoding))
      // Undecoded bytes go from the parser to the reader without anything between them.
      const body = codings.length === 0 ? exchange : decodeBody(exchange, codings, this.#maxDecodedRatio)
      return {
        headers,
        contentType,
        encoding,
        body,
        get wireBytes() {
          return exchange.wireBytes
        },
        cancel: () => exchange.cancel(),
      }
    } catch (error) {
      // Nobody will read the rest of an answer that was refused; its socket would be held back for ever.
      exchange.cancel()
      throw error
    }
  }

  async #readError(url: URL, head: Head, exchange: Exchange): Promise<ExportError> {
    const text = await this.#readStart(head, exchange)
    if (this.#debugBodies) {
      const raw = parseErrorBody(text)?.rawResponse
      if (raw !== undefined) this.#detail(() => `raw_response: ${JSON.stringify(raw)}`)
    }
    const { statusCode, headers } = head
    return answerError({ statusCode, headers, text, url, wallNow: this.#clock.wallNow(), redact: this.redact })
  }

  /** The first `maxErrorBodyBytes` of an error's body as text. A body that is cut, slow or damaged ends early: the
   *  status decides. */
  async #readStart(head: Head, exchange: Exchange): Promise<string> {
    const chunks: Uint8Array[] = []
    let length = 0
    const cancelTimer = this.#clock.after(this.#headTimeoutMs, () => exchange.cancel())
    try {
      const encoding = joinHeaders(head.headers)['content-encoding'] ?? null
      for await (const chunk of decodeBody(exchange, parseContentEncoding(encoding))) {
        chunks.push(Buffer.from(chunk))
        length += chunk.length
        if (length >= maxErrorBodyBytes) break
      }
    } catch {
      exchange.cancel()
    } finally {
      cancelTimer()
    }
    return Buffer.concat(chunks).subarray(0, maxErrorBodyBytes).toString('utf8')
  }

  #networkError(cause: unknown, phase: 'open' | 'body'): ExportError {
    return networkError(cause, {
      phase,
      host: this.#host,
      proxy: this.#proxy?.origin ?? null,
      connectTimeoutMs: this.#connectTimeoutMs,
      maxHeaderBytes: process.getBuiltinModule('node:http').maxHeaderSize,
    })
  }

  #short(url: URL): string {
    return shortUrl(url, this.redact)
  }

  #detail(line: () => string): void {
    if (this.#onDetail) this.#onDetail(printable(this.redact(line())))
  }
}

/** undici parses HTTP by WebAssembly. */
function checkRuntime(): void {
  if (typeof WebAssembly === 'object') return
  throw new ConfigError('ERR_RUNTIME_MISSING', 'requests need WebAssembly, which this Node.js was started without', {
    hint: 'leave out --jitless; convert works with it',
  })
}

function checkToken(token: string | null): void {
  if (token === null || isToken(token)) return
  throw new ConfigError('ERR_TOKEN_INVALID', 'the token is empty or has characters that a token cannot have')
}

function checkUrl(url: URL, allowInsecureHttp: boolean): void {
  // No message here may repeat the URL: it may have a password in it.
  if (url.username !== '' || url.password !== '') {
    throw new ConfigError('ERR_OPTION_INVALID', 'the API URL has a user or password in it', {
      hint: 'the token is given apart from the URL',
    })
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new ConfigError('ERR_OPTION_INVALID', `the API URL begins with ${url.protocol} instead of https:`)
  }
  if (url.search !== '' || url.hash !== '') {
    throw new ConfigError('ERR_OPTION_INVALID', `the API URL ${url.origin} has a query or a fragment`)
  }
  if (url.protocol === 'http:' && !allowInsecureHttp && !isLoopback(url.hostname)) {
    throw new ConfigError('ERR_INSECURE_URL', `${url.origin} is plain http, so the token would be readable on the way`)
  }
}

/** Two ways to say where a body ends are how requests are smuggled (RFC 9112 §6.3); a transfer coding besides chunked
 *  is nothing we decode. */
function checkFraming(headers: Record<string, string>, host: string): void {
  const coding = headers['transfer-encoding']
  if (coding === undefined) return
  if (headers['content-length'] !== undefined) {
    throw new UpstreamError('ERR_PROTOCOL', `${host} sent both Content-Length and Transfer-Encoding`)
  }
  if (coding.trim().toLowerCase() !== 'chunked') {
    throw new UpstreamError('ERR_PROTOCOL', `${host} sent a body with an unknown Transfer-Encoding`)
  }
}

function joinHeaders(headers: ResponseHeaders): Record<string, string> {
  const joined: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) joined[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return joined
}

function describeHead(url: string, head: Head, elapsedMs: number): string {
  const { 'content-type': contentType, 'content-encoding': encoding, 'cf-ray': ray } = joinHeaders(head.headers)
  const facts = [contentType, encoding, `${Math.round(elapsedMs)} ms`, ray && `cf-ray ${ray}`].filter(Boolean)
  return `GET ${url} -> ${head.statusCode} (${facts.join(', ')})`
}
