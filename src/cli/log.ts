// Lines on stderr: words for people, or with `--log json` an object a line for machines, which then is all there is on
// stderr.

import type { Clock } from '../clock.js'
import { ExportError, printable, printableJson } from '../errors.js'
import { shellWord } from '../readers/literals.js'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** One line. `message` is what people read; `fields` is what it is made of. */
export interface LogLine {
  readonly level: LogLevel
  /** Stable name, kebab-case. */
  readonly event: string
  readonly message: string
  readonly fields?: { readonly [name: string]: unknown }
}

/** Where lines go. */
export interface Log {
  readonly isJson: boolean
  write(line: LogLine): void
}

interface Output {
  write(text: string): unknown
}

/** The lines of a process.
 *  @param isJson whether they are objects */
export function logTo(out: Output, clock: Pick<Clock, 'wallNow'>, isJson: boolean): Log {
  return {
    isJson,
    write({ level, event, message, fields = {} }) {
      if (!isJson) {
        out.write(`truto-export: ${message}\n`)
        return
      }
      const time = new Date(clock.wallNow()).toISOString()
      out.write(`${printableJson({ time, level, event, message, fields })}\n`)
    },
  }
}

/** Whether the arguments ask for lines of JSON: also of arguments that cannot be read, since that has to be said,
 *  too. */
export function asksForJsonLog(argv: readonly string[]): boolean {
  return argv.some(
    (argument, index) => argument === '--log=json' || (argument === '--log' && argv[index + 1] === 'json'),
  )
}

/** What a run ended with, as `--json` prints it in place of a report. */
export interface Failure {
  /** Always false: a report has true or `unproven`. */
  readonly complete: false
  /** A code of the README's table, or the name of the signal. */
  readonly code: string
  readonly exit: number
  readonly class: string
  readonly message: string
  readonly hint: string | null
  /** Which of several inputs. */
  readonly input: string | null
  readonly page: number | null
  readonly record: number | null
  readonly byte: number | null
  readonly status: number | null
  /** What is left behind, as a clause. */
  readonly left: string | null
  /** The command that goes on from there; null where nothing is kept that it could go on with. */
  readonly resume: string | null
}

/** @param exit the process's exit code @param resume the command that goes on, where there is one */
export function failureOf(error: unknown, exit: number, resume: string | null): Failure {
  const known = error instanceof ExportError ? error : undefined
  const text = error instanceof Error ? error.message : String(error)
  return {
    complete: false,
    code: known?.code ?? 'ERR_INTERNAL',
    exit,
    class: known?.name ?? 'InternalError',
    message: printable(text),
    hint: known?.hint ?? null,
    input: known?.input ?? null,
    page: known?.page ?? null,
    record: known?.recordIndex ?? null,
    byte: known?.byteOffset ?? null,
    status: known?.statusCode ?? null,
    left: known?.left ?? null,
    resume,
  }
}

/** The command that was given, for a POSIX shell, without what is secret in it. */
export function commandOf(argv: readonly string[]): string {
  const words = argv.flatMap((word, index) => {
    if (argv[index - 1] === '--token') return ['TOKEN']
    return [word.startsWith('--token=') ? '--token=TOKEN' : word]
  })
  return ['truto-export', ...words.map(shellWord)].join(' ')
}
