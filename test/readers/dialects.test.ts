// Dialects and values for themselves, in files that are written here by hand: what a statement promises holds for any
// writer of them.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Dialect, dialectOf, type FileFacts } from '../../src/readers/facts.js'
import type { ReaderName } from '../../src/readers/names.js'
import { statementOf } from '../../src/readers/statement.js'
import type { FieldType } from '../../src/schema/resource.js'
import { microsOf } from './corpus.js'
import {
  clickhouseExecution,
  duckdbExecution,
  type Execution,
  mariadbExecution,
  pgliteExecution,
  psqlExecution,
  pythonExecution,
  sqliteExecution,
} from './execute.js'

const executions: readonly (readonly [ReaderName, string, Execution])[] = [
  ['duckdb', 'DuckDB', await duckdbExecution()],
  ['polars', 'polars', pythonExecution('polars')],
  ['pyarrow', 'pyarrow', pythonExecution('pyarrow')],
  ['pandas', 'pandas', pythonExecution('pandas')],
  ['clickhouse', 'ClickHouse', await clickhouseExecution()],
  ['postgres', 'PostgreSQL in PGlite', await pgliteExecution()],
  ['postgres', 'PostgreSQL by psql', psqlExecution()],
  ['sqlite', "SQLite's shell", sqliteExecution()],
  ['mariadb', 'MariaDB', mariadbExecution()],
]

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'truto-export-dialects-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

type Kinds = { readonly [column: string]: FieldType['kind'] }

function factsOf(format: 'csv' | 'ndjson', kinds: Kinds, dialect: Partial<Dialect> = {}): FileFacts {
  const columns = Object.entries(kinds).map(([name, kind]) => ({ name, type: { kind } as FieldType }))
  return {
    format,
    compression: 'none',
    dialect: { ...dialectOf({}), ...dialect },
    columns,
    paths: [`a.${format}`],
    isKeyed: false,
    instantUnit: 'micros',
    jsonType: 'string',
  }
}

/** Of fields. */
const names = [
  ...["it's", 'a"b', 'a`b', 'a\\b', "x'); DROP TABLE records; --", '$.a.b', 'a,b', '`', '"', "'", '\\', 'é', 'a\nb'],
  ...['%s{0}', '#x', '/*', '"""', 'select', '2024', '$1', ':p', '\\" or 1', "\\'", '--', '<b>', '|', '*', '?'],
]

const kinds: Kinds = { id: 'string', n: 'int64', at: 'timestamp' }

for (const [reader, title, { run, missing }] of executions) {
  const read = async (facts: FileFacts, text: string) => {
    writeFileSync(join(directory, facts.paths[0]), text)
    const rows = await run!(statementOf(reader, facts), directory)
    return rows.map((row) => Object.keys(kinds).map((name) => row[name] ?? null))
  }
  const able = (facts: FileFacts): boolean => {
    try {
      statementOf(reader, facts)
      return true
    } catch {
      return false
    }
  }

  describe.skipIf(run === null)(`${title}${missing === undefined ? '' : ` (${missing})`}`, () => {
    const slashed = factsOf('csv', kinds, { escape: 'backslash' })
    test.skipIf(!able(slashed))('backslashes before quotes and backslashes', async () => {
      const rows = await read(slashed, 'id,n,at\n"a\\"b\\\\c, d\\\\",1,\n"\\\\N",,\n"\\\\n",2,\n')
      expect(rows.map(([id]) => id)).toEqual(['a"b\\c, d\\', '\\N', '\\n'])
    })

    const marked = factsOf('csv', kinds, { nullText: 'NULL' })
    test.skipIf(!able(marked))('a text for null, which in quotes is itself', async () => {
      const rows = await read(marked, 'id,n,at\n"NULL",1,NULL\nNULL,NULL,NULL\n"",2,NULL\n')
      expect(rows.map(([id, n]) => [id, n === null ? null : String(n)])).toEqual([
        ['NULL', '1'],
        [null, null],
        ['', '2'],
      ])
    })

    test('a line feed at the end of a cell, quotes at both ends, and a cell of quotes alone', async () => {
      const cells = ['\n', 'a\n', '"', '""', '"a"', ',', ' a ', '\t']
      const text = cells.map((cell) => `"${cell.replaceAll('"', '""')}",1,\n`).join('')
      expect((await read(factsOf('csv', kinds), `id,n,at\n${text}`)).map(([id]) => id)).toEqual(cells)
    })

    const instants = [
      '2024-02-29T12:34:56Z',
      '2024-02-29T12:34:56.1Z',
      '1970-01-01T00:00:00+00:00',
      '2100-12-31T23:59:59.999999-12:30',
    ]
    const far = ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999999Z']
    test.each(['csv', 'ndjson'] as const)(
      'date-times with and without fractions and offsets, early and late ones, in %s',
      async (format) => {
        const wanted = [...instants, ...far]
        const text =
          format === 'csv'
            ? `id,n,at\n${wanted.map((at) => `"x",1,"${at}"\n`).join('')}`
            : wanted.map((at) => `{"id":"x","n":1,"at":"${at}"}\n`).join('')
        const rows = await read(factsOf(format, kinds), text)
        const micros = wanted.map((at) => (reader === 'clickhouse' && far.includes(at) ? null : microsOf(at)))
        expect(rows.map(([, , at]) => (at === null ? null : String(at)))).toEqual(micros)
      },
    )

    const isBlind = reader === 'sqlite' || reader === 'mariadb' // to null beside ""
    test.skipIf(isBlind || reader === 'postgres')('a column alone, whose null is a blank line', async () => {
      const facts = factsOf('csv', { id: 'string' })
      const found = (await read(facts, 'id\n"a"\n\n"b"\n\n')).map(([id]) => id)
      expect(found).toEqual(['a', null, 'b', null])
    })

    test.each(['csv', 'ndjson'] as const)('names that look like code, in %s', async (format) => {
      // MariaDB's paths of JSON do not reach all of them, and the statement says so
      const told = names.filter((name) => reader !== 'mariadb' || format === 'csv' || !name.startsWith('-'))
      const facts = factsOf(format, { ...kinds, ...Object.fromEntries(told.map((name) => [name, 'string' as const])) })
      const all = facts.columns.map(({ name }) => name)
      const valueIn = (name: string) => (name === 'n' ? 1 : name === 'at' ? null : `value of ${names.indexOf(name)}`)
      const cells = all.map(valueIn).map((value) => (typeof value === 'string' ? `"${value}"` : (value ?? '')))
      const header = all.map((name) => `"${name.replaceAll('"', '""')}"`)
      const record = Object.fromEntries(all.map((name) => [name, valueIn(name)]))
      const text = format === 'csv' ? `${header.join(',')}\n${cells.join(',')}\n` : `${JSON.stringify(record)}\n`
      writeFileSync(join(directory, facts.paths[0]), text)
      const rows = await run!(statementOf(reader, facts), directory)
      expect(rows.map((row) => told.map((name) => row[name]))).toEqual([told.map(valueIn)])
    })

    test.each(['csv', 'ndjson'] as const)(
      'what is seen for the first time after 30,000 rows, in %s',
      async (format) => {
        const early = format === 'csv' ? ',1,\n' : '{"n":1}\n'
        const late = [
          ['00042', '2', '2024-02-29T12:34:56.678Z'],
          ['a "b", c\nd', '9007199254740993', '2024-02-29T12:34:56Z'],
        ] as const
        const lines = late.map(([id, n, at]) =>
          format === 'csv'
            ? `"${id.replaceAll('"', '""')}",${n},"${at}"\n`
            : `{"n":${n},"id":${JSON.stringify(id)},"at":"${at}"}\n`,
        )
        const text = `${format === 'csv' ? 'id,n,at\n' : ''}${early.repeat(30_000)}${lines.join('')}`
        const rows = await read(factsOf(format, kinds), text)
        expect(rows).toHaveLength(30_002)
        expect(rows.slice(-2).map(([id, n, at]) => [id, String(n), String(at)])).toEqual(
          late.map(([id, n, at]) => [id, n, microsOf(at)]),
        )
      },
    )

    test('seven digits of a second are six', async () => {
      const rows = await read(factsOf('csv', kinds), 'id,n,at\n"x",1,"2024-02-29T12:34:56.1234567Z"\n')
      // PostgreSQL rounds, the others cut
      const micros = reader === 'postgres' ? '1709210096123457' : '1709210096123456'
      expect(String(rows[0]![2])).toBe(reader === 'sqlite' ? '1709210096123456' : micros)
    })
  })
}
