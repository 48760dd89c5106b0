import { describe, expect, test } from 'vitest'
import { type DemoResult, formatResults, lookCommand } from '../../src/cli/demo.js'

const results: DemoResult[] = [
  {
    format: 'ndjson',
    path: 'out/members.ndjson',
    report: { records: 100_000, outputBytes: 265_000_000, elapsedMs: 9512, peakRssBytes: 120_000_000 },
  },
  {
    format: 'parquet',
    path: 'out/members.parquet',
    report: { records: 100_000, outputBytes: 39_000_000, elapsedMs: 10_400, peakRssBytes: 268_000_000 },
  },
]

test('the demonstration ends with a table and a way to look into each file', () => {
  expect(formatResults(results, false)).toBe(`
format   records     bytes  seconds  peak RSS  path
ndjson   100,000  265.0 MB      9.5  120.0 MB  out/members.ndjson
parquet  100,000   39.0 MB     10.4  268.0 MB  out/members.parquet

Look into them:
  head -n 1 out/members.ndjson
  duckdb -c "SELECT id, name, status, emails FROM 'out/members.parquet' LIMIT 5"
`)
})

describe('a command to look into a file', () => {
  test('uses the reader of node_modules where there is one', () => {
    expect(lookCommand('parquet', 'x.parquet', true)).toMatch(/^node .*'hyparquet'.* x\.parquet$/)
  })

  test('takes a path of any characters as one word', () => {
    expect(lookCommand('csv', "it's $HOME/x.csv", false)).toBe(`head -n 3 'it'\\''s $HOME/x.csv'`)
    expect(lookCommand('parquet', `it's "$HOME"`, false)).toContain(`FROM 'it''s \\"\\$HOME\\"' LIMIT`)
  })
})
