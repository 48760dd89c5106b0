// The token of the real program, looked for in all that it says and leaves, however its run ends: stdout and stderr at
// their most talkative, the partial file, the checkpoint, the lock, and what a second origin gets to see that the
// server points to.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Fault } from '../../src/emulator/faults.js'
import { exportRecords } from '../../src/export/export.js'
import { emulate, requestOf, temporaryDirectory, token, until } from './harness.js'
import { start } from './program.js'

const isSoak = process.env['TRUTO_EXPORT_SOAK'] === '1'

/** How the token could be spelled. */
const spellings = [
  token,
  Buffer.from(token).toString('base64').replace(/=+$/, ''),
  Buffer.from(token).toString('hex'),
  token.replaceAll('-', '%2D'),
  [...token].reverse().join(''),
]

/** An origin of its own that keeps all that it is sent. */
async function secondOrigin(): Promise<{ url: string; seen: () => string; connections: () => number }> {
  let seen = ''
  let connections = 0
  const server = createServer((socket) => {
    connections++
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      seen += bytes.toString('latin1')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as { port: number }
  return { url: `http://127.0.0.1:${port}`, seen: () => seen, connections: () => connections }
}

/** Ways to end, by what page 3 is answered with; the server says the token back wherever it can. */
const ways = (other: string): readonly (readonly [name: string, faults: readonly Fault[]])[] => [
  ['well', []],
  ['by a redirect', [{ kind: 'redirect', to: `${other}/?t=${token}`, page: 3 }]],
  ['by an error that echoes', [{ kind: 'status', status: 400, message: `no such token: ${token}`, page: 3 }]],
  ['by a remote error', [{ kind: 'status', status: 500, message: token, isRemote: true, page: 3, attempt: 'every' }]],
  ['by a refusal', [{ kind: 'status', status: 401, message: token, page: 3 }]],
  ['by text that is not JSON', [{ kind: 'body', body: `{"result":[{"id":"${token}"x`, page: 3, attempt: 'every' }]],
  ['by a cursor that leads away', [{ kind: 'cursor', value: `${other}/?t=`, page: 3 }]],
]

test('the secrets of the environment are in no diagnostic report of Node.js, and no child inherits them', async () => {
  const server = await emulate({ members: 100, pageSize: 20, faults: [{ kind: 'stall', at: 0, page: 2 }] })
  const directory = temporaryDirectory()
  const secrets = { TRUTO_API_TOKEN: 'tok-of-the-environment', TRUTO_EXPORT_REDACT_KEY: 'key-of-the-environment' }
  const reports = ['--report-on-signal', '--report-signal=SIGUSR2', `--report-directory=${directory}`]
  // in a file, because the report shows the arguments too
  writeFileSync(join(directory, 'token'), token)
  const command = `cd ${directory}; env > env; cat token`
  const { child, ended } = start(server, join(temporaryDirectory(), 'out.ndjson'), {
    node: reports,
    env: secrets,
    flags: ['--quiet', '--token-command', command, '--redact', 'id=hash'],
  })
  await until(() => server.requests === 2)
  child.kill('SIGUSR2')
  const report = () => readdirSync(directory).find((name) => name.startsWith('report.'))
  const text = () => readFileSync(join(directory, report()!), 'utf8')
  await until(() => report() !== undefined && text().endsWith('}\n'))
  child.kill('SIGTERM')
  await ended
  expect(JSON.parse(text())).toHaveProperty('environmentVariables.PATH')
  for (const secret of [...Object.values(secrets), token]) expect(text()).not.toContain(secret)
  const inherited = readFileSync(join(directory, 'env'), 'utf8')
  expect(inherited).toContain('PATH=')
  for (const secret of Object.values(secrets)) expect(inherited).not.toContain(secret)
})

test('a call of the library leaves the environment as it is', async () => {
  const server = await emulate({})
  vi.stubEnv('TRUTO_API_TOKEN', `${token}\n`)
  vi.stubEnv('TRUTO_EXPORT_REDACT_KEY', 'key-of-the-environment')
  try {
    const before = { ...process.env }
    const { token: _, ...request } = requestOf(server)
    const report = await exportRecords({ ...request, out: join(temporaryDirectory(), 'out.ndjson') })
    expect(report.complete).toBe(true)
    expect({ ...process.env }).toEqual(before)
  } finally {
    vi.unstubAllEnvs()
  }
})

test('the token is in nothing that the program says or leaves, and reaches no other origin', async () => {
  const other = await secondOrigin()
  const talk = ['--verbose', '--debug', '--debug-bodies', '--progress', 'plain', '--json']
  const flags = [...talk, '--commit-bytes', '20KiB', '--tries', '2', '--backoff-base', '1ms']
  for (const [name, faults] of ways(other.url).slice(0, isSoak ? undefined : 4)) {
    const server = await emulate({ members: 100, pageSize: 20, faults })
    const path = join(temporaryDirectory(), 'out.ndjson')
    const { child, ended } = start(server, path, { flags, node: ['--trace-warnings'] })
    const commands = process.platform === 'linux' ? readFileSync(`/proc/${child.pid}/cmdline`, 'latin1') : ''
    const { code, stdout, stderr } = await ended
    expect([name, code === 0]).toEqual([name, faults.length === 0])
    expect(stderr.length).toBeGreaterThan(100)
    const left = readdirSync(join(path, '..')).map((file) => readFileSync(join(path, '..', file), 'latin1'))
    expect([name, left.length > 0]).toEqual([name, true])
    // the records that the server sent do not hold it, so it may stand in no file at all
    const all = [stdout, stderr, commands, other.seen(), ...left].join('\n').toLowerCase()
    for (const spelling of spellings) expect([name, all.includes(spelling.toLowerCase())]).toEqual([name, false])
    // it was sent to where it belongs
    expect(server.log.length).toBeGreaterThanOrEqual(3)
  }
  expect(other.connections()).toBe(0)
})
