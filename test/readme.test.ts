// What the README and the pages of rooms show is run as it stands, page by page, each in a folder of its own: first its
// shell lines against the built command line, then its TypeScript against the library's source.

import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { sideNames } from '../src/files/side-names.js'
import { type Emulator, exitCodes, startEmulator } from '../src/index.js'

const root = resolve(import.meta.dirname, '..')
const rooms = readdirSync(join(root, 'src')).map((room) => `src/${room}/README.md`)
const pages = ['README.md', 'src/README.md', 'bench/README.md', ...rooms].filter((page) => existsSync(join(root, page)))
const textOf = (page: string): string => readFileSync(join(root, page), 'utf8')
const blocksOf = (page: string, language: string): string[] =>
  [...textOf(page).matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1]!)
const run = promisify(execFile)

/** The outputs that the shell lines of a page leave, beside files that are no outputs. */
const outputs: Readonly<Record<string, { readonly files: readonly string[]; readonly others?: readonly string[] }>> = {
  'README.md': {
    files: ['members.csv', 'members.ndjson', 'members.parquet', 'names.csv.gz', 'redacted.ndjson', 'typed.parquet'],
    others: ['redact.key', 'schema.json'],
  },
  'src/checkpoint/README.md': { files: ['members.csv.gz'] },
  'src/encode/README.md': {
    files: ['copy.json', 'members', 'members.csv', 'members.ndjson', 'typed.parquet'],
    others: ['schema.json'],
  },
  'src/transform/README.md': {
    files: ['by-id.json', 'few.csv', 'names.csv', 'redacted.ndjson'],
    others: ['redact.key'],
  },
}
/** What the TypeScript of a page leaves, also over an output that is there, and how often it prints at least. */
const results: Readonly<Record<string, { readonly files: readonly string[]; readonly lines: number }>> = {
  'README.md': { files: ['active.ndjson', 'members.parquet'], lines: 200 },
  'src/checkpoint/README.md': { files: [], lines: 0 },
  'src/destination/README.md': { files: [], lines: 2 },
  'src/emulator/README.md': { files: ['ten.ndjson'], lines: 10 },
  'src/export/README.md': { files: ['active.ndjson', 'by-id.ndjson'], lines: 400 },
}

let emulator: Emulator
let folder: string
const bin = mkdtempSync(join(tmpdir(), 'truto-export-bin-'))
const scripts = join(root, 'node_modules/.cache/readme')
const cwd = process.cwd()

beforeAll(async () => {
  emulator = await startEmulator({ members: 230 })
  vi.stubEnv('TRUTO_API_TOKEN', emulator.token)
  vi.stubEnv('TRUTO_API_BASE_URL', emulator.url)
  vi.stubEnv('ACCOUNT', emulator.accountId)
  vi.stubEnv('CHANNEL', emulator.parentIds[0]!)
  writeFileSync(
    join(bin, 'truto-export'),
    `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'dist/cli/main.js')}' "$@"\n`,
    { mode: 0o755 },
  )
  mkdirSync(scripts, { recursive: true })
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await emulator.close()
  for (const path of [bin, scripts]) rmSync(path, { recursive: true })
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'truto-export-readme-'))
})
afterEach(() => {
  process.chdir(cwd)
  rmSync(folder, { recursive: true })
})

test('what pages show is in the lists of this test', () => {
  const having = (language: string): string[] => pages.filter((page) => blocksOf(page, language).length > 0).sort()
  expect(having('sh')).toEqual(Object.keys(outputs).sort())
  expect(having('ts')).toEqual(Object.keys(results).sort())
})

describe.each(pages.filter((page) => page in outputs || page in results))('%s', (page) => {
  test('runs as it stands', async () => {
    // a command may go on in the next line
    for (const line of blocksOf(page, 'sh')
      .join('')
      .split(/(?<!\\)\n/)
      .filter(Boolean)) {
      await run('bash', ['-c', `set -e; ${line}`], {
        cwd: folder,
        env: { ...process.env, PATH: `${bin}:${process.env['PATH']}` },
      })
    }
    const { files = [], others = [] } = outputs[page] ?? {}
    const manifests = files.map((name) => sideNames(name).manifest)
    expect(readdirSync(folder).sort()).toEqual([...files, ...manifests, ...others].sort())

    const printed = await printedBy(page)
    const left = results[page] ?? { files: [], lines: 0 }
    expect(readdirSync(folder)).toEqual(expect.arrayContaining([...left.files]))
    expect(printed.length).toBeGreaterThanOrEqual(left.lines)
    if (page === 'README.md') expect(printed[0]!.slice(0, 2)).toEqual([230, true])
  }, 120_000)

  test('its links to files lead somewhere', () => {
    const links = [...textOf(page).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map((match) => match[1]!)
    expect(links.filter((link) => !existsSync(join(root, dirname(page), link)))).toEqual([])
  })
})

/** Runs the TypeScript of a page. @returns what it printed */
async function printedBy(page: string): Promise<unknown[][]> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  process.chdir(folder)
  try {
    for (const [index, code] of blocksOf(page, 'ts').entries()) {
      const script = join(scripts, `example-${pages.indexOf(page)}-${index}.ts`)
      writeFileSync(script, code.replace("from 'truto-export'", `from '${join(root, 'src/index.ts')}'`))
      await import(/* @vite-ignore */ `${script}?${Date.now()}`)
    }
    return [...log.mock.calls]
  } finally {
    log.mockRestore()
  }
}

test('the TypeScript of the pages compiles', async () => {
  const sources = join(scripts, 'types')
  mkdirSync(sources)
  for (const page of pages) {
    for (const [index, code] of blocksOf(page, 'ts').entries()) {
      writeFileSync(join(sources, `example-${pages.indexOf(page)}-${index}.ts`), code)
    }
  }
  const compilerOptions = { paths: { 'truto-export': [join(root, 'dist/index.d.ts')] } }
  const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: ['*.ts'] }
  writeFileSync(join(sources, 'tsconfig.json'), JSON.stringify(config))
  const tsc = run(join(root, 'node_modules/.bin/tsc'), ['-p', sources])
  const { stdout } = await tsc.catch((error: { stdout: string }) => error)
  expect(stdout).toBe('')
}, 60_000)

test('the README is short', () => {
  const text = textOf('README.md')
  expect(text.split('\n').length - 1).toBeLessThanOrEqual(220)
  expect(text.split(/\s+/).filter(Boolean).length).toBeLessThanOrEqual(1800)
})

test('the table of exit codes is that of the errors', () => {
  for (const [name, code] of Object.entries(exitCodes)) {
    expect(textOf('src/http/README.md')).toContain(`| ${code} | \`${name}\` |`)
  }
})
