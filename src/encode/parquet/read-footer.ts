// Where the footer of a Parquet file is, and its bytes.

import { MiB } from '../../bytes/units.js'
import { DataError } from '../../errors.js'

/** Bytes `from` to `to` (excluded) of a file. */
export type ReadRange = (from: number, to: number) => Promise<Uint8Array>

const magic = 'PAR1'
/** Some hundred bytes for each column of each row group; beyond this it is none of ours. */
const maxFooterBytes = 512 * MiB

/** FileMetaData of parquet.thrift. @throws DataError ERR_SCHEMA where the file does not begin and end as a Parquet
 *  file */
export async function readFooter(size: number, read: ReadRange): Promise<Uint8Array> {
  if (size < 12) throw wrongParquet(`has ${size} bytes, too few for its head and its footer`)
  const [head, tail] = [await read(0, 4), Buffer.from(await read(size - 8, size))]
  if (Buffer.from(head).toString('latin1') !== magic) throw wrongParquet('does not begin with PAR1')
  if (tail.toString('latin1', 4) !== magic) throw wrongParquet('does not end with PAR1')
  const length = tail.readUInt32LE(0)
  if (length > Math.min(size - 12, maxFooterBytes)) throw wrongParquet(`says that its footer has ${length} bytes`)
  return await read(size - 8 - length, size - 8)
}

/** What `parse` makes of a footer. @throws DataError ERR_SCHEMA for whatever it throws */
export function parsedFooter<T>(parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    throw wrongParquet(`has a footer that cannot be read: ${(cause as Error).message}`, cause)
  }
}

export function wrongParquet(what: string, cause?: unknown): DataError {
  return new DataError('ERR_SCHEMA', `the Parquet file ${what}`, { cause })
}
