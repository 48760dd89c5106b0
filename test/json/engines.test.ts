// All engines are one, over many more cases than fast-check could make: seeded random pages, most of them damaged, cut
// anywhere. A case is one body, one way to cut it and one set of limits, held against the page as it was written,
// against JSON.parse, and engine against engine.

import { isUtf8 } from 'node:buffer'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { SlicerOptions } from '../../src/json/slicer.js'
import type { RecordBatch } from '../../src/record.js'
import { factories, factoryNames } from './factories.js'
import { Random, runSeed } from './random.js'
import { damaged, type RandomPage, randomCuts, randomPage, recordBytes } from './random-pages.js'
import { type Cuts, chunksOf, defaultOptions, keepsBytes, type Outcome, parses, sliceBody, verdict } from './slicing.js'

const isSoak = process.env['TRUTO_EXPORT_SOAK'] === '1'
const KiB = 1024

const byteEngines = factoryNames.filter(keepsBytes)
const libraryEngines = factoryNames.filter((name) => !keepsBytes(name))

interface Case {
  body: Buffer
  cuts: Cuts
  limits: Partial<SlicerOptions>
  /** Undefined where the body was damaged or has been given limits. */
  page: RandomPage | undefined
  /** Whether the libraries' engines, which take most of the time, shall see it too. */
  isForAll: boolean
}

test('every engine gives the same records, facts and errors for a body, however it is damaged, cut and limited', async () => {
  const cases = isSoak ? 1_000_000 : 5_000
  const first = runSeed()
  const seen = new Map<string, number>()
  for (let i = 0; i < cases; i++) {
    const seed = (first + i) >>> 0
    const made = caseOf(seed)
    const whole = sliceBody(factories.js!, made.body, 'whole', made.limits)
    const difference = differenceIn(made, whole)
    if (difference !== undefined) throw new Error(report(seed, made, difference))
    const what = whole.failure?.code ?? whole.facts.framing ?? 'an error body'
    seen.set(what, (seen.get(what) ?? 0) + 1)
    if (i % 1000 === 0) await setImmediate() // the runner wants to hear from us
  }
  const counted = [...seen.values()].reduce((sum, count) => sum + count, 0)
  console.log(`${counted} cases from seed ${first}: ${[...seen].map(([what, count]) => `${what} ${count}`).join(', ')}`)
  expect(counted).toBe(cases)
  // the generator must not lose what it is for
  for (const framing of ['envelope', 'slack', 'graph', 'array', 'ndjson'])
    expect({ framing, count: seen.get(framing) }).toEqual({ framing, count: expect.any(Number) })
  for (const code of ['JSON_SYNTAX', 'UTF8', 'BODY_TRUNCATED', 'SCHEMA', 'CURSOR', 'DEPTH', 'RECORD_TOO_LARGE'])
    expect({ code, count: seen.get(`ERR_${code}`) }).toEqual({ code, count: expect.any(Number) })
})

/** The case of a seed. */
function caseOf(seed: number): Case {
  const random = new Random(seed)
  const page = randomPage(random)
  let body = page.body
  const edits = random.pick([0, 0, 1, 1, 1, 1, 2, 3])
  for (let i = 0; i < edits; i++) body = damaged(random, body)
  const limits: Partial<SlicerOptions> = { isNdjson: random.chance(2) ? !page.isNdjson : page.isNdjson }
  const isLimited = random.chance(15)
  if (isLimited) Object.assign(limits, randomLimits(random, page))
  // members of records have the names of envelopes and errors: some lines are none
  const isWatched = random.chance(20)
  if (isWatched) limits.watchesLines = true
  const isWhole = edits === 0 && !isLimited && !isWatched && limits.isNdjson === page.isNdjson
  return {
    body,
    cuts: randomCuts(random, body.length),
    limits,
    page: isWhole ? page : undefined,
    isForAll: random.below(isSoak ? 40 : 6) === 0,
  }
}

/** Limits that the page just keeps, just breaks, or breaks by far. */
function randomLimits(random: Random, page: RandomPage): Partial<SlicerOptions> {
  const record = page.records.length > 0 ? random.pick(page.records) : { start: 0, end: 20 }
  return {
    maxDepth: random.chance(40) ? Math.max(2, page.depth - random.below(3)) : 512,
    maxRecordBytes: random.chance(50)
      ? Math.max(2, record.end - record.start + random.between(-2, 1))
      : random.chance(50)
        ? random.between(5, 150)
        : defaultOptions.maxRecordBytes,
    maxCursorBytes: random.chance(30) ? random.below(12) : defaultOptions.maxCursorBytes,
  }
}

/** What is wrong with the engines' answers to a case, undefined where nothing is. `whole` is what `js` makes of the
 *  body in one chunk. */
function differenceIn({ body, cuts, limits, page, isForAll }: Case, whole: Outcome): string | undefined {
  const { failure, facts, records } = whole
  if (page !== undefined) {
    const expected = page.records.map((_, index) => recordBytes(page, index).toString())
    const told = JSON.stringify([failure?.line, facts.framing, whole.pageKeys, records])
    // a page may be wrong by what it says, but not by its grammar
    if (failure !== undefined && !/ERR_(SCHEMA|CURSOR)/.test(failure.code))
      return `js refuses a valid page: ${failure.line}`
    if (failure === undefined && told !== JSON.stringify([undefined, page.framing, page.pageKeys, expected]))
      return `js gives ${told} of a page with ${JSON.stringify(expected)}`
  }
  if (Object.keys(limits).length === 1 && !limits.isNdjson) {
    const isDocument = parses(body)
    if (failure === undefined && facts.framing !== 'ndjson' && !isDocument) return 'js takes what JSON.parse refuses'
    if (isDocument && failure !== undefined && /ERR_(JSON_SYNTAX|UTF8|BODY_TRUNCATED)/.test(failure.code))
      return `js refuses what JSON.parse takes: ${failure.line}`
  }
  const expected = exactly(whole)
  for (const name of byteEngines) {
    const outcome = sliceBody(factories[name]!, body, cuts, limits)
    const given = exactly(outcome)
    if (given !== expected) return `${name} in pieces: ${given}\njs in one piece: ${expected}`
    if (failure !== undefined && !isPrefixOfOther(outcome.records, records))
      return `${name} let out ${JSON.stringify(outcome.records)}\njs let out ${JSON.stringify(records)}`
  }
  if (!isForAll) return undefined
  const value = JSON.stringify([verdict(whole), failure?.byteOffset, failure?.recordIndex])
  for (const name of libraryEngines) {
    const outcome = sliceBody(factories[name]!, body, cuts, limits)
    const given = JSON.stringify([verdict(outcome), outcome.failure?.byteOffset, outcome.failure?.recordIndex])
    if (given !== value) return `${name}: ${given}\njs: ${value}`
  }
  return undefined
}

/** All that engines which keep bytes must agree on. The excerpt at the end of a message is left out: it shows what had
 *  arrived. Records that were let out before a failure depend on where chunks end. */
function exactly({ records, pageKeys, facts, failure }: Outcome): string {
  if (failure === undefined) return JSON.stringify([records, pageKeys, facts])
  const { code, message, page, recordIndex, byteOffset } = failure
  return JSON.stringify([code, page, recordIndex, byteOffset, message.replace(/, near ".*$/s, '')])
}

function isPrefixOfOther(a: readonly string[], b: readonly string[]): boolean {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return false
  return true
}

/** The case as small as it can easily be made, in a form that can be pasted. */
function report(seed: number, made: Case, difference: string): string {
  let { body } = made
  let last = difference
  for (let length = body.length >> 1; length >= 1; length >>= 1) {
    for (let at = 0; at + length <= body.length; ) {
      const shorter = Buffer.concat([body.subarray(0, at), body.subarray(at + length)])
      const whole = sliceBody(factories.js!, shorter, 'whole', made.limits)
      const still = differenceIn({ ...made, body: shorter, page: undefined }, whole)
      if (still === undefined) at += length
      else {
        body = shorter
        last = still
      }
    }
  }
  const { cuts, limits } = made
  return [
    `TRUTO_EXPORT_SEED=${seed}, cut at ${JSON.stringify(cuts)}, limits ${JSON.stringify(limits)}`,
    `body (latin1): ${JSON.stringify(body.toString('latin1'))}`,
    last,
  ].join('\n')
}

describe.each(byteEngines)('%s', (name) => {
  test('a long page in chunks of any size gives every byte of every record, while its window moves and grows', async () => {
    const rounds = isSoak ? 300 : 3
    const seed = runSeed()
    let records = 0
    for (let round = 0; round < rounds; round++) {
      const random = new Random(seed + round)
      const page = longPage(random)
      records += expectRecords(name, page, randomChunks(random), `seed ${seed + round}`)
      await setImmediate()
    }
    expect(records).toBeGreaterThan(1000 * rounds)
  })

  test('records whose size is about that of a window or of a step come out whole, whatever stands before them', () => {
    const borders = isSoak ? [64, 128, 256, 512, 1024] : [64, 256]
    const offsets = isSoak
      ? Array.from({ length: 145 }, (_, i) => i - 72)
      : [-72, -65, -64, -63, -16, -8, -1, 0, 1, 16, 64]
    for (const border of borders) {
      for (const offset of offsets) {
        const length = border * KiB + offset
        const large = `{"a":"${'x'.repeat(length - 8)}"}`
        for (const before of ['', ' '.repeat(53), '{"b":"é"},'.repeat(97)]) {
          const body = Buffer.from(`{"result":[${before}${large},{"c":1}]}`)
          const outcome = sliceBody(factories[name]!, body, 64 * KiB)
          expect(outcome.failure).toBeUndefined()
          const [last, given] = [outcome.records.pop(), outcome.records.pop()]
          // compared as booleans: a difference in texts this long says nothing
          expect({ border, offset, isSame: given === large, last }).toEqual({
            border,
            offset,
            isSame: true,
            last: '{"c":1}',
          })
        }
      }
    }
  })

  test.each([
    ['{}', 200_000],
    ['{"a":1}', 100_000],
    ['{"id":"U0123456789"}', 50_000],
  ])('many tiny records %s come out one and all', (record, count) => {
    const body = Buffer.from(`{"result":[${Array(count).fill(record).join(',')}],"next_cursor":null}`)
    for (const cuts of [63, 65, 4096, 64 * KiB, 'whole'] as const) {
      const slicer = factories[name]!(defaultOptions)
      const lines: Buffer[] = []
      let records = 0
      for (let at = 0; at < body.length; ) {
        const size = cuts === 'whole' ? body.length : cuts
        for (const batch of slicer.push(body.subarray(at, at + size))) {
          if (!batch.isLines) throw new Error('compact records that are not lines')
          records += batch.count
          lines.push(Buffer.from(batch.bytes.subarray(batch.start(0), batch.end(batch.count - 1) + 1)))
        }
        at += size
      }
      for (const batch of slicer.end()) records += batch.count
      expect({ cuts, records }).toEqual({ cuts, records: count })
      expect(Buffer.concat(lines).equals(Buffer.from(`${record}\n`.repeat(count)))).toBe(true)
    }
  })

  test('an error names the byte and the record, however far into a long page it is', () => {
    const random = new Random(runSeed())
    for (let round = 0; round < (isSoak ? 200 : 6); round++) {
      const { body, records } = randomPage(random, { isValid: true, framing: 'envelope', records: 2000 })
      const index = random.between(1000, records.length - 1)
      const record = records[index]!
      const broken = Buffer.concat([body.subarray(0, record.end - 1), Buffer.from('\u0001'), body.subarray(record.end)])
      const whole = sliceBody(factories.js!, broken, 1000)
      for (const cuts of [randomCuts(random, 5000), 64 * KiB, 'whole'] as const) {
        const { failure } = sliceBody(factories[name]!, broken, cuts)
        expect(failure).toMatchObject({
          code: 'ERR_JSON_SYNTAX',
          recordIndex: index,
          byteOffset: whole.failure!.byteOffset,
        })
        expect(failure!.byteOffset).toBe(record.end - 1)
      }
    }
  })

  test('the excerpt of an error is taken from around its byte', () => {
    const random = new Random(runSeed())
    // the byte behind a batch's last record has become a line feed, whatever separator or white space it was
    const spaced = (text: string): string => text.replace(/[ \t\r\n,\]}]/g, ' ')
    for (let round = 0; round < 500; round++) {
      const body = damaged(random, randomPage(random, { isValid: true }).body)
      const { failure } = sliceBody(factories[name]!, body, randomCuts(random, body.length))
      expect(failure?.message ?? '').not.toContain(', near ')
      const excerpt = /, near (".*")$/s.exec(failure?.shown ?? '')?.[1]
      if (excerpt === undefined || !isUtf8(body)) continue
      const text: string = JSON.parse(
        excerpt.replace(/\\u\{([0-9a-f]+)\}/g, (_, digits: string) => `\\u${digits.padStart(4, '0')}`),
      )
      const at = failure!.byteOffset!
      const around = spaced(body.toString('utf8', Math.max(0, at - 100), at + 100))
      expect(text.length).toBeLessThanOrEqual(40)
      // characters that the excerpt's ends cut are no part of the comparison
      const inner = spaced(text as string).replace(/^\ufffd+|\ufffd+$/g, '')
      expect({ around, inner, isPart: around.includes(inner) }).toEqual({ around, inner, isPart: true })
    }
  })
})

/** A page of one to three MB, now and then with records larger than any window. */
function longPage(random: Random): RandomPage {
  const framing = random.pick(['envelope', 'keyed', 'slack', 'graph', 'array', 'ndjson'])
  return randomPage(random, {
    isValid: true,
    framing,
    records: random.between(3000, 6000),
    largeRecords: random.below(8),
  })
}

/** Lengths of chunks, to be repeated: of one kind, so that now all are tiny and now all are large, or mixed. */
function randomChunks(random: Random): readonly number[] {
  const kinds: (() => number)[] = [
    () => random.between(1, 130),
    () => 64 * random.between(1, 100) + random.between(-1, 1),
    () => 4 * KiB + random.between(-1, 1),
    () => 64 * KiB + random.between(-1, 1),
    () => 256 * KiB + random.between(-65, 65),
    () => random.between(1, 400 * KiB),
  ]
  const isMixed = random.chance(50)
  const kind = random.pick(kinds)
  return Array.from({ length: 50 }, () => (isMixed ? random.pick(kinds) : kind)())
}

/** Slices `page` and holds each record against its bytes in the body. Returns their number. */
function expectRecords(name: string, page: RandomPage, cuts: Cuts, label: string): number {
  const slicer = factories[name]!({ ...defaultOptions, isNdjson: page.isNdjson })
  let index = 0
  const take = (batch: RecordBatch): void => {
    for (let i = 0; i < batch.count; i++, index++) {
      if (!batch.slice(i).equals(recordBytes(page, index)))
        throw new Error(`${label}: record ${index} differs: ${batch.text(i).slice(0, 1000)}`)
    }
  }
  for (const chunk of chunksOf(page.body, cuts)) for (const batch of slicer.push(chunk)) take(batch)
  for (const batch of slicer.end()) take(batch)
  expect({ label, index, facts: slicer.facts }).toMatchObject({
    label,
    index: page.records.length,
    facts: { framing: page.framing, records: page.records.length, bytes: page.body.length },
  })
  return index
}
