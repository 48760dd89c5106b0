// The end of a file: what parquet.thrift calls FileMetaData, its length, and the magic bytes.

import type { Column } from '../columns/layout.js'
import { type ChosenTypes, writeSchema } from './schema.js'
import { ThriftWriter, thriftStruct } from './thrift.js'

/** How a file begins and ends. */
export const magic = Buffer.from('PAR1')

/** Ids of the fields of parquet.thrift FileMetaData and KeyValue. */
const fileId = { version: 1, schema: 2, rows: 3, rowGroups: 4, metadata: 5, createdBy: 6, columnOrders: 7 } as const
const pairId = { key: 1, value: 2 } as const
/** The only one there is of the union parquet.thrift ColumnOrder, TypeDefinedOrder: without it, bounds of text are of
 *  no known order. */
const typeDefinedOrder = 1

export interface FooterInit extends ChosenTypes {
  readonly columns: readonly Column[]
  readonly leafCount: number
  readonly rows: number
  /** Each a RowGroup of parquet.thrift. */
  readonly rowGroups: readonly Uint8Array[]
  readonly metadata: Readonly<Record<string, string>>
  readonly createdBy: string
}

/** The footer in pieces, those of the row groups as they are: of many of them it has megabytes, of which there need not
 *  be a copy. */
export function footer(init: FooterInit): Uint8Array[] {
  const pieces: Uint8Array[] = []
  const thrift = new ThriftWriter()
  thrift.element(() => {
    thrift.i32(fileId.version, 2) // of the format: logical types
    writeSchema(thrift, fileId.schema, init.columns, init)
    thrift.i64(fileId.rows, init.rows)
    thrift.list(fileId.rowGroups, thriftStruct, init.rowGroups, (rowGroup) => {
      pieces.push(thrift.takePart(), rowGroup)
    })
    thrift.list(fileId.metadata, thriftStruct, Object.entries(init.metadata), ([key, value]) =>
      thrift.element(() => {
        thrift.text(pairId.key, key)
        thrift.text(pairId.value, value)
      }),
    )
    thrift.text(fileId.createdBy, init.createdBy)
    const leaves = new Array<null>(init.leafCount).fill(null)
    thrift.list(fileId.columnOrders, thriftStruct, leaves, () =>
      thrift.element(() => thrift.struct(typeDefinedOrder, () => {})),
    )
  })
  pieces.push(thrift.take())
  const length = Buffer.alloc(4)
  length.writeUInt32LE(pieces.reduce((sum, piece) => sum + piece.length, 0))
  pieces.push(length, magic)
  return pieces.filter((piece) => piece.length > 0)
}
