// The one error hierarchy and its table of codes. A subclass says who has to act, a code says what happened; codes are
// promises, messages may improve. Exit codes are those of the README's table.

interface CodeFacts {
  readonly class: ErrorClass
  /** Whether the same page may be asked for again by us, before its first record was let out. */
  readonly retryable: boolean
  readonly hint: string
}

export type ErrorClass =
  | 'InternalError'
  | 'ConfigError'
  | 'AuthError'
  | 'RequestError'
  | 'UpstreamError'
  | 'DataError'
  | 'OutputError'
  | 'StateError'

/** Process exit code of each class. An interruption by a signal has no class: 130, 143, 129; a reader that closed
 *  stdout: 141. */
export const exitCodes = {
  InternalError: 1,
  ConfigError: 2,
  AuthError: 3,
  RequestError: 4,
  UpstreamError: 5,
  DataError: 6,
  OutputError: 7,
  StateError: 8,
} as const satisfies Record<ErrorClass, number>

export const errorCodes = {
  ERR_INTERNAL: {
    class: 'InternalError',
    retryable: false,
    hint: 'this is a bug of truto-export or of the given transform',
  },

  ERR_OPTION_INVALID: { class: 'ConfigError', retryable: false, hint: 'see --help for accepted values' },
  ERR_OPTION_UNKNOWN: { class: 'ConfigError', retryable: false, hint: 'see --help for the options' },
  ERR_OPTION_MISSING: { class: 'ConfigError', retryable: false, hint: 'see --help for what is required' },
  ERR_TOKEN_MISSING: {
    class: 'ConfigError',
    retryable: false,
    hint: 'set TRUTO_API_TOKEN or pass --token-file FILE (token in code)',
  },
  ERR_TOKEN_INVALID: { class: 'ConfigError', retryable: false, hint: 'the token must be one line of visible ASCII' },
  ERR_INSECURE_URL: {
    class: 'ConfigError',
    retryable: false,
    hint: 'use https, a loopback host, or --allow-insecure-http',
  },
  ERR_RUNTIME_MISSING: { class: 'ConfigError', retryable: false, hint: 'use another option or a newer Node.js' },
  ERR_OUTPUT_EXISTS: {
    class: 'ConfigError',
    retryable: false,
    hint: 'pass --overwrite (overwrite: true in code) to replace it',
  },

  ERR_UNAUTHORIZED: { class: 'AuthError', retryable: false, hint: 'check the token and that it has not expired' },
  ERR_TOKEN_UNAVAILABLE: {
    class: 'AuthError',
    retryable: false,
    hint: 'check what gives the token; --token-timeout is how long it may take',
  },
  ERR_FORBIDDEN: { class: 'AuthError', retryable: false, hint: 'the token or the connected account lacks a right' },
  ERR_PROXY_AUTH: { class: 'AuthError', retryable: false, hint: 'check user and password of the proxy' },

  ERR_REQUEST_REJECTED: {
    class: 'RequestError',
    retryable: false,
    hint: 'check the resource and its query parameters',
  },
  ERR_NOT_FOUND: { class: 'RequestError', retryable: false, hint: 'check the resource name and the account id' },
  ERR_CONFLICT: { class: 'RequestError', retryable: true, hint: 'the provider reports a conflict' },
  ERR_REDIRECT: {
    class: 'RequestError',
    retryable: false,
    hint: 'redirects are not followed; set --api-url to the real address',
  },
  ERR_STATUS_UNEXPECTED: {
    class: 'RequestError',
    retryable: false,
    hint: 'something between here and Truto answers for it',
  },
  ERR_TLS: {
    class: 'RequestError',
    retryable: false,
    hint: 'pass --ca FILE for a private root; verification cannot be turned off',
  },
  ERR_ENCODING_UNSUPPORTED: {
    class: 'RequestError',
    retryable: false,
    hint: 'something between here and Truto re-encodes the body',
  },

  ERR_DNS: { class: 'UpstreamError', retryable: true, hint: 'check the host name and the network' },
  ERR_CONNECT: { class: 'UpstreamError', retryable: true, hint: 'check the network; running again later may help' },
  ERR_TIMEOUT: { class: 'UpstreamError', retryable: true, hint: 'running again later may help' },
  ERR_BODY_TRUNCATED: { class: 'UpstreamError', retryable: true, hint: 'the page ended early; running again may help' },
  ERR_BODY_CORRUPT: {
    class: 'UpstreamError',
    retryable: true,
    hint: 'the compressed body is damaged; running again may help',
  },
  ERR_PROTOCOL: { class: 'UpstreamError', retryable: true, hint: 'the answer is not valid HTTP' },
  ERR_RATE_LIMITED: { class: 'UpstreamError', retryable: true, hint: 'run again when the limit has been reset' },
  ERR_SERVER: { class: 'UpstreamError', retryable: true, hint: 'running again later may help' },
  ERR_ACCOUNT_BLOCKED: {
    class: 'UpstreamError',
    retryable: true,
    hint: 'at Truto a 503 means a blocked account: contact its support',
  },

  ERR_JSON_SYNTAX: { class: 'DataError', retryable: true, hint: 'the server sent text that is not JSON' },
  ERR_UTF8: { class: 'DataError', retryable: true, hint: 'the server sent bytes that are not UTF-8' },
  ERR_SCHEMA: { class: 'DataError', retryable: false, hint: 'the body is not a list that truto-export knows' },
  ERR_FRAMING_CHANGED: { class: 'DataError', retryable: false, hint: 'try --response-format unified' },
  ERR_UPSTREAM_IN_BODY: { class: 'DataError', retryable: false, hint: 'an error came inside a 200 answer' },
  ERR_DEPTH: { class: 'DataError', retryable: false, hint: 'raise --max-depth (up to 1000)' },
  ERR_RECORD_TOO_LARGE: { class: 'DataError', retryable: false, hint: 'raise --max-record-bytes (up to 512MiB)' },
  ERR_LIMIT: { class: 'DataError', retryable: false, hint: 'raise the limit that the message names' },
  ERR_CURSOR: { class: 'DataError', retryable: false, hint: 'the list cannot be followed to its end' },
  ERR_CURSOR_EXPIRED: { class: 'DataError', retryable: false, hint: 'the cursor has expired; --restart begins anew' },
  ERR_PAGE_CHANGED: { class: 'DataError', retryable: false, hint: '--restart begins anew' },
  ERR_KEY_MISSING: {
    class: 'DataError',
    retryable: false,
    hint: 'pass --key-by-missing skip to leave such records out',
  },
  ERR_KEY_TYPE: { class: 'DataError', retryable: false, hint: 'key by a field that holds strings or numbers' },
  ERR_KEY_DUPLICATE: { class: 'DataError', retryable: false, hint: 'pass --key-by-duplicate keep or first' },
  ERR_REDACT_TYPE: {
    class: 'DataError',
    retryable: false,
    hint: 'redact the fields in the object, or drop the whole of it',
  },
  ERR_FIELD_UNMET: {
    class: 'DataError',
    retryable: false,
    hint: 'correct the name (with --restart where records are kept), or pass --unmet-fields warn to export all the same',
  },
  ERR_RENAME_CONFLICT: {
    class: 'DataError',
    retryable: false,
    hint: 'choose another name, or exclude or rename the other field too',
  },
  ERR_FIELD_UNKNOWN: { class: 'DataError', retryable: false, hint: 'pass --unknown-fields extra or drop' },
  ERR_TYPE_MISMATCH: { class: 'DataError', retryable: false, hint: 'pass --on-type-mismatch extra or null' },
  ERR_VALUE_INEXACT: { class: 'DataError', retryable: false, hint: 'leave out --strict to count such values instead' },

  ERR_OUTPUT_ACCESS: { class: 'OutputError', retryable: false, hint: 'check the path and its permissions' },
  ERR_OUTPUT_SPACE: { class: 'OutputError', retryable: false, hint: 'free space and run again' },
  ERR_OUTPUT_IO: { class: 'OutputError', retryable: false, hint: 'the storage reports a fault' },
  ERR_OUTPUT_RESOURCES: { class: 'OutputError', retryable: false, hint: 'raise the limit of open files' },
  ERR_OUTPUT_RENAME: {
    class: 'OutputError',
    retryable: false,
    hint: 'the complete file is kept under its temporary name',
  },
  ERR_OUTPUT_CHANGED: { class: 'OutputError', retryable: false, hint: 'another process touched the temporary file' },

  ERR_STATE_MISSING: { class: 'StateError', retryable: false, hint: 'leave out --resume to begin an export' },
  ERR_STATE_EXPIRED: {
    class: 'StateError',
    retryable: false,
    hint: 'raise --resume-max-age, or leave out --resume to begin anew',
  },
  ERR_STATE_CORRUPT: { class: 'StateError', retryable: false, hint: '--restart drops it and begins anew' },
  ERR_STATE_MISMATCH: {
    class: 'StateError',
    retryable: false,
    hint: 'repeat the options of that export to go on, or --restart to drop it and begin anew',
  },
  ERR_STATE_FOREIGN: {
    class: 'StateError',
    retryable: false,
    hint: '--restart drops it and begins anew',
  },
  ERR_STATE_OUTPUT: { class: 'StateError', retryable: false, hint: '--restart drops it and begins anew' },
  ERR_MANIFEST_MISSING: { class: 'StateError', retryable: false, hint: 'pass --manifest FILE where it was moved' },
  ERR_MANIFEST_CORRUPT: { class: 'StateError', retryable: false, hint: 'only a new export makes a new one' },
  ERR_OUTPUT_DIFFERS: {
    class: 'StateError',
    retryable: false,
    hint: 'it was changed since, or is another file: export it again',
  },
  ERR_STATE_LOCKED: { class: 'StateError', retryable: false, hint: 'wait for its end, or choose another --out' },
} as const satisfies Record<string, CodeFacts>

export type ErrorCode = keyof typeof errorCodes
type CodesOf<C extends ErrorClass> = {
  [K in ErrorCode]: (typeof errorCodes)[K]['class'] extends C ? K : never
}[ErrorCode]

/** A place in a text, which is not cut yet. */
export interface Surroundings {
  readonly text: string
  /** Index in the text. */
  readonly at: number
  /** Characters before and after the place that are to be shown. */
  readonly shown: number
}

/** Where and why, as far as it is known. */
export interface ErrorContext {
  readonly cause?: unknown
  /** Number of the page, from 1. */
  readonly page?: number | undefined
  /** Index of the record in its page, from 0. */
  readonly recordIndex?: number | undefined
  /** Offset of the offending byte from the start of the decoded page body, from 0. */
  readonly byteOffset?: number | undefined
  /** HTTP status, for errors that came as an answer. */
  readonly statusCode?: number | undefined
  /** What is left behind and how to go on, one clause. */
  readonly left?: string | undefined
  /** How long the server asked us to wait, in ms. */
  readonly retryAfterMs?: number | undefined
  /** Truto's own explanation of the error (`truto_error_insight`), as parsed JSON. */
  readonly insight?: unknown
  /** Whether the provider behind Truto (Slack, Microsoft) made the error. */
  readonly isRemote?: boolean | undefined
  /** What of the data the message is about: added to it only where the user wants to see data (`--debug-bodies`). */
  readonly data?: (Surroundings & { /** What stands before it: `, near `. */ readonly lead: string }) | undefined
  /** Replaces the hint of the code's table entry. */
  readonly hint?: string | undefined
  /** False where asking again cannot change what happened, although it mostly does for the code. */
  readonly retryable?: false | undefined
}

/** Base of all errors that truto-export throws on purpose.
 *  @typeParam C the class whose codes it takes */
export abstract class ExportError<C extends ErrorClass = ErrorClass> extends Error {
  readonly code: ErrorCode
  hint: string
  /** Which of several inputs it is of. */
  input: string | undefined
  page: number | undefined
  recordIndex: number | undefined
  byteOffset: number | undefined
  left: string | undefined
  readonly statusCode: number | undefined
  readonly retryAfterMs: number | undefined
  readonly insight: unknown
  readonly isRemote: boolean | undefined
  readonly #isFinal: boolean
  #data: ErrorContext['data']

  constructor(code: CodesOf<C>, message: string, context: ErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause })
    this.code = code
    this.name = errorCodes[code].class
    this.hint = context.hint ?? errorCodes[code].hint
    this.page = context.page
    this.recordIndex = context.recordIndex
    this.byteOffset = context.byteOffset
    this.left = context.left
    this.statusCode = context.statusCode
    this.retryAfterMs = context.retryAfterMs
    this.insight = context.insight
    this.isRemote = context.isRemote
    this.#isFinal = context.retryable === false
    this.#data = context.data
  }

  /** Exit code of a process that ends with this error. */
  get exitCode(): number {
    return exitCodes[errorCodes[this.code].class]
  }

  get isRetryable(): boolean {
    return !this.#isFinal && errorCodes[this.code].retryable
  }

  /** The hint that a code has by itself. */
  static hintOf(code: ErrorCode): string {
    return errorCodes[code].hint
  }

  /** Adds a position that the thrower did not know; what is already there stays, but for the hint. Returns this
   *  error. */
  locate(position: {
    input?: string
    page?: number
    recordIndex?: number
    byteOffset?: number
    left?: string
    hint?: string
  }): this {
    this.hint = position.hint ?? this.hint
    this.input ??= position.input
    this.page ??= position.page
    this.recordIndex ??= position.recordIndex
    this.byteOffset ??= position.byteOffset
    this.left ??= position.left
    return this
  }

  /** Adds to the message what it may show of the data, once. @internal */
  showData(print: (data: Surroundings) => string): void {
    if (this.#data === undefined) return
    const message = `${this.message}${this.#data.lead}${print(this.#data)}`
    if (this.stack !== undefined) this.stack = this.stack.replace(this.message, () => message)
    this.message = message
    this.#data = undefined
  }

  /** The whole error as one line: code, message, position, what is left, hint. Control characters are escaped. */
  toLine(): string {
    const at = [
      this.input ?? '',
      this.page === undefined ? '' : `page ${this.page}`,
      this.recordIndex === undefined ? '' : `record ${this.recordIndex}`,
      this.byteOffset === undefined ? '' : `byte ${this.byteOffset}`,
    ].filter(Boolean)
    const where = at.length > 0 ? ` [${at.join(', ')}]` : ''
    const tail = [this.left, this.hint].filter(Boolean).map((part) => `; ${part}`)
    return printable(`${this.code}: ${this.message}${where}${tail.join('')}`)
  }
}

/** Our bug, or an error thrown by a transform of the user. Exit 1. */
export class InternalError extends ExportError<'InternalError'> {}
/** The user's options or environment; nothing was touched and no request was sent. Exit 2. */
export class ConfigError extends ExportError<'ConfigError'> {}
/** The token, or the rights of the account behind it. Exit 3. */
export class AuthError extends ExportError<'AuthError'> {}
/** The request was refused, or could not be made safely. Exit 4. */
export class RequestError extends ExportError<'RequestError'> {}
/** The remote side or the network; running again later may help. Exit 5. */
export class UpstreamError extends ExportError<'UpstreamError'> {}
/** What the server sends cannot be exported as asked. Exit 6. */
export class DataError extends ExportError<'DataError'> {}
/** The place that the bytes go to. Exit 7. */
export class OutputError extends ExportError<'OutputError'> {}

/** The saved state of an interrupted export, or another process that holds it. Exit 8. */
export class StateError extends ExportError<'StateError'> {}

/** The reader of stdout went away (EPIPE). Not a failure: the export stops quietly, exit code 141. */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone'
  constructor() {
    super('the reader of stdout closed it')
  }
}

/** `error` itself if it is ours, a quiet stop or an abort. A lack of file descriptors, which any step may be the first
 *  to meet, is an OutputError; anything else becomes an InternalError with `error` as its cause. */
export function asExportError(error: unknown, doing: string): Error {
  if (error instanceof ExportError || error instanceof ReaderGone) return error
  if (error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')) return error
  if (isOutOfDescriptors(error))
    return new OutputError('ERR_OUTPUT_RESOURCES', `${doing}: too many open files`, { cause: error })
  const text = error instanceof Error ? error.message : String(error)
  return new InternalError('ERR_INTERNAL', `${doing}: ${text}`, { cause: error })
}

/** As `asExportError`, where nobody asked for an abort: what somebody's code reports as one is a failure of that. */
export function asFailure(error: unknown, doing: string): Error {
  const known = asExportError(error, doing)
  if (known instanceof ExportError || known instanceof ReaderGone) return known
  return new InternalError('ERR_INTERNAL', `${doing}: ${known.message}`, { cause: error })
}

/** Whether the system has no more file descriptors for us: also where Node.js says so, as it loads a module. */
export function isOutOfDescriptors(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown }
  return code === 'EMFILE' || code === 'ENFILE'
}

/** What a terminal acts on or does not show: control characters (with U+009B, which begins escape sequences), overrides
 *  of direction, soft hyphens, tags, joiners and whatever else has no shape of its own, and halves of surrogate
 *  pairs. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/** Text with all that is not printable as `\u{..}` escapes, so that text from a server cannot drive a terminal, nor
 *  look like another. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
}

/** A value as JSON that a terminal may show: what is not printable is spelled as an escape, which is the same value.
 *  @param indent as of JSON.stringify */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(unprintable, (character) =>
    character === '\n'
      ? character
      : character.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )
}
