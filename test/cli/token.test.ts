import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readFileOption, readToken, type TokenWait } from '../../src/cli/token.js'
import { systemClock } from '../../src/clock.js'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'truto-export-token-'))
})
afterAll(() => rm(directory, { recursive: true }))

const none = { tokenFile: null, tokenCommand: null, tokenStdin: false }
const nothing = Readable.from([])
const wait: TokenWait = { timeoutMs: 60_000, clock: systemClock, signal: () => new AbortController().signal }

test.each([
  ['abc', 'abc'],
  ['abc\n', 'abc'],
  ['abc\r\nsecond line\n', 'abc'],
  ['\ufeff abc \n', 'abc'],
])('the token is the first line of %j, from a file and from stdin', async (text, token) => {
  const tokenFile = join(directory, 'token')
  await writeFile(tokenFile, text)
  expect(await readToken({ tokenFile, tokenCommand: null, tokenStdin: false }, false, nothing, wait)).toBe(token)
  const chunks = [...text].map((character) => Buffer.from(character))
  expect(
    await readToken({ tokenFile: null, tokenCommand: null, tokenStdin: true }, false, Readable.from(chunks), wait),
  ).toBe(token)
})

test('stdin is read to the end of the line only, so that a terminal need not be closed', async () => {
  async function* typed() {
    yield 'abc\n'
    throw new Error('read on')
  }
  expect(await readToken({ tokenFile: null, tokenCommand: null, tokenStdin: true }, false, typed(), wait)).toBe('abc')
})

test('without a flag there is no token to read', async () => {
  expect(await readToken(none, false, nothing, wait)).toBeNull()
  expect(await readToken(none, true, nothing, wait)).toBeNull()
})

test.each([
  [{ tokenFile: 'x', tokenCommand: null, tokenStdin: true }, false],
  [{ tokenFile: 'x', tokenCommand: null, tokenStdin: false }, true],
  [{ tokenFile: null, tokenCommand: null, tokenStdin: true }, true],
])('a token from two places is refused: %j, --token %s', async (flags, given) => {
  await expect(readToken(flags, given, nothing, wait)).rejects.toMatchObject({ code: 'ERR_OPTION_INVALID' })
})

test('an empty token is refused', async () => {
  const stdin = Readable.from(['\nabc'])
  await expect(
    readToken({ tokenFile: null, tokenCommand: null, tokenStdin: true }, false, stdin, wait),
  ).rejects.toMatchObject({
    code: 'ERR_TOKEN_INVALID',
  })
})

test('a file that cannot be read is an error that names the path, the flag and the reason', async () => {
  const missing = join(directory, 'missing')
  await expect(
    readToken({ tokenFile: missing, tokenCommand: null, tokenStdin: false }, false, nothing, wait),
  ).rejects.toMatchObject({
    code: 'ERR_OPTION_INVALID',
    message: `reading ${missing} for --token-file: ENOENT`,
  })
  await expect(readFileOption(directory, '--ca', 10)).rejects.toMatchObject({ code: 'ERR_OPTION_INVALID' })
})

test('a file of any size is read to its limit only', async () => {
  const path = join(directory, 'large')
  await writeFile(path, 'x'.repeat(10))
  expect(await readFileOption(path, '--ca', 10)).toBe('x'.repeat(10))
  await expect(readFileOption(path, '--ca', 9)).rejects.toThrow('longer than 9 bytes')
})

describe('a token command', () => {
  const read = (tokenCommand: string) =>
    readToken({ tokenFile: null, tokenCommand, tokenStdin: false }, false, Readable.from([]), wait)

  test('gives the first line of its stdout', async () => {
    expect(await read('printf "tok\\nmore\\n"')).toBe('tok')
  })

  test('that fails, or gives nothing, is an error without what it printed', async () => {
    const failed = await read('echo secret-token; exit 3').catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'ERR_OPTION_INVALID', message: expect.stringContaining('exit code 3') })
    expect(String(failed)).not.toContain('secret-token')
    await expect(read('true')).rejects.toMatchObject({ code: 'ERR_TOKEN_INVALID' })
  })

  test('and another way to give the token are one too many', async () => {
    const both = { tokenFile: null, tokenCommand: 'true', tokenStdin: true }
    await expect(readToken(both, false, Readable.from([]), wait)).rejects.toMatchObject({ code: 'ERR_OPTION_INVALID' })
  })
})
