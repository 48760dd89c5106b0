// What `RecordFields` owes, as checks that any slicer whose batches have them can be run against. The pages are written
// by the tests and know their members.

import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { SlicerFactory, SlicerOptions } from '../../src/json/slicer.js'
import type { RecordBatch } from '../../src/record.js'
import { Random, runSeed } from './random.js'
import {
  type RandomPage,
  type RandomRecord,
  randomCuts,
  randomPage,
  recordBytes,
  recordBytesWith,
  trickyKeys,
} from './random-pages.js'
import { type Cuts, chunksOf, defaultOptions } from './slicing.js'

const isSoak = process.env['TRUTO_EXPORT_SOAK'] === '1'
const KiB = 1024

/**
 * Runs all checks against the slicers of `factory`. A batch may lack fields, where the engine could not note its
 * members as it went; those that it has must be right, and the common batch must have them.
 * @param isEager whether small batches have them too, so that a check in which none has some has checked nothing
 */
export function recordFieldsConformance(factory: SlicerFactory, { isEager }: { isEager: boolean }): void {
  const compare = (records: Member[][], cuts: Cuts, lists: readonly (readonly string[])[], label: string): void => {
    compareAll(factory, pageOf(records), cuts, lists, label)
    // an engine may leave keys with escapes to others, and may have to end a batch of records in another way: so
    // without the ones, and the last record alone
    const page = pageOf(records.map((members) => members.filter(([key]) => !key.includes('\\'))))
    compareAll(factory, page, cuts, lists, `${label}, no escapes`)
    const compared = compareAll(factory, page, [page.records.at(-1)!.start, page.body.length], lists, label)
    if (isEager && compared < page.records.length - 1) throw new Error(`${label}: only ${compared} records had fields`)
  }

  test('values are located, members excluded and members selected in random pages of every framing, cut anywhere', async () => {
    const first = runSeed()
    let compared = 0
    for (let i = 0; i < (isSoak ? 100_000 : 600); i++) {
      const seed = (first + i) >>> 0
      const random = new Random(seed)
      const records = random.pick([1, 2, 3, 10, 40])
      const page = randomPage(random, { isValid: true, hasPlainKeys: random.chance(70), records })
      // an engine may read the last record in another way, and the first batch of lines
      const last = page.records.at(-1)!.start
      const cuts = random.chance(50) ? randomCuts(random, page.body.length) : [last, page.body.length]
      const lists = [someNames(random, page), someNames(random, page), []]
      compared += compareAll(factory, page, cuts, lists, `TRUTO_EXPORT_SEED=${seed}`)
      if (i % 500 === 0) await setImmediate() // the runner wants to hear from us
    }
    if (isEager) expect(compared).toBeGreaterThan(isSoak ? 100_000 : 600)
  })

  test('a long page keeps its fields while its window moves and grows', async () => {
    const first = runSeed()
    for (let round = 0; round < (isSoak ? 100 : 3); round++) {
      const random = new Random(first + round)
      const framing = random.pick(['envelope', 'array', 'ndjson', 'slack'])
      const page = randomPage(random, {
        isValid: true,
        framing,
        records: 3000,
        largeRecords: random.below(5),
        hasPlainKeys: random.chance(70),
      })
      const cuts = Array.from({ length: 20 }, () => random.between(1, random.pick([1000, 64 * KiB, 300 * KiB])))
      const lists = [someNames(random, page), someNames(random, page)]
      compareAll(factory, page, cuts, lists, `TRUTO_EXPORT_SEED=${first + round}`)
      await setImmediate()
    }
  })

  test('every token of a record may be the one that a border of a block falls on', () => {
    const members: Member[] = [
      ['id', '"U1\\"\\\\"'],
      ['i\\u0064', '{"id":[{"id":1},"id"],"name":{}}'],
      ['n', '-12.5e+10'],
      ['t', ' true '],
      ['\\"\\\\', '"é漢😀"'],
      ['é', ' [ "]" , {"é":"}"} ] '],
      ['last', 'null'],
    ]
    for (let shift = 0; shift < 130; shift++) {
      const texts: Member[][] = [[['pad', `"${'x'.repeat(shift)}"`], ...members], members, [...members].reverse()]
      const records = [...texts, ...texts]
      for (const cuts of ['whole', 64, shift + 1] as const)
        compare(
          records,
          cuts,
          [
            ['last', 'id', 'é', 'none'],
            ['"\\', 'n', 't'],
          ],
          `shift ${shift}`,
        )
    }
  })

  test('keys of every length are told from those that differ in one byte, are longer or shorter', () => {
    for (let length = 0; length <= 140; length++) {
      const key = 'k'.repeat(length)
      const others = [`${key}k`, key.slice(1), `${key.slice(1)}l`, `l${key.slice(1)}`, `${key}\\u006b`].filter(
        (other) => other !== key,
      )
      const members: Member[] = [...others, key].map((name, i) => [name, String(i)])
      const records = [members, [...members].reverse(), members.slice(0, -1)]
      compare(records, 'whole', [[key], [others[0]!], [key, ...new Set(others.slice(0, 3))]], `length ${length}`)
    }
  })

  test('of a repeated member the last counts, and all copies are left out, however they are spelled', () => {
    const records: Member[][] = [
      [
        ['a', '1'],
        ['a', '22'],
        ['a', '333'],
      ],
      [
        ['a', '1'],
        ['b', '2'],
        ['\\u0061', '[3]'],
        ['c', '4'],
      ],
      [
        ['\\u0061', '1'],
        ['a', '{"a":2}'],
        ['b', '3'],
      ],
      [
        ['b', '1'],
        ['a', '2'],
        ['b', '"a"'],
        ['a', 'null'],
        ['b', '5'],
      ],
      [['c', '1']],
      [],
    ]
    for (const cuts of ['whole', 1, 7] as const)
      compare(records, cuts, [['a'], ['b', 'a'], ['c'], ['a', 'b', 'c']], `cuts ${cuts}`)
  })

  test('columns that move, come and go from record to record are found again', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    const random = new Random(runSeed())
    const records = Array.from({ length: 400 }, (_, i): Member[] => {
      const present = names.filter(() => i % 50 > 40 || random.chance(80))
      const ordered = i % 7 === 0 ? random.shuffle(present) : present
      return ordered.map((name) => [name, String(random.below(1000))])
    })
    compare(records, 'whole', [names, ['h', 'a'], ['d'], ['x', 'e', 'y']], 'columns')
  })

  test('names that no UTF-8 can hold match only their own spelling', () => {
    const keys = ['\\ud800', '\\ufffd', '\ufffd', '\\udc00', '\\ud800\\udc00', '\u{10000}', '\\udc00\\ud800', '?']
    const records = [keys.map((key, i): Member => [key, String(i)])]
    const names = ['\ud800', '\ufffd', '\udc00', '\u{10000}', '\udc00\ud800', '?', '\ud801']
    compare(records, 'whole', [names, ...names.map((name) => [name])], 'surrogates')
  })

  test('objects inside of a record are not searched, also where they are deep', () => {
    const deep = (levels: number): string => `${'{"a":['.repeat(levels)}{"a":1,"b":2}${']}'.repeat(levels)}`
    const records = (levels: readonly number[]): Member[][] =>
      levels.map((count) => [
        ['b', '0'],
        ['c', deep(count)],
        ['d', '"a"'],
      ])
    const lists = [['a', 'b'], ['a'], ['d', 'c']]
    compare(records([1, 2, 15, 28, 29]), 'whole', lists, 'depth')
    // deeper than a word of kinds: an engine may leave such a record, and its batch, to others
    const deeper = pageOf(records([30, 31, 32, 33, 62, 63, 64, 65, 100, 200]))
    for (const cuts of ['whole', 64, 500] as const) compareAll(factory, deeper, cuts, lists, 'more depth')
  })

  test('a record of thousands of members, and thousands of records of one, are no different', () => {
    const wide = Array.from({ length: 20_000 }, (_, i): Member => [`key${i % 15_000}`, String(i)])
    const page = pageOf([[['key1', '"x"']], wide, [['key2', '"y"']]])
    compareAll(
      factory,
      page,
      'whole',
      [
        ['key1', 'key14999', 'none'],
        ['key2', 'key7'],
      ],
      'wide',
    )
    const tiny = Array.from({ length: 40_000 }, (_, i): Member[] => [[i % 3 === 0 ? 'a' : 'b', String(i % 10)]])
    compareAll(factory, pageOf(tiny), 64 * KiB, [['b'], ['a', 'b']], 'tiny')
    // as many to a step as there can be
    const empty = Array.from({ length: 200_000 }, (): Member[] => [])
    for (const [records, label] of [
      [tiny, 'tiny, large steps'],
      [empty, 'empty'],
    ] as const) {
      const page = pageOf(records)
      const cuts = [page.records.at(-1)!.start, page.body.length]
      const compared = compareAll(factory, page, cuts, [['b'], ['a', 'b']], label)
      if (isEager) expect(compared, label).toBeGreaterThanOrEqual(records.length - 1)
    }
  })

  test('hundreds of names are located and excluded at once', () => {
    const names = Array.from({ length: 300 }, (_, i) => `name${i}`)
    const records = [0, 1, 150, 299].map((first) => names.slice(first).map((name, i): Member => [name, String(i)]))
    compare(records, 'whole', [names, names.slice(250), ['name299', 'name0']], 'names')
  })

  test('a record with white space between all of its tokens loses what stands between two separators, and nothing else', () => {
    for (const length of [1, 2, 61, 64, 130]) {
      const space = ' \t'.repeat(length).slice(0, length)
      const body = `[{"a":1},${space}{${space}"a"${space}:${space}1${space},${space}"b"${space}:${space}"x"${space}}${space},{${space}}]`
      const without = (name: string): (string | null)[] => {
        const lines: (string | null)[] = []
        eachBatch(factory, Buffer.from(body), [body.lastIndexOf(',') + 1, body.length], {}, (batch) => {
          if (batch.firstRecordIndex > 1 || batch.firstRecordIndex + batch.count < 2) return
          const result = batch.fields?.exclude([name])
          const at = 2 * (1 - batch.firstRecordIndex)
          lines.push(result ? result.bytes.toString('utf8', result.bounds[at], result.bounds[at + 1]) : null)
        })
        return lines
      }
      const [a, b] = [`${space}"a"${space}:${space}1${space}`, `${space}"b"${space}:${space}"x"${space}`]
      for (const [name, expected] of [
        ['a', `{${b}}`],
        ['b', `{${a}}`],
        ['c', `{${a},${b}}`],
      ] as const)
        expect(isEager ? [[expected]] : [[expected], [null]]).toContainEqual(without(name))
    }
  })

  test('lines with blank ones between them keep their fields apart, wherever a record ends in a block', () => {
    for (let length = 20; length < 150; length++) {
      const records: Member[][] = [
        [['id', '1']],
        [
          ['id', '1'],
          ['b', `"${'x'.repeat(length)}"`],
        ],
        [
          ['c', '2'],
          ['id', '[3]'],
        ],
      ]
      for (const divider of ['\n\n', '\r\n\r\n', '\n \n', `\n${' '.repeat(70)}\n`]) {
        const page = pageOf(records, { dividers: ['\n', divider], framing: 'ndjson' })
        const [, second, third] = page.records
        // the first line alone, then one record and the beginning of another
        const cuts = [second!.start, third!.start + 7 - second!.start, page.body.length]
        compareAll(factory, page, cuts, [['id', 'b'], ['c']], `length ${length}, divider ${JSON.stringify(divider)}`)
      }
    }
  })

  test.each(['array', 'envelope', 'ndjson', 'slack'])(
    'most batches of a common page in %s framing have fields',
    (framing) => {
      const record = '{"id":"U0123456789","name":"Ada","emails":[{"email":"a@example.com"}],"remote_data":{"id":1}}'
      const records = Array(5000).fill(record)
      const list = `[${records.join(',')}]`
      const bodies: Record<string, string> = {
        array: list,
        envelope: `{"result":${list},"next_cursor":null}`,
        ndjson: records.join('\n'),
        slack: `{"ok":true,"members":${list}}`,
      }
      let [withFields, all] = [0, 0]
      eachBatch(factory, Buffer.from(bodies[framing]!), 64 * KiB, { isNdjson: framing === 'ndjson' }, (batch) => {
        all += batch.count
        if (batch.fields !== undefined) withFields += batch.count
      })
      expect(all).toBe(5000)
      expect(withFields).toBeGreaterThan(4000)
    },
  )

  test('without being asked for, batches have no fields', () => {
    const body = Buffer.from(`[${Array(1000).fill('{"a":1}').join(',')}]`)
    const slicer = factory(defaultOptions)
    for (const batch of slicer.push(body)) expect(batch.fields).toBeUndefined()
    for (const batch of slicer.end()) expect(batch.fields).toBeUndefined()
  })
}

type Member = [spelledKey: string, value: string]

/** A page of these records and an empty one, without white space but for what the values have around them and the
 *  dividers have, which come in turns. */
function pageOf(
  records: readonly (readonly Member[])[],
  { dividers = [','], framing = 'array' }: { dividers?: readonly string[]; framing?: 'array' | 'ndjson' } = {},
): RandomPage {
  const [open, close] = framing === 'array' ? '[]' : ['', '']
  const page: RandomPage = {
    body: Buffer.alloc(0),
    framing,
    records: [],
    pageKeys: [],
    isNdjson: framing === 'ndjson',
    depth: 0,
  }
  let body = open!
  let start = open!.length
  for (const [index, members] of [...records, []].entries()) {
    const divider = index < records.length ? dividers[index % dividers.length]! : ''
    const written: RandomRecord['members'] = []
    const parts: string[] = []
    let from = 1
    for (const [key, value] of members) {
      const valueFrom = from + Buffer.byteLength(key) + 3
      const valueStart = valueFrom + value.length - value.trimStart().length
      const to = valueFrom + Buffer.byteLength(value)
      const valueEnd = to - (value.length - value.trimEnd().length)
      written.push({ key: JSON.parse(`"${key}"`), from, to, valueStart, valueEnd })
      parts.push(`"${key}":${value}`)
      from = to + 1
    }
    const end = start + Math.max(from, 2)
    body += `{${parts.join(',')}}${divider}`
    page.records.push({ start, end, isBareId: false, members: written })
    start = end + divider.length
  }
  page.body = Buffer.from(body + close)
  return page
}

/** Names of some members of the page, some that are like them, and some of nothing; each once. */
function someNames(random: Random, page: RandomPage): string[] {
  const names = new Set<string>()
  for (let i = random.below(5); i > 0; i--) names.add(random.pick(trickyKeys))
  for (let i = random.below(4); i > 0; i--) {
    const { members } = page.records.length > 0 ? random.pick(page.records) : { members: [] }
    if (members.length > 0) names.add(random.pick(members).key)
  }
  return random.shuffle([...names])
}

/** Slices `page` with fields and holds those of each batch against what was written, with each list of names, in turns.
 *  Returns how many records had fields. */
function compareAll(
  factory: SlicerFactory,
  page: RandomPage,
  cuts: Cuts,
  lists: readonly (readonly string[])[],
  label: string,
): number {
  let records = 0
  let compared = 0
  eachBatch(factory, page.body, cuts, { isNdjson: page.isNdjson }, (batch) => {
    const first = records
    records += batch.count
    if (batch.fields === undefined) return
    compared += batch.count
    for (const names of lists) {
      compareRanges(batch, page, first, names, label)
      compareLines(batch, page, first, names, label)
    }
    // the first list again, after others and after exclusions, by the same array
    compareRanges(batch, page, first, lists[0]!, label)
    for (let i = 0; i < batch.count; i++)
      if (!batch.slice(i).equals(recordBytes(page, first + i)))
        throw new Error(`${label}: record ${first + i} was changed by its fields`)
  })
  if (records !== page.records.length) throw new Error(`${label}: ${records} records, not ${page.records.length}`)
  return compared
}

function compareRanges(
  batch: RecordBatch,
  page: RandomPage,
  first: number,
  names: readonly string[],
  label: string,
): void {
  const ranges = answer(label, () => batch.fields!.locate(names))
  for (let i = 0; i < batch.count; i++) {
    const { members } = page.records[first + i]!
    for (let n = 0; n < names.length; n++) {
      const member = members.findLast(({ key }) => key === names[n])
      const start = batch.start(i)
      const expected = member === undefined ? [0, 0] : [start + member.valueStart, start + member.valueEnd]
      const at = 2 * (i * names.length + n)
      if (ranges[at] === expected[0] && ranges[at + 1] === expected[1]) continue
      const [given, wanted] = [`[${ranges[at]}, ${ranges[at + 1]}]`, `[${expected}]`]
      const where = `${label}: ${JSON.stringify(names[n])} of record ${first + i}, number ${i} of its batch`
      throw new Error(`${where}, is at ${given}, not ${wanted}: ${batch.text(i).slice(0, 2000)}`)
    }
  }
}

function compareLines(
  batch: RecordBatch,
  page: RandomPage,
  first: number,
  names: readonly string[],
  label: string,
): void {
  compareKept(batch, page, first, names, { label, how: 'exclude' })
  compareKept(batch, page, first, names, { label, how: 'select' })
}

function compareKept(
  batch: RecordBatch,
  page: RandomPage,
  first: number,
  names: readonly string[],
  { label, how }: { label: string; how: 'exclude' | 'select' },
): void {
  const { bytes, bounds, met } = answer(label, () => batch.fields![how](names))
  const given = page.records.slice(first, first + batch.count)
  const isThere = names.map((name) => given.some(({ members }) => members.some(({ key }) => key === name)))
  if (names.some((_, n) => met[n] !== Number(isThere[n]))) {
    throw new Error(`${label}: ${how} ${JSON.stringify(names)} met ${met.join()}`)
  }
  for (let i = 0; i < batch.count; i++) {
    const where = `${label}: ${how} ${JSON.stringify(names)} of record ${first + i}`
    const [start, end] = [bounds[2 * i]!, bounds[2 * i + 1]!]
    const expected = recordBytesWith(page, first + i, (name) => names.includes(name) === (how === 'select'))
    if (!bytes.subarray(start, end).equals(expected))
      throw new Error(
        `${where} is ${bytes.toString('utf8', start, end).slice(0, 1000)}, not ${expected.toString().slice(0, 1000)}`,
      )
    if (bytes[end] !== 0x0a) throw new Error(`${where} has no line feed behind it`)
    if (i > 0 && start !== bounds[2 * i - 1]! + 1) throw new Error(`${where} does not follow the line before`)
  }
}

/** What `call` gives. So few names are no reason not to answer. */
function answer<T>(label: string, call: () => T | null): T {
  let result: T | null
  try {
    result = call()
  } catch (cause) {
    throw new Error(`${label}: ${String(cause)}`, { cause })
  }
  if (result === null) throw new Error(`${label}: no answer`)
  return result
}

function eachBatch(
  factory: SlicerFactory,
  body: Buffer,
  cuts: Cuts,
  options: Partial<SlicerOptions>,
  use: (batch: RecordBatch) => void,
): void {
  const slicer = factory({ ...defaultOptions, ...options, withFields: true })
  for (const chunk of chunksOf(body, cuts)) for (const batch of slicer.push(chunk)) use(batch)
  for (const batch of slicer.end()) use(batch)
}
