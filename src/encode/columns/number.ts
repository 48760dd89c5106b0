// JSON numbers in bytes, as the values that number columns hold. Nothing is rounded in silence: a number is a value of
// its column, or it does not fit.

const zero = 0x30
const dash = 0x2d

const least = -(2n ** 63n)
const greatest = 2n ** 63n - 1n

/** Digits of the greatest int64. A whole number with more does not fit, however it is written. */
const mostDigits = 19

/** The whole number that the JSON number `bytes[start..end)` is, however it is written (`1.0` and `1E2` are whole), or
 *  undefined where it is none or no int64. `-0` is 0. */
export function parseInt64(bytes: Buffer, start: number, end: number): bigint | undefined {
  if (end - start <= 15) {
    const value = plainInteger(bytes, start, end)
    if (value !== undefined) return BigInt(value)
  }
  const { isNegative, digits, exponent } = decimalOf(bytes, start, end)
  if (exponent < 0 || digits.length + exponent > mostDigits) return undefined
  const magnitude = BigInt(digits + '0'.repeat(exponent))
  const value = isNegative ? -magnitude : magnitude
  return value >= least && value <= greatest ? value : undefined
}

/** The double that the JSON number `bytes[start..end)` is, or undefined where its digits do not survive in one: where
 *  the double, written with as many digits, reads otherwise (9007199254740993, 1e400, 1e-400, 0.1 with thirty digits
 *  more). Up to 15 digits always survive, 17 where a double was printed. */
export function parseDouble(bytes: Buffer, start: number, end: number): number | undefined {
  if (end - start <= 15) {
    const value = plainInteger(bytes, start, end)
    if (value !== undefined && value !== 0) return value
  }
  const value = Number(bytes.toString('latin1', start, end))
  const { digits, exponent } = decimalOf(bytes, start, end)
  if (digits === '0') return value
  if (value === 0 || !Number.isFinite(value) || digits.length > 100) return undefined
  // of two roundings that are equally near, the shortest text has one and toExponential may have the other
  return [value.toExponential(), value.toExponential(digits.length - 1)].some((shown) => {
    const e = shown.indexOf('e')
    return (
      Number(shown.slice(e + 1)) === exponent + digits.length - 1 && shown.slice(0, e).replace(/[-.]/g, '') === digits
    )
  })
    ? value
    : undefined
}

/** The number where it is nothing but up to 15 digits. */
function plainInteger(bytes: Uint8Array, start: number, end: number): number | undefined {
  const isNegative = bytes[start] === dash
  let value = 0
  for (let at = isNegative ? start + 1 : start; at < end; at++) {
    const digit = bytes[at]! - zero
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return isNegative && value !== 0 ? -value : value
}

/** The number as digits times a power of ten: the digits without zeros at either end, `0` for zero. */
function decimalOf(
  bytes: Buffer,
  start: number,
  end: number,
): { isNegative: boolean; digits: string; exponent: number } {
  const isNegative = bytes[start] === dash
  const text = bytes.toString('latin1', isNegative ? start + 1 : start, end)
  const e = text.search(/[eE]/)
  const mantissa = e < 0 ? text : text.slice(0, e)
  const point = mantissa.indexOf('.')
  const all = point < 0 ? mantissa : mantissa.slice(0, point) + mantissa.slice(point + 1)
  let first = 0
  while (first < all.length && all.charCodeAt(first) === zero) first++
  if (first === all.length) return { isNegative, digits: '0', exponent: 0 }
  let last = all.length
  while (all.charCodeAt(last - 1) === zero) last--
  const fraction = point < 0 ? 0 : mantissa.length - point - 1
  const power = e < 0 ? 0 : Number(text.slice(e + 1))
  return { isNegative, digits: all.slice(first, last), exponent: power - fraction + all.length - last }
}
