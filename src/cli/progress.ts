// What a running export shows on stderr: one status line that is kept up to date on a terminal, plain lines elsewhere,
// events as lines of their own, a summary at the end. The texts are made by pure functions.

import { formatCount as count, formatAge, formatBytes, formatDuration, minute, plural, second } from '../bytes/units.js'
import type { Clock } from '../clock.js'
import { ExportError, printable } from '../errors.js'
import type { Warning } from '../record.js'
import type { ExportEvent, ExportReport, Progress } from '../report.js'
import { type Log, type LogLevel, logTo } from './log.js'

/** How progress is shown: a line that is redrawn, a line now and then, or nothing but events and the summary. */
export type ProgressStyle = 'tty' | 'plain' | 'none'

/** Where text goes; the standard error of a process, or a test's. */
export interface TextOutput {
  write(text: string): unknown
  readonly isTTY?: boolean | undefined
  /** Width of the terminal, where there is one. */
  readonly columns?: number | undefined
}

export interface DisplayOptions {
  readonly out: TextOutput
  readonly clock: Clock
  /** The counters to show; read, never written. */
  readonly progress: Progress
  readonly style: ProgressStyle
  /** Whether anything but errors is wanted. */
  readonly isQuiet: boolean
  readonly isVerbose: boolean
  readonly hasColor: boolean
  /** Where lines go. Default: to `out`, as words. */
  readonly log?: Log
}

/** What a line is in a log of objects. */
interface LineKind {
  readonly level?: LogLevel
  readonly event?: string
  readonly fields?: { readonly [name: string]: unknown }
}

/** What is shown without being asked for; of waits, those that somebody could notice. */
const notices: readonly ExportEvent['kind'][] = ['wait', 'fallback', 'resume', 'expired', 'finish', 'rewind']
/** Ten redraws a second are as many as an eye follows. */
const redrawMs = 100
const plainMs = 10 * second
/** Rates are those of the last seconds, so that a stall shows. */
const rateWindowMs = 5 * second

/** Shows one export. `stop` must be called at its end, whatever that was: it clears the status line and the timer. */
export class Display {
  readonly #options: DisplayOptions
  readonly #log: Log
  readonly #startedAt: number
  /** Counters at some moments of the rate window, oldest first. */
  readonly #samples: Sample[] = []
  #cancel: (() => void) | undefined
  #isDrawn = false

  constructor(options: DisplayOptions) {
    this.#options = options
    this.#log = options.log ?? logTo(options.out, options.clock, false)
    this.#startedAt = options.clock.now()
    this.#schedule()
  }

  /** For `ExportOptions.onEvent`. */
  readonly onEvent = (event: ExportEvent): void => {
    const { isQuiet, isVerbose } = this.#options
    const isNotice = notices.includes(event.kind) && !(event.kind === 'wait' && event.ms < second)
    if (isQuiet || !(isVerbose || isNotice)) return
    this.line(formatEvent(event), isNotice ? 'notice' : 'detail', kindOf(event))
  }

  /** Prints a line of its own, above the status line. Nothing where the user wants quiet. */
  line(text: string, tone: 'notice' | 'detail' = 'detail', kind: LineKind = {}): void {
    const { isQuiet, hasColor } = this.#options
    if (isQuiet) return
    this.#clear()
    const { level = 'info', event = 'message', fields = {} } = kind
    const message = tone === 'notice' && hasColor && !this.#log.isJson ? yellow(text) : text
    this.#log.write({ level, event, message, fields })
  }

  /** Ends the status line. Lines may still be printed. */
  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#clear()
  }

  /** The report as lines. */
  summary(report: ExportReport): void {
    if (this.#log.isJson) {
      const { warnings, ...fields } = report
      this.line(formatSummary(report)[0]!, 'detail', { event: 'summary', fields })
      for (const warning of warnings) {
        const { message, ...others } = warning
        this.line(printable(message), 'notice', { level: 'warn', event: 'warning', fields: others })
      }
      return
    }
    for (const line of formatSummary(report)) this.line(line, line.startsWith('warning') ? 'notice' : 'detail')
  }

  #schedule(): void {
    const { clock, style, isQuiet } = this.#options
    if (style === 'none' || isQuiet) return
    this.#cancel = clock.after(style === 'tty' ? redrawMs : plainMs, () => {
      this.#draw()
      this.#schedule()
    })
  }

  #draw(): void {
    const { out, style, hasColor } = this.#options
    const snapshot = this.#snapshot()
    if (style === 'plain') {
      this.line(formatPlain(snapshot), 'detail', { event: 'progress', fields: { ...snapshot } })
      return
    }
    // the last column stays free: some terminals wrap as soon as it is written; one that does not know its size says 0
    const text = formatStatus(snapshot, (out.columns || 80) - 1)
    out.write(`\r${hasColor && snapshot.wait ? yellow(text) : text}${eraseToEnd}`)
    this.#isDrawn = true
  }

  #clear(): void {
    if (this.#isDrawn) this.#options.out.write(`\r${eraseToEnd}`)
    this.#isDrawn = false
  }

  #snapshot(): Snapshot {
    const { clock, progress } = this.#options
    const now = clock.now()
    this.#samples.push({ at: now, records: progress.records, bodyBytes: progress.bodyBytes })
    while (this.#samples.length > 2 && now - this.#samples[0]!.at > rateWindowMs) this.#samples.shift()
    const isWindowFull = this.#samples.length > 1 && now - this.#startedAt > rateWindowMs
    const oldest = isWindowFull ? this.#samples[0]! : { at: this.#startedAt, records: 0, bodyBytes: 0 }
    const seconds = Math.max(now - oldest.at, 1) / second
    return {
      records: progress.records,
      pages: progress.pages,
      bodyBytes: progress.bodyBytes,
      elapsedMs: now - this.#startedAt,
      recordsPerSecond: (progress.records - oldest.records) / seconds,
      bytesPerSecond: (progress.bodyBytes - oldest.bodyBytes) / seconds,
      wait: progress.wait && { reason: progress.wait.reason, leftMs: Math.max(0, progress.wait.untilMs - now) },
    }
  }
}

/** An event of the library as a line of a log. */
function kindOf(event: ExportEvent): LineKind {
  const { kind, ...fields } = event
  const isWarning = kind === 'retry' || kind === 'fallback' || kind === 'rewind'
  const level = isWarning ? 'warn' : notices.includes(kind) ? 'info' : 'debug'
  if (!('error' in fields)) return { level, event: kind, fields }
  const { error, ...others } = fields
  const code = error instanceof ExportError ? error.code : null
  return { level, event: kind, fields: { ...others, error: { code, message: printable(error.message) } } }
}

interface Sample {
  readonly at: number
  readonly records: number
  readonly bodyBytes: number
}

/** The counters of an export at one moment. */
export interface Snapshot {
  readonly records: number
  readonly pages: number
  /** Decoded body bytes. */
  readonly bodyBytes: number
  readonly elapsedMs: number
  readonly recordsPerSecond: number
  readonly bytesPerSecond: number
  readonly wait: { readonly reason: string; readonly leftMs: number } | null
}

const eraseToEnd = '\u001b[K'

function yellow(text: string): string {
  return `\u001b[33m${text}\u001b[39m`
}

/** The status line, at most `columns` characters: what matters least is left out first. While we wait, the wait matters
 *  most. */
export function formatStatus(snapshot: Snapshot, columns: number): string {
  const { wait } = snapshot
  const records = plural(snapshot.records, 'record')
  const pages = plural(snapshot.pages, 'page')
  const elapsed = formatElapsed(snapshot.elapsedMs)
  const left = wait && `waiting ${formatCountdown(wait.leftMs)}`
  const rates = [`${count(snapshot.recordsPerSecond)}/s`, `${formatBytes(Math.round(snapshot.bytesPerSecond))}/s`]
  const choices = wait
    ? [
        [records, pages, elapsed, `${left}: ${printable(wait.reason)}`],
        [records, `${left}: ${printable(wait.reason)}`],
        [records, left!],
        [left!],
      ]
    : [[records, ...rates, pages, elapsed], [records, ...rates, elapsed], [records, rates[0]!, elapsed], [records]]
  const texts = choices.map((parts) => parts.join('  '))
  return texts.find((text) => text.length <= columns) ?? texts.at(-1)!.slice(0, Math.max(columns, 0))
}

/** A line of progress for a log. */
export function formatPlain(snapshot: Snapshot): string {
  const { wait } = snapshot
  const parts = [
    plural(snapshot.records, 'record'),
    plural(snapshot.pages, 'page'),
    `${formatBytes(snapshot.bodyBytes)} read`,
    `${count(snapshot.recordsPerSecond)} records/s`,
    formatElapsed(snapshot.elapsedMs),
    ...(wait ? [`waiting ${formatCountdown(wait.leftMs)}: ${printable(wait.reason)}`] : []),
  ]
  return parts.join(', ')
}

/** An event as one line. */
export function formatEvent(event: ExportEvent): string {
  return printable(eventText(event))
}

function eventText(event: ExportEvent): string {
  switch (event.kind) {
    case 'page': {
      const { page, records, bytes, framing } = event
      return `page ${page}: ${plural(records, 'record')}, ${formatBytes(bytes)}, ${framing}`
    }
    case 'wait':
      return `page ${event.page}: ${event.reason}`
    case 'retry': {
      const { error } = event
      const cause = error instanceof ExportError ? `${error.code}: ${error.message}` : error.message
      return `page ${event.page}: try ${event.attempt} after ${cause}`
    }
    case 'fallback':
      return `page ${event.page}: ${event.reason}; asking for unified from here on`
    case 'resume': {
      const { page, records, bytes, savedAt } = event
      return `going on with page ${page}, behind ${plural(records, 'record')} (${formatBytes(bytes)}) of ${savedAt}`
    }
    case 'expired': {
      const age = formatAge(event.ageMs)
      return `the interrupted export of ${event.savedAt} (${plural(event.records, 'record')}) is ${age} old, so it is dropped and this one begins; see --resume-max-age`
    }
    case 'finish': {
      const done = `the complete output of an earlier run (${plural(event.records, 'record')}, ${event.savedAt}) was given its name`
      return event.isReplaced ? `${done}; this export replaces it` : done
    }
    case 'commit':
      return `checkpoint: ${plural(event.records, 'record')}, ${formatBytes(event.bytes)}`
    case 'rewind':
      return `page ${event.page} has changed: beginning it anew, behind ${plural(event.records, 'record')}`
    case 'detail':
      return event.message
  }
}

/** The end of an export as lines: what was written and at what pace, its digest, every warning. */
export function formatSummary(report: ExportReport): string[] {
  const { records, recordsRead, pages, elapsedMs, outputBytes, digest, retries, waitMs } = report
  const left = recordsRead - records
  const waits = [
    ...(retries > 0 ? [plural(retries, 'retry', 'retries')] : []),
    ...(retries > 0 || waitMs > 0 ? [`${formatSpan(waitMs)} of waiting`] : []),
  ]
  const whole = [
    `${plural(records, 'record')} in ${plural(pages, 'page')} to ${report.output}`,
    `${formatBytes(outputBytes)} of ${report.format}${report.compression === 'none' ? '' : ` under ${report.compression}`}`,
    `${formatSpan(elapsedMs)} (${count(records / (Math.max(elapsedMs, 1) / second))} records/s)`,
    `peak memory ${formatBytes(report.peakRssBytes)}`,
  ]
  return [
    whole.join(', '),
    ...(left > 0 ? [`${plural(left, 'record')} left out by --key-by or a transform`] : []),
    ...(waits.length > 0 ? [waits.join(', ')] : []),
    ...(digest === null ? [] : [`${digest.algorithm} ${digest.hex}`]),
    ...report.warnings.map(formatWarning),
  ].map(printable)
}

function formatWarning({ message, count: times, fields = {} }: Warning): string {
  const inFields = Object.entries(fields).map(([name, inField]) => `${name} (${count(inField)})`)
  const total = inFields.length === 0 && times > 1 ? ` (${count(times)})` : ''
  return `warning: ${message}${total}${inFields.length === 0 ? '' : `: ${inFields.join(', ')}`}`
}

/** `0:07`, `12:34`, `1:02:03` */
function formatElapsed(ms: number): string {
  const seconds = Math.floor(ms / second)
  const two = (value: number): string => String(value).padStart(2, '0')
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

/** Whole seconds, rounded up, so that a countdown ends with 1s and not with 0s. */
function formatCountdown(ms: number): string {
  return ms >= 2 * minute ? formatElapsed(ms) : `${Math.ceil(ms / second)}s`
}

function formatSpan(ms: number): string {
  return ms >= 2 * minute ? formatElapsed(ms) : formatDuration(Math.round(ms))
}
