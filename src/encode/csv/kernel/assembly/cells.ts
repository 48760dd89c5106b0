// Cells of a row, each with the delimiter after it. What is unusual is left to the caller, who has the whole rules:
// csv-stringify and the column reader.

import { numberEnd, readInt64 } from '../../../columns/kernel/assembly/number'
import {
  kindBoolean,
  kindDouble,
  kindInt64,
  kindJson,
  kindList,
  kindString,
  kindTimestamp,
} from '../../../columns/kernel/assembly/state'
import { copyText } from '../../../columns/kernel/assembly/stream'
import { textEnd, unescape } from '../../../columns/kernel/assembly/text'
import { readTimestamp, timestampEnd } from '../../../columns/kernel/assembly/timestamp'
import { skipScalar, skipValue } from '../../../columns/kernel/assembly/walk'
import { beginDoubled, copyContainer, copyDoubled, copyEnd, shufflesBytes } from './doubled'

/** Seconds in units so small that any fraction that is likely has a whole number of them: a date-time of any precision
 *  fits. */
const scale: i64 = 1_000_000_000_000_000_000

let delimiter: u8 = 0
let quote: u8 = 0
/** A quote and a delimiter. */
let quoteAndDelimiter: u16 = 0
let isGuarded: bool = false
/** Room for a text without its escapes. */
let scratch: usize = 0

/** Where the next byte goes. */
export let out: usize = 0
/** Texts of the row that have ' before them. */
export let guarded: u32 = 0

/** @param guard whether formulas get ' before them; @param room for tables, the text of the longest record and some
 *  bytes */
export function beginCells(delimiterByte: u32, quoteByte: u32, guard: bool, room: usize): void {
  delimiter = u8(delimiterByte)
  quote = u8(quoteByte)
  quoteAndDelimiter = u16(quoteByte | (delimiterByte << 8))
  isGuarded = guard
  beginDoubled(room)
  scratch = room + shufflesBytes
}

/** Goes on at `at`, where so many texts of the row have ' before them. */
// @ts-ignore: decorator
@inline
export function beginAt(at: usize, count: u32): void {
  out = at
  guarded = count
}

/** Ends a cell, which stays empty where nothing was written into it. */
// @ts-ignore: decorator
@inline
export function endCell(): void {
  store<u8>(out++, delimiter)
}

/** Copies a cell, its delimiter included. */
// @ts-ignore: decorator
@inline
export function copyCell(from: usize, end: usize): void {
  copyText(out, from, u32(end - from))
  out += end - from
}

/** Writes the value at `at`. @returns one past it; 0 where it is left to the caller */
// @ts-ignore: decorator
@inline
export function writeCell(kind: u32, at: usize): usize {
  const byte = load<u8>(at)
  if (kind == kindString && byte == 0x22) return writeString(at + 1)
  if (byte == 0x6e) {
    endCell()
    return at + 4
  }
  return writeOther(kind, byte, at)
}

function writeOther(kind: u32, byte: u8, at: usize): usize {
  switch (kind) {
    case kindString:
      return 0
    case kindJson:
      return writeJson(at)
    case kindBoolean:
      if (byte == 0x74) {
        store<u32>(out, 0x65757274) // true
        out += 4
        endCell()
        return at + 4
      }
      if (byte != 0x66) return 0
      store<u32>(out, 0x736c6166) // fals
      store<u8>(out, 0x65, 4)
      out += 5
      endCell()
      return at + 5
    case kindTimestamp:
      return byte == 0x22 ? writeTimestamp(at + 1) : 0
    case kindInt64:
      // -0 is 0
      if (!readInt64(at) || load<u16>(at) == 0x302d) return 0
      return writeNumber(at, numberEnd)
    case kindDouble:
      return byte == 0x2d || u32(byte) - 0x30 <= 9 ? writeNumber(at, skipScalar(at)) : 0
    default:
      // a struct or a list, whose fields are of no interest
      return byte == (kind == kindList ? 0x5b : 0x7b) ? writeJson(at) : 0
  }
}

function writeTimestamp(at: usize): usize {
  if (!readTimestamp(at, scale)) return 0
  writePlain(at, timestampEnd - 1)
  return timestampEnd
}

/** Writes the opening quote of a text that begins with `byte`, and ' after it where that is = + - or @ and formulas are
 *  guarded. False where it takes the whole rule to know what is a formula: after white space, an escape, or the first
 *  byte of white space or of a full-width character. */
// @ts-ignore: decorator
@inline
function openString(byte: u8): bool {
  store<u8>(out++, quote)
  return !isGuarded || guard(byte)
}

function guard(byte: u8): bool {
  if (byte == 0x3d || byte == 0x2b || byte == 0x2d || byte == 0x40) {
    store<u8>(out++, 0x27)
    guarded++
    return true
  }
  return byte > 0x20 && byte != 0x5c && byte != 0xc2 && byte != 0xef && (byte < 0xe1 || byte > 0xe3)
}

// @ts-ignore: decorator
@inline
function closeString(to: usize): void {
  store<u16>(to, quoteAndDelimiter)
  out = to + 2
}

/** Writes the text that begins at `at`, after its opening quote, without escapes. */
// @ts-ignore: decorator
@inline
function writeString(at: usize): usize {
  if (!openString(load<u8>(at))) return 0
  const from = at
  let to = out
  const ends = i8x16.splat(0x22)
  const backslashes = i8x16.splat(0x5c)
  const quotes = i8x16.splat(quote)
  while (true) {
    const bytes = v128.load(at)
    v128.store(to, bytes)
    const stops = v128.or(v128.or(i8x16.eq(bytes, ends), i8x16.eq(bytes, backslashes)), i8x16.eq(bytes, quotes))
    const found = i8x16.bitmask(stops)
    if (found == 0) {
      at += 16
      to += 16
      continue
    }
    const length = usize(ctz(found))
    at += length
    if (load<u8>(at) != 0x22) return writeEscaped(from)
    closeString(to + length)
    return at + 1
  }
}

/** As `writeString` after the opening quote, for text with escapes or quotes in it. */
function writeEscaped(at: usize): usize {
  const end = unescape(at, scratch)
  if (end == 0) return 0
  closeString(copyDoubled(scratch, end, out, quote))
  return textEnd + 1
}

function writeJson(at: usize): usize {
  const first = load<u8>(at)
  if ((first | 0x20) == 0x7b) {
    store<u8>(out, quote)
    const end = copyContainer(at, out + 1, quote)
    if (end != 0) closeString(copyEnd)
    return end
  }
  const end = skipValue(at)
  if (end != 0) writeText(at, end)
  return end
}

/** Writes text that is not escaped. */
export function writeText(from: usize, end: usize): void {
  store<u8>(out++, quote)
  closeString(copyDoubled(from, end, out, quote))
}

/** As `writeText`, for text that may be a formula. False where it is left to the caller. */
export function writeKey(from: usize, end: usize): bool {
  if (!openString(from == end ? 0x22 : load<u8>(from))) return false
  closeString(copyDoubled(from, end, out, quote))
  return true
}

/** Writes text without quotes in it. */
// @ts-ignore: decorator
@inline
function writePlain(from: usize, end: usize): void {
  store<u8>(out++, quote)
  copyText(out, from, u32(end - from))
  out += end - from
  store<u16>(out, quoteAndDelimiter)
  out += 2
}

// @ts-ignore: decorator
@inline
function writeNumber(from: usize, end: usize): usize {
  copyText(out, from, u32(end - from))
  out += end - from
  endCell()
  return end
}
