import { describe, expect, test } from 'vitest'
import { MiB } from '../../src/bytes/units.js'
import { type Format, formatNames, isShapedBy } from '../../src/encode/formats.js'
import { differingOptions, identityOf, optionDigestsOf } from '../../src/export/identity.js'
import type { GivenOptions } from '../../src/options/given-options.js'
import { resolveOptions } from '../../src/options/resolve.js'
import { exportTable, type ShapingEntry } from '../../src/options/schema.js'

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

test('where zstd ends a frame counts where the export can be resumed, where gzip is flushed in any case', () => {
  const differs = (options: GivenOptions): boolean =>
    identity({ ...options, commitBytes: 1 << 20 }).fingerprint !==
    identity({ ...options, commitBytes: 1 << 21 }).fingerprint
  expect(differs({ out: 'm.zst' })).toBe(true)
  expect(differs({ out: 'm.zst', checkpoint: false })).toBe(false)
  expect(differs({ out: 'm.zst', keyBy: 'id', keyByDuplicate: 'first' })).toBe(false)
  expect(differs({ out: 'm.gz' })).toBe(true)
  expect(differs({ out: 'm.gz', checkpoint: false })).toBe(true)
  expect(differs({ out: 'm' })).toBe(false)
})

describe('what the table says that options shape', () => {
  const entries = (Object.entries(exportTable) as [keyof GivenOptions, ShapingEntry][]).filter(
    ([, entry]) => !entry.isCliOnly,
  )
  /** Two values or more that differ, as code gives them. */
  const valuesOf = (name: keyof GivenOptions, entry: ShapingEntry): readonly unknown[] => {
    const own: { readonly [N in keyof GivenOptions]?: readonly unknown[] } = {
      resource: [list, 'crm/contacts'],
      parser: ['simd', 'stream-json', 'streamparser'], // the others give the same bytes
      query: [{ a: '1' }, { a: '2' }, {}],
      schema: [{ type: 'object', properties: { id: { type: 'string' } } }, null],
      redact: [['name=mask'], ['name=drop']],
      rename: [['name=a'], ['name=b']],
      apiUrl: ['https://a.example', 'https://b.example'],
      redactKey: ['0123456789abcdef-1', '0123456789abcdef-2'],
      csvDelimiter: [';', '|'],
      csvQuote: ["'", '`'],
      csvNull: ['NULL', ''],
      csvFlatten: [['emails=first:email'], ['emails=first:type']],
      maxMemoryBytes: [64 * MiB, 128 * MiB],
      rowGroupBytes: [MiB, 2 * MiB],
    }
    const { min = 0 } = entry
    switch (entry.kind) {
      case 'enum':
        return own[name] ?? entry.values!.filter((value) => value !== 'auto' || name === 'responseFormat')
      case 'boolean':
        return [false, true]
      case 'integer':
      case 'bytes':
      case 'duration':
        return own[name] ?? [min + 1000, min + 1001]
      case 'list':
        return own[name] ?? [['name'], ['status']]
      default:
        return own[name] ?? ['name', 'status']
    }
  }
  /** What has to be given, too, for an option to count. */
  const beside: { readonly [N in keyof GivenOptions]?: GivenOptions } = {
    redactKey: { redact: ['name=hash'] },
    commitBytes: { out: 'm.gz' },
    maxMemoryBytes: { rowGroupRows: 10_000_000 },
    csvFlattenSlots: { csvNested: 'flatten' },
    resume: { checkpoint: true },
    backoffBaseMs: { backoffMaxMs: 60_000 },
  }
  const limits = ['csvFlattenSlots', 'maxDepth', 'tries']
  const isShaped = (format: Format, { shapes }: ShapingEntry): boolean =>
    [shapes].flat().some((shape) => {
      if (shape === 'request' || shape === 'output') return true
      return shape !== 'nothing' && isShapedBy(format, shape)
    })
  /** By each value, the identity and the digests of an export that has it. */
  const identitiesOf = (name: keyof GivenOptions, entry: ShapingEntry, format: Format) => {
    const values = limits.includes(name) ? [2, 3] : valuesOf(name, entry)
    return values.map((value) =>
      identity({ out: 'm', ...(name === 'format' ? {} : { format }), ...beside[name], [name]: value }),
    )
  }
  const formatsOf = (name: keyof GivenOptions): readonly Format[] =>
    // compressed as a whole, Parquet is refused
    name === 'format' ? ['csv'] : formatNames.filter((format) => format !== 'parquet' || !isOfFiles(name))
  const isOfFiles = (name: keyof GivenOptions): boolean => name === 'compress' || name === 'commitBytes'

  test.each(entries.flatMap(([name, entry]) => formatsOf(name).map((format) => [name, format, entry] as const)))(
    '%s of %s',
    (name, format, entry) => {
      if (name === 'resume' || name === 'restart' || name === 'checkpoint') return // they exclude each other, and say where an export begins
      const found = identitiesOf(name, entry, format)
      expect(found.length).toBeGreaterThan(1)
      const fingerprints = new Set(found.map(({ fingerprint }) => fingerprint))
      if (!isShaped(format, entry) || entry.isGuard) {
        expect(fingerprints.size).toBe(1)
        return
      }
      expect(fingerprints.size).toBe(found.length)
      const [one, other] = found
      expect(Object.keys(one!.digests).filter((digest) => one!.digests[digest] !== other!.digests[digest])).toContain(
        name,
      )
    },
  )
})
