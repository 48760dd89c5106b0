// DuckDB as an independent reader of what we wrote: values come back in the shape that JSON would have, exact to the
// last digit.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBInstance, DuckDBValue } from '@duckdb/node-api'

// Its binding for Node decodes text with a TextDecoder that takes a leading U+FEFF for a byte order mark; DuckDB itself
// keeps it. So the binding is loaded with one that does not.
const OwnDecoder = globalThis.TextDecoder
globalThis.TextDecoder = class extends OwnDecoder {
  constructor() {
    super('utf-8', { ignoreBOM: true })
  }
}
const api = await import('@duckdb/node-api')
globalThis.TextDecoder = OwnDecoder

/** A value as DuckDB read it; timestamps are microseconds since the epoch. */
export type ReadValue = string | boolean | bigint | number | null | ReadValue[] | { [field: string]: ReadValue }

/** Runs `sql` with `{file}` standing for a temporary file that holds `bytes`. */
export async function query(
  sql: string,
  bytes: Uint8Array,
  extension: string,
): Promise<{ [column: string]: ReadValue }[]> {
  const directory = mkdtempSync(join(tmpdir(), 'truto-export-test-'))
  try {
    const file = join(directory, `file${extension}`)
    writeFileSync(file, bytes)
    const connection = await (await duckdb()).connect()
    try {
      const reader = await connection.runAndReadAll(sql.replaceAll('{file}', `'${file}'`))
      const names = reader.columnNames()
      return reader
        .getRows()
        .map((row) => Object.fromEntries(row.map((value, column) => [names[column]!, plain(value)])))
    } finally {
      connection.closeSync()
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

let instance: Promise<DuckDBInstance> | undefined
function duckdb(): Promise<DuckDBInstance> {
  return (instance ??= api.DuckDBInstance.create(':memory:', { threads: '1' }))
}

function plain(value: DuckDBValue): ReadValue {
  if (value instanceof api.DuckDBListValue) return value.items.map(plain)
  if (value instanceof api.DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([name, entry]) => [name, plain(entry)]))
  }
  // a file with converted types only, without logical types, is read as TIMESTAMP
  if (value instanceof api.DuckDBTimestampTZValue || value instanceof api.DuckDBTimestampValue) return value.micros
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
    return value
  if (typeof value === 'bigint') return value
  throw new Error(`unexpected value of DuckDB: ${String(value)}`)
}
