// The files of a directory of parts: their names and order, the mark by which we know a directory that we made, and
// what may be removed or replaced.

import { constants } from 'node:fs'
import { ConfigError, OutputError, printable, StateError } from '../errors.js'
import type { FileStatus, FileSystem } from '../files/file-system.js'
import { isPartName, partName } from '../files/part-names.js'
import { ownStatusOf, statusOf } from '../files/paths.js'
import { piecesOf } from '../files/pieces.js'
import { createWhole, removeFile } from '../files/whole-file.js'
import type { Part } from './destination.js'
import type { LocalPlace } from './local-place.js'

/** What stands under the final name may be replaced, or is not there. @throws ConfigError ERR_OUTPUT_EXISTS,
 *  OutputError */
export async function checkTarget({ files, name, target, sides, overwrite }: LocalPlace): Promise<void> {
  const status = await statusOf(files, target)
  const { replaced } = sides
  if (status === null) {
    // a run that died between its two renames
    if ((await strangerIn(files, replaced)) !== null) return
    await files.rename(replaced, target)
    await unmark(files, target)
    if (overwrite) return
    throw new ConfigError('ERR_OUTPUT_EXISTS', `${name} exists already`)
  }
  if (!status.isDirectory()) {
    const hint = 'several parts need a directory; give another --out, or leave out --part-rows and --part-bytes'
    throw new ConfigError('ERR_OUTPUT_EXISTS', `${name} is no directory`, { hint })
  }
  const names = (await files.readdir(target)).filter((entry) => entry !== markName)
  const stranger = names.find((entry) => !isPartName(entry))
  if (stranger !== undefined) {
    const text = `${name} holds more than parts of an export: ${printable(stranger)}`
    throw new ConfigError('ERR_OUTPUT_EXISTS', text, { hint: 'give a directory that does not exist yet' })
  }
  if (names.length > 0 && !overwrite) throw new ConfigError('ERR_OUTPUT_EXISTS', `${name} exists already`)
  const inTheWay = names.length === 0 ? null : await strangerIn(files, replaced)
  if (inTheWay !== null && inTheWay !== 'nothing') {
    const text = `${printable(replaced)} is in the way (${inTheWay}): it takes ${name} for a moment while that is replaced`
    throw new ConfigError('ERR_OUTPUT_EXISTS', text, { hint: 'give it another name, or another --out' })
  }
}

/** In a directory that we made, for as long as it may be ours to remove. */
export const markName = '_truto-export'
const markText = Buffer.from(
  'A directory that truto-export made. It may be removed by the next export to the same place.\n',
)

export async function mark(files: FileSystem, directory: string): Promise<void> {
  const path = `${directory}/${markName}`
  if ((await ownStatusOf(files, path)) === null) await createWhole(files, path, markText, false)
}

/** Never throws: nobody is misled by what stays. */
export async function unmark(files: FileSystem, directory: string): Promise<void> {
  await removeFile(files, `${directory}/${markName}`).catch(() => {})
}

/** Why a directory is not one that we made, with nothing in it but parts; null where it is. */
async function strangerIn(files: FileSystem, path: string): Promise<string | null> {
  const status = await ownStatusOf(files, path)
  if (status === null) return 'nothing'
  if (!status.isDirectory()) return status.isSymbolicLink() ? 'a symbolic link' : 'no directory'
  const names = await files.readdir(path)
  const stranger = names.find((entry) => entry !== markName && !isPartName(entry))
  if (stranger !== undefined) return `it holds ${printable(stranger)}`
  return names.length === 0 || names.includes(markName) ? null : `it has no ${markName}`
}

/** Removes a directory of parts that we made; where there is none, that is what was wanted. @throws OutputError where
 *  it may be somebody else's */
export async function removeOurs(files: FileSystem, directory: string): Promise<void> {
  const stranger = await strangerIn(files, directory)
  if (stranger === 'nothing') return
  if (stranger !== null) {
    throw new OutputError('ERR_OUTPUT_ACCESS', `${printable(directory)} is in the way: ${stranger}`, {
      hint: 'remove it, or give another --out',
    })
  }
  // the mark goes last, so that what is left of a removal that was interrupted is known to be ours
  for (const name of await files.readdir(directory)) if (name !== markName) await files.unlink(`${directory}/${name}`)
  await removeFile(files, `${directory}/${markName}`)
  await files.rmdir(directory)
}

/** The parts of a directory in their order; null where there is no directory.
 *  @param check throws where the directory, or a part, is not to be used
 *  @throws StateError where one is missing or something else is there */
export async function partsIn(
  files: FileSystem,
  directory: string,
  extension: string,
  check: (status: FileStatus, path: string) => void = () => {},
): Promise<Part[] | null> {
  const status = await ownStatusOf(files, directory)
  if (status === null || !status.isDirectory()) return null
  check(status, directory)
  const held = new Set(await files.readdir(directory))
  held.delete(markName)
  const parts: Part[] = []
  for (let index = 0; index < held.size; index++) {
    const name = partName(index, extension)
    const path = `${directory}/${name}`
    const status = held.has(name) ? await files.lstat(path) : null
    if (!status?.isFile()) {
      throw new StateError('ERR_STATE_OUTPUT', `${printable(directory)} does not hold the parts of this export alone`)
    }
    check(status, path)
    parts.push({ name, bytes: status.size })
  }
  return parts
}

export function nameOf(index: number, extension: string): string {
  return `part-${String(index).padStart(5, '0')}${extension}`
}

export function partsBytes(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + part.bytes, 0)
}

/** The parts that hold the first `bytes` bytes, the last of them as far as it does. */
export function partsUpTo(parts: readonly Part[], bytes: number): Part[] {
  const kept: Part[] = []
  let left = bytes
  for (const part of parts) {
    if (left === 0) break
    const taken = Math.min(left, part.bytes)
    kept.push({ name: part.name, bytes: taken })
    left -= taken
  }
  return kept
}

/** The bytes of `parts`, one after the other. */
export async function* readParts(
  files: FileSystem,
  directory: string,
  parts: readonly Part[],
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const { name, bytes } of parts) {
    const file = await files.open(`${directory}/${name}`, constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      yield* piecesOf(file, 0, bytes)
    } finally {
      await file.close().catch(() => {}) // nothing was written
    }
  }
}
