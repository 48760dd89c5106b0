// What a file and a directory of files have in common as places: where the output and what stands beside it are,
// whether they can be put there at all, and who may do that now.

import { realpath } from 'node:fs/promises'
import { basename, dirname, resolve, sep } from 'node:path'
import { fileCheckpoints } from '../checkpoint/file-store.js'
import { FileLock } from '../checkpoint/lock.js'
import type { CheckpointStore } from '../checkpoint/store.js'
import { ConfigError, OutputError, printable } from '../errors.js'
import { type FileStatus, type FileSystem, systemFiles } from '../files/file-system.js'
import { readMounts } from '../files/mounts.js'
import { errnoOf, opening, outputError } from '../files/os-error.js'
import { ownStatusOf, statusOf } from '../files/paths.js'
import { besideName, type SideNames, sideNames, temporaryName } from '../files/side-names.js'
import { ManifestFile } from './manifest-file.js'

/** Options of places on this machine's file systems. */
export interface LocalOptions {
  /** Whether an output that exists may be replaced: at the end and as a whole. Default false. */
  overwrite?: boolean
  /** A directory on the same file system for what is written before the output is complete. Default: that of the
   *  output. */
  workDir?: string | undefined
  /** Path of the manifest. Default: `_NAME.manifest.json` beside the output. */
  manifest?: string | undefined
  /** Age in ms of the last sign of life of another export to the same output, one that cannot be looked at from here,
   *  beyond which it is dead. Default 2 minutes. */
  lockMaxAgeMs?: number | undefined
  /** The file system; tests give one that fails. */
  files?: FileSystem
}

/** A place that nobody has taken yet. */
export class LocalPlace {
  readonly files: FileSystem
  /** What messages call the output. */
  readonly name: string
  /** The output's name, all links followed, without a slash at its end. */
  readonly target: string
  readonly sides: SideNames
  readonly overwrite: boolean
  readonly #lockMaxAgeMs: number | undefined

  private constructor(name: string, target: string, sides: SideNames, options: LocalOptions) {
    this.files = options.files ?? systemFiles
    this.name = name
    this.target = target
    this.sides = sides
    this.overwrite = options.overwrite ?? false
    this.#lockMaxAgeMs = options.lockMaxAgeMs
  }

  /** Looks at the place and touches nothing. @param target all links followed. @throws ConfigError, OutputError where
   *  no output can be put there */
  static at(name: string, target: string, options: LocalOptions): Promise<LocalPlace> {
    return opening(name, async () => {
      const { workDir, manifest, files = systemFiles } = options
      await checkDirectory(files, target, name)
      if (workDir !== undefined) await checkWorkDir(workDir, target)
      const sides = sideNames(workDir === undefined ? target : await realName(target), { workDir, manifest })
      await checkNames(files, sides, name)
      if (manifest !== undefined) await checkManifest(manifest, sides, target)
      await checkMount(files, target, name)
      return new LocalPlace(name, target, sides, options)
    })
  }

  /** Makes the place ours until `release`. @throws StateError ERR_STATE_LOCKED where somebody else is at it;
   *  OutputError */
  claim(): Promise<LocalClaim> {
    const { files, name, sides } = this
    return opening(name, async () => {
      const lock = await FileLock.acquire(sides.lock, { files, name, maxAgeMs: this.#lockMaxAgeMs })
      return new LocalClaim(this, lock)
    })
  }

  /** What an export to this place writes or removes beside its output, and what had these names before they began with
   *  `_`. */
  get ownNames(): readonly string[] {
    const { longest: _, ...names } = this.sides
    const former = ['partial', 'checkpoint', 'lock', 'manifest.json', 'replaced'].map((end) => `${this.target}.${end}`)
    return [...Object.values(names), ...former]
  }
}

/** A place that is ours. */
export class LocalClaim {
  readonly place: LocalPlace
  readonly manifest: ManifestFile
  readonly checkpoints: CheckpointStore
  readonly #lock: FileLock

  constructor(place: LocalPlace, lock: FileLock) {
    const { files, name, target, sides } = place
    this.place = place
    this.#lock = lock
    this.manifest = new ManifestFile(files, target, sides.manifest)
    this.checkpoints = fileCheckpoints(sides.checkpoint, { files, name, lock })
  }

  /** Whether somebody who was here before may hold files open that are still there: they are copied, and the copies are
   *  written to. */
  get mayHavePredecessor(): boolean {
    return this.#lock.mayHavePredecessor
  }

  /** Status of a file that we made in this place. */
  get ownStatus(): FileStatus {
    return this.#lock.status
  }

  /** Before everything that changes what others may have by now. @throws StateError ERR_STATE_LOCKED where the place is
   *  no longer ours; OutputError */
  async check(): Promise<void> {
    try {
      await this.#lock.check()
    } catch (error) {
      throw outputError(error, `looking at the lock of ${this.place.name}`, 'ERR_OUTPUT_IO')
    }
  }

  release(): Promise<void> {
    return this.#lock.release()
  }
}

/** The path of what may not exist, without links in its directory. */
async function realName(path: string): Promise<string> {
  const directory = dirname(path)
  return resolve(await realpath(directory).catch(() => directory), basename(path))
}

/** Whether `path` is `other`, or in the directory of that name. */
function isAtOrIn(path: string, other: string): boolean {
  return path === other || path.startsWith(`${other}${sep}`)
}

/** A manifest never takes the place of the output that it tells of, nor that of what stands beside it until it is
 *  complete. */
async function checkManifest(manifest: string, sides: SideNames, target: string): Promise<void> {
  const fault = (why: string): ConfigError =>
    new ConfigError('ERR_OPTION_INVALID', `the manifest ${printable(manifest)} ${why}`, {
      hint: 'give --manifest a path of its own, or none',
    })
  if (manifest.endsWith('/') || manifest.endsWith(sep)) throw fault('cannot be a file name')
  const at = await realName(manifest)
  const written = [at, temporaryName(besideName(at))]
  const { partial, checkpoint, lock, replaced } = sides
  for (const path of [target, partial, checkpoint, temporaryName(checkpoint), lock, replaced]) {
    const own = await realName(path)
    if (written.some((path) => isAtOrIn(path, own)))
      throw fault(`would be, or be in, the export's own ${printable(path)}`)
  }
}

/** It is not made: a path that is mistyped would be made, too. */
async function checkDirectory(files: FileSystem, target: string, name: string): Promise<void> {
  const directory = dirname(target)
  if ((await statusOf(files, directory)) !== null) return
  throw new OutputError(
    'ERR_OUTPUT_ACCESS',
    `opening ${name}: there is no directory ${printable(directory)} (ENOENT)`,
    {
      hint: 'make it first',
    },
  )
}

/** The longest of the names is not too long for this file system, so that none is found to be so later. */
async function checkNames(files: FileSystem, { longest }: SideNames, name: string): Promise<void> {
  try {
    await ownStatusOf(files, longest)
  } catch (error) {
    if (errnoOf(error) !== 'ENAMETOOLONG') throw error
    throw new OutputError(
      'ERR_OUTPUT_ACCESS',
      `opening ${name}: its name is too long for what has to stand beside it`,
      {
        cause: error,
        hint: 'give a shorter name',
      },
    )
  }
}

async function checkWorkDir(workDir: string, target: string): Promise<void> {
  const fault = (why: string, cause?: unknown): ConfigError =>
    new ConfigError('ERR_OPTION_INVALID', `the working directory ${printable(workDir)} ${why}`, {
      cause,
      hint: 'give --work-dir a directory on the file system of --out',
    })
  let [from, to]: [string, string] = ['', '']
  try {
    from = await realpath(workDir)
  } catch (error) {
    throw fault(`cannot be used: ${errnoOf(error) ?? String(error)}`, error)
  }
  to = await realpath(dirname(target))
  const status = await systemFiles.stat(from)
  if (!status.isDirectory()) throw fault('is no directory')
  // a folder that is replaced as a whole
  if (isAtOrIn(from, await realName(target))) throw fault('is the output itself, or in it')
  const mounts = await readMounts()
  const isSame = mounts === null ? status.dev === (await systemFiles.stat(to)).dev : mounts.of(from) === mounts.of(to)
  if (!isSame) throw fault('is on another file system than the output, so that no file can be renamed from it')
}

/** What a file system, a volume of a container or a single file is mounted at keeps its name whatever is renamed to it
 *  (rename(2), EBUSY). */
async function checkMount(files: FileSystem, target: string, name: string): Promise<void> {
  const status = await statusOf(files, target)
  if (status === null || !(status.isFile() || status.isDirectory())) return
  const mounts = await readMounts()
  const isPoint =
    mounts === null
      ? status.isDirectory() && status.dev !== (await files.stat(dirname(target))).dev
      : mounts.isPoint(await realName(target))
  if (!isPoint) return
  throw new OutputError('ERR_OUTPUT_ACCESS', `opening ${name}: it is a mount point, which cannot be replaced`, {
    hint: status.isDirectory() ? 'give a path inside it' : 'mount its directory, and give a path inside that',
  })
}
