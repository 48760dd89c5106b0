// The bytes of an open file, piece by piece.

import { KiB } from '../bytes/units.js'
import { OutputError } from '../errors.js'
import type { OpenFile } from './file-system.js'

const readBytes = 256 * KiB

/** Bytes `from` to `to` (excluded) of a file through one buffer: each piece is valid until the next is asked for. */
export async function* piecesOf(file: OpenFile, from: number, to: number): AsyncGenerator<Uint8Array, void, undefined> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(readBytes, to - from))
  for (let at = from; at < to; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, to - at), at)
    if (bytesRead === 0)
      throw new OutputError('ERR_OUTPUT_CHANGED', 'the partial file became shorter while it was read')
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}
