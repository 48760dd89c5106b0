// What can be chosen of a Parquet file, the default first.

export const parquetWriterNames = ['builtin', 'parquetjs-lite'] as const
/** Who writes. */
export type ParquetWriterName = (typeof parquetWriterNames)[number]

export const parquetJsonTypes = ['string', 'json'] as const
/** The logical type of columns that hold JSON text. */
export type ParquetJsonType = (typeof parquetJsonTypes)[number]

export const parquetCompressions = ['snappy', 'gzip', 'zstd', 'none'] as const
export type ParquetCompression = (typeof parquetCompressions)[number]
