// Who runs: what a lock says about its holder, and how that is found to be dead.

import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

/** Processes of this machine. */
export interface Processes {
  readonly host: string
  readonly pid: number
  /** What tells a process from a later one with the same id: undefined where there is no such process, null where that cannot be known. */
  startOf(pid: number): string | null | undefined
}

export const systemProcesses: Processes = {
  host: hostname(),
  pid: process.pid,
  startOf(pid) {
    try {
      process.kill(pid, 0)
    } catch (error) {
      // EPERM: somebody else's, but there
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined
    }
    return process.platform === 'linux' ? linuxStartOf(pid) : null
  },
}

/** Start in clock ticks since boot, and the boot's id (proc(5): /proc/pid/stat fields 3 and 22). */
function linuxStartOf(pid: number): string | null | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // the name before it may hold anything
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined // dead, and not yet waited for
    return `${fields[19]}@${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}`
  } catch {
    return null // no /proc, or it is hidden
  }
}
