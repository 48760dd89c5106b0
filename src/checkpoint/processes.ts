// Who runs: what a lock says about its holder, and how far that can be looked at from here.

import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { threadId } from 'node:worker_threads'

/** What a process id means here. */
export interface Processes {
  readonly host: string
  readonly pid: number
  /** Of the worker thread. */
  readonly thread: number
  /** Of the running kernel, since it was booted: the same for all containers on it. Null where it is not known. */
  readonly bootId: string | null
  /** In which the process ids are counted. Null where it is not known. */
  readonly pidNamespace: string | null
  /** What tells a process from a later one with the same id: undefined where there is no such process, null where that
   *  cannot be known. */
  startOf(pid: number): string | null | undefined
}

export const systemProcesses: Processes = {
  host: hostname(),
  pid: process.pid,
  thread: threadId,
  // random(4), pid_namespaces(7)
  bootId: orNull(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()),
  pidNamespace: orNull(() => readlinkSync('/proc/self/ns/pid')),
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

/** Start in clock ticks since boot (proc(5): /proc/pid/stat fields 3 and 22). */
function linuxStartOf(pid: number): string | null | undefined {
  return orNull(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // the name before it may hold anything
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined // dead, and not yet waited for
    return fields[19]!
  })
}

/** Null where there is no /proc, or it is hidden. */
function orNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}
