// Every engine accepts and refuses what JSON.parse does, over a corpus of texts at the edges of the grammar.

import { describe, expect, test } from 'vitest'
import { type EngineName, engineNames, type SlicerFactory, slicerFactory } from '../../src/json/slicer.js'
import { corpus } from './corpus.js'
import { type Cuts, chunkSizes, type Outcome, sliceBody } from './slicing.js'

const grammarCodes = ['ERR_JSON_SYNTAX', 'ERR_UTF8', 'ERR_BODY_TRUNCATED']
const engines = {} as Record<EngineName, SlicerFactory>
for (const name of engineNames) engines[name] = await slicerFactory(name)

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

/** The `js` engine is cut at every size, up to 130 bytes. */
function cutsFor(name: EngineName, body: Buffer): readonly Cuts[] {
  if (name !== 'js') return chunkSizes
  return [...Array.from({ length: Math.min(130, body.length - 1) }, (_, i) => i + 1), 'whole']
}

/** All outcomes are that of JSON.parse: none failed, or all for the same reason at the same byte. Returns whether the body is valid. */
function expectVerdict(body: Buffer, outcomes: Outcome[]): boolean {
  const isValid = parse(body) !== undefined
  const verdicts = new Set(outcomes.map(({ failure }) => failure && `${failure.code} at ${failure.byteOffset}`))
  const expected = isValid ? undefined : expect.stringMatching(new RegExp(`^(${grammarCodes.join('|')}) at `))
  expect({ body: body.toString(), verdicts: [...verdicts] }).toEqual({ body: body.toString(), verdicts: [expected] })
  return isValid
}

test('the corpus is large, has no text twice, and its prefixes are what JSON.parse says', () => {
  expect(texts.length).toBeGreaterThan(300)
  const repeated = texts.filter(({ bytes }, i) => texts.findIndex((other) => other.bytes.equals(bytes)) !== i)
  expect(repeated.map(({ bytes }) => bytes.toString())).toEqual([])
  const wrong = texts.filter(({ prefix, bytes }) => prefix !== 'i' && (prefix === 'y') !== (parse(bytes) !== undefined))
  expect(wrong.map(({ bytes }) => bytes.toString())).toEqual([])
})

describe.each(engineNames)('%s', (name) => {
  test('accepts a text inside a record exactly where JSON.parse does, with its value', () => {
    for (const { bytes } of texts) {
      const body = Buffer.concat([Buffer.from('{"result":[{"v":'), bytes, Buffer.from('}]}')])
      const outcomes = cutsFor(name, body).map((cuts) => sliceBody(engines[name], body, cuts))
      const isValid = expectVerdict(body, outcomes)
      const texts = new Set(outcomes.map(({ records }) => records.join('\n')))
      if (!isValid) continue
      expect(texts.size).toBe(1)
      expect({ result: outcomes[0]!.records.map((record) => JSON.parse(record)) }).toEqual(parse(body)!.value)
    }
  })

  test('accepts a text as a skipped member exactly where JSON.parse does', () => {
    for (const { bytes } of texts) {
      const body = Buffer.concat([Buffer.from('{"result":[{}],"v":'), bytes, Buffer.from('}')])
      expectVerdict(
        body,
        chunkSizes.map((cuts) => sliceBody(engines[name], body, cuts)),
      )
    }
  })

  test('refuses a text as a whole body where JSON.parse does, and calls no valid one wrong in its grammar', () => {
    for (const { bytes } of texts) {
      const isValid = parse(bytes) !== undefined
      const codes = chunkSizes.map((cuts) => sliceBody(engines[name], bytes, cuts).failure?.code)
      const seen = { text: bytes.toString() }
      expect({ ...seen, codes: [...new Set(codes)] }).toEqual({ ...seen, codes: [codes[0]] })
      if (isValid) expect(grammarCodes).not.toContain(codes[0])
      else expect({ ...seen, code: codes[0] }).toEqual({ ...seen, code: expect.stringMatching(/^ERR_/) })
    }
  })
})
