import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type ExportOptions, exportRecords } from '../../src/export/export.js'
import { verifyExport } from '../../src/verify.js'
import { temporaryDirectory } from '../faults/harness.js'

const names = ['line\nfeed', 'lone\rreturn', 'quo"te', '=cmd|x', 'plain']
const schema = {
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
}

test.each<Partial<ExportOptions>>([
  {},
  { csvLineEnd: 'crlf' },
  { csvLineEnd: 'crlf', csvFormulas: 'escape' },
  { csvQuote: "'", compress: 'gzip' },
  { partRows: 1, csvLineEnd: 'crlf' },
  { parser: 'js', csvLineEnd: 'crlf' },
])('what verify reads of names that need quotes is what was written, under %j', async (options) => {
  const out = join(temporaryDirectory(), 'out.csv')
  const input = Buffer.from('{"plain":"1"}\n{"quo\\"te":"2"}\n')
  const report = await exportRecords({ input, inputFormat: 'ndjson', schema, out, format: 'csv', ...options })
  expect(await verifyExport(out)).toMatchObject({ matches: true, records: { expected: 2, found: 2 } })
  const counts = report.warnings.map(({ code, count }) => [code, count])
  const parts = options.partRows === undefined ? 1 : 2
  expect(counts).toEqual(options.csvFormulas === 'escape' ? [['formulas-escaped', parts]] : [])
})

test('a file of one column says how many of its rows readers leave out', async () => {
  const out = join(temporaryDirectory(), 'out.csv')
  const input = Buffer.from(['"a"', 'null', '"c"', 'null', '"e"'].map((title) => `{"title":${title}}\n`).join(''))
  const options = {
    input,
    inputFormat: 'ndjson',
    select: ['title'],
    unknownFields: 'drop',
    onTypeMismatch: 'null',
  } as const
  const report = await exportRecords({ ...options, out, format: 'csv' })
  expect(readFileSync(out, 'utf8')).toBe('title\n"""a"""\n\n"""c"""\n\n"""e"""\n')
  expect(report.warnings).toMatchObject([{ code: 'blank-rows', count: 2, message: expect.stringContaining('pandas') }])
  expect(await verifyExport(out)).toMatchObject({ matches: true, records: { found: 5 } })
})
