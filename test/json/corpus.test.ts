// Every engine accepts and refuses what JSON.parse does, over a corpus of texts at the edges of the grammar.

import { describe, expect, test } from 'vitest'
import { type EngineName, engineNames, type SlicerFactory, slicerFactory } from '../../src/json/slicer.js'
import { corpus } from './corpus.js'
import { type Cuts, chunkSizes, sliceBody } from './slicing.js'

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

function cutsFor(name: EngineName): readonly Cuts[] {
  return name === 'js' ? [...Array.from({ length: 130 }, (_, i) => i + 1), 'whole'] : chunkSizes
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
      const expected = parse(body)
      for (const cuts of cutsFor(name)) {
        const { failure, records } = sliceBody(engines[name], body, cuts)
        const seen = { text: body.toString(), cuts }
        if (expected === undefined)
          expect({ ...seen, code: failure?.code }).toEqual({ ...seen, code: expect.toBeOneOf(grammarCodes) })
        else {
          expect({ ...seen, line: failure?.line }).toEqual({ ...seen, line: undefined })
          expect({ result: records.map((record) => JSON.parse(record)) }).toEqual(expected.value)
        }
      }
    }
  })

  test('accepts a text as a skipped member exactly where JSON.parse does', () => {
    for (const { bytes } of texts) {
      const body = Buffer.concat([Buffer.from('{"result":[{}],"v":'), bytes, Buffer.from('}')])
      const isValid = parse(body) !== undefined
      for (const cuts of chunkSizes) {
        const { failure } = sliceBody(engines[name], body, cuts)
        const seen = { text: body.toString(), cuts }
        expect({ ...seen, code: failure?.code }).toEqual({
          ...seen,
          code: isValid ? undefined : expect.toBeOneOf(grammarCodes),
        })
      }
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
