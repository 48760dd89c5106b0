// A lock that is a file: it names its holder, and the lock of a holder that is known to be dead is taken over.

import { randomUUID } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { type Clock, sleep, systemClock } from '../clock.js'
import { printable, StateError } from '../errors.js'
import type { FileSystem } from '../files/file-system.js'
import { errnoOf } from '../files/os-error.js'
import { createWhole, readWhole, removeFile } from '../files/whole-file.js'
import { type Processes, systemProcesses } from './processes.js'

interface Holder {
  readonly pid: number
  readonly host: string
  readonly start: string | null
  readonly nonce: string
}

export interface LockOptions {
  readonly files: FileSystem
  /** What messages call the thing that is locked. */
  readonly name: string
  readonly processes?: Processes
  readonly clock?: Clock
}

/** Nonces of the locks that this process holds: its own id says nothing, it may be that of a dead process which had the same. */
const held = new Set<string>()

const maxLockBytes = 4096
/** What randomUUID gives. */
const nonceForm = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/
/** A holder that was stopped between making the file and writing into it leaves it empty; one that lives is done within this time. */
const emptyPolls = 10
const pollMs = 20

/** A lock that is held until `release`. */
export class FileLock {
  readonly #path: string
  readonly #files: FileSystem
  readonly #holder: Holder

  private constructor(path: string, files: FileSystem, holder: Holder) {
    this.#path = path
    this.#files = files
    this.#holder = holder
  }

  /** Takes the lock at `path`. A lock of another host is never taken over: whether its holder lives cannot be known from here.
   *  @throws StateError ERR_STATE_LOCKED where another holds it; the system's error */
  static async acquire(path: string, options: LockOptions): Promise<FileLock> {
    const { files, processes = systemProcesses } = options
    const { pid, host } = processes
    const holder: Holder = { pid, host, start: processes.startOf(pid) ?? null, nonce: randomUUID() }
    const bytes = Buffer.from(`${JSON.stringify(holder)}\n`)
    for (;;) {
      held.add(holder.nonce)
      try {
        await createWhole(files, path, bytes, false)
        await removeAside(path, options)
        return new FileLock(path, files, holder)
      } catch (error) {
        held.delete(holder.nonce)
        if (errnoOf(error) !== 'EEXIST') throw error
      }
      await removeDead(path, holder.nonce, options)
    }
  }

  /** Whether nobody has taken the lock over: somebody may have removed the file, or seen us as dead. @throws the system's error */
  async isHeld(): Promise<boolean> {
    const bytes = await readWhole(this.#files, this.#path, maxLockBytes)
    return bytes !== null && holderOf(bytes)?.nonce === this.#holder.nonce
  }

  /** Gives the lock up. Never throws: a lock that stays behind is one of a dead process soon. */
  async release(): Promise<void> {
    try {
      if (await this.isHeld()) await removeFile(this.#files, this.#path)
    } catch {
    } finally {
      held.delete(this.#holder.nonce)
    }
  }
}

/** Removes the lock at `path` if its holder is dead. @throws StateError ERR_STATE_LOCKED if it is not, or may not be */
async function removeDead(path: string, nonce: string, options: LockOptions): Promise<void> {
  const { files, name, processes = systemProcesses, clock = systemClock } = options
  const found = await readWhole(files, path, maxLockBytes)
  if (found === null) return
  const holder = holderOf(found)
  if (holder === null) {
    for (let polls = 0; polls < emptyPolls; polls++) {
      await sleep(clock, pollMs)
      const again = await readWhole(files, path, maxLockBytes)
      if (again === null || !again.equals(found)) return
    }
  } else if (isAlive(holder, processes)) throw locked(holder, path, name, processes)

  // Another process may have found the same, and may hold a new lock by now: what was moved away must be what was looked at.
  const aside = `${path}.${nonce}`
  try {
    await files.rename(path, aside)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return
    throw error
  }
  const moved = await readWhole(files, aside, maxLockBytes)
  if (moved === null || moved.equals(found)) await removeFile(files, aside)
  else await files.rename(aside, path)
}

/** Removes the dead locks that were moved away by processes which were killed before they removed them. Nothing depends on it, so it never throws. */
async function removeAside(path: string, { files, processes = systemProcesses }: LockOptions): Promise<void> {
  const directory = dirname(path)
  const prefix = `${basename(path)}.`
  try {
    for (const name of await files.readdir(directory)) {
      if (!name.startsWith(prefix) || !nonceForm.test(name.slice(prefix.length))) continue
      const aside = join(directory, name)
      const bytes = await readWhole(files, aside, maxLockBytes)
      const holder = bytes && holderOf(bytes)
      // whoever moved a living one away is about to put it back
      if (holder === null || !isAlive(holder, processes)) await removeFile(files, aside)
    }
  } catch {
    // they stay for the next one
  }
}

function isAlive(holder: Holder, { host, pid, startOf }: Processes): boolean {
  if (holder.host !== host) return true
  if (holder.pid === pid) return held.has(holder.nonce)
  const start = startOf(holder.pid)
  if (start === undefined) return false
  return start === null || holder.start === null || start === holder.start
}

function locked(holder: Holder, path: string, name: string, { host }: Processes): StateError {
  const where = `process ${holder.pid} on ${printable(holder.host)}`
  const context = holder.host === host ? {} : { hint: `if that process is gone, remove ${printable(path)}` }
  return new StateError('ERR_STATE_LOCKED', `${printable(name)} is being written by ${where}`, context)
}

/** Null where it is no whole lock. */
function holderOf(bytes: Buffer): Holder | null {
  try {
    const { pid, host, start, nonce } = JSON.parse(bytes.toString()) as Partial<Holder>
    if (!Number.isSafeInteger(pid) || typeof host !== 'string' || typeof nonce !== 'string') return null
    return { pid: pid!, host, nonce, start: typeof start === 'string' ? start : null }
  } catch {
    return null
  }
}
