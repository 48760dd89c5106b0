// The readers that there is code for: those that it was run in, and those that it was written for by documentation.

const runReaders = ['duckdb', 'polars', 'pyarrow', 'pandas', 'clickhouse', 'postgres', 'mariadb', 'sqlite'] as const
const documentedReaders = ['spark', 'athena', 'bigquery', 'snowflake'] as const

export const readerNames = [...runReaders, ...documentedReaders] as const
export type ReaderName = (typeof readerNames)[number]
