import { spawnSync } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import * as zlib from 'node:zlib'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConfigError, ExportError } from '../../src/errors.js'
import { engineNames } from '../../src/json/engine-names.js'
import { BodySource, type BodySourceOptions } from '../../src/source/body-source.js'
import type { BodyInputs } from '../../src/source/inputs.js'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'truto-export-body-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, content)
  return path
}

interface Read {
  ids: unknown[]
  keys: string[]
  source: BodySource
  failure: ExportError | undefined
}

async function read(input: BodyInputs, options: BodySourceOptions = {}): Promise<Read> {
  const source = new BodySource(input, options)
  const [ids, keys]: [unknown[], string[]] = [[], []]
  try {
    for await (const batch of source.read()) {
      for (const record of batch.records()) ids.push(record['id'] ?? record)
      keys.push(...(batch.pageKeys ?? []))
    }
  } catch (error) {
    if (!(error instanceof ExportError)) throw error
    return { ids, keys, source, failure: error }
  }
  return { ids, keys, source, failure: undefined }
}

/** The text in chunks of some bytes. */
function* chunked(text: string, bytes: number): Generator<Uint8Array> {
  const all = Buffer.from(text)
  for (let at = 0; at < all.length; at += bytes) yield all.subarray(at, at + bytes)
}

const record = (id: string): string => `{"id":"${id}","name":"n${id}"}`
const truto = '{"statusCode":502,"error":"Bad Gateway","message":"broke","truto_is_remote_error":true}'
const pageOf = (ids: readonly string[], cursor: string | null): string =>
  `{"result":[${ids.map(record).join(',')}],"next_cursor":${JSON.stringify(cursor)}}`
const slackPage = (ids: readonly string[], cursor: string): string =>
  `{"ok":true,"members":[${ids.map(record).join(',')}],"response_metadata":{"next_cursor":"${cursor}"}}`

interface Row {
  title: string
  text: string
  /** Name of a file; without it the text comes as bytes. */
  name?: string
  options?: BodySourceOptions
  ids?: unknown[]
  keys?: string[]
  framing?: string
  pages?: number
  code?: string
}

const rows: Row[] = [
  {
    title: 'pages one a line',
    name: 'pages.ndjson',
    text: `${pageOf(['1'], 'a')}\n${pageOf(['2', '3'], null)}\n`,
    ids: ['1', '2', '3'],
    pages: 2,
    framing: 'envelope',
  },
  {
    title: 'pages one a line, in a file of another name',
    name: 'pages.json',
    text: `${pageOf(['1'], 'a')}\n${pageOf(['2'], null)}`,
    ids: ['1', '2'],
    pages: 2,
  },
  {
    title: 'pages one after the other, pretty',
    text: `${JSON.stringify(JSON.parse(pageOf(['1'], 'a')), null, 2)}${JSON.stringify(JSON.parse(pageOf(['2'], null)), null, 2)}`,
    ids: ['1', '2'],
    pages: 2,
  },
  {
    title: 'one page in a file of lines',
    name: 'one.jsonl',
    text: JSON.stringify(JSON.parse(pageOf(['1', '2'], null)), null, 1),
    ids: ['1', '2'],
    pages: 1,
    framing: 'envelope',
  },
  {
    title: 'pages of Slack, one a line',
    name: 's.ndjson',
    text: `${slackPage(['1'], 'a')}\n${slackPage(['2'], '')}\n`,
    ids: ['1', '2'],
    pages: 2,
    framing: 'slack',
  },
  {
    title: 'pages whose cursor comes first',
    name: 'f.ndjson',
    text: '{"next_cursor":"a","result":[{"id":"1"}]}\n{"next_cursor":null,"result":[]}\n',
    ids: ['1'],
    pages: 2,
  },
  {
    title: 'arrays one after the other',
    text: `[${record('1')}]\n[${record('2')}][]`,
    ids: ['1', '2'],
    pages: 3,
    framing: 'array',
  },
  {
    title: 'a null list among the pages',
    name: 'n.ndjson',
    text: `{"result":null,"next_cursor":"a"}\n${pageOf(['2'], null)}\n`,
    ids: ['2'],
    pages: 2,
  },
  {
    title: 'pages as such',
    options: { inputFormat: 'pages' },
    text: `{"value":[${record('1')}]}{"value":[${record('2')}]}`,
    ids: ['1', '2'],
    pages: 2,
    framing: 'graph',
  },
  {
    title: 'an error in place of a page',
    name: 'e.ndjson',
    text: `${pageOf(['1'], 'a')}\n${truto}\n`,
    ids: ['1'],
    code: 'ERR_SERVER',
  },
  {
    title: 'a record in place of a page',
    name: 'r.ndjson',
    text: `${pageOf(['1'], 'a')}\n${record('2')}\n`,
    ids: ['1'],
    code: 'ERR_SCHEMA',
  },
  {
    title: 'a page that is cut',
    name: 'c.ndjson',
    text: `${pageOf(['1'], 'a')}\n${pageOf(['2', '3'], null).slice(0, -20)}`,
    ids: ['1', '2', '3'],
    code: 'ERR_BODY_TRUNCATED',
  },
  {
    title: 'a page mapped and one that is not',
    text: `${pageOf(['1'], 'a')}\n${slackPage(['2'], '')}`,
    ids: ['1'],
    code: 'ERR_FRAMING_CHANGED',
  },
  {
    title: 'a page as the only one',
    options: { inputFormat: 'page' },
    text: `${pageOf(['1'], 'a')}\n${pageOf(['2'], null)}`,
    ids: ['1'],
    code: 'ERR_JSON_SYNTAX',
  },
  {
    title: 'records',
    name: 'a.ndjson',
    text: `${record('1')}\n${record('2')}\n`,
    ids: ['1', '2'],
    pages: 1,
    framing: 'ndjson',
  },
  {
    title: 'records with a list of a telling name',
    text: `{"id":"1","members":[{"id":"u"}]}\n{"id":"2","members":[]}\n`,
    ids: ['1', '2'],
    framing: 'ndjson',
  },
  {
    title: 'records with a value, in a file of lines',
    name: 'v.ndjson',
    text: '{"id":"1","value":[{"a":1}]}\n',
    ids: ['1'],
    framing: 'ndjson',
  },
  {
    title: 'a page among records',
    name: 'm.ndjson',
    text: `${record('1')}\n${pageOf(['2'], null)}\n`,
    code: 'ERR_FRAMING_CHANGED',
  },
  { title: 'an error first', name: 'e1.ndjson', text: `${truto}\n${record('1')}\n`, ids: [], code: 'ERR_SERVER' },
  {
    title: 'an error between records',
    name: 'e2.ndjson',
    text: `${record('1')}\n${truto}\n${record('2')}\n`,
    ids: ['1'],
    code: 'ERR_SERVER',
  },
  {
    title: 'an error last, where no name says lines',
    text: `${record('1')}\n${record('2')}\n${truto}`,
    ids: ['1', '2'],
    code: 'ERR_SERVER',
  },
  {
    title: 'an error of Slack last',
    name: 'e3.ndjson',
    text: `${record('1')}\n{"ok":false,"error":"ratelimited"}\n`,
    ids: ['1'],
    code: 'ERR_RATE_LIMITED',
  },
  {
    title: 'an error of Graph last',
    name: 'e4.ndjson',
    text: `${record('1')}\n{"error":{"code":"c","message":"m"}}\n`,
    ids: ['1'],
    code: 'ERR_UPSTREAM_IN_BODY',
  },
  {
    title: 'any line as a record',
    options: { inputFormat: 'records' },
    text: `${truto}\n${pageOf([], null)}\n`,
    ids: [JSON.parse(truto), JSON.parse(pageOf([], null))],
    framing: 'ndjson',
  },
  {
    title: 'records by their keys',
    text: `{"1":${record('1')},"2":${record('2')}}\n`,
    ids: ['1', '2'],
    keys: ['1', '2'],
    framing: 'keyed',
  },
  {
    title: 'records by keys from inside',
    text: '{"a b":{"id":"1","p":{"q":"a b"}}}',
    ids: ['1'],
    keys: ['a b'],
    framing: 'keyed',
  },
  { title: 'no record by any key', options: { inputFormat: 'keyed' }, text: '{}\n', ids: [], framing: 'keyed' },
  {
    title: 'records by keys that are not in them, as such',
    options: { inputFormat: 'keyed' },
    text: '{"x":{"id":"1"},"y":{"id":"2"}}',
    ids: ['1', '2'],
    keys: ['x', 'y'],
  },
  {
    title: 'an object of objects that are no records',
    text: '{"data":{"id":"1"},"meta":{"total":1}}',
    code: 'ERR_SCHEMA',
  },
  {
    title: 'lines of one record by its key',
    name: 'k.ndjson',
    text: `{"1":${record('1')}}\n{ "2" : ${record('2')} }\n`,
    ids: ['1', '2'],
    keys: ['1', '2'],
    framing: 'ndjson',
  },
  {
    title: 'lines by keys, in a file of another name',
    text: `{"1":${record('1')}}\n{"2":{"id":"2","s":"}\\"{","l":[[{}]]}}\n`,
    ids: ['1', '2'],
    keys: ['1', '2'],
  },
  {
    title: 'lines by keys, and one that is something else',
    name: 'k2.ndjson',
    text: `{"1":${record('1')}}\n{"2":${record('2')},"3":{}}\n`,
    code: 'ERR_SCHEMA',
  },
  {
    title: 'lines by keys, and an error',
    name: 'k3.ndjson',
    text: `{"1":${record('1')}}\n${truto}\n`,
    code: 'ERR_SCHEMA',
  },
  {
    title: 'a JSON text sequence',
    text: `\u001e${record('1')}\n\u001e${record('2')}\n`,
    ids: ['1', '2'],
    framing: 'ndjson',
  },
  { title: 'a separator inside of a text', text: `\u001e{"id":\u001e"1"}\n`, code: 'ERR_JSON_SYNTAX' },
  { title: 'an error alone', text: truto, ids: [], code: 'ERR_SERVER' },
]

describe.each(engineNames)('%s', (parser) => {
  test.each(rows)('$title', async (row) => {
    const { ids, keys = [], framing, pages, code } = row
    const options = { ...row.options, parser }
    const inputs: BodyInputs[] =
      row.name === undefined
        ? [Buffer.from(row.text), [...chunked(row.text, 1)], [...chunked(row.text, 7)]]
        : [await file(row.name, row.text)]
    for (const input of inputs) {
      const result = await read(input, options)
      expect(result.failure?.code).toBe(code)
      if (code !== undefined) {
        // what was whole before is let out; how much of it depends on the chunks
        if (ids !== undefined) expect(result.ids).toEqual(ids.slice(0, result.ids.length))
        expect(result.failure!.toLine()).not.toMatch(/server|running again/)
        continue
      }
      expect(result.ids).toEqual(ids)
      expect(result.keys).toEqual(keys)
      if (framing !== undefined) expect(result.source.outcome.framing).toBe(framing)
      if (pages !== undefined) expect(result.source.outcome.pages).toBe(pages)
    }
  })
})

test('a page whose records do not fit into what is looked at is still a page, by name or not', async () => {
  const long = `{"result":[${Array.from({ length: 40_000 }, (_, i) => record(`${i}`)).join(',')}],"next_cursor":"a"}\n`
  expect(long.length).toBeGreaterThan(1024 * 1024)
  for (const input of [Buffer.from(long + long), await file('long.ndjson', long + long)]) {
    const { ids, source } = await read(input)
    expect(ids).toHaveLength(80_000)
    expect(source.outcome).toMatchObject({ records: 80_000, pages: 2, framing: 'envelope' })
  }
})

test('many small pages are read in one pass', async () => {
  const text = Array.from({ length: 3000 }, (_, i) => pageOf([`${i}`], `c${i}`)).join('\n')
  const { ids, source } = await read(await file('many.ndjson', text))
  expect(ids).toHaveLength(3000)
  expect(source.outcome).toMatchObject({ pages: 3000, bodyBytes: Buffer.byteLength(text), complete: 'unproven' })
})

test('only the last cursor tells that pages are missing', async () => {
  const chain = await read(Buffer.from(`${pageOf(['1'], 'a')}\n${pageOf(['2'], null)}`))
  expect([chain.source.outcome.complete, chain.source.warnings().map(({ code }) => code)]).toEqual([true, []])
  const open = await read(Buffer.from(`${pageOf(['1'], 'a')}\n${pageOf(['2'], 'b')}`))
  expect([open.source.outcome.complete, open.source.warnings().map(({ code }) => code)]).toEqual([
    'unproven',
    ['more-pages'],
  ])
})

describe('several files', () => {
  test('are read in their order, each to its proven end, and pages are counted on', async () => {
    const paths = [
      await file('one.json', pageOf(['1'], 'a')),
      await file('two.ndjson', `${pageOf(['2'], 'b')}\n${pageOf(['3'], 'c')}\n`),
      await file('three.json', pageOf(['4'], null)),
    ]
    const { ids, source } = await read(paths)
    expect(ids).toEqual(['1', '2', '3', '4'])
    expect(source.outcome).toMatchObject({ pages: 4, complete: true })
  })

  test('an error names the file, its page and the byte in it', async () => {
    const paths = [
      await file('g.json', pageOf(['1'], null)),
      await file('bad.ndjson', `${pageOf(['2'], 'b')}\n{"result":[}`),
    ]
    const { failure } = await read(paths)
    expect(failure).toMatchObject({ code: 'ERR_JSON_SYNTAX', page: 3, byteOffset: pageOf(['2'], 'b').length + 12 })
    expect(failure!.toLine()).toContain(`[${paths[1]}, page 3, `)
  })

  test('one that is not there is known before the first is read', async () => {
    const { ids, failure } = await read([await file('h.json', pageOf(['1'], null)), join(directory, 'none.json')])
    expect([ids, failure?.code, failure?.exitCode]).toEqual([[], 'ERR_OPTION_INVALID', 2])
    expect(failure!.message).toBe(`there is no file ${join(directory, 'none.json')}`)
  })

  test('more than may be open at once are opened in their turn, and are the same files then', async () => {
    const paths = await Promise.all(
      Array.from({ length: 80 }, (_, i) => file(`part-${i}.json`, pageOf([`${i}`], null))),
    )
    expect((await read(paths)).ids).toHaveLength(80)
    const source = new BodySource(paths)
    await source.open()
    await rm(paths[79]!)
    await symlink(paths[0]!, paths[79]!)
    await expect(async () => {
      for await (const _ of source.read());
    }).rejects.toThrow('another file than it was')
  })
})

describe('what a file is, by its first bytes', () => {
  const list = `${record('1')}\n${record('2')}\n`

  test('gzip is unpacked, also of several members and by any name', async () => {
    const bytes = Buffer.concat([gzipSync(list), gzipSync(record('3'))])
    for (const name of ['a.ndjson.gz', 'a.bin'])
      expect((await read(await file(name, bytes))).ids).toEqual(['1', '2', '3'])
    expect((await read(bytes)).ids).toEqual(['1', '2', '3'])
    const pages = gzipSync(`${pageOf(['1'], 'a')}\n${pageOf(['2'], null)}`)
    expect((await read(await file('pages.ndjson.gz', pages))).source.outcome.pages).toBe(2)
  })

  test('gzip that is cut is no end', async () => {
    const path = await file('cut.ndjson.gz', gzipSync(list.repeat(100)))
    await truncate(path, 60)
    const { failure } = await read(path)
    expect(failure).toMatchObject({ code: 'ERR_BODY_TRUNCATED' })
    expect(failure!.toLine()).toContain('was not saved whole')
  })

  const hasZstd = 'zstdCompressSync' in zlib
  test('zstd is unpacked where Node.js has it, every frame of it; else the message says so', async () => {
    if (!hasZstd) {
      const { failure } = await read(Buffer.from('28b52ffd2400010000', 'hex'))
      expect(failure).toMatchObject({ code: 'ERR_RUNTIME_MISSING', exitCode: 2 })
      expect(failure!.toLine()).toContain('zstd -dc')
      return
    }
    const { zstdCompressSync } = zlib as unknown as { zstdCompressSync(text: string): Buffer }
    const skippable = Buffer.from('502a4d1803000000616263', 'hex')
    const bytes = Buffer.concat([zstdCompressSync(list), skippable, zstdCompressSync(record('3'))])
    for (const size of [1, 7, bytes.length]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      )
      expect((await read(chunks)).ids).toEqual(['1', '2', '3'])
    }
    for (let length = 1; length < bytes.length; length++) {
      const { failure, ids } = await read(bytes.subarray(0, length))
      const isWhole = failure === undefined && ids.length === 2
      expect(isWhole || failure?.code !== undefined).toBe(true)
    }
  })

  test.each([
    ['a Parquet file', 'PAR1\u0000'],
    ['an SQLite database', 'SQLite format 3\u0000'],
    ['a zip file', 'PK\u0003\u0004'],
    ['an xz file', '\u00fd7zXZ\u0000'],
    ['a bzip2 file', 'BZh9'],
    ['UTF-16 text', '\u00ff\u00fe{\u0000'],
    ['UTF-16 text', '{\u0000"\u0000'],
    ['UTF-16 text', '\u0000{\u0000"'],
    ['an HTML page', '\n<!DOCTYPE html><p>'],
    ['an HTML page', '<html>'],
    ['XML', '<?xml version="1.0"?>'],
    ['CSV', 'id,name\n1,x\n'],
    ['CSV', '\u00ef\u00bb\u00bf"id";"name"\r\n'],
  ])('%s is named', async (what, start) => {
    const path = await file('stranger', Buffer.from(start, 'latin1'))
    const { failure } = await read(path)
    expect(failure).toMatchObject({ exitCode: 6, message: expect.stringContaining(`${path} is ${what}`) })
    expect(failure!.toLine()).not.toContain('server')
    // the same inside of gzip
    const packed = await read(gzipSync(Buffer.from(start, 'latin1')))
    expect(packed.failure!.message).toContain(`the input is ${what}`)
  })

  test('a stream that two calls share is read by one of them, and refused to the other', async () => {
    const shared = Readable.from([Buffer.from('{"id":"1"}\n'), Buffer.from('{"id":"2"}\n')])
    const results = await Promise.all([read(shared), read(shared)])
    expect(results.map(({ ids, failure }) => [ids, failure?.code])).toEqual([
      [['1', '2'], undefined],
      [[], 'ERR_OPTION_INVALID'],
    ])
  })

  test('what is packed twice is named', async () => {
    const { failure } = await read(gzipSync(gzipSync('{"id":"1"}')))
    expect(failure).toMatchObject({ exitCode: 6, message: expect.stringContaining('gzip inside of another') })
  })

  test.skipIf(process.platform !== 'linux')('a file that cannot be read on is a fault of its storage', async () => {
    // its first page is mapped nowhere: read(2) gives EIO
    const { failure } = await read('/proc/self/mem')
    expect(failure).toMatchObject({ code: 'ERR_BODY_TRUNCATED', exitCode: 5, message: 'reading /proc/self/mem: EIO' })
  })

  test('nothing is an empty list of lines, and no page', async () => {
    expect((await read(await file('empty.ndjson', ''))).failure).toBeUndefined()
    const { failure } = await read(await file('empty.json', ''))
    expect(failure!.toLine()).toContain('the input is empty')
  })

  test('a directory is named as what it is', async () => {
    const { failure } = await read(directory)
    expect(failure).toMatchObject({ exitCode: 2, message: `${directory} is a directory` })
  })
})

describe.skipIf(process.platform === 'win32')('a FIFO', () => {
  function fifo(name: string): string {
    const path = join(directory, name)
    expect(spawnSync('mkfifo', [path]).status).toBe(0)
    return path
  }

  test('is read to the end that its writer makes', async () => {
    const path = fifo('lines.ndjson')
    const result = read(path)
    const writer = createWriteStream(path)
    for (let i = 0; i < 5000; i++) writer.write(`${record(`${i}`)}\n`)
    writer.end()
    expect((await result).ids).toHaveLength(5000)
  })

  test('that ends without a byte is empty', async () => {
    const path = fifo('empty-fifo.ndjson')
    const result = read(path)
    createWriteStream(path).end()
    expect(await result).toMatchObject({ ids: [], failure: undefined })
  })

  test('without a writer is waited for until the signal, and more of them than there are threads', async () => {
    const paths = Array.from({ length: 10 }, (_, i) => fifo(`waiting-${i}`))
    const controller = new AbortController()
    const source = new BodySource(paths, { signal: controller.signal })
    await source.open() // does not wait
    const step = source.read().next()
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(step).rejects.toBe(reason)
  })

  test('whose writer stands still ends with the signal, too', async () => {
    const path = fifo('stalled.ndjson')
    const controller = new AbortController()
    const reading = new BodySource(path, { signal: controller.signal }).read()
    const first = reading.next()
    const writer = createWriteStream(path)
    writer.write(`${record('1')}\n${record('2')}\n`)
    const { value } = await first
    expect(value!.count).toBeGreaterThan(0)
    const step = reading.next()
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(step).rejects.toBe(reason)
    writer.destroy()
  })
})

test('bytes that never come end with the signal, and their stream is closed', async () => {
  const controller = new AbortController()
  let resolve = (): void => {}
  const isAsked = new Promise<void>((settle) => {
    resolve = settle
  })
  const stuck = new Readable({ read: () => resolve() })
  const step = new BodySource(stuck, { signal: controller.signal }).read().next()
  await isAsked
  const reason = new ConfigError('ERR_OPTION_INVALID', 'enough')
  controller.abort(reason)
  await expect(step).rejects.toBe(reason)
  expect(stuck.destroyed).toBe(true)
})
