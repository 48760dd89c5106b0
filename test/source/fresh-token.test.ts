import { describe, expect, test } from 'vitest'
import { DataError } from '../../src/errors.js'
import { freshToken, type TokenHook } from '../../src/source/fresh-token.js'
import { FakeClock } from '../helpers/clock.js'

const turn = () => new Promise((resolve) => setImmediate(resolve))
const hangs: TokenHook = () => new Promise(() => {})

describe('a hook that gives a token', () => {
  test.each([
    ['tok-1', 'tok-1'],
    ['tok-1\n', 'tok-1'],
    ['\r\ntok-1\r\n', 'tok-1'],
  ])('%j is asked once, and leaves neither timer nor listener', async (given, token) => {
    const clock = new FakeClock()
    const { signal } = new AbortController()
    let asked = 0
    const hook: TokenHook = async () => {
      asked++
      return given
    }
    expect(await freshToken(hook, { timeoutMs: 1000, clock, signal })).toBe(token)
    await turn()
    expect([asked, clock.waits]).toEqual([1, []])
  })

  test('may take its time, up to the one that it has', async () => {
    const clock = new FakeClock()
    let give = (_token: string): void => {}
    const hook: TokenHook = () => new Promise((resolve) => (give = resolve))
    const token = freshToken(hook, { timeoutMs: 1000, clock })
    await turn()
    clock.advance(999)
    give('tok-1')
    expect(await token).toBe('tok-1')
  })
})

test.each<[string, TokenHook, string]>([
  [
    'throws at once',
    () => {
      throw new Error('vault is sealed')
    },
    'vault is sealed',
  ],
  [
    'rejects',
    async () => {
      throw new Error('vault is sealed')
    },
    'vault is sealed',
  ],
  [
    'rejects with an error of ours',
    async () => {
      throw new DataError('ERR_SCHEMA', 'no token in it')
    },
    'no token in it',
  ],
  [
    'rejects with what is no error',
    async () => {
      throw 'sealed'
    },
    'sealed',
  ],
  ['gives nothing', (async () => undefined) as unknown as TokenHook, 'what was given is no text but undefined'],
  ['gives null', (async () => null) as unknown as TokenHook, 'what was given is no text but null'],
  ['gives an object', (async () => ({ token: 'tok' })) as unknown as TokenHook, 'what was given is no text but object'],
  ['gives an empty text', async () => '\n', /empty or has characters that a token cannot have/.source],
  ['gives two lines', async () => 'secret-tok\nX-Evil: 1', /empty or has characters that a token cannot have/.source],
])('a hook that %s is an error of the token', async (_, hook, why) => {
  const error = await freshToken(hook, { timeoutMs: 1000, clock: new FakeClock() }).catch((thrown) => thrown)
  expect(error).toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE', exitCode: 3, isRetryable: false })
  expect(error.message).toMatch(new RegExp(`^getting a new token: .*${why}`))
  expect(error.message).not.toContain('secret-tok')
})

test('a hook that hangs is given up on in time, and is told so', async () => {
  const clock = new FakeClock()
  let told: AbortSignal | undefined
  const hook: TokenHook = ({ signal }) => {
    told = signal
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('ended late'))))
  }
  const failure = freshToken(hook, { timeoutMs: 90_000, clock }).catch((thrown) => thrown)
  await turn()
  clock.advance(89_999)
  await turn()
  expect(told!.aborted).toBe(false)
  clock.advance(1)
  expect(await failure).toMatchObject({
    code: 'ERR_TOKEN_UNAVAILABLE',
    message: 'getting a new token: there was none within 90s',
  })
  expect(told!.aborted).toBe(true)
})

test('an abort ends the wait at once, with its reason, and the hook is told so', async () => {
  const reason = new Error('enough')
  const controller = new AbortController()
  let told: AbortSignal | undefined
  const hook: TokenHook = (options) => {
    told = options.signal
    return hangs(options)
  }
  const failure = freshToken(hook, { timeoutMs: 1000, clock: new FakeClock(), signal: controller.signal })
  controller.abort(reason)
  await expect(failure).rejects.toBe(reason)
  expect(told!.reason).toBe(reason)
  let asked = false
  const late: TokenHook = async () => {
    asked = true
    return 'tok'
  }
  await expect(freshToken(late, { timeoutMs: 1000, signal: controller.signal })).rejects.toBe(reason)
  expect(asked).toBe(false)
})
