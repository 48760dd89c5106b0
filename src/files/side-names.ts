// The names of what stands beside an output. Each begins with `_`: readers that take a whole folder (Hive, Spark,
// Trino, Athena, pyarrow, pandas, fastparquet) pass over such names, so that what is no data is never read as data.

import { createHash } from 'node:crypto'
import { basename } from 'node:path'

/** The files, or directories, that belong to one output and are not the output. All stand in its own directory. */
export interface SideNames {
  /** What has been written of an output that is not complete. */
  readonly partial: string
  readonly checkpoint: string
  readonly lock: string
  readonly manifest: string
  /** A directory that is being replaced, between two renames. */
  readonly replaced: string
  /** The longest name that is ever needed beside these. */
  readonly longest: string
}

/** `dir/name` → `dir/_name`; a name that begins with `_` already stays. */
export function besideName(path: string): string {
  const name = basename(path)
  return name.startsWith('_') ? path : `${path.slice(0, path.length - name.length)}_${name}`
}

/** What a file is written as before it is renamed to its own name. */
export function temporaryName(path: string): string {
  return `${path}${temporaryEnd}`
}

const temporaryEnd = '.tmp'
const manifestEnd = '.manifest.json'

export interface SideNameOptions {
  /** Where all but the manifest stand. Default: beside the output. */
  readonly workDir?: string | undefined
  /** Path of the manifest. Default: beside the output. */
  readonly manifest?: string | undefined
}

/** @param target the output's name, all links followed, without a slash at its end; absolute where there is a
 *  `workDir`. Paths are joined as texts: see `followLinks` */
export function sideNames(target: string, options: SideNameOptions = {}): SideNames {
  const name = basename(target)
  const beside = `${target.slice(0, target.length - name.length)}_${shortened(name)}`
  // outputs of several directories may share one
  const start = options.workDir === undefined ? beside : `${options.workDir}/_${withHash(name, target)}`
  const manifest = options.manifest ?? `${beside}${manifestEnd}`
  return {
    partial: `${start}.partial`,
    checkpoint: `${start}.checkpoint`,
    lock: `${start}.lock`,
    manifest,
    replaced: `${start}.replaced`,
    longest: temporaryName(`${start}${manifestEnd}`),
  }
}

/** Longest name that Linux, macOS and Windows take, in bytes (limits.h NAME_MAX). */
const maxNameBytes = 255
/** Of a name that is too long so much is kept, for people. */
const keptBytes = 160

/** `name`, or where its side names would be too long for a file system, a shorter one that no other output has. */
function shortened(name: string): string {
  return Buffer.byteLength(name) + `_${manifestEnd}${temporaryEnd}`.length <= maxNameBytes ? name : withHash(name, name)
}

/** The beginning of `name`, and a hash of `whole`. */
function withHash(name: string, whole: string): string {
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 16)
  // decoded by the stream decoder, which leaves out a character that is cut
  return `${new TextDecoder().decode(Buffer.from(name).subarray(0, keptBytes), { stream: true })}~${hash}`
}
