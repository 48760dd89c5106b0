// The key of the hashes, from where people keep it to what other tools make of it.

import { execFileSync, spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { memoryDestination } from '../../src/destination/memory.js'
import { exportRecords } from '../../src/export/export.js'
import { exportTable } from '../../src/options/schema.js'
import { runCommand } from '../helpers/command-line.js'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'truto-export-key-'))
  writeFileSync(join(directory, 'in.ndjson'), '{"id":"ada@example.com"}\n')
})
afterAll(() => rmSync(directory, { recursive: true }))

const value = 'ada@example.com'
const hmac = (key: Uint8Array): string => createHmac('sha256', key).update(value).digest('hex')

async function hashOf(
  flags: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ hash: string; exitCode: number; stderr: string }> {
  const out = join(directory, 'out.ndjson')
  const { exitCode, stderr } = await runCommand(
    ['convert', join(directory, 'in.ndjson'), '--redact', 'id=hash', '--out', out, '--overwrite', ...flags],
    { env },
  )
  const hash = exitCode === 0 ? (JSON.parse(readFileSync(out, 'utf8')) as { id: string }).id : ''
  return { hash, exitCode, stderr }
}

async function hashWithFile(bytes: Uint8Array | string) {
  const path = join(directory, 'redact.key')
  writeFileSync(path, bytes)
  return hashOf(['--redact-key-file', path])
}

describe('the bytes of the file are the key', () => {
  const high = (first: number): Buffer => Buffer.from(Array.from({ length: 32 }, (_, i) => first + (i % 7)))
  const rows: [string, Buffer | string, Buffer][] = [
    ['that is no UTF-8', high(0xf0), high(0xf0)],
    ['of other bytes that are none', high(0x80), high(0x80)],
    ['with a byte order mark', '\ufeff0123456789abcdef', Buffer.from('\ufeff0123456789abcdef')],
    ['with a line feed after it', '0123456789abcdef\n', Buffer.from('0123456789abcdef')],
    ['with a carriage return and a line feed', '0123456789abcdef\r\n', Buffer.from('0123456789abcdef')],
    ['with two line ends', '0123456789abcdef\n\n', Buffer.from('0123456789abcdef\n')],
    ['with a carriage return alone', '0123456789abcdef\r', Buffer.from('0123456789abcdef\r')],
    ['with a NUL in it', Buffer.from('0123456\x00789abcdef'), Buffer.from('0123456\x00789abcdef')],
    ['longer than a block', `${'k'.repeat(100)}y`, Buffer.from(`${'k'.repeat(100)}y`)],
  ]
  test.each(rows)('%s', async (_name, file, key) => {
    expect(await hashWithFile(file)).toMatchObject({ exitCode: 0, hash: hmac(key) })
  })

  test('so that two keys that are no text have two hashes', async () => {
    const hashes = await Promise.all(
      [high(0xf0), high(0x80)].map(async (key) => {
        const destination = memoryDestination()
        const input = readFileSync(join(directory, 'in.ndjson'))
        await exportRecords({ input, inputFormat: 'ndjson', redact: ['id=hash'], redactKey: key, destination })
        return Buffer.from(destination.bytes()).toString()
      }),
    )
    expect(hashes).toEqual([high(0xf0), high(0x80)].map((key) => `{"id":"${hmac(key)}"}\n`))
  })

  test.each([
    ['of fifteen bytes', '0123456789abcde', /a key of 15 bytes could be found by trying/],
    ['of fifteen and a line end', '0123456789abcde\n', /a key of 15 bytes/],
    ['of spaces', ' '.repeat(32), /a key of one byte over and over/],
    ['of zeros', Buffer.alloc(64), /a key of one byte over and over/],
    ['of nothing', '', /there is no key to hash fields with/],
    ['of a line end', '\n', /there is no key to hash fields with/],
  ])('but for one %s, which is refused', async (_name, file, message) => {
    const { exitCode, stderr } = await hashWithFile(file)
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(message)
  })

  test('sixteen bytes are counted, and not sixteen characters', async () => {
    expect(await hashWithFile('éüéüéüéü')).toMatchObject({ exitCode: 0, hash: hmac(Buffer.from('éüéüéüéü')) })
  })
})

test('the variable holds the key, with or without a line end', async () => {
  const key = 'a key of the environment'
  for (const text of [key, `${key}\n`, `${key}\r\n`]) {
    expect(await hashOf([], { TRUTO_EXPORT_REDACT_KEY: text })).toMatchObject({ hash: hmac(Buffer.from(key)) })
  }
  expect((await hashOf([], { TRUTO_EXPORT_REDACT_KEY: 'x'.repeat(16) })).exitCode).toBe(2)
})

test('a text and its bytes are one key, and one export', async () => {
  const input = Buffer.from('{"id":"a"}\n')
  const outputs = await Promise.all(
    ['schlüssel mit ü', Buffer.from('schlüssel mit ü')].map(async (redactKey) => {
      const destination = memoryDestination()
      await exportRecords({ input, inputFormat: 'ndjson', redact: ['id=hash'], redactKey, destination })
      return Buffer.from(destination.bytes()).toString()
    }),
  )
  expect(outputs[0]).toBe(outputs[1])
})

test('the line that the help shows gives the same hash', async () => {
  const line = /printf %s VALUE \| (openssl dgst -sha256 -mac HMAC -macopt) hexkey:HEX/.exec(exportTable.redactKey.doc)
  expect(line).not.toBeNull()
  const key = Buffer.from(Array.from({ length: 40 }, (_, i) => (i * 37) % 256))
  const { hash } = await hashWithFile(Buffer.concat([key, Buffer.from('\n')]))
  expect(hash).toBe(hmac(key))
  // by the tool itself, where it is
  if (spawnSync('openssl', ['version']).status !== 0) return
  const [tool, ...args] = line![1]!.split(' ')
  const told = execFileSync(tool!, [...args, `hexkey:${key.toString('hex')}`], { input: value }).toString()
  expect(told.trim().split(' ').at(-1)).toBe(hash)
})
