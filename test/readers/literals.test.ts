// Names of fields come from schemas and records, paths from users: none of them gets out of its literal.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Format } from '../../src/encode/formats.js'
import { ConfigError } from '../../src/errors.js'
import { dialectOf, type FileFacts } from '../../src/readers/facts.js'
import { shellWord } from '../../src/readers/literals.js'
import { type ReaderName, readerNames } from '../../src/readers/names.js'
import { statementOf } from '../../src/readers/statement.js'
import type { FieldType } from '../../src/schema/resource.js'

const sqlText = /'(?:[^']|'')*'/
const sqlName = /"(?:[^"]|"")*"/
const escapedText = /'(?:[^'\\]|\\[\s\S])*'/
const ticked = /`(?:[^`]|``)*`/
const escapedTicked = /`(?:[^`\\]|\\[\s\S])*`/
const dashes = /--[^\n]*/
const hashes = /#[^\n]*/
const python = /"(?:[^"\\\n]|\\[^\n])*"/
/** `\x01` is in a text of PostgreSQL that the code has of its own, after an E. */
const dotText = /"(?:[^"\\\n]|\\[^\n])*"/

/** What literals and comments look like to the reader. */
const lexicon: { readonly [reader in ReaderName]: readonly RegExp[] } = {
  duckdb: [sqlText, sqlName],
  polars: [python, hashes],
  pyarrow: [python, hashes],
  pandas: [python, hashes],
  spark: [python, hashes],
  clickhouse: [escapedText, escapedTicked, dashes],
  bigquery: [escapedText, escapedTicked, dashes],
  snowflake: [escapedText, sqlName, dashes],
  postgres: [sqlText, sqlName, dashes],
  sqlite: [sqlText, sqlName, dashes],
  mariadb: [/'(?:[^'\\]|''|\\[\s\S])*'/, ticked, dashes],
  athena: [escapedText, ticked, dashes],
}

/** The code without what its literals hold. */
function skeleton(reader: ReaderName, code: string): string {
  const commands = reader === 'sqlite' ? code.replace(/^\.import [^\n]*/gm, (line) => line.replace(dotText, '_')) : code
  const scanner = new RegExp(lexicon[reader].map(({ source }) => source).join('|'), 'g')
  const bare = commands.replace(scanner, (literal) => (/^(--|#)/.test(literal) ? literal : '_'))
  // the lines of the header, which a name may have several of
  return bare.replace(/IGNORE \d+ LINES/, 'IGNORE _ LINES')
}

const kinds = ['string', 'boolean', 'timestamp', 'int64', 'double', 'json'] as const

function factsWith(format: Format, names: readonly string[], path: string): FileFacts {
  const columns = names.map((name, at) => ({ name, type: { kind: kinds[at % kinds.length]! } as FieldType }))
  const fields = names.map((name): { name: string; type: FieldType } => ({ name, type: { kind: 'string' } }))
  const nested: FieldType = { kind: 'list', element: { kind: 'struct', fields } }
  return {
    format,
    compression: format === 'parquet' ? 'none' : 'gzip',
    dialect: dialectOf({}),
    columns: format === 'csv' ? columns : [...columns, { name: 'nested', type: nested }],
    paths: [path],
    isKeyed: false,
    instantUnit: 'micros',
    jsonType: 'json',
  }
}

const pieces = [
  '"',
  "'",
  '`',
  '\\',
  '\n',
  '\r',
  '--',
  '#',
  ');',
  '/*',
  '*/',
  '$$',
  '${',
  '%',
  '\u2028',
  'x',
  ' ',
  'é',
  '"""',
  "''",
  '|',
  '<',
  ',',
]
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'grapheme' })), { minLength: 1, maxLength: 8 })
  .map((texts) => texts.join('').replaceAll('\0', ''))
const formats: Format[] = ['ndjson', 'csv', 'parquet']

for (const reader of readerNames) {
  test(`a name or a path cannot end its literal: ${reader}`, () => {
    let tried = 0
    fc.assert(
      fc.property(
        fc.array(hostile, { minLength: 6, maxLength: 6 }),
        hostile,
        fc.constantFrom(...formats),
        (names, given, format) => {
          const path = given.replace(/[\n\r*?{}[\]]/g, '')
          const of = (facts: FileFacts): string | null => {
            const plain =
              reader === 'mariadb' && format !== 'parquet' ? { ...facts, compression: 'none' as const } : facts
            try {
              return statementOf(reader, plain)
            } catch (error) {
              if (error instanceof ConfigError) return null
              throw error
            }
          }
          const tame = of(factsWith(format, ['a', 'b', 'c', 'd', 'e', 'f'], 'x'))
          const code = of(factsWith(format, names, path))
          // which it has no path to, in JSON
          const isLost = reader === 'mariadb' && format === 'ndjson' && names.some((name) => name.startsWith('-'))
          expect(code === null).toBe(tame === null || isLost)
          if (code === null) return
          tried++
          expect(skeleton(reader, code)).toBe(skeleton(reader, tame!))
        },
      ),
      { numRuns: 300 },
    )
    expect(tried).toBeGreaterThan(50)
  })
}

test('a word of the shell is what it was', () => {
  for (const [text, word] of [
    ['a.csv', 'a.csv'],
    ['a b', "'a b'"],
    ["it's", "'it'\\''s'"],
    ['$(rm)', "'$(rm)'"],
    ['', "''"],
  ]) {
    expect(shellWord(text!)).toBe(word)
  }
})

test.each(['postgres', 'sqlite'] as const)(
  'a path with a line end is refused where a command ends with its line: %s',
  (reader) => {
    expect(() => statementOf(reader, factsWith('csv', ['a'], 'a\n\\! rm b'))).toThrow(ConfigError)
  },
)

test.each(readerNames)('a name that SQL cannot write is refused, or written: %s', (reader) => {
  const facts = { ...factsWith('csv', ['a\0b'], 'x'), compression: 'none' as const }
  if (['polars', 'pyarrow', 'pandas', 'spark'].includes(reader))
    expect(statementOf(reader, facts)).toContain('"a\\u0000b"')
  else expect(() => statementOf(reader, facts)).toThrow(/U\+0000/)
})

test('a pattern of ClickHouse is not taken for a file', () => {
  expect(() => statementOf('clickhouse', factsWith('csv', ['a'], 'a{1,2}.csv'))).toThrow(/pattern/)
})
