// The codecs of pages: gzip and zstd are those of Node.js, snappy is a WebAssembly kernel of our own (snappy/).

import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { ConfigError } from '../../errors.js'
import type { ParquetCompression } from './choices.js'

/** parquet.thrift CompressionCodec. */
export const codecId: Record<ParquetCompression, number> = { none: 0, snappy: 1, gzip: 2, zstd: 6 }

/** Compresses one page, of JSON or of other values. The result is valid until the next call, and depends on nothing but
 *  the page: a row group must not depend on those before it. */
export type Compress = (bytes: Uint8Array, isJson: boolean) => Uint8Array | Promise<Uint8Array>

// In Node.js since 22.15; the type declarations of Node.js 20 do not have it.
const { zstdCompress, constants } = zlib as unknown as {
  zstdCompress?: typeof zlib.gzip
  constants: { ZSTD_c_compressionLevel: number }
}

/** Checks that this Node.js has the codec. @throws ConfigError ERR_RUNTIME_MISSING */
export function requireCompression(compression: ParquetCompression): void {
  if (compression !== 'zstd' || zstdCompress !== undefined) return
  throw new ConfigError(
    'ERR_RUNTIME_MISSING',
    `zstd in Parquet needs node:zlib of Node.js 22.15 or newer; this is ${process.version}`,
  )
}

/** The codec; null for none. @throws ConfigError ERR_RUNTIME_MISSING */
export async function compressorOf(compression: ParquetCompression): Promise<Compress | null> {
  requireCompression(compression)
  switch (compression) {
    case 'none':
      return null
    case 'snappy':
      return (await import('./snappy/kernel.js')).snappyCompressor()
    // in another thread: a page of one long text would hold the event loop for as long as it takes
    case 'gzip':
      // on members, level 1 makes files 12 % larger, and 10 % larger than those of DuckDB; who is in a hurry takes
      // snappy
      return inThread(zlib.gzip, () => ({ level: 6 }))
    case 'zstd':
      // Node.js tells the size by itself since 26.11, which makes other bytes of the same page; readers, too, know then
      // how much they need
      return inThread(zstdCompress!, ({ length }) => ({
        params: { [constants.ZSTD_c_compressionLevel]: 1 },
        pledgedSrcSize: length,
      }))
  }
}

function inThread(compress: typeof zlib.gzip, options: (bytes: Uint8Array) => object): Compress {
  const promised = promisify<Uint8Array, object, Buffer>(compress)
  return (bytes) => promised(bytes, options(bytes))
}
