import { describe, expect, test } from 'vitest'
import {
  Display,
  type DisplayOptions,
  formatEvent,
  formatPlain,
  formatStatus,
  formatSummary,
  type Snapshot,
} from '../../src/cli/progress.js'
import { UpstreamError } from '../../src/errors.js'
import type { ExportEvent, ExportReport, Progress } from '../../src/report.js'
import { FakeClock } from '../helpers/clock.js'

const snapshot: Snapshot = {
  records: 123_456,
  pages: 12,
  bodyBytes: 88_000_000,
  elapsedMs: 42_900,
  recordsPerSecond: 4567.8,
  bytesPerSecond: 8_123_000,
  wait: null,
}
const waiting: Snapshot = { ...snapshot, wait: { reason: 'the server asks for a wait of 10s', leftMs: 9_400 } }

const report: ExportReport = {
  complete: true,
  resource: 'instant-messaging/members',
  records: 1000,
  recordsRead: 1003,
  pages: 1,
  requests: 3,
  retries: 2,
  waitMs: 1500,
  bodyBytes: 5_000_000,
  outputBytes: 4_000_000,
  elapsedMs: 2000,
  peakRssBytes: 90_000_000,
  output: 'out/members.ndjson.gz',
  format: 'ndjson',
  compression: 'gzip',
  parser: 'simd',
  parquetWriter: null,
  requestedResponseFormat: 'auto',
  responseFormat: 'stream',
  framing: 'envelope',
  fallback: null,
  resumedFrom: null,
  emptyPages: 0,
  partialPages: 0,
  countMismatches: 0,
  duplicates: null,
  manifest: null,
  digest: { algorithm: 'sha256', hex: 'ab12' },
  warnings: [
    { code: 'a', message: 'records hold nothing but their id', count: 1200 },
    { code: 'b', message: 'the end is not proven', count: 1 },
  ],
}

describe('the status line', () => {
  test('tells records, rates, pages and time', () => {
    expect(formatStatus(snapshot, 80)).toBe('123,456 records  4,568/s  8.1 MB/s  12 pages  0:42')
  })

  test('tells while waiting how long still and why', () => {
    expect(formatStatus(waiting, 80)).toBe(
      '123,456 records  12 pages  0:42  waiting 10s: the server asks for a wait of 10s',
    )
    expect(formatStatus({ ...waiting, wait: { reason: 'x', leftMs: 600_000 } }, 80)).toContain('waiting 10:00: x')
  })

  test('fits into any width, and leaves out first what matters least', () => {
    for (const each of [snapshot, waiting]) {
      for (let columns = 0; columns <= 100; columns++) {
        expect(formatStatus(each, columns).length).toBeLessThanOrEqual(columns)
      }
    }
    expect(formatStatus(snapshot, 45)).toBe('123,456 records  4,568/s  8.1 MB/s  0:42')
    expect(formatStatus(snapshot, 30)).toBe('123,456 records  4,568/s  0:42')
    expect(formatStatus(waiting, 40)).toBe('123,456 records  waiting 10s')
    expect(formatStatus(waiting, 12)).toBe('waiting 10s')
    expect(formatStatus(snapshot, 5)).toBe('123,4')
  })

  test('counts one record and one page, and hours', () => {
    expect(formatStatus({ ...snapshot, records: 1, pages: 1, elapsedMs: 3_723_000 }, 80)).toContain('1 record  ')
    expect(formatStatus({ ...snapshot, pages: 1, elapsedMs: 3_723_000 }, 80)).toMatch(/1 page {2}1:02:03$/)
  })
})

test('a line of a log tells the same in words', () => {
  expect(formatPlain(snapshot)).toBe('123,456 records, 12 pages, 88.0 MB read, 4,568 records/s, 0:42')
  expect(formatPlain(waiting)).toMatch(/, waiting 10s: the server asks for a wait of 10s$/)
})

test.each<[ExportEvent, string]>([
  [
    { kind: 'page', page: 3, records: 200, bytes: 12_300, framing: 'envelope' },
    'page 3: 200 records, 12.3 kB, envelope',
  ],
  [
    { kind: 'wait', page: 2, reason: 'try 1 failed with ERR_SERVER; waiting 310ms', ms: 310 },
    'page 2: try 1 failed with ERR_SERVER; waiting 310ms',
  ],
  [
    { kind: 'retry', page: 2, attempt: 2, error: new UpstreamError('ERR_SERVER', 'HTTP 502') },
    'page 2: try 2 after ERR_SERVER: HTTP 502',
  ],
  [{ kind: 'retry', page: 2, attempt: 2, error: new Error('odd') }, 'page 2: try 2 after odd'],
  [
    { kind: 'fallback', page: 1, framing: 'slack', reason: 'the slack answer is not a unified list' },
    'page 1: the slack answer is not a unified list; asking for unified from here on',
  ],
  [{ kind: 'detail', message: 'GET \u001b[2J x' }, 'GET \\u{1b}[2J x'],
])('the event %j is one line', (event, line) => {
  expect(formatEvent(event)).toBe(line)
})

describe('the summary', () => {
  test('tells what was written, what was left out, what was waited for, the digest and the warnings', () => {
    expect(formatSummary(report)).toEqual([
      '1,000 records in 1 page to out/members.ndjson.gz, 4.0 MB of ndjson under gzip, 2s (500 records/s), peak memory 90.0 MB',
      '3 records left out by --key-by or a transform',
      '2 retries, 1.5s of waiting',
      'sha256 ab12',
      'warning: records hold nothing but their id (1,200)',
      'warning: the end is not proven',
    ])
  })

  test('is one line where there is nothing else to tell', () => {
    const plain = {
      ...report,
      recordsRead: 1000,
      retries: 0,
      waitMs: 0,
      digest: null,
      warnings: [],
      compression: 'none',
      elapsedMs: 0,
    }
    expect(formatSummary(plain)).toHaveLength(1)
    expect(formatSummary({ ...plain, elapsedMs: 754_000 })[0]).toContain('12:34')
    // for a limit that was kept
    expect(formatSummary({ ...plain, waitMs: 10_001 })[1]).toBe('10s of waiting')
  })
})

describe('a display', () => {
  function setUp(options: Partial<DisplayOptions> & { columns?: number } = {}) {
    const clock = new FakeClock()
    const written: string[] = []
    const progress: Progress = { records: 0, pages: 0, bodyBytes: 0, outputBytes: 0, requests: 0, wait: null }
    const out = { write: (text: string) => written.push(text), columns: options.columns }
    const defaults = { out, clock, progress, style: 'tty', isQuiet: false, isVerbose: false, hasColor: false } as const
    return { clock, written, progress, display: new Display({ ...defaults, ...options }) }
  }

  test('redraws its line ten times a second at most, and only while it runs', () => {
    const { clock, written, display } = setUp()
    clock.advance(1000)
    expect(written).toHaveLength(10)
    display.stop()
    clock.advance(10_000)
    expect(written).toHaveLength(11)
    expect(written.at(-1)).toBe('\r\u001b[K')
  })

  test('keeps the last column free', () => {
    const { clock, written, progress } = setUp({ columns: 28 })
    progress.records = 1_234_567
    clock.advance(100)
    expect(written[0]!.replace('\r', '').replace('\u001b[K', '').length).toBeLessThanOrEqual(27)
  })

  test('takes a terminal that says 0 columns for one of 80', () => {
    const { clock, written } = setUp({ columns: 0 })
    clock.advance(100)
    expect(written[0]).toContain('0 records  0/s  0 B/s  0 pages  0:00')
  })

  test('puts a line of its own in the place of the status line', () => {
    const { clock, written, display } = setUp()
    clock.advance(100)
    display.onEvent({ kind: 'wait', page: 1, reason: 'r', ms: 1000 })
    expect(written.slice(1)).toEqual(['\r\u001b[K', 'truto-export: page 1: r\n'])
  })

  test('shows the rate of the last seconds, so that a stall is seen', () => {
    const { clock, written, progress } = setUp()
    progress.records = 10_000
    clock.advance(1000)
    expect(written.at(-1)).toContain('10,000/s')
    clock.advance(10_000)
    expect(written.at(-1)).toContain('10,000 records  0/s')
  })

  test('counts a wait down', () => {
    const { clock, written, progress } = setUp()
    progress.wait = { reason: 'r', untilMs: clock.now() + 3000 }
    clock.advance(100)
    expect(written.at(-1)).toContain('waiting 3s: r')
    clock.advance(2000)
    expect(written.at(-1)).toContain('waiting 1s: r')
  })

  test('is a line every ten seconds where lines are wanted', () => {
    const { clock, written, display } = setUp({ style: 'plain' })
    clock.advance(25_000)
    display.stop()
    expect(written).toHaveLength(2)
    expect(written[0]).toMatch(/^truto-export: 0 records, .*0:10\n$/)
  })

  test('shows neither line nor timer where no progress is wanted, but still events and the summary', () => {
    const { clock, written, display } = setUp({ style: 'none' })
    clock.advance(60_000)
    expect(written).toEqual([])
    expect(clock.waits).toEqual([])
    display.onEvent({ kind: 'fallback', page: 1, framing: 'array', reason: 'r' })
    display.summary(report)
    expect(written).toHaveLength(7)
  })

  test('is silent where the user wants quiet', () => {
    const { clock, written, display } = setUp({ isQuiet: true, isVerbose: true })
    clock.advance(60_000)
    display.onEvent({ kind: 'wait', page: 1, reason: 'r', ms: 1000 })
    display.summary(report)
    display.stop()
    expect(written).toEqual([])
  })

  test.each([
    ['page', false],
    ['retry', false],
    ['detail', false],
    ['wait', true],
    ['fallback', true],
    ['resume', true],
    ['expired', true],
    ['finish', true],
    ['rewind', true],
    ['commit', false],
  ] as const)('shows the event %s without --verbose: %s', (kind, isShown) => {
    const events: Record<ExportEvent['kind'], ExportEvent> = {
      page: { kind: 'page', page: 1, records: 1, bytes: 1, framing: 'array' },
      retry: { kind: 'retry', page: 1, attempt: 2, error: new Error('x') },
      detail: { kind: 'detail', message: 'x' },
      wait: { kind: 'wait', page: 1, reason: 'r', ms: 1000 },
      fallback: { kind: 'fallback', page: 1, framing: 'array', reason: 'r' },
      resume: {
        kind: 'resume',
        page: 2,
        records: 1,
        bytes: 1,
        savedAt: '2026-01-01T00:00:00.000Z',
        partial: '_x.partial',
      },
      expired: { kind: 'expired', records: 1, bytes: 1, savedAt: '2026-01-01T00:00:00.000Z', ageMs: 1 },
      finish: { kind: 'finish', records: 1, bytes: 1, savedAt: '2026-01-01T00:00:00.000Z', isReplaced: true },
      rewind: { kind: 'rewind', page: 2, records: 1 },
      commit: { kind: 'commit', records: 1, bytes: 1, partial: '_x.partial' },
    }
    const brief = setUp({ style: 'none' })
    brief.display.onEvent(events[kind])
    expect(brief.written.length).toBe(isShown ? 1 : 0)
    const verbose = setUp({ style: 'none', isVerbose: true })
    verbose.display.onEvent(events[kind])
    expect(verbose.written.length).toBe(1)
  })

  test('shows a wait that is over at once with --verbose alone', () => {
    const short: ExportEvent = { kind: 'wait', page: 1, reason: 'r', ms: 999 }
    const brief = setUp({ style: 'none' })
    brief.display.onEvent(short)
    expect(brief.written).toEqual([])
    const verbose = setUp({ style: 'none', isVerbose: true })
    verbose.display.onEvent(short)
    expect(verbose.written).toEqual(['truto-export: page 1: r\n'])
  })

  test('uses colour for waits and warnings only, and only where it may', () => {
    const { written, display } = setUp({ style: 'none', hasColor: true })
    display.summary(report)
    expect(written.filter((line) => line.includes('\u001b['))).toHaveLength(2)
    const plain = setUp({ style: 'none' })
    plain.display.summary(report)
    expect(plain.written.join('')).not.toContain('\u001b')
  })
})
