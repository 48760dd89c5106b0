import { EventEmitter } from 'node:events'
import { createServer } from 'node:net'
import { request } from 'undici'
import { describe, expect, test } from 'vitest'
import type { EmulatorAddress } from '../../src/cli/emulator-command.js'
import type { Io } from '../../src/cli/io.js'
import { run } from '../../src/cli/run.js'
import { systemClock } from '../../src/clock.js'

/** Runs the emulator until `use` is done with what it printed. */
async function emulator(argv: string[], use: (stdout: string) => Promise<void> = async () => {}) {
  const signals = Object.assign(new EventEmitter(), { exit: () => {} })
  let stderr = ''
  let onLine: (text: string) => void = () => {}
  const line = new Promise<string>((resolve) => {
    onLine = resolve
  })
  const io: Io = {
    stdin: [] as never,
    stdout: { write: onLine },
    stderr: {
      write: (text) => {
        stderr += text
      },
    },
    env: {},
    clock: systemClock,
    signals,
    isStdoutClosed: async () => false,
    loadExport: () => import('../../src/export.js'),
  }
  const ended = run(['emulator', ...argv], io)
  const stdout = await Promise.race([line, ended.then(() => '')])
  if (stdout !== '') await use(stdout)
  signals.emit('SIGINT')
  return { exitCode: await ended, stdout, stderr }
}

async function membersOf({ url, token, account, parent }: EmulatorAddress, parentName: string): Promise<number> {
  const query = `integrated_account_id=${account}&${parentName}[id]=${parent}`
  const answer = await request(`${url}/unified/instant-messaging/members?${query}`, {
    headers: { authorization: `Bearer ${token}`, connection: 'close' },
  })
  return ((await answer.body.json()) as { result: unknown[] }).result.length
}

describe('truto-export emulator', () => {
  test('prints a line that a shell can run, says how to use it, and ends with 0 at a signal', async () => {
    const { exitCode, stdout, stderr } = await emulator(['--members', '1234'])
    expect(stdout).toMatch(/^export TRUTO_API_BASE_URL=http:\/\/127\.0\.0\.1:\d+ TRUTO_API_TOKEN=\S+\n$/)
    expect(stderr).toMatch(
      /1,234 members at http.*\n {2}truto-export instant-messaging\/members -a \S+ --channel C\w+ /,
    )
    expect(exitCode).toBe(0)
  })

  test.each([
    [[], 'channel'],
    [['--integration', 'msteams'], 'workspace'],
    [['--framing', 'graph'], 'workspace'],
  ])('with --json and %j, the address is one that answers', async (flags, parentName) => {
    const { stderr } = await emulator(['--members', '5', '--json', ...flags], async (stdout) => {
      expect(await membersOf(JSON.parse(stdout) as EmulatorAddress, parentName)).toBe(5)
    })
    expect(stderr).toBe('')
  })

  test('a port that is taken is an error of the options', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const { exitCode, stderr } = await emulator(['--port', String(port)])
    server.close()
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(new RegExp(`^truto-export: ERR_OPTION_INVALID: listening on port ${port}: EADDRINUSE.*\n$`))
  })
})
