// What the README shows is run as it stands: its TypeScript against the library's source, its shell lines against the built command line.

import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { sideNames } from '../src/files/side-names.js'
import { type Emulator, exitCodes, startEmulator } from '../src/index.js'

const root = resolve(import.meta.dirname, '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1]!)

let emulator: Emulator
let folder: string
const cwd = process.cwd()

beforeAll(async () => {
  emulator = await startEmulator({ members: 230 })
  folder = mkdtempSync(join(tmpdir(), 'truto-export-readme-'))
  vi.stubEnv('TRUTO_API_TOKEN', emulator.token)
  vi.stubEnv('TRUTO_API_BASE_URL', emulator.url)
  vi.stubEnv('ACCOUNT', emulator.accountId)
  vi.stubEnv('CHANNEL', emulator.parentIds[0]!)
})
afterAll(async () => {
  process.chdir(cwd)
  vi.unstubAllEnvs()
  await emulator.close()
  rmSync(folder, { recursive: true })
})

test('the shell lines work, one after the other in one folder', async () => {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  writeFileSync(
    join(bin, 'truto-export'),
    `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'dist/cli/main.js')}' "$@"\n`,
    { mode: 0o755 },
  )
  const lines = blocks('sh').join('').split('\n').filter(Boolean)
  expect(lines.length).toBeGreaterThan(5)
  for (const line of lines) {
    await promisify(execFile)('bash', ['-c', `set -e; ${line}`], {
      cwd: folder,
      env: { ...process.env, PATH: `${bin}:${process.env['PATH']}` },
    })
  }
  const names = [
    'by-id.json',
    'copy.json',
    'members',
    'members.csv',
    'members.csv.gz',
    'members.ndjson',
    'members.parquet',
    'names.csv',
    'redact.key',
    'redacted.ndjson',
    'schema.json',
    'typed.parquet',
  ]
  const files = names.filter((name) => !['redact.key', 'schema.json'].includes(name))
  const manifests = files.map((name) => sideNames(name).manifest)
  expect(readdirSync(folder).filter((name) => name !== 'bin')).toEqual([...names, ...manifests].sort())
  expect((JSON.parse(readFileSync(join(folder, 'copy.json'), 'utf8')) as unknown[]).length).toBe(230)
}, 120_000)

test('the TypeScript examples run, in order, and leave what they say', async () => {
  const scripts = join(root, 'node_modules/.cache/readme')
  mkdirSync(scripts, { recursive: true })
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  process.chdir(folder)
  try {
    for (const [index, code] of blocks('ts').entries()) {
      const script = join(scripts, `example-${index}.ts`)
      writeFileSync(script, code.replace("from 'truto-export'", `from '${join(root, 'src/index.ts')}'`))
      await import(/* @vite-ignore */ `${script}?${Date.now()}`)
    }
  } finally {
    process.chdir(cwd)
    rmSync(scripts, { recursive: true })
  }
  expect(log.mock.calls[0]!.slice(0, 2)).toEqual([230, true])
  expect(log.mock.calls.length).toBeGreaterThan(400)
  log.mockRestore()
  for (const name of ['active.ndjson', 'by-id.ndjson', 'members.parquet']) expect(readdirSync(folder)).toContain(name)
})

test('the table of exit codes is that of the errors', () => {
  for (const [name, code] of Object.entries(exitCodes)) {
    expect(readme).toContain(`| ${code} | \`${name}\` |`)
  }
})
