// What an abort is to whoever waits for something: the end of the wait, with the signal's reason. However many exports
// share a signal of the user, it has one listener of ours while any of them runs, and none after; and no promise that
// is not waited for any longer is left without somebody to take its error.

/** The controllers that abort with a signal of the user, and the one listener that does it. */
interface Followers {
  readonly controllers: Set<AbortController>
  readonly onAbort: () => void
}

const followersOf = new WeakMap<AbortSignal, Followers>()

/** A signal of our own that is aborted with another, from `begin` to `end`, or by us. What listens to it does not add
 *  up at the signal of the user. */
export class Following {
  readonly #leader: AbortSignal | undefined
  readonly #controller = new AbortController()

  /** @param leader whom to follow; nobody where it is undefined */
  constructor(leader: AbortSignal | undefined) {
    this.#leader = leader
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Follows from now on. Where the leader is aborted already, so is `signal`. */
  begin(): void {
    const leader = this.#leader
    if (leader === undefined) return
    if (leader.aborted) {
      this.abort(leader.reason)
      return
    }
    let followers = followersOf.get(leader)
    if (followers === undefined) {
      const controllers = new Set<AbortController>()
      const onAbort = (): void => {
        for (const controller of controllers) controller.abort(leader.reason)
      }
      followers = { controllers, onAbort }
      followersOf.set(leader, followers)
      leader.addEventListener('abort', onAbort, { once: true })
    }
    followers.controllers.add(this.#controller)
  }

  /** Aborts `signal`. The first reason stays. */
  abort(reason: unknown): void {
    this.#controller.abort(reason)
  }

  /** Follows no longer. */
  end(): void {
    const leader = this.#leader
    const followers = leader && followersOf.get(leader)
    if (!followers?.controllers.delete(this.#controller) || followers.controllers.size > 0) return
    leader!.removeEventListener('abort', followers.onAbort)
    followersOf.delete(leader!)
  }
}

/** Settles like `promise`, or rejects with the signal's reason as soon as it is aborted. What `promise` comes to after
 *  that is nobody's business. */
export function untilAbort<T>(promise: PromiseLike<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal!.reason)
    const done = (): void => signal?.removeEventListener('abort', onAbort)
    if (signal?.aborted) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
    // in any case: a promise that nobody listens to ends the process where it rejects
    promise.then(
      (value) => {
        done()
        resolve(value)
      },
      (error: unknown) => {
        done()
        reject(error)
      },
    )
  })
}

/** As `untilAbort`. What is opened after the abort is closed by whom nobody waits for. */
export async function openedUntilAbort<T>(
  opening: Promise<T>,
  signal: AbortSignal | undefined,
  close: (opened: T) => unknown,
): Promise<T> {
  try {
    return await untilAbort(opening, signal)
  } catch (error) {
    if (signal?.aborted) opening.then(close).catch(() => {})
    throw error
  }
}

/** Reason for which a reader leaves before the end: what it waited for ends, and nobody is told. */
const left = new DOMException('the reader has left', 'AbortError')

/** Gives the steps of a generator that waits for `following.signal`, made with the first step. From the abort on, every
 *  step rejects with its reason, whatever is at hand by then; the end once reached stays the end. */
export class AbortableSteps<T> implements AsyncGenerator<T, void, undefined> {
  readonly #following: Following
  readonly #onEnd: () => void
  readonly #steps: AsyncGenerator<T, void, undefined>

  /** @param onEnd called at the end, also of steps that were never begun; more than once */
  constructor(
    make: (signal: AbortSignal) => AsyncGenerator<T, void, undefined>,
    following: Following,
    onEnd: () => void = () => {},
  ) {
    this.#following = following
    this.#onEnd = onEnd
    this.#steps = stepsOf(make, following, onEnd)
  }

  next(): Promise<IteratorResult<T, void>> {
    return this.#steps.next()
  }

  /** Ends the step that is waited for, too: at once, by ending what that waits for. */
  async return(): Promise<IteratorResult<T, void>> {
    this.#following.abort(left)
    const step = await this.#steps.return()
    this.#onEnd()
    return step
  }

  async throw(error: unknown): Promise<IteratorResult<T, void>> {
    await this.return().catch(() => {}) // the first error stays the error
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }
}

async function* stepsOf<T>(
  make: (signal: AbortSignal) => AsyncGenerator<T, void, undefined>,
  following: Following,
  onEnd: () => void,
): AsyncGenerator<T, void, undefined> {
  const { signal } = following
  following.begin()
  try {
    signal.throwIfAborted()
    for await (const step of make(signal)) {
      signal.throwIfAborted()
      yield step
      signal.throwIfAborted()
    }
    signal.throwIfAborted()
  } catch (error) {
    if (!signal.aborted) throw error
    if (signal.reason !== left) throw signal.reason
  } finally {
    following.end()
    onEnd()
  }
}
