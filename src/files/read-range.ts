// A piece of an open file, whole.

import { DataError } from '../errors.js'

/** What can be read at a place: a handle of node:fs/promises. */
interface ReadableFile {
  read(buffer: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }>
}

/** Bytes `from` to `to` (excluded), however few the system gives at a time. @param name as messages call the file
 *  @throws DataError ERR_SCHEMA where it ends before; what reading throws */
export async function readRange(file: ReadableFile, from: number, to: number, name: string): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(to - from)
  for (let size = 0; size < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, size, bytes.length - size, from + size)
    if (bytesRead === 0) throw new DataError('ERR_SCHEMA', `${name} became shorter while it was read`)
    size += bytesRead
  }
  return bytes
}
