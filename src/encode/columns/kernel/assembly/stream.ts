// Bytes that are appended to and read in order: a chain of chunks of one size, so that nothing moves while it grows. A
// stream is three u32 in a leaf's state: the address of its next byte, the end of its last chunk and that chunk.

import { allocate, release } from './memory'

const chunkBytes: usize = 16384
/** Before the bytes of a chunk: u32 address of the next one, u32 bytes in it. */
export const chunkHead: usize = 16
/** Bytes in a chunk: a whole number of values of 1, 2 and 8 bytes. After them is room for what a copy of 32 bytes
 *  writes over. */
export const chunkRoom: usize = chunkBytes - 48

export const posAt: usize = 0
export const endAt: usize = 4
const chunkAt: usize = 8

/** Begins the stream at `stream` with an empty chunk, which is returned. */
export function beginStream(stream: usize): usize {
  const chunk = newChunk()
  enter(stream, chunk)
  return chunk
}

function newChunk(): usize {
  const chunk = allocate(chunkBytes)
  store<u32>(chunk, 0)
  return chunk
}

// @ts-ignore: decorator
@inline
function enter(stream: usize, chunk: usize): void {
  store<u32>(stream, u32(chunk + chunkHead), posAt)
  store<u32>(stream, u32(chunk + chunkHead + chunkRoom), endAt)
  store<u32>(stream, u32(chunk), chunkAt)
}

/** Goes on in a new chunk. */
export function nextChunk(stream: usize): void {
  const chunk = usize(load<u32>(stream, chunkAt))
  store<u32>(chunk, load<u32>(stream, posAt) - u32(chunk + chunkHead), 4)
  const next = newChunk()
  store<u32>(chunk, u32(next))
  enter(stream, next)
}

// @ts-ignore: decorator
@inline
export function pushByte(stream: usize, byte: u32): void {
  const pos = usize(load<u32>(stream, posAt))
  store<u8>(pos, u8(byte))
  store<u32>(stream, u32(pos + 1), posAt)
  if (pos + 1 == usize(load<u32>(stream, endAt))) nextChunk(stream)
}

// @ts-ignore: decorator
@inline
export function pushU16(stream: usize, value: u32): void {
  const pos = usize(load<u32>(stream, posAt))
  store<u16>(pos, u16(value))
  store<u32>(stream, u32(pos + 2), posAt)
  if (pos + 2 == usize(load<u32>(stream, endAt))) nextChunk(stream)
}

// @ts-ignore: decorator
@inline
export function pushU64(stream: usize, value: u64): void {
  const pos = usize(load<u32>(stream, posAt))
  store<u64>(pos, value)
  store<u32>(stream, u32(pos + 8), posAt)
  if (pos + 8 == usize(load<u32>(stream, endAt))) nextChunk(stream)
}

/** Appends a text as PLAIN has it: u32 length, then the bytes at `at`, after which 32 more can be read. */
// @ts-ignore: decorator
@inline
export function pushText(stream: usize, at: usize, length: u32): void {
  const pos = usize(load<u32>(stream, posAt))
  const end = pos + 4 + usize(length)
  if (end < usize(load<u32>(stream, endAt))) {
    store<u32>(pos, length)
    copyText(pos + 4, at, length)
    store<u32>(stream, u32(end), posAt)
  } else pushTextSlowly(stream, at, length)
}

function pushTextSlowly(stream: usize, at: usize, length: u32): void {
  for (let shift: u32 = 0; shift < 32; shift += 8) pushByte(stream, (length >> shift) & 0xff)
  pushBytes(stream, at, usize(length))
}

/** Appends bytes, cut where chunks end. */
export function pushBytes(stream: usize, at: usize, length: usize): void {
  while (length > 0) {
    const pos = usize(load<u32>(stream, posAt))
    const room = usize(load<u32>(stream, endAt)) - pos
    const part = min(room, length)
    memory.copy(pos, at, part)
    store<u32>(stream, u32(pos + part), posAt)
    if (part == room) nextChunk(stream)
    at += part
    length -= part
  }
}

/** Room for `length` bytes in one piece, at most `chunkRoom`: the address where they go. */
// @ts-ignore: decorator
@inline
export function reserveWhole(stream: usize, length: usize): usize {
  if (usize(load<u32>(stream, posAt)) + length > usize(load<u32>(stream, endAt))) nextChunk(stream)
  const pos = usize(load<u32>(stream, posAt))
  store<u32>(stream, u32(pos + length), posAt)
  return pos
}

/** Copies text; up to 32 bytes after either end are read and written over. Most texts take one step. */
// @ts-ignore: decorator
@inline
export function copyText(to: usize, from: usize, length: u32): void {
  if (length <= 32) {
    v128.store(to, v128.load(from))
    v128.store(to, v128.load(from, 16), 16)
  } else if (length <= 256) {
    let at: usize = 0
    do {
      v128.store(to + at, v128.load(from + at))
      at += 16
    } while (at < usize(length))
  } else memory.copy(to, from, usize(length))
}

/** Bytes in a stream that begins with chunk `head`. */
export function streamBytes(stream: usize, head: usize): usize {
  let sum: usize = 0
  const last = usize(load<u32>(stream, chunkAt))
  for (let chunk = head; chunk != last; chunk = usize(load<u32>(chunk))) sum += usize(load<u32>(chunk, 4))
  return sum + usize(load<u32>(stream, posAt)) - last - chunkHead
}

/** Forgets what was appended since the stream stood at its place in `saved`, a copy of its state. */
export function cutStream(stream: usize, saved: usize): void {
  const chunk = usize(load<u32>(saved, chunkAt))
  if (load<u32>(stream, chunkAt) != u32(chunk)) {
    freeChunks(usize(load<u32>(chunk)))
    store<u32>(chunk, 0)
  }
}

/** Empties a stream but for its first chunk, `head`. */
export function emptyStream(stream: usize, head: usize): void {
  freeChunks(usize(load<u32>(head)))
  store<u32>(head, 0)
  enter(stream, head)
}

/** Gives back chunk `head` and all after it. */
export function freeChunks(head: usize): void {
  while (head != 0) {
    const next = usize(load<u32>(head))
    release(head, chunkBytes)
    head = next
  }
}

// A cursor reads a stream from its front. It is three u32: the chunk, the next byte, and the end of what the chunk has.

/** Begins cursor `cursor` with the stream whose first chunk is `head`. */
export function beginCursor(cursor: usize, stream: usize, head: usize): void {
  enterChunk(cursor, stream, head)
}

function enterChunk(cursor: usize, stream: usize, chunk: usize): void {
  const isLast = u32(chunk) == load<u32>(stream, chunkAt)
  store<u32>(cursor, u32(chunk), chunkAt)
  store<u32>(cursor, u32(chunk + chunkHead), posAt)
  store<u32>(cursor, isLast ? load<u32>(stream, posAt) : u32(chunk + chunkHead) + load<u32>(chunk, 4), endAt)
}

/** Moves the cursor on by `length` bytes of its stream and copies them to `to`, or to nowhere where that is 0. */
export function readBytes(cursor: usize, stream: usize, to: usize, length: usize): void {
  while (length > 0) {
    const pos = usize(load<u32>(cursor, posAt))
    const part = min(usize(load<u32>(cursor, endAt)) - pos, length)
    if (to != 0) {
      memory.copy(to, pos, part)
      to += part
    }
    length -= part
    store<u32>(cursor, u32(pos + part), posAt)
    if (length > 0) enterChunk(cursor, stream, usize(load<u32>(usize(load<u32>(cursor, chunkAt)))))
  }
}

/** Bytes of the text, as PLAIN has it, that begins at `pos`, and of its length; 0 where not all of it is before
 *  `end`. */
// @ts-ignore: decorator
@inline
export function textBytes(pos: usize, end: usize): usize {
  if (pos + 4 > end) return 0
  const bytes = 4 + usize(load<u32>(pos))
  return pos + bytes <= end ? bytes : 0
}

/** Moves the cursor past one text that its chunk's end may cut. @returns the bytes of the text and of its length */
export function passText(cursor: usize, stream: usize): usize {
  readBytes(cursor, stream, lengthAt, 4)
  const length = usize(load<u32>(lengthAt))
  readBytes(cursor, stream, 0, length)
  return 4 + length
}

/** Where the length of a text is read that a chunk's end has cut. */
const lengthAt: usize = 368

/** Copies a whole stream to `to`. */
export function readAll(stream: usize, head: usize, to: usize): void {
  beginCursor(wholeCursor, stream, head)
  readBytes(wholeCursor, stream, to, streamBytes(stream, head))
}

const wholeCursor: usize = 320
