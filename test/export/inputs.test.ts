// An export never loses what it reads: whatever of its own files is an input is refused, and what may be read is read
// as it was.

import {
  createReadStream,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { exportRecords } from '../../src/export/export.js'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'truto-export-inputs-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const at = (...names: string[]): string => join(directory, ...names)
const lines = '{"id":"1","n":1}\n{"id":"2","n":2}\n{"id":"3","n":3}\n'

/** Everything in the directory, with its content. */
function tree(path = directory): Record<string, string> {
  return Object.fromEntries(
    readdirSync(path, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => [join(entry.parentPath, entry.name), readFileSync(join(entry.parentPath, entry.name), 'utf8')]),
  )
}

const sideFiles = [
  ...[
    '_m.ndjson.partial',
    '_m.ndjson.checkpoint',
    '_m.ndjson.lock',
    '_m.ndjson.manifest.json',
    '_m.ndjson.manifest.json.tmp',
  ],
  ...['m.ndjson.partial', 'm.ndjson.checkpoint', 'm.ndjson.lock', 'm.ndjson.manifest.json'],
]

test.each(
  sideFiles.flatMap((name) => (['itself', 'a hard link', 'a symbolic link'] as const).map((how) => ({ name, how }))),
)('$name as an input, by $how, is refused and stays', async ({ name, how }) => {
  writeFileSync(at(name), lines)
  const input = how === 'itself' ? at(name) : at('input.ndjson')
  if (how === 'a hard link') linkSync(at(name), input)
  if (how === 'a symbolic link') symlinkSync(name, input)
  const before = tree()
  for (const inputs of [input, [at('other.ndjson'), input]]) {
    if (Array.isArray(inputs)) {
      writeFileSync(at('other.ndjson'), lines)
      before[at('other.ndjson')] = lines
    }
    const failure = await exportRecords({ input: inputs, inputFormat: 'ndjson', out: at('m.ndjson') }).catch(
      (error) => error,
    )
    expect(failure).toMatchObject({ code: 'ERR_OPTION_INVALID', exitCode: 2 })
    expect(failure.message).toContain(`${input} is a file of this very export`)
    expect(tree()).toEqual(before)
  }
})

test.each([
  'm/part-00000.ndjson',
  '_m.partial/part-00000.ndjson',
  'm.partial/part-00001.ndjson',
  '_m.replaced/part-00000.ndjson',
])('%s as an input of an export in parts is refused and stays', async (name) => {
  mkdirSync(at(name, '..'))
  writeFileSync(at(name), lines)
  const before = tree()
  for (const out of [at('m'), `${at('m')}/`]) {
    const options = { input: at(name), out, partRows: 2, overwrite: true }
    await expect(exportRecords(options)).rejects.toMatchObject({ code: 'ERR_OPTION_INVALID', exitCode: 2 })
    expect(tree()).toEqual(before)
  }
})

test('the target of a linked output is what counts', async () => {
  mkdirSync(at('real'))
  symlinkSync(join('real', 'm.ndjson'), at('link'))
  writeFileSync(at('real', '_m.ndjson.partial'), lines)
  const options = { input: at('real', '_m.ndjson.partial'), inputFormat: 'ndjson', out: at('link') } as const
  await expect(exportRecords(options)).rejects.toMatchObject({ exitCode: 2 })
  expect(readFileSync(at('real', '_m.ndjson.partial'), 'utf8')).toBe(lines)
})

test('the output itself is read and replaced at the end', async () => {
  writeFileSync(at('m.ndjson'), lines)
  const report = await exportRecords({ input: at('m.ndjson'), out: at('m.ndjson'), overwrite: true, exclude: ['n'] })
  expect(report.records).toBe(3)
  expect(readFileSync(at('m.ndjson'), 'utf8')).toBe('{"id":"1"}\n{"id":"2"}\n{"id":"3"}\n')
  // and is left alone where it may not be
  await expect(exportRecords({ input: at('m.ndjson'), out: at('m.ndjson') })).rejects.toMatchObject({
    code: 'ERR_OUTPUT_EXISTS',
  })
  expect(existsSync(at('m.ndjson'))).toBe(true)
})

test('what is open already may have any name', async () => {
  writeFileSync(at('_m.ndjson.partial'), lines)
  const report = await exportRecords({
    input: createReadStream('', { fd: openSync(at('_m.ndjson.partial'), 'r') }),
    inputFormat: 'ndjson',
    out: at('m.ndjson'),
  })
  expect(report.records).toBe(3)
  expect(readFileSync(at('m.ndjson'), 'utf8')).toBe(lines)
})

test('an input that is not there is known before what an earlier run has left is touched', async () => {
  writeFileSync(at('_m.ndjson.partial'), lines)
  const before = tree()
  await expect(exportRecords({ input: at('none.ndjson'), out: at('m.ndjson') })).rejects.toMatchObject({ exitCode: 2 })
  expect(tree()).toEqual(before)
})
