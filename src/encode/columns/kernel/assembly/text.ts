// Strings of valid JSON: where they end, and their text without escapes, 32 or 16 bytes at a time: so most texts take
// one step, and no branch tells their lengths. Up to 31 bytes after a string are read.

/** Address of the first quote or backslash at or after `at`. */
// @ts-ignore: decorator
@inline
export function quoteOrBackslash(at: usize): usize {
  const quotes = i8x16.splat(0x22)
  const backslashes = i8x16.splat(0x5c)
  while (true) {
    const low = v128.load(at)
    const high = v128.load(at, 16)
    const found = maskOf(
      v128.or(i8x16.eq(low, quotes), i8x16.eq(low, backslashes)),
      v128.or(i8x16.eq(high, quotes), i8x16.eq(high, backslashes)),
    )
    if (found != 0) return at + usize(ctz(found))
    at += 32
  }
}

/** The highest bits of 32 bytes. */
// @ts-ignore: decorator
@inline
export function maskOf(low: v128, high: v128): u32 {
  return u32(i8x16.bitmask(low)) | (u32(i8x16.bitmask(high)) << 16)
}

/** One past the closing quote of the string whose text begins at `at`; 0 where it has a lone surrogate escape. */
export function skipText(at: usize): usize {
  while (true) {
    at = quoteOrBackslash(at)
    if (load<u8>(at) == 0x22) return at + 1
    at = skipEscape(at)
    if (at == 0) return 0
  }
}

/** One past the escape at `at`, of a surrogate pair past both; 0 for a lone surrogate. */
// @ts-ignore: decorator
@inline
export function skipEscape(at: usize): usize {
  if (load<u8>(at, 1) != 0x75) return at + 2
  const unit = hex4(at + 2)
  if ((unit & 0xf800) != 0xd800) return at + 6
  return isPair(at, unit) ? at + 12 : 0
}

/** Whether a low surrogate's escape follows the one of `unit` at `at`, which is a high surrogate. */
// @ts-ignore: decorator
@inline
function isPair(at: usize, unit: u32): bool {
  return unit < 0xdc00 && load<u16>(at, 6) == 0x755c && (hex4(at + 8) & 0xfc00) == 0xdc00
}

// @ts-ignore: decorator
@inline
function hex4(at: usize): u32 {
  return (hex(at) << 12) | (hex(at + 1) << 8) | (hex(at + 2) << 4) | hex(at + 3)
}

// @ts-ignore: decorator
@inline
function hex(at: usize): u32 {
  const byte = u32(load<u8>(at))
  return byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57
}

/** Where the text ended that was unescaped last: its closing quote. */
export let textEnd: usize = 0

/** Writes the text that begins at `at`, after its opening quote, to `to`, without escapes. Up to 15 bytes after it are
 *  written over.
 *  @returns one past its last byte there; 0 where it has a lone surrogate escape */
export function unescape(at: usize, to: usize): usize {
  const quotes = i8x16.splat(0x22)
  const backslashes = i8x16.splat(0x5c)
  while (true) {
    const bytes = v128.load(at)
    v128.store(to, bytes)
    const found = i8x16.bitmask(v128.or(i8x16.eq(bytes, quotes), i8x16.eq(bytes, backslashes)))
    if (found == 0) {
      at += 16
      to += 16
      continue
    }
    const length = usize(ctz(found))
    at += length
    to += length
    if (load<u8>(at) == 0x22) {
      textEnd = at
      return to
    }
    const letter = load<u8>(at, 1)
    if (letter == 0x75) {
      let unit = hex4(at + 2)
      if ((unit & 0xf800) == 0xd800) {
        if (!isPair(at, unit)) return 0
        unit = 0x10000 + ((unit & 0x3ff) << 10) + (hex4(at + 8) & 0x3ff)
        at += 6
      }
      at += 6
      to = writeCharacter(unit, to)
    } else {
      store<u8>(to, plainOf(letter))
      at += 2
      to++
    }
  }
}

/** The byte that a backslash and `letter` stand for. */
// @ts-ignore: decorator
@inline
function plainOf(letter: u8): u8 {
  if (letter == 0x6e) return 0x0a
  if (letter == 0x74) return 0x09
  if (letter == 0x72) return 0x0d
  if (letter == 0x62) return 0x08
  if (letter == 0x66) return 0x0c
  return letter // " \ /
}

/** UTF-8, RFC 3629 §3. */
function writeCharacter(code: u32, to: usize): usize {
  if (code < 0x80) {
    store<u8>(to, u8(code))
    return to + 1
  }
  if (code < 0x800) {
    store<u8>(to, u8(0xc0 | (code >> 6)))
    store<u8>(to, u8(0x80 | (code & 0x3f)), 1)
    return to + 2
  }
  if (code < 0x10000) {
    store<u8>(to, u8(0xe0 | (code >> 12)))
    store<u8>(to, u8(0x80 | ((code >> 6) & 0x3f)), 1)
    store<u8>(to, u8(0x80 | (code & 0x3f)), 2)
    return to + 3
  }
  store<u8>(to, u8(0xf0 | (code >> 18)))
  store<u8>(to, u8(0x80 | ((code >> 12) & 0x3f)), 1)
  store<u8>(to, u8(0x80 | ((code >> 6) & 0x3f)), 2)
  store<u8>(to, u8(0x80 | (code & 0x3f)), 3)
  return to + 4
}
