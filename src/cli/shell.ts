// A command of the shell that can be ended with all that it started.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'

export interface RunningShell {
  /** Its stdout is ours to read; its messages go to our stderr. */
  readonly child: ChildProcess
  /** Asks the command and what it started to end, and ends after a moment what has not. What is left when this process
   *  ends, ends with it. */
  end(): void
}

/** Time to end in, in ms. */
const graceMs = 1000

/** @throws the error of Node.js where no process can be started */
export function runShell(command: string): RunningShell {
  // A group of its own is ended by one call, whatever became of the shell. But it has no terminal, where somebody may
  // be asked for a password; with one, what was started is looked for.
  const hasGroup = process.platform !== 'win32' && !process.stdin.isTTY && !process.stderr.isTTY
  const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'inherit'], detached: hasGroup })
  const signalAll = (signal: NodeJS.Signals | 0): boolean => {
    if (child.pid === undefined) return false
    const pids = hasGroup ? [-child.pid] : familyOf(child.pid)
    return pids.filter((pid) => signalOne(pid, signal)).length > 0
  }
  return {
    child,
    end() {
      const kill = (): void => void signalAll('SIGKILL')
      process.once('exit', kill)
      signalAll('SIGTERM')
      const timer = setTimeout(() => {
        process.off('exit', kill)
        kill()
      }, graceMs)
      child.once('close', () => {
        // what it started may go on without it
        if (signalAll(0)) return
        clearTimeout(timer)
        process.off('exit', kill)
      })
      child.stdout?.destroy()
    },
  }
}

function signalOne(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false // it has ended
  }
}

/** A process and those that it started, they that started none first. */
function familyOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
  const pairs = (stdout ?? '').split('\n').map((line) => line.trim().split(/\s+/).map(Number))
  const found = [pid]
  for (const parent of found) for (const [child, of] of pairs) if (of === parent) found.push(child!)
  return found.reverse()
}
