import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  isTimestamp,
  parseTimestamp,
  TimestampReader,
  type TimestampRules,
} from '../../../src/encode/columns/timestamp.js'

const runs = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 20_000 : 500

const micros = (text: string) => parseTimestamp(Buffer.from(text), 0, Buffer.byteLength(text), 'micros')
const millis = (text: string) => parseTimestamp(Buffer.from(text), 0, Buffer.byteLength(text), 'millis')

describe('a date-time is one exact instant', () => {
  test.each([
    ['1970-01-01T00:00:00Z', 0n],
    ['1970-01-01T00:00:00-00:00', 0n],
    ['1969-12-31T23:59:59.5Z', -500_000n],
    ['1969-12-31T23:59:59.999999Z', -1n],
    ['2024-02-29T12:34:56.123456Z', 1709210096123456n],
    ['2024-02-29t12:34:56.1z', 1709210096100000n],
    ['2024-02-29T12:34:56.123456000000000Z', 1709210096123456n],
    ['2024-02-29T00:30:00+01:00', 1709163000000000n],
    ['2024-02-28T18:30:00-05:00', 1709163000000000n],
    ['2024-01-01T23:59:59+23:59', 1704067259000000n],
    ['0001-01-01T00:00:00Z', -62135596800000000n],
    ['9999-12-31T23:59:59.999999Z', 253402300799999999n],
    ['2000-02-29T00:00:00Z', 951782400000000n],
  ])('%s', (text, expected) => {
    expect(micros(text)).toBe(expected)
    expect(isTimestamp(Buffer.from(text), 0, text.length)).toBe(true)
  })
})

describe('text that is no date-time, or none that a column holds, is refused', () => {
  test.each([
    '',
    '2024-02-29',
    '2024-02-29T12:34Z',
    '2024-02-29T12:34:56',
    '2024-02-29 12:34:56Z',
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2024-04-31T00:00:00Z',
    '2024-00-01T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-01-00T00:00:00Z',
    '2024-01-32T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:60:00Z',
    '2016-12-31T23:59:60Z',
    '2024-01-01T00:00:00.Z',
    '2024-01-01T00:00:00,5Z',
    '2024-01-01T00:00:00+24:00',
    '2024-01-01T00:00:00+00:60',
    '2024-01-01T00:00:00+0100',
    '2024-01-01T00:00:00+01',
    '2024-01-01T00:00:00Z ',
    ' 2024-01-01T00:00:00Z',
    '2024-01-01T00:00:00ZZ',
    '2024-01-01T00:00:00+01:00Z',
    '2024/01/01T00:00:00Z',
    '2024-1-01T00:00:00.00Z',
    '12024-01-01T00:00:00Z',
    '-024-01-01T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:59:59+01:00',
    '9999-12-31T23:00:00-01:00',
    '２024-01-01T00:00:00Z',
  ])('%j', (text) => {
    expect(micros(text)).toBeUndefined()
    expect(isTimestamp(Buffer.from(text), 0, Buffer.byteLength(text))).toBe(false)
  })
})

test('a digit beyond the unit is refused unless it is zero', () => {
  expect(micros('2024-01-01T00:00:00.0000001Z')).toBeUndefined()
  expect(micros('2024-01-01T00:00:00.1234560Z')).toBe(1704067200123456n)
  expect(millis('2024-01-01T00:00:00.1234Z')).toBeUndefined()
  expect(millis('2024-01-01T00:00:00.123000Z')).toBe(1704067200123n)
  expect(isTimestamp(Buffer.from('2024-01-01T00:00:00.123456789Z'), 0, 30)).toBe(true)
})

const rules: TimestampRules = { unit: 'micros', excess: 'truncate', forms: 'any' }
const read = (text: string | number, given: Partial<TimestampRules> = {}) => {
  const reader = new TimestampReader({ ...rules, ...given })
  const value = reader.read(Buffer.from(String(text)), typeof text === 'string')
  return { value, truncated: reader.truncated, reformed: reader.reformed }
}

describe('digits beyond the unit', () => {
  const microsoft = '2024-01-01T00:00:00.1234567Z'
  test('are cut off and counted, also before 1970: towards the past, as the digits are', () => {
    expect(read(microsoft)).toEqual({ value: 1704067200123456n, truncated: 1, reformed: 0 })
    expect(read('1969-12-31T23:59:59.9999999Z')).toEqual({ value: -1n, truncated: 1, reformed: 0 })
    expect(read(microsoft, { unit: 'millis' })).toEqual({ value: 1704067200123n, truncated: 1, reformed: 0 })
  })
  test('that are zero are none', () => {
    expect(read('2024-01-01T00:00:00.1234560Z')).toEqual({ value: 1704067200123456n, truncated: 0, reformed: 0 })
  })
  test('are no timestamp where they are not to be cut', () => {
    expect(read(microsoft, { excess: 'extra' })).toEqual({ value: undefined, truncated: 0, reformed: 0 })
  })
  test('have room in nanoseconds, and in text', () => {
    expect(read(microsoft, { unit: 'nanos' })).toEqual({ value: 1704067200123456700n, truncated: 0, reformed: 0 })
    expect(read(microsoft, { unit: 'text' })).toEqual({ value: microsoft, truncated: 0, reformed: 0 })
  })
  test.each([
    ['1677-09-21T00:12:44Z', -9223372036_000000000n],
    ['2262-04-11T23:47:15.999999999Z', 9223372035_999999999n],
    ['1677-09-21T00:12:43.9Z', undefined],
    ['2262-04-11T23:47:16Z', undefined],
    ['9999-12-31T00:00:00Z', undefined],
  ])('nanoseconds end where 64 bits do: %s', (text, value) => {
    expect(read(text, { unit: 'nanos' }).value).toBe(value)
  })
})

describe('other forms', () => {
  test.each([
    ['2024-01-01 00:00:00', '2024-01-01T00:00:00Z'],
    ['2024-01-01T00:00:00', '2024-01-01T00:00:00Z'],
    ['2024-01-01 00:00:00.5 UTC', '2024-01-01T00:00:00.5Z'],
    ['2024-01-01 00:00:00 +0130', '2024-01-01T00:00:00+01:30'],
    ['2024-01-01T00:00:00-0500', '2024-01-01T00:00:00-05:00'],
    ['2024-01-01T00:00:00+01', '2024-01-01T00:00:00+01:00'],
    [1704067200, '2024-01-01T00:00:00Z'],
    [1704067200123, '2024-01-01T00:00:00.123Z'],
    ['1704067200', undefined],
    [1704067200.25, '2024-01-01T00:00:00.25Z'],
    [-1.5, '1969-12-31T23:59:58.5Z'],
    [0, '1970-01-01T00:00:00Z'],
    [99_999_999_999, '5138-11-16T09:46:39Z'],
    [100_000_000_000, '1973-03-03T09:46:40.000Z'],
    [-62135596800, '0001-01-01T00:00:00Z'],
    [-62135596801, undefined],
    [253402300800000, undefined],
    [1e21, undefined],
    ['2024-02-30 00:00:00', undefined],
    ['2024-01-01', undefined],
    ['2024-01-01 00:00', undefined],
    ['yesterday', undefined],
  ])('%j is %j', (given, text) => {
    const reformed = text === undefined ? 0 : 1
    expect(read(given, { unit: 'text' })).toEqual({ value: text, truncated: 0, reformed })
    const value = text === undefined ? undefined : micros(text)
    expect(read(given)).toEqual({ value, truncated: 0, reformed })
    expect(read(given, { forms: 'rfc3339' })).toEqual({ value: undefined, truncated: 0, reformed: 0 })
  })
  test('keep every digit of a number', () => {
    const bytes = Buffer.from('1704067200.123456789')
    expect(new TimestampReader({ ...rules, unit: 'nanos' }).read(bytes, false)).toBe(1704067200123456789n)
    expect(new TimestampReader({ ...rules, unit: 'text' }).read(bytes, false)).toBe('2024-01-01T00:00:00.123456789Z')
  })
})

test('only the given range is read', () => {
  const bytes = Buffer.from('"2024-01-01T00:00:00Z",5Z')
  expect(parseTimestamp(bytes, 1, 21, 'millis')).toBe(1704067200000n)
  expect(parseTimestamp(bytes, 1, 20, 'millis')).toBeUndefined()
})

test('every instant of the years 1 to 9999 agrees with Date', () => {
  fc.assert(
    fc.property(
      fc.date({
        min: new Date('0001-01-01T00:00:00Z'),
        max: new Date('9999-12-31T23:59:59.999Z'),
        noInvalidDate: true,
      }),
      (date) => {
        expect(millis(date.toISOString())).toBe(BigInt(date.getTime()))
        expect(micros(date.toISOString())).toBe(BigInt(date.getTime()) * 1000n)
      },
    ),
    { numRuns: runs },
  )
})
