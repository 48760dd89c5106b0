// One small page, cut at every byte by every way in which a connection can end: never a success without another try,
// never half a record or one twice. By default the ways in which a cut is hardest to notice are cut at every byte and
// the others at some; the soak cuts all of them everywhere.

import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Destination } from '../../src/destination/destination.js'
import type { Emulator, EmulatorOptions } from '../../src/emulator/emulator.js'
import type { Fault } from '../../src/emulator/faults.js'
import { ExportError } from '../../src/errors.js'
import { exportRecords } from '../../src/export/export.js'
import { emulate, FaultClock, membersText, requestOf } from './harness.js'

const isSoak = process.env['TRUTO_EXPORT_SOAK'] === '1'

/** Three records of one id and one more field, so that the page is short. */
const page: EmulatorOptions = { members: 3, pageSize: 3, slackPartial: true, resultCount: false, prevCursor: false }
const expected = membersText(page)
const digest = createHash('sha256').update(expected).digest('hex')

/** Takes what it is given and shows what of it was ever let out. */
function recording(): Destination & { readonly written: string; readonly state: string } {
  let written = ''
  let state = 'closed'
  return {
    name: 'recording',
    get written() {
      return written
    },
    get state() {
      return state
    },
    async open() {
      state = 'open'
      return {
        left: 'nothing',
        get bytesWritten() {
          return Buffer.byteLength(written)
        },
        async write(bytes) {
          written += Buffer.from(bytes).toString('utf8')
        },
        async commit() {
          state = 'committed'
        },
        async abort() {
          state = 'aborted'
        },
      }
    },
  }
}

interface Run {
  readonly error: unknown
  /** Everything that reached the destination. */
  readonly written: string
  /** Digest that the report has, undefined where the export failed. */
  readonly digest: string | undefined
  readonly requests: number
}

async function exportOnce(server: Emulator, clock: FaultClock, faults: readonly Fault[], tries?: number): Promise<Run> {
  server.reset()
  server.setFaults(faults)
  const destination = recording()
  let error: unknown
  let hex: string | undefined
  try {
    const report = await exportRecords({
      ...requestOf(server),
      destination,
      clock,
      tries,
      onEvent: (event) => {
        if (event.kind === 'wait') clock.announce(event.ms)
      },
    })
    hex = report.digest!.hex
  } catch (caught) {
    error = caught
  }
  expect(destination.state).toBe(error === undefined ? 'committed' : 'aborted')
  return { error, written: destination.written, digest: hex, requests: server.requests }
}

let swept = 0

/** Exports the page with `fault` on its first request: it is asked for again, and every record is out once. Without
 *  another try it is an error, and what is out are whole records. By default that is looked at in every third place. */
async function sweepOne(server: Emulator, clock: FaultClock, fault: Fault): Promise<void> {
  if (isSoak || swept++ % 3 === 0) {
    const once = await exportOnce(server, clock, [fault], 1)
    expect(once.error).toBeInstanceOf(ExportError)
    expect([expected.startsWith(once.written), /^$|\n$/.test(once.written), once.requests]).toEqual([true, true, 1])
  }
  const { error, written, digest: hex, requests } = await exportOnce(server, clock, [fault])
  expect([error, hex, written, requests]).toEqual([undefined, digest, expected, 2])
}

/** Length of the undisturbed body, whose export is checked. */
async function bodyLength(server: Emulator, clock: FaultClock): Promise<number> {
  const plain = await exportOnce(server, clock, [])
  expect(plain).toEqual({ error: undefined, written: expected, digest, requests: 1 })
  return server.log[0]!.bytes
}

interface Way {
  readonly name: string
  /** Every byte by default, else every n-th. */
  readonly stride: number
  readonly cut: Omit<Extract<Fault, { kind: 'cut' }>, 'kind' | 'at'>
  /** Size of the chunks. Default: the body is one. */
  readonly chunkBytes?: number
  /** Whether a cut behind the last byte is no cut at all. */
  readonly isWholeAtEnd?: boolean
}

const ways: readonly Way[] = [
  { name: 'chunked, FIN, close', stride: 1, cut: { transfer: 'chunked', how: 'fin', connection: 'close' } },
  { name: 'chunked, FIN, keep-alive', stride: 5, cut: { transfer: 'chunked', how: 'fin', connection: 'keep-alive' } },
  { name: 'chunked, RST, close', stride: 11, cut: { transfer: 'chunked', how: 'rst', connection: 'close' } },
  { name: 'chunked, RST, keep-alive', stride: 11, cut: { transfer: 'chunked', how: 'rst', connection: 'keep-alive' } },
  {
    name: 'small chunks, FIN, close',
    stride: 5,
    chunkBytes: 8,
    cut: { transfer: 'chunked', how: 'fin', connection: 'close' },
  },
  {
    name: 'between chunks, FIN, close',
    stride: 3,
    cut: { transfer: 'chunked', where: 'boundary', how: 'fin', connection: 'close' },
  },
  {
    name: 'between chunks, RST, close',
    stride: 13,
    cut: { transfer: 'chunked', where: 'boundary', how: 'rst', connection: 'close' },
  },
  {
    name: 'inside a chunk head, FIN, close',
    stride: 5,
    cut: { transfer: 'chunked', where: 'chunk-head', how: 'fin', connection: 'close' },
  },
  { name: 'with a length, FIN, keep-alive', stride: 5, isWholeAtEnd: true, cut: { transfer: 'length', how: 'fin' } },
  {
    name: 'with a length, FIN, close',
    stride: 5,
    isWholeAtEnd: true,
    cut: { transfer: 'length', how: 'fin', connection: 'close' },
  },
  { name: 'with a length, RST', stride: 11, isWholeAtEnd: true, cut: { transfer: 'length', how: 'rst' } },
  { name: 'delimited by the end, FIN', stride: 1, isWholeAtEnd: true, cut: { transfer: 'close', how: 'fin' } },
  // undici takes a reset for the end of such a body: what proves it whole is the document alone
  { name: 'delimited by the end, RST', stride: 11, isWholeAtEnd: true, cut: { transfer: 'close', how: 'rst' } },
]

describe('a page that is cut at any byte', () => {
  for (const way of ways) {
    test(way.name, async () => {
      const clock = new FaultClock()
      const server = await emulate({ ...page, clock, chunkBytes: way.chunkBytes })
      const length = await bodyLength(server, clock)
      const end = way.isWholeAtEnd ? length - 1 : length
      const stride = isSoak ? 1 : way.stride
      const places = Array.from({ length: end + 1 }, (_, at) => at).filter((at) => at % stride === 0 || at === end)
      for (const at of places) await sweepOne(server, clock, { kind: 'cut', at, ...way.cut })
    })
  }

  test('without the last CRLF of its chunks', async () => {
    const clock = new FaultClock()
    const server = await emulate({ ...page, clock })
    for (const how of ['fin', 'rst'] as const) {
      for (const connection of ['close', 'keep-alive'] as const) {
        const fault: Fault = { kind: 'cut', where: 'last-crlf', transfer: 'chunked', how, connection }
        // every record has arrived by then, and is out
        await sweepOne(server, clock, fault)
      }
    }
  })

  test('compressed', async () => {
    const clock = new FaultClock()
    const server = await emulate({ ...page, clock, encoding: 'gzip' })
    const length = await bodyLength(server, clock)
    for (let at = 0; at < length; at += isSoak ? 1 : 5) {
      await sweepOne(server, clock, { kind: 'gzip', damage: 'cut', at })
    }
  })
})

test('a body that stops in order where its Content-Length says so is cut all the same', async () => {
  const clock = new FaultClock()
  const server = await emulate({ ...page, clock })
  const length = await bodyLength(server, clock)
  for (let by = -1; by >= -length; by -= isSoak ? 1 : 5) {
    await sweepOne(server, clock, { kind: 'content-length', by, connection: 'close' })
  }
})
