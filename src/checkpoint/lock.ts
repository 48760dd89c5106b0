// A lock that is a file: it names its holder and is written to again and again while that lives. The lock of a holder
// that is known to be dead, or has given no sign of life for long, is taken over.

import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { formatDuration, KiB, minute, second } from '../bytes/units.js'
import { type Clock, sleep, systemClock } from '../clock.js'
import { printable, StateError } from '../errors.js'
import type { FileStatus, FileSystem, OpenFile } from '../files/file-system.js'
import { errnoOf } from '../files/os-error.js'
import { ownStatusOf } from '../files/paths.js'
import { readWhole, removeFile } from '../files/whole-file.js'
import { writeFully } from '../files/write-fully.js'
import { type Processes, systemProcesses } from './processes.js'

interface Holder {
  readonly pid: number
  readonly host: string
  readonly thread: number
  readonly bootId: string | null
  readonly pidNamespace: string | null
  readonly start: string | null
  readonly nonce: string
  /** Whether the one before may be alive: see `FileLock.mayHavePredecessor`. */
  readonly mayHavePredecessor: boolean
}

export interface LockOptions {
  readonly files: FileSystem
  /** What messages call the thing that is locked. */
  readonly name: string
  /** Age in ms of the last sign of life beyond which a holder that cannot be looked at from here is dead. Default
   *  `defaultLockMaxAgeMs`. */
  readonly maxAgeMs?: number | undefined
  readonly processes?: Processes
  readonly clock?: Clock
}

/** Long enough for a machine that is busy or swaps, and for NFS, which may show times that are a minute old. */
export const defaultLockMaxAgeMs = 2 * minute
/** So many signs of life are given in the time after which a holder is dead. */
const beatsPerAge = 8
const leastBeatMs = 20
const longestBeatMs = 15 * second

/** Nonces of the locks that this thread holds, whichever copy of this module took them: its process id says nothing, it
 *  may be that of a dead process. */
const registry = Symbol.for('truto-export.locks')
const held: Set<string> = ((globalThis as { [registry]?: Set<string> })[registry] ??= new Set())

const maxLockBytes = 4 * KiB
/** End of the name of a lock that was moved away: the beginning of a nonce. */
const asideEnd = /^[\da-f]{8}$/
/** A holder that was stopped between making the file and writing into it leaves it empty; one that lives is done within
 *  this time. */
const emptyPolls = 10
const pollMs = 20

/** A lock that is held until `release`. */
export class FileLock {
  /**
   * Whether a process that held the lock before may be alive all the same: it was stopped for long, or cannot be looked
   * at from here. It finds out before everything that it does by name, but it may hold the files open that were there.
   * Then those are not to be written to: see `Claim`.
   */
  readonly mayHavePredecessor: boolean
  readonly #path: string
  readonly #options: LockOptions
  readonly #nonce: string
  readonly #file: OpenFile
  readonly #status: FileStatus
  readonly #beat: NodeJS.Timeout
  /** The sign of life that is being given. Never rejects. */
  #beating: Promise<void> | null = null

  private constructor(path: string, options: LockOptions, holder: Holder, file: OpenFile, status: FileStatus) {
    this.#path = path
    this.#options = options
    this.#nonce = holder.nonce
    this.#file = file
    this.#status = status
    this.mayHavePredecessor = holder.mayHavePredecessor
    const { maxAgeMs = defaultLockMaxAgeMs } = options
    const everyMs = Math.min(Math.max(maxAgeMs / beatsPerAge, leastBeatMs), longestBeatMs)
    const bytes = textOf(holder)
    this.#beat = setInterval(() => {
      this.#beating ??= beat(file, bytes).finally(() => {
        this.#beating = null
      })
    }, everyMs).unref()
  }

  /** Takes the lock at `path`. @throws StateError ERR_STATE_LOCKED where another holds it; the system's error */
  static async acquire(path: string, options: LockOptions): Promise<FileLock> {
    const { files, processes = systemProcesses } = options
    const { pid, host, thread, bootId, pidNamespace } = processes
    const start = processes.startOf(pid) ?? null
    const nonce = randomUUID()
    held.add(nonce)
    try {
      for (let mayHavePredecessor = false; ; ) {
        const holder = { pid, host, thread, bootId, pidNamespace, start, nonce, mayHavePredecessor }
        const made = await create(files, path, textOf(holder))
        if (made !== null) {
          await removeAside(path, options)
          return new FileLock(path, options, holder, made.file, made.status)
        }
        mayHavePredecessor = (await removeDead(path, nonce, options)) || mayHavePredecessor
      }
    } catch (error) {
      held.delete(nonce)
      throw error
    }
  }

  /** Whose files are, and who may write to them, where we make them: what else this storage could tell of its files, it
   *  could not tell. */
  get status(): FileStatus {
    return this.#status
  }

  /** Whether nobody has taken the lock over: somebody may have removed the file, or seen us as dead. @throws the
   *  system's error */
  async isHeld(): Promise<boolean> {
    const found = await ownStatusOf(this.#options.files, this.#path)
    return found !== null && found.ino === this.#status.ino && found.dev === this.#status.dev
  }

  /** @throws StateError ERR_STATE_LOCKED where the lock is no longer ours; the system's error */
  async check(): Promise<void> {
    if (await this.isHeld()) return
    const { files, name } = this.#options
    const holder = await readHolder(files, this.#path).catch(() => null)
    const by = holder === null ? 'removed' : `taken over by ${whereOf(holder)}`
    throw new StateError('ERR_STATE_LOCKED', `the lock of ${printable(name)} was ${by}`)
  }

  /** Gives the lock up. Never throws: a lock that stays behind is one of a dead process soon. */
  async release(): Promise<void> {
    clearInterval(this.#beat)
    await this.#beating
    try {
      if (await this.isHeld()) await removeFile(this.#options.files, this.#path)
    } catch {
    } finally {
      held.delete(this.#nonce)
      await this.#file.close().catch(() => {})
    }
  }
}

/** Makes the file, open to be written to; null where there is one. @throws the system's error */
async function create(
  files: FileSystem,
  path: string,
  bytes: Buffer,
): Promise<{ file: OpenFile; status: FileStatus } | null> {
  let file: OpenFile
  try {
    file = await files.open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return null
    throw error
  }
  try {
    await writeFully(file, bytes, bytes.length)
    return { file, status: await file.stat() }
  } catch (error) {
    await file.close().catch(() => {})
    await files.unlink(path).catch(() => {})
    throw error
  }
}

/** A sign of life: the time of the file, by the clock of where it is stored. A failure is not for us to tell: whoever
 *  takes the lock over is noticed. */
async function beat(file: OpenFile, bytes: Buffer): Promise<void> {
  try {
    await file.write(bytes, 0, bytes.length, 0)
    await file.sync() // NFS keeps writes back
  } catch {}
}

/** Removes the lock at `path` if its holder is dead; true where it may be alive all the same. @throws StateError
 *  ERR_STATE_LOCKED if it is alive, or not silent for long enough */
async function removeDead(path: string, nonce: string, options: LockOptions): Promise<boolean> {
  const { files, clock = systemClock } = options
  const found = await readWhole(files, path, maxLockBytes)
  if (found === null) return false
  const holder = holderOf(found)
  let mayBeAlive = true
  if (holder === null) {
    for (let polls = 0; polls < emptyPolls; polls++) {
      await sleep(clock, pollMs)
      const again = await readWhole(files, path, maxLockBytes)
      if (again === null || !again.equals(found)) return false
    }
  } else mayBeAlive = (await checkDead(holder, path, options)) || holder.mayHavePredecessor

  // Another process may have found the same, and may hold a new lock by now: what was moved away must be what was
  // looked at.
  const aside = asideName(path, nonce)
  try {
    await files.rename(path, aside)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return mayBeAlive
    throw error
  }
  const bytes = await readWhole(files, aside, maxLockBytes)
  if (bytes === null || bytes.equals(found)) await removeFile(files, aside)
  else await files.rename(aside, path)
  return mayBeAlive
}

function asideName(path: string, nonce: string): string {
  return `${path}.${nonce.slice(0, 8)}`
}

/** Removes the dead locks that were moved away by processes which were killed before they removed them. Nothing depends
 *  on it, so it never throws. */
async function removeAside(path: string, options: LockOptions): Promise<void> {
  const { files } = options
  const directory = dirname(path)
  const prefix = `${basename(path)}.`
  try {
    for (const name of await files.readdir(directory)) {
      if (!name.startsWith(prefix) || !asideEnd.test(name.slice(prefix.length))) continue
      const aside = join(directory, name)
      try {
        const bytes = await readWhole(files, aside, maxLockBytes)
        const holder = bytes && holderOf(bytes)
        // whoever moved a living one away is about to put it back
        if (holder !== null) await checkDead(holder, aside, options)
        await removeFile(files, aside)
      } catch {
        // it stays for the next one
      }
    }
  } catch {}
}

/** True where the holder may be alive all the same. @throws StateError ERR_STATE_LOCKED */
async function checkDead(holder: Holder, path: string, options: LockOptions): Promise<boolean> {
  const { files, name, processes = systemProcesses, maxAgeMs = defaultLockMaxAgeMs } = options
  const verdict = verdictOf(holder, processes)
  if (verdict === 'dead') return false
  const message = `${printable(name)} is being written by ${whereOf(holder)}`
  if (verdict === 'alive') throw new StateError('ERR_STATE_LOCKED', message)
  const silentMs = await silenceOf(files, path)
  if (silentMs > maxAgeMs) return true
  throw new StateError(
    'ERR_STATE_LOCKED',
    `${message}, ${formatDuration(Math.max(0, silentMs))} ago by its last sign of life`,
    {
      hint: `it is taken over once it has given none for ${formatDuration(maxAgeMs)} (--lock-max-age); where that process is gone, ${printable(path)} may be removed`,
    },
  )
}

/** How long ago the file at `path` was written to, in ms, by the clock of where it is stored: that of another machine
 *  may be wrong, and ours too. */
async function silenceOf(files: FileSystem, path: string): Promise<number> {
  const found = await ownStatusOf(files, path)
  if (found === null) return 0
  // a name that nobody can have put something else at: a FIFO, or another name of a file of somebody's
  const probe = asideName(path, randomUUID())
  const file = await files.open(probe, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
  try {
    await file.write(Buffer.from('\n'), 0, 1)
    return (await file.stat()).mtimeMs - found.mtimeMs
  } finally {
    await file.close().catch(() => {})
    await removeFile(files, probe).catch(() => {})
  }
}

/** Whether the holder lives, as far as it can be looked at from here. */
function verdictOf(
  holder: Holder,
  { host, pid, thread, bootId, pidNamespace, startOf }: Processes,
): 'alive' | 'dead' | 'unknown' {
  if (held.has(holder.nonce)) return 'alive'
  // without /proc the name of the host is all there is to go by
  const isHere =
    bootId === null || pidNamespace === null
      ? holder.bootId === null && holder.host === host
      : holder.bootId === bootId && holder.pidNamespace === pidNamespace
  if (!isHere) return 'unknown'
  const start = startOf(holder.pid)
  if (start === undefined) return 'dead'
  if (start === null || holder.start === null) return 'unknown'
  if (start !== holder.start) return 'dead'
  if (holder.pid !== pid) return 'alive'
  // another thread of this process may have ended; this one knows what it holds
  return holder.thread === thread ? 'dead' : 'unknown'
}

function whereOf({ pid, host, thread }: Holder): string {
  return `process ${pid}${thread === 0 ? '' : ` (thread ${thread})`} on ${printable(host)}`
}

function textOf(holder: Holder): Buffer {
  return Buffer.from(`${JSON.stringify(holder)}\n`)
}

async function readHolder(files: FileSystem, path: string): Promise<Holder | null> {
  const bytes = await readWhole(files, path, maxLockBytes)
  return bytes && holderOf(bytes)
}

/** Null where it is no whole lock. */
function holderOf(bytes: Buffer): Holder | null {
  try {
    const { pid, host, nonce, ...more } = JSON.parse(bytes.toString()) as Partial<Holder>
    if (!Number.isSafeInteger(pid) || typeof host !== 'string' || typeof nonce !== 'string') return null
    const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
    return {
      pid: pid!,
      host,
      nonce,
      thread: Number.isSafeInteger(more.thread) ? more.thread! : 0,
      bootId: text(more.bootId),
      pidNamespace: text(more.pidNamespace),
      start: text(more.start),
      mayHavePredecessor: more.mayHavePredecessor === true,
    }
  } catch {
    return null
  }
}
