// The edge corpus in CSV and NDJSON, value for value, by the statements of DuckDB: its strings break readers in every
// way that we know.

import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { layoutOf } from '../../src/encode/columns/layout.js'
import { csvEncoder } from '../../src/encode/csv.js'
import { type Dialect, dialectOf, type FileFacts } from '../../src/readers/facts.js'
import { statementOf } from '../../src/readers/statement.js'
import { batchOf } from '../helpers/batch.js'
import { query } from '../helpers/duckdb.js'
import { edgeCorpus, edgeSchema } from '../helpers/edge-corpus.js'
import { encodeAll } from '../helpers/sink.js'

// one long cell of each kind is among them
const corpus = edgeCorpus(2000)

const { columns } = layoutOf({
  schema: edgeSchema,
  hasKey: false,
  nested: 'text',
  flattenSlots: 1,
  unknownFields: 'extra',
  onTypeMismatch: 'extra',
})

const facts = (dialect: Partial<Dialect> = {}): FileFacts => ({
  format: 'csv',
  compression: 'gzip',
  dialect: { ...dialectOf({}), ...dialect },
  columns,
  paths: ['FILE'],
  isKeyed: false,
  instantUnit: 'micros',
  jsonType: 'string',
})

test.each([
  ['the usual dialect', {}],
  ['semicolons, quotes of one stroke and no header', { delimiter: ';', quote: "'", hasHeader: false }],
] as const)('DuckDB reads every value of the edge corpus from CSV: %s', async (_, dialect) => {
  const encoder = csvEncoder({
    schema: edgeSchema,
    ...('delimiter' in dialect ? { delimiter: dialect.delimiter, quote: dialect.quote, header: false } : {}),
  })
  const bytes = await encodeAll(encoder, [batchOf(...corpus.map(({ text }) => text))])
  const code = statementOf('duckdb', facts(dialect)).replace(/;\s*$/, '').replace("'FILE'", '{file}')
  const rows = await query(code, gzipSync(bytes), '.csv.gz')
  expect(rows).toHaveLength(corpus.length)
  let compared = 0
  for (const [index, { row }] of corpus.entries()) {
    for (const { name, type } of edgeSchema.fields) {
      if (type.kind === 'list' || type.kind === 'struct') continue
      const [wanted, found] = [row[name], rows[index]![name]]
      // date-times and numbers of any precision have their text in CSV
      if (wanted === null && (type.kind === 'timestamp' || type.kind === 'double')) continue
      if (!Object.is(found, wanted)) expect(found, `${index} ${name}`).toEqual(wanted)
      compared++
    }
  }
  expect(compared).toBeGreaterThan(15 * corpus.length)
})
