import { createHmac } from 'node:crypto'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { memoryDestination } from '../../src/destination/memory.js'
import { type Emulator, startEmulator } from '../../src/emulator/emulator.js'
import { memberAt } from '../../src/emulator/members.js'
import { type ExportOptions, exportRecords, records } from '../../src/export/export.js'
import { identityOf } from '../../src/export/identity.js'
import { resolveOptions } from '../../src/options/resolve.js'
import type { JsonRecord } from '../../src/record.js'
import type { JsonSchema } from '../../src/schema/json-schema.js'
import { temporaryDirectory } from '../faults/harness.js'

const members = 5
const all = Array.from({ length: members }, (_, i) => memberAt(i))
const redactKey = '0123456789abcdef'
const hmac = (text: unknown): string => createHmac('sha256', redactKey).update(String(text)).digest('hex')
const resource = 'instant-messaging/members'

const noColumn: Partial<ExportOptions> = {
  select: ['id'],
  exclude: ['id'],
  unknownFields: 'drop',
  onTypeMismatch: 'null',
}
const flattened: Partial<ExportOptions> = { format: 'csv', csvNested: 'flatten' }
const twins = { type: 'object', properties: { userId: { type: 'string' }, userid: { type: 'string' } } }

let emulator: Emulator
beforeAll(async () => {
  emulator = await startEmulator({ members })
})
afterAll(() => emulator.close())

const request = (): ExportOptions => ({
  resource,
  apiUrl: emulator.url,
  token: emulator.token,
  account: emulator.accountId,
  channel: emulator.parentIds[0]!,
})
async function bytesOf(options: Partial<ExportOptions>): Promise<Buffer> {
  const destination = memoryDestination()
  await exportRecords({ ...request(), ...options, destination })
  return Buffer.from(destination.bytes())
}
const lines = (bytes: Buffer): JsonRecord[] =>
  bytes
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonRecord)
const lastQuery = () => emulator.log.at(-1)!.query

const emailsOf = (member: JsonRecord): JsonRecord[] => member['emails'] as JsonRecord[]

test.each(['simd', 'js', 'stream-json', 'streamparser'] as const)(
  'all edits give the same with the engine %s',
  async (parser) => {
    const select = ['name', 'emails.email', 'emails.type', 'id']
    const edits = {
      select,
      exclude: ['emails.type'],
      redact: ['emails.email=hash'],
      rename: ['name=full_name', 'emails.email=address'],
    }
    const out = lines(await bytesOf({ ...edits, redactKey, parser, keyBy: 'username', keyByMissing: 'skip' }))
    expect(out).toEqual(
      all.map((member) => ({
        [String(member['username'])]: {
          id: member['id'],
          full_name: member['name'],
          emails: emailsOf(member).map(({ email }) => ({ address: hmac(email) })),
        },
      })),
    )
  },
)

describe('a path to redact that meets no field', () => {
  const typos = ['email', 'emials.email', 'emails.adress', 'phnoes', 'emails.typ']
  const hows = ['hash', 'mask', 'mask', 'drop', 'drop']
  const wanted = ['name=mask', 'phones=drop', 'emails.email=hash', 'emails.type=drop']
  const redact = [...wanted, ...typos.map((path, index) => `${path}=${hows[index]}`)]
  const warningsOf = async (options: ExportOptions) =>
    (await exportRecords({ redactKey, redact, unmetFields: 'warn', ...options, destination: memoryDestination() }))
      .warnings

  test.each(['simd', 'js', 'stream-json'] as const)('is told, by name, with the engine %s', async (parser) => {
    const unused = {
      code: 'redact-unused',
      count: members * typos.length,
      fields: Object.fromEntries(typos.map((path) => [path, members])),
    }
    const options = { ...request(), parser, ignoreRemoteData: true }
    expect(await warningsOf(options)).toMatchObject([unused])
    const select = ['name', 'phones', 'emails', 'email', 'emials', 'phnoes']
    const unselected = { code: 'select-unused', fields: { email: members, emials: members, phnoes: members } }
    expect(await warningsOf({ ...options, select })).toMatchObject([unused, unselected])
    expect(await warningsOf({ ...options, redact: wanted })).toEqual([])
  })

  test('is not told where no record came to the edits, where one of all had it, and where another edit has it', async () => {
    const read = (text: string, options: Partial<ExportOptions>) =>
      warningsOf({ input: Buffer.from(text), inputFormat: 'ndjson', ...options })
    expect(await read('', {})).toEqual([])
    expect(await read('{"a":1}\n', { transform: () => null })).toEqual([])
    for (const how of ['hash', 'mask', 'drop']) {
      expect(await read('{"b":1}\n{"b":1,"a":null}\n{"b":1}\n', { redact: [`a=${how}`] })).toEqual([])
      expect(await read('{"b":1,"a":1}\n', { redact: [`a.c=${how}`], exclude: ['a'] })).toEqual([])
      expect(await read('{"b":1}\n', { redact: [`a.c=${how}`], select: ['b'] })).toEqual([])
    }
  })
})

describe('what stands where an object with a field to redact was expected', () => {
  const input = Buffer.from(
    `${[
      '{"id":"1","emails":[{"email":"leak1@x.org","type":"work"}]}',
      '{"id":"2","emails":"leak2@x.org"}',
      '{"id":"3","emails":["leak3@x.org",null,["leak4@x.org"]]}',
      '{"id":"4","emails":null,"organizations":{"name":"leak5"}}',
      String.raw`{"id":"5","emails":7,"\u0065mails":"leak6@x.org"}`,
    ].join('\n')}\n`,
  )
  const outputs: Partial<ExportOptions>[] = [
    { format: 'ndjson' },
    { format: 'json' },
    { format: 'csv' },
    { format: 'csv', csvNested: 'flatten', csvFlattenSlots: 3 },
    { format: 'parquet', parquetCompression: 'none' },
    { format: 'parquet', parquetCompression: 'none', parquetWriter: 'parquetjs-lite' },
    { format: 'ndjson', keyBy: 'id' },
  ]
  const hidden = (how: string): Partial<ExportOptions> => ({
    redact: [`emails.email=${how}`, `organizations.name=${how}`],
    redactKey,
  })

  describe.each(['hash', 'mask', 'drop'])('is redacted by %s', (how) => {
    test.each(['simd', 'js', 'stream-json', 'streamparser'] as const)('with the engine %s', async (parser) => {
      for (const output of outputs) {
        for (const named of [{ resource }, {}]) {
          const destination = memoryDestination()
          const options = { input, inputFormat: 'ndjson', ...output, ...hidden(how), parser, ...named } as const
          const { warnings } = await exportRecords({ ...options, destination })
          expect(Buffer.from(destination.bytes()).toString('latin1')).not.toContain('leak')
          expect(warnings).toContainEqual(
            expect.objectContaining({ code: 'redacted-whole', count: 5, fields: { emails: 5 } }),
          )
        }
      }
    })
  })

  test('has one hash wherever it stands, in a column of text too', async () => {
    const destination = memoryDestination()
    const text = '{"id":"1","name":"Ada"}\n'
    const columns = { unknownFields: 'drop', onTypeMismatch: 'null', format: 'csv' } as const
    const redacted = { redact: ['name.first=hash'], redactKey, resource, select: ['id', 'name'] }
    await exportRecords({ input: Buffer.from(text), inputFormat: 'ndjson', ...columns, ...redacted, destination })
    expect(Buffer.from(destination.bytes()).toString()).toBe(`id,name\n"1","${hmac('Ada')}"\n`)
  })
})

test('columns have the order of the selection, new names and the types that are left', async () => {
  const edits: Partial<ExportOptions> = {
    select: ['name', 'emails.email', 'unheard', 'updated_at', 'id'],
    redact: ['updated_at=mask', 'name=hash'],
    redactKey,
    rename: ['id=member', 'emails.email=address'],
    unknownFields: 'drop',
    onTypeMismatch: 'null',
  }
  const csv = (await bytesOf({ ...edits, format: 'csv' })).toString().split('\n')
  expect(csv[0]).toBe('name,emails,unheard,updated_at,member')
  const [first] = all
  expect(csv[1]).toContain(
    `"${hmac(first!['name'])}","[{""address"":""${emailsOf(first!)[0]!['email']}""}]",,"***","${first!['id']}"`,
  )

  const bytes = await bytesOf({ ...edits, format: 'parquet' })
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
  const schema = parquetSchema(await parquetMetadataAsync(file))
  expect(schema.children.map(({ element }) => element.name)).toEqual([
    'name',
    'emails',
    'unheard',
    'updated_at',
    'member',
  ])
  expect((await parquetReadObjects({ file }))[0]).toMatchObject({
    name: hmac(first!['name']),
    emails: emailsOf(first!).map(({ email }) => ({ address: email })),
    updated_at: '***',
    member: first!['id'],
  })
})

test('the same edits hold for objects, whatever fields of them are read', async () => {
  const read = async (options: Partial<ExportOptions> & { fields?: readonly string[] }): Promise<unknown[]> => {
    const found: unknown[] = []
    for await (const record of records({ ...request(), ...options })) found.push(record)
    return found
  }
  const select = ['emails.email', 'id', 'name']
  expect(await read({ select, exclude: ['name'] })).toEqual(
    all.map((member) => ({ id: member['id'], emails: emailsOf(member).map(({ email }) => ({ email })) })),
  )
  expect(await read({ select, fields: ['id', 'emails', 'title'] })).toEqual(
    all.map((member) => ({ id: member['id'], emails: emailsOf(member).map(({ email }) => ({ email })) })),
  )
  expect(await read({ rename: ['id=key'], redact: ['name=mask'], fields: ['key', 'name'] })).toEqual(
    all.map((member) => ({ key: member['id'], name: '***' })),
  )
})

test('a field that is selected, redacted or renamed is not pushed to the server; remote_data is where it is not selected', async () => {
  const exclude = ['name', 'bio', 'title', 'phones']
  await bytesOf({ select: ['id', 'name'], exclude, redact: ['bio=mask'], rename: ['title=t'] })
  expect(lastQuery()['truto_exclude_fields']).toEqual(['phones'])
  expect(lastQuery()['truto_ignore_remote_data']).toBe('true')
  await bytesOf({ select: ['remote_data.id'] })
  expect(lastQuery()['truto_ignore_remote_data']).toBeUndefined()
  await bytesOf({ select: ['id'], keyBy: 'remote_data.id' })
  expect(lastQuery()['truto_ignore_remote_data']).toBeUndefined()
  await bytesOf({ select: ['id'], query: { truto_ignore_remote_data: 'false' } })
  expect(lastQuery()['truto_ignore_remote_data']).toBe('false')
  await bytesOf({ select: ['id'], transform: (record) => record })
  expect(lastQuery()['truto_ignore_remote_data']).toBeUndefined()
})

test.each<[string, Partial<ExportOptions>, string]>([
  ['hash without a key', { redact: ['name=hash'] }, 'ERR_OPTION_MISSING'],
  ['a short key', { redact: ['name=hash'], redactKey: 'short' }, 'ERR_OPTION_INVALID'],
  ['no known way to redact', { redact: ['name=rot13'] }, 'ERR_OPTION_INVALID'],
  ['a redaction without a way', { redact: ['name'] }, 'ERR_OPTION_INVALID'],
  ['a rename without a name', { rename: ['name='] }, 'ERR_OPTION_INVALID'],
  ['a rename to a path', { rename: ['name=a.b'] }, 'ERR_OPTION_INVALID'],
  ['a rename to a declared field', { rename: ['name=title'] }, 'ERR_OPTION_INVALID'],
  ['a nested rename to a declared field', { rename: ['emails.email=type'] }, 'ERR_OPTION_INVALID'],
  ['a rename to a column of ours', { rename: ['name=extra'], format: 'csv' }, 'ERR_OPTION_INVALID'],
  ['a key that is redacted', { keyBy: 'name', redact: ['name=hash'], redactKey }, 'ERR_OPTION_INVALID'],
  ['a key inside of what is redacted', { keyBy: 'a.b', redact: ['a=mask'] }, 'ERR_OPTION_INVALID'],
  ['a key inside of what is dropped', { keyBy: 'name.first', redact: ['name=drop'] }, 'ERR_OPTION_INVALID'],
  ['a key that is dropped', { keyBy: 'id', redact: ['id=drop'] }, 'ERR_OPTION_INVALID'],
  ['a key around what is redacted', { keyBy: 'name', redact: ['name.first=mask'] }, 'ERR_OPTION_INVALID'],
  ['a key around what is dropped', { keyBy: 'name', redact: ['name.first=drop'] }, 'ERR_OPTION_INVALID'],
  ["the server's keys beside what is hashed", { keyBy: '@key', redact: ['id=hash'], redactKey }, 'ERR_OPTION_INVALID'],
  ["the server's keys beside what is dropped", { keyBy: '@key', redact: ['phones=drop'] }, 'ERR_OPTION_INVALID'],
  ['a malformed path', { select: ['a..b'] }, 'ERR_OPTION_INVALID'],
  ['no column of Parquet', { format: 'parquet', ...noColumn }, 'ERR_OPTION_INVALID'],
  ['no column of CSV', { format: 'csv', ...noColumn }, 'ERR_OPTION_INVALID'],
  ['two flattened columns of one name', { ...flattened, rename: ['id=emails\\.0\\.email'] }, 'ERR_OPTION_INVALID'],
  ['a rename in another case', { format: 'parquet', rename: ['first_name=NAME'] }, 'ERR_OPTION_INVALID'],
  ['a rename in another case, in a struct', { format: 'parquet', rename: ['emails.email=TYPE'] }, 'ERR_OPTION_INVALID'],
  ['a rename to our column in another case', { format: 'csv', rename: ['name=Extra'] }, 'ERR_OPTION_INVALID'],
  ['a schema with names in two cases', { format: 'csv', schema: twins }, 'ERR_OPTION_INVALID'],
  ['a limit that is given twice', { limit: 500, query: { limit: 600 } }, 'ERR_OPTION_INVALID'],
  [
    'a limit that is given twice, for Parquet',
    { limit: 500, queryRaw: 'limit=600', format: 'parquet' },
    'ERR_OPTION_INVALID',
  ],
  ['a format that is given twice', { query: { truto_response_format: 'raw' } }, 'ERR_OPTION_INVALID'],
  ['a raw query with a blank', { queryRaw: 'a=b c' }, 'ERR_OPTION_INVALID'],
])('%s is an error before the first request', async (_name, options, code) => {
  const before = emulator.requests
  await expect(bytesOf(options)).rejects.toMatchObject({ code, exitCode: 2 })
  // and before anything is touched
  const directory = temporaryDirectory()
  const out = join(directory, 'out')
  writeFileSync(join(directory, '_out.partial'), 'theirs')
  await expect(exportRecords({ ...request(), ...options, out })).rejects.toMatchObject({ code, page: undefined })
  expect(readdirSync(directory)).toEqual(['_out.partial'])
  expect(emulator.requests).toBe(before)
})

test('more columns than there may be are a limit before the first request, whatever makes them', async () => {
  const before = emulator.requests
  const $defs = Object.fromEntries(
    Array.from({ length: 14 }, (_, i) => {
      const next = i === 13 ? { type: 'string' } : { $ref: `#/$defs/d${i + 1}` }
      return [`d${i}`, { type: 'object', properties: { a: next, b: next, c: next, d: next } }]
    }),
  )
  const schema = { $defs, type: 'object', properties: { r: { $ref: '#/$defs/d0' } } }
  const error = { code: 'ERR_LIMIT', hint: expect.stringContaining('--max-columns') }
  for (const format of ['ndjson', 'csv', 'parquet'] as const) {
    await expect(bytesOf({ format, schema })).rejects.toMatchObject(error)
  }
  await expect(bytesOf({ ...flattened, csvFlattenSlots: 100, maxColumns: 1000 })).rejects.toMatchObject(error)
  await expect(bytesOf({ format: 'parquet', maxColumns: 20 })).rejects.toMatchObject(error)
  expect(emulator.requests).toBe(before)
})

test('two columns of one name are told by the fields that they are of', async () => {
  const rename = ['id=emails\\.0\\.email']
  await expect(bytesOf({ ...flattened, rename })).rejects.toThrow(
    'the fields emails\\.0\\.email and emails.0.email would both be the column emails.0.email',
  )
})

test('columns of a converted file are checked before it is read, whatever its resource', async () => {
  const input = 'no such file'
  for (const options of [{ rename: ['id=EXTRA'] }, { schema: twins }, { ...noColumn, exclude: ['id'] }]) {
    const destination = memoryDestination()
    const error = await exportRecords({ input, format: 'csv', ...options, destination }).catch(
      (caught: unknown) => caught,
    )
    expect(error).toMatchObject({ code: 'ERR_OPTION_INVALID', message: expect.not.stringContaining('no such file') })
  }
})

test('an equals sign, a comma and a dot of a name are spelled with a backslash', async () => {
  const input = Buffer.from('{"a=b":1,"c":2}\n')
  const destination = memoryDestination()
  await exportRecords({ input, inputFormat: 'ndjson', rename: ['a\\=b=x\\.y\\=z'], redact: ['c=mask'], destination })
  expect(Buffer.from(destination.bytes()).toString()).toBe('{"x.y=z":1,"c":"***"}\n')
})

test('edits and the key of the hashes are part of what an export is, and the key cannot be read from it', () => {
  const identity = (more: Partial<ExportOptions>): string => {
    const resolved = resolveOptions({ resource, token: 't', ...more })
    return identityOf({ resolved, transform: undefined, hasInput: false })
  }
  const variants = [
    {},
    { select: ['id'] },
    { redact: ['name=hash'] },
    { redact: ['name=mask'] },
    { rename: ['name=x'] },
  ]
  const keys = [
    { redact: ['name=hash'], redactKey },
    { redact: ['name=hash'], redactKey: `${redactKey}.` },
  ]
  const all = [...variants, ...keys].map(identity)
  expect(new Set(all).size).toBe(all.length)
  for (const text of all) expect(text).toMatch(/^[0-9a-f]{64}$/)
  // one that stands in the environment and is not used
  expect(identity({ redact: ['name=mask'], redactKey })).toBe(identity({ redact: ['name=mask'] }))
})

test.each<[string, Partial<ExportOptions>, boolean]>([
  ['nothing else', {}, true],
  ['an exclusion of another field', { exclude: ['bio'] }, true],
  ['remote_data ignored', { ignoreRemoteData: true }, false],
  ['remote_data excluded', { exclude: ['remote_data'] }, false],
  ['fields of remote_data redacted too', { redact: ['phones=drop', 'remote_data.profile.email=mask'] }, false],
  ['remote_data not selected', { select: ['id', 'phones'] }, false],
  ['remote_data selected', { select: ['id', 'remote_data'] }, true],
  ['the server told to leave it out', { query: { truto_ignore_remote_data: true } }, false],
  ['records unmapped', { responseFormat: 'raw' }, false],
  ['no redaction', { redact: [] }, false],
])('a warning that remote_data may repeat what is redacted, under %s: %s', async (_name, options, isWarned) => {
  const { warnings } = await exportRecords({
    ...request(),
    redact: ['phones=drop'],
    ...options,
    destination: memoryDestination(),
  })
  // what was not mapped has no phones
  const codes = warnings.map(({ code }) => code).filter((code) => code !== 'redact-unused')
  expect(codes).toEqual(isWarned ? ['redacted-elsewhere'] : [])
})

test('a schema made in code is checked', async () => {
  const schema = {
    resource: '*',
    version: 1,
    fields: [{ name: 'id', type: { kind: 'int32' } }],
  } as unknown as JsonSchema
  await expect(bytesOf({ schema, format: 'csv' })).rejects.toThrow('schema.fields[0].type.kind is none of')
})
