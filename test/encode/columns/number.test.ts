import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDouble, parseInt64 } from '../../../src/encode/columns/number.js'

const runs = process.env['TRUTO_EXPORT_SOAK'] === '1' ? 50_000 : 1000

// between digits of other numbers, so that only the given range may be read
const int64 = (text: string) => parseInt64(Buffer.from(`9${text}9`), 1, text.length + 1)
const double = (text: string) => parseDouble(Buffer.from(`9${text}9`), 1, text.length + 1)

describe('whole numbers of 64 bits', () => {
  test.each([
    ['0', 0n],
    ['-0', 0n],
    ['0.00e99999', 0n],
    ['-7', -7n],
    ['999999999999999', 999999999999999n],
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775808', -9223372036854775808n],
    ['1.0', 1n],
    ['1E2', 100n],
    ['1.50e+1', 15n],
    ['1200e-2', 12n],
    ['0.00012e5', 12n],
    ['9.223372036854775807e18', 9223372036854775807n],
  ])('%s', (text, expected) => expect(int64(text)).toBe(expected))
  test.each([
    '0.5',
    '-1.0000000000000000000001',
    '9223372036854775808',
    '-9223372036854775809',
    '1e19',
    '1e400',
    '1e-1',
    '1e999999999999999999999',
    '123456789012345678901234567890',
  ])('%s is none', (text) => expect(int64(text)).toBeUndefined())
  test('of any value, in any spelling, are exact', () => {
    const spelled = fc.tuple(fc.bigInt(-(2n ** 64n), 2n ** 64n), fc.nat(25), fc.nat(3)).map(([value, scale, zeros]) => {
      const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0')
      const [whole, fraction] = [digits.slice(0, digits.length - scale), digits.slice(digits.length - scale)]
      const point = fraction === '' ? '' : `.${fraction}${'0'.repeat(zeros)}`
      return { value, text: `${value < 0n ? '-' : ''}${whole}${point}${scale === 0 ? '' : `e${scale}`}` }
    })
    fc.assert(
      fc.property(spelled, ({ value, text }) => {
        expect(int64(text)).toBe(BigInt.asIntN(64, value) === value ? value : undefined)
      }),
      { numRuns: runs },
    )
  })
})

describe('doubles', () => {
  test.each([
    ['0', 0],
    ['-0', -0],
    ['-0.0e5', -0],
    ['0.1', 0.1],
    ['1.50', 1.5],
    ['-1E2', -100],
    ['9007199254740992', 2 ** 53],
    ['9007199254740994', 2 ** 53 + 2],
    ['0.10000000000000001', 0.1],
    ['0.1000000000000000055511151231257827', 0.1],
    ['1e23', 1e23],
    ['1.7976931348623157e308', Number.MAX_VALUE],
    ['5e-324', 5e-324],
    ['-128311152269384.12', -128311152269384.12],
    ['-128311152269384.13', -128311152269384.12],
    ['100000000000000000000000', 1e23],
  ])('%s', (text, expected) => expect(double(text)).toBe(expected))
  test.each([
    '9007199254740993',
    '-9007199254740993',
    '1e400',
    '-1e400',
    '1e-400',
    '2.1e-324',
    '3.14159265358979323846',
    `0.1${'3'.repeat(120)}`,
  ])('%s loses digits', (text) => expect(double(text)).toBeUndefined())
  test('as a program prints them survive, with 17 digits too', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = Object.is(value, -0) ? '-0' : String(value)
        expect(double(text)).toBe(value)
        if (value !== 0) expect(double(value.toExponential(16))).toBe(value)
      }),
      { numRuns: runs },
    )
  })
  test('of up to 15 digits survive', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 999_999_999_999_999 }),
        fc.integer({ min: -290, max: 290 }),
        (digits, e) => {
          expect(double(`${digits}e${e}`)).toBe(Number(`${digits}e${e}`))
        },
      ),
      { numRuns: runs },
    )
  })
})
