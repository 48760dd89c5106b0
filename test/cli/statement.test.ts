import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readingLine } from '../../src/cli/reading-line.js'
import { readerNames } from '../../src/readers/names.js'
import { runCommand } from '../helpers/command-line.js'

const cli = (argv: string[], isTTY = false) => runCommand(argv, { isTTY })

const list = 'instant-messaging/members'
const records = '{"id":"1","n":1}\n{"id":"2","n":2,"late":{"a":"x"}}\n'
const schema = { type: 'object', properties: { id: { type: 'string' }, at: { type: 'string', format: 'date-time' } } }
let directory: string
let at: (name: string) => string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'truto-export-statement-'))
  at = (name) => join(directory, name)
  await writeFile(at('in.ndjson'), records)
  await writeFile(at('schema.json'), JSON.stringify(schema))
})
afterAll(() => rm(directory, { recursive: true }))

test('the columns of a declared resource need no request and no file', async () => {
  const { exitCode, stdout, stderr } = await cli([
    'schema',
    '--reader',
    'duckdb',
    list,
    '-o',
    'csv',
    '--compress',
    'gzip',
  ])
  expect([exitCode, stderr]).toEqual([0, ''])
  expect(stdout).toContain("'members.csv.gz'")
  expect(stdout).toContain("compression = 'gzip'")
  expect(stdout).toContain("'updated_at': 'TIMESTAMPTZ'")
  expect(stdout).toMatch(/'extra': 'JSON'\n {2}\}\n\);\n$/)
  expect((await cli(['schema', '--reader', 'duckdb', list])).stdout).toContain("'members.ndjson'")
})

test('an unknown reader is refused, and the known ones are named', async () => {
  const { exitCode, stdout, stderr } = await cli(['schema', '--reader', 'excel', list])
  expect([exitCode, stdout]).toEqual([2, ''])
  for (const name of readerNames) expect(stderr).toContain(name)
})

test('the manifest beside a file tells its dialect and its columns', async () => {
  const flags = ['--csv-delimiter', ';', '--no-csv-header', '--csv-nested', 'flatten', '--rename', 'first_name=called']
  const out = await cli(['convert', at('in.ndjson'), '--resource', list, '--out', at('m.csv'), '--quiet', ...flags])
  expect([out.exitCode, out.stderr]).toEqual([0, ''])
  const { exitCode, stdout, stderr } = await cli(['schema', '--reader', 'duckdb', at('m.csv')])
  expect([exitCode, stderr]).toEqual([
    0,
    `truto-export: columns of ${at('m.csv')}, as ${at('_m.csv.manifest.json')} says\n`,
  ])
  for (const part of ["delim = ';'", 'header = false', "'emails.0.email': 'VARCHAR'", "'called': 'VARCHAR'"]) {
    expect(stdout).toContain(part)
  }
  expect((await cli(['schema', '--reader', 'duckdb', at('m.csv'), '--quiet'])).stderr).toBe('')
  const moved = at('moved.csv')
  await rename(at('m.csv'), moved)
  const alone = await cli(['schema', '--reader', 'duckdb', moved])
  expect([alone.exitCode, alone.stdout]).toEqual([2, ''])
  expect(alone.stderr).toMatch(/no manifest beside it.*--schema/)
  const told = await cli(['schema', '--reader', 'duckdb', moved, '--schema', at('schema.json'), '--csv-delimiter', ';'])
  expect([told.exitCode, told.stderr]).toEqual([0, ''])
  expect(told.stdout).toContain("'at': 'TIMESTAMPTZ',\n    'extra': 'JSON'")
})

test('NDJSON of a declared resource has the fields that are declared, after the edits', async () => {
  await cli([
    'convert',
    at('in.ndjson'),
    '--resource',
    list,
    '--out',
    at('n.ndjson'),
    '--quiet',
    '--exclude',
    'bio',
    '--unmet-fields',
    'ignore',
  ])
  const { exitCode, stdout } = await cli(['schema', '--reader', 'polars', at('n.ndjson')])
  expect(exitCode).toBe(0)
  expect(stdout).toContain('"remote_data": pl.String')
  expect(stdout).not.toContain('"bio"')
})

test('where nothing tells of NDJSON all of its records do', async () => {
  const many = Array.from({ length: 10_001 }, (_, n) => `{"id":"${n}"}\n`).join('')
  await writeFile(at('late.ndjson'), `${many}{"late":{"a":1}}\n`)
  const { exitCode, stdout, stderr } = await cli(['schema', '--reader', 'polars', at('late.ndjson')])
  expect([exitCode, stderr]).toEqual([0, 'truto-export: learned from 10,002 records\n'])
  expect(stdout).toContain('"late": pl.Struct({"a": pl.Int64})')
})

test('a file of Parquet tells its columns by itself', async () => {
  const flags = ['--schema', at('schema.json'), '--manifest', 'none', '--quiet']
  await cli(['convert', at('in.ndjson'), '--out', at('p.parquet'), ...flags])
  const { exitCode, stdout, stderr } = await cli(['schema', '--reader', 'athena', at('p.parquet')])
  expect([exitCode, stderr]).toEqual([0, ''])
  expect(stdout).toContain('  `id` string,\n  `at` timestamp,\n  `extra` string\n)\nSTORED AS PARQUET')
})

test.each([
  [['schema', '--reader', 'duckdb', '-'], /one file, directory or resource/],
  [['schema', '--reader', 'duckdb', 'a.csv', 'b.csv'], /one file, directory or resource/],
  [['schema', '--reader', 'duckdb', './none.csv'], /no file \.\/none\.csv/],
  [['schema', '--reader', 'postgres', list, '-o', 'parquet'], /PostgreSQL does not read a Parquet file/],
  [['schema', '--reader', 'mariadb', list, '--compress', 'gzip'], /MariaDB does not unpack gzip/],
  [
    ['schema', '--reader', 'clickhouse', list, '-o', 'csv', '--csv-quote', "'"],
    /ClickHouse does not read CSV with strings in '/,
  ],
  [['schema', '--reader', 'polars', list, '--key-by', 'id'], /polars cannot be told to read records under keys/],
])('%j is refused', async (argv, message) => {
  const { exitCode, stdout, stderr } = await cli(argv)
  expect([exitCode, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(message)
})

test('the report ends with the statement on a terminal, and nowhere else', async () => {
  const convert = async (flags: string[], isTTY = true) => {
    const { exitCode, stderr } = await cli(['convert', at('in.ndjson'), '--overwrite', ...flags], isTTY)
    expect(exitCode, stderr).toBe(0)
    return stderr
  }
  const line = `truto-export: read it with: truto-export schema --reader duckdb ${at('t.ndjson')}\n`
  expect(await convert(['--out', at('t.ndjson')])).toMatch(new RegExp(`${line.replaceAll('.', '\\.')}$`))
  for (const flags of [['--quiet'], ['--log', 'json'], ['--manifest', 'none']]) {
    expect(await convert(['--out', at('t.ndjson'), ...flags])).not.toContain('read it with')
  }
  expect(await convert([])).not.toContain('read it with')
  expect(await convert(['--out', at('t.ndjson')], false)).not.toContain('read it with')
})

test('what the line names is the file, whatever its name', () => {
  expect(readingLine('a b.csv')).toMatch(/duckdb 'a b\.csv'$/)
  expect(readingLine('-x.csv')).toMatch(/duckdb \.\/-x\.csv$/)
  expect(readingLine('lake/members')).toMatch(/duckdb \.\/lake\/members$/)
})
