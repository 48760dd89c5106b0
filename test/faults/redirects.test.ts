// Redirects are refused, and whoever they point to never hears of us.

import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { run } from './harness.js'

/** A server that notes every connection. */
async function witness(): Promise<{ port: number; connections: () => number }> {
  let connections = 0
  const server = createServer((socket) => {
    connections++
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { port: (server.address() as { port: number }).port, connections: () => connections }
}

const targets: readonly [name: string, to: (port: number) => string, origin: (port: number) => string][] = [
  ['another port', (port) => `http://127.0.0.1:${port}/secret-path?secret=1`, (port) => `http://127.0.0.1:${port}`],
  ['another host', (port) => `http://localhost:${port}/secret-path`, (port) => `http://localhost:${port}`],
  ['another scheme', (port) => `https://127.0.0.1:${port}/secret-path`, (port) => `https://127.0.0.1:${port}`],
  ['a user and password', (port) => `http://u:secret@127.0.0.1:${port}/`, (port) => `http://127.0.0.1:${port}`],
  ['no scheme', (port) => `//127.0.0.1:${port}/secret-path`, (port) => `http://127.0.0.1:${port}`],
  ['a script', () => 'javascript:secret()', () => 'javascript:'],
  ['a file', () => 'file:///secret', () => 'file:'],
  ['nothing', () => '', () => 'http://127.0.0.1'],
]

test.each(targets)(
  'a redirect to %s is refused after one request, and nothing is sent there',
  async (_, to, origin) => {
    const other = await witness()
    const { error, emulator } = await run({
      emulator: { faults: [{ kind: 'redirect', to: to(other.port), attempt: 'every' }] },
    })
    expect(error).toMatchObject({ code: 'ERR_REDIRECT', exitCode: 4, page: 1 })
    expect((error as Error).message).toContain(origin(other.port))
    expect((error as Error).message).not.toContain('secret')
    expect([emulator.requests, other.connections()]).toEqual([1, 0])
  },
)

test.each([300, 301, 302, 303, 305, 307, 308])('a %i is a redirect', async (status) => {
  const other = await witness()
  const { error, emulator } = await run({
    emulator: { faults: [{ kind: 'redirect', status, to: `http://127.0.0.1:${other.port}/`, page: 2 }] },
  })
  expect(error).toMatchObject({ code: 'ERR_REDIRECT', exitCode: 4, page: 2 })
  expect([emulator.requests, other.connections()]).toEqual([2, 0])
})

test('a redirect to the same address, which would be a loop, is refused after one request', async () => {
  const { error, emulator } = await run({
    emulator: { faults: [{ kind: 'redirect', to: '/unified/instant-messaging/members', attempt: 'every' }] },
  })
  expect(error).toMatchObject({ code: 'ERR_REDIRECT', exitCode: 4 })
  expect((error as Error).message).toContain(emulator.url)
  expect(emulator.requests).toBe(1)
})
