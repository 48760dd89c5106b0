// Properties of all engines over random documents cut at random places: what a valid page gives, and that a damaged one
// gets one verdict, whatever the engine and the chunks, which is also that of JSON.parse after a fatal decoding.

import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { type EngineName, engineNames } from '../../src/json/engine-names.js'
import { slicerFactory } from '../../src/json/engines.js'
import type { SlicerFactory } from '../../src/json/slicer.js'
import { cuts, damagedBody, page } from './documents.js'
import { keepsBytes, type Outcome, parses, sliceBody, valueIn, verdict } from './slicing.js'

const numRuns = 300 * (process.env['TRUTO_EXPORT_SOAK'] === '1' ? 50 : 1)

const engines = {} as Record<EngineName, SlicerFactory>
beforeAll(async () => {
  for (const name of engineNames) engines[name] = await slicerFactory(name)
})

test.each(engineNames)('%s gives the records, framing and cursor of any page, cut anywhere', (name) => {
  fc.assert(
    fc.property(page, cuts, ({ text, records, framing, cursor }, lengths) => {
      const outcome = sliceBody(engines[name], text, lengths)
      expect(outcome.failure).toBeUndefined()
      expect(outcome.records.map(valueIn)).toEqual(records.map(valueIn))
      expect(outcome.facts).toMatchObject({
        framing,
        nextCursor: cursor,
        records: records.length,
        bytes: Buffer.byteLength(text),
      })
      if (keepsBytes(name)) expect(outcome.records).toEqual(records.map((record) => record.replace(/[\r\n]/g, ' ')))
    }),
    { numRuns },
  )
})

test('a damaged body gets the same verdict from every engine, at every chunking, and as JSON.parse would give', () => {
  fc.assert(
    fc.property(damagedBody, cuts, (body, lengths) => {
      const whole = sliceBody(engines.js, body)
      expectAsJsonParse(body, whole)
      for (const name of engineNames) {
        const outcome = sliceBody(engines[name], body, lengths)
        expect({ name, ...Object(verdict(outcome)) }).toEqual({ name, ...Object(verdict(whole)) })
        expectSamePosition(outcome, whole)
      }
    }),
    { numRuns: 3 * numRuns },
  )
})

test('limits trip at the same byte of a damaged body at every chunking, and in every engine', () => {
  const options = fc.record({
    maxDepth: fc.integer({ min: 2, max: 6 }),
    maxRecordBytes: fc.integer({ min: 5, max: 150 }),
    maxCursorBytes: fc.integer({ min: 0, max: 10 }),
    isNdjson: fc.boolean(),
  })
  fc.assert(
    fc.property(damagedBody, cuts, options, (body, lengths, limits) => {
      const whole = sliceBody(engines.js, body, 'whole', limits)
      for (const name of engineNames) {
        const outcome = sliceBody(engines[name], body, lengths, limits)
        expect({ name, ...Object(verdict(outcome)) }).toEqual({ name, ...Object(verdict(whole)) })
        expectSamePosition(outcome, whole)
      }
    }),
    { numRuns: 3 * numRuns },
  )
})

function expectSamePosition(outcome: Outcome, whole: Outcome): void {
  expect(outcome.failure?.byteOffset).toBe(whole.failure?.byteOffset)
  expect(outcome.failure?.recordIndex).toBe(whole.failure?.recordIndex)
}

/** Grammar and encoding errors are just those of JSON.parse; NDJSON is no document of its, and other errors are about
 *  what the document says. */
function expectAsJsonParse(body: Buffer, { failure, facts, records }: Outcome): void {
  const isDocument = parses(body)
  if (failure === undefined) {
    if (facts.framing === 'ndjson') for (const record of records) JSON.parse(record)
    else expect(isDocument).toBe(true)
  } else if (['ERR_JSON_SYNTAX', 'ERR_UTF8', 'ERR_BODY_TRUNCATED'].includes(failure.code))
    expect(isDocument).toBe(false)
}
