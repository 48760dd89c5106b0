import { expect, test } from 'vitest'
import { formatCount } from '../../src/bytes/units.js'

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
