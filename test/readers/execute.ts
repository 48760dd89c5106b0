// Runs what `statementOf` gives in real readers, those that are there: rows come back as they are, instants as
// microseconds.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { mariadbText } from '../../src/readers/literals.js'

export type ReadRow = { [column: string]: unknown }
/** @param directory where the paths of the code begin */
export type Execute = (code: string, directory: string) => Promise<ReadRow[]> | ReadRow[]

/** A way to run code of a reader, or why there is none. */
export interface Execution {
  readonly run: Execute | null
  readonly missing?: string
}

export async function duckdbExecution(): Promise<Execution> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  return {
    run: async (code, directory) => {
      const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()
      // as JSON, in which no whole number is rounded
      const sql = code.replace(/;\s*$/, '').replaceAll("'a.", `'${directory}/a.`)
      const described = await connection.runAndReadAll(`DESCRIBE ${sql}`)
      const columns = described.getRows().map(([name, type]) => {
        const quoted = `"${String(name).replaceAll('"', '""')}"`
        const isInstant = String(type).startsWith('TIMESTAMP')
        return isInstant
          ? `epoch_us(${quoted})::VARCHAR AS ${quoted}`
          : type === 'BIGINT'
            ? `${quoted}::VARCHAR AS ${quoted}`
            : quoted
      })
      const read = await connection.runAndReadAll(
        `SELECT to_json(t)::VARCHAR FROM (SELECT ${columns.join(', ')} FROM (${sql})) t`,
      )
      return read.getRows().map(([json]) => JSON.parse(String(json)) as ReadRow)
    },
  }
}

/** ClickHouse inside of Node.js, where it is installed: half a gigabyte, so it is no dependency. */
export async function clickhouseExecution(): Promise<Execution> {
  const name = 'chdb'
  let query: (sql: string, format: string) => string
  try {
    ;({ query } = (await import(name)) as { query: typeof query })
  } catch {
    return { run: null, missing: 'chdb is not installed: npm install --no-save chdb@3.4.0' }
  }
  return {
    run: (code, directory) => {
      const sql = code.replace(/;\s*$/, '').replaceAll("'a.", `'${directory}/a.`)
      const settings = `${sql.includes('\nSETTINGS') ? ',' : '\nSETTINGS'} output_format_json_quote_64bit_integers = 1`
      const text = query(sql + settings, 'JSONEachRow')
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => {
          const row = JSON.parse(line) as ReadRow
          if (typeof row['at'] === 'string') row['at'] = microsOfText(row['at'])
          return row
        })
    },
  }
}

/** `2024-02-29 12:34:56.123456` of UTC, as microseconds. */
function microsOfText(text: string): string {
  const [whole, fraction = ''] = text.split('.')
  return String(
    BigInt(Date.parse(`${whole!.replace(' ', 'T')}Z`)) * 1000n + BigInt(fraction.padEnd(6, '0').slice(0, 6)),
  )
}

/** PostgreSQL inside of Node.js. What psql would do with \copy is done by COPY and a blob. */
export async function pgliteExecution(): Promise<Execution> {
  const { PGlite } = await import('@electric-sql/pglite')
  let opened: Promise<InstanceType<typeof PGlite>> | undefined
  return {
    run: async (code, directory) => {
      const database = await (opened ??= PGlite.create())
      try {
        for (const part of code.replace(/^--.*$/gm, '').split(/^(?=\\copy)|(?<=^\\copy.*)\n/m)) {
          const copy = /^\\copy (\w+) FROM (?:PROGRAM 'gzip -dc ([\w.]+)'|'([\w.]+)') (WITH .*)$/.exec(part)
          if (copy === null) {
            await database.exec(part)
            continue
          }
          const bytes = readFileSync(join(directory, copy[2] ?? copy[3]!))
          const blob = new Blob([copy[2] === undefined ? bytes : gunzipSync(bytes)])
          await database.query(`COPY ${copy[1]} FROM '/dev/blob' ${copy[4]}`, [], { blob })
        }
        const { rows } = await database.query<{ row: string }>(
          "SELECT to_jsonb(records) || jsonb_build_object('n', n::text, 'at', (extract(epoch from at) * 1000000)::bigint::text) AS row FROM records",
          [],
          { parsers: { 3802: (text) => text } },
        )
        return rows.map(({ row }) => JSON.parse(row) as ReadRow)
      } finally {
        await database.exec('DROP TABLE IF EXISTS records, lines')
      }
    },
  }
}

/** The queries of SQLite in WebAssembly; what its shell would import is put there line by line. */
export async function sqljsExecution(): Promise<Execution> {
  const { default: initialise } = await import('sql.js')
  const { Database } = await initialise()
  return {
    run: (code, directory) => {
      const database = new Database()
      try {
        for (const part of code.split(/^(?=\.)|(?<=^\..*)\n/m)) {
          const source = /^\.import "([\w.]+)" lines$/.exec(part)
          if (source !== null) {
            for (const line of readFileSync(join(directory, source[1]!), 'utf8').split('\n').filter(Boolean)) {
              database.run('INSERT INTO lines VALUES (?)', [line])
            }
          } else if (!part.startsWith('.')) database.run(part)
        }
        const [result] = database.exec('SELECT *, CAST(n AS TEXT) AS n FROM records')
        return result!.values.map((values) =>
          withMicros(Object.fromEntries(values.map((value, at) => [result!.columns[at]!, value]))),
        )
      } finally {
        database.close()
      }
    },
  }
}

function withMicros(row: ReadRow): ReadRow {
  const { at } = row
  if (typeof at !== 'string') return row
  const [, fraction = ''] = /\.(\d+)/.exec(at) ?? []
  const whole = BigInt(Date.parse(at.replace(/\.\d+/, '')))
  return { ...row, at: String(whole * 1000n + BigInt(fraction.padEnd(6, '0').slice(0, 6))) }
}

/** The shell of SQLite, where there is one. */
export function sqliteExecution(): Execution {
  if (spawnSync('sqlite3', ['--version']).error) return { run: null, missing: 'there is no sqlite3' }
  return {
    run: (code, directory) => {
      const tail = '.mode json\nSELECT *, CAST(n AS TEXT) AS n FROM records;\n'
      const text = execFileSync('sqlite3', ['-bail'], {
        cwd: directory,
        input: code + tail,
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      })
      return (JSON.parse(text) as ReadRow[]).map(withMicros)
    },
  }
}

const pythonTail: Record<string, string> = {
  polars: `
import json, sys
rows = records.with_columns([pl.col(n).dt.epoch("us").cast(pl.String) for n, t in records.schema.items() if t == pl.Datetime("us", "UTC")] + [pl.col(n).cast(pl.String) for n, t in records.schema.items() if t == pl.Int64]).to_dicts()
`,
  pyarrow: `
import json, sys
for at, field in enumerate(records.schema):
    if pa.types.is_timestamp(field.type):
        assert field.type.tz == "UTC", field
        records = records.set_column(at, field.name, records.column(at).cast(pa.timestamp("us", "UTC")).cast(pa.int64()).cast(pa.string()))
    elif pa.types.is_int64(field.type):
        records = records.set_column(at, field.name, records.column(at).cast(pa.string()))
rows = records.to_pylist()
`,
  pandas: `
import json, sys
import pyarrow as pa
table = pa.Table.from_pandas(records, preserve_index=False)
for at, field in enumerate(table.schema):
    if pa.types.is_timestamp(field.type):
        table = table.set_column(at, field.name, table.column(at).cast(pa.int64()).cast(pa.string()))
    elif pa.types.is_int64(field.type):
        table = table.set_column(at, field.name, table.column(at).cast(pa.string()))
rows = table.to_pylist()
`,
}

/** Python, that of TRUTO_EXPORT_PYTHON or of the path, where the reader is installed in it. */
export function pythonExecution(reader: 'polars' | 'pyarrow' | 'pandas'): Execution {
  const python = process.env['TRUTO_EXPORT_PYTHON'] ?? 'python3'
  const modules = reader === 'pandas' ? 'pandas, pyarrow' : reader
  if (spawnSync(python, ['-c', `import ${modules}`]).status !== 0) {
    return { run: null, missing: `${python} has no ${modules}: TRUTO_EXPORT_PYTHON names another` }
  }
  return {
    run: (code, directory) => {
      const script = `${code}${pythonTail[reader]}\njson.dump(rows, sys.stdout)\n`
      const file = mkdtempSync(join(tmpdir(), 'truto-export-reader-'))
      try {
        writeFileSync(join(file, 'read.py'), script)
        const text = execFileSync(python, [join(file, 'read.py')], {
          cwd: directory,
          encoding: 'utf8',
          maxBuffer: 1 << 28,
          stdio: ['ignore', 'pipe', 'pipe'],
        })
        return JSON.parse(text) as ReadRow[]
      } finally {
        rmSync(file, { recursive: true })
      }
    },
  }
}

/** A server of MariaDB, where TRUTO_EXPORT_MARIADB has the arguments of its client. */
export function mariadbExecution(): Execution {
  const given = process.env['TRUTO_EXPORT_MARIADB']
  if (given === undefined)
    return { run: null, missing: 'TRUTO_EXPORT_MARIADB has no arguments for the client of a server' }
  const ask = (sql: string, directory: string): string =>
    execFileSync(
      'mariadb',
      [
        ...given.split(' '),
        '--local-infile',
        '--batch',
        '--raw',
        '--skip-column-names',
        '--default-character-set=utf8mb4',
      ],
      {
        cwd: directory,
        input: sql,
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      },
    )
  return {
    run: (code, directory) => {
      const before = 'CREATE OR REPLACE DATABASE truto_export_test; USE truto_export_test;\n'
      const names = [...code.matchAll(/^ {2}`((?:[^`]|``)*)` (\w+)/gm)].map(([, quoted, type]) => {
        const name = `\`${quoted}\``
        const micros = `CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ${name}) AS CHAR)`
        const value = type === 'datetime' ? micros : type === 'bigint' ? `CAST(${name} AS CHAR)` : name
        return `${mariadbText(quoted!.replaceAll('``', '`'))}, ${value}`
      })
      const text = ask(`${before}${code}\nSELECT JSON_OBJECT(${names.join(', ')}) FROM records;\n`, directory)
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as ReadRow)
    },
  }
}

/** A server of PostgreSQL, where TRUTO_EXPORT_PSQL has the arguments of psql. */
export function psqlExecution(): Execution {
  const given = process.env['TRUTO_EXPORT_PSQL']
  if (given === undefined) return { run: null, missing: 'TRUTO_EXPORT_PSQL has no arguments for psql' }
  return {
    run: (code, directory) => {
      const before = 'DROP TABLE IF EXISTS records;\n'
      const after =
        "SELECT to_jsonb(records) || jsonb_build_object('n', n::text, 'at', (extract(epoch from at) * 1000000)::bigint::text) FROM records;\n"
      const text = execFileSync('psql', [...given.split(' '), '-qAtX', '-v', 'ON_ERROR_STOP=1'], {
        cwd: directory,
        input: before + code + after,
        encoding: 'utf8',
        maxBuffer: 1 << 28,
        stdio: ['pipe', 'pipe', 'pipe'],
      })
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as ReadRow)
    },
  }
}
