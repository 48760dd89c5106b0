import { expect, test } from 'vitest'
import { differingOptions, identityOf, optionDigestsOf } from '../../src/export/identity.js'
import { resolveOptions } from '../../src/options/resolve.js'
import type { GivenOptions } from '../../src/options/schema.js'

const list = 'instant-messaging/members'
const secret = 'a-secret-that-nobody-may-see'

function identity(options: GivenOptions = {}) {
  const resolved = resolveOptions({ resource: list, token: 'x', out: 'm.csv', ...options }, { env: {} })
  const init = { resolved, transform: undefined, hasInput: false }
  return { fingerprint: identityOf(init), digests: optionDigestsOf(init) }
}

test.each([
  [{ limit: 5 }, '--limit'],
  [{ query: { token: secret } }, '--query'],
  [{ queryRaw: `a=${secret}` }, '--query-raw'],
  [{ cursor: secret }, '--cursor'],
  [{ account: secret }, '--account'],
  [{ csvQuote: "'" }, '--csv-quote'],
  [{ strict: true }, '--strict'],
  [{ partRows: 10 }, '--part-rows'],
  [{ schema: { type: 'object', properties: { id: { type: 'string' } } } }, '--schema'],
] as const)('%j differs in %s, and whatever differs in the whole differs in an option', (options, flag) => {
  const [before, after] = [identity(), identity(options)]
  expect(after.fingerprint).not.toBe(before.fingerprint)
  expect(differingOptions(before.digests, after.digests)).toEqual([flag])
  expect(JSON.stringify(after.digests)).not.toContain(secret)
})

test('the same differs in nothing, and what knew no digests cannot be compared', () => {
  expect(differingOptions(identity().digests, identity({ maxWaitMs: 1 }).digests)).toEqual([])
  expect(differingOptions(undefined, identity().digests)).toEqual([])
})
