import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ReaderName } from '../../src/readers/names.js'
import { runCommand } from '../helpers/command-line.js'
import { type Expected, lines, type Row, rows, schema, schemaDocument, settled } from './corpus.js'
import {
  clickhouseExecution,
  duckdbExecution,
  type Execution,
  mariadbExecution,
  pgliteExecution,
  psqlExecution,
  pythonExecution,
  sqliteExecution,
  sqljsExecution,
} from './execute.js'

async function cli(...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(argv)
  expect([exitCode, stderr.replace(/^truto-export: columns of .*\n/, '')]).toEqual([0, ''])
  return stdout
}

/** Files of the corpus, each in a folder of its own, and flags that tell of them what no manifest does. */
const files: { readonly [file: string]: readonly string[] } = {
  'a.csv': [],
  'a.csv.gz': [],
  'a.ndjson': ['--schema', 'SCHEMA'],
  'a.ndjson.gz': ['--schema', 'SCHEMA'],
  'a.json': ['--schema', 'SCHEMA'],
  'a.parquet': [],
}
/** What stands in folders, written with other flags. */
const folders: { readonly [folder: string]: readonly string[] } = {
  semicolon: ['--csv-delimiter', ';', '--csv-quote', "'", '--csv-line-end', 'crlf', '--no-csv-header'],
  marked: ['--csv-bom'],
  crlf: ['--csv-line-end', 'crlf'],
  keyed: ['--key-by', 'id'],
  parts: ['--part-rows', '3'],
}
const inFolders: { readonly [folder: string]: readonly string[] } = {
  semicolon: ['a.csv'],
  marked: ['a.csv'],
  crlf: ['a.csv'],
  keyed: ['a.csv', 'a.ndjson', 'a.json', 'a.parquet'],
  parts: ['a.csv', 'a.ndjson', 'a.parquet'],
}

let root: string
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'truto-export-readers-'))
  writeFileSync(join(root, 'in.ndjson'), `${lines.join('\n')}\n`)
  writeFileSync(join(root, 'schema.json'), JSON.stringify(schemaDocument))
  const convert = (out: string, ...flags: string[]) =>
    cli('convert', join(root, 'in.ndjson'), '--schema', join(root, 'schema.json'), '--out', out, '--quiet', ...flags)
  for (const file of Object.keys(files)) await convert(join(root, file))
  for (const [folder, flags] of Object.entries(folders)) {
    mkdirSync(join(root, folder))
    for (const file of inFolders[folder]!) await convert(join(root, folder, file), ...flags)
  }
})
afterAll(() => rmSync(root, { recursive: true }))

/** The code that reads a file, whose name it knows relative to its folder. */
async function statement(reader: ReaderName, folder: string, file: string): Promise<string> {
  const flags = files[file]!.map((flag) => (flag === 'SCHEMA' ? join(root, 'schema.json') : flag))
  const code = await cli('schema', '--reader', reader, join(root, folder, file), ...flags)
  return code.replaceAll(`${join(root, folder)}/`, '')
}

/** In the order of the ids. */
function byId(given: readonly Row[]): Row[] {
  return given.slice().sort((one, other) => (String(one['id']) < String(other['id']) ? -1 : 1))
}

interface Peer {
  readonly reader: ReaderName
  readonly title: string
  readonly execution: Execution
  readonly files: readonly string[]
  readonly folders?: readonly string[]
  /** Whether strings of CSV are "" where they are null. */
  readonly isBlind?: boolean
  /** Whether nested values of Parquet are empty where they are null. */
  readonly isFull?: boolean
}

const text = ['a.csv', 'a.ndjson', 'a.csv.gz', 'a.ndjson.gz']
const all = Object.keys(files)
const tables = all.filter((file) => file !== 'a.json')
const peers: Peer[] = [
  {
    reader: 'duckdb',
    title: 'DuckDB',
    execution: await duckdbExecution(),
    files: all,
    folders: ['semicolon', 'marked', 'crlf', 'keyed', 'parts'],
  },
  {
    reader: 'polars',
    title: 'polars',
    execution: pythonExecution('polars'),
    files: tables,
    folders: ['semicolon', 'marked', 'crlf', 'parts'],
  },
  {
    reader: 'pyarrow',
    title: 'pyarrow',
    execution: pythonExecution('pyarrow'),
    files: all,
    folders: ['semicolon', 'marked', 'crlf', 'keyed', 'parts'],
  },
  {
    reader: 'pandas',
    title: 'pandas',
    execution: pythonExecution('pandas'),
    files: all,
    folders: ['semicolon', 'marked', 'crlf', 'keyed'],
  },
  {
    reader: 'clickhouse',
    title: 'ClickHouse',
    execution: await clickhouseExecution(),
    isFull: true,
    files: all,
    folders: ['marked', 'crlf', 'parts'],
  },
  {
    reader: 'postgres',
    title: 'PostgreSQL in PGlite',
    execution: await pgliteExecution(),
    files: text,
    folders: ['semicolon', 'crlf'],
  },
  {
    reader: 'postgres',
    title: 'PostgreSQL by psql',
    execution: psqlExecution(),
    files: text,
    folders: ['semicolon', 'crlf'],
  },
  { reader: 'sqlite', title: 'SQLite in WebAssembly', execution: await sqljsExecution(), files: ['a.ndjson'] },
  {
    reader: 'sqlite',
    title: "SQLite's shell",
    execution: sqliteExecution(),
    files: text,
    folders: ['crlf'],
    isBlind: true,
  },
  {
    reader: 'mariadb',
    title: 'MariaDB',
    execution: mariadbExecution(),
    files: ['a.csv', 'a.ndjson'],
    folders: ['semicolon', 'crlf'],
    isBlind: true,
  },
]

for (const { reader, title, execution, files: able, folders: known = [], isBlind = false, isFull = false } of peers) {
  const { run: execute, missing } = execution
  describe.skipIf(execute === null)(`${title}${missing === undefined ? '' : ` (${missing})`}`, () => {
    const nullFor =
      (file: string) =>
      (name: string): Expected => {
        const kind = schema.fields.find((field) => field.name === name)!.type.kind
        if (isBlind && file.startsWith('a.csv') && kind === 'string') return ''
        if (!isFull || file !== 'a.parquet') return null
        return kind === 'list' ? { json: [] } : kind === 'struct' ? { json: {} } : null
      }
    const cases = [
      ...able.map((file) => ['', file]),
      ...known.flatMap((folder) => (inFolders[folder] ?? []).map((file) => [folder, file])),
    ]
    test.each(cases)('reads every value of %s/%s by its statement', async (folder, file) => {
      const nullOf = nullFor(file!)
      const read = await execute!(await statement(reader, folder!, file!), join(root, folder!))
      const found = read.map((row) =>
        Object.fromEntries(schema.fields.map(({ name }) => [name, settled(name, row[name])])),
      )
      const wanted = rows.map((row) =>
        Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value === null ? nullOf(name) : value])),
      )
      // nothing was left over
      if (!/json/.test(file!)) expect(read.map((row) => settled('extra', row['extra']))).toEqual(rows.map(() => null))
      // a directory of parts may come in any order
      expect(byId(found)).toEqual(byId(wanted))
    })
  })
}
