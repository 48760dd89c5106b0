// Bodies that are far larger than they should be. Made of one small buffer that is sent again and again, so the bomb
// costs its maker nothing.

import { KiB } from '../bytes/units.js'
import type { Body } from './bodies.js'
import type { BombFault } from './faults.js'

const blockBytes = 64 * KiB

/** The text of a bomb: `bytes` of it, to within one repeated unit, and for all but `brackets` a proper end.
 *  @param bytes may be Infinity */
export function bombBody(of: BombFault['of'], bytes: number): Body {
  switch (of) {
    case 'whitespace':
      return {
        byteLength: undefined,
        chunks: () => wrapped('{"result":[', repeated(' '), '],"next_cursor":null}', bytes),
      }
    case 'string':
      return {
        byteLength: undefined,
        chunks: () => wrapped('{"result":[{"id":"', repeated('a'), '"}],"next_cursor":null}', bytes),
      }
    case 'brackets':
      return {
        byteLength: undefined,
        chunks: () => wrapped('{"result":[{"id":"1","nested":', repeated('['), '', bytes),
      }
    case 'keys':
      return {
        byteLength: undefined,
        chunks: () => wrapped('{"result":[{"id":"1"', keys(), '}],"next_cursor":null}', bytes),
      }
    case 'records':
      return {
        byteLength: undefined,
        chunks: () => wrapped('{"result":[{"id":"first"}', records(), '],"next_cursor":null}', bytes),
      }
  }
}

/** `head`, units until all is about `bytes` long, `tail`. A unit is never broken. */
function* wrapped(
  head: string,
  units: Iterator<Buffer>,
  tail: string,
  bytes: number,
): Generator<Buffer, void, undefined> {
  yield Buffer.from(head)
  let left = bytes - head.length - tail.length
  while (left > 0) {
    const unit = units.next().value as Buffer
    // Units of one repeated character may be broken anywhere.
    const isUniform = unit[0] === unit[unit.length - 1]
    yield isUniform && left < unit.length ? unit.subarray(0, left) : unit
    left -= unit.length
  }
  if (tail !== '') yield Buffer.from(tail)
}

function* repeated(character: string): Generator<Buffer, never, undefined> {
  const block = Buffer.alloc(blockBytes, character)
  for (;;) yield block
}

function* keys(): Generator<Buffer, never, undefined> {
  for (let number = 0; ; ) {
    let text = ''
    while (text.length < blockBytes) text += `,"k${number++}":0`
    yield Buffer.from(text)
  }
}

function* records(): Generator<Buffer, never, undefined> {
  for (let number = 0; ; ) {
    let text = ''
    while (text.length < blockBytes) text += `,{"id":"${number++}"}`
    yield Buffer.from(text)
  }
}
