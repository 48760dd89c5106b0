import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { memoryDestination } from '../../src/destination/memory.js'
import { memberAt } from '../../src/emulator/members.js'
import { type ExportOptions, exportRecords, records } from '../../src/export/export.js'
import type { ExportReport } from '../../src/report.js'
import { emulate, requestOf, temporaryDirectory } from '../faults/harness.js'

type Given = Partial<ExportOptions>
const members = 6
const resource = 'instant-messaging/members'
const redactKey = '0123456789abcdef'
const ndjson = (...texts: string[]): Given => ({
  input: Buffer.from(`${texts.join('\n')}\n`),
  inputFormat: 'ndjson',
})
const read = (options: Given): Promise<ExportReport> =>
  exportRecords({ redactKey, ...options, destination: memoryDestination() } as ExportOptions)
const codesOf = async (options: Given): Promise<string[]> => (await read(options)).warnings.map(({ code }) => code)

describe('a name that is nearly a declared one', () => {
  const rows: [Given, string][] = [
    [
      { exclude: ['emials'] },
      'exclude: there is no field emials in the schema of instant-messaging/members; did you mean emails?',
    ],
    [{ exclude: ['Emails'] }, 'exclude: there is no field Emails in .*; did you mean emails\\?'],
    [{ exclude: ['remote_dat'] }, 'did you mean remote_data\\?'],
    [{ select: ['ID', 'Name'] }, 'select: there is no field ID in .*; did you mean id\\?'],
    [{ select: ['id', 'name', 'email'] }, 'select: .* email .*did you mean emails\\?'],
    [{ select: ['idd'] }, 'did you mean id\\?'],
    [{ select: ['id', 'emails.0.email'] }, 'did you mean emails.email\\?'],
    [{ rename: ['nmae=x'] }, 'rename: .* nmae .*did you mean name\\?'],
    [{ redact: ['phone=drop'] }, 'redact: .* phone .*did you mean phones\\?'],
    [{ redact: ['emails.Email=hash'] }, 'did you mean emails.email\\?'],
    [{ redact: ['emial.email=mask'] }, 'did you mean emails.email\\?'],
    [{ exclude: ['groups.workspace.nam'] }, 'did you mean groups.workspace.name\\?'],
    [{ keyBy: 'Id' }, 'key-by: .* Id .*did you mean id\\?'],
  ]
  test.each(rows)('%j is an error before the first request', async (options, message) => {
    const server = await emulate({})
    const given = { ...requestOf(server), ...options, redactKey }
    const expected = {
      code: 'ERR_OPTION_INVALID',
      exitCode: 2,
      message: expect.stringMatching(new RegExp(message)),
      hint: expect.stringContaining('--unmet-fields'),
    }
    for (const format of ['ndjson', 'json', 'csv', 'parquet'] as const) {
      await expect(read({ ...given, format })).rejects.toMatchObject(expected)
    }
    expect(() => records({ ...given, fields: undefined })).toThrow(expect.objectContaining(expected))
    expect(server.requests).toBe(0)
    // a saved page of the resource has the same fields
    const saved = { ...ndjson('{"id":"1"}'), ...options, resource }
    await expect(read(saved)).rejects.toMatchObject(expected)
    // somebody who knows better
    for (const unmetFields of ['warn', 'ignore'] as const) {
      const { records } = await read({ ...given, unmetFields, keyByMissing: 'skip' })
      expect(records).toBe(options.keyBy === undefined ? members : 0)
    }
  })

  test('is one among the fields of objects, too', () => {
    const given = { ...ndjson('{"id":"1"}'), resource }
    const read = (fields: readonly string[], more: Given = {}) => records({ ...given, ...more, fields } as never)
    const message = 'fields: there is no field Name in the schema of instant-messaging/members; did you mean name?'
    expect(() => read(['id', 'Name'])).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION_INVALID', exitCode: 2, message }),
    )
    expect(() => read(['nme'])).toThrow('did you mean name?')
    for (const more of [
      { unmetFields: 'warn' },
      { rename: ['title=Name'] },
      { transform: (record) => record },
    ] as Given[]) {
      expect(() => read(['Name'], more)).not.toThrow()
    }
    expect(() => read(['id', 'other', 'remote_data'])).not.toThrow()
  })

  test.each<[string, Given]>([
    ['it is declared itself', { exclude: ['name', 'username', 'emails.email', 'emails.type', 'remote_data'] }],
    [
      'it is too far from any',
      { select: ['id', 'nick', 'tag', 'date', 'age', 'emails.value', 'xx'], unmetFields: 'ignore' },
    ],
    ['names are passed through unmapped', { exclude: ['emial'], responseFormat: 'raw' }],
    ['names may be passed through unmapped', { select: ['emial'], responseFormat: 'stream' }],
    ['a step of the user makes the fields', { exclude: ['email'], transform: (record) => ({ ...record, email: 1 }) }],
    ['it is inside of what is declared no further', { select: ['remote_data.emial', 'id'] }],
    ['a field was given that name', { rename: ['title=titel'] }],
  ])('is none where %s', async (_case, options) => {
    const server = await emulate({})
    await read({ ...requestOf(server), ...options })
  })

  test('is one of the schema that was given, also where the resource declares none', async () => {
    const schema = { type: 'object', properties: { id: { type: 'string' }, salary: { type: 'number' } } }
    const given = { ...ndjson('{"id":"1","salary":1}'), schema, resource: 'hris/employees', exclude: ['salery'] }
    await expect(read(given)).rejects.toMatchObject({
      exitCode: 2,
      message: 'exclude: there is no field salery in the schema; did you mean salary?',
    })
    const { resource: _, ...unnamed } = given
    await expect(read(unnamed)).rejects.toMatchObject({ exitCode: 2 })
    expect(await codesOf({ ...unnamed, exclude: ['salary'] })).toEqual([])
    // fields that the resource declares are known beside it
    expect(await codesOf({ ...given, resource, exclude: ['phones', 'salary'] })).toEqual([])
  })
})

describe('a path that met no record', () => {
  test.each(['simd', 'js', 'stream-json', 'streamparser'] as const)(
    'is told by option, with the engine %s',
    async (parser) => {
      const server = await emulate({})
      const far = { ...requestOf(server), parser }
      for (const [options, kind] of [
        [{ exclude: ['no_such_field'] }, 'exclude'],
        [{ exclude: ['emails.no_such_field'] }, 'exclude'],
        [{ exclude: ['name.no_such_field'] }, 'exclude'],
        [{ exclude: ['bio', 'remote_data.no_such_field'] }, 'exclude'],
        [{ redact: ['no_such_field=drop'] }, 'redact'],
        [{ redact: ['emails.email=hash', 'emails.no_such_field=hash'] }, 'redact'],
        [{ redact: ['no_such_field=mask'], select: ['id', 'no_such_field'] }, 'redact'],
      ] as const) {
        const [path] = /[\w.]*no_such_field/.exec(JSON.stringify(options))!
        await expect(read({ ...far, ...options })).rejects.toMatchObject({
          code: 'ERR_FIELD_UNMET',
          exitCode: 6,
          message: `fields to ${kind} are in no record: ${path}`,
        })
        const { warnings } = await read({ ...far, ...options, unmetFields: 'warn' })
        const told = { code: `${kind}-unused`, count: members, fields: { [path]: members } }
        expect(warnings).toContainEqual(expect.objectContaining(told))
        const ignored = await codesOf({ ...far, ...options, unmetFields: 'ignore' })
        expect(ignored.filter((code) => code.endsWith('-unused'))).toEqual([])
      }
      for (const [options, kind] of [
        [{ select: ['id', 'no_such_field'] }, 'select'],
        [{ select: ['id', 'emails.no_such_field'] }, 'select'],
        [{ rename: ['no_such_field=x'] }, 'rename'],
        [{ rename: ['emails.no_such_field=x'] }, 'rename'],
      ] as const) {
        expect(await codesOf({ ...far, ...options })).toEqual([`${kind}-unused`])
        const refused = { ...far, ...options, unmetFields: 'error' } as const
        await expect(read(refused)).rejects.toMatchObject({ code: 'ERR_FIELD_UNMET' })
      }
    },
  )

  test.each(['ndjson', 'json', 'csv', 'parquet'] as const)(
    'keeps %s from being published, and is resumed when it may be',
    async (format) => {
      const server = await emulate({})
      for (const parts of [{}, { partRows: 2 }]) {
        const directory = temporaryDirectory()
        const out = join(directory, `out.${format}`)
        const options = { ...requestOf(server), out, format, ...parts, exclude: ['no_such_field'], checkpoint: true }
        const error = await exportRecords(options).catch((caught: unknown) => caught as Error & { toLine(): string })
        expect(error).toMatchObject({ code: 'ERR_FIELD_UNMET' })
        expect(existsSync(out)).toBe(false)
        expect((error as { toLine(): string }).toLine()).not.toContain('the same command goes on')
        const before = server.requests
        const report = await exportRecords({ ...options, unmetFields: 'warn' })
        expect(report).toMatchObject({ records: members, warnings: [{ code: 'exclude-unused' }] })
        if (format !== 'parquet') expect(server.requests - before).toBe(1)
        expect(existsSync(out)).toBe(true)
        expect(readdirSync(directory).filter((name) => /partial|checkpoint/.test(name))).toEqual([])
      }
    },
  )

  test('was met where one record of all had it, in an earlier run, or in a list', async () => {
    const far = (...texts: string[]): Given => ({ ...ndjson(...texts), resource })
    expect(await codesOf({ ...far('{"a":1}', '{"x":null}', '{"a":2}'), exclude: ['x'] })).toEqual([])
    expect(await codesOf({ ...far('{"a":1}', String.raw`{"\u0078":1}`), exclude: ['x'] })).toEqual([])
    expect(await codesOf({ ...far('{"a":[1,[{"x":1}]]}'), exclude: ['a.x'] })).toEqual([])
    expect(await codesOf({ ...far('{"x":1}'), select: ['x'], exclude: ['x'] })).toEqual([])
    expect(await codesOf({ ...far('{"x":{"y":1}}'), exclude: ['x'], rename: ['x.y=z'] })).toEqual([])
    // it is redacted whole
    expect(await codesOf({ ...far('{"x":"1"}'), redact: ['x.y=mask'], ignoreRemoteData: true })).toEqual([
      'redacted-whole',
    ])
  })

  test('is not told of a list without records, nor where no record came so far', async () => {
    const edits = { exclude: ['x'], select: ['y'], rename: ['z=a'], redact: ['v=drop'] }
    expect(await codesOf({ input: Buffer.alloc(0), inputFormat: 'ndjson', resource, ...edits })).toEqual([])
    expect(await codesOf({ ...ndjson('{"id":"1"}'), resource, ...edits, transform: () => null })).not.toContain(
      'exclude-unused',
    )
  })

  test('that is declared is no error, whatever the server leaves out', async () => {
    const server = await emulate({ remoteData: false })
    const options = { ...requestOf(server), exclude: ['languages', 'remote_data'], ignoreRemoteData: true }
    expect(await codesOf({ ...options, select: ['id', 'activated_at'], rename: ['last_login_at=seen'] })).toEqual([])
    expect(await codesOf({ ...options, redact: ['languages.x=drop', 'remote_data.email=mask'] })).toEqual([])
    const told = { redact: ['remote_data.email=mask'], query: { truto_ignore_remote_data: true } }
    expect(await codesOf({ ...requestOf(server), ...told })).toEqual([])
    // a field to redact that no record has is told as before
    expect(await codesOf({ ...options, exclude: [], redact: ['activated_at=drop'] })).toEqual(['redact-unused'])
  })

  test('is an error for objects too, after the last one', async () => {
    const seen: unknown[] = []
    const options = { ...ndjson('{"id":"1"}', '{"id":"2"}'), resource, exclude: ['no_such_field'] }
    const all = async (more: Given): Promise<void> => {
      for await (const record of records({ ...options, ...more, fields: undefined })) seen.push(record)
    }
    await expect(all({})).rejects.toMatchObject({ code: 'ERR_FIELD_UNMET' })
    expect(seen).toEqual([{ id: '1' }, { id: '2' }])
    await all({ unmetFields: 'warn' })
    // who leaves before has not seen all records
    for await (const _ of records({ ...options, fields: undefined })) break
  })
})

describe('where no schema is declared', () => {
  test('a path that met no record is a warning, with the nearest name of the first record', async () => {
    const options = ndjson('{"id":"1","emails":[{"address":"a"}],"remote":{"phone":1}}', '{"id":"2","emialz":1}')
    const edits = {
      exclude: ['emials', 'far_from_all', 'emails.adress'],
      redact: ['remote.phnoe=mask'],
      rename: ['ID=key'],
      select: ['id', 'emails', 'remote', 'emials', 'far_from_all', 'ID'],
    }
    const { warnings } = await read({ ...options, ...edits })
    expect(warnings.map(({ code, message, fields }) => [code, message, Object.keys(fields!)])).toEqual([
      [
        'exclude-unused',
        'fields to exclude are in no record (did you mean emails.address instead of emails.adress, emails instead of emials?)',
        ['emails.adress', 'emials', 'far_from_all'],
      ],
      [
        'redact-unused',
        'fields to redact are in no record (did you mean remote.phone instead of remote.phnoe?)',
        ['remote.phnoe'],
      ],
      ['rename-unused', 'fields to rename are in no record (did you mean id instead of ID?)', ['ID']],
      [
        'select-unused',
        'fields to select are in no record (did you mean id instead of ID, emails instead of emials?)',
        ['ID', 'emials', 'far_from_all'],
      ],
    ])
    await expect(read({ ...options, ...edits, unmetFields: 'error' })).rejects.toMatchObject({
      code: 'ERR_FIELD_UNMET',
    })
    expect(await codesOf({ ...options, ...edits, unmetFields: 'ignore' })).toEqual([])
  })

  test('the server is asked to leave fields out, and the report names those that no record showed', async () => {
    const server = await emulate({})
    const options = { ...requestOf(server), resource: 'crm/contacts', exclude: ['amount', 'emials', 'tags.typ'] }
    const { warnings } = await read(options)
    expect(server.log.at(-1)!.query['truto_exclude_fields']).toEqual(['amount', 'emials'])
    expect(warnings.map(({ code, fields }) => [code, fields])).toEqual([
      ['exclude-unseen', { amount: members, emials: members }],
      ['exclude-unused', { 'tags.typ': members }],
    ])
    // that is no proof of an error
    expect(await codesOf({ ...options, exclude: ['amount'], unmetFields: 'error' })).toEqual(['exclude-unseen'])
    expect(await codesOf({ ...options, exclude: ['amount'], unmetFields: 'ignore' })).toEqual([])
  })

  test.each(['simd', 'js'] as const)(
    'a server that leaves nothing out shows them, with the engine %s',
    async (parser) => {
      const server = await emulate({ streamIgnoresParameters: true })
      const options = { ...requestOf(server), parser, resource: 'crm/contacts', exclude: ['amount', 'emials'] }
      const { warnings } = await read(options)
      expect(warnings.map(({ code, fields }) => [code, fields])).toEqual([['exclude-unseen', { emials: members }]])
    },
  )

  test('unmapped records of a resource that has one are such a list', async () => {
    const server = await emulate({})
    const options = { ...requestOf(server), responseFormat: 'raw', exclude: ['no_such_field', 'phones'] } as const
    expect(await codesOf(options)).toContain('exclude-unseen')
    const { warnings } = await read({ ...options, exclude: [], redact: ['real_nam=drop'] })
    expect(warnings).toContainEqual(expect.objectContaining({ code: 'redact-unused', fields: { real_nam: members } }))
  })
})

test('where fields are declared, the server is asked to leave out none but them', async () => {
  const server = await emulate({})
  const asked = async (options: Given): Promise<unknown> => {
    await read({ ...requestOf(server), unmetFields: 'warn', ...options })
    return server.log.at(-1)!.query['truto_exclude_fields']
  }
  expect(await asked({ exclude: ['bio', 'no_such_field', 'emails.type', 'remote_data'] })).toEqual([
    'bio',
    'remote_data',
  ])
  const schema = { type: 'object', properties: { id: { type: 'string' }, salary: { type: 'number' } } }
  expect(await asked({ exclude: ['salary', 'bio'], schema, resource: 'hris/employees' })).toEqual(['salary'])
  expect(await asked({ exclude: ['salary', 'bio'], resource: 'hris/employees' })).toEqual(['salary', 'bio'])
})

test('what is not met costs no byte: the output is the same as without it', async () => {
  const out = async (options: Given): Promise<string> => {
    const destination = memoryDestination()
    const texts = [0, 1, 2].map((index) => JSON.stringify(memberAt(index)))
    await exportRecords({ ...ndjson(...texts), resource, unmetFields: 'warn', ...options, destination })
    return Buffer.from(destination.bytes()).toString()
  }
  expect(await out({ exclude: ['no_such_field', 'bio'] })).toBe(await out({ exclude: ['bio'] }))
  expect(await out({ rename: ['no_such_field=x'] })).toBe(await out({}))
})

test('a manifest tells what became of it, and nothing of how names were found', async () => {
  const server = await emulate({})
  const out = join(temporaryDirectory(), 'out.ndjson')
  const report = await exportRecords({ ...requestOf(server), out, select: ['id', 'no_such_field', 'workspacs_of'] })
  expect(report.warnings.map(({ code }) => code)).toEqual(['select-unused'])
  const manifest = JSON.parse(readFileSync(report.manifest!, 'utf8')) as { warnings: unknown }
  expect(manifest.warnings).toEqual(report.warnings)
})
