// Finds whole records in a run of bytes, 64 at a time: one bit for each byte, and the grammar of RFC 8259 as arithmetic
// on these masks. A scan begins between two records and keeps no state: it is right about every record that it gives,
// and stops at whatever it does not know, which the caller's own machine then reads from the last record on. UTF-8 has
// been checked before.
//
// Masks and the ideas behind them: simdjson (Langdale and Lemire, "Parsing Gigabytes of JSON per Second") for strings
// and escapes.

import { boundsAt, constantsAt, eventsAt, maxEvents, maxRecords, resultAt } from './memory'
import { beginSurrogates, hasLoneSurrogate, noteSurrogates } from './surrogates'

const evenBits: u64 = 0x5555555555555555

/** Call once. */
export function begin(): void {
  v128.store(constantsAt, i8x16.splat(0x22)) // "
  v128.store(constantsAt, i8x16.splat(0x5c), 16) // \
  v128.store(constantsAt, i8x16.splat(0x20), 32)
  v128.store(constantsAt, i8x16.splat(0x7b), 48) // {
  v128.store(constantsAt, i8x16.splat(0x7d), 64) // }
  v128.store(constantsAt, i8x16.splat(0x2c), 80) // ,
  v128.store(constantsAt, i8x16.splat(0x3a), 96) // :
}

/**
 * Records are the elements of an array: separated by commas. A scan stops before the array's end.
 * @param from address of the first byte, where a record, or white space before one, is expected
 * @param end one past the last byte; 80 bytes from there on are overwritten
 * @param bound records that stand in the bounds already
 * @param maxDepth deepest nesting allowed, the record's own level counted as 1
 */
export function scanElements(from: usize, end: usize, base: usize, bound: u32, maxDepth: i32, maxBytes: u32): void {
  scan(from, end, base, bound, maxDepth, maxBytes, false, false)
}

/** As `scanElements`, and notes the positions of the records' own members. */
export function scanElementsWithFields(
  from: usize,
  end: usize,
  base: usize,
  bound: u32,
  maxDepth: i32,
  maxBytes: u32,
): void {
  scan(from, end, base, bound, maxDepth, maxBytes, false, true)
}

/** As `scanElements` for NDJSON: each record ends with a line feed, and holds none. */
export function scanLines(from: usize, end: usize, base: usize, bound: u32, maxDepth: i32, maxBytes: u32): void {
  scan(from, end, base, bound, maxDepth, maxBytes, true, false)
}

/** As `scanLines`, and notes the positions of the records' own members. */
export function scanLinesWithFields(
  from: usize,
  end: usize,
  base: usize,
  bound: u32,
  maxDepth: i32,
  maxBytes: u32,
): void {
  scan(from, end, base, bound, maxDepth, maxBytes, true, true)
}

// Long, and inlined once for each of the four functions above, where `isLines` and `withFields` are constants:
// bench/engines.ts holds its speed.
// @ts-ignore: decorator
@inline
function scan(
  from: usize,
  end: usize,
  base: usize,
  bound: u32,
  maxDepth: i32,
  maxBytes: u32,
  isLines: bool,
  withFields: bool,
): void {
  const quotes = v128.load(constantsAt)
  const backslashes = v128.load(constantsAt, 16)
  const spaces = v128.load(constantsAt, 32)
  const openBraces = v128.load(constantsAt, 48)
  const closeBraces = v128.load(constantsAt, 64)
  const commas = v128.load(constantsAt, 80)
  const colons = v128.load(constantsAt, 96)

  // white space after the data ends every scalar, so that the last block needs no code of its own
  for (let at: usize = 0; at < 80; at += 16) v128.store(end + at, spaces)

  // carries from block to block: one bit each, but for the escapes' hexadecimal digits (four)
  let inString: u64 = 0 // all ones where the last block ended inside a string
  let escapedCarry: u64 = 0
  let hexCarry: u64 = 0
  let valueCarry: u64 = 1 // a value has to follow
  let keyCarry: u64 = 0 // the first member's key or a comma's may follow
  let openCarry: u64 = 0 // an opening bracket was the last token
  let colonCarry: u64 = 0 // a key candidate has ended
  let candidateCarry: u64 = 0 // a key candidate is open
  let scalarCarry: u64 = 0
  let scalarStart: usize = 0

  beginSurrogates()

  let depth: i32 = 0
  /** Kinds of the open containers, innermost in the lowest bit: 1 is an object. */
  let kinds: u64 = 0
  let recordStart: usize = 0
  /** Whether there may be line feeds or carriage returns inside records. */
  let hasBreaks: bool = false

  let count = bound
  let lastEnd = from
  let events: u32 = 0
  let hasEscapedKey: bool = false
  let hasStopped: u32 = 0
  let block = from

  for (; block < end; block += 64) {
    const a = v128.load(block)
    const b = v128.load(block, 16)
    const c = v128.load(block, 32)
    const d = v128.load(block, 48)
    let bad: u64 = 0

    const hasControls = v128.any_true(i8x16.lt_u(i8x16.min_u(i8x16.min_u(a, b), i8x16.min_u(c, d)), spaces))

    // strings
    let quote = maskOf(i8x16.eq(a, quotes), i8x16.eq(b, quotes), i8x16.eq(c, quotes), i8x16.eq(d, quotes))
    const backslashA = i8x16.eq(a, backslashes)
    const backslashB = i8x16.eq(b, backslashes)
    const backslashC = i8x16.eq(c, backslashes)
    const backslashD = i8x16.eq(d, backslashes)
    let escaped: u64 = 0
    let backslash: u64 = 0
    if (
      v128.any_true(v128.or(v128.or(backslashA, backslashB), v128.or(backslashC, backslashD))) ||
      escapedCarry != 0
    ) {
      backslash = maskOf(backslashA, backslashB, backslashC, backslashD)
      // a run of backslashes escapes what follows it where its length is odd
      const starts = backslash & ~escapedCarry
      const follows = (starts << 1) | escapedCarry
      const oddStarts = starts & ~evenBits & ~follows
      const sequences = oddStarts + starts
      escapedCarry = u64(sequences < starts)
      escaped = (evenBits ^ (sequences << 1)) & follows
      bad |= badEscapes(a, b, c, d, escaped, quote | backslash)
      quote &= ~escaped
    } else if (inString != 0 && quote == 0 && hexCarry == 0 && !hasControls) continue // deep inside a string
    let s = quote ^ (quote << 1)
    s ^= s << 2
    s ^= s << 4
    s ^= s << 8
    s ^= s << 16
    s ^= s << 32
    s ^= inString
    inString = u64(i64(s) >> 63)
    if ((escaped | hexCarry) != 0) {
      const unicode = escaped == 0 ? 0 : escaped & equalMask(a, b, c, d, 0x75)
      if ((unicode | hexCarry) != 0) {
        const digits = (unicode << 1) | (unicode << 2) | (unicode << 3) | (unicode << 4) | hexCarry
        hexCarry = (unicode >> 63) | (unicode >> 62) | (unicode >> 61) | (unicode >> 60)
        bad |= digits & ~hexMask(block)
        if (unicode != 0) noteSurrogates(block, unicode)
      }
    }

    // structure
    let comma = maskOf(i8x16.eq(a, commas), i8x16.eq(b, commas), i8x16.eq(c, commas), i8x16.eq(d, commas)) & ~s
    const colon = maskOf(i8x16.eq(a, colons), i8x16.eq(b, colons), i8x16.eq(c, colons), i8x16.eq(d, colons)) & ~s
    // [ and {, ] and } differ in the bit of a space only
    const foldedA = v128.or(a, spaces)
    const foldedB = v128.or(b, spaces)
    const foldedC = v128.or(c, spaces)
    const foldedD = v128.or(d, spaces)
    const open =
      maskOf(
        i8x16.eq(foldedA, openBraces),
        i8x16.eq(foldedB, openBraces),
        i8x16.eq(foldedC, openBraces),
        i8x16.eq(foldedD, openBraces),
      ) & ~s
    const close =
      maskOf(
        i8x16.eq(foldedA, closeBraces),
        i8x16.eq(foldedB, closeBraces),
        i8x16.eq(foldedC, closeBraces),
        i8x16.eq(foldedD, closeBraces),
      ) & ~s
    let white = maskOf(i8x16.eq(a, spaces), i8x16.eq(b, spaces), i8x16.eq(c, spaces), i8x16.eq(d, spaces)) & ~s
    let realComma = comma
    let lineFeed: u64 = 0
    if (hasControls) {
      bad |= controlMask(a, b, c, d) & s
      lineFeed = equalMask(a, b, c, d, 0x0a) & ~s
      const returns = equalMask(a, b, c, d, 0x0d) & ~s
      if (isLines) comma |= lineFeed
      else white |= lineFeed
      // a line feed that ends a line is in no record
      hasBreaks = hasBreaks || (isLines ? returns : returns | lineFeed) != 0
      white |= returns | (equalMask(a, b, c, d, 0x09) & ~s)
    }

    // scalars are what is nothing else
    const scalar = ~(s | quote | open | close | comma | colon | white)
    const afterScalar = (scalar << 1) | scalarCarry
    let scalarStarts = scalar & ~afterScalar
    let scalarEnds = ~scalar & afterScalar
    scalarCarry = scalar >> 63

    // what follows what, over white space
    const opening = quote & s
    const separators = open | comma
    const expecting = separators | colon
    let value = (expecting << 1) | valueCarry
    let key = (separators << 1) | keyCarry
    let first = (open << 1) | openCarry
    valueCarry = expecting >> 63
    keyCarry = separators >> 63
    openCarry = open >> 63
    if (white != 0) {
      const valueSum = value + white
      const keySum = key + white
      const firstSum = first + white
      valueCarry |= u64(valueSum < white)
      keyCarry |= u64(keySum < white)
      openCarry |= u64(firstSum < white)
      value = valueSum & ~white
      key = keySum & ~white
      first = firstSum & ~white
    }
    const candidates = (opening & key) | candidateCarry
    const candidateSum = candidates + s
    const candidateEnds = candidateSum & quote & ~s
    candidateCarry = u64(candidateSum < s)
    let colonDue = (candidateEnds << 1) | colonCarry
    colonCarry = candidateEnds >> 63
    if (white != 0) {
      const colonSum = colonDue + white
      colonCarry |= u64(colonSum < white)
      colonDue = colonSum & ~white
    }

    // containers
    let inObject: u64 = 0 - (kinds & 1)
    /** Between records; and directly inside a record. */
    let outside: u64 = 0 - u64(depth == 0)
    let own: u64 = 0 - u64(depth == 1)
    let found = count
    let foundEnd = lastEnd
    let brackets = open | close
    if (brackets != 0) {
      let deepest = depth
      do {
        const index = ctz(brackets)
        brackets &= brackets - 1
        const isOpen = (open >> index) & 1
        const kind = u64(load<u8>(block + usize(index)) >> 5) & 1
        const before = kinds
        const wasOwn = u64(depth == 1)
        kinds = select<u64>((before << 1) | kind, before >> 1, i32(isOpen))
        bad |= (isOpen ^ 1) & (before ^ kind)
        depth += (i32(isOpen) << 1) - 1
        if (depth > deepest) deepest = depth
        inObject ^= ((0 - ((kinds ^ before) & 1)) << index) << 1
        if (withFields) own ^= ((0 - (u64(depth == 1) ^ wasOwn)) << index) << 1
        if (depth <= i32(isOpen)) {
          if (depth < 0) {
            bad = 1
            break
          }
          outside ^= ((~(<u64>0)) << index) << 1
          if (isOpen) {
            recordStart = block + usize(index)
            bad |= kind ^ 1
          } else {
            const recordEnd = block + usize(index) + 1
            if (recordEnd - recordStart > usize(maxBytes) || found == maxRecords) bad = 1
            else {
              store<u32>(boundsAt + (usize(found) << 3), u32(recordStart - base))
              store<u32>(boundsAt + (usize(found) << 3), u32(recordEnd - base), 4)
              found++
              foundEnd = recordEnd
            }
          }
        }
      } while (brackets != 0)
      if (deepest > maxDepth) bad = 1
    }

    // the grammar: a value wherever one is due and nowhere else, but for an empty container; a colon after each key of
    // an object and nowhere else; a key or the end after { and, in an object, a comma; between records only objects
    bad |= ((opening | scalarStarts | open) ^ value) & ~(close & first)
    bad |= colon ^ (colonDue & inObject)
    bad |= inObject & key & ~(opening | close)
    const foreign = outside & (opening | scalarStarts)
    bad |= foreign
    // a line feed stands for a comma between records alone
    if (isLines) bad |= (outside & realComma) | (lineFeed & ~outside)

    let digits: u64 = 0
    while (scalarEnds != 0) {
      let start: usize
      if (scalarStart != 0) {
        start = scalarStart
        scalarStart = 0
      } else {
        start = block + usize(ctz(scalarStarts))
        scalarStarts &= scalarStarts - 1
      }
      const stop = block + usize(ctz(scalarEnds))
      scalarEnds &= scalarEnds - 1
      const text = load<u32>(start)
      const length = stop - start
      if (length == 4 && (text == 0x6c6c756e || text == 0x65757274)) continue // null, true
      if (length == 5 && text == 0x736c6166 && load<u8>(start, 4) == 0x65) continue // false
      if (start >= block) {
        if (digits == 0) digits = digitMask(block)
        if (isNumberInBlock(block, start - block, stop - block, digits)) continue
      } else if (isNumber(start, stop)) continue
      bad = 1
      break
    }
    if (scalarStarts != 0) scalarStart = block + usize(ctz(scalarStarts))

    if (bad != 0) {
      // In the last block it may only be a token that the end of the bytes has cut. That can wait, but for records that
      // end before it and what is no object.
      hasStopped = u32(block + 64 <= end || found > count || foreign != 0)
      break
    }
    count = found
    lastEnd = foundEnd

    if (withFields) {
      // a candidate's bits are those of `s` that the sum has carried away; directly inside a record it is a key
      hasEscapedKey = hasEscapedKey || (backslash & own & s & ~candidateSum) != 0
      let positions = ((comma | colon | close) & own) | (open & outside)
      const next = events + u32(popcnt(positions))
      if (next <= maxEvents) {
        // six stores without a branch, most blocks have no more
        let at = eventsAt + (usize(events) << 2)
        const offset = u32(block - base)
        store<u32>(at, offset + u32(ctz(positions)))
        positions &= positions - 1
        store<u32>(at, offset + u32(ctz(positions)), 4)
        positions &= positions - 1
        store<u32>(at, offset + u32(ctz(positions)), 8)
        positions &= positions - 1
        store<u32>(at, offset + u32(ctz(positions)), 12)
        positions &= positions - 1
        store<u32>(at, offset + u32(ctz(positions)), 16)
        positions &= positions - 1
        store<u32>(at, offset + u32(ctz(positions)), 20)
        positions &= positions - 1
        while (positions != 0) {
          at += 4
          store<u32>(at, offset + u32(ctz(positions)), 20)
          positions &= positions - 1
        }
      }
      events = next
    }
  }

  if (hasBreaks && count > bound) blankBreaks(usize(load<u32>(boundsAt + (usize(bound) << 3))) + base, lastEnd)
  for (let record = bound; record + 1 < count; record++)
    store<u8>(base + usize(load<u32>(boundsAt + (usize(record) << 3), 4)), 0x0a)

  store<u32>(resultAt, count)
  store<u32>(resultAt, u32(lastEnd - base), 4)
  store<u32>(resultAt, hasStopped, 8)
  store<u32>(resultAt, u32(withFields && events <= maxEvents && !hasEscapedKey), 12)
  store<u32>(resultAt, u32(hasLoneSurrogate), 16)
}

// @ts-ignore: decorator
@inline
function maskOf(a: v128, b: v128, c: v128, d: v128): u64 {
  const low = u32(i8x16.bitmask(a)) | (u32(i8x16.bitmask(b)) << 16)
  const high = u32(i8x16.bitmask(c)) | (u32(i8x16.bitmask(d)) << 16)
  return u64(low) | (u64(high) << 32)
}

// The rest is rare: kept out of the loop, so that it takes none of its registers.

function equalMask(a: v128, b: v128, c: v128, d: v128, byte: i8): u64 {
  const bytes = i8x16.splat(byte)
  return maskOf(i8x16.eq(a, bytes), i8x16.eq(b, bytes), i8x16.eq(c, bytes), i8x16.eq(d, bytes))
}

function controlMask(a: v128, b: v128, c: v128, d: v128): u64 {
  const spaces = i8x16.splat(0x20)
  return maskOf(i8x16.lt_u(a, spaces), i8x16.lt_u(b, spaces), i8x16.lt_u(c, spaces), i8x16.lt_u(d, spaces))
}

/** Those of the `escaped` bytes that no escape may have. @param known quotes and backslashes */
function badEscapes(a: v128, b: v128, c: v128, d: v128, escaped: u64, known: u64): u64 {
  let wrong = escaped & ~known
  if (wrong == 0) return 0
  return (
    wrong & ~maskOf(isEscapeLetter(a), isEscapeLetter(b), isEscapeLetter(c), isEscapeLetter(d))
  )
}

// @ts-ignore: decorator
@inline
function isEscapeLetter(bytes: v128): v128 {
  return v128.or(
    v128.or(
      v128.or(i8x16.eq(bytes, i8x16.splat(0x6e)), i8x16.eq(bytes, i8x16.splat(0x75))), // n u
      v128.or(i8x16.eq(bytes, i8x16.splat(0x2f)), i8x16.eq(bytes, i8x16.splat(0x74))), // / t
    ),
    v128.or(
      v128.or(i8x16.eq(bytes, i8x16.splat(0x72)), i8x16.eq(bytes, i8x16.splat(0x62))), // r b
      i8x16.eq(bytes, i8x16.splat(0x66)), // f
    ),
  )
}

// From memory: V8 takes what two rare branches make of the same vectors, or a loop of one, out of both, to where each
// block pays for it.

function hexMask(at: usize): u64 {
  return maskOf(
    isHexDigit(v128.load(at)),
    isHexDigit(v128.load(at, 16)),
    isHexDigit(v128.load(at, 32)),
    isHexDigit(v128.load(at, 48)),
  )
}

// @ts-ignore: decorator
@inline
function isHexDigit(bytes: v128): v128 {
  const letter = i8x16.lt_u(i8x16.sub(v128.or(bytes, i8x16.splat(0x20)), i8x16.splat(0x61)), i8x16.splat(6))
  return v128.or(isDigit(bytes), letter)
}

function digitMask(at: usize): u64 {
  return maskOf(
    isDigit(v128.load(at)),
    isDigit(v128.load(at, 16)),
    isDigit(v128.load(at, 32)),
    isDigit(v128.load(at, 48)),
  )
}

// @ts-ignore: decorator
@inline
function isDigit(bytes: v128): v128 {
  return i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(0x30)), i8x16.splat(10))
}

/** As `isNumber`, for offsets [at, end) in a block, with end < 64: runs of digits are counted in the block's mask. */
function isNumberInBlock(block: usize, at: usize, end: usize, digits: u64): bool {
  let byte = load<u8>(block + at)
  if (byte == 0x2d) byte = load<u8>(block + ++at)
  let run = usize(ctz(~(digits >> u64(at))))
  if (run == 0 || (byte == 0x30 && run > 1)) return false
  at += run
  if (at == end) return true
  byte = load<u8>(block + at)
  if (byte == 0x2e) {
    run = usize(ctz(~(digits >> u64(++at))))
    if (run == 0) return false
    at += run
    if (at == end) return true
    byte = load<u8>(block + at)
  }
  if ((byte | 0x20) != 0x65) return false
  byte = load<u8>(block + ++at)
  if (byte == 0x2b || byte == 0x2d) at++
  run = usize(ctz(~(digits >> u64(at))))
  return run > 0 && at + run == end
}

/** Whether [at, end) is a number of RFC 8259 §6. */
function isNumber(at: usize, end: usize): bool {
  if (load<u8>(at) == 0x2d) at++
  if (at == end) return false
  if (load<u8>(at) == 0x30) at++
  else {
    const start = at
    at = skipDigits(at, end)
    if (at == start) return false
  }
  if (at == end) return true
  if (load<u8>(at) == 0x2e) {
    const start = ++at
    at = skipDigits(at, end)
    if (at == start) return false
    if (at == end) return true
  }
  if ((load<u8>(at) | 0x20) != 0x65) return false
  at++
  if (at == end) return false
  const sign = load<u8>(at)
  if (sign == 0x2b || sign == 0x2d) at++
  const start = at
  return skipDigits(at, end) == end && start < end
}

// @ts-ignore: decorator
@inline
function skipDigits(at: usize, end: usize): usize {
  while (at < end && u32(load<u8>(at)) - 0x30 < 10) at++
  return at
}

/** Writes spaces over the line feeds and carriage returns in [from, to): in whole records they are never inside
 *  strings. */
function blankBreaks(from: usize, to: usize): void {
  const lineFeeds = i8x16.splat(0x0a)
  const returns = i8x16.splat(0x0d)
  const spaces = i8x16.splat(0x20)
  let at = from
  for (; at + 16 <= to; at += 16) {
    const bytes = v128.load(at)
    const breaks = v128.or(i8x16.eq(bytes, lineFeeds), i8x16.eq(bytes, returns))
    if (v128.any_true(breaks)) v128.store(at, v128.bitselect(spaces, bytes, breaks))
  }
  for (; at < to; at++) {
    const byte = load<u8>(at)
    if (byte == 0x0a || byte == 0x0d) store<u8>(at, 0x20)
  }
}
