// A new token by way of the user's hook, which may hang, throw or give anything: each of these is an error of the
// token, and none of them holds up an export.

import { formatDuration } from '../bytes/units.js'
import { type Clock, systemClock } from '../clock.js'
import { AuthError } from '../errors.js'
import { isToken, withoutLineEnds } from '../http/token.js'

/** Gives a new token. `signal` is aborted once nobody waits for it any more. */
export type TokenHook = (options: { signal: AbortSignal }) => Promise<string>

export interface FreshTokenOptions {
  readonly timeoutMs: number
  readonly clock?: Clock | undefined
  readonly signal?: AbortSignal | undefined
}

/** What the hook gives, without line ends around it.
 *  @throws AuthError ERR_TOKEN_UNAVAILABLE where it throws, gives no token or takes too long; the signal's reason, at
 *  once, after an abort */
export async function freshToken(hook: TokenHook, options: FreshTokenOptions): Promise<string> {
  const { timeoutMs, clock = systemClock, signal } = options
  signal?.throwIfAborted()
  const given = new AbortController()
  let giveUp = (_reason: unknown): void => {}
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = reject
  })
  const onAbort = (): void => giveUp(signal!.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const asked = ask(hook, given.signal)
  let cancelTimer = (): void => {}
  // what is there at once needs no timer
  const turn = setImmediate(() => {
    const message = `there was none within ${formatDuration(timeoutMs)}`
    cancelTimer = clock.after(timeoutMs, () => giveUp(unavailable(message)))
  })
  try {
    return await Promise.race([asked, givenUp])
  } finally {
    clearImmediate(turn)
    cancelTimer()
    signal?.removeEventListener('abort', onAbort)
    given.abort(signal?.aborted ? signal.reason : new DOMException('no token is waited for any more', 'AbortError'))
  }
}

async function ask(hook: TokenHook, signal: AbortSignal): Promise<string> {
  let token: unknown
  try {
    token = await hook({ signal })
  } catch (error) {
    throw unavailable(error instanceof Error ? error.message : String(error), error)
  }
  const what = token === null ? 'null' : typeof token
  if (typeof token !== 'string') throw unavailable(`what was given is no text but ${what}`)
  const trimmed = withoutLineEnds(token)
  if (isToken(trimmed)) return trimmed
  throw unavailable('what was given is empty or has characters that a token cannot have')
}

function unavailable(why: string, cause?: unknown): AuthError {
  return new AuthError('ERR_TOKEN_UNAVAILABLE', `getting a new token: ${why}`, { cause })
}
