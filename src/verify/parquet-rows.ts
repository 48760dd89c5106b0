// How many rows a Parquet file says it has: the few members of its footer that tell, read by themselves (parquet.thrift
// FileMetaData).

import { parsedFooter, type ReadRange, readFooter, wrongParquet } from '../encode/parquet/read-footer.js'
import { ThriftReader, thriftTypes } from '../encode/parquet/thrift-reader.js'

export type { ReadRange } from '../encode/parquet/read-footer.js'

/** Ids of fields of parquet.thrift FileMetaData and RowGroup. */
const fileRows = 3
const fileRowGroups = 4
const groupRows = 3

/**
 * The rows that the footer tells of.
 * @throws DataError ERR_SCHEMA where the file does not begin and end as a Parquet file, or where its footer cannot be
 * read or contradicts itself
 */
export async function parquetRows(size: number, read: ReadRange): Promise<number> {
  const footer = await readFooter(size, read)
  let rows: number | undefined
  let rowsOfGroups = 0
  parsedFooter(() => {
    const thrift = new ThriftReader(footer)
    thrift.struct((id, type) => {
      if (id === fileRows && type === thriftTypes.i64) rows = thrift.integer()
      else if (id === fileRowGroups && type === thriftTypes.list) {
        for (let left = thrift.listLength(); left > 0; left--) {
          thrift.struct((groupId, groupType) => {
            if (groupId === groupRows && groupType === thriftTypes.i64) rowsOfGroups += thrift.integer()
            else thrift.skip(groupType)
          })
        }
      } else thrift.skip(type)
    })
  })
  if (rows === undefined) throw wrongParquet('has a footer without a number of rows')
  if (rows !== rowsOfGroups) throw wrongParquet(`has ${rows} rows by its footer and ${rowsOfGroups} by its row groups`)
  return rows
}
