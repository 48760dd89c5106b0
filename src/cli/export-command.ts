// `truto-export MODEL/RESOURCE` and `truto-export convert FILE`: flags → one call of the library, its progress and its report.

import { KiB, MiB, plural } from '../bytes/units.js'
import { ConfigError, OutputError, printable } from '../errors.js'
import { parseQueryArguments } from '../http/query.js'
import { type FlagTexts, resolveExportFlags } from '../options/resolve.js'
import type { CliOptions, ResolvedOptions } from '../options/schema.js'
import { type ExportEvent, type ExportReport, keptText, type Progress } from '../report.js'
import type { Io } from './io.js'
import { Display, type ProgressStyle } from './progress.js'
import { catchSignals, Stopped } from './signals.js'
import { readFileOption, readToken, runTokenCommand } from './token.js'

/** Runs the command to its end. Resolves with the exit code; errors are thrown for `run` to print. */
export async function runExport(command: 'export' | 'convert', texts: FlagTexts, io: Io): Promise<number> {
  const { options, cli } = resolveExportFlags(command, withQuery(texts), io.env)
  if (io.stdout.isTTY) refuseBinary(options)
  if (cli.reportJson && options.out !== '-' && (await io.isStdoutClosed())) {
    throw new OutputError('ERR_OUTPUT_ACCESS', 'stdout is closed, where the report of --json belongs')
  }
  const { token, ca, redactKey, schema } = await filesOf(texts, options, cli, io)

  const progress: Progress = { records: 0, pages: 0, bodyBytes: 0, outputBytes: 0, requests: 0, wait: null }
  const { exportRecords } = await io.loadExport(options)
  let kept: Kept | null = null
  let isReported = false
  const tellStop = (stopped: Stopped, how: string): void => {
    // the second signal may come while the first one's line is out already
    if (!isReported) io.stderr.write(`truto-export: ${how} by ${stopped.signal}; ${leftBy(options, progress, kept)}\n`)
    isReported = true
  }
  const signals = catchSignals(io.signals, (stopped) => {
    display.stop()
    tellStop(stopped, 'stopped at once')
  })
  const display = new Display({
    out: io.stderr,
    clock: io.clock,
    progress,
    style: styleOf(options, cli, io),
    isQuiet: cli.quiet,
    isVerbose: cli.verbose,
    hasColor: isCapable(io) && !io.env['NO_COLOR'],
  })
  if (texts['token'] !== undefined) {
    display.line(
      'warning: --token can be seen in the list of processes; TRUTO_API_TOKEN or --token-file hide it',
      'notice',
    )
  }
  const { tokenCommand } = cli
  try {
    const report = await exportRecords({
      ...options,
      token,
      ca,
      redactKey,
      schema,
      ...(command === 'convert' ? { input: cli.input === '-' ? bytesOf(io.stdin) : cli.input! } : {}),
      signal: signals.signal,
      ...(tokenCommand === null ? {} : { refreshToken: () => runTokenCommand(tokenCommand) }),
      onEvent: (event) => {
        if (event.kind === 'commit' || event.kind === 'resume') kept = event
        display.onEvent(event)
      },
      progress,
    })
    display.stop()
    display.summary(report)
    printReport(report, options, cli, io)
    return 0
  } catch (error) {
    display.stop()
    if (!(error instanceof Stopped)) throw error
    tellStop(error, 'stopped')
    return error.exitCode
  } finally {
    display.stop()
    signals.dispose()
  }
}

/** `-q` in the form that the library takes. */
export function withQuery(texts: FlagTexts): FlagTexts {
  if (texts['query'] === undefined) return texts
  return { ...texts, query: parseQueryArguments(texts['query'] as string[]) }
}

/** Bytes that are no text would leave a terminal in disorder. */
function refuseBinary(options: ResolvedOptions): void {
  const what = options.format === 'parquet' ? 'Parquet' : options.compress === 'none' ? null : options.compress
  if (options.out !== '-' || what === null) return
  throw new ConfigError('ERR_OPTION_INVALID', `${what} is not written to a terminal`, {
    hint: 'pass --out FILE, or send stdout to a file or a pipe',
  })
}

/** The values that stand in files. */
async function filesOf(
  texts: FlagTexts,
  options: ResolvedOptions,
  cli: CliOptions,
  { stdin }: Io,
): Promise<Pick<ResolvedOptions, 'token' | 'ca' | 'redactKey' | 'schema'>> {
  const token = (await readToken(cli, texts['token'] !== undefined, stdin)) ?? options.token
  const ca = options.ca === null ? null : await readFileOption(options.ca, '--ca', 4 * MiB)
  // the variable holds the key itself
  const hasKeyFile = options.redactKey !== null && texts['redactKey'] !== undefined
  const redactKey = hasKeyFile
    ? (await readFileOption(options.redactKey!, '--redact-key-file', 64 * KiB)).replace(/\r?\n$/, '')
    : options.redactKey
  const schema =
    typeof options.schema === 'string' ? await readFileOption(options.schema, '--schema', 4 * MiB) : options.schema
  return { token, ca, redactKey, schema }
}

function styleOf(options: ResolvedOptions, cli: CliOptions, io: Io): ProgressStyle {
  if (cli.progressMode !== 'auto') return cli.progressMode
  // records on the same terminal would be torn apart by a status line
  if (options.out === '-' && io.stdout.isTTY) return 'none'
  return isCapable(io) ? 'tty' : 'plain'
}

/** Whether stderr is a terminal that knows how to redraw a line. */
function isCapable({ stderr, env }: Io): boolean {
  return stderr.isTTY === true && env['TERM'] !== 'dumb'
}

export async function* bytesOf(stdin: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array> {
  for await (const chunk of stdin) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}

function printReport(report: ExportReport, options: ResolvedOptions, cli: CliOptions, io: Io): void {
  if (!cli.reportJson) return
  const out = options.out === '-' ? io.stderr : io.stdout
  out.write(`${JSON.stringify(report)}\n`)
}

/** What the last checkpoint tells of. */
type Kept = Pick<Extract<ExportEvent, { kind: 'commit' }>, 'records' | 'partial'>

/** What a stopped export leaves, as a clause. @param kept null where there is no checkpoint */
function leftBy({ out }: ResolvedOptions, { records }: Progress, kept: Kept | null): string {
  if (out === '-') return `${plural(records, 'record')} ${records === 1 ? 'was' : 'were'} written`
  if (kept === null) return `nothing was published as ${printable(out)}`
  return `${keptText(kept.records, kept.partial)}; to resume, run the same command again`
}
