// What can be chosen of a Parquet file, the default first.

export const parquetWriterNames = ['builtin', 'parquetjs-lite'] as const
/** Who writes. */
export type ParquetWriterName = (typeof parquetWriterNames)[number]

export const parquetCompressions = ['snappy', 'gzip', 'zstd', 'none'] as const
export type ParquetCompression = (typeof parquetCompressions)[number]
