// Strict UTF-8 (RFC 3629) over chunks: the native check for whole chunks, and a slow walk that finds the first wrong
// byte once it is known that there is one.

import { isUtf8 } from 'node:buffer'

/** Number of bytes at the end of `bytes[start..end)` that are the beginning of a character which is not complete: 0 to
 *  3. */
export function incompleteTail(bytes: Uint8Array, start: number, end: number): number {
  for (let back = 1; back <= 3 && end - back >= start; back++) {
    const byte = bytes[end - back]!
    if (byte < 0x80) return 0
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      return length > back ? back : 0
    }
  }
  return 0
}

/** Whether `bytes[start..end)` is valid UTF-8 that ends with a whole character. */
export function isUtf8Range(bytes: Buffer, start: number, end: number): boolean {
  return start >= end || isUtf8(bytes.subarray(start, end))
}

/** Index of the first byte in `bytes[start..end)` that no valid text can have there, `end` where there is none. A
 *  character that is not complete at the end is not wrong yet. */
export function firstInvalidUtf8(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end) {
    const lead = bytes[at]!
    if (lead < 0x80) {
      at++
      continue
    }
    // RFC 3629 §4: the second byte's range depends on the first, which excludes overlong forms, surrogates and values
    // past U+10FFFF
    let low = 0x80
    let high = 0xbf
    let length: number
    if (lead >= 0xc2 && lead <= 0xdf) length = 2
    else if (lead >= 0xe0 && lead <= 0xef) {
      length = 3
      if (lead === 0xe0) low = 0xa0
      if (lead === 0xed) high = 0x9f
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      length = 4
      if (lead === 0xf0) low = 0x90
      if (lead === 0xf4) high = 0x8f
    } else return at
    for (let i = 1; i < length; i++) {
      if (at + i >= end) return end
      const byte = bytes[at + i]!
      if (byte < low || byte > high) return at + i
      low = 0x80
      high = 0xbf
    }
    at += length
  }
  return end
}

/** As `firstInvalidUtf8`, with the native check first: as fast as that where the bytes are right, which is nearly
 *  always. */
export function findInvalidUtf8(bytes: Buffer, start: number, end: number): number {
  const wholeEnd = end - incompleteTail(bytes, start, end)
  return firstInvalidUtf8(bytes, isUtf8Range(bytes, start, wholeEnd) ? wholeEnd : start, end)
}
