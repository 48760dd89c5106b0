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
    loadExport: () => import('../../src/export/export.js'),
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

  test('--accounts, --parents and --fault shape what answers, and what is unknown is a 404', async () => {
    const flags = ['--members', '5', '--json', '--accounts', '3', '--parents', '2', '--fault', 'page=1,status=503']
    await emulator(flags, async (stdout) => {
      const address = JSON.parse(stdout) as EmulatorAddress
      expect([address.accounts.length, new Set(address.accounts).size, address.parents.length]).toEqual([3, 3, 2])
      expect([address.accounts[0], address.parents[0]]).toEqual([address.account, address.parent])
      const get = async (path: string): Promise<number> => {
        const answer = await request(`${address.url}/unified/${path}`, {
          headers: { authorization: `Bearer ${address.token}`, connection: 'close' },
        })
        await answer.body.dump()
        return answer.statusCode
      }
      const list = (account: string, parent: string): string =>
        `instant-messaging/members?integrated_account_id=${account}&channel[id]=${parent}`
      for (const account of address.accounts) {
        expect(await get(list(account, address.parents[1]!))).toBe(503)
        expect(await get(list(account, address.parents[1]!))).toBe(200)
      }
      expect(await get(list('nobody', address.parent))).toBe(404)
      expect(await get(list(address.account, 'C0UNKNOWN'))).toBe(404)
      const query = `?integrated_account_id=${address.account}&channel[id]=${address.parent}`
      for (const typo of ['instant-messaging/member', 'crm/contacts']) expect(await get(typo + query)).toBe(404)
    })
  })

  test('--no-strict takes any channel and resource, --accounts takes ids', async () => {
    const flags = ['--members', '5', '--json', '--no-strict', '--accounts', 'one,two']
    await emulator(flags, async (stdout) => {
      const address = JSON.parse(stdout) as EmulatorAddress
      expect(address.accounts).toEqual(['one', 'two'])
      expect(await membersOf({ ...address, account: 'two', parent: 'anything' }, 'channel')).toBe(5)
    })
  })

  test.each([
    [['--accounts', '0'], '--accounts does not accept 0'],
    [['--parents', '0'], '--parents does not accept'],
    [['--fault', 'page=3'], 'the fault "page=3": it does nothing'],
  ])('%j is refused', async (flags, why) => {
    const { exitCode, stderr } = await emulator(flags)
    expect(exitCode).toBe(2)
    expect(stderr).toContain(why)
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
