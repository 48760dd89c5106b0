// One export against one emulator on loopback, and what holds after any of them: whole or absent, nothing left over,
// one line, no token.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, onTestFinished } from 'vitest'
import { type Emulator, type EmulatorOptions, memberAt, startEmulator } from '../../src/emulator/emulator.js'
import { ExportError } from '../../src/errors.js'
import { type ExportOptions, exportRecords } from '../../src/export/export.js'
import { sideNames } from '../../src/files/side-names.js'
import type { ExportEvent, ExportReport, Progress } from '../../src/report.js'
import { FakeClock } from '../helpers/clock.js'
import { expectManifest } from '../helpers/manifest.js'

export const token = 'tok-4be1c0de-secret'

/** Every record in two pages, so that a fault can come after records went out. */
export const usual = { members: 6, pageSize: 3 } as const

/** Time stands still but for the waits that an export announces, which are skipped: no deadline passes unless a test
 *  moves the clock. */
export class FaultClock extends FakeClock {
  #announcedMs: number | undefined

  /** The next timer of exactly this length fires at once. */
  announce(ms: number): void {
    this.#announcedMs = ms
  }

  override after(ms: number, callback: () => void): () => void {
    const cancel = super.after(ms, callback)
    if (ms === this.#announcedMs) {
      this.#announcedMs = undefined
      queueMicrotask(() => this.advance(ms))
    }
    return cancel
  }
}

export interface Outcome {
  readonly report: ExportReport | undefined
  /** What the promise was rejected with. */
  readonly error: unknown
  readonly events: readonly ExportEvent[]
  /** Lengths of the announced waits in ms. */
  readonly waits: readonly number[]
  /** The bytes under the final name, undefined where there is none. */
  readonly output: Buffer | undefined
  /** Names in the output's directory. */
  readonly files: readonly string[]
  readonly emulator: Emulator
}

export interface RunInit {
  readonly emulator?: EmulatorOptions
  /** Runs against this one; it stays the caller's. */
  readonly server?: Emulator
  readonly options?: Partial<ExportOptions>
  /** Name of the output; its extension chooses the format. Default `out.ndjson`. */
  readonly file?: string
  /** The clock moves on in steps of so many ms for as long as the request in flight is one that a fault has struck. */
  readonly stepMs?: number
  /** With every event the wall clock jumps by so much, back and forth in turn. */
  readonly wallJumpMs?: number
}

/** A directory that is gone after the test. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'truto-export-faults-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** An emulator that is closed after the test. */
export async function emulate(options: EmulatorOptions): Promise<Emulator> {
  const server = await startEmulator({ token, ...usual, ...options })
  onTestFinished(() => server.close())
  return server
}

/** What every request of these tests needs. */
export function requestOf(server: Emulator): Partial<ExportOptions> & { resource: string } {
  return {
    resource: 'instant-messaging/members',
    account: server.accountId,
    channel: server.parentIds[0]!,
    workspace: server.parentIds[0]!,
    apiUrl: server.url,
    token,
  }
}

/** Runs an export into a new directory and checks what has to hold whatever happened. */
export async function run(init: RunInit): Promise<Outcome> {
  const clock = new FaultClock()
  const server = init.server ?? (await emulate({ clock, ...init.emulator }))
  const directory = temporaryDirectory()
  const path = join(directory, init.file ?? 'out.ndjson')
  const events: ExportEvent[] = []
  const progress: Progress = { records: 0, pages: 0, bodyBytes: 0, outputBytes: 0, requests: 0, wait: null }
  const driver = init.stepMs === undefined ? undefined : drive(clock, server, progress, init.stepMs)
  let report: ExportReport | undefined
  let error: unknown
  try {
    report = await exportRecords({
      ...requestOf(server),
      out: path,
      clock,
      progress,
      onEvent: (event) => {
        events.push(event)
        if (event.kind === 'wait') clock.announce(event.ms)
        if (init.wallJumpMs !== undefined) clock.wall += events.length % 2 === 1 ? init.wallJumpMs : -init.wallJumpMs
      },
      ...init.options,
    })
  } catch (caught) {
    error = caught
  } finally {
    clearInterval(driver)
  }
  const outcome: Outcome = {
    report,
    error,
    events,
    waits: events.flatMap((event) => (event.kind === 'wait' ? [event.ms] : [])),
    output: existsSync(path) ? readFileSync(path) : undefined,
    files: readdirSync(directory),
    emulator: server,
  }
  checkAlways(outcome, init.file ?? 'out.ndjson')
  if (report !== undefined && outcome.files.length > 0) expectManifest(path, report)
  return outcome
}

function drive(clock: FaultClock, server: Emulator, progress: Progress, stepMs: number): NodeJS.Timeout {
  return setInterval(() => {
    // A request that was sent and has not been received yet must not lose time to the one before it.
    const isReceived = progress.requests === server.requests && progress.wait === null
    if (isReceived && server.log.at(-1)?.fault !== undefined) clock.advance(stepMs)
  }, 1)
}

function checkAlways({ report, error, events, files, emulator }: Outcome, file: string): void {
  // An output that was named by the test itself is looked at there.
  if (report !== undefined)
    expect(files.filter((name) => name !== file)).toEqual(files.length === 0 ? [] : [sideNames(file).manifest])
  else if (files.length > 0) {
    // what an interrupted export leaves is what it goes on from
    expect([...files].sort()).toEqual([sideNames(file).checkpoint, sideNames(file).partial])
    expect(events.some(({ kind }) => kind === 'commit')).toBe(true)
  }
  if (error instanceof ExportError) {
    const line = error.toLine()
    expect(line).not.toMatch(/[\r\n\u0000-\u001f\u007f]/)
    expect(line.length).toBeLessThan(2000)
    expect(line.startsWith(`${error.code}: `)).toBe(true)
  }
  expect(everythingIn({ report, error, events })).not.toContain(token)
  if (report !== undefined) expect(report.requests).toBe(emulator.requests)
}

/** All that can be seen of a value, hidden properties and causes included. */
export function everythingIn(value: unknown): string {
  return inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxArrayLength: 10_000 })
}

/** NDJSON of members `from` to `to` (excluded) as the emulator renders them. */
export function membersText(
  options: EmulatorOptions,
  from = 0,
  to = options.members ?? usual.members,
  print: (record: object) => string = JSON.stringify,
): string {
  let text = ''
  for (let index = from; index < to; index++) text += `${print(memberAt(index, options))}\n`
  return text
}

/** Looks again every few ms until `check` holds. */
export async function until(check: () => boolean): Promise<void> {
  while (!check()) await new Promise((resolve) => setTimeout(resolve, 2))
}
