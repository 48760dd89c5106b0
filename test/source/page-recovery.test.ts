import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SourceState } from '../../src/checkpoint/checkpoint.js'
import { AuthError, UpstreamError } from '../../src/errors.js'
import type { PageClient, TrutoSourceOptions } from '../../src/source/truto-source.js'
import { FakeClock } from '../helpers/clock.js'
import { listSource } from './list-source.js'

const isSoak = process.env['TRUTO_EXPORT_SOAK'] === '1'

/** What a request is answered with: a body that may end with an error, in chunks. */
type Answer = { chunks: readonly string[]; error?: Error } | Error

/** A client whose requests are answered by `answer`. */
function scripted(answer: (url: URL, request: number) => Answer) {
  const clock = new FakeClock()
  clock.isImpatient = true
  const urls: URL[] = []
  const client: PageClient = {
    async open(url) {
      urls.push(url)
      const given = answer(url, urls.length)
      if (given instanceof Error) throw given
      async function* body(): AsyncGenerator<Uint8Array> {
        const { chunks, error } = given as Exclude<Answer, Error>
        for (const chunk of chunks) yield Buffer.from(chunk)
        if (error) throw error
      }
      return { contentType: 'application/json', body: body(), cancel: () => {} }
    },
  }
  return { clock, client, urls }
}

/** Reads a list whose requests are answered by `answer`, and keeps the state after every batch. */
async function read(answer: (url: URL, request: number) => Answer, options: Partial<TrutoSourceOptions> = {}) {
  const { clock, client, urls } = scripted(answer)
  const { source, events } = listSource(client, clock, options)
  const batches: { ids: string[]; state: SourceState; isAtCut: boolean; isAtPartEnd: boolean }[] = []
  let error: unknown
  try {
    for await (const batch of source.read()) {
      const ids = [...batch.records()].map(({ id }) => String(id))
      const { isAtCut, isAtPartEnd } = source
      source.confirm()
      batches.push({ ids, state: source.state!, isAtCut, isAtPartEnd })
    }
  } catch (thrown) {
    error = thrown
  }
  return { ids: batches.flatMap(({ ids }) => ids), batches, error, source, urls, events }
}

const cutShort = new UpstreamError('ERR_BODY_TRUNCATED', 'cut')
const record = (id: string): string => JSON.stringify({ id, name: `name of ${id}` })
const bodyOf = (ids: readonly string[], cursor: string | null, between = ','): string =>
  `{"result":[${ids.map(record).join(between)}],"next_cursor":${JSON.stringify(cursor)}}`

/** Three pages of `a0`, `b0`, … */
const pages = ['a', 'b', 'c'].map((letter) => Array.from({ length: 5 }, (_, index) => `${letter}${index}`))
const all = pages.flat()
const cursors = [null, 'b', 'c', null]

function bodyFor(url: URL): string {
  const page = Math.max(0, cursors.indexOf(url.searchParams.get('next_cursor')))
  return bodyOf(pages[page]!, cursors[page + 1]!)
}

function inChunks(text: string, size: number): string[] {
  return text.match(new RegExp(`.{1,${size}}`, 'gs')) ?? []
}

test('a page that is cut at any byte is read again, and what was taken of it is passed over', async () => {
  const length = bodyOf(pages[1]!, 'c').length
  for (let at = 0; at <= length - 1; at++) {
    const { ids, error, source } = await read((url, request) => {
      const body = bodyFor(url)
      return request === 2
        ? { chunks: [body.slice(0, at)], error: cutShort }
        : { chunks: inChunks(body, 1 + (at % 90)) }
    })
    expect(error).toBeUndefined()
    expect(ids).toEqual(all)
    expect(source.outcome).toMatchObject({ records: 15, pages: 3, requests: 4, retries: 1 })
  }
})

test('any schedule of cuts, in any chunks, gives every record once and in order', async () => {
  const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(cuts, fc.integer({ min: 1, max: 300 }), async (places, size) => {
      const { ids, error } = await read((url, request) => {
        const body = bodyFor(url)
        const at = places[request - 1]
        const isCut = at !== undefined && at < body.length
        return isCut ? { chunks: inChunks(body.slice(0, at), size), error: cutShort } : { chunks: inChunks(body, size) }
      })
      // the tries of one page are bounded, and so may come to their end
      if (error === undefined) expect(ids).toEqual(all)
      else expect([ids, error]).toEqual([all.slice(0, ids.length), cutShort])
    }),
    { numRuns: isSoak ? 20_000 : 300 },
  )
})

test('a source goes on behind any batch of another, wherever that stopped', async () => {
  for (const between of [',', ' ,\n  ']) {
    const answer = (url: URL): Answer => {
      const page = Math.max(0, cursors.indexOf(url.searchParams.get('next_cursor')))
      return { chunks: inChunks(bodyOf(pages[page]!, cursors[page + 1]!, between), 40) }
    }
    const whole = await read(answer)
    expect(whole.ids).toEqual(all)
    let taken = 0
    for (const { ids, state } of whole.batches) {
      taken += ids.length
      const rest = await read(answer, { from: JSON.parse(JSON.stringify(state)) as SourceState })
      expect(rest.error).toBeUndefined()
      expect(rest.ids).toEqual(all.slice(taken))
      expect(rest.source.outcome).toMatchObject({ records: 15, pages: 3, complete: true, framing: 'envelope' })
      // of the page in hand it is asked for that page, not for the list's beginning
      expect(rest.urls[0]!.searchParams.get('next_cursor')).toBe(state.cursor)
    }
    expect(whole.batches.length).toBeGreaterThan(10)
  }
})

test('how the records of a page came in batches does not matter for passing them over', async () => {
  for (const [first, second] of [
    [',', ' , '],
    [' , ', ','],
  ] as const) {
    const { ids, error } = await read((_, request) => {
      const body = bodyOf(pages[0]!, null, request === 1 ? first : second)
      return request === 1 ? { chunks: [body.slice(0, 120)], error: cutShort } : { chunks: inChunks(body, 7) }
    })
    expect([error, ids]).toEqual([undefined, pages[0]])
  }
})

for (const [name, changed] of [
  ['has another record first', ['x0', ...pages[0]!]],
  ['has lost a record', pages[0]!.slice(1)],
  ['has the same records in another order', ['a1', 'a0', ...pages[0]!.slice(2)]],
  ['is shorter than what was taken', ['a0']],
  ['is empty', []],
] as const) {
  test(`a page that ${name} when it is read again is no page to go on with`, async () => {
    const { ids, error } = await read((_, request) => {
      const body = bodyOf(pages[0]!, null)
      return request === 1
        ? { chunks: [body.slice(0, body.indexOf('"a2"'))], error: cutShort }
        : { chunks: [bodyOf(changed, null)] }
    })
    expect(ids).toEqual(['a0', 'a1'])
    expect(error).toMatchObject({ code: 'ERR_PAGE_CHANGED', exitCode: 6, page: 1 })
  })
}

test('a change behind what was taken is taken as it comes', async () => {
  const { ids, error } = await read((_, request) => {
    const body = bodyOf(pages[0]!, null)
    return request === 1
      ? { chunks: [body.slice(0, body.indexOf('"a2"'))], error: cutShort }
      : { chunks: [bodyOf(['a0', 'a1', 'n', 'a2'], null)] }
  })
  expect([error, ids]).toEqual([undefined, ['a0', 'a1', 'n', 'a2']])
})

test('a page that comes as something else when it is read again has changed', async () => {
  const { error } = await read((_, request) =>
    request === 1
      ? { chunks: [bodyOf(pages[0]!, null).slice(0, 100)], error: cutShort }
      : { chunks: ['{"ok":true,"members":[{"id":"U1"}],"response_metadata":{"next_cursor":""}}'] },
  )
  expect(error).toMatchObject({ code: 'ERR_PAGE_CHANGED' })
})

test('a try that gets further than those before it counts as a first one; tries that do not are bounded', async () => {
  const text = bodyOf(pages[0]!, null)
  const ends = pages[0]!.flatMap((id) => Array.from({ length: 5 }, () => text.indexOf(record(id)) + record(id).length))
  const patient = await read((_, request) => {
    const end = ends[request - 1]
    return end === undefined ? { chunks: [text] } : { chunks: [text.slice(0, end)], error: cutShort }
  })
  expect(patient.error).toBeUndefined()
  expect([patient.ids, patient.urls.length]).toEqual([pages[0], 26])
  const stuck = await read(() => ({ chunks: [text.slice(0, ends[5])], error: cutShort }))
  expect([stuck.ids, stuck.urls.length, stuck.error]).toEqual([['a0', 'a1'], 6, cutShort])
})

test('a batch ends at the record that fills a cut, however the bytes come', async () => {
  const size = (id: string): number => record(id).length + 1
  const expected: string[] = []
  let bytes = 0
  for (const id of all) {
    bytes += size(id)
    if (bytes < 100) continue
    expected.push(id)
    bytes = 0
  }
  for (const chunk of [1, 7, 64, 1000]) {
    const { batches, ids } = await read((url) => ({ chunks: inChunks(bodyFor(url), chunk) }), { cutBytes: 100 })
    expect(ids).toEqual(all)
    expect(batches.filter(({ isAtCut }) => isAtCut).map(({ ids }) => ids.at(-1))).toEqual(expected)
  }
  const byRecords = await read((url) => ({ chunks: [bodyFor(url)] }), { cutRecords: 4 })
  const cuts = byRecords.batches.filter(({ isAtCut }) => isAtCut)
  expect(cuts.map(({ ids }) => ids.at(-1))).toEqual([all[3], all[7], all[11]])
  // the cuts of what follows are the same ones
  const rest = await read((url) => ({ chunks: [bodyFor(url)] }), { cutRecords: 4, from: byRecords.batches[0]!.state })
  expect(rest.batches.filter(({ isAtCut }) => isAtCut).map(({ ids }) => ids.at(-1))).toEqual([all[7], all[11]])
})

test('a part ends at a cut, from which the next cut counts', async () => {
  const options = { cutRecords: 4, partRecords: 6 }
  const { batches, ids } = await read((url) => ({ chunks: inChunks(bodyFor(url), 50) }), options)
  expect(ids).toEqual(all)
  const lastIds = (some: typeof batches): (string | undefined)[] => some.map(({ ids }) => ids.at(-1))
  expect(lastIds(batches.filter(({ isAtCut }) => isAtCut))).toEqual([all[3], all[5], all[9], all[11]])
  expect(lastIds(batches.filter(({ isAtPartEnd }) => isAtPartEnd))).toEqual([all[5], all[11]])
  const from = batches.find(({ ids }) => ids.at(-1) === all[3])!.state
  const rest = await read((url) => ({ chunks: [bodyFor(url)] }), { ...options, from })
  expect(lastIds(rest.batches.filter(({ isAtPartEnd }) => isAtPartEnd))).toEqual([all[5], all[11]])
})

test('before a page is asked for, its consumer is told, with all before it taken', async () => {
  const told: [page: number, cursor: string | null, records: number, taken: number][] = []
  const { clock, client } = scripted((url) => ({ chunks: [bodyFor(url)] }))
  const { source } = listSource(client, clock, {
    onPage: async () => {
      const { page, cursor, records, taken } = source.state!
      told.push([page, cursor, records, taken.records])
    },
  })
  for await (const _ of source.read());
  expect(told).toEqual([
    [1, null, 0, 0],
    [2, 'b', 5, 0],
    [3, 'c', 10, 0],
  ])
})

test('a state tells of what was confirmed, whatever was given after it and however that ended', async () => {
  const { clock, client } = scripted((url) => ({ chunks: inChunks(bodyFor(url), 50) }))
  const { source } = listSource(client, clock, { maxRecords: 12 })
  let given = 0
  let confirmed = 0
  const reading = async (): Promise<void> => {
    for await (const batch of source.read()) {
      given += batch.count
      if (given > 7) continue
      source.confirm()
      confirmed = given
    }
  }
  await expect(reading()).rejects.toMatchObject({ code: 'ERR_LIMIT' })
  expect(given).toBeGreaterThan(confirmed)
  // the end of a page confirms what was taken of it
  expect(source.state).toMatchObject({ page: 3, records: 10, taken: { records: 0 } })
})

test('a refused token is refreshed once a page, also in the middle of one', async () => {
  const refused = new AuthError('ERR_UNAUTHORIZED', '401')
  let refreshed = 0
  const refresh = async (): Promise<void> => void refreshed++
  const fine = await read((url, request) => (request === 2 ? refused : { chunks: [bodyFor(url)] }), { refresh })
  expect([fine.ids, fine.error, refreshed]).toEqual([all, undefined, 1])
  const text = bodyOf(pages[0]!, null)
  const middle = await read(
    (_, request) =>
      request === 1 ? { chunks: [text.slice(0, 100)], error: cutShort } : request === 2 ? refused : { chunks: [text] },
    { refresh },
  )
  expect([middle.ids, middle.error, refreshed]).toEqual([pages[0], undefined, 2])
  const refusing = await read(() => refused, { refresh })
  expect([refusing.error, refusing.urls.length, refreshed]).toEqual([refused, 2, 3])
  const failing = await read(() => refused, { refresh: () => Promise.reject(cutShort) })
  expect([failing.error, failing.urls.length]).toEqual([cutShort, 1])
})
