// What an editor shows where options are given in code, asked of TypeScript's own language server about the
// declarations that are shipped.

import { type ChildProcess, spawn } from 'node:child_process'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exportTable, type OptionTable } from '../../src/options/schema.js'

const root = resolve(import.meta.dirname, '../..')

/** As much of the Language Server Protocol as a question takes. */
class LanguageServer {
  readonly #process: ChildProcess
  readonly #answers = new Map<number, (result: unknown) => void>()
  #bytes = Buffer.alloc(0)
  #asked = 0

  constructor() {
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    this.#process = spawn(process.execPath, [compiler, '--lsp', '--stdio'], {
      cwd: root,
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    this.#process.stdout!.on('data', (chunk: Buffer) => this.#read(chunk))
  }

  tell(method: string, params: object): void {
    this.#send({ method, params })
  }

  ask(method: string, params: object): Promise<unknown> {
    const id = ++this.#asked
    this.#send({ id, method, params })
    return new Promise((answered) => this.#answers.set(id, answered))
  }

  async close(): Promise<void> {
    await this.ask('shutdown', {})
    this.tell('exit', {})
  }

  #send(message: object): void {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message })
    this.#process.stdin!.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
  }

  #read(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    for (;;) {
      const head = this.#bytes.indexOf('\r\n\r\n')
      const length = Number(/Content-Length: (\d+)/.exec(this.#bytes.toString('latin1', 0, Math.max(head, 0)))?.[1])
      if (head < 0 || this.#bytes.length < head + 4 + length) return
      const { id, method, result } = JSON.parse(this.#bytes.toString('utf8', head + 4, head + 4 + length)) as {
        id?: number
        method?: string
        result?: unknown
      }
      this.#bytes = this.#bytes.subarray(head + 4 + length)
      if (id === undefined) continue
      if (method === undefined) this.#answers.get(id)?.(result)
      else this.#send({ id, result: null }) // it asks us for settings
    }
  }
}

const names = Object.entries(exportTable as OptionTable).flatMap(([name, { isCliOnly }]) => (isCliOnly ? [] : [name]))
const inLiteral = names.filter((name) => name !== 'resource')
const text = `import { type ExportOptions, exportRecords } from '../dist/index.js'
const options: ExportOptions = { resource: 'a/b' }
options.resource
exportRecords({
  resource: 'a/b',
${inLiteral.map((name) => `  ${name}: null,`).join('\n')}
})
`
const lines = text.split('\n')
const uri = String(pathToFileURL(join(root, 'test/quick-info-probe.ts')))
let server: LanguageServer

beforeAll(async () => {
  server = new LanguageServer()
  const capabilities = { textDocument: { hover: { contentFormat: ['markdown'] } } }
  await server.ask('initialize', { processId: process.pid, rootUri: String(pathToFileURL(root)), capabilities })
  server.tell('initialized', {})
  server.tell('textDocument/didOpen', { textDocument: { uri, languageId: 'typescript', version: 1, text } })
})
afterAll(() => server.close())

/** What is shown beside the declaration of the word at this place. */
async function shownAt(line: number, character: number): Promise<string> {
  const answer = await server.ask('textDocument/hover', { textDocument: { uri }, position: { line, character } })
  const { value } = (answer as { contents: { value: string } }).contents
  return value
    .slice(value.lastIndexOf('```') + 3)
    .replaceAll('\n', ' ')
    .trim()
}

test('an editor shows what every option does where it is given', async () => {
  for (const name of inLiteral) {
    const shown = await shownAt(lines.indexOf(`  ${name}: null,`), 3)
    const [word] = (exportTable as OptionTable)[name]!.doc.split(' ')
    expect(shown.split(' ')[0], name).toBe(word)
  }
  const shown = await shownAt(lines.indexOf('options.resource'), 'options.'.length + 1)
  expect(shown).toContain('The list to export')
})
