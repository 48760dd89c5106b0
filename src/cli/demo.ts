// `truto-export demo`: what a user would do by hand, in one command. The emulator and each export are processes of
// their own, so that the peak memory shown is that of one export.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { formatBytes, formatCount, second } from '../bytes/units.js'
import type { Format } from '../encode/formats.js'
import { InternalError, OutputError } from '../errors.js'
import { type FlagTexts, resolveFlags } from '../options/resolve.js'
import { demoTable } from '../options/schema.js'
import type { ExportReport } from '../report.js'
import type { EmulatorAddress } from './emulator-command.js'
import { type Io, withoutSecrets } from './io.js'
import { catchSignals, type Stopped } from './signals.js'

/** The formats that it shows, and a shell command for each that prints the first records of a file. */
const looks = {
  ndjson: (path) => `head -n 1 ${quote(path)}`,
  csv: (path) => `head -n 3 ${quote(path)}`,
  parquet: (path, hasHyparquet) => (hasHyparquet ? readingCommand(path) : queryCommand(path)),
} satisfies { readonly [N in Format]?: (path: string, hasHyparquet: boolean) => string }
export type DemoFormat = keyof typeof looks
const formats = Object.keys(looks) as readonly DemoFormat[]

/** What one export of the demonstration gave. */
export interface DemoResult {
  readonly format: DemoFormat
  readonly path: string
  readonly report: Pick<ExportReport, 'records' | 'outputBytes' | 'elapsedMs' | 'peakRssBytes'>
}

/** Runs the demonstration. Its exit code is that of the first export that fails. */
export async function runDemo(texts: FlagTexts, io: Io): Promise<number> {
  const { members, outDir } = resolveFlags(demoTable, 'demo', texts, io.env)
  await makeDirectory(outDir)
  const signals = catchSignals(io.signals, undefined, io.clock)
  const family = new Family(withoutSecrets(io.env))
  signals.signal.addEventListener('abort', () => family.stop(), { once: true })
  try {
    io.stderr.write(`truto-export: starting an emulator of Truto with ${formatCount(members)} members\n`)
    const emulator = family.start(['emulator', '--members', String(members), '--json'])
    const address = parse<EmulatorAddress>(await firstLine(emulator), 'emulator')
    const results: DemoResult[] = []
    for (const format of formats) {
      const path = join(outDir, `members.${format}`)
      const child = family.start(exportArguments(address, path), { TRUTO_API_TOKEN: address.token })
      const [line, code] = await Promise.all([firstLine(child), exitOf(child)])
      if (signals.signal.aborted) return (signals.signal.reason as Stopped).exitCode
      if (code !== 0) return code
      results.push({ format, path, report: parse<ExportReport>(line, format) })
    }
    io.stdout.write(formatResults(results, existsSync(join('node_modules', 'hyparquet'))))
    return 0
  } catch (error) {
    if (signals.signal.aborted) return (signals.signal.reason as Stopped).exitCode
    throw error
  } finally {
    family.stop()
    signals.dispose()
  }
}

/** The table at the end, and how to look into each file. `hasHyparquet` says that a Parquet reader for Node.js stands
 *  in `node_modules`. */
export function formatResults(results: readonly DemoResult[], hasHyparquet: boolean): string {
  const rows = results.map(({ format, path, report }) => [
    format,
    formatCount(report.records),
    formatBytes(report.outputBytes),
    (report.elapsedMs / second).toFixed(1),
    formatBytes(report.peakRssBytes),
    path,
  ])
  const table = [['format', 'records', 'bytes', 'seconds', 'peak RSS', 'path'], ...rows]
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
  const lines = table.map((row) =>
    row
      // words to the left, numbers to the right
      .map((cell, i) => (i === 0 || i === row.length - 1 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  )
  const commands = results.map(({ format, path }) => `  ${lookCommand(format, path, hasHyparquet)}`)
  return ['', ...lines, '', 'Look into them:', ...commands, ''].join('\n')
}

/** A shell command that shows the first records of a file. */
export function lookCommand(format: DemoFormat, path: string, hasHyparquet: boolean): string {
  return looks[format](path, hasHyparquet)
}

function queryCommand(path: string): string {
  return `duckdb -c "SELECT id, name, status, emails FROM ${sqlText(path)} LIMIT 5"`
}

function readingCommand(path: string): string {
  const read = `parquetReadObjects({file:await asyncBufferFromFile(process.argv[1]),columns:['id','name','status'],rowEnd:5})`
  return `node -e "import('hyparquet').then(async({asyncBufferFromFile,parquetReadObjects})=>console.table(await ${read}))" ${quote(path)}`
}

function exportArguments({ url, account, parent }: EmulatorAddress, path: string): string[] {
  const request = ['instant-messaging/members', '-a', account, '--channel', parent, '--integration', 'slack']
  // the emulator answers as fast as it is asked
  const network = ['--limit', '1000', '--api-url', url, '--account-requests', '0', '--token-requests', '0']
  return [...request, ...network, '--out', path, '--overwrite', '--no-checkpoint', '--json']
}

/** Processes of this program that end with it. */
class Family {
  readonly #env: NodeJS.ProcessEnv
  readonly #children = new Set<ChildProcess>()
  #isStopping = false
  readonly #killAll = (): void => {
    for (const child of this.#children) child.kill('SIGKILL')
  }

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env
    process.on('exit', this.#killAll)
  }

  /** Runs this program with other arguments. Its stdout is ours to read, its messages and progress go to our stderr. */
  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    const child = spawn(process.execPath, [process.argv[1]!, ...args], {
      env: { ...this.#env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#children.add(child)
    const forget = (): void => {
      this.#children.delete(child)
      if (this.#isStopping && this.#children.size === 0) process.off('exit', this.#killAll)
    }
    child.once('exit', forget).once('error', forget)
    if (this.#isStopping) child.kill('SIGTERM')
    return child
  }

  /** Ends those that still run. A terminal sends Ctrl-C to them as well as to us, and a second signal would keep an
   *  export from cleaning up, so it has a moment to end by itself. */
  stop(): void {
    if (this.#isStopping) return
    this.#isStopping = true
    if (this.#children.size === 0) process.off('exit', this.#killAll)
    const terminate = (): void => {
      for (const child of this.#children) child.kill('SIGTERM')
    }
    setTimeout(terminate, 1000).unref()
  }
}

/** What a child writes to stdout up to its first line end, or all of it. Its stdout stays open: who writes to a reader
 *  that has left ends with 141. */
async function firstLine(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const chunk of child.stdout!.iterator({ destroyOnReturn: false })) {
    text += String(chunk)
    if (text.includes('\n')) break
  }
  return text.split('\n', 1)[0]!
}

/** The exit code of a child, also of one that a signal ended. */
function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 143)))
  })
}

function parse<T>(line: string, of: string): T {
  try {
    return JSON.parse(line) as T
  } catch (error) {
    throw new InternalError('ERR_INTERNAL', `the ${of} process of the demonstration gave no result`, { cause: error })
  }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new OutputError('ERR_OUTPUT_ACCESS', `making the directory ${path}: ${code}`, { cause: error })
  }
}

/** A word for a POSIX shell. */
function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}

/** A string of SQL inside double quotes of a shell. */
function sqlText(path: string): string {
  return `'${path.replaceAll("'", "''").replace(/[\\"$`]/g, '\\$&')}'`
}
