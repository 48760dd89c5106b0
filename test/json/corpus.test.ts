// Every engine accepts and refuses what JSON.parse does after a fatal decoding, over a corpus of texts at the edges of
// the grammar: in chunks of every size up to two blocks of 64 bytes, with the text beginning at any byte of a block.

import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { corpus } from './corpus.js'
import { factories, factoryNames } from './factories.js'
import { Random, runSeed } from './random.js'
import { type Cuts, chunkSizes, keepsBytes, type Outcome, sliceBody } from './slicing.js'

const isSoak = process.env['TRUTO_EXPORT_SOAK'] === '1'
const grammarCodes = ['ERR_JSON_SYNTAX', 'ERR_UTF8', 'ERR_BODY_TRUNCATED']
const seed = runSeed()

const texts = Object.entries(corpus).flatMap(([prefix, list]) =>
  list.map((text) => ({ prefix, bytes: Buffer.from(text) })),
)

/** JSON.parse after a fatal decoding, which skips a byte order mark. */
function parse(body: Buffer): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) }
  } catch {
    return undefined
  }
}

/** Numbers of spaces before a text: all that differ in a block, or some that differ from run to run. */
function paddings(random: Random, soakCount: number): readonly number[] {
  if (!isSoak) return [random.below(64)]
  return soakCount === 64 ? everyPadding : Array.from({ length: soakCount }, () => random.below(64))
}
const everyPadding = Array.from({ length: 64 }, (_, i) => i)

/** Engines that keep bytes are cut at every size up to 130 bytes, or at some. */
function cutsFor(name: string, body: Buffer): readonly Cuts[] {
  if (!keepsBytes(name)) return chunkSizes
  const sizes = isSoak ? everySize : [...usualSizes, ...Array.from({ length: 2 }, () => sizeRandom.between(4, 130))]
  return [...sizes.filter((size) => size < body.length), 'whole']
}
const everySize = Array.from({ length: 130 }, (_, i) => i + 1)
const usualSizes = [1, 2, 3, 7, 63, 64, 65]
const sizeRandom = new Random(seed)

/** The one outcome of `body` in chunks of every size. @throws where they differ in their verdict or its place */
function outcomeOf(name: string, body: Buffer): Outcome {
  const expected = sliceBody(factories.js!, body)
  for (const cuts of cutsFor(name, body)) {
    const { failure, records } = sliceBody(factories[name]!, body, cuts)
    const isSame =
      failure?.code === expected.failure?.code &&
      failure?.byteOffset === expected.failure?.byteOffset &&
      failure?.recordIndex === expected.failure?.recordIndex &&
      (failure !== undefined || !keepsBytes(name) || records.join() === expected.records.join())
    if (!isSame) {
      const [given, wanted] = [failure?.line ?? records, expected.failure?.line ?? expected.records]
      throw new Error(`${JSON.stringify(body.toString())} in chunks of ${cuts}: ${given}, not ${wanted}`)
    }
  }
  return keepsBytes(name) ? expected : sliceBody(factories[name]!, body)
}

/** Accepts what JSON.parse does, and refuses the rest as a matter of grammar. */
function expectVerdict(body: Buffer, { failure }: Outcome): void {
  const expected =
    parse(body) === undefined ? expect.stringMatching(new RegExp(`^(${grammarCodes.join('|')})$`)) : undefined
  expect({ body: body.toString(), code: failure?.code }).toEqual({ body: body.toString(), code: expected })
}

/** Gives each text after each padding. `soakCount` is how many of those a long run takes. */
async function eachPadded(soakCount: number, body: (padded: Buffer, text: Buffer) => void): Promise<void> {
  const random = new Random(seed)
  for (const { bytes } of texts) {
    for (const padding of paddings(random, soakCount)) body(Buffer.concat([Buffer.alloc(padding, ' '), bytes]), bytes)
    if (isSoak) await setImmediate() // the runner wants to hear from us
  }
}

test('the corpus is large, has no text twice, and its prefixes are what JSON.parse says', () => {
  expect(texts.length).toBeGreaterThan(950)
  const keys = texts.map(({ bytes }) => bytes.toString('latin1'))
  expect(keys.filter((key, i) => keys.indexOf(key) !== i)).toEqual([])
  const wrong = texts.filter(({ prefix, bytes }) => prefix !== 'i' && (prefix === 'y') !== (parse(bytes) !== undefined))
  expect(wrong.map(({ bytes }) => bytes.toString())).toEqual([])
})

describe.each(factoryNames)('%s', (name) => {
  test('accepts a text inside a record exactly where JSON.parse does, with its value', async () => {
    await eachPadded(64, (padded) => {
      const body = Buffer.concat([Buffer.from('{"result":[{},{"v":'), padded, Buffer.from('},{}]}')])
      const outcome = outcomeOf(name, body)
      expectVerdict(body, outcome)
      if (outcome.failure === undefined)
        expect({ result: outcome.records.map((record) => JSON.parse(record)) }).toEqual(parse(body)!.value)
    })
  })

  test('accepts a text as a skipped member exactly where JSON.parse does', async () => {
    await eachPadded(4, (padded) => {
      const body = Buffer.concat([Buffer.from('{"result":[{}],"v":'), padded, Buffer.from('}')])
      expectVerdict(body, outcomeOf(name, body))
    })
  })

  test('refuses a text as a line of NDJSON where JSON.parse does', async () => {
    await eachPadded(64, (padded, text) => {
      // brackets that the text closes too early would be lines of their own
      if (text.includes(0x0a) || text.includes(0x0d)) return
      const body = Buffer.concat([Buffer.from('{"a":1}\n{"v":'), padded, Buffer.from('}\n{"b":2}\n')])
      const { failure, records } = outcomeOf(name, body)
      const isValid = parse(Buffer.concat([Buffer.from('{"v":'), padded, Buffer.from('}')])) !== undefined
      expect({ text: text.toString(), isTaken: failure === undefined }).toEqual({
        text: text.toString(),
        isTaken: isValid,
      })
      if (isValid) expect(JSON.parse(records[1]!).v).toEqual(parse(padded)!.value)
      else expect(grammarCodes).toContain(failure!.code)
    })
  })

  test('refuses a text as a whole body where JSON.parse does, and calls no valid one wrong in its grammar', async () => {
    await eachPadded(4, (padded) => {
      const { failure } = outcomeOf(name, padded)
      const isValid = parse(padded) !== undefined
      const seen = { text: padded.toString() }
      if (isValid) expect(grammarCodes).not.toContain(failure?.code)
      else expect({ ...seen, code: failure?.code }).toEqual({ ...seen, code: expect.stringMatching(/^ERR_/) })
    })
  })
})
