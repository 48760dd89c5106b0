import { expect, test } from 'vitest'
import { formatAge, formatCount, minute } from '../../src/bytes/units.js'

test.each([
  [0, '0'],
  [999, '999'],
  [1000, '1,000'],
  [123_456.6, '123,457'],
  [1_234_567, '1,234,567'],
  [-12_345, '-12,345'],
  [Number.MAX_SAFE_INTEGER, '9,007,199,254,740,991'],
])('%d is written as %s', (value, text) => {
  expect(formatCount(value)).toBe(text)
})

test.each([
  [0, '0m'],
  [59.4, '59m'],
  [60, '1h'],
  [61, '1h 1m'],
  [340, '5h 40m'],
  [1440, '24h'],
  [47 * 60 + 59, '47h 59m'],
  [2 * 1440, '2d'],
  [3 * 1440 + 250, '3d 4h'],
])('an age of %d minutes is written as %s', (minutes, text) => {
  expect(formatAge(minutes * minute)).toBe(text)
})
