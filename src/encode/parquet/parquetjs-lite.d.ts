// The part of parquetjs-lite 0.8.7 that we use; it comes without types. It is CommonJS, so all of it hangs on the
// default export.

declare module 'parquetjs-lite' {
  /** A field as its author writes it. */
  export interface FieldDefinition {
    type?: string
    optional?: boolean
    repeated?: boolean
    compression?: string
    statistics?: false
    fields?: Record<string, FieldDefinition>
  }

  export interface ParquetSchema {
    /** Depth first. */
    fieldList: { originalType?: string; path: string[]; isNested?: boolean }[]
  }

  export interface ParquetWriter {
    setRowGroupSize(rows: number): void
    setMetadata(key: string, value: string): void
    /** Rejects with a string where a value does not fit. */
    appendRow(row: Record<string, unknown>): Promise<void>
    close(): Promise<void>
  }

  const parquetjs: {
    ParquetSchema: new (fields: Record<string, FieldDefinition>) => ParquetSchema
    ParquetEnvelopeWriter: new (
      schema: ParquetSchema,
      write: (bytes: Buffer) => Promise<void>,
      close: () => Promise<void>,
      fileOffset: number,
      options: { pageIndex: boolean; useDataPageV2: boolean; pageSize: number },
    ) => object
    ParquetWriter: new (schema: ParquetSchema, envelope: object, options: { rowGroupSize: number }) => ParquetWriter
  }
  export default parquetjs
}
