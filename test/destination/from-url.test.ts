import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { destinationFromUrl } from '../../src/destination/from-url.js'
import { ConfigError } from '../../src/errors.js'

const root = mkdtempSync(join(tmpdir(), 'truto-export-url-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

test.each([
  ['-', 'stdout'],
  ['/dev/stdout', 'stdout'],
  ['./-', './-'],
  ['out/members.csv', 'out/members.csv'],
  ['C:\\out.csv', 'C:\\out.csv'],
  ['a:b', 'a:b'],
  ['file:///tmp/a%20b', '/tmp/a b'],
  ['file:/tmp/x', '/tmp/x'],
])('%s is %s', (text, name) => {
  expect(destinationFromUrl(text).name).toBe(name)
})

test.each(['s3://bucket/key', 'https://example.com/x', 'file:name', 'file://host/share', 'FILE://%zz'])(
  '%s is refused',
  (text) => {
    expect(() => destinationFromUrl(text)).toThrow(ConfigError)
  },
)

test('the options of a file are passed on', async () => {
  const path = join(root, 'ü #?.ndjson')
  for (const text of ['old', 'new']) {
    const writer = await destinationFromUrl(pathToFileURL(path).href, { overwrite: true }).open()
    await writer.write(Buffer.from(text))
    await writer.commit()
  }
  expect(readFileSync(path, 'utf8')).toBe('new')
  await expect(destinationFromUrl(path).open()).rejects.toMatchObject({ code: 'ERR_OUTPUT_EXISTS' })
})
