// `truto-export MODEL/RESOURCE` and `truto-export convert FILE`: flags → one call of the library, its progress and its
// report.

import { KiB, MiB, plural } from '../bytes/units.js'
import { extensionsOf, type Format, factsOf } from '../encode/formats.js'
import { ConfigError, type ErrorCode, ExportError, OutputError, printable, printableJson } from '../errors.js'
import type { ExportOptions } from '../export/export.js'
import { parseQueryArguments } from '../http/query.js'
import { type FlagTexts, isStdout, resolveExportFlags } from '../options/resolve.js'
import type { CliOptions, ResolvedOptions } from '../options/schema.js'
import { type ExportEvent, type ExportReport, keptText, type Progress } from '../report.js'
import type { TokenHook } from '../source/fresh-token.js'
import type { BodyInputs } from '../source/inputs.js'
import type { Io } from './io.js'
import { commandOf } from './log.js'
import { Display, type ProgressStyle } from './progress.js'
import { readingLine } from './reading-line.js'
import { type RunContext, tellStop } from './run-context.js'
import { catchSignals, Stopped } from './signals.js'
import { readFileBytes, readFileOption, readToken, runTokenCommand } from './token.js'

/** Runs the command to its end. Resolves with the exit code; errors are thrown for `run` to print. */
export async function runExportCommand(
  command: 'export' | 'convert',
  texts: FlagTexts,
  io: Io,
  context: RunContext,
): Promise<number> {
  const { options, cli } = resolveExportFlags(command, withQuery(texts), io.env)
  if (io.stdout.isTTY) refuseBinary(options)
  if (cli.reportJson && options.out !== '-' && (await io.isStdoutClosed())) {
    throw new OutputError('ERR_OUTPUT_ACCESS', 'stdout is closed, where the report of --json belongs')
  }
  const progress: Progress = { records: 0, pages: 0, bodyBytes: 0, outputBytes: 0, requests: 0, wait: null }
  let kept: Kept | null = null
  let isTold = false
  const stop = (stopped: Stopped, how: string): number => {
    // the second signal may come while the first one's line is out already
    if (isTold) return stopped.exitCode
    isTold = true
    return tellStop(stopped, how, leftBy(options, progress, kept), context)
  }
  let display: Display | undefined
  // before there is something of ours to stop, a signal ends the process by itself, also where a file that it opens has
  // no end
  let signals: ReturnType<typeof catchSignals> | undefined
  const caught = (): AbortSignal => {
    signals ??= catchSignals(
      io.signals,
      (stopped) => {
        display?.stop()
        stop(stopped, 'stopped at once')
      },
      io.clock,
    )
    return signals.signal
  }
  const { tokenCommand } = cli
  try {
    const { token, ca, redactKey, schema } = await filesOf(texts, options, cli, io, caught)
    const { exportRecords } = await io.loadExport(options)
    const signal = caught()
    const shown = new Display({
      out: io.stderr,
      clock: io.clock,
      progress,
      style: styleOf(options, cli, io),
      isQuiet: cli.quiet,
      isVerbose: cli.verbose,
      hasColor: isCapable(io) && !io.env['NO_COLOR'],
      log: context.log,
    })
    display = shown
    const warnings = habitsIn(options, texts)
    if (texts['token'] !== undefined) {
      warnings.push('--token can be seen in the list of processes; TRUTO_API_TOKEN or --token-file hide it')
    }
    for (const message of warnings) shown.line(`warning: ${message}`, 'notice', { level: 'warn', event: 'warning' })
    const inputs = command === 'convert' ? commandInputs(cli.input!, io, signal) : null
    const beside = inputs === null ? null : await besideInputs(cli.input!, texts)
    if (beside !== null) shown.line(beside.line, 'notice', { event: 'manifest' })
    const report = await exportRecords({
      ...options,
      token,
      ca,
      redactKey,
      schema,
      ...beside?.options,
      ...(inputs === null ? {} : { input: inputs }),
      signal,
      ...(tokenCommand === null ? {} : { refreshToken: refreshBy(tokenCommand, io) }),
      onEvent: (event) => {
        if (event.kind === 'commit' || event.kind === 'resume') kept = event
        if (kept !== null) context.resume = commandOf(context.argv)
        shown.onEvent(event)
      },
      progress,
    } as ExportOptions) // of a resource or of an input, as the command says
    shown.stop()
    shown.summary(report)
    if (io.stderr.isTTY && !context.log.isJson) tellReading(report, options, shown)
    if (context.log.isJson && options.out === '-' && cli.reportJson) return 0 // the log has it
    printReport(report, options, cli, io)
    return 0
  } catch (error) {
    display?.stop()
    if (error instanceof Stopped) return stop(error, 'stopped')
    // the server would not let it go on from what is kept
    if (error instanceof ExportError && beginsAnew.includes(error.code)) context.resume = null
    throw error
  } finally {
    display?.stop()
    signals?.dispose()
  }
}

/** The command once more. How long it may take is counted by who asks. */
export function refreshBy(tokenCommand: string, { clock }: Pick<Io, 'clock'>): TokenHook {
  return ({ signal }) => runTokenCommand(tokenCommand, { timeoutMs: null, clock, signal })
}

const beginsAnew: readonly ErrorCode[] = ['ERR_CURSOR_EXPIRED', 'ERR_PAGE_CHANGED', 'ERR_CURSOR', 'ERR_INTERNAL']

/** What flags say that is allowed and seldom meant. */
function habitsIn(options: ResolvedOptions, texts: FlagTexts): string[] {
  const warnings: string[] = []
  const named = extensionsOf(options.out)
  if (texts['format'] !== undefined && named.format !== undefined && named.format !== options.format) {
    warnings.push(
      `${printable(options.out)} will hold ${options.format}, as --output says, and not ${named.format}, as its name does`,
    )
  }
  if (texts['compress'] !== undefined && named.compress !== 'none' && named.compress !== options.compress) {
    const how = options.compress === 'none' ? 'not be compressed' : `be compressed with ${options.compress}`
    warnings.push(`${printable(options.out)} will ${how}, as --compress says, and its name says ${named.compress}`)
  }
  for (const [flag, value] of [
    ['--account', options.account],
    ['--channel', options.channel],
    ['--workspace', options.workspace],
  ]) {
    if (typeof value === 'string' && value.includes(',')) {
      warnings.push(`${flag} takes one id, and ${printable(JSON.stringify(value))} is taken for one; run once for each`)
    }
  }
  return warnings
}

/** What `convert` reads: paths, and stdin for `-`. */
export function commandInputs(given: string | readonly string[], io: Io, signal: AbortSignal): BodyInputs {
  const names = typeof given === 'string' ? [given] : given
  if (names.filter(isStdin).length > 1) {
    throw new ConfigError('ERR_OPTION_INVALID', 'stdin is named more than once', { hint: 'it can be read once' })
  }
  const inputs = names.map((name) => (isStdin(name) ? bytesOf(io.stdin, signal) : name))
  return inputs.length === 1 ? inputs[0]! : inputs
}

/** A path that leads to stdin cannot always be opened, and one that can would be another place in the file. */
export function isStdin(path: string): boolean {
  return path === '-' || path === '/dev/stdin' || path === '/dev/fd/0' || path === '/proc/self/fd/0'
}

/** What the manifests beside the inputs say that no flag does. */
async function besideInputs(
  given: string | readonly string[],
  texts: FlagTexts,
): Promise<{ line: string; options: Partial<ResolvedOptions> } | null> {
  const paths = typeof given === 'string' ? [given] : given
  if (texts['resource'] !== undefined || paths.some(isStdin)) return null
  const { besideOf } = await import('../export/beside.js')
  const beside = await besideOf(paths)
  if (beside === null) return null
  const { resource, schema, inputFormat, manifest } = beside
  return {
    line: `reading records of ${printable(resource)}, as ${manifest} says; --resource names another resource`,
    options: {
      resource,
      ...(schema === null || texts['schema'] !== undefined ? {} : { schema }),
      ...(inputFormat === null || texts['inputFormat'] !== undefined ? {} : { inputFormat }),
    },
  }
}

/** `-q` in the form that the library takes. */
export function withQuery(texts: FlagTexts): FlagTexts {
  if (texts['query'] === undefined) return texts
  return { ...texts, query: parseQueryArguments(texts['query'] as string[]) }
}

/** Bytes that are no text would leave a terminal in disorder. */
function refuseBinary(options: ResolvedOptions): void {
  const { isText, title } = factsOf(options.format)
  const what = isText ? (options.compress === 'none' ? null : options.compress) : title
  if (options.out !== '-' || what === null) return
  throw new ConfigError('ERR_OPTION_INVALID', `${what} is not written to a terminal`, {
    hint: 'pass --out FILE, or send stdout to a file or a pipe',
  })
}

/** The values that stand in files, and the token. @param signal asked for once there is something that has to be waited
 *  for */
async function filesOf(
  texts: FlagTexts,
  options: ResolvedOptions,
  cli: CliOptions,
  { stdin, clock }: Io,
  signal: () => AbortSignal,
): Promise<Pick<ResolvedOptions, 'token' | 'ca' | 'redactKey' | 'schema'>> {
  const ca = options.ca === null ? null : await readFileOption(options.ca, '--ca', 4 * MiB)
  // the variable holds the key itself
  const hasKeyFile = options.redactKey !== null && texts['redactKey'] !== undefined
  const redactKey = hasKeyFile
    ? withoutLineEnd(await readFileBytes(options.redactKey as string, '--redact-key-file', 64 * KiB))
    : options.redactKey
  const schema =
    typeof options.schema === 'string' ? await readFileOption(options.schema, '--schema', 4 * MiB) : options.schema
  const wait = { timeoutMs: options.tokenTimeoutMs, clock, signal }
  const token = (await readToken(cli, texts['token'] !== undefined, stdin, wait)) ?? options.token
  return { token, ca, redactKey, schema }
}

/** A key is bytes of any kind, and editors end a file with a line end. */
function withoutLineEnd(bytes: Buffer): Buffer {
  const length = bytes.at(-1) !== 0x0a ? bytes.length : bytes.at(-2) === 0x0d ? bytes.length - 2 : bytes.length - 1
  return bytes.subarray(0, length)
}

function styleOf(options: ResolvedOptions, cli: CliOptions, io: Io): ProgressStyle {
  if (cli.logFormat === 'json') return cli.progressMode === 'none' ? 'none' : 'plain'
  if (cli.progressMode !== 'auto') return cli.progressMode
  // records on the same terminal would be torn apart by a status line
  if (options.out === '-' && io.stdout.isTTY) return 'none'
  return isCapable(io) ? 'tty' : 'plain'
}

/** Whether stderr is a terminal that knows how to redraw a line. */
function isCapable({ stderr, env }: Io): boolean {
  return stderr.isTTY === true && env['TERM'] !== 'dumb'
}

/** @param signal closes stdin, which would keep the process for as long as it is open */
export async function* bytesOf(
  stdin: AsyncIterable<Uint8Array | string>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const close = (): void => void (stdin as { destroy?: () => void }).destroy?.()
  signal.addEventListener('abort', close, { once: true })
  try {
    for await (const chunk of stdin) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
  } finally {
    signal.removeEventListener('abort', close)
  }
}

/** Names the statement that reads the file, where there is a file with its manifest beside it. */
function tellReading({ format }: ExportReport, { out, keyBy, manifest }: ResolvedOptions, display: Display): void {
  if (isStdout(out) || /^file:/i.test(out) || manifest !== null) return
  // one object of all records is more than DuckDB may take
  if (keyBy !== null && factsOf(format as Format).isDocument) return
  display.line(printable(readingLine(out)))
}

function printReport(report: ExportReport, options: ResolvedOptions, cli: CliOptions, io: Io): void {
  if (!cli.reportJson) return
  const out = options.out === '-' ? io.stderr : io.stdout
  out.write(`${printableJson(report)}\n`)
}

/** What the last checkpoint tells of. */
type Kept = Pick<Extract<ExportEvent, { kind: 'commit' }>, 'records' | 'partial'>

/** What a stopped export leaves, as a clause. @param kept null where there is no checkpoint */
function leftBy({ out }: ResolvedOptions, { records }: Progress, kept: Kept | null): string {
  if (out === '-') return `${plural(records, 'record')} ${records === 1 ? 'was' : 'were'} written`
  if (kept === null) return `nothing was published as ${printable(out)}`
  return `${keptText(kept.records, kept.partial)}; to resume, run the same command again`
}
