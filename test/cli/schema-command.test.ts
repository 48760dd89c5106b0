import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Emulator, startEmulator } from '../../src/emulator/emulator.js'
import { schemaFromJson } from '../../src/schema/json-schema.js'
import { memberSchema } from '../../src/schema/member.js'
import { runCommand } from '../helpers/command-line.js'

async function cli(argv: string[], given: { env?: NodeJS.ProcessEnv; stdin?: string } = {}) {
  const { listened, ...outcome } = await runCommand(argv, given)
  expect(listened).toEqual([])
  return outcome
}

let emulator: Emulator
let directory: string
beforeAll(async () => {
  emulator = await startEmulator({ members: 500 })
  directory = await mkdtemp(join(tmpdir(), 'truto-export-schema-'))
})
afterAll(async () => {
  await emulator.close()
  await rm(directory, { recursive: true })
})

const list = 'instant-messaging/members'
const asked = (): [string[], { env: NodeJS.ProcessEnv }] => [
  ['-a', emulator.accountId, '--channel', emulator.parentIds[0]!, '--api-url', emulator.url],
  { env: { TRUTO_API_TOKEN: emulator.token } },
]

test('the schema of members is declared: no request, no token', async () => {
  const { stdout, stderr, exitCode } = await cli(['schema', list])
  expect([exitCode, stderr]).toEqual([0, ''])
  expect(JSON.parse(stdout)).toMatchObject({ title: list, type: 'object' })
  expect(schemaFromJson(stdout).fields).toEqual(memberSchema.fields)
})

test('it is learned from the list where a sample is asked for, and the export with it has these columns', async () => {
  const [flags, given] = asked()
  const { stdout, stderr, exitCode } = await cli(['schema', list, '--sample', '250', ...flags], given)
  expect([exitCode, stderr]).toEqual([0, 'truto-export: learned from 250 records\n'])
  const { fields } = schemaFromJson(stdout)
  expect(fields[0]).toEqual({ name: 'id', type: { kind: 'string' } })
  const path = join(directory, 'schema.json')
  await writeFile(path, stdout)
  const csv = join(directory, 'a.csv')
  const out = await cli([list, ...flags, '--schema', path, '--out', csv, '--quiet'], given)
  expect([out.exitCode, out.stderr]).toEqual([0, ''])
  expect((await readFile(csv, 'utf8')).split('\n', 1)[0]).toBe([...fields.map(({ name }) => name), 'extra'].join(','))
})

test('it is learned from a file and from stdin', async () => {
  const text = '{"n":1,"at":"2024-02-29T12:34:56Z"}\n{"n":2.5}\n'
  const path = join(directory, 'in.ndjson')
  await writeFile(path, text)
  const fromFile = await cli(['schema', path, '--quiet'])
  expect([fromFile.exitCode, fromFile.stderr]).toEqual([0, ''])
  expect(JSON.parse(fromFile.stdout).properties).toEqual({
    at: { type: ['string', 'null'], format: 'date-time' },
    n: { type: ['number', 'null'] },
  })
  expect((await cli(['schema', '-', '--quiet', '--input-format', 'ndjson'], { stdin: text })).stdout).toBe(
    fromFile.stdout,
  )
  expect((await cli(['schema', '-', '--quiet', '--sample', '1'], { stdin: text })).stdout).toContain('"integer"')
})

test.each([
  [['schema'], 2, 'ERR_OPTION_MISSING'],
  [['schema', 'crm/contacts'], 2, 'ERR_TOKEN_MISSING'],
  [['schema', './no/such/file'], 2, 'ERR_OPTION_INVALID'],
  [['schema', '-', '--sample', '0'], 2, 'ERR_OPTION_INVALID'],
  [['schema', '-', '--input-format', 'page'], 6, 'ERR_SCHEMA'],
])('%j ends with %i and %s', async (argv, code, error) => {
  const { exitCode, stderr, stdout } = await cli(argv, { stdin: '{"result":[],"next_cursor":null}' })
  expect([exitCode, stdout]).toEqual([code, ''])
  expect(stderr).toContain(error)
})

test('names that differ in case alone are told, printed, and refused by an export', async () => {
  const path = join(directory, 'twins.ndjson')
  await writeFile(path, '{"id":"1","userId":"a","userid":"b","p":[{"Email":1,"email":2}],"Extra":1}\n')
  const learned = await cli(['schema', path])
  expect(learned.exitCode).toBe(0)
  expect(learned.stderr.split('\n').slice(1)).toEqual([
    'truto-export: warning: p.Email and p.email differ in case alone; no export to CSV or Parquet takes both as columns',
    'truto-export: warning: userId and userid differ in case alone; no export to CSV or Parquet takes both as columns',
    'truto-export: warning: Extra and extra differ in case alone; no export to CSV or Parquet takes both as columns',
    '',
  ])
  const schema = join(directory, 'twins.json')
  await writeFile(schema, learned.stdout)
  expect(schemaFromJson(learned.stdout).fields.map(({ name }) => name)).toEqual([
    'id',
    'Extra',
    'p',
    'userId',
    'userid',
  ])
  const out = await cli(['convert', path, '--schema', schema, '--out', join(directory, 'twins.parquet')])
  expect(out.exitCode).toBe(2)
  expect(out.stderr).toMatch(/Extra|userId and userid|p.Email and p.email/)
  expect((await cli(['schema', path, '--quiet'])).stderr).toBe('')
})

test('a list of ever new names ends with the limit that it meets', async () => {
  const path = join(directory, 'hostile.ndjson')
  const inner = (i: number) => `{${Array.from({ length: 60 }, (_, j) => `"k${i}_${j}":{"v${i}_${j}":1}`).join(',')}}`
  const records = Array.from({ length: 2000 }, (_, i) => `{"f${i % 900}":${inner(i)}}`)
  await writeFile(path, `${records.join('\n')}\n`)
  const { exitCode, stdout, stderr } = await cli(['schema', path])
  expect([exitCode, stdout]).toEqual([6, ''])
  expect(stderr).toMatch(/ERR_LIMIT: .*100000 names.*--max-columns/)
  const few = await cli(['schema', path, '--max-columns', '50', '--sample', '1'])
  expect(few.stderr).toMatch(/ERR_LIMIT: .*50 columns/)
})
