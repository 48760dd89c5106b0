// Snappy's block format (format_description.txt of google/snappy): the length of the text, then literals and copies of
// what came up to 64 KiB before. Matches are found by a hash of four bytes or, where the text repeats itself at length,
// of six. What is made depends on the text and that choice alone.

/** Where the last bytes of each hash are, u32 addresses. */
const tableAt: usize = 1024
const maxTableBits: u32 = 14
const minTableBits: u32 = 8
/** The driver has everything from here on. */
export const freeAt: usize = tableAt + (<usize>4 << maxTableBits)

/** Farthest that a copy of three bytes goes back. */
const maxDistance: usize = 65535
/** No match is looked for in so many bytes at the end. */
const marginBytes: usize = 16
/** Where short matches save less than a sixteenth of so many bytes at the start, the rest is not worth looking at so
 *  closely. */
const trialBytes: usize = 65536
/** After so many looks without a match every other byte is looked at, after as many more every third, and so on; for
 *  long matches, every other one from the start: a match that is seen late is taken from its beginning. */
const patience: u32 = 32

let tableShift: u32 = 0

/** Bytes that the compressed form of `length` bytes takes at most, and what is written over after it. */
export function bound(length: u32): u32 {
  return length + length / 6 + 64
}

/** Writes the compressed form of [from, from + length) to `out`. Up to 15 bytes after the text are read. @param isLong
 *  whether matches of less than six bytes are passed over: of JSON the result is smaller then, and made faster, since
 *  short matches hide longer ones; so they are where the first `trialBytes` hardly got smaller @returns the bytes that
 *  it takes */
export function compress(from: usize, length: u32, out: usize, isLong: bool): u32 {
  const start = out
  let left = length
  for (; left >= 0x80; left >>= 7) store<u8>(out++, u8(left | 0x80))
  store<u8>(out++, u8(left))
  clearTable(length, from)
  const end = from + usize(length)
  const trialEnd = from + min(usize(length), trialBytes)
  if (!isLong) {
    const trial = out
    out = compressShort(from, trialEnd, out)
    from = trialEnd
    isLong = out - trial > trialBytes - trialBytes / 16
  }
  return u32((isLong ? compressLong(from, end, out) : compressShort(from, end, out)) - start)
}

function compressShort(from: usize, end: usize, out: usize): usize {
  return compressText(from, end, out, false)
}

function compressLong(from: usize, end: usize, out: usize): usize {
  return compressText(from, end, out, true)
}

// @ts-ignore: decorator
@inline
function compressText(from: usize, end: usize, out: usize, isLong: bool): usize {
  let literal = from
  if (end - from > marginBytes) {
    const limit = end - marginBytes
    let at = from + 1
    while (true) {
      at = nextMatch(at, limit, isLong)
      if (at == 0) break
      let candidate = matchAt
      if (isLong) {
        while (at > literal && candidate > from && load<u8>(at - 1) == load<u8>(candidate - 1)) {
          at--
          candidate--
        }
      }
      if (at > literal) out = writeLiteral(literal, at, out)
      do {
        const length = matchLength(candidate, at, end)
        out = writeCopy(at - candidate, length, out)
        at += length
        literal = at
        if (at >= limit) return writeRest(literal, end, out)
        if (!isLong) store<u32>(placeOf(at - 1, isLong), u32(at - 1))
        candidate = exchange(at, isLong)
      } while (isMatch(candidate, at, isLong))
      at++
    }
  }
  return writeRest(literal, end, out)
}

/** Empties the table, whose places are then at the start of the text, and makes it no larger than the text needs. */
function clearTable(length: u32, from: usize): void {
  const bits = min(maxTableBits, max(minTableBits, 32 - u32(clz<u32>(length - 1))))
  tableShift = 32 - bits
  const end = tableAt + (<usize>4 << bits)
  const start = u64(from) | (u64(from) << 32)
  for (let place = tableAt; place < end; place += 16) {
    store<u64>(place, start)
    store<u64>(place, start, 8)
  }
}

/** Where the bytes stood before that `nextMatch` found. */
let matchAt: usize = 0

/** The next place from `at` on whose bytes stood before, near enough; 0 where there is none before `limit`. */
// @ts-ignore: decorator
@inline
function nextMatch(at: usize, limit: usize, isLong: bool): usize {
  let looks = patience
  while (at < limit) {
    const candidate = exchange(at, isLong)
    if (isMatch(candidate, at, isLong)) {
      matchAt = candidate
      return at
    }
    at += usize(looks++ / patience) + usize(isLong)
  }
  return 0
}

// @ts-ignore: decorator
@inline
function isMatch(candidate: usize, at: usize, isLong: bool): bool {
  const isSame = isLong
    ? (load<u64>(candidate) ^ load<u64>(at)) << 16 == 0
    : load<u32>(candidate) == load<u32>(at)
  return isSame && at - candidate <= maxDistance
}

// @ts-ignore: decorator
@inline
function placeOf(at: usize, isLong: bool): usize {
  const hash = isLong
    ? u32(((load<u64>(at) << 16) * 0xcf1bbcdcbfa56300) >> u64(32 + tableShift))
    : (load<u32>(at) * 0x1e35a7bd) >> tableShift
  return tableAt + (usize(hash) << 2)
}

/** Notes where the bytes at `at` stand. @returns where others of their hash stood last */
// @ts-ignore: decorator
@inline
function exchange(at: usize, isLong: bool): usize {
  const place = placeOf(at, isLong)
  const last = usize(load<u32>(place))
  store<u32>(place, u32(at))
  return last
}

/** Bytes that are the same at `candidate` and at `at`, of which four are known to be. */
// @ts-ignore: decorator
@inline
function matchLength(candidate: usize, at: usize, end: usize): usize {
  const distance = at - candidate
  let to = at + 4
  while (to + 16 <= end) {
    const low = load<u64>(to) ^ load<u64>(to - distance)
    const high = load<u64>(to, 8) ^ load<u64>(to - distance, 8)
    if ((low | high) != 0) return to + (low != 0 ? usize(ctz(low) >> 3) : 8 + usize(ctz(high) >> 3)) - at
    to += 16
  }
  while (to < end && load<u8>(to) == load<u8>(to - distance)) to++
  return to - at
}

// @ts-ignore: decorator
@inline
function writeRest(from: usize, end: usize, out: usize): usize {
  return from < end ? writeLiteral(from, end, out) : out
}

/** Writes the bytes [from, end), at least one, as they are. */
// @ts-ignore: decorator
@inline
function writeLiteral(from: usize, end: usize, out: usize): usize {
  const length = end - from
  if (length > 16) return writeLongLiteral(from, length, out)
  store<u8>(out, u8((length - 1) << 2))
  store<u64>(out, load<u64>(from), 1)
  store<u64>(out, load<u64>(from, 8), 9)
  return out + 1 + length
}

function writeLongLiteral(from: usize, length: usize, out: usize): usize {
  const last = u32(length - 1)
  if (last < 60) store<u8>(out++, u8(last << 2))
  else if (last < 256) {
    store<u8>(out, 60 << 2)
    store<u8>(out, u8(last), 1)
    out += 2
  } else if (last < 65536) {
    store<u8>(out, 61 << 2)
    store<u16>(out, u16(last), 1)
    out += 3
  } else {
    store<u8>(out, 63 << 2)
    store<u32>(out, last, 1)
    out += 5
  }
  memory.copy(out, from, length)
  return out + length
}

/** Writes a copy of `length` bytes, at least four, that begin `distance` bytes before. */
// @ts-ignore: decorator
@inline
function writeCopy(distance: usize, length: usize, out: usize): usize {
  if (length < 12 && distance < 2048) {
    store<u16>(out, u16(((distance >> 8) << 5) | ((length - 4) << 2) | 1 | ((distance & 0xff) << 8)))
    return out + 2
  }
  // what is left after pieces of 64 must be four or more, for the shorter form
  for (; length >= 68; length -= 64) out = writeCopyPiece(distance, 64, out)
  if (length > 64) {
    out = writeCopyPiece(distance, 60, out)
    length -= 60
  }
  return writeCopyPiece(distance, length, out)
}

// @ts-ignore: decorator
@inline
function writeCopyPiece(distance: usize, length: usize, out: usize): usize {
  store<u32>(out, u32(((length - 1) << 2) | 2 | (distance << 8)))
  return out + 3
}
