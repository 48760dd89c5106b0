// write(2) until it has taken everything.

import type { OpenFile } from './file-system.js'

/** Writes the first `length` bytes of `bytes`, which must stay as they are until the promise resolves. @throws the
 *  system's error */
export async function writeFully(file: Pick<OpenFile, 'write'>, bytes: Uint8Array, length: number): Promise<void> {
  for (let at = 0; at < length; ) {
    const { bytesWritten } = await file.write(bytes, at, length - at)
    // write(2) takes at least one byte or fails; a file system that does neither would keep us here for ever
    if (bytesWritten === 0) throw Object.assign(new Error('EIO: nothing was taken'), { code: 'EIO', syscall: 'write' })
    at += bytesWritten
  }
}
