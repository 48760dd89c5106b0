// Question: through how many files does one chunk of a body go, from the socket to the disk, and how often from one
// file into another? A traced build: every function of the compiled sources says when it is entered. One export over
// HTTP of one large page, in a process of its own; what it enters from one `push` into the engine to the next is the
// way of one chunk, and the median of all chunks is what is told. A move is the call of a function of another file than
// that of the function entered before. What repeats for each record of a chunk counts once; accessors and constructors
// do not count, and what an `await` comes back to is not seen. No timing: the figures are counts.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseAst } from 'rolldown/parseAst'
import { table } from './measure.js'
import { compiledFile } from './process.js'
import { exportOptions, startEmulated } from './servers.js'

/** Of one chunk: the files that are entered, in their order, without repeats for each record. */
type Way = readonly string[]

const engineEntry = { file: 'json/engine-js/slicer.js', name: 'push' }

/** A table with a row for each format, and the way of the median NDJSON chunk. */
export async function moves(members: number): Promise<string> {
  const folder = mkdtempSync(fileURLToPath(new URL('../traced-', import.meta.url)))
  const emulated = await startEmulated({ members, remoteData: true })
  try {
    const files = traceSources(fileURLToPath(new URL('../src', import.meta.url)), folder)
    const rows: string[][] = []
    let way: Way = []
    for (const format of ['ndjson', 'csv', 'parquet']) {
      const options = { ...exportOptions(emulated, join(folder, 'out')), format }
      const median = medianWay(await traceOf(folder, options), files)
      if (format === 'ndjson') way = median
      rows.push([format, String(new Set(median).size), String(median.length - 1)])
    }
    return `${table(['format', 'files', 'moves'], rows)}\n\n${way.join('\n')}\n`
  } finally {
    await emulated.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Copies a folder of compiled sources, with a call at the beginning of every function. Gives the files by the numbers
 *  in those calls. */
function traceSources(from: string, to: string): string[] {
  const files: string[] = []
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const name = relative(from, path)
    mkdirSync(dirname(join(to, name)), { recursive: true })
    if (name.endsWith('.js')) writeFileSync(join(to, name), traced(readFileSync(path, 'utf8'), files.push(name) - 1))
    else cpSync(path, join(to, name))
  }
  return files
}

interface AstNode {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

function traced(text: string, file: number): string {
  const inserts: Array<{ at: number; text: string }> = []
  const visit = (value: unknown, name: string): void => {
    if (Array.isArray(value)) for (const item of value) visit(item, name)
    if (!isNode(value)) return
    const own = nameOf(value, text) ?? name
    const isUncounted = value.type === 'MethodDefinition' && value['kind'] !== 'method'
    if (value.type.includes('Function') && isNode(value['body'])) inserts.push(...entryOf(value['body'], file, own))
    for (const child of isUncounted ? Object.values(value['value'] as AstNode) : Object.values(value)) visit(child, own)
  }
  visit(parseAst(text), '')
  return inserts
    .sort((a, b) => b.at - a.at)
    .reduce((all, { at, text }) => all.slice(0, at) + text + all.slice(at), text)
}

function isNode(value: unknown): value is AstNode {
  return typeof value === 'object' && value !== null && 'type' in value
}

/** What a function in this node is called. */
function nameOf(node: AstNode, text: string): string | null {
  const named = ['MethodDefinition', 'PropertyDefinition', 'Property'].includes(node.type) ? node['key'] : node['id']
  return isNode(named) ? text.slice(named.start, named.end) : null
}

function entryOf(body: AstNode, file: number, name: string): Array<{ at: number; text: string }> {
  const call = `globalThis.__enter(${file}, ${JSON.stringify(name)})`
  if (body.type === 'BlockStatement') return [{ at: body.start + 1, text: `${call};` }]
  return [
    { at: body.start, text: `(${call}, (` },
    { at: body.end, text: '))' },
  ]
}

interface Entered {
  readonly file: number
  readonly name: string
}

async function traceOf(folder: string, options: object): Promise<Entered[]> {
  const child = spawn(
    process.execPath,
    [compiledFile('child-moves'), join(folder, 'index.js'), JSON.stringify(options)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const exit = once(child, 'exit')
  const text = Buffer.concat(await child.stdout.toArray()).toString()
  const [code] = (await exit) as [number | null]
  if (code !== 0) throw new Error(`the traced export ended with ${code}`)
  return (JSON.parse(text) as Array<[number, string]>).map(([file, name]) => ({ file, name }))
}

function medianWay(trace: readonly Entered[], files: readonly string[]): Way {
  const starts = trace.flatMap(({ file, name }, i) =>
    files[file] === engineEntry.file && name === engineEntry.name ? [i] : [],
  )
  const ways = starts.slice(0, -1).map((start, i) => {
    return withoutRepeats(trace.slice(start, starts[i + 1]).map(({ file }) => files[file]!))
  })
  if (ways.length < 20) throw new Error(`only ${ways.length} chunks were seen`)
  return ways.sort((a, b) => a.length - b.length)[ways.length >> 1]!
}

/** The longest sequence of files that one record can go through. */
const longestRepeat = 12

/** What comes twice in a row, alone or as a sequence of files, comes once. */
function withoutRepeats(way: string[]): string[] {
  const seen = [...way]
  for (let before = -1; before !== seen.length; ) {
    before = seen.length
    for (let period = 1; period <= longestRepeat; period++)
      for (let at = 0; at + 2 * period <= seen.length; )
        if (isRepeated(seen, at, period)) seen.splice(at, period)
        else at++
  }
  return seen
}

function isRepeated(way: readonly string[], at: number, period: number): boolean {
  for (let i = at; i < at + period; i++) if (way[i] !== way[i + period]) return false
  return true
}
