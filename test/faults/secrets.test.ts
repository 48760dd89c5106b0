// A server that says our token back wherever it can, in whichever spelling, and one that puts personal data there:
// neither is in anything that is said or left, but for the records themselves, which are never touched.

import { readdirSync, readFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Io } from '../../src/cli/io.js'
import { run } from '../../src/cli/run.js'
import { systemClock } from '../../src/clock.js'
import { type ExportOptions, exportRecords, records, trutoSource } from '../../src/export/export.js'
import type { ExportEvent } from '../../src/report.js'
import { everythingIn, temporaryDirectory } from './harness.js'

const isSoak = process.env['TRUTO_EXPORT_SOAK'] === '1'
const token = 'Tok-5f0c7f2e9a1b-Secret'

/** What a server may make of the token. */
const spellings: Record<string, (text: string) => string> = {
  'as it is': (text) => text,
  'in lower case': (text) => text.toLowerCase(),
  'percent-encoded': (text) => [...text].map((c) => `%${c.charCodeAt(0).toString(16)}`).join(''),
  'within base64': (text) => Buffer.from(`user:${text}:x`).toString('base64'),
  'within base64url': (text) => Buffer.from(`{"sub":"a?","t":"${text}"}`).toString('base64url'),
  // wherever a text of it is cut, there is a token
  'many times over': (text) => Array(70).fill(text).join('.'),
  'many times over, percent-encoded': (text) => spellings['percent-encoded']!(Array(70).fill(text).join('.')),
  'many times over, in base64': (text) => Buffer.from(Array(70).fill(text).join(':-')).toString('base64'),
  'in hex': (text) => Buffer.from(text).toString('hex'),
}

/** Any eight characters of the token that follow on each other, as a text may have them: lower case, with their number
 *  of bytes before them in base64. */
const needles: readonly string[] = Array.from({ length: token.length - 7 }, (_, from) => {
  const part = token.slice(from, from + 8)
  const cores = [part, part.toLowerCase()].flatMap((text) =>
    [0, 1, 2].map((before) => {
      const encoded = Buffer.from(`${'x'.repeat(before)}${text}`).toString('base64')
      return encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + 8) * 8) / 6)).toLowerCase()
    }),
  )
  return [
    part.toLowerCase(),
    Buffer.from(part).toString('hex'),
    Buffer.from(part.toLowerCase()).toString('hex'),
    ...cores,
  ]
}).flat()

/** What of the token is in a text, in any spelling, by means of their own. */
function leaksIn(text: string): string[] {
  const lower = text.toLowerCase()
  const decoded = lower.replace(/%([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
  const base64 = lower.replaceAll('-', '+').replaceAll('_', '/')
  return needles.filter((needle) => [lower, decoded, base64].some((form) => form.includes(needle)))
}

test('what would be found of a token is found', () => {
  for (const [name, spell] of Object.entries(spellings)) {
    const said = spell(token)
    expect([name, leaksIn(`a ${said} b`).length > 0]).toEqual([name, true])
  }
  expect(leaksIn(`a ${token.slice(3, 11)} b`)).not.toEqual([])
  expect(leaksIn(`a ${token.slice(3, 10)} b`)).toEqual([])
  expect(leaksIn('GET /unified/a/b?limit=100 -> 200 (application/json, 5 ms)')).toEqual([])
})

/** What the n-th request is answered with, from 1. */
type Answer = (n: number, url: URL) => string | Buffer

const http = (status: string, headers: readonly string[], body: string | Buffer): Buffer => {
  const bytes = Buffer.from(body as string)
  const head = [`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${bytes.length}`].join('\r\n')
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`, 'latin1'), bytes])
}
const json = 'Content-Type: application/json'
const ok = (body: string | Buffer, ...headers: string[]): Buffer => http('200 OK', [json, ...headers], body)
const page = (ids: readonly string[], cursor: unknown = null): string =>
  JSON.stringify({ result: ids.map((id) => ({ id, name: `name of ${id}` })), next_cursor: cursor })
/** The first page is as it should be, and what follows is not. */
const secondly =
  (bad: (url: URL) => string | Buffer): Answer =>
  (n, url) =>
    n === 1 ? ok(page(['1', '2'], 'next')) : bad(url)

interface Place {
  readonly answer: (said: string) => Answer
  readonly flags?: readonly string[]
  /** Name of the output. */
  readonly file?: string
  /** Whether it is a proxy that answers. */
  readonly isProxy?: true
  /** Whether the export comes to its end. */
  readonly isWhole?: true
  /** Whether the secret is in records, which are as they are. */
  readonly isInRecords?: true
}

const error = (rest: object): string =>
  JSON.stringify({ statusCode: 400, error: 'Bad Request', message: 'no', ...rest })
const stream = ['--response-format', 'stream']
const unified = ['--response-format', 'unified']
const data = '--debug-bodies'

const places: Record<string, Place> = {
  'the status text': { answer: (t) => secondly(() => http(`400 ${t}`, [], '')) },
  'every header of an error': {
    answer: (t) =>
      secondly(() =>
        http(
          '500 No',
          ['Server', 'Content-Type', 'Retry-After', 'Date', 'CF-Ray', 'X-A'].map((h) => `${h}: ${t}`),
          '',
        ),
      ),
  },
  limits: {
    answer: (t) =>
      secondly(() => http('429 No', [`RateLimit: "${t}";r=0`, `Retry-After: ${t}`, `ratelimit-reset: ${t}`], '')),
  },
  'an interim answer': {
    answer: (t) =>
      secondly(() => `HTTP/1.1 103 ${t}\r\nLink: ${t}\r\n\r\nHTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n`),
  },
  'the content type': {
    answer: (t) => secondly(() => http('200 OK', [`Content-Type: text/html-${t}`], 'x')),
    flags: unified,
  },
  'the character set': {
    answer: (t) => secondly(() => http('200 OK', [`Content-Type: text/html; charset=${t}`], 'x')),
    flags: unified,
  },
  'the content type of what was passed through': {
    answer: (t) => (_, url) =>
      url.searchParams.get('truto_response_format') === 'stream'
        ? http('200 OK', [`Content-Type: text/html-${t}`], 'x')
        : ok(page(['1'])),
    isWhole: true,
  },
  'the challenge of a 401': {
    answer: (t) =>
      secondly(() => http('401 No', [`WWW-Authenticate: Bearer realm="${t}", error="${t}"`], error({ message: t }))),
  },
  'the status text of a proxy': { answer: (t) => () => http(`502 ${t}`, [], ''), isProxy: true },
  'what a proxy wants': {
    answer: (t) => () => http(`407 ${t}`, [`Proxy-Authenticate: Basic realm="${t}"`, `X-A: ${t}`], t),
    isProxy: true,
  },
  'the body of a proxy': {
    answer: (t) => () => http('403 No', ['Content-Type: text/html'], `<html>${t}</html>`),
    isProxy: true,
  },
  'what a proxy says in place of TLS': { answer: (t) => () => `HTTP/1.1 200 ${t}\r\n\r\n${t}\r\n`, isProxy: true },
  'what a proxy says that is no HTTP': { answer: (t) => () => `${t}\r\n\r\n`, isProxy: true },
  'the content encoding': { answer: (t) => secondly(() => ok('x', `Content-Encoding: ${t}`)) },
  'the transfer encoding': { answer: (t) => secondly(() => `HTTP/1.1 200 OK\r\nTransfer-Encoding: ${t}\r\n\r\nx`) },
  'a header that is none': { answer: (t) => secondly(() => `HTTP/1.1 200 OK\r\n${t}\r\n\r\n`) },
  'what is no HTTP': { answer: (t) => secondly(() => `${t}\r\n\r\n`) },
  chunks: { answer: (t) => secondly(() => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${t}\r\n`) },
  trailers: {
    answer: (t) =>
      secondly(
        () =>
          `HTTP/1.1 200 OK\r\n${json}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\nX-A: ${t}\r\n${t}: x\r\n\r\n`,
      ),
  },
  'a redirect': {
    answer: (t) => secondly(() => http('302 Found', [`Location: https://${t.replace(/\W/g, '-')}.example/${t}`], '')),
  },
  'a redirect to another scheme': {
    answer: (t) => secondly(() => http('302 Found', [`Location: x${t.replace(/\W/g, '-')}:y`], '')),
  },
  'the message of an error': {
    answer: (t) => secondly(() => http('400 No', [json], error({ message: `no such token: ${t}!` }))),
  },
  'a message that is cut there': {
    answer: (t) =>
      secondly(() => http('400 No', [json], error({ message: `${'x'.repeat(490)}${t}${'y'.repeat(90)}` }))),
  },
  'the name of an error': { answer: (t) => secondly(() => http('400 No', [json], error({ error: t, message: '' }))) },
  'the insight': {
    answer: (t) =>
      secondly(() =>
        http(
          '400 No',
          [json],
          error({
            truto_error_insight: {
              missing_required_query_parameters: { value: [`${'x'.repeat(60)}${t}`, t] },
              forbidden_error: { value: { missing_scopes: [t] } },
              [t]: { [t]: [t] },
            },
          }),
        ),
      ),
  },
  'the body of the provider': {
    answer: (t) =>
      secondly(() => http('400 No', [json], error({ truto_is_remote_error: true, raw_response: { [t]: [t], a: t } }))),
    flags: [data],
  },
  'a line of text': {
    answer: (t) => secondly(() => http('400 No', ['Content-Type: text/plain'], `${'x'.repeat(180)}${t}`)),
  },
  'a page of HTML': { answer: (t) => secondly(() => http('502 No', ['Content-Type: text/html'], `<html>${t}</html>`)) },
  'another error': { answer: (t) => secondly(() => http('400 No', [json], JSON.stringify({ [t]: t }))) },
  'an error in a 200': {
    answer: (t) => secondly(() => ok(error({ error: t, message: t, truto_error_insight: { a: t } }))),
  },
  'a remote error in a 200': {
    answer: (t) => secondly(() => ok(error({ error: t, message: t, truto_is_remote_error: true, raw_response: t }))),
  },
  "an error of Slack's": { answer: (t) => secondly(() => ok(JSON.stringify({ ok: false, error: t }))) },
  'a line that is an error': {
    answer: (t) => () =>
      http('200 OK', ['Content-Type: application/x-ndjson'], `{"id":"1"}\n${error({ message: t })}\n`),
    flags: stream,
  },
  'the names of a body without a list': {
    answer: (t) => secondly(() => ok(JSON.stringify({ [t]: 1 }))),
    flags: unified,
  },
  'a name that is there twice': {
    answer: (t) => secondly(() => ok(`{"message":"${t}","message":"${t}"}`)),
    flags: unified,
  },
  'text that is no JSON': { answer: (t) => secondly(() => ok(`{"result":[{"id":"${t}"x`)) },
  'text that is no JSON, with data shown': {
    answer: (t) => secondly(() => ok(`{"result":[{"id":"${t}"x`)),
    flags: [data],
  },
  'a text that is cut within it, with data shown': {
    answer: (t) => secondly(() => ok(`{"result":[{"id":x"${t}"`)),
    flags: [data],
  },
  'text that is not UTF-8, with data shown': {
    answer: (t) => secondly(() => ok(Buffer.concat([Buffer.from(`{"result":[{"id":"${t}`), Buffer.from([0xff])]))),
    flags: [data],
  },
  'lines that are no JSON, with data shown': {
    answer: (t) => () => http('200 OK', ['Content-Type: application/x-ndjson'], `{"id":"1"}\n{"id":"${t}"x}\n`),
    flags: [...stream, data],
  },
  'a cursor': { answer: (t) => cursorOf(t) },
  'a part of a cursor': { answer: (t) => cursorOf(`https://graph.example/?access_token=${t}&$skiptoken=x`) },
  'a cursor that is too long': { answer: (t) => () => ok(page(['1'], t.repeat(Math.ceil(100_000 / t.length)))) },
  'a cursor that comes again': { answer: (t) => () => ok(page(['1'], t)) },
  records: { answer: (t) => () => ok(page([t, `a ${t}`])), isWhole: true, isInRecords: true },
  'names of fields': {
    answer: (t) => () => ok(`{"result":[{"id":"1","${t}":1}],"next_cursor":null}`),
    isWhole: true,
    isInRecords: true,
  },
  'names of fields that are refused': {
    answer: (t) => () => ok(`{"result":[{"id":"1","${'x'.repeat(90)}${t}":1}],"next_cursor":null}`),
    flags: ['--unknown-fields', 'error'],
    file: 'out.csv',
  },
  'names of fields that are none of the columns': {
    answer: (t) => () => ok(`{"result":[{"id":"1","${t}":1}],"next_cursor":null}`),
    file: 'out.csv',
    isWhole: true,
    isInRecords: true,
  },
  'a key that comes again': {
    answer: (t) => () => ok(page([t, t])),
    flags: ['--key-by', 'id', '--key-by-duplicate', 'error'],
  },
  'a key that comes again, with data shown': {
    answer: (t) => () => ok(page([`${'x'.repeat(190)}${t}`, `${'x'.repeat(190)}${t}`])),
    flags: ['--key-by', 'id', '--key-by-duplicate', 'error', data],
  },
}

/** Two pages, the first of which has this cursor, and a connection that is lost then, so that a checkpoint is left. */
function cursorOf(cursor: string): Answer {
  return (n) => (n === 1 ? ok(page(['1', '2'], cursor)) : 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"result":[')
}

async function serve(answer: Answer): Promise<{ origin: string; urls: URL[] }> {
  const urls: URL[] = []
  const server = net.createServer((socket) => {
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => {})
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      if (!received.includes('\r\n\r\n')) return
      const asked = received.split(' ', 2)[1]!
      const url = new URL(asked.startsWith('/') ? asked : '/', 'http://x')
      received = ''
      urls.push(url)
      socket.end(answer(urls.length, url))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { origin: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`, urls }
}

interface Said {
  readonly exitCode: number
  readonly directory: string
  /** All that was said and left, but for what records are in. */
  readonly text: string
  readonly output: string
}

/** Runs the command line at its most talkative, in words or in objects. */
async function runCli(
  origin: string,
  { flags = [], file = 'out.ndjson' }: Partial<Place>,
  directory: string,
  talk = ['--verbose', '--debug', '--json', '--progress', 'plain'],
): Promise<Said> {
  let text = ''
  const output = { isTTY: false, write: (part: string) => void (text += part) }
  const io: Io = {
    stdin: [] as never,
    stdout: output,
    stderr: output,
    env: { TRUTO_API_TOKEN: token },
    clock: systemClock,
    signals: { on: () => {}, off: () => {}, exit: () => {} },
    isStdoutClosed: async () => false,
    loadExport: () => import('../../src/export/export.js'),
  }
  const limits = [
    '--tries',
    '2',
    '--backoff-base',
    '1ms',
    '--backoff-max',
    '1ms',
    '--max-wait',
    '5ms',
    '--commit-bytes',
    '64KiB',
  ]
  const paces = ['--account-requests', '0', '--token-requests', '0']
  const out = join(directory, file)
  const exitCode = await run(['a/b', '--api-url', origin, '--out', out, ...talk, ...limits, ...paces, ...flags], io)
  const left = readdirSync(directory)
  for (const name of left)
    if (name !== file && !name.endsWith('.partial')) text += `\n${name}\n${readFileSync(join(directory, name), 'utf8')}`
  text += left.join('\n')
  return { exitCode, directory, text, output: left.includes(file) ? readFileSync(out, 'utf8') : '' }
}

/** What code gets to see of the same export: events, and the report or the error with all that hangs on it. */
async function callLibrary(origin: string, { flags = [], file = 'out.ndjson' }: Partial<Place>): Promise<string> {
  const seen: unknown[] = []
  const has = (flag: string): boolean => flags.includes(flag)
  const options: ExportOptions = {
    resource: 'a/b',
    apiUrl: origin,
    token,
    tries: 2,
    backoffBaseMs: 1,
    backoffMaxMs: 1,
    maxWaitMs: 5,
    accountRequests: 0,
    tokenRequests: 0,
    debugBodies: has(data),
    responseFormat: has('stream') ? 'stream' : has('unified') ? 'unified' : 'auto',
    ...(has('--key-by') ? { keyBy: 'id', keyByDuplicate: 'error' } : {}),
    ...(has('--unknown-fields') ? { unknownFields: 'error' } : {}),
    onEvent: (event: ExportEvent) => void seen.push(event),
  }
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      seen.push(await work())
    } catch (error) {
      seen.push(error, String(error), (error as Error).stack)
    }
  }
  await attempt(() => exportRecords({ ...options, out: join(temporaryDirectory(), file) }))
  await attempt(async () => {
    let count = 0
    for await (const _ of records(options)) count++
    return count
  })
  const source = trutoSource(options)
  await attempt(async () => {
    for await (const _ of source);
  })
  seen.push(source.outcome, source.warnings())
  return everythingIn(seen)
}

const ways = [undefined, ['--log', 'json', '--json', '--verbose']]
const chosen = Object.entries(spellings).filter(([name]) => isSoak || !name.startsWith('in '))

describe.each(Object.entries(places))('the token in %s', (name, place) => {
  test.each(chosen)('%s is in nothing that is said or left', async (spelling, spell) => {
    const said = spell(token)
    const origin = async (): Promise<string> => {
      const server = await serve(place.answer(said))
      if (!place.isProxy) return server.origin
      vi.stubEnv('HTTPS_PROXY', `http://user:${token}@${new URL(server.origin).host}`)
      vi.stubEnv('NO_PROXY', '')
      return 'https://api.test'
    }
    onTestFinished(() => void vi.unstubAllEnvs())
    const index = chosen.findIndex(([one]) => one === spelling)
    for (const talk of isSoak || index === 0 ? ways : [ways[index % 2]]) {
      const { exitCode, text, output } = await runCli(await origin(), place, temporaryDirectory(), talk)
      expect([name, exitCode === 0, text.length > 100]).toEqual([name, place.isWhole === true, true])
      expect(leaksIn(text)).toEqual([])
      if (place.isInRecords) expect(output).toContain(said)
    }
    expect(leaksIn(await callLibrary(await origin(), place))).toEqual([])
  })
})

describe('a cursor with the token in it', () => {
  const cursors = {
    'is the token': token,
    'has it in the middle': `https://graph.example/?access_token=${token}&$skiptoken=x`,
    'has it twice': `${token}${token}`,
  }

  test.each(Object.entries(cursors))(
    'that %s goes back as it came, and is filled in by the run that goes on',
    async (_, cursor) => {
      let isUp = false
      const answer: Answer = (n, url) =>
        url.searchParams.get('next_cursor') === null
          ? ok(page(['1', '2'], cursor))
          : isUp
            ? ok(page(['3']))
            : cursorOf('')(n + 1, url)
      const server = await serve(answer)
      const directory = temporaryDirectory()
      const stopped = await runCli(server.origin, {}, directory)
      expect([stopped.exitCode, leaksIn(stopped.text)]).toEqual([5, []])
      expect(readdirSync(directory)).toContain('_out.ndjson.checkpoint')
      isUp = true
      const { exitCode, text, output } = await runCli(server.origin, {}, directory)
      expect([exitCode, leaksIn(text)]).toEqual([0, []])
      expect(output.split('\n').filter(Boolean)).toHaveLength(3)
      const asked = server.urls.map((url) => url.searchParams.get('next_cursor'))
      // not from the beginning
      expect(asked).toEqual([null, cursor, cursor, cursor])
    },
  )

  test('in a form that cannot be put back exactly is followed, and no checkpoint is saved there', async () => {
    const cursor = Buffer.from(`{"t":"${token}"}`).toString('base64')
    const stopped = await runCli((await serve(cursorOf(cursor))).origin, {}, temporaryDirectory())
    expect([stopped.exitCode, leaksIn(stopped.text)]).toEqual([5, []])
    // it tells of the page before
    expect(stopped.text).toMatch(/"page":1,.*"cursor":null,.*"taken":\{[^}]*"records":2\b/)
    const whole = await serve((n) => ok(n === 1 ? page(['1'], cursor) : page(['2'])))
    const done = await runCli(whole.origin, {}, temporaryDirectory())
    expect(done.exitCode).toBe(0)
    expect(done.text).toContain('cursor-not-saved')
    expect(whole.urls.map((url) => url.searchParams.get('next_cursor'))).toEqual([null, cursor])
  })
})

describe('personal data', () => {
  const name = 'ada@example.org'
  const shown: Record<string, Place> = {
    'text that is no JSON': { answer: () => secondly(() => ok(`{"result":[{"id":"${name}"x`)) },
    'text that is not UTF-8': {
      answer: () => secondly(() => ok(Buffer.concat([Buffer.from(`{"result":[{"id":"${name}`), Buffer.from([0xff])]))),
    },
    'a key that comes again': {
      answer: () => () => ok(page([name, name])),
      flags: ['--key-by', 'id', '--key-by-duplicate', 'error'],
    },
  }

  test.each(Object.entries(shown))('in %s is in no message, unless somebody asks for it', async (_, place) => {
    for (const parser of ['simd', 'js', 'stream-json', 'streamparser']) {
      const flags = [...(place.flags ?? []), '--parser', parser]
      const quiet = await runCli((await serve(place.answer(name))).origin, { ...place, flags }, temporaryDirectory())
      expect([quiet.exitCode, quiet.text.includes(name)]).toEqual([6, false])
      const loud = await runCli(
        (await serve(place.answer(name))).origin,
        { ...place, flags: [...flags, data] },
        temporaryDirectory(),
      )
      expect([loud.exitCode, loud.text.includes(name)]).toEqual([6, true])
    }
  })
})
