// What the tests of the emulator share: a client that trusts nothing, undici for whole answers, a bare socket for exact
// bytes.

import { connect } from 'node:net'
import { request } from 'undici'
import { onTestFinished } from 'vitest'
import { type Emulator, type EmulatorOptions, startEmulator } from '../../src/emulator/emulator.js'

export const membersPath = '/unified/instant-messaging/members'

/** An emulator that is closed when the test is over. */
export async function emulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const started = await startEmulator(options)
  onTestFinished(() => started.close())
  return started
}

export interface Answered {
  status: number
  headers: Record<string, string | string[] | undefined>
  bytes: Buffer
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into documents of many shapes
  json: any
}

export interface Ask {
  path?: string
  /** Appended to the account and, for members, the parent; a full query with `bare`. */
  query?: string
  bare?: boolean
  headers?: Record<string, string>
  method?: 'GET' | 'POST'
}

/** The target of a request for members with all that is required. */
export function target(server: Emulator, { path = membersPath, query = '', bare = false }: Ask = {}): string {
  const required = `integrated_account_id=${server.accountId}&channel[id]=C1&workspace[id]=W1`
  return `${path}?${bare ? query : [required, query].filter(Boolean).join('&')}`
}

export async function ask(server: Emulator, options: Ask = {}): Promise<Answered> {
  const { statusCode, headers, body } = await request(server.url + target(server, options), {
    method: options.method ?? 'GET',
    headers: { authorization: `Bearer ${server.token}`, ...options.headers },
  })
  const bytes = Buffer.from(await body.arrayBuffer())
  const text = bytes.toString('utf8')
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    json = undefined
  }
  return { status: statusCode, headers, bytes, text, json }
}

/** One request over a bare socket: all bytes that came, and how the connection ended. */
export function askRaw(
  server: Emulator,
  options: Ask & { waitMs?: number; onData?: (bytes: Buffer) => void } = {},
): Promise<{ bytes: Buffer; head: string; body: Buffer; ended: 'fin' | 'rst' | 'open' }> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const socket = connect(server.port, '127.0.0.1')
    const headers = { host: 'localhost', authorization: `Bearer ${server.token}`, ...options.headers }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`GET ${target(server, options)} HTTP/1.1\r\n${lines.join('')}\r\n`)
    let isSettled = false
    const settle = (ended: 'fin' | 'rst' | 'open'): void => {
      if (isSettled) return
      isSettled = true
      socket.destroy()
      const bytes = Buffer.concat(chunks)
      const split = bytes.indexOf('\r\n\r\n')
      resolve({
        bytes,
        head: bytes.toString('latin1', 0, split < 0 ? bytes.length : split + 4),
        body: split < 0 ? Buffer.alloc(0) : bytes.subarray(split + 4),
        ended,
      })
    }
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      options.onData?.(Buffer.concat(chunks))
    })
    socket.on('end', () => settle('fin'))
    socket.on('error', () => settle('rst'))
    if (options.waitMs !== undefined) setTimeout(() => settle('open'), options.waitMs)
  })
}

/** Undoes chunked framing. `isWhole` is false where the last chunk or its CRLF is missing. */
export function unchunk(bytes: Buffer): { data: Buffer; sizes: number[]; isWhole: boolean } {
  const data: Buffer[] = []
  const sizes: number[] = []
  let at = 0
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return { data: Buffer.concat(data), sizes, isWhole: false }
    const size = parseInt(bytes.toString('latin1', at, lineEnd), 16)
    at = lineEnd + 2
    if (size === 0) return { data: Buffer.concat(data), sizes, isWhole: bytes.length === at + 2 }
    sizes.push(size)
    data.push(bytes.subarray(at, at + size))
    if (at + size + 2 > bytes.length) return { data: Buffer.concat(data), sizes, isWhole: false }
    at += size + 2
  }
}

/** Looks again every few ms until `check` holds. */
export async function until(check: () => boolean): Promise<void> {
  while (!check()) await new Promise((resolve) => setTimeout(resolve, 2))
}
